"""Find drift and weekday pattern of four substances from the diaries of CTN-0094.

Usage: ``python -m validation.realism.fit FOLDER``; prints the values for ``library/behavior/rhythms-2026.toml``.

Level and spread of these people, and how their episodes hold, are searched along and thrown away: they belong to people
in treatment for opioid use disorder. What is kept is how their days hang together.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.records.substance import Substance
from validation.realism.statistics import diary_statistics, with_errors
from validation.realism.windows import NAMES, real_window, simulated_use

N_PEOPLE = 4_000
SEED = 20_261_124
FITTED_SEED = 7
LEAST_ERROR = 0.01
"""No statistic counts as known better than this; the model is no truer."""
MOST = 100.0
KEPT = ("sigma_d", "tau_d_day", "sigma_7")
# name: (scale, center, width on that scale); weak, they keep values where the rest of the model has a meaning.
PULLS = {
    "b0": ("plain", -4.0, 2.0),
    "sigma_b": ("log", 1.0, 0.7),
    "sigma_d": ("log", 2.0, 0.3),
    "tau_d_day": ("log", 30.0, 0.5),
    "sigma_7": ("log", 0.8, 0.5),
    "b_in": ("plain", 0.5, 1.0),
    "om_end": ("logit", 0.3, 1.0),
}
WITHOUT = {**{name: pull for name, pull in PULLS.items() if name not in KEPT}, "wk": ("plain", 0.0, 1.0)}
"""The same search in the model without drift and personal weekdays, which has a common weekend instead."""


def values_at(x: np.ndarray, pulls: dict[str, tuple[str, float, float]]) -> dict[str, float]:
    """Parameters from the search scale."""
    found = {}
    for (name, (scale, center, width)), step in zip(pulls.items(), x, strict=True):
        if scale == "plain":
            found[name] = float(center + width * step)
        elif scale == "log":
            found[name] = float(center * np.exp(width * step))
        else:
            found[name] = float(1.0 / (1.0 + (1.0 - center) / center * np.exp(-width * step)))
    return found


def fit(substance: Substance, folder: Path, *, rhythm: bool = True) -> tuple[CourseParameters, float]:
    """The parameters that come nearest to the diaries, and the misfit without the pulls."""
    pulls = PULLS if rhythm else WITHOUT
    known = with_errors(real_window(folder, substance).use, n_resamples=400, seed=FITTED_SEED)
    base = load_course_parameters(substance).replace(wk=0.0, sigma_d=0.0, sigma_7=0.0)

    def misfit(x: np.ndarray) -> float:
        found = diary_statistics(
            simulated_use(substance, n_people=N_PEOPLE, seed=SEED, parameters=base.replace(**values_at(x, pulls)))
        )
        apart = [
            min(((found[name] - value) / max(error, LEAST_ERROR)) ** 2, MOST) if np.isfinite(found[name]) else MOST
            for name, (value, error, _, _) in known.items()
            if name != "trend"
        ]
        return float(sum(apart))

    best = None
    other = {"b0": 0.5, "sigma_b": -0.5, "sigma_d": 0.7, "tau_d_day": 0.5, "sigma_7": 0.5, "b_in": -0.7, "om_end": -0.5}
    for start in (np.zeros(len(pulls)), np.array([other.get(name, 0.5) for name in pulls])):
        simplex = np.vstack([start, start + 0.7 * np.eye(len(pulls))])
        found = minimize(
            lambda x: misfit(x) + float((x**2).sum()),
            start,
            method="Nelder-Mead",
            options={"maxfev": 600, "initial_simplex": simplex},
        )
        best = found if best is None or found.fun < best.fun else best
    assert best is not None
    return base.replace(**values_at(best.x, pulls)), misfit(best.x)


def main() -> None:
    """Search, print."""
    folder = Path(sys.argv[1])
    for substance in NAMES:
        found, misfit = fit(substance, folder)
        kept = {name: float(f"{getattr(found, name):.3g}") for name in KEPT}
        thrown = {name: float(f"{getattr(found, name):.3g}") for name in PULLS if name not in KEPT}
        print(substance.value, "misfit", round(misfit, 1), "kept", kept, "thrown away", thrown, flush=True)


if __name__ == "__main__":
    main()
