"""``remission import tlfb`` and ``remission export``."""

import json
from pathlib import Path

import pytest

from remission.cli.app import run_app


# A trialist's whole way: check, import, export; the source stays as it was and nothing is written twice.
def test_import_and_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, data, out = tmp_path / "use.csv", tmp_path / "use.parquet", tmp_path / "out.csv"
    source.write_text("id,drug,day\n1,Alcohol,0\n1,Alcohol,2\n1,Alcohol,x\n")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("person: id\nsubstance: drug\nwhen: day\n")
    command = ["import", "tlfb", str(source), "--mapping", str(mapping)]
    assert run_app([*command, "--dry-run", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["kept"], report["set_aside"][0]["row"]) == (3, 2, 4)
    assert not data.exists()
    assert run_app([*command, "--out", str(data)]) == 0
    assert "row 4, day: no whole study day; got 'x'" in capsys.readouterr().err
    assert run_app(["export", str(data), str(out)]) == 0
    # The day of the third row cannot be read: it may be day 1, which is therefore not known to be clean.
    assert out.read_text().splitlines()[1:] == [f"1,Alcohol,{day},1,,,observed" for day in (0, 2)]
    source.write_text("id,drug,day\n1,Alcohol,0\n1,Alcohol,2\n")
    assert run_app([*command, "--out", str(tmp_path / "whole.parquet")]) == 0
    assert run_app(["export", str(tmp_path / "whole.parquet"), str(tmp_path / "whole.csv")]) == 0
    assert (tmp_path / "whole.csv").read_text().splitlines()[1:] == [
        f"1,Alcohol,{day},{use},,,observed" for day, use in ((0, 1), (1, 0), (2, 1))
    ]
    assert run_app([*command, "--out", str(data)]) == 2
    assert source.read_text().endswith("2\n")


# A slip in the mapping is named, not met with a traceback.
@pytest.mark.parametrize("text", ["wrong: id", "when_is: week", "[1, 2]", "a: [", "first_study_day: 2", ""])
def test_wrong_mapping(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(text)
    assert run_app(["import", "tlfb", str(tmp_path / "x.csv"), "--dry-run", "--mapping", str(mapping)]) == 2
    assert "mapping.yaml" in capsys.readouterr().err
