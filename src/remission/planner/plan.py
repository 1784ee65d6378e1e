"""One session in simulated people: curves with intervals, pressure probabilities, totals, flags.

Assumptions: kinetics depend on weight alone, as in the model; the rise of pressure is the interim linear law of
``acute-effects``, the same for every age and with hypertension, so its probabilities are too sure of themselves.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from remission.dosing import EvidenceFlag, infusions_per_weight
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_iiv
from remission.pk import individual_parameters, simulate_concentrations
from remission.planner.request import PlanRequest
from remission.receptor import simulate_pressure_rise
from remission.records.analyte import Analyte, SamplingSite
from remission.streams import People, Stream, draw_normals

__all__ = ["Curve", "Plan", "Probability", "plan_infusion"]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_AFTER_H = 4.0
# Half of it takes twice the time; the peak of pressure changes by less than the error of a thousand people.
_STEP_H = 1.0 / 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Quantiles 5, 25, 50, 75 and 95% over people; ``site`` is empty for an effect."""

    name: str
    site: str
    unit: str
    quantiles: Float[np.ndarray, "quantile time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """A share of the simulated people and its Monte Carlo standard error. [0 to 1]"""

    share: float
    standard_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What :func:`plan_infusion` found; ``p_sbp_above_limit`` is None without a pressure before the session."""

    request: PlanRequest
    t_h: Float[np.ndarray, " time"]
    curves: tuple[Curve, ...]
    p_sbp_above_limit: Probability | None
    p_sbp_rise_above_limit: Probability
    total_mg: float
    flags: tuple[EvidenceFlag, ...]
    notice: str = "Research simulation, not for patient care."


def plan_infusion(request: PlanRequest) -> Plan:
    """Curves, pressure probabilities and totals of one session.

    Raises
    ------
    SpecError
        Infusions overlap or run backwards; the message says which.
    """
    starts = [one.start_h for one in request.infusions]
    for number, (before, after) in enumerate(pairwise(starts), start=1):
        if after < before:
            raise SpecError(
                where=f"infusions[{number}].start_h", got=f"{after:g} h, before the one above at {before:g} h",
                allowed="infusions in the order of time",
            )  # fmt: skip
    pharmacology = load_pharmacology(request.model)
    limits = load_parameter_set("dosing-limits")
    people = People.of_replicates(seed=request.seed, first=0, count=1, n_subjects=request.n_people)
    weight_kg = np.full(request.n_people, request.weight_kg)
    events = infusions_per_weight(
        [one.dose_mg_per_kg for one in request.infusions],
        start_h=[one.start_h for one in request.infusions],
        duration_h=[one.duration_min / 60.0 for one in request.infusions],
        weight_kg=weight_kg,
    )
    # The ends of infusions are on the grid: there the concentrations peak.
    t_h = np.union1d(np.arange(0.0, float(events.end_h.max()) + _AFTER_H, _STEP_H), events.end_h)
    persons = individual_parameters(
        pharmacology.pk, weight_kg=weight_kg, z_iiv=sample_iiv(people, n_iiv=pharmacology.n_iiv)
    )
    found = simulate_concentrations(
        persons, events, t_h=t_h, analytes=(Analyte.KET, Analyte.S_KET), sites=pharmacology.pk.sites
    )
    ket = found.select(Analyte.KET, site=SamplingSite.EFFECT)
    z_systolic, _, _, _ = draw_normals(people, Stream.PRESSURE, 0)
    rise = simulate_pressure_rise(ket, z=z_systolic, which="sbp", effects=pharmacology.effects)
    peak = rise.max(axis=1)
    curves = [
        _curve(
            str(series.analyte),
            str(series.sampling_site),
            "ng/mL",
            found.select(series.analyte, site=series.sampling_site),
        )
        for series in found.series
    ]
    sbp0 = request.sbp0_mmhg
    return Plan(
        request=request,
        t_h=t_h,
        curves=(*curves, _curve("sbp_rise", "", "mmHg", rise)),
        p_sbp_above_limit=None if sbp0 is None else _share(sbp0 + peak > limits.value("sbp_limit_mmhg")),
        p_sbp_rise_above_limit=_share(peak > limits.value("sbp_rise_limit_mmhg")),
        total_mg=float(events.dose_mg[0].sum()),
        flags=(*events.flags, *_flags(request, is_extrapolated=bool(persons.is_extrapolated.any()))),
    )


def _flags(request: PlanRequest, *, is_extrapolated: bool) -> list[EvidenceFlag]:
    found = []
    if is_extrapolated:
        found.append(
            EvidenceFlag(
                where="weight",
                got=f"{request.weight_kg:g} kg",
                evidence=f"the weights {request.model} was fitted to",
                consequence="Every curve is an extrapolation.",
            )
        )
    if request.hypertension:
        found.append(
            EvidenceFlag(
                where="hypertension",
                got="yes",
                evidence="the mean rise of one clinic series",
                consequence="The pressure curves do not know of it and may be too low.",
            )
        )
    return found


def _curve(name: str, site: str, unit: str, values: Float[np.ndarray, "subject time"]) -> Curve:
    return Curve(name=name, site=site, unit=unit, quantiles=np.quantile(values, _QUANTILES, axis=0))


def _share(hit: np.ndarray) -> Probability:
    share = float(hit.mean())
    return Probability(share=share, standard_error=float(np.sqrt(share * (1.0 - share) / hit.size)))
