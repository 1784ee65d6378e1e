"""Diaries as one Parquet file that gives the same arrays back: a row per substance, person and day.

What cannot stand in a row (people, groups, weekdays, units, origin) stands in the schema as JSON.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from remission.errors import SpecError
from remission.files import new_bytes, refuse_pipes
from remission.records.diaries import Diaries

_ABOUT = b"remission.diaries"
_VERSION = 1
_MOST_CELLS = 200_000_000
_SCHEMA = pa.schema(
    [
        ("substance", pa.dictionary(pa.int16(), pa.string())),
        ("person", pa.dictionary(pa.int32(), pa.string())),
        ("day", pa.int32()),
        ("assessed", pa.bool_()),
        ("used", pa.bool_()),
        ("amount", pa.float64()),
    ]
)


def write_diaries(diaries: Sequence[Diaries], path: Path) -> None:
    """Write diaries; a file of that name is replaced only when the new one is whole.

    Raises SpecError: the same substance twice. Raises RunError: the file cannot be written. Raises WorkError: the disk
    refused half-way.
    """
    names = [one.substance for one in diaries]
    if len(set(names)) != len(names):
        raise SpecError(where="diaries", got="a substance twice", allowed="each substance once", remedy="merge them")
    about = json.dumps({"version": _VERSION, "parts": [_describe(one) for one in diaries]})
    names = sorted({name for one in diaries for name in one.scores})
    schema = _schema(names).with_metadata({_ABOUT: about.encode()})
    # Nobody asks the file for ranges, and collecting them takes a quarter of the time.
    with (
        new_bytes(path, replace=True) as file,
        pq.ParquetWriter(file, schema, compression="zstd", write_statistics=False) as out,
    ):
        for one in diaries:
            out.write_table(_rows(one, names))


def read_diaries(path: Path, *, substance: str | None = None) -> tuple[Diaries, ...]:
    """The diaries of a file that ``write_diaries`` made, one record a substance.

    ``path``: the file. ``substance``: read only this one; others cost neither time nor memory.
    Raises SpecError: no such file, another kind of file, a damaged one, or none of this substance.
    """
    refuse_pipes(path, allowed="a Parquet file of diaries")
    try:
        with pq.ParquetFile(path) as file:
            about = json.loads((file.schema_arrow.metadata or {})[_ABOUT])
            schema = _schema(sorted({name for part in about["parts"] for name in part.get("scores", ())}))
            if about["version"] != _VERSION or not file.schema_arrow.equals(schema):
                raise _unreadable(path, f"diaries of version {about['version']}, or with other columns")
            shapes = [(len(part["person"]), int(part["n_days"])) for part in about["parts"]]
            n_cells = sum(math.prod(shape) for shape in shapes)
            if any(days < 0 for _, days in shapes) or n_cells != file.metadata.num_rows or n_cells > _MOST_CELLS:
                raise _unreadable(path, f"{file.metadata.num_rows} rows where {n_cells} are announced")
            names = [part["substance"] for part in about["parts"]]
            if substance is not None and substance not in names:
                raise SpecError(where=str(path), got=substance, allowed=", ".join(names) or "a file with diaries")
            wanted = [k for k, name in enumerate(names) if substance in {None, name}]
            ends = np.cumsum([math.prod(shape) for shape in shapes], dtype=np.int64)
            starts = ends - np.array([math.prod(shape) for shape in shapes], dtype=np.int64)
            tables = [_part(file, int(starts[k]), int(ends[k]), about["parts"][k]) for k in wanted]
    except FileNotFoundError:
        raise _unreadable(path, "no such file") from None
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, SpecError):
            raise
        raise _unreadable(path, f"a file that is no diaries Parquet ({type(error).__name__})") from None
    found = []
    for k, rows in zip(wanted, tables, strict=True):
        try:
            found.append(_restore(about["parts"][k], rows, shapes[k]))
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise _unreadable(path, f"contradictory contents ({error})") from None
    return tuple(found)


def _part(file: pq.ParquetFile, start: int, end: int, part: dict[str, Any]) -> pa.Table:
    """Rows ``start`` to ``end`` of a file, from the row groups that hold them."""
    groups = np.cumsum([0, *(file.metadata.row_group(k).num_rows for k in range(file.metadata.num_row_groups))])
    chosen = [k for k in range(len(groups) - 1) if groups[k] < end and groups[k + 1] > start]
    columns = ["assessed", "used", *([] if part["amount_unit"] is None else ["amount"]), *part.get("scores", ())]
    if not chosen:
        return file.schema_arrow.empty_table().select(columns)
    table = file.read_row_groups(chosen, columns=columns)
    return table.slice(start - int(groups[chosen[0]]), end - start)


def _describe(one: Diaries) -> dict[str, Any]:
    return {
        "substance": one.substance,
        "person": list(one.person),
        "group": list(one.group),
        "weekday_of_first_day": one.weekday_of_first_day.tolist(),
        "first_day": one.first_day,
        "n_days": one.assessed.shape[1],
        "amount_unit": one.amount_unit,
        "origin": one.origin,
        "source": one.source,
        "day_zero": one.day_zero,
        **({"scores": sorted(one.scores)} if one.scores else {}),
    }


def _schema(scores: Sequence[str]) -> pa.Schema:
    """The columns of a file; marks of days have columns where anybody made some."""
    return pa.schema([*_SCHEMA, *((name, pa.float64()) for name in scores)])


def _rows(one: Diaries, scores: Sequence[str]) -> pa.Table:
    n_people, n_days = one.assessed.shape
    n_cells = n_people * n_days
    substance = pa.DictionaryArray.from_arrays(np.zeros(n_cells, dtype=np.int16), pa.array([one.substance]))
    person = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(n_people, dtype=np.int32), n_days), pa.array(list(one.person), pa.string())
    )
    amount = pa.nulls(n_cells, pa.float64()) if one.amount is None else pa.array(one.amount.ravel())
    columns = [
        substance,
        person,
        pa.array(np.tile(one.study_day.astype(np.int32), n_people)),
        pa.array(one.assessed.ravel()),
        pa.array(one.used.ravel()),
        amount,
        *(
            pa.array(one.scores[name].ravel()) if name in one.scores else pa.nulls(n_cells, pa.float64())
            for name in scores
        ),
    ]
    return pa.Table.from_arrays(columns, schema=_schema(scores))


def _restore(part: dict[str, Any], rows: pa.Table, shape: tuple[int, int]) -> Diaries:
    def grid(name: str) -> np.ndarray:
        return rows[name].to_numpy().reshape(shape)

    if part["origin"] not in {"observed", "simulated"}:
        raise ValueError("an origin that is neither observed nor simulated")
    return Diaries(
        substance=part["substance"],
        person=tuple(part["person"]),
        first_day=part["first_day"],
        assessed=grid("assessed").astype(bool),
        used=grid("used").astype(bool),
        amount=None if part["amount_unit"] is None else grid("amount").astype(np.float64),
        amount_unit=part["amount_unit"],
        weekday_of_first_day=np.array(part["weekday_of_first_day"], dtype=np.int64),
        group=tuple(part["group"]),
        origin=part["origin"],
        source=part["source"],
        day_zero=part["day_zero"],
        scores={str(name): grid(name).astype(np.float64) for name in part.get("scores", ())},
    )


def _unreadable(path: Path, got: str) -> SpecError:
    return SpecError(
        where=str(path),
        got=got,
        allowed="a Parquet file of diaries",
        remedy="Make one with: remission import tlfb FILE --out DATA",
    )
