"""Timeline follow-back tables in and out."""

import gzip
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remission.errors import SpecError
from remission.exchange.quality import identifying_columns
from remission.exchange.rows import Mapping
from remission.exchange.tlfb import read_tlfb, write_tlfb
from remission.records.diaries import Diaries

WRITTEN = Mapping(amount="amount", amount_unit="g", use="use", assessed="rows")


def table(folder: Path, text: str, name: str = "use.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


# What leaves as a table must come back the same: days not asked about stay unknown, days without use stay days.
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), first_day=st.integers(-40, 40), sign=st.sampled_from(["=", "+", "-", "@", "p"]))
def test_round_trip(seed: int, first_day: int, sign: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    assessed = rng.random((3, 6)) < 0.7
    assessed[:, [0, -1]] = True
    used = assessed & (rng.random((3, 6)) < 0.5)
    amount = np.where(assessed, np.where(used, rng.random((3, 6)) + 0.1, 0.0), np.nan)
    amount[0, 0] = np.nan if used[0, 0] else 0.0
    one = Diaries(
        substance=f"{sign}x", person=(f"{sign}1", f"{sign}2", f"{sign}3"), first_day=first_day, assessed=assessed,
        used=used, amount=amount, amount_unit="g", weekday_of_first_day=np.full(3, -1), group=("", "", ""),
        origin="simulated", source="a test", day_zero="the first dose",
    )  # fmt: skip
    path = tmp_path / "out.csv"
    path.unlink(missing_ok=True)
    write_tlfb([one], path)
    assert "synthetic" in path.read_text("utf-8")
    assert "\n=" not in path.read_text("utf-8")
    (back,) = read_tlfb(path, WRITTEN).diaries
    assert (back.substance, back.person, back.first_day) == (one.substance, one.person, first_day)
    np.testing.assert_array_equal(back.assessed, assessed)
    np.testing.assert_array_equal(back.used, used)
    np.testing.assert_array_equal(back.amount, amount)


# Every row is either used or set aside with its row, column and reason; a wrong day or amount is never guessed.
def test_bad_rows_are_set_aside_with_their_place(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "\ufeffwho;what;when;much\n1;Alcohol;0;2\n1;Alcohol;0;2\n1;Alcohol;x;1\n1;Alcohol;4;-1\n;Alcohol;5;1\n"
        "1;Alcohol+Cocaine;6;1\n1;Alcohol;99999;1\n1;Alcohol;3;0\n1;Alcohol;5;\n",
    )
    got = read_tlfb(path, Mapping(amount="much", amount_unit="drink", empty_amount="use"))
    assert [(one.row, one.field) for one in got.report.set_aside] == [
        (3, "when"), (4, "when"), (5, "much"), (6, "who"), (7, "what"), (8, "when"),
    ]  # fmt: skip
    assert got.report.n_kept + len(got.report.set_aside) == got.report.n_rows == 9
    (one,) = got.diaries
    # A row has no readable day, so the days without a row may not be clean; those of rows set aside are not known.
    assert one.assessed.tolist() == [[True, False, False, True, False, True, False]]
    assert one.used.tolist() == [[True, False, False, False, False, True, False]]


# Day 1 of one file is day 0 of another: the mapping decides, and a day 0 there is no slip that passes.
def test_study_day_one_and_dates(tmp_path: Path) -> None:
    path = table(tmp_path, "who,what,when\n1,a,1\n1,a,0\n1,a,-1\n")
    got = read_tlfb(path, Mapping(first_study_day=1))
    assert got.diaries[0].study_day.tolist() == [-1, 0]
    assert [one.row for one in got.report.set_aside] == [3]
    path = table(
        tmp_path, "who,what,when\n1,a,2024-01-01\n1,a,01/03/2024\n1,a,2024-01-03\n2,a,2024-02-30\n2,a,2024-01-06\n"
    )
    got = read_tlfb(path, Mapping(when_is="date"))
    assert [one.row for one in got.report.set_aside] == [3, 5]
    assert got.diaries[0].weekday_of_first_day.tolist() == [0, 5]
    assert got.diaries[0].used.tolist() == [[True, False, True], [True, False, False]]


# A file that is no such table is refused by name, a packed bomb before it fills memory.
def test_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "a,b\n1,2\n", "who,what,when\n", "who,what,when\n1,a,2,3\n", "who,what,when\n\0,a,1\n"):
        with pytest.raises(SpecError, match=r"use\.csv"):
            read_tlfb(table(tmp_path, text), Mapping())
    monkeypatch.setattr("remission.exchange.tables.limit", lambda _: 1000)
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(b"who,what,when\n" + b"1,a,1\n" * 10_000))
    with pytest.raises(SpecError, match="unpacked"):
        read_tlfb(bomb, Mapping())


# Names of people must not travel unnoticed.
def test_identifying_columns_are_warned_of(tmp_path: Path) -> None:
    assert identifying_columns(["who", "first_name", "Date of Birth", "username2", "day"]) == [
        "first_name",
        "Date of Birth",
    ]
    got = read_tlfb(table(tmp_path, "who,what,when,email\n1,a,1,x\n"), Mapping())
    assert "email" in got.report.cautions[0]


# Whatever stands in a file, the answer is diaries or an error that says where.
def test_mutated_files_give_diaries_or_a_typed_error(tmp_path: Path) -> None:
    rng = random.Random(11)
    seed = b'who,what,when,amount,use\n1,a,0,1.5,1\n2,"b",2024-01-01,,0\n3,a,-7,0,0\n'
    for _ in range(300):
        content = bytearray(seed)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(content))
            content[at : at + rng.randint(0, 3)] = rng.choice(
                [b"", b"\n", b'"', b",", b"\xff", b"9" * 12, b"\0", b"\r", b"e"]
            )
        path = tmp_path / "fuzz.csv"
        path.write_bytes(content)
        for mapping in (Mapping(), WRITTEN, Mapping(when_is="date")):
            try:
                got = read_tlfb(path, mapping)
            except SpecError:
                continue
            assert got.report.n_kept + len(got.report.set_aside) == got.report.n_rows
        assert path.read_bytes() == content


# Who maps a name as the person must hear that it is read, and not that it is not.
def test_an_identifying_column_that_is_read_is_said_to_be(tmp_path: Path) -> None:
    path = table(tmp_path, "patient_name,what,when,phone\nA,a,0,1\nB,a,1,2\n")
    first, second = read_tlfb(path, Mapping(person="patient_name")).report.cautions
    assert "patient_name" in first
    assert "is read: put a study number" in first
    assert "phone" in second
    assert "not read" in second


@pytest.mark.parametrize("name", ["amount", "person", "use", "group", "unit", "day_columns"])
@pytest.mark.parametrize("word", ["", " "])
def test_an_empty_name_of_a_column_is_refused_in_the_mapping(name: str, word: str) -> None:
    """An empty name passed as one that was given, and ended in the library that reads tables."""
    given: dict[str, Any] = {name: word}
    with pytest.raises(SpecError, match=f"mapping, {name}: got an empty word"):
        Mapping(**given).check()
