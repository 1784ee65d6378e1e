"""Methods of analysis: what each one's estimate is, which endpoints it takes, which options it reads.

One table, so that protocols, truths, designs, summaries and reports say the same of a method. Its function stands in
``remission.trial.analyze``; a row without one cannot be imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

from remission.records.endpoint_kinds import KINDS, EndpointKind, kinds_of_scale

__all__ = ["METHODS", "NEEDED_OPTIONS", "EstimateScale", "Method", "MethodFacts", "TruthForm", "complete"]

Method: TypeAlias = Literal[
    "mean_difference",
    "odds_ratio",
    "hazard_ratio",
    "percent_lower",
    "log_rank",
    "restricted_mean_difference",
    "rate_ratio",
    "day_odds_ratio",
    "repeated_difference",
    "imputed_difference",
    "posterior_difference",
    "posterior_share_difference",
    "posterior_odds_ratio",
]

EstimateScale: TypeAlias = Literal["difference", "ratio", "percent_lower"]
"""``difference``: 0 is no effect. ``ratio``: 1 is, and means are taken of logarithms. ``percent_lower``: 0 is, and the
estimate is what is missing from a ratio, in percent."""

TruthForm: TypeAlias = Literal["difference", "ratio", "odds_ratio", "hazard_ratio"]
"""How the true value is made of the numbers of everybody under each side."""

NEEDED_OPTIONS: Final = frozenset({"tau_day", "period_days", "imputation", "prior"})
"""Options without a default: a method that reads one needs it."""

_Key = TypeVar("_Key", bound=str)
_Function = TypeVar("_Function")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFacts:
    """What is true of every analysis of a method.

    words
        What it estimates, in a protocol's explanation.
    scale, truth
        What the estimate is, and how its true value is computed.
    fits
        Kinds of endpoints that it can analyze.
    options
        Options of an analysis that it reads; :data:`NEEDED_OPTIONS` among them must be given.
    prior
        Fields of the prior that it reads.
    has_regression
        Whether it can be adjusted for factors and covariates.
    counts_days
        Whether it reads whole days, each with an answer or without, so that days cannot be carried or weighted.
    is_turned
        Whether a smaller estimate of an endpoint that is better when larger favors the treatment: a hazard, a fall.
    name
        The estimate in the name of a scale; the method's own name when empty.
    in_points
        Whether shares come out in percentage points.
    """

    words: str
    scale: EstimateScale
    truth: TruthForm
    fits: frozenset[EndpointKind]
    options: frozenset[str] = frozenset()
    prior: frozenset[str] = frozenset()
    has_regression: bool = True
    counts_days: bool = False
    is_turned: bool = False
    name: str = ""
    in_points: bool = False


_SCORES: Final = kinds_of_scale("percent", "count", "mean")
_SHARES: Final = kinds_of_scale("binary")
_TIMES: Final = kinds_of_scale("time")
_IN_PERIODS: Final = frozenset[EndpointKind](
    {"percent_days_abstinent", "percent_heavy_days", "percent_negative_tests", "mean_craving"}
)
"""Kinds whose number over a window is the mean of its numbers over periods."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


METHODS: Final[Mapping[Method, MethodFacts]] = MappingProxyType(
    {
        "mean_difference": MethodFacts(
            words="difference of means", scale="difference", truth="difference", fits=_SCORES,
            options=_names("baseline"),
        ),
        "odds_ratio": MethodFacts(
            words="odds ratio", scale="ratio", truth="odds_ratio", fits=_SHARES, options=_names("baseline test")
        ),
        "hazard_ratio": MethodFacts(
            words="hazard ratio", scale="ratio", truth="hazard_ratio", fits=_TIMES, options=_names("baseline"),
            is_turned=True,
        ),
        "percent_lower": MethodFacts(
            words="percent lower mean", scale="percent_lower", truth="ratio", is_turned=True,
            fits=frozenset({"mean_craving", "last_craving", "use_days"}),
        ),
        "log_rank": MethodFacts(
            words="log-rank test and one-step hazard ratio", scale="ratio", truth="hazard_ratio", fits=_TIMES,
            options=_names("stratify_by"), has_regression=False, is_turned=True, name="hazard ratio",
        ),
        "restricted_mean_difference": MethodFacts(
            words="difference of restricted mean times", scale="difference", truth="difference",
            fits=frozenset(kind for kind in _TIMES if KINDS[kind].unit == "day"), options=_names("tau_day"),
            has_regression=False,
        ),
        "rate_ratio": MethodFacts(
            words="ratio of daily rates (quasi-Poisson, score test)", scale="ratio", truth="ratio",
            fits=frozenset({"use_days", "percent_heavy_days"}), options=_names("baseline"), counts_days=True,
        ),
        "day_odds_ratio": MethodFacts(
            words="odds ratio of a day (quasi-binomial, score test)", scale="ratio", truth="odds_ratio",
            fits=frozenset({"use_days", "percent_days_abstinent", "percent_heavy_days"}), options=_names("baseline"),
            counts_days=True,
        ),
        "repeated_difference": MethodFacts(
            words="difference of means over periods (generalized estimating equations)", scale="difference",
            truth="difference", fits=_IN_PERIODS, options=_names("baseline period_days correlation small_sample"),
        ),
        "imputed_difference": MethodFacts(
            words="difference of means after multiple imputation", scale="difference", truth="difference",
            fits=_IN_PERIODS, options=_names("baseline period_days imputation"),
        ),
        "posterior_difference": MethodFacts(
            words="posterior difference of means", scale="difference", truth="difference", fits=_SCORES,
            options=_names("baseline prior"), prior=_names("center worth_people"),
        ),
        "posterior_share_difference": MethodFacts(
            words="posterior difference of shares", scale="difference", truth="difference", fits=_SHARES,
            options=_names("prior"), prior=_names("events others"), has_regression=False, in_points=True,
        ),
        "posterior_odds_ratio": MethodFacts(
            words="posterior odds ratio", scale="ratio", truth="odds_ratio", fits=_SHARES,
            options=_names("baseline prior"), prior=_names("center sd"),
        ),
    }
)  # fmt: skip
"""Every method. A further one is a row here with its name above, a function in ``remission.analyses``, and a line in
``remission.trial.analyze``."""


def complete(
    functions: Mapping[_Key, _Function], facts: Mapping[_Key, object], *, what: str
) -> Mapping[_Key, _Function]:
    """The functions of a table, one for each of its rows and none beside.

    Raises
    ------
    TypeError
        A row has no function, or a function has no row.

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
