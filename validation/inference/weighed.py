"""The posterior of many data sets at once, by weights of draws of the prior: known values without a chain for each.

What trials share is drawn once; around each draw every trial has values of its own, whose likelihood is averaged. So
emulators are asked once for all data sets, and a data set costs its likelihood alone. Nothing is shared with the
sampler but the prior, the emulators and the likelihood, so it holds the sampler to another computation too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from remission.calibration.fit import EDGE, Results, TrialData, prior_of, published_results
from remission.library.calibration_plan import CalibrationPlan
from validation.inference.basis import SUBSTANCES, Draws, log_likelihood, places_of, proposed, units_of

_PIECE, _CHOSEN = 16384, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Draws of what trials share; of each trial its own values (draw x own), what emulators say there, and the log of
    what the soft edge of the box leaves.
    """

    shared: Draws
    own: dict[str, np.ndarray]
    outcomes: tuple[np.ndarray, ...]
    edge: np.ndarray


def cloud(plan: CalibrationPlan, trials: tuple[TrialData, ...], n: int, n_own: int, seed: int) -> Cloud:
    """``n`` draws of what is shared, with ``n_own`` trials around each; ``n_own`` a power of two."""
    generator = np.random.default_rng(seed)
    shared = proposed(plan, n, generator)
    level = next(value for value in plan.value if value.name == "level")
    _, _, center, sd = prior_of(level)
    own: dict[str, list[np.ndarray]] = {"effect": [], "craving": [], "level": []}
    outcomes, edges = [], []
    for place, (substance, one) in enumerate(zip(places_of(plan), trials, strict=True)):
        # Evenly spread around each draw, shifted for each.
        even = qmc.Sobol(3, seed=np.random.default_rng([seed, place])).random(n_own)
        normal = ndtri(np.clip((even[None] + generator.uniform(size=(n, 1, 3))) % 1.0, 1e-9, 1.0 - 1e-9))
        mine = {
            "effect": shared["substance"][:, substance, None] + shared["tau"][:, None] * normal[..., 0],
            "craving": shared["k_c"][:, None] + shared["craving_tau"][:, None] * normal[..., 1],
            "level": center + sd * normal[..., 2],
        }  # fmt: skip
        flat = {name: np.repeat(column, n_own) for name, column in shared.items() if column.ndim == 1}
        flat |= {name: column.reshape(-1, 1) for name, column in mine.items()}
        units = units_of(plan, flat, 0)
        found = np.concatenate([one.emulator.at(units[at : at + _PIECE]) for at in range(0, len(units), _PIECE)])
        outcomes.append(found)
        edges.append(-EDGE * (np.maximum(np.abs(units) - 1.0, 0.0) ** 2).sum(axis=1).reshape(n, n_own))
        for name, column in mine.items():
            own[name].append(column)
    return Cloud(
        shared=shared, own={name: np.stack(columns, axis=1) for name, columns in own.items()},
        outcomes=tuple(outcomes), edge=np.stack(edges, axis=1),
    )  # fmt: skip


def weigh(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], made: Cloud, data: tuple[Results, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of the draws, of each trial's own values within each (draw x trial x own), and their log likelihoods."""
    n, _, n_own = made.edge.shape
    null_seen = np.repeat(made.shared["null_seen"], n_own)
    log = np.stack([
        log_likelihood(plan, one, made.outcomes[place], null_seen, data[place]).reshape(n, n_own)
        for place, one in enumerate(trials)
    ], axis=1)  # fmt: skip
    inside = log + made.edge
    each = logsumexp(inside, axis=2)
    total = each.sum(axis=1)
    return np.exp(total - logsumexp(total)), np.exp(inside - each[:, :, None]), log


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The posterior of the published results: values and weights of each piece by name, and how many even draws."""

    pieces: dict[str, tuple[np.ndarray, np.ndarray]]
    effective: float


def published(plan: CalibrationPlan, trials: tuple[TrialData, ...], made: Cloud) -> Published:
    """What the weights make of the published results."""
    weights, within, _ = weigh(plan, trials, made, tuple(published_results(one.targets) for one in trials))
    pieces = {name: (column, weights) for name, column in made.shared.items() if column.ndim == 1}
    pieces |= {f"substance.{name}": (made.shared["substance"][:, at], weights) for at, name in enumerate(SUBSTANCES)}
    pieces |= {
        f"{head}.{one.protocol}": (column[:, at], weights[:, None] * within[:, at])
        for head, column in made.own.items() for at, one in enumerate(plan.trial)
    }  # fmt: skip
    return Published(pieces=pieces, effective=float(1.0 / (weights**2).sum()))


def places(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], made: Cloud, names: list[str], true: Draws,
    data: tuple[Results, ...], seed: int,
) -> tuple[np.ndarray, float]:  # fmt: skip
    """Share of the posterior that lies below the true value of each quantity, and how many even draws it is worth.

    ``log likelihood`` is of all trials together, how they came on file included; ``log likelihood of results`` is
    without that, as the sampler tells it.
    """
    weights, within, log = weigh(plan, trials, made, data)
    protocols = [one.protocol for one in plan.trial]
    found = []
    below: Any
    for name in names:
        head, _, tail = name.partition(".")
        if head == "log likelihood":
            below = _likelihood_below(plan, trials, weights, within, log, true, data, seed)
        elif head == "log likelihood of results":
            results = _of_results(plan, trials, made, data)
            below = _likelihood_below(plan, trials, weights, within, results, true, data, seed, on_file=False)
        elif head == "substance":
            at = SUBSTANCES.index(tail)
            below = weights @ (made.shared[head][:, at] < true[head][at])
        elif tail:
            at = protocols.index(tail)
            below = weights @ (within[:, at] * (made.own[head][:, at] < true[head][at])).sum(axis=1)
        else:
            below = weights @ (made.shared[head] < true[head])
        found.append(float(below))
    return np.array(found), float(1.0 / (weights**2).sum())


def _of_results(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], made: Cloud, data: tuple[Results, ...]
) -> np.ndarray:
    """Log likelihoods of what trials found (draw x trial x own), without how they came on file."""
    n, _, n_own = made.edge.shape
    null_seen = np.repeat(made.shared["null_seen"], n_own)
    return np.stack([
        log_likelihood(plan, one, made.outcomes[place], null_seen, data[place], on_file=False).reshape(n, n_own)
        for place, one in enumerate(trials)
    ], axis=1)  # fmt: skip


def _likelihood_below(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], weights: np.ndarray, within: np.ndarray, log: np.ndarray,
    true: Draws, data: tuple[Results, ...], seed: int, *, on_file: bool = True,
) -> float:  # fmt: skip
    there = np.zeros(1)
    for place, (one, told) in enumerate(zip(trials, data, strict=True)):
        units = units_of(plan, {name: np.asarray(column)[None] for name, column in true.items()}, place)
        outcome = one.emulator.at(units)
        there += log_likelihood(plan, one, outcome, np.atleast_1d(true["null_seen"]), told, on_file=on_file)
    generator = np.random.default_rng([seed, 3])
    rows = generator.choice(weights.size, _CHOSEN, p=weights)
    total = np.zeros(_CHOSEN)
    for place in range(len(trials)):
        reached = np.cumsum(within[rows, place], axis=1)
        own = (reached < generator.uniform(size=(_CHOSEN, 1)) * reached[:, -1:]).sum(axis=1)
        total += log[rows, place, own]
    return float((total < there).mean())
