"""The pages on protocol files say what the code does."""

import re
from pathlib import Path
from typing import Any

import pytest

from remission.errors import SpecError
from remission.library.protocols import protocol_template
from remission.protocol.file import read_protocol
from remission.protocol.json_schema import protocol_json_schema
from remission.records.analysis_methods import METHODS
from remission.records.endpoint_kinds import KINDS
from remission.units import parse_quantity

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "protocol-file.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "how-to" / "write-a-protocol.md").read_text(encoding="utf-8")
SCHEMA = protocol_json_schema()
RECORDS: dict[str, Any] = {"Protocol": SCHEMA, **{k: v for k, v in SCHEMA["$defs"].items() if "properties" in v}}


def rows_of(section: str) -> dict[str, list[str]]:
    """The first table of a section: cells by the name in the first column."""
    body = REFERENCE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    table = body.strip().split("\n\n")[0 if body.strip().startswith("|") else 1]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in cells}


@pytest.mark.parametrize("name", list(RECORDS))
def test_the_page_lists_every_field_of_the_schema_and_no_other(name: str) -> None:
    """A field that the page forgets is a field nobody uses; one it invents is refused by the reader."""
    assert set(rows_of(name)) == set(RECORDS[name]["properties"])


@pytest.mark.parametrize("name", list(RECORDS))
def test_the_page_states_choices_and_what_is_required(name: str) -> None:
    """The two facts a writer looks up most."""
    required = set(RECORDS[name].get("required", []))
    for field, (kind, default, meaning) in rows_of(name).items():
        assert (default == "required") == (field in required), field
        assert meaning
        found = RECORDS[name]["properties"][field]
        choices = found.get("enum") or found.get("items", {}).get("enum")
        if choices and kind != "see below":
            assert set(re.findall(r"`([^`]*)`", kind)) == set(choices), field


def test_the_page_states_kinds_needs_and_methods_of_endpoints() -> None:
    """They decide whether a file is refused."""
    section = REFERENCE.split("\n## Endpoint\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| (\w+) \| (.*) \|$", section, re.MULTILINE)
    told = {kind: (needs, set(re.findall(r"`(\w+)`", methods))) for kind, needs, methods in rows if kind in KINDS}
    expected = {
        kind: (row.needs, {method for method, facts in METHODS.items() if kind in facts.fits})
        for kind, row in KINDS.items()
    }
    assert told == expected


def test_every_unit_of_the_page_is_read() -> None:
    """A unit that the page promises must not be refused."""
    canonical = {
        "dose": "mg/kg",
        "fixed dose": "mg",
        "length of time": "min",
        "body weight": "kg",
        "age": "year",
        "share": "1",
        "pressure": "mmHg",
        "score": "point",
    }
    rows = rows_of("Units")
    assert set(rows) == set(canonical)
    for quantity, cells in rows.items():
        for unit in re.findall(r"`([^`]*)`", " ".join(cells)):
            assert parse_quantity(f"3 {unit}", canonical[quantity]) > 0.0


def test_the_messages_on_the_pages_are_the_messages_of_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who searches for a message must find it."""
    wrong = protocol_template().replace("dose: 0.5 mg/kg", "dose: 40 mg/kg").replace("clean_days", "clean_day")
    monkeypatch.chdir(tmp_path)
    Path("my-trial.yaml").write_text(wrong, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_protocol("my-trial.yaml")
    told = [str(fault) for fault in caught.value.faults]
    for page in (REFERENCE, HOW_TO):
        lines = re.findall(r"^my-trial\.yaml:\d+: .*$", page, re.MULTILINE)
        assert len(lines) >= 2
        assert set(lines) <= set(told)
    caution = re.search(r"^Drug course .*$", HOW_TO, re.MULTILINE)
    Path("my-trial.yaml").write_text(protocol_template().replace("40 min", "4 h"), encoding="utf-8")
    assert caution is not None
    assert caution.group() == read_protocol("my-trial.yaml").cautions()[0]
