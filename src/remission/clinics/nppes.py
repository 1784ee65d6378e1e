"""The NPI registry (NPPES): organizations in addiction care out of a CSV or zip of any size, row by row.

An NPI proves neither license nor quality nor that a place is open. Nothing about ketamine is read from it.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import ValidationError

from remission.clinics.clinic import Clinic, RowFault, echo
from remission.clinics.columns import is_npi
from remission.clinics.geography import restored_zip, zip5_of
from remission.clinics.operator_csv import MAX_ROWS
from remission.clinics.places import postal_spot, states_by_prefix
from remission.clinics.reading import Lines, Reading, check_faults, is_zip
from remission.clinics.samhsa import load_codes
from remission.clinics.states import find_state
from remission.errors import SpecError

CAVEAT = (
    "An NPI is an enumeration number. These entries are self-reported; they prove neither license, accreditation, "
    "quality nor that the place is open. Positions are approximate (ZIP area)."
)
# The largest real file is about 10 GB in a zip of 1 GB; a bomb is far denser.
_MAX_UNPACKED = 40_000_000_000
_MAX_RATIO = 200
_MAX_DIRECTORY = 1_000_000


def read_nppes(path: Path, *, source_date: date, with_people: bool = False) -> Reading:
    """Organizations for substance use treatment of an NPPES file; memory holds only the rows kept.

    ``path``: the CSV, or the zip with it inside. ``source_date``: day of the file. ``with_people``: whether individual
    people are kept too; their address may be a home. Raises SpecError: columns are missing (all are named), the zip is
    damaged or no zip of NPPES, or more rows fit than are kept.
    """
    faults: list[RowFault] = []
    clinics: dict[str, Clinic] = {}
    gone: set[int] = set()
    n_rows = 0
    with _open(path) as file:
        for line, row in _rows(file, path.name):
            n_rows += 1
            if not is_npi(row["npi"]):
                faults.append(RowFault(row=line, field="NPI", reason="must pass the NPI check", got=echo(row["npi"])))
                check_faults(path.name, faults)
                continue
            if _is_closed(row):
                # Kept as numbers: a full file declares hundreds of thousands.
                gone.add(int(row["npi"]))
                clinics.pop(row["npi"], None)
                continue
            label, care = _match(row, with_people=with_people)
            if not label:
                continue
            found = _clinic(row, label, care, source_date, line)
            if isinstance(found, RowFault):
                faults.append(found)
            else:
                clinics[row["npi"]] = found
                gone.discard(int(row["npi"]))
            if len(clinics) > MAX_ROWS:
                raise SpecError(
                    where=path.name, got=f"more than {MAX_ROWS} rows that fit", allowed=f"at most {MAX_ROWS}"
                )
    return Reading(
        format="nppes",
        n_rows=n_rows,
        clinics=tuple(clinics.values()),
        faults=tuple(faults),
        gone=tuple(f"npi-{npi}" for npi in sorted(gone)),
        notes=(f"Source: NPPES (CMS), file dated {source_date.isoformat()}.", CAVEAT),
        source_date=source_date,
    )


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    if not is_zip(path):
        with path.open("rb") as file:
            yield file
        return
    try:
        with _Shy(path) as whole, zipfile.ZipFile(whole) as archive:
            names = [item.filename for item in archive.infolist()]
            if "[Content_Types].xml" in names:
                raise SpecError(
                    where=path.name,
                    got="a spreadsheet",
                    allowed="CSV",
                    remedy="Open it, choose 'Save as', then 'CSV UTF-8', and load that file.",
                )
            main = [
                item
                for item in archive.infolist()
                if item.filename.rpartition("/")[2].startswith("npidata_pfile")
                and item.filename.endswith(".csv")
                and "fileheader" not in item.filename.casefold()
            ]
            if len(main) != 1:
                raise SpecError(
                    where=path.name, got=f"{len(main)} such files", allowed="a zip with one npidata_pfile*.csv"
                )
            item = main[0]
            if item.file_size > _MAX_UNPACKED or item.file_size > _MAX_RATIO * max(item.compress_size, 1):
                raise SpecError(
                    where=f"{path.name}: {item.filename}",
                    got=f"{item.compress_size} bytes that unpack to {item.file_size}",
                    allowed=f"at most {_MAX_RATIO} times as large unpacked",
                    remedy="This looks like a zip bomb. Take the file from CMS again.",
                )
            if item.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                # The others unpack as much as they like at once.
                raise SpecError(
                    where=f"{path.name}: {item.filename}",
                    got=f"compression {item.compress_type}",
                    allowed="store or deflate",
                )
            with archive.open(item) as member:
                # Reading a line of limited length is quick only through a buffer.
                yield io.BufferedReader(cast(io.BufferedIOBase, member), 1_000_000)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise SpecError(where=path.name, got=str(error)[:80], allowed="a whole zip file of NPPES") from None


class _Shy(io.BufferedReader):
    """A file that gives no more than some megabytes at once: a zip's list of members is read in one piece."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._name = path.name

    def read(self, size: int | None = -1, /) -> bytes:
        """As of a file, but a whole list of members larger than any real one is refused."""
        found = super().read(_MAX_DIRECTORY + 1 if size is None or size < 0 else min(size, _MAX_DIRECTORY + 1))
        if len(found) > _MAX_DIRECTORY:
            raise SpecError(
                where=self._name,
                got="a zip with tens of thousands of members",
                allowed="a zip with one npidata_pfile*.csv and the few files beside it",
                remedy="This looks like a zip bomb. Take the file from CMS again.",
            )
        return found


def _rows(file: BinaryIO, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    lines = Lines.of_file(file, name)
    reader = csv.reader(lines, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        columns = _columns()
        missing = [column for column in columns.values() if column not in header]
        if missing:
            raise SpecError(
                where=f"{name}, line 1",
                got=f"no column {', '.join(missing[:5])}{' and others' if len(missing) > 5 else ''}",
                allowed=f"the {len(columns)} columns that are read, by their exact names",
                remedy="Load npidata_pfile_*.csv, not one of the smaller files beside it.",
            )
        places = {field: header.index(column) for field, column in columns.items()}
        lines.end_row()
        for cells in reader:
            lines.end_row()
            if len(cells) == len(header):
                yield reader.line_num, {field: cells[place].strip() for field, place in places.items()}
            elif cells:
                yield reader.line_num, {**dict.fromkeys(places, ""), "npi": ",".join(cells)[:100]}
    except csv.Error as error:
        raise SpecError(
            where=f"{name}, line {reader.line_num}", got=str(error), allowed="CSV with all cells quoted"
        ) from None


@cache
def _columns() -> dict[str, str]:
    """Columns of the file that are read, by our names."""
    slots = {f"code{slot}": f"Healthcare Provider Taxonomy Code_{slot}" for slot in range(1, 16)}
    return {**load_codes()["nppes"], **slots}


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        return None


def _is_closed(row: Mapping[str, str]) -> bool:
    if row["replacement"] and row["replacement"] != row["npi"]:
        return True
    off, on = _day(row["deactivated"]), _day(row["reactivated"])
    return bool(row["deactivated"]) and (off is None or on is None or on < off)


def _match(row: Mapping[str, str], *, with_people: bool) -> tuple[str, str]:
    """Our label and type of care for the first code that fits, in any of the 15 slots."""
    codes = [row[f"code{slot}"] for slot in range(1, 16) if row[f"code{slot}"]]
    if row["entity"] == "2":
        table = load_codes()["taxonomy"]
        return next(((table[code]["label"], table[code]["care"]) for code in codes if code in table), ("", ""))
    if row["entity"] == "1" and with_people:
        people = load_codes()["people"]
        return next(((people[code], "outpatient") for code in codes if code in people), ("", ""))
    return "", ""


def _clinic(row: Mapping[str, str], label: str, care: str, source_date: date, line: int) -> Clinic | RowFault:
    state = find_state(row["state"])
    postal = restored_zip(row["postal"], states_by_prefix(), state) or row["postal"]
    if len(postal) == 9 and postal.isdigit():
        postal = f"{postal[:5]}-{postal[5:]}"
    if row["country"] not in {"", "US"} or state is None or zip5_of(postal) is None:
        return RowFault(row=line, field="postal code", reason="is not in the United States", got=echo(postal))
    if len(row["phone"]) > 60:
        return RowFault(row=line, field="phone", reason="must have at most 60 characters", got=echo(row["phone"]))
    spot = postal_spot(postal)
    is_person = row["entity"] == "1"
    name = f"{row['first']} {row['last']}".strip() if is_person else row["other_name"] or row["name"]
    try:
        return Clinic(
            id=f"npi-{row['npi']}",
            dataset="nppes",
            name=name,
            country="US",
            street=", ".join(part for part in (row["street1"], row["street2"]) if part),
            city=row["city"],
            region=state,
            postal_code=postal,
            lat_deg=None if spot is None else spot.lat_deg,
            lon_deg=None if spot is None else spot.lon_deg,
            is_approximate=spot is not None,
            phone=row["phone"],
            care_types=(care,),
            services=(f"Listed as: {label}",),
            npi=row["npi"],
            is_person=is_person,
            last_verified=source_date,
            source=f"NPPES (CMS), file dated {source_date.isoformat()}",
        )
    except ValidationError as error:
        first = error.errors()[0]
        return RowFault(row=line, field=str(first["loc"][0]), reason=first["msg"], got=echo(first["input"]))
