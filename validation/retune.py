"""Retune the behavior values under the default pharmacokinetics, towards ``targets.toml``.

For each substance a few values are searched by Nelder-Mead from the set ``episodes-2026`` with the drift and weekdays
of ``DIARIES``, everything else kept. The
loss is the sum of squared residuals in units of each target's ``weight_sd`` plus a quadratic pull towards the start.
The
same addressed draws serve every evaluation (common random numbers) and all arms see the same people.

Usage: ``python validation/retune.py [--check] [--substance alcohol ...]``. ``--check`` computes the targets under the
library's ``rhythms-2026`` and writes ``docs/validation/retuning.md`` without a search.
"""

import argparse
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from remission.analyses.hazards import analyze_hazard
from remission.endpoints.values import times_of, values_of
from remission.library.protocols import load_protocol
from remission.patient.course import Course
from remission.patient.kernels.reference import simulate_course
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_covariates, sample_traits
from remission.protocol.record import Protocol
from remission.records.endpoint import Endpoint
from remission.records.substance import Substance
from remission.streams import People
from remission.trial.endpoints import endpoint_data
from remission.trial.observation import observe
from remission.trial.schedule import build_schedule

ROOT = Path(__file__).resolve().parent.parent
START = "episodes-2026"
DIARIES = {
    Substance("alcohol"): {"sigma_d": 2.6, "tau_d_day": 48.0, "sigma_7": 1.4, "wk": 0.0},
    Substance("cocaine"): {"sigma_d": 2.8, "tau_d_day": 46.0, "sigma_7": 1.4},
    Substance("opioid"): {"sigma_d": 8.2, "tau_d_day": 78.0, "sigma_7": 0.78},
    Substance("cannabis"): {"sigma_d": 5.9, "tau_d_day": 105.0, "sigma_7": 0.88},
}
"""What ``python -m validation.realism.fit`` found in diaries; the pulls hold on to it."""
SEED = 20260101
N_PEOPLE = 3000
Numbers = dict[str, float]


@dataclass(frozen=True)
class Search:
    """What is searched for one substance: names, whether on a log or logit scale, first steps and pulls."""

    substance: Substance
    names: tuple[str, ...]
    scales: tuple[str, ...]
    steps: tuple[float, ...]
    pulls: tuple[float, ...]
    statistics: Callable[[CourseParameters], Numbers]


class Arms:
    """All arms of a protocol for the same people, with schedules made once."""

    def __init__(self, protocol: Protocol, n_people: int = N_PEOPLE) -> None:
        self.protocol = protocol
        self.people = People.of_replicates(seed=SEED, first=0, count=1, n_subjects=n_people)
        covariates = sample_covariates(self.people, protocol.population)
        pharmacology = load_pharmacology()
        self.schedules = {
            arm.id: build_schedule(
                self.people,
                protocol,
                arm=np.full(n_people, index, dtype=np.int64),
                covariates=covariates,
                pharmacology=pharmacology,
            )
            for index, arm in enumerate(protocol.arms)
        }

    def courses(self, parameters: CourseParameters) -> dict[str, Course]:
        """Every arm's course under some parameters."""
        population = self.protocol.population
        traits = sample_traits(
            self.people, parameters, clean_days=population.clean_days, self_quit=population.self_quit
        )
        return {
            name: simulate_course(self.people, traits, schedule, parameters)
            for name, schedule in self.schedules.items()
        }


def autocorrelation(use: np.ndarray, lag: int) -> float:
    """Mean over people with any variation of the within-person autocorrelation of daily use."""
    days = use[use.std(axis=1) > 0].astype(float)
    centered = days - days.mean(axis=1, keepdims=True)
    return float(((centered[:, lag:] * centered[:, :-lag]).sum(axis=1) / (centered**2).sum(axis=1)).mean())


def share_without_use(course: Course, first: int, last: int) -> float:
    """Percentage of people without a use day from ``first`` to ``last``, both included."""
    return 100.0 * float((course.use[:, first : last + 1].sum(axis=1) == 0).mean())


def alcohol_statistics(arms: Arms) -> Callable[[CourseParameters], Numbers]:
    """KARE's targets."""

    def compute(parameters: CourseParameters) -> Numbers:
        courses = arms.courses(parameters)
        pda = {name: 100.0 * (1.0 - course.use.mean(axis=1)) for name, course in courses.items()}
        clean = {name: share_without_use(course, 0, course.use.shape[1] - 1) for name, course in courses.items()}
        ketamine, saline = (
            np.mean([clean[f"{drug}-{therapy}"] for therapy in ("therapy", "education")]) / 100.0
            for drug in ("ketamine", "saline")
        )
        mean = {name: float(value.mean()) for name, value in pda.items()}
        everyone = np.concatenate([course.use for course in courses.values()])
        return {
            **{f"kare-pda-{name}": value for name, value in mean.items()},
            "kare-pda-difference": (
                mean["ketamine-therapy"]
                + mean["ketamine-education"]
                - mean["saline-therapy"]
                - mean["saline-education"]
            )
            / 2.0,
            "kare-pda-sd": float(np.sqrt(np.mean([value.var() for value in pda.values()]))),
            "kare-abstinent-saline": 100.0 * float(saline),
            "kare-relapse-or": float((1.0 - ketamine) / ketamine / ((1.0 - saline) / saline)),
            "alcohol-lag1": autocorrelation(everyone, 1),
            "alcohol-lag7": autocorrelation(everyone, 7),
        }

    return compute


def cocaine_statistics(arms: Arms) -> Callable[[CourseParameters], Numbers]:
    """The cocaine trial's targets, through its visits, tests and endpoints."""

    def compute(parameters: CourseParameters) -> Numbers:
        protocol = arms.protocol
        values: dict[str, dict[str, np.ndarray]] = {}
        for name, course in arms.courses(parameters).items():
            seen = observe(arms.people, protocol, course, arms.schedules[name], parameters)
            values[name] = {}
            for endpoint in protocol.endpoints:
                values[name][endpoint.kind] = values_of(endpoint, endpoint_data(seen, heavy_amount=0.0))
                if endpoint.kind == "days_to_relapse_or_dropout":
                    values[name]["event"] = times_of(endpoint, endpoint_data(seen))[1]
        ketamine, midazolam = (values[arm.id] for arm in protocol.arms)
        days, event = (
            np.concatenate([ketamine[kind], midazolam[kind]]) for kind in ("days_to_relapse_or_dropout", "event")
        )
        treated = np.arange(days.size) < ketamine["event"].size
        hazard = analyze_hazard(days, event.astype(np.bool_), treated, np.zeros((days.size, 0)))
        craving = float(np.nanmean(ketamine["mean_craving"]) / np.nanmean(midazolam["mean_craving"]))
        return {
            "cocaine-abstinent-ketamine": 100.0 * float(np.nanmean(ketamine["abstinent_window"])),
            "cocaine-abstinent-midazolam": 100.0 * float(np.nanmean(midazolam["abstinent_window"])),
            "cocaine-hazard-ratio": hazard.estimate,
            "cocaine-craving-lower": 100.0 * (1.0 - craving),
        }

    return compute


def quitting_statistics(
    arms: Arms, target: str, days: list[int], *, lapsed: bool
) -> Callable[[CourseParameters], Numbers]:
    """A natural-history curve: people without use (or with use) up to some days."""

    def compute(parameters: CourseParameters) -> Numbers:
        (course,) = arms.courses(parameters).values()
        out = {}
        for day in days:
            clean = share_without_use(course, 0, day - 1)
            out[f"{target}@{day}"] = 100.0 - clean if lapsed else clean
        if target == "opioid-lapsed":
            out["opioid-abstinent-last-month"] = share_without_use(course, 150, 179)
        if target == "cannabis-lapsed":
            used = course.use[:, :180].any(axis=1)
            out["cannabis-lapse-day"] = float(course.use[used, :180].argmax(axis=1).mean())
        return out

    return compute


def after_clean_days(name: str, clean_days: int, n_days: int) -> Arms:
    """Stopping alone, but verified clean for some days before day 0, as the natural-history cohorts were."""
    protocol = load_protocol(name)
    endpoint = Endpoint.create(
        id="pda",
        label="Days abstinent",
        kind="percent_days_abstinent",
        window={"first": 0, "last": n_days - 1},
        missing="observed",
    )
    population = protocol.population.replace(clean_days=clean_days, self_quit=clean_days == 0)
    visits = tuple(
        visit.replace(days=tuple(day for day in visit.days if day < n_days) or (n_days - 1,))
        for visit in protocol.visits
    )
    return Arms(
        protocol.replace(
            population=population,
            endpoints=(endpoint,),
            analyses=(),
            comparisons=(),
            visits=visits,
            follow_up_days=n_days,
        )
    )


def searches(wanted: set[str]) -> list[Search]:
    """What is searched, and for whom."""
    found = []
    if "alcohol" in wanted:
        found.append(
            Search(
                Substance("alcohol"),
                ("b0", "sigma_b", "b_in", "om_end", "rho", "sigma_d", "sigma_7"),
                ("plain", "log", "plain", "logit", "log", "log", "log"),
                (-0.8, -0.5, -0.8, -0.8, 0.6, -0.5, -0.4),
                (2.0, 0.5, 1.5, 2.0, 1.0, 0.6, 0.6),
                alcohol_statistics(Arms(load_protocol("kare"), 2000)),
            )
        )
    if "cocaine" in wanted:
        found.append(
            Search(
                Substance("cocaine"),
                ("b0", "sigma_b", "b_in", "om_end", "k_c", "sigma_d"),
                ("plain", "log", "plain", "logit", "log", "log"),
                (-0.8, -0.5, -0.8, 0.5, -0.3, -0.5),
                (2.0, 0.5, 1.5, 2.0, 0.7, 0.6),
                cocaine_statistics(Arms(load_protocol("dakwar-2019"))),
            )
        )
    curves = [
        ("nicotine", 0, 180, "nicotine-abstinent", [2, 7, 14, 30, 90, 180], False, ("b0", "b_in", "om_end", "e0")),
        (
            "opioid",
            14,
            180,
            "opioid-lapsed",
            [7, 30],
            True,
            ("b0", "sigma_b", "b_in", "om_end", "sigma_d", "tau_d_day"),
        ),
        (
            "cannabis",
            14,
            180,
            "cannabis-lapsed",
            [180],
            True,
            ("b0", "b_in", "sigma_b", "om_end", "sigma_d", "tau_d_day"),
        ),
        ("methamphetamine", 30, 365, "methamphetamine-used", [30, 180, 365], True, ("b0", "b_in", "sigma_b")),
    ]
    scale = {
        "b0": "plain",
        "b_in": "plain",
        "om_end": "logit",
        "e0": "logit",
        "sigma_b": "log",
        "sigma_d": "log",
        "tau_d_day": "log",
    }
    step = {"b0": 0.4, "b_in": 0.5, "om_end": 0.5, "e0": 0.3, "sigma_b": -0.3, "sigma_d": -0.5, "tau_d_day": -0.4}
    pull = {"b0": 2.0, "b_in": 1.0, "om_end": 1.5, "e0": 1.0, "sigma_b": 0.5, "sigma_d": 0.6, "tau_d_day": 0.5}
    for substance, clean_days, n_days, target, days, lapsed, names in curves:
        if substance in wanted:
            arms = after_clean_days(f"cold-turkey-{substance}", clean_days, n_days)
            found.append(
                Search(
                    Substance(substance),
                    names,
                    tuple(scale[name] for name in names),
                    tuple(step[name] for name in names),
                    tuple(pull[name] for name in names),
                    quitting_statistics(arms, target, days, lapsed=lapsed),
                )
            )
    return found


def load_targets() -> dict[str, dict[str, object]]:
    """Targets by id, curves spread to one entry a day (``id@day``)."""
    found: dict[str, dict[str, object]] = {}
    for target in tomllib.loads((ROOT / "validation" / "targets.toml").read_text(encoding="utf-8"))["target"]:
        if "days" in target:
            for day, value in zip(target["days"], target["values"], strict=True):
                tolerance = target["tolerance"]
                one = {**target, "value": value, "low": value - tolerance, "high": value + tolerance}
                found[f"{target['id']}@{day}"] = one
        else:
            found[target["id"]] = target
    return found


def residual(value: float, target: dict[str, object]) -> float:
    """Distance from the target in units of its weight; ratios on the log scale."""
    aim, sd = float(target["value"]), float(target["weight_sd"])  # type: ignore[arg-type]
    if target["unit"] == "log ratio":
        return float(np.log(max(value, 1e-3) / aim)) / sd
    return (value - aim) / sd


def forth(value: float, scale: str) -> float:
    """To the search scale."""
    if scale == "plain":
        return value
    return float(np.log(value) if scale == "log" else np.log(value / (1.0 - value)))


def back(value: float, scale: str) -> float:
    """From the search scale."""
    if scale == "plain":
        return float(value)
    return float(np.exp(value) if scale == "log" else 1.0 / (1.0 + np.exp(-value)))


def run_search(search: Search, targets: dict[str, dict[str, object]], evaluations: int) -> Numbers:
    """Nelder-Mead from the start set; the best values found."""
    start = load_course_parameters(search.substance, parameter_set=START)
    tuned = load_course_parameters(search.substance)
    # k_C is shared by all substances and searched on the cocaine trial, the only one with a craving result.
    start = start.replace(leave_hazard_per_day=tuned.leave_hazard_per_day, **DIARIES.get(search.substance, {}))
    start = start if "k_c" in search.names else start.replace(k_c=tuned.k_c)
    x0 = np.array([forth(getattr(start, name), scale) for name, scale in zip(search.names, search.scales, strict=True)])

    def values_at(x: np.ndarray) -> Numbers:
        return {name: back(v, scale) for name, v, scale in zip(search.names, x, search.scales, strict=True)}

    def loss(x: np.ndarray) -> float:
        found = search.statistics(start.replace(**values_at(x)))
        misfit = sum(residual(value, targets[name]) ** 2 for name, value in found.items() if name in targets)
        return misfit + float((((x - x0) / np.array(search.pulls)) ** 2).sum())

    simplex = np.vstack([x0, *(x0 + step for step in np.diag(search.steps))])
    best = minimize(loss, x0, method="Nelder-Mead", options={"maxfev": evaluations, "initial_simplex": simplex})
    return values_at(best.x)


def table(rows: list[tuple[str, float, float, float, float, float, str]]) -> str:
    """The targets as a Markdown table."""
    lines = [
        "| target | published | reached if within | episodes-2026 | rhythms-2026 | inside | kind of source |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, value, low, high, before, after, kind in rows:
        inside = "yes" if low <= after <= high else "**no**"
        lines.append(
            f"| {name} | {value:.3g} | {low:.3g} to {high:.3g} | {before:.3g} | {after:.3g} | {inside} | {kind} |"
        )
    return "\n".join(lines)


def write_record(rows: list[tuple[str, float, float, float, float, float, str]], changes: list[str]) -> Path:
    """The page of the retuning; the prose around the tables is kept in ``retuning.md.in``."""
    prose = (ROOT / "validation" / "retuning.md.in").read_text(encoding="utf-8")
    page = ROOT / "docs" / "validation" / "retuning.md"
    page.write_text(prose.replace("@TABLE@", table(rows)).replace("@VALUES@", "\n".join(changes)), encoding="utf-8")
    return page


def main() -> None:
    """Search or check, then print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="no search: write the record of the library's values")
    parser.add_argument("--substance", nargs="*", default=[item.value for item in Substance])
    parser.add_argument("--evaluations", type=int, default=300)
    options = parser.parse_args()
    targets = load_targets()
    rows: list[tuple[str, float, float, float, float, float, str]] = []
    changes = ["| value | episodes-2026 | rhythms-2026 |", "|---|---|---|"]
    for search in searches(set(options.substance)):
        start = load_course_parameters(search.substance, parameter_set=START)
        tuned = load_course_parameters(search.substance)
        if not options.check:
            found = run_search(search, targets, options.evaluations)
            tuned = tuned.replace(**found)
        before, after = search.statistics(start), search.statistics(tuned)
        for name in (*search.names, "leave_hazard_per_day"):
            old, new = getattr(start, name), getattr(tuned, name)
            label = name if name == "k_c" else f"{name}.{search.substance.value}"
            changes.append(f"| {label} | {old:.4g} | {new:.4g} |")
            print(f"{name}.{search.substance.value} = {new:.4g}  (start {old:.4g})", flush=True)
        for name, value in after.items():
            if name in targets:
                target = targets[name]
                low, high = float(target["low"]), float(target["high"])  # type: ignore[arg-type]
                rows.append(
                    (name, float(target["value"]), low, high, before[name], value, str(target["kind"]))  # type: ignore[arg-type]
                )
                print(f"  {name}: {target['value']} -> {value:.3g} (start {before[name]:.3g})", flush=True)
            else:
                print(f"  {name}: {value:.3g} (start {before[name]:.3g}), not a target", flush=True)
    if options.check:
        print(write_record(rows, changes))


if __name__ == "__main__":
    main()
