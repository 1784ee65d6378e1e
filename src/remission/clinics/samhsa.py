"""FindTreatment.gov: the JSON export (one page, several, or a bare list) and the site's CSV download.

A voluntary yearly survey: what a place told SAMHSA. Ketamine is ``samhsa_survey`` where the text names it, else
unknown.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from remission.clinics.clinic import CARE_TYPES, Clinic, RowFault, echo
from remission.clinics.columns import is_web_address
from remission.clinics.geography import restored_zip, zip5_of
from remission.clinics.operator_csv import MAX_CELL, MAX_ROWS, read_rows
from remission.clinics.places import folded, postal_spot, states_by_prefix
from remission.clinics.reading import Reading, check_faults, read_text
from remission.clinics.states import find_state
from remission.errors import SpecError
from remission.records.packaged import packaged_toml

CREDIT = (
    "A voluntary yearly survey: places report themselves, many are missing, and no row has a date of its own. "
    "No endorsement is implied."
)
_GROUPS = ("care", "medications", "payment", "languages")
_MAX_MERGED = 40
_MAX_PARTS = 4_000_000
"""Most objects and lists of a JSON text; a hundred thousand places with all their services have fewer."""
_YES = {"1", "1.0", "y", "yes", "true", "x"}
_CODE = re.compile(r"[A-Z][A-Z0-9]{0,5}")
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{0,20})?")
_LENGTHS = dict.fromkeys(("name1", "name2", "name3", "street1", "street2"), 200) | {"city": 120, "website": 2000}
_LENGTHS |= dict.fromkeys(("phone", "intake1", "hotline1"), 60)
_LONGEST_NUMBER = 40
_BEYOND = "beyond the header"


def is_findtreatment(header: Iterable[str]) -> bool:
    """Whether column names are those of a file of the site, of any year."""
    return {"name1", "city", "state", "zip"} <= {_field_names().get(name.strip().casefold(), "") for name in header}


def load_codes() -> Mapping[str, Any]:
    """The code tables of the library."""
    return packaged_toml("clinics", "codes.toml")


@cache
def _field_names() -> Mapping[str, str]:
    """Our names by the site's columns of any year, in lower case."""
    return {alias: field for field, aliases in load_codes()["columns"].items() for alias in aliases}


def read_findtreatment(path: Path, *, source_date: date) -> Reading:
    """Places of a FindTreatment.gov export, JSON or CSV, one for each site.

    ``path``: at most 50 MB. ``source_date``: day of the file, which stands for the day of every row. Raises SpecError:
    it is neither kind of file.
    """
    text = read_text(path)
    is_json = text.lstrip()[:1] in "[{"
    pages: list[Mapping[str, Any]] = []
    rows = _json_rows(text, path.name, pages) if is_json else _csv_rows(text, path.name)
    unread = () if is_json else _unread_columns(text, path.name)
    faults: list[RowFault] = []
    sites: dict[tuple[str, str, str], dict[str, Any]] = {}
    n_rows = 0
    for line, row in rows:
        n_rows += 1
        check_faults(path.name, faults)
        fields = _fields(row, line, faults)
        if fields is None:
            continue
        key = (_plain(fields["name"]), _plain(fields["street"]), fields["postal_code"][:5])
        if key in sites:
            _merge(sites[key], fields)
        else:
            sites[key] = {**fields, "id": "samhsa-" + hashlib.sha256("|".join(key).encode()).hexdigest()[:20]}
    source = f"SAMHSA FindTreatment.gov, file dated {source_date.isoformat()}"
    clinics = []
    for fields in sites.values():
        line = fields.pop("line")
        try:
            clinics.append(
                Clinic.model_validate({**fields, "dataset": "samhsa", "source": source, "last_verified": source_date})
            )
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0]) if first["loc"] else "row"
            faults.append(RowFault(row=line, field=field, reason=first["msg"], got=echo(first["input"])))
    faults.sort(key=lambda fault: fault.row)
    return Reading(
        format="findtreatment",
        n_rows=n_rows,
        clinics=tuple(clinics),
        faults=tuple(faults),
        notes=(f"Source: {source}.", CREDIT),
        cautions=tuple(_cautions(clinics, unread, pages)),
        source_date=source_date,
    )


def _cautions(clinics: list[Clinic], unread: tuple[str, ...], pages: list[Mapping[str, Any]]) -> Iterator[str]:
    """What a reader of the list would miss though no row is bad."""
    silent = sum(not (one.care_types or one.medications or one.payment) for one in clinics)
    if silent:
        yield (
            f"Caution: of {silent} of {len(clinics)} places nothing about care, medicines or payment was understood; "
            "filters will not find them."
        )
    if silent and unread:
        yield f"Columns that were not understood: {', '.join(echo(name) for name in unread[:12])}" + (
            f" and {len(unread) - 12} more." if len(unread) > 12 else "."
        )
    for page in pages:
        total, count = page.get("totalPages"), page.get("recordCount")
        if isinstance(total, int) and isinstance(count, int) and total > len(pages) and count > len(clinics):
            yield f"Caution: this is {len(pages)} of {total} pages; the whole list has {count} rows."
            break


def _unread_columns(text: str, name: str) -> tuple[str, ...]:
    """Columns that are neither a place's address nor a service that is known."""
    _, header = next(read_rows(text, name))
    known = {code.casefold() for group in _GROUPS for code in load_codes()["samhsa"][group]}
    return tuple(
        column.strip()
        for column in header
        if column.strip()
        and column.strip().casefold() not in {*_field_names(), *known}
        and "ketamine" not in column.casefold()
    )


def _json_rows(text: str, name: str, pages: list[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if text.count("{") + text.count("[") > _MAX_PARTS:
        raise SpecError(where=name, got="JSON of millions of parts", allowed=f"at most {MAX_ROWS} places")
    # A number of thousands of digits stays text, so that the rule of its column refuses it where it stands.
    decoder = json.JSONDecoder(
        parse_int=lambda digits: digits if len(digits) > _LONGEST_NUMBER else int(digits),
        parse_float=lambda digits: digits if len(digits) > _LONGEST_NUMBER else float(digits),
    )
    place, row_number = 0, 0
    while place < len(text):
        if text[place] in " \t\r\n,":
            place += 1
            continue
        try:
            page, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise SpecError(
                where=name, got=f"broken JSON: {str(error)[:60]}", allowed="pages of a FindTreatment.gov export"
            ) from None
        parts = page if isinstance(page, list) else [page]
        for part in parts:
            rows = part.get("rows") if isinstance(part, dict) and "rows" in part else [part]
            if isinstance(part, dict) and "rows" in part:
                pages.append({key: value for key, value in part.items() if key != "rows"})
            if not isinstance(rows, list) or (isinstance(part, dict) and not {"rows", "name1"} & set(part)):
                raise SpecError(
                    where=name, got="JSON without rows", allowed="an object with rows, or a list of rows with name1"
                )
            for row in rows:
                row_number += 1
                if row_number > MAX_ROWS:
                    raise SpecError(where=name, got=f"more than {MAX_ROWS} rows", allowed=f"at most {MAX_ROWS} rows")
                yield row_number, row if isinstance(row, dict) else {}


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    rows = read_rows(text, name)
    _, first = next(rows)
    header = [_field_names().get(cell.strip().casefold(), cell.strip()) for cell in first]
    missing = [column for column in ("name1", "city", "state", "zip") if column not in header]
    if missing:
        raise SpecError(
            where=f"{name}, line 1", got=f"no {', '.join(missing)}", allowed="the columns of the site's file"
        )
    for line, cells in rows:
        yield line, dict(zip(header, cells, strict=False)) | {_BEYOND: "; ".join(cells[len(header) :]).strip("; ")}


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    return "" if value is None or isinstance(value, dict | list) else " ".join(str(value).split())


def _fields(row: Mapping[str, Any], line: int, faults: list[RowFault]) -> dict[str, Any] | None:
    before = len(faults)

    def fault(field: str, reason: str, *, is_warning: bool = False) -> None:
        faults.append(RowFault(row=line, field=field, reason=reason, got=echo(row.get(field)), is_warning=is_warning))

    name = ", ".join(part for part in (_text(row, "name1"), _text(row, "name2"), _text(row, "name3")) if part)
    state, postal_code = find_state(_text(row, "state")), re.sub(r"\.0+$", "", _text(row, "zip"))
    restored = restored_zip(postal_code, states_by_prefix(), state)
    if restored is not None:
        fault("zip", f"leading zeros were lost (a spreadsheet does that); read as {restored}", is_warning=True)
        postal_code = restored
    for field, reason in _errors(row, state, postal_code):
        fault(field, reason)
    if any(not one.is_warning for one in faults[before:]):
        return None
    website = _text(row, "website")
    if website and "://" not in website:
        website = f"https://{website}"
    if website and not is_web_address(website):
        fault("website", "is no web address, left out", is_warning=True)
        website = ""
    phone = _text(row, "phone") or _text(row, "intake1") or _text(row, "hotline1")
    if phone and re.search(r"[0-9]", phone) is None:
        fault("phone", "is no telephone number, left out", is_warning=True)
        phone = ""
    point = _point(row)
    if point is None and (_text(row, "latitude") or _text(row, "longitude")):
        fault("latitude", "is no position on land, the ZIP area is used", is_warning=True)
    spot = postal_spot(postal_code) if point is None else None
    groups, services = _services(row)
    kind = _text(row, "typeFacility") or _text(row, "type_facility")
    is_ketamine = any("ketamine" in service.casefold() for service in services)
    return {
        "line": line,
        "name": name[:200],
        "country": "US",
        "street": ", ".join(part for part in (_text(row, "street1"), _text(row, "street2")) if part)[:200],
        "city": _text(row, "city"),
        "region": state,
        "postal_code": postal_code,
        "lat_deg": point[0] if point else spot.lat_deg if spot else None,
        "lon_deg": point[1] if point else spot.lon_deg if spot else None,
        "is_approximate": spot is not None,
        "phone": phone,
        "website": website,
        "care_types": tuple(word for word in CARE_TYPES if word in groups["care"]),
        "medications": tuple(groups["medications"]),
        "payment": tuple(groups["payment"]),
        "languages": tuple(groups["languages"]),
        "ketamine": "samhsa_survey" if is_ketamine else "unknown",
        "services": tuple(services),
        "is_person": kind.upper() in {"BUPREN", "BUPRENORPHINE", "PRACTITIONER"} or _is_practitioner(row),
    }


def _errors(row: Mapping[str, Any], state: str | None, postal_code: str) -> Iterator[tuple[str, str]]:
    """Fields that make a row useless, and what is expected of each."""
    for field in ("name1", "city"):
        if not _text(row, field):
            yield field, "must not be empty"
    if state is None:
        yield "state", "must be a US state or territory"
    if zip5_of(postal_code) is None:
        yield "zip", "must be a ZIP code of five digits, or one whose lost zeros the state tells"
    if row.get(_BEYOND):
        yield _BEYOND, "must be empty: the row has more cells than the header; a cell with a comma needs quotes"
    for field, length in _LENGTHS.items():
        if len(_text(row, field)) > length:
            yield field, f"must have at most {length} characters"
    for field, limit in (("latitude", 90), ("longitude", 180)):
        text = _text(row, field)
        if text and (_DEGREES.fullmatch(text) is None or abs(float(text)) > limit):
            yield field, f"must be decimal degrees from -{limit} to {limit}"


def _is_practitioner(row: Mapping[str, Any]) -> bool:
    """Whether a row names a person: letters of a profession after a comma, and no services."""
    words = f"{_text(row, 'name1')}, {_text(row, 'name2')}"
    return not row.get("services") and bool(
        re.search(r",\s*(M\.?D|D\.?O|N\.?P|P\.?A|A?P?RN|DNP|FNP|PMHNP|CNS|CRNA)\b", words)
    )


def _point(row: Mapping[str, Any]) -> tuple[float, float] | None:
    lat, lon = _text(row, "latitude"), _text(row, "longitude")
    point = (float(lat), float(lon)) if lat and lon else None
    return None if point == (0.0, 0.0) else point


def _services(row: Mapping[str, Any]) -> tuple[dict[str, list[str]], list[str]]:
    """What a row offers by group, and its own words."""
    codes, words = load_codes()["samhsa"], load_codes()["words"]
    groups: dict[str, list[str]] = {group: [] for group in _GROUPS}
    texts: list[str] = []
    for item in row.get("services") or ():
        if not isinstance(item, dict):
            continue
        label, values = (
            _text(item, "f1"),
            [part.strip() for part in _text(item, "f3")[:MAX_CELL].split(";") if part.strip()],
        )
        texts += [f"{label}: {'; '.join(values)}"] if values else []
        for group in _GROUPS:
            if _text(item, "f2").upper() in words["categories"][group]:
                groups[group] += [mean for value in values if (mean := _meaning(value, words[group]))]
    for column, cell in row.items():
        if isinstance(cell, dict | list):
            continue
        if str("" if cell is None else cell).strip().casefold() in _YES:
            found = [column.upper()]
            if "ketamine" in column.casefold():
                texts.append(column)
        else:
            found = _codes_in(column, str(cell or ""), codes)
        for group in _GROUPS:
            groups[group] += [codes[group][code] for code in found if code in codes[group]]
    return {group: list(dict.fromkeys(found)) for group, found in groups.items()}, texts


def _codes_in(column: str, cell: str, codes: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The service codes that a directory writes into one cell, with spaces, slashes or stars between them."""
    if column in load_codes()["columns"]:
        return []
    words = [word for word in re.split(r"[\s/;,|*]+", cell[:MAX_CELL]) if word]
    if not words or not all(_CODE.fullmatch(word) for word in words):
        return []
    is_named = any(part in column.casefold() for part in ("code", "keys", "service"))
    n_known = sum(any(word in codes[group] for group in _GROUPS) for word in words)
    # A column of another name must look like nothing else: a single word could be a state or a county.
    return words if is_named or (n_known >= 3 and 2 * n_known >= len(words)) else []


def _meaning(value: str, table: Mapping[str, str]) -> str:
    plain = value.casefold()
    return next((table[start] for start in sorted(table, key=len, reverse=True) if plain.startswith(start)), "")


def _plain(text: str) -> str:
    return "".join(letter for letter in folded(text) if letter.isalnum())


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Join the rows that one site has, for example for its substance-use and its mental-health care.

    The rows of a file come in any order: of two texts the one that sorts first stays, of two positions the exact one.
    """
    for field in ("medications", "payment", "languages", "services"):
        into[field] = tuple(sorted({*into[field], *other[field]}))[:_MAX_MERGED]
    into["care_types"] = tuple(word for word in CARE_TYPES if word in {*into["care_types"], *other["care_types"]})
    for field in ("phone", "website", "name", "street", "city", "postal_code"):
        into[field] = min((one for one in (into[field], other[field]) if one), default="")
    place = ("is_approximate", "lat_deg", "lon_deg")
    best = min(
        (tuple(row[name] for name in place) for row in (into, other) if row["lat_deg"] is not None),
        default=tuple(into[name] for name in place),
    )
    into.update(zip(place, best, strict=True))
    if other["ketamine"] == "samhsa_survey":
        into["ketamine"] = "samhsa_survey"
    into["is_person"] = into["is_person"] and other["is_person"]
