"""Tables that are no text: workbooks, SAS transport files, SPSS and Stata files; others are named, with the way out.

What a file is, its first bytes say, whatever it is called. Cells become text as a CSV would have them: a date as
year-month-day, a whole number without a point, a labeled value as its label.
"""

import math
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from remission.errors import SpecError
from remission.records.packaged import packaged_toml

READ_BY = {
    "an Excel workbook": "openpyxl",
    "a SAS transport file": "pyreadstat",
    "an SPSS file": "pyreadstat",
    "a Stata file": "pyreadstat",
}
"""Kinds that are read, with the library that does it."""

_CSV = "Save the table as 'CSV UTF-8' and import that."
_FORMATS = packaged_toml("exchange", "formats.toml")
_OLE = b"\xd0\xcf\x11\xe0"
_MOST_ROWS = 2**20
"""Of a sheet of Excel."""
_STATA_VERSIONS = frozenset({104, 105, 108, 110, 111, 112, 113, 114, 115})


def kind_of(start: bytes, path: Path) -> str | None:
    """What a file with these first bytes is, if it is no text.

    ``start``: its first bytes, unpacked; 64 are enough. ``path``: the file itself, looked into where it is a zip
    archive.
    """
    if start[:4] == b"PK\x03\x04":
        return _kind_of_archive(path)
    if start.startswith(_OLE):
        return "a workbook with a password" if _has_password(path) else "an old Excel workbook (.xls)"
    for kind, marks in _FORMATS["starts"].items():
        if start.startswith(tuple(bytes.fromhex(mark) for mark in marks)):
            return str(kind)
    is_old_stata = len(start) > 3 and start[0] in _STATA_VERSIONS and start[1] in {1, 2} and start[2:4] == b"\x01\x00"
    return "a Stata file" if is_old_stata else None


def refusal(path: Path, kind: str) -> SpecError:
    """The error of a kind that is not read, with the way to convert it."""
    return SpecError(
        where=path.name, got=kind, allowed="CSV, or CSV with gzip, .xlsx, .xpt, .sav or .dta",
        remedy=_FORMATS["ways"].get(kind, _CSV),
    )  # fmt: skip


def _kind_of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and b"spreadsheet" in archive.read("mimetype")[:200]:
                return "an OpenDocument spreadsheet"
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, EOFError):
        return "a zip archive or workbook that was cut short or changed"
    if "[Content_Types].xml" in names:
        return "an Excel workbook" if any(name.startswith("xl/") for name in names) else "a document"
    return "a zip archive"


def _has_password(path: Path) -> bool:
    """Whether an old container holds a workbook that is locked; its list of parts names them in UTF-16."""
    try:
        with path.open("rb") as file:
            return "EncryptedPackage".encode("utf-16-le") in file.read(1 << 20)
    except OSError:
        return False


def _need(kind: str, path: Path) -> None:
    library = READ_BY[kind]
    if find_spec(library) is None:
        raise SpecError(
            where=path.name, got=kind, allowed=f"CSV where the library {library} is not installed",
            remedy=f"Add it with: pip install 'remission[exchange]'. Or: {_CSV}",
        )  # fmt: skip


def _damaged(path: Path, kind: str) -> SpecError:
    # What a library says of a damaged file may hold the file's content.
    return SpecError(where=path.name, got=f"{kind} that cannot be read", allowed="a whole file", remedy=_CSV)


def read_workbook(
    path: Path, *, most_bytes: int, most_cells: int, sheet: str | None, decimal: str
) -> dict[str, list[list[str]]]:
    """The cells of a workbook's visible sheets, or of the one that is named, as text.

    Raises SpecError: the library is not installed, no workbook, too large when unpacked, or no such sheet.
    """
    kind = "an Excel workbook"
    _need(kind, path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile):
        raise _damaged(path, kind) from None
    _check_size(path, size, most_bytes, " when unpacked")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Whatever a damaged workbook makes of the library, it is the file that is at fault.
        try:
            names, sheets = _sheets(path, sheet, decimal, most_cells)
        except SpecError:
            raise
        except Exception:  # noqa: BLE001
            raise _damaged(path, kind) from None
    if sheet is not None and sheet not in sheets:
        raise SpecError(where="mapping, sheet", got=sheet, allowed=f"one of {', '.join(names)}")
    return sheets


def _sheets(
    path: Path, sheet: str | None, decimal: str, most_cells: int
) -> tuple[list[str], dict[str, list[list[str]]]]:
    import openpyxl

    def rows(one: Any) -> Iterator[list[str]]:
        # One cell far out makes a row, or a million of them, of empty ones.
        n_cells = 0
        for number, row in enumerate(one.iter_rows(values_only=True), start=1):
            n_cells += len(row)
            if number > _MOST_ROWS or n_cells > most_cells:
                raise SpecError(
                    where=f"{path.name}, sheet {one.title}, row {number}", got="a cell far from the others",
                    allowed=f"at most {_MOST_ROWS:,} rows and {most_cells:,} cells, the empty ones between counted",
                    remedy="Copy the table alone into a new sheet.",
                )  # fmt: skip
            yield [cell_text(cell, decimal) for cell in row]

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        names = [one.title for one in book.worksheets if one.sheet_state == "visible"]
        found: dict[str, list[list[str]]] = {}
        for one in book.worksheets:
            if one.title == sheet or (sheet is None and one.title in names):
                # The size that a workbook announces may be too small, and rows beyond it would be lost.
                one.reset_dimensions()
                found[one.title] = list(rows(one))
    finally:
        book.close()
    return names, found


def _check_size(path: Path, size: int, most_bytes: int, words: str = "") -> None:
    if size > most_bytes:
        raise SpecError(
            where=path.name, got=f"more than {most_bytes / 1e6:.0f} MB{words}",
            allowed=f"at most {most_bytes / 1e6:.0f} MB", remedy="Split the file by person.",
        )  # fmt: skip


def read_statistics_file(path: Path, kind: str, *, most_bytes: int, decimal: str) -> pd.DataFrame:
    """The table of a SAS transport, SPSS or Stata file as text, labeled values as their labels.

    Raises SpecError: the library is not installed, the file is damaged or too large.
    """
    table, _ = _read(path, kind, most_bytes)
    return pd.DataFrame({
        str(name): pd.Series([cell_text(cell, decimal) for cell in table[name].tolist()], dtype=str)
        for name in table.columns
    })  # fmt: skip


def read_transport(path: Path) -> tuple[pd.DataFrame, Any]:
    """The table of a SAS transport file as its library gives it, and what the file says of it.

    Raises SpecError: the library is not installed, it is no such file, or it is damaged or cut short.
    """
    kind = "a SAS transport file"
    try:
        with path.open("rb") as file:
            found = kind_of(file.read(64), path)
    except OSError as error:
        raise SpecError(where=path.name, got=error.strerror or str(error), allowed=kind) from None
    if found != kind:
        raise SpecError(where=path.name, got=found or "another kind of file", allowed=kind)
    return _read(path, kind, most_bytes=_MOST_TRANSPORT_BYTES)


_MOST_TRANSPORT_BYTES = 2_000_000_000


def _read(path: Path, kind: str, most_bytes: int) -> tuple[pd.DataFrame, Any]:
    _need(kind, path)
    import pyreadstat

    _check_size(path, path.stat().st_size, most_bytes)
    if not _is_whole(path, kind):
        raise _damaged(path, f"{kind} that was cut short and")
    name = {"a SAS transport file": "read_xport", "an SPSS file": "read_sav", "a Stata file": "read_dta"}[kind]
    options: dict[str, Any] = (
        {"apply_value_formats": True, "formats_as_category": False} if name != "read_xport" else {}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table, about = getattr(pyreadstat, name)(str(path), **options)
            is_cut = name == "read_xport" and _has_part_of_a_row(path, len(table), about)
    # The library raises several kinds for a damaged file, its own and plain ones.
    except Exception:  # noqa: BLE001
        raise _damaged(path, kind) from None
    if is_cut:
        raise _damaged(path, f"{kind} that was cut short and")
    return table, about


def _is_whole(path: Path, kind: str) -> bool:
    """Whether the end is there, where the library would read a file without it and lose rows or labels."""
    size = path.stat().st_size
    if kind == "a SAS transport file":
        return size % 80 == 0
    with path.open("rb") as file:
        if file.read(11) != b"<stata_dta>":
            return True
        file.seek(max(size - 64, 0))
        return b"</stata_dta>" in file.read()


def _has_part_of_a_row(path: Path, n_rows: int, about: Any) -> bool:
    """Whether anything but blanks stands behind the last row of a transport file, which tells no number of rows."""
    content = path.read_bytes()
    begin = content.find(b"HEADER RECORD*******OBS") + 80
    return bool(content[begin + n_rows * sum(about.variable_storage_width.values()) :].strip(b" "))


def cell_text(cell: Any, decimal: str) -> str:
    """A cell as a CSV of this decimal sign would hold it."""
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
        return text.replace(".", ",") if decimal == "comma" else text
    if isinstance(cell, datetime):
        whole = cell.hour == cell.minute == cell.second == cell.microsecond == 0
        return f"{cell:%Y-%m-%d}" if whole else f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell).strip()
