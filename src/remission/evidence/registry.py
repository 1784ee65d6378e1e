"""The registry: every trial, review and natural-history source, and numbers on what stands beside them.

Beside trials stand established treatments, way of life, blinding, comorbidity and amounts of use, one file each and one
form of record. ``load_evidence`` reads all files once. Filters narrow, they never change a record; conflicts stand side
by side with the kind of each statement. What people see is :func:`public_record`: the record without the addresses
where numbers were read, with its citation by DOI, PMID or registry number.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from remission.errors import LibraryError, check_known
from remission.evidence.classes import declared_conflicts, design_of, role_of, substances_of
from remission.library.published import trial_citation
from remission.records.evidence import CareRecord, StudyOutcome, StudyRecord
from remission.records.packaged import evidence_records, packaged_records
from remission.records.result import Result

TOPICS = {
    "care": "numbers on established treatments",
    "way-of-life": "numbers on way of life: exercise, mutual help, mindfulness, sleep, food",
    "blinding": "numbers on blinding: what people guessed, and what a control does to an effect",
    "comorbidity": "numbers on depression, pain and other conditions beside use",
    "amounts": "numbers on amounts: drinks, cigarettes, days of use",
}
"""What the records beside trials are about, in the order in which they are shown."""
_FILES = {topic: "standard-care.json" if topic == "care" else f"{topic}.json" for topic in TOPICS}
_HIDDEN = {"source_url"}
_UNVERIFIED = re.compile(r"\b(?:author|journal)\b[^;]*\bunverified\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictStatement:
    """One side of a conflict: an outcome and the record it stands in."""

    study: StudyRecord
    outcome: StudyOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Sources that disagree on one quantity, or a number that is easily misread."""

    study_id: str
    quantity: str
    says: str
    statements: tuple[ConflictStatement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRegistry(Result):
    """Records in the order of their files. ``studies`` are trials and reviews, ``care`` established treatments.

    ``beside`` are the records of the other topics, by topic.
    """

    studies: tuple[StudyRecord, ...]
    care: tuple[CareRecord, ...]
    beside: dict[str, tuple[CareRecord, ...]] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """One row a record."""
        rows = list(self)
        names = ("id", "substance", "population", "citation")
        return {name: [getattr(one, name) for one in rows] for name in names}

    def to_json(self) -> str:
        """Every record as :func:`public_record` gives it: the addresses where numbers were read are never printed."""
        return json.dumps([public_record(one) for one in self], ensure_ascii=False, allow_nan=False)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[StudyRecord | CareRecord]:
        yield from self.studies
        yield from self.care
        for rows in self.beside.values():
            yield from rows

    def about(self, topic: str) -> tuple[CareRecord, ...]:
        """The records of a topic of :data:`TOPICS`. Raises SpecError: there is no such topic."""
        _check("about", topic, TOPICS)
        return self.care if topic == "care" else self.beside.get(topic, ())

    def __getitem__(self, record_id: str) -> StudyRecord | CareRecord:
        """The record of that id. Raises SpecError: there is none; the message lists the nearest."""
        records = {one.id: one for one in self}
        check_known(
            record_id, records, where="evidence id", names="records", more="All of them: remission evidence list."
        )
        return records[record_id]

    def filter(
        self,
        *,
        substance: str | None = None,
        role: str | None = None,
        design: str | None = None,
        source_kind: str | None = None,
        has_interval: bool | None = None,
    ) -> "EvidenceRegistry":
        """The records that fit every condition given; a record fits a condition on outcomes when one outcome does.

        Parameters
        ----------
        substance, role, design
            As :mod:`remission.evidence.classes` groups them. A role or design leaves no care record, which has none.
        source_kind
            How a number was read.
        has_interval
            Whether a number has an interval; together with ``source_kind`` the same number must fit both.

        Raises
        ------
        SpecError
            A name that no record has; the message lists those there are.
        """
        _check("substance", substance, self.substances())
        _check("role", role, {role_of(study.role) for study in self.studies})
        _check("design", design, {design_of(study.id) for study in self.studies})
        _check("kind", source_kind, {item.source_kind for item in self._numbers()})

        def fits(item: StudyOutcome | CareRecord) -> bool:
            return (source_kind is None or item.source_kind == source_kind) and (
                has_interval is None or item.has_interval == has_interval
            )

        is_any = source_kind is None and has_interval is None
        studies = tuple(
            study
            for study in self.studies
            if (substance is None or substance in substances_of(study.substance))
            and (role is None or role_of(study.role) == role)
            and (design is None or design_of(study.id) == design)
            and (is_any or any(fits(outcome) for outcome in study.outcomes))
        )

        def kept(rows: tuple[CareRecord, ...]) -> tuple[CareRecord, ...]:
            return tuple(
                record
                for record in rows
                if role is None
                and design is None
                and (substance is None or substance in substances_of(record.substance))
                and fits(record)
            )

        beside = {topic: kept(rows) for topic, rows in self.beside.items()}
        return EvidenceRegistry(studies=studies, care=kept(self.care), beside=beside)

    def substances(self) -> tuple[str, ...]:
        """Substances a filter takes, sorted."""
        return tuple(sorted({name for record in self for name in substances_of(record.substance)}))

    def conflicts(self, study_id: str) -> tuple[Conflict, ...]:
        """Conflicts of a record: each quantity with what every source says, and how each was read.

        Raises SpecError: there is no record of that id.
        """
        self[study_id]
        return tuple(self._conflict(entry) for entry in declared_conflicts() if study_id == entry["study"])

    def _conflict(self, entry: Any) -> Conflict:
        return Conflict(
            study_id=entry["study"],
            quantity=entry["quantity"],
            says=entry["says"],
            statements=tuple(self._statement(*words) for words in entry["statements"]),
        )

    def _statement(self, study_id: str, *words: str) -> ConflictStatement:
        study = self[study_id]
        if isinstance(study, StudyRecord):
            for item in study.outcomes:
                if (item.arm_or_contrast, item.endpoint, item.statistic) == words:
                    return ConflictStatement(study=study, outcome=item)
        raise LibraryError(
            where=f"library/evidence-classes.toml, conflict of {study_id}",
            got=" | ".join(words),
            allowed="the words of an outcome of that record",
        )

    def _numbers(self) -> Iterator[StudyOutcome | CareRecord]:
        for record in self:
            yield from record.outcomes if isinstance(record, StudyRecord) else (record,)


@cache
def load_evidence() -> EvidenceRegistry:
    """The registry of the library.

    Raises
    ------
    LibraryError
        A file is missing or damaged, or a record does not fit its type.

    Examples
    --------
    >>> registry = load_evidence()
    >>> len(registry.studies), len(registry.care), len(registry.about("way-of-life"))
    (73, 116, 33)
    >>> [study.id for study in registry.filter(substance="alcohol", role="calibration").studies][:2]
    ['grabski_2022_kare', 'combine_2006']
    """
    rows = {topic: tuple(packaged_records(CareRecord, name)) for topic, name in _FILES.items()}
    return EvidenceRegistry(studies=tuple(evidence_records().values()), care=rows.pop("care"), beside=rows)


def citation_of(record: StudyRecord | CareRecord) -> str:
    """The citation with DOI, PMID or registry number; never an address. Unverified identifiers are left out.

    A record whose note calls its author or journal unverified is cited by its numbers alone.
    """
    if isinstance(record, StudyRecord):
        return str(trial_citation(record.id))
    numbers = _identifiers(record.doi_or_pmid or "")
    text = "" if numbers and _UNVERIFIED.search(record.note or "") else record.citation.rstrip(".")
    # A number that the words hold already is not said twice.
    return " ".join(f"{part}." for part in (text, *(one for one in numbers if one not in text)) if part)


def public_record(record: StudyRecord | CareRecord) -> dict[str, Any]:
    """What people see of a record: its fields without addresses, and its citation as ``cite_as``."""
    data = _without_addresses(record.to_dict())
    if isinstance(record, StudyRecord):
        # The identifiers that were verified are in the citation; the others stay in the file.
        cited = trial_citation(record.id)
        data |= {"doi": cited.doi, "pmid": cited.pmid, "registration": ", ".join(cited.registrations)}
        data |= {"design_class": design_of(record.id), "role_class": role_of(record.role)}
    return {**data, "cite_as": citation_of(record)}


def _identifiers(text: str) -> list[str]:
    """The identifiers in a field that may hold several, or words; a number alone is a PMID."""
    found = []
    for part in (piece.strip() for piece in text.split(";")):
        bare = re.sub(r"\s*\([^)]*\)$", "", part)
        if re.fullmatch(r"10\.\d{4,9}/\S+", bare):
            found.append(f"doi:{bare}")
        elif re.fullmatch(r"\d+", bare):
            found.append(f"PMID {bare}")
        elif re.match(r"(?:PMID \d|PMC\d|NCT\d{8})", bare):
            found.append(bare)
    return found


def _without_addresses(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _without_addresses(value) for name, value in data.items() if name not in _HIDDEN}
    return [_without_addresses(value) for value in data] if isinstance(data, list) else data


def _check(where: str, got: str | None, known: Iterable[str]) -> None:
    if got is not None:
        check_known(got, sorted(known), where=where)
