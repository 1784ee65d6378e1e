"""What was read from a file: good rows, faults, and what to say about the source."""

import re
from collections.abc import Iterable, Iterator, Sized
from datetime import date
from pathlib import Path
from typing import BinaryIO, Literal

from remission.clinics.clinic import Clinic, RowFault
from remission.errors import SpecError
from remission.records.base import Record

__all__ = ["MAX_FAULTS", "Lines", "Reading", "check_faults", "is_zip", "read_text"]

MAX_BYTES = 50_000_000
"""Largest file that is read as a whole; NPPES files are streamed instead."""
MAX_FAULTS = 100_000
"""Most faults that are kept; with more it is another kind of file."""
_MAX_RECORD = 1_000_000
"""Longest row, quoted line breaks included. The widest real one, of NPPES, has 330 short cells."""


class Reading(Record):
    """Rows of one file.

    ``n_rows``: rows in the file, good or not.
    ``faults``: in the order of the file; warnings keep their row, all others leave it out.
    ``gone``: ids of rows that the file declares closed.
    ``notes``, ``source_date``: sentences on what the file can and cannot tell, and the day of the file.
    ``cautions``: what was not understood though no row is bad.
    """

    format: Literal["csv", "findtreatment", "nppes"]
    n_rows: int
    clinics: tuple[Clinic, ...]
    faults: tuple[RowFault, ...] = ()
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    source_date: date | None = None

    @property
    def errors(self) -> tuple[RowFault, ...]:
        """Faults that leave their row out."""
        return tuple(fault for fault in self.faults if not fault.is_warning)

    @property
    def n_bad(self) -> int:
        """Rows left out because of a fault."""
        return len({fault.row for fault in self.errors})


def check_faults(name: str, faults: Sized) -> None:
    """Refuse a file with so many faults that listing them would fill the memory."""
    if len(faults) > MAX_FAULTS:
        raise SpecError(
            where=name,
            got=f"more than {MAX_FAULTS} faults",
            allowed="a file of clinics",
            remedy="Look at its first rows: is it the file you meant, with the columns in their places?",
        )


class Lines:
    """Lines for the CSV reader, which would gather one row of any length in memory: a longer one is refused.

    ``lines``: lines with their ends; no one longer than what a row may have. ``name``: the file, for the message.
    """

    def __init__(self, lines: Iterable[str], name: str) -> None:
        self._lines = iter(lines)
        self._name = name
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._size += len(line)
        if self._size > _MAX_RECORD:
            raise too_long(self._name)
        return line

    def end_row(self) -> None:
        """A row is complete: the next one begins."""
        self._size = 0

    @classmethod
    def of_text(cls, text: str, name: str) -> "Lines":
        """The lines of a text, without a second copy of it."""
        return cls((found[0] for found in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)), name)

    @classmethod
    def of_file(cls, file: BinaryIO, name: str) -> "Lines":
        """The lines of a file in UTF-8; at no time more than one row of it is in memory."""

        def read() -> Iterator[str]:
            encoding = "utf-8-sig"
            while line := file.readline(_MAX_RECORD + 1):
                if len(line) > _MAX_RECORD:
                    raise too_long(name)
                yield line.decode(encoding, "replace")
                encoding = "utf-8"

        return cls(read(), name)


def too_long(name: str) -> SpecError:
    """The error of a row without an end."""
    return SpecError(
        where=name,
        got=f"a row of more than {_MAX_RECORD} characters",
        allowed="a file of rows with line breaks between them",
        remedy="Is it another kind of file, or does a quote stay open?",
    )


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Raises SpecError: larger than 50 MB, or not UTF-8 (the message says where).
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SpecError(
            where=path.name,
            got=f"{size / 1e6:.0f} MB",
            allowed="at most 50 MB",
            remedy="Split the file, or load an NPPES file with --format nppes.",
        )
    content = path.read_bytes()
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise SpecError(
            where=path.name,
            got="UTF-16 text",
            allowed="UTF-8 text",
            remedy="Save it again as 'CSV UTF-8' and load that.",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SpecError(
            where=f"{path.name}, line {line}",
            got=f"a byte 0x{content[error.start]:02x} that is not UTF-8",
            allowed="UTF-8 text",
            remedy="Save it again as 'CSV UTF-8' and load that.",
        ) from None
    if not text.strip():
        raise SpecError(where=path.name, got="an empty file", allowed="a file with rows")
    return text
