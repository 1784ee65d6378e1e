"""What patients are shown: options by substance, whom to call, and the numbers that sentences may carry.

A sentence on a patient page holds no typed number: it has slots such as ``{alc_naltrexone_jama_heavy.value}``, which
:func:`fill` takes from a record. A slot is ``id.part``: ``id`` is a record of the established treatments, a fact of
``library/care/facts.toml`` or a trial number named in ``library/care/options.toml``.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Literal

from remission.errors import LibraryError, SpecError
from remission.evidence.registry import citation_of, load_evidence
from remission.records.base import Record
from remission.records.evidence import CareRecord, StudyOutcome, StudyRecord
from remission.records.packaged import packaged_toml

__all__ = [
    "Contacts",
    "Helpline",
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
    """A telephone line; ``text`` is the word to send where the number takes messages and no calls.

    ``checked``: when whoever offers the pages checked it; None for a line of the library (``Contacts.read``).
    """

    kind: Literal["crisis", "drugs"]
    name: str
    number: str
    note: str
    text: str | None = None
    checked: date | None = None

    @property
    def dials(self) -> str:
        """The number as a telephone takes it."""
        return dialled(self.number)


class Finder(Record):
    """Where a country lists places of treatment, or says how to find one; ``checked`` as in :class:`Line`."""

    name: str
    address: str
    checked: date | None = None


class Helpline(Record):
    """A row of the list of whoever offers the pages; ``names`` and ``notes`` by language.

    ``kind``: a line to call (``crisis``, ``drugs``), a ``finder`` with its ``address``, the ``emergency`` number with
    the name of the country, or ``gone``: a line of the library that no longer answers.
    """

    country: str
    kind: Literal["crisis", "drugs", "finder", "emergency", "gone"]
    names: dict[str, str]
    notes: dict[str, str]
    number: str = ""
    text: str | None = None
    address: str = ""
    checked: date


class Contacts(Record):
    """Whom to call in one country, with names and notes in the reader's language.

    ``read`` is when the numbers of the library were read, None where all are the operator's; ``confirm_at`` where to
    confirm them.
    """

    country: str
    name: str
    emergency: str
    confirm_at: str
    read: date | None
    lines: tuple[Line, ...]
    finders: tuple[Finder, ...] = ()

    @property
    def oldest(self) -> date:
        """The longest ago that one of these was read or checked."""
        days = (self.read, *(one.checked for one in self.lines), *(one.checked for one in self.finders))
        return min(day for day in days if day is not None)


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
    return re.sub(r"\.0+$", "", f"{value:.{n_decimals}f}")


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


def dialled(number: str) -> str:
    """A number without what stands between its digits.

    The zero in brackets is for those who dial from inside the country.

    >>> dialled("+49 (0)30 / 123-45"), dialled("(0171) 1-23")
    ('+493012345', '0171123')
    """
    return re.sub(r"\(0\)|[^0-9+]" if number.startswith("+") else r"[^0-9+]", "", number)


def countries(own: Sequence[Helpline] = ()) -> tuple[str, ...]:
    """Countries with numbers to call, two letters each; ``own``: lines of whoever offers the pages."""
    shipped = [name for name in packaged_toml("care", "contacts.toml") if name != "read"]
    return tuple(dict.fromkeys((*shipped, *(one.country for one in own))))


def contacts_of(country: str, language: str = "en", own: Sequence[Helpline] = ()) -> Contacts:
    """Whom to call in a country, in the words of ``language``.

    ``own``: lines of whoever offers the pages. They stand before those of the library; one with the number of a line of
    the library takes its place, and what they call gone is left out. Raises SpecError: no numbers are on file for it.
    """
    data = packaged_toml("care", "contacts.toml")
    if country not in countries(own):
        raise SpecError(
            where="country",
            got=country,
            allowed=f"one of {', '.join(countries(own))}",
            remedy="Give its confirmed numbers with --helplines FILE, or add them to library/care/contacts.toml.",
        )
    entry = data.get(country, {"lines": [], "confirm_at": ""})
    added = [one for one in own if one.country == country]
    lines = [line | {key: line[key][language] for key in ("name", "note")} for line in entry["lines"]]
    replaced = {dialled(one.number) for one in added if one.number}
    found = {
        kind: [_in_words(one, language) for one in added if one.kind in kinds]
        for kind, kinds in (("lines", {"crisis", "drugs"}), ("finders", {"finder"}), ("emergency", {"emergency"}))
    }
    finders = [entry["finder"]] if "finder" in entry else []
    words = {
        "country": country,
        "read": data["read"] if country in data else None,
        "confirm_at": entry["confirm_at"],
        "name": entry["name"][language] if "name" in entry else "",
        "emergency": entry.get("emergency", ""),
        "lines": [*found["lines"], *(line for line in lines if dialled(line["number"]) not in replaced)],
        "finders": [*found["finders"], *finders],
    }
    for one in found["emergency"]:
        words |= {"name": one["name"], "emergency": one["number"]}
    return Contacts.from_dict(words)


def _in_words(one: Helpline, language: str) -> dict[str, Any]:
    """A row of the operator in one language; its first words where it has none in this."""
    name = one.names.get(language) or one.names["en"]
    if one.kind == "finder":
        return {"name": name, "address": one.address, "checked": one.checked}
    if one.kind == "emergency":
        return {"name": name, "number": one.number}
    note = one.notes.get(language) or one.notes.get("en", "")
    return {
        "kind": one.kind, "name": name, "number": one.number, "note": note, "text": one.text, "checked": one.checked,
    }  # fmt: skip
