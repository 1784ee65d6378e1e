"""Endpoints of a trial: its observation handed to the layer that computes them."""

from collections.abc import Sequence

import numpy as np

from remission.endpoints.data import EndpointData
from remission.endpoints.values import period_values_of
from remission.library.drinking import ethanol_g_per_unit
from remission.library.loader import load_parameter_set
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.protocol.record import Protocol
from remission.records.endpoint import Endpoint
from remission.records.population import DayRange
from remission.shapes import Bool, Float
from remission.trial.observation import Observation


def endpoint_data(
    seen: Observation,
    *,
    amount_unit: str | None = None,
    heavy_amount: float | None = None,
    female: Bool[np.ndarray, " subject"] | None = None,
) -> EndpointData:
    """A trial's observation as endpoints read it; every test of the plan was due.

    ``amount_unit``: unit of the amounts. ``heavy_amount``: an amount above which a day counts as heavy. [unit of the
    substance] ``female``: sex of each person, for endpoints that differ by sex.
    """
    n, n_days = seen.diary.shape
    diary, was_seen, amount, before = seen.diary, seen.seen, seen.amount, seen.before
    if before is not None:
        diary = np.concatenate([before.diary, diary], axis=1)
        was_seen = np.concatenate([before.seen, was_seen], axis=1)
        amount = np.concatenate([before.amount, amount], axis=1)
    return EndpointData(
        used=diary > 0,
        seen=was_seen,
        amount=amount,
        first_day=n_days - diary.shape[1],
        end_day=np.full(n, n_days, dtype=np.int64),
        test_day=seen.test_day,
        test_due=np.ones_like(seen.test_kept),
        test_kept=seen.test_kept,
        test_positive=seen.test_positive,
        craving_day=seen.craving_day,
        craving_vas=seen.craving_vas,
        marks=seen.marks,
        sessions=seen.sessions,
        admission_day=seen.admission_day,
        days_in_study=seen.days_in_study,
        until_day=seen.until_day,
        amount_unit=amount_unit,
        heavy_amount=heavy_amount,
        ethanol_g_per_amount=ethanol_g_per_unit(amount_unit),
        female=female,
    )


def amount_unit_of(protocol: Protocol) -> str | None:
    """Unit of the amounts of this trial; ``None`` where none is modeled."""
    known = load_parameter_set(DEFAULT_PARAMETER_SET)
    name = f"mu_a.{protocol.substance.value}"
    return known[name].unit.removeprefix("log ") if name in known else None


def period_values(
    endpoint: Endpoint,
    seen: Observation,
    windows: Sequence[DayRange],
    *,
    amount_unit: str | None = None,
    heavy_amount: float | None = None,
) -> Float[np.ndarray, "subject period"]:
    """The endpoint in parts of its window, NaN where nothing of a part was seen.

    Raises ``SpecError``: the kind has no meaning in a part of its window (column ``by_period`` of their table).
    """
    return period_values_of(endpoint, endpoint_data(seen, amount_unit=amount_unit, heavy_amount=heavy_amount), windows)
