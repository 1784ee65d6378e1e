"""Operating characteristics of a design: how often it succeeds and how well it estimates, by simulation.

Bias and coverage stand beside every power. Where no true value is given they are against the same trials with nobody
unseen (:mod:`remission.trial.complete`), which costs no further day of simulation. Seeing less can add no honest power:
a design whose estimate is moved toward a larger effect is named as one whose power comes partly from bias.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from remission.analyses.estimate import Z95, Estimates
from remission.analyses.multiplicity import adjusted_p_values
from remission.design.looks import LookTally, Sequential, look_columns, summarize_looks, tally_looks
from remission.design.measures import is_ratio, scale_of, to_scale
from remission.design.stops import StopRule
from remission.design.variants import choose_analysis, one_analysis
from remission.errors import SpecError
from remission.numerics.special_functions import ndtr, ndtri
from remission.numerics.tallies import Count, Mean, Measure
from remission.patient.backgrounds import course_parameters_of
from remission.patient.drawn import Drawing
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.records.analysis import Analysis
from remission.records.analysis_methods import Method
from remission.records.endpoint_kinds import KINDS
from remission.runs.crew import Crew
from remission.shapes import Float
from remission.trial.analyze import reads_days, sides_of
from remission.trial.batch import TrialBatch
from remission.trial.chunk import Chunk, Outcomes, estimates_of_batch, outcomes_of, plan_chunks, values_by_arm
from remission.trial.complete import complete_batch, complete_protocol, own_strategies
from remission.trial.part import first_people, first_places, without_days
from remission.trial.resampled import ChainPeople, DiaryPeople
from remission.trial.result import ArmValues
from remission.trial.simulate import TrialPlan, plan_trial

_FEWEST = 100
_PEOPLE_A_PIECE = 4096
"""People in a piece of work; twice as many where sizes share them, for each size is analyzed at once."""


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
class Columns:
    """Trials of one size, analyzed and not yet added up: numbers by name, the last axis a trial each."""

    of: dict[str, np.ndarray]

    @property
    def n(self) -> int:
        """How many trials."""
        return next(iter(self.of.values())).shape[-1]

    def part(self, first: int, end: int) -> "Columns":
        """Trials ``first`` to ``end - 1``."""
        return Columns(of={name: column[..., first:end] for name, column in self.of.items()})

    def then(self, other: "Columns") -> "Columns":
        """With further trials behind them."""
        return Columns(of={name: np.concatenate([column, other.of[name]], axis=-1) for name, column in self.of.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class SizesDone:
    """A piece of work: the trials of a chunk at each size that was open when it was given."""

    sizes: dict[int, Columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """``plans``: the trials of each size. ``wholes``: the protocol of each where nobody is unseen, if that is asked."""

    plans: tuple[TrialPlan, ...]
    wholes: tuple[Protocol, ...] | None
    analysis: str
    rule: StopRule | None

    def size(self, place: int) -> int:
        """People of a trial, by its place."""
        return self.plans[place].protocol.population.n_subjects

    def largest(self, places: Iterable[int]) -> int:
        """The place of the largest of some sizes."""
        return max(places, key=self.size)


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
    enough: Callable[[Measure], bool] | None = None,
    source: DiaryPeople | ChainPeople | None = None,
    crew: Crew | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_share: Callable[[int, Count], None] | None = None,
) -> DesignRun:
    """Trials simulated until the error of the rejection share is small enough, or the most are done.

    Memory grows by a few numbers a trial, and no number depends on the crew.

    ``max_replicates``: most trials to simulate. ``mcse``: stop when the Monte Carlo standard error is at most this;
    never before a hundred trials. ``analysis``: the analysis whose error counts; ``None``: the protocol's first.
    ``parameters``: values to use instead of the library's; every trial has the same, unless each draws its own by
    ``drawing``, of which only the share of rejections has a meaning. ``truths``: true value by analysis, on the scale
    people read (a ratio as a ratio); an analysis without one is compared with the same trials with nobody unseen.
    ``truth_errors``: their Monte Carlo errors, on the scale of the analysis (of the logarithm for a ratio); none:
    exact. ``is_null``: whether only the share of rejections is asked for, as where there is no effect. ``enough``:
    stop, too, when this says so of the share. ``source``: people on whose days
    an effect is stated; nobody sees them in full. ``rule``: looks at the analysis that decides; ``None``: only the one
    at the end. ``keep``: whether the estimates of the analysis that decides are kept. ``crew``: who does the work;
    ``None``: this process. ``on_progress``: called with (trials done, most trials). ``on_share``: called with the
    people of the trial and the trials that rejected so far. Raises ``SpecError``: a number is out of range, or the
    protocol has no such analysis; ``WorkError``: a worker died.
    """
    return simulate_sizes(
        [protocol], max_replicates=max_replicates, mcse=mcse, seed=seed, alpha=alpha, analysis=analysis,
        parameters=parameters, drawing=drawing, truths=truths, truth_errors=truth_errors, rule=rule, keep=keep,
        is_null=is_null, enough=enough, source=source, crew=crew, on_progress=on_progress, on_share=on_share,
    )[0]  # fmt: skip


def simulate_sizes(
    designs: Sequence[Protocol],
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
    enough: Callable[[Measure], bool] | None = None,
    source: DiaryPeople | ChainPeople | None = None,
    crew: Crew | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_share: Callable[[int, Count], None] | None = None,
    on_settled: Callable[[int, DesignRun], None] | None = None,
) -> tuple[DesignRun, ...]:
    """The same trial at several sizes; each number is, bit for bit, that of the size simulated alone.

    A smaller trial is the first people of a larger one (:mod:`remission.trial.part`), so the largest size that still
    needs trials is simulated and the others are analyzed from it. People of a ``source`` share nothing: what is usual
    among them is counted over all that are drawn at once, so each size has its own.

    ``designs``: one protocol with different numbers of people, each once. All else as in :func:`simulate_design`.
    ``on_settled``: called with the place of a design and its trials as soon as it needs no more.
    """
    check_share("mcse", mcse)
    check_share("alpha", alpha)
    wanted = choose_analysis(designs[0], analysis)
    if source is not None and len(designs) > 1:
        found = []
        for place, design in enumerate(designs):
            found.append(simulate_design(
                design, max_replicates=max_replicates, mcse=mcse, seed=seed, alpha=alpha, analysis=analysis,
                parameters=parameters, drawing=drawing, truths=truths, truth_errors=truth_errors, rule=rule, keep=keep,
                is_null=is_null, enough=enough, source=source, crew=crew, on_share=on_share,
            ))  # fmt: skip
            if on_progress is not None:
                on_progress(place + 1, len(designs))
            if on_settled is not None:
                on_settled(place, found[-1])
        return tuple(found)
    task = _Task(
        plans=tuple(
            plan_trial(
                design,
                n_replicates=max_replicates,
                seed=seed,
                drawing=drawing,
                source=source,
                parameters=parameters or course_parameters_of(design),
            )
            for design in designs
        ),
        wholes=None if is_null or source is not None else tuple(complete_protocol(design) for design in designs),
        analysis=wanted,
        rule=rule,
    )
    sums = [
        _Sums(design, wanted, alpha=alpha, most=max_replicates, mcse=mcse, enough=enough, truths=truths or {},
              truth_errors=truth_errors or {}, rule=rule, keep=keep)
        for design in designs
    ]  # fmt: skip
    chunks = plan_chunks(
        designs[task.largest(range(len(designs)))], max_replicates,
        n_people=_PEOPLE_A_PIECE if len(designs) == 1 else 2 * _PEOPLE_A_PIECE,
    )  # fmt: skip
    pieces = (crew or Crew()).in_order(partial(_do, task), _given(chunks, sums))
    for piece in pieces:
        for place, columns in piece.sizes.items():
            one = sums[place]
            if one.is_settled:
                continue
            is_last = one.take(columns)
            if on_share is not None and one.decided.n:
                on_share(designs[place].population.n_subjects, one.decided)
            if is_last and on_settled is not None:
                on_settled(place, one.total)
        if on_progress is not None:
            left = [one.decided.n for one in sums if not one.is_settled]
            on_progress(min(left, default=max(one.decided.n for one in sums)), max_replicates)
        if all(one.is_settled for one in sums):
            break
    return tuple(one.total for one in sums)


def _given(chunks: Sequence[Chunk], sums: Sequence["_Sums"]) -> Iterator[tuple[Chunk, tuple[int, ...]]]:
    """Pieces of work: chunks with the sizes that still need trials when the piece is asked for."""
    for chunk in chunks:
        still = tuple(place for place, one in enumerate(sums) if not one.is_settled)
        if not still:
            return
        yield chunk, still


class _Sums:
    """The trials of one size, added up in chunks of its own, so that no number depends on the pieces they came in."""

    def __init__(
        self, protocol: Protocol, analysis: str, *, alpha: float, most: int, mcse: float,
        enough: Callable[[Measure], bool] | None, truths: dict[str, float], truth_errors: dict[str, float],
        rule: StopRule | None, keep: bool,
    ) -> None:  # fmt: skip
        self._protocol, self._analysis, self._alpha, self._keep = protocol, analysis, alpha, keep
        self._truths, self._truth_errors, self._rule = truths, truth_errors, rule
        self._mcse, self._enough = mcse, enough
        self._chunks = iter(plan_chunks(protocol, most))
        self._next: Chunk | None = next(self._chunks)
        self._waiting: Columns | None = None
        self._total: DesignRun | None = None
        self.is_settled = False

    @property
    def total(self) -> DesignRun:
        """What was added up."""
        assert self._total is not None, "a plan has at least one chunk"
        return self._total

    @property
    def decided(self) -> Count:
        """Trials in which the analysis that decides rejected, as far as they are added up."""
        return Count() if self._total is None else self._total.decided(self._analysis)

    def take(self, columns: Columns) -> bool:
        """Add further trials, up to where no more are needed; whether they are."""
        waiting = columns if self._waiting is None else self._waiting.then(columns)
        while self._next is not None and not self.is_settled and waiting.n >= self._next.count:
            self._add(waiting.part(0, self._next.count))
            waiting = waiting.part(self._next.count, waiting.n)
            self._next = next(self._chunks, None)
            self.is_settled = self._is_enough() or self._next is None
        self._waiting = waiting
        return self.is_settled

    def _add(self, columns: Columns) -> None:
        run = _summed_run(
            self._protocol, columns, self._analysis, alpha=self._alpha, truths=self._truths,
            truth_errors=self._truth_errors, rule=self._rule, keep=self._keep,
        )  # fmt: skip
        if self._total is None:
            self._total = run
        else:
            self._total.merge(run)

    def _is_enough(self) -> bool:
        decided = self.decided
        if decided.n < _FEWEST:
            return False
        share = decided.measure
        return share.mcse <= self._mcse or (self._enough is not None and self._enough(share))


def _do(task: _Task, item: tuple[Chunk, tuple[int, ...]]) -> SizesDone:
    """One chunk, simulated at the largest size that needs it; the others are its first people."""
    chunk, places = item
    largest = task.largest(places)
    plan, n = task.plans[largest], task.size(largest)
    batch = plan.simulate(chunk)
    seen = _Seen.of(plan.protocol, chunk, batch, plan.parameters)
    whole, own = _seen_in_full(task, largest, chunk, batch)
    # Most analyses read one number a person, so that no days need to be copied.
    with_days = task.rule is not None or any(reads_days(one) for one in plan.protocol.analyses)
    found = {}
    for place in places:
        seen_there, *parts = (
            None if one is None else one.first(n, task.size(place), with_days=with_days) for one in (seen, whole, own)
        )
        assert seen_there is not None, "of everybody"
        found[place] = _columns(task, place, chunk, seen_there, *parts)
    return SizesDone(sizes=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A batch with its outcomes."""

    batch: TrialBatch
    outcomes: Outcomes

    @classmethod
    def of(cls, protocol: Protocol, chunk: Chunk, batch: TrialBatch, parameters: CourseParameters) -> "_Seen":
        return cls(batch=batch, outcomes=outcomes_of(protocol, chunk, batch, parameters=parameters))

    def first(self, n: int, n_subjects: int, *, with_days: bool) -> "_Seen":
        """The first people of each replicate, of ``n``."""
        if n_subjects == n:
            return self
        who = first_places(self.batch.n_replicates, n, n_subjects)
        batch = self.batch if with_days else without_days(self.batch)
        return _Seen(batch=first_people(batch, n_subjects), outcomes=self.outcomes.of(who))

    def estimates(self, protocol: Protocol, parameters: CourseParameters) -> dict[str, Estimates]:
        return estimates_of_batch(protocol, self.batch, self.outcomes, parameters=parameters)


def _seen_in_full(task: _Task, place: int, chunk: Chunk, batch: TrialBatch) -> tuple[_Seen | None, _Seen | None]:
    """The people with nobody unseen, and under what the rule of the analysis that decides asks, where that differs."""
    if task.wholes is None:
        return None, None
    plan, whole = task.plans[place], task.wholes[place]
    protocol, parameters = plan.protocol, plan.parameters
    complete = _Seen.of(whole, chunk, complete_batch(protocol, batch, parameters), parameters)
    strategies = own_strategies(protocol, task.analysis)
    if not strategies:
        return complete, None
    without = [event for event, strategy in strategies.items() if strategy == "hypothetical"]
    people = plan.simulate(chunk, without=without) if without else batch
    asked = complete_batch(protocol, people, parameters, strategies)
    return complete, _Seen.of(one_analysis(whole, task.analysis), chunk, asked, parameters)


def _columns(task: _Task, place: int, chunk: Chunk, seen: _Seen, whole: _Seen | None, own: _Seen | None) -> Columns:
    """Everything that is added up of the trials of one size."""
    plan = task.plans[place]
    protocol, parameters = plan.protocol, plan.parameters
    estimates = seen.estimates(protocol, parameters)
    found: dict[str, np.ndarray] = {}
    for name, numbers in estimates.items():
        found[f"found {name}"] = _numbers(numbers)
    for name, p_value in adjusted_p_values(protocol, estimates).items():
        found[f"adjusted {name}"] = p_value
    if whole is not None and task.wholes is not None:
        complete = whole.estimates(task.wholes[place], parameters)
        for one in protocol.analyses:
            if not KINDS[protocol.endpoint(one.endpoint).kind].missing_is_outcome:
                found[f"complete {one.id}"] = _numbers(complete[one.id])
        if own is not None:
            alone = one_analysis(task.wholes[place], task.analysis)
            found["own"] = own.estimates(alone, parameters)[task.analysis].estimate
    means = [one.id for one in protocol.endpoints if one.scale in {"percent", "mean", "count"}]
    arms = values_by_arm(protocol, seen.batch, seen.outcomes, means)
    for one in protocol.analyses:
        if one.endpoint in arms:
            found[f"effect {one.id}"] = _effect(protocol, one, arms[one.endpoint])
    if task.rule is not None:
        found["looks"] = look_columns(plan, task.analysis, task.rule, chunk, seen.batch)
    return Columns(of=found)


def _numbers(found: Estimates) -> Float[np.ndarray, "4 replicate"]:
    return np.stack([found.estimate, found.low, found.high, found.p_value])


def _summed_run(
    protocol: Protocol,
    columns: Columns,
    analysis: str,
    *,
    alpha: float,
    truths: dict[str, float],
    truth_errors: dict[str, float],
    rule: StopRule | None,
    keep: bool,
) -> DesignRun:
    """Trials added up."""
    sums, of = {}, columns.of
    for one in protocol.analyses:
        found, truth, complete = of[f"found {one.id}"], truths.get(one.id), of.get(f"complete {one.id}")
        sums[one.id] = _summed(found, one.method, alpha, truth, of.get(f"adjusted {one.id}"))
        if complete is not None:
            _compare(sums[one.id], found, complete, one.method, alpha, keep=truth is None)
        if one.id == analysis and "own" in of:
            scaled = to_scale(of["own"], one.method)
            sums[one.id].own.add(scaled)
            sums[one.id].own_missed.add(to_scale(found[0], one.method) - scaled)
        if f"effect {one.id}" in of:
            effect, spread = of[f"effect {one.id}"]
            sums[one.id].effect.add(effect)
            sums[one.id].spread.add(spread)
    looks = None
    if rule is not None:
        chosen, truth = protocol.analysis(analysis), truths.get(analysis)
        looks = tally_looks(
            rule, chosen, protocol.endpoint(chosen.endpoint), of["looks"], truth=truth,
            complete=of.get(f"complete {analysis}") if truth is None else None,
        )  # fmt: skip
    kept = [of[f"found {analysis}"][0].copy()] if keep else []
    return DesignRun(
        analyses=sums, truths=truths, truth_errors=truth_errors, rule=rule, looks=looks, kept=kept
    )  # fmt: skip


def _summed(
    found: Float[np.ndarray, "4 replicate"],
    method: Method,
    alpha: float,
    truth: float | None,
    adjusted: Float[np.ndarray, " replicate"] | None,
) -> AnalysisSums:
    estimate, low, high = (to_scale(one, method) for one in found[:3])
    good = np.isfinite(estimate)
    sums = AnalysisSums()
    # NaN of a failed analysis compares as not below.
    sums.rejected.add(found[3] < alpha)
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
    sums: AnalysisSums,
    found: Float[np.ndarray, "4 replicate"],
    complete: Float[np.ndarray, "4 replicate"],
    method: Method,
    alpha: float,
    *,
    keep: bool,
) -> None:
    """Take in what the same trials give with nobody unseen."""
    estimate, whole = to_scale(found[0], method), to_scale(complete[0], method)
    sums.complete.add(whole)
    sums.complete_rejected.add(complete[3] < alpha)
    sums.missed.add(estimate - whole)
    if keep:
        good = np.isfinite(estimate)
        sums.bounds.append(np.stack([to_scale(found[1], method)[good], to_scale(found[2], method)[good]]))


def _effect(protocol: Protocol, analysis: Analysis, values: ArmValues) -> Float[np.ndarray, "2 replicate"]:
    """The difference of means of the two sides, and the variance of people within arms."""
    sides = sides_of(protocol, analysis.contrast)
    means = [
        np.average(values.mean[:, side], axis=1, weights=[protocol.arms[index].allocation for index in side])
        for side in sides
    ]
    return np.stack([means[0] - means[1], (values.sd[:, sides[0] + sides[1]] ** 2).mean(axis=1)])


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
