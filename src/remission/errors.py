"""Exceptions of the package.

All of them say four things: where the fault is, what came, what is allowed, and what to do::

    RemissionError
    |-- SpecError (also ValueError)     an input is wrong: protocol, argument, option
    |   `-- UnitsError                  a quantity has the wrong dimension or no unit
    |-- LibraryError                    a name or file of the sourced library is missing or damaged
    |-- NumericalError                  a computation left its valid range
    |-- ProvenanceError                 a stored result does not match its record
    `-- RunError                        what was asked of a run cannot be done: folder, address, name
        `-- WorkError                   the work failed half-way: disk full, workers lost

The four parts are attributes as well, so that the command line and pages can show each in its place.
"""

from collections.abc import Sequence

__all__ = [
    "LibraryError",
    "NumericalError",
    "ProvenanceError",
    "RemissionError",
    "RunError",
    "SpecError",
    "UnitsError",
    "WorkError",
    "nearest_names",
]


class RemissionError(Exception):
    """Base of every error the package raises on purpose.

    Parameters
    ----------
    where
        Place of the fault: a field path, an argument, a file with line.
    got
        What came, as text or any object with a short ``repr``.
    allowed
        What would have been accepted.
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
        message = f"{where}: got {shown}; {allowed}."
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


def nearest_names(name: str, known: Sequence[str], count: int = 3) -> list[str]:
    """The ``count`` known names most like ``name``, best first; all of them when few are known."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=count, cutoff=0.4)
    return close or sorted(known)[:count]
