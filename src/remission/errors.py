"""Exceptions of the package.

All of them say four things: where the fault is, what came, what is expected, and what to do::

    RemissionError
    |-- SpecError (also ValueError)     an input is wrong: protocol, argument, option
    |   `-- UnitsError                  a quantity has the wrong dimension or no unit
    |-- LibraryError                    a name or file of the sourced library is missing or damaged
    |-- NumericalError                  a computation left its valid range
    |-- ProvenanceError                 a stored result does not match its record
    `-- RunError                        what was asked of a run cannot be done: folder, address, name
        |-- WorkError                   the work failed half-way: disk full, workers lost
        |-- NameTakenError              (also SpecError) a name is taken, and nothing is overwritten
        `-- MissingExtraError           a part of the program is not installed

The four parts are attributes as well, so that the command line and pages can show each in its place.
"""

import re
from collections.abc import Iterable, Sequence

_HIDDEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
"""Control signs, separators of lines, signs that turn the direction of writing, bytes that are no text."""


def visible(text: str, *, keep: str = "") -> str:
    r"""Text in which every sign that steers a terminal or hides what follows is spelled out, but for those to ``keep``.

    Examples
    --------
    >>> print(visible("Clinic\a, Ñandú\nB"), visible("two\nlines", keep="\n"))
    Clinic\u0007, Ñandú\u000aB two
    lines
    """
    return _HIDDEN.sub(lambda found: found[0] if found[0] in keep else f"\\u{ord(found[0]):04x}", text)


class RemissionError(Exception):
    """Base of every error the package raises on purpose.

    Parameters
    ----------
    where
        Place of the fault: a field path, an argument, a file with line.
    got
        What came, as text or any object with a short ``repr``.
    allowed
        What would have been accepted, as a noun that follows "expected".
    remedy
        What to do next; may be empty when ``allowed`` says it.
    """

    def __init__(self, *, where: str, got: object, allowed: str, remedy: str = "") -> None:
        self.where = where
        self.got = got
        self.allowed = allowed
        self.remedy = remedy
        shown = got if isinstance(got, str) else repr(got)
        if len(shown) > 200:
            shown = shown[:200] + "..."
        message = f"{visible(where)}: got {visible(shown)}; expected {allowed}."
        if remedy:
            message = f"{message} {remedy}"
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the four parts when an error crosses a process border."""
        return (_rebuild, (type(self), self.where, self.got, self.allowed, self.remedy))


def _rebuild(kind: type[RemissionError], where: str, got: object, allowed: str, remedy: str) -> RemissionError:
    return kind(where=where, got=got, allowed=allowed, remedy=remedy)


class SpecError(RemissionError, ValueError):
    """An input is wrong. ``faults`` lists every fault found, not only the first."""

    def __init__(
        self, *, where: str, got: object, allowed: str, remedy: str = "", faults: Sequence["SpecError"] = ()
    ) -> None:
        super().__init__(where=where, got=got, allowed=allowed, remedy=remedy)
        self.faults: tuple[SpecError, ...] = tuple(faults) if faults else (self,)

    @classmethod
    def from_faults(cls, faults: Sequence["SpecError"]) -> "SpecError":
        """One error that carries all ``faults``; its text is theirs, one a line."""
        if len(faults) == 1:
            return faults[0]
        first = faults[0]
        joined = cls(where=first.where, got=first.got, allowed=first.allowed, remedy=first.remedy, faults=faults)
        joined.args = ("\n".join(str(fault) for fault in faults),)
        return joined

    @classmethod
    def check(cls, faults: Iterable["SpecError"]) -> None:
        """Raise one error that carries all ``faults``; nothing where there is none."""
        listed = list(faults)
        if listed:
            raise cls.from_faults(listed)


class UnitsError(SpecError):
    """A quantity has no unit, an unknown unit, or a unit of the wrong dimension."""


class LibraryError(RemissionError):
    """A name or file of the sourced library is missing or damaged."""


class NumericalError(RemissionError):
    """A computation left its valid range."""


class ProvenanceError(RemissionError):
    """A stored result does not match the record of how it was made."""


class RunError(RemissionError):
    """What was asked of a run cannot be done: the folder, the address or the name is wrong."""


class WorkError(RunError):
    """The work failed half-way, with nothing wrong in the input: disk full, database or workers lost."""


class NameTakenError(SpecError, RunError):
    """A file, folder or link of the wished name is there already, and nothing is overwritten."""


class MissingExtraError(RunError):
    """A part of the program that an installation may leave out is asked for; the error says how to add it."""


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Known names that ``name`` is a slip of, best first; empty where a guess would not be safe.

    A slip is another case or separator, a word left out in a name of several, a number left out at the end, or few
    wrong letters: none in three, one in more, two exchanged for others in nine and more. Other numbers are another
    thing, and so is a name that lacks a word of ``name``. Words that say the opposite (``hyper`` and ``hypo``,
    ``before`` and ``after``) are never slips of each other, and a word that many names hold tells nothing. Names of
    medicines and conditions are not guessed here: see :mod:`remission.library.meanings`.

    Examples
    --------
    >>> nearest_names("alchohol", ["alcohol", "opioid"]), nearest_names("methadone", ["naltrexone", "maoi"])
    (['alcohol'], [])
    >>> nearest_names("hypotension", ["hypertension"])
    []
    """
    typed = _plain(name)
    found = []
    for other in dict.fromkeys(known):
        distance = _slips(typed, _plain(other))
        if distance is not None:
            found.append((distance, other))
    by_word = [other for distance, other in found if distance == _BY_WORD]
    family = [other for other in by_word if _plain(other).startswith(f"{typed} ")]
    by_letter = [other for distance, other in sorted(found) if distance < _BY_WORD]
    # A word that more names hold than can be shown tells nothing.
    return by_letter[:count] or (by_word if len(by_word) <= count else family[:count])


def did_you_mean(name: object, known: Iterable[str], *, otherwise: str = "", count: int = 3) -> str:
    """The question for :func:`nearest_names`, or ``otherwise`` where no guess is safe.

    Examples
    --------
    >>> did_you_mean("clean_day", ["clean_days", "weeks"]), did_you_mean("kittens", ["clean_days"])
    ('Did you mean clean_days?', '')
    """
    near = nearest_names(name, known, count) if isinstance(name, str) else []
    return f"Did you mean {' or '.join(near)}?" if near else otherwise


def known_names(known: Iterable[str], most: int = 8) -> str:
    """The names there are, cut after ``most``; for a fault whose name is no slip of any.

    Examples
    --------
    >>> known_names(["cl", "v1", "q2"], most=2), known_names([])
    ('Known: cl, v1 and 1 more.', 'None is defined.')
    """
    names = list(known)
    if not names:
        return "None is defined."
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"Known: {', '.join(names[:most])}{more}."


def check_known(
    name: str,
    known: Iterable[str],
    *,
    where: str,
    names: str = "names",
    more: str = "",
    error: "type[RemissionError] | None" = None,
) -> None:
    """Refuse a name that is not known; a short list is given whole, of a long one the nearest.

    ``names`` says what they are where they are too many to list, ``more`` where all are found. The error is a SpecError
    unless another is named.
    """
    listed = list(known)
    if name in listed:
        return
    is_short = 0 < len(listed) <= _SHORT_LIST
    nearest = did_you_mean(name, listed, otherwise="" if is_short or more else known_names(listed))
    raise (error or SpecError)(
        where=where,
        got=name,
        allowed=f"one of {', '.join(listed)}" if is_short else f"one of the {len(listed)} {names}",
        remedy=f"{nearest} {more}".strip(),
    )


_SHORT_LIST = 20
_OPPOSITES = (
    ("hyper", "hypo"), ("before", "after"), ("above", "below"), ("low", "high"), ("min", "max"), ("start", "end"),
    ("inter", "intra"), ("without", "with"), ("more", "less"), ("un", ""), ("non", ""), ("anti", ""),
)  # fmt: skip
_LONGEST_NAME, _BY_WORD = 120, 10.0


def _plain(name: str) -> str:
    return re.sub(r"[\s_./-]+", " ", name[:_LONGEST_NAME].casefold()).strip()


def _slips(typed: str, other: str) -> float | None:
    """How many slips lie between two plain names; None where they are not slips of each other."""
    if typed == other:
        return 0.0
    for first, second in _OPPOSITES:
        for a, b in ((first, second), (second, first)):
            if a and typed.replace(a, b, 1) == other:
                return None
    if len(typed) > 2 and re.sub(r" ?[0-9]+$", "", other) == typed:
        return 0.25  # the year or number at the end was left out
    words, others = typed.split(), other.split()
    if len(words) < len(others) and len("".join(words)) > 2 and set(words) <= set(others):
        return _BY_WORD
    if re.findall(r"[0-9]+", typed) != re.findall(r"[0-9]+", other):
        return None
    # A letter left out twice makes another word of many: ketamine of esketamine, prednisone of prednisolone.
    most = 0 if max(len(typed), len(other)) < 4 else 2 if len(typed) == len(other) >= 9 else 1
    distance = _edits(typed, other, most)
    return None if distance > most else float(distance)


def _edits(a: str, b: str, most: int) -> int:
    """Letters added, lost, changed or swapped with their neighbor; anything above ``most`` where it is more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before, row = list[int](), list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
