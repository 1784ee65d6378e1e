"""Every YAML file that the program reads goes through the strict reader: mapping, prices, scenarios, protocol."""

import ast
from pathlib import Path

import pytest

from remission.cli.app import run_app
from remission.design.prices import Prices
from remission.errors import SpecError
from remission.records.yaml_tree import MAX_BYTES, read_tree_file

DIARY = "id,drug,date,drinks\n1,Alcohol,2024-03-14,4\n1,Alcohol,2024-03-15,2\n"
MAPPING = "person: {}\nsubstance: drug\nwhen: date\nwhen_is: date\namount: drinks\namount_unit: drink\nassessed: span\n"
PRICES = "currency: GBP\ninfusion: 300\nassessment: 0\nonce: 0\ntherapy: {}\n"
NASTY = {
    "a date that is none": "2024-13-45",
    "deep lists": "[" * 3000,
    "deep lists that end": "[" * 900 + "]" * 900,
    "deep maps": "{a: " * 400 + "1" + "}" * 400,
    "digits": "9" * 5000,
    "an impossible escape": '"\\UFFFFFFFF"',
    "half of a pair": '"\\uD800"',
    "a truth value": "true",
    "truth values": "[true, false]",
    "hexadecimal": "0x1F",
    "octal": "0o17",
    "old octal": "017",
    "base 60": "1:30:00",
    "infinity": ".inf",
    "not a number": ".nan",
    "a large exponent": "1e999",
    "an anchor": "&a 5",
    "an alias": "*a",
    "a tag": "!!python/object/apply:os.system [true]",
    "a merge": "{<<: {low: 1}, high: 2}",
    "a key twice": "{low: 1, low: 1, high: 2}",
    "a zero byte": "a\0b",
    "a bell": "a\ab",
    "a tab": "\n\t- 5",
    "two documents": "5\n---\na: 5",
    "a directive": "5\n...\n%YAML 1.1\n---\na: 5",
    "a half of a text": '"abc',
    "nothing": "",
}
NOT_WRONG_AS_TEXT = {"a date that is none", "digits", "hexadecimal", "octal", "base 60"}
"""Text by the rules of YAML 1.2, so these are names of columns, which the file lacks."""


@pytest.mark.parametrize("what", NASTY)
def test_a_mapping_or_price_file_is_read_strictly(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A date, a deep list or 5,000 digits gave a traceback, and true was one pound."""
    mapping, prices, diary = (tmp_path / name for name in ("m.yaml", "p.yaml", "d.csv"))
    diary.write_text(DIARY, encoding="utf-8")
    mapping.write_text(MAPPING.format(NASTY[what]), encoding="utf-8")
    prices.write_text(PRICES.format(NASTY[what]), encoding="utf-8")
    assert run_app(["import", "tlfb", str(diary), "--mapping", str(mapping), "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert "m.yaml:" in said or what in NOT_WRONG_AS_TEXT, said
    assert "constrained" not in said
    assert run_app(["design", "kare", "-n", "2", "--prices", str(prices), "--yes"]) == 2
    said = capsys.readouterr().err
    assert "p.yaml:" in said
    assert "constrained" not in said


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfep\x00", b"person: \xe9\n", b"\x00" * 40, b"", b"- 1\n", b"just text\n", b"#" * (MAX_BYTES + 1)],
    ids=["utf-16", "latin-1", "zeros", "empty", "list", "text", "large"],
)
def test_what_is_no_map_in_utf8_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    """A file of another kind is the commonest slip; the message says which file and where in it."""
    path = tmp_path / "m.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_tree_file(path, what="a mapping", example="person: id")
    assert "m.yaml" in caught.value.where
    assert caught.value.got


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    """Editors of one system put it before every text."""
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xef\xbb\xbfperson: id\r\n")
    assert read_tree_file(path, what="a mapping").data == {"person": "id"}


@pytest.mark.parametrize("path", ["nowhere.yaml", ".", "a\0b", "/dev/null", "x" * 300])
def test_a_file_that_cannot_be_read_says_why(path: str) -> None:
    """A folder, a device, a name that no disk has: named, never a traceback."""
    with pytest.raises(SpecError) as caught:
        read_tree_file(path, what="a mapping")
    assert caught.value.where == path


def test_a_truth_value_is_no_number_in_any_record() -> None:
    """A reader in between takes true for 1: a price of one pound."""
    right = {"currency": "GBP", "infusion": 1, "once": 0, "therapy": {"low": 1, "high": 2}}
    assert Prices.from_dict(right).items["therapy"] == (1.0, 2.0)
    for wrong in ({"therapy": True}, {"therapy": {"low": True, "high": 2}}, {"willingness_to_pay": [1, False]}):
        with pytest.raises(SpecError) as caught:
            Prices.from_dict(right | wrong)
        assert next(iter(wrong)) in caught.value.where
        assert caught.value.got in {"true", "false"}


def test_a_field_of_several_kinds_has_one_fault() -> None:
    """The reader needs the field and what it may hold, not how the library tried each kind."""
    with pytest.raises(SpecError) as caught:
        Prices.from_dict({"currency": "GBP", "infusion": 1, "once": 0, "therapy": "0x1F"})
    assert [fault.where for fault in caught.value.faults] == ["prices.therapy"]
    assert caught.value.allowed == "a number or a block of fields or unknown"


def test_no_other_reader_of_yaml_is_in_the_package() -> None:
    """One lenient reader is enough to bring every one of these back."""
    source = Path(__file__).parents[2] / "src" / "remission"
    reading = []
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute) or node.attr not in {"load", "safe_load", "load_all", "parse"}:
                continue
            if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "YAML":
                reading.append(path.relative_to(source).as_posix())
    assert reading == ["records/yaml_tree.py"]
