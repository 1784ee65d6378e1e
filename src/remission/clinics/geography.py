"""Where a ZIP code is, and how far apart two points are, without any request.

The table holds the middle of each Census ZIP area to 0.01 degree (a shift of at most 0.45 mi). Pages send the same
table to the browser, so that both give the same distances. A ZIP code without an area (a post-office box, one building)
takes the mean of its first three digits and is called rough; one whose first three digits have no area is unknown.
"""

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from remission.records.base import Record

_EARTH_RADIUS_MI = 3958.76
_ZIP = re.compile(r"(\d{5})(?:-?\d{4})?(?:\.0+)?")
_SHORT_ZIP = re.compile(r"(?:(?P<code>\d{3,4})(?:-(?P<more>\d{4}))?|(?P<long>\d{7,8}))(?:\.0+)?")


class Spot(Record):
    """A point and how well it is known: ``zip`` or ``rough`` for the middle of an area, ``place`` of a town."""

    name: str
    lat_deg: float
    lon_deg: float
    precision: Literal["zip", "rough", "place"]


def zip5_of(text: str) -> str | None:
    """The five digits of a ZIP code or ZIP+4; None when the text is neither.

    >>> zip5_of(" 94025-1234 "), zip5_of("ABCDE")
    ('94025', None)
    """
    found = _ZIP.fullmatch(text.strip()) if text.isascii() else None
    return None if found is None else found[1]


def restored_zip(text: str, prefix_states: Mapping[str, frozenset[str]], state: str | None) -> str | None:
    """A ZIP code whose leading zeros a spreadsheet took, where the row's state says which they were.

    ``text``: for example ``2118``, ``901``, ``2118.0``, ``2118-1234`` or ``21181234``. ``prefix_states``: states by the
    first three digits. ``state``: two letters; None when it is not known, and then nothing is restored.

    str or None
        Five digits, or ZIP+4; None when the text is no such code or no code of that state.

    >>> restored_zip("2118", {"021": frozenset({"MA"})}, "MA"), restored_zip("2118", {"021": frozenset({"MA"})}, "CA")
    ('02118', None)
    """
    found = _SHORT_ZIP.fullmatch(text.strip()) if text.isascii() else None
    if found is None or state is None:
        return None
    first, last = found["code"] or found["long"][:-4], found["more"] or (found["long"] or "")[-4:]
    code = first.zfill(5)
    if state not in prefix_states.get(code[:3], ()):
        return None
    return f"{code}-{last}" if last else code


def centroid_file() -> bytes:
    """The table as the browser gets it: columns z, a, o (code, latitude, longitude in 0.01 degree) of differences."""
    return files("remission.library").joinpath("clinics", "zip-centroids.json").read_bytes()


@cache
def _centroids() -> MappingProxyType[str, tuple[int, int]]:
    columns = json.loads(centroid_file())
    code = lat = lon = 0
    found = {}
    for step_code, step_lat, step_lon in zip(columns["z"], columns["a"], columns["o"], strict=True):
        code, lat, lon = code + step_code, lat + step_lat, lon + step_lon
        found[f"{code:05d}"] = (lat, lon)
    return MappingProxyType(found)


@cache
def _areas() -> MappingProxyType[str, tuple[float, float]]:
    sums: dict[str, tuple[int, int, int]] = {}
    for code, (lat, lon) in _centroids().items():
        total_lat, total_lon, count = sums.get(code[:3], (0, 0, 0))
        sums[code[:3]] = (total_lat + lat, total_lon + lon, count + 1)
    return MappingProxyType({area: (lat / n, lon / n) for area, (lat, lon, n) in sums.items()})


def locate_zip(code: str) -> Spot | None:
    """The middle of a ZIP area, or of its three-digit area; None when neither is known.

    >>> locate_zip("94025").precision, locate_zip("99950").precision, locate_zip("00000")
    ('zip', 'rough', None)
    """
    zip5 = zip5_of(code)
    if zip5 is None:
        return None
    if zip5 in _centroids():
        lat, lon = _centroids()[zip5]
        return Spot(name=zip5, lat_deg=lat / 100, lon_deg=lon / 100, precision="zip")
    if zip5[:3] in _areas():
        mean_lat, mean_lon = _areas()[zip5[:3]]
        return Spot(name=zip5, lat_deg=mean_lat / 100, lon_deg=mean_lon / 100, precision="rough")
    return None


def distance_mi(*, lat_deg: float, lon_deg: float, to_lat_deg: float, to_lon_deg: float) -> float:
    """Straight-line distance on a sphere (haversine). [mi]

    >>> round(distance_mi(lat_deg=37.4396, lon_deg=-122.1864, to_lat_deg=40.7484, to_lon_deg=-73.9967), 1)
    2561.8
    """
    from_lat, to_lat = math.radians(lat_deg), math.radians(to_lat_deg)
    half_lat = math.sin((to_lat - from_lat) / 2)
    half_lon = math.sin(math.radians(to_lon_deg - lon_deg) / 2)
    inside = half_lat * half_lat + math.cos(from_lat) * math.cos(to_lat) * half_lon * half_lon
    return 2 * _EARTH_RADIUS_MI * math.asin(math.sqrt(min(1.0, inside)))


def shown_distance_mi(length_mi: float) -> int:
    """A distance as it is shown, since ZIP middles are rough: to 1 mile below 10, to 5 above. [mi]

    >>> [shown_distance_mi(length) for length in (0.3, 7.5, 12.4, 13.0)]
    [0, 8, 10, 15]
    """
    step = 1 if length_mi < 10 else 5
    return step * math.floor(length_mi / step + 0.5)
