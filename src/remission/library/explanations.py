"""Why a trial comes out as it does, as ``remission explain`` finds it; ``make explanations`` keeps it for the pages."""

from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from remission.records.base import Record
from remission.records.packaged import packaged_toml, read_library_json

Conclusion = Literal["helps", "unclear", "worse"]


class Link(Record):
    """A link that can be closed: see ``explain.toml``."""

    id: str
    kind: Literal["region", "piece"]
    name: str
    zero: tuple[str, ...] = ()
    through_craving: bool | None = None
    belief: bool = False


class StudyShape(Record):
    """A study of the same design: people as a multiple of its own, 0 without limit; sites that differ as trials do."""

    people: Annotated[int, Field(ge=0, le=10_000)]
    sites: Annotated[int, Field(ge=1, le=64)] = 1


class Range(Record):
    """A mean over draws with 90% of them, positive where the treatment does better."""

    mean: float
    low: float
    high: float


class Part(Record):
    """What runs through a link: effect with it less effect without, on the same people.

    ``left``: the effect without it. ``says``: why nothing was computed, where nothing was.
    """

    id: str
    kind: Literal["region", "piece"]
    name: str
    through: Range | None
    left: Range | None
    says: str = ""


class Mover(Record):
    """The effect in the lowest and highest fifth of the draws of a value."""

    id: str
    name: str
    low: Range
    high: Range
    low_says: Conclusion
    high_says: Conclusion


class StudyWorth(Record):
    """What a study would leave of the doubt: standard deviations of the mean effect and of the next trial's.

    ``people``: in all, none without limit. ``left`` and ``left_next``: shares of the doubt that stay, 0 to 1.
    """

    people: int | None
    sites: int
    sd: float
    sd_next: float
    left: float
    left_next: float


class Explained(Record):
    """All of it. ``surrogate_r2``: how much of the effect the smooth form behind the studies explains, left-out draws.

    ``sd_mean``: doubt about the mean effect over such trials; ``sd_next``: about the next one.
    """

    protocol: str
    title: str
    analysis: str
    unit: str
    posterior: str
    posterior_hash: str
    seed: int
    n_draws: int
    n_people: int
    made: str
    effect: Range
    helps_share: float
    conclusion: Conclusion
    parts: tuple[Part, ...]
    movers: tuple[Mover, ...]
    sd_mean: float
    sd_next: float
    surrogate_r2: float
    studies: tuple[StudyWorth, ...]
    says: tuple[str, ...]


@cache
def links() -> tuple[Link, ...]:
    """The links that are closed, in the order in which they are told."""
    return tuple(Link.from_dict(row) for row in packaged_toml("explain.toml")["link"])


@cache
def study_shapes() -> tuple[StudyShape, ...]:
    """The studies that are compared."""
    return tuple(StudyShape.from_dict(row) for row in packaged_toml("explain.toml")["study"])


@cache
def load_explanations() -> dict[str, Explained]:
    """What ``make explanations`` found, by protocol."""
    return {row["protocol"]: Explained.from_dict(row) for row in read_library_json("explanations.json")}
