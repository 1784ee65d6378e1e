"""A second method: a conditional flow that learns the posterior from simulated data sets, without a likelihood.

``python -m validation.inference.second FOLDER`` (``make second``). Values of the prior and what seven trials would
publish at them, by the emulators and with the published errors, shares as counts where the plan says so; the flow
learns values given data, and is read at the published data. That a trial came on file is part of the data of a trial
with a verdict; where numbers enter, and with them a known difference, the prior is weighted by one over the chance of
that.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, xlogy

from remission.calibration.fit import Results, TrialData, published_results
from remission.library.calibration_plan import CalibrationPlan
from remission.library.posteriors import load_posterior
from remission.runs.crew import crew_of
from validation.inference.basis import (
    REGISTERED,
    SUBSTANCES,
    Draws,
    chance_of,
    compared,
    fitted,
    keep,
    prior_draws,
    units_of,
)

TOLD: dict[str, Any] = REGISTERED["second"]
_POOL = 2
_LAYERS, _KNOTS, _INTERVAL, _WIDTH = 6, 8, 4.0, 64
_DRAWS = 4000


def main() -> None:
    """Simulate, learn, read, compare."""
    with crew_of(None) as crew:
        plan, trials = fitted(Path(sys.argv[1]), crew)
    values, data = simulated(plan, trials, TOLD["simulations"], TOLD["seed"])
    seen = published_row(trials)
    draws, losses = learned(values, data, seen, TOLD["seed"])
    pieces = back(draws)
    rows = compared(load_posterior(plan.id), {name: (one, np.ones(one.size)) for name, one in pieces.items()})
    keep("second", {"rows": rows, "simulations": len(values), "epochs": len(losses), "loss": min(losses)})


def simulated(plan: CalibrationPlan, trials: tuple[TrialData, ...], n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values (set x piece, on scales without ends) and what the trials publish at them (set x result)."""
    generator = np.random.default_rng(seed)
    draws = prior_draws(plan, _POOL * n, generator)
    outcomes = [one.emulator.at(units_of(plan, draws, place)) for place, one in enumerate(trials)]
    chosen = generator.choice(_POOL * n, n, p=_weights(plan, trials, outcomes, draws))
    rows = []
    for one, outcome in zip(trials, outcomes, strict=True):
        rows += _publish(plan, one, outcome[chosen], draws["null_seen"][chosen], generator)
    return forth({name: column[chosen] for name, column in draws.items()}, plan), np.stack(rows, axis=1)


def published_row(trials: tuple[TrialData, ...]) -> np.ndarray:
    """The published results as one data set: numbers in their errors, then verdicts by sign."""
    found = []
    for one in trials:
        told = published_results(one.targets)
        found += [*np.where(_counts(one), told.counted[0], told.value / told.error), *told.verdict]
    return np.array(found, dtype=float)


def forth(draws: Draws, plan: CalibrationPlan) -> np.ndarray:
    """Registered pieces as columns without ends."""
    columns = []
    for name in TOLD["quantities"]:
        head, _, tail = name.partition(".")
        column = draws[head]
        if tail:
            names = SUBSTANCES if head == "substance" else [one.protocol for one in plan.trial]
            column = column[:, names.index(tail)]
        columns.append(np.log(column) if name in _LOGS else column)
    return np.stack(columns, axis=1)


def back(columns: np.ndarray) -> Draws:
    """The way back of :func:`forth`, by name."""
    return {
        name: np.exp(columns[:, at]) if name in _LOGS else columns[:, at] for at, name in enumerate(TOLD["quantities"])
    }


_LOGS = {"tau", "half_use_day", "half_craving_day", "slope", "k_g"}


def learned(values: np.ndarray, data: np.ndarray, seen: np.ndarray, seed: int) -> tuple[np.ndarray, list[float]]:
    """Draws of the values given the data set ``seen``, and the loss on sets kept aside, by epoch."""
    import jax.numpy as jnp
    from flowjax.bijections import RationalQuadraticSpline
    from flowjax.distributions import Normal
    from flowjax.flows import masked_autoregressive_flow
    from flowjax.train import fit_to_data
    from jax import random

    center, spread = values.mean(axis=0), values.std(axis=0)
    middle, width = data.mean(axis=0), data.std(axis=0)
    key, make, train = random.split(random.key(seed % 2**31), 3)
    flow = masked_autoregressive_flow(
        make, base_dist=Normal(jnp.zeros(values.shape[1])), cond_dim=data.shape[1], flow_layers=_LAYERS,
        nn_width=_WIDTH, transformer=RationalQuadraticSpline(knots=_KNOTS, interval=_INTERVAL),
    )  # fmt: skip
    told = tuple(jnp.asarray(one, dtype=jnp.float32) for one in ((values - center) / spread, (data - middle) / width))
    flow, losses = fit_to_data(train, flow, told, batch_size=500, max_epochs=60, max_patience=5, show_progress=False)
    found = flow.sample(key, (_DRAWS,), condition=jnp.asarray((seen - middle) / width, dtype=jnp.float32))
    return np.asarray(found, dtype=float) * spread + center, [float(one) for one in losses["val"]]


def _weights(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], outcomes: list[np.ndarray], draws: Draws
) -> np.ndarray:
    """One over the chance that the trials which found a difference, and enter with numbers, are on file."""
    log = np.zeros(len(draws["mean"]))
    for one, outcome in zip(trials, outcomes, strict=True):
        if one.targets.numbers:
            null = chance_of(plan, one, outcome, 0)[0]
            early = one.targets.entry.seen == "stopped early"
            log -= np.log(np.maximum((1.0 - null) + (0.0 if early else draws["null_seen"] * null), 1e-9))
    found = np.exp(log - log.max())
    weights: np.ndarray = found / found.sum()
    return weights


def _publish(
    plan: CalibrationPlan, one: TrialData, outcome: np.ndarray, null_seen: np.ndarray, generator: np.random.Generator
) -> list[np.ndarray]:
    told, k = published_results(one.targets), len(one.targets.numbers)
    rows: list[np.ndarray] = []
    if k:
        rows += list(_numbers(one, told, outcome[:, :k], generator).T)
    for verdict in one.targets.entry.verdicts:
        at = one.targets.analyses.index(verdict.analysis)
        chance = chance_of(plan, one, outcome, at)
        # The first analysis decides whether the trial is on file: a null less surely.
        seen = null_seen if at == 0 and not k else 1.0
        table = np.stack([chance[-1], seen * chance[0], chance[1]], axis=1)
        below = np.cumsum(table, axis=1)
        rows.append((below < generator.uniform(size=(len(outcome), 1)) * below[:, -1:]).sum(axis=1) - 1.0)
    return rows


def _counts(one: TrialData) -> np.ndarray:
    """Which numbers are counts of people."""
    return np.array(one.is_count or [False] * len(one.targets.numbers), dtype=bool)


def _numbers(one: TrialData, told: Results, outcome: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """What a trial publishes (set x number): counts as they are, other numbers in their errors.

    Counts come first; what hangs together with them is normal given how far each came to lie from its prediction.
    """
    is_count, doubt = _counts(one), one.emulator.error[: outcome.shape[1]] ** 2
    counts, others = np.flatnonzero(is_count), np.flatnonzero(~is_count)
    found = np.empty_like(outcome)
    people, predicted = told.counted[1][counts], outcome[:, counts]
    at = predicted + np.sqrt(doubt[counts]) * generator.normal(size=predicted.shape)
    found[:, counts] = generator.binomial(people.astype(int), expit(at))
    if not others.size:
        return found
    expected = people * expit(predicted)
    count = found[:, counts]
    deviance = xlogy(count, count / expected) + xlogy(people - count, (people - count) / (people - expected))
    away = np.sign(count - expected) * np.sqrt(np.maximum(2.0 * deviance, 0.0))
    chance = 1.0 / (1.0 + doubt[counts] * expected * (1.0 - expected / people))
    along, error = one.correlation[np.ix_(others, counts)], told.error[others]
    rest = one.correlation[np.ix_(others, others)] - np.einsum("oc,sc,pc->sop", along, chance, along)
    root = np.linalg.cholesky(error[:, None] * error * rest + np.diag(doubt[others]))
    noise = np.einsum("sop,sp->so", root, generator.normal(size=(len(outcome), others.size)))
    shift = error * np.einsum("oc,sc->so", along, chance * away)
    found[:, others] = (outcome[:, others] + shift + noise) / error
    return found


if __name__ == "__main__":
    main()
