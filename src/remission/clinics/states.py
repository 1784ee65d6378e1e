"""States and territories of the United States by name and by two letters, and the outline map with its projection."""

import math
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from remission.records.packaged import packaged_toml


def _geography() -> dict[str, Any]:
    return packaged_toml("clinics", "geography.toml")


@cache
def state_names() -> Mapping[str, str]:
    """Names by two-letter code, states first, then territories."""
    return MappingProxyType({**_geography()["drawn"], **_geography()["elsewhere"]})


def find_state(text: str) -> str | None:
    """The two letters of a state given by its code or its name in English; None when it is neither.

    >>> find_state(" ca "), find_state("new york"), find_state("Ontario")
    ('CA', 'NY', None)
    """
    word = " ".join(text.split()).casefold()
    for code, name in state_names().items():
        if word in {code.casefold(), name.casefold()}:
            return code
    return None


def map_position(*, lat_deg: float, lon_deg: float, state: str) -> tuple[float, float] | None:
    """Where a point of a state lies on the outline map, right and down; None for a territory, which is not drawn.

    Albers' equal-area conic, with Alaska and Hawaii as insets chosen by the state's code.

    >>> [round(value, 3) for value in map_position(lat_deg=37.4396, lon_deg=-122.1864, state="CA")]
    [36.732, 269.959]
    """
    table = _geography()
    if state not in table["drawn"]:
        return None
    projection = table["projection"]
    part = projection.get(state, projection["lower"])
    scale = projection["scale"] * part["scale"]
    first, second = (math.sin(math.radians(value)) for value in part["parallels"])
    cone = (first + second) / 2
    base = 1 + first * (2 * cone - first)

    def conic(lon: float, lat: float) -> tuple[float, float]:
        radius = math.sqrt(max(0.0, base - 2 * cone * math.sin(math.radians(lat)))) / cone
        angle = math.radians((lon + 180) % 360 - 180) * cone
        return radius * math.sin(angle), math.sqrt(base) / cone - radius * math.cos(angle)

    center_x, center_y = conic(*part["center"])
    x, y = conic(lon_deg + part["rotate"], lat_deg)
    offset_x, offset_y = (projection["scale"] * value for value in part["offset"])
    return (
        projection["translate"][0] + offset_x + scale * (x - center_x),
        projection["translate"][1] + offset_y - scale * (y - center_y),
    )
