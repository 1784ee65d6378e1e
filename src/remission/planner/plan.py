"""A session in numbers: curves with the band of simulated people, peaks, shares with their error, totals, findings."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.library.loader import load_parameter_set
from remission.library.sessions import CourseFact, load_course_facts
from remission.numerics.cores import available_cores
from remission.numerics.quantiles import quantiles_over_people
from remission.planner.checks import Finding, check_session, evidence_findings
from remission.planner.request import PlannedInfusion, PlanRequest
from remission.planner.session import simulate_session
from remission.planner.shares import Probability, share_of
from remission.planner.simulated import MeasuredCurve, ModelsAtSite, Quantity, SimulatedSession, StudiedRange
from remission.records.result import Result
from remission.shapes import Float
from remission.units import hours_to_minutes

NOTICE = "Research simulation, not for patient care."
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BAND = (0.05, 0.5, 0.95)
_ROUTE_WORDS = {
    "im": "into a muscle", "sc": "under the skin", "oral": "swallowed", "sublingual": "under the tongue",
    "intranasal": "into the nose", "rectal": "into the rectum",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Quantiles 5, 25, 50, 75 and 95% over people at each time; ``site`` is empty for an effect."""

    name: str
    site: str
    unit: str
    quantiles: Float[np.ndarray, "quantile time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Each person's highest value: the median, and the range that holds 90% of the simulated people.

    The range is the spread of this model's people, not a prediction: measured people differ more.

    ``t_h``: when half of the people have reached it. [h]
    """

    quantity: Quantity
    median: float
    low: float
    high: float
    t_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureLimits:
    """What the shares count; defaults of the planner, no rule of care. [mmHg]"""

    sbp_mmhg: float
    dbp_mmhg: float
    sbp_rise_mmhg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Result):
    """What :func:`plan_infusion` found.

    ``p_sbp_above_limit``, ``p_dbp_above_limit``: None without a pressure before the session, by a route without
    effects, and beyond what was studied. ``studied``: studied range of each effect; empty by a route without effects.
    ``exposure_median``, ``exposure_low``, ``exposure_high``: session exposure e, median and 90% of people; 1 is the
    typical 70 kg adult at 0.5 mg/kg over 40 min; None without effects. ``heart_rate_low_percent``,
    ``heart_rate_high_percent``: highest mean rise of heart rate under the two ends of its assumed shape; None without
    effects. [%] ``findings``: contraindications, flags, and what is not known. ``models``: published models beside each
    other at each site of blood, and their average. ``measured``: the band of one measured value at each site of blood,
    wider than that of the people.
    """

    request: PlanRequest
    regimen: str
    t_h: Float[np.ndarray, " time"]
    curves: tuple[Curve, ...]
    peaks: tuple[Peak, ...]
    limits: PressureLimits
    p_sbp_above_limit: Probability | None
    p_dbp_above_limit: Probability | None
    p_sbp_rise_above_limit: Probability | None
    exposure_median: float | None
    exposure_low: float | None
    exposure_high: float | None
    heart_rate_low_percent: float | None
    heart_rate_high_percent: float | None
    total_mg: float
    studied: tuple[StudiedRange, ...]
    findings: tuple[Finding, ...]
    course: tuple[CourseFact, ...]
    models: tuple[ModelsAtSite, ...] = ()
    measured: tuple[MeasuredCurve, ...] = ()
    notice: str = NOTICE

    def columns(self) -> dict[str, Any]:
        """One row a curve and time, with its quantiles over people."""
        n = self.t_h.size
        bands = np.concatenate([one.quantiles for one in self.curves], axis=1)
        return {
            **{
                name: [getattr(one, name) for one in self.curves for _ in range(n)] for name in ("name", "site", "unit")
            },
            "t_h": np.tile(self.t_h, len(self.curves)),
            **{f"q{round(100 * q):02d}": row for q, row in zip(_QUANTILES, bands, strict=True)},
        }

    @property
    def mg_per_kg(self) -> float:
        """The drug of the session per body weight. [mg/kg]"""
        return self.total_mg / self.request.weight_kg

    @property
    def infused_min(self) -> float:
        """Minutes during which something is infused; 0 for other routes. [min]"""
        return sum(one.duration_min or 0.0 for one in self.request.infusions)

    @property
    def contraindications(self) -> tuple[Finding, ...]:
        """What blocks the printed plan."""
        return self._of("contraindication")

    @property
    def flags(self) -> tuple[Finding, ...]:
        """What is shown and blocks nothing."""
        return self._of("flag")

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """What was not given, and what therefore cannot be said."""
        return self._of("unknown")

    @property
    def is_printable(self) -> bool:
        """Whether a plan may be printed: no contraindication stands against it."""
        return not self.contraindications

    def _of(self, kind: str) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.kind == kind)


def plan_infusion(request: PlanRequest) -> Plan:
    """Curves, peaks, shares, totals and findings of one session.

    Raises SpecError: the model or a dose is not allowed; the message says which.
    """
    return summarize_session(request, simulate_session(request))


def summarize_session(request: PlanRequest, session: SimulatedSession) -> Plan:
    """The plan of a session that was simulated."""
    limits = _limits()
    names = {quantity.name for quantity in session.values}
    peaks = {name: session.of(name).max(axis=1) for name in ("sbp_rise", "dbp_rise") if name in names}
    exposure: list[float | None] = [None, None, None]
    if session.exposure is not None:
        exposure = np.quantile(session.exposure, _BAND).tolist()
    low, median, high = exposure
    ends = session.heart_rate_ends
    rates = None if ends is None else [100.0 * float(one.mean(axis=0).max()) for one in ends]
    return Plan(
        request=request,
        regimen=regimen_words(request.infusions, route=request.route) + _assumed_words(request),
        t_h=session.t_h,
        curves=_curves(session),
        peaks=tuple(_peak(one, values, session.t_h) for one, values in session.values.items()),
        limits=limits,
        p_sbp_above_limit=_above(peaks.get("sbp_rise"), limits.sbp_mmhg, request.sbp0_mmhg),
        p_dbp_above_limit=_above(peaks.get("dbp_rise"), limits.dbp_mmhg, request.dbp0_mmhg),
        p_sbp_rise_above_limit=_above(peaks.get("sbp_rise"), limits.sbp_rise_mmhg, 0.0),
        exposure_median=median,
        exposure_low=low,
        exposure_high=high,
        heart_rate_low_percent=None if rates is None else min(rates),
        heart_rate_high_percent=None if rates is None else max(rates),
        total_mg=request.total_mg,
        studied=session.studied,
        findings=(
            *check_session(request),
            *evidence_findings(
                request,
                flags=session.flags,
                is_extrapolated=session.is_extrapolated,
                peak_high_ng_per_ml=_peak_high(session),
                studied=session.studied,
            ),
        ),
        course=load_course_facts(),
        models=session.models,
        measured=session.measured,
    )


def _curves(session: SimulatedSession) -> tuple[Curve, ...]:
    """Quantiles over people of every curve; sorting lets other threads run."""
    with ThreadPoolExecutor(available_cores()) as pool:
        found = pool.map(lambda values: quantiles_over_people(values, _QUANTILES), session.values.values())
        return tuple(
            Curve(name=one.name, site=one.site, unit=one.unit, quantiles=quantiles)
            for one, quantiles in zip(session.values, found, strict=True)
        )


def regimen_words(infusions: tuple[PlannedInfusion, ...], *, route: str) -> str:
    """A regimen in words, as ``0.11 mg/kg over 2 min, then 0.6 mg/kg over 50 min``.

    >>> regimen_words((PlannedInfusion(dose_mg_per_kg=2.0),), route="im")
    '2 mg/kg into a muscle'
    """
    parts: list[str] = []
    clock_h = 0.0
    for one in infusions:
        gap_min = hours_to_minutes(one.start_h - clock_h)
        dose = f"{float(f'{one.dose_mg_per_kg:.3g}'):g} mg/kg"
        how = _ROUTE_WORDS[route] if one.duration_min is None else f"over {one.duration_min:g} min"
        wait = f" after a pause of {gap_min:.0f} min" if parts and gap_min > 0.5 else ""
        parts.append(f"{dose} {how}{wait}")
        clock_h = one.end_h
    return ", then ".join(parts)


def _assumed_words(request: PlanRequest) -> str:
    """What the user assumes of absorption: it stands wherever the regimen is named."""
    given = ["esketamine"] if request.is_esketamine else []
    given += [f"product {request.product}"] if request.product else []
    given += [f"absorption assumed at {request.assumed_ka_per_h:g}/h"] if request.assumed_ka_per_h else []
    given += [f"{100.0 * request.assumed_f:g}% assumed to arrive"] if request.assumed_f else []
    return "".join(f", {one}" for one in given)


def _peak_high(session: SimulatedSession) -> float:
    """Highest ketamine in blood of all but one in twenty of the people, at whichever site it is highest. [ng/mL]

    Of esketamine the same, where no racemate is given.
    """
    if session.careful_peak_ng_per_ml is not None:
        return session.careful_peak_ng_per_ml
    parent = "ket" if any(one.name == "ket" for one in session.values) else "s_ket"
    named = [(one, values) for one, values in session.values.items() if one.name == parent]
    blood = [values for one, values in named if one.site != "effect"] or [values for _, values in named]
    return max(float(np.quantile(values.max(axis=1), _BAND[2])) for values in blood)


def _limits() -> PressureLimits:
    values = load_parameter_set("dosing-limits")
    return PressureLimits(
        sbp_mmhg=values.value("sbp_limit_mmhg"),
        dbp_mmhg=values.value("dbp_limit_mmhg"),
        sbp_rise_mmhg=values.value("sbp_rise_limit_mmhg"),
    )


def _above(peak: Float[np.ndarray, " subject"] | None, limit: float, before: float | None) -> Probability | None:
    return None if peak is None or before is None else share_of(before + peak > limit)


def _peak(quantity: Quantity, values: Float[np.ndarray, "subject time"], t_h: Float[np.ndarray, " time"]) -> Peak:
    # A person whose pressure only falls has a highest rise of 0, and no -0.
    low, median, high = (float(one) + 0.0 for one in np.quantile(values.max(axis=1), _BAND))
    return Peak(quantity=quantity, median=median, low=low, high=high, t_h=float(np.median(t_h[values.argmax(axis=1)])))
