"""Simulated trials that are looked at before their end, and stop for success, for harm or for futility.

A look comes when a share of the people have their primary window behind them. It analyses what exists at that time
(:mod:`remission.trial.datacut`). Its statistic is the normal score of the p value, positive where the treatment does
better. A futility rule is not binding: the boundaries do not count on it.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from remission.analyses.estimate import Z95
from remission.design.at_look import Boundaries, after_stop
from remission.design.measures import to_scale
from remission.design.stops import StopRule
from remission.design.variants import one_analysis
from remission.numerics.special_functions import ndtri
from remission.numerics.tallies import Count, Mean, Measure
from remission.records.analysis import Analysis
from remission.records.endpoint import Endpoint
from remission.shapes import Bool, Float
from remission.trial.batch import TrialBatch
from remission.trial.chunk import Chunk, analyze_batch
from remission.trial.datacut import complete_day, cut_batch
from remission.trial.recruitment import simulate_recruitment
from remission.trial.simulate import TrialPlan


@dataclass(slots=True, kw_only=True)
class LookSums:
    """What was counted at one look."""

    success: Count = field(default_factory=Count)
    harm: Count = field(default_factory=Count)
    futility: Count = field(default_factory=Count)
    analyzed: Mean = field(default_factory=Mean)
    enrolled: Mean = field(default_factory=Mean)
    day: Mean = field(default_factory=Mean)
    information: Mean = field(default_factory=Mean)


@dataclass(slots=True, kw_only=True)
class LookTally:
    """Running sums over trials with looks."""

    at: list[LookSums]
    rejected: Count = field(default_factory=Count)
    failed: Count = field(default_factory=Count)
    n: Mean = field(default_factory=Mean)
    day: Mean = field(default_factory=Mean)
    estimate: Mean = field(default_factory=Mean)
    shift: Mean = field(default_factory=Mean)
    away: Mean = field(default_factory=Mean)
    bounds: list[Float[np.ndarray, "2 replicate"]] = field(default_factory=list)
    stops: list[Float[np.ndarray, "4 replicate"]] = field(default_factory=list)

    def merge(self, other: "LookTally") -> None:
        """Take in what was summed elsewhere."""
        for mine, theirs in zip(self.at, other.at, strict=True):
            for name in LookSums.__slots__:
                getattr(mine, name).merge(getattr(theirs, name))
        self.bounds += other.bounds
        self.stops += other.stops
        for name in LookTally.__slots__:
            if name not in {"at", "bounds", "stops"}:
                getattr(self, name).merge(getattr(other, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: its boundaries, how often the trial stops there and why, and what there is at that time.

    ``information`` is the squared standard error of the last look divided by that of this one. ``day`` counts from
    the opening of the trial; ``None`` without a recruitment plan.
    """

    fraction: float
    z: float
    futility_z: float | None
    success: Measure
    harm: Measure
    futility: Measure
    n_analysed: Measure
    n_enrolled: Measure
    information: Measure
    day: Measure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequential:
    """How a design with looks behaves.

    ``rejected``: success or harm at any look. ``n``: people who had entered when the trial stopped; without a
    recruitment plan nobody enters beyond those who are analyzed. ``shift``: the estimate at the stop minus that of
    the same trial carried to its end. ``estimate``, ``shift`` and ``bias`` are on the log scale for ratios.
    ``adjusted_bias``, ``adjusted_coverage``: of the median-unbiased estimate and the stage-wise interval, which is what
    may be reported after a stop; ``None`` with one look, or without a true value.
    """

    boundary: str
    rejected: Measure
    n_failed: int
    n: Measure
    duration_day: Measure | None
    estimate: Measure
    shift: Measure
    bias: Measure | None
    coverage: Measure | None
    looks: tuple[Look, ...]
    adjusted_bias: Measure | None = None
    adjusted_coverage: Measure | None = None


def look_at(
    plan: TrialPlan,
    analysis: str,
    rule: StopRule,
    chunk: Chunk,
    batch: TrialBatch,
    *,
    truth: float | None = None,
) -> LookTally:
    """A chunk of trials, looked at as the rule says.

    ``plan``, ``chunk``, ``batch``: the trials. ``truth``: true value of the analysis on the scale people read.
    """
    chosen = plan.protocol.analysis(analysis)
    columns = look_columns(plan, analysis, rule, chunk, batch)
    return tally_looks(rule, chosen, plan.protocol.endpoint(chosen.endpoint), columns, truth=truth)


def look_columns(
    plan: TrialPlan, analysis: str, rule: StopRule, chunk: Chunk, batch: TrialBatch
) -> Float[np.ndarray, "look 7 replicate"]:
    """What each look finds in each trial: estimate, interval, p value; people who had entered, day, people analyzed."""
    protocol = one_analysis(plan.protocol, analysis)
    chosen = protocol.analyses[0]
    endpoint = protocol.endpoint(chosen.endpoint)
    n_subjects, n_days = protocol.population.n_subjects, protocol.follow_up_days
    shape = (chunk.count, n_subjects)
    entry = None
    if protocol.recruitment is not None:
        entry = simulate_recruitment(
            protocol, n_replicates=chunk.count, seed=plan.seed, first_replicate=chunk.first
        ).entry_day
    whole = complete_day(protocol, endpoint)
    looks = []
    for fraction in rule.fractions:
        n_complete = int(np.ceil(fraction * n_subjects - 1e-9))
        if fraction == 1.0:
            elapsed = np.full(shape, n_days)
            day = np.full(chunk.count, np.nan) if entry is None else entry[:, -1] + n_days
        elif entry is None:
            elapsed = np.where(np.arange(n_subjects) < n_complete, n_days, -1) * np.ones((chunk.count, 1), dtype=int)
            day = np.full(chunk.count, np.nan)
        else:
            day = entry[:, n_complete - 1] + whole
            # The person whose window has just ended must count, whatever the last digit of the subtraction.
            elapsed = np.floor(day[:, None] - entry + 1e-9).astype(np.int64)
        cut = batch if fraction == 1.0 else cut_batch(protocol, endpoint, batch, elapsed.ravel().astype(np.int64))
        found = analyze_batch(protocol, chunk, cut, parameters=plan.parameters).estimates[analysis]
        people = (elapsed >= 0).sum(axis=1).astype(np.float64)
        analyzed = (cut.arm.reshape(shape) >= 0).sum(axis=1).astype(np.float64)
        looks.append(np.stack([found.estimate, found.low, found.high, found.p_value, people, day, analyzed]))
    return np.stack(looks)


def tally_looks(
    rule: StopRule,
    analysis: Analysis,
    endpoint: Endpoint,
    columns: Float[np.ndarray, "look 7 replicate"],
    *,
    truth: float | None = None,
    complete: Float[np.ndarray, "4 replicate"] | None = None,
) -> LookTally:
    """Trials stopped as the rule says, added up.

    ``columns``: of :func:`look_columns`. ``truth``: true value of the analysis on the scale people read. ``complete``:
    estimates with nobody unseen, where no true value is known.
    """
    method = analysis.method
    found, (people, days, analyzed) = columns[:, :4], (columns[:, place] for place in (4, 5, 6))
    estimate, low, high = (to_scale(found[:, place], method) for place in (0, 1, 2))
    statistic = [_statistic(one, analysis, endpoint) for one in found]
    running: Bool[np.ndarray, " replicate"] = np.ones(found.shape[-1], dtype=np.bool_)
    stopped_at = np.full(running.size, len(found) - 1)
    rejected = np.zeros_like(running)
    tally = LookTally(at=[LookSums() for _ in found])
    with np.errstate(invalid="ignore", divide="ignore"):
        information = ((high[-1] - low[-1]) / (high - low)) ** 2
    for look, z in enumerate(statistic):
        success, harm = running & (z >= rule.z[look]), running & (z <= -rule.z[look])
        floor = rule.futility_z[look]
        futile = running & ~success & ~harm & (z < (-np.inf if floor is None else floor))
        stops = success | harm | futile
        stopped_at[stops] = look
        rejected |= success | harm
        running = running & ~stops
        at = tally.at[look]
        at.success.add(success)
        at.harm.add(harm)
        at.futility.add(futile)
        at.analyzed.add(analyzed[look])
        at.enrolled.add(people[look])
        at.day.add(days[look])
        at.information.add(information[look])
    row = np.arange(stopped_at.size)
    final = estimate[stopped_at, row]
    tally.rejected.add(rejected)
    tally.failed.add(~np.isfinite(final))
    tally.n.add(people[stopped_at, row])
    tally.day.add(days[stopped_at, row])
    tally.estimate.add(final)
    tally.shift.add(final - estimate[-1])
    good = np.isfinite(final)
    tally.bounds.append(np.stack([low[stopped_at, row][good], high[stopped_at, row][good]]))
    if len(found) > 1:
        score, error = np.stack(statistic)[stopped_at, row], (high - low)[stopped_at, row] / (2.0 * Z95)
        tally.stops.append(np.stack([stopped_at, score, final, error])[:, good & np.isfinite(score)])
    if truth is not None:
        tally.away.add(final - float(to_scale(np.array([truth]), method)[0]))
    elif complete is not None:
        tally.away.add(final - to_scale(complete[0], method))
    return tally


def summarize_looks(rule: StopRule, tally: LookTally, *, truth: float | None) -> Sequential:
    """The characteristics in a tally.

    ``truth``: true value on the scale of the analysis, that of the logarithm for ratios; ``None``: none is known.
    """
    is_dated = tally.day.n > 0
    away, covered = (None, None) if truth is None or not tally.stops else _adjusted(rule, tally, truth)
    return Sequential(
        boundary=rule.boundary,
        rejected=tally.rejected.measure,
        n_failed=tally.failed.hits,
        n=tally.n.measure,
        duration_day=tally.day.measure if is_dated else None,
        estimate=tally.estimate.measure,
        shift=tally.shift.measure,
        bias=None if truth is None else tally.away.measure,
        coverage=None if truth is None else _coverage(tally, truth),
        adjusted_bias=away,
        adjusted_coverage=covered,
        looks=tuple(
            Look(
                fraction=fraction,
                z=z,
                futility_z=floor,
                success=at.success.measure,
                harm=at.harm.measure,
                futility=at.futility.measure,
                n_analysed=at.analyzed.measure,
                n_enrolled=at.enrolled.measure,
                information=at.information.measure,
                day=at.day.measure if is_dated else None,
            )
            for fraction, z, floor, at in zip(rule.fractions, rule.z, rule.futility_z, tally.at, strict=True)
        ),
    )


def _coverage(tally: LookTally, truth: float) -> Measure:
    covered = Count()
    for low, high in tally.bounds:
        covered.add((low <= truth) & (truth <= high))
    return covered.measure


def _adjusted(rule: StopRule, tally: LookTally, truth: float) -> tuple[Measure, Measure]:
    """Bias of the median-unbiased estimate and coverage of the stage-wise interval, of the trials as they stopped."""
    look, score, plain, error = np.concatenate(tally.stops, axis=1)
    side = np.where(score * plain < 0.0, -1.0, 1.0)
    ends = np.empty((3, look.size))
    for k in range(len(rule.z)):
        mine = look == k
        grid, table = _stage_wise(rule, k)
        for one in range(3):
            ends[one, mine] = np.interp(score[mine], grid, table[one])
    # What the ordering takes from the plain estimate, in its standard errors.
    middle, low, high = plain + side * (ends - score) * error
    away, covered = Mean(), Count()
    away.add(middle - truth)
    covered.add((np.minimum(low, high) <= truth) & (truth <= np.maximum(low, high)))
    return away.measure, covered.measure


@lru_cache(maxsize=64)
def _stage_wise(rule: StopRule, look: int) -> tuple[np.ndarray, np.ndarray]:
    """Statistics at which a trial may stop at a look, and what they become: estimate and ends, in standard errors."""
    if look == 0:
        grid = np.array([-40.0, 40.0])
        return grid, np.stack([grid, grid - Z95, grid + Z95])
    bounds = Boundaries(
        information=rule.fractions, z=rule.z, floors=(-np.inf,) * len(rule.z), level=_HALF_OF_95, drift=None
    )
    root = float(np.sqrt(rule.fractions[look]))
    grid = np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 1.6, 2.0, 2.4, 2.8, 3.4, 4.2, 6.0])
    found = [after_stop(bounds, look, z / root) for z in grid.tolist()]
    return grid, root * np.array([[getattr(one, name) for one in found] for name in ("estimate", "low", "high")])


_HALF_OF_95 = 0.025
"""One-sided error of a 95% interval, as that of all analyses."""


def _statistic(
    found: Float[np.ndarray, "4 replicate"], analysis: Analysis, endpoint: Endpoint
) -> Float[np.ndarray, " replicate"]:
    """Normal score of the p value, positive where the treatment does better; NaN without an estimate."""
    size = to_scale(found[0], analysis.method)
    # A lower hazard of an event is better where a longer time is; "percent lower" counts downward.
    better = 1.0 if endpoint.higher_is_better != analysis.facts.is_turned else -1.0
    return np.asarray(-better * np.sign(size) * ndtri(found[3] / 2.0))
