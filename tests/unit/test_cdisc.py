"""Data sets of CDISC: out, in, out again; read by other programs; damage shown at its place."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from source_tree import ROOT
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.door.exports import export_cdisc, export_people, simulate_people
from remission.errors import RemissionError, RunError, SpecError
from remission.exchange.canonical import read_diaries, write_diaries
from remission.exchange.cdisc_import import import_cdisc, read_cdisc
from remission.exchange.dataset import (
    Cell,
    Column,
    Dataset,
    read_dataset_json,
    read_xpt,
    write_dataset_json,
    write_xpt,
)
from remission.exchange.simulated import diaries_of_run
from remission.patient.backgrounds import course_parameters_of
from remission.protocol.record import Protocol
from remission.records.diaries import Diaries
from remission.runs.run import run_trial

SHARED = ROOT.parent / "shared" / "data" / "cdisc"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the example data sets of CDISC are not here")


def no_report(*_: object, **__: object) -> None:
    """Pictures take the longest and are no part of this."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trial with people who leave, visits that are missed, and amounts."""
    place = tmp_path_factory.mktemp("runs")
    return run_trial(
        leaving(), place, report=no_report, n_replicates=2, seed=3, with_diaries=True, parameters=PARAMETERS
    )


def leaving() -> Protocol:
    protocol = small_protocol()
    return protocol.replace(setting=protocol.setting.replace(retention="modeled"))


PARAMETERS = course_parameters_of(small_protocol()).replace(leave_hazard_per_day=0.02)


@pytest.fixture(scope="module")
def folder(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as data sets."""
    place = tmp_path_factory.mktemp("cdisc") / "out"
    export_cdisc(run, place, replicate=1)
    return place


def plain(rows: list[list[Cell]]) -> list[list[Cell]]:
    """An empty text and a missing one are the same in a transport file."""
    return [[None if cell == "" else cell for cell in row] for row in rows]


def test_both_forms_of_a_simulated_trial_hold_the_same(folder: Path) -> None:
    """Whoever opens the one must see what another sees in the other; and each says that nobody lives."""
    names = sorted(path.stem for path in folder.glob("*.xpt"))
    assert names == ["adeff", "adsl", "adtte", "aduse", "dm", "ds", "ex", "qs", "su"]
    defined = {one["name"]: one for one in json.loads((folder / "define.json").read_text("utf-8"))["datasets"]}
    for name in names:
        one, other = read_dataset_json(folder / f"{name}.json"), read_xpt(folder / f"{name}.xpt")
        assert (one.name, one.label, one.names) == (other.name, other.label, other.names)
        assert [column.label for column in one.columns] == [column.label for column in other.columns]
        assert plain(one.rows) == plain(other.rows)
        assert "simulated" in one.label
        assert {str(cell)[:10] for cell in one["STUDYID"]} == {"SIMULATED-"}
        assert [column["name"] for column in defined[one.name]["columns"]] == one.names
        assert defined[one.name]["records"] == len(one.rows)
    content = json.loads((folder / "su.json").read_text("utf-8"))
    assert content["originator"].endswith("simulated people")


def test_another_program_reads_the_same_numbers(folder: Path) -> None:
    """What only our own reader can read was not handed on: pandas has its own reader of transport files."""
    for path in sorted(folder.glob("*.xpt")):
        other, ours = pd.read_sas(path, encoding="utf-8"), read_dataset_json(path.with_suffix(".json"))
        assert list(other.columns) == ours.names
        for column in ours.columns:
            theirs = other[column.name]
            if column.type == "string":
                assert theirs.fillna("").tolist() == ours[column.name]
            else:
                # pandas shows a 0 as 5.4e-79, in the example files of CDISC too.
                theirs = theirs.where(theirs.abs() > 1e-78, 0.0).where(theirs.notna())
                assert np.array_equal(theirs.to_numpy(), np.array(ours[column.name], dtype=float), equal_nan=True)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not here")
@pytest.mark.parametrize("reader", ["foreign::read.xport", "haven::read_xpt"])
def test_r_reads_the_same_numbers(folder: Path, tmp_path: Path, reader: str) -> None:
    """R's own packages for such files are what most trial statisticians open them with; every column of every file."""
    script = tmp_path / "read.R"
    script.write_text(
        "for (path in commandArgs(TRUE)) {\n"
        f"  found <- as.data.frame({reader}(path))\n"
        "  for (name in names(found)) {\n"
        "    one <- found[[name]]\n"
        "    told <- if (is.numeric(one)) c(sum(!is.na(one)), format(sum(one, na.rm = TRUE), digits = 15))\n"
        "      else c(sum(nchar(as.character(one)) > 0, na.rm = TRUE), length(unique(as.character(one))))\n"
        "    cat(basename(path), name, nrow(found), told, sep = '\\t'); cat('\\n')\n"
        "  }\n}\n"
    )  # fmt: skip
    paths = sorted(folder.glob("*.xpt"))
    words = ["Rscript", "--vanilla", str(script), *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    package = reader.partition(":")[0]
    if "there is no package" in done.stderr and package in done.stderr:
        pytest.skip(f"R's package {package} is not here")
    assert done.returncode == 0, done.stderr
    told = [line.split("\t") for line in done.stdout.splitlines()]
    expected: list[tuple[str, str, int, int, Any]] = []
    for path in paths:
        data = read_dataset_json(path.with_suffix(".json"))
        for column in data.columns:
            cells = data[column.name]
            if column.type == "string":
                n, value = sum(1 for one in cells if one), float(len({one or "" for one in cells}))
            else:
                numbers = [float(one) for one in cells if one is not None]
                n, value = len(numbers), fsum(numbers)
            expected.append((path.name, column.name, len(data.rows), n, pytest.approx(value, rel=1e-12, abs=1e-9)))
    assert [(file, name, int(rows), int(n), float(value)) for file, name, rows, n, value in told] == expected


def same(one: Diaries, other: Diaries) -> bool:
    order = [other.person.index(name) for name in one.person]
    amounts = one.amount is None or np.array_equal(one.amount, other.amount[order], equal_nan=True)  # type: ignore[index]
    grids = all(np.array_equal(getattr(one, name), getattr(other, name)[order]) for name in ("assessed", "used"))
    facts = all(
        getattr(one, name) == getattr(other, name) for name in ("first_day", "substance", "amount_unit", "origin")
    )
    return amounts and grids and facts and sorted(one.person) == sorted(other.person)


def test_the_days_of_a_run_come_back_whole(run: Path, folder: Path, tmp_path: Path) -> None:
    """Which days were asked about, use and amounts, and arms: equal after out and in, and after out and in again."""
    before = diaries_of_run(run, replicate=1)
    assert (~before.assessed).any()  # else unknown days are not tried
    (after,) = import_cdisc(folder).diaries
    assert same(before, after)
    labels = {arm.id: arm.label for arm in small_protocol().arms}
    arms = dict(zip(before.person, before.group, strict=True))
    assert dict(zip(after.person, after.group, strict=True)) == {who: labels[arm] for who, arm in arms.items()}
    export_cdisc((after,), tmp_path / "again")
    (third,) = import_cdisc(tmp_path / "again").diaries
    assert same(after, third)
    assert third.group == after.group


def test_observed_diaries_of_two_substances_go_out_and_in(tmp_path: Path) -> None:
    """Days before day 0, no amounts, people without an arm, and people of whom one substance says nothing."""
    rng = np.random.default_rng(5)
    people = ("a1", "b2", "c3")
    several = []
    for name in ("heroin", "cocaine"):
        assessed = rng.random((3, 20)) < 0.7
        assessed[:, [0, -1]] = True
        several.append(Diaries(
            substance=name, person=people, first_day=-6, assessed=assessed, used=assessed & (rng.random((3, 20)) < 0.4),
            amount=None, amount_unit=None, weekday_of_first_day=np.full(3, -1), group=("drug", "", "control"),
            origin="observed", source="clinic.csv", day_zero="day 0 of the file",
        ))  # fmt: skip
    write_diaries(several, tmp_path / "in.parquet")
    trial = export_cdisc(tmp_path / "in.parquet", tmp_path / "out")
    assert (trial.origin, trial.study) == ("observed", "CLINIC")
    assert {one.name for one in trial.datasets} == {"DM", "SU", "ADSL", "ADTTE", "ADUSE"}
    assert run_app(["import", "cdisc", str(tmp_path / "out"), "--out", str(tmp_path / "back.parquet")]) == 0
    back = {one.substance: one for one in read_diaries(tmp_path / "back.parquet")}
    for one in several:
        assert same(one, back[one.substance])
        assert back[one.substance].group == one.group


@real
@pytest.mark.parametrize("name", ["sdtm", "adam"])
def test_the_examples_of_cdisc_are_equal_in_both_forms_and_after_writing(name: str, tmp_path: Path) -> None:
    """Files that nobody here made, with their dates and gaps: all are read, compared, written, and equal again."""
    read = read_cdisc(SHARED / name)
    assert (read.origin, len(read.datasets)) == ("observed", {"sdtm": 15, "adam": 3}[name])
    attributes, keys = set(), set()
    for path in sorted((SHARED / name).glob("*.json")):
        data = read_dataset_json(path)
        content = json.loads(path.read_text("utf-8"))
        attributes |= set(content)
        keys |= {key for column in content["columns"] for key in column}
        write_dataset_json(data, tmp_path / path.name)
        assert read_dataset_json(tmp_path / path.name) == data
        write_xpt(data, tmp_path / f"{path.stem}.xpt")
        assert plain(read_xpt(tmp_path / f"{path.stem}.xpt").rows) == plain(data.rows)
    ours = json.loads((tmp_path / path.name).read_text("utf-8"))
    assert set(ours) <= attributes
    assert {key for column in ours["columns"] for key in column} <= keys


@real
def test_a_data_set_of_cdisc_is_a_table_to_analyze(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan is drafted from Dataset-JSON as from any other table; nothing of use is invented where there is no SU."""
    assert run_app(["new", str(tmp_path / "plan.yaml"), "--plan", str(SHARED / "adam" / "adsl.json")]) == 0
    assert "arm: ARM" in (tmp_path / "plan.yaml").read_text("utf-8")
    assert run_app(["import", "cdisc", str(SHARED / "sdtm"), "--dry-run"]) == 0
    assert run_app(["import", "cdisc", str(SHARED / "sdtm"), "--out", str(tmp_path / "x.parquet")]) == 2
    assert "no SU among AE, DM" in capsys.readouterr().err
    assert run_app(["import", "cdisc", str(SHARED), "--dry-run"]) == 2


def small_set(rows: list[list[Cell]] | None = None) -> Dataset:
    columns = (
        Column(name="USUBJID", label="Unique Subject Identifier", type="string", length=4, key=1),
        Column(name="AGE", label="Age", type="integer"),
        Column(name="AVAL", label="Analysis Value", type="float"),
        Column(name="ADT", label="Analysis Date", type="date", target="integer", format="DATE9."),
    )
    given: list[list[Cell]] = [[f"p{k}", 30 + k, k / 7, f"2026-11-{k + 1:02d}"] for k in range(9)]
    return Dataset(name="ADX", label="A small set", columns=columns, rows=given if rows is None else rows)


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text("utf-8"))
    edit(content)
    path.write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda one: one["rows"][3].__setitem__(1, "84"), r"rows\[3\], AGE: got 84; expected a whole number, or null"),
        (lambda one: one["rows"][3].__setitem__(1, 84.5), r"rows\[3\], AGE: got 84.5"),
        (lambda one: one["rows"][3].__setitem__(1, True), r"rows\[3\], AGE: got True"),
        (lambda one: one["rows"][0].__setitem__(0, 17), r"rows\[0\], USUBJID: got 17; expected text"),
        (lambda one: one["rows"][8].__setitem__(2, "1,5"), r"rows\[8\], AVAL: got 1,5; expected a number"),
        (lambda one: one["rows"][2].pop(), r"rows\[2\]: got 3 cells; expected 4 cells"),
        (lambda one: one["rows"].__setitem__(2, {"AGE": 3}), r"rows\[2\]: got"),
        (lambda one: one["rows"].pop(), r"records: got 9; expected the number of rows, 8"),
        (lambda one: one.__setitem__("records", "9"), r"records: got 9"),
        (lambda one: one.__setitem__("datasetJSONVersion", "1.0.0"), r"datasetJSONVersion: got 1.0.0; expected 1.1"),
        (lambda one: one.pop("columns"), r"got no columns"),
        (lambda one: one["columns"][1].__setitem__("dataType", "number"), r"columns\[1\].dataType: got number"),
        (lambda one: one["columns"][1].__setitem__("length", "8"), r"columns\[1\].length: got 8"),
        (lambda one: one["columns"][1].pop("label"), r"columns\[1\].label: got nothing"),
        (lambda one: one["columns"][1].__setitem__("name", "AVAL"), r"columns: got AVAL twice"),
        (lambda one: one.__setitem__("name", 5), r"name: got 5"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_dataset_json_that_is_not_what_it_says_is_refused_at_its_place(
    edit: Callable[[dict[str, Any]], object], said: str, tmp_path: Path
) -> None:
    """A wrong type that is read as something near to it is a wrong number; each fault has its row and column."""
    path = tmp_path / "adx.json"
    write_dataset_json(small_set(), path)
    change(path, edit)
    with pytest.raises(SpecError, match=said):
        read_dataset_json(path)


def test_a_file_that_was_cut_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In half, between two rows, in the middle of a number: no form of a cut file gives fewer people in silence."""
    rows = [[f"p{k}", 30 + k, k / 7, "2026-11-01"] for k in range(40)]
    whole = tmp_path / "whole"
    whole.mkdir()
    data = replace(small_set(rows), name="DM")  # type: ignore[arg-type]
    write_dataset_json(data, whole / "dm.json")
    write_xpt(data, whole / "dm.xpt")
    for name in ("dm.json", "dm.xpt"):
        content = (whole / name).read_bytes()
        for share in (0.1, 0.5, 0.77, 0.98):
            cut = tmp_path / f"{name}-{share}"
            cut.mkdir()
            (cut / name).write_bytes(content[: int(len(content) * share)])
            assert run_app(["import", "cdisc", str(cut), "--dry-run"]) == 2, (name, share)
            assert name in capsys.readouterr().err
    # Whole records of 80 bytes taken away: seen where rows do not fit, or where the other form is there.
    (whole / "dm.xpt").write_bytes((whole / "dm.xpt").read_bytes()[:-240])
    with pytest.raises(SpecError, match=r"dm\.xpt"):
        read_cdisc(whole)


def test_rows_that_are_missing_or_differ_are_seen(folder: Path, tmp_path: Path) -> None:
    """A transport file that ends between two rows looks whole; define.json and the other form know better."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    dm = read_xpt(copy / "dm.xpt")
    (copy / "dm.xpt").unlink()
    write_xpt(replace(dm, rows=dm.rows[:-2]), copy / "dm.xpt")
    with pytest.raises(SpecError, match="its other form"):
        read_cdisc(copy)
    (copy / "dm.json").unlink()
    with pytest.raises(SpecError, match=r"24, as define\.json says"):
        read_cdisc(copy)
    (copy / "dm.xpt").unlink()
    changed = [list(row) for row in dm.rows]
    changed[3][dm.names.index("AGE")] = 99
    write_xpt(replace(dm, rows=changed), copy / "dm.xpt")
    shutil.copy(folder / "dm.json", copy)
    with pytest.raises(SpecError, match=r"dm\.xpt, row 4, AGE: got 99"):
        read_cdisc(copy)
    (copy / "define.json").write_text("{", "utf-8")
    with pytest.raises(SpecError, match=r"define\.json"):
        read_cdisc(copy)


@pytest.mark.parametrize(
    ("cell", "said"),
    [("x" * 201, "200 bytes"), ("é" * 101, "200 bytes"), ("blank ", "without blanks"), (1e300, "7.2e"), (2**60, "2"),
     (3, "text, or null")],
    ids=repr,
)  # fmt: skip
def test_what_a_transport_file_cannot_hold_is_refused(cell: Cell, said: str, tmp_path: Path) -> None:
    """SAS would cut the text and lose the number; nothing is written in their place."""
    place = 0 if isinstance(cell, str) or cell == 3 else 2 if isinstance(cell, float) else 1
    rows = [list(row) for row in small_set().rows]
    rows[5][place] = cell
    with pytest.raises(SpecError, match=said):
        write_xpt(small_set(rows), tmp_path / "x.xpt")
    assert not (tmp_path / "x.xpt").exists()


def test_a_folder_that_is_there_is_left_alone(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And so is every other wrong word: nothing half is left behind."""
    (tmp_path / "out").mkdir()
    for words in (
        ["export", str(run), str(tmp_path / "out"), "--as", "cdisc"],
        ["export", str(run), str(tmp_path / "new"), "--as", "cdisc", "--replicate", "2"],
        ["export", str(run), str(tmp_path / "new"), "--as", "cdisk"],
        ["export", str(run), str(tmp_path / "new"), "--as", "cdisc", "--substance", "alcohol"],
        ["export", str(tmp_path), str(tmp_path / "new"), "--as", "cdisc"],
        ["export", str(run), str(tmp_path / "none" / "new"), "--as", "cdisc"],
        ["export", str(run), str(tmp_path / "new.txt"), "--as", "people"],
        ["export", str(run), str(tmp_path / "new.csv"), "--as", "people", "--replicate", "9"],
        ["import", "cdisc", str(tmp_path / "out"), "--dry-run"],
        ["import", "cdisc", str(run)],
    ):
        assert run_app(words) == 2, words
        assert capsys.readouterr().err.startswith("remission: ")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_run_by_other_code_has_no_people_here(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other code makes other people: their data sets beside the run's report would be of another trial."""
    monkeypatch.setattr("remission.runs.people.source_hashes", lambda: {"numbers": "0" * 64})
    with pytest.raises(RunError, match="other people"):
        export_cdisc(run, tmp_path / "out")


def test_the_people_of_a_run_are_those_of_its_tables(run: Path, tmp_path: Path) -> None:
    """Arms, outcomes and times of the CSV average to what the run reports, replicate by replicate."""
    assert export_people(run, tmp_path / "people.csv") == 48
    people = pd.read_csv(tmp_path / "people.csv")
    assert set(people["origin"]) == {"simulated"}
    arms = pd.read_parquet(run / "arms.parquet")
    for row in arms.itertuples():
        mine = people[(people["replicate"] == row.replicate) & (people["arm"] == row.arm)]
        values = mine[str(row.endpoint).replace("-", "_")].dropna()
        assert len(values) == row.n
        assert values.mean() == pytest.approx(row.mean, nan_ok=True)
    assert export_people(run, tmp_path / "one.csv", replicate=1) == 24
    one = pd.read_csv(tmp_path / "one.csv")
    pd.testing.assert_frame_equal(one, people[people["replicate"] == 1].reset_index(drop=True))


def test_people_come_one_by_one_and_are_themselves_under_every_arm() -> None:
    """What another program needs of a response model: the same person asked about two arms differs by the arm only."""
    protocol = leaving()
    as_seen = list(simulate_people(protocol, n_replicates=2, seed=3, parameters=PARAMETERS))
    assert [(one["replicate"], one["subject"]) for one in as_seen] == [(r, s) for r in range(2) for s in range(24)]
    first, second = (list(simulate_people(protocol, seed=3, arm=arm.id)) for arm in protocol.arms[:2])
    assert [one["age_y"] for one in first] == [one["age_y"] for one in second] == [o["age_y"] for o in as_seen[:24]]
    assert {one["arm"] for one in first} == {protocol.arms[0].id}
    assert {one["days_in_study"] for one in first} == {protocol.follow_up_days}
    assert any(one["outcomes"] != other["outcomes"] for one, other in zip(first, second, strict=True))
    assert any(one["days_in_study"] < protocol.follow_up_days for one in as_seen)
    for name, value in (("arm", "nobody"), ("n_replicates", 0), ("seed", -1)):
        with pytest.raises(RemissionError, match=name):
            simulate_people(protocol, **{name: value})
