"""What all checks of the inference share: what was registered, the fit's own points and emulators, results."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm, truncnorm

from remission.calibration.fit import EDGE, Results, TrialData, prior_of, published_results
from remission.calibration.study import emulate_wave
from remission.calibration.wave import to_unit, trial_targets
from remission.files import make_folder
from remission.library.calibration_plan import CalibrationPlan, load_calibration_plan
from remission.library.posteriors import Posterior
from remission.library.protocols import load_protocol
from remission.records.parameter import DEFAULT_POSTERIOR
from remission.records.substance import Substance
from remission.runs.crew import Crew

HERE = Path(__file__).parent
REGISTERED: dict[str, Any] = tomllib.loads((HERE / "registered.toml").read_text("utf-8"))
RESULTS = HERE / "results.json"
SUBSTANCES = [one.value for one in Substance]
Draws = dict[str, np.ndarray]
LEAST = 1e-9


def fitted(
    folder: Path, crew: Crew | None = None, *, name: str = DEFAULT_POSTERIOR
) -> tuple[CalibrationPlan, tuple[TrialData, ...]]:
    """The plan and what the fit reads of each trial; points that ``folder`` has are not simulated again."""
    plan = load_calibration_plan(name)
    make_folder(folder)
    return plan, emulate_wave(plan, trial_targets(plan), folder, crew=crew, tell=lambda text: print(text, flush=True))


def keep(part: str, found: Any) -> None:
    """Put one part's results beside the others."""
    told = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    told[part] = found
    RESULTS.write_text(json.dumps(dict(sorted(told.items())), indent=1) + "\n", "utf-8")


def prior_draws(plan: CalibrationPlan, n: int, generator: np.random.Generator) -> Draws:
    """Draws of everything from the plan's prior, its soft edge of the box included, by rejection."""
    kept: list[Draws] = []
    while sum(len(one["mean"]) for one in kept) < n:
        kept.append(_accepted(plan, proposed(plan, max(2 * n, 64), generator), generator))
    return {name: np.concatenate([one[name] for one in kept])[:n] for name in kept[0]}


def own_values(plan: CalibrationPlan, draws: Draws, draw: int, place: int) -> dict[str, float]:
    """The values of the box that one trial has at one draw."""
    per_trial = {"use_effect": "effect", "k_c": "craving", "level": "level"}
    return {
        value.name: float(
            draws[per_trial[value.name]][draw, place] if value.name in per_trial else draws[value.name][draw]
        )
        for value in plan.value
    }


def units_of(plan: CalibrationPlan, draws: Draws, place: int) -> np.ndarray:
    """Places of one trial's values at every draw."""
    per_trial = {"use_effect": "effect", "k_c": "craving", "level": "level"}
    columns = {
        value.name: draws[per_trial[value.name]][:, place] if value.name in per_trial else draws[value.name]
        for value in plan.value
    }
    return to_unit(plan, columns)


def proposed(plan: CalibrationPlan, n: int, generator: np.random.Generator) -> Draws:
    """Draws of everything from the prior, before the soft edge of the box."""
    h, trials = plan.hierarchy, len(plan.trial)
    place = np.array(places_of(plan))
    mean = h.mean_sd * generator.normal(size=n)
    tau, craving_tau = (np.abs(s * generator.normal(size=n)) for s in (h.tau_half_normal, h.craving_tau_half_normal))
    substance = mean[:, None] + h.substance_sd * generator.normal(size=(n, len(SUBSTANCES)))
    found = {
        "mean": mean, "tau": tau, "craving_tau": craving_tau, "substance": substance,
        "null_seen": generator.uniform(plan.selection.null_seen_low, plan.selection.null_seen_high, n),
        "effect": substance[:, place] + tau[:, None] * generator.normal(size=(n, trials)),
    }  # fmt: skip
    for value in plan.value:
        if value.name == "use_effect":
            continue
        low, high, center, sd = prior_of(value)
        if value.name == "level":
            found["level"] = center + sd * generator.normal(size=(n, trials))
            continue
        drawn = truncnorm.rvs((low - center) / sd, (high - center) / sd, center, sd, size=n, random_state=generator)
        found[value.name] = np.exp(drawn) if value.scale == "log" else drawn
    found["craving"] = found["k_c"][:, None] + craving_tau[:, None] * generator.normal(size=(n, trials))
    return found


def _accepted(plan: CalibrationPlan, draws: Draws, generator: np.random.Generator) -> Draws:
    over = sum(
        (np.maximum(np.abs(units_of(plan, draws, place)) - 1.0, 0.0) ** 2).sum(axis=1)
        for place in range(len(plan.trial))
    )
    good = generator.uniform(size=len(draws["mean"])) < np.exp(-EDGE * over)
    return {name: one[good] for name, one in draws.items()}


def places_of(plan: CalibrationPlan) -> list[int]:
    """Which substance each trial is of."""
    return [SUBSTANCES.index(load_protocol(one.protocol).substance.value) for one in plan.trial]


def log_likelihood(
    plan: CalibrationPlan,
    one: TrialData,
    outcome: np.ndarray,
    null_seen: np.ndarray,
    results: Results | None = None,
    *,
    on_file: bool = True,
) -> np.ndarray:
    """Of a trial's results where emulators say ``outcome``: the fit's, without NumPyro.

    ``results``: ``None`` for those that were published. ``on_file``: with how it came on file.
    """
    results, k = results or published_results(one.targets), len(one.targets.numbers)
    log = np.zeros(len(outcome))
    if k:
        log += one.log_of(np, results, outcome[:, :k], np.diag(one.emulator.error[:k] ** 2))
    for number, verdict in enumerate(one.targets.entry.verdicts):
        chance = chance_of(plan, one, outcome, one.targets.analyses.index(verdict.analysis))
        log += np.log(np.maximum(chance[int(results.verdict[number])], LEAST))
    if not on_file:
        return log
    null = chance_of(plan, one, outcome, 0)[0]
    early = one.targets.entry.seen == "stopped early"
    log -= np.log(np.maximum((1.0 - null) + (0.0 if early else null_seen * null), LEAST))
    return log + (0.0 if results.significant else np.log(null_seen))


def chance_of(plan: CalibrationPlan, one: TrialData, outcome: np.ndarray, at: int) -> dict[int, np.ndarray]:
    k, m = len(one.targets.numbers), len(one.targets.analyses)
    z_alpha = -float(norm.ppf(plan.selection.alpha / 2.0))
    z, spread = outcome[:, k + at], np.hypot(np.exp(outcome[:, k + m + at]), one.emulator.error[k + at])
    up, down = ndtr((z - z_alpha) / spread), ndtr((-z - z_alpha) / spread)
    return {1: up, -1: down, 0: 1.0 - up - down}


def compared(posterior: Posterior, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> list[dict[str, Any]]:
    """Each registered piece by a second method (values and weights by name) beside the draws of a posterior."""
    told, rows = REGISTERED["second"], []
    for name in told["quantities"]:
        first = posterior.draws[name]
        low, middle, high = np.quantile(first, [0.05, 0.5, 0.95])
        other = weighted_quantiles(*found[name])
        off, ratio = (other[1] - middle) / first.std(ddof=1), (other[2] - other[0]) / (high - low)
        rows.append({
            "quantity": name, "first": [float(low), float(middle), float(high)], "second": [float(q) for q in other],
            "median_off": float(off), "width_ratio": float(ratio),
            "agrees": bool(abs(off) < told["median_within_sd"] and told["width_low"] <= ratio <= told["width_high"]),
        })  # fmt: skip
    return rows


def weighted_quantiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """5%, 50% and 95% of weighted values."""
    order = np.argsort(values, axis=None)
    below = np.cumsum(weights.ravel()[order])
    return np.interp([0.05, 0.5, 0.95], below / below[-1], values.ravel()[order])
