"""Simulation-based calibration: 200 data sets of the exact simulator, each fitted as published data are.

``python -m validation.inference.ranks FOLDER [NAME]`` (``make ranks``); what is done stays in FOLDER. NAME: the table
of ``registered.toml`` that says which plan and which data sets, ``ranks`` without it.
"""

import sys
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import cramervonmises, norm
from statsmodels.stats.multitest import multipletests

from remission.analyses.estimate import Z95
from remission.calibration.fit import Results, TrialData, posterior_model, prior_of
from remission.calibration.wave import TrialTargets, scaled, z_values
from remission.library.calibration_plan import CalibrationPlan
from remission.library.posteriors import plan_hash
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import shifted
from remission.runs.crew import Crew, crew_of
from remission.runs.journal import Journal, Journaled
from remission.trial.simulate import plan_trial
from validation.inference import weighed
from validation.inference.basis import REGISTERED, SUBSTANCES, Draws, fitted, keep, own_values, places_of, prior_draws

PLAN: dict[str, Any] = REGISTERED["ranks"]
_FIRST, _MORE, _ROUNDS = 8, 64, 20
_BATCH = 10
_FIRST_PLAN = "posterior-2026"
"""Of a table that names none: it was registered when there was one plan."""
_MEANT = {"log likelihood": "log likelihood of results"}
"""What a chain's quantity is by weights: a chain tells it without how trials came on file."""
_FIELDS = ("value", "error", "verdict", "significant", "counted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Ranks of one batch of fits (fit x quantity), share of divergent steps and drawn values beside the true ones."""

    rank: np.ndarray
    divergent: np.ndarray


def main() -> None:
    """Simulate, fit, test."""
    folder, name = Path(sys.argv[1]), [*sys.argv[2:], "ranks"][0]
    told, n = REGISTERED[name], PLAN["fits"]
    with crew_of(None) as crew:
        plan, trials = fitted(folder, crew, name=told.get("plan", _FIRST_PLAN))
        draws = prior_draws(plan, n, np.random.default_rng(told["seed"]))
        n = told.get("sets", n)
        draws = {part: one[:n] for part, one in draws.items()}
        with closing(Journal(folder / f"ranks-data-{plan_hash(plan)}.jsonl", (Results,))) as journal:
            targets = tuple(one.targets for one in trials)
            data = list(_told(simulated(plan, targets, draws, told["seed"], crew=Journaled(crew, journal)), n))
        if told.get("method") == "weights":
            keep(name, by_weights(plan, trials, draws, data, told))
            return
        by_both = told.get("method") == "chains beside weights"
        with closing(Journal(folder / f"ranks-{plan_hash(plan)}.jsonl", (Ranks,))) as journal:
            work = partial(fit_batch, plan, trials, draws, data)
            batches = [range(first, min(first + _BATCH, n)) for first in range(0, n, _BATCH)]
            found = list(_told(Journaled(crew, journal).in_order(work, batches), len(batches)))
    rank, divergent = (np.concatenate([getattr(one, part) for one in found]) for part in ("rank", "divergent"))
    place = (rank + 0.5) / (PLAN["draws"] // PLAN["thin"] + 1.0)
    if by_both:
        by_weights_too = weighed_places(plan, trials, draws, data, told, PLAN["quantities"])[0]
        first = beside(place, by_weights_too, told)
        alike = weighed_places(plan, trials, draws, data, told, [_MEANT.get(one, one) for one in PLAN["quantities"]])[0]
        made = beside(place, alike, told) | {"as_registered": first}
    else:
        made = judged(place)
    keep(name, made | {"divergent": float(divergent.mean())})


def beside(chains: np.ndarray, weights: np.ndarray, told: dict[str, Any]) -> dict[str, Any]:
    """Places of true values by chains and by weights (fit x quantity), and whether they agree as was registered."""
    off = chains - weights
    each = off.mean(axis=0)
    rms, mean = float(np.sqrt((off**2).mean())), float(off.mean())
    return {
        "fits": len(off), "rms": rms, "mean": mean,
        "rows": [{"quantity": name, "mean": float(one)} for name, one in zip(PLAN["quantities"], each, strict=True)],
        "agrees": bool(
            rms < told["rms_below"] and abs(mean) < told["mean_below"] and np.abs(each).max() < told["each_below"]
        ),
    }  # fmt: skip


def by_weights(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], draws: Draws, data: list[tuple[Results, ...]],
    told: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The registered tests of places that weights give, and of data sets with few people counted."""
    place, worth = weighed_places(plan, trials, draws, data, told, PLAN["quantities"])
    return (
        judged(place) | of_few(plan, place, data, told)
        | {"effective": {"least": min(worth), "median": float(np.median(worth))}}
    )  # fmt: skip


def weighed_places(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], draws: Draws, data: list[tuple[Results, ...]],
    told: dict[str, Any], quantities: list[str],
) -> tuple[np.ndarray, list[float]]:  # fmt: skip
    """Place of each true value by weights (fit x quantity), and how many even draws each fit is worth."""
    made = weighed.cloud(plan, trials, told["draws"], told["own"], told["seed"])
    found = [
        weighed.places(
            plan, trials, made, quantities, {name: one[number] for name, one in draws.items()}, one, number
        )
        for number, one in enumerate(_told(data, len(data)))
    ]  # fmt: skip
    return np.array([each[0] for each in found]), [each[1] for each in found]


def simulated(plan: CalibrationPlan, targets: tuple[TrialTargets, ...], draws: Draws, seed: int, *, crew: Crew) -> Any:
    """The results of every trial at every draw, in order."""
    n = len(draws["mean"])
    seeds = np.random.SeedSequence([seed, 1]).generate_state(n, dtype=np.uint64).tolist()
    items = [
        ([own_values(plan, draws, draw, place) for place in range(len(targets))], float(draws["null_seen"][draw]), seed)
        for draw, seed in enumerate(seeds)
    ]
    return crew.in_order(partial(_data_set, targets, plan.selection.alpha), items)


def judged(place: np.ndarray) -> dict[str, Any]:
    """The registered tests. ``place``: share of the draws below the truth, of each fit (row) and quantity."""
    names = PLAN["quantities"]
    tests = {
        "bias": [cramervonmises(place[:, k], "uniform").pvalue for k in range(len(names))],
        "width": [cramervonmises(np.abs(2.0 * place[:, k] - 1.0), "uniform").pvalue for k in range(len(names))],
    }
    held = multipletests([*tests["bias"], *tests["width"]], alpha=PLAN["alpha"], method="holm")[1]
    rows = []
    for k, name in enumerate(names):
        inside = np.abs(2.0 * place[:, k] - 1.0)
        rows.append({
            "quantity": name, "mean_rank": float(place[:, k].mean()), "inside_50": float((inside < 0.5).mean()),
            "inside_90": float((inside < 0.9).mean()), "p_bias": float(tests["bias"][k]),
            "p_width": float(tests["width"][k]), "holm": float(min(held[k], held[len(names) + k])),
        })  # fmt: skip
    return {
        "fits": len(place), "rows": rows,
        "rejected": [row["quantity"] for row in rows if row["holm"] < PLAN["alpha"]],
    }  # fmt: skip


def of_few(
    plan: CalibrationPlan, place: np.ndarray, data: list[tuple[Results, ...]], told: dict[str, Any]
) -> dict[str, Any]:
    """Levels among data sets in which few people were counted: given what was read, ranks are even there too."""
    rows = []
    for protocol in told["few"]:
        at = [one.protocol for one in plan.trial].index(protocol)
        chosen = np.array([one[at].counted[0].sum() < told["few_below"] for one in data])
        quantity = f"level.{protocol}"
        found = place[chosen, PLAN["quantities"].index(quantity)]
        rows.append({
            "quantity": quantity, "sets": int(chosen.sum()), "mean_rank": float(found.mean()),
            "p": float(cramervonmises(found, "uniform").pvalue),
        })  # fmt: skip
    held = multipletests([row["p"] for row in rows], alpha=PLAN["alpha"], method="holm")[1]
    return {"few": [row | {"holm": float(p)} for row, p in zip(rows, held, strict=True)]}


def _data_set(
    targets: tuple[TrialTargets, ...], alpha: float, item: tuple[list[dict[str, float]], float, int]
) -> tuple[Results, ...]:
    values, null_seen, seed = item
    generator = np.random.default_rng([seed, 1])
    return tuple(
        _published(one, dict(own), null_seen, alpha, seed, generator) for one, own in zip(targets, values, strict=True)
    )


def _published(
    one: TrialTargets, values: dict[str, float], null_seen: float, alpha: float, seed: int, generator: Any
) -> Results:
    """The first simulated trial that would be on file."""
    z_alpha = -float(norm.ppf(alpha / 2.0))
    for turn in range(_ROUNDS):
        value, error, counted, z = _replicates(one, dict(values), _FIRST if turn == 0 else _MORE, (seed + turn) % 2**63)
        significant = np.abs(z[0]) > z_alpha
        early = one.entry.seen == "stopped early"
        seen = significant | (not early) & (generator.uniform(size=len(significant)) < null_seen)
        seen &= np.isfinite(value).all(axis=1) & np.isfinite(error).all(axis=1) & (error > 0.0).all(axis=1)
        if seen.any():
            first = int(np.flatnonzero(seen)[0])
            at = [one.analyses.index(verdict.analysis) for verdict in one.entry.verdicts]
            verdict = np.where(np.abs(z[at, first]) > z_alpha, np.sign(z[at, first]), 0.0).astype(np.int64)
            return Results(
                value=value[first], error=error[first], verdict=verdict, counted=counted[:, first],
                significant=np.array(significant[first], dtype=np.int64),
            )  # fmt: skip
    raise AssertionError(f"{one.entry.protocol}: no trial on file at {values}")


def _replicates(
    one: TrialTargets, values: dict[str, float], n: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Numbers and their standard errors (trial x number), counts and people (2 x trial x number), z (analysis x trial).

    Counts and people are 0 of what is no share.
    """
    level = values.pop("level")
    parameters = shifted(course_parameters_of(one.protocol).replace(**values), level)
    plan = plan_trial(one.protocol, n_replicates=n, seed=seed, parameters=parameters)
    pieces = [plan.run(chunk) for chunk in plan.chunks]
    columns, errors = [], []
    counted = np.zeros((2, n, len(one.numbers)))
    for place, target in enumerate(one.numbers):
        number = target.number
        if number.analysis is not None:
            low, middle, high = (
                scaled(
                    np.concatenate([getattr(piece.estimates[number.analysis], name) for piece in pieces]), target.scale
                )
                for name in ("low", "estimate", "high")
            )
            columns.append(middle)
            errors.append(np.abs(high - low) / (2.0 * Z95))
            continue
        arm = [each.id for each in one.protocol.arms].index(number.arm or "")
        share = np.concatenate([piece.arms[str(number.endpoint)].mean[:, arm] for piece in pieces])
        people = np.concatenate([piece.arms[str(number.endpoint)].n[:, arm] for piece in pieces])
        counted[:, :, place] = np.round(share * people), people
        # A share of nobody or everybody has a logit after half a person more on each side.
        share = (share * people + 0.5) / (people + 1.0)
        columns.append(np.log(share / (1.0 - share)))
        errors.append(1.0 / np.sqrt(people * share * (1.0 - share)))
    z = np.stack([z_values(one.protocol, name, pieces) for name in one.analyses])
    empty = np.zeros((n, 0))
    told = [np.stack(each, axis=1) if each else empty for each in (columns, errors)]
    return told[0], told[1], counted, z


def fit_batch(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], draws: Draws, data: list[tuple[Results, ...]], batch: range
) -> Ranks:
    """Fits of some data sets, and the rank of every registered quantity among the draws that are kept."""
    import jax
    from jax import random

    jax.config.update("jax_enable_x64", True)
    run, log_at = _compiled(plan, trials)
    ranks, divergent = [], []
    for number in batch:
        told = [{name: np.asarray(getattr(one, name)) for name in _FIELDS} for one in data[number]]
        found, off = run(random.PRNGKey(PLAN["seed"] % 2**31 + number), told)
        true = {name: one[number] for name, one in draws.items()}
        true["log_likelihood"] = np.asarray(log_at(_sites(plan, true), told))
        ranks.append([_rank(plan, name, true, found) for name in PLAN["quantities"]])
        divergent.append(float(off))
    return Ranks(rank=np.array(ranks, dtype=np.int64), divergent=np.array(divergent))


_KEPT: dict[str, Any] = {}


def _compiled(plan: CalibrationPlan, trials: tuple[TrialData, ...]) -> Any:
    """The sampler as one compiled program of a key and the data, and the log likelihood at given sites."""
    if plan.id not in _KEPT:
        import jax
        from numpyro import handlers
        from numpyro.infer import MCMC, NUTS

        model = posterior_model(plan, trials)

        def results(told: list[dict[str, Any]]) -> list[Results]:
            return [Results(**one) for one in told]

        def run(key: Any, told: list[dict[str, Any]]) -> Any:
            sampler = MCMC(
                NUTS(lambda: model(results(told)), target_accept_prob=0.9), num_warmup=PLAN["warmup"],
                num_samples=PLAN["draws"], thinning=PLAN["thin"], progress_bar=False, jit_model_args=False,
            )  # fmt: skip
            sampler.run(key, extra_fields=("diverging",))
            return sampler.get_samples(), sampler.get_extra_fields()["diverging"].mean()

        def log_at(sites: dict[str, Any], told: list[dict[str, Any]]) -> Any:
            found = handlers.trace(handlers.substitute(lambda: model(results(told)), data=sites)).get_trace()
            return found["log_likelihood"]["value"].sum()

        _KEPT[plan.id] = jax.jit(run), jax.jit(log_at)
    return _KEPT[plan.id]


def _sites(plan: CalibrationPlan, true: Draws) -> dict[str, Any]:
    """A draw of the prior as the model's own sites."""
    h, place = plan.hierarchy, places_of(plan)
    _, _, center, spread = prior_of(next(value for value in plan.value if value.name == "level"))
    sites = {f"_{name}": true[name] for name in ("mean", "tau", "craving_tau", "null_seen", "k_c")}
    sites["_substance"] = (true["substance"] - true["mean"]) / h.substance_sd
    sites["_effect"] = (true["effect"] - true["substance"][place]) / true["tau"]
    sites["_craving"] = (true["craving"] - true["k_c"]) / true["craving_tau"]
    sites["_level"] = (true["level"] - center) / spread
    for value in plan.value:
        if value.name not in {"use_effect", "k_c", "level"}:
            sites[f"_{value.name}"] = np.log(true[value.name]) if value.scale == "log" else true[value.name]
    return sites


def _rank(plan: CalibrationPlan, name: str, true: Draws, found: Any) -> int:
    head, _, tail = name.partition(".")
    if head == "log likelihood":
        return int((np.asarray(found["log_likelihood"]).sum(axis=1) < true["log_likelihood"]).sum())
    if not tail:
        return int((np.asarray(found[head]) < true[head]).sum())
    names = SUBSTANCES if head == "substance" else [one.protocol for one in plan.trial]
    at = names.index(tail)
    return int((np.asarray(found[head])[:, at] < true[head][at]).sum())


def _told(items: Any, total: int) -> Any:
    for number, one in enumerate(items, 1):
        print(f"{number} of {total}", flush=True)
        yield one


if __name__ == "__main__":
    main()
