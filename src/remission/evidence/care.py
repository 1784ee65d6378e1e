"""What patients are shown: options by substance, whom to call, and the numbers that sentences may carry.

A sentence on a patient page holds no typed number: it has slots such as ``{alc_naltrexone_jama_heavy.value}``, which
:func:`fill` takes from a record. A slot is ``id.part``: ``id`` is a record of the established treatments, a fact of
``library/care/facts.toml`` or a trial number named in ``library/care/options.toml``.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Literal

from remission.errors import LibraryError, SpecError
from remission.evidence.registry import citation_of, load_evidence
from remission.records.base import Record
from remission.records.evidence import CareRecord, StudyOutcome, StudyRecord
from remission.records.packaged import packaged_toml

__all__ = [
    "Contacts",
    "Line",
    "Option",
    "PatientNumber",
    "contacts_of",
    "countries",
    "fill",
    "load_options",
    "number_of",
    "slots_of",
    "substance_named",
]

_SLOT = re.compile(r"\{([a-z0-9_]+)\.([a-z]+)\}")
_WHOLE = {"days", "weeks", "months", "n", "treated", "control", "more"}
_LONGEST_NAME = 60
_DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.0}
_STORED = {"value", "low", "high", "treated", "control", "n"}


class Line(Record):
    """A telephone line; ``text`` is the word to send where the number takes messages and no calls."""

    kind: Literal["crisis", "drugs"]
    name: str
    number: str
    note: str
    text: str | None = None


class Finder(Record):
    """Where a country lists places of treatment, or says how to find one."""

    name: str
    address: str


class Contacts(Record):
    """Whom to call in one country, with names and notes in the reader's language.

    ``read`` is when the numbers were read, ``confirm_at`` where to confirm them.
    """

    country: str
    name: str
    emergency: str
    confirm_at: str
    read: date
    lines: tuple[Line, ...]
    finder: Finder | None = None


class Option(Record):
    """Something that can be done.

    ``kind``: established, research (ketamine), or none (no treatment, stopping alone).
    ``approved``: whether a medicine is approved for this use in the United States: yes, no, some, varies (by country),
    or talking where nothing needs approval.
    ``strength``: what kind of studies the words rest on; pages have a sentence for each.
    ``icons``: ids of numbers that count people, treated and control, on the outcome that its substance's options share.
    ``alone``: id of a number that counts people without treatment on that outcome, where the option is none.
    ``turned``: whether these count what one fears; the picture then shows the others, so that filled is always hope.
    ``counts``: ids of numbers that count people on another outcome; they are told in words.
    ``sources``: ids of evidence records behind the words.
    ``other_sources``: sources in words, where no record has the statement.
    """

    id: str
    substance: str
    kind: Literal["established", "research", "none"]
    approved: Literal["yes", "no", "some", "varies", "talking"]
    strength: Literal["reviews", "mixed", "large", "trials", "small", "watched", "hardly", "none"]
    icons: tuple[str, ...] = ()
    alone: str = ""
    turned: bool = False
    counts: tuple[str, ...] = ()
    sources: tuple[str, ...]
    other_sources: tuple[str, ...] = ()


class PatientNumber(Record):
    """A number with what a sentence may say of it; unknown parts are None. ``unit`` and ``source`` are for the reader.

    ``treated`` and ``control`` are people per 100 on the same endpoint; ``days`` is when it was measured. ``read`` and
    ``grade`` say when a fact was read and how firm it is; evidence records carry ``kind`` alone.
    """

    id: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    treated: float | None = None
    control: float | None = None
    treated_low: float | None = None
    treated_high: float | None = None
    control_low: float | None = None
    control_high: float | None = None
    n: int | None = None
    days: float | None = None
    unit: str
    source: str
    kind: str
    read: str = ""
    grade: str = ""

    def part(self, name: str) -> float:
        """A part as a number; ``more`` is a difference of proportions as people per 100, ``weeks`` a length of time.

        Raises LibraryError: the number has no such part; a text is wrong.
        """
        if name in _DAYS and self.days is not None:
            return self.days / _DAYS[name]
        if name == "more" and self.unit == "proportion" and self.value is not None:
            return 100.0 * self.value
        found = getattr(self, name, None) if name in _STORED else None
        if found is None:
            raise LibraryError(
                where=f"text slot {{{self.id}.{name}}}",
                got="nothing",
                allowed="a part that the record has",
                remedy="Correct the text file or the record.",
            )
        return float(found)


@cache
def _names() -> Mapping[str, str]:
    table = packaged_toml("care", "names.toml")
    return {name: substance for substance, names in table.items() for name in names}


def substance_named(text: str) -> str | None:
    """The substance that a brand, a street name or a Spanish word means; ``sedative`` has no options of its own.

    >>> substance_named("Heroína"), substance_named("crystal-meth"), substance_named("sugar")
    ('opioid', 'methamphetamine', None)
    """
    if len(text) > _LONGEST_NAME:
        return None
    parts = unicodedata.normalize("NFKD", text.casefold())
    return _names().get("".join(letter for letter in parts if letter.isalnum()))


def fill(text: str) -> str:
    """A sentence with its slots filled from records.

    Raises LibraryError: a slot names no number, or a part that it does not have.

    >>> fill("{nic_cochrane_varenicline.treated} of 100")
    '14 of 100'
    """
    return _SLOT.sub(lambda found: _written(number_of(found[1]), found[2]), text)


def slots_of(text: str) -> tuple[str, ...]:
    """Ids of the numbers that a text has slots for, each once, in order."""
    return tuple(dict.fromkeys(name for name, _ in _SLOT.findall(text)))


def _written(number: PatientNumber, part: str) -> str:
    """A number as patients read it: whole where it is large or counts something, two digits where it is small."""
    value = abs(number.part(part))
    if number.unit == "year":
        return str(round(value))
    if number.unit.startswith("days per"):
        return f"{value:.1f}".removesuffix(".0")
    if part in _WHOLE or number.unit == "people" or value >= 10.0:
        return f"{round(value):,}"
    # An interval that ends close to 1 needs the second decimal to tell an effect from none.
    n_decimals = 2 if number.low is not None and f"{number.low:.1f}" == "1.0" else 1
    return f"{value:.{n_decimals}f}".removesuffix(".0")


@cache
def number_of(number_id: str) -> PatientNumber:
    """The number of that id. Raises LibraryError: no record has it."""
    facts = packaged_toml("care", "facts.toml")
    if number_id in facts:
        return PatientNumber(id=number_id, **facts[number_id])
    trials = packaged_toml("care", "options.toml")["trial"]
    if number_id in trials:
        return _of_trial(number_id, trials[number_id])
    try:
        record = load_evidence()[number_id]
    except SpecError:
        record = None
    if not isinstance(record, CareRecord):
        raise LibraryError(
            where=f"number {number_id}",
            got="no record",
            allowed="a fact, a trial number or a record on an established treatment",
        )
    # Where the value is the people of the treated group, the interval is theirs.
    is_of_treated = record.unit == "people per 100" and record.value == record.absolute_per_100_treated
    return PatientNumber(
        id=number_id,
        value=record.value,
        low=record.ci_low,
        high=record.ci_high,
        treated=record.absolute_per_100_treated,
        control=record.absolute_per_100_control,
        treated_low=record.ci_low if is_of_treated else None,
        treated_high=record.ci_high if is_of_treated else None,
        n=record.n,
        days=record.time_days,
        unit=record.unit,
        source=citation_of(record),
        kind=record.source_kind,
    )


def _of_trial(number_id: str, entry: Mapping[str, str]) -> PatientNumber:
    study = load_evidence()[entry["study"]]
    assert isinstance(study, StudyRecord)

    def outcome(arm: str) -> StudyOutcome:
        for item in study.outcomes:
            if (item.arm_or_contrast, item.endpoint) == (arm, entry["endpoint"]):
                return item
        raise LibraryError(where=f"trial number {number_id}", got=arm, allowed=f"an outcome of {study.id}")

    first = outcome(entry.get("treated") or entry["contrast"])
    number = PatientNumber(
        id=number_id,
        value=first.value,
        low=first.ci_low,
        high=first.ci_high,
        n=first.n,
        days=first.time_days,
        unit=first.statistic,
        source=citation_of(study),
        kind=first.source_kind,
    )
    if "control" not in entry:
        return number
    second = outcome(entry["control"])
    treated = {"treated": first.value, "treated_low": first.ci_low, "treated_high": first.ci_high}
    control = {"control": second.value, "control_low": second.ci_low, "control_high": second.ci_high}
    return number.model_copy(update={**treated, **control, "n": (first.n or 0) + (second.n or 0)})


@cache
def load_options() -> tuple[Option, ...]:
    """Options of all substances in the order in which they are shown.

    Raises SpecError: an entry does not fit its type; the library is damaged.
    """
    return tuple(Option.from_dict(entry) for entry in packaged_toml("care", "options.toml")["option"])


def countries() -> tuple[str, ...]:
    """Countries with numbers to call, two letters each."""
    return tuple(name for name in packaged_toml("care", "contacts.toml") if name != "read")


def contacts_of(country: str, language: str = "en") -> Contacts:
    """Whom to call in a country, in the words of ``language``. Raises SpecError: no numbers are on file for it."""
    data = packaged_toml("care", "contacts.toml")
    if country not in countries():
        raise SpecError(
            where="country",
            got=country,
            allowed=f"one of {', '.join(countries())}",
            remedy="Add the country to library/care/contacts.toml with confirmed numbers.",
        )
    entry = data[country]
    lines = [line | {key: line[key][language] for key in ("name", "note")} for line in entry["lines"]]
    words = {"country": country, "read": data["read"], "name": entry["name"][language], "lines": lines}
    return Contacts.from_dict(entry | words)
