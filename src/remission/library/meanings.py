"""Medicines and conditions by meaning: from what somebody typed to the class or check that it belongs to.

``sessions/medicine-names.toml`` holds generic and brand names by class of :mod:`remission.library.interactions`; the
checks of ``sessions/checks.toml`` hold other words for themselves. A word that is not there is not known: it is refused
and never guessed by its spelling, because the nearest name is often another medicine. Only a slip of one or two letters
is asked back, and only where no name that acts differently is as near.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from remission.errors import nearest_names
from remission.library.interactions import load_interactions
from remission.library.sessions import load_checks
from remission.records.packaged import packaged_toml

_SALTS = re.compile(
    r"\b(hydrochloride|hcl|sulfate|sulphate|tartrate|citrate|maleate|mesylate|besylate|fumarate|succinate|phosphate|"
    r"sodium|potassium|bromide|acetate|xr|sr|er|cr|la|retard|depot|tablets?|capsules?|injections?|patch(es)?|spray|"
    r"daily|weekly|monthly|maintenance)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a word means.

    kind
        ``takes`` for a medicine, gene or food, ``has`` for a check.
    name
        The name under which it is kept: a generic name, a class, or the id of a check.
    """

    kind: Literal["takes", "has"]
    name: str


def plain_words(text: str) -> str:
    """Small letters without accents, marks, doses and hyphens, so that spellings of one word are one word.

    Examples
    --------
    >>> plain_words("Metadona 60 mg"), plain_words("St. John's-Wort"), plain_words("SLEEP APNOEA")
    ('metadona', 'st johns wort', 'sleep apnea')
    """
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = re.sub(r"\b[0-9]+([.,][0-9]+)?\s*(mg|mcg|ug|µg|μg|g|ml|%)(/[a-z0-9]+)*\b", " ", text)
    text = re.sub(r"['’`.®™]", "", text)
    text = re.sub(r"[^a-z0-9*]+", " ", text)
    for british, american in _SPELLINGS:
        text = re.sub(rf"{british}", american, text)
    return " ".join(text.split())


_SPELLINGS = (
    ("apnoea", "apnea"), ("haemorrh", "hemorrh"), ("anaesth", "anesth"), ("oedema", "edema"), ("ischaem", "ischem"),
    ("tumour", "tumor"), ("oestr", "estr"), ("amphetamine", "amfetamine"), ("sulph", "sulf"), ("anaem", "anem"),
    ("hyperthyroidism", "hyperthyroid"), ("behaviour", "behavior"),
)  # fmt: skip


def meaning_of(text: str) -> Meaning | None:
    """What a word means; None where it is not known.

    Examples
    --------
    >>> meaning_of("Valium 10 mg"), meaning_of("sleep apnoea"), meaning_of("kittens")
    (Meaning(kind='takes', name='diazepam'), Meaning(kind='has', name='sleep-apnea'), None)
    """
    known, words = _known(), plain_words(text)
    if words in known:
        return known[words]
    without = " ".join(_SALTS.sub(" ", words).split())
    return known.get(without) if without else None


def slip_of(text: str) -> str | None:
    """The name of which a word is a slip of the pen; None where another meaning is about as near.

    Examples
    --------
    >>> slip_of("methadoen"), slip_of("fluvoxamin"), slip_of("citalopran")
    ('methadone', 'fluvoxamine', 'citalopram')
    """
    known, words = _known(), plain_words(text)
    if len(words) < 6:
        return None
    near = nearest_names(words, known, count=8)
    found = {_acts(known[one]) for one in near}
    return known[near[0]].name if near and len(found) == 1 else None


def classes_of(name: str) -> tuple[str, ...]:
    """Ids of the interactions that a kept name belongs to, in the order of the library.

    Examples
    --------
    >>> classes_of("diazepam"), classes_of("phenobarbital"), classes_of("benzodiazepines")
    (('benzodiazepines',), ('sedatives', 'cyp-inducers'), ('benzodiazepines',))
    """
    own = _classes().get(name, set()) | {name}
    return tuple(one.id for one in load_interactions() if one.id in own)


def names_of(class_id: str) -> tuple[str, ...]:
    """Generic names on file of a class, in the order of the file.

    Examples
    --------
    >>> names_of("theophylline")
    ('theophylline', 'aminophylline')
    """
    return tuple(
        name.replace("-", " ") for name in _names().get(class_id, {}) if name != class_id or class_id in _ALONE
    )


_ALONE = frozenset({"theophylline"})


def is_esketamine(text: str) -> bool:
    """Whether a text names esketamine or one of its products.

    Examples
    --------
    >>> is_esketamine("84 mg Spravato"), is_esketamine("S-ketamine 28mg"), is_esketamine("0.5 mg/kg")
    (True, True, False)
    """
    words = plain_words(text)
    return re.search(r"\b(e?sketamin[ae]?|s ketamin[ae]?|spravato|ketanest|vesierra|eskelan)", words) is not None


def _acts(meaning: Meaning) -> tuple[str, ...]:
    return (meaning.name,) if meaning.kind == "has" else classes_of(meaning.name)


@cache
def _names() -> dict[str, dict[str, list[str]]]:
    rows = packaged_toml("sessions", "medicine-names.toml")
    return {
        group: {name: [one.strip() for one in also.split(",") if one.strip()] for name, also in names.items()}
        for group, names in rows.items()
    }


@cache
def _classes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group, names in _names().items():
        for name in names:
            found.setdefault(name, set()).add(group)
    return found


@cache
def _known() -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}

    def add(words: Iterable[str], meaning: Meaning) -> None:
        for word in words:
            if plain_words(word):
                found.setdefault(plain_words(word), meaning)

    for names in _names().values():
        for name, also in names.items():
            add([name, *also], Meaning(kind="takes", name=name))
    for one in load_interactions():
        if one.can_be_taken:
            add([one.id], Meaning(kind="takes", name=one.id))
    for check in load_checks():
        if check.rule in {"asked", "hypertension"}:
            add([check.id, check.label, *check.also], Meaning(kind="has", name=check.id))
    return found
