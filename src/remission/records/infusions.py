"""Infusion events: what dosing hands to pharmacokinetics."""

from dataclasses import dataclass

import numpy as np

from remission.records.dose import DrugForm
from remission.shapes import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFlag:
    """A visible mark on an input that is allowed and lies outside the evidence."""

    where: str
    got: str
    evidence: str
    consequence: str

    @property
    def text(self) -> str:
        """The flag in two sentences."""
        return f"{self.where}: {self.got}; evidence reaches to {self.evidence}. {self.consequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InfusionEvents:
    """Infusions of a batch of people, sorted by start; all share the times, each has their own doses.

    Make one with :func:`~remission.dosing.make_infusions` or :func:`~remission.dosing.infusions_per_weight`, which
    check it.

    start_h, duration_h
        Shared times. [h]
    dose_mg
        Free base of the given ``form``. [mg]
    s_fraction
        Share of the dose that is S-ketamine; the rest is R-ketamine. [dimensionless, 0 to 1]
    flags
        What of it lies outside the evidence.
    """

    start_h: Float[np.ndarray, " event"]
    duration_h: Float[np.ndarray, " event"]
    dose_mg: Float[np.ndarray, "subject event"]
    form: DrugForm
    s_fraction: float
    flags: tuple[EvidenceFlag, ...]

    @property
    def n_subject(self) -> int:
        """People in the batch."""
        return int(self.dose_mg.shape[0])

    @property
    def end_h(self) -> Float[np.ndarray, " event"]:
        """Ends of the infusions. [h]"""
        return self.start_h + self.duration_h
