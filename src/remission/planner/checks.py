"""What stands against a session: contraindications, which block the printed plan, and flags, which do not.

The entries and their sources are data, ``library/sessions/checks.toml``; here are the rules by which some of them are
computed, and the marks on what lies outside the evidence of the models and the published regimens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from remission.dosing import EvidenceFlag
from remission.library.interactions import Interaction
from remission.library.loader import load_parameter_set
from remission.library.meanings import classes_of
from remission.library.references import load_reference
from remission.library.sessions import SessionCheck, load_checks, load_regimens
from remission.pk import load_pk_model
from remission.planner.request import AVERAGE, PlannedInfusion, PlanRequest, another_drug, is_spray_dose, list_absorbed
from remission.planner.simulated import StudiedRange
from remission.records.analyte import Analyte

_OURS = "Computed by the planner."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found: what it is, what came, what follows, and who says so.

    ``kind``: ``contraindication``, ``flag``, or ``unknown`` for something that was not given.
    """

    kind: Literal["contraindication", "flag", "unknown"]
    label: str
    got: str
    consequence: str
    source: str
    grade: str

    @property
    def text(self) -> str:
        """The finding in one line."""
        got = f" ({self.got})" if self.got else ""
        source = f" Source: {self.source}" if self.source else ""
        return f"{self.label}{got}. {self.consequence}{source}"


def check_session(request: PlanRequest) -> tuple[Finding, ...]:
    """Everything on file that the request meets, contraindications first."""
    found = []
    for check in load_checks():
        got = _met(check, request)
        if got is not None:
            words = {"consequence": check.consequence, "source": check.citation, "grade": check.grade.value}
            found.append(Finding(kind=check.kind, label=check.label, got=got, **words))
    return tuple(sorted(found, key=lambda one: one.kind))


def _met(check: SessionCheck, request: PlanRequest) -> str | None:
    """What of the request meets the check, in words; None where it does not."""
    if check.rule == "asked":
        return "" if check.id in request.has else None
    return _RULES[check.rule](check, request)


def _pressure(check: SessionCheck, request: PlanRequest, how: Callable[[list[bool]], bool]) -> str | None:
    pairs = [(request.sbp0_mmhg, check.threshold), (request.dbp0_mmhg, check.threshold_2)]
    known = [(value, limit) for value, limit in pairs if value is not None and limit is not None]
    # Both: at or above, as the trial says; either: above, as the label says.
    met = [value >= limit if how is all else value > limit for value, limit in known]
    if not met or not how(met) or (how is all and len(met) < 2):
        return None
    return f"{_number(request.sbp0_mmhg)} over {_number(request.dbp0_mmhg)} mmHg"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


def _outside(value: float | None, check: SessionCheck, words: str) -> str | None:
    if value is None or check.threshold is None or check.threshold_2 is None:
        return None
    return None if check.threshold <= value <= check.threshold_2 else words.format(value)


def _pulse(check: SessionCheck, request: PlanRequest) -> str | None:
    pulse = request.hr0_per_min
    return None if pulse is None or pulse <= (check.threshold or 0.0) else f"{pulse:g} per minute"


_RULES: dict[str, Callable[[SessionCheck, PlanRequest], str | None]] = {
    "pressure-either": lambda check, request: _pressure(check, request, any),
    "pressure-both": lambda check, request: _pressure(check, request, all),
    "pulse": _pulse,
    "bmi": lambda check, request: _outside(request.bmi_kg_per_m2, check, "{:.1f} kg/m2"),
    "age": lambda check, request: _outside(request.age_y, check, "{:g} years"),
    "hypertension": lambda _, request: "" if request.hypertension else None,
}


def evidence_findings(
    request: PlanRequest,
    *,
    flags: Sequence[EvidenceFlag],
    is_extrapolated: bool,
    peak_high_ng_per_ml: float,
    studied: Sequence[StudiedRange] = (),
) -> tuple[Finding, ...]:
    """Flags on doses and people outside of what was studied, and what is not known of this person.

    ``peak_high_ng_per_ml``: peak of ketamine in blood that one in twenty of the simulated people passes. [ng/mL]
    ``studied``: studied range of each effect that was simulated.
    """
    # What an interaction does is told by its own entry, with its sources.
    moved = {one.got: one for one in flags if one.where.startswith("interactions")}
    found = [
        _flag(one.where, one.got, f"Evidence reaches to {one.evidence}. {one.consequence}")
        # A second dose of the same kind says nothing new.
        for one in {(each.where.rpartition(".")[2], each.got): each for each in flags}.values()
        if one.got not in moved
    ]
    if is_extrapolated:
        words = f"Outside of the weights that {request.model} was fitted to: every curve is an extrapolation."
        found.append(_flag("Weight", f"{request.weight_kg:g} kg", words))
    anesthesia = _anesthesia_findings(request, peak_high_ng_per_ml)
    return (
        *anesthesia, *_drug_findings(request), *_errata_findings(request), *found, *_taken_findings(request, moved),
        *_together_findings(request, is_anesthetic=bool(anesthesia)), *_dose_findings(request),
        *_studied_findings(studied), *_course_findings(request), *_unknown(request),
    )  # fmt: skip


def _taken_findings(request: PlanRequest, moved: dict[str, EvidenceFlag]) -> list[Finding]:
    return [
        _flag(
            one.title,
            _said(request, one, "in the curves" if one.title in moved else "not in the curves"),
            f"{one.effect}. {one.advice}".strip()
            + (f" Evidence reaches to {moved[one.title].evidence}." if one.title in moved else ""),
            source=" ".join(map(_title, one.sources)),
            grade="contested" if one.is_contested else "measured",
        )
        for one in request.taken
    ]


def _said(request: PlanRequest, one: Interaction, where: str) -> str:
    """What was named of a class, and whether the curves know of it."""
    named = [name.replace("-", " ") for name in request.takes if name != one.id and one.id in classes_of(name)]
    return "; ".join([*([", ".join(named)] if named else []), where])


def _anesthesia_findings(request: PlanRequest, peak_high_ng_per_ml: float) -> list[Finding]:
    """Anesthesia and breathing, by every route: from what can reach the blood, from the peak, and from the rate."""
    # All of esketamine is the half of the racemate that acts most: its limits are taken at half, which is assumed.
    part_s = 0.5 if request.is_esketamine else 1.0
    most = part_s * load_parameter_set("routes").value("anesthetic_mg_per_kg")
    reached = part_s * load_parameter_set("acute-response").value("anaesthesia_peak_ng_per_ml")
    fastest = part_s * load_parameter_set("dosing-limits").value("label_rate_mg_per_kg_per_min")
    total = request.total_mg / request.weight_kg
    absorbed = total * _most_arriving(request)
    rates = [one.dose_mg_per_kg / one.duration_min for one in request.infusions if one.duration_min]
    got = []
    if absorbed > most * (1.0 + 1e-9):
        part = "" if absorbed == total else f" of {total:.2f} mg/kg"
        got.append(f"up to {absorbed:.2f} mg/kg{part} can reach the blood, above {most:g}")
    if peak_high_ng_per_ml >= reached:
        got.append(f"peaks up to {peak_high_ng_per_ml:.0f} ng/mL in blood, as in anesthesia, from {reached:g}")
    if max(rates, default=0.0) > fastest * (1.0 + 1e-9):
        got.append(f"{max(rates):.2f} mg/kg/min, faster than the {fastest:g} of the label")
    if not got:
        return []
    return [
        _flag(
            "Anesthesia and breathing",
            "; ".join(got),
            "Unconsciousness and slow or stopped breathing are possible. The US label induces anesthesia "
            "with 1 to 4.5 mg/kg into a vein or 6.5 to 13 mg/kg into a muscle, and warns of slow breathing after too "
            "much or too fast a dose. Loss of consciousness and breathing are not simulated."
            + (" For esketamine half of these numbers is taken, which is assumed." if request.is_esketamine else ""),
            source=f"{_title('us_ketamine_label')[:-1]}; limits computed by the planner.",
            grade="assumed",
        )
    ]


def _most_arriving(request: PlanRequest) -> float:
    """The largest share that may reach the blood: 1 where none is sourced, or where something unmeasured raises it."""
    if request.assumed_f is not None:
        return request.assumed_f
    unmeasured = {"cyp3a4-inhibitors", "cyp2b6-inhibitors", "clarithromycin", "ticlopidine", "grapefruit"}
    if request.route == "iv" or unmeasured & {one.id for one in request.taken}:
        return 1.0
    if request.is_esketamine:
        return 1.0
    known = [one for one in list_absorbed() if one.route.value == request.route and request.product in {None, one.id}]
    shares = [one.bioavailability(analyte) for one in known for analyte in (Analyte.S_KET, Analyte.R_KET)]
    found = [share.high if share.high is not None else share.value for share in shares if share is not None]
    return max(found, default=1.0) if len(found) == len(shares) else 1.0


def _drug_findings(request: PlanRequest) -> list[Finding]:
    """A dose of the spray of esketamine, planned as racemic ketamine because somebody named a product of that."""
    if (
        request.is_esketamine
        or request.route != "intranasal"
        or not any(is_spray_dose(_mg(request, one)) for one in request.infusions)
    ):
        return []
    fault = another_drug(where="dose", got="")
    return [
        _flag(
            "Esketamine is another drug",
            ", ".join(f"{_mg(request, one):g} mg into the nose" for one in request.infusions),
            "28, 56 and 84 mg are the doses of the nasal spray of esketamine (Spravato). What is drawn "
            f"here is racemic ketamine, and nothing of it holds for that spray. {fault.remedy.partition('. ')[0]}.",
        )
    ]


def _errata_findings(request: PlanRequest) -> list[Finding]:
    """What is wrong in the source of the model that was used, as its file says."""
    if request.model == AVERAGE:
        return []
    model = load_pk_model(request.model)
    errata = model.parameter_set.attributes.get("errata")
    if errata is None:
        return []
    label = "What is wrong in the source of the model"
    return [_flag(label, model.id, f"{errata}.", source=_title(model.id), grade="measured")]


def _mg(request: PlanRequest, one: PlannedInfusion) -> float:
    return round(one.dose_mg_per_kg * request.weight_kg, 6)


def _together_findings(request: PlanRequest, *, is_anesthetic: bool) -> list[Finding]:
    """Several things that each slow breathing."""
    slow = {"opioid-maintenance", "alcohol-today", "opioid-today", "sedative-today", "sleep-apnea", "lung-severe"}
    taken = [one.title.lower() for one in request.taken if one.is_depressant]
    checks = [one.label.lower() for one in load_checks() if one.id in slow & set(request.has)]
    named = [*taken, *checks]
    if len(named) + is_anesthetic < 2 or not named:
        return []
    got = ", ".join([*named, *(["a dose that may be anesthetic"] if is_anesthetic else [])])
    return [
        _flag(
            "Sedation and breathing together",
            got,
            "Each of these deepens sedation and slows breathing, and with ketamine they add up; how "
            "much was not measured, and breathing is not simulated. None of them is stopped suddenly for a session.",
            source=_title("ketamine_label_ph"),
            grade="measured",
        )
    ]


_EFFECT_WORDS = {
    "vas": "drug high", "cadss": "CADSS", "sbp_rise": "systolic rise", "dbp_rise": "diastolic rise",
    "heart_rate_rise": "heart rate",
}  # fmt: skip


def _studied_findings(studied: Sequence[StudiedRange]) -> list[Finding]:
    found = []
    for one in studied:
        if one.share_beyond <= 0.05:
            continue
        what = " and ".join(_EFFECT_WORDS[name] for name in one.effects)
        drug = "S-ketamine" if one.analyte == "s_ket" else "ketamine"
        words = f"It was studied up to {one.most_ng_per_ml:g} ng/mL of {drug} at the effect site. "
        words += "No number is shown above it." if one.is_withheld else "Their numbers are extrapolated."
        beyond = f"{100.0 * one.share_beyond:.0f}% of simulated people beyond it"
        found.append(_flag(f"Studied range of {what}", beyond, words))
    return found


def _dose_findings(request: PlanRequest) -> list[Finding]:
    if request.is_esketamine:
        words = (
            "No published regimen of the library gives esketamine: the doses of racemic ketamine are no measure of it. "
            "For the spray the product's own label says doses and intervals."
        )
        return [_flag("Dose", f"{request.total_mg:.1f} mg of esketamine", words)]
    published = [one for one in load_regimens() if one.route == request.route]
    total = request.total_mg / request.weight_kg
    totals = {one.id: sum(step.dose_mg_per_kg or 0.0 for step in one.steps) for one in published}
    addiction = max((totals[one.id] for one in published if one.is_addiction), default=0.0)
    most = max(totals.values(), default=0.0)
    found = []
    if not published:
        found.append(_flag("Route", request.route, "No published regimen of the library takes it."))
    for highest, of in ((most, "that a regimen of the library gave by this route"),
                        (addiction, "given by this route in a trial about addiction")):  # fmt: skip
        if published and total > highest * (1.0 + 1e-9):
            words = f"Above {highest:g} mg/kg, the most {of}."
            found.append(_flag("Dose", f"{total:.2f} mg/kg in the session", words))
            break
    if request.route == "iv":
        rates = [
            step.dose_mg_per_kg / step.duration_min
            for one in published
            for step in one.steps
            if step.dose_mg_per_kg and step.duration_min
        ]
        fastest = max(one.dose_mg_per_kg / one.duration_min for one in request.infusions if one.duration_min)
        if fastest > max(rates) * (1.0 + 1e-9):
            words = f"Faster than {max(rates):.3f} mg/kg/min, the fastest of the library, a bolus of 0.11 mg/kg."
            found.append(_flag("Rate", f"{fastest:.3f} mg/kg/min", words))
    return found


def _course_findings(request: PlanRequest) -> list[Finding]:
    if request.is_esketamine:
        return []
    courses = [one for one in load_regimens() if one.is_course and one.n_sessions and one.route == request.route]
    addiction = [one for one in courses if one.is_addiction]
    found = []
    if request.n_sessions is not None and addiction:
        longest = max(one.n_sessions or 0 for one in addiction)
        if request.n_sessions > longest:
            words = f"More than {longest}, the longest course published for an addiction by this route."
            found.append(_flag("Course", f"{request.n_sessions} sessions", words))
    spaced = [one.spacing_low_days or one.spacing_days for one in addiction]
    closest = min((days for days in spaced if days), default=None)
    if request.spacing_days is not None and closest is not None and request.spacing_days < closest:
        words = f"Closer than {closest:g} days, the closest in a published course for an addiction by this route."
        found.append(_flag("Spacing", f"{request.spacing_days:g} days apart", words))
    return found


def _unknown(request: PlanRequest) -> list[Finding]:
    missing = (
        (request.sbp0_mmhg, "Systolic pressure before the session",
         "Nothing can be said of 180 mmHg, and its limits are not checked."),
        (request.dbp0_mmhg, "Diastolic pressure before the session", "Nothing can be said of 110 mmHg."),
        (request.height_cm, "Height", "Body mass index is not checked."),
        (request.sex, "Sex", "No curve depends on it; in one study clearance was a fifth higher in women."),
        (request.substance, "Substance", "No curve depends on it; treatments of all substances are named."),
    )  # fmt: skip
    return [
        Finding(kind="unknown", label=label, got="", consequence=consequence, source="", grade="")
        for value, label, consequence in missing
        if value is None
    ]


_LABELS = {
    "duration_h": "Duration", "absorption": "Absorption", "dose": "Dose", "dose_mg": "Dose", "product": "Product",
    "peak": "Peak in blood",
}  # fmt: skip


def _flag(label: str, got: str, consequence: str, *, source: str = _OURS, grade: str = "derived") -> Finding:
    label = _LABELS.get(label.rpartition(".")[2], label)
    return Finding(kind="flag", label=label, got=got, consequence=consequence, source=source, grade=grade)


def _title(key: str) -> str:
    """The title of a source as a sentence."""
    return f"{load_reference(key).title.strip('[]')}."
