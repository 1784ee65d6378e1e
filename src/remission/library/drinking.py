"""Bounds of the levels of drinking risk, and grams of ethanol in a unit of drink."""

from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from remission.library.loader import read_library_toml

__all__ = ["ethanol_g_per_unit", "risk_bounds_g_per_day"]


@cache
def risk_bounds_g_per_day() -> MappingProxyType[str, tuple[float, ...]]:
    """Upper bounds of low, medium and high risk for ``male`` and ``female``. [g/day]"""
    found = _content()["risk_levels"]
    return MappingProxyType({sex: tuple(found[f"{sex}_g_per_day"]) for sex in ("male", "female")})


def ethanol_g_per_unit(unit: str | None) -> float | None:
    """Grams of ethanol in one of this unit; ``None`` for a unit that says nothing about ethanol. [g]"""
    known = _content()["units"].get(unit)
    return None if known is None else float(known["ethanol_g"])


@cache
def _content() -> dict[str, Any]:
    return read_library_toml(files("remission.library").joinpath("drinking.toml"))
