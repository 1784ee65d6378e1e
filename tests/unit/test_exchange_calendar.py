"""Calendars with a column per day, in and out, and the diaries of a simulated trial."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remission.errors import ProvenanceError, RunError, SpecError
from remission.exchange.rows import Mapping
from remission.exchange.tlfb import read_tlfb, write_calendar
from remission.records.diaries import Diaries

pytestmark = pytest.mark.usefixtures("no_figures")

DRINKS = Mapping(layout="calendar", one_substance="Alcohol", amount_unit="drink")


def table(folder: Path, text: str) -> Path:
    path = folder / "calendar.csv"
    path.write_text(text, encoding="utf-8")
    return path


# What leaves as a calendar must come back the same, cell by cell, with amounts and without.
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), first_day=st.integers(-40, 40), has_amounts=st.booleans())
def test_round_trip(seed: int, first_day: int, has_amounts: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    assessed = rng.random((4, 5)) < 0.6
    assessed[0] = True
    used = assessed & (rng.random((4, 5)) < 0.5)
    amount = np.where(used, rng.random((4, 5)) + 0.1, np.where(assessed, 0.0, np.nan))
    one = Diaries(
        substance="Alcohol", person=("a", "=b", "c", "d"), first_day=first_day, assessed=assessed, used=used,
        amount=amount if has_amounts else None, amount_unit="drink" if has_amounts else None,
        weekday_of_first_day=np.full(4, -1), group=("",) * 4, origin="simulated", source="a test", day_zero="a dose",
    )  # fmt: skip
    path = tmp_path / "out.csv"
    path.unlink(missing_ok=True)
    write_calendar(one, path)
    assert "synthetic" in path.read_text("utf-8")
    assert "\n=" not in path.read_text("utf-8")
    (back,) = read_tlfb(path, Mapping(layout="calendar", one_substance="Alcohol", amount_unit=one.amount_unit)).diaries
    # Somebody who was never asked has no cell and comes back all the same, with no day known.
    assert set(back.person) == set(one.person)
    rows = [one.person.index(name) for name in back.person]
    np.testing.assert_array_equal(back.assessed, assessed[rows])
    np.testing.assert_array_equal(back.used, used[rows])
    if has_amounts:
        np.testing.assert_array_equal(back.amount, amount[rows])


# A wrong cell is named by the row and column of the file, not by its place in a table nobody sees.
def test_bad_cells_are_set_aside_with_their_place(tmp_path: Path) -> None:
    got = read_tlfb(table(tmp_path, "who,site,d0,d1,d2\n1,x,2,,-1\n2,x,0,many,3\n"), DRINKS)
    assert [(one.row, one.field, one.got) for one in got.report.set_aside] == [(2, "d2", "-1"), (3, "d1", "many")]
    assert got.diaries[0].assessed.tolist() == [[True, False, False], [True, False, True]]
    assert "site" in got.report.cautions[0]


# Dates in the header: each person's day 0 is the first date with a cell.
def test_dates(tmp_path: Path) -> None:
    path = table(tmp_path, "who,2024-05-30,2024-05-31,2024-06-01\n1,1,0,1\n2,,1,0\n")
    got = read_tlfb(path, Mapping(layout="calendar", one_substance="a", when_is="date"))
    assert got.diaries[0].used.tolist() == [[True, False, True], [True, False, False]]
    assert got.diaries[0].weekday_of_first_day.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "mapping", "words"),
    [
        ("who,d0\n1,1\n1,0\n", DRINKS, "row 3"),
        ("who,site\n1,1\n", DRINKS, "no column of a day"),
        ("who,d0\n1,1\n", Mapping(layout="calendar"), "one_substance"),
        ("who,d0\n1,1\n", Mapping(layout="calendar", one_substance="a", use="u"), "cells hold them"),
        ("who,what,when\n1,a,0\n", Mapping(one_substance="a"), "one_substance"),
        ("who,d0\n1,\n", DRINKS, "no usable row"),
    ],
)
def test_refusals(text: str, mapping: Mapping, words: str, tmp_path: Path) -> None:
    """A calendar that can be read in two ways is not read at all."""
    with pytest.raises(SpecError, match=words):
        read_tlfb(table(tmp_path, text), mapping)


def test_a_simulated_trial_leaves_as_a_diary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Analysts try their programs on simulated diaries before the trial; each row must say that it is synthetic."""
    from remission.cli.app import run_app
    from remission.exchange.simulated import diaries_of_run
    from remission.library.protocols import load_protocol

    assert run_app(["run", "dakwar-2019", "--replicates", "2", "--diaries", "--out", str(tmp_path / "runs")]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    one = diaries_of_run(folder, replicate=1)
    protocol = load_protocol("dakwar-2019")
    assert len(one.person) == protocol.population.n_subjects
    assert set(one.group) == {arm.id for arm in protocol.arms}
    assert one.origin == "simulated"
    kept = pq.read_table(folder / "diaries.parquet").to_pandas().query("replicate == 1")
    assert one.used.sum() == (kept["reported_use"] == 1).sum()
    assert one.assessed.sum() == kept["observed"].sum()
    out = tmp_path / "out.csv"
    assert run_app(["export", str(folder), str(out), "--replicate", "1"]) == 0
    rows = out.read_text("utf-8").splitlines()[1:]
    # A row without an answer stands where somebody, or a day of the whole, would be lost without it.
    assert sum(row.split(",")[3] != "" for row in rows) == int(one.assessed.sum())
    assert sum(row.split(",")[3] == "1" for row in rows) == int(one.used.sum())
    assert all(row.endswith("synthetic") for row in rows)
    # The way back needs no mapping: the same days, still synthetic.
    (back,) = read_tlfb(out).diaries
    for name in ("substance", "person", "first_day", "amount_unit", "group", "origin", "day_zero"):
        assert getattr(back, name) == getattr(one, name), name
    for name in ("assessed", "used", "amount", "weekday_of_first_day"):
        np.testing.assert_array_equal(getattr(back, name), getattr(one, name))
    assert run_app(["export", str(folder), str(tmp_path / "b.csv"), "--replicate", "9"]) == 2
    assert "0 to 1" in capsys.readouterr().err
    (folder / "diaries.parquet").unlink()
    with pytest.raises(ProvenanceError, match=r"diaries\.parquet"):
        diaries_of_run(folder)
    assert run_app(["run", "dakwar-2019", "--replicates", "1", "--out", str(tmp_path / "plain")]) == 0
    (plain,) = (tmp_path / "plain").iterdir()
    with pytest.raises(RunError, match="--diaries"):
        diaries_of_run(plain)
