"""Sessions, ratings of depression, craving by its cue and admissions: against the planner, by hand, and refused."""

from typing import Any

import numpy as np
import pytest
from seen_days import endpoint, seen_days
from validation.small_trials import small_protocol

from remission.endpoints.data import Marks, SessionsSeen
from remission.endpoints.values import values_of
from remission.errors import SpecError
from remission.patient.course import Course
from remission.patient.parameters import load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_acute_response, sample_iiv
from remission.protocol.file import parse_protocol, write_protocol
from remission.protocol.record import Protocol
from remission.records.substance import Substance
from remission.session.curves import simulate_session_curves
from remission.trial.batch import TrialBatch, simulate_batch, simulate_with_states
from remission.use.craving import craving_vas

WINDOW = {"first": 0, "last": 27}
SCALE = {"scale": "MADRS", "mean_points": 26.0, "sd_points": 6.0}
PRESSURE = {"mean_mmhg": 130.0, "sd_mmhg": 14.0}
ALCOHOL = load_course_parameters(Substance("alcohol"))
VISITS = [{"id": "weekly", "days": [6, 13, 20, 27], "collects": ["diary", "craving", "depression"]}]


def trial(*endpoints: dict[str, Any], **changes: Any) -> Protocol:
    """The small trial with these endpoints, a scale and a pressure at rest."""
    items = [{"id": f"e{k}", "label": "e", "window": WINDOW, **one} for k, one in enumerate(endpoints)]
    population = {**small_protocol().population.to_dict(), "depression_scale": SCALE, "resting_systolic": PRESSURE}
    known = {"population": population, "visits": VISITS, "test": None, "endpoints": items, "analyses": []}
    return small_protocol(**{**known, **changes})


def states_of(protocol: Protocol) -> Course:
    """The courses of the same people, with their states."""
    return simulate_with_states(
        protocol, seed=5, n_replicates=3, n_people=72, parameters=ALCOHOL, pharmacology=load_pharmacology()
    )[1]


def people_of(protocol: Protocol) -> TrialBatch:
    return simulate_batch(
        protocol, seed=5, first_replicate=0, n_replicates=3,
        parameters=ALCOHOL, pharmacology=load_pharmacology(),
    )  # fmt: skip


def test_sessions_have_the_peaks_of_the_planners_curves() -> None:
    """One code: a person's rise and score in a trial are the highest points of the curves of the same session."""
    batch = people_of(trial({"kind": "any_session_event", "session": {"cadss_points": 10.0}}))
    sessions = batch.observation.sessions
    assert sessions is not None
    mine = np.flatnonzero(batch.arm == 0)
    pharmacology, response = load_pharmacology(), sample_acute_response(batch.people)
    t_h = np.linspace(0.0, 1.5, 1081)
    curves = simulate_session_curves(
        dose_mg_per_kg=0.8, duration_h=40.0 / 60.0, t_h=t_h, weight_kg=batch.covariates.weight_kg[mine],
        z_iiv=sample_iiv(batch.people, n_iiv=pharmacology.n_iiv)[mine],
        z_pressure=np.stack([response.z_sbp, response.z_dbp], axis=1)[mine],
        sbp0_mmhg=np.zeros(mine.size), dbp0_mmhg=np.zeros(mine.size), pharmacology=pharmacology,
        z_dissociation=response.z_dissociation[mine],
    )  # fmt: skip
    np.testing.assert_allclose(sessions.peak["cadss_points"][mine, 0], curves.cadss.max(axis=1), rtol=2e-4)
    np.testing.assert_allclose(sessions.peak["systolic_rise_mmhg"][mine, 0], curves.sbp_mmhg.max(axis=1), rtol=2e-4)
    assert (sessions.flowing["cadss_points"][mine, 0] <= sessions.peak["cadss_points"][mine, 0]).all()
    saline = batch.arm == 1
    assert (sessions.peak["systolic_rise_mmhg"][saline, 0] == 0.0).all()
    rest = sessions.peak["systolic_mmhg"][:, 0] - sessions.peak["systolic_rise_mmhg"][:, 0]
    assert rest.mean() == pytest.approx(130.0, abs=6.0)


def test_a_session_counts_by_its_bounds_and_only_where_something_is_known() -> None:
    """Two sessions: the first given and above, the second not given; a third person has a session of nothing known."""
    nan = np.nan
    peak = {
        "systolic_mmhg": np.array([[185.0, 150.0], [170.0, 150.0], [nan, nan]]),
        "systolic_rise_mmhg": np.array([[45.0, 20.0], [35.0, 20.0], [nan, nan]]),
        "cadss_points": np.array([[5.0, 5.0], [30.0, 5.0], [nan, nan]]),
    }
    sessions = SessionsSeen(
        day=np.array([[0, 7], [0, 7], [0, -1]]), given=np.array([[True, False], [True, True], [True, False]]),
        peak=peak, flowing={name: value - 40.0 for name, value in peak.items()},
    )  # fmt: skip
    data = seen_days("." * 14, "." * 14, "." * 14, sessions=sessions)

    def found(kind: str, rule: dict[str, Any] | None = None, first: int = 0, last: int = 13) -> list[float]:
        return values_of(endpoint(kind, first, last, session=rule), data).tolist()

    np.testing.assert_array_equal(found("any_session_event", {"systolic_mmhg": 180.0}), [1.0, 0.0, nan])
    np.testing.assert_array_equal(found("percent_session_events", {"systolic_rise_mmhg": 30.0}), [100.0, 50.0, nan])
    either = {"systolic_mmhg": 180.0, "cadss_points": 20.0}
    np.testing.assert_array_equal(found("any_session_event", either), [1.0, 1.0, nan])
    np.testing.assert_array_equal(found("any_session_event", {**either, "stopped": True}), [0.0, 0.0, nan])
    np.testing.assert_array_equal(found("any_session_event", {"systolic_mmhg": 120.0}, 7), [nan, 1.0, nan])
    assert found("any_session_missed") == [1.0, 0.0, 0.0]
    np.testing.assert_array_equal(found("percent_sessions_missed", None, 7), [100.0, 0.0, nan])


def test_who_has_left_gets_no_session() -> None:
    """Missed is what the kernel did not give: sessions on days after leaving."""
    infusions = [{"day": day, "duration_min": 40.0, "dose_mg_per_kg": 0.5} for day in (0, 7, 14, 21)]
    drugs = {
        "ketamine": {"drug": "racemic-ketamine", "infusions": infusions},
        "saline": {"drug": "saline", "infusions": [{**one, "dose_mg_per_kg": 0.0} for one in infusions]},
    }
    protocol = trial({"kind": "percent_sessions_missed"}, drugs=drugs)
    values = ALCOHOL.replace(leave_hazard_per_day=0.05)
    batch = simulate_batch(
        protocol, seed=5, first_replicate=0, n_replicates=3, parameters=values, pharmacology=load_pharmacology()
    )
    sessions = batch.observation.sessions
    assert sessions is not None
    stays = batch.course.days_in_study[:, None]
    assert 0.1 < (~sessions.given).mean() < 0.9
    np.testing.assert_array_equal(sessions.given, sessions.day < stays)


def test_craving_without_a_cue_and_under_one_are_the_equations_at_that_cue() -> None:
    """A cue of the day's own size gives the day's own craving; more cue, more craving."""
    protocol = trial({"kind": "tonic_craving"}, {"kind": "cue_craving", "cue_sd": 2.0})
    p, course = ALCOHOL, states_of(protocol)
    batch = people_of(protocol)
    found = batch.measured.craving
    days, z, x = [6, 13, 20, 27], course.states["z"], course.states["x"]
    slope = p.z_habit * course.states["H"] / 2.0 + p.z_affect * p.c_x
    expected = craving_vas((z - x * slope)[:, days].ravel(), lambda_v=p.lambda_v, z_v=p.z_v).reshape(72, 4)
    np.testing.assert_allclose(found["tonic"].value, expected, rtol=1e-12)
    assert (found["cue 2"].value > found["tonic"].value).all()
    own = (x[:, days] > 0.0) == (course.vas[:, days] > found["tonic"].value)
    assert own.all()


def test_a_depression_score_follows_negative_affect_on_its_scale() -> None:
    """A straight line from the score at entry, inside the scale; a rating errs and a missed visit has none."""
    protocol = trial({"kind": "depression_change", "baseline": {"first": -1, "last": -1}})
    course = states_of(protocol)
    batch = people_of(protocol)
    true, seen = batch.measured.depression, batch.observation.marks["depression"]
    assert true is not None
    assert true.day.tolist() == [-1, 6, 13, 20, 27]
    inside = ((true.value > 0.0) & (true.value < 60.0)).all(axis=1)
    steps = np.diff(true.value[inside, 1:], axis=1)
    np.testing.assert_allclose(steps, 15.0 * np.diff(course.states["N"][inside][:, [6, 13, 20, 27]], axis=1))
    assert np.isfinite(seen.value[:, 0]).all()
    missed = ~np.isfinite(seen.value[:, 1:])
    np.testing.assert_array_equal(missed, ~batch.observation.diary_kept)
    assert 0.5 < (seen.value - true.value)[np.isfinite(seen.value)].std() / 3.0 < 1.2


def test_ratings_are_carried_only_where_the_window_has_none() -> None:
    """Response under the strict rule: who was not rated has not responded."""
    nan = np.nan
    marks = {"depression": Marks(day=np.array([-1, 6, 13]), value=np.array([[30.0, 20.0, nan], [30.0, 10.0, 16.0]]))}
    data = seen_days("." * 14, "." * 14, marks=marks)
    base = {"first": -1, "last": -1}
    np.testing.assert_array_equal(values_of(endpoint("depression_score", 7, 13), data), [nan, 16.0])
    np.testing.assert_array_equal(values_of(endpoint("depression_score", 7, 13, "carried"), data), [20.0, 16.0])
    np.testing.assert_array_equal(values_of(endpoint("depression_change", 0, 13, baseline=base), data), [-10.0, -17.0])
    half: dict[str, Any] = {"baseline": base, "reduction_percent": 50.0}
    assert values_of(endpoint("depression_response", 6, 6, "use", **half), data).tolist() == [0.0, 1.0]
    assert values_of(endpoint("depression_response", 7, 13, "use", **half), data)[0] == 0.0
    assert np.isnan(values_of(endpoint("depression_response", 7, 13, **half), data)[0])


def test_admissions_follow_the_rule_of_use_and_its_chance() -> None:
    """With chance 1 everybody who meets the rule is admitted on that day; with 0 nobody is."""
    rule = {"use_days": 3, "within_days": 7}
    for chance in (0.0, 0.5, 1.0):
        protocol = trial({"kind": "readmission"}, events={"readmission": {**rule, "chance": chance}})
        batch = people_of(protocol)
        day = batch.observation.admission_day
        assert day is not None
        use = batch.course.use > 0
        windows = np.stack([use[:, max(0, d - 6) : d + 1].sum(axis=1) >= 3 for d in range(28)], axis=1)
        met = np.where(windows.any(axis=1), windows.argmax(axis=1), 28)
        admitted = day < 28
        np.testing.assert_array_equal(day[admitted], met[admitted])
        assert admitted.mean() == pytest.approx(chance * (met < 28).mean(), abs=0.12)


@pytest.mark.parametrize(
    ("endpoints", "changes", "where", "words"),
    [
        ([{"kind": "depression_score"}], {"population": small_protocol().population.to_dict()},
         "population.depression_scale", "Add 'depression_scale: {scale: MADRS"),
        ([{"kind": "any_session_event", "session": {"systolic_mmhg": 180.0}}],
         {"population": small_protocol().population.to_dict()}, "population.resting_systolic", "resting_systolic:"),
        ([{"kind": "readmission"}], {}, "events.readmission", "events: {readmission:"),
        ([{"kind": "change_in_use_days", "baseline": {"first": -28, "last": -1}}], {},
         "endpoints[0].baseline.first", "baseline: {days: 28}"),
        ([{"kind": "percent_days_abstinent", "window": {"first": -7, "last": -1}}], {},
         "endpoints[0].window.first", "baseline: {days: 7}"),
        ([{"kind": "amount_per_day"}], {}, "endpoints[0].amount_unit", "amount_unit: UK units"),
        ([{"kind": "amount_per_day", "amount_unit": "g"}], {"substance": "cocaine"}, "endpoints[0].kind", "use_days"),
        ([{"kind": "any_heavy_day"}], {"substance": "nicotine"}, "endpoints[0].kind", "use_days"),
        ([{"kind": "depression_score"}], {"visits": [{"id": "w", "days": [27], "collects": ["diary"]}]},
         "endpoints[0].kind", "Add 'depression'"),
    ],
)  # fmt: skip
def test_what_a_trial_cannot_know_is_refused_with_what_to_add(
    endpoints: list[dict[str, Any]], changes: dict[str, Any], where: str, words: str
) -> None:
    """A score without a scale or a pressure without a rest would be a number that nobody stated."""
    with pytest.raises(SpecError) as caught:
        trial(*endpoints, **changes)
    found = [one for one in caught.value.faults if one.where == f"protocol.{where}"]
    assert found, [one.where for one in caught.value.faults]
    assert words in found[0].remedy


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{systolic: 180}", "a number with its unit, for example '180 mmHg'"),
        ("{cadss: 15}", "a number with its unit, for example '15 points'"),
        ("{systolic: 180 kg}", "a pressure"),
        ("{stopped: true}", "systolic, systolic_rise or cadss"),
        ("{systolic: 20 mmHg}", "at least 60 mmHg"),
    ],
)
def test_a_bound_without_its_unit_is_refused(line: str, words: str) -> None:
    """180 of what? A file says it, or it is not read."""
    text = write_protocol(trial({"kind": "any_session_event", "session": {"systolic_mmhg": 180.0}}))
    assert "session: {systolic: 180 mmHg}" in text
    wrong = text.replace("session: {systolic: 180 mmHg}", f"session: {line}")
    with pytest.raises(SpecError, match="endpoints") as caught:
        parse_protocol(wrong, name="x.yaml")
    assert any(words in f"{one.allowed} {one.remedy}" for one in caught.value.faults)
    assert parse_protocol(text, name="x.yaml").endpoints[0].session is not None


def test_real_diaries_say_why_they_have_none() -> None:
    """Sessions, scores and cues are not in a diary."""
    data = seen_days("....")
    for item in (
        endpoint("any_session_missed", 0, 3), endpoint("tonic_craving", 0, 3), endpoint("depression_score", 0, 3),
        endpoint("readmission", 0, 3),
    ):  # fmt: skip
        with pytest.raises(SpecError, match="simulated"):
            values_of(item, data)


def test_measuring_changes_no_day() -> None:
    """The reference kernel is used where states are read: the days must be the compiled kernel's."""
    plain, measured = trial({"kind": "use_days"}), trial({"kind": "tonic_craving"}, {"kind": "any_session_missed"})
    one, other = people_of(plain), people_of(measured)
    np.testing.assert_array_equal(one.course.use, other.course.use)
    np.testing.assert_array_equal(one.course.vas, other.course.vas)
    assert not other.course.states


def test_only_what_was_read_has_a_pressure_and_a_score() -> None:
    """After a bolus, under anesthesia or after midazolam nothing is known: no value, never a calm session."""
    at_once = {"day": 0, "dose_mg_per_kg": 0.5, "route": "iv_bolus"}
    infused = {"day": 0, "duration_min": 40.0, "dose_mg_per_kg": 0.5}
    unread = {
        "bolus": {"drug": "racemic-ketamine", "infusions": [at_once]},
        "midazolam": {"drug": "midazolam", "infusions": [{**infused, "dose_mg_per_kg": 0.025}]},
        "asleep": {"drug": "racemic-ketamine", "infusions": [{**infused, "under_anesthesia": True}]},
    }
    rise = {"kind": "any_session_event", "session": {"systolic_rise_mmhg": 30.0}}
    for name, drug in unread.items():
        drugs = {"ketamine": drug, "saline": {"drug": "saline", "infusions": [{**infused, "dose_mg_per_kg": 0.0}]}}
        batch = people_of(trial(rise, {"kind": "any_session_missed"}, drugs=drugs))
        sessions = batch.observation.sessions
        assert sessions is not None
        known = np.isfinite(sessions.peak["systolic_rise_mmhg"][:, 0])
        np.testing.assert_array_equal(known, batch.arm == 1, err_msg=name)
        assert sessions.given.all()


def test_people_who_got_the_other_dose_have_its_peaks() -> None:
    """A dose that adapts is one session or the other, person by person."""
    second = {"day": 14, "duration_min": 40.0, "dose_mg_per_kg": 0.2}
    adapt = {"visit": 13, "use_days": 1, "within_days": 7, "dose_mg_per_kg": 0.8, "duration_min": 40.0}
    first = {"day": 0, "duration_min": 40.0, "dose_mg_per_kg": 0.2}
    drugs = {
        "ketamine": {"drug": "racemic-ketamine", "infusions": [first, {**second, "adapt": adapt}]},
        "saline": {"drug": "saline", "infusions": [{**one, "dose_mg_per_kg": 0.0} for one in (first, second)]},
    }
    batch = people_of(trial({"kind": "percent_session_events", "session": {"cadss_points": 8.0}}, drugs=drugs))
    sessions = batch.observation.sessions
    assert sessions is not None
    mine = batch.arm == 0
    score = sessions.peak["cadss_points"][mine]
    more = score[:, 1] > score[:, 0] * 1.001
    assert 0 < more.sum() < mine.sum()
    np.testing.assert_allclose(score[~more, 1], score[~more, 0], rtol=1e-12)
