"""Guesses of a finished trial: a table of people, or the counts and means that were published, and how to read them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.seed import DEFAULT_SEED
from remission.records.study_plan import one_name
from remission.records.text import Note, Slug, Title

Answer = Literal["drug", "control", "unsure"]
"""What people answer, in the order of the rows of a table of guesses."""
ANSWERS: tuple[Answer, ...] = ("drug", "control", "unsure")

MOST_OUTCOME = 1e7
"""Beyond it another unit is meant; the laws of the bench end at a hundred times as much."""
_Finite = Annotated[float, Field(ge=-MOST_OUTCOME, le=MOST_OUTCOME)]
_Day = Annotated[float, Field(ge=0.0, le=36_500.0)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Word = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]
_Words = Annotated[
    tuple[_Word, ...], BeforeValidator(lambda value: [value] if isinstance(value, str | int | float) else value)
]


class GuessGroup(Record):
    """People of an arm who gave an answer.

    n
        How many.
    mean, sd
        Of their outcome; of a share ``mean`` is the share, without ``sd``. Left out where only guesses are known.
    day
        Day of the asking.
    """

    arm: Literal["drug", "control"]
    guess: Answer
    n: Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
    mean: _Finite | None = None
    sd: Annotated[float, Field(ge=0.0, le=MOST_OUTCOME)] | None = None
    day: _Day | None = None


class GuessColumns(Record):
    """Names of the columns of a table of people.

    ``person`` where a person has several rows; ``session`` where each has several sessions, with an arm and a guess of
    their own: errors then count people and not sessions; ``time`` is the day of the asking, or a word that ``times``
    names; ``certainty`` in percent; ``expectation`` before treatment.
    """

    arm: _Name = "arm"
    guess: _Name = "guess"
    outcome: _Name = "outcome"
    time: _Name = "time"
    certainty: _Name = "certainty"
    person: _Name = "person"
    session: _Name = "session"
    expectation: _Name = "expectation"


class GuessWords(Record):
    """What cells of arm and guess say."""

    drug: _Words = ("drug", "treatment", "active", "verum")
    control: _Words = ("control", "placebo", "sham")
    unsure: _Words = ("do not know", "don't know", "dont know", "dk", "unsure", "unknown", "not sure")

    def _faults(self) -> Iterator[SpecError]:
        seen: dict[str, str] = {}
        for name in ("drug", "control", "unsure"):
            for word in map(one_name, getattr(self, name)):
                if seen.setdefault(word, name) != name:
                    yield SpecError(where=name, got=word, allowed=f"another word than of {seen[word]}")

    def of(self, cell: str) -> Answer | None:
        """What a cell says; ``None`` where it says nothing that is known."""
        word = one_name(cell.replace("\u2019", "'"))
        return next((name for name in ANSWERS if word in map(one_name, getattr(self, name))), None)


class GuessFile(Record):
    """A finished trial with its guesses.

    outcome
        ``mean`` of a number, or ``share`` of people with the outcome.
    better
        Whether a higher or a lower outcome is the wished one.
    data, columns, words, where, times
        A table of people beside this file, what its columns are called, what its cells say, which rows are meant, and
        the day of each word of its time.
    groups
        Instead of a table: the groups that were published.
    outcome_day
        Day of the outcome; when a guess is asked, of its change the share of the days that have gone has come.
    trials, seed
        Simulated trials of each world that fits.
    """

    format: Literal["remission/guesses/1"] = "remission/guesses/1"
    id: Slug = "guesses"
    title: Title | None = None
    outcome: Literal["mean", "share"] = "mean"
    better: Literal["higher", "lower"] = "higher"
    unit: Annotated[str, Field(max_length=80)] = ""
    data: str | None = None
    columns: GuessColumns = GuessColumns()
    words: GuessWords = GuessWords()
    where: dict[str, _Word] = Field(default_factory=dict)
    times: dict[str, _Day] = Field(default_factory=dict)
    groups: Annotated[tuple[GuessGroup, ...], Field(max_length=600)] = ()
    outcome_day: Annotated[float, Field(gt=0.0, le=36_500.0)] | None = None
    trials: Annotated[int, Field(strict=True, ge=100, le=20_000)] = 1000
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**64)] = DEFAULT_SEED
    note: Note = ""

    def _faults(self) -> Iterator[SpecError]:
        if (self.data is None) == (not self.groups):
            yield SpecError(where="data", got=self.data or "nothing", allowed="data, or groups, and not both")
        if self.data is not None and (self.data.startswith(("/", "\\", "~")) or ".." in self.data.replace("\\", "/")):
            yield SpecError(where="data", got=self.data, allowed="a file beside this one, or below its folder")
        seen: set[tuple[Any, ...]] = set()
        for index, one in enumerate(self.groups):
            key = (one.arm, one.guess, one.day)
            if key in seen:
                yield SpecError(
                    where=f"groups[{index}]", got=f"{one.arm}, {one.guess} again", allowed="each group once"
                )
            seen.add(key)
            if self.outcome == "share":
                if one.mean is not None and not 0.0 <= one.mean <= 1.0:
                    yield SpecError(where=f"groups[{index}].mean", got=one.mean, allowed="a share from 0 to 1")
                if one.sd is not None:
                    yield SpecError(where=f"groups[{index}].sd", got=one.sd, allowed="nothing: a share has none")
            elif (one.mean is None) != (one.sd is None) and one.n > 1:
                allowed = "mean and sd, or neither"
                yield SpecError(where=f"groups[{index}].sd", got=one.sd or "nothing", allowed=allowed)
        days = [one.day for one in self.groups]
        if any(day is None for day in days) and any(day is not None for day in days):
            yield SpecError(where="groups", got="days of some", allowed="the day of every group, or of none")
        if self.outcome_day is not None:
            late = [day for day in (*self.times.values(), *days) if day is not None and day > self.outcome_day]
            if late:
                yield SpecError(
                    where="outcome_day", got=self.outcome_day, allowed=f"at least {max(late):g}, the last asking"
                )
