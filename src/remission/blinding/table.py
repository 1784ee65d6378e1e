"""Tables of guesses of a finished trial: who guessed what, how sure they were, and how they fared."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from remission.blinding.estimators import GroupStatistics
from remission.records.guesses import ANSWERS, GuessFile

_Cells = Float[np.ndarray, "guess arm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessTable:
    """The guesses of one asking, rows by answer and columns by arm.

    ``day``: of the asking; NaN where it is not known. ``counts``: people. ``known``: those with an outcome. ``mean``,
    ``sd``: of their outcome; of a share the share, and NaN. ``certainty``: mean of those who said it. [percent]
    """

    day: float
    counts: _Cells
    known: _Cells
    mean: _Cells
    sd: _Cells
    certainty: _Cells

    @property
    def has_outcome(self) -> bool:
        """Whether both arms have an outcome."""
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
    the row. ``arm`` (0 the drug), ``outcome``, ``expectation``: person by person, empty where only groups are known.
    ``not_used``: rows and why.
    """

    file: GuessFile
    tables: tuple[GuessTable, ...]
    arm: Int[np.ndarray, " subject"]
    outcome: Float[np.ndarray, " subject"]
    expectation: Float[np.ndarray, " subject"]
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
    certainty: Float[np.ndarray, " subject"], day: float,
) -> GuessTable:  # fmt: skip
    """The table of people: ``arm`` 0 the drug, ``answer`` 0 drug, 1 control, 2 unsure; NaN where a value is missing."""
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
                      certainty=cells["certainty"])  # fmt: skip
