"""Operating characteristics of a design: how often it succeeds and how well it estimates, by simulation.

Bias and coverage stand beside every power. Where no true value is given they are against the same trials with nobody
unseen (:mod:`remission.trial.complete`), which costs no further day of simulation. Seeing less can add no honest power:
a design whose estimate is moved toward a larger effect is named as one whose power comes partly from bias.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from remission.analyses.estimate import Z95, Estimates
from remission.analyses.multiplicity import adjusted_p_values
from remission.design.looks import LookTally, Sequential, look_at, summarize_looks
from remission.design.measures import is_ratio, scale_of, to_scale
from remission.design.stops import StopRule
from remission.design.variants import choose_analysis, one_analysis
from remission.errors import SpecError
from remission.numerics.tallies import Count, Mean, Measure
from remission.patient.backgrounds import course_parameters_of
from remission.patient.drawn import Drawing
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.records.analysis import Analysis
from remission.records.analysis_methods import Method
from remission.records.endpoint_kinds import KINDS
from remission.records.estimand import EventKind, Strategy
from remission.runs.crew import Crew
from remission.trial.analyze import sides_of
from remission.trial.batch import TrialBatch
from remission.trial.chunk import Chunk, ChunkResult, analyze_batch
from remission.trial.complete import complete_batch, complete_protocol, own_strategies
from remission.trial.resampled import ChainPeople, DiaryPeople
from remission.trial.simulate import TrialPlan, plan_trial

_FEWEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """How one analysis of one design behaves.

    ``rejected`` is the share of trials with a p value below alpha, failed analyses counted as not below: power, or
    type I error where there is no effect. ``after_procedure`` is the same by the protocol's procedure of multiplicity,
    at the end of the trial; ``None`` for an analysis that it does not adjust. ``estimate``, ``estimate_sd`` and
    ``width`` are on the log scale for ratios; ``estimate_sd`` is what the estimate of one trial varies by, which
    more simulated trials do not make smaller. ``sequential`` is the same design with its looks; everything else is of
    the trial carried to its end.

    ``truth`` (on the scale people read), ``bias`` and ``coverage`` are against the treatment-policy value: that given
    by the caller, or what the same trials give with nobody unseen. ``own_truth`` and ``own_bias`` are against what the
    endpoint's own rule or the protocol's estimand asks, where that is something else. ``None``: missing itself is the
    outcome, so that nothing can be compared.

    ``rejected_complete`` is the share that rejects with nobody unseen. ``power_without_bias`` is about what would
    reject if the estimate lay lower by its bias; ``is_flattered`` says that the bias is toward a larger effect, more
    than its error, that it adds two points or more, and that the power is not below that with nobody unseen.
    ``standardized_effect`` is the difference of the means in standard deviations of people, for endpoints that are
    means, counts or shares.
    """

    analysis: str
    label: str
    scale: str
    n_subjects: int
    n_replicates: int
    n_failed: int
    rejected: Measure
    estimate: Measure
    estimate_sd: float
    width: Measure
    truth: float | None
    bias: Measure | None
    coverage: Measure | None
    own_truth: float | None = None
    own_bias: Measure | None = None
    rejected_complete: Measure | None = None
    power_without_bias: float | None = None
    is_flattered: bool = False
    standardized_effect: float | None = None
    sequential: Sequential | None = None
    after_procedure: Measure | None = None

    def detectable(self, power: float, alpha: float) -> float:
        """The effect, either way, that a test at the end rejects with this power, if estimates spread as they did.

        Normal, two-sided, on the scale of ``estimate``.
        """
        return float(-ndtri(alpha / 2.0) * self.width.value / (2.0 * Z95) + ndtri(power) * self.estimate_sd)


@dataclass(slots=True, kw_only=True)
class AnalysisSums:
    """Running sums of one analysis; ``bounds`` keep the interval of each trial, for coverage of a value found last."""

    rejected: Count = field(default_factory=Count)
    failed: Count = field(default_factory=Count)
    estimate: Mean = field(default_factory=Mean)
    width: Mean = field(default_factory=Mean)
    away: Mean = field(default_factory=Mean)
    covered: Count = field(default_factory=Count)
    after_procedure: Count = field(default_factory=Count)
    effect: Mean = field(default_factory=Mean)
    spread: Mean = field(default_factory=Mean)
    complete: Mean = field(default_factory=Mean)
    complete_rejected: Count = field(default_factory=Count)
    missed: Mean = field(default_factory=Mean)
    own: Mean = field(default_factory=Mean)
    own_missed: Mean = field(default_factory=Mean)
    bounds: list[Float[np.ndarray, "2 replicate"]] = field(default_factory=list)

    def merge(self, other: "AnalysisSums") -> None:
        """Take in further trials."""
        for name in AnalysisSums.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, list):
                mine += theirs
            else:
                mine.merge(theirs)


@dataclass(slots=True, kw_only=True)
class DesignRun:
    """What simulated trials of a design add up to.

    ``kept`` are the estimates of the analysis that decides, on the scale people read, when they were asked for.
    ``truth_errors`` are the Monte Carlo errors of ``truths``, on the scale of the analysis.
    """

    analyses: dict[str, AnalysisSums]
    truths: dict[str, float]
    truth_errors: dict[str, float]
    rule: StopRule | None
    looks: LookTally | None
    kept: list[Float[np.ndarray, " replicate"]]

    def merge(self, other: "DesignRun") -> None:
        """Take in further trials."""
        for name, sums in self.analyses.items():
            sums.merge(other.analyses[name])
        if self.looks is not None and other.looks is not None:
            self.looks.merge(other.looks)
        self.kept += other.kept

    def decided(self, analysis: str) -> Count:
        """Trials in which the analysis rejected: at any look, or at the end when there is one only."""
        return self.analyses[analysis].rejected if self.looks is None else self.looks.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    plan: TrialPlan
    analysis: str
    alpha: float
    truths: dict[str, float]
    truth_errors: dict[str, float]
    rule: StopRule | None
    keep: bool
    is_null: bool
    whole: Protocol | None
    own: dict[EventKind, Strategy]


def simulate_design(
    protocol: Protocol,
    *,
    max_replicates: int,
    mcse: float,
    seed: int,
    alpha: float = 0.05,
    analysis: str | None = None,
    parameters: CourseParameters | None = None,
    drawing: Drawing | None = None,
    truths: dict[str, float] | None = None,
    truth_errors: dict[str, float] | None = None,
    rule: StopRule | None = None,
    keep: bool = False,
    is_null: bool = False,
    against: float | None = None,
    source: DiaryPeople | ChainPeople | None = None,
    crew: Crew | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_share: Callable[[Count], None] | None = None,
) -> DesignRun:
    """Trials simulated until the error of the rejection share is small enough, or the most are done.

    Memory grows by a few numbers a trial, and no number depends on the crew.

    ``max_replicates``: most trials to simulate. ``mcse``: stop when the Monte Carlo standard error is at most this;
    never before a hundred trials. ``analysis``: the analysis whose error counts; ``None``: the protocol's first.
    ``parameters``: values to use instead of the library's; every trial has the same, unless each draws its own by
    ``drawing``, of which only the share of rejections has a meaning. ``truths``: true value by analysis, on the scale
    people read (a ratio as a ratio); an analysis without one is compared with the same trials with nobody unseen.
    ``truth_errors``: their Monte Carlo errors, on the scale of the analysis (of the logarithm for a ratio); none:
    exact. ``is_null``: whether only the share of rejections is asked for, as where there is no effect. ``against``:
    stop, too, when the share is told apart from this one, by three Monte Carlo errors. ``source``: people on whose days
    an effect is stated; nobody sees them in full. ``rule``: looks at the analysis that decides; ``None``: only the one
    at the end. ``keep``: whether the estimates of the analysis that decides are kept. ``crew``: who does the work;
    ``None``: this process. ``on_progress``: called with (trials done, most trials). ``on_share``: called with the
    trials that rejected so far. Raises ``SpecError``: a number is out of range, or the protocol has no such analysis;
    ``WorkError``: a worker died.
    """
    check_share("mcse", mcse)
    check_share("alpha", alpha)
    wanted = choose_analysis(protocol, analysis)
    plan = plan_trial(
        protocol, n_replicates=max_replicates, seed=seed, parameters=parameters or course_parameters_of(protocol),
        drawing=drawing, source=source,
    )  # fmt: skip
    task = _Task(
        plan=plan,
        analysis=wanted,
        alpha=alpha,
        truths=truths or {},
        truth_errors=truth_errors or {},
        rule=rule,
        keep=keep,
        is_null=is_null,
        whole=None if is_null or source is not None else complete_protocol(protocol),
        own={} if is_null or source is not None else own_strategies(protocol, wanted),
    )
    pieces = (crew or Crew()).in_order(partial(_do, task), plan.chunks)
    return _until(pieces, wanted, mcse, max_replicates, against, on_progress, on_share)


def _until(
    pieces: Iterable[DesignRun],
    analysis: str,
    mcse: float,
    most: int,
    against: float | None,
    on_progress: Callable[[int, int], None] | None,
    on_share: Callable[[Count], None] | None,
) -> DesignRun:
    total: DesignRun | None = None
    for piece in pieces:
        if total is None:
            total = piece
        else:
            total.merge(piece)
        decided = total.decided(analysis)
        if on_progress is not None:
            on_progress(decided.n, most)
        if on_share is not None:
            on_share(decided)
        share = decided.measure
        is_apart = against is not None and abs(share.value - against) > 3.0 * share.mcse
        if decided.n >= _FEWEST and (share.mcse <= mcse or is_apart):
            break
    assert total is not None, "a plan has at least one chunk"
    return total


def _do(task: _Task, chunk: Chunk) -> DesignRun:
    """One chunk, simulated, analyzed, looked at, added up."""
    batch = task.plan.simulate(chunk)
    result = task.plan.analyze(chunk, batch)
    estimates = result.estimates
    protocol = task.plan.protocol
    adjusted = adjusted_p_values(protocol, estimates)
    complete, own = _seen_in_full(task, chunk, batch)
    looks = None
    if task.rule is not None:
        truth = task.truths.get(task.analysis)
        whole = complete.get(task.analysis)
        looks = look_at(
            task.plan, task.analysis, task.rule, chunk, batch, truth=truth, complete=whole if truth is None else None
        )
    sums = {}
    for one in protocol.analyses:
        found, truth = estimates[one.id], task.truths.get(one.id)
        sums[one.id] = _summed(found, one.method, task.alpha, truth, adjusted.get(one.id))
        if one.id in complete:
            _compare(sums[one.id], found, complete[one.id], one.method, task.alpha, keep=truth is None)
        if one.id == task.analysis and own is not None:
            scaled = to_scale(own.estimate, one.method)
            sums[one.id].own.add(scaled)
            sums[one.id].own_missed.add(to_scale(found.estimate, one.method) - scaled)
        _add_effect(sums[one.id], protocol, one, result)
    return DesignRun(
        analyses=sums,
        truths=task.truths,
        truth_errors=task.truth_errors,
        rule=task.rule,
        looks=looks,
        kept=[estimates[task.analysis].estimate] if task.keep else [],
    )


def _seen_in_full(task: _Task, chunk: Chunk, batch: TrialBatch) -> tuple[dict[str, Estimates], Estimates | None]:
    """The analyses with nobody unseen, and the one that decides under what its own rule asks, where that differs."""
    if task.whole is None:
        return {}, None
    protocol, parameters = task.plan.protocol, task.plan.parameters
    seen = complete_batch(protocol, batch, parameters)
    found = analyze_batch(task.whole, chunk, seen, parameters=parameters).estimates
    complete = {
        one.id: found[one.id]
        for one in protocol.analyses
        if not KINDS[protocol.endpoint(one.endpoint).kind].missing_is_outcome
    }
    if not task.own:
        return complete, None
    without = [event for event, strategy in task.own.items() if strategy == "hypothetical"]
    people = task.plan.simulate(chunk, without=without) if without else batch
    asked = complete_batch(protocol, people, parameters, task.own)
    alone = one_analysis(task.whole, task.analysis)
    return complete, analyze_batch(alone, chunk, asked, parameters=parameters).estimates[task.analysis]


def _summed(
    found: Estimates,
    method: Method,
    alpha: float,
    truth: float | None,
    adjusted: Float[np.ndarray, " replicate"] | None,
) -> AnalysisSums:
    estimate, low, high = (to_scale(one, method) for one in (found.estimate, found.low, found.high))
    good = np.isfinite(estimate)
    sums = AnalysisSums()
    # NaN of a failed analysis compares as not below.
    sums.rejected.add(found.p_value < alpha)
    if adjusted is not None:
        sums.after_procedure.add(adjusted < alpha)
    sums.failed.add(~good)
    sums.estimate.add(estimate)
    sums.width.add((high - low)[good])
    if truth is not None:
        aim = float(to_scale(np.array([truth]), method)[0])
        sums.away.add(estimate - aim)
        sums.covered.add(((low <= aim) & (aim <= high))[good])
    return sums


def _compare(
    sums: AnalysisSums, found: Estimates, complete: Estimates, method: Method, alpha: float, *, keep: bool
) -> None:
    """Take in what the same trials give with nobody unseen."""
    estimate, whole = to_scale(found.estimate, method), to_scale(complete.estimate, method)
    sums.complete.add(whole)
    sums.complete_rejected.add(complete.p_value < alpha)
    sums.missed.add(estimate - whole)
    if keep:
        good = np.isfinite(estimate)
        sums.bounds.append(np.stack([to_scale(found.low, method)[good], to_scale(found.high, method)[good]]))


def _add_effect(sums: AnalysisSums, protocol: Protocol, analysis: Analysis, result: ChunkResult) -> None:
    """The difference of means of the two sides, and the variance of people within arms."""
    endpoint = protocol.endpoint(analysis.endpoint)
    if endpoint.scale not in {"percent", "mean", "count"}:
        return
    values = result.arms[endpoint.id]
    sides = sides_of(protocol, analysis.contrast)
    means = [
        np.average(values.mean[:, side], axis=1, weights=[protocol.arms[index].allocation for index in side])
        for side in sides
    ]
    sums.effect.add(means[0] - means[1])
    sums.spread.add((values.sd[:, sides[0] + sides[1]] ** 2).mean(axis=1))


def characterize(protocol: Protocol, run: DesignRun, *, analysis: str | None = None) -> tuple[Characteristics, ...]:
    """Operating characteristics of every analysis of a protocol.

    ``run``: of ``simulate_design``. ``analysis``: the analysis that the looks are of; ``None``: the first.
    """
    looked = choose_analysis(protocol, analysis)
    rows = []
    for one in protocol.analyses:
        sums = run.analyses[one.id]
        judged = _judge(sums, run.truths.get(one.id), run.truth_errors.get(one.id, 0.0), one.method)
        sequential = None
        if one.id == looked and run.rule is not None and run.looks is not None:
            sequential = summarize_looks(run.rule, run.looks, truth=judged.aim)
        rejected = sums.rejected.measure
        without = _power_without(rejected, judged.pull, float(np.sqrt(sums.estimate.variance)), sums.estimate.center)
        whole = sums.complete_rejected.measure
        # Seeing less can only cost an honest power: one that is not below that of full sight was not earned.
        adds = without is not None and rejected.value - without >= _NOTABLE and rejected.value >= whole.value
        spread = float(np.sqrt(sums.spread.center)) if sums.spread.n else 0.0
        rows.append(
            Characteristics(
                analysis=one.id,
                label=one.label,
                scale=scale_of(one.method),
                n_subjects=protocol.population.n_subjects,
                n_replicates=sums.rejected.n,
                n_failed=sums.failed.hits,
                rejected=rejected,
                estimate=sums.estimate.measure,
                estimate_sd=float(np.sqrt(sums.estimate.variance)),
                width=sums.width.measure,
                truth=None if judged.aim is None else _read(judged.aim, one.method),
                bias=judged.bias,
                coverage=judged.coverage,
                own_truth=_read(sums.own.center, one.method) if sums.own.n else None,
                own_bias=sums.own_missed.measure if sums.own_missed.n else None,
                rejected_complete=sums.complete_rejected.measure if sums.complete_rejected.n else None,
                power_without_bias=without,
                is_flattered=judged.is_sure and adds,
                standardized_effect=abs(sums.effect.center) / spread if spread > 0.0 else None,
                sequential=sequential,
                after_procedure=sums.after_procedure.measure if sums.after_procedure.n else None,
            )
        )
    return tuple(rows)


_NOTABLE = 0.02
"""Power that a bias must add before a design is said to owe power to it: two points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """An estimate against its true value ``aim``; ``pull`` is the bias that is known best, above zero: upward."""

    aim: float | None = None
    bias: Measure | None = None
    coverage: Measure | None = None
    pull: float = 0.0
    is_sure: bool = False


def _judge(sums: AnalysisSums, truth: float | None, truth_error: float, method: Method) -> _Judged:
    missed = sums.missed.measure if sums.missed.n else None
    if truth is not None:
        away = sums.away.measure
        bias = Measure(value=away.value, mcse=float(np.hypot(away.mcse, truth_error)))
        pull = missed or bias
        return _Judged(
            aim=float(to_scale(np.array([truth]), method)[0]),
            bias=bias,
            coverage=sums.covered.measure,
            pull=pull.value,
            is_sure=missed is not None and abs(pull.value) > 2.0 * pull.mcse,
        )
    if missed is None:
        return _Judged()
    aim, covered = sums.complete.center, Count()
    for low, high in sums.bounds:
        covered.add((low <= aim) & (aim <= high))
    return _Judged(
        aim=aim, bias=missed, coverage=covered.measure, pull=missed.value,
        is_sure=abs(missed.value) > 2.0 * missed.mcse,
    )  # fmt: skip


def _power_without(rejected: Measure, pull: float, spread: float, center: float) -> float | None:
    """About the power if the estimate lay nearer to no effect by its bias; ``None`` where it is not moved outward."""
    outward = pull * np.sign(center)
    if not np.isfinite(outward) or outward <= 0.0 or not spread > 0.0:
        return None
    return float(ndtr(ndtri(rejected.value) - outward / spread))


def _read(value: float, method: Method) -> float:
    """A value of the scale of an analysis as people read it."""
    return float(np.exp(value)) if is_ratio(method) else value


def check_share(where: str, value: float) -> None:
    """Refuse a number that is not between 0 and 1.

    Raises ``SpecError``: it is not.
    """
    if not 0.0 < value < 1.0:
        raise SpecError(where=where, got=value, allowed="a number between 0 and 1, both excluded")
