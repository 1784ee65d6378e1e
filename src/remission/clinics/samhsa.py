"""FindTreatment.gov: the JSON export (one page, several, or a bare list) and the site's CSV download.

A voluntary yearly survey: what a place told SAMHSA. Ketamine is ``samhsa_survey`` where the text names it, else
unknown.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from remission.clinics.clinic import CARE_TYPES, Clinic, RowFault, echo
from remission.clinics.columns import is_web_address
from remission.clinics.geography import zip5_of
from remission.clinics.operator_csv import MAX_CELL, read_rows
from remission.clinics.places import postal_spot
from remission.clinics.reading import Reading, cannot_read, read_text
from remission.clinics.states import find_state
from remission.library.loader import read_library_toml

__all__ = ["CREDIT", "load_codes", "read_findtreatment"]

CREDIT = (
    "A voluntary yearly survey: places report themselves, many are missing, and no row has a date of its own. "
    "No endorsement is implied."
)
_GROUPS = ("care", "medications", "payment", "languages")
_MAX_MERGED = 40


@cache
def load_codes() -> Mapping[str, Any]:
    """The code tables of the library."""
    return read_library_toml(files("remission.library").joinpath("clinics", "codes.toml"))


def read_findtreatment(path: Path, *, source_date: date) -> Reading:
    """Places of a FindTreatment.gov export, JSON or CSV, one for each site.

    Parameters
    ----------
    path
        At most 50 MB.
    source_date
        Day of the file, which stands for the day of every row.

    Raises
    ------
    SpecError
        It is neither kind of file.
    """
    text = read_text(path)
    rows = _json_rows(text, path.name) if text.lstrip()[:1] in "[{" else _csv_rows(text, path.name)
    faults: list[RowFault] = []
    sites: dict[tuple[str, str, str], dict[str, Any]] = {}
    n_rows = 0
    for line, row in rows:
        n_rows += 1
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
        source_date=source_date,
    )


def _json_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    decoder = json.JSONDecoder()
    place, row_number = 0, 0
    while place < len(text):
        if text[place] in " \t\r\n,":
            place += 1
            continue
        try:
            page, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise cannot_read(
                name, got=f"broken JSON: {str(error)[:60]}", allowed="pages of a FindTreatment.gov export"
            ) from None
        parts = page if isinstance(page, list) else [page]
        for part in parts:
            rows = part.get("rows") if isinstance(part, dict) and "rows" in part else [part]
            if not isinstance(rows, list) or (isinstance(part, dict) and not {"rows", "name1"} & set(part)):
                raise cannot_read(
                    name, got="JSON without rows", allowed="an object with rows, or a list of rows with name1"
                )
            for row in rows:
                row_number += 1
                yield row_number, row if isinstance(row, dict) else {}


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    rows = read_rows(text, name)
    _, first = next(rows)
    header = [cell.strip() for cell in first]
    missing = [column for column in ("name1", "city", "state", "zip") if column not in header]
    if missing:
        raise cannot_read(f"{name}, line 1", got=f"no {', '.join(missing)}", allowed="the columns of the site's file")
    for line, cells in rows:
        yield line, dict(zip(header, cells, strict=False))


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    return "" if value is None or isinstance(value, dict | list) else " ".join(str(value).split())[:MAX_CELL]


def _fields(row: Mapping[str, Any], line: int, faults: list[RowFault]) -> dict[str, Any] | None:
    def fault(field: str, reason: str, *, is_warning: bool = False) -> None:
        faults.append(RowFault(row=line, field=field, reason=reason, got=echo(row.get(field)), is_warning=is_warning))

    name = ", ".join(part for part in (_text(row, "name1"), _text(row, "name2")) if part)
    state, postal_code = find_state(_text(row, "state")), zip5_of(_text(row, "zip"))
    before = len(faults)
    if not _text(row, "name1"):
        fault("name1", "must not be empty")
    if not _text(row, "city"):
        fault("city", "must not be empty")
    if state is None:
        fault("state", "must be a US state or territory")
    if postal_code is None:
        fault("zip", "must be a ZIP code as text")
    if len(faults) > before:
        return None
    website = _text(row, "website")
    if website and "://" not in website:
        website = f"https://{website}"
    if website and not is_web_address(website):
        fault("website", "is no web address, left out", is_warning=True)
        website = ""
    lat_deg: float | None
    lon_deg: float | None
    lat_deg, lon_deg = _point(row) or (None, None)
    is_approximate = False
    if lat_deg is None:
        if _text(row, "latitude") or _text(row, "longitude"):
            fault("latitude", "is no position on land, the ZIP area is used", is_warning=True)
        spot = postal_spot(str(postal_code))
        if spot is not None:
            lat_deg, lon_deg, is_approximate = spot.lat_deg, spot.lon_deg, True
    groups, services = _services(row)
    kind = _text(row, "typeFacility") or _text(row, "type_facility")
    is_ketamine = any("ketamine" in service.casefold() for service in services)
    return {
        "line": line,
        "name": name[:200],
        "country": "US",
        "street": ", ".join(part for part in (_text(row, "street1"), _text(row, "street2")) if part)[:200],
        "city": _text(row, "city")[:120],
        "region": state,
        "postal_code": _text(row, "zip"),
        "lat_deg": lat_deg,
        "lon_deg": lon_deg,
        "is_approximate": is_approximate,
        "phone": (_text(row, "phone") or _text(row, "intake1") or _text(row, "hotline1"))[:60],
        "website": website,
        "care_types": tuple(word for word in CARE_TYPES if word in groups["care"]),
        "medications": tuple(groups["medications"]),
        "payment": tuple(groups["payment"]),
        "languages": tuple(groups["languages"]),
        "ketamine": "samhsa_survey" if is_ketamine else "unknown",
        "services": tuple(services),
        "is_person": kind.upper() in {"BUPREN", "BUPRENORPHINE", "PRACTITIONER"} or _is_practitioner(row),
    }


def _is_practitioner(row: Mapping[str, Any]) -> bool:
    """Whether a row names a person: letters of a profession after a comma, and no services."""
    words = f"{_text(row, 'name1')}, {_text(row, 'name2')}"
    return not row.get("services") and bool(
        re.search(r",\s*(M\.?D|D\.?O|N\.?P|P\.?A|A?P?RN|DNP|FNP|PMHNP|CNS|CRNA)\b", words)
    )


def _point(row: Mapping[str, Any]) -> tuple[float, float] | None:
    try:
        lat, lon = float(_text(row, "latitude")), float(_text(row, "longitude"))
    except ValueError:
        return None
    is_on_earth = math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180
    return (lat, lon) if is_on_earth and (lat, lon) != (0.0, 0.0) else None


def _services(row: Mapping[str, Any]) -> tuple[dict[str, list[str]], list[str]]:
    """What a row offers by group, and its own words."""
    codes, words = load_codes()["samhsa"], load_codes()["words"]
    groups: dict[str, list[str]] = {group: [] for group in _GROUPS}
    texts: list[str] = []
    for item in row.get("services") or ():
        if not isinstance(item, dict):
            continue
        label, values = _text(item, "f1"), [part.strip() for part in _text(item, "f3").split(";") if part.strip()]
        texts += [f"{label}: {'; '.join(values)}"] if values else []
        for group in _GROUPS:
            if _text(item, "f2").upper() in words["categories"][group]:
                groups[group] += [mean for value in values if (mean := _meaning(value, words[group]))]
    for column, cell in row.items():
        if not isinstance(cell, dict | list) and str(cell or "").strip() == "1":
            for group in _GROUPS:
                if column.upper() in codes[group]:
                    groups[group].append(codes[group][column.upper()])
            if "ketamine" in column.casefold():
                texts.append(column)
    return {group: list(dict.fromkeys(found)) for group, found in groups.items()}, texts


def _meaning(value: str, table: Mapping[str, str]) -> str:
    plain = value.casefold()
    return next((table[start] for start in sorted(table, key=len, reverse=True) if plain.startswith(start)), "")


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Join the two rows that one site has for its substance-use and its mental-health care."""
    for field in ("care_types", "medications", "payment", "languages", "services"):
        into[field] = tuple(dict.fromkeys((*into[field], *other[field])))[:_MAX_MERGED]
    for field in ("phone", "website"):
        into[field] = into[field] or other[field]
    if other["ketamine"] == "samhsa_survey":
        into["ketamine"] = "samhsa_survey"
    into["is_person"] = into["is_person"] and other["is_person"]
