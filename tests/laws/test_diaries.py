"""Laws of diaries: what is lost never makes anybody cleaner, and how a table is written never changes what it says."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from law_cases import law
from seen_days import endpoint

from remission.endpoints.values import values_of
from remission.errors import SpecError
from remission.exchange.canonical import write_diaries
from remission.exchange.endpoint_tables import data_of_diaries
from remission.exchange.mapping import Mapping
from remission.exchange.quality import Imported
from remission.exchange.redcap import read_redcap, write_redcap
from remission.exchange.tlfb import read_tlfb, write_calendar, write_tlfb
from remission.records.diaries import Diaries

Row = tuple[str, str, int, float]
Cells = dict[str, list[str]]
START = date(2025, 12, 20)
DAYS = Mapping(when="day", amount="much", amount_unit="g")
DATES = replace(DAYS, when="date", when_is="date")
FORMS = {
    "date": "%Y-%m-%d", "month/day/year": "%m/%d/%Y", "day.month.year": "%d.%m.%Y", "datetime": "%Y-%m-%dT06:05",
    "day-month-year": "%d-%b-%Y", "year/month/day": "%Y/%m/%d", "iso-week": "%G-W%V-%u",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where each case writes its table."""
    return tmp_path / "diary.csv"


def rows_of(rng: np.random.Generator) -> list[Row]:
    """Person, substance, day and amount, each person and day at most once for a substance; half of them without use."""
    found: list[Row] = []
    for person in ("p1", "p2", "p3")[: rng.integers(1, 4)]:
        for substance in ("Alcohol", "Cocaine", "Tobacco")[: rng.integers(1, 4)]:
            days = np.flatnonzero(rng.random(9) < 0.6) - 3
            amounts = np.where(rng.random(days.size) < 0.5, 0.0, rng.integers(1, 40, days.size) / 4.0)
            found.extend((person, substance, int(d), float(a)) for d, a in zip(days, amounts, strict=True))
    return found or [("p1", "Alcohol", 0, 1.0)]


def cells_of(rows: Sequence[Row], form: str = "%Y-%m-%d") -> Cells:
    return {
        "who": [row[0] for row in rows],
        "what": [row[1] for row in rows],
        "day": [str(row[2]) for row in rows],
        "date": [(START + timedelta(row[2])).strftime(form) for row in rows],
        "much": [f"{row[3]:g}" for row in rows],
    }


def text_of(cells: Cells, delimiter: str = ",") -> str:
    lines = [list(cells), *zip(*cells.values(), strict=True)]
    return "".join(delimiter.join(f'"{cell}"' for cell in line) + "\n" for line in lines)


def read(file: Path, cells: Cells, mapping: Mapping) -> Imported:
    file.write_text(text_of(cells), encoding="utf-8")
    return read_tlfb(file, mapping)


def marks(got: Imported) -> tuple[set[tuple[str, str, int]], set[tuple[str, str, int]]]:
    """Clean days and days of use as person, substance and day."""
    clean: set[tuple[str, str, int]] = set()
    used: set[tuple[str, str, int]] = set()
    for one in got.diaries:
        for who, at in zip(*np.nonzero(one.assessed), strict=True):
            place = (one.person[who], one.substance.casefold(), one.first_day + int(at))
            (used if one.used[who, at] else clean).add(place)
    return clean, used


def asked_and_missing(got: Imported) -> tuple[int, int]:
    totals = got.to_dict()["totals"]
    return sum(one["assessed_days"] for one in totals), sum(one["missing_days"] for one in totals)


def assert_same(one: Imported, other: Imported) -> None:
    assert_equal(one.diaries, other.diaries)


def assert_equal(some: Sequence[Diaries], others: Sequence[Diaries], *, but: frozenset[str] = frozenset()) -> None:
    assert [one.substance for one in some] == [one.substance for one in others]
    for one, other in zip(some, others, strict=True):
        for name in set(Diaries.__dataclass_fields__) - {"source"} - but:
            mine, yours = getattr(one, name), getattr(other, name)
            if isinstance(mine, np.ndarray):
                np.testing.assert_array_equal(mine, yours, err_msg=name)
            else:
                assert mine == yours, name


def some_rows(rng: np.random.Generator, n: int) -> np.ndarray:
    """One to three rows."""
    return rng.choice(n, size=min(n, int(rng.integers(1, 4))), replace=False)


@law(seed=1401)
def test_rows_that_are_deleted_never_make_anybody_cleaner(rng: np.random.Generator, file: Path) -> None:
    """Under rows, what was not asked about is not known."""
    rows = rows_of(rng)
    mapping = replace(DAYS, assessed="rows")
    clean, used = marks(read(file, cells_of(rows), mapping))
    kept = [row for row in rows if rng.random() < 0.7] or rows[:1]
    clean_after, used_after = marks(read(file, cells_of(kept), mapping))
    assert clean_after <= clean
    assert used_after <= used


@law(seed=1402)
def test_rows_that_cannot_be_read_never_make_anybody_cleaner(rng: np.random.Generator, file: Path) -> None:
    """Whatever is lost of a row, and whatever is taken as asked about, no other day becomes clean."""
    rows = rows_of(rng)
    mapping = replace(DAYS, assessed=str(rng.choice(["span", "rows"])))  # type: ignore[arg-type]  # one of the two
    clean, used = marks(read(file, cells_of(rows), mapping))
    cells = cells_of(rows)
    losses = {
        "much": ["NA", "", "few", "-2", "1,5", "999999999999999999999e999"], "day": ["", "soon", "2.5", "99999"],
        "what": ["", "Alcohol+Cocaine", "Cocaine; Tobacco"], "who": [""],
    }  # fmt: skip
    for at in some_rows(rng, len(rows) - 1):
        column = str(rng.choice(list(losses)))
        cells[column][at] = str(rng.choice(losses[column]))
    clean_after, used_after = marks(read(file, cells, mapping))
    assert clean_after <= clean
    assert used_after <= used


@law(seed=1403)
def test_missing_codes_never_make_anybody_cleaner(rng: np.random.Generator, file: Path) -> None:
    """A code is what an unreadable amount is: a day not known, with no other day touched."""
    rows = rows_of(rng)
    mapping = replace(DAYS, assessed=str(rng.choice(["span", "rows"])), missing=("777",))  # type: ignore[arg-type]  # one of the two
    before = read(file, cells_of(rows), mapping)
    coded, unreadable = cells_of(rows), cells_of(rows)
    for at in some_rows(rng, len(rows) - 1):
        coded["much"][at], unreadable["much"][at] = "777.0", "?"
    after = read(file, coded, mapping)
    assert marks(after)[0] <= marks(before)[0]
    assert_same(after, read(file, unreadable, mapping))


@law(seed=1404)
def test_every_day_that_is_lost_is_counted_as_missing(rng: np.random.Generator, file: Path) -> None:
    """What leaves the asked days stands among those not known."""
    rows = rows_of(rng)
    mapping = replace(DAYS, assessed=str(rng.choice(["span", "rows"])))  # type: ignore[arg-type]  # one of the two
    asked, missing = asked_and_missing(read(file, cells_of(rows), mapping))
    cells = cells_of(rows)
    for at in some_rows(rng, len(rows) - 1):
        cells["much"][at] = "NA"
    asked_after, missing_after = asked_and_missing(read(file, cells, mapping))
    assert missing_after - missing >= asked - asked_after > 0


@law(seed=1405)
def test_the_order_of_rows_and_columns_never_changes_an_answer(rng: np.random.Generator, file: Path) -> None:
    """Two entries of one day too, unless the rule itself asks which came first."""
    rows = [*rows_of(rng)]
    rows += [(rows[at][0], rows[at][1], rows[at][2], float(rng.integers(0, 9))) for at in some_rows(rng, len(rows))]
    # Of a file in which every row is refused nothing is left to compare.
    rows.append(("p9", "Alcohol", 0, 1.0))
    rules: list[Any] = [None, "add", "refuse"]
    mapping = replace(DATES, same_day=rules[rng.integers(3)])
    cells = cells_of(rows)
    cells["other"] = [str(i) for i in range(len(rows))]
    before = read(file, cells, mapping)
    order, names = rng.permutation(len(rows)), rng.permutation(list(cells))
    assert_same(before, read(file, {str(name): [cells[str(name)][i] for i in order] for name in names}, mapping))


@law(seed=1406)
def test_the_spelling_of_a_substance_never_changes_an_answer(rng: np.random.Generator, file: Path) -> None:
    """Case and spaces are no substances."""
    rows = rows_of(rng)
    cells = cells_of(rows)
    before = marks(read(file, cells, DAYS))
    spell: list[Callable[[str], str]] = [str.upper, str.lower, str.title, lambda text: f"  {text} "]
    cells["what"] = [spell[rng.integers(4)](name) for name in cells["what"]]
    assert marks(read(file, cells, DAYS)) == before


@law(seed=1407)
def test_the_form_of_dates_never_changes_an_answer(rng: np.random.Generator, file: Path) -> None:
    """The same days in each declared form, and as a spreadsheet's numbers."""
    rows = rows_of(rng)
    before = read(file, cells_of(rows), DATES)
    form = str(rng.choice(list(FORMS)))
    assert_same(before, read(file, cells_of(rows, FORMS[form]), replace(DATES, when_is=form)))
    serial = cells_of(rows)
    serial["date"] = [str((START + timedelta(row[2]) - date(1899, 12, 30)).days) for row in rows]
    assert_same(before, read(file, serial, replace(DATES, when_is="serial")))


@law(seed=1408)
def test_the_form_of_numbers_never_changes_an_answer(rng: np.random.Generator, file: Path) -> None:
    """Decimal comma or point, with thousands marked or not."""
    rows = [(p, s, d, a * 1024.0) for p, s, d, a in rows_of(rng)]
    cells = cells_of(rows)
    cells["much"] = [repr(row[3]) for row in rows]
    before = read(file, cells, DAYS)
    cells["much"] = [repr(row[3]).replace(".", ",") for row in rows]
    assert_same(before, read(file, cells, replace(DAYS, decimal="comma")))
    cells["much"] = [f"{row[3]:,}" for row in rows]
    assert_same(before, read(file, cells, replace(DAYS, thousands="comma")))


@law(seed=1409)
def test_how_the_file_is_stored_never_changes_an_answer(rng: np.random.Generator, file: Path) -> None:
    """Sign between cells, byte order mark, encoding, ends of lines, lines before the header."""
    cells = cells_of(rows_of(rng))
    cells["who"] = [f"{name}-\u00e4" for name in cells["who"]]
    before = read(file, cells, DATES)
    text = text_of(cells, str(rng.choice([",", ";", "\t", "|"])))
    if rng.random() < 0.5:
        text = f"Export of a clinic\n\n{text}"
    text = text.replace("\n", str(rng.choice(["\n", "\r\n", "\r"])))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    file.write_bytes(text.encode(encoding))
    assert_same(before, read_tlfb(file, replace(DATES, encoding="cp1252" if encoding == "cp1252" else None)))


@law(seed=1410)
def test_the_unit_of_amounts_never_changes_an_endpoint(rng: np.random.Generator, file: Path) -> None:
    """Grams or milligrams, in the mapping or in a column: the same days are heavy."""
    rows = rows_of(rng)
    cells = cells_of(rows)
    (first, *_) = read(file, cells, DAYS).diaries
    cells["much"] = [f"{row[3] * 1024.0:g}" for row in rows]
    cells["unit"] = ["other"] * len(rows)
    (second, *_) = read(file, cells, replace(DAYS, amount_unit=None, unit="unit")).diaries
    last = int(first.study_day[-1])
    if last < max(0, first.first_day):
        return
    heavy = endpoint("percent_heavy_days", max(0, first.first_day), last)
    np.testing.assert_array_equal(
        values_of(heavy, data_of_diaries(first, heavy_amount=5.0)),
        values_of(heavy, data_of_diaries(second, heavy_amount=5.0 * 1024.0)),
    )


def some_diaries(rng: np.random.Generator, *, n_substances: int, has_holes: bool) -> list[Diaries]:
    """Diaries of one source: people of whom nothing is known, days on which nobody was asked, all kinds of names."""
    n, n_days = int(rng.integers(1, 5)), int(rng.integers(1, 8))
    people = tuple(
        str(name) for name in rng.choice(["7", "007", "=b", "-1", "p 1", "\u00e4", "P10", "P9"], n, replace=False)
    )
    origin = str(rng.choice(["observed", "simulated"]))
    weekdays = rng.integers(-1, 7, n) if origin == "observed" else np.full(n, -1)
    group = tuple(str(name) for name in rng.choice(["", "A", "=B"], n))
    first_day = int(rng.integers(-9, 9))
    found = []
    for name in ("Cocaine, smoked; crack", "=SUM(A1)", "alcohol", "Alcohol")[:n_substances]:
        assessed = rng.random((n, n_days)) < rng.choice([0.1, 0.6, 1.0])
        used = assessed & (rng.random((n, n_days)) < 0.5)
        amount = None
        if rng.random() < 0.6:
            amount = np.where(used, rng.random((n, n_days)) + 0.1, np.where(assessed, 0.0, np.nan))
            if has_holes:
                amount[used & (rng.random((n, n_days)) < 0.2)] = np.nan
        found.append(
            Diaries(
                substance=name, person=people, first_day=first_day, assessed=assessed, used=used, amount=amount,
                amount_unit=None if amount is None else str(rng.choice(["g", "UK units"])),
                weekday_of_first_day=weekdays.astype(np.int64), group=group, origin=origin,  # type: ignore[arg-type]  # one of the two
                source="a law", day_zero=str(rng.choice(["day 0 of the file", "the date in randomized"])),
            )
        )  # fmt: skip
    return [replace(one, day_zero=found[0].day_zero) for one in found]


@law(seed=1411)
def test_rows_out_and_in_again_are_the_same(rng: np.random.Generator, file: Path) -> None:
    """Without a mapping: days, amounts, units, arms, weekdays, day 0, and that a program made them."""
    some = some_diaries(rng, n_substances=int(rng.integers(1, 5)), has_holes=True)
    file.unlink(missing_ok=True)
    write_tlfb(some, file)
    assert_equal(some, read_tlfb(file).diaries)


@law(seed=1412)
def test_a_calendar_out_and_in_again_is_the_same(rng: np.random.Generator, file: Path) -> None:
    """As rows are, for the one substance that a calendar holds."""
    (one,) = some_diaries(rng, n_substances=1, has_holes=False)
    file.unlink(missing_ok=True)
    write_calendar(one, file)
    if not one.assessed.any():
        # Empty cells alone are no diary.
        with pytest.raises(SpecError, match="no usable row"):
            read_tlfb(file)
        return
    assert_equal([one], read_tlfb(file).diaries)


@law(seed=1413)
def test_a_redcap_project_out_and_in_again_is_the_same(rng: np.random.Generator, file: Path) -> None:
    """The export and its dictionary say everything."""
    some = some_diaries(rng, n_substances=int(rng.integers(1, 5)), has_holes=True)
    dictionary = file.with_name("dictionary.csv")
    for path in (file, dictionary):
        path.unlink(missing_ok=True)
    write_redcap(some, file, dictionary)
    assert_equal(some, read_redcap(file, dictionary).diaries)


@law(seed=1414)
def test_parquet_out_and_in_again_is_the_same(rng: np.random.Generator, file: Path) -> None:
    """The import takes the program's own file as it is."""
    some = some_diaries(rng, n_substances=int(rng.integers(1, 5)), has_holes=True)
    write_diaries(some, file)
    assert_equal(some, read_tlfb(file).diaries)


@law(seed=1415)
def test_another_person_never_changes_somebodys_diary(rng: np.random.Generator, file: Path) -> None:
    """What one person reports says nothing of another."""
    rows = rows_of(rng)
    before = read(file, cells_of(rows), DATES)
    more = [("new", *row[1:]) for row in rows_of(rng)]
    cells = cells_of([*more, *rows])
    cells["much"][0] = str(rng.choice(["1", "0", "NA"]))
    after = read(file, cells, DATES)
    kept = tuple(
        {mark for mark in some if mark[0] != "new" and mark[1] in {one.substance.casefold() for one in before.diaries}}
        for some in marks(after)
    )
    assert kept == marks(before)


@law(seed=1416)
def test_an_anchor_shifts_days_and_changes_no_use(rng: np.random.Generator, file: Path) -> None:
    """Where day 0 lies is a name of days, not a report."""
    rows = rows_of(rng)
    cells = cells_of(rows)
    shift = {name: int(rng.integers(-20, 20)) for name in sorted(set(cells["who"]))}
    first = {name: min(row[2] for row in rows if row[0] == name) for name in shift}
    cells["zero"] = [(START + timedelta(first[name] + shift[name])).isoformat() for name in cells["who"]]
    before = marks(read(file, cells, DATES))
    after = marks(read(file, cells, replace(DATES, anchor="zero")))
    for mine, yours in zip(before, after, strict=True):
        assert {(who, what, day - shift[who]) for who, what, day in mine} == yours


@law(seed=1417)
def test_an_unknown_day_lies_between_a_clean_one_and_one_of_use(rng: np.random.Generator, file: Path) -> None:
    """An endpoint that took it for either would say more than is known."""
    n_days = int(rng.integers(2, 12))
    used = rng.random(n_days) < 0.4
    at = int(rng.integers(n_days))
    values: dict[str, list[float]] = {}
    for much in ("0", "NA", "3"):
        amounts = [much if i == at else ("2" if use else "0") for i, use in enumerate(used)]
        cells = {"who": ["a"] * n_days, "what": ["x"] * n_days, "day": [str(i) for i in range(n_days)], "much": amounts}
        (one,) = read(file, cells, replace(DAYS, assessed=str(rng.choice(["span", "rows"])))).diaries  # type: ignore[arg-type]  # one of the two
        for kind in ("percent_days_abstinent", "use_days", "longest_abstinence", "any_use"):
            item = endpoint(kind, 0, n_days - 1)
            values.setdefault(kind, []).append(float(values_of(item, data_of_diaries(one))[0]))
    for kind, (clean, unknown, use) in values.items():
        assert min(clean, use) <= unknown <= max(clean, use), kind


def test_the_laws_try_what_they_say(file: Path) -> None:
    """A table that reads as nothing would obey every law."""
    rng: Any = np.random.default_rng(3)
    clean, used = marks(read(file, cells_of(rows_of(rng)), DAYS))
    assert clean
    assert used
