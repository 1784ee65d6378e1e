"""The analyses of a protocol on whole replicates: who is compared, adjusted for what, by which method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from remission.analyses.bayes import (
    analyze_difference_with_prior,
    analyze_odds_with_prior,
    analyze_shares_with_prior,
)
from remission.analyses.counts import analyze_day_odds, analyze_rate
from remission.analyses.covariance import SPATIAL
from remission.analyses.estimate import Estimate, Estimates
from remission.analyses.hazards import analyze_hazards, analyze_log_ranks, analyze_restricted_mean
from remission.analyses.imputation import analyze_imputed
from remission.analyses.means import analyze_differences, analyze_percent_lower
from remission.analyses.mmrm import analyze_mmrms
from remission.analyses.odds import analyze_many_odds, analyze_odds
from remission.analyses.repeated import analyze_repeated
from remission.protocol.analysis_windows import analysis_windows, target_window
from remission.protocol.record import Protocol
from remission.records.analysis import BASELINE_COVARIATES, Analysis, Contrast, Prior
from remission.records.analysis_methods import METHODS, Method, complete
from remission.records.endpoint import Endpoint
from remission.records.population import DayRange
from remission.streams import People
from remission.trial.batch import TrialBatch
from remission.trial.before import baseline_covariates, baseline_strata
from remission.trial.endpoints import amount_unit_of, period_values
from remission.trial.periods import day_counts

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
    return _COMPLETE[analysis.method](found)


def sides_of(protocol: Protocol, contrast: Contrast) -> tuple[list[int], list[int]]:
    """Indices of the arms on the treatment side and on the control side."""
    return _arms_of(protocol, contrast.treatment), _arms_of(protocol, contrast.control)


def _arms_of(protocol: Protocol, levels: dict[str, str]) -> list[int]:
    return [index for index, arm in enumerate(protocol.arms) if levels.items() <= arm.factors.items()]


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """The people of a contrast, replicate by replicate; those outside have no value or are in another arm."""

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
        inside = np.isin(self._arm, treatment + control)
        if self.analysis.baseline is not None:
            inside &= np.isfinite(self.table(self.values[self.analysis.baseline]))
        for name in self.analysis.adjust:
            inside &= np.isfinite(self.table(_columns(self.protocol, name, self.batch))).all(axis=2)
        return inside

    @cached_property
    def inside(self) -> _Flags:
        return self.randomized & np.isfinite(self.value)

    @cached_property
    def treated(self) -> _Flags:
        return np.isin(self._arm, sides_of(self.protocol, self.analysis.contrast)[0])

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
    def prior(self) -> Prior:
        assert self.analysis.prior is not None
        return self.analysis.prior

    def table(self, column: np.ndarray) -> np.ndarray:
        """A column over people, one row a replicate."""
        return column.reshape(self.batch.n_replicates, -1, *column.shape[1:])

    def each(self, one: Callable[..., Estimate], *columns: np.ndarray, **options: object) -> Estimates:
        """One replicate after the other: columns, sides and terms of those inside."""
        return Estimates.of(
            [
                one(
                    *(column[number][who] for column in columns),
                    self.treated[number][who],
                    self.adjust[number][:, who].T,
                    **options,
                )
                for number, who in enumerate(self.inside)
            ]
        )


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
    return (levels[:, None] == np.unique(levels)[1:]).astype(np.float64)


def _odds(found: _Compared) -> Estimates:
    if found.analysis.test == "wald":
        return analyze_many_odds(found.value, found.inside, found.treated, found.adjust)
    return found.each(analyze_odds, found.value, test=found.analysis.test)


def _strata(found: _Compared) -> Int[np.ndarray, "replicate subject"]:
    strata = np.zeros(len(found.batch.arm), dtype=np.int64)
    for name in found.analysis.stratify_by:
        level = _level(found.protocol, name, found.batch)
        strata = strata * (int(level.max()) + 1) + level
    whole: Int[np.ndarray, "replicate subject"] = found.table(strata)
    return whole


def _hazards(found: _Compared) -> Estimates:
    return analyze_hazards(
        found.value, found.event, found.inside, found.treated, found.adjust, strata=_strata(found)
    )  # fmt: skip


def _log_rank(found: _Compared) -> Estimates:
    return analyze_log_ranks(found.value, found.event, found.inside, found.treated, _strata(found))


def _counts(one: Callable[..., Estimate], found: _Compared) -> Estimates:
    counts, seen_day = day_counts(found.endpoint, found.batch.observation, found.values[found.analysis.endpoint])
    return found.each(one, found.table(counts), found.table(seen_day))


def _periods(found: _Compared) -> Float[np.ndarray, "replicate subject period"]:
    return found.table(
        period_values(
            found.endpoint,
            found.batch.observation,
            found.windows,
            amount_unit=amount_unit_of(found.protocol),
            heavy_amount=found.heavy_amount,
        )
    )


def _repeated(found: _Compared) -> Estimates:
    return found.each(
        analyze_repeated,
        _periods(found),
        correlation=found.analysis.correlation,
        small_sample=found.analysis.small_sample,
    )


def _imputed(found: _Compared) -> Estimates:
    """Everybody who was randomized, seen or not."""
    rule = found.analysis.imputation
    assert rule is not None
    periods, everyone = _periods(found), found.batch.people
    replicate, subject = found.table(everyone.replicate), found.table(everyone.subject)
    return Estimates.of(
        [
            analyze_imputed(
                periods[number][who],
                found.treated[number][who],
                found.adjust[number][:, who].T,
                People(seed=everyone.seed, replicate=replicate[number][who], subject=subject[number][who]),
                assumption=rule.assumption,
                n_imputations=rule.n_imputations,
                weight=found.shares,
            )
            for number, who in enumerate(found.randomized)
        ]
    )


def _mmrm(found: _Compared) -> Estimates:
    """Everybody who was randomized and seen at a visit."""
    analysis, m = found.analysis, len(found.windows)
    target = target_window(analysis, found.windows)
    days = np.array([window.first for window in found.windows], dtype=np.int64)
    return analyze_mmrms(
        _periods(found),
        found.randomized,
        found.treated,
        found.adjust,
        n_by_visit=int(analysis.baseline is not None),
        weights=found.shares if target is None else (np.arange(m) == target).astype(np.float64),
        position=days if analysis.covariance in SPATIAL else np.arange(m),
        structure=analysis.covariance,
        by_side=analysis.covariance_by_side,
        freedom=analysis.degrees_of_freedom,
    )


def _posterior_difference(found: _Compared) -> Estimates:
    prior = found.prior
    return found.each(analyze_difference_with_prior, found.value, center=prior.center, worth_people=prior.worth_people)


def _posterior_shares(found: _Compared) -> Estimates:
    def one(value: np.ndarray, treated: np.ndarray, _: np.ndarray) -> Estimate:
        assert found.prior.events is not None
        assert found.prior.others is not None
        return analyze_shares_with_prior(
            value, treated, prior_events=found.prior.events, prior_others=found.prior.others
        )

    return found.each(one, found.value)


def _posterior_odds(found: _Compared) -> Estimates:
    return found.each(analyze_odds_with_prior, found.value, center=found.prior.center, sd=found.prior.sd)


_FUNCTIONS: Final[Mapping[Method, Callable[[_Compared], Estimates]]] = {
    "mean_difference": lambda found: analyze_differences(
        found.value, found.inside, found.treated, found.adjust, errors=found.analysis.errors
    ),
    "odds_ratio": _odds,
    "hazard_ratio": _hazards,
    "percent_lower": lambda found: found.each(
        lambda value, treated, _: analyze_percent_lower(value, treated), found.value
    ),
    "log_rank": _log_rank,
    "restricted_mean_difference": lambda found: found.each(
        lambda value, event, treated, _: analyze_restricted_mean(
            value, event, treated, tau_day=float(found.analysis.tau_day or 0)
        ),
        found.value,
        found.event,
    ),
    "rate_ratio": lambda found: _counts(analyze_rate, found),
    "day_odds_ratio": lambda found: _counts(analyze_day_odds, found),
    "repeated_difference": _repeated,
    "mmrm": _mmrm,
    "imputed_difference": _imputed,
    "posterior_difference": _posterior_difference,
    "posterior_share_difference": _posterior_shares,
    "posterior_odds_ratio": _posterior_odds,
}
_COMPLETE: Final = complete(_FUNCTIONS, METHODS, what="methods of analysis")
