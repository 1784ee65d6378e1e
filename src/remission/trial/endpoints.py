"""Endpoints of a trial: its observation handed to the layer that computes them."""

import numpy as np
from jaxtyping import Bool, Float

from remission.endpoints.data import EndpointData
from remission.endpoints.values import period_values_of
from remission.library.drinking import ethanol_g_per_unit
from remission.library.loader import load_parameter_set
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.protocol.record import Protocol
from remission.records.endpoint import Endpoint
from remission.trial.observation import Observation

__all__ = ["endpoint_data", "ethanol_g_per_amount", "period_values"]


def endpoint_data(
    seen: Observation,
    *,
    heavy_amount: float | None = None,
    ethanol_g_per_amount: float | None = None,
    female: Bool[np.ndarray, " subject"] | None = None,
) -> EndpointData:
    """A trial's observation as endpoints read it; every test of the plan was due.

    ``heavy_amount``: an amount above which a day counts as heavy. [unit of the substance] ``ethanol_g_per_amount``:
    grams of ethanol in one unit of the amounts, for alcohol. ``female``: sex of each person, for endpoints that differ
    by sex.
    """
    n, n_days = seen.diary.shape
    return EndpointData(
        used=seen.diary > 0,
        seen=seen.seen,
        amount=seen.amount,
        end_day=np.full(n, n_days, dtype=np.int64),
        test_day=seen.test_day,
        test_due=np.ones_like(seen.test_kept),
        test_kept=seen.test_kept,
        test_positive=seen.test_positive,
        craving_day=seen.craving_day,
        craving_vas=seen.craving_vas,
        days_in_study=seen.days_in_study,
        until_day=seen.until_day,
        heavy_amount=heavy_amount,
        ethanol_g_per_amount=ethanol_g_per_amount,
        female=female,
    )


def ethanol_g_per_amount(protocol: Protocol) -> float | None:
    """Grams of ethanol in one unit of the amounts of this trial; ``None`` for anything else than alcohol. [g]"""
    known = load_parameter_set(DEFAULT_PARAMETER_SET)
    name = f"mu_a.{protocol.substance.value}"
    return ethanol_g_per_unit(known[name].unit.removeprefix("log ")) if name in known else None


def period_values(
    endpoint: Endpoint, seen: Observation, *, period_days: int, heavy_amount: float | None = None
) -> Float[np.ndarray, "subject period"]:
    """The endpoint in consecutive periods of its window, NaN where nothing of a period was seen.

    ``period_days``: length of a period; the last one is shorter when the window is no multiple. [day] Raises
    ``SpecError``: the kind has no meaning in a part of its window (column ``by_period`` of their table).
    """
    return period_values_of(endpoint, endpoint_data(seen, heavy_amount=heavy_amount), period_days=period_days)
