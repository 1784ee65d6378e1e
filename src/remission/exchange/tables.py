"""A table of text from a file, read within bounds and never changed.

Of what a file holds no message repeats more than the cell that is at fault.
"""

import codecs
import csv
import gzip
import io
import re
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from remission.errors import SpecError, nearest_names
from remission.exchange.dataset import Dataset, is_dataset_json, read_dataset_json
from remission.exchange.formats import READ_BY, cell_text, kind_of, read_statistics_file, read_workbook, refusal
from remission.files import refuse_pipes
from remission.records.packaged import packaged_toml

if TYPE_CHECKING:
    from remission.exchange.cells import Cells

_DELIMITERS = ",;\t|"
_PREAMBLE_LINES = 50
_LIKE_A_NAME = re.compile(r"[^\W\d][\w .()/:?-]{0,59}")
_BINARY = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


def limit(name: str) -> int:
    """A bound of the import, from the library."""
    return int(packaged_toml("exchange", "limits.toml")[name]["value"])


def unreadable(where: str, got: str, allowed: str, remedy: str = "") -> SpecError:
    """The error of a file that cannot be read at all."""
    return SpecError(where=where, got=got, allowed=allowed, remedy=remedy)


@dataclass(frozen=True)
class Table:
    """Cells of a file as text.

    cells
        One column of text for each column of the file.
    first_row
        Row of the file in which the first of them stands.
    repeated
        Names that several columns have; only the first of them is in ``cells`` under its name.
    is_typed
        The file keeps numbers and dates as such.
    """

    cells: pd.DataFrame
    first_row: int
    repeated: frozenset[str] = frozenset()
    is_typed: bool = False


def read_table(path: Path, *, needed: list[str]) -> pd.DataFrame:
    """The cells of :func:`read_source`."""
    return read_source(path, needed=needed).cells


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet files do; what is no file is refused."""
    refuse_pipes(path, allowed="a file with a table")
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


def read_source(
    path: Path,
    *,
    needed: list[str],
    encoding: str | None = None,
    decimal: Literal["point", "comma"] = "point",
    sheet: str | None = None,
) -> Table:
    """All cells as text; comma, semicolon, tab or bar between them, whichever shows the needed columns.

    Lines before the header are passed over: the header is the first line that has all needed columns.

    ``needed``: columns that must be there. ``encoding``: of a text file; UTF-8, or UTF-16 with its mark, when left out.
    ``decimal``: sign with which numbers of a workbook are written out, as the mapping will read them. ``sheet``: the
    sheet of a workbook; without it the only one that shows the needed columns.
    Raises SpecError: no such file, a kind that is not read, too large (packed or unpacked), not in its encoding, rows
    of unequal length, a needed column missing or there twice.
    """
    start, is_packed = _start(path)
    kind = kind_of(start, path)
    if kind is not None and (is_packed or kind not in READ_BY):
        raise refusal(path, "a packed file" if is_packed and kind in READ_BY else kind)
    if kind == "an Excel workbook":
        found = _sheet(path, needed=needed, sheet=sheet, decimal=decimal)
    elif kind is not None:
        cells = read_statistics_file(path, kind, most_bytes=limit("text"), decimal=decimal)
        cells.columns = [str(name).strip() for name in cells.columns]
        _check_columns(path, list(cells.columns), needed, row=1)
        found = Table(cells, first_row=2, is_typed=True)
    elif is_dataset_json(path):
        cells = table_of(read_dataset_json(path), decimal)
        _check_columns(path, list(cells.columns), needed, row=1)
        found = Table(cells, first_row=2, is_typed=True)
    else:
        found = _delimited(path, _text(path, encoding), needed)
    twice = [name for name in needed if name in found.repeated]
    if twice:
        raise unreadable(f"{path.name}, row {found.first_row - 1}", f"the column {twice[0]} twice", "each column once")
    return found


def table_of(data: Dataset, decimal: str = "point") -> pd.DataFrame:
    """The cells of a CDISC data set as text."""
    return pd.DataFrame(
        {name: pd.Series([cell_text(cell, decimal) for cell in data[name]], dtype=str) for name in data.names}
    )


def _delimited(path: Path, text: str, needed: list[str]) -> Table:
    skipped, delimiter, names = _header(text, needed)
    if skipped:
        text = text.split("\n", skipped)[skipped]
    _check_columns(path, names, needed, row=skipped + 1)
    try:
        with warnings.catch_warnings():
            # A row longer than the header is only warned of, and its last cells would be lost.
            warnings.simplefilter("error")
            table = pd.read_csv(
                io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False, index_col=False, low_memory=False,
                skip_blank_lines=False,
            )  # fmt: skip
    except (ValueError, Warning, OverflowError) as error:
        line = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        got = (
            f"{line[3]} cells in row {int(line[2]) + skipped} under {line[1]} columns" if line
            else "rows that cannot be told apart"
        )  # fmt: skip
        raise unreadable(
            path.name, got, "a table with equally long rows",
            "Check delimiter and quotes; a cell with a comma in it needs quotes, or semicolons between cells.",
        ) from None  # fmt: skip
    repeated: frozenset[str] = frozenset()
    if len(names) == len(table.columns):
        repeated = frozenset(name for name in names if name and names.count(name) > 1)
    table.columns = [str(name).strip() for name in table.columns]
    _check_columns(path, [str(name) for name in table.columns], needed, row=skipped + 1)
    # A short row gets missing values, which are no text.
    table = table.fillna("").apply(lambda column: column.str.strip())
    return Table(table, first_row=skipped + 2, repeated=repeated)


def _header(text: str, needed: list[str]) -> tuple[int, str, list[str]]:
    """How many lines stand before the header, the sign between its cells, and its cells."""
    first = text.split("\n", 1)[0]
    usual = max(_DELIMITERS, key=first.count)
    names = _split(first, usual)
    if not set(needed) <= set(names):
        for number, line in enumerate(text.split("\n", _PREAMBLE_LINES)[:_PREAMBLE_LINES]):
            for delimiter in _DELIMITERS:
                cells = _split(line, delimiter)
                if needed and set(needed) <= set(cells):
                    return number, delimiter, cells
    return 0, usual, names


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _check_columns(path: Path, names: list[str], needed: list[str], *, row: int) -> None:
    missing = [name for name in needed if name not in names]
    if not missing:
        return
    # A first line of data would tell who people are.
    like_names = [name for name in names if _LIKE_A_NAME.fullmatch(name) and not name.startswith("Unnamed: ")]
    is_header = len(like_names) > len(names) / 2
    shown = ", ".join(like_names[:30]) if is_header else "cells that are no names of columns"
    near = nearest_names(missing[0], like_names, count=1) if is_header else []
    raise unreadable(
        f"{path.name}, row {row}",
        f"no column {', '.join(missing)} among: {shown}",
        "the columns that the mapping names, with comma, semicolon or tab between them",
        "Name your columns in a mapping file." + (f" Nearest to {missing[0]}: {near[0]}." if near else ""),
    )


def _sheet(path: Path, *, needed: list[str], sheet: str | None, decimal: str) -> Table:
    """The sheet that shows the needed columns, below the lines before its header."""
    sheets = read_workbook(
        path, most_bytes=limit("text"), most_cells=limit("sheet_cells"), sheet=sheet, decimal=decimal
    )
    fits: dict[str, int] = {}
    for name, rows in sheets.items():
        for number, row in enumerate(rows[:_PREAMBLE_LINES]):
            if set(needed) <= set(row) and any(row):
                fits[name] = number
                break
    if len(fits) > 1:
        raise unreadable(
            path.name, f"{len(fits)} sheets with these columns: {', '.join(fits)}", "one sheet",
            "Name it in the mapping file with sheet.",
        )  # fmt: skip
    if not fits:
        filled = [row for rows in sheets.values() for row in rows if any(row)]
        if not filled:
            raise unreadable(path.name, "an empty workbook", "a table with a header")
        _check_columns(path, filled[0], needed, row=1)
        raise unreadable(path.name, "no header in the first rows", "a table with a header")
    ((name, number),) = fits.items()
    header, rows = sheets[name][number], sheets[name][number + 1 :]
    width = max((place + 1 for place, cell in enumerate(header) if cell), default=0)
    for place, row in enumerate(rows):
        if any(row[width:]):
            raise unreadable(f"{path.name}, row {number + place + 2}", "a cell beyond the header", "cells under names")
    while rows and not any(rows[-1]):
        rows.pop()
    names = [cell or f"Unnamed: {place}" for place, cell in enumerate(header[:width])]
    repeated = frozenset(cell for cell in names if names.count(cell) > 1)
    named = [cell if names.index(cell) == place else f"{cell}.{place}" for place, cell in enumerate(names)]
    filled = [[*row[:width], *[""] * (width - len(row))] for row in rows]
    cells = pd.DataFrame(filled, columns=named, dtype=str)
    return Table(cells.fillna(""), first_row=number + 2, repeated=repeated, is_typed=True)


def _start(path: Path) -> tuple[bytes, bool]:
    """The first bytes, unpacked, and whether they were packed."""
    refuse_pipes(path, allowed="a file with a table")
    try:
        with path.open("rb") as file:
            start = file.read(64)
        if start[:2] != b"\x1f\x8b":
            return start, False
        with gzip.open(path, "rb") as source:
            return source.read(64), True
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(str(path), getattr(error, "strerror", None) or str(error), "a file that can be read") from None


def _text(path: Path, encoding: str | None) -> str:
    most = limit("text")
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if is_packed else path.open("rb") as source:
            content = source.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(str(path), getattr(error, "strerror", None) or str(error), "a file that can be read") from None
    if len(content) > most:
        got = f"more than {most / 1e6:.0f} MB{' when unpacked' if is_packed else ''}"
        raise unreadable(path.name, got, f"at most {most / 1e6:.0f} MB", "Split the file by person.")
    text = _decoded(path, content, encoding)
    if not text.strip() or _BINARY.search(text):
        raise unreadable(path.name, "an empty or binary file", "a table with a header", "Export the table as CSV.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(path: Path, content: bytes, encoding: str | None) -> str:
    is_wide = content[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    try:
        codec = codecs.lookup(encoding or ("utf-16" if is_wide else "utf-8-sig")).name
        return content.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError as error:
        if b"\0" in content[:4096] and not is_wide:
            raise unreadable(path.name, "a binary file", "a table with a header", "Export the table as CSV.") from None
        line = content[: error.start].count(b"\n") + 1
        got = f"a byte 0x{content[error.start]:02x} that is not {encoding or 'UTF-8'}"
        raise unreadable(
            f"{path.name}, line {line}", got, "UTF-8 text",
            "Save it again as 'CSV UTF-8', or name its encoding in the mapping file, as encoding: cp1252.",
        ) from None  # fmt: skip
    except (LookupError, ValueError):
        raise SpecError(
            where="mapping, encoding",
            got=encoding or "UTF-16",
            allowed="an encoding of text, as UTF-8, cp1252, latin-1",
        ) from None


def plain(cells: "Cells") -> "Cells":
    """Cells without the apostrophe that :func:`~remission.files.spreadsheet_safe` puts before a formula sign."""
    if not cells.str.startswith("'").any():
        return cells
    return cells.str.replace(r"^'(?=[=+@-])", "", regex=True)
