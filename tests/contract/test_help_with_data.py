"""The examples of the help that need data of their own: a REDCap project, a list of clinics, tables of CTN-0094."""

import csv
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer

from remission.cli.app import app_of, run_app

TABLES = Path(__file__).parents[3] / "shared" / "data" / "ctn0094"
CLINIC = {
    "id": "ex-001", "name": "Example Harbor Clinic", "country": "US", "street": "1 Sample Way", "city": "Menlo Park",
    "region": "CA", "postal_code": "94025", "lat": "37.4510", "lon": "-122.1800", "phone": "+1-650-555-0100",
    "website": "https://clinic.example", "care_types": "outpatient", "medications": "naltrexone",
    "ketamine_offered": "yes", "ketamine_route": "iv", "therapy_included": "required",
    "medical_monitoring": "physician", "addiction_experience": "yes", "payment": "self_pay",
    "languages": "en", "npi": "1234567893", "licence_number": "EX-0000", "licence_board": "Example State Board",
    "last_verified": "2026-01-15", "source": "operator phone call", "source_url": "",
}  # fmt: skip
FIELDS = "when: tlfb_day\nsubstance: tlfb_substance\nuse: tlfb_use\namount: tlfb_amount\nunit: tlfb_unit\n"


def example(*path: str) -> list[str]:
    """The words of the one example in the help of a command."""
    command: Any = typer.main.get_command(app_of())
    for name in path:
        command = command.commands[name]
    (line,) = [line for line in command.help.splitlines() if line.startswith("Example: remission ")]
    return shlex.split(line)[2:]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, with a store of clinics of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.mark.parametrize("verb", ["check", "load"])
def test_a_list_of_clinics(verb: str, desk: Path) -> None:
    """What an operator copies first, with one row in every column."""
    with (desk / "my-clinics.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(CLINIC))
        writer.writeheader()
        writer.writerow(CLINIC)
    assert run_app(example("clinics", verb)) == 0


def test_a_project_of_redcap(desk: Path) -> None:
    """The example names three files; an export of a run is such a project, and its days come back."""
    assert run_app(["run", "kare", "--replicates", "1", "--diaries"]) == 0
    assert run_app(["export", str(next((desk / "runs").iterdir())), "export.csv", "--layout", "redcap"]) == 0
    (desk / "export-dictionary.csv").rename("dictionary.csv")
    (desk / "fields.yaml").write_text(FIELDS, encoding="utf-8")
    assert run_app(example("import", "redcap")) == 0
    assert (desk / "diary.parquet").exists()


@pytest.mark.skipif(not TABLES.is_dir(), reason="the tables of CTN-0094 are not here")
@pytest.mark.parametrize("path", [("import", "ctn0094"), ("endpoints", "run"), ("endpoints", "words")])
def test_tables_of_ctn0094(path: tuple[str, ...], desk: Path) -> None:
    """The example on the real tables, in a folder of the name that it uses."""
    shutil.copytree(TABLES, desk / "tables")
    words = example(*path)
    assert run_app(words) == 0
    assert (desk / words[words.index("--out") + 1]).exists()
