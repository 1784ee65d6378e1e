"""Published results: the outcomes of the evidence registry, looked up by a trial's own words.

The registry is ``evidence.json``; ``evidence.README.md`` beside it says what its fields mean. What people see of a
source is its citation with DOI, PMID or registry number, never the address where a number was read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from remission.errors import LibraryError, check_known
from remission.records.packaged import evidence_records, verdict_words

SourceKind = Literal["abstract or registry", "secondary", "press", "derived"]
"""How a published number was read; only the first kind enters a likelihood."""


_NOT_READ = {"unverified", "memory"}
"""A DOI of this confidence was never seen in print and is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedOutcome:
    """One published number.

    Parameters
    ----------
    trial_id
        Id of the record in the registry.
    arm_or_contrast, endpoint, statistic
        What it is a number of, in the record's words; ``statistic`` names the unit where there is one.
    time_days
        Day of the trial. [day]
    value, ci_low, ci_high, sd
        The number, its 95% interval and the standard deviation, in the unit of the statistic; None where not given.
    n
        People behind it.
    source_kind
        How it was read.
    citation, doi
        The publication.
    note
        What to know about it; derivations included.
    """

    trial_id: str
    arm_or_contrast: str
    endpoint: str
    statistic: str
    time_days: float | None
    value: float
    ci_low: float | None
    ci_high: float | None
    sd: float | None
    n: int | None
    source_kind: SourceKind
    citation: str
    doi: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVerdict:
    """A published result without a number: what it ``says``, of ``n`` people, and how it was read."""

    trial_id: str
    endpoint: str
    says: str
    n: int | None
    source_kind: SourceKind
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


def trial_record(trial_id: str) -> Mapping[str, Any]:
    """A record of the registry as it stands in the file.

    Raises LibraryError: there is none of that id.
    """
    records = evidence_records()
    check_known(trial_id, records, where="evidence", names="records", error=LibraryError)
    return records[trial_id]


def published_outcomes(trial_id: str) -> tuple[PublishedOutcome, ...]:
    """Every outcome of a record that has a value, in the record's order.

    Raises LibraryError: there is no record of that id.
    """
    record = trial_record(trial_id)
    return tuple(_outcome(record, item) for item in record["outcomes"] if item["value"] is not None)


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
    for item in trial_record(trial_id)["outcomes"]:
        if (item["arm_or_contrast"], item["endpoint"], item["statistic"]) == wanted:
            return PublishedVerdict(
                trial_id=trial_id, endpoint=endpoint, says=says, n=item["n"], doi=trial_citation(trial_id).doi,
                source_kind=cast(SourceKind, item["source_kind"]),
            )  # fmt: skip
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
    pmid = re.fullmatch(r"(\d{6,9})(?: / PMC\d+)?", record["pmid"] or "")
    registry = re.findall(
        r"\b(NCT\d{8}|ACTRN\d{14}|ISRCTN\d{8}|EudraCT \d{4}-\d{6}-\d{2})(?! \(unverified)(?! from unverified)",
        # A later trial's number is not the number of the pilot before it.
        re.sub(r"predecessor of \w+", "", record["registration"] or ""),
    )
    return TrialCitation(
        text=record["citation"],
        doi=None if record.get("doi_confidence") in _NOT_READ else record["doi"],
        pmid=pmid.group(1) if pmid else None,
        registrations=tuple(registry),
    )


def _outcome(record: Mapping[str, Any], item: Mapping[str, Any]) -> PublishedOutcome:
    note = " ".join(text for text in (item.get("note"), item.get("derivation")) if text)
    return PublishedOutcome(
        trial_id=record["id"],
        arm_or_contrast=item["arm_or_contrast"],
        endpoint=item["endpoint"],
        statistic=item["statistic"],
        time_days=_optional(item["time_days"]),
        value=float(item["value"]),
        ci_low=_optional(item["ci_low"]),
        ci_high=_optional(item["ci_high"]),
        sd=_optional(item["sd"]),
        n=item["n"],
        source_kind=cast(SourceKind, item["source_kind"]),
        citation=record["citation"],
        doi=trial_citation(record["id"]).doi,
        note=note,
    )


def _optional(value: float | None) -> float | None:
    return None if value is None else float(value)
