"""The infusion planner: totals, shares, checks, comparison, search, and what people mistype."""

import numpy as np
import pytest

from remission.errors import SpecError
from remission.library.protocols import load_protocol
from remission.library.references import load_reference
from remission.library.sessions import (
    load_checks,
    load_course_facts,
    load_plasma_ranges,
    load_regimens,
)
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_iiv
from remission.planner import (
    Limit,
    PlanRequest,
    compare_regimens,
    list_presets,
    plan_infusion,
    preset_infusions,
    read_limit,
    read_regimen,
    read_request,
    read_search,
    search_regimen,
)
from remission.planner.session import simulate_session
from remission.planner.shares import share_difference, share_of
from remission.report.plan_search import search_sheet
from remission.session.effects import simulate_session_effects
from remission.streams import People

N = 120


def _request(**changes: object) -> PlanRequest:
    given: dict[str, object] = {
        "age_y": 45.0, "weight_kg": 82.0, "sex": "male", "substance": "alcohol", "n_people": N,
        "infusions": [{"dose": "0.5 mg/kg", "duration": "40 min"}],
    }  # fmt: skip
    return PlanRequest.create(**{**given, **changes})


def test_totals_and_quantiles() -> None:
    """A wrong total is a wrong dose on paper."""
    plan = plan_infusion(_request())
    assert plan.total_mg == pytest.approx(41.0)
    assert plan.mg_per_kg == pytest.approx(0.5)
    assert plan.infused_min == 40.0
    assert all((np.diff(curve.quantiles, axis=0) >= 0.0).all() for curve in plan.curves)
    assert {curve.name for curve in plan.curves} == {
        "ket", "s_ket", "s_nk", "vas", "cadss", "sbp_rise", "dbp_rise", "heart_rate_rise",
    }  # fmt: skip


def test_exposure_is_that_of_the_days() -> None:
    """The planner's e must be the one that the daily model receives, for one infusion and for the same cut in two."""
    whole, request = simulate_session(_request()), _request()
    halves = [{"dose": "0.25 mg/kg", "duration": "20 min", "start_h": start} for start in (0.0, 1.0 / 3.0)]
    people = People.of_replicates(seed=request.seed, first=0, count=1, n_subjects=N)
    pharmacology = load_pharmacology()
    exact = simulate_session_effects(
        dose_mg_per_kg=0.5, duration_h=2.0 / 3.0, weight_kg=np.full(N, request.weight_kg),
        z_iiv=sample_iiv(people, n_iiv=pharmacology.n_iiv), pharmacology=pharmacology,
    )  # fmt: skip
    for session in (whole, simulate_session(_request(infusions=halves))):
        assert session.exposure is not None
        # Two quadratures of the same smooth integral.
        np.testing.assert_allclose(session.exposure, exact.exposure, rtol=1e-8)


def test_the_bolus_shows_in_the_curve() -> None:
    """A multi-step regimen whose first step were lost would look like a plain infusion."""
    plan = plan_infusion(_request(infusions=preset_infusions("cocaine-071")))
    arterial = next(curve for curve in plan.curves if (curve.name, curve.site) == ("ket", "arterial"))
    median = arterial.quantiles[2]
    at_2_min, at_10_min = (float(np.interp(t / 60.0, plan.t_h, median)) for t in (2.0, 10.0))
    assert plan.regimen == "0.11 mg/kg over 2 min, then 0.6 mg/kg over 50 min"
    assert plan.total_mg == pytest.approx(0.71 * 82.0)
    assert at_2_min > at_10_min


def test_pressure_is_not_made_up() -> None:
    """Without a pressure before the session nothing can be said of 180 mmHg; with a higher one more people pass it."""
    assert plan_infusion(_request()).p_sbp_above_limit is None
    low, high = (plan_infusion(_request(sbp0_mmhg=sbp)).p_sbp_above_limit for sbp in (120.0, 165.0))
    assert low is not None
    assert high is not None
    assert high.share > low.share


def test_none_of_a_thousand_is_not_surely_none() -> None:
    """An error of 0 beside a share of 0 would promise safety that nobody simulated."""
    for hit in (np.zeros(1000, dtype=bool), np.ones(1000, dtype=bool)):
        found = share_of(hit)
        assert found.standard_error > 0.0
        assert found.high - found.low > 0.003
    assert share_difference(np.zeros(50, dtype=bool), np.zeros(50, dtype=bool)).standard_error > 0.0
    # The interval of Wilson for 8 of 40, from its closed form worked out by hand: (0.105, 0.348).
    eight = share_of(np.arange(40) < 8)
    assert (eight.low, eight.high) == pytest.approx((0.1050, 0.3476), abs=1e-4)


def test_regimens_are_those_of_the_protocols_and_have_sources() -> None:
    """The preset must be the published dose, and nothing in the library may stand without a source."""
    assert {"kare", "dakwar-2019", "krupitsky-2002-high"} <= set(list_presets())
    for name in ("kare", "dakwar-2019"):
        first = load_protocol(name).drugs["ketamine"].infusions[0]
        (preset,) = preset_infusions(name)
        assert (preset.dose_mg_per_kg, preset.duration_min) == (first.dose_mg_per_kg, first.duration_min)
    sources = [one.source for one in load_regimens()] + [one.source for one in load_checks()]
    sources += [one.source for one in load_plasma_ranges()] + [one.source for one in load_course_facts()]
    assert all(load_reference(source).title for source in sources)
    with pytest.raises(SpecError, match="kare"):
        preset_infusions("kair")


def test_regimens_agree_with_the_registry() -> None:
    """Two records of one trial must not give two doses."""
    from remission.evidence.registry import load_evidence
    from remission.records.evidence import StudyRecord

    checked = 0
    for regimen in load_regimens():
        if regimen.evidence is None or len(regimen.steps) > 1:
            continue
        study = load_evidence()[regimen.evidence]
        assert isinstance(study, StudyRecord)
        doses = [arm.dose_mg_per_kg for arm in study.arms if arm.dose_mg_per_kg]
        if doses:
            assert regimen.steps[0].dose_mg_per_kg in doses
            checked += 1
    assert checked >= 6


@pytest.mark.parametrize(
    ("changes", "kind", "label"),
    [
        ({"has": ("aneurysm",)}, "contraindication", "Aneurysm"),
        ({"has": ("pregnancy",)}, "contraindication", "Pregnancy"),
        ({"has": ("stimulant-today",)}, "contraindication", "Cocaine"),
        ({"sbp0_mmhg": 181.0}, "contraindication", "above 180 systolic"),
        ({"dbp0_mmhg": 111.0}, "contraindication", "above 180 systolic or 110"),
        ({"hr0_per_min": 131.0}, "contraindication", "Heart rate"),
        ({"sbp0_mmhg": 140.0, "dbp0_mmhg": 90.0}, "flag", "at or above 140"),
        ({"sbp0_mmhg": 141.0, "dbp0_mmhg": 80.0}, "flag", "above 140 systolic or 90"),
        ({"hypertension": True}, "flag", "Known hypertension"),
        ({"height_cm": 150.0}, "flag", "Body mass index"),
        ({"age_y": 61.0}, "flag", "Age outside"),
        ({"weight_kg": 200.0}, "flag", "Weight"),
        ({"n_sessions": 7}, "flag", "Course"),
        ({"spacing_days": 2.0}, "flag", "Spacing"),
        ({"infusions": [{"dose": "0.9 mg/kg", "duration": "60 min"}]}, "flag", "Dose"),
        ({"infusions": [{"dose": "0.5 mg/kg", "duration": "5 min"}]}, "flag", "Rate"),
        ({"infusions": [{"dose": "1.5 mg/kg", "duration": "60 min"}]}, "flag", "Anesthesia"),
        ({"infusions": [{"dose": "0.5 mg/kg", "duration": "150 min"}]}, "flag", "Duration"),
        ({"sex": None}, "unknown", "Sex"),
    ],
)
def test_what_stands_against_a_session_is_found(changes: dict[str, object], kind: str, label: str) -> None:
    """A check that looks past its condition is worse than none; those that block must block."""
    plan = plan_infusion(_request(n_people=20, **changes))
    found = [one for one in plan.findings if one.kind == kind and label in one.label]
    assert found, [one.label for one in plan.findings]
    assert plan.is_printable == (kind != "contraindication")


def test_a_plain_session_has_no_flag() -> None:
    """A flag on everything is read by nobody; limits are limits, not one step before."""
    fine: dict[str, object] = {"sbp0_mmhg": 139.0, "dbp0_mmhg": 89.0, "hr0_per_min": 130.0, "height_cm": 178.0}
    plan = plan_infusion(_request(n_people=20, n_sessions=3, spacing_days=7.0, **fine))
    assert plan.findings == ()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"route": "im", "assumed_ka_per_h": 4.0}, "ka 4 1/h, assumed"),
        ({"route": "sc", "assumed_ka_per_h": 4.0, "assumed_f": 0.5}, "F 0.5, assumed"),
        ({"route": "rectal", "assumed_ka_per_h": 4.0}, "ka 4 1/h, assumed"),
        ({"route": "oral"}, "derived from a peak"),
        ({"route": "sublingual"}, "derived from a peak"),
        ({"route": "intranasal", "product": "nasal-pmc9118341"}, "derived from a peak"),
    ],
)
def test_other_routes_have_concentrations_only(asked: dict[str, object], said: str) -> None:
    """No effect was measured after them in the models here; what is assumed stands wherever the plan is named."""
    plan = plan_infusion(_request(n_people=20, infusions=[{"dose": "0.5 mg/kg"}], **asked))
    assert {curve.name for curve in plan.curves} == {"ket", "s_ket"}
    assert plan.p_sbp_rise_above_limit is None
    assert plan.exposure_median is None
    assert any(one.label == "Absorption" and said in one.got for one in plan.flags)
    assert ("assumed" in plan.regimen) == ("assumed_ka_per_h" in asked)


@pytest.mark.parametrize(
    ("asked", "where", "reason"),
    [
        ({"route": "rectal"}, "assume_ka", "a bioavailability is sourced, and no rate"),
        ({"route": "intranasal"}, "product", "nasal-pmc9118341"),
        ({"route": "intranasal", "product": "nasal-yanagihara2003"}, "assume_ka", "no rate"),
        ({"route": "sublingual", "takes": ("rifampicin",)}, "route", "swallowed"),
    ],
)
def test_a_route_is_refused_with_its_own_reason(asked: dict[str, object], where: str, reason: str) -> None:
    """A curve drawn with a rate that nobody measured looks exactly like a sourced one."""
    request = _request(n_people=20, infusions=[{"dose": "0.5 mg/kg"}], **asked)
    with pytest.raises(SpecError) as caught:
        plan_infusion(request)
    assert caught.value.faults[0].where == where
    assert reason in str(caught.value)


def test_the_venous_band_holds_the_doubt_about_its_link() -> None:
    """A band of kinetics alone would make the provisional link look known."""
    session = simulate_session(_request())
    at_end = int(np.argmin(np.abs(session.t_h - 2.0 / 3.0)))
    arterial, venous = (session.of("ket", site)[:, at_end] for site in ("arterial", "venous"))
    assert np.median(venous) < np.median(arterial)
    # People keep their place among others in the artery; in the vein their link moves them.
    assert np.std(np.log(venous / arterial)) > 0.02


def test_a_medicine_moves_the_curves_or_says_that_it_does_not() -> None:
    """Rifampicin has a number for a dose into a vein; lamotrigine has none and must not move anything."""
    plain, induced, named = (
        simulate_session(_request(takes=takes)).of("ket", "effect").mean()
        for takes in ((), ("rifampicin",), ("lamotrigine",))
    )
    assert induced < plain == named
    flags = plan_infusion(_request(n_people=20, takes=("rifampicin", "lamotrigine"))).flags
    assert [(one.label.split()[0], one.got) for one in flags] == [
        ("Rifampicin", "in the curves"), ("Lamotrigine", "not in the curves"),
    ]  # fmt: skip
    # The American name is the same medicine; an unknown one is refused.
    assert _request(takes=("Rifampin",)) == _request(takes=("rifampicin",))
    with pytest.raises(SpecError, match="not in the library"):
        _request(takes=("unobtainium",))


def test_regimens_are_compared_in_the_same_people() -> None:
    """With other people in each, the difference would hold the difference of the people."""
    low = _request(sbp0_mmhg=150.0)
    high = low.replace(infusions=preset_infusions("kare"))
    found = compare_regimens([low, high, low])
    arterial = next(one for one in found.differences[0].peaks if one.quantity.site == "arterial")
    # Kinetics are linear: everyone's difference is 0.6 of their own first peak.
    first = next(one for one in found.plans[0].peaks if one.quantity == arterial.quantity)
    assert arterial.median == pytest.approx(0.6 * first.median)
    assert (arterial.low, arterial.high) == pytest.approx((0.6 * first.low, 0.6 * first.high))
    assert found.differences[0].shares["sbp_above"].difference > 0.0
    assert all(one.low == one.high == 0.0 for one in found.differences[1].peaks)
    with pytest.raises(SpecError, match="doses only"):
        compare_regimens([low, low.replace(seed=2)])


def test_a_search_stops_at_the_limit() -> None:
    """One step further must break the limit, or the answer is not the largest dose."""
    request = _request(infusions=[{"dose": "0.3 mg/kg", "duration": "40 min"}])
    found = search_regimen(request, target="dose", limits=[read_limit("sbp-rise=20")], share=0.8)
    assert found.value is not None
    assert found.bound_by == "limit"

    def inside(dose: float) -> float:
        session = simulate_session(
            request.replace(infusions=(request.infusions[0].replace(dose_mg_per_kg=dose),)), detail="limits"
        )
        return float(np.mean(session.of("sbp_rise").max(axis=1) <= 20.0))

    assert inside(found.value) >= 0.8 > inside(found.value + 0.01)
    assert found.cautious is not None
    assert found.lenient is not None
    assert found.cautious < found.value < found.lenient
    none = search_regimen(request, target="dose", limits=[read_limit("sbp-rise=0.5")])
    assert (none.value, none.bound_by) == (None, "none")
    all_of_it = search_regimen(request, target="dose", limits=[read_limit("sbp-rise=100")])
    assert (all_of_it.value, all_of_it.bound_by) == (0.8, "published")


def test_a_search_for_time_and_for_plasma() -> None:
    """Slower must mean a lower rise, and a range of a trial must bind."""
    request = _request()
    fast = search_regimen(request, target="duration", limits=[read_limit("sbp-rise=25")], share=0.8)
    slow = search_regimen(request, target="duration", limits=[read_limit("sbp-rise=20")], share=0.8)
    assert fast.value is not None
    assert slow.value is not None
    assert 25.0 <= fast.value < slow.value <= 120.0
    plasma = search_regimen(request, target="dose", limits=[Limit(quantity="plasma", plasma="kare")])
    assert plasma.value is not None
    assert plasma.request is not None
    venous = simulate_session(plasma.request, detail="limits")
    two_hours = np.mean([np.interp(2.0, venous.t_h, row) for row in venous.of("ket", "venous")])
    assert two_hours <= 66.5 < two_hours * (plasma.value + 0.01) / plasma.value


def test_a_search_says_what_it_held_and_what_stands_beside() -> None:
    """A preset keeps its own half; a trial's range comes with its doubts; treatments stand beside the answer."""
    person = {"weight": ["82"], "age": ["45"], "people": ["20"], "preset": ["kare"], "hypertension": ["yes"]}
    target, request = read_search(person, find="duration")
    assert (target, request.infusions) == ("duration", preset_infusions("kare"))
    limits = [read_limit("sbp-rise=30"), Limit(quantity="plasma", plasma="kare")]
    sheet = search_sheet(search_regimen(request, target=target, limits=limits, share=0.8))
    assert sheet.asked.startswith("Fastest infusion of 0.8 mg/kg with systolic rise")
    assert "neither the spread between people" in sheet.ranges[0]
    assert [one.label for one in sheet.flags] == ["Known hypertension"]
    assert any("naltrexone" in line for line in sheet.established)
    assert any("can kill" in line for line in sheet.safety)
    with pytest.raises(SpecError, match="a vein"):
        read_search({**person, "preset": [], "route": ["im"]}, find="dose")


@pytest.mark.parametrize("wanted", ["dissociation=50", "vas=60", "cadss=20", "high=1"])
def test_no_search_for_dissociation(wanted: str) -> None:
    """A target of intoxication is refused, with the reason."""
    with pytest.raises(SpecError, match="never a dissociation"):
        read_limit(wanted)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"has": ("aneurysm",)}, "contraindication"),
        ({"infusions": [{"dose": "0.9 mg/kg", "duration": "60 min"}]}, "published dose"),
        ({"infusions": preset_infusions("cocaine-071")}, "one infusion"),
    ],
)
def test_a_search_is_refused_where_it_could_harm(change: dict[str, object], named: str) -> None:
    """No largest dose for somebody who should get none, and none outside of what was ever given."""
    with pytest.raises(SpecError, match=named):
        search_regimen(_request(n_people=20, **change), target="duration", limits=[read_limit("sbp-rise=20")])


@pytest.mark.parametrize(
    "infusions",
    [
        [{"dose": "-0.5 mg/kg", "duration": "40 min"}],
        [{"dose": "0.5 mg/kg", "duration": "0 min"}],
        [{"dose": "0.5 mg/kg"}],
        [{"dose": "40 mg/kg", "duration": "40 min"}],
        [{"dose": "0.5 mg/kg", "duration": "40 min"}, {"dose": "0.5 mg/kg", "duration": "40 min", "start_h": 0.5}],
    ],
)
def test_wrong_infusions_are_refused(infusions: list[dict[str, object]]) -> None:
    """Negative, without duration, mg for mg/kg, overlapping: a message, never a curve."""
    with pytest.raises(SpecError):
        _request(infusions=infusions)


def test_time_does_not_go_backwards() -> None:
    """Infusions out of order are more likely a slip than a plan; sorted in silence they would hide it."""
    late, early = ({"dose": "0.2 mg/kg", "duration": "40 min", "start_h": start} for start in (3.0, 0.0))
    assert _request(infusions=[early, late]).total_mg == pytest.approx(32.8)
    with pytest.raises(SpecError, match="order of time"):
        _request(infusions=[late, early])


def test_a_dose_is_read_in_its_unit() -> None:
    """mg, mg/kg and a rate are three ways to write one dose; steps follow each other."""
    person = {"weight": ["70"], "age": ["45 years"], "minutes": ["40"]}
    doses = [read_request({**person, "dose": [text]}).total_mg for text in ("35mg", "0.5 mg/kg", "52.5 mg/h")]
    assert doses == pytest.approx([35.0, 35.0, 35.0])
    assert read_request({**person, "dose": ["0.75 mg/kg/h"]}).total_mg == pytest.approx(35.0)
    steps = read_request({**person, "dose": ["0.11 mg/kg", "0.6 mg/kg"], "minutes": ["2", "50 min"]}).infusions
    assert steps == preset_infusions("cocaine-071")
    first = read_request({**person, "dose": ["35mg"]})
    assert read_regimen("0.11mg/kg/2min+0.6mg/kg/50min", beside=first) == first.replace(infusions=steps)
    muscle = read_regimen("2mg/kg/im@0.05/min", beside=first)
    assert (muscle.route, muscle.total_mg, muscle.assumed_ka_per_h) == ("im", 140.0, 3.0)
    assert [
        read_request({**person, "dose": ["35mg"], "height": [text]}).height_cm for text in ("178", "1.78 m", "70 in")
    ] == (pytest.approx([178.0, 178.0, 177.8]))


@pytest.mark.parametrize(
    ("fields", "where", "said"),
    [
        ({"dose": ["0.5mg"]}, "dose", "0.5 mg/kg meant"),
        ({"dose": ["35 mg/kg"]}, "dose", "35 mg meant"),
        ({"dose": ["0.5"]}, "dose", "0.5 mg/kg meant"),
        ({"dose": ["-1 mg/kg/h"]}, "dose", "0 or more"),
        ({"dose": ["0.5 mg/kg/min"]}, "dose", "per hour"),
        ({"dose": [], "minutes": [], "preset": ["kare"], "route": ["im"]}, "route", "the route of kare"),
        ({"dose": [], "minutes": [], "preset": ["kare"], "start": ["10"]}, "start", "beside a preset"),
        ({"takes": ["cyp2b6-6-one", "cyp2b6-6-two"]}, "takes", "one number of copies"),
        ({"dose": ["-35 mg"]}, "dose", "0 mg/kg or more"),
        ({"dose": ["0.5 mg/kg"], "preset": ["kare"]}, "dose", "Leave one"),
        ({"dose": []}, "dose", "with its unit"),
        ({"dose": ["0.5 mg/kg"], "minutes": []}, "minutes", "bolus"),
        ({"minutes": ["-4"]}, "minutes", "more than 0"),
        ({"minutes": ["40 h"]}, "minutes", "1440"),
        ({"age": ["15"]}, "age", "children"),
        ({"age": ["45 kg"]}, "age", "an age"),
        ({"weight": ["0.082"]}, "weight", "30 to 250"),
        ({"weight": []}, "weight", "weight"),
        ({"height": ["178 m"]}, "height", "178 cm meant"),
        ({"height": ["1.78 cm"]}, "height", "1.78 m meant"),
        ({"systolic": ["80"], "diastolic": ["120"]}, "diastolic", "systolic"),
        ({"systolic": ["500"]}, "systolic", "260"),
        ({"has": ["anurysm"]}, "has", "aneurysm"),
        ({"sex": ["x"]}, "sex", "female"),
        ({"substance": ["beer"]}, "substance", "alcohol"),
        ({"people": ["3"]}, "people", "20"),
        ({"people": ["0"]}, "people", "20"),
        ({"hypertension": ["perhaps"]}, "hypertension", "yes or no"),
        ({"route": ["im"], "minutes": [], "assume_ka": ["3"]}, "assume_ka", "3/h meant"),
        ({"route": ["im"], "minutes": [], "assume_ka": ["-3/h"]}, "assume_ka", "more than 0"),
        ({"route": ["sc"], "minutes": [], "assume_f": ["90"]}, "assume_f", "at most 1"),
        ({"route": ["oral"], "minutes": [], "product": ["im-quoted"]}, "product", "oral-chong2006"),
        ({"assume_ka": ["3/h"]}, "assume_ka", "a vein"),
        ({"people": ["many"]}, "people", "whole number"),
        ({"dose": ["0.5 mg/kg", "0.5 mg/kg"], "minutes": ["40", "40"], "start": ["0", "30"]}, "start", "after 40 min"),
        ({"dose": ["0.5 mg/kg", "0.5 mg/kg"], "minutes": ["40", "40"], "start": ["60", "0"]}, "start", "order"),
        ({"dose": ["__import__('os')"]}, "dose", "with its unit"),
    ],
)
def test_slips_are_named_at_their_field(fields: dict[str, list[str]], where: str, said: str) -> None:
    """The message says which field, and what was probably meant; a wrong number gives no curve."""
    good = {"weight": ["82"], "age": ["45"], "dose": ["0.5 mg/kg"], "minutes": ["40"]}
    with pytest.raises(SpecError) as caught:
        read_request({**good, **fields})
    fault = caught.value.faults[0]
    assert fault.where == where
    assert said in f"{fault.allowed} {fault.remedy}"


@pytest.mark.parametrize(
    "text",
    ["kair", "0.5mg/kg", "0.5/40min", "0.5mg/kg/40min+", "35mg/kg/40min", "", "kare@3/h", "2mg/kg/im@3", "kare@x"],
)
def test_a_wrong_regimen_word_is_named(text: str) -> None:
    """A regimen that is misread would be compared as another one."""
    with pytest.raises(SpecError) as caught:
        read_regimen(text, beside=_request())
    assert caught.value.where == "compare"


@pytest.mark.parametrize(("word", "sex"), [("F", "female"), ("m", "male"), ("Female", "female"), ("MALE", "male")])
def test_sex_is_read_in_any_case_and_by_its_letter(word: str, sex: str) -> None:
    """Forms of clinics print F and M; a refusal at the bedside costs time and says nothing."""
    person = {"weight": ["82"], "age": ["45"], "dose": ["0.5 mg/kg"], "minutes": ["40"]}
    assert read_request({**person, "sex": [word]}).sex == sex


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Who mends a weight and only then hears of the dose sends the form four times."""
    wrong = {
        "weight": ["abc"],
        "age": ["12"],
        "dose": ["9foo", "1 mg/kg"],
        "minutes": ["xx", "40"],
        "start": ["0", "yy"],
    }
    with pytest.raises(SpecError) as caught:
        read_request(wrong)
    assert [one.where for one in caught.value.faults] == ["weight", "age", "dose", "minutes", "start"]
    # Of a dose that may be right for the true weight nothing is said.
    with pytest.raises(SpecError) as caught:
        read_request({"weight": ["abc"], "age": ["45"], "dose": ["900 mg"], "minutes": ["40"]})
    assert [one.where for one in caught.value.faults] == ["weight"]
