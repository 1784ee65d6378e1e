"""The true value of an estimand: the same people under every arm, nobody unseen.

A trial sees each person under one arm and misses part of it. The simulation can see each person under every arm,
because a person's draws have addresses that do not name the arm. What an unbiased analysis of complete data would
find with endless people is thus computed, and the bias of any other analysis is measured against it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np

from remission.analyses.estimate import log_of
from remission.analyses.hazards import analyze_hazard
from remission.endpoints.values import times_of, values_of
from remission.errors import SpecError
from remission.numerics.elementary import exp
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters
from remission.patient.pharmacology import Pharmacology, pharmacology_of
from remission.protocol.analysis_windows import target_endpoint
from remission.protocol.question import possible_events, strategy_faults, strategy_for
from remission.protocol.record import Protocol
from remission.records.analysis import Analysis
from remission.records.analysis_methods import Method
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.estimand import Estimand, EventKind
from remission.records.result import Result
from remission.records.seed import DEFAULT_SEED
from remission.shapes import Bool, Float, Int
from remission.streams import check_seed
from remission.trial.analyze import sides_of
from remission.trial.batch import TrialBatch, simulate_batch
from remission.trial.endpoints import amount_unit_of, endpoint_data
from remission.trial.happenings import first_day_of_rule
from remission.trial.observation import Observation
from remission.trial.resampled import ChainPeople, DiaryPeople, simulate_resampled

MOST_PEOPLE = 1_000_000
_FEWEST_PEOPLE = 100
_PEOPLE_PER_CHUNK = 4096
_GROUPS = 20
"""Groups of the jackknife: its own error is then about a sixth of the error it estimates."""

_Values = Float[np.ndarray, " subject"]
_Events = Bool[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueArm:
    """One arm when everybody gets it.

    ``mean`` and ``sd`` are of the endpoint over the ``n_valued`` people who have a value, ``event_share`` the share of
    people to whom each intercurrent event happens by the end of the endpoint's window (for ``unblinding``: who guess
    the active drug).
    """

    mean: float
    sd: float
    n_valued: int
    event_share: dict[EventKind, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueContrast:
    """The true value of a contrast on the scale people read, with its Monte Carlo standard error.

    Odds ratios are of the shares of people (or of days), not adjusted for anything; hazard ratios are what Cox
    regression finds, for the log-rank test too. Nothing is shrunk toward a prior.
    """

    analysis: str
    method: Method
    estimate: float
    mcse: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimandTruth(Result):
    """The true value of an estimand, and of every other contrast of the same endpoint.

    ``strategies`` are those that were applied, events that cannot happen left out.
    """

    estimand: Estimand
    endpoint: str
    strategies: dict[EventKind, str]
    n_people: int
    seed: int
    arms: dict[str, TrueArm]
    contrasts: dict[str, TrueContrast]

    def columns(self) -> dict[str, Any]:
        """One row a contrast."""
        rows = self.contrasts.values()
        names = ("analysis", "method", "estimate", "mcse")
        return {name: [getattr(row, name) for row in rows] for name in names}

    @property
    def primary(self) -> TrueContrast:
        """The contrast of the estimand itself."""
        return self.contrasts[self.estimand.analysis]


def estimand_truth(
    protocol: Protocol,
    estimand: Estimand | None = None,
    *,
    n_people: int = 20_000,
    seed: int = DEFAULT_SEED,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> EstimandTruth:
    """The true value of an estimand by counterfactual simulation of the same people under every arm.

    Parameters
    ----------
    protocol
        The trial.
    estimand
        The protocol's own when left out.
    n_people
        100 to ``MOST_PEOPLE``; they are the people of the trial's first replicates.
    seed
        0 to 2**64 - 1.
    parameter_set, parameters
        As in :func:`~remission.trial.simulate.simulate_trial`.
    on_progress
        Called with (people done, people in all), each counted once for every arm.

    Raises
    ------
    SpecError
        There is no estimand, it names an analysis that the protocol lacks, a strategy has no meaning for the
        endpoint, or a number is out of range.
    """
    asked = _asked(protocol, estimand)
    check_people(n_people)
    check_seed(seed)
    primary = protocol.analysis(asked.analysis)
    endpoint = _target(protocol, primary)
    used = parameters or course_parameters_of(protocol, parameter_set=parameter_set)
    strategies = {event: strategy_for(asked, event, endpoint) for event in possible_events(protocol)}
    values, ended, happened = simulate_everybody(
        protocol, endpoint, strategies, n_people=n_people, seed=seed, parameters=used, on_progress=on_progress
    )
    return EstimandTruth(
        estimand=asked,
        endpoint=endpoint.id,
        strategies=dict(strategies),
        n_people=n_people,
        seed=seed,
        arms={
            arm.id: _arm(values[index], {event: float(days[index].mean()) for event, days in happened.items()})
            for index, arm in enumerate(protocol.arms)
        },
        contrasts={
            analysis.id: _contrast(protocol, analysis, values, ended)
            for analysis in protocol.analyses
            if _target(protocol, analysis) == endpoint
        },
    )


def truth_of_stated(
    protocol: Protocol,
    analysis: str,
    source: DiaryPeople | ChainPeople,
    *,
    n_people: int,
    seed: int,
    parameters: CourseParameters,
) -> TrueContrast:
    """The contrast of an analysis over people of a source, each under every arm, with the effect that is stated.

    Raises ``SpecError``: the number of people is out of range.
    """
    check_people(n_people)
    chosen = protocol.analysis(analysis)
    values, ended, _ = simulate_everybody(
        protocol, _target(protocol, chosen), {}, n_people=n_people, seed=seed, parameters=parameters, source=source
    )
    return _contrast(protocol, chosen, values, ended)


def _target(protocol: Protocol, analysis: Analysis) -> Endpoint:
    """What an analysis estimates a contrast of: an endpoint, or its part at one visit."""
    return target_endpoint(protocol, analysis, protocol.endpoint(analysis.endpoint))


def check_people(n_people: object) -> None:
    """Refuse a number of people that is too small for an error or too large for a machine.

    Raises ``SpecError``: it is not a whole number from 100 to ``MOST_PEOPLE``.
    """
    if isinstance(n_people, bool) or not isinstance(n_people, int) or not _FEWEST_PEOPLE <= n_people <= MOST_PEOPLE:
        raise SpecError(
            where="n_people", got=n_people, allowed=f"a whole number from {_FEWEST_PEOPLE} to {MOST_PEOPLE}"
        )


def _asked(protocol: Protocol, estimand: Estimand | None) -> Estimand:
    asked = estimand or protocol.estimand
    if asked is None:
        raise SpecError(
            where="estimand", got="nothing", allowed="an estimand", remedy="State it in the protocol, or pass one."
        )
    names = [item.id for item in protocol.analyses]
    if asked.analysis not in names:
        raise SpecError(where="estimand.analysis", got=asked.analysis, allowed=f"one of {', '.join(names)}")
    analysis = protocol.analysis(asked.analysis)
    endpoint = protocol.endpoint(analysis.endpoint)
    faults = list(strategy_faults(asked.strategies, possible_events(protocol), endpoint))
    if faults:
        raise SpecError.from_faults(faults)
    return asked


def simulate_everybody(
    protocol: Protocol,
    endpoint: Endpoint,
    strategies: Mapping[EventKind, str],
    *,
    n_people: int,
    seed: int,
    parameters: CourseParameters,
    source: DiaryPeople | ChainPeople | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Float[np.ndarray, "arm subject"], Bool[np.ndarray, "arm subject"], dict[EventKind, np.ndarray]]:
    """The endpoint of everybody under every arm, whether it is an event, and which events came by the window's end.

    ``strategies``: what is done about each event that can happen. ``source``: people on whose days an effect is stated.
    """
    # What nobody knows of people in diaries stays unknown: their true value is by the endpoint's own rule.
    whole = endpoint if isinstance(source, DiaryPeople) else endpoint_without_missing(endpoint)
    n_subjects = protocol.population.n_subjects
    n_arms, step = len(protocol.arms), max(1, _PEOPLE_PER_CHUNK // n_subjects)
    n_replicates = -(-n_people // n_subjects)
    pharmacology = None if isinstance(source, DiaryPeople) else pharmacology_of(protocol)
    without = [event for event, strategy in strategies.items() if strategy == "hypothetical"]
    values = np.full((n_arms, n_replicates * n_subjects), np.nan)
    ended = np.zeros(values.shape, dtype=np.bool_)
    happened = {event: np.zeros(values.shape, dtype=np.bool_) for event in strategies}
    for first in range(0, n_replicates, step):
        count = min(step, n_replicates - first)
        place = slice(first * n_subjects, (first + count) * n_subjects)
        for arm in range(n_arms):
            batch = _everybody(
                protocol, source, under=arm, without=without, seed=seed, first_replicate=first, n_replicates=count,
                parameters=parameters, pharmacology=pharmacology,
            )  # fmt: skip
            days = event_days(protocol, batch)
            for event, found in happened.items():
                found[arm, place] = days[event] <= endpoint.window.last
            seen = batch.observation
            if not isinstance(source, DiaryPeople):
                seen = with_strategies(seen, strategies, days)
            data = endpoint_data(
                seen,
                heavy_amount=parameters.heavy_amount,
                amount_unit=amount_unit_of(protocol),
                female=batch.covariates.female == 1,
            )
            values[arm, place] = values_of(whole, data)
            if whole.is_time_to_event:
                ended[arm, place] = times_of(whole, data)[1]
            if on_progress is not None:
                done = n_arms * min(first * n_subjects, n_people) + (arm + 1) * count * n_subjects
                on_progress(min(done, n_arms * n_people), n_arms * n_people)
    return values[:, :n_people], ended[:, :n_people], {event: found[:, :n_people] for event, found in happened.items()}


def _everybody(
    protocol: Protocol,
    source: DiaryPeople | ChainPeople | None,
    *,
    without: Collection[EventKind],
    pharmacology: Pharmacology | None,
    **address: Any,
) -> TrialBatch:
    if source is not None:
        return simulate_resampled(protocol, source, pharmacology=pharmacology, **address)
    assert pharmacology is not None, "the chain has one"
    return simulate_batch(protocol, without=without, pharmacology=pharmacology, **address)


def endpoint_without_missing(endpoint: Endpoint) -> Endpoint:
    """The endpoint for data in which nobody is unseen but by a strategy, which leaves out what it takes away."""
    rules = KINDS[endpoint.kind].missing
    if "observed" not in rules:
        return endpoint
    return endpoint.replace(definition=None, missing="observed", missing_weight=None)


def event_days(protocol: Protocol, batch: TrialBatch) -> dict[EventKind, Int[np.ndarray, " subject"]]:
    """First day of each event; the number of days where it never comes. A guess is made on day 0. [day]"""
    use, events, guess = batch.course.use, protocol.events, batch.happenings.guess
    n_days = use.shape[1]
    days: dict[EventKind, Int[np.ndarray, " subject"]] = {
        "dropout": batch.course.days_in_study,
        "incarceration": batch.happenings.custody_day,
    }
    if events is not None and events.relapse is not None:
        days["relapse"] = first_day_of_rule(use, events.relapse)
    if events is not None and events.rescue_medicine is not None:
        days["rescue-medicine"] = np.minimum(first_day_of_rule(use, events.rescue_medicine) + 1, n_days)
    if guess is not None:
        days["unblinding"] = np.where(guess, 0, n_days)
    return days


def with_strategies(
    seen: Observation, strategies: Mapping[EventKind, str], days: Mapping[EventKind, Int[np.ndarray, " subject"]]
) -> Observation:
    """What counts under the strategies: failures from an event on, or nothing from it on."""
    n_people, n_days = seen.diary.shape
    if not strategies and not seen.marks and seen.sessions is None and seen.admission_day is None:
        return replace(seen, days_in_study=np.full_like(seen.days_in_study, n_days))
    day = np.arange(n_days)[:, None]
    # Day by day in memory, as the course.
    failed = np.zeros((n_days, n_people), dtype=np.bool_).T
    until = np.full(seen.seen.shape[0], n_days, dtype=np.int64)
    stayed = failing = until
    for event, strategy in strategies.items():
        if strategy == "composite":
            failed |= (day >= days[event]).T
            stayed = np.minimum(stayed, days[event])
            failing = np.minimum(failing, days[event])
        elif strategy == "while-on-treatment":
            until = np.minimum(until, days[event])
    return replace(
        seen,
        diary=np.where(failed, 1, seen.diary).astype(np.int8),
        amount=np.where(failed, np.inf, seen.amount),
        seen=seen.seen & (day < until).T,
        test_kept=seen.test_kept & (seen.test_day < until[:, None]),
        test_positive=seen.test_positive | failed[:, seen.test_day],
        craving_vas=np.where(seen.craving_day < until[:, None], seen.craving_vas, np.nan),
        # From a failure on nobody has come down on a scale, and everybody is admitted.
        marks={
            name: replace(one, value=np.where(one.day < failing[:, None], one.value, np.inf)).before(until)
            for name, one in seen.marks.items()
        },
        sessions=None if seen.sessions is None else seen.sessions.before(until),
        admission_day=None
        if seen.admission_day is None
        else np.minimum(np.where(seen.admission_day < until, seen.admission_day, n_days), failing),
        # Leaving itself is one of the events above; here everybody stays to the end or to a failure.
        days_in_study=stayed.astype(seen.days_in_study.dtype),
    )


def _arm(values: _Values, event_share: dict[EventKind, float]) -> TrueArm:
    good = values[np.isfinite(values)]
    spread = float(good.std(ddof=1)) if good.size > 1 else float("nan")
    return TrueArm(
        mean=float(good.mean()) if good.size else float("nan"),
        sd=spread,
        n_valued=int(good.size),
        event_share=event_share,
    )


def _contrast(
    protocol: Protocol,
    analysis: Analysis,
    values: Float[np.ndarray, "arm subject"],
    ended: Bool[np.ndarray, "arm subject"],
) -> TrueContrast:
    """The contrast over everybody, and its error from leaving out one group of people after another."""
    sides = sides_of(protocol, analysis.contrast)
    weights = [np.array([protocol.arms[index].allocation for index in side]) for side in sides]
    group = np.arange(values.shape[1]) % _GROUPS

    def size(chosen: Bool[np.ndarray, " subject"]) -> float:
        form = analysis.facts.truth
        if form == "hazard_ratio":
            return _log_hazard_ratio(sides, weights, values[:, chosen], ended[:, chosen])
        scaled = _scaled(protocol, analysis, values)
        treated, control = (
            _weighted_mean(scaled[side][:, chosen], weight) for side, weight in zip(sides, weights, strict=True)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            match form:
                case "difference":
                    return treated - control
                case "ratio":
                    return _log(treated / control)
                case "odds_ratio":
                    return _log(treated / (1.0 - treated)) - _log(control / (1.0 - control))
        assert_never(form)

    whole = size(np.ones(group.size, dtype=np.bool_))
    parts = np.array([size(group != number) for number in range(_GROUPS)])
    with np.errstate(invalid="ignore"):  # an infinite size, where an arm has nobody or everybody, has no error
        away = parts - parts.mean()
        error = float(np.sqrt((_GROUPS - 1) * np.mean(away * away)))
    match analysis.facts.scale:
        case "difference":
            pass
        case "percent_lower":
            ratio = _exp(whole)
            whole, error = 100.0 * (1.0 - ratio), 100.0 * ratio * error
        case "ratio":
            ratio = _exp(whole)
            whole, error = ratio, ratio * error
        case scale:
            assert_never(scale)
    return TrueContrast(analysis=analysis.id, method=analysis.method, estimate=float(whole), mcse=float(error))


def _log(number: float) -> float:
    """The natural logarithm; minus infinity at zero, and no number where there is none."""
    if not number > 0.0 or not np.isfinite(number):
        return float("nan") if not number >= 0.0 else float("-inf" if number == 0.0 else "inf")
    return log_of(float(number))


def _exp(number: float) -> float:
    """The exponential; zero and infinity at its ends."""
    if not np.isfinite(number):
        return float("nan") if np.isnan(number) else float("inf" if number > 0.0 else "0")
    return float(exp(np.array([number]))[0])


def _scaled(
    protocol: Protocol, analysis: Analysis, values: Float[np.ndarray, "arm subject"]
) -> Float[np.ndarray, "arm subject"]:
    """Values in the unit that the analysis reads them in."""
    endpoint = protocol.endpoint(analysis.endpoint)
    if analysis.facts.in_points:
        return 100.0 * values
    if analysis.facts.counts_days and analysis.facts.truth == "odds_ratio":
        return values / (100.0 if endpoint.unit == "% of days" else len(endpoint.window))
    return np.minimum(values, analysis.tau_day) if analysis.tau_day is not None else values


def _weighted_mean(values: Float[np.ndarray, "arm subject"], weight: Int[np.ndarray, " arm"]) -> np.float64:
    """Mean over people with a value in each arm, then over arms by their allocation."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)
    return np.float64((means * weight).sum() / weight.sum())


def _log_hazard_ratio(
    sides: tuple[list[int], list[int]],
    weights: list[Int[np.ndarray, " _"]],
    days: Float[np.ndarray, "arm subject"],
    ended: Bool[np.ndarray, "arm subject"],
) -> float:
    rows = [np.repeat(side, weight) for side, weight in zip(sides, weights, strict=True)]
    arms = np.concatenate(rows)
    treated = np.repeat(np.arange(arms.size) < rows[0].size, days.shape[1])
    time, event = days[arms].ravel(), ended[arms].ravel()
    found = analyze_hazard(time, event, treated, np.zeros((time.size, 0)))
    return _log(found.estimate)
