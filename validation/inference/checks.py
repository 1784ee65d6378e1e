"""What the trials say of the fit: predictive checks, what is identified, Sobol indices, influence, arms left out.

``python -m validation.inference.checks FOLDER [PART ...]`` (``make inference``), without any sampling: trials are left
out by weights, with the k of each. Points and emulators are those that ``make calibrate`` left in FOLDER.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit, logsumexp, ndtr
from scipy.stats import halfnorm, norm

from remission.calibration.fit import TrialData, published_results
from remission.calibration.psis import smoothed_weights
from remission.calibration.wave import to_unit
from remission.library.calibration_plan import CalibrationPlan
from remission.library.posteriors import Posterior, load_posterior
from remission.library.protocols import load_protocol
from remission.library.published import published_outcome
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import shifted
from remission.protocol.record import Protocol
from remission.runs.crew import crew_of
from remission.trial.simulate import plan_trial
from validation.inference import weighed
from validation.inference.basis import (
    LEAST,
    REGISTERED,
    SUBSTANCES,
    Draws,
    chance_of,
    compared,
    fitted,
    keep,
    log_likelihood,
    places_of,
    prior_draws,
    units_of,
    weighted_quantiles,
)

_OWN = 32


def main() -> None:
    """Make some parts, or all."""
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    with crew_of(None) as crew:
        plan, trials = fitted(folder, crew)
    posterior = load_posterior(plan.id)
    for name, part in PARTS.items():
        if not wanted or name in wanted:
            keep(name, part(plan, trials, posterior))
            print(name, flush=True)


def predictive(plan: CalibrationPlan, trials: tuple[TrialData, ...], posterior: Posterior) -> list[dict[str, Any]]:
    """Every published number and verdict beside what prior and posterior predict of it."""
    laws = {
        "prior": prior_draws(plan, 2000, np.random.default_rng(plan.seed)), "posterior": drawn(plan, posterior),
    }  # fmt: skip
    rows = []
    for place, one in enumerate(trials):
        k, results = len(one.targets.numbers), published_results(one.targets)
        found = {name: one.emulator.at(units_of(plan, draws, place)) for name, draws in laws.items()}
        for number, target in enumerate(one.targets.numbers):
            told: dict[str, Any] = {}
            spread = np.hypot(target.error, one.emulator.error[number])
            for name, outcome in found.items():
                above = float(ndtr((outcome[:, number] - target.value) / spread).mean())
                told[name] = 2.0 * min(above, 1.0 - above)
            label = str(target.number.analysis or f"{target.number.endpoint}, {target.number.arm}")
            rows.append({"trial": one.targets.entry.protocol, "what": label, "says": f"{target.value:.2f}", **told})
        for number, verdict in enumerate(one.targets.entry.verdicts):
            at = one.targets.analyses.index(verdict.analysis)
            told = {
                name: float(chance_of(plan, one, outcome, at)[int(results.verdict[number])].mean())
                for name, outcome in found.items()
            }
            rows.append({
                "trial": one.targets.entry.protocol, "what": verdict.analysis, "says": verdict.says, "is_chance": True,
                **told,
            })  # fmt: skip
        assert k == len(results.value), one.targets.entry.protocol
    return rows


def identified(plan: CalibrationPlan, _: tuple[TrialData, ...], posterior: Posterior) -> dict[str, Any]:
    """How much narrower each value became, and which are known only together."""
    prior = prior_draws(plan, 4000, np.random.default_rng(plan.seed))
    columns = {name: prior[name] for name in prior if prior[name].ndim == 1}
    columns |= {f"substance.{name}": prior["substance"][:, k] for k, name in enumerate(SUBSTANCES)}
    columns |= {
        f"{head}.{one.protocol}": prior[head][:, k]
        for k, one in enumerate(plan.trial) for head in ("effect", "craving", "level")
    }  # fmt: skip
    logs = {value.name for value in plan.value if value.scale == "log"}

    def on_scale(name: str, draws: np.ndarray) -> np.ndarray:
        return np.log(draws) if name in logs else draws

    ratio = {
        name: float(on_scale(name, posterior.draws[name]).std() / on_scale(name, draws).std())
        for name, draws in columns.items()
    }
    names = list(columns)
    table = np.corrcoef([on_scale(name, posterior.draws[name]) for name in names])
    before = np.corrcoef([on_scale(name, columns[name]) for name in names])
    pairs = [
        {"pair": [names[i], names[j]], "posterior": float(table[i, j]), "prior": float(before[i, j])}
        for i in range(len(names)) for j in range(i)
        if abs(table[i, j]) > REGISTERED["identified"]["pair"]
    ]  # fmt: skip
    return {"ratio": ratio, "pairs": sorted(pairs, key=lambda one: -abs(one["posterior"]))}


def sobol(plan: CalibrationPlan, trials: tuple[TrialData, ...], posterior: Posterior) -> dict[str, Any]:
    """First-order and total indices of each trial's z, over the ranges of prior and posterior."""
    from SALib.analyze.sobol import analyze
    from SALib.sample.sobol import sample

    told = REGISTERED["sobol"]
    names = [value.name for value in plan.value]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    cube = sample(problem, told["base"], calc_second_order=False, seed=told["seed"])
    prior, ours = prior_draws(plan, 2000, np.random.default_rng(plan.seed)), drawn(plan, posterior)
    found: dict[str, Any] = {}
    for place, one in enumerate(trials):
        k = len(one.targets.numbers)
        row: dict[str, Any] = {}
        for law, draws in (("prior", prior), ("posterior", ours)):
            units = np.clip(units_of(plan, draws, place), -1.0, 1.0)
            points = np.stack([np.quantile(units[:, v], cube[:, v]) for v in range(len(names))], axis=1)
            z = one.emulator.at(points)[:, k]
            if z.std() < LEAST:
                row[law] = None
                continue
            indices = analyze(problem, z, calc_second_order=False, seed=told["seed"], num_resamples=100)
            row[law] = {
                name: {key: float(indices[key][v]) for key in ("S1", "S1_conf", "ST", "ST_conf")}
                for v, name in enumerate(names)
            }
        found[one.targets.entry.protocol] = row
    return found


def influence(plan: CalibrationPlan, trials: tuple[TrialData, ...], posterior: Posterior) -> list[dict[str, Any]]:
    """What mean and tau would be without each trial, by weights, with their k."""
    rows = []
    for place, one in enumerate(trials):
        weights, k, _ = without(plan, trials, posterior, place)
        row: dict[str, Any] = {"trial": one.targets.entry.protocol, "k": k}
        for name in ("mean", "tau", f"substance.{SUBSTANCES[places_of(plan)[place]]}"):
            d = posterior.draws[name]
            even = np.full(d.size, 1.0 / d.size)
            row[name.partition(".")[0]] = {"with": _three(d, even), "without": _three(d, weights)}
        rows.append(row)
    return rows


def arms(plan: CalibrationPlan, trials: tuple[TrialData, ...], posterior: Posterior) -> dict[str, Any]:
    """Arms of trials left out: the exact simulator beside both baselines."""
    told, rows = REGISTERED["arms"], []
    level = (1.0 - told["interval"]) / 2.0
    for place, one in enumerate(trials):
        protocol = load_protocol(one.targets.entry.protocol)
        wanted = _published_arms(protocol)
        if not wanted:
            continue
        weights, k, own = without(plan, trials, posterior, place)
        generator = np.random.default_rng([told["seed"], place])
        n = told["draws"]
        chosen = generator.choice(len(weights), n, p=weights) * _OWN + generator.integers(_OWN, size=n)
        simulated = _simulated_arms(plan, one, protocol, {name: column[chosen] for name, column in own.items()}, wanted)
        for row, draws in zip(wanted, simulated, strict=True):
            rows.append({**row, "trial": protocol.id, "k": k, "chain": _scored(draws, row["value"], level)})
    for row in rows:
        others = [one for one in rows if one["trial"] != row["trial"] and one["scores"]]
        for name, effect_sd in (("random effects", 0.5), ("no effect", 0.0)):
            draws = _levels(others, row, effect_sd, np.random.default_rng(told["seed"]))
            row[name] = _scored(draws, row["value"], level)
    scored = [row for row in rows if row["scores"]]
    return {
        "rows": rows,
        **{
            name: {
                "inside": sum(row[name]["inside"] for row in scored), "of": len(scored),
                "width": float(np.mean([row[name]["high"] - row[name]["low"] for row in scored])),
                "crps": float(np.mean([row[name]["crps"] for row in scored])),
            }
            for name in ("chain", "random effects", "no effect")
        },
    }  # fmt: skip


def weights(plan: CalibrationPlan, trials: tuple[TrialData, ...], posterior: Posterior) -> dict[str, Any]:
    """The posterior once more by weights of the prior."""
    told = REGISTERED["ranks_counts"]
    made = weighed.cloud(plan, trials, told["draws"], told["own"], told["seed"])
    found = weighed.published(plan, trials, made)
    return {"rows": compared(posterior, found.pieces), "effective": found.effective}


def drawn(plan: CalibrationPlan, posterior: Posterior) -> Draws:
    """Draws of a posterior in the shape of those of the prior."""
    d = posterior.draws
    found = {name: column for name, column in d.items() if "." not in name}
    for head in ("effect", "craving", "level"):
        found[head] = np.stack([d[f"{head}.{one.protocol}"] for one in plan.trial], axis=1)
    found["substance"] = np.stack([d[f"substance.{name}"] for name in SUBSTANCES], axis=1)
    return found


def without(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], posterior: Posterior, place: int
) -> tuple[np.ndarray, float, dict[str, np.ndarray]]:
    """Weights of the draws when one trial is left out, their k, and values of that trial as one not seen.

    A draw's weight is one over the trial's likelihood, averaged over what a trial has of its own.
    """
    one, size = trials[place], posterior.size
    generator = np.random.default_rng([plan.seed, 7, place])
    row = np.repeat(np.arange(size), _OWN)
    effect, craving = generator.normal(size=(2, row.size))
    own = posterior.trial_values(
        SUBSTANCES[places_of(plan)[place]], row=row, own_effect=effect, own_craving=craving,
        own_level=generator.uniform(size=row.size),
    ).values  # fmt: skip
    log = log_likelihood(plan, one, one.emulator.at(to_unit(plan, own)), posterior.draws["null_seen"][row])
    weights, k = smoothed_weights(-logsumexp(log.reshape(size, _OWN), axis=1))
    return weights, k, own


def _published_arms(protocol: Protocol) -> list[dict[str, Any]]:
    """Numbers of arms that were published, those that score first of all by their kind of source."""
    rows = []
    for one in protocol.comparisons:
        if one.analysis is not None or one.arm is None or one.endpoint is None:
            continue
        there = published_outcome(
            protocol.evidence or "", arm_or_contrast=one.arm_or_contrast, endpoint=one.outcome, statistic=one.statistic
        )
        rows.append({
            "endpoint": one.endpoint, "arm": one.arm, "value": float(there.value), "n": there.n,
            "kind": there.source_kind, "scores": there.source_kind == "abstract or registry",
            "treated": protocol.arms[[arm.id for arm in protocol.arms].index(one.arm)].id == protocol.arms[0].id,
        })  # fmt: skip
    return rows


def _simulated_arms(
    plan: CalibrationPlan, one: TrialData, protocol: Protocol, own: dict[str, np.ndarray], wanted: list[dict[str, Any]]
) -> list[np.ndarray]:
    """Percent in each wanted arm, of one exact trial at each draw."""
    needed = {row["endpoint"] for row in wanted}
    endpoints = tuple(each for each in protocol.endpoints if each.id in needed)
    # The therapies of the fit's own protocol: their worth is found once.
    trimmed = one.targets.protocol.replace(endpoints=endpoints, analyses=())
    names = [arm.id for arm in protocol.arms]
    seeds = np.random.SeedSequence([REGISTERED["arms"]["seed"], 1]).generate_state(len(own["level"]), dtype=np.uint64)
    columns: list[list[float]] = [[] for _ in wanted]
    for draw, seed in enumerate(seeds.tolist()):
        values = {value.name: float(own[value.name][draw]) for value in plan.value}
        level = values.pop("level")
        parameters = shifted(course_parameters_of(trimmed).replace(**values), level)
        made = plan_trial(trimmed, n_replicates=1, seed=seed, parameters=parameters)
        piece = made.run(made.chunks[0])
        for column, row in zip(columns, wanted, strict=True):
            share = float(piece.arms[row["endpoint"]].mean[0, names.index(row["arm"])])
            unit = next(each.unit for each in endpoints if each.id == row["endpoint"])
            column.append(100.0 * share if unit == "share of people" else share)
    return [np.array(column) for column in columns]


def _levels(others: list[dict[str, Any]], row: dict[str, Any], effect_sd: float, generator: Any) -> np.ndarray:
    """Percent of an arm of a new trial, from those of other trials: mean and spread of logits on a grid."""
    mean, tau = np.meshgrid(np.linspace(-5.0, 5.0, 121), np.linspace(0.02, 4.0, 80), indexing="ij")
    log = norm.logpdf(mean, 0.0, 1.5) + halfnorm.logpdf(tau, scale=1.0)
    for trial in sorted({one["trial"] for one in others}):
        mine = [one for one in others if one["trial"] == trial]
        # Arms of one trial share its level: they count as their average.
        value = np.mean([logit(one["value"] / 100.0) for one in mine])
        error = np.sqrt(np.mean([_logit_error(one) ** 2 + effect_sd**2 for one in mine]) / len(mine))
        log = log + norm.logpdf(value, mean, np.hypot(tau, error))
    weight = np.exp(log - logsumexp(log)).ravel()
    parts = generator.choice(weight.size, 4000, p=weight / weight.sum())
    drawn_logit = generator.normal(mean.ravel()[parts], np.hypot(tau.ravel()[parts], effect_sd))
    people = int(row["n"] or 25)
    return 100.0 * generator.binomial(people, expit(drawn_logit)) / people


def _logit_error(row: dict[str, Any]) -> float:
    share = row["value"] / 100.0
    return float(1.0 / np.sqrt(max(row["n"] or 25, 2) * share * (1.0 - share)))


def _scored(draws: np.ndarray, value: float, level: float) -> dict[str, float]:
    low, middle, high = np.quantile(draws, [level, 0.5, 1.0 - level])
    pairs = np.abs(draws[:, None] - draws[None, :400]).mean()
    return {
        "low": float(low), "middle": float(middle), "high": float(high), "inside": bool(low <= value <= high),
        "crps": float(np.abs(draws - value).mean() - 0.5 * pairs),
    }  # fmt: skip


def _three(draws: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    low, middle, high = weighted_quantiles(draws, weights)
    return {"low": float(low), "median": float(middle), "high": float(high)}


PARTS = {
    "predictive": predictive, "identified": identified, "sobol": sobol, "influence": influence, "arms": arms,
    "weights": weights,
}  # fmt: skip

if __name__ == "__main__":
    main()
