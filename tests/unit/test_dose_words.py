"""One Dose and one Route, whoever writes them and how."""

import re

import numpy as np
import pytest

import remission as rm
from remission.errors import SpecError
from remission.planner import read_regimen, read_request
from remission.planner.request import PlanRequest
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.dose import Dose, DrugForm, Route, overlaps, read_route, unbroken
from remission.records.regimen import Regimen
from remission.records.subject import Subject
from remission.records.treatment import Infusion
from remission.session.person import simulate_person

PERSON = Subject.create(age="45 years", weight="70 kg", sex="female", substance="alcohol")


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("iv", Route.IV_INFUSION), ("I.V.", Route.IV_INFUSION), ("intravenous", Route.IV_INFUSION),
        ("IV-infusion", Route.IV_INFUSION), ("iv bolus", Route.IV_BOLUS), ("push", Route.IV_BOLUS),
        ("IM", Route.IM), ("i.m.", Route.IM), ("intramuscular", Route.IM), ("SC", Route.SC), ("sub-q", Route.SC),
        ("po", Route.ORAL), ("P.O.", Route.ORAL), ("by mouth", Route.ORAL), ("sl", Route.SUBLINGUAL),
        ("troche", Route.SUBLINGUAL), ("in", Route.INTRANASAL), ("Nasal spray", Route.INTRANASAL),
        ("pr", Route.RECTAL), ("suppository", Route.RECTAL), ("film", Route.FILM),
    ],
)  # fmt: skip
def test_usual_words_are_read_everywhere(text: str, route: Route) -> None:
    """A clinic writes i.m.; three readers with three vocabularies taught nobody any of them."""
    assert read_route(text) is route
    if route is not Route.IV_INFUSION and route is not Route.FILM:
        assert Dose.create(route=text, dose="35 mg").route is route


@pytest.mark.parametrize("text", [one.value for one in Route])
def test_every_name_reads_as_itself(text: str) -> None:
    """What is written out must read back."""
    assert read_route(text) == text


def test_a_vein_needs_a_length_and_is_never_a_bolus_by_silence() -> None:
    """A forgotten duration would be the highest peak there is."""
    with pytest.raises(SpecError, match="length of the infusion"):
        Dose.create(route="iv", dose="0.5 mg/kg")
    assert Dose.create(route="iv", dose="0.5 mg/kg", duration="40 min").duration_h == 40.0 / 60.0


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("intramusculr", "im"), ("subcutanous", "sc"), ("sublingaul", "sublingual"), ("intransal", "intranasal"),
        ("intravenus", "iv_infusion"), ("infusions", "iv_infusion"),
    ],
)  # fmt: skip
def test_an_unknown_route_gets_the_nearest_by_meaning(text: str, meant: str) -> None:
    """By spelling alone, iv is nearest to im: another dose."""
    with pytest.raises(SpecError) as caught:
        read_route(text)
    assert f"Did you mean {meant}?" in str(caught.value)


@pytest.mark.parametrize("text", ["intrathecal", "epidural", "inhaled", "", "7"])
def test_a_route_that_nobody_knows_gets_no_guess(text: str) -> None:
    """A guess that is wrong is worse than none."""
    with pytest.raises(SpecError, match="one of iv_infusion") as caught:
        read_route(text)
    assert "Did you mean" not in str(caught.value)


def test_a_regimen_takes_doses_as_they_are() -> None:
    """The front door has one Dose: what it makes must fit what takes it."""
    whole = rm.Dose.create(route="iv", dose="0.5 mg/kg", duration="40 min")
    assert rm.Regimen.create(doses=[whole]) == rm.Regimen.create(doses=[{"dose": "0.5 mg/kg", "duration": "40 min"}])
    film = rm.Regimen.create(doses=[rm.Dose.create(route="film", dose="50 mg", form="esketamine")])
    assert film.form is DrugForm.ESKETAMINE
    assert Regimen.from_dict(film.to_dict()) == film
    assert (
        rm.Regimen.create(form="S-ketamine", doses=[{"dose": "20 mg", "duration": "40 min"}]).doses[0].dose_mg == 20.0
    )
    with pytest.raises(SpecError, match="Two drugs are two regimens"):
        rm.Regimen.create(form="racemate", doses=[rm.Dose.create(route="film", dose="50 mg", form="esketamine")])


def test_a_person_gets_any_dose_of_a_regimen() -> None:
    """In mg and per weight the same; a bolus above an infusion at its start."""
    t_h = np.array([0.02, 0.5, 1.0, 3.0])
    found = [
        simulate_person(PERSON, Regimen.create(doses=[dose]), t_h=t_h).select("ket", site="arterial")[0]
        for dose in (
            {"dose": "0.5 mg/kg", "duration": "40 min"},
            {"dose": "35 mg", "duration": "40 min"},
            {"route": "bolus", "dose": "35 mg"},
        )
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    assert found[2][0] > 2.0 * found[0].max()


def test_the_planner_and_protocols_read_the_same_words() -> None:
    """One reader: what the record takes, the command, the page and a file take."""
    fields = {"weight": ["70"], "age": ["45"], "dose": ["35 mg"]}
    for text, route in (("I.M.", "im"), ("po", "oral"), ("subcutaneous", "sc")):
        assert read_request({**fields, "route": [text]}).route == route
        assert PlanRequest.create(age=45.0, weight=70.0, route=text, infusions=[{"dose": "0.5 mg/kg"}]).route == route
    first = read_request({**fields, "minutes": ["40"], "route": ["Intravenous"]})
    assert first.route == "iv"
    assert read_regimen("2mg/kg/IM", beside=first).route == "im"
    for text, said in (("bolus", "short infusion"), ("film", "model of its own"), ("intrathecal", "one of iv, im")):
        with pytest.raises(SpecError, match=said):
            read_request({**fields, "route": [text]})
    written = write_protocol(rm.load_protocol("kare"))
    assert "route: intravenous" in written
    assert parse_protocol(written.replace("route: intravenous", "route: IV"), name="x") == rm.load_protocol("kare")
    by_muscle = written.replace("route: intravenous", "route: im")
    by_muscle = re.sub(r"(,| *\n) *duration: 40 min", "", by_muscle)
    with pytest.raises(SpecError, match="no rate of absorption from muscle is sourced"):
        parse_protocol(by_muscle, name="x")


def test_overlaps_look_past_the_one_before() -> None:
    """A short infusion between two must not hide that the first still runs."""
    assert overlaps([(0.0, 2.0), (0.5, 0.6), (1.0, 1.1), (2.0, 3.0)]) == [(1, 2.0), (2, 2.0)]
    assert overlaps([(0.0, 1.0), (1.0 - 1e-12, 2.0)]) == []
    assert unbroken([(0.0, 2.0), (0.5, 0.6), (2.0, 3.0), (3.5, 4.0)]) == [(0, 0.0, 3.0), (3, 3.5, 4.0)]


def test_what_is_no_text_is_left_to_the_type() -> None:
    """A member is itself, and a number is refused where a name is wanted."""
    assert Dose.create(dose_mg_per_kg=0.5, duration_min=40.0, route=Route.IV_INFUSION).route is Route.IV_INFUSION
    with pytest.raises(SpecError, match="route"):
        Dose.create(dose_mg_per_kg=0.5, duration_min=40.0, route=3)
    with pytest.raises(SpecError, match="doses"):
        Regimen.create(doses="0.5 mg/kg")


def test_the_route_of_an_infusion_is_named_when_it_is_none() -> None:
    """A trial's course runs into a vein; another word is refused where it stands."""
    assert Infusion.create(day=0, dose="0.5 mg/kg", duration="40 min", route="I.V.").route == "intravenous"
    for word in ("nonsense", "by mouth", 5):
        with pytest.raises(SpecError, match="route"):
            Infusion.create(day=0, dose="0.5 mg/kg", duration="40 min", route=word)
