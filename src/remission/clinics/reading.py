"""What was read from a file: good rows, faults, and what to say about the source."""

from datetime import date
from pathlib import Path
from typing import Literal

from remission.clinics.clinic import Clinic, RowFault
from remission.errors import SpecError
from remission.records.base import Record

__all__ = ["Reading", "cannot_read", "is_zip", "read_text"]

MAX_BYTES = 50_000_000
"""Largest file that is read as a whole; NPPES files are streamed instead."""


class Reading(Record):
    """Rows of one file.

    n_rows
        Rows in the file, good or not.
    faults
        In the order of the file; warnings keep their row, all others leave it out.
    gone
        Ids of rows that the file declares closed.
    notes, source_date
        Sentences on what the file can and cannot tell, and the day of the file.
    """

    format: Literal["csv", "findtreatment", "nppes"]
    n_rows: int
    clinics: tuple[Clinic, ...]
    faults: tuple[RowFault, ...] = ()
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source_date: date | None = None

    @property
    def errors(self) -> tuple[RowFault, ...]:
        """Faults that leave their row out."""
        return tuple(fault for fault in self.faults if not fault.is_warning)

    @property
    def n_bad(self) -> int:
        """Rows left out because of a fault."""
        return len({fault.row for fault in self.errors})


def cannot_read(name: str, *, got: str, allowed: str, remedy: str = "") -> SpecError:
    """The error of a file that cannot be read at all."""
    return SpecError(where=name, got=got, allowed=allowed, remedy=remedy)


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Raises
    ------
    SpecError
        Larger than 50 MB, or not UTF-8 (the message says where).
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise cannot_read(
            path.name,
            got=f"{size / 1e6:.0f} MB",
            allowed="at most 50 MB",
            remedy="Split the file, or load an NPPES file with --format nppes.",
        )
    content = path.read_bytes()
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise cannot_read(
            path.name, got="UTF-16 text", allowed="UTF-8 text", remedy="Save it again as 'CSV UTF-8' and load that."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise cannot_read(
            f"{path.name}, line {line}",
            got=f"a byte 0x{content[error.start]:02x} that is not UTF-8",
            allowed="UTF-8 text",
            remedy="Save it again as 'CSV UTF-8' and load that.",
        ) from None
    if not text.strip():
        raise cannot_read(path.name, got="an empty file", allowed="a file with rows")
    return text
