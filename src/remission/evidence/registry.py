"""The registry: every trial, review and natural-history source, and the numbers on established treatments.

``load_evidence`` reads both files once. Filters narrow, they never change a record; conflicts stand side by side with
the kind of each statement. What people see is :func:`public_record`: the record without the addresses where numbers
were read, with its citation by DOI, PMID or registry number.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from remission.errors import LibraryError, SpecError, did_you_mean
from remission.evidence.classes import declared_conflicts, design_of, role_of, substances_of
from remission.evidence.records import CareRecord, StudyOutcome, StudyRecord
from remission.library.published import trial_citation

__all__ = ["Conflict", "ConflictStatement", "EvidenceRegistry", "citation_of", "load_evidence", "public_record"]

_HIDDEN = {"source_url"}
_R = TypeVar("_R", StudyRecord, CareRecord)


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
class EvidenceRegistry:
    """Records in the order of their files. ``studies`` are trials and reviews, ``care`` established treatments."""

    studies: tuple[StudyRecord, ...]
    care: tuple[CareRecord, ...]

    def __len__(self) -> int:
        return len(self.studies) + len(self.care)

    def __iter__(self) -> Iterator[StudyRecord | CareRecord]:
        yield from self.studies
        yield from self.care

    def __getitem__(self, record_id: str) -> StudyRecord | CareRecord:
        """The record of that id.

        Raises
        ------
        SpecError
            There is none; the message lists the nearest.
        """
        for record in self:
            if record.id == record_id:
                return record
        raise SpecError(
            where="evidence id",
            got=record_id,
            allowed=f"must be the id of one of the {len(self)} records",
            remedy=f"{did_you_mean(record_id, [one.id for one in self])} All of them: remission evidence list.".strip(),
        )

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
        care = tuple(
            record
            for record in self.care
            if role is None
            and design is None
            and (substance is None or substance in substances_of(record.substance))
            and fits(record)
        )
        return EvidenceRegistry(studies=studies, care=care)

    def substances(self) -> tuple[str, ...]:
        """Substances a filter takes, sorted."""
        return tuple(sorted({name for record in self for name in substances_of(record.substance)}))

    def conflicts(self, study_id: str) -> tuple[Conflict, ...]:
        """Conflicts of a record: each quantity with what every source says, and how each was read.

        Raises
        ------
        SpecError
            There is no record of that id.
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
        for study in self.studies:
            yield from study.outcomes
        yield from self.care


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
    >>> len(registry.studies), len(registry.care)
    (56, 116)
    >>> [study.id for study in registry.filter(substance="alcohol", role="calibration").studies][:2]
    ['grabski_2022_kare', 'combine_2006']
    """
    return EvidenceRegistry(
        studies=tuple(_parse(StudyRecord, item, "evidence.json") for item in _read("evidence.json")),
        care=tuple(_parse(CareRecord, item, "standard-care.json") for item in _read("standard-care.json")),
    )


def citation_of(record: StudyRecord | CareRecord) -> str:
    """The citation with DOI, PMID or registry number; never an address. Unverified identifiers are left out."""
    if isinstance(record, StudyRecord):
        return str(trial_citation(record.id))
    return f"{record.citation.rstrip('.')}. {_identifier(record.doi_or_pmid)}".strip()


def public_record(record: StudyRecord | CareRecord) -> dict[str, Any]:
    """What people see of a record: its fields without addresses, and its citation as ``cite_as``."""
    data = _without_addresses(record.to_dict())
    if isinstance(record, StudyRecord):
        # The identifiers that were verified are in the citation; the others stay in the file.
        cited = trial_citation(record.id)
        data |= {"doi": cited.doi, "pmid": cited.pmid, "registration": ", ".join(cited.registrations)}
        data |= {"design_class": design_of(record.id), "role_class": role_of(record.role)}
    return {**data, "cite_as": citation_of(record)}


def _identifier(text: str | None) -> str:
    if text is None:
        return ""
    if text.startswith("10."):
        return f"doi:{text}."
    return f"PMID {text}." if re.fullmatch(r"\d+", text) else f"{text}."


def _without_addresses(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _without_addresses(value) for name, value in data.items() if name not in _HIDDEN}
    return [_without_addresses(value) for value in data] if isinstance(data, list) else data


def _check(where: str, got: str | None, known: Iterable[str]) -> None:
    names = sorted(known)
    if got is not None and got not in names:
        raise SpecError(
            where=where,
            got=got,
            allowed=f"must be one of: {', '.join(names)}",
            remedy=did_you_mean(got, names),
        )


def _read(name: str) -> list[dict[str, Any]]:
    try:
        content: list[dict[str, Any]] = json.loads(files("remission.library").joinpath(name).read_bytes())
    except (OSError, ValueError) as error:
        raise LibraryError(
            where=f"library/{name}",
            got=str(error),
            allowed="a readable JSON file",
            remedy="Install the package again; a file of its library is damaged.",
        ) from None
    return content


def _parse(kind: type[_R], item: dict[str, Any], name: str) -> _R:
    try:
        return kind.from_dict(item)
    except SpecError as error:
        raise LibraryError(
            where=f"library/{name}, {item.get('id')}", got=str(error), allowed="a record that fits its type"
        ) from error
