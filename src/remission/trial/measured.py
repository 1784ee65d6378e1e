"""What is measured in people beside use: sessions, ratings of depression, craving by its cue, admissions.

Equations, with the states of the day, x the cue and sigma_x its spread::

    z(cue) = z + (cue - x)*(z_H*H*i/2 + z_N*c_x)         tonic: cue 0; under a cue of k: k*sigma_x
    score  = S + a*most*(N - N_0),   N_0 = w_W*W + c_A*A + c_x*x on day 0, without what a drug eases

z is linear in x, in its own term and in N, so craving with another cue needs no second course; i is its incubation.
S is the person's score at entry, of the distribution that the population states; ``most`` is the scale's highest score
and a the share of it for a step of 1 in N. Evidence: a assumed, errors of a rating assumed.

Systolic pressure is the person's pressure at rest plus the rise that the planner shows, from the same code
(:mod:`remission.session.acute`). Of midazolam, lorazepam and diphenhydramine neither rise nor
score is known; of saline both are 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from remission.dosing import make_infusions
from remission.endpoints.data import Marks, SessionsSeen
from remission.endpoints.measured import cue_mark
from remission.patient.course import Course, CourseSchedule
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import Pharmacology
from remission.patient.sampling import AcuteResponse, Covariates, sample_acute_response, sample_iiv
from remission.protocol.record import Protocol
from remission.records.dose import Route
from remission.records.endpoint_kinds import KINDS
from remission.records.packaged import packaged_toml
from remission.records.session_rule import SESSION_BOUNDS
from remission.records.treatment import DrugCourse, Session
from remission.session.acute import AcutePeaks, simulate_acute_peaks
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_normal_pair, draw_uniforms
from remission.trial.happenings import Happenings, first_day_of_rule
from remission.use.craving import craving_vas, incubation

ENTRY_DAY = -1
"""Day of the rating at screening, before anything is given. [day]"""

_DEPRESSION, _RESTING = 40, 41
"""Blocks of the covariates' draws."""
_MAP = packaged_toml("depression-scales.toml")["map"]

DEPRESSION_ERROR: float = _MAP["noise_range"]
"""Standard deviation of the error of a rating, as a share of the range of its scale. [share]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """True values, before errors and missed visits.

    ``craving``: marks by name. ``depression``: scores, ``depression_most_points`` the highest of the scale.
    ``sessions``: dosing sessions. ``admission_day``: first day of an admission, the number of days for none. Each is
    there where an endpoint of the protocol needs it.
    """

    craving: Mapping[str, Marks] = field(default_factory=dict)
    depression: Marks | None = None
    depression_most_points: float = 0.0
    sessions: SessionsSeen | None = None
    admission_day: Int[np.ndarray, " subject"] | None = None


def needs_states(protocol: Protocol) -> bool:
    """Whether an endpoint reads states, which take room and are kept where somebody does."""
    return any(
        KINDS[one.kind].needs == "depression" or one.kind in {"tonic_craving", "cue_craving"}
        for one in protocol.endpoints
    )


def measure(
    people: People,
    protocol: Protocol,
    schedule: CourseSchedule,
    course: Course,
    happened: Happenings,
    parameters: CourseParameters,
    *,
    arm: Int[np.ndarray, " subject"],
    covariates: Covariates,
    pharmacology: Pharmacology,
    adapted: Mapping[tuple[int, int], Bool[np.ndarray, " subject"]],
) -> Measured:
    """What the endpoints of a protocol need beside use.

    ``schedule``: as planned, before anything happened. ``course``: with its states, where they are needed. ``adapted``:
    who got the other dose of a session that adapts, by arm and slot of the schedule.
    """
    kinds = {one.kind for one in protocol.endpoints}
    needs = {KINDS[kind].needs for kind in kinds}
    readmission = protocol.events.readmission if protocol.events is not None else None
    admitted = None
    if "readmission" in kinds and readmission is not None:
        met = first_day_of_rule(course.use, readmission)
        sent = draw_uniforms(people, Stream.EVENT, 1)[0] < readmission.chance
        admitted = np.where(sent, met, course.use.shape[1])
    return Measured(
        craving=_craving(protocol, course, parameters) if kinds & {"tonic_craving", "cue_craving"} else {},
        depression=_depression(people, protocol, course, parameters) if "depression" in needs else None,
        depression_most_points=0.0
        if protocol.population.depression_scale is None
        else protocol.population.depression_scale.most_points,
        sessions=_sessions(
            people,
            protocol,
            schedule,
            course,
            happened,
            arm=arm,
            covariates=covariates,
            pharmacology=pharmacology,
            adapted=adapted,
        )
        if "session" in needs
        else None,
        admission_day=admitted,
    )


def _visits(protocol: Protocol, what: str) -> list[int]:
    return sorted({day for visit in protocol.visits if what in visit.collects for day in visit.days})


def _craving(protocol: Protocol, course: Course, parameters: CourseParameters) -> dict[str, Marks]:
    """Craving at the visits without a cue, and under each size of cue that an endpoint names."""
    p, days = parameters, _visits(protocol, "craving")
    z, x, habit = (course.states[name][:, days] for name in ("z", "x", "H"))
    slope = p.z_habit * habit * _incubated(course, days, p) / 2.0 + p.z_affect * p.c_x
    found = {}
    for one in protocol.endpoints:
        if one.kind in {"tonic_craving", "cue_craving"}:
            name = "tonic" if one.cue_sd is None else cue_mark(one.cue_sd)
            strength = z + ((one.cue_sd or 0.0) * p.sigma_x - x) * slope
            vas = craving_vas(strength.ravel(), lambda_v=p.lambda_v, z_v=p.z_v).reshape(z.shape)
            found[name] = Marks(day=np.array(days, dtype=np.int64), value=vas)
    return found


def _incubated(course: Course, days: list[int], p: CourseParameters) -> Float[np.ndarray, "subject visit"]:
    """i on some days, from clean days since the first simulated one, as the kernels count them."""
    n, n_days = course.use.shape
    used = np.concatenate([course.baseline_use > 0, course.use > 0], axis=1)
    day = np.arange(used.shape[1])
    last = np.maximum.accumulate(np.where(used, day, -1), axis=1)
    clean = np.concatenate([np.zeros((n, 1)), (day - last)[:, :-1]], axis=1)[:, -n_days:][:, days]
    return incubation(clean.ravel(), i_max=p.i_max, tau_i=p.tau_i_day).reshape(clean.shape)


def _depression(people: People, protocol: Protocol, course: Course, p: CourseParameters) -> Marks:
    scale = protocol.population.depression_scale
    assert scale is not None, "checked with the protocol"
    days = _visits(protocol, "depression")
    states = course.states
    at_entry = p.w_w * states["W"][:, 0] + p.c_a * states["A"][:, 0] + p.c_x * states["x"][:, 0]
    first = scale.mean_points + scale.sd_points * draw_normal_pair(people, Stream.COVARIATES, _DEPRESSION)[0]
    first = np.clip(first, 0.0, scale.most_points)
    step = _MAP["range_per_affect"] * scale.most_points
    later = first[:, None] + step * (states["N"][:, days] - at_entry[:, None])
    value = np.clip(np.concatenate([first[:, None], later], axis=1), 0.0, scale.most_points)
    return Marks(day=np.array([ENTRY_DAY, *days], dtype=np.int64), value=value)


def _sessions(
    people: People,
    protocol: Protocol,
    schedule: CourseSchedule,
    course: Course,
    happened: Happenings,
    *,
    arm: Int[np.ndarray, " subject"],
    covariates: Covariates,
    pharmacology: Pharmacology,
    adapted: Mapping[tuple[int, int], Bool[np.ndarray, " subject"]],
) -> SessionsSeen:
    day = schedule.infusion_day
    shown = np.maximum(day, 0)
    given: Bool[np.ndarray, "subject session"] = (day >= 0) & (day < course.days_in_study[:, None])
    if happened.in_custody is not None:
        given &= ~happened.in_custody[np.arange(len(people))[:, None], np.minimum(shown, course.use.shape[1] - 1)]
    peak, flowing = ({name: np.full(day.shape, np.nan) for name in SESSION_BOUNDS} for _ in range(2))
    response = sample_acute_response(people)
    for index, one in enumerate(protocol.arms):
        drugs = [protocol.drugs[name] for _, name in one.drug_starts]
        planned = [(drug, infusion) for drug in drugs for infusion in drug.infusions]
        for slot, (drug, infusion) in enumerate(planned):
            other = adapted.get((index, slot), np.zeros(len(people), dtype=np.bool_))
            for session, who in ((infusion, (arm == index) & ~other), (infusion.adapt, (arm == index) & other)):
                rows = np.flatnonzero(who)
                if session is None or not rows.size:
                    continue
                found = _acute(people, drug, session, rows, response, covariates, pharmacology)
                if found is not None:
                    peak["systolic_rise_mmhg"][rows, slot] = found.sbp_rise_mmhg
                    peak["cadss_points"][rows, slot] = found.cadss_points
                    flowing["systolic_rise_mmhg"][rows, slot] = found.flowing_sbp_rise_mmhg
                    flowing["cadss_points"][rows, slot] = found.flowing_cadss_points
    rest = protocol.population.resting_systolic
    if rest is not None:
        resting = rest.mean_mmhg + rest.sd_mmhg * draw_normal_pair(people, Stream.COVARIATES, _RESTING)[0]
        for some in (peak, flowing):
            some["systolic_mmhg"] = resting[:, None] + some["systolic_rise_mmhg"]
    return SessionsSeen(day=day, given=given, peak=peak, flowing=flowing)


def _acute(
    people: People,
    drug: DrugCourse,
    session: Session,
    rows: Int[np.ndarray, " row"],
    response: AcuteResponse,
    covariates: Covariates,
    pharmacology: Pharmacology,
) -> AcutePeaks | None:
    """The peaks of some people in a session, or None where the chain has none: those that the planner does not show.

    The curves were read after infusions of the racemate in people awake.
    """
    if drug.drug == "saline":
        nothing = np.zeros(rows.size)
        return AcutePeaks(
            sbp_rise_mmhg=nothing, cadss_points=nothing, flowing_sbp_rise_mmhg=nothing, flowing_cadss_points=nothing
        )
    doses = session.given(drug.form)
    is_read = drug.drug == "racemic-ketamine" and not session.under_anesthesia
    if not is_read or any(one.route is not Route.IV_INFUSION for one in doses):
        return None
    weight = covariates.weight_kg[rows]
    each_mg = [
        np.full(rows.size, one.dose_mg or 0.0) if one.dose_mg_per_kg is None else one.dose_mg_per_kg * weight
        for one in doses
    ]
    events = make_infusions(
        np.stack(each_mg, axis=1),
        start_h=[one.start_h for one in doses],
        duration_h=[one.duration_h for one in doses],
    )
    return simulate_acute_peaks(
        events,
        weight_kg=weight,
        z_iiv=sample_iiv(people, n_iiv=pharmacology.n_iiv)[rows],
        response=AcuteResponse(**{name: getattr(response, name)[rows] for name in AcuteResponse.__slots__}),
        pharmacology=pharmacology,
    )
