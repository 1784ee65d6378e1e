"""Records of the evidence for readers: our own working notes in plain words, abbreviations, and what misleads alone.

The records stay as they were read. What is said beside or instead of their words is data, ``words/evidence.toml``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from remission.evidence.classes import comparison_of, design_of, endpoint_of
from remission.evidence.matrix import interval_holds_no_difference
from remission.evidence.registry import citation_of
from remission.evidence.verdicts import RESULTS, result_of
from remission.records.base import Record
from remission.records.evidence import CareRecord, StudyOutcome, StudyRecord
from remission.records.packaged import packaged_toml

_R = TypeVar("_R", bound=StudyRecord | CareRecord)

ZERO = "A count of 0 does not say that there is no harm: few people cannot show what is rare."
NO_FORECAST = (
    "Remission here is counted in surveys, mostly after many years or over a whole life. It is no forecast for one "
    "person, and no reason to wait without help."
)
TWO_AT_ONCE = (
    "One comparison changes two things at once, ketamine and therapy, and does not tell which of the two did it."
)
KETAMINE_AND_THERAPY = "ketamine with therapy v neither"
"""The comparison of which :data:`TWO_AT_ONCE` is said."""

_NOT_FOUND = "A difference that was not found is not the same as none: a small study can miss one."
_OF_HARM = re.compile(r"\(harm\)|death|overdose|seizure")
"""Words of an endpoint or a substance that is itself a harm."""
_WITHOUT_DRUG = ("none", "saline", "placebo", "sham")


def readable(record: _R) -> _R:
    """A record with words for readers in place of notes for ourselves; numbers and identifiers are untouched."""
    fields: Mapping[str, Any] = packaged_toml("words", "evidence.toml")["fields"].get(record.id, {})
    citation = {"citation": _plain_citation(record.citation)}
    return cast("_R", record.model_copy(update={**_said_plainly(record), **citation, **fields}))


def cited(record: StudyRecord | CareRecord) -> str:
    """The citation of a record, with our own notes in it in plain words; titles are as they were printed."""
    # The note says what of a citation is unverified, so it stays as it was written.
    return _plain_citation(citation_of(record.model_copy(update={"citation": readable(record).citation})))


def plain(text: str) -> str:
    """A text with words for readers in place of notes for ourselves."""
    for ours, theirs in packaged_toml("words", "evidence.toml")["instead"].items():
        text = text.replace(ours, theirs)
    return text


def words_in(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The abbreviations and terms that occur in texts, each with what it means, by name."""
    text = "\n".join(texts)
    return tuple((name, meaning) for name, pattern, meaning in _meanings() if pattern.search(text))


def texts_of(record: StudyRecord | CareRecord) -> Iterator[str]:
    """Every text of a record that readers see, its citation left out."""
    hidden = {"id", "citation", "doi", "pmid", "registration", "source_url", "doi_or_pmid", "doi_confidence"}
    yield from _texts(record.model_dump(exclude={"arms", "outcomes", *hidden}))
    if isinstance(record, StudyRecord):
        for one in (*record.arms, *record.outcomes):
            yield from _texts(one.model_dump(exclude=hidden))


def cautions(record: StudyRecord | CareRecord) -> tuple[str, ...]:
    """What a record does not say, in whole sentences: read alone it would mislead without them. May be empty."""
    return tuple(_of_study(record) if isinstance(record, StudyRecord) else _of_number(record))


def _of_study(study: StudyRecord) -> Iterator[str]:
    if "WITHDRAWN" in study.design:
        yield "This trial was withdrawn. Nobody took part, and it shows nothing."
    elif all(item.endpoint in {"planned enrolment", "enrolled"} for item in study.outcomes):
        yield "No result of this study is on file here."
    else:
        numbers = [item for item in study.outcomes if item.value is not None]
        yield from _of_comparison(study, numbers)
        yield from _of_kind(study, numbers)


def _of_comparison(study: StudyRecord, numbers: Sequence[StudyOutcome]) -> Iterator[str]:
    result, design = result_of(study), design_of(study.id)
    comparisons = {comparison_of(item.arm_or_contrast) for item in numbers} - {None}
    groups = Counter(item.endpoint for item in numbers if design == "randomized")
    if result in RESULTS[:2]:
        yield _NOT_FOUND
    if design == "controlled-not-randomized":
        yield "Chance did not decide who got what, so the groups may differ in more than the treatment."
    if result == RESULTS[4] and comparisons:
        yield "A comparison stands below without an interval, so nobody can tell from it how sure the difference is."
    elif result in {RESULTS[1], RESULTS[4]} and not comparisons and max(groups.values(), default=0) > 1:
        yield (
            "Numbers of several groups stand below. Whether they differ by more than chance is not on file here: do "
            "not read their difference as what the treatment does."
        )
    elif result == RESULTS[4]:
        yield (
            "This record holds no comparison between groups, so by itself it cannot tell what a treatment did, and "
            "what time or chance did."
        )
    if KETAMINE_AND_THERAPY in comparisons:
        yield TWO_AT_ONCE


def _of_kind(study: StudyRecord, numbers: Sequence[StudyOutcome]) -> Iterator[str]:
    if any(endpoint_of(item.endpoint).id == "remission" for item in numbers):
        yield NO_FORECAST
    if design_of(study.id) == "review":
        yield (
            "A review gathers or quotes trials and is not one more trial. How many of them were in favor says nothing "
            "of how large or how sure an effect is."
        )
    harms = [item for item in study.outcomes if endpoint_of(item.endpoint).id == "harm"]
    if any(item.value == 0 for item in harms):
        yield ZERO
    if not harms and any(arm.drug and not arm.drug.startswith(_WITHOUT_DRUG) for arm in study.arms):
        yield "No harm was read for this record. That does not mean that there was none."


def _of_number(record: CareRecord) -> Iterator[str]:
    if record.treatment == "-":
        yield "This counts people as they were. It says nothing of a treatment, and is no forecast for one person."
        return
    per_100 = (record.absolute_per_100_treated, record.absolute_per_100_control)
    if record.comparator in {None, "-"}:
        yield "This is the number of one group. By itself it does not tell what a treatment did."
        return
    if record.statistic == "direction: no difference":
        yield _NOT_FOUND
    elif record.statistic.startswith("direction"):
        yield "A result in words: how large it is, and how sure, was not read."
    elif interval_holds_no_difference(record):
        yield f"The interval holds no difference. {_NOT_FOUND}"
    elif not record.has_interval:
        yield "No interval was read, so nobody can tell from this number how sure it is."
    if record.id in packaged_toml("words", "evidence.toml")["not_by_chance"]["records"]:
        yield "Chance did not decide what stands on which side, so the two may differ in more than this."
    if 0 in per_100:
        yield "A 0 is not never: few people cannot show what is rare."
    # A condition that people have is compared with none: that is no treatment.
    if not _OF_HARM.search(f"{record.endpoint} {record.substance}") and "depress" not in record.treatment:
        yield "This is one outcome. It says nothing of harms."


def _plain_citation(text: str) -> str:
    for ours, theirs in packaged_toml("words", "evidence.toml")["citation"].items():
        text = text.replace(ours, theirs)
    return text


def _said_plainly(record: Record) -> dict[str, Any]:
    """The fields that change, so that what a file left out stays out."""
    changed: dict[str, Any] = {}
    for name, value in record:
        if name == "citation":
            continue
        if isinstance(value, str) and plain(value) != value:
            changed[name] = plain(value)
        elif isinstance(value, tuple):
            changed[name] = tuple(one.model_copy(update=_said_plainly(one)) for one in value)
    return changed


@cache
def _meanings() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    found = packaged_toml("words", "evidence.toml")["means"]
    return tuple(
        (name, re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE if name.islower() else 0), found[name])
        for name in sorted(found, key=str.casefold)
    )


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:
    yield from (value for value in fields.values() if isinstance(value, str))
