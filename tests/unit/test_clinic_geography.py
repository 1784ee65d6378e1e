"""ZIP codes, towns, distances and the outline map against independent figures."""

import hashlib
import json
import re
import tomllib
from importlib.resources import files

import pytest

from remission.clinics.geography import distance_mi, locate_zip, shown_distance_mi
from remission.clinics.places import find_place, postal_spot, states_of_place
from remission.clinics.states import map_position, state_names

FOLDER = files("remission.library").joinpath("clinics")
POINTS = {
    "94025": (37.4396, -122.1864, "CA", 36.732, 269.959),
    "10001": (40.7484, -73.9967, "NY", 869.686, 214.911),
    "99950": (55.3422, -131.6478, "AK", 195.673, 574.733),
}


@pytest.mark.parametrize("code", POINTS)
def test_the_projection_equals_d3(code: str) -> None:
    """A pin in the wrong state makes the map a lie; the figures are those of d3-geo, to its printed digits."""
    lat_deg, lon_deg, state, x, y = POINTS[code]
    assert map_position(lat_deg=lat_deg, lon_deg=lon_deg, state=state) == pytest.approx((x, y), abs=0.001)
    assert map_position(lat_deg=18.4, lon_deg=-66.1, state="PR") is None


def test_checked_in_geography_is_what_was_built() -> None:
    """An edited table would move every clinic and nothing would look wrong."""
    sums = tomllib.loads(FOLDER.joinpath("geography.toml").read_text("utf-8"))["checksums"]
    assert {name: hashlib.sha256(FOLDER.joinpath(name).read_bytes()).hexdigest() for name in sums} == sums
    states = json.loads(FOLDER.joinpath("us-outline.json").read_text("utf-8"))["states"]
    assert len(states) == 51
    assert all(re.fullmatch(r"(M[-\d,]+l[-\d, ]+z)+", state["path"]) for state in states)
    assert {state["code"] for state in states} <= set(state_names())


def test_distances_and_their_rounding() -> None:
    """The printed example of the specification; a distance finer than the data would mislead."""
    length = distance_mi(lat_deg=37.4396, lon_deg=-122.1864, to_lat_deg=40.7484, to_lon_deg=-73.9967)
    assert length == pytest.approx(2561.8, abs=0.05)
    assert [shown_distance_mi(one) for one in (0.4, 9.4, 9.6, 12.6, 52.4)] == [0, 9, 10, 15, 50]


def test_zip_codes_of_each_kind() -> None:
    """Known, without an area of its own, unknown, ZIP+4 and nonsense each need another answer."""
    precisions = [
        spot and spot.precision for spot in map(locate_zip, ("94025-1234", "99950", "00501", "ABCDE", "9402"))
    ]
    assert precisions == ["zip", "rough", None, None, None]


def test_defects_of_the_package_are_handled() -> None:
    """Rows at 0,0 lie in the sea, and Majuro has the wrong sign."""
    majuro, huntsville = postal_spot("96960"), postal_spot("77352")
    assert majuro is not None
    assert majuro.lon_deg > 0
    assert huntsville is None or (huntsville.lat_deg, huntsville.lon_deg) != (0.0, 0.0)


def test_towns() -> None:
    """One town, many of a name, none."""
    spot = find_place("menlo park, california")
    assert spot is not None
    assert (spot.name, spot.precision) == ("Menlo Park, CA", "place")
    assert find_place("Springfield") is None
    assert len(states_of_place("Springfield")) > 10
    assert find_place("St. Louis MO") is not None
    assert find_place("Nowhere At All") is None


@pytest.mark.parametrize(
    "name", ["Mayagüez, PR", "Mayaguez, PR", "MAYAGU\u0308EZ PR", "mayagüez, puerto rico", "Añasco, PR", "Peñuelas, PR"]
)
def test_towns_are_found_with_and_without_accents(name: str) -> None:
    """The list has no accents, people do; a combining sign is the same letter."""
    spot = find_place(name)
    assert spot is not None
    assert spot.name.endswith(", PR")
