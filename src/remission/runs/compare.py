"""Two folders of one run, file by file and, where bytes differ, number by number."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from remission.provenance import file_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between a stored and a rebuilt run.

    ``place``: file, with column and row, or key. ``stored``, ``rebuilt``: what stands there. ``count``: how many values
    of this column or file differ; the first one is shown. ``largest``: largest difference of numbers, in the unit of
    the column; ``None`` where it is no number.
    """

    place: str
    stored: str
    rebuilt: str
    count: int = 1
    largest: float | None = None

    def __str__(self) -> str:
        """One line of text."""
        words = f"{self.place}: stored {self.stored}, rebuilt {self.rebuilt}"
        if self.largest is not None:
            words += f" (largest difference {self.largest:.3g})"
        return words + (f"; {self.count} values differ" if self.count > 1 else "")


def compare_files(stored: Path, rebuilt: Path, names: dict[str, str]) -> list[Difference]:
    """Differences between two folders; empty when every file has the same bytes.

    ``stored``, ``rebuilt``: the folders. ``names``: files of the stored run with their SHA-256.
    """
    found: list[Difference] = []
    for name, expected in names.items():
        other = rebuilt / name
        if not other.is_file():
            found.append(Difference(place=name, stored="a file", rebuilt="no file"))
        elif file_hash(other) != expected:
            found += _inside(stored / name, other, name)
    return found


def _inside(stored: Path, rebuilt: Path, name: str) -> list[Difference]:
    """The values that differ, or the bytes where no value does."""
    found: list[Difference] = []
    if name.endswith(".parquet"):
        found = list(_tables(stored, rebuilt, name))
    elif name.endswith(".json"):
        left, right = (json.loads(path.read_text(encoding="utf-8")) for path in (stored, rebuilt))
        found = list(_values(left, right, name))
    sizes = [f"{path.stat().st_size} bytes, SHA-256 {file_hash(path)[:12]}" for path in (stored, rebuilt)]
    return found or [Difference(place=name, stored=sizes[0], rebuilt=sizes[1])]


def _tables(stored: Path, rebuilt: Path, name: str) -> Iterator[Difference]:
    with pq.ParquetFile(stored) as left, pq.ParquetFile(rebuilt) as right:
        shapes = [f"{file.metadata.num_rows} rows, columns {file.schema_arrow.names}" for file in (left, right)]
        if shapes[0] != shapes[1]:
            yield Difference(place=name, stored=shapes[0], rebuilt=shapes[1])
            return
        # A column at a time, for diaries are long.
        for column in left.schema_arrow.names:
            pair = [file.read(columns=[column]).column(0) for file in (left, right)]
            yield from _columns(pair[0], pair[1], f"{name}, column {column}")


def _columns(left: pa.ChunkedArray, right: pa.ChunkedArray, place: str) -> Iterator[Difference]:
    a, b = (np.asarray(column.to_pandas()) for column in (left, right))
    same = a == b
    if a.dtype.kind == "f" and b.dtype.kind == "f":
        same = same | (np.isnan(a) & np.isnan(b))
    rows = np.flatnonzero(~same)
    if rows.size:
        is_number = a.dtype.kind in "fiu" and b.dtype.kind in "fiu"
        gaps = np.abs(a[rows].astype(float) - b[rows].astype(float)) if is_number else None
        yield Difference(
            place=f"{place}, row {rows[0]}",
            stored=repr(a[rows[0]].item() if is_number else a[rows[0]]),
            rebuilt=repr(b[rows[0]].item() if is_number else b[rows[0]]),
            count=int(rows.size),
            largest=None if gaps is None else float(np.nanmax(gaps, initial=0.0)),
        )


def _values(left: Any, right: Any, place: str) -> Iterator[Difference]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in [*left, *(key for key in right if key not in left)]:
            yield from _values(left.get(key), right.get(key), f"{place}, {key}")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _values(one, other, f"{place} {index}")
    elif left != right:
        numbers = [value for value in (left, right) if isinstance(value, int | float) and math.isfinite(value)]
        largest = abs(numbers[0] - numbers[1]) if len(numbers) == 2 else None
        yield Difference(place=place, stored=repr(left), rebuilt=repr(right), largest=largest)


def compare_records(stored: dict[str, Any], rebuilt: dict[str, Any], place: str) -> list[Difference]:
    """Differences between two records of what made a run: versions, hashes, machine."""
    return list(_values(stored, rebuilt, place))
