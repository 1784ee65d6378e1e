"""Treatment by substance: how many numbers and studies there are, and what they say, by one rule for all of them.

A number speaks for a treatment only where it was read in an abstract or a registry, its interval excludes no effect, on
the good side, and it is compared with nothing, a placebo or usual care. What was read second-hand, has no interval, or
stands beside another treatment is counted and speaks for nothing. The grouping is data, ``evidence-matrix.toml``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from remission.errors import LibraryError
from remission.evidence.classes import design_of, substances_of
from remission.evidence.registry import EvidenceRegistry
from remission.evidence.verdicts import NO_DIFFERENCE, RESULTS, direction_of, result_of
from remission.records.evidence import CareRecord, StudyRecord
from remission.records.packaged import read_library_toml

COLUMNS: Final = ("alcohol", "opioid", "nicotine", "cocaine", "methamphetamine", "cannabis", "mixed")
"""Substances of the matrix, in order; ``mixed`` holds what was found in people who use several."""

READINGS: Final[Mapping[str, str]] = {
    "favors": "in favor",
    "mixed": "some differences, some none",
    "none": "no clear difference",
    "worse": "worse",
    "unclear": "a difference of unclear direction",
    "beside": "beside another treatment",
    "indirect": "read second-hand",
    "words": "in words or without an interval",
    "alone": "no comparison between groups",
    "harm": "unwanted effects",
    "open": "no result yet",
}
"""What one number or study says, by id."""

_FILE = "evidence-matrix.toml"
_FIRST_HAND = "abstract or registry"
_NONE: Final = {"ratio": 1.0, "difference": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A treatment in a substance: its records, how often each reading occurs, and what they say together."""

    row: str
    substance: str
    says: str
    counts: Mapping[str, int]
    records: tuple[str, ...]
    n_studies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """A treatment across the substances of :data:`COLUMNS`; None where nothing is on file."""

    id: str
    label: str
    cells: tuple[Cell | None, ...]


def evidence_matrix(registry: EvidenceRegistry) -> tuple[MatrixRow, ...]:
    """The matrix of a registry, or of what a filter left of it. Raises LibraryError: a treatment is not grouped."""
    found: dict[tuple[str, str], list[StudyRecord | CareRecord]] = {}
    for record in _records(registry):
        for substance in substances_of(record.substance):
            found.setdefault((row_of(record), substance), []).append(record)
    return tuple(
        MatrixRow(
            id=row["id"],
            label=row["label"],
            cells=tuple(_cell(row["id"], one, found.get((row["id"], one), [])) for one in COLUMNS),
        )
        for row in _content()["row"]
    )


def row_names() -> Mapping[str, str]:
    """Rows of the matrix, label by id."""
    return {row["id"]: row["label"] for row in _content()["row"]}


def row_of(record: StudyRecord | CareRecord) -> str:
    """The row in which a record stands. Raises LibraryError: its treatment is not grouped."""
    for row in _content()["row"]:
        if isinstance(record, CareRecord):
            if record.treatment in row["treatments"]:
                return str(row["id"])
        elif record.id in row["studies"]:
            return str(row["id"])
    if isinstance(record, StudyRecord):
        return next(str(row["id"]) for row in _content()["row"] if row["studies"] == "others")
    raise _missing("row", record.treatment)


def reading_of(record: StudyRecord | CareRecord) -> str:
    """What a record says of its treatment, one of :data:`READINGS`.

    Raises LibraryError: the endpoint of a number with an interval is not grouped.
    """
    return _of_study(record) if isinstance(record, StudyRecord) else _of_number(record)


def interval_holds_no_difference(record: CareRecord) -> bool:
    """Whether a ratio or difference has an interval that holds no difference, of whatever endpoint and source."""
    scale, low, high = _scale_of(record), record.ci_low, record.ci_high
    if scale not in {"ratio", "difference"} or low is None or high is None:
        return False
    return low <= _NONE[scale] <= high


def _scale_of(record: CareRecord) -> str:
    return next((name for name, words in _content()["scale"].items() if record.statistic in words), "")


def _of_study(study: StudyRecord) -> str:
    result, direction = result_of(study), direction_of(study)
    if result == RESULTS[5]:
        return "open"
    if result == RESULTS[4]:
        return "alone"
    if result == RESULTS[3]:
        return "words"
    if result == RESULTS[0]:
        return "none"
    if result == RESULTS[1]:
        return "mixed"
    if "[" in direction:
        return "indirect"
    if design_of(study.id) != "randomized" and direction == "favors treatment":
        # A group that chose or was chosen says less than its interval.
        return "unclear"
    return {"favors treatment": "favors", "favors control": "worse", "harm": "worse"}.get(direction, "unclear")


def _of_number(record: CareRecord) -> str:  # noqa: PLR0911 - one reason after the other, the first counts
    scale = _scale_of(record)
    if "(harm)" in f"{record.endpoint} {record.substance}":
        return "harm"
    if record.comparator in {None, "-"}:
        return "alone"
    beside = _content()["beside"]
    if record.comparator in beside["comparators"] or record.treatment in beside["treatments"]:
        return "beside"
    if record.source_kind != _FIRST_HAND:
        return "indirect"
    if record.statistic == f"direction: {NO_DIFFERENCE}":
        return "none"
    low, high = record.ci_low, record.ci_high
    if not scale or low is None or high is None:
        return "words"
    better = next((name for name, texts in _content()["better"].items() if record.endpoint in texts), None)
    if better is None:
        raise _missing("better", record.endpoint)
    if better == "neither":
        return "words"
    none = _NONE.get(scale, 0.0)
    if scale != "to_treat" and low <= none <= high:
        return "none"
    is_more = low > none
    is_good = scale == "to_treat" or is_more == (better == "higher")
    return "favors" if is_good else "worse"


def _cell(row: str, substance: str, records: list[StudyRecord | CareRecord]) -> Cell | None:
    if not records:
        return None
    counts = Counter(map(reading_of, records))
    return Cell(
        row=row,
        substance=substance,
        says=_together(counts),
        counts={name: counts[name] for name in READINGS if counts[name]},
        records=tuple(one.id for one in records),
        n_studies=sum(isinstance(one, StudyRecord) for one in records),
    )


def _together(counts: Mapping[str, int]) -> str:
    """What the readings of a cell say: in favor only where nothing first-hand says otherwise."""
    speaks = {name for name in ("favors", "mixed", "none", "worse", "unclear") if counts.get(name)}
    if speaks == {"favors"}:
        return "favors"
    if speaks in ({"none"}, {"worse"}):
        return next(iter(speaks))
    if speaks:
        return "disagree"
    return "open" if set(counts) == {"open"} else "indirect"


def _records(registry: EvidenceRegistry) -> Iterator[StudyRecord | CareRecord]:
    yield from registry.studies
    yield from registry.care
    yield from registry.about("way-of-life")


def _missing(table: str, text: str) -> LibraryError:
    return LibraryError(where=f"library/{_FILE}, {table}", got=text, allowed="a text that is listed there")


@cache
def _content() -> Mapping[str, Any]:
    return read_library_toml(files("remission.library").joinpath(_FILE))
