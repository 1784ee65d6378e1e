"""Towns by name, and ZIP codes that have no Census area, from the ``zipcodes`` package (offline).

Its known defects are handled here: rows at 0,0 have no location, 96960 has the wrong sign of longitude, a malformed
code raises ValueError.
"""

import unicodedata
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from remission.clinics.geography import Spot, locate_zip, zip5_of
from remission.clinics.states import find_state, state_names

_WRONG_SIGN = {"96960"}


def _point(row: dict[str, Any]) -> tuple[float, float] | None:
    lat, lon = float(row["lat"] or 0), float(row["long"] or 0)
    if (lat, lon) == (0.0, 0.0):
        return None
    return lat, (-lon if row["zip_code"] in _WRONG_SIGN and lon < 0 else lon)


@cache
def _towns() -> MappingProxyType[str, MappingProxyType[str, tuple[float, float]]]:
    import zipcodes

    sums: dict[str, dict[str, list[float]]] = {}
    for row in zipcodes.list_all():  # type: ignore[no-untyped-call]  # the package ships no types
        point = _point(row)
        if point is None or not row["active"] or row["state"] not in state_names():
            continue
        for city in {row["city"], *row["acceptable_cities"]}:
            cell = sums.setdefault(_key(city), {}).setdefault(row["state"], [0.0, 0.0, 0.0])
            cell[0] += point[0]
            cell[1] += point[1]
            cell[2] += 1
    return MappingProxyType(
        {
            city: MappingProxyType({state: (lat / n, lon / n) for state, (lat, lon, n) in cells.items()})
            for city, cells in sums.items()
        }
    )


@cache
def states_by_prefix() -> MappingProxyType[str, frozenset[str]]:
    """States by the first three digits of their ZIP codes."""
    import zipcodes

    found: dict[str, set[str]] = {}
    for row in zipcodes.list_all():  # type: ignore[no-untyped-call]  # the package ships no types
        found.setdefault(row["zip_code"][:3], set()).add(row["state"])
    return MappingProxyType({prefix: frozenset(states) for prefix, states in found.items()})


def folded(text: str) -> str:
    """Text without case and accents, however the accents were typed.

    >>> folded("Mayagüez") == folded("MAYAGU\u0308EZ") == "mayaguez"
    True
    """
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _key(city: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in folded(city)).split()
    return " ".join({"st": "saint", "ft": "fort", "mt": "mount"}.get(word, word) for word in words)


def _split(text: str) -> tuple[str, str | None]:
    city, comma, state = text.rpartition(",")
    if comma:
        return _key(city), find_state(state)
    words = text.split()
    for count in (1, 2, 3):
        code = find_state(" ".join(words[-count:])) if len(words) > count else None
        if code is not None:
            return _key(" ".join(words[:-count])), code
    return _key(text), None


def states_of_place(text: str) -> tuple[str, ...]:
    """States that have a town of that name, two letters each, sorted.

    >>> states_of_place("Menlo Park")
    ('CA',)
    """
    city, state = _split(text)
    found = sorted(_towns().get(city, {}))
    return tuple(found if state is None else [code for code in found if code == state])


def find_place(text: str) -> Spot | None:
    """A town by name, with its state where the name alone is not enough; None when unknown or ambiguous.

    >>> find_place("Menlo Park, CA").name, find_place("Springfield")
    ('Menlo Park, CA', None)
    """
    states = states_of_place(text)
    if len(states) != 1:
        return None
    city, _ = _split(text)
    lat, lon = _towns()[city][states[0]]
    return Spot(name=f"{city.title()}, {states[0]}", lat_deg=round(lat, 4), lon_deg=round(lon, 4), precision="place")


@lru_cache(maxsize=4096)
def _matching(zip5: str) -> list[dict[str, Any]]:
    import zipcodes

    return list(zipcodes.matching(zip5))  # type: ignore[no-untyped-call]  # the package ships no types


def postal_spot(code: str) -> Spot | None:
    """Where a row's ZIP code is: its Census area, else the package's point, else the three-digit area, else None."""
    zip5 = zip5_of(code)
    found = None if zip5 is None else locate_zip(zip5)
    if zip5 is None or (found is not None and found.precision == "zip"):
        return found
    points = [point for row in _matching(zip5) if (point := _point(row)) is not None]
    return Spot(name=zip5, lat_deg=points[0][0], lon_deg=points[0][1], precision="zip") if points else found
