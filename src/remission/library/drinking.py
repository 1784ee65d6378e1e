"""Bounds of the levels of drinking risk, and grams of ethanol in a unit of drink."""

from functools import cache
from types import MappingProxyType

from remission.records.packaged import packaged_toml


@cache
def risk_bounds_g_per_day() -> MappingProxyType[str, tuple[float, ...]]:
    """Upper bounds of low, medium and high risk for ``male`` and ``female``. [g/day]"""
    found = packaged_toml("drinking.toml")["risk_levels"]
    return MappingProxyType({sex: tuple(found[f"{sex}_g_per_day"]) for sex in ("male", "female")})


def ethanol_g_per_unit(unit: str | None) -> float | None:
    """Grams of ethanol in one of this unit; ``None`` for a unit that says nothing about ethanol. [g]"""
    known = packaged_toml("drinking.toml")["units"].get(unit)
    return None if known is None else float(known["ethanol_g"])
