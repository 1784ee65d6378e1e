"""What an analysis of a file gives: estimates with intervals, who was analyzed, and what was not used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.analyses.estimate import Status
from remission.records.result import Result
from remission.records.study_plan import PlannedAnalysis, StudyPlan
from remission.shapes import Float, Int
from remission.study.data import NotUsed, StudyData
from remission.study.gate import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Tipping:
    """The estimates under each number that was added to imputed values, and the first at which the finding turns."""

    deltas: tuple[float, ...]
    estimate: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    p_value: tuple[float, ...]
    turns_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEstimate:
    """One analysis: its estimate, treatment against control, or why there is none.

    status, message
        How it ended; in words, with the remedy, where it has no number.
    n_treatment, n_control
        People who were analyzed. ``left_out``: those of the two sides who were not, by reason.
    by_arm
        Of each arm of the contrast: people with an outcome, mean (or share) and standard deviation of it, and people
        with the event of a time.
    p_adjusted
        Behind the gates of the plan; NaN where it has none.
    not_inferior
        Whether the interval shows it; None without a margin or an estimate.
    programmed_twice
        State of the method in the table of the gate.
    """

    analysis: PlannedAnalysis
    unit: str
    estimate: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    status: Status
    message: str
    n_treatment: int
    n_control: int
    left_out: Mapping[str, int]
    by_arm: Mapping[str, Mapping[str, float]]
    not_inferior: bool | None
    tipping: Tipping | None
    programmed_twice: State
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFlow:
    """People of one arm on their way through the trial, counted in the data."""

    arm: str
    label: str
    randomized: int
    events: Mapping[str, int]
    seen: Mapping[str, int]
    analyzed: int
    not_analyzed: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitMeans:
    """Means of an outcome of the first analysis by arm and visit, as they were seen; 95% intervals by Student's t."""

    measure: str
    unit: str
    names: tuple[str, ...]
    days: Int[np.ndarray, " visit"]
    mean: Float[np.ndarray, "arm visit"]
    low: Float[np.ndarray, "arm visit"]
    high: Float[np.ndarray, "arm visit"]
    n: Int[np.ndarray, "arm visit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult(Result):
    """The analyses of a file under a plan.

    Notes
    -----
    The first primary analysis is ``primary``. Data are never changed: what was not used stands in ``not_used``.
    """

    plan: StudyPlan
    data: StudyData
    estimates: tuple[StudyEstimate, ...]
    flow: tuple[ArmFlow, ...]
    visits: VisitMeans | None
    not_used: tuple[NotUsed, ...]
    cautions: tuple[str, ...]

    @property
    def primary(self) -> StudyEstimate:
        """The estimate of the estimand's analysis, of the first primary one, or of the first."""
        wanted = None if self.plan.estimand is None else self.plan.estimand.analysis
        found = [one for one in self.estimates if one.analysis.id == wanted]
        found += [one for one in self.estimates if one.analysis.role == "primary"]
        return (found or list(self.estimates))[0]

    def estimate(self, name: str) -> StudyEstimate:
        """The estimate of an analysis by its id.

        Raises KeyError: there is none.
        """
        for one in self.estimates:
            if one.analysis.id == name:
                return one
        raise KeyError(name)

    def _facts(self) -> list[tuple[str, Any]]:
        """The estimate of each analysis, and how many people there are."""
        lines = [(one.analysis.id, _line(one)) for one in self.estimates]
        return [("plan", self.plan.id), ("randomized", len(self.data.person)), *lines, ("cautions", len(self.cautions))]

    def columns(self) -> dict[str, Any]:
        """One row an analysis."""
        ones = self.estimates
        numbers = ("estimate", "low", "high", "p_value", "p_adjusted", "n_treatment", "n_control", "message")
        return {
            "analysis": [one.analysis.id for one in ones],
            "label": [one.analysis.label for one in ones],
            "role": [one.analysis.role for one in ones],
            "method": [one.analysis.method for one in ones],
            "unit": [one.unit for one in ones],
            **{name: [getattr(one, name) for one in ones] for name in numbers},
            "status": [one.status.value for one in ones],
            "programmed_twice": [one.programmed_twice for one in ones],
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything but the people themselves, as plain data."""
        rows = self.columns()
        names = list(rows)
        estimates = [
            {
                **{name: rows[name][place] for name in names},
                "left_out": dict(one.left_out),
                "by_arm": {arm: dict(numbers) for arm, numbers in one.by_arm.items()},
                "not_inferior": one.not_inferior,
                "margin": one.analysis.margin,
                "tipping": one.tipping,
                "cautions": one.cautions,
            }
            for place, one in enumerate(self.estimates)
        ]
        return {
            "plan": self.plan.id,
            "title": self.plan.title,
            "files": dict(self.data.files),
            "n_rows": self.data.n_rows,
            "is_simulated": self.data.is_simulated or self.plan.is_synthetic,
            "seed": self.plan.seed,
            "estimates": estimates,
            "flow": self.flow,
            "visits": self.visits,
            "not_used": self.not_used,
            "cautions": self.cautions,
        }


def _line(one: StudyEstimate) -> str:
    if one.status is not Status.OK:
        return f"{one.status.value}: {one.message}"
    return f"{one.estimate:.4g} ({one.low:.4g} to {one.high:.4g}) {one.unit}, p = {one.p_value:.3g}"
