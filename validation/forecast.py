"""Forecast a registered trial twice and write it down: ``python -m validation.forecast FOLDER`` (``make forecast``).

One forecast from the default values of the model, one from its priors weighted by the trials that the program takes as
evidence, and two baselines without a model. Every number follows from the protocol, the commit and the seed; a forecast
that has been written is never written again, so FOLDER must not hold one.

Equations of the weighted forecast, for draws d of the values with trials r = 1..R of each::

    weight w_d = likelihood of the published outcomes at d, scaled to sum 1   (remission.design.evidence)
    a new trial's result ~ the mixture over d, r with weights w_d / R

Baseline of other trials, on standardized differences (difference / SD between people; positive helps)::

    y_i ~ normal(theta_i, s_i)              numbers that were read in an abstract or a registry
    P(|y| < 1.96 s) or P(y > 1.96 s)        results in words, of any kind: no difference, or favors ketamine;
                                            s = 2 / sqrt(n)
    theta_i ~ normal(mu, tau), mu ~ normal(0, 0.5), tau ~ half-normal(0.5)

An odds ratio is turned into a standardized difference by sqrt(3) / pi times its logarithm: the standard deviation of
the logistic distribution is pi / sqrt(3). Press numbers enter nowhere.
"""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import halfnorm, norm

from remission.design.evidence import evidence_trials, log_likelihoods, simulate_evidence
from remission.design.priors import priors_of, sample_values
from remission.evidence import load_evidence
from remission.evidence.verdicts import NO_DIFFERENCE, verdicts
from remission.library.loader import load_parameter_set
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.protocol.file import read_protocol
from remission.protocol.record import Protocol
from remission.provenance import source_hashes
from remission.records.evidence import StudyOutcome, StudyRecord
from remission.records.parameter import MODEL_FORM
from remission.trial.result import TrialResult
from remission.trial.simulate import plan_trial
from remission.trial.truth import estimand_truth
from validation.bias import measure_bias

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261128
REPLICATES = 1000
PEOPLE = 20_000
DRAWS, TRIALS_PER_DRAW = 400, 10
ALPHA = 0.05
Z95 = 1.959963984540054
SHARES = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
CONTRAST = ("grabski_2022_kare", "K pooled (48) vs saline pooled (48)")
"""A difference of means in percentage points with its interval; the two groups have the same size."""
COUNTS = ("dakwar_2019_cocaine", "Ketamine", "Midazolam", "abstinent for last 2 weeks of trial (ITT)")
"""People without use in two arms. The trial was stopped early, which makes its effect too large."""
WORDS = ("yoon_2025_rct", "jovaisa_2006", "tobacco_pilot_null", "dakwar_2020_aud")
"""Randomized comparisons of ketamine with a control on use that were read in words."""


def main() -> None:
    """Both forecasts and the baselines into two files."""
    folder = Path(sys.argv[1])
    paths = {name: folder / f"more-kare-{name}.json" for name in ("default", "evidence")}
    if found := [str(path) for path in paths.values() if path.exists()]:
        sys.exit(f"A forecast is never written again: {', '.join(found)}. Name another folder to compare with.")
    protocol_path = ROOT / "docs" / "forecasts" / "more-kare.yaml"
    protocol = read_protocol(protocol_path)
    shared = {
        "format": "remission/forecast/1",
        "trial": protocol.evidence,
        "registration": "ISRCTN85955128",
        "written": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _git("rev-parse", "HEAD"),
        "source_sha256": source_hashes(),
        "seed": SEED,
        "command": "python -m validation.forecast FOLDER",
        "protocol": {"file": protocol_path.name, "sha256": hashlib.sha256(protocol_path.read_bytes()).hexdigest()},
        "parameter_set": {
            "id": DEFAULT_PARAMETER_SET, "content_hash": load_parameter_set(DEFAULT_PARAMETER_SET).content_hash
        },
        "endpoint": "share of days from day 0 to day 179 that were heavy, in percent; days not seen are left out",
        "contrast": "0.8 minus 0.05 mg/kg, adjusted for therapy; below zero favors 0.8 mg/kg",
        "unit": "percentage points",
        "n": protocol.population.n_subjects,
        "alpha": ALPHA,
    }  # fmt: skip
    default, result = from_defaults(protocol)
    spread = spread_of(protocol, result)
    weighted = from_evidence(protocol)
    baselines = {
        "no_effect": no_effect(default["contrasts"]["hdd-dose"]["mean_standard_error"]),
        "other_trials": other_trials(protocol.population.n_subjects, spread),
        "standard_deviation_between_people": {"value": spread, "from": "the default values, both doses together"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, forecast in (("default", default), ("evidence", weighted)):
        data = {**shared, "forecast": forecast, "baselines": baselines, "counts_against_it": against(forecast)}
        paths[name].write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"Wrote {paths[name]}")


def from_defaults(protocol: Protocol) -> tuple[dict[str, Any], TrialResult]:
    """Trials at the default values: what a trial of this size would show if the model were right at its defaults."""
    values = course_parameters_of(protocol, parameter_set=MODEL_FORM)
    plan = plan_trial(protocol, n_replicates=REPLICATES, seed=SEED, parameters=values)
    result = plan.finish([plan.run(chunk) for chunk in plan.chunks])
    truth = estimand_truth(protocol, n_people=PEOPLE, seed=SEED + 1, parameters=values)
    contrasts = {}
    for analysis in (item.id for item in protocol.analyses):
        found = result.estimates[analysis]
        rows = np.arange(found.estimate.size)
        even = np.full(rows.size, 1.0 / rows.size)
        contrasts[analysis] = summary(found.estimate, found.p_value, found.low, found.high, even, rows)
    bias = measure_bias(result, truth.primary)
    contrasts["hdd-dose"] |= {
        "truth": {"value": truth.primary.estimate, "mcse": truth.primary.mcse, "people": truth.n_people},
        "bias": {"value": bias.bias, "mcse": bias.bias_mcse},
        "coverage": {"value": bias.coverage, "mcse": bias.coverage_mcse},
    }
    levels = result.arms["hdd"].mean
    even = np.full(len(levels), 1.0 / len(levels))
    forecast = {
        "of": "a trial of this size, the values of the model being its defaults",
        "note": "The defaults were tuned by hand on published trials, the alcohol trial that this one follows among "
        "them; a trial that found nothing was not.",
        "replicates": REPLICATES,
        "contrasts": contrasts,
        "arms": {arm.id: _level(levels[:, index], even) for index, arm in enumerate(protocol.arms)},
    }
    return forecast, result


def from_evidence(protocol: Protocol) -> dict[str, Any]:
    """Trials over the priors of the model, each draw counting by what published trials say of it.

    Draws, seeds and weights are those of ``remission.design.assurance``; a test holds this to it.
    """
    trials = evidence_trials()
    found = draw_trials(protocol, n_draws=DRAWS, n_trials=TRIALS_PER_DRAW, seed=SEED)
    logs = [log_likelihoods(trial, [one["evidence"][name] for one in found]) for name, trial in trials.items()]
    return {
        "of": "a trial of this size, the values of the model drawn from its priors and weighted by published trials",
        "note": "The priors can hardly say that there is no effect, and the trials that weigh them also tuned the "
        "defaults; both lean toward an effect. No value of the model was measured.",
        "evidence": list(trials),
        "draws": DRAWS,
        "trials_of_each_draw": TRIALS_PER_DRAW,
        **mixture(protocol, found, sum(logs, np.zeros(DRAWS))),
        "prior_without_evidence": mixture(protocol, found, np.zeros(DRAWS))["contrasts"]["hdd-dose"],
    }


def draw_trials(protocol: Protocol, *, n_draws: int, n_trials: int, seed: int) -> list[dict[str, Any]]:
    """Trials of the protocol and of the evidence at each draw, with the seeds that an assurance uses."""
    seeds = np.random.SeedSequence(seed).generate_state(2 * n_draws, dtype=np.uint64).tolist()
    trials = evidence_trials()
    base = course_parameters_of(protocol, parameter_set=MODEL_FORM)
    found = []
    for draw, values in enumerate(sample_values(priors_of(protocol), n_draws, seed)):
        plan = plan_trial(protocol, n_replicates=n_trials, seed=seeds[draw], parameters=base.replace(**values))
        pieces = [plan.run(chunk) for chunk in plan.chunks]
        of_evidence = {}
        for name, trial in trials.items():
            shared = {one.name for one in priors_of(trial.protocol)}
            kept = {key: value for key, value in values.items() if key in shared}
            of_evidence[name] = simulate_evidence(trial, kept, n_trials=n_trials, seed=seeds[n_draws + draw])
        columns = {
            item.id: [
                np.concatenate([getattr(piece.estimates[item.id], name) for piece in pieces])
                for name in ("estimate", "p_value", "low", "high")
            ]
            for item in protocol.analyses
        }
        levels = np.concatenate([piece.arms["hdd"].mean for piece in pieces])
        found.append({"columns": columns, "levels": levels, "evidence": of_evidence})
        if draw % 50 == 49:
            print(f"{draw + 1} of {n_draws} draws", file=sys.stderr, flush=True)
    return found


def mixture(protocol: Protocol, found: list[dict[str, Any]], log_weights: Float[np.ndarray, " draw"]) -> dict[str, Any]:
    """A new trial over the draws, each with its weight."""
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    n_trials = len(found[0]["levels"])
    per_row = np.repeat(weights / n_trials, n_trials)
    draw = np.repeat(np.arange(len(found)), n_trials)
    contrasts = {}
    for item in protocol.analyses:
        estimate, p_value, low, high = (
            np.concatenate([one["columns"][item.id][place] for one in found]) for place in range(4)
        )
        contrasts[item.id] = summary(estimate, p_value, low, high, per_row, draw)
    levels = np.concatenate([one["levels"] for one in found])
    return {
        "effective_draws": float(1.0 / (weights**2).sum()),
        "contrasts": contrasts,
        "arms": {arm.id: _level(levels[:, index], per_row) for index, arm in enumerate(protocol.arms)},
    }


def summary(
    estimate: Float[np.ndarray, " row"],
    p_value: Float[np.ndarray, " row"],
    low: Float[np.ndarray, " row"],
    high: Float[np.ndarray, " row"],
    weight: Float[np.ndarray, " row"],
    draw: Any,
) -> dict[str, Any]:
    """The distribution of one contrast in a new trial, with the Monte Carlo error of each number.

    Parameters
    ----------
    weight
        Of each row, sum 1.
    draw
        Which draw a row belongs to; rows of one draw are not independent.
    """
    good = np.isfinite(estimate)
    weight = np.where(good, weight, 0.0)
    weight = weight / weight.sum()
    estimate = np.where(good, estimate, 0.0)
    is_significant = good & (p_value < ALPHA)
    columns = {
        "mean": estimate,
        "probability_p_below_alpha": is_significant,
        "probability_p_below_alpha_favoring_high": is_significant & (estimate < 0.0),
        "probability_p_below_alpha_favoring_low": is_significant & (estimate > 0.0),
        "probability_below_zero": estimate < 0.0,
    }
    found: dict[str, Any] = {name: _weighted(column.astype(float), weight, draw) for name, column in columns.items()}
    found["standard_deviation"] = float(np.sqrt(weight @ (estimate - found["mean"]["value"]) ** 2))
    found["mean_standard_error"] = float(weight @ np.where(good, (high - low) / (2.0 * Z95), 0.0))
    found["quantiles"] = _quantiles(estimate, weight)
    found["failed"] = int((~good).sum())
    return found


def _weighted(values: Float[np.ndarray, " row"], weight: Float[np.ndarray, " row"], draw: Any) -> dict[str, float]:
    """A weighted mean and its Monte Carlo error, rows of one draw hanging together."""
    mean = float(weight @ values)
    per_draw = np.bincount(draw, weights=weight * (values - mean))
    shares = np.bincount(draw, weights=weight)
    error = float(np.sqrt((per_draw**2).sum() / max(1e-12, 1.0 - float((shares**2).sum()))))
    return {"value": mean, "mcse": error}


def _quantiles(values: Float[np.ndarray, " row"], weight: Float[np.ndarray, " row"]) -> dict[str, float]:
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    places = np.minimum(np.searchsorted(below, np.array(SHARES) * below[-1]), values.size - 1)
    return {f"{100 * share:g}%": float(values[order][place]) for share, place in zip(SHARES, places, strict=True)}


def _level(values: Float[np.ndarray, " row"], weight: Float[np.ndarray, " row"]) -> dict[str, Any]:
    return {"mean": float(weight @ values / weight.sum()), "quantiles": _quantiles(values, weight)}


def spread_of(protocol: Protocol, result: TrialResult) -> float:
    """Standard deviation of the endpoint between people at the default values. [percentage points]"""
    found = result.estimates["hdd-dose"]
    error = np.nanmean((found.high - found.low) / (2.0 * Z95))
    return float(error * np.sqrt(protocol.population.n_subjects) / 2.0)


def no_effect(error: float) -> dict[str, Any]:
    """The baseline that nothing helps: an estimate around zero with the error that a trial of this size has."""
    return {
        "mean": 0.0,
        "standard_deviation": error,
        "quantiles": {f"{100 * share:g}%": float(norm.ppf(share) * error) for share in SHARES},
        "probability_p_below_alpha": ALPHA,
        "probability_p_below_alpha_favoring_high": ALPHA / 2.0,
    }


def other_trials(n: int, spread: float) -> dict[str, Any]:
    """The baseline of other trials: their standardized effects, random effects, and a new trial drawn from them."""
    numbers = {CONTRAST[0]: of_contrast(*CONTRAST), COUNTS[0]: of_counts(*COUNTS)}
    known = {one.study.id: one for one in verdicts(load_evidence()) if one.endpoints}
    in_words = [(name, known[name].says == NO_DIFFERENCE, known[name].n or 0) for name in WORDS]
    grid_mu, grid_tau = np.meshgrid(np.linspace(-2.0, 2.0, 401), np.linspace(0.005, 2.0, 200), indexing="ij")
    log = norm.logpdf(grid_mu, 0.0, 0.5) + halfnorm.logpdf(grid_tau, scale=0.5)
    for y, s in numbers.values():
        log = log + norm.logpdf(y, grid_mu, np.hypot(grid_tau, s))
    alone = _new_trial(log, grid_mu, grid_tau, n, spread)
    for _, is_null, people in in_words:
        s = 2.0 / np.sqrt(people)
        law = norm(grid_mu, np.hypot(grid_tau, s))
        log = log + np.log(law.cdf(Z95 * s) - law.cdf(-Z95 * s) if is_null else law.sf(Z95 * s))
    return {
        **_new_trial(log, grid_mu, grid_tau, n, spread),
        "numbers": [
            {"record": name, "standardized_difference": y, "standard_error": s} for name, (y, s) in numbers.items()
        ],
        "words": [
            {"record": name, "says": NO_DIFFERENCE if is_null else "favors ketamine", "n": people}
            for name, is_null, people in in_words
        ],
        "without_the_results_in_words": alone,
    }


def of_contrast(record_id: str, contrast: str) -> tuple[float, float]:
    """A difference of means as a standardized difference, positive for help, with its standard error."""
    item = _first_hand(record_id, contrast)
    assert item.value is not None
    assert item.ci_low is not None
    assert item.ci_high is not None
    assert item.n is not None
    # Two arms of equal size: the error of a difference is 2 SD / sqrt(n).
    error = 2.0 / float(np.sqrt(item.n))
    return float(item.value) * error / (float(item.ci_high - item.ci_low) / (2.0 * Z95)), error


def of_counts(record_id: str, treated: str, control: str, endpoint: str) -> tuple[float, float]:
    """Two counts of people who did well as a standardized difference, positive for help, with its standard error."""
    cells = []
    for arm in (treated, control):
        item = _first_hand(record_id, arm, endpoint)
        assert item.value is not None
        assert item.n is not None
        events = round(float(item.value) * item.n / 100.0)
        cells += [events, item.n - events]
    per = float(np.sqrt(3.0) / np.pi)
    log_odds_ratio = float(np.log(cells[0] * cells[3] / (cells[1] * cells[2])))
    return per * log_odds_ratio, per * float(np.sqrt(sum(1.0 / cell for cell in cells)))


def _first_hand(record_id: str, arm_or_contrast: str, endpoint: str | None = None) -> StudyOutcome:
    study = load_evidence()[record_id]
    assert isinstance(study, StudyRecord)
    return next(
        one
        for one in study.outcomes
        if one.arm_or_contrast == arm_or_contrast and endpoint in {None, one.endpoint} and one.is_first_hand
    )


def _new_trial(
    log: Float[np.ndarray, "mu tau"],
    grid_mu: Float[np.ndarray, "mu tau"],
    grid_tau: Float[np.ndarray, "mu tau"],
    n: int,
    spread: float,
) -> dict[str, Any]:
    """A new trial's estimate in points, and how often it is significant, averaged over the grid."""
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    s = 2.0 / float(np.sqrt(n))
    law = norm(grid_mu, np.hypot(grid_tau, s))
    helps = float((weight * law.sf(Z95 * s)).sum())
    harms = float((weight * law.cdf(-Z95 * s)).sum())
    lines = np.linspace(-4.0, 4.0, 401)
    below = np.array([float((weight * law.cdf(line)).sum()) for line in lines])
    mean = float((weight * grid_mu).sum())
    return {
        "standardized_mean": mean,
        "standardized_mean_sd": float(np.sqrt((weight * (grid_mu - mean) ** 2).sum())),
        "heterogeneity_tau": float((weight * grid_tau).sum()),
        "mean": -spread * mean,
        "quantiles": {f"{100 * share:g}%": -spread * float(np.interp(1.0 - share, below, lines)) for share in SHARES},
        "probability_p_below_alpha": helps + harms,
        "probability_p_below_alpha_favoring_high": helps,
    }


def against(forecast: dict[str, Any]) -> list[str]:
    """What would count against a forecast, in words, before the result."""
    one = forecast["contrasts"]["hdd-dose"]
    low, high = one["quantiles"]["2.5%"], one["quantiles"]["97.5%"]
    chance = one["probability_p_below_alpha_favoring_high"]["value"]
    verdict = (
        f"No significant difference in favor of 0.8 mg/kg, to which it gives {1.0 - chance:.2f}."
        if chance >= 0.5
        else f"A significant difference in favor of 0.8 mg/kg, to which it gives {chance:.2f}."
    )
    levels = forecast["arms"]["low-education"]["quantiles"]
    return [
        f"A primary difference outside {low:.1f} to {high:.1f} percentage points of heavy days (95% of new trials).",
        verdict,
        "A log score of the published difference, or of its verdict, below that of either baseline.",
        f"A share of heavy days with 0.05 mg/kg and education outside {levels['2.5%']:.1f} to {levels['97.5%']:.1f}%.",
        "If heavy days are published over another time than six months, only the verdict is scored.",
    ]


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
