"""A delimited text file as a table of text, read within bounds and never changed."""

import gzip
import io
import tomllib
import warnings
import zlib
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from remission.errors import SpecError

__all__ = ["limit", "read_table", "spreadsheet_safe", "unreadable"]


@cache
def limit(name: str) -> int:
    """A bound of the import, from the library."""
    text = files("remission.library").joinpath("exchange", "limits.toml").read_text("utf-8")
    return int(tomllib.loads(text)[name]["value"])


def unreadable(where: str, got: str, allowed: str, remedy: str = "") -> SpecError:
    """The error of a file that cannot be read at all."""
    return SpecError(where=where, got=got, allowed=allowed, remedy=remedy)


def read_table(path: Path, *, needed: list[str]) -> pd.DataFrame:
    """All cells as text; comma, semicolon or tab between them, whichever shows the needed columns.

    Raises
    ------
    SpecError
        No such file, too large (packed or unpacked), not UTF-8, rows of unequal length, or a needed column missing.
    """
    text = _text(path)
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    try:
        with warnings.catch_warnings():
            # A row longer than the header is only warned of, and its last cells would be lost.
            warnings.simplefilter("error")
            table = pd.read_csv(
                io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False, index_col=False, low_memory=False,
                skip_blank_lines=False,
            )  # fmt: skip
    except (ValueError, Warning, OverflowError) as error:
        raise unreadable(
            path.name, str(error), "a table with equally long rows", "Check delimiter and quotes."
        ) from None
    table.columns = [str(name).strip() for name in table.columns]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise unreadable(
            f"{path.name}, row 1",
            f"no column {', '.join(missing)} among: {', '.join(table.columns)}",
            "the columns that the mapping names, with comma, semicolon or tab between them",
            "Name your columns in a mapping file.",
        )
    # A short row gets missing values, which are no text.
    return table.fillna("").apply(lambda column: column.str.strip())


def _text(path: Path) -> str:
    most = limit("text")
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == b"PK\x03\x04":
            raise unreadable(path.name, "a zip archive", "CSV, or CSV with gzip", "Unpack it and import the CSV.")
        is_packed = start[:2] == b"\x1f\x8b"
        with gzip.open(path, "rb") if is_packed else path.open("rb") as source:
            content = source.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(str(path), getattr(error, "strerror", None) or str(error), "a file that can be read") from None
    if len(content) > most:
        got = f"more than {most / 1e6:.0f} MB{' when unpacked' if is_packed else ''}"
        raise unreadable(path.name, got, f"at most {most / 1e6:.0f} MB", "Split the file by person.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        got = f"a byte 0x{content[error.start]:02x} that is not UTF-8"
        raise unreadable(f"{path.name}, line {line}", got, "UTF-8 text", "Save it again as 'CSV UTF-8'.") from None
    if not text.strip() or "\0" in text:
        raise unreadable(path.name, "an empty or binary file", "a table with a header")
    return text


def spreadsheet_safe(text: str) -> str:
    """The text, with an apostrophe before a sign that a spreadsheet would take for the start of a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
