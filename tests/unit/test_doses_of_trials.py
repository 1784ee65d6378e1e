"""Doses of a trial by any route: what they do to a person, what follows what was reported, what is refused."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.backgrounds import course_parameters_of, values_of_people
from remission.patient.course import CourseSchedule
from remission.patient.parameters import load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_band_draws, sample_covariates, sample_iiv
from remission.pk import load_pk_model, simulate_doses
from remission.protocol.record import Protocol
from remission.records.dose import Dose
from remission.records.treatment import Infusion
from remission.session.effects import (
    SessionEffects,
    session_model,
    simulate_effects_of_doses,
    simulate_session_effects,
)
from remission.streams import People
from remission.trial.batch import TrialBatch, simulate_batch, simulate_with_states
from remission.trial.schedule import build_schedule
from remission.trial.simulate import plan_trial

PHARMACOLOGY = load_pharmacology()
N = 40
PEOPLE = People.of_replicates(seed=3, first=0, count=1, n_subjects=N)
WEIGHT_KG = np.linspace(50.0, 120.0, N)
INFUSED = {"route": "iv", "dose": "0.5 mg/kg", "duration": "40 min"}


def effects(*doses: dict[str, Any], weight_kg: np.ndarray = WEIGHT_KG) -> SessionEffects:
    made = tuple(Dose.create(**dose) for dose in doses)
    model = session_model(made, PHARMACOLOGY)
    return simulate_effects_of_doses(
        made, weight_kg=weight_kg, z_iiv=sample_iiv(PEOPLE, n_iiv=model.n_iiv),
        z_absorption=sample_band_draws(PEOPLE, model=model).z_absorption, pharmacology=PHARMACOLOGY,
    )  # fmt: skip


def test_one_infusion_is_the_same_by_both_ways() -> None:
    """The general way must agree with the one that every older trial has gone."""
    expected = simulate_session_effects(
        dose_mg_per_kg=0.5, duration_h=2 / 3, weight_kg=WEIGHT_KG, z_iiv=sample_iiv(PEOPLE, n_iiv=8),
        pharmacology=PHARMACOLOGY,
    )  # fmt: skip
    actual = effects(INFUSED)
    np.testing.assert_allclose(actual.exposure, expected.exposure, rtol=1e-9)
    np.testing.assert_allclose(actual.psychoactive, expected.psychoactive, rtol=1e-3)


def test_an_infusion_in_two_pieces_is_one_infusion() -> None:
    """A bolus and an infusion add up in one vein."""
    half = {"route": "iv", "dose": "0.25 mg/kg", "duration": "20 min"}
    pieces = effects(half, {**half, "start_h": 1 / 3})
    np.testing.assert_allclose(pieces.exposure, effects(INFUSED).exposure, rtol=1e-9)
    np.testing.assert_allclose(pieces.psychoactive, effects(INFUSED).psychoactive, rtol=1e-9)


def test_s_ketamine_counts_as_the_half_of_the_racemate_that_it_is() -> None:
    """m sees S-ketamine alone; e sees nanograms, and less of them where the R-form is left out."""
    s_alone = effects({**INFUSED, "dose": "0.25 mg/kg", "form": "esketamine"})
    both = effects(INFUSED)
    np.testing.assert_allclose(s_alone.psychoactive, both.psychoactive, rtol=1e-9)
    assert np.all(s_alone.exposure < both.exposure)
    assert np.all(2.0 * s_alone.exposure > both.exposure), "saturation: half of the drug does more than half"


def test_a_muscle_that_lets_all_of_it_through_at_once_is_a_bolus() -> None:
    """The limit of a fast rate and a whole share."""
    muscle = {"ka_per_h": 1000.0, "f": 1.0, "reason": "A limit."}
    fast = effects({"route": "im", "dose": "0.5 mg/kg", "absorption": muscle})
    bolus = effects({"route": "iv_bolus", "dose": "0.5 mg/kg"})
    np.testing.assert_allclose(fast.exposure, bolus.exposure, rtol=3e-3)
    np.testing.assert_allclose(fast.psychoactive, bolus.psychoactive, rtol=1e-2)


def test_the_share_that_arrives_differs_between_people_as_in_a_plan() -> None:
    """Two people of one weight and one clearance still get different doses under the tongue."""
    dose = (Dose.create(route="sublingual", dose="25 mg"),)
    typical: dict[str, Any] = {"weight_kg": np.full(N, 70.0), "z_iiv": np.zeros((N, 8)), "pharmacology": PHARMACOLOGY}
    z = sample_band_draws(PEOPLE, model=PHARMACOLOGY.pk).z_absorption
    drawn = simulate_effects_of_doses(dose, z_absorption=z, **typical).exposure
    assert np.all(simulate_effects_of_doses(dose, z_absorption=np.zeros((N, 2)), **typical).exposure.std() < 1e-12)
    # More of it arrives in those with the larger draw.
    assert np.corrcoef(z[:, 0], drawn)[0, 1] > 0.9


def test_a_spray_of_esketamine_takes_the_model_that_holds_it() -> None:
    """Its effect site follows the vein of the model of the nasal route, and nothing else of the chain changes."""
    spray = Dose.create(route="intranasal", dose="56 mg", form="esketamine")
    model = session_model((spray,), PHARMACOLOGY)
    assert model.id == "perezruixo2021"
    found = effects({"route": "intranasal", "dose": "56 mg", "form": "esketamine"})
    vein = simulate_doses(
        load_pk_model("perezruixo2021"), [spray], weight_kg=WEIGHT_KG, z_iiv=sample_iiv(PEOPLE, n_iiv=model.n_iiv),
        t_h=np.arange(0.0, 24.0, 1 / 60), analytes=["s_ket"], sites=["venous"],
    ).select("s_ket", site="venous")  # fmt: skip
    peak = vein.max(axis=1)
    assert np.all((found.peak_s_ket_ng_per_ml < peak) & (found.peak_s_ket_ng_per_ml > 0.7 * peak))


def dosed(**infusion: Any) -> Protocol:
    course = {"drug": infusion.pop("drug", "racemic-ketamine"), "infusions": [{"day": 0, **infusion}]}
    return small_protocol(drugs={"ketamine": course, "saline": SALINE})


SALINE = {"drug": "saline", "infusions": [{"day": 0, "dose_mg_per_kg": 0.0, "duration_min": 40.0}]}


def schedule_of(protocol: Protocol) -> CourseSchedule:
    return build_schedule(
        PEOPLE, protocol, arm=np.zeros(N, dtype=np.int64), covariates=sample_covariates(PEOPLE, protocol.population),
        pharmacology=PHARMACOLOGY,
    )  # fmt: skip


def test_what_is_given_under_anesthesia_is_not_felt() -> None:
    """The exposure stays, the score is 0 and the reader is told."""
    awake, asleep = (dosed(dose="0.5 mg/kg", duration="40 min", under_anesthesia=flag) for flag in (False, True))
    np.testing.assert_array_equal(schedule_of(asleep).exposure, schedule_of(awake).exposure)
    assert np.all(schedule_of(awake).psychoactive[:, 0] > 0.0)
    assert np.all(schedule_of(asleep).psychoactive == 0.0)
    assert any("nobody dissociates" in caution for caution in asleep.cautions())
    assert "under anesthesia" in asleep.explain()


def test_a_fixed_dose_is_more_for_the_light() -> None:
    """40 mg is not 0.57 mg/kg for everybody."""
    fixed = effects({"route": "iv", "dose": "35 mg", "duration": "40 min"}, weight_kg=np.full(N, 50.0))
    heavy = effects({"route": "iv", "dose": "35 mg", "duration": "40 min"}, weight_kg=np.full(N, 70.0))
    assert np.all(fixed.exposure > heavy.exposure)
    scaled = effects(INFUSED, weight_kg=np.full(N, 70.0))
    np.testing.assert_allclose(heavy.exposure, scaled.exposure, rtol=1e-12)


@pytest.mark.parametrize("drug", ["midazolam", "lorazepam", "diphenhydramine", "saline"])
def test_a_control_drug_is_felt_as_its_file_says_and_does_nothing_else(drug: str) -> None:
    """An active control has no exposure; its score is 0 unless somebody states one."""
    amount = "0 mg" if drug == "saline" else "2 mg"
    schedule = schedule_of(dosed(drug=drug, dose=amount, duration="40 min"))
    assert not schedule.exposure.any()
    assert not schedule.psychoactive.any()


def test_a_dose_of_an_older_file_keeps_its_plain_data() -> None:
    """Stored runs are named by the hash of these; a later field may not move it."""
    plain = Infusion.create(day=0, dose="0.5 mg/kg", duration="40 min").to_dict()
    assert plain == {"day": 0, "gap": None, "dose_mg_per_kg": 0.5, "duration_min": 40.0, "route": "intravenous"}


RULE = {"visit": 6, "within_days": 6, "dose": "1.4 mg/kg", "duration": "40 min"}


def adapting(rule: dict[str, Any] | None = None, second: str = "0.7 mg/kg") -> Protocol:
    first = {"day": 0, "dose": "0.7 mg/kg", "duration": "40 min"}
    later = {"day": 10, "dose": second, "duration": "40 min", **({"adapt": rule} if rule else {})}
    drugs = {"ketamine": {"drug": "racemic-ketamine", "infusions": [first, later]}, "saline": SALINE}
    return small_protocol(drugs=drugs)


def batch_of(protocol: Protocol) -> TrialBatch:
    return simulate_batch(
        protocol, seed=9, first_replicate=0, n_replicates=6, parameters=PARAMETERS, pharmacology=PHARMACOLOGY
    )


PARAMETERS = load_course_parameters(small_protocol().substance)


def test_a_dose_follows_what_was_reported_in_the_arm_that_adapts_and_nobody_else() -> None:
    """Responders, the other arm and who missed the visit live as planned; the others as if it had been planned so."""
    planned, stronger, adapted = batch_of(adapting()), batch_of(adapting(second="1.4 mg/kg")), batch_of(adapting(RULE))
    seen = planned.observation
    kept = seen.diary_kept[:, seen.diary_day == 6][:, 0]
    used = kept & (seen.diary[:, 1:7].sum(axis=1) > 0)
    changed = used & (planned.arm == 0)
    assert 5 < changed.sum() < (planned.arm == 0).sum()
    np.testing.assert_array_equal(adapted.course.vas[~changed], planned.course.vas[~changed])
    np.testing.assert_array_equal(adapted.course.vas[changed], stronger.course.vas[changed])
    # Nothing is known before it happens.
    np.testing.assert_array_equal(adapted.course.use[:, :10], planned.course.use[:, :10])
    assert not np.array_equal(adapted.course.vas[changed, 11:], planned.course.vas[changed, 11:])


def test_both_kernels_adapt_alike() -> None:
    """The states behind a trial are of the same people."""
    protocol = adapting(RULE)
    arm, course = simulate_with_states(
        protocol, seed=9, n_replicates=2, n_people=30, parameters=PARAMETERS, pharmacology=PHARMACOLOGY
    )
    batch = batch_of(protocol)
    np.testing.assert_array_equal(arm, batch.arm[:30])
    np.testing.assert_array_equal(course.use, batch.course.use[:30])


@pytest.mark.parametrize("quit_day", [0, 5, "none"])
def test_people_with_a_baseline_live_it_and_are_told_of(quit_day: int | str) -> None:
    """Days before day 0 are simulated; who has a day of stopping uses as before up to it."""
    start = small_protocol()
    people: dict[str, Any] = {"baseline": {"days": 28}, "quit_day": quit_day, "goal": "stop", "clean_days": 0}
    protocol = start.replace(population=start.population.replace(**people))
    assert "28 days of diary before day 0" in protocol.explain()
    batch = batch_of(protocol)
    assert batch.course.baseline_use.shape == (len(batch.people), 28)
    assert batch.course.baseline_use.mean() > 0.2


def test_people_on_an_agonist_are_not_simulated_as_people_without() -> None:
    """Where the parameters know nobody on an agonist, the run is refused with its place."""
    start = small_protocol()
    protocol = start.replace(substance="opioid", population=start.population.replace(agonist="buprenorphine"))
    assert "Everybody takes buprenorphine throughout" in protocol.explain()
    shipped = load_parameter_set("model-form-2026")
    without = shipped.replace(parameters=tuple(one for one in shipped.parameters if "-agonist" not in one.id))
    with pytest.raises(SpecError, match=r"population\.agonist"):
        course_parameters_of(protocol, parameter_set=without)


def test_people_on_an_agonist_have_its_values_and_others_have_none_of_them() -> None:
    """The values belong to people on buprenorphine or methadone, and to nobody else."""
    start = small_protocol()
    shipped = load_parameter_set("model-form-2026")
    special = {one.id.partition(".")[0]: one.value for one in shipped.parameters if one.id.endswith(".opioid-agonist")}
    assert special
    opioid = start.replace(substance="opioid")
    treated = opioid.replace(population=opioid.population.replace(agonist="methadone"))
    found = asdict(plan_trial(treated, n_replicates=1, seed=1).parameters)
    assert {name: found[name] for name in special} == special
    for protocol in (opioid, start):
        usual = course_parameters_of(protocol)
        assert usual == load_course_parameters(protocol.substance)
        assert not any("agonist" in one.id for one in values_of_people(protocol, shipped))
    assert {one.id for one in values_of_people(treated, shipped)} > {f"{name}.opioid-agonist" for name in special}


def test_naltrexone_beside_an_agonist_is_refused() -> None:
    """It brings on withdrawal at once; no trial gives it."""
    start = small_protocol()
    fields: dict[str, Any] = {
        "substance": "opioid", "population": start.population.replace(agonist="methadone"),
        "medicines": {"ntx": {"medicine": "naltrexone-injection"}},
    }  # fmt: skip
    with pytest.raises(SpecError, match="withdrawal at once"):
        start.replace(**fields)


def with_medicine(**days: Any) -> Protocol:
    start = small_protocol()
    arms = [start.arms[0].replace(medicine="ntx"), start.arms[1]]
    return start.replace(medicines={"ntx": {"medicine": "naltrexone", **days}}, arms=arms)


def test_a_medicine_acts_on_its_own_days_and_in_its_own_arm() -> None:
    """Nothing is known before it starts, and it is told in the explanation."""
    late, never = with_medicine(start_day=9, stop_day=20), with_medicine(effect_share=0.0)
    assert "Naltrexone from day 9 to day 19" in late.explain()
    some, none, whole = batch_of(late), batch_of(never), batch_of(with_medicine())
    np.testing.assert_array_equal(some.course.use[:, :9], none.course.use[:, :9])
    other = some.arm == 1
    np.testing.assert_array_equal(some.course.use[other], none.course.use[other])
    use = [batch.course.use[~other].mean() for batch in (none, some, whole)]
    assert use[0] > use[1] > use[2]


def test_both_kernels_know_the_days_of_a_medicine() -> None:
    """The states behind a trial are of the same people."""
    protocol = with_medicine(start_day=9, stop_day=20)
    _, course = simulate_with_states(
        protocol, seed=9, n_replicates=2, n_people=30, parameters=PARAMETERS, pharmacology=PHARMACOLOGY
    )
    np.testing.assert_array_equal(course.use, batch_of(protocol).course.use[:30])


def test_days_of_a_medicine_outside_the_trial_are_refused() -> None:
    """A medicine that never acts was meant otherwise."""
    with pytest.raises(SpecError, match="the last day of follow-up"):
        with_medicine(start_day=500)
    with pytest.raises(SpecError, match="a day after start_day"):
        with_medicine(start_day=9, stop_day=9)
