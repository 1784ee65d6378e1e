"""The search of the values of ``model-form-2026``, as ``retune.toml`` says, and the page about it.

Usage: ``python -m validation.retune`` writes ``docs/validation/retuning.md`` for the shipped values; ``--search
SUBSTANCE`` searches from them and prints what it finds. The same addressed draws serve every evaluation.
"""

import argparse
import tomllib
from collections.abc import Callable
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from remission.facts.measures import COMPUTATIONS, Sample
from remission.facts.scenarios import Lives
from remission.facts.validate import interval_text, tolerance_text, validate
from remission.library.facts import FactScenario, Measure, load_facts
from remission.patient.parameters import DEFAULT_PARAMETER_SET, load_course_parameters
from remission.records.substance import Substance

ROOT = Path(__file__).resolve().parent.parent
SEARCHES: dict[str, Any] = tomllib.loads((ROOT / "validation" / "retune.toml").read_text("utf-8"))
SEED = 20261129
N_PEOPLE = 4000
Numbers = dict[str, float]


def fit_measures() -> dict[str, Measure]:
    """The fit facts by their ids: a check fact is not in them and cannot be searched on."""
    return {one.id: one for fact in load_facts().fact for one in fact.measure if one.role == "fit"}


def moved(values: dict[str, tuple[str, float, float]], steps: np.ndarray) -> Numbers:
    """Values ``steps`` widths away from their centers, each on its scale."""
    found = {}
    for (name, (scale, center, width)), step in zip(values.items(), steps, strict=True):
        by = width * float(step)
        if scale == "plain":
            found[name] = center + by
        elif scale == "log":
            found[name] = center * exp(by)
        else:
            found[name] = 1.0 / (1.0 + (1.0 - center) / center * exp(-by))
    return found


def steps_to(values: dict[str, tuple[str, float, float]], there: Numbers) -> np.ndarray:
    """The inverse of :func:`moved`."""
    on: dict[str, Callable[[float], float]] = {
        "plain": lambda x: x, "log": log, "logit": lambda x: log(x / (1.0 - x)),
    }  # fmt: skip
    return np.array([(on[s](there[name]) - on[s](center)) / width for name, (s, center, width) in values.items()])


def distances(substance: str) -> Callable[[Numbers], Numbers]:
    """A function from values to how far each aim is missed, in half-widths of its tolerance."""
    known, facts, search = fit_measures(), load_facts(), SEARCHES[substance]
    scenarios = {one.id: one for one in facts.scenario}
    aims: list[tuple[str, FactScenario, str, dict[str, Any], float, float]] = []
    for name in search["measures"]:
        one = known[name]
        assert one.tolerance is not None, name
        assert one.tolerance.low is not None, name
        assert one.tolerance.high is not None, name
        low, high = one.tolerance.low, one.tolerance.high
        args = {key: value for key, value in one.args.items() if key != "scenario"}
        aims.append((name, scenarios[one.args["scenario"]], one.compute, args, (low + high) / 2, (high - low) / 2))
    for one in search.get("also", ()):
        scenario = FactScenario(
            id="also", protocol=one["protocol"], days=one["days"], clean_days=one["clean_days"], note=one["why"]
        )
        args = {"first": one["first"], "last": one["last"]}
        aims.append(("also", scenario, "share_without_use", args, one["middle"], one["half"]))

    def compute(values: Numbers) -> Numbers:
        lives: dict[str, Lives] = {}
        found = {}
        for name, scenario, what, args, middle, half in aims:
            if scenario.id not in lives:
                lives[scenario.id] = Lives(
                    scenario=scenario, n_people=N_PEOPLE, seed=SEED, parameter_set=DEFAULT_PARAMETER_SET, values=values
                )
            everybody = Sample(lives[scenario.id], np.ones(N_PEOPLE, dtype=np.bool_))
            found[name] = (COMPUTATIONS[what](everybody, **args) - middle) / half
        return found

    return compute


def search(substance: str, evaluations: int) -> tuple[Numbers, Numbers]:
    """Values found from the shipped ones, and the distances that are left."""
    values = {name: tuple(one) for name, one in SEARCHES[substance]["values"].items()}
    compute = distances(substance)
    shipped = load_course_parameters(Substance(substance))
    start = steps_to(values, {name: getattr(shipped, name) for name in values})

    def loss(steps: np.ndarray) -> float:
        return 4.0 * sum(x * x for x in compute(moved(values, steps)).values()) + float((steps**2).sum())

    simplex = np.vstack([start, start + 0.4 * np.eye(len(values))])
    options = {"maxfev": evaluations, "initial_simplex": simplex, "xatol": 0.01, "fatol": 0.02}
    best = minimize(loss, start, method="Nelder-Mead", options=options)
    found = moved(values, best.x)
    return found, compute(found)


def page() -> str:
    """What the shipped values reach of the facts that they were searched on, and where they were pulled to."""
    rows = {row.id: row for row in validate().rows}
    reached = ["| searched on | read | reached at | value | verdict |", "|---|---|---|---|---|"]
    values = ["| substance | value | center of the pull | shipped |", "|---|---|---|---|"]
    for substance in (one.value for one in Substance if one.value in SEARCHES):
        for name in SEARCHES[substance]["measures"]:
            row = rows[name]
            told = (row.published or "nothing", tolerance_text(row.tolerance), interval_text(row), row.verdict)
            reached.append(f"| `{name}` | {' | '.join(told)} |")
        shipped = load_course_parameters(Substance(substance))
        for name, (_, center, _) in SEARCHES[substance]["values"].items():
            values.append(f"| {substance} | `{name}` | {center:.3g} | {getattr(shipped, name):.3g} |")
    by_hand = ["| value | shipped | fact | verdict |", "|---|---|---|---|"]
    alcohol = load_course_parameters(Substance("alcohol"))
    for name, fact in SEARCHES["shared"].items():
        verdicts = ", ".join(sorted({row.verdict for row in rows.values() if fact in {row.id, row.fact}}))
        by_hand.append(f"| `{name}` | {getattr(alcohol, name):.3g} | `{fact}` | {verdicts} |")
    text = (ROOT / "validation" / "retuning.md.in").read_text("utf-8")
    for mark, table in (("@REACHED@", reached), ("@VALUES@", values), ("@BY_HAND@", by_hand)):
        text = text.replace(mark, "\n".join(table))
    return text


def main() -> None:
    """Search, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--search", choices=[name for name in SEARCHES if name != "shared"])
    parser.add_argument("--evaluations", type=int, default=200)
    asked = parser.parse_args()
    if asked.search:
        found, left = search(asked.search, asked.evaluations)
        print({name: float(f"{value:.4g}") for name, value in found.items()})
        print({name: round(value, 2) for name, value in left.items()})
        return
    (ROOT / "docs" / "validation" / "retuning.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
