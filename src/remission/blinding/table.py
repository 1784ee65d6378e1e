"""Tables of guesses of a finished trial: who guessed what, how sure they were, and how they fared."""

from dataclasses import dataclass

import numpy as np

from remission.blinding.estimators import GroupStatistics
from remission.records.guesses import ANSWERS, GuessFile
from remission.shapes import Float, Int

_Cells = Float[np.ndarray, "guess arm"]
_Persons = Float[np.ndarray, "person guess arm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPerson:
    """What each person adds to a table of sessions.

    ``counts``: of answers. ``known``, ``total``, ``square``: of outcomes their number, sum and sum of squares.
    """

    counts: _Persons
    known: _Persons
    total: _Persons
    square: _Persons

    @property
    def n(self) -> int:
        """How many people."""
        return len(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessTable:
    """The guesses of one asking, rows by answer and columns by arm.

    ``day``: of the asking; NaN where it is not known. ``counts``: people. ``known``: those with an outcome. ``mean``,
    ``sd``: of their outcome; of a share the share, and NaN. ``certainty``: mean of those who said it. [percent]
    ``persons``: where people have several sessions, what each adds.
    """

    day: float
    counts: _Cells
    known: _Cells
    mean: _Cells
    sd: _Cells
    certainty: _Cells
    persons: ByPerson | None = None

    @property
    def has_outcome(self) -> bool:
        """Whether both arms have an outcome of people who guessed."""
        return bool((self.known[:2].sum(axis=0) >= 2.0).all())

    def statistics(self, kind: str) -> GroupStatistics:
        """Each group as one trial of :mod:`remission.blinding.estimators`."""
        n, mean = self.known[None], self.mean[None]
        good = n >= 2.0
        with np.errstate(invalid="ignore", divide="ignore"):
            if kind == "share":
                moved = (n * np.nan_to_num(mean) + 0.5) / (n + 1.0)
                variance, freedom = moved * (1.0 - moved) / n, np.full(n.shape, np.inf)
            else:
                variance, freedom = self.sd[None] ** 2 / n, n - 1.0
        return GroupStatistics(n=n, value=np.where(good, mean, np.nan), variance=np.where(good, variance, np.nan),
                               freedom=freedom)  # fmt: skip

    def mean_influence(self, *, whole_arms: bool = False) -> _Persons:
        """What each person moves the mean of each group by; of whole arms in the place of the first answer."""
        assert self.persons is not None, "a table of sessions"
        known, total = self.persons.known, self.persons.total
        if whole_arms:
            known, total = (np.pad(one.sum(axis=1, keepdims=True), ((0, 0), (0, 2), (0, 0))) for one in (known, total))
        n = known.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(n > 0.0, (total - known * (total.sum(axis=0) / n)) / n, 0.0)

    def arms(self, kind: str) -> GroupStatistics:
        """The same of whole arms, in the place of the first answer."""
        n = self.known.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(self.known > 0.0, np.nan_to_num(self.mean), 0.0)
            mean = (self.known * values).sum(axis=0) / n
            inside = (np.maximum(self.known - 1.0, 0.0) * np.nan_to_num(self.sd) ** 2).sum(axis=0)
            squares = inside + (self.known * (values - mean) ** 2).sum(axis=0)
            sd = np.sqrt(squares / (n - 1.0))
        nothing = np.full((3, 2), np.nan)

        def first(row: Float[np.ndarray, " arm"], rest: float) -> _Cells:
            whole = np.full((3, 2), rest)
            whole[0] = row
            return whole

        return GuessTable(
            day=self.day, counts=self.counts, known=first(n, 0.0), mean=first(mean, np.nan), sd=first(sd, np.nan),
            certainty=nothing,
        ).statistics(kind)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTrial:
    """A finished trial with its guesses.

    ``tables``: one for each asking, the first day first; outcomes are those of the end where persons are known, else of
    the row. ``arm`` (0 the drug), ``outcome``, ``expectation``: person by person, or session by session, empty where
    only groups are known. ``person``: whose session, where people have several. ``knows_persons``: whether the table
    says whose row each is. ``not_used``: rows and why.
    """

    file: GuessFile
    tables: tuple[GuessTable, ...]
    arm: Int[np.ndarray, " subject"]
    outcome: Float[np.ndarray, " subject"]
    expectation: Float[np.ndarray, " subject"]
    person: Int[np.ndarray, " subject"] | None = None
    knows_persons: bool = True
    not_used: tuple[tuple[int, str], ...] = ()

    @property
    def last(self) -> GuessTable:
        """The guesses of the last asking."""
        return self.tables[-1]


def trial_of_groups(file: GuessFile) -> FinishedTrial:
    """The finished trial of published groups."""
    days = sorted({one.day if one.day is not None else -1.0 for one in file.groups})
    tables = []
    for day in days:
        cells = {name: np.zeros((3, 2)) for name in ("n", "known")} | {
            name: np.full((3, 2), np.nan) for name in ("mean", "sd")
        }  # fmt: skip
        for one in file.groups:
            if (one.day if one.day is not None else -1.0) != day:
                continue
            place = ANSWERS.index(one.guess), 0 if one.arm == "drug" else 1
            cells["n"][place] = one.n
            if one.mean is not None:
                cells["known"][place], cells["mean"][place] = one.n, one.mean
                cells["sd"][place] = np.nan if one.sd is None else one.sd
        tables.append(
            GuessTable(day=day if day >= 0.0 else np.nan, counts=cells["n"], known=cells["known"], mean=cells["mean"],
                       sd=cells["sd"], certainty=np.full((3, 2), np.nan))
        )  # fmt: skip
    empty = np.zeros(0)
    return FinishedTrial(file=file, tables=tuple(tables), arm=np.zeros(0, dtype=np.int64), outcome=empty,
                         expectation=empty)  # fmt: skip


def table_of_people(
    arm: Int[np.ndarray, " subject"], answer: Int[np.ndarray, " subject"], outcome: Float[np.ndarray, " subject"],
    certainty: Float[np.ndarray, " subject"], day: float, person: Int[np.ndarray, " subject"] | None = None,
) -> GuessTable:  # fmt: skip
    """The table of people: ``arm`` 0 the drug, ``answer`` 0 drug, 1 control, 2 unsure; NaN where a value is missing.

    ``person``: whose session each row is, where people have several.
    """
    cells = {name: np.zeros((3, 2)) for name in ("n", "known")} | {
        name: np.full((3, 2), np.nan) for name in ("mean", "sd", "certainty")
    }  # fmt: skip
    for row in range(3):
        for column in range(2):
            who = (answer == row) & (arm == column)
            values, sure = outcome[who], certainty[who]
            values, sure = values[np.isfinite(values)], sure[np.isfinite(sure)]
            cells["n"][row, column], cells["known"][row, column] = who.sum(), values.size
            if values.size:
                cells["mean"][row, column] = values.mean()
            if values.size > 1:
                cells["sd"][row, column] = values.std(ddof=1)
            if sure.size:
                cells["certainty"][row, column] = sure.mean()
    return GuessTable(day=day, counts=cells["n"], known=cells["known"], mean=cells["mean"], sd=cells["sd"],
                      certainty=cells["certainty"],
                      persons=None if person is None else _by_person(person, arm, answer, outcome))  # fmt: skip


def _by_person(
    person: Int[np.ndarray, " subject"], arm: Int[np.ndarray, " subject"], answer: Int[np.ndarray, " subject"],
    outcome: Float[np.ndarray, " subject"],
) -> ByPerson:  # fmt: skip
    names, who = np.unique(person, return_inverse=True)
    place, is_known = (who * 3 + answer) * 2 + arm, np.isfinite(outcome)
    values = np.where(is_known, outcome, 0.0)

    def sums(weights: np.ndarray) -> _Persons:
        return np.bincount(place, weights=weights, minlength=6 * names.size).reshape(-1, 3, 2)

    ones = np.ones(place.size)
    return ByPerson(counts=sums(ones), known=sums(ones * is_known), total=sums(values), square=sums(values**2))
