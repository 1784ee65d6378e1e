"""The posterior held against what it did not see: the exact simulator, and each trial left out.

A trial is scored on the z of its first analysis, published and predicted, positive where the drug helps; a verdict in
words by its probability. Two baselines know nothing of the chain: random effects over the other trials'
standardized differences (z times 2/sqrt(n)), and no effect.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special
from scipy.special import logsumexp
from scipy.stats import norm

from remission.calibration.fit import Fit, TrialData, fit_posterior, name_of, published_results
from remission.calibration.groups import GroupData, GroupTargets, row_log, simulate_group
from remission.calibration.pieces import Tell, counted, unheard
from remission.calibration.wave import Point, TrialTargets, simulate_point
from remission.evidence.standardized import Seen, effects_of, z_of_new_trial
from remission.library.calibration_plan import CalibrationPlan
from remission.runs.crew import Crew
from remission.shapes import Float

_TIMES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A trial predicted without itself.

    ``log_score`` by the chain, by random effects over the other trials, and by no effect; ``probability`` of the
    published verdict by each; ``crps`` of the z, ``None`` where a verdict is all there is. ``z``, ``low``, ``high``:
    the predicted z of the trial with its 90% interval.
    """

    protocol: str
    published: str
    z: float
    low: float
    high: float
    log_score: dict[str, float]
    probability: dict[str, float]
    crps: dict[str, float | None]


def seen_of(one: TrialTargets) -> Seen:
    """What was published, on the scale of the scores."""
    entry, n = one.entry, one.protocol.population.n_subjects
    error = 2.0 / math.sqrt(n)
    for verdict in entry.verdicts:
        if verdict.analysis == entry.z.analysis:
            return Seen(protocol=entry.protocol, z=None, says=verdict.says, error=error)
    for target in one.numbers:
        if target.number.analysis == entry.z.analysis:
            z = entry.z.benefit * target.value / target.error
            return Seen(protocol=entry.protocol, z=z, says=None, error=error)
    treated, control = one.numbers[0], one.numbers[1]
    # Two shares: the difference of their logits, positive for the first arm, as the plan lists them.
    z = entry.z.benefit * (treated.value - control.value) / math.hypot(treated.error, control.error)
    return Seen(protocol=entry.protocol, z=z, says=None, error=error)


def leave_out(
    plan: CalibrationPlan,
    trials: tuple[TrialData, ...],
    *,
    groups: tuple[GroupData, ...] = (),
    n_chains: int,
    n_warmup: int,
    n_draws: int,
    tell: Tell = unheard,
) -> tuple[LeftOut, ...]:
    """Every trial predicted by a fit without it."""
    names = [one.targets.entry.protocol for one in trials]

    def without(name: str) -> LeftOut:
        fit = fit_posterior(
            plan, trials, groups=groups, left_out=[name], n_chains=n_chains, n_warmup=n_warmup, n_draws=n_draws
        )
        return scored_without(plan, trials, fit, name)

    return tuple(counted(map(without, names), len(names), tell, what="trial left out", every=1))


def scored_without(plan: CalibrationPlan, trials: tuple[TrialData, ...], fit: Fit, name: str) -> LeftOut:
    """A trial beside what a ``fit`` without it predicts."""
    seen = [seen_of(one.targets) for one in trials]
    place = [one.protocol for one in seen].index(name)
    z, spread = fit.draws["z"][:, place], fit.draws["z_sd"][:, place]
    draws = norm.rvs(z, spread, random_state=np.random.default_rng(plan.seed))
    return score_left_out(plan, seen, place, (z, spread, np.full(z.size, 1.0 / z.size)), draws)


def score_left_out(
    plan: CalibrationPlan, seen: list[Seen], place: int, ours: "_Law", draws: Float[np.ndarray, " draw"]
) -> LeftOut:
    """One trial beside what a law said of its z without it, and beside both baselines.

    ``seen``: what every trial published; ``ours``: centers, spreads and weights of the law; ``draws``: some of it.
    """
    one, alpha = seen[place], plan.selection.alpha
    rest = [each for number, each in enumerate(seen) if number != place]
    laws = {
        "chain": ours,
        "random effects": _random_effects(rest, one, alpha),
        "no effect": (np.zeros(1), np.ones(1), np.ones(1)),
    }
    return LeftOut(
        protocol=one.protocol,
        published=one.says or f"z {one.z:.2f}",
        z=float(ours[2] @ ours[0]),
        low=float(np.quantile(draws, 0.05)),
        high=float(np.quantile(draws, 0.95)),
        log_score={name: _log_score(one, *law, alpha) for name, law in laws.items()},
        probability={name: math.exp(_verdict_log(one, *law, alpha)) for name, law in laws.items()},
        crps={name: None if one.z is None else _crps(one.z, *law, plan.seed) for name, law in laws.items()},
    )


def stacking_weight(found: tuple[LeftOut, ...]) -> float:
    """Weight of the chain beside random effects that maximizes the summed log score: how much the mechanism knows."""
    weights = np.linspace(0.0, 1.0, 1001)
    chain = np.array([one.log_score["chain"] for one in found])
    other = np.array([one.log_score["random effects"] for one in found])
    with np.errstate(divide="ignore"):
        mixed = np.logaddexp(np.log(weights)[:, None] + chain, np.log1p(-weights)[:, None] + other)
    return float(weights[mixed.sum(axis=1).argmax()])


def exact_weights(
    plan: CalibrationPlan,
    trials: tuple[TrialData, ...],
    fit: Fit,
    *,
    groups: tuple[GroupData, ...] = (),
    replicates: int = 48,
    crew: Crew | None = None,
    tell: Tell = unheard,
) -> Float[np.ndarray, " point"]:
    """Log weights of draws of the posterior: their likelihood by the exact simulator over that by the emulators.

    ``replicates``: simulated trials of each; of groups four times the people of a point, for noise is no error.
    """
    chosen = _chosen(plan, fit)
    (work, items), *others = exact_work(plan, trials, fit, groups, replicates)
    crew = crew or Crew()
    simulated = counted(crew.in_order(work, items), len(items), tell, what="draw", every=20)
    logs = []
    for draw, points in zip(chosen, simulated, strict=True):
        exact = sum(_exact_log(plan, one, point) for one, point in zip(trials, points, strict=True))
        logs.append(exact - float(fit.log_likelihood[draw].sum()))
    total = np.array(logs)
    if groups:
        total -= fit.draws["row_log"][chosen].sum(axis=1)
    for work, items in others:
        total += np.array(list(crew.in_order(work, items)))
    return total


def exact_work(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], fit: Fit, groups: tuple[GroupData, ...], replicates: int
) -> list[tuple[Callable[[Any], Any], list[Any]]]:
    """What the exact simulator is asked: all trials at each draw, then each group at each draw."""
    chosen = _chosen(plan, fit)
    shared = [v.name for v in plan.value if v.name not in {"use_effect", "k_c", "level"}]
    shape = () if plan.wide is None else plan.wide.shape
    fits = () if plan.wide is None else plan.wide.fits
    seeds = np.random.SeedSequence([plan.seed, 1]).generate_state(len(chosen), dtype=np.uint64).tolist()
    items: list[Any] = []
    for draw, seed in zip(chosen, seeds, strict=True):
        common = {name: float(fit.draws[name][draw]) for name in shared}
        own = [
            {**common, "use_effect": float(fit.draws["effect"][draw, t]), "k_c": float(fit.draws["craving"][draw, t]),
             "level": float(fit.draws["level"][draw, t])}
            for t in range(len(trials))
        ]  # fmt: skip
        for one, values in zip(trials, own, strict=True):
            of = one.targets.protocol.substance.value
            values.update({v.name: float(fit.draws[f"{v.name}.{of}"][draw]) for v in shape if of in fits})
        items.append((own, seed))
    found: list[tuple[Callable[[Any], Any], list[Any]]] = [
        (partial(simulate_point, tuple(one.targets for one in trials), replicates), items)
    ]
    for group in groups:
        names = {value: name_of(plan, group, value) for value in group.targets.names}
        many = replace(group.targets, people=_TIMES * group.targets.people)
        at = [({v: float(fit.draws[name][draw]) for v, name in names.items()}, seed)
              for draw, seed in zip(chosen, seeds, strict=True)]  # fmt: skip
        found.append((partial(_exact_rows, many), at))
    return found


def _chosen(plan: CalibrationPlan, fit: Fit) -> list[int]:
    """Draws that are judged."""
    return [int(place) for place in np.linspace(0, len(fit.draws["mean"]) - 1, plan.tolerance.exact_points)]


def _exact_rows(one: GroupTargets, item: tuple[dict[str, float], int]) -> float:
    """Log likelihood of a group's rows by the exact simulator, with its Monte Carlo noise."""
    found = simulate_group(one, item).mean
    nothing = np.zeros(found.size)
    logs = [float(row_log(row, found, nothing, xp=np, special=special)) for row in one.rows]
    return sum(logs) if np.isfinite(logs).all() else -np.inf


def _exact_log(plan: CalibrationPlan, one: TrialData, point: Point) -> float:
    log = 0.0
    if one.targets.numbers:
        if point.n_trials < 2:
            return -np.inf
        found = published_results(one.targets)
        log += float(one.log_of(np, found, point.mean, point.covariance / point.n_trials))
    z_alpha = -float(norm.ppf(plan.selection.alpha / 2.0))
    for verdict in one.targets.entry.verdicts:
        at = one.targets.analyses.index(verdict.analysis)
        spread = max(float(point.z_sd[at]), 0.05)
        up, down = norm.cdf((point.z[at] - z_alpha) / spread), norm.cdf((-point.z[at] - z_alpha) / spread)
        chance = {0: 1.0 - up - down, 1: up, -1: down}[one.targets.entry.sign_of(verdict)]
        log += math.log(max(chance, 1e-9))
    return log


_Part = Float[np.ndarray, " part"]
_Law = tuple[_Part, _Part, _Part]


def _random_effects(rest: list[Seen], new: Seen, alpha: float) -> _Law:
    """Parts of a mixture for the z of a new trial: mean and spread of effects on a grid, weighted by the others."""
    law = z_of_new_trial(effects_of(rest, alpha=alpha), new.error)
    return law.center, law.spread, law.weight


def _log_score(one: Seen, z: _Part, spread: _Part, weight: _Part, alpha: float) -> float:
    if one.z is None:
        return _verdict_log(one, z, spread, weight, alpha)
    return float(logsumexp(norm.logpdf(one.z, z, spread), b=weight))


def _verdict_log(one: Seen, z: _Part, spread: _Part, weight: _Part, alpha: float) -> float:
    z_alpha = -float(norm.ppf(alpha / 2.0))
    up, down = norm.sf(z_alpha, z, spread), norm.cdf(-z_alpha, z, spread)
    says = one.says or ("favors ketamine" if one.z is not None and one.z > z_alpha else "no difference")
    chance = {"favors ketamine": up, "favors control": down}.get(says, 1.0 - up - down)
    return math.log(max(float(weight @ chance), 1e-12))


def _crps(value: float, z: _Part, spread: _Part, weight: _Part, seed: int) -> float:
    generator = np.random.default_rng(seed)
    parts = generator.choice(len(weight), size=2000, p=weight / weight.sum())
    draws = generator.normal(z[parts], spread[parts])
    return float(np.abs(draws - value).mean() - 0.5 * np.abs(draws - generator.permutation(draws)).mean())
