"""What a simulated session holds: curves person by person, and what stands beside them."""

from dataclasses import dataclass

import numpy as np

from remission.dosing import EvidenceFlag
from remission.pk import AveragedCurve, ModelSpread
from remission.shapes import Float

_BySubject = Float[np.ndarray, "subject time"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something with a curve; ``site`` is empty for an effect."""

    name: str
    site: str
    unit: str


EFFECTS = (
    Quantity("vas", "", "0 to 100"),
    Quantity("cadss", "", "points"),
    Quantity("sbp_rise", "", "mmHg"),
    Quantity("dbp_rise", "", "mmHg"),
    Quantity("heart_rate_rise", "", "%"),
)
"""Effects of an infusion into a vein, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiedRange:
    """Up to where effects were studied, and how many people of a session pass it.

    ``most_ng_per_ml``: highest concentration at the effect site. [ng/mL] ``share_beyond``: share of the simulated
    people whose peak lies above it. [0 to 1]
    """

    effects: tuple[str, ...]
    analyte: str
    most_ng_per_ml: float
    share_beyond: float

    @property
    def is_withheld(self) -> bool:
        """Whether no number is shown: half of the people or more lie beyond what was studied."""
        return self.share_beyond >= 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCurve:
    """The band of one measured value at a site in blood, wider than that of the people.

    ``quantiles_ng_per_ml``: 5, 25, 50, 75 and 95% of measured values. [ng/mL] ``peak_low_ng_per_ml``,
    ``peak_median_ng_per_ml``, ``peak_high_ng_per_ml``: 5, 50 and 95% of measured peaks. [ng/mL]
    """

    quantity: Quantity
    quantiles_ng_per_ml: Float[np.ndarray, "quantile time"]
    peak_low_ng_per_ml: float
    peak_median_ng_per_ml: float
    peak_high_ng_per_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsAtSite:
    """Published models beside each other at one site, for a typical person, and their average."""

    quantity: Quantity
    spread: ModelSpread
    average: AveragedCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSession:
    """What :func:`simulate_session` made: one row a person, one column a time.

    ``values``: curves by quantity; an effect beyond its studied range has none. ``studied``: studied range of each
    effect, and who passes it; empty where effects are not simulated. ``exposure``: e of each person; 1 for the typical
    adult in the reference session; None where effects are not simulated. ``heart_rate_ends``: mean rise of heart rate
    under the two ends of its assumed shape, as a share. [dimensionless] ``flags``: what of the doses lies outside the
    evidence. ``is_extrapolated``: whether the weight lies outside those the kinetic model was fitted to. ``models``:
    published models at each site of blood, where more than one has this dose and site. ``measured``: the band of one
    measured value at each site of blood. ``careful_peak_ng_per_ml``: peak in blood that one in twenty pass under the
    highest model, where the curves are those of an average: what looks out for anesthesia is not softened by it. None
    otherwise. [ng/mL]
    """

    t_h: Float[np.ndarray, " time"]
    values: dict[Quantity, _BySubject]
    studied: tuple[StudiedRange, ...]
    exposure: Float[np.ndarray, " subject"] | None
    heart_rate_ends: tuple[_BySubject, _BySubject] | None
    flags: tuple[EvidenceFlag, ...]
    is_extrapolated: bool
    models: tuple[ModelsAtSite, ...] = ()
    measured: tuple[MeasuredCurve, ...] = ()
    careful_peak_ng_per_ml: float | None = None

    @property
    def n_people(self) -> int:
        """Simulated people."""
        return int(next(iter(self.values.values())).shape[0])

    def of(self, name: str, site: str = "") -> _BySubject:
        """The curve of one quantity, person by person.

        Raises LookupError: the session has no such quantity.
        """
        for quantity, values in self.values.items():
            if (quantity.name, quantity.site) == (name, site):
                return values
        msg = f"{name} {site}".strip()
        raise LookupError(msg)
