"""A forecast: what a trial will find and say, under the chain, the other trials and both; written once.

For draws d of the values, with trials r of each::

    chain       estimate ~ mixture over d of normal(mean_d, s), s: what trials of one draw vary by
    baseline    :mod:`remission.design.effect_models`, on the standard error that the simulated trials report
    stacked     both, by the stacking weight
    no effect   normal(none, standard error)

A file is never edited. It is scored when the trial reads out (:mod:`remission.foresight.score`).
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from remission.analyses.estimate import Z95
from remission.design.effect_models import MEANS, baseline_of, direction_of, stacked_law, told
from remission.design.measures import to_scale
from remission.design.variants import choose_analysis, one_analysis
from remission.errors import SpecError, WorkError
from remission.evidence.standardized import Law
from remission.files import write_text
from remission.foresight.draws import new_trials, parameters_of_draw, with_fixed_worth
from remission.library.posteriors import load_posterior
from remission.library.published import trial_citation
from remission.protocol.record import Protocol
from remission.provenance import package_version, source_hashes, today
from remission.records.packaged import packaged_toml
from remission.records.result import Result
from remission.records.seed import DEFAULT_SEED
from remission.runs.crew import Crew, crew_of
from remission.shapes import Float
from remission.streams import check_seed
from remission.trial.simulate import plan_trial
from remission.trial.summary import unit_of

FORMAT = "remission/forecast/2"
SHARES = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
VERDICTS = ("helps", "no difference", "harms")
ALPHA = 0.05
_DIGITS = 6
_FEWEST_GOOD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Result):
    """What a trial will find; ``content`` is the whole file, as plain data."""

    content: dict[str, Any]

    @property
    def models(self) -> dict[str, Any]:
        """Estimate and verdict under each model."""
        found: dict[str, Any] = self.content["models"]
        return found

    def _facts(self) -> list[tuple[str, Any]]:
        c = self.content
        return [
            ("protocol", c["protocol"]["id"]), ("analysis", c["analysis"]["label"]), ("unit", c["analysis"]["unit"]),
            *((name, _line(one)) for name, one in self.models.items()),
        ]  # fmt: skip

    def columns(self) -> dict[str, Any]:
        """One row a model."""
        rows = self.models
        return {
            "model": list(rows),
            "mean": [one["mean"] for one in rows.values()],
            "low_90": [one["quantiles"]["5%"] for one in rows.values()],
            "high_90": [one["quantiles"]["95%"] for one in rows.values()],
            **{name.replace(" ", "_"): [one["verdict"][name] for one in rows.values()] for name in VERDICTS},
        }

    def to_json(self) -> str:
        """The file."""
        return json.dumps(self.content, ensure_ascii=False, allow_nan=False)


def forecast_trial(
    protocol: Protocol,
    *,
    analysis: str | None = None,
    n_draws: int = 400,
    n_replicates: int = 10,
    conditions: Sequence[str] = (),
    n_workers: int = 1,
    seed: int = DEFAULT_SEED,
) -> Forecast:
    """What a trial without a result will find and say, under the chain, the other trials and both.

    Parameters
    ----------
    protocol
        The trial.
    analysis
        Id of the analysis that is forecast; the first when left out.
    n_draws
        Draws of the model's values from the posterior, at least 20.
    n_replicates
        Trials of each draw, at least 2.
    conditions
        What the forecast holds under and the record does not say; with any it is a conditional scenario.
    n_workers
        Processes; with more than one, a script of your own needs ``if __name__ == "__main__":``.
    seed
        0 to 2**64 - 1.

    Raises
    ------
    SpecError
        An argument is wrong, or the other trials say nothing of this analysis.
    WorkError
        Most simulated trials gave no estimate.
    """
    with crew_of(n_workers) as crew:
        return make_forecast(
            protocol, analysis=analysis, n_draws=n_draws, n_replicates=n_replicates, conditions=conditions, crew=crew,
            seed=seed,
        )  # fmt: skip


def make_forecast(
    protocol: Protocol,
    *,
    analysis: str | None,
    n_draws: int,
    n_replicates: int,
    conditions: Sequence[str] = (),
    crew: Crew,
    seed: int,
) -> Forecast:
    """As :func:`forecast_trial`; ``crew``: who simulates."""
    check_seed(seed)
    for where, count, least in (("n_draws", n_draws, 20), ("n_replicates", n_replicates, 2)):
        if count < least:
            raise SpecError(where=where, got=count, allowed=f"a whole number from {least}")
    wanted = choose_analysis(protocol, analysis)
    # Refused before any work: a forecast without a baseline could not be judged.
    baseline_of(protocol, wanted, standard_error=1.0, alpha=ALPHA)
    posterior = load_posterior()
    found = _simulated(protocol, wanted, n_draws, n_replicates, seed, crew)
    # The middle one: where hardly anybody has the outcome, errors of single draws have no end.
    error = float(np.nanmedian(found.error))
    baseline = baseline_of(protocol, wanted, standard_error=error, alpha=ALPHA)
    sign = direction_of(protocol, wanted)
    chain = _law_of(found.estimate)
    weight = baseline.others.stacking_weight
    verdicts = {
        "chain": found.verdicts(sign), "baseline": baseline.chances,
        "no effect": {"helps": ALPHA / 2.0, "no difference": 1.0 - ALPHA, "harms": ALPHA / 2.0},
    }  # fmt: skip
    verdicts["stacked"] = {
        name: weight * verdicts["chain"][name] + (1.0 - weight) * verdicts["baseline"][name] for name in VERDICTS
    }
    laws = {
        "chain": chain, "baseline": baseline.estimate.few(), "stacked": stacked_law(chain, baseline.estimate.few()),
        "no effect": Law(center=np.zeros(1), spread=np.array([error]), weight=np.ones(1)),
    }  # fmt: skip
    chosen = protocol.analysis(wanted)
    endpoint = protocol.endpoint(chosen.endpoint)
    is_log = chosen.facts.scale == "ratio"
    models = {name: _told(law, verdicts[name], is_log=is_log) for name, law in laws.items()}
    content = {
        "format": FORMAT,
        "kind": "conditional scenario" if conditions else "forecast",
        "conditions": list(conditions),
        "written": today(),
        "version": package_version(),
        "commit": commit(),
        "source_sha256": source_hashes(),
        "seed": seed,
        "protocol": {"id": protocol.id, "title": protocol.title, "content_hash": protocol.content_hash,
                     "content": protocol.to_dict()},
        "record": protocol.evidence,
        "registration": _registration(protocol),
        "posterior": {"plan": posterior.plan, "plan_hash": posterior.plan_hash, "form": posterior.form,
                      "sha256": posterior.sha256},
        "draws": n_draws,
        "trials_of_each_draw": n_replicates,
        "trials_without_estimate": found.n_failed,
        "analysis": {
            "id": wanted, "label": chosen.label, "endpoint": endpoint.label, "kind": endpoint.kind,
            "method": chosen.method, "unit": unit_of(chosen, endpoint), "is_log": is_log,
            "favors_treatment": "larger" if sign > 0 else "smaller", "alpha": ALPHA,
        },
        "n": protocol.population.n_subjects,
        "standard_error": round(error, _DIGITS),
        "stacking_weight": weight,
        "models": models,
        "arms": found.arms(protocol, chosen.endpoint),
        "says": [f"{name}: {words}." for name, words in MEANS.items()] + told(baseline),
        "counts_against_it": _against(models, found.arms(protocol, chosen.endpoint), endpoint.label,
                                      unit_of(chosen, endpoint)),
    }  # fmt: skip
    return Forecast(content=content)


def register_forecast(forecast: Forecast, path: Path) -> None:
    """Write a forecast; it is never written again.

    Raises NameTakenError: a file of that name is there; RunError or WorkError: it cannot be written.
    """
    write_text(path, json.dumps(forecast.content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def commit() -> str | None:
    """The commit of the source that runs; none where it was installed."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True  # noqa: S607
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip()


def forecast_file(protocol: Protocol) -> str:
    """The name of the file of a forecast that is registered today."""
    return f"{protocol.id}-{today()}-forecast.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Trials of every draw, on the scale of the analysis; NaN where one gave no estimate."""

    estimate: Float[np.ndarray, "draw replicate"]
    error: Float[np.ndarray, "draw replicate"]
    p_value: Float[np.ndarray, "draw replicate"]
    level: Float[np.ndarray, "draw replicate arm"]

    @property
    def n_failed(self) -> int:
        return int((~np.isfinite(self.estimate)).sum())

    def verdicts(self, sign: int) -> dict[str, float]:
        """Shares of trials; one without an estimate found no difference."""
        said = np.isfinite(self.estimate) & (self.p_value < ALPHA)
        helps, harms = (float((said & (toward * sign * self.estimate > 0.0)).mean()) for toward in (1, -1))
        return {"helps": helps, "no difference": 1.0 - helps - harms, "harms": harms}

    def arms(self, protocol: Protocol, endpoint: str) -> dict[str, Any]:
        """The level of each arm in a new trial."""
        unit = protocol.endpoint(endpoint).unit
        found = {}
        for place, arm in enumerate(protocol.arms):
            values = self.level[..., place].ravel()
            values = values[np.isfinite(values)]
            if values.size:
                ends = np.quantile(values, SHARES)
                found[arm.id] = {"mean": _rounded(float(values.mean())), "unit": unit, "quantiles": _by_share(ends)}
        return found


def _simulated(protocol: Protocol, wanted: str, n_draws: int, n_replicates: int, seed: int, crew: Crew) -> _Found:
    alone = with_fixed_worth(one_analysis(protocol, wanted))
    draws = new_trials(load_posterior(), protocol, n_draws, seed=seed)
    # People of its own for every draw, as in an assurance.
    seeds = np.random.SeedSequence(seed).generate_state(n_draws, dtype=np.uint64).tolist()
    items = list(zip(draws, seeds, strict=True))
    pieces = list(crew.in_order(partial(_one_draw, alone, wanted, n_replicates), items))
    found = _Found(**{name: np.stack([one[name] for one in pieces]) for name in pieces[0]})
    if found.n_failed > _FEWEST_GOOD * found.estimate.size:
        raise WorkError(
            where=f"analysis {wanted}", got=f"{found.n_failed} of {found.estimate.size} simulated trials without an "
            "estimate", allowed="an estimate in most of them", remedy="Take more people or another analysis.",
        )  # fmt: skip
    return found


def _one_draw(protocol: Protocol, wanted: str, n_replicates: int, item: tuple[dict[str, float], int]) -> dict[str, Any]:
    values, seed = item
    plan = plan_trial(protocol, n_replicates=n_replicates, seed=seed, parameters=parameters_of_draw(protocol, values))
    pieces = [plan.run(chunk) for chunk in plan.chunks]
    analysis = protocol.analysis(wanted)
    found = [piece.estimates[wanted] for piece in pieces]
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate, low, high = (
            to_scale(np.concatenate([getattr(one, name) for one in found]), analysis.method)
            for name in ("estimate", "low", "high")
        )
    return {
        "estimate": np.where(np.isfinite(estimate), estimate, np.nan),
        "error": np.where(np.isfinite(high - low), (high - low) / (2.0 * Z95), np.nan),
        "p_value": np.concatenate([one.p_value for one in found]),
        "level": np.concatenate([piece.arms[analysis.endpoint].mean for piece in pieces]),
    }


def _law_of(estimate: Float[np.ndarray, "draw replicate"]) -> Law:
    """The law of a new trial's estimate: a part for each draw, as wide as trials of one draw vary."""
    good = [row[np.isfinite(row)] for row in estimate]
    good = [row for row in good if row.size]
    center = np.array([row.mean() for row in good])
    within = [row.var(ddof=1) * (1.0 - 1.0 / row.size) for row in good if row.size > 1]
    # The means of the draws vary by a part of the noise already.
    spread = max(float(np.sqrt(np.mean(within))) if within else 0.0, 1e-9)
    n = len(good)
    return Law(center=center, spread=np.full(n, spread), weight=np.full(n, 1.0 / n))


def _told(law: Law, verdict: dict[str, float], *, is_log: bool) -> dict[str, Any]:
    ends = law.quantiles(np.array(SHARES))
    read = np.exp if is_log else np.asarray
    parts: dict[str, Any] = {"center": [_rounded(one) for one in law.center.tolist()],
                             "spread": _rounded(float(law.spread[0]))}  # fmt: skip
    if np.ptp(law.spread) > 0.0 or np.ptp(law.weight) > 0.0:
        parts |= {name: [_rounded(one) for one in getattr(law, name).tolist()] for name in ("spread", "weight")}
    # Of a ratio the middle is told: the mean of its law has no meaning for a reader.
    middle = float(np.exp(law.quantiles(np.array([0.5]))[0])) if is_log else law.mean
    return {
        "mean": _rounded(middle), "sd": _rounded(law.sd), "quantiles": _by_share(read(ends)),
        "verdict": {name: _rounded(verdict[name]) for name in VERDICTS}, "law": parts,
    }  # fmt: skip


def _line(model: dict[str, Any]) -> str:
    ends = model["quantiles"]
    return f"{model['mean']:.3g}, 90% {ends['5%']:.3g} to {ends['95%']:.3g}; helps {model['verdict']['helps']:.2f}"


def _by_share(values: Float[np.ndarray, " share"]) -> dict[str, float]:
    return {f"{100.0 * share:g}%": _rounded(float(one)) for share, one in zip(SHARES, values, strict=True)}


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def law_of_file(parts: dict[str, Any]) -> Law:
    """The law that a forecast's file holds."""
    center = np.asarray(parts["center"], dtype=np.float64)
    spread = np.broadcast_to(np.asarray(parts["spread"], dtype=np.float64), center.shape)
    weight = np.asarray(parts.get("weight", np.full(center.shape, 1.0 / center.size)), dtype=np.float64)
    return Law(center=center, spread=spread, weight=weight / weight.sum())


def _against(models: dict[str, Any], arms: dict[str, Any], label: str, unit: str) -> list[str]:
    words = packaged_toml("words", "forecast.toml")["against"]
    lines = []
    for name in ("chain", "baseline", "stacked"):
        ends, chances = models[name]["quantiles"], models[name]["verdict"]
        least = min(chances, key=lambda one: chances[one])
        likely = max(chances, key=lambda one: chances[one])
        told = {"model": name, "low": ends["2.5%"], "high": ends["97.5%"], "unit": unit}
        lines.append(words["outside"].format(**told))
        lines.append(words["verdict"].format(model=name, likely=likely, chance=chances[likely], least=least,
                                             least_chance=chances[least]))  # fmt: skip
    lines += [
        words["level"].format(arm=arm, label=label, low=one["quantiles"]["2.5%"], high=one["quantiles"]["97.5%"])
        for arm, one in arms.items()
    ]
    return [*lines, words["scores"], words["other"]]


def _registration(protocol: Protocol) -> list[str]:
    return [] if protocol.evidence is None else list(trial_citation(protocol.evidence).registrations)
