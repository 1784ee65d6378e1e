"""One row of the operators' CSV: each rule of each column, all faults of the row at once."""

import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import urlsplit

from remission.clinics.clinic import (
    CARE_TYPES,
    KETAMINE_ROUTES,
    MEDICATIONS,
    MONITORING,
    THERAPY,
    Clinic,
    RowFault,
    echo,
)
from remission.clinics.geography import distance_mi, restored_zip
from remission.clinics.places import postal_spot, states_by_prefix
from remission.clinics.states import state_names

COLUMNS = (
    "id", "name", "country", "street", "city", "region", "postal_code", "lat", "lon", "phone", "website", "care_types",
    "medications", "ketamine_offered", "ketamine_route", "therapy_included", "medical_monitoring",
    "addiction_experience", "payment", "languages", "npi", "licence_number", "licence_board", "last_verified", "source",
    "source_url",
)  # fmt: skip
"""Columns of the operators' CSV, in the order in which they are written."""
REQUIRED = (
    "id", "name", "country", "city", "postal_code", "care_types", "ketamine_offered", "therapy_included",
    "medical_monitoring", "last_verified", "source",
)  # fmt: skip
"""Columns without which nothing is read; ``phone`` or ``website`` must stand there too."""

_LENGTHS = {"name": 200, "street": 120, "city": 120, "region": 120, "phone": 60, "source": 400}
_LENGTHS |= {"licence_number": 120, "licence_board": 200}
_YES = ("yes", "no", "unknown")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_WORD = re.compile(r"[\w .,&'/+-]{1,60}")
_PHONE = re.compile(r"[0-9+()./ x#*;,ext-]{3,60}", re.IGNORECASE)
_POSTAL = {
    "US": re.compile(r"\d{5}(-\d{4})?"),
    "CA": re.compile(r"[A-Z]\d[A-Z] ?\d[A-Z]\d", re.IGNORECASE),
    "GB": re.compile(r"[A-Z]{1,2}\d[A-Z0-9]? ?\d[A-Z]{2}", re.IGNORECASE),
    "AU": re.compile(r"\d{4}"),
    "IE": re.compile(r"[A-Z0-9]{3} ?[A-Z0-9]{4}", re.IGNORECASE),
}
_OTHER_POSTAL = re.compile(r"[A-Z0-9][A-Z0-9 -]{1,11}", re.IGNORECASE)
_FAR_MI = 37.28  # 60 km


class _Row:
    """The cells of a row and what was found wrong so far."""

    def __init__(self, cells: Mapping[str, str], row: int) -> None:
        # The apostrophe that an export puts before a formula sign belongs to the spreadsheet, not to the cell.
        self.cells = {name: re.sub(r"^'(?=[=+@-])", "", cell.strip()) for name, cell in cells.items()}
        self.row = row
        self.faults: list[RowFault] = []

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "")

    def fault(self, field: str, reason: str, *, is_warning: bool = False) -> None:
        self.faults.append(
            RowFault(row=self.row, field=field, reason=reason, got=echo(self[field]), is_warning=is_warning)
        )

    def one_of(self, field: str, allowed: tuple[str, ...]) -> str:
        word = self[field].casefold() or ("unknown" if "unknown" in allowed else "")
        if word not in allowed:
            self.fault(field, f"must be one of: {', '.join(allowed)}")
        return word

    def several(self, field: str, allowed: tuple[str, ...] | re.Pattern[str]) -> tuple[str, ...]:
        words = [word.strip() for word in self[field].split(";") if word.strip()]
        if isinstance(allowed, tuple):
            words = [word.casefold() for word in words]
            if any(word not in allowed for word in words):
                self.fault(field, f"must be a list with ; of: {', '.join(allowed)}")
        elif any(not allowed.fullmatch(word) for word in words):
            self.fault(field, "must be short words with ; between them")
        return tuple(dict.fromkeys(words))

    def web_address(self, field: str) -> None:
        if self[field] and not is_web_address(self[field]):
            self.fault(field, "must be an address that begins with https:// or http://")


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https address with a host and nothing that could hide another one.

    >>> is_web_address("https://clinic.example"), is_web_address("javascript:alert(1)")
    (True, False)
    """
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    return is_web and (port is None or port > 0)


def is_npi(text: str) -> bool:
    """Whether ten digits pass the check of the NPI: Luhn over 80840 and the ten digits.

    >>> is_npi("1234567893"), is_npi("1234567890")
    (True, False)
    """
    if re.fullmatch(r"[0-9]{10}", text) is None:
        return False
    digits = [int(digit) for digit in reversed("80840" + text)]
    return sum(digits[0::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def parse_row(cells: Mapping[str, str], *, row: int, today: date) -> tuple[Clinic | None, tuple[RowFault, ...]]:
    """The clinic of one row, or None with what is wrong; warnings come with the clinic.

    ``cells``: text by column. ``row``: line of the file, for messages. ``today``: day after which a check is in the
    future.
    """
    read = _Row(cells, row)
    for field in REQUIRED:
        if not read[field] and field not in {"ketamine_offered", "therapy_included", "medical_monitoring"}:
            read.fault(field, "must not be empty")
    for field, length in _LENGTHS.items():
        if len(read[field]) > length:
            read.fault(field, f"must have at most {length} characters")
    if read["id"] and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", read["id"]) is None:
        read.fault("id", "must be at most 64 of the characters A-Z a-z 0-9 . _ -")
    _check_reach(read)
    country, region = _check_address(read)
    lat_deg, lon_deg, is_approximate = _check_position(read, country)
    ketamine = read.one_of("ketamine_offered", _YES)
    routes = read.several("ketamine_route", KETAMINE_ROUTES)
    if ketamine == "yes" and not routes:
        read.fault("ketamine_route", "must say how, since ketamine_offered is yes")
    if ketamine != "yes" and routes:
        read.fault("ketamine_route", "must be empty unless ketamine_offered is yes")
    fields = {
        "care_types": read.several("care_types", CARE_TYPES),
        "medications": read.several("medications", MEDICATIONS),
        "therapy_included": read.one_of("therapy_included", THERAPY),
        "medical_monitoring": read.one_of("medical_monitoring", MONITORING),
        "addiction_experience": read.one_of("addiction_experience", _YES),
        "payment": read.several("payment", _WORD),
        "languages": read.several("languages", _LANGUAGE),
        "last_verified": _check_date(read, today),
    }
    if any(not fault.is_warning for fault in read.faults):
        return None, tuple(read.faults)
    same = (
        *("id", "name", "street", "city", "postal_code", "phone", "website", "npi"),
        *("licence_number", "licence_board", "source", "source_url"),
    )
    clinic = Clinic.from_dict(
        {
            **{name: read[name] for name in same},
            **fields,
            "country": country,
            "region": region,
            "lat_deg": lat_deg,
            "lon_deg": lon_deg,
            "is_approximate": is_approximate,
            "ketamine": {"yes": "self_declared"}.get(ketamine, ketamine),
            "ketamine_route": routes,
        }
    )
    return clinic, tuple(read.faults)


def _check_reach(read: _Row) -> None:
    if not read["phone"] and not read["website"]:
        read.fault("phone", "phone or website must be given")
    if read["phone"] and _PHONE.fullmatch(read["phone"]) is None:
        read.fault("phone", "must be a telephone number")
    read.web_address("website")
    read.web_address("source_url")
    for field in ("website", "source_url"):
        if len(read[field]) > 2000:
            read.fault(field, "must have at most 2000 characters")
    if read["npi"] and not is_npi(read["npi"]):
        read.fault("npi", "must be ten digits that pass the NPI check")
    if bool(read["licence_number"]) != bool(read["licence_board"]):
        missing = "licence_board" if read["licence_number"] else "licence_number"
        read.fault(missing, "licence_number and licence_board must both be given, or neither")


def _check_address(read: _Row) -> tuple[str, str]:
    country, region = read["country"].upper(), read["region"]
    if country and re.fullmatch(r"[A-Z]{2}", country) is None:
        read.fault("country", "must be two letters (ISO 3166), for example US")
        return country, region
    if country == "US":
        region = region.upper()
        if region not in state_names():
            read.fault("region", "must be the two letters of a US state or territory, for example CA")
        restored = restored_zip(read["postal_code"], states_by_prefix(), region)
        if restored is not None:
            reason = f"leading zeros were lost (a spreadsheet does that); read as {restored}"
            read.fault("postal_code", reason, is_warning=True)
            read.cells["postal_code"] = restored
    pattern = _POSTAL.get(country, _OTHER_POSTAL)
    if country and read["postal_code"] and pattern.fullmatch(read["postal_code"]) is None:
        read.fault("postal_code", f"does not look like a postal code of {country}")
    return country, region


def _check_position(read: _Row, country: str) -> tuple[float | None, float | None, bool]:
    """Latitude and longitude, or the middle of the ZIP area where the row has none."""
    spot = postal_spot(read["postal_code"]) if country == "US" else None
    if not read["lat"] and not read["lon"]:
        return (None, None, False) if spot is None else (spot.lat_deg, spot.lon_deg, True)
    if not read["lat"] or not read["lon"]:
        read.fault("lon" if read["lat"] else "lat", "lat and lon must both be given, or neither")
        return None, None, False
    found = []
    for field, limit in (("lat", 90.0), ("lon", 180.0)):
        is_number = re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{0,12})?", read[field]) is not None
        value = float(read[field]) if is_number else limit + 1
        if abs(value) > limit:
            read.fault(field, f"must be decimal degrees from -{limit:g} to {limit:g}")
        found.append(value)
    lat_deg, lon_deg = found
    if (lat_deg, lon_deg) == (0.0, 0.0):
        read.fault("lat", "0,0 is a place in the sea: leave lat and lon empty when unknown")
    elif spot is not None and spot.precision == "zip" and not any(f.field in {"lat", "lon"} for f in read.faults):
        away_mi = distance_mi(lat_deg=lat_deg, lon_deg=lon_deg, to_lat_deg=spot.lat_deg, to_lon_deg=spot.lon_deg)
        if away_mi > _FAR_MI:
            read.fault("lat", f"is {1.609344 * away_mi:.0f} km from the middle of its ZIP code", is_warning=True)
    return lat_deg, lon_deg, False


def _check_date(read: _Row, today: date) -> str:
    text = read["last_verified"]
    try:
        is_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None
        day = date.fromisoformat(text) if is_day else None
    except ValueError:
        day = None
    if text and day is None:
        read.fault("last_verified", "must be a day as year-month-day, for example 2026-01-15")
    elif day is not None and day > today:
        read.fault("last_verified", f"must not be after today, {today.isoformat()}")
    return text
