"""Damaged protocol files give a protocol or a SpecError with a place, and nothing else."""

import pytest
from effort import tries
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remission.errors import SpecError
from remission.library.protocols import list_protocols, protocol_template, protocol_text
from remission.protocol import Protocol
from remission.protocol.file import parse_protocol, read_protocol, write_protocol
from remission.records.yaml_tree import decode_utf8

NAME = "fuzz.yaml"
TEXTS = [protocol_template(), *(protocol_text(name) for name in list_protocols())]
WORDS = [
    *["", "no", "null", ".nan", "-1", "1e999", "40", "40 m", "9" * 50, "[", "]", "{", "}", ":", "- ", "? ", "#"],
    *["&a", "*a", "<<: *a", "!x", "|", ">-", "'", '"', "\\", "%YAML 1.1", "---", "..."],
    *["\t", "\r", "\0", "\ufeff", "\u2028", "\ud800"],
]


def check(text: str) -> None:
    try:
        protocol = parse_protocol(text, name=NAME)
    except SpecError as error:
        for fault in error.faults:
            assert fault.where.startswith(NAME)
            assert fault.allowed
            assert str(fault)
        return
    assert isinstance(protocol, Protocol)
    assert protocol.explain()
    assert parse_protocol(write_protocol(protocol), name="again.yaml") == protocol


@st.composite
def damaged_texts(draw: st.DrawFn) -> str:
    """A built-in file after one to four cuts, repeats, moved lines or inserted words."""
    lines = draw(st.sampled_from(TEXTS)).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["cut", "repeat", "move", "word", "value", "indent", "character"]))
        line = lines[index]
        if kind == "cut" and len(lines) > 1:
            del lines[index]
        elif kind == "repeat":
            lines.insert(index, line)
        elif kind == "move":
            lines.insert(draw(st.integers(0, len(lines))), line)
        elif kind == "word":
            at = draw(st.integers(0, len(line)))
            lines[index] = line[:at] + draw(st.sampled_from(WORDS)) + line[at:]
        elif kind == "value" and ":" in line:
            lines[index] = line.split(":")[0] + ": " + draw(st.sampled_from(WORDS) | st.text(max_size=8)) + "\n"
        elif kind == "indent":
            lines[index] = " " * draw(st.integers(0, 9)) + line.lstrip(" ")
        else:
            at = draw(st.integers(0, len(line)))
            lines[index] = line[:at] + draw(st.characters()) + line[at + 1 :]
    return "".join(lines)


@given(text=damaged_texts())
@settings(max_examples=tries(50, 150))
def test_a_damaged_file_gives_a_protocol_or_a_spec_error(text: str) -> None:
    """A stranger's file must never end in a traceback; a file that is read must also be written and read again."""
    check(text)


@given(text=st.text(max_size=200))
@example("a: &a [*a]")
@example("? ? ?")
@example("a: 'b\n\n\nc: \"d")
@example("- " * 50)
def test_any_text_gives_a_spec_error(text: str) -> None:
    """No short random text is a protocol."""
    with pytest.raises(SpecError) as caught:
        parse_protocol(text, name=NAME)
    assert caught.value.where.startswith(NAME)


@given(content=st.binary(max_size=200))
def test_any_bytes_give_text_or_a_spec_error(content: bytes) -> None:
    """Files from elsewhere come in any encoding."""
    try:
        text = decode_utf8(content, name=NAME)
    except SpecError as error:
        # Two ways out are both right, so this is no pytest.raises.
        assert error.where.startswith(NAME)  # noqa: PT017
    else:
        assert text.encode() == content.removeprefix(b"\xef\xbb\xbf")


@given(path=st.text(max_size=40))
@settings(max_examples=tries(25, 50))
def test_any_path_gives_a_spec_error(path: str) -> None:
    """Whatever is typed after `remission run`; no such file exists here."""
    with pytest.raises(SpecError):
        read_protocol("no-such-folder/" + path)
