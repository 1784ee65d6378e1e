"""A search for a dose or a duration in words, and what stands beside its answer."""

from remission.library.sessions import load_plasma_ranges
from remission.planner import NOTICE, FoundRegimen
from remission.planner.checks import Finding
from remission.records.base import Record
from remission.report.plan_sheet import (
    LIMITS,
    ShareRow,
    established,
    made_words,
    share_rows,
    who_words,
)
from remission.report.words import SAFETY_LINES, WORDS

_SAID: dict[str, str] = WORDS["plan"]["sentences"]


class SearchSheet(Record):
    """What a search says, and what stands beside it."""

    notice: str
    who: str
    answer: str
    certainty: str
    reach: str
    asked: str
    under_models: str
    ranges: tuple[str, ...]
    shares: tuple[ShareRow, ...]
    unchecked: str
    flags: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    established: tuple[str, ...]
    safety: tuple[str, ...]
    limits: tuple[str, ...]


def search_sheet(found: FoundRegimen) -> SearchSheet:
    """A search in words."""
    has_share = any(one.most_mmhg for one in found.limits)
    share = f"in {100.0 * found.share:g}% or more of simulated people" if has_share else "in the simulated people"
    limits = f"{' and '.join(one.words for one in found.limits)} {share}"
    if found.standing:
        limits += f", and {' and '.join(found.standing)} in {100.0 * found.standing_fraction:g}% or more"
    what = "largest dose" if found.target == "dose" else "fastest infusion"
    form = "searched_none" if found.value is None else "searched_end" if found.bound_by == "published" else "searched"
    ends = ["none" if one is None else f"{one:g} {found.unit}" for one in (found.cautious, found.lenient)]
    certainty = _SAID["certainty"].format(low=ends[0], high=ends[1])
    if (has_share or found.standing) and found.share_inside is not None:
        certainty += _SAID["certainty_inside"].format(percent=100.0 * found.share_inside)
    return SearchSheet(
        notice=f"{NOTICE} A limit, never a dose for anyone.",
        answer=_SAID[form].format(
            value=found.value, unit=found.unit, regimen=found.plan.regimen, limits=limits, what=what
        ),
        certainty=certainty,
        under_models=_under_models(found),
        reach=_SAID["reach"].format(reach=found.reach),
        asked=f"{what.capitalize()} {_held(found)} with {limits}.",
        ranges=tuple(_range_words(one.plasma) for one in found.limits if one.plasma is not None),
        who=f"{who_words(found.asked)}. {made_words(found.asked)}",
        shares=share_rows(found.plan),
        unchecked=_SAID["unchecked"].format(unchecked=" and ".join(found.unchecked)) if found.unchecked else "",
        flags=found.plan.flags,
        unknown=found.plan.unknown,
        established=established(found.asked),
        safety=SAFETY_LINES,
        limits=LIMITS,
    )


def _under_models(found: FoundRegimen) -> str:
    """The answer under each published model, least careful last: doubt about the model beside that of the people."""
    named = sorted(found.under_models.items(), key=lambda one: (one[1] is not None, _care(found, one[1])))
    known = [value for _, value in named if value is not None]
    none = sum(value is None for _, value in named)
    return _SAID["under_models"].format(
        each=", ".join(f"{name} {'none' if value is None else f'{value:g} {found.unit}'}" for name, value in named),
        ends=f"{known[0]:g} to {known[-1]:g} {found.unit}" if known else "no answer",
        none=f", and none under {none}" if none and known else "",
        model=found.asked.model,
        careful=named[0][0],
    )


def _care(found: FoundRegimen, value: float | None) -> float:
    """Rising from the careful to the bold: a larger dose, or a shorter infusion."""
    return 0.0 if value is None else value if found.target == "dose" else -value


def _range_words(name: str) -> str:
    """A plasma range with what is known of it."""
    return _SAID["plasma"].format(one=next(found for found in load_plasma_ranges() if found.id == name))


def _held(found: FoundRegimen) -> str:
    """What of the infusion was not looked for."""
    one = found.asked.infusions[0]
    return f"over {one.duration_min:g} min" if found.target == "dose" else f"of {one.dose_mg_per_kg:g} mg/kg"
