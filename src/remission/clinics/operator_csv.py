"""The plain CSV of operators: reading with every fault named, and writing what reads back equal."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from remission.clinics.clinic import Clinic, RowFault, echo
from remission.clinics.columns import COLUMNS, REQUIRED, parse_row
from remission.clinics.reading import Lines, Reading, check_faults, read_text
from remission.errors import SpecError, visible
from remission.files import spreadsheet_safe

MAX_ROWS = 100_000
MAX_CELL = 4000


def read_rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV text with the line on which each begins; empty lines are passed over.

    Raises SpecError: broken quotes, too many rows, or a delimiter other than the comma.
    """
    if "\0" in text:
        raise SpecError(where=name, got="a zero byte", allowed="plain text", remedy="Is it really a CSV file?")
    header = text.lstrip("\r\n").partition("\n")[0]
    if "," not in header and any(other in header for other in ";\t|"):
        other = next(other for other in ";\t|" if other in header)
        raise SpecError(
            where=f"{name}, line 1",
            got=f"columns separated by {other!r}",
            allowed="columns separated by commas",
            remedy="Save it again with commas.",
        )
    lines = Lines.of_text(text, name)
    reader = csv.reader(lines, strict=True)
    line, count = 1, 0
    try:
        for cells in reader:
            lines.end_row()
            if cells:
                yield line, cells
                count += 1
            if count > MAX_ROWS + 1:
                raise SpecError(where=name, got=f"more than {MAX_ROWS} rows", allowed=f"at most {MAX_ROWS} rows")
            line = reader.line_num + 1
    except csv.Error as error:
        raise SpecError(
            where=f"{name}, line {line}",
            got=str(error),
            allowed='cells with a comma, quote or line break in "quotes", and quotes doubled',
        ) from None


def read_operator_csv(path: Path, *, today: date) -> Reading:
    """The rows of a CSV in the project's own columns (docs/how-to/load-clinics.md).

    ``path``: UTF-8, header row, commas; at most 50 MB and 100,000 rows. ``today``: day after which a check is in the
    future. Raises SpecError: the file as a whole cannot be read; all missing columns are named.
    """
    rows = read_rows(read_text(path), path.name)
    _, first = next(rows)
    header = [cell.strip().casefold() for cell in first]
    faults = _check_header(header, path.name)
    clinics: list[Clinic] = []
    ids: dict[str, int] = {}
    places: dict[tuple[str, str, str], int] = {}
    n_rows = 0
    for line, cells in rows:
        n_rows += 1
        check_faults(path.name, faults)
        found = _check_shape(header, cells, line)
        if found:
            faults += found
            continue
        clinic, row_faults = parse_row(dict(zip(header, cells, strict=True)), row=line, today=today)
        faults += row_faults
        if clinic is None:
            continue
        if clinic.id in ids:
            reason = f"is already in line {ids[clinic.id]}; each id must be used once"
            faults.append(RowFault(row=line, field="id", reason=reason, got=echo(clinic.id)))
            continue
        ids[clinic.id] = line
        place = (clinic.name.casefold(), clinic.street.casefold(), clinic.postal_code.casefold())
        if place in places:
            reason = f"same name, street and postal code as line {places[place]}"
            faults.append(RowFault(row=line, field="name", reason=reason, got=echo(clinic.name), is_warning=True))
        places.setdefault(place, line)
        clinics.append(clinic)
    return Reading(format="csv", n_rows=n_rows, clinics=tuple(clinics), faults=tuple(faults))


def _check_header(header: list[str], name: str) -> list[RowFault]:
    twice = sorted({column for column in header if header.count(column) > 1 and column in COLUMNS})
    missing = [column for column in REQUIRED if column not in header]
    if not {"phone", "website"} & set(header):
        missing.append("phone or website")
    errors = [
        SpecError(where=f"{name}, line 1", got=f"no column {column}", allowed=f"a column named {visible(column)}")
        for column in missing
    ] + [SpecError(where=f"{name}, line 1", got=f"{column} twice", allowed="each column once") for column in twice]
    if errors:
        raise SpecError.from_faults(errors)
    return [
        RowFault(row=1, field=echo(column), reason="unknown column, ignored", is_warning=True)
        for column in header
        if column not in COLUMNS
    ]


def _check_shape(header: list[str], cells: list[str], line: int) -> list[RowFault]:
    if len(cells) != len(header):
        reason = f"has {len(cells)} cells, the header has {len(header)}; a cell with a comma needs quotes"
        return [RowFault(row=line, field="row", reason=reason, got=echo(",".join(cells)))]
    return [
        RowFault(row=line, field=echo(name), reason=f"has more than {MAX_CELL} characters", got=echo(cell))
        for name, cell in zip(header, cells, strict=True)
        if len(cell) > MAX_CELL
    ]


def write_operator_csv(clinics: Iterable[Clinic]) -> str:
    """Clinics as CSV in the project's own columns; cells that look like formulas begin with an apostrophe.

    Numbers of ``lat`` and ``lon`` stay numbers; positions that are only those of a ZIP area are left out.
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for clinic in clinics:
        cells = clinic.to_dict()
        for name, value in (("lat", clinic.lat_deg), ("lon", clinic.lon_deg)):
            cells[name] = "" if clinic.is_approximate or value is None else f"{value:.6f}"
        cells["ketamine_offered"] = {"self_declared": "yes", "samhsa_survey": "unknown"}.get(
            clinic.ketamine, clinic.ketamine
        )
        writer.writerow(
            [
                cells[name]
                if name in {"lat", "lon"}
                else spreadsheet_safe(";".join(cells[name]) if isinstance(cells[name], list) else str(cells[name]))
                for name in COLUMNS
            ]
        )
    return target.getvalue()
