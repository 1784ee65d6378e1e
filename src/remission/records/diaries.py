"""Diaries of many people in one shape, real or simulated: which days were asked about, and which of them had use.

What a file or a simulation gives becomes these arrays; description, endpoints and export read nothing else. A day that
nobody asked about is no day without use: ``assessed`` keeps the two apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from remission.errors import SpecError
from remission.records.result import Result
from remission.shapes import Bool, Float, Int

SCORES = ("craving", "mood")
"""What people may mark of their days beside use."""
MOST_SCORE = 10.0


@dataclass(frozen=True)
class Diaries(Result):
    """One substance's days of many people.

    substance
        Name of the substance as its source calls it.
    person
        Identifier of each person, each once.
    first_day
        Study day of the first column; day 0 is the day of the first dose or of randomization, as ``day_zero`` says.
    assessed
        Whether the day of the person was asked about and answered.
    used
        Whether use was reported; false wherever ``assessed`` is false.
    amount
        Amount used on the day in ``amount_unit``; NaN where unknown, 0 on an assessed day without use. None if the
        source has no amounts.
    amount_unit
        Unit of the amounts, as a unit expression; None without amounts.
    weekday_of_first_day
        Weekday of the first column for each person, 0 = Monday to 6 = Sunday; -1 where unknown.
    group
        Arm or treatment of each person; empty text where unknown.
    origin
        Whether people kept the diaries or a program made them.
    source
        Where the diaries come from, in words.
    day_zero
        What day 0 is, in words.
    scores
        What people marked of their days, by name, from 0 to 10: craving, mood. NaN where they marked nothing; a day may
        have a mark and no answer about use. Empty where the source has none.

    Raises SpecError: arrays of different shapes, a person twice, use on a day that was not assessed, a negative amount.
    """

    substance: str
    person: tuple[str, ...]
    first_day: int
    assessed: Bool[np.ndarray, "person day"]
    used: Bool[np.ndarray, "person day"]
    amount: Float[np.ndarray, "person day"] | None
    amount_unit: str | None
    weekday_of_first_day: Int[np.ndarray, " person"]
    group: tuple[str, ...]
    origin: Literal["observed", "simulated"]
    source: str
    day_zero: str
    scores: Mapping[str, Float[np.ndarray, "person day"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse arrays that contradict each other."""
        shape = (len(self.person), self.assessed.shape[1])
        self._must(len(set(self.person)) == len(self.person), "person", "an identifier twice", "each person once")
        for name, got in (("assessed", self.assessed.shape), ("used", self.used.shape)):
            self._must(got == shape, name, f"shape {got}", f"shape {shape}")
        self._must(self.weekday_of_first_day.shape == shape[:1], "weekday_of_first_day", "another length", "one each")
        self._must(len(self.group) == shape[0], "group", f"{len(self.group)} entries", f"{shape[0]} entries")
        self._must(not bool((self.used & ~self.assessed).any()), "used", "use on a day not assessed", "assessed days")
        self._must((self.amount is None) == (self.amount_unit is None), "amount_unit", "one of two", "both or none")
        if self.amount is not None:
            self._must(self.amount.shape == shape, "amount", f"shape {self.amount.shape}", f"shape {shape}")
            self._must(not bool((self.amount < 0).any()), "amount", "a negative amount", "0 or more, or NaN")
        for name, marks in self.scores.items():
            self._must(marks.shape == shape, f"scores, {name}", f"shape {marks.shape}", f"shape {shape}")
            self._must(
                bool((~(marks < 0) & ~(marks > MOST_SCORE)).all()), f"scores, {name}", "a mark", "0 to 10, or NaN"
            )

    def columns(self) -> dict[str, Any]:
        """One row a person and day that was asked about."""
        person, day = np.nonzero(self.assessed)
        return {
            "person": [self.person[k] for k in person],
            "group": [self.group[k] for k in person],
            "study_day": self.study_day[day],
            "used": self.used[person, day].astype(np.int64),
            **({} if self.amount is None else {"amount": self.amount[person, day]}),
            **{name: marks[person, day] for name, marks in self.scores.items()},
        }

    @staticmethod
    def _must(holds: bool, where: str, got: str, allowed: str) -> None:
        if not holds:
            raise SpecError(
                where=f"diaries, {where}", got=got, allowed=allowed, remedy="check what reads or makes these diaries"
            )

    @property
    def study_day(self) -> Int[np.ndarray, " day"]:
        """Study day of each column."""
        return self.first_day + np.arange(self.assessed.shape[1])
