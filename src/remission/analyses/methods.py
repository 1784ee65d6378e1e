"""Every method of analysis on whole replicates: one table of functions, for simulated people and for real ones.

Who is compared and by what, :class:`Compared` says; a trial that is simulated and a data file each fill it in.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from remission.analyses.bayes import (
    analyze_difference_with_prior,
    analyze_odds_with_prior,
    analyze_shares_with_prior,
)
from remission.analyses.completed import analyze_imputed_counts, analyze_imputed_events
from remission.analyses.counts import analyze_day_odds, analyze_rate, analyze_robust_rate
from remission.analyses.covariance import SPATIAL
from remission.analyses.estimate import Estimate, Estimates
from remission.analyses.hazards import analyze_hazards, analyze_log_ranks, analyze_restricted_mean
from remission.analyses.imputation import analyze_imputed
from remission.analyses.means import analyze_differences, analyze_percent_lower, analyze_within_people
from remission.analyses.mmrm import analyze_mmrms
from remission.analyses.odds import analyze_many_odds, analyze_odds
from remission.analyses.repeated import analyze_repeated
from remission.records.analysis import Analysis, Prior
from remission.records.analysis_methods import METHODS, Method, complete
from remission.shapes import Bool, Float, Int, Integer
from remission.streams import People

_Table = Float[np.ndarray, "replicate subject"]
_Flags = Bool[np.ndarray, "replicate subject"]


class Compared(ABC):
    """The people of a contrast, replicate by replicate; those outside have no value or are in another arm."""

    analysis: Analysis
    delta: float = 0.0
    """What is added to imputed values of the treatment side, for a tipping point."""

    @property
    def null(self) -> float:
        """What a test after imputation is of, a logarithm of a ratio; the estimate is then of the rest."""
        return 0.0

    @property
    @abstractmethod
    def value(self) -> _Table:
        """The outcome; NaN without one."""

    @property
    @abstractmethod
    def event(self) -> _Flags:
        """Whether a time ended in the event."""

    @property
    @abstractmethod
    def randomized(self) -> _Flags:
        """Everybody of the contrast who has what the regression is adjusted for."""

    @property
    @abstractmethod
    def treated(self) -> _Flags:
        """Who is on the treatment side."""

    @property
    @abstractmethod
    def adjust(self) -> Float[np.ndarray, "replicate term subject"]:
        """Columns of the adjustment, a measure before treatment the last of them."""

    @property
    @abstractmethod
    def strata(self) -> Int[np.ndarray, "replicate subject"]:
        """Strata within which times are compared."""

    @property
    @abstractmethod
    def counts(self) -> tuple[_Table, _Table]:
        """Counts, and the days in which they were counted."""

    @property
    @abstractmethod
    def periods(self) -> Float[np.ndarray, "replicate subject period"]:
        """The outcome at visits or in periods; NaN where it was not seen."""

    @property
    @abstractmethod
    def shares(self) -> Float[np.ndarray, " period"]:
        """Of each visit or period in the mean over all; their sum is 1."""

    @property
    @abstractmethod
    def days(self) -> Int[np.ndarray, " period"]:
        """First day of each visit or period. [day]"""

    @property
    @abstractmethod
    def target(self) -> int | None:
        """Which visit or period the estimate is of; ``None``: of the mean over all."""

    @property
    @abstractmethod
    def addresses(
        self,
    ) -> tuple[int, Integer[np.ndarray, "replicate subject"], Integer[np.ndarray, "replicate subject"]]:
        """Seed, and number of replicate and person, of the draws of an imputation."""

    @property
    def imputed_shares(self) -> Float[np.ndarray, " period"]:
        """Of each visit or period in what is compared after imputation."""
        return self.shares

    @property
    def inside(self) -> _Flags:
        """Who has an outcome and what it is adjusted for."""
        return self.randomized & np.isfinite(self.value)

    @property
    def prior(self) -> Prior:
        """What is believed beforehand."""
        assert self.analysis.prior is not None
        return self.analysis.prior

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

    def people(self, number: int) -> People:
        """The addresses of the randomized people of a replicate."""
        seed, replicate, subject = self.addresses
        who = self.randomized[number]
        return People(seed=seed, replicate=replicate[number][who], subject=subject[number][who])


def analyze_compared(found: Compared) -> Estimates:
    """The analysis that was stated, replicate by replicate."""
    return _COMPLETE[found.analysis.method](found)


def _odds(found: Compared) -> Estimates:
    if found.analysis.test == "wald":
        return analyze_many_odds(found.value, found.inside, found.treated, found.adjust)
    return found.each(analyze_odds, found.value, test=found.analysis.test)


def _hazards(found: Compared) -> Estimates:
    return analyze_hazards(found.value, found.event, found.inside, found.treated, found.adjust, strata=found.strata)


def _log_rank(found: Compared) -> Estimates:
    return analyze_log_ranks(found.value, found.event, found.inside, found.treated, found.strata)


def _counts(one: Callable[..., Estimate], found: Compared) -> Estimates:
    return found.each(one, *found.counts)


def _repeated(found: Compared) -> Estimates:
    return found.each(
        analyze_repeated,
        found.periods,
        correlation=found.analysis.correlation,
        small_sample=found.analysis.small_sample,
    )


def _imputed(found: Compared) -> Estimates:
    """Everybody who was randomized, seen or not."""
    rule = found.analysis.imputation
    assert rule is not None
    return Estimates.of(
        [
            analyze_imputed(
                found.periods[number][who],
                found.treated[number][who],
                found.adjust[number][:, who].T,
                found.people(number),
                assumption=rule.assumption,
                n_imputations=rule.n_imputations,
                weight=found.imputed_shares,
                delta=found.delta,
                null=found.null,
            )
            for number, who in enumerate(found.randomized)
        ]
    )


def _completed(one: Callable[..., Estimate], found: Compared, *columns: np.ndarray) -> Estimates:
    """Everybody who was randomized, with a number or without."""
    rule = found.analysis.imputation
    assert rule is not None
    return Estimates.of(
        [
            one(
                *(column[number][who] for column in columns),
                found.treated[number][who],
                found.adjust[number][:, who].T,
                found.people(number),
                assumption=rule.assumption,
                n_imputations=rule.n_imputations,
                delta=found.delta,
                null=found.null,
            )
            for number, who in enumerate(found.randomized)
        ]
    )


def _mmrm(found: Compared) -> Estimates:
    """Everybody who was randomized and seen at a visit."""
    analysis, m = found.analysis, found.shares.size
    return analyze_mmrms(
        found.periods,
        found.randomized,
        found.treated,
        found.adjust,
        n_by_visit=int(analysis.baseline is not None),
        weights=found.shares if found.target is None else (np.arange(m) == found.target).astype(np.float64),
        position=found.days if analysis.covariance in SPATIAL else np.arange(m),
        structure=analysis.covariance,
        by_side=analysis.covariance_by_side,
        freedom=analysis.degrees_of_freedom,
    )


def _within(found: Compared) -> Estimates:
    """The two periods of everybody; the treatment side has the treatment first."""
    return Estimates.of(
        [
            analyze_within_people(
                found.periods[number][who, 0], found.periods[number][who, 1], found.treated[number][who]
            )
            for number, who in enumerate(found.randomized)
        ]
    )


def _posterior_difference(found: Compared) -> Estimates:
    prior = found.prior
    return found.each(analyze_difference_with_prior, found.value, center=prior.center, worth_people=prior.worth_people)


def _posterior_shares(found: Compared) -> Estimates:
    def one(value: np.ndarray, treated: np.ndarray, _: np.ndarray) -> Estimate:
        assert found.prior.events is not None
        assert found.prior.others is not None
        return analyze_shares_with_prior(
            value, treated, prior_events=found.prior.events, prior_others=found.prior.others
        )

    return found.each(one, found.value)


def _posterior_odds(found: Compared) -> Estimates:
    return found.each(analyze_odds_with_prior, found.value, center=found.prior.center, sd=found.prior.sd)


_FUNCTIONS: Final[Mapping[Method, Callable[[Compared], Estimates]]] = {
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
    "robust_rate_ratio": lambda found: _counts(analyze_robust_rate, found),
    "day_odds_ratio": lambda found: _counts(analyze_day_odds, found),
    "repeated_difference": _repeated,
    "mmrm": _mmrm,
    "within_people_difference": _within,
    "imputed_difference": _imputed,
    "imputed_odds_ratio": lambda found: _completed(analyze_imputed_events, found, found.value),
    "imputed_rate_ratio": lambda found: _completed(analyze_imputed_counts, found, *found.counts),
    "posterior_difference": _posterior_difference,
    "posterior_share_difference": _posterior_shares,
    "posterior_odds_ratio": _posterior_odds,
}
_COMPLETE: Final = complete(_FUNCTIONS, METHODS, what="methods of analysis")
