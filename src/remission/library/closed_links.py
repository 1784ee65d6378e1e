"""What runs through each region of the story of /learn: the days of the model with that region's link closed.

A region keeps its course; what it gives to craving and to use is taken out, for everybody alike, and a typical person
at rest stays where they are. ``make worlds`` computes the days (``closed-links.json``).
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from remission.library.front_page import FromDraws, WorldGroup
from remission.records.base import Record
from remission.records.packaged import packaged_toml, read_library_json

CLOSED: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(packaged_toml("closed-links.toml"))
"""By region: the values of the model that are zero when its link is closed."""
REGIONS: Final = tuple(CLOSED)


class Closing(Record):
    """The days with some links closed.

    ``gained``: days that ketamine with therapy has more than education, in each world. ``groups``: people of the middle
    world. [day]
    """

    closed: tuple[str, ...]
    gained: tuple[float, ...]
    groups: tuple[WorldGroup, ...]


class Curve(Record):
    """The mean of people of a state by day: education with salt water, and therapy with ketamine.

    ``state``: its symbol in the equations; ``free`` is the share of people without use on the day.
    """

    state: str
    without: tuple[float, ...]
    treated: tuple[float, ...]


class ClosedLinks(FromDraws):
    """Every set of closed links, none first, and courses of the default values."""

    closings: tuple[Closing, ...]
    curves: tuple[Curve, ...]

    def of(self, regions: tuple[str, ...]) -> Closing:
        """The days with the links of these regions closed."""
        return next(one for one in self.closings if set(one.closed) == set(regions))


@cache
def load_closed_links() -> ClosedLinks:
    """What ``make worlds`` found."""
    return ClosedLinks.from_dict(read_library_json("closed-links.json"))


def runs_through(found: ClosedLinks, regions: tuple[str, ...]) -> tuple[float, float]:
    """Days that run through these regions: how many fewer are gained with their links closed, from world to world."""
    lost = [a - b for a, b in zip(found.of(()).gained, found.of(regions).gained, strict=True)]
    return min(lost), max(lost)
