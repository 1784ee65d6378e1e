"""Sessions of ketamine in simulated people. Research simulation, not for patient care."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from remission import planner
from remission.door.arguments import ARGUMENTS, as_float, bound
from remission.errors import SpecError
from remission.files import read_small_text
from remission.planner import Comparison, FoundRegimen, Limit, PlacedLevel, Plan, PlanRequest
from remission.records.result import Result, short_text
from remission.records.session_fields import SESSION_FIELDS

__all__ = [
    "PlacedLevels", "compare_regimens", "place_levels", "placed_levels", "plan_infusion", "search_regimen",
    "searched_regimen",
]  # fmt: skip

_LARGEST_BYTES = 1_000_000
_F = TypeVar("_F", bound=Callable[..., Any])


def _with_fields(function: _F) -> _F:
    """The function, with every field of a plan in its signature; what else it takes is read as at the door."""
    own = [one for one in signature(function).parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    fields = [Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in SESSION_FIELDS]
    shown = signature(function).replace(parameters=[*own, *fields])

    @wraps(function)
    def through(*args: Any, **named: Any) -> Any:
        given = dict(bound(function.__name__, shown, args, named))
        for one in own:
            value = given.pop(one.name, None)
            # None is nothing where something may be left out.
            if value is not None or one.default is one.empty:
                given[one.name] = ARGUMENTS[one.name].read(one.name, value, given)
        return function(**given)

    through.__signature__ = shown  # type: ignore[attr-defined]  # read by inspect
    del through.__wrapped__
    return cast(_F, through)


@_with_fields
def plan_infusion(**fields: Any) -> Plan:
    """What a session does to simulated people of one weight: curves, peaks, shares, findings. Not for patient care.

    Parameters
    ----------
    fields
        The fields of ``remission plan`` by their names, as texts or numbers: ``weight="82 kg"``, ``age=45``,
        ``dose="0.5 mg/kg"``, ``minutes=40``. Lists where a field may come more than once.

    Raises
    ------
    SpecError
        A field is unknown, missing or wrong; every fault of a value is listed with the name of its field.

    Examples
    --------
    >>> plan_infusion(weight=82, age=45, dose="0.5 mg/kg", minutes=40, people=200).total_mg
    41.0
    """
    return planner.plan_infusion(planner.read_request(_asked(fields)))


@_with_fields
def compare_regimens(others: str | Sequence[str], **fields: Any) -> Comparison:
    """A session and others in the same simulated people, with the differences person by person.

    Parameters
    ----------
    others
        One regimen or several in a word each, as ``remission plan --compare`` takes them: ``"kare"``,
        ``"0.8mg/kg/40min"``.
    fields
        The first session, as in :func:`plan_infusion`.

    Raises
    ------
    SpecError
        A regimen or a field is wrong.
    """
    first = planner.read_request(_asked(fields))
    return planner.compare_regimens([first, *(planner.read_regimen(one, beside=first) for one in others)])


@_with_fields
def search_regimen(
    find: str, *, limits: str | Sequence[str] = (), within_plasma: str = "", share: str | float = "", **fields: Any
) -> FoundRegimen:
    """The largest dose, or the fastest infusion of a dose, inside limits of pressure or a range of plasma.

    Parameters
    ----------
    find
        ``"dose"`` or ``"duration"``.
    limits
        Largest rises of pressure, such as ``"sbp-rise=20"`` and ``"dbp-rise=15"``. [mmHg]
    within_plasma
        A trial whose concentrations hold the session, such as ``"kare"``.
    share
        Share of people inside, 0.9 when left out. [0 to 1]
    fields
        The session, as in :func:`plan_infusion`, without what is searched for.

    Raises
    ------
    SpecError
        A limit or a field is wrong, none is given, or a contraindication stands against the session.
    """
    return searched_regimen(_asked(fields), find, limits=limits, within_plasma=within_plasma, share=str(share))


def searched_regimen(
    fields: Mapping[str, Sequence[str]], find: str, *, limits: Sequence[str], within_plasma: str, share: str
) -> FoundRegimen:
    """As :func:`search_regimen`, from fields of text as they were typed."""
    wanted = [planner.read_limit(one) for one in limits]
    if within_plasma:
        wanted.append(Limit(quantity="plasma", plasma=within_plasma))
    target, request = planner.read_search(fields, find=find)
    inside = planner.read_share_inside(share)
    return planner.search_regimen(request, target=target, limits=wanted, share=inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLevels(Result):
    """What :func:`place_levels` found: measured concentrations, each among the simulated people at its time."""

    request: PlanRequest
    levels: tuple[PlacedLevel, ...]

    def columns(self) -> Mapping[str, Any]:
        """One row a level."""
        of_level = ("t_h", "analyte", "site", "value_ng_per_ml", "is_below")
        of_people = ("low_ng_per_ml", "median_ng_per_ml", "high_ng_per_ml", "n_below", "n_people", "words", "note")
        found: dict[str, Any] = {name: [getattr(one.level, name) for one in self.levels] for name in of_level}
        return {**found, **{name: [getattr(one, name) for one in self.levels] for name in of_people}}


@_with_fields
def place_levels(levels: str | Path, **fields: Any) -> PlacedLevels:
    """Where measured concentrations fall among the simulated people of a session; nothing is fitted or advised.

    Parameters
    ----------
    levels
        A table as a file, or as a text of several lines: time, analyte, site, value, unit.
    fields
        The session, as in :func:`plan_infusion`.

    Raises
    ------
    SpecError
        The table or a field is wrong; each fault names its line.
    """
    request = planner.read_request(_asked(fields))
    return PlacedLevels(request=request, levels=placed_levels(request, levels))


def placed_levels(request: PlanRequest, levels: str | PathLike[str]) -> tuple[PlacedLevel, ...]:
    """Levels of a file, or of a text of several lines, among the people of a request."""
    if isinstance(levels, str) and "\n" in levels:
        text, where = levels, "levels"
    else:
        path = ARGUMENTS["path"].read("levels", levels, {})
        text = read_small_text(path, allowed="a table of measured levels as text", largest_bytes=_LARGEST_BYTES)
        where = str(path)
    measured = planner.read_levels(text, where=where)
    return planner.place_levels(request, measured, where=where) if measured else ()


def _asked(fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """The fields as somebody would type them."""
    return {name: _texts(name, value) for name, value in fields.items()}


def _texts(name: str, value: Any) -> list[str]:
    """A value as somebody would type it."""
    if value is None:
        return []
    is_many = (
        isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) and getattr(value, "ndim", 1) == 1
    )
    if is_many and not SESSION_FIELDS[name].is_many:
        raise SpecError(where=name, got=short_text(value), allowed="one value")
    return [text for one in (value if is_many else [value]) if (text := _text(name, one))]


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        if name == "hypertension":
            return "yes" if value else ""
        raise SpecError(where=name, got=value, allowed=f"a text or a number: {SESSION_FIELDS[name].help}")
    if isinstance(value, str):
        return value
    if isinstance(value, Real) and np.isfinite(number := as_float(value)):
        return str(int(number)) if number.is_integer() else repr(number)
    raise SpecError(
        where=name, got=f"{type(value).__name__} {short_text(value)}",
        allowed=f"a text or a finite number: {SESSION_FIELDS[name].help}",
    )  # fmt: skip
