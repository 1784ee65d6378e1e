"""Diaries in Parquet and the CTN-0094 tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remission.errors import SpecError
from remission.exchange.canonical import read_diaries, write_diaries
from remission.exchange.ctn0094 import read_ctn0094
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
