"""Methods of analysis: one table (``library/analysis-methods.toml``, which says what its columns mean).

Protocols, truths, designs, summaries and reports read it, so that all say the same of a method. Its function stands in
``remission.trial.analyze``; a row without one cannot be imported.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator

from remission.records.base import Record
from remission.records.endpoint_kinds import KINDS, EndpointKind, Scale
from remission.records.packaged import packaged_rows

EstimateScale: TypeAlias = Literal["difference", "ratio", "percent_lower"]

TruthForm: TypeAlias = Literal["difference", "ratio", "odds_ratio", "hazard_ratio"]
"""How the true value is made of the numbers of everybody under each side."""

NEEDED_OPTIONS: Final = frozenset({"tau_day", "period_days", "imputation", "prior"})
"""Options without a default: a method that reads one needs it."""

_Key = TypeVar("_Key", bound=str)
_Function = TypeVar("_Function")


def _kinds(wanted: dict[str, list[str]]) -> frozenset[str]:
    """The kinds with these values in the columns of their table, of which their name is one."""
    return frozenset(
        kind
        for kind, facts in KINDS.items()
        if all({"kind": kind, **facts.to_dict()}[column] in values for column, values in wanted.items())
    )


class MethodFacts(Record):
    """What is true of every analysis of a method: a row of the table."""

    words: str
    scale: EstimateScale
    truth: TruthForm
    fits: Annotated[frozenset[EndpointKind], BeforeValidator(_kinds)]
    options: frozenset[str] = frozenset()
    may_lack: frozenset[str] = frozenset()
    prior: frozenset[str] = frozenset()
    file_options: frozenset[str] = frozenset()
    measures: frozenset[Scale] = frozenset()
    at_visits: bool = False
    has_regression: bool = True
    counts_days: bool = False
    is_turned: bool = False
    margin_at: Literal["interval", "data", "test"] | None = None
    tipped_by: str = ""
    name: str = ""
    in_points: bool = False


METHODS: Final = packaged_rows(MethodFacts, "analysis-methods.toml")

if TYPE_CHECKING:
    Method: TypeAlias = str
else:
    Method = Literal[tuple(METHODS)]


def complete(
    functions: Mapping[_Key, _Function], facts: Mapping[_Key, object], *, what: str
) -> Mapping[_Key, _Function]:
    """The functions of a table, one for each of its rows and none beside; a TypeError names what is lacking.

    Examples
    --------
    >>> complete({"a": len}, {"a": 1, "b": 2}, what="letters")
    Traceback (most recent call last):
    TypeError: letters: no function for b
    """
    lacking, strange = sorted(set(facts) - set(functions)), sorted(set(functions) - set(facts))
    if lacking or strange:
        msg = f"{what}: no {'function' if lacking else 'row'} for {', '.join(lacking or strange)}"
        raise TypeError(msg)
    return MappingProxyType(dict(functions))
