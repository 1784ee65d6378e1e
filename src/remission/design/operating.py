"""Operating characteristics of a design: how often it succeeds and how well it estimates, by simulation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float

from remission.analyses.estimate import Estimates
from remission.analyses.multiplicity import adjusted_p_values
from remission.design.crew import Crew
from remission.design.looks import LookTally, Sequential, look_at, summarize_looks
from remission.design.measures import Count, Mean, Measure, scale_of, to_scale
from remission.design.stops import StopRule
from remission.design.variants import choose_analysis
from remission.errors import SpecError
from remission.patient.parameters import CourseParameters
from remission.records.protocol import Protocol
from remission.trial.chunk import Chunk
from remission.trial.simulate import TrialPlan, plan_trial

__all__ = ["Characteristics", "DesignRun", "characterize", "check_share", "simulate_design"]

_FEWEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """How one analysis of one design behaves.

    ``rejected`` is the share of trials with a p value below alpha, failed analyses counted as not below: power, or
    type I error where there is no effect. ``after_procedure`` is the same by the protocol's procedure of multiplicity,
    at the end of the trial; ``None`` for an analysis that it does not adjust. ``estimate`` and ``width`` are on the log
    scale for ratios. ``bias`` and ``coverage`` are against a truth given by the caller, on the same scale; ``None``
    without one. ``sequential`` is the same design with its looks; everything else is of the trial carried to its end.
    """

    analysis: str
    label: str
    scale: str
    n_subjects: int
    n_replicates: int
    n_failed: int
    rejected: Measure
    estimate: Measure
    width: Measure
    bias: Measure | None
    coverage: Measure | None
    sequential: Sequential | None = None
    after_procedure: Measure | None = None


@dataclass(slots=True, kw_only=True)
class _Sums:
    """Running sums of one analysis."""

    rejected: Count = field(default_factory=Count)
    failed: Count = field(default_factory=Count)
    estimate: Mean = field(default_factory=Mean)
    width: Mean = field(default_factory=Mean)
    away: Mean = field(default_factory=Mean)
    covered: Count = field(default_factory=Count)
    after_procedure: Count = field(default_factory=Count)

    def merge(self, other: "_Sums") -> None:
        for name in _Sums.__slots__:
            getattr(self, name).merge(getattr(other, name))


@dataclass(slots=True, kw_only=True)
class DesignRun:
    """What simulated trials of a design add up to.

    ``kept`` are the estimates of the analysis that decides, on the scale people read, when they were asked for.
    """

    analyses: dict[str, _Sums]
    truths: dict[str, float]
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
    rule: StopRule | None
    keep: bool


def simulate_design(
    protocol: Protocol,
    *,
    max_replicates: int,
    mcse: float,
    seed: int,
    alpha: float = 0.05,
    analysis: str | None = None,
    parameters: CourseParameters | None = None,
    truths: dict[str, float] | None = None,
    rule: StopRule | None = None,
    keep: bool = False,
    crew: Crew | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> DesignRun:
    """Trials simulated until the error of the rejection share is small enough, or the most are done.

    Memory does not grow with the number of trials, and no number depends on the crew.

    Parameters
    ----------
    max_replicates
        Most trials to simulate.
    mcse
        Stop when the Monte Carlo standard error is at most this; never before a hundred trials.
    analysis
        The analysis whose error counts; ``None``: the protocol's first.
    parameters
        Values to use instead of the library's.
    truths
        True value by analysis, on the scale people read (a ratio as a ratio).
    rule
        Looks at the analysis that decides; ``None``: only the one at the end.
    keep
        Whether the estimates of the analysis that decides are kept.
    crew
        Who does the work; ``None``: this process.
    on_progress
        Called with (trials done, most trials).

    Raises
    ------
    SpecError
        A number is out of range, or the protocol has no such analysis.
    WorkError
        A worker died.
    """
    check_share("mcse", mcse)
    check_share("alpha", alpha)
    wanted = choose_analysis(protocol, analysis)
    plan = plan_trial(protocol, n_replicates=max_replicates, seed=seed, parameters=parameters)
    task = _Task(plan=plan, analysis=wanted, alpha=alpha, truths=truths or {}, rule=rule, keep=keep)
    pieces = (crew or Crew()).in_order(partial(_do, task), plan.chunks)
    return _until(pieces, wanted, mcse, max_replicates, on_progress)


def _until(
    pieces: Iterable[DesignRun],
    analysis: str,
    mcse: float,
    most: int,
    on_progress: Callable[[int, int], None] | None,
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
        if decided.n >= _FEWEST and decided.measure.mcse <= mcse:
            break
    assert total is not None, "a plan has at least one chunk"
    return total


def _do(task: _Task, chunk: Chunk) -> DesignRun:
    """One chunk, simulated, analysed, looked at, added up."""
    batch = task.plan.simulate(chunk)
    estimates = task.plan.analyze(chunk, batch).estimates
    methods = {one.id: one.method for one in task.plan.protocol.analyses}
    adjusted = adjusted_p_values(task.plan.protocol, estimates)
    looks = None
    if task.rule is not None:
        truth = task.truths.get(task.analysis)
        looks = look_at(task.plan, task.analysis, task.rule, chunk, batch, truth=truth)
    return DesignRun(
        analyses={
            name: _summed(found, methods[name], task.alpha, task.truths.get(name), adjusted.get(name))
            for name, found in estimates.items()
        },
        truths=task.truths,
        rule=task.rule,
        looks=looks,
        kept=[estimates[task.analysis].estimate] if task.keep else [],
    )


def _summed(
    found: Estimates,
    method: str,
    alpha: float,
    truth: float | None,
    adjusted: Float[np.ndarray, " replicate"] | None,
) -> _Sums:
    estimate, low, high = (to_scale(one, method) for one in (found.estimate, found.low, found.high))
    good = np.isfinite(estimate)
    sums = _Sums()
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


def characterize(protocol: Protocol, run: DesignRun, *, analysis: str | None = None) -> tuple[Characteristics, ...]:
    """Operating characteristics of every analysis of a protocol.

    Parameters
    ----------
    run
        Of ``simulate_design``.
    analysis
        The analysis that the looks are of; ``None``: the first.
    """
    looked = choose_analysis(protocol, analysis)
    rows = []
    for one in protocol.analyses:
        sums, has_truth = run.analyses[one.id], one.id in run.truths
        sequential = None
        if one.id == looked and run.rule is not None and run.looks is not None:
            sequential = summarize_looks(run.rule, run.looks, has_truth=has_truth)
        rows.append(
            Characteristics(
                analysis=one.id,
                label=one.label,
                scale=scale_of(one.method),
                n_subjects=protocol.population.n_subjects,
                n_replicates=sums.rejected.n,
                n_failed=sums.failed.hits,
                rejected=sums.rejected.measure,
                estimate=sums.estimate.measure,
                width=sums.width.measure,
                bias=sums.away.measure if has_truth else None,
                coverage=sums.covered.measure if has_truth else None,
                sequential=sequential,
                after_procedure=sums.after_procedure.measure if sums.after_procedure.n else None,
            )
        )
    return tuple(rows)


def check_share(where: str, value: float) -> None:
    """Refuse a number that is not between 0 and 1.

    Raises
    ------
    SpecError
        It is not.
    """
    if not 0.0 < value < 1.0:
        raise SpecError(where=where, got=value, allowed="a number between 0 and 1, both excluded")
