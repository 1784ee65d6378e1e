"""Results that a source gives in words: "no difference" is a result, never an absence.

A verdict stands in ``library/evidence-classes.toml`` beside the classes of endpoints that it speaks for. It is shown
with the kind of its source, wherever numbers on that endpoint are shown, and never enters a pooled number.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from remission.errors import LibraryError
from remission.evidence.classes import (
    comparison_of,
    declared_verdicts,
    design_of,
    endpoint_of,
    is_difference,
    measure_of,
)
from remission.evidence.contrasts import find_endpoint, holds_no_effect
from remission.evidence.registry import EvidenceRegistry, load_evidence
from remission.records.evidence import CareRecord, StudyOutcome, StudyRecord

NO_DIFFERENCE = "no difference"

_TREATMENT, _CONTROL, _HARM, _UNKNOWN = "favors treatment", "favors control", "harm", "direction unknown"

# Words with which a statistic claims a difference even without an interval; a bare ratio or difference claims none.
_LESS, _MORE = ("lower", "decrease", "fewer", "reduction"), ("higher", "increase", "more")

RESULTS = (
    NO_DIFFERENCE,
    "some differences, some none",
    "a difference",
    "a result in words",
    "no comparison that can be judged",
    "no result yet",
)
"""What a record found, in the order in which records are listed: what is easily overlooked comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A result in words. ``endpoints`` are the classes it speaks for; empty for what only explains an effect."""

    study: StudyRecord
    contrast: str
    endpoint: str
    says: str
    endpoints: tuple[str, ...]
    time_days: float | None
    n: int | None
    source_kind: str
    remarks: str

    @property
    def text(self) -> str:
        """The verdict with the number of people, as rows show it."""
        people = "" if self.n is None else f", n = {self.n}"
        return f"{self.says}{people}"

    @property
    def is_first_hand(self) -> bool:
        """Whether it was read in an abstract or a registry."""
        return self.source_kind == "abstract or registry"

    @property
    def direction(self) -> str:
        """Which way a difference in words goes, as :func:`direction_of_outcome`; empty for no difference."""
        if self.says == NO_DIFFERENCE or not self.endpoints:
            return ""
        favored = self.says.removeprefix("favors ").casefold()
        sides = [side.casefold() for side in re.split(r" vs?\.? ", self.contrast)]
        if favored == self.says.casefold() or len(sides) != 2 or sum(favored in side for side in sides) != 1:
            return _UNKNOWN
        return _TREATMENT if favored in sides[0] else _worse(self.study, is_harm="harm" in self.endpoints)


def verdicts(registry: EvidenceRegistry) -> tuple[Verdict, ...]:
    """All verdicts on records of a registry, "no difference" first, then by record, so that order changes nothing."""
    known = {study.id: study for study in registry.studies}
    found = [
        _verdict(entry, known[name])
        for entry in declared_verdicts()
        if (name := str(entry.get("record") or entry["statement"][0])) in known
    ]
    return tuple(sorted(found, key=lambda one: (one.says != NO_DIFFERENCE, one.study.id, one.contrast, one.endpoint)))


def verdicts_of(registry: EvidenceRegistry, *, substance: str, endpoint: str) -> tuple[Verdict, ...]:
    """The verdicts on a substance and a class of endpoints. Raises SpecError: an unknown substance or endpoint."""
    wanted = find_endpoint(endpoint).id
    return tuple(one for one in verdicts(registry.filter(substance=substance)) if wanted in one.endpoints)


def result_of(study: StudyRecord) -> str:
    """What a record found, one of :data:`RESULTS`; derived from its own contrasts, verdicts and role.

    A contrast with an interval that holds no effect counts as no difference, whatever its direction. A null never hides
    a difference that another number of the record claims, in the same endpoint at another time or by another source.
    """
    own = [one for one in verdicts(EvidenceRegistry(studies=(study,), care=())) if one.endpoints]
    held = [one for one in map(holds_no_effect, study.outcomes) if one is not None]
    in_words = {name for one in own if one.says == NO_DIFFERENCE for name in one.endpoints}
    is_null = bool(in_words) or any(held) or "null" in study.role
    # No difference in one endpoint says nothing of another that has numbers.
    has_other = "null" not in study.role and any(
        item.value is not None and endpoint_of(item.endpoint).id not in in_words | {"other", "harm"}
        for item in study.outcomes
    )
    is_different = any(not one for one in held) or any(one.says.startswith("favors") for one in own)
    is_claimed = any(item.ci_low is None and _claimed_sign(item) for item in study.outcomes)
    if is_null or is_different:
        is_mixed = is_null and (is_different or is_claimed or (bool(in_words) and has_other))
        return RESULTS[1] if is_mixed else RESULTS[0] if is_null else RESULTS[2]
    if is_claimed:
        return RESULTS[2]
    if study.role == "prospective prediction target" and design_of(study.id) != "uncontrolled":
        return RESULTS[5]
    return RESULTS[3] if own else RESULTS[4]


def direction_of_outcome(study: StudyRecord, item: StudyOutcome) -> str:
    """Which way a contrast goes: "favors treatment", "favors control", "harm", "no difference", "direction unknown".

    Empty for a single arm, and for a number without an interval unless its own words claim a difference. The treatment
    is what the contrast names first. It is harm where the treated fare worse and the endpoint or the role of the
    record is one of harm.
    """
    if comparison_of(item.arm_or_contrast) is None or item.value is None:
        return ""
    holds = holds_no_effect(item)
    if holds:
        return NO_DIFFERENCE
    sign = _claimed_sign(item)
    if holds is None and not sign:
        return ""
    if not sign:
        measure = measure_of(item.statistic)
        is_ratio = "ratio" in item.statistic if measure is None else measure.scale == "log"
        if is_ratio or is_difference(item.statistic):
            sign = 1 if item.value > (1.0 if is_ratio else 0.0) else -1
    better = endpoint_of(item.endpoint)
    if not sign or better.better == "neither":
        return _UNKNOWN
    if (sign > 0) == (better.better == "higher"):
        return _TREATMENT
    return _worse(study, is_harm=better.id == "harm")


def direction_of(study: StudyRecord) -> str:
    """Which way the differences of a record go, of its numbers and words together; empty where it found none.

    A direction that no abstract or registry supports carries the kind of its source in brackets.
    """
    found: dict[str, set[str]] = {}
    for item in study.outcomes:
        found.setdefault(direction_of_outcome(study, item), set()).add(item.source_kind)
    for one in verdicts(EvidenceRegistry(studies=(study,), care=())):
        if one.says.startswith("favors"):
            found.setdefault(one.direction, set()).add(one.source_kind)
    return " and ".join(
        name if "abstract or registry" in kinds else f"{name} [{', '.join(sorted(kinds))}]"
        for name in (_HARM, _CONTROL, _UNKNOWN, _TREATMENT)
        if (kinds := found.get(name))
    )


def found_text(study: StudyRecord) -> str:
    """What a record found and which way, as lists and pages show it."""
    result = result_of(study)
    if result == RESULTS[1]:
        return f"{result}: {direction_of(study) or _UNKNOWN}"
    return f"{result}: {direction_of(study)}" if result == RESULTS[2] else result


def by_result(studies: Iterable[StudyRecord]) -> tuple[StudyRecord, ...]:
    """Records in the order of :data:`RESULTS`, then as they came."""
    return tuple(sorted(studies, key=lambda study: RESULTS.index(result_of(study))))


def _worse(study: StudyRecord, *, is_harm: bool) -> str:
    return _HARM if is_harm or re.search(r"\bharm", study.role) else _CONTROL


def _claimed_sign(item: StudyOutcome) -> int:
    """1 or -1 where the words of a contrast's statistic say more or less, 0 where they say neither."""
    words = set(item.statistic.casefold().split())
    if comparison_of(item.arm_or_contrast) is None or not item.value:
        return 0
    says = (not words.isdisjoint(_MORE)) - (not words.isdisjoint(_LESS))
    return says if item.value > 0 else -says


def _verdict(entry: Any, study: StudyRecord) -> Verdict:
    shared: dict[str, Any] = {"study": study, "says": entry["says"], "endpoints": tuple(entry["endpoints"])}
    if "row" in entry:
        row = load_evidence()[entry["row"]]
        assert isinstance(row, CareRecord), "a verdict outside its record stands in a number of another file"
        return Verdict(
            **shared,
            contrast=entry["contrast"],
            endpoint=row.endpoint,
            time_days=row.time_days,
            n=_people(study, row),
            source_kind=row.source_kind,
            remarks=row.note or "",
        )
    for item in study.outcomes:
        if [item.arm_or_contrast, item.endpoint, item.statistic] == list(entry["statement"][1:]):
            return Verdict(
                **shared,
                contrast=item.arm_or_contrast,
                endpoint=item.endpoint,
                time_days=item.time_days,
                n=item.n,
                source_kind=item.source_kind,
                remarks=item.remarks,
            )
    raise LibraryError(
        where=f"library/evidence-classes.toml, verdict of {study.id}",
        got=" | ".join(entry["statement"]),
        allowed="the words of an outcome of that record",
    )


def _people(study: StudyRecord, row: CareRecord) -> int | None:
    """Everybody in the comparison: of both arms where the row counts one."""
    sizes = [arm.n for arm in study.arms]
    counted = [size for size in sizes if size is not None]
    return sum(counted) if counted and len(counted) == len(sizes) else row.n
