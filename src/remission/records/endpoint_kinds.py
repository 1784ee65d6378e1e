"""Kinds of endpoints: what each one's number is, which way is better, what it needs and which rules it takes.

One table, so that coherence, analyses, reports and documents say the same of a kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

__all__ = ["KINDS", "EndpointKind", "KindFacts", "MissingRule", "Scale", "kinds_of_scale"]

EndpointKind: TypeAlias = Literal[
    "percent_days_abstinent",
    "percent_heavy_days",
    "any_use",
    "confirmed_relapse",
    "abstinent_window",
    "days_to_relapse_or_dropout",
    "mean_craving",
    "use_days",
    "longest_abstinence",
    "continuous_abstinence",
    "point_prevalence_abstinence",
    "prolonged_abstinence",
    "drinking_risk_reduction",
    "days_to_use",
    "days_to_heavy_day",
    "days_to_relapse",
    "days_in_study",
    "completed",
    "last_craving",
    "craving_change",
    "percent_negative_tests",
    "negative_tests",
    "percent_negative_weeks",
    "negative_weeks",
    "longest_negative_weeks",
    "negative_weeks_in_a_row",
    "positive_weeks_in_a_row",
    "weeks_to_positive",
    "weeks_to_missing",
    "weekly_use_index",
    "weekly_criteria",
]

MissingRule: TypeAlias = Literal[
    "observed", "use", "carried", "weighted", "abstinent", "usual", "neighbors", "kept", "complete"
]

Scale: TypeAlias = Literal["percent", "binary", "count", "time", "mean"]
"""``percent`` 0 to 100, ``binary`` 0 or 1, ``count`` a number of things, ``time`` with an event, ``mean`` a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFacts:
    """What is true of every endpoint of a kind.

    scale
        What one person's number is.
    higher_is_better
        Whether a larger number is the wished one.
    unit
        Unit of one person's number.
    needs
        What a visit must collect for it.
    missing
        Rules for what is missing that have a meaning here.
    takes
        Fields of the endpoint that the kind reads beside ``window`` and ``missing``; ``required`` of them must be set.
    """

    scale: Scale
    higher_is_better: bool
    unit: str
    needs: Literal["diary", "test", "craving", "visit"]
    missing: tuple[MissingRule, ...]
    takes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    @property
    def default_missing(self) -> MissingRule:
        """The rule where a protocol says none: the one that rewards leaving least, of those with a meaning here."""
        order: tuple[MissingRule, ...] = ("use", "carried", "weighted", "observed")
        return next(rule for rule in order if rule in self.missing)


_BOTH: Final[tuple[MissingRule, ...]] = ("observed", "use")
_CARRIED: Final[tuple[MissingRule, ...]] = (*_BOTH, "carried")
_WHOLE: Final[tuple[MissingRule, ...]] = (*_CARRIED, "complete")
_DAYS: Final[tuple[MissingRule, ...]] = (*_CARRIED, "weighted")
_WEEKS: Final[tuple[MissingRule, ...]] = (*_CARRIED, "abstinent", "usual", "neighbors", "kept")
_PEOPLE = "share of people"


def _days(scale: Scale, unit: str, *, better: bool, missing: tuple[MissingRule, ...] = _BOTH, takes: str = "",
          required: str = "", needs: Literal["diary", "test", "visit"] = "diary") -> KindFacts:  # fmt: skip
    return KindFacts(
        scale=scale, higher_is_better=better, unit=unit, needs=needs, missing=missing,
        takes=tuple(f"{required} {takes}".split()), required=tuple(required.split()),
    )  # fmt: skip


def _craving(*, missing: tuple[MissingRule, ...] = ("observed",), takes: str = "", required: str = "") -> KindFacts:
    return KindFacts(
        scale="mean", higher_is_better=False, unit="VAS 0-100", needs="craving", missing=missing,
        takes=tuple(f"{required} {takes}".split()), required=tuple(required.split()),
    )  # fmt: skip


KINDS: Final[Mapping[EndpointKind, KindFacts]] = MappingProxyType(
    {
        "percent_days_abstinent": _days("percent", "% of days", better=True, missing=_DAYS, takes="missing_weight"),
        "percent_heavy_days": _days("percent", "% of days", better=False, missing=_DAYS, takes="missing_weight"),
        "any_use": _days("binary", _PEOPLE, better=False, missing=_CARRIED),
        "confirmed_relapse": _days("binary", _PEOPLE, better=False, needs="test"),
        "abstinent_window": _days("binary", _PEOPLE, better=True),
        "days_to_relapse_or_dropout": _days("time", "day", better=True, missing=("use",)),
        "mean_craving": _craving(),
        "use_days": _days("count", "day", better=False, missing=_DAYS, takes="missing_weight"),
        "longest_abstinence": _days("count", "day", better=True, missing=_CARRIED),
        "continuous_abstinence": _days("binary", _PEOPLE, better=True, missing=_WHOLE, takes="grace_days verification"),
        "point_prevalence_abstinence": _days(
            "binary", _PEOPLE, better=True, missing=_WHOLE, required="length_days", takes="verification"
        ),
        "prolonged_abstinence": _days(
            "binary", _PEOPLE, better=True, missing=_WHOLE, required="failure", takes="grace_days verification"
        ),
        "drinking_risk_reduction": _days("binary", _PEOPLE, better=True, required="baseline risk_levels"),
        "days_to_use": _days("time", "day", better=True),
        "days_to_heavy_day": _days("time", "day", better=True),
        "days_to_relapse": _days("time", "day", better=True, required="failure", takes="grace_days"),
        "days_in_study": _days("time", "day", better=True, missing=("observed",), needs="visit"),
        "completed": _days("binary", _PEOPLE, better=True, missing=("observed",), needs="visit"),
        "last_craving": _craving(missing=("observed", "carried")),
        "craving_change": _craving(required="baseline"),
        "percent_negative_tests": _days(
            "percent", "% of tests", better=True, missing=_DAYS, takes="missing_weight", needs="test"
        ),
        "negative_tests": _days("count", "test", better=True, missing=_CARRIED, needs="test"),
        "percent_negative_weeks": _days(
            "percent", "% of weeks", better=True, missing=_WEEKS, takes="weekly", needs="test"
        ),
        "negative_weeks": _days("count", "week", better=True, missing=_WEEKS, takes="weekly", needs="test"),
        "longest_negative_weeks": _days("count", "week", better=True, missing=_WEEKS, takes="weekly", needs="test"),
        "negative_weeks_in_a_row": _days(
            "binary", _PEOPLE, better=True, missing=_WEEKS, required="weekly", needs="test"
        ),
        "positive_weeks_in_a_row": _days(
            "binary", _PEOPLE, better=False, missing=_WEEKS, required="weekly", needs="test"
        ),
        "weeks_to_positive": _days("time", "week", better=True, missing=_WEEKS, required="weekly", needs="test"),
        "weeks_to_missing": _days("time", "week", better=True, missing=("observed",), required="weekly", needs="test"),
        "weekly_use_index": _days(
            "mean", "index 0-120", better=True, missing=("weighted",), required="missing_weight weekly", needs="test"
        ),
        "weekly_criteria": _days("binary", _PEOPLE, better=True, missing=_WEEKS, required="weekly", needs="test"),
    }
)


def kinds_of_scale(*scales: Scale) -> frozenset[EndpointKind]:
    """The kinds whose numbers are of these scales."""
    return frozenset(kind for kind, facts in KINDS.items() if facts.scale in scales)
