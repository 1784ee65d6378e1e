"""Protocol files: what is read, and that every wrong one is refused with file, line, field, cause and remedy."""

import os
import tomllib
from pathlib import Path

import pytest

from remission.errors import SpecError, UnitsError
from remission.library.protocols import list_protocols, load_protocol, protocol_template
from remission.protocol.file import parse_protocol, read_protocol, write_protocol

TEMPLATE = protocol_template()
NAME = "my-trial.yaml"


def faults_of(text: str) -> list[SpecError]:
    with pytest.raises(SpecError) as caught:
        parse_protocol(text, name=NAME)
    return list(caught.value.faults)


def changed(old: str, new: str) -> str:
    assert TEMPLATE.count(old) >= 1, old
    return TEMPLATE.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


with Path(__file__).with_name("protocol_slips.toml").open("rb") as stream:
    SLIPS = tomllib.load(stream)["slip"]


@pytest.mark.parametrize("slip", SLIPS, ids=[slip["what"] for slip in SLIPS])
def test_a_wrong_field_is_named_with_its_line_and_a_remedy(slip: dict[str, str]) -> None:
    """Each slip is one a trialist makes; the message must be enough to mend it at night."""
    text = changed(slip["old"], slip["new"])
    found = [fault for fault in faults_of(text) if fault.where.endswith(f": {slip['field']}")]
    assert len(found) == 1, [str(fault) for fault in faults_of(text)]
    fault = found[0]
    assert fault.where == f"{NAME}:{line_of(text, slip['at'])}: {slip['field']}"
    if slip["got"]:
        assert str(fault.got) == slip["got"]
    assert slip["advice"] in f"{fault.allowed}. {fault.remedy}"
    assert str(fault).startswith(f"{fault.where}: got ")


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    """One fault a run would cost a morning."""
    text = changed("female_fraction: 0.4", "female_fraction: 4").replace("clean_days", "cleandays")
    text = text.replace("block_size: 4", "block_size: four").replace("duration: 40 min", "duration: 40 m")
    found = faults_of(text)
    wheres = [fault.where for fault in found]
    lines = [int(where.split(":")[1]) for where in wheres]
    assert len(found) == 10
    assert sorted(lines) == lines
    with pytest.raises(SpecError) as caught:
        parse_protocol(text, name=NAME)
    assert "\n".join(str(fault) for fault in found) == str(caught.value)
    assert any(isinstance(fault, UnitsError) for fault in found)


def test_faults_between_fields_are_told_together() -> None:
    """Names, days and methods are checked in one pass over a file whose fields are each valid."""
    text = changed("block_size: 4", "block_size: 3").replace("adjust: [sex]", "adjust: [drug]")
    text = text.replace("150, 179]", "150, 179, 181]")
    fields = {fault.where.split(": ")[1] for fault in faults_of(text)}
    assert {"randomization.block_size", "analyses[0].adjust", "visits[1].days"} == fields


def test_an_endpoint_without_its_data_is_refused() -> None:
    """It would be empty for everyone, after an hour of running."""
    text = changed("kind: percent_days_abstinent", "kind: mean_craving").replace("test, craving]", "test]")
    text = text.replace("    missing: use\n", "", 1)
    (fault,) = faults_of(text)
    assert fault.where.endswith("endpoints[0].kind")
    assert fault.remedy == "Add 'craving' to a visit's collects."


def test_a_very_wrong_file_gives_a_list_that_ends() -> None:
    """Ten thousand messages help nobody."""
    keys = "\n".join(f"x{index}: 1" for index in range(500))
    found = faults_of(TEMPLATE + keys + "\n")
    assert len(found) == 51
    assert found[-1].got == "450 more faults"


WHOLE_FILES = [
    ("empty", "", 1, "an empty file", "id: my-trial"),
    ("comments only", "# nothing\n\n# here\n", 1, "an empty file", "id: my-trial"),
    ("a list at the top", "- id: x\n", 1, "a list at the top", "id: my-trial"),
    ("a word", "hello\n", 1, "a single value at the top", "id: my-trial"),
    ("two documents", "id: a\n---\nid: b\n", 2, "a second document", "'---'"),
    ("a directive", "%YAML 1.1\n---\nid: a\n", 2, "a directive (%)", ""),
    ("an anchor", "id: a\ntitle: &t x\n", 2, "an anchor or alias (& or *)", "where it is used"),
    ("an anchored key", "id: a\n&k title: x\n", 2, "an anchor or alias (& or *)", "where it is used"),
    ("an alias", "id: a\ntitle: *t\n", 2, "an anchor or alias (& or *)", "where it is used"),
    ("an alias as a key", "id: a\n*t : x\n", 2, "an anchor or alias (& or *)", "where it is used"),
    ("a merge key", "id: a\n<<: {title: x}\n", 2, "a merge key (<<)", "where they are used"),
    ("a tag", "id: !!python/object:os.system x\n", 1, "the tag tag:yaml.org,2002:python/object:os.system", "Remove"),
    ("a tagged key", "id: a\n!x title: x\n", 2, "the tag !x", "Remove"),
    ("a list as a key", "id: a\n? [a, b]\n: c\n", 2, "a list or map as a key", ""),
    ("a tab", "id: a\npopulation:\n\tn_subjects: 3\n", 3, "", "spaces, not tabs"),
    ("an open bracket", "id: [a, b\n", 2, "", "brackets"),
    ("a stray quote", 'id: "a\n', 2, "", "quotes"),
    ("an impossible escape", 'id: "\\UFFFFFFFF"\n', 1, "", "YAML"),
    ("NUL", "id: a\ntitle: x\x00y\n", 2, "the character U+0000", "Remove"),
    ("an escaped NUL", 'id: a\ntitle: "x\\0y"\n', 2, "the character U+0000", "Remove"),
    ("half a surrogate pair", 'id: a\ntitle: "\\uD800"\n', 2, "the character U+D800", "Remove"),
    ("a bell", "id: a\ntitle: \x07\n", 2, "the character U+0007", "Remove"),
    ("a strange line end", "id: a\u2028title: b\n", 1, "the character U+2028", "Remove"),
    ("a carriage return alone", "id: a\rtitle: b\n", 1, "the character U+000D", "Remove"),
    ("a byte order mark inside", "id: a\n\ufefftitle: b\n", 2, "the character U+FEFF", "Remove"),
    ("deep nesting", "id: " + "[" * 90_000, 1, "a value 21 levels deep", "at most 20"),
    ("deep blocks", "id:\n  " + "- " * 45_000, 2, "a value 21 levels deep", "at most 20"),
    ("many values", "id: [" + "1, " * 30_000 + "1]", 1, "more than 20000 values", "at most 20000"),
    ("many repeated keys", "id: a\n" * 30_000, 2, "this key again", "each key once"),
]


@pytest.mark.parametrize(("what", "text", "line", "got", "advice"), WHOLE_FILES, ids=[row[0] for row in WHOLE_FILES])
def test_a_file_of_the_wrong_form_is_refused_at_its_line(
    what: str, text: str, line: int, got: str, advice: str
) -> None:
    """The parser of a file from a stranger is the first door of the program."""
    fault = faults_of(text)[0]
    assert f"{NAME}:{line}" == ":".join(fault.where.split(":")[:2])
    if got:
        assert got == fault.got
    assert advice in f"{fault.allowed}. {fault.remedy}"


def test_a_bomb_is_refused_before_it_grows() -> None:
    """Nine levels of nine references would be 387 million values; the first anchor ends the reading."""
    bomb = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    for first, second in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{second}: &{second} [{', '.join(['*' + first] * 9)}]\n"
    found = faults_of(bomb)
    assert [fault.got for fault in found] == ["an anchor or alias (& or *)"]


def test_words_and_times_stay_text() -> None:
    """YAML 1.1 reads no as false, 12:30 as 750 and 1_000 as a number; none of these was meant."""
    for word in ("no", "on", "yes", "12:30", "1_000", "0o17", "0x1F", "2026-01-01", "1e3000"):
        text = changed("title: Ketamine or saline with relapse prevention", f"title: {word}")
        assert word == parse_protocol(text, name=NAME).title


def test_folded_text_becomes_one_line() -> None:
    """Titles and labels stand in tables and figures."""
    text = changed("title: Ketamine or saline with relapse prevention", "title: |\n  Ketamine\n\n  or saline  \n")
    assert parse_protocol(text, name=NAME).title == "Ketamine or saline"


def test_json_is_a_protocol_file_too() -> None:
    """YAML 1.2 contains JSON; a program may write that."""
    import json

    from remission.records.yaml_tree import read_tree

    data = read_tree(TEMPLATE, name=NAME).data
    assert parse_protocol(TEMPLATE, name=NAME) == parse_protocol(json.dumps(data, indent=1), name="x.json")


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    """Editors on Windows write both."""
    file = tmp_path / NAME
    file.write_bytes(b"\xef\xbb\xbf" + TEMPLATE.replace("\n", "\r\n").encode())
    assert parse_protocol(TEMPLATE, name=NAME) == read_protocol(file)


def test_a_file_that_is_not_utf8_is_refused_with_the_byte(tmp_path: Path) -> None:
    """The position lets an editor find it."""
    file = tmp_path / NAME
    file.write_bytes(b"id: a\ntitle: caf\xe9\n")
    with pytest.raises(SpecError) as caught:
        read_protocol(file)
    assert f"{file}:2" == caught.value.where
    assert caught.value.got == "the byte 0xE9 at byte 17"
    file.write_bytes("id: a\n".encode("utf-16"))
    with pytest.raises(SpecError, match="UTF-16 text at byte 1") as caught:
        read_protocol(file)
    assert caught.value.remedy == "Save the file as UTF-8."


def test_ten_megabytes_are_refused_by_their_size_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong file answers at once: it is not even opened."""
    file = tmp_path / NAME
    with file.open("wb") as stream:
        stream.truncate(10_000_000)

    def refuse(*_: object, **__: object) -> None:
        msg = "the file was opened"
        raise AssertionError(msg)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SpecError, match=r"10\.0 MB; expected at most 1 MB"):
        read_protocol(file)


def test_the_size_limit_holds_for_text_and_for_a_file_that_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web takes text, and a file can grow between the question and the reading."""
    with pytest.raises(SpecError, match="at most 1 MB"):
        parse_protocol("# " + "x" * 1_000_000, name=NAME)
    with pytest.raises(SpecError, match="at most 1 MB"):
        parse_protocol("# " + "\u00e9" * 600_000, name=NAME)
    file = tmp_path / NAME
    file.write_bytes(b"#" * 1_200_000)
    small = tmp_path / "small.yaml"
    small.write_bytes(b"#")
    found = small.stat()
    monkeypatch.setattr(Path, "stat", lambda *_, **__: found)
    with pytest.raises(SpecError, match="at most 1 MB"):
        read_protocol(file)


def test_what_is_no_readable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a traceback for a wrong path."""
    with pytest.raises(SpecError, match="no such file"):
        read_protocol(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="a directory"):
        read_protocol(tmp_path)
    with pytest.raises(SpecError, match="a TOML file"):
        read_protocol(tmp_path / "trial.toml")
    with pytest.raises(SpecError, match="cannot be read"):
        read_protocol(tmp_path / "a\0b.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        read_protocol(tmp_path / ("x" * 5000))
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(SpecError, match="a device or a pipe"):
        read_protocol(pipe)
    file = tmp_path / NAME
    file.write_text(TEMPLATE, encoding="utf-8")

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root reads everything, so the refusal is put in by hand.
    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(SpecError, match="no permission"):
        read_protocol(file)


@pytest.mark.parametrize("name", list_protocols())
def test_a_written_protocol_reads_back_as_the_same(name: str) -> None:
    """What a run folder stores is what was run; and writing it again changes no byte."""
    protocol = load_protocol(name)
    text = write_protocol(protocol)
    again = parse_protocol(text, name="again.yaml")
    assert protocol == again
    assert protocol.content_hash == again.content_hash
    assert text == write_protocol(again)
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_written_protocol_carries_units_and_says_the_defaults() -> None:
    """The file as understood hides nothing."""
    text = write_protocol(parse_protocol(TEMPLATE, name=NAME))
    for part in ("dose: 0.5 mg/kg", "duration: 40 min", "mean: 44 years", "route: intravenous", "retention: modeled"):
        assert part in text
    assert "# Who takes part." in text


def test_a_part_that_is_not_there_is_named() -> None:
    """A wrong id once ended in a StopIteration far from the word that was wrong."""
    kare = load_protocol("kare")
    assert kare.endpoint(kare.endpoints[0].id) is kare.endpoints[0]
    assert kare.analysis(kare.analyses[-1].id) is kare.analyses[-1]
    assert kare.arm(kare.arms[1].id) is kare.arms[1]
    for find, where in ((kare.endpoint, "endpoints"), (kare.analysis, "analyses"), (kare.arm, "arms")):
        with pytest.raises(SpecError, match="no-such") as told:
            find("no-such")
        assert told.value.where == where
