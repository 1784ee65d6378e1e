"""The wide fit sampled, held against the exact simulator, and each trial left out; what each part of the work found."""

import time
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from remission.calibration.fit import Fit, TrialData, fit_by_chain, joined, parts_of, prior_of
from remission.calibration.groups import GroupData
from remission.calibration.judge import (
    LeftOut,
    exact_weights,
    score_left_out,
    scored_without,
    seen_of,
    stacking_weight,
)
from remission.calibration.pieces import Tell, journal_of
from remission.calibration.posterior import write_posterior
from remission.calibration.psis import smoothed_weights
from remission.calibration.refocus import refocused
from remission.calibration.rows_alone import rows_alone
from remission.calibration.study import described, told_rows
from remission.calibration.wave import Point, to_unit, trial_targets
from remission.library.calibration_plan import BoxValue, CalibrationPlan, Chains
from remission.library.posteriors import Posterior, plan_hash, read_posterior
from remission.runs.crew import Crew
from remission.runs.journal import Journaled
from validation.inference.basis import log_likelihood
from validation.wide.facts import facts
from validation.wide.registered import NAME
from validation.wide.values import Draws, tied, values_of

_OWN, _PARTICLES = 32, 2000
_WITHOUT = Chains(number=2, warmup=400, draws=400)
"""Of a fit without a trial: a score needs a mean and not the tails."""


def work_of(plan: CalibrationPlan, folder: Path, crew: Crew, part: str) -> dict[str, Any]:
    """What one part of the work found. ``part``: ``points``, which are kept, then ``fit``, then any of its judges."""
    before = time.time()

    def tell(text: str) -> None:
        print(f"{part}, {(time.time() - before) / 60.0:5.1f} min: {text}", flush=True)

    kept = folder / f"{NAME}.npz"
    if part == "facts":
        return {"facts": facts(plan, read_posterior(folder / f"{NAME}.json").draws, tell)}
    if part == "rows":
        return of_rows(plan, folder, crew, tell)
    trials, groups, limits = refocused(plan, trial_targets(plan), folder, crew=crew, tell=tell)
    if part == "points":
        return {}
    if part == "fit":
        tell("sampling")
        fit, parts = _sampled(plan, trials, groups, folder, crew, tell)
        arrays: dict[str, Any] = {"log_likelihood": fit.log_likelihood, **fit.draws}
        np.savez(kept, **arrays)
        posterior = described(plan, trials, groups, fit, limits)
        write_posterior(posterior, folder / f"{NAME}.json")
        posterior = read_posterior(folder / f"{NAME}.json")
        return {
            "plan": plan.id, "plan_hash": plan_hash(plan), "seed": plan.seed,
            "method": "NUTS over the emulators", "r_hat": fit.r_hat, "effective_draws": fit.effective_draws,
            "divergent": fit.divergent, "parts": parts,
            "emulators": posterior.diagnostics["emulators"], "rows": posterior.diagnostics["rows"], "limits": limits,
            "values": values_of(plan, groups, posterior.draws), "tied": tied(plan, groups, posterior.draws),
        }  # fmt: skip
    if part == "left-out":
        rows = left_out(plan, trials, groups, read_posterior(folder / f"{NAME}.json"), folder, crew, tell)
        weight = stacking_weight(tuple(LeftOut(**row["scores"]) for row in rows))
        return {"left_out": rows, "stacking_weight": weight}
    exact = [
        _exact(part, plan, trials, groups, dict(np.load(kept)), folder, crew, tell)
        for part in parts_of(plan, trials, groups)
    ]
    return {"exact": exact, "psis_k": max(one["psis_k"] for one in exact)}


def _exact(
    part: str, plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], drawn: Draws,
    folder: Path, crew: Crew, tell: Tell,
) -> dict[str, Any]:  # fmt: skip
    """Weights of draws of a part that was sampled by itself, by the exact simulator."""
    parts = parts_of(plan, trials, groups)
    # One column for each group, or for each of its rows, in the order in which the parts were joined.
    sizes = {name: sum(1 if one.together is not None else len(one.targets.rows) for one in mine)
             for name, (_, _, mine) in parts.items()}  # fmt: skip
    first = sum(sizes[name] for name in list(parts)[: list(parts).index(part)])
    mine, its_trials, its_groups = parts[part]
    logs = drawn.pop("log_likelihood") if its_trials else np.zeros((len(drawn["mean"]), 0))
    draws = {**drawn, "row_log": drawn["row_log"][:, first : first + sizes[part]]}
    fit = Fit(draws=draws, r_hat=1.0, effective_draws=0.0, divergent=0.0, log_likelihood=logs)
    with closing(journal_of(mine, folder, f"exact-{part}", Point)) as journal:
        log_weights = exact_weights(mine, its_trials, fit, groups=its_groups, crew=Journaled(crew, journal), tell=tell)
    weights = np.exp(log_weights - log_weights.max())
    return {
        "part": part, "psis_k": float(smoothed_weights(log_weights)[1]), "error": float(np.std(log_weights)),
        "effective": float(weights.sum() ** 2 / (weights**2).sum()),
    }  # fmt: skip


def of_rows(plan: CalibrationPlan, folder: Path, crew: Crew, tell: Any) -> dict[str, Any]:
    """What the rows alone say of what they move, trials left aside: no inference library is needed."""
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    _, groups, limits = refocused(plan, (), folder, crew=crew, tell=tell)
    generator = np.random.default_rng([plan.seed, 9])
    draws: Draws = {}
    for substance in wide.fits:
        tell(f"rows of {substance}")
        draws |= rows_alone(plan, substance, groups, n=_PARTICLES, generator=generator)
    np.savez(folder / f"{NAME}.npz", **draws)  # type: ignore[arg-type]  # arrays by name
    return {
        "plan": plan.id, "plan_hash": plan_hash(plan), "seed": plan.seed, "limits": limits, "emulators": [],
        "method": f"the part `rows`: {_PARTICLES:,} tempered draws, without the trials",
        "rows": told_rows(plan, groups, draws), "values": values_of(plan, groups, draws),
        "tied": tied(plan, groups, draws),
    }  # fmt: skip


def left_out(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], posterior: Posterior,
    folder: Path, crew: Crew, tell: Tell,
) -> list[dict[str, Any]]:  # fmt: skip
    """Each trial by weights of the draws, or by a fit without it where their k says that weights do not do."""
    seen = [seen_of(one.targets) for one in trials]
    found = []
    for place, one in enumerate(trials):
        weights, k, units = without(plan, one, posterior, place)
        if k > plan.tolerance.psis_k:
            name = one.targets.entry.protocol
            tell(f"{name}: Pareto k {k:.2f}, so a fit without it")
            fit, _ = _sampled(plan, trials, groups, folder, crew, tell, left_out=(name,))
            only = scored_without(plan, trials, fit, name)
            found.append({"k": k, "refit": True, "scores": asdict(only)})
            continue
        outcome = one.emulator.at(units)
        at, m = len(one.targets.numbers), len(one.targets.analyses)
        z = one.targets.entry.z.benefit * outcome[:, at]
        spread = np.hypot(np.exp(outcome[:, at + m]), one.emulator.error[at])
        each = np.repeat(weights / _OWN, _OWN)
        generator = np.random.default_rng([plan.seed, 8, place])
        chosen = generator.choice(z.size, size=4000, p=each / each.sum())
        scores = score_left_out(plan, seen, place, (z, spread, each), generator.normal(z[chosen], spread[chosen]))
        found.append({"k": k, "refit": False, "scores": asdict(scores)})
    return found


def _sampled(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], folder: Path, crew: Crew,
    tell: Tell, *, left_out: tuple[str, ...] = (),
) -> tuple[Fit, list[dict[str, Any]]]:  # fmt: skip
    """The fit and how each of its parts was sampled; chains are kept.

    Without some trials their part alone is sampled, and shorter.
    """
    assert plan.wide is not None, "a plan that frees the shape"
    length = _WITHOUT if left_out else plan.wide.chains
    fits, told = {}, []
    parts = parts_of(plan, trials, groups)
    for part, (mine, its_trials, its_groups) in parts.items():
        if left_out and part != "trials":
            continue
        tell(f"{part}: {length.number} chains of {length.warmup + length.draws:,} steps")
        with closing(journal_of(mine, folder, "-".join(["chains", part, *left_out]), dict)) as journal:
            fit = fit_by_chain(
                mine, its_trials, groups=its_groups, left_out=left_out, n_chains=length.number,
                n_warmup=length.warmup, n_draws=length.draws, crew=Journaled(crew, journal),
                tell=partial(_of_chain, part),
            )  # fmt: skip
        tell(f"{part}: R-hat {fit.r_hat:.3f} ({fit.worst}), {fit.effective_draws:.0f} effective draws")
        fits[part] = fit
        told.append({"part": part, "r_hat": fit.r_hat, "effective_draws": fit.effective_draws,
                     "divergent": fit.divergent})  # fmt: skip
    whole = fits["trials"] if left_out else joined(plan, fits, {name: one[2] for name, one in parts.items()})
    return whole, told


def _of_chain(part: str, chain: int, text: str) -> None:
    print(f"{part}, chain {chain}: {text}", flush=True)


def without(
    plan: CalibrationPlan, one: TrialData, posterior: Posterior, place: int
) -> tuple[np.ndarray, float, np.ndarray]:
    """Weights of the draws without a trial, their k, and places in its box of values that it would have unseen.

    A draw's weight is one over the trial's likelihood, averaged over what a trial has of its own.
    """
    size, substance = posterior.size, one.targets.protocol.substance.value
    generator = np.random.default_rng([plan.seed, 7, place])
    row = np.repeat(np.arange(size), _OWN)
    effect, craving = generator.normal(size=(2, row.size))
    own = posterior.trial_values(
        substance, row=row, own_effect=effect, own_craving=craving, own_level=generator.uniform(size=row.size)
    ).values
    units = to_unit(plan, own)
    if plan.wide is not None and substance in plan.wide.fits:
        shape = [_unit(value, posterior.draws[f"{value.name}.{substance}"][row]) for value in plan.wide.shape]
        units = np.hstack([units, np.stack(shape, axis=1)])
    log = log_likelihood(plan, one, one.emulator.at(units), posterior.draws["null_seen"][row]).reshape(size, _OWN)
    top = log.max(axis=1, keepdims=True)
    weights, k = smoothed_weights(-(top[:, 0] + np.log(np.exp(log - top).sum(axis=1))))
    return weights, float(k), units


def _unit(box: BoxValue, values: np.ndarray) -> np.ndarray:
    low, high, _, _ = prior_of(box)
    return 2.0 * ((np.log(values) if box.scale == "log" else values) - low) / (high - low) - 1.0
