"""What diaries of people of one's own say: the level of a trial among them, and nothing else.

A diary without a comparison holds no effect of a drug; the level is where it can be told from the substance's natural
course. People are read as people who stop on day 0; days before it are not read.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.errors import SpecError
from remission.library.calibration_plan import CalibrationPlan
from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import shifted
from remission.records.diaries import Diaries
from remission.records.result import Result
from remission.records.substance import Substance
from remission.shapes import Float
from remission.trial.simulate import plan_trial

_GRID = 9
_FINE = 401
_PEOPLE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOfPeople(Result):
    """How much likelier these people use than those of the substance's natural course, in log odds of a use day.

    ``low``, ``middle``, ``high``: 90% interval and median; ``prior``: those before. ``days_used``: percent of the days
    they were asked about; ``expected``: the same at level 0. ``cannot_move``: fitted values
    that stay as they are. ``density`` at each of ``levels`` sums to 1.
    """

    substance: str
    n_people: int
    n_days: int
    days_used: float
    expected: float
    low: float
    middle: float
    high: float
    prior: tuple[float, float, float]
    cannot_move: tuple[str, ...]
    levels: Float[np.ndarray, " level"]
    density: Float[np.ndarray, " level"]

    def _facts(self) -> list[tuple[str, Any]]:
        before = self.prior
        return [
            ("substance", self.substance),
            ("diaries", f"{self.n_people} people, {self.n_days} days from day 0 on, used on {self.days_used:.0f}%"),
            ("natural course", f"used on {self.expected:.0f}% of such days"),
            ("level", f"{self.middle:z.2f} (90% {self.low:z.2f} to {self.high:z.2f}), log odds of a use day"),
            ("level before", f"{before[1]:z.2f} (90% {before[0]:z.2f} to {before[2]:z.2f})"),
            ("not moved", f"{', '.join(self.cannot_move)}: nobody in a diary is compared with anybody"),
        ]

    def columns(self) -> dict[str, Any]:
        """One row a level."""
        return {"level": self.levels, "density": self.density}


def level_of(plan: CalibrationPlan, diaries: Diaries) -> LevelOfPeople:
    """The level of the people of some diaries.

    Raises SpecError: no such substance in the model, or no day from day 0 on was asked about.
    """
    names = [one.value for one in Substance]
    if diaries.substance not in names:
        raise SpecError(where="--add: substance", got=diaries.substance, allowed=f"one of {', '.join(names)}")
    protocol = load_protocol(f"cold-turkey-{diaries.substance}")
    skip, last = max(-diaries.first_day, 0), protocol.follow_up_days
    first = max(diaries.first_day, 0)
    assessed = diaries.assessed[:, skip : skip + last - first]
    used = diaries.used[:, skip : skip + last - first]
    by_person = assessed.sum(axis=1)
    asked = by_person > 0
    if not asked.any():
        raise SpecError(where="--add: days", got="no day from day 0 on", allowed="days that were asked about")
    seen = float((used.sum(axis=1)[asked] / by_person[asked]).mean())
    weight = np.zeros(last)
    weight[first : first + assessed.shape[1]] = assessed.sum(axis=0)
    value = next(one for one in plan.value if one.name == "level")
    assert value.center is not None, "the plan gives every level a prior"
    assert value.sd is not None, "the plan gives every level a prior"
    grid = np.linspace(value.low, value.high, _GRID)
    moments = np.array([_moments(diaries.substance, level, weight / weight.sum(), plan.seed) for level in grid])
    fine = np.linspace(value.low, value.high, _FINE)
    mean, spread = (np.interp(fine, grid, column) for column in moments.T)
    # The people differ as simulated ones do; those who were simulated are some people too.
    error = spread * np.sqrt(1.0 / asked.sum() + 1.0 / _PEOPLE)
    prior = np.exp(-0.5 * ((fine - value.center) / value.sd) ** 2)
    log = -0.5 * ((seen - mean) / error) ** 2 - np.log(error)
    density = prior * np.exp(log - log.max())
    low, middle, high = _quantiles(fine, density)
    others = [one.name for one in plan.value if not one.per_trial and one.name != "use_effect"]
    return LevelOfPeople(
        substance=diaries.substance, n_people=int(asked.sum()), n_days=int(assessed.sum()), days_used=100.0 * seen,
        expected=100.0 * float(np.interp(0.0, fine, mean)), low=low, middle=middle, high=high,
        prior=_quantiles(fine, prior), cannot_move=("mean", "tau", "effect of a new trial", *others),
        levels=fine, density=density / density.sum(),
    )  # fmt: skip


def _moments(substance: str, level: float, weight: Float[np.ndarray, " day"], seed: int) -> tuple[float, float]:
    """Mean and standard deviation over simulated people of their share of use days."""
    protocol = load_protocol(f"cold-turkey-{substance}")
    plan = plan_trial(
        protocol, n_replicates=1, seed=seed, parameters=shifted(course_parameters_of(protocol), float(level))
    )
    share = plan.simulate(plan.chunks[0]).course.use @ weight
    return float(share.mean()), float(max(share.std(ddof=1), 1e-3))


def _quantiles(places: Float[np.ndarray, " place"], density: Float[np.ndarray, " place"]) -> tuple[float, float, float]:
    low, middle, high = np.interp([0.05, 0.5, 0.95], np.cumsum(density) / density.sum(), places)
    return float(low), float(middle), float(high)
