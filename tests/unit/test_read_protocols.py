"""Protocols of the library that were read beforehand are those of their files."""

import json
from typing import Any

import pytest
from validation.read_protocols import PLACE, protocols

from remission.errors import LibraryError
from remission.library import protocols as library
from remission.protocol.file import parse_protocol
from remission.protocol.record import Protocol


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing of the library is remembered from other tests."""
    monkeypatch.setattr(library, "load_protocol", library.load_protocol.__wrapped__)
    return monkeypatch


def test_what_was_read_beforehand_is_what_the_files_say() -> None:
    """A trial of yesterday's file would be simulated with today's name; make pages reads again."""
    assert json.loads(PLACE.read_text("utf-8")) == json.loads(json.dumps(protocols()))


@pytest.mark.parametrize("name", library.list_protocols())
def test_both_ways_give_one_protocol(name: str, forgotten: pytest.MonkeyPatch) -> None:
    """Its quantities, defaults and names, to the last type of a number."""
    found = library.load_protocol(name)
    assert repr(found.to_dict()) == repr(parse_protocol(library.protocol_text(name), name=f"{name}.yaml").to_dict())


def test_no_file_is_read_that_was_read_before(forgotten: pytest.MonkeyPatch) -> None:
    """The reader of YAML is what a visitor of /trial waited for."""

    def refused(*_: object, **__: object) -> Protocol:
        raise AssertionError("read once more")

    forgotten.setattr(library, "parse_protocol", refused)
    for name in library.list_protocols():
        assert library.load_protocol(name).id


@pytest.mark.parametrize("kept", [{}, {"kare": {"of": "another text", "data": {}}}, {"kare": {}}])
def test_a_file_that_was_changed_since_is_read(kept: dict[str, Any], forgotten: pytest.MonkeyPatch) -> None:
    """What somebody wrote into the file counts."""
    forgotten.setattr(library, "_read_before", lambda: kept)
    assert library.load_protocol("kare").population.n_subjects == 96


def test_a_fault_is_said_with_its_line(forgotten: pytest.MonkeyPatch) -> None:
    """Data without lines must not be what a fault is told from."""
    text = library.protocol_text("kare").replace("substance: alcohol", "substance: alcool")
    forgotten.setattr(library, "protocol_text", lambda _: text)
    data = {"of": library.digest_of(text), "data": protocols()["kare"]["data"] | {"substance": "alcool"}}  # type: ignore[index]
    forgotten.setattr(library, "_read_before", lambda: {"kare": data})
    with pytest.raises(LibraryError, match=r"kare.yaml:\d+: substance"):
        library.load_protocol("kare")
