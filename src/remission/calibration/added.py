"""One more trial in a posterior that was written: its draws reweighted at once, by exact simulation of the new trial.

A draw's weight is what the new trial's result says of it: the likelihood of the result, averaged over the effect,
craving and level that a trial has of its own. Moments of the result come from simulated trials at some draws, by a
quadratic surface whose error is counted. Needs no inference library.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from scipy.special import logsumexp, ndtr, ndtri

from remission.analyses.estimate import Z95
from remission.calibration.emulator import outcomes_of
from remission.calibration.psis import smoothed_weights
from remission.calibration.wave import (
    Target,
    TrialTargets,
    scale_of,
    simulate_point,
    targets_of,
    to_scale,
    to_unit,
    trial_targets,
)
from remission.errors import SpecError, WorkError
from remission.library.calibration_plan import (
    CalibrationPlan,
    Number,
    Says,
    Signal,
    TrialEntry,
    Verdict,
    load_calibration_plan,
)
from remission.library.posteriors import Posterior
from remission.library.protocols import list_protocols, load_protocol
from remission.protocol.file import read_protocol
from remission.protocol.record import Protocol
from remission.records.base import Record
from remission.records.record_file import record_of
from remission.records.result import Result
from remission.records.yaml_tree import Tree, read_tree_file
from remission.runs.crew import Crew
from remission.shapes import Float
from remission.trial.summary import unit_of

_POINTS, _OWN, _PEOPLE = 256, 32, 2048
_RIDGE = 0.1
_LEAST = 1e-9
_FARTHEST = 4.0
_POINTS_OF_PERCENT = "percentage points"


class PublishedResult(Record):
    """What the trial says of one analysis of its protocol.

    ``interval``: 95%, of the ``estimate``, in its ``unit``. ``n``: people in the analysis; ``arms``: of each arm.
    """

    analysis: str
    says: Says
    n: int | None = Field(default=None, ge=2)
    arms: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    unit: str | None = None

    def _faults(self) -> Iterable[SpecError]:
        claims = self.says != "no difference"
        has_number = self.estimate is not None or self.interval is not None
        if claims and self.n is None:
            yield _fault("n", "nothing", "how many people the result is of", "Only a null may come without.")
        if has_number and self.n is None and not claims:
            yield _fault("n", "nothing", "how many people the estimate is of")
        if self.estimate is not None and self.interval is None:
            yield _fault(
                "interval", "nothing", "the 95% interval of the estimate",
                "An estimate without one says nothing of its size: leave it out, and the verdict enters alone.",
            )  # fmt: skip
        if self.estimate is None and self.interval is not None:
            yield _fault("estimate", "nothing", "the estimate inside its interval")
        if has_number and self.unit is None:
            yield _fault("unit", "nothing", "the unit of the estimate, such as percentage points")
        if self.estimate is not None and self.interval is not None:
            low, high = self.interval
            if not low < self.estimate < high:
                yield _fault("interval", f"{low:g} to {high:g} around {self.estimate:g}", "ends around the estimate")
        if self.n is not None and sum(self.arms.values()) > self.n:
            yield _fault("arms", f"{sum(self.arms.values())} people in all", f"no more than the {self.n} of the result")


class AddedTrial(Record):
    """A trial to add. ``protocol``: a built-in one, or a file beside the record.

    ``seen``: ``selected`` as the trials of the plan are, ``stopped early`` for what it saw, or ``always`` where the
    result would have been on file whatever it was.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")
    protocol: str
    result: PublishedResult
    seen: Literal["selected", "stopped early", "always"] = "selected"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrial:
    """A record with its protocol at the size of the result. ``source``: the file, for messages."""

    record: AddedTrial
    targets: TrialTargets
    source: str

    @property
    def hash(self) -> str:
        """What its protocol says, as 8 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.targets.protocol.to_dict(), sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reweighted(Result):
    """A posterior with one more trial.

    ``k``: Pareto k of the weights; ``effective``: draws that the weighted ones are worth. ``predicted``: z of the
    trial before it was added, positive where the treatment helps, with its 90% interval; ``chance``: of its verdict.
    ``before``, ``after``: median and 90% interval of each value.
    """

    trial: str
    substance: str
    k: float
    effective: float
    n_draws: int
    predicted: tuple[float, float, float]
    chance: float
    before: dict[str, tuple[float, float, float]]
    after: dict[str, tuple[float, float, float]]
    posterior: Posterior

    def _facts(self) -> list[tuple[str, Any]]:
        low, middle, high = self.predicted
        return [
            ("trial", self.trial),
            ("z before it was added", f"{middle:.2f} (90% {low:.2f} to {high:.2f})"),
            ("chance of its verdict before", f"{self.chance:.2f}"),
            ("Pareto k", f"{self.k:.2f}"),
            ("effective draws", f"{self.effective:.0f} of {self.n_draws}"),
            *((name, f"{_told(was)} -> {_told(self.after[name])}") for name, was in self.before.items()),
        ]

    def columns(self) -> dict[str, Any]:
        """One row a draw."""
        return self.posterior.columns()


def read_trial(path: Path) -> NewTrial:
    """A trial's record from its file, checked against its protocol.

    Raises SpecError: a field is missing or contradicts another or the protocol; each fault has file, line and field.
    """
    tree = read_tree_file(path, what="a trial's record", example="id: my-trial")
    record = record_of(AddedTrial, tree)
    protocol = _protocol(record, tree, path.parent)
    SpecError.check(_faults_beside(record, protocol, tree))
    result, analysis = record.result, protocol.analysis(record.result.analysis)
    if result.n is not None and result.n != protocol.population.n_subjects:
        protocol = protocol.replace(population=protocol.population.replace(n_subjects=result.n))
    number = Number(analysis=analysis.id)
    entry = TrialEntry(
        protocol=record.id,
        z=Signal(analysis=analysis.id, benefit=_benefit(protocol, analysis.id)),
        seen=record.seen,
        numbers=() if result.estimate is None else (number,),
        verdicts=(Verdict(analysis=analysis.id, says=result.says),) if result.estimate is None else (),
    )
    numbers: tuple[Target, ...] = ()
    if result.estimate is not None and result.interval is not None:
        scale = scale_of(protocol, number)
        low, middle, high = (to_scale(one, scale) for one in (result.interval[0], result.estimate, result.interval[1]))
        numbers = (Target(number=number, scale=scale, value=middle, error=abs(high - low) / (2.0 * Z95)),)
    return NewTrial(record=record, targets=targets_of(entry, protocol, numbers), source=str(path))


def reweight(posterior: Posterior, new: NewTrial, *, crew: Crew | None = None) -> Reweighted:
    """The posterior with one more trial, by weights.

    Raises SpecError: the trial is in the posterior already. WorkError: the weights cannot be trusted, and a refit is
    needed.
    """
    plan = load_calibration_plan(posterior.plan)
    check_new(posterior, plan, new)
    protocol, size = new.targets.protocol, posterior.size
    generator = np.random.default_rng([plan.seed, size, len(posterior.added)])
    row = np.repeat(np.arange(size), _OWN)
    effect, craving = generator.normal(size=(2, row.size))
    own = posterior.trial_values(
        protocol.substance, row=row, own_effect=effect, own_craving=craving, own_level=generator.uniform(size=row.size)
    ).values
    units = to_unit(plan, own)
    moments, error = _surface(plan, new.targets, own, units, crew or Crew())
    log, z, spread = _log_likelihood(plan, new, posterior.draws["null_seen"][row], moments, error)
    by_own = log.reshape(size, _OWN)
    total = logsumexp(by_own, axis=1)
    weights, k = smoothed_weights(total)
    limit = plan.tolerance.psis_k
    # Beyond the box all draws are as wrong as those at its edge, which k does not see.
    off = _distance(new, moments, error)
    if k > limit or off > _FARTHEST:
        got = f"Pareto k {k:.2f}" if k > limit else f"a result {off:.0f} standard errors from what any draw says"
        raise WorkError(
            where=f"{new.source}: {new.record.id}", got=f"{got}: refit needed",
            allowed=f"k at most {limit:g}, so that the draws there are can carry the new trial",
            remedy="Nothing was written. Fit again with it: remission calibrate --add RECORD --refit --out FOLDER",
        )  # fmt: skip
    chosen = _systematic(weights, generator)
    within = np.exp(by_own - total[:, None])
    mine = np.array([generator.choice(_OWN, p=within[draw] / within[draw].sum()) for draw in chosen])
    names = {"effect": "use_effect", "craving": "k_c", "level": "level"}
    draws = {name: column[chosen] for name, column in posterior.draws.items()}
    draws |= {f"{head}.{new.record.id}": own[name][chosen * _OWN + mine] for head, name in names.items()}
    shown = ["mean", "tau", f"substance.{protocol.substance.value}", "k_c", "craving_tau"]
    shown += [one.name for one in plan.value if not one.per_trial and one.name not in {"use_effect", "k_c"}]
    benefit = new.targets.entry.z.benefit
    predicted = np.quantile(benefit * generator.normal(z, spread), [0.05, 0.5, 0.95])
    chances = _chances(plan, z, spread)
    sign = new.targets.entry.sign_of(Verdict(analysis=new.record.result.analysis, says=new.record.result.says))
    return Reweighted(
        trial=new.record.id, substance=protocol.substance.value, k=k, effective=float(1.0 / (weights**2).sum()),
        n_draws=size, predicted=(float(predicted[0]), float(predicted[1]), float(predicted[2])),
        chance=float(chances[sign].mean()),
        before={name: _interval(posterior.draws[name]) for name in shown},
        after={name: _interval(draws[name]) for name in shown},
        posterior=replace(
            posterior, draws=draws, added=(*posterior.added, {**new.record.to_dict(), "pareto_k": round(k, 3)})
        ),
    )  # fmt: skip


def check_new(posterior: Posterior, plan: CalibrationPlan, new: NewTrial) -> None:
    """Refuse (SpecError) a trial that the posterior holds already: it would count twice."""
    fitted = {load_protocol(one.protocol).evidence: one.protocol for one in plan.trial}
    known = {*fitted, *fitted.values(), *(str(one["id"]) for one in posterior.added)}
    same = fitted.get(new.targets.protocol.evidence)
    for one in trial_targets(plan) if same and new.targets.numbers else ():
        mine, theirs = new.targets.numbers[0], [target for target in one.numbers if one.entry.protocol == same]
        if any((mine.number, round(mine.value, 6)) == (target.number, round(target.value, 6)) for target in theirs):
            known.add(new.record.id)
    if new.record.id in known:
        raise SpecError(
            where=f"{new.source}: id", got=f"{new.record.id}, which the posterior has been fitted to",
            allowed="a trial that is not in it", remedy="A trial counts once.",
        )  # fmt: skip


def _protocol(record: AddedTrial, tree: Tree, folder: Path) -> Protocol:
    if record.protocol in list_protocols():
        return load_protocol(record.protocol)
    file = folder / record.protocol
    if not file.is_file():
        raise SpecError(
            where=tree.place(("protocol",)), got=record.protocol, allowed="a built-in protocol, or a file beside this",
            remedy="All built-in ones: remission list.",
        )  # fmt: skip
    return read_protocol(file)


def _faults_beside(record: AddedTrial, protocol: Protocol, tree: Tree) -> Iterable[SpecError]:
    """What contradicts the protocol."""

    def fault(name: str, got: str, allowed: str, remedy: str = "") -> SpecError:
        return SpecError(where=tree.place(("result", name)), got=got, allowed=allowed, remedy=remedy)

    result, planned = record.result, protocol.population.n_subjects
    analyses = {one.id: one for one in protocol.analyses}
    if result.analysis not in analyses:
        yield fault("analysis", result.analysis, f"one of {', '.join(analyses)}")
        return
    arms = [one.id for one in protocol.arms]
    unknown = [name for name in result.arms if name not in arms]
    if unknown:
        yield fault("arms", ", ".join(unknown), f"arms of the protocol: {', '.join(arms)}")
    if result.n is not None and result.n > planned:
        yield fault("n", str(result.n), f"no more than the {planned} people of {protocol.id}")
    people = sum(result.arms.values())
    if people > planned:
        yield fault("arms", f"{people} people in all", f"no more than the {planned} of {protocol.id}")
    if result.estimate is None or result.interval is None:
        return
    analysis = analyses[result.analysis]
    unit = unit_of(analysis, protocol.endpoint(analysis.endpoint))
    if result.unit not in {unit, analysis.facts.words}:
        yield fault("unit", str(result.unit), f"{unit}, the unit of {analysis.id}")
        return
    low, high = result.interval
    if analysis.facts.scale == "ratio" and low <= 0.0:
        yield fault("interval", f"{low:g} to {high:g}", "ends above 0: a ratio")
        return
    if analysis.facts.scale == "percent_lower" and high >= 100.0:
        yield fault("interval", f"{low:g} to {high:g}", "ends below 100%: what is left is above nothing")
        return
    beyond = max(abs(one) for one in (low, result.estimate, high))
    if unit == _POINTS_OF_PERCENT and beyond > 100.0:
        name = "estimate" if abs(result.estimate) > 100.0 else "interval"
        yield fault(name, f"{result.estimate:g}, {low:g} to {high:g}", f"{unit}, from -100 to 100")
        return
    null = 1.0 if analysis.facts.scale == "ratio" else 0.0
    sign = _benefit(protocol, analysis.id) * (1 if low > null else -1 if high < null else 0)
    seen = {0: "no difference", 1: "favors ketamine", -1: "favors control"}[sign]
    if result.says != seen:
        yield fault(
            "says", result.says, f"{seen}, as the 95% interval {low:g} to {high:g} says",
            "If the verdict rests on another test, leave estimate and interval out: it then enters as a verdict.",
        )  # fmt: skip


def _benefit(protocol: Protocol, analysis_id: str) -> Literal[-1, 1]:
    analysis = protocol.analysis(analysis_id)
    return 1 if protocol.endpoint(analysis.endpoint).higher_is_better != analysis.facts.is_turned else -1


def _surface(
    plan: CalibrationPlan,
    targets: TrialTargets,
    own: dict[str, Float[np.ndarray, " point"]],
    units: Float[np.ndarray, "point value"],
    crew: Crew,
) -> tuple[Float[np.ndarray, "point outcome"], Float[np.ndarray, " outcome"]]:
    """Outcomes of the trial at every point, by a quadratic surface through simulated ones, and the surface's error."""
    chosen = np.linspace(0, len(units) - 1, min(_POINTS, len(units))).astype(int)
    replicates = int(np.clip(_PEOPLE // targets.protocol.population.n_subjects, 4, 12))
    rows = [{value.name: float(own[value.name][at]) for value in plan.value} for at in chosen]
    seeds = np.random.SeedSequence([plan.seed, 2]).generate_state(len(rows), dtype=np.uint64).tolist()
    work = partial(simulate_point, (targets,), replicates)
    points = [one[0] for one in crew.in_order(work, [([row], seed) for row, seed in zip(rows, seeds, strict=True)])]
    values, noise = outcomes_of(points)
    good = np.isfinite(values).all(axis=1)
    if good.sum() < _POINTS // 2:
        raise WorkError(
            where=targets.entry.protocol, got=f"an estimate at {int(good.sum())} of {len(good)} draws",
            allowed="one at most of them", remedy="The result cannot be weighed: give the verdict without its number.",
        )  # fmt: skip
    a = _quadratic(units[chosen][good])
    penalty = np.full(a.shape[1], _RIDGE)
    penalty[0] = 0.0
    inverse = np.linalg.inv(a.T @ a + np.diag(penalty))
    weights = inverse @ a.T @ values[good]
    # Each point predicted without itself; what is not Monte Carlo noise is the surface's error.
    left = 1.0 - np.einsum("ij,jk,ik->i", a, inverse, a)
    off = (values[good] - a @ weights) / left[:, None]
    error = np.sqrt(np.maximum((off**2).mean(axis=0) - np.nanmean(noise[good], axis=0), 0.0))
    return _quadratic(units) @ weights, error


def _quadratic(units: Float[np.ndarray, "point value"]) -> Float[np.ndarray, "point feature"]:
    i, j = np.triu_indices(units.shape[1])
    return np.concatenate([np.ones((len(units), 1)), units, units[:, i] * units[:, j]], axis=1)


def _log_likelihood(
    plan: CalibrationPlan,
    new: NewTrial,
    null_seen: Float[np.ndarray, " point"],
    moments: Float[np.ndarray, "point outcome"],
    error: Float[np.ndarray, " outcome"],
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Of the result at every point, how the trial came on file included; z and its spread."""
    k = len(new.targets.numbers)
    z, spread = moments[:, k], np.hypot(np.exp(moments[:, k + 1]), error[k])
    chances = _chances(plan, z, spread)
    entry, says = new.targets.entry, new.record.result.says
    if k:
        target = new.targets.numbers[0]
        wide = np.hypot(target.error, error[0])
        log = -0.5 * ((target.value - moments[:, 0]) / wide) ** 2
    else:
        log = np.log(np.maximum(chances[entry.sign_of(entry.verdicts[0])], _LEAST))
    if new.record.seen != "always":
        significant = 1.0 - chances[0]
        on_file = significant if new.record.seen == "stopped early" else significant + null_seen * chances[0]
        log = log - np.log(np.maximum(on_file, _LEAST))
        if says == "no difference":
            log = log + np.log(null_seen)
    return log, z, spread


def _distance(
    new: NewTrial, moments: Float[np.ndarray, "point outcome"], error: Float[np.ndarray, " outcome"]
) -> float:
    """Standard errors between the published number and the nearest of those predicted."""
    if not new.targets.numbers:
        return 0.0
    target = new.targets.numbers[0]
    return float(np.abs(target.value - moments[:, 0]).min() / np.hypot(target.error, error[0]))


def _chances(
    plan: CalibrationPlan, z: Float[np.ndarray, " point"], spread: Float[np.ndarray, " point"]
) -> dict[int, Float[np.ndarray, " point"]]:
    """Of each verdict, by the sign of z."""
    z_alpha = -float(ndtri(plan.selection.alpha / 2.0))
    up, down = ndtr((z - z_alpha) / spread), ndtr((-z - z_alpha) / spread)
    return {1: up, -1: down, 0: 1.0 - up - down}


def _systematic(weights: Float[np.ndarray, " draw"], generator: np.random.Generator) -> Any:
    places = (generator.uniform() + np.arange(len(weights))) / len(weights)
    return np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)


def _interval(draws: Float[np.ndarray, " draw"]) -> tuple[float, float, float]:
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    return float(low), float(middle), float(high)


def _told(interval: tuple[float, float, float]) -> str:
    low, middle, high = interval
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _fault(name: str, got: str, allowed: str, remedy: str = "") -> SpecError:
    return SpecError(where=name, got=got, allowed=allowed, remedy=remedy)
