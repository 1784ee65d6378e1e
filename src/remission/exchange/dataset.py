"""A data set of CDISC with what is said of its columns, as Dataset-JSON 1.1 and as SAS transport file (XPT, version 5).

Both forms hold the same cells: text, whole numbers, numbers, and dates as text in ISO 8601; a date that SAS keeps as a
number is the text with the type that a program asked for (``targetDataType``). Nothing is cut, rounded or guessed: what
a form cannot hold is refused at its place. The schema and the examples were read at cdisc-org/DataExchange-DatasetJson,
commit a379f49.
"""

import json
import math
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from remission.errors import RunError, SpecError
from remission.exchange.formats import read_transport
from remission.files import new_text, read_json
from remission.provenance import package_version

Cell = str | int | float | bool | None
Type = Literal[
    "string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI",
]  # fmt: skip

_MOST_FAULTS = 20
_MOST_ROWS = 5_000_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,7}")
_LONGEST_LABEL, _LONGEST_TEXT = 40, 200
"""Of a SAS transport file, version 5. [byte]"""
_LARGEST, _SMALLEST = 7.2e75, 5.4e-79
"""Numbers between which the transport file's own form of numbers lies. [dimensionless]"""
_TEXTS: Final = frozenset({"string", "decimal", "datetime", "date", "time", "URI"})
_DATES: Final = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}
_FIRST: Final = (
    "datasetJSONCreationDateTime", "datasetJSONVersion", "fileOID", "dbLastModifiedDateTime", "originator",
    "sourceSystem", "studyOID", "metaDataVersionOID", "metaDataRef", "itemGroupOID",
)  # fmt: skip
"""Attributes in the order of the specification, before records, name, label, columns and rows."""
_REQUIRED: Final = ("datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID", "records", "name", "label",
                    "columns")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What is said of a column; the names are those of Dataset-JSON."""

    name: str
    label: str
    type: Type
    length: int | None = None
    key: int | None = None
    target: Literal["integer", "decimal"] | None = None
    format: str | None = None
    oid: str = ""

    def described(self, data_set: str) -> dict[str, Any]:
        """As an element of ``columns``."""
        said = {"targetDataType": self.target, "length": self.length, "displayFormat": self.format,
                "keySequence": self.key}  # fmt: skip
        return {
            "itemOID": self.oid or f"IT.{data_set}.{self.name}", "name": self.name, "label": self.label,
            "dataType": self.type, **{name: value for name, value in said.items() if value is not None},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Rows of cells under columns. ``about``: what else the file says of itself, by the names of Dataset-JSON."""

    name: str
    label: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    about: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> list[Cell]:
        place = self.names.index(name)
        return [row[place] for row in self.rows]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]


# --------------------------------------------------------------------------------------------------------- Dataset-JSON


def write_dataset_json(data: Dataset, path: Path) -> None:
    """Write a data set as Dataset-JSON 1.1.

    Raises ``SpecError``: a cell is not of its column's type; ``RunError``: the file cannot be written.
    """
    SpecError.check(list(_faults(data, path.name))[:_MOST_FAULTS])
    about = {
        "datasetJSONCreationDateTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "datasetJSONVersion": "1.1.0",
        "sourceSystem": {"name": "remission", "version": package_version()},
        "itemGroupOID": f"IG.{data.name}",
        **data.about,
    }
    order = [*(name for name in _FIRST if name in about), *(name for name in about if name not in _FIRST)]
    head = {name: about[name] for name in order}
    head |= {"records": len(data.rows), "name": data.name, "label": data.label}
    head["columns"] = [column.described(data.name) for column in data.columns]
    with new_text(path) as file:
        file.write(json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "rows": [')
        for number, row in enumerate(data.rows):
            file.write(("," if number else "") + "\n  " + json.dumps(row, ensure_ascii=False, allow_nan=False))
        file.write("\n ]\n}\n")


def read_dataset_json(path: Path) -> Dataset:
    """A data set of a Dataset-JSON file, version 1.1, every cell checked against the type of its column.

    Raises ``SpecError``: no such file, another kind or version, cut short, or cells that are not what the file says;
    every fault with its place, up to 20.
    """
    try:
        content = read_json(path, allowed="a Dataset-JSON file, version 1.1")
    except RunError as error:
        raise SpecError(
            where=path.name, got=str(error.got), allowed="a whole Dataset-JSON file, version 1.1",
            remedy="Was it cut short? Copy it again from where it came. Lines of JSON (.ndjson) are not read.",
        ) from None  # fmt: skip
    missing = [name for name in _REQUIRED if name not in content]
    if missing:
        raise SpecError(where=path.name, got=f"no {', '.join(missing)}", allowed="a Dataset-JSON file, version 1.1")
    version = content["datasetJSONVersion"]
    if not isinstance(version, str) or not re.fullmatch(r"1\.1(\.(0|[1-9][0-9]*))?", version):
        raise SpecError(
            where=f"{path.name}, datasetJSONVersion", got=version, allowed="1.1",
            remedy="Write it again as version 1.1 with the program that made it.",
        )  # fmt: skip
    for name in ("name", "label", "itemGroupOID", "datasetJSONCreationDateTime"):
        if not isinstance(content[name], str):
            raise SpecError(where=f"{path.name}, {name}", got=content[name], allowed="text")
    columns = _columns(content["columns"], path.name)
    rows, records = content.get("rows", []), content["records"]
    if not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        raise SpecError(where=f"{path.name}, rows", got=type(rows).__name__, allowed=f"a list of {_MOST_ROWS:,} rows")
    if not isinstance(records, int) or isinstance(records, bool) or records != len(rows):
        raise SpecError(
            where=f"{path.name}, records", got=records, allowed=f"the number of rows, {len(rows)}",
            remedy="Rows are missing, or were added; nothing was read.",
        )  # fmt: skip
    about = {
        name: value for name, value in content.items() if name not in {"records", "name", "label", "columns", "rows"}
    }
    data = Dataset(name=content["name"], label=content["label"], columns=columns, rows=rows, about=about)
    SpecError.check(list(_faults(data, path.name))[:_MOST_FAULTS])
    return data


def is_dataset_json(path: Path) -> bool:
    """Whether a file begins as JSON and names Dataset-JSON."""
    try:
        with path.open("rb") as file:
            start = file.read(65_536)
    except OSError:
        return False
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" and b'"datasetJSON' in start


def _columns(found: Any, place: str) -> tuple[Column, ...]:
    if not isinstance(found, list) or not found:
        raise SpecError(where=f"{place}, columns", got=type(found).__name__, allowed="a list of columns")
    columns, faults = [], []
    for number, one in enumerate(found):
        where = f"{place}, columns[{number}]"
        if not isinstance(one, dict):
            faults.append(SpecError(where=where, got=one, allowed="a column with name, label and dataType"))
            continue
        for name, kinds in _OF_A_COLUMN.items():
            value = one.get(name)
            is_there = name in one
            is_wrong = isinstance(value, bool) or not isinstance(value, kinds) or (isinstance(value, int) and value < 1)
            if is_there and is_wrong:
                faults.append(SpecError(where=f"{where}.{name}", got=value, allowed=f"{_WORDS[kinds]}"))
            elif not is_there and name in {"itemOID", "name", "label", "dataType"}:
                faults.append(SpecError(where=f"{where}.{name}", got="nothing", allowed=_WORDS[kinds]))
        if one.get("dataType") not in _CHECKS:
            faults.append(SpecError(where=f"{where}.dataType", got=one.get("dataType"), allowed=", ".join(_CHECKS)))
        if one.get("targetDataType") not in {None, "integer", "decimal"}:
            faults.append(
                SpecError(where=f"{where}.targetDataType", got=one["targetDataType"], allowed="integer or decimal")
            )
        if not faults:
            columns.append(Column(
                name=one["name"], label=one["label"], type=one["dataType"], length=one.get("length"),
                key=one.get("keySequence"), target=one.get("targetDataType"), format=one.get("displayFormat"),
                oid=one["itemOID"],
            ))  # fmt: skip
    SpecError.check(faults[:_MOST_FAULTS])
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SpecError(where=f"{place}, columns", got=f"{twice} twice", allowed="each column once")
    return tuple(columns)


_OF_A_COLUMN: Final[dict[str, type]] = {
    "itemOID": str, "name": str, "label": str, "dataType": str, "targetDataType": str, "displayFormat": str,
    "length": int, "keySequence": int,
}  # fmt: skip
_WORDS: Final[dict[type, str]] = {str: "text", int: "a whole number from 1 on"}


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)


_CHECKS: Final[dict[str, Callable[[Cell], bool]]] = {
    **dict.fromkeys(_TEXTS, lambda cell: isinstance(cell, str)),
    "integer": lambda cell: isinstance(cell, int) and not isinstance(cell, bool),
    "float": _is_number,
    "double": _is_number,
    "boolean": lambda cell: isinstance(cell, bool),
}
_ALLOWED: Final = {"integer": "a whole number", "float": "a number", "double": "a number", "boolean": "true or false"}


def _faults(data: Dataset, place: str) -> Iterator[SpecError]:
    width = len(data.columns)
    checks = [(column, _CHECKS[column.type], _ALLOWED.get(column.type, "text")) for column in data.columns]
    for number, row in enumerate(data.rows):
        where = f"{place}, rows[{number}]"
        if not isinstance(row, list) or len(row) != width:
            got = f"{len(row)} cells" if isinstance(row, list) else row
            yield SpecError(where=where, got=got, allowed=f"{width} cells, one for each column")
            continue
        for (column, check, allowed), cell in zip(checks, row, strict=True):
            if cell is not None and not check(cell):
                yield SpecError(where=f"{where}, {column.name}", got=cell,
                                allowed=f"{allowed}, or null (dataType {column.type})")  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------ XPT


def write_xpt(data: Dataset, path: Path) -> None:
    """Write a data set as SAS transport file, version 5.

    An empty text and a missing one are the same there. Raises ``SpecError``: a name, label, text or number does not fit
    into such a file; ``RunError``: the library pyreadstat is not installed; ``OSError``: the file cannot be written.
    """
    import pandas as pd
    import pyreadstat

    faults = [*_faults(data, path.name), *_beyond_xpt(data, path.name)]
    SpecError.check(faults[:_MOST_FAULTS])
    table, formats = {}, {}
    for column, cells in zip(data.columns, zip(*data.rows, strict=True) if data.rows else iter([()] * 10_000),
                             strict=False):  # fmt: skip
        if column.type in _DATES and column.target is not None:
            read = _DATES[column.type]
            days = [read(cell) if cell else None for cell in cells]
            # Without a date in it the library would take the column for text.
            table[column.name] = pd.Series(days, dtype=object if any(days) else float)
            formats[column.name] = column.format or ("DATE9." if column.type == "date" else "DATETIME20.")
        elif column.type in _TEXTS:
            table[column.name] = pd.Series(["" if cell is None else cell for cell in cells], dtype=object)
        else:
            table[column.name] = pd.Series([math.nan if cell is None else float(cell) for cell in cells], dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyreadstat.write_xport(
            pd.DataFrame(table), str(path), file_label=data.label, table_name=data.name.upper(),
            column_labels=[column.label for column in data.columns], file_format_version=5, variable_format=formats,
        )  # fmt: skip


def read_xpt(path: Path) -> Dataset:
    """A data set of a SAS transport file: names, labels, formats and lengths as far as such a file has them.

    Numbers that are all whole are whole numbers; the file itself tells no difference. Raises ``SpecError``: it cannot
    be read, or was cut short.
    """
    table, about = read_transport(path)
    columns, cells = [], []
    for place, name in enumerate(table.columns):
        values = [_cell(value) for value in table[name].tolist()]
        kind, target = _type_of(values, str(about.readstat_variable_types.get(name, "")))
        form = str(about.original_variable_types.get(name) or "")
        columns.append(Column(
            name=str(name).strip(), label=str(about.column_labels[place] or ""), type=kind, target=target,
            length=about.variable_storage_width.get(name) if kind == "string" else None,
            format=form if target and form not in {"", "NULL"} else None,
        ))  # fmt: skip
        shown = (value.isoformat() if isinstance(value, date) else value for value in values)
        cells.append([int(one) if kind == "integer" and one is not None else one for one in shown])
    rows = [list(row) for row in zip(*cells, strict=True)] if cells else []
    name = str(about.table_name or path.stem).upper()
    return Dataset(name=name, label=str(about.file_label or ""), columns=tuple(columns), rows=rows)


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value) == "NaT":
        return None
    return value


def _type_of(values: list[Any], stored: str) -> tuple[Type, Literal["integer"] | None]:
    there = [value for value in values if value is not None]
    if any(isinstance(value, datetime) for value in there):
        return "datetime", "integer"
    if any(isinstance(value, date) for value in there):
        return "date", "integer"
    if stored == "string":
        return "string", None
    is_whole = all(float(value).is_integer() and abs(value) < 2**53 for value in there)
    return ("integer" if is_whole else "float"), None


def _beyond_xpt(data: Dataset, place: str) -> Iterator[SpecError]:
    if not _NAME.fullmatch(data.name):
        yield SpecError(where=f"{place}, name", got=data.name, allowed="a name of up to 8 letters and digits")
    if len(data.label.encode()) > _LONGEST_LABEL:
        yield SpecError(where=f"{place}, label", got=data.label, allowed=f"up to {_LONGEST_LABEL} bytes in an XPT file")
    is_text = all(column.type in _TEXTS and column.target is None for column in data.columns)
    if is_text and data.rows and not any(data.rows[-1]):
        yield SpecError(where=f"{place}, rows[{len(data.rows) - 1}]", got="a last row of blanks",
                        allowed="a text in it: blanks fill an XPT file up and would not be read as a row")  # fmt: skip
    for place_of, column in enumerate(data.columns):
        where = f"{place}, {column.name}"
        if not _NAME.fullmatch(column.name):
            yield SpecError(where=where, got=column.name, allowed="a name of up to 8 letters and digits in an XPT file")
        if len(column.label.encode()) > _LONGEST_LABEL:
            yield SpecError(where=where, got=column.label, allowed=f"a label of up to {_LONGEST_LABEL} bytes")
        for number, row in enumerate(data.rows):
            cell = row[place_of]
            if isinstance(cell, str) and (len(cell.encode()) > _LONGEST_TEXT or cell != cell.rstrip(" ")):
                yield SpecError(
                    where=f"{place}, rows[{number}], {column.name}", got=cell,
                    allowed=f"text of up to {_LONGEST_TEXT} bytes in an XPT file, without blanks at its end",
                )  # fmt: skip
            elif isinstance(cell, int | float) and cell and not _SMALLEST < abs(cell) < _LARGEST:
                yield SpecError(where=f"{place}, rows[{number}], {column.name}", got=cell,
                                allowed=f"0, or a size from {_SMALLEST} to {_LARGEST} in an XPT file")  # fmt: skip
            elif isinstance(cell, int) and abs(cell) > 2**53:
                yield SpecError(where=f"{place}, rows[{number}], {column.name}", got=cell, allowed="up to 2**53")
