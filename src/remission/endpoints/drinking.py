"""Levels of drinking risk of the World Health Organization, and a person's fall by one or two of them."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.changes import mean_amount
from remission.endpoints.data import EndpointData, Formula
from remission.endpoints.days import amounts_of
from remission.errors import SpecError
from remission.library.drinking import risk_bounds_g_per_day
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.shapes import Bool, Float, Int

_Values = Float[np.ndarray, " subject"]


def risk_levels(ethanol_g_per_day: _Values, female: Bool[np.ndarray, " subject"]) -> Int[np.ndarray, " subject"]:
    """Level of each person: 0 abstinent, 1 low, 2 medium, 3 high, 4 very high risk; -1 where the amount is unknown."""
    bounds = risk_bounds_g_per_day()
    level = np.where(
        female,
        np.searchsorted(bounds["female"], ethanol_g_per_day, side="left"),
        np.searchsorted(bounds["male"], ethanol_g_per_day, side="left"),
    )
    return np.where(np.isnan(ethanol_g_per_day), -1, np.where(ethanol_g_per_day > 0.0, level + 1, 0))


def risk_reduction(endpoint: Endpoint, data: EndpointData) -> _Values:
    """1 for a person who is at least ``risk_levels`` lower in the window than in the baseline, else 0.

    Under ``observed`` means are over the days seen; a person without any in either window has no value. Who has
    no known sex has no value. Under ``use`` a person with an unseen day in the window has not come down.

    Raises SpecError: amounts, their grams of ethanol or the sexes are not known.
    """
    amounts_of(endpoint, data)
    if data.ethanol_g_per_amount is None or data.female is None:
        lacks = "grams of ethanol in a unit of the amounts" if data.ethanol_g_per_amount is None else "sexes"
        raise SpecError(
            where=f"endpoint {endpoint.id}",
            got=f"no {lacks}",
            allowed="drinking_risk_reduction only where amounts of alcohol and sex are known",
            remedy="The levels are grams of ethanol a day and differ by sex; use another endpoint.",
        )
    baseline = endpoint.baseline
    assert baseline is not None
    before, after = (
        risk_levels(data.ethanol_g_per_amount * mean_amount(endpoint, data, span), data.female)
        for span in (baseline, endpoint.window)
    )
    if data.sex_known is not None:
        before = np.where(data.sex_known, before, -1)
    fell = ((before - after) >= (endpoint.risk_levels or 1)) * 1.0
    if endpoint.missing == "use":
        columns = data.columns(endpoint.window.first, endpoint.window.last)
        gaps = ~data.seen[:, columns] & data.planned(endpoint.window.first, endpoint.window.last)
        return np.where(before < 0, np.nan, np.where(gaps.any(axis=1), 0.0, fell))
    return np.where((before < 0) | (after < 0), np.nan, fell)


DRINKING_FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    "drinking_risk_reduction": risk_reduction,
}
