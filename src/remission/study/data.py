"""The people of a file as arrays, and everything that was not used, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from remission.endpoints.data import EndpointData
from remission.shapes import Bool, Float, Int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUsed:
    """A row, or a person, that was not used.

    ``row``: of the file, its header being row 1; 0 for a person without one. ``where``: column, or analysis. ``got``:
    the cell.
    """

    row: int
    person: str
    where: str
    got: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A measure of everybody: a column a visit, or one; NaN where nobody took it.

    ``event``: whether a time ended in the event. ``exposure``: in which a count was counted; NaN where not known.
    """

    value: Float[np.ndarray, "subject visit"]
    event: Bool[np.ndarray, " subject"] | None = None
    exposure: Float[np.ndarray, " subject"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyData:
    """Everybody who was randomized, in the order of the file.

    arm
        Place of each person's arm in the plan.
    numbers, levels
        Covariates: numbers, NaN where missing; categories as the place of the level, -1 where missing, with the names
        of the levels, sorted.
    happened, event_day
        Whether an intercurrent event happened, and its day; NaN where it did not or the day is not known.
    diaries
        Days of everybody, where the file is of diaries.
    addresses
        Number of replicate and person for the draws of imputations.
    files
        SHA-256 of each file that was read.
    """

    person: tuple[str, ...]
    arm: Int[np.ndarray, " subject"]
    numbers: Mapping[str, Float[np.ndarray, " subject"]] = field(default_factory=dict)
    levels: Mapping[str, tuple[Int[np.ndarray, " subject"], tuple[str, ...]]] = field(default_factory=dict)
    measures: Mapping[str, Taken] = field(default_factory=dict)
    happened: Mapping[str, Bool[np.ndarray, " subject"]] = field(default_factory=dict)
    event_day: Mapping[str, Float[np.ndarray, " subject"]] = field(default_factory=dict)
    diaries: EndpointData | None = None
    replicate: int = 0
    n_rows: int = 0
    not_used: tuple[NotUsed, ...] = ()
    cautions: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    is_simulated: bool = False

    def columns_of(self, name: str) -> Float[np.ndarray, "subject term"]:
        """A covariate as columns of a design: a number, or indicators of all levels but the first; NaN if missing."""
        if name in self.numbers:
            return self.numbers[name][:, None]
        level, names = self.levels[name]
        found = (level[:, None] == np.arange(1, max(len(names), 1))).astype(np.float64)
        found[level < 0] = np.nan
        return found
