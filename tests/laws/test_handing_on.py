"""Laws of what is handed on: shares of a run, and the files of other programs."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from law_cases import law
from validation.small_trials import small_protocol

from remission.errors import ProvenanceError, RunError, SpecError
from remission.exchange.dataset import (
    Cell,
    Column,
    Dataset,
    read_dataset_json,
    read_xpt,
    write_dataset_json,
    write_xpt,
)
from remission.runs import shares
from remission.runs.shares import Share, check_shares, do_share
from remission.runs.work import open_work, read_work
from remission.trial.simulate import plan_trial


@pytest.fixture(scope="module")
def share_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share of four pieces, done."""
    plan = plan_trial(small_protocol(), n_replicates=4, seed=3, chunk_replicates=1)
    folder = open_work(tmp_path_factory.mktemp("runs"), plan, "x")
    do_share(folder, read_work(folder)[0], Share(1, 1))
    return next((folder / "shares").iterdir())


@law(seed=2301)
def test_a_share_cut_anywhere_is_a_shorter_one(rng: np.random.Generator, share_file: Path) -> None:
    """Whatever byte a job died at, what is whole is kept, nothing else is taken, and a changed byte is never taken."""
    whole = share_file.read_bytes()
    was = {kept.chunk.first: kept.read() for kept in shares._kept(share_file.parents[1])}
    end = int(rng.integers(len(whole)))
    changed = bytearray(whole)
    changed[end] ^= 1 << int(rng.integers(8))
    try:
        share_file.write_bytes(whole[:end])
        kept = check_shares(share_file.parents[1])
        assert kept == set(range(len(kept)))
        assert len(kept) < 4
        share_file.write_bytes(changed)
        with suppress(ProvenanceError, RunError):
            for kept_piece in shares._kept(share_file.parents[1]):
                assert kept_piece.read() == was[kept_piece.chunk.first]
    finally:
        share_file.write_bytes(whole)


WORDS = ("", "a", "A B", "0", "007", "Müller", "日", "1e5", "NA", "null", '"', "'", ",", "x" * 200, "\\", "-1", "a\tb")


def some_data(rng: np.random.Generator) -> Dataset:
    """Columns of every type, cells of every size, gaps."""
    kinds = [("string", None), ("integer", None), ("float", None), ("date", "integer"), ("datetime", None)]
    n_rows, n_columns = int(rng.integers(0, 12)), int(rng.integers(1, 9))
    columns, cells = [], []
    for number in range(n_columns):
        kind, target = kinds[rng.integers(len(kinds))]
        columns.append(Column(name=f"C{number}", label=WORDS[rng.integers(9)], type=kind, target=target))  # type: ignore[arg-type]
        day = date(1960, 1, 1) + timedelta(days=int(rng.integers(-30_000, 60_000)))
        made: dict[str, Callable[[], Cell]] = {
            "string": lambda: WORDS[rng.integers(len(WORDS))],
            "integer": lambda: int(rng.integers(-(2**53), 2**53)) >> int(rng.integers(53)),
            "float": lambda: float(rng.standard_normal() * 10.0 ** rng.integers(-70, 70)),
            "date": day.isoformat, "datetime": partial("{}T12:30:00".format, day),
        }  # fmt: skip
        cells.append([None if rng.random() < 0.2 else made[kind]() for _ in range(n_rows)])
    return Dataset(
        name="ADX", label="Set", columns=tuple(columns), rows=[list(row) for row in zip(*cells, strict=True)]
    )


@law(seed=2302)
def test_a_data_set_written_and_read_is_the_same(rng: np.random.Generator, tmp_path: Path) -> None:
    """Cell by cell, in both forms, to the last bit; a transport file has no difference of empty and missing text."""
    data = some_data(rng)
    for write, read, name in ((write_dataset_json, read_dataset_json, "a.json"), (write_xpt, read_xpt, "a.xpt")):
        (tmp_path / name).unlink(missing_ok=True)
        if name == "a.xpt" and data.rows and not any(data.rows[-1]) and ends_in_blanks(data):
            with pytest.raises(SpecError, match="blanks"):
                write(data, tmp_path / name)
            continue
        write(data, tmp_path / name)
        back = read(tmp_path / name)
        if name == "a.json":
            assert back.rows == data.rows
            assert [(c.name, c.label, c.type, c.target) for c in back.columns] == [
                (c.name, c.label, c.type, c.target) for c in data.columns
            ]
        else:
            assert [[c or None if isinstance(c, str) else c for c in row] for row in back.rows] == [
                [c or None if isinstance(c, str) else c for c in row] for row in data.rows
            ]
            assert [(c.name, c.label) for c in back.columns] == [(c.name, c.label) for c in data.columns]
        assert (back.name, back.label) == (data.name, data.label)


def ends_in_blanks(data: Dataset) -> bool:
    """Whether the last row has nothing but empty text."""
    return all(column.type in {"string", "datetime"} for column in data.columns)


@law(seed=2303)
def test_a_cut_data_set_is_never_a_shorter_one(rng: np.random.Generator, tmp_path: Path) -> None:
    """Rows that are gone are seen, but for a transport file that ends between two rows, which nothing shows."""
    data = small_table(int(rng.integers(2, 30)))
    for write, read, name in ((write_dataset_json, read_dataset_json, "a.json"), (write_xpt, read_xpt, "a.xpt")):
        path = tmp_path / name
        path.unlink(missing_ok=True)
        write(data, path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(rng.integers(1, len(whole)))])
        try:
            rows = read(path).rows
        except SpecError:
            continue
        # White space behind the last brace may be gone; so may be blanks that fill the last record up.
        is_between = name == "a.xpt" and rows == data.rows[: len(rows)]
        assert rows == data.rows or is_between


def small_table(n_rows: int) -> Dataset:
    """Rows of 37 bytes, so that few of them end where a record of a transport file does."""
    columns = (Column(name="WHO", label="", type="string"), Column(name="AVAL", label="", type="float"))
    rows: list[list[Cell]] = [[f"person {k:022d}", k / 3] for k in range(n_rows)]
    return Dataset(name="ADX", label="Set", columns=columns, rows=rows)
