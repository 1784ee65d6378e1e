"""What a trial knows of people from the days before day 0: covariates of an analysis, and strata.

baseline-use
    Share of days with use, of those asked about. [share]
baseline-amount
    Mean amount a day. [unit of the substance]
baseline-craving
    The mark of craving at entry. [VAS 0 to 100]
baseline-severity
    Of alcohol the level of drinking risk, 0 to 4; else 0 without use, then 1, 2 and 3 by thirds of days with use.

A person of whom nothing was asked has none of them. Strata are thirds of days with use, and the severity.
"""

from collections.abc import Mapping

import numpy as np

from remission.endpoints.drinking import risk_levels
from remission.library.drinking import ethanol_g_per_unit
from remission.patient.course import CourseSchedule, Traits
from remission.patient.kernels import fast
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.records.analysis import BASELINE_COVARIATES
from remission.shapes import Bool, Float, Int
from remission.streams import People
from remission.trial.endpoints import amount_unit_of
from remission.trial.observation import DaysBefore, Observation, days_before
from remission.trial.schedule import entry_of

STRATA_LEVELS: Mapping[str, int] = {"baseline-use": 3, "baseline-severity": 5}
"""Levels of each stratum of the baseline."""

_Subject = Float[np.ndarray, " subject"]


def baseline_covariates(
    protocol: Protocol, seen: Observation, *, female: Bool[np.ndarray, " subject"]
) -> dict[str, _Subject]:
    """Each covariate of the baseline by name, NaN where nothing is known of a person; none without a baseline."""
    if seen.before is None:
        return {}
    use, amount = _means(seen.before)
    values = (use, amount, seen.craving_vas[:, 0], _severity(protocol, use, amount, female))
    return dict(zip(BASELINE_COVARIATES, values, strict=True))


def baseline_strata(
    protocol: Protocol, before: DaysBefore, *, female: Bool[np.ndarray, " subject"]
) -> dict[str, Int[np.ndarray, " subject"]]:
    """The level of each person in the strata of the baseline; 0 where nothing is known."""
    use, amount = _means(before)
    thirds = np.digitize(use, [1.0 / 3.0, 2.0 / 3.0], right=True) * ~np.isnan(use)
    severity = np.nan_to_num(_severity(protocol, use, amount, female))
    return {"baseline-use": thirds, "baseline-severity": severity.astype(np.int64)}


def simulate_before(
    people: People,
    protocol: Protocol,
    traits: Traits,
    parameters: CourseParameters,
    *,
    weekday0: Int[np.ndarray, " subject"],
) -> DaysBefore:
    """The diary of the baseline, before anybody has an arm: no arm changes what came before it."""
    n = len(people)
    none, nothing = np.full((n, 1), -1, dtype=np.int64), np.zeros((n, 1))
    schedule = CourseSchedule(
        infusion_day=none, exposure=nothing, psychoactive=nothing, session_day=none, quality=np.zeros(n),
        weekday0=weekday0, blocked=np.zeros(1, dtype=np.bool_), entry=entry_of(protocol.population),
    )  # fmt: skip
    course = fast.simulate_course(people, traits, schedule, parameters)
    return days_before(people, course, parameters)


def _means(before: DaysBefore) -> tuple[_Subject, _Subject]:
    days = before.seen.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        use, amount = ((part * before.seen).sum(axis=1) / days for part in (before.diary, before.amount))
    return use, amount


def _severity(protocol: Protocol, use: _Subject, amount: _Subject, female: Bool[np.ndarray, " subject"]) -> _Subject:
    grams = ethanol_g_per_unit(amount_unit_of(protocol))
    if grams is not None:
        level = risk_levels(grams * amount, female).astype(np.float64)
    else:
        level = (use > 0.0) * (1.0 + np.digitize(use, [1.0 / 3.0, 2.0 / 3.0], right=True))
    return np.where(np.isnan(use), np.nan, level)
