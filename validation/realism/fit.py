"""The values of use with which the model comes nearest to the diaries of CTN-0094, the chain of circuits on.

``python -m validation.realism.fit FOLDER`` searches for each substance on all people, on each half of them and on the
people of two of the three trials, and keeps what it finds in ``found.json`` beside this file, search by search.

A damped Gauss-Newton search on common random numbers: the misfit is a sum of squares, one for each statistic in units
of its standard error, with weak pulls that are the same for every substance. At most :data:`MOST_RUNS` simulations a
search. Standard errors are the sandwich of the search: the bootstrap covariance of the statistics through the pulled
slopes.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.records.substance import Substance
from validation.realism.statistics import diary_statistics, searched_too
from validation.realism.windows import FITTED_TRIALS, NAMES, Window, real_window, simulated_use

__all__ = ["FOUND", "PULLS", "Found", "fit", "match_level", "match_spread", "parts", "read_found", "searched"]

FOUND = Path(__file__).with_name("found.json")
N_PEOPLE = 4_000
SEED = 20_261_129
RESAMPLES = 400
RESAMPLES_SEED = 7
MOST_RUNS = 200
STEP = 0.25
"""Step of the slopes, in widths of the pull: large enough that single days of simulated people do not show."""
LEAST_ERROR = 0.01
"""No statistic counts as known better than this; the model is no truer."""
NOT_SEARCHED = ("clean_run_median",)
"""A median of whole days has no slope."""
# name: (scale, center, width on that scale); weak, and the same for every substance.
PULLS = {
    "l0": ("plain", -6.5, 1.0),
    "l1": ("plain", -2.0, 0.7),
    "l2": ("plain", 4.5, 1.0),
    "sigma_l": ("log", 0.75, 0.3),
    "onset_per_day": ("logit", 0.011, 0.7),
    "growth_per_day": ("logit", 0.003, 0.7),
    "recovery_per_day": ("logit", 0.04, 0.7),
    "easing_per_day": ("logit", 0.12, 0.7),
    "sigma_k": ("log", 1.0, 0.3),
    "sigma_t": ("log", 0.8, 0.4),
    "w7": ("log", 5.0, 0.3),
    "sm": ("logit", 0.3, 0.7),
    "daily0": ("logit", 0.6, 1.0),
    "success": ("logit", 0.7, 1.0),
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search ended with: values, their standard errors on the scale of the search, misfit, people, runs."""

    values: dict[str, float]
    errors: dict[str, float]
    misfit: float
    n_people: int
    n_runs: int


def values_at(x: Float[np.ndarray, " value"]) -> dict[str, float]:
    """Parameters from the search scale."""
    found = {}
    for (name, (scale, center, width)), step in zip(PULLS.items(), x, strict=True):
        if scale == "plain":
            found[name] = float(center + width * step)
        elif scale == "log":
            found[name] = float(center * np.exp(width * step))
        else:
            found[name] = float(1.0 / (1.0 + (1.0 - center) / center * np.exp(-width * step)))
    return found


def searched(use: Float[np.ndarray, "person day"]) -> dict[str, float]:
    """The statistics that a search looks at."""
    found = diary_statistics(use) | searched_too(use)
    return {name: value for name, value in found.items() if name not in NOT_SEARCHED}


def parts(substance: Substance, window: Window) -> dict[str, Window]:
    """The people of each search; the background of two trials has, of opioids, only those under an agonist."""
    first, second = window.halves()
    background = window.within(FITTED_TRIALS, agonist_only=substance is Substance("opioid"))
    return {"all": window, "first half": first, "second half": second, "two trials": background}


def fit(
    base: CourseParameters,
    use: Float[np.ndarray, "person day"],
    *,
    n_people: int = N_PEOPLE,
    most_runs: int = MOST_RUNS,
) -> Found:
    """The values that come nearest to some people's days."""
    rng = np.random.default_rng(RESAMPLES_SEED)
    known = searched(use)
    again = [searched(use[rng.integers(0, len(use), len(use))]) for _ in range(RESAMPLES)]
    spread = np.cov(np.array([list(one.values()) for one in again]), rowvar=False)
    target = np.array(list(known.values()))
    error = np.maximum(np.sqrt(np.diag(spread)), LEAST_ERROR)
    runs = 0

    def apart(x: Float[np.ndarray, " value"]) -> Float[np.ndarray, " part"]:
        nonlocal runs
        runs += 1
        days = simulated_use(base.replace(**values_at(x)), n_people=n_people, seed=SEED)
        return np.append((np.array(list(searched(days).values())) - target) / error, x)

    def slopes(x: Float[np.ndarray, " value"]) -> Float[np.ndarray, "part value"]:
        here = apart(x)
        return np.stack([(apart(x + STEP * one) - here) / STEP for one in np.eye(x.size)], axis=1)

    # A step costs its slopes and, now and then, a second look.
    steps = most_runs // (len(PULLS) + 3)
    best = least_squares(apart, np.zeros(len(PULLS)), jac=slopes, method="trf", max_nfev=steps, ftol=1e-4, xtol=1e-3)
    through = np.linalg.solve(best.jac.T @ best.jac, best.jac[: target.size].T / error)
    errors = np.sqrt(np.diag(through @ spread @ through.T))
    widths = np.array([width for _, _, width in PULLS.values()])
    return Found(
        values=values_at(best.x),
        errors=dict(zip(PULLS, (errors * widths).tolist(), strict=True)),
        misfit=float((best.fun[: target.size] ** 2).sum()),
        n_people=len(use),
        n_runs=runs,
    )


def match_level(parameters: CourseParameters, *, mean: float, n_people: int, seed: int) -> CourseParameters:
    """The same people with another onset, so that on ``mean`` of all days there is use; halving the interval."""
    low, high, found = -9.0, 1.0, parameters
    for _ in range(14):
        middle = 0.5 * (low + high)
        found = parameters.replace(onset_per_day=float(1.0 / (1.0 + np.exp(-middle))))
        share = simulated_use(found, n_people=n_people, seed=seed).mean()
        low, high = (middle, high) if share < mean else (low, middle)
    return found


def match_spread(
    parameters: CourseParameters, *, mean: float, none: float, n_people: int, seed: int
) -> CourseParameters:
    """The same people with another onset and spread, so that a share of ``none`` has no day of use either."""
    low, high, found = np.log(0.2), np.log(5.0), parameters
    for _ in range(8):
        middle = 0.5 * (low + high)
        found = match_level(parameters.replace(sigma_k=float(np.exp(middle))), mean=mean, n_people=n_people, seed=seed)
        share = (simulated_use(found, n_people=n_people, seed=seed).sum(axis=1) == 0.0).mean()
        low, high = (middle, high) if share < none else (low, middle)
    return found


def read_found(path: Path = FOUND) -> dict[Substance, dict[str, Found]]:
    """What was found, by substance and people."""
    content = json.loads(path.read_text("utf-8"))
    return {
        Substance(substance): {part: Found(**one) for part, one in found.items()}
        for substance, found in content.items()
    }


def _rounded(found: Found) -> dict[str, Any]:
    def shorter(values: Mapping[str, float]) -> dict[str, float]:
        return {name: float(f"{value:.4g}") for name, value in values.items()}

    return {
        "n_people": found.n_people,
        "n_runs": found.n_runs,
        "misfit": float(f"{found.misfit:.4g}"),
        "values": shorter(found.values),
        "errors": shorter(found.errors),
    }


def search_all(
    folder: Path, *, load: Callable[[Substance], CourseParameters] = load_course_parameters, path: Path = FOUND
) -> None:
    """Every search, each kept as soon as it is done."""
    content: dict[str, dict[str, Any]] = {}
    for substance in NAMES:
        # The weekend of the chain is one for all; the diaries do not say which weekday a day was.
        base = load(substance).replace(wk=0.0)
        for part, window in parts(substance, real_window(folder, substance)).items():
            found = _rounded(fit(base, window.use))
            content.setdefault(substance.value, {})[part] = found
            path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
            print(
                substance.value, part, found["n_people"], "people, misfit", found["misfit"], found["values"], flush=True
            )


if __name__ == "__main__":
    search_all(Path(sys.argv[1]))
