"""Diaries in Parquet and the CTN-0094 tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remission.errors import SpecError
from remission.exchange.canonical import read_diaries, write_diaries
from remission.exchange.ctn0094 import import_tables, read_ctn0094
from remission.records.diaries import Diaries


@st.composite
def some_diaries(draw: st.DrawFn) -> Diaries:
    """Any small diaries, empty ones among them."""
    people = draw(st.lists(st.text(max_size=5), max_size=4, unique=True))
    shape = (len(people), draw(st.integers(0, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    assessed = rng.random(shape) < 0.7
    used = assessed & (rng.random(shape) < 0.5)
    has_amount = draw(st.booleans())
    return Diaries(
        substance=draw(st.text(max_size=8)),
        person=tuple(people),
        first_day=draw(st.integers(-400, 400)),
        assessed=assessed,
        used=used,
        amount=np.where(used, rng.random(shape), np.nan) if has_amount else None,
        amount_unit="g" if has_amount else None,
        weekday_of_first_day=rng.integers(-1, 7, len(people)),
        group=tuple(draw(st.text(max_size=3)) for _ in people),
        origin=draw(st.sampled_from(["observed", "simulated"])),
        source="a test",
        day_zero="the first dose",
    )


def assert_equal(one: Diaries, other: Diaries) -> None:
    for name in Diaries.__dataclass_fields__:
        mine, yours = getattr(one, name), getattr(other, name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, yours)
        else:
            assert mine == yours, name


# A diary that changes on its way through a file changes every result after it.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=some_diaries())
def test_parquet_gives_back_what_was_written(one: Diaries, tmp_path: Path) -> None:
    path = tmp_path / "diaries.parquet"
    write_diaries([one], path)
    (back,) = read_diaries(path)
    assert_equal(one, back)


# A wrong file must be named as such, with no traceback of a library.
@pytest.mark.parametrize("content", [b"", b"PAR1", b"who,what,when\n1,a,2\n"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"x\.parquet"):
        read_diaries(path)
    with pytest.raises(SpecError, match="no such file"):
        read_diaries(tmp_path / "none.parquet")


def ctn_tables(folder: Path) -> None:
    pd.DataFrame(
        {"who": [1, 1, 2, 2], "what": ["Heroin", "Alcohol", "Heroin", "Heroin"], "when": [-3, 5, -31, 9]}
    ).to_csv(folder / "tlfb.csv.gz", index=False)
    pd.DataFrame(
        {
            "who": [1, 1, 1, 2],
            "what": ["", "visit", "MISSING", "visit"],
            "is_no_show": [None, None, 1, None],
            "when": [0, 7, 21, 7],
        }
    ).to_csv(folder / "visit.csv.gz", index=False)
    pd.DataFrame({"who": [1], "treatment": ["A"], "which": [1], "when": [1]}).to_csv(
        folder / "randomization.csv.gz", index=False
    )


# A day after the last attended visit is not a day without use; nor may a missed visit lengthen the window.
def test_assessed_window_of_ctn0094(tmp_path: Path) -> None:
    ctn_tables(tmp_path)
    heroin, alcohol = read_ctn0094(tmp_path)
    assert heroin.substance == "Heroin"
    days = heroin.study_day
    assert (days[heroin.assessed[0]][[0, -1]] == [-30, 7]).all()
    assert (days[heroin.assessed[1]][[0, -1]] == [-31, 9]).all()
    assert days[heroin.used[1]].tolist() == [-31, 9]
    assert days[alcohol.used[0]].tolist() == [5]
    assert heroin.group == ("A", "")


# A table that is not there or is no table gets its name into the message.
def test_missing_table_is_named(tmp_path: Path) -> None:
    ctn_tables(tmp_path)
    (tmp_path / "visit.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(SpecError, match="visit"):
        read_ctn0094(tmp_path)
    (tmp_path / "visit.csv.gz").unlink()
    with pytest.raises(SpecError, match="no such file"):
        read_ctn0094(tmp_path)


def test_one_substance_of_many(tmp_path: Path) -> None:
    """What is not asked for is not read, and what is asked for comes whole, from any place in the file."""
    rng = np.random.default_rng(5)
    several = []
    for k, (n_people, n_days) in enumerate([(3, 40), (1, 7), (5, 0), (2, 11)]):
        assessed = rng.random((n_people, n_days)) < 0.8
        used = assessed & (rng.random((n_people, n_days)) < 0.4)
        several.append(
            Diaries(
                substance=f"s{k}",
                person=tuple(f"p{i}" for i in range(n_people)),
                first_day=-k,
                assessed=assessed,
                used=used,
                amount=np.where(used, 2.0, np.nan) if k == 3 else None,
                amount_unit="g" if k == 3 else None,
                weekday_of_first_day=np.full(n_people, -1),
                group=("",) * n_people,
                origin="observed",
                source="a test",
                day_zero="the first dose",
            )
        )
    path = tmp_path / "diaries.parquet"
    write_diaries(several, path)
    for one in several:
        (back,) = read_diaries(path, substance=one.substance)
        assert_equal(one, back)
    with pytest.raises(SpecError, match="s0, s1, s2, s3"):
        read_diaries(path, substance="other")


def test_the_tables_are_imported_with_a_report(tmp_path: Path) -> None:
    """A row that is empty or said twice is named with its place; windows and gaps of everybody are listed."""
    ctn_tables(tmp_path)
    use = pd.read_csv(tmp_path / "tlfb.csv.gz")
    more = pd.DataFrame({"who": [1, 2], "what": ["Heroin", None], "when": [-3, 4]})
    pd.concat([use, more]).to_csv(tmp_path / "tlfb.csv.gz", index=False)
    got = import_tables(tmp_path)
    rows = len(use)
    assert [(one.row, one.field) for one in got.report.set_aside] == [(rows + 2, "when"), (rows + 3, "what")]
    assert got.report.n_kept == rows
    summary = got.to_dict()
    (listed,) = summary["windows"]
    assert listed["substances"] == [one["substance"] for one in summary["totals"]]
    for row, one in zip(got.diaries[0].assessed, listed["people"], strict=True):
        assert one["asked_days"] == row.sum()
        assert one["last_day"] - one["first_day"] + 1 == one["asked_days"] + one["missing_days"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "who"),
        ([(1, None, 1), (2, "A", None)], "no row"),
        ([(1, "A", 1), (2.5, "A", 2)], "2.5 in the column who, row 3"),
        ([(1, "A", 1e12)], "in the column when, row 2"),
        ([(1, "A", 0.5)], "0.5 in the column when"),
    ],
)
def test_tables_that_are_not_those_are_refused(rows: list[tuple[object, ...]], words: str, tmp_path: Path) -> None:
    """A damaged table ends in a sentence with its place, and never in a table of a million columns."""
    ctn_tables(tmp_path)
    pd.DataFrame(rows, columns=["who", "what", "when"]).to_csv(tmp_path / "tlfb.csv.gz", index=False)
    with pytest.raises(SpecError, match=words):
        import_tables(tmp_path)
