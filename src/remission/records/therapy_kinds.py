"""Kinds of therapy and ways of life: what each is, and which contrast that was read sets what it is worth.

The tables are ``library/package/therapies.toml`` and ``library/package/way-of-life.toml``, which say what their columns
mean.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from remission.records.base import Record
from remission.records.evidence import CareRecord
from remission.records.packaged import packaged_records, packaged_toml
from remission.records.sourced_contrast import SourcedContrast

_TABLE = packaged_toml("package", "therapies.toml")
_WAYS = packaged_toml("package", "way-of-life.toml")["kind"]


class TherapyKind(Record):
    """A kind of therapy; ``tau_incentive_day`` is how its effect fades after the last reward. [day]"""

    name: str
    target: Literal["skill", "incentive"]
    tau_incentive_day: float | None = None
    tau_grade: str = ""
    tau_note: str = ""


class WayKind(Record):
    """A way of life: what was found on use in words, and the records whose numbers are shown beside it."""

    name: str
    grade: str
    use: str
    shown: tuple[str, ...]


class OtherReading(Record):
    """A contrast of a kind that was read and sets nothing, and why not."""

    kind: str
    record: str
    statement: tuple[str, str, str] | None = None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapyWorth:
    """What one kind is worth for one substance where a file does not say.

    ``contrast`` is what reference people are made to show, by sessions on ``session_days`` against sessions of quality
    ``against_quality``; without one, ``quality`` is taken as it stands. ``quality`` then is the share of the sourced
    effect that a file without its own gets. ``like`` names the kind whose contrast it is, where that is another one.
    """

    quality: float
    grade: str
    note: str
    contrast: SourcedContrast | None = None
    session_days: tuple[int, ...] = ()
    against_quality: float = 0.0
    like: str = ""

    @property
    def record(self) -> str:
        """Id of the evidence record of its contrast; empty where nothing was read."""
        return self.contrast.record if self.contrast is not None else ""


THERAPIES: Final = {name: TherapyKind.from_dict(row) for name, row in _TABLE["kind"].items()}
"""Kinds of therapy by name."""

WAYS_OF_LIFE: Final = {
    name: WayKind.from_dict({key: value for key, value in row.items() if key != "contrast"})
    for name, row in _WAYS.items()
}
"""Ways of life by name."""

EDUCATION_QUALITY: Final[float] = _TABLE["education"]["quality"]
"""Worth of a contact that teaches little, assumed; what nothing was read of is worth as much. [share]"""

_READINGS = tuple(OtherReading.from_dict(row) for row in _TABLE["read"])
_FIELDS = {field.name for field in fields(SourcedContrast)}

# The names are those of the tables; a checker of types, which cannot read them, takes them for text.
if TYPE_CHECKING:
    TherapyName: TypeAlias = str
    WayName: TypeAlias = str
else:
    TherapyName = Literal[tuple(THERAPIES)]
    WayName = Literal[tuple(WAYS_OF_LIFE)]


def readings_of(kind: str) -> tuple[OtherReading, ...]:
    """What else was read of a kind, in the order of the table."""
    return tuple(one for one in _READINGS if one.kind == kind)


def therapy_worth(kind: str, *, substance: str) -> TherapyWorth:
    """What a kind of therapy is worth for a substance where a file does not say; assumed where nothing was read.

    Examples
    --------
    >>> therapy_worth("cbt", substance="alcohol").record, therapy_worth("mbrp", substance="alcohol").quality
    ('cbt_magill_all', 0.15)
    """
    row = next((one for one in _TABLE["worth"] if one["kind"] == kind and substance in one["substances"]), None)
    if row is None:
        found = _TABLE["education"]
        note = found["note"] if kind == "education" else "Nothing was read that the days of the model can be held to."
        return TherapyWorth(quality=found["quality"], grade=found["grade"], note=note)
    if "as" in row:
        other = therapy_worth(row["as"], substance=substance)
        return TherapyWorth(
            quality=other.quality, grade=row["grade"], note=row["note"], contrast=other.contrast,
            session_days=other.session_days, against_quality=other.against_quality, like=row["as"],
        )  # fmt: skip
    return TherapyWorth(
        quality=row.get("left_out", 1.0),
        grade=row["grade"],
        note=row["note"],
        contrast=_contrast(kind, substance, row),
        session_days=tuple(int(number * row["every_days"]) for number in range(row["n_sessions"])),
        against_quality=EDUCATION_QUALITY if row["against"] == "education" else 0.0,
    )


@cache
def way_numbers(kind: str) -> tuple[str, ...]:
    """What was read beside use of a way of life, a number with its interval and record each, in the table's order."""
    rows = {row.id: row for row in packaged_records(CareRecord, "way-of-life.json")}
    return tuple(_number(rows[name]) for name in WAYS_OF_LIFE[kind].shown)


def _number(row: CareRecord) -> str:
    """Endpoint, number, interval and record; the arm where the number is of one arm."""
    what = row.endpoint if row.comparator != "-" else f"{row.endpoint}, {row.treatment}"
    said = row.statistic.partition(": ")[2]
    if row.value is not None:
        said = row.statistic if any(sign.isdigit() for sign in row.statistic) else ""
        said = said or f"{row.statistic} {row.value:g}"
    if row.ci_low is not None and row.ci_high is not None:
        said += f", {row.ci_low:g} to {row.ci_high:g}"
    return f"{what}: {said} ({row.id})"


def way_contrast(kind: str, *, substance: str) -> SourcedContrast | None:
    """The contrast on use of a way of life for a substance; None where no number was read. Its default share is 0."""
    row = _WAYS[kind].get("contrast")
    return _contrast(kind, substance, row) if row is not None and substance in row["substances"] else None


def _contrast(name: str, substance: str, row: dict[str, Any]) -> SourcedContrast:
    return SourcedContrast(
        name=name, substance=substance, **{key: value for key, value in row.items() if key in _FIELDS}
    )
