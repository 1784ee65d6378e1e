"""A protocol as USDM 4.0: the structure of the published example studies, whole references, and what is left out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from source_tree import ROOT

from remission.cli.app import run_app
from remission.door.exports import export_usdm
from remission.library.protocols import list_protocols, list_published, load_protocol

SHARED = ROOT.parent / "shared" / "data" / "usdm"
NAMES = sorted({*list_protocols(), *list_published()})
UNKNOWN = {
    ("Administration", "duration"), ("InterventionalStudyDesign", "blindingSchema"),
    ("StudyDesignPopulation", "plannedCompletionNumber"), ("StudyIntervention", "minimumResponseDuration"),
    ("Administration", "route"),
}  # fmt: skip
"""What a protocol does not say and the examples always do: null, and not invented."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every protocol of the library as read back."""
    place, found = tmp_path_factory.mktemp("usdm"), {}
    for name in NAMES:
        export_usdm(load_protocol(name), place / f"{name}.json")
        found[name] = json.loads((place / f"{name}.json").read_text("utf-8"))
    return found


def instances(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "instanceType" in part:
            yield part
        for value in part.values():
            yield from instances(value)
    elif isinstance(part, list):
        for one in part:
            yield from instances(one)


def kind_of(value: Any) -> str:
    return str(value.get("instanceType")) if isinstance(value, dict) else type(value).__name__


@pytest.mark.skipif(not SHARED.is_dir(), reason="the example studies of USDM are not here")
def test_every_protocol_has_the_structure_of_the_examples(written: dict[str, Any]) -> None:
    """Attributes of every class, and the kind of what each holds, are those that others' studies have."""
    known: dict[str, dict[str, set[str]]] = {}
    codes = set()
    for path in SHARED.glob("*.json"):
        for one in instances(json.loads(path.read_text("utf-8"))):
            for name, value in one.items():
                known.setdefault(one["instanceType"], {}).setdefault(name, set()).add(kind_of(value))
            if one["instanceType"] == "Code":
                codes.add((one["code"], one["decode"]))
    for name, study in written.items():
        for one in instances(study):
            kind = one["instanceType"]
            if kind == "CommentAnnotation":  # no example has a note
                continue
            assert set(one) == set(known[kind]), (name, kind)
            for field, value in one.items():
                allowed = known[kind][field] | ({"NoneType"} if (kind, field) in UNKNOWN else set())
                assert kind_of(value) in allowed, (name, kind, field)
            if kind == "Code" and one["codeSystemVersion"] == "2024-09-27":
                assert (one["code"], one["decode"]) in codes


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_leads_somewhere(name: str, written: dict[str, Any]) -> None:
    """A reader follows identifiers; each is there once, and each that is named is there."""
    found = list(instances(written[name]))
    ids = [one["id"] for one in found if one.get("id")]
    assert len(ids) == len(set(ids))
    for one in found:
        for field, value in one.items():
            named = value if field.endswith("Ids") else [value] if field.endswith("Id") and value else []
            assert set(named) <= set(ids), (one["instanceType"], field)


@pytest.mark.parametrize("name", NAMES)
def test_arms_days_and_endpoints_are_those_of_the_protocol(name: str, written: dict[str, Any]) -> None:
    """A file with the right structure and another trial in it would be worse than none."""
    protocol, study = load_protocol(name), written[name]
    design = study["study"]["versions"][0]["studyDesigns"][0]
    assert [(one["name"], one["label"]) for one in design["arms"]] == [(arm.id, arm.label) for arm in protocol.arms]
    assert design["population"]["plannedEnrollmentNumber"]["value"] == protocol.population.n_subjects
    endpoints = [one["name"] for objective in design["objectives"] for one in objective["endpoints"]]
    assert sorted(endpoints) == sorted(one.id for one in protocol.endpoints)
    asked = {one["label"] for one in design["encounters"] if "Asked" in one["description"]}
    assert asked == {f"Day {day}" for visit in protocol.visits for day in visit.days}
    assert {one["dataOriginType"]["decode"] for one in design["arms"]} == {"Synthetic Data"}
    doses = [dose for one in study["study"]["versions"][0]["studyInterventions"] for dose in one["administrations"]]
    assert len(doses) == sum(len(one.parts) for course in protocol.drugs.values() for one in course.infusions)


def test_the_command_says_what_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the file says the same, for whoever has only the file; wrong words leave nothing behind."""
    out = tmp_path / "kare.json"
    assert run_app(["export", "kare", str(out), "--as", "usdm"]) == 0
    said = [line.removeprefix("not in the file: ") for line in capsys.readouterr().err.splitlines()]
    notes = [one["text"] for one in json.loads(out.read_text("utf-8"))["study"]["versions"][0]["notes"]]
    assert len(said) > 5
    assert [f"Not in this file: {one}" for one in said] == notes[1 : len(said) + 1]
    assert "simulated" in notes[0]
    for words in (
        ["kare", str(out), "--as", "usdm"], ["kare", str(tmp_path / "kare.xml"), "--as", "usdm"],
        ["kares", str(tmp_path / "b.json"), "--as", "usdm"],
        ["kare", str(tmp_path / "b.json"), "--as", "usdm", "--replicate", "1"],
    ):  # fmt: skip
        assert run_app(["export", *words]) == 2, words
    assert [path.name for path in tmp_path.iterdir()] == ["kare.json"]
