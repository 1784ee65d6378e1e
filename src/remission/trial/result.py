"""What a simulated trial gives: numbers per replicate and arm, and the mean course behind them.

Shapes: ``replicate`` replicates of the trial, ``arm`` arms in the protocol's order, ``day`` days of follow-up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from remission.analyses.estimate import Estimates
from remission.analyses.multiplicity import adjusted_p_values
from remission.patient.drawn import Drawing, TrialDraws
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.records.result import Result
from remission.shapes import Float, Int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmValues:
    """One endpoint by arm: mean and standard deviation over people with a value, and how many had one.

    For times to an event the mean is of observed times and ``event_share`` says how many ended in the event; for other
    endpoints ``event_share`` is NaN.
    """

    mean: Float[np.ndarray, "replicate arm"]
    sd: Float[np.ndarray, "replicate arm"]
    n: Int[np.ndarray, "replicate arm"]
    event_share: Float[np.ndarray, "replicate arm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCounts:
    """True courses of everybody in all replicates, counted by arm and day.

    ``people`` per arm; ``using`` on the day; ``never_used`` since day 0 up to and including the day; ``in_study`` at
    the end
    of the day.
    """

    people: Int[np.ndarray, " arm"]
    using: Int[np.ndarray, "arm day"]
    never_used: Int[np.ndarray, "arm day"]
    in_study: Int[np.ndarray, "arm day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCourses:
    """States by arm and day over the people of the first replicates: mean and the 10th and 90th percentile of
    people.
    """

    n_people: Int[np.ndarray, " arm"]
    mean: dict[str, Float[np.ndarray, "arm day"]]
    low: dict[str, Float[np.ndarray, "arm day"]]
    high: dict[str, Float[np.ndarray, "arm day"]]


@dataclass(frozen=True, kw_only=True)
class TrialResult(Result):
    """A simulated trial.

    Notes
    -----
    ``protocol``, ``parameters``, ``seed`` and ``n_replicates`` rebuild it, bit for bit, with the same version of the
    program. ``links`` are the links of the chain that the caller replaced, each with the hash of its source; it is
    empty for the default model. ``drawing``: values that each replicate drew for itself, ``None`` for none.
    """

    protocol: Protocol
    parameter_set: str
    parameter_set_hash: str
    parameters: CourseParameters
    seed: int
    n_replicates: int
    arms: dict[str, ArmValues]
    estimates: dict[str, Estimates]
    counts: CourseCounts
    states: StateCourses
    links: Mapping[str, str] = field(default_factory=dict)
    drawing: Drawing | None = None

    def _facts(self) -> list[tuple[str, Any]]:
        """What was run, and the mean of each analysis."""
        spread = {
            name: f"median {np.nanmedian(one.estimate):.3g} of the trials, {one.n_failed} failed"
            if one.n_failed < self.n_replicates
            else "no estimate"
            for name, one in self.estimates.items()
        }
        about = ("n_replicates", "seed", "parameter_set")
        replaced = [("REPLACED LINKS", self.links)] if self.links else []
        return [
            ("protocol", self.protocol.id),
            *replaced,
            *((name, getattr(self, name)) for name in about),
            *spread.items(),
        ]

    def columns(self) -> dict[str, Any]:
        """One row an analysis and replicate."""
        n = range(self.n_replicates)
        found = self.estimates.items()
        return {
            "analysis": [name for name, _ in found for _ in n],
            "replicate": [number for _ in found for number in n],
            **{
                column: np.concatenate([np.zeros(0), *(getattr(one, column) for _, one in found)])
                for column in ("estimate", "low", "high", "p_value")
            },
            "status": [status.value for _, one in found for status in one.status],
        }

    @cached_property
    def draws(self) -> TrialDraws | None:
        """What each replicate drew; None where all had the same values."""
        if self.drawing is None:
            return None
        return self.drawing.trials(
            seed=self.seed, first=0, count=self.n_replicates, substance=self.protocol.substance,
            parameters=self.parameters,
        )  # fmt: skip

    @property
    def adjusted_p_values(self) -> dict[str, Float[np.ndarray, " replicate"]]:
        """P values adjusted as the protocol says, by analysis; empty where it says nothing."""
        return adjusted_p_values(self.protocol, self.estimates)
