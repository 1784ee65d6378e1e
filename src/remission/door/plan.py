"""One session of ketamine in simulated people. Research simulation, not for patient care."""

from collections.abc import Iterable, Mapping
from inspect import Parameter, Signature
from numbers import Real
from typing import Any

import numpy as np

from remission.errors import SpecError, did_you_mean, known_names
from remission.planner import Plan, read_request
from remission.planner import plan_infusion as _plan_infusion
from remission.records.result import short_text
from remission.records.session_fields import SESSION_FIELDS

__all__ = ["plan_infusion"]


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
    for name, value in fields.items():
        if name not in SESSION_FIELDS:
            raise SpecError(
                where=f"plan_infusion({name}=...)", got=short_text(value), allowed="a field of a plan",
                remedy=did_you_mean(name, SESSION_FIELDS, otherwise=known_names(SESSION_FIELDS, most=30)),
            )  # fmt: skip
    return _plan_infusion(read_request({name: _texts(name, value) for name, value in fields.items()}))


plan_infusion.__signature__ = Signature(  # type: ignore[attr-defined]
    [Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in SESSION_FIELDS], return_annotation=Plan
)


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
    if isinstance(value, Real) and np.isfinite(float(value)):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    raise SpecError(
        where=name, got=f"{type(value).__name__} {short_text(value)}",
        allowed=f"a text or a finite number: {SESSION_FIELDS[name].help}",
    )  # fmt: skip
