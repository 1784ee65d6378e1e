"""The analyses of a protocol on whole replicates: who is compared, adjusted for what, by which method."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from remission.analyses.estimate import Estimates
from remission.analyses.methods import Compared, analyze_compared
from remission.protocol.analysis_windows import analysis_windows, target_window
from remission.protocol.record import Protocol
from remission.records.analysis import BASELINE_COVARIATES, Analysis, Contrast
from remission.records.analysis_methods import Method
from remission.records.endpoint import Endpoint
from remission.records.population import DayRange
from remission.shapes import Bool, Float, Int, Integer
from remission.trial.batch import TrialBatch
from remission.trial.before import baseline_covariates, baseline_strata
from remission.trial.endpoints import amount_unit_of, period_values
from remission.trial.periods import day_counts
from remission.trial.randomization import in_arms

_BY_PERSON: Final = frozenset[Method]({
    "mean_difference", "odds_ratio", "hazard_ratio", "percent_lower", "log_rank", "restricted_mean_difference",
    "posterior_difference", "posterior_share_difference", "posterior_odds_ratio",
})  # fmt: skip
_Table = Float[np.ndarray, "replicate subject"]
_Flags = Bool[np.ndarray, "replicate subject"]
_Terms = Float[np.ndarray, "replicate term subject"]


def analyze_replicates(
    protocol: Protocol,
    analysis: Analysis,
    batch: TrialBatch,
    values: Mapping[str, Float[np.ndarray, " subject"]],
    events: Mapping[str, Bool[np.ndarray, " subject"]],
    *,
    heavy_amount: float,
) -> Estimates:
    """One analysis of the replicates of a batch.

    ``values``: of each endpoint; NaN for people without a value. ``events``: whether a time ended in the event, of each
    endpoint that is a time. ``heavy_amount``: an amount above which a day counts as heavy. [unit of the substance]
    """
    found = _Compared(protocol=protocol, analysis=analysis, batch=batch, values=values, events=events,
                      heavy_amount=heavy_amount)  # fmt: skip
    return analyze_compared(found)


def reads_days(analysis: Analysis) -> bool:
    """Whether an analysis reads days or periods of people; the others read one number a person."""
    return analysis.method not in _BY_PERSON


def sides_of(protocol: Protocol, contrast: Contrast) -> tuple[list[int], list[int]]:
    """Indices of the arms on the treatment side and on the control side."""
    return _arms_of(protocol, contrast.treatment), _arms_of(protocol, contrast.control)


def _arms_of(protocol: Protocol, levels: dict[str, str]) -> list[int]:
    return [index for index, arm in enumerate(protocol.arms) if levels.items() <= arm.factors.items()]


@dataclass(frozen=True, kw_only=True)
class _Compared(Compared):
    """The simulated people of a contrast."""

    protocol: Protocol
    analysis: Analysis
    batch: TrialBatch
    values: Mapping[str, Float[np.ndarray, " subject"]]
    events: Mapping[str, Bool[np.ndarray, " subject"]]
    heavy_amount: float

    @cached_property
    def endpoint(self) -> Endpoint:
        return self.protocol.endpoint(self.analysis.endpoint)

    @cached_property
    def windows(self) -> tuple[DayRange, ...]:
        return analysis_windows(self.protocol, self.analysis, self.endpoint)

    @cached_property
    def shares(self) -> Float[np.ndarray, " period"]:
        """Of each period, by its days."""
        days = np.array([float(len(window)) for window in self.windows])
        return days / days.sum()

    @cached_property
    def value(self) -> _Table:
        return self.table(self.values[self.analysis.endpoint])

    @cached_property
    def event(self) -> _Flags:
        return self.table(self.events[self.analysis.endpoint])

    @cached_property
    def _arm(self) -> Int[np.ndarray, "replicate subject"]:
        return self.table(self.batch.arm)

    @cached_property
    def randomized(self) -> _Flags:
        """Everybody of the contrast who has what the regression is adjusted for."""
        treatment, control = sides_of(self.protocol, self.analysis.contrast)
        inside = in_arms(self._arm, treatment + control)
        if self.analysis.baseline is not None:
            inside &= np.isfinite(self.table(self.values[self.analysis.baseline]))
        for name in self.analysis.adjust:
            inside &= np.isfinite(self.table(_columns(self.protocol, name, self.batch))).all(axis=2)
        return inside

    @cached_property
    def treated(self) -> _Flags:
        return in_arms(self._arm, sides_of(self.protocol, self.analysis.contrast)[0])

    @cached_property
    def adjust(self) -> _Terms:
        shape = (*self._arm.shape, -1)
        columns = [np.zeros((*self._arm.shape, 0))]
        columns += [
            np.nan_to_num(_columns(self.protocol, name, self.batch)).reshape(shape) for name in self.analysis.adjust
        ]
        if self.analysis.baseline is not None:
            measure = self.table(self.values[self.analysis.baseline])
            columns.append(np.where(np.isfinite(measure), measure, 0.0)[:, :, None])
        return np.ascontiguousarray(np.concatenate(columns, axis=2).swapaxes(1, 2))

    @cached_property
    def strata(self) -> Int[np.ndarray, "replicate subject"]:
        strata = np.zeros(len(self.batch.arm), dtype=np.int64)
        for name in self.analysis.stratify_by:
            level = _level(self.protocol, name, self.batch)
            strata = strata * (int(level.max()) + 1) + level
        return self.table(strata)

    @cached_property
    def counts(self) -> tuple[_Table, _Table]:
        counts, seen_day = day_counts(self.endpoint, self.batch.observation, self.values[self.analysis.endpoint])
        return self.table(counts), self.table(seen_day)

    @cached_property
    def periods(self) -> Float[np.ndarray, "replicate subject period"]:
        return self.table(
            period_values(
                self.endpoint,
                self.batch.observation,
                self.windows,
                amount_unit=amount_unit_of(self.protocol),
                heavy_amount=self.heavy_amount,
            )
        )

    @cached_property
    def days(self) -> Int[np.ndarray, " period"]:
        return np.array([window.first for window in self.windows], dtype=np.int64)

    @cached_property
    def target(self) -> int | None:
        return target_window(self.analysis, self.windows)

    @property
    def addresses(
        self,
    ) -> tuple[int, Integer[np.ndarray, "replicate subject"], Integer[np.ndarray, "replicate subject"]]:
        everyone = self.batch.people
        return everyone.seed, self.table(everyone.replicate), self.table(everyone.subject)

    def table(self, column: np.ndarray) -> np.ndarray:
        """A column over people, one row a replicate."""
        return column.reshape(self.batch.n_replicates, -1, *column.shape[1:])


def _columns(protocol: Protocol, name: str, batch: TrialBatch) -> Float[np.ndarray, "subject term"]:
    """A term of the adjustment; a factor of the arms comes before a covariate of its name."""
    words = [arm.factors.get(name, "") for arm in protocol.arms]
    if name in {"sex", "site"}:
        return _indicators(_level(protocol, name, batch))
    if name in {"age", "weight"} and not any(words):
        return (batch.covariates.age_y if name == "age" else batch.covariates.weight_kg)[:, None]
    if name in BASELINE_COVARIATES and not any(words):
        female = batch.covariates.female == 1
        return baseline_covariates(protocol, batch.observation, female=female)[name][:, None]
    if name in batch.conditions and not any(words):
        return _indicators(_level(protocol, name, batch))
    return _indicators(np.array([sorted(set(words)).index(word) for word in words])[batch.arm])


def _level(protocol: Protocol, name: str, batch: TrialBatch) -> Int[np.ndarray, " subject"]:
    """Level of each person, from 0, in something a clinic knows at entry."""
    known = {"sex": batch.covariates.female.astype(np.int64), "site": batch.site, **batch.conditions}
    before = batch.observation.before
    if before is not None:
        known |= baseline_strata(protocol, before, female=batch.covariates.female == 1)
    return known[name]


def _indicators(levels: Int[np.ndarray, " subject"]) -> Float[np.ndarray, "subject term"]:
    """Indicators of all levels but the first; those that a replicate lacks are zero there, and count for nothing."""
    return (levels[:, None] == np.flatnonzero(np.bincount(levels))[1:]).astype(np.float64)
