"""Published results: the outcomes of the evidence registry, looked up by a trial's own words.

The registry is ``evidence.json``; ``evidence.README.md`` beside it says what its fields mean. What people see of a
source is its citation with DOI, PMID or registry number, never the address where a number was read.
"""

import re
from dataclasses import dataclass

from remission.errors import LibraryError, check_known
from remission.records.evidence import StudyOutcome, StudyRecord
from remission.records.packaged import evidence_records, verdict_words

_NOT_READ = {"unverified", "memory"}
"""A DOI of this confidence was never seen in print and is not shown."""


class PublishedOutcome(StudyOutcome):
    """An outcome with a number; ``trial_id`` is its record, ``doi`` the publication."""

    value: float
    ci_low: float | None
    ci_high: float | None
    trial_id: str
    doi: str | None


class PublishedVerdict(StudyOutcome):
    """An outcome without a number: what it ``says``; ``doi`` is the publication."""

    says: str
    doi: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCitation:
    """How to cite a record: the reference, and the identifiers that were verified. ``str()`` joins them."""

    text: str
    doi: str | None
    pmid: str | None
    registrations: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{self.text.rstrip('.')}."]
        if self.doi is not None:
            parts.append(f"doi:{self.doi}.")
        if self.pmid is not None:
            parts.append(f"PMID {self.pmid}.")
        if self.registrations:
            parts.append(f"{', '.join(self.registrations)}.")
        return " ".join(parts)


def list_trials() -> tuple[str, ...]:
    """Ids of all records of the registry, in its order."""
    return tuple(evidence_records())


def trial_record(trial_id: str) -> StudyRecord:
    """A record of the registry.

    Raises LibraryError: there is none of that id.
    """
    records = evidence_records()
    check_known(trial_id, records, where="evidence", names="records", error=LibraryError)
    return records[trial_id]


def published_outcomes(trial_id: str) -> tuple[PublishedOutcome, ...]:
    """Every outcome of a record that has a value, in the record's order.

    Raises LibraryError: there is no record of that id.
    """
    doi = trial_citation(trial_id).doi
    outcomes = (item.to_dict() for item in trial_record(trial_id).outcomes if item.value is not None)
    return tuple(PublishedOutcome(**item, trial_id=trial_id, doi=doi) for item in outcomes)


def published_outcome(trial_id: str, *, arm_or_contrast: str, endpoint: str, statistic: str) -> PublishedOutcome:
    """The one outcome of a record with these words.

    Raises LibraryError: there is no such record, no outcome with these words, or more than one.

    Examples
    --------
    >>> found = published_outcome(
    ...     "grabski_2022_kare",
    ...     arm_or_contrast="KT vs PE",
    ...     endpoint="percentage days abstinent over 6 months",
    ...     statistic="mean difference (percentage points)",
    ... )
    >>> found.value, found.ci_low, found.ci_high
    (15.9, 3.8, 28.1)
    """
    wanted = (arm_or_contrast, endpoint, statistic)
    known = published_outcomes(trial_id)
    found = [item for item in known if (item.arm_or_contrast, item.endpoint, item.statistic) == wanted]
    if len(found) == 1:
        return found[0]
    words = [f"{item.arm_or_contrast} | {item.endpoint} | {item.statistic}" for item in known]
    raise LibraryError(
        where=f"evidence.{trial_id}",
        got=" | ".join(wanted),
        allowed=f"the words of exactly one outcome (arm or contrast | endpoint | statistic); {len(found)} have these",
        remedy=f"This record has: {'; '.join(words)}." if words else "This record has no outcome with a value.",
    )


def published_verdict(trial_id: str, *, arm_or_contrast: str, endpoint: str, statistic: str) -> PublishedVerdict | None:
    """The result in words of a record with these words, or none where it is a number.

    Raises LibraryError: there is no record of that id.

    Examples
    --------
    >>> words = {"arm_or_contrast": "Ketamine vs saline", "endpoint": "status at 4-month follow-up"}
    >>> published_verdict("jovaisa_2006", **words, statistic="direction: no difference").says
    'no difference'
    """
    says = verdict_words().get((trial_id, arm_or_contrast, endpoint, statistic))
    if says is None:
        return None
    wanted = (arm_or_contrast, endpoint, statistic)
    for item in trial_record(trial_id).outcomes:
        if (item.arm_or_contrast, item.endpoint, item.statistic) == wanted:
            return PublishedVerdict(**item.to_dict(), says=says, doi=trial_citation(trial_id).doi)
    return None


def trial_citation(trial_id: str) -> TrialCitation:
    """How to cite a record: DOI, PMID and registry numbers, unverified ones left out.

    Raises LibraryError: there is no record of that id.

    Examples
    --------
    >>> trial_citation("dakwar_2019_cocaine").doi
    '10.1176/appi.ajp.2019.18101123'
    """
    record = trial_record(trial_id)
    pmid = re.fullmatch(r"(\d{6,9})(?: / PMC\d+)?", record.pmid or "")
    registry = re.findall(
        r"\b(NCT\d{8}|ACTRN\d{14}|ISRCTN\d{8}|EudraCT \d{4}-\d{6}-\d{2})(?! \(unverified)(?! from unverified)",
        # A later trial's number is not the number of the pilot before it.
        re.sub(r"predecessor of \w+", "", record.registration or ""),
    )
    return TrialCitation(
        text=record.citation,
        doi=None if record.doi_confidence in _NOT_READ else record.doi,
        pmid=pmid.group(1) if pmid else None,
        registrations=tuple(registry),
    )
