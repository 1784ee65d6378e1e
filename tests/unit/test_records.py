"""Records as values: validated when made, compared by content, changed only into new ones."""

import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import field_validator

from remission.errors import SpecError
from remission.library.protocols import list_protocols, load_protocol
from remission.protocol import Protocol
from remission.records.base import Record
from remission.records.endpoint import Endpoint
from remission.records.faults import field_path, known_fields, parse_path
from remission.records.population import AgeDistribution, DayRange, Population
from remission.records.treatment import Arm, DrugCourse, Gap, Infusion


def test_a_record_takes_numbers_by_name_and_texts_with_units() -> None:
    """Python code writes dose_mg_per_kg=0.5, a command line gives '0.5 mg/kg'; both are the same record."""
    by_number = Infusion.create(day=0, dose_mg_per_kg=0.5, duration_min=40.0)
    by_text = Infusion.create(day=0, dose="500 ug/kg", duration="0.6666666666666666 h")
    assert by_number.dose_mg_per_kg == by_text.dose_mg_per_kg
    assert by_number == Infusion.create(day=0, dose="0.5 mg/kg", duration="2400 s")
    ages = AgeDistribution.create(mean="44 years", sd="10 years", low=18, high=60)
    assert ages.sd_y == 10.0
    kare = load_protocol("kare")
    assert kare.population.replace(female_fraction="36 %").female_fraction == 0.36


def test_a_record_cannot_be_changed_in_place() -> None:
    """Two runs that share a protocol must not change each other."""
    arm = Arm.create(id="a", label="A")
    with pytest.raises(ValueError, match="frozen"):
        arm.label = "B"  # type: ignore[misc]  # the refusal is what is tested


@pytest.mark.parametrize("name", list_protocols())
def test_plain_data_and_pickle_give_the_same_protocol(name: str) -> None:
    """A protocol travels to workers and into run records."""
    protocol = load_protocol(name)
    assert Protocol.from_dict(protocol.to_dict()) == protocol
    again = pickle.loads(pickle.dumps(protocol))
    assert again == protocol
    assert hash(again) == hash(protocol)


def test_replace_gives_a_new_valid_record_or_every_fault() -> None:
    """A search over designs changes one field at a time."""
    kare = load_protocol("kare")
    larger = kare.replace(population=kare.population.replace(n_subjects=200))
    assert (larger.population.n_subjects, kare.population.n_subjects) == (200, 96)
    assert larger.content_hash != kare.content_hash
    with pytest.raises(SpecError) as caught:
        kare.replace(follow_up_days=100)
    assert {fault.where for fault in caught.value.faults} > {"protocol.visits[1].days"}
    with pytest.raises(SpecError, match=r"population\.n_subjects: got 0"):
        kare.population.replace(n_subjects=0)


def test_the_content_hash_depends_on_content_and_on_nothing_else() -> None:
    """It stands in the record of a run: the order of names and the process must not move it."""
    kare = load_protocol("kare")
    data = kare.to_dict()
    data["drugs"] = dict(reversed(data["drugs"].items()))
    assert Protocol.from_dict(data).content_hash == kare.content_hash
    code = "from remission.library.protocols import load_protocol; print(load_protocol('kare').content_hash)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert told == kare.content_hash
    assert len(kare.content_hash) == 64


def test_faults_of_a_record_name_the_field_below_the_record() -> None:
    """From Python the path begins at the record's own name."""
    with pytest.raises(SpecError) as caught:
        Population.create(n_subjects=1.5, age={"mean": 44}, hight=1)
    wheres = [fault.where for fault in caught.value.faults]
    assert wheres[0] == "population.n_subjects"
    assert "population.age.sd" in wheres
    assert caught.value.faults[-1].where == "population.hight"
    # Two letters of six: it may be a height as well, so the keys are listed and none is guessed.
    assert "Keys here: n_subjects, age, weight" in caught.value.faults[-1].remedy


class Even(Record):
    """A record of a stranger, whose validator raises a plain error."""

    number: int

    @field_validator("number")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            msg = "An even number is wanted"
            raise ValueError(msg)
        return value


@pytest.mark.parametrize(
    ("make", "where", "allowed"),
    [
        (lambda: Arm.create(id="a", label=""), "arm.label", "at least 1 character"),
        (lambda: Arm.create(id="a", label="x" * 81), "arm.label", "at most 80 characters"),
        (lambda: Arm.create(id="a", label="b", factors={"X y": "b"}), "arm.factors.X y", "a name of a-z"),
        (lambda: Arm.create(id="a", label="b", factors=[]), "arm.factors", "a block of names and values"),
        (lambda: DrugCourse.create(drug="saline", infusions=[]), "drugcourse.infusions", "at least 1 item"),
        (lambda: Infusion.create(day=-1, dose=1.0, duration=1.0), "infusion.day", "at least 0"),
        (lambda: Infusion.create(day=0, dose=1.0, duration=0.0), "infusion.duration", "more than 0 min"),
        (lambda: Population.create(female_fraction=True), "population.female_fraction", "a number from 0 to 1"),
        (lambda: AgeDistribution.create(mean=70, sd=1, low=18, high=60), "agedistribution.mean", "between low (18.0)"),
        (lambda: Even.create(number=3), "even.number", "an even number is wanted"),
        (lambda: Gap.create(low=2, mode=1, high=3), "gap.mode", "low <= mode <= high (2 to 3)"),
    ],
)  # fmt: skip
def test_every_kind_of_fault_speaks_plainly(make: object, where: str, allowed: str) -> None:
    """No sentence of the validation library reaches a reader."""
    with pytest.raises(SpecError) as caught:
        make()  # type: ignore[operator]  # a function of no arguments
    told = {fault.where: fault.allowed for fault in caught.value.faults}
    assert allowed in told[where]


@given(st.lists(st.integers(0, 99) | st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), max_size=5))
def test_field_paths_read_back(parts: list[int | str]) -> None:
    """Paths carry a fault from the record to its line."""
    location = ("root", *parts)
    assert parse_path(field_path(location)) == location


def test_known_fields_follow_lists_names_and_unions() -> None:
    """They are what a misspelt key is compared with."""
    infusion = known_fields(Protocol, ("drugs", "any", "infusions", 0))
    assert {"day", "gap", "dose", "duration", "route", "doses", "adapt"} <= set(infusion)
    assert "dose_mg" not in infusion, "a file says dose with its unit"
    assert known_fields(Protocol, ("drugs", "any", "infusions", 0, "gap")) == ["low", "mode", "high"]
    assert known_fields(Protocol, ("test",)) == ["kind", "detection_days", "sensitivity", "specificity", "note"]
    assert known_fields(Protocol, ("drugs",)) == []
    assert known_fields(Protocol, ("arms", 0, "drug")) == []
    assert known_fields(Protocol, ("nothing", "there")) == []


def test_small_facts_of_records() -> None:
    """What tables and plots ask of them."""
    assert len(DayRange.create(first=21, last=34)) == 14
    kare = load_protocol("kare")
    assert kare.drugs["ketamine"].last_day_latest == 42
    assert [kare.drugs["ketamine"].latest_day(number) for number in (1, 2, 3)] == [0, 21, 42]
    facts = {endpoint.id: (endpoint.higher_is_better, endpoint.unit) for endpoint in kare.endpoints}
    assert facts["pda"] == (True, "% of days")
    assert facts["confirmed-relapse"] == (False, "share of people")
    survival = Endpoint.create(
        id="t", label="T", kind="days_to_relapse_or_dropout", window={"first": 0, "last": 9}, missing="use"
    )
    assert (survival.higher_is_better, survival.unit) == (True, "day")
