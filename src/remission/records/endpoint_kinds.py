"""Kinds of endpoints: one table (``library/endpoint-kinds.toml``, which says what its columns mean).

Coherence, analyses, reports and documents read it, so that all say the same of a kind.
"""

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from remission.records.base import Record
from remission.records.packaged import packaged_rows

MissingRule: TypeAlias = Literal[
    "observed", "use", "carried", "weighted", "abstinent", "usual", "neighbors", "kept", "complete"
]

Scale: TypeAlias = Literal["percent", "binary", "count", "time", "mean"]


class KindFacts(Record):
    """What is true of every endpoint of a kind: a row of the table."""

    scale: Scale
    higher_is_better: bool
    unit: str
    needs: Literal["diary", "test", "craving", "depression", "visit", "session"]
    missing: tuple[MissingRule, ...]
    takes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    weekly_field: str = ""
    by_period: Literal["mean", "part", ""] = ""
    needs_amounts: bool = False
    needs_heavy: bool = False
    baseline_apart: bool = False
    simulated_only: bool = False
    counts_diary_days: bool | None = None
    leaving: str = ""
    missing_is_outcome: bool = False

    @property
    def default_missing(self) -> MissingRule:
        """The rule where a protocol says none: the one that rewards leaving least, of those with a meaning here."""
        order: tuple[MissingRule, ...] = ("use", "carried", "weighted", "observed")
        return next(rule for rule in order if rule in self.missing)


KINDS: Final = packaged_rows(KindFacts, "endpoint-kinds.toml")

# The names are those of the table; a checker of types, which cannot read it, takes them for text.
if TYPE_CHECKING:
    EndpointKind: TypeAlias = str
else:
    EndpointKind = Literal[tuple(KINDS)]
