"""Amounts a day, and what the window has against a baseline: changes and reductions.

A person without a day seen in the baseline has no value: such days are unknown, never zero. Under ``use`` days of the
window that nobody saw count as use, as heavy, or as no reduction of an amount; days of the baseline are left out where
nobody saw them, because to count them as use would make any fall larger.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.data import EndpointData, Formula
from remission.endpoints.days import amounts_of, days_of_use
from remission.errors import SpecError
from remission.library.drinking import ethanol_g_per_unit
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.records.population import DayRange
from remission.shapes import Float

_Values = Float[np.ndarray, " subject"]
_ROUNDING = 1e-9


def percent_of_days(endpoint: Endpoint, data: EndpointData, span: DayRange, *, heavy: bool, missing: str) -> _Values:
    """Share of days with use (heavy use) in some days, by a rule for what is missing. [%]"""
    item = endpoint.replace(
        definition=None, kind="percent_heavy_days" if heavy else "percent_days_abstinent", window=span, missing=missing,
        baseline=None, reduction_percent=None,
    )  # fmt: skip
    used, known = days_of_use(item, data, heavy=heavy)
    days = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(days > 0, 100.0 * used.sum(axis=1) / days, np.nan)


def mean_amount(endpoint: Endpoint, data: EndpointData, span: DayRange, *, use_days_only: bool = False) -> _Values:
    """Mean amount of the days whose amount is known, or of the use days among them. [unit of the data, a day]"""
    columns = data.columns(span.first, span.last, where="window" if span == endpoint.window else "baseline")
    amount = amounts_of(endpoint, data)[:, columns]
    known = data.seen[:, columns] & data.planned(span.first, span.last) & ~np.isnan(amount)
    if use_days_only:
        known = known & data.used[:, columns]
    # Person by person in memory, whatever the order of the days: it decides in which order they are added.
    total = np.ascontiguousarray(np.where(known, amount, 0.0)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known.any(axis=1), total / known.sum(axis=1), np.nan)


def amount_factor(endpoint: Endpoint, data: EndpointData) -> float:
    """What makes an amount of the data one of the endpoint's unit.

    Raises SpecError: the units are not both amounts of ethanol, nor the same.
    """
    wanted, own = endpoint.amount_unit, data.amount_unit
    if wanted in {None, own}:
        return 1.0
    to_g, from_g = ethanol_g_per_unit(wanted), data.ethanol_g_per_amount
    if to_g is None or from_g is None:
        raise SpecError(
            where=f"endpoint {endpoint.id}, amount_unit",
            got=wanted,
            allowed=f"the unit of the amounts, {own or 'which is not known'}",
            remedy="Only units of drink with known grams of ethanol can be changed into each other.",
        )
    return from_g / to_g


def _amount(endpoint: Endpoint, data: EndpointData) -> _Values:
    only = endpoint.kind == "amount_per_use_day"
    return amount_factor(endpoint, data) * mean_amount(endpoint, data, endpoint.window, use_days_only=only)


def _before_and_after(endpoint: Endpoint, data: EndpointData) -> tuple[_Values, _Values]:
    """What is counted in the baseline and in the window."""
    baseline = endpoint.baseline
    assert baseline is not None
    if endpoint.kind in {"change_in_amount", "reduced_amount"}:
        return mean_amount(endpoint, data, baseline), mean_amount(endpoint, data, endpoint.window)
    heavy = endpoint.kind in {"change_in_heavy_days", "reduced_heavy_days"}
    before = percent_of_days(endpoint, data, baseline, heavy=heavy, missing="observed")
    return before, percent_of_days(endpoint, data, endpoint.window, heavy=heavy, missing=endpoint.missing)


def _change(endpoint: Endpoint, data: EndpointData) -> _Values:
    before, after = _before_and_after(endpoint, data)
    return (amount_factor(endpoint, data) if endpoint.kind == "change_in_amount" else 1.0) * (after - before)


def _reduced(endpoint: Endpoint, data: EndpointData) -> _Values:
    """1 for a person at least so much below the baseline, else 0; who had nothing there cannot come down."""
    before, after = _before_and_after(endpoint, data)
    left = 1.0 - (endpoint.reduction_percent or 0.0) / 100.0
    fell = ((before > 0.0) & (after <= before * left + _ROUNDING * before)) * 1.0
    if endpoint.kind == "reduced_amount" and endpoint.missing == "use":
        span = endpoint.window
        gaps = (data.planned(span.first, span.last) & ~data.seen[:, data.columns(span.first, span.last)]).any(axis=1)
        return np.where(np.isnan(before), np.nan, np.where(gaps, 0.0, fell))
    return np.where(np.isnan(before) | np.isnan(after), np.nan, fell)


CHANGE_FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    "amount_per_day": _amount,
    "amount_per_use_day": _amount,
    "change_in_use_days": _change,
    "change_in_heavy_days": _change,
    "change_in_amount": _change,
    "reduced_use_days": _reduced,
    "reduced_heavy_days": _reduced,
    "reduced_amount": _reduced,
}
"""Amounts, changes and reductions; NaN for a person without a value."""
