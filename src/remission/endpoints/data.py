"""What endpoints are computed from: days, tests and marks of many people on one calendar, real or simulated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from remission.errors import SpecError
from remission.records.endpoint import Endpoint
from remission.shapes import Bool, Float, Int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Days of ratings or marks, and each person's number on them, NaN where missed."""

    day: Int[np.ndarray, " report"]
    value: Float[np.ndarray, "subject report"]

    def of(self, people: np.ndarray) -> "Marks":
        """The same of some people only."""
        return replace(self, value=self.value[people])

    def before(self, day: Int[np.ndarray, " subject"]) -> "Marks":
        """The same without what comes on or after a day of each person."""
        return replace(self, value=np.where(self.day < day[:, None], self.value, np.nan))


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsSeen:
    """The dosing sessions of each person.

    day
        Planned day of each session, -1 for none. [day]
    given
        Whether it was given.
    peak, flowing
        What each bound of a rule is compared with, by its name: the highest value of a session, and the highest while
        a dose is still going in; NaN where it is not known.
    """

    day: Int[np.ndarray, "subject session"]
    given: Bool[np.ndarray, "subject session"]
    peak: Mapping[str, Float[np.ndarray, "subject session"]]
    flowing: Mapping[str, Float[np.ndarray, "subject session"]]

    def of(self, people: np.ndarray) -> "SessionsSeen":
        """The same of some people only."""
        peak, flowing = ({name: one[people] for name, one in some.items()} for some in (self.peak, self.flowing))
        return SessionsSeen(day=self.day[people], given=self.given[people], peak=peak, flowing=flowing)

    def before(self, day: Int[np.ndarray, " subject"]) -> "SessionsSeen":
        """The same without sessions planned on or after a day of each person."""
        return replace(self, day=np.where(self.day < day[:, None], self.day, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointData:
    """Everything that was seen of people, day by day.

    used
        Whether use was reported; read it only where ``seen``.
    seen
        Days that a diary covers.
    amount
        Reported amount per day, ``None`` where no amounts are known. [unit of the substance]
    first_day
        Day of the first column; day 0 is the first dose or randomization.
    end_day
        The first day after the planned follow-up of each person. [day]
    test_day, test_due, test_kept, test_positive
        Days of biological tests, whether one was due, whether it was given, whether it was positive.
    craving_day, craving_vas
        Days of the craving reports and the marks, NaN where missed. [VAS 0 to 100]
    marks
        Other marks and ratings by name.
    sessions
        Dosing sessions, where there are any.
    admission_day
        First day of an admission; a day after the last for none. [day]
    days_in_study
        Days before leaving. [day]
    until_day
        Days that have been at the time of the analysis; ``None``: all of them. [day]
    amount_unit
        Unit of the amounts, where there are any.
    heavy_amount
        An amount above which a day counts as heavy; ``None`` where no amounts are known. [unit of the substance]
    ethanol_g_per_amount
        Grams of ethanol in one unit of the amount; ``None`` for anything else than alcohol.
    female, sex_known
        Sex of each person, where sexes are known, and of whom; ``None``: of everybody.
    """

    used: Bool[np.ndarray, "subject day"]
    seen: Bool[np.ndarray, "subject day"]
    amount: Float[np.ndarray, "subject day"] | None
    first_day: int = 0
    end_day: Int[np.ndarray, " subject"]
    test_day: Int[np.ndarray, " test"]
    test_due: Bool[np.ndarray, "subject test"]
    test_kept: Bool[np.ndarray, "subject test"]
    test_positive: Bool[np.ndarray, "subject test"]
    craving_day: Int[np.ndarray, " report"]
    craving_vas: Float[np.ndarray, "subject report"]
    marks: Mapping[str, Marks] = field(default_factory=dict)
    sessions: SessionsSeen | None = None
    admission_day: Int[np.ndarray, " subject"] | None = None
    days_in_study: Int[np.ndarray, " subject"]
    until_day: Int[np.ndarray, " subject"] | None = None
    amount_unit: str | None = None
    heavy_amount: float | None = None
    ethanol_g_per_amount: float | None = None
    female: Bool[np.ndarray, " subject"] | None = None
    sex_known: Bool[np.ndarray, " subject"] | None = None

    def __len__(self) -> int:
        """Number of people."""
        return self.used.shape[0]

    @property
    def last_day(self) -> int:
        """Day of the last column."""
        return self.first_day + self.used.shape[1] - 1

    def columns(self, first: int, last: int, *, where: str = "window") -> slice:
        """The columns of days ``first`` to ``last``.

        Raises SpecError: a day lies outside of the data.
        """
        if first < self.first_day or last > self.last_day or last < first:
            raise SpecError(
                where=where,
                got=f"days {first} to {last}",
                allowed=f"days {self.first_day} to {self.last_day}, which the data have",
                remedy="Shorten it, or lengthen the follow-up."
                if where == "window"
                else "Choose days that the data have.",
            )
        return slice(first - self.first_day, last - self.first_day + 1)

    def is_planned(self, last: int) -> bool:
        """Whether all days up to ``last`` belong to everybody's planned follow-up."""
        return bool((self.end_day > last).all())

    def planned(self, first: int, last: int) -> Bool[np.ndarray, "subject day"]:
        """Days ``first`` to ``last`` that belong to each person's planned follow-up.

        As the days of simulated people, it lies day by day in memory: of two orders NumPy works through neither fast.
        """
        return (np.arange(first, last + 1)[:, None] < self.end_day).T

    def so_far(self) -> "EndpointData":
        """The same with follow-up that ends where days lie ahead."""
        if self.until_day is None:
            return self
        return replace(self, end_day=np.minimum(self.end_day, self.until_day))

    def of(self, people: np.ndarray) -> "EndpointData":
        """The same of some people only, by their places or by a mask."""
        named = {
            name: getattr(self, name)[people]
            for name in (
                "used", "seen", "end_day", "test_due", "test_kept", "test_positive", "craving_vas", "days_in_study"
            )
        }  # fmt: skip
        return replace(
            self,
            **named,
            marks={name: one.of(people) for name, one in self.marks.items()},
            sessions=None if self.sessions is None else self.sessions.of(people),
            admission_day=None if self.admission_day is None else self.admission_day[people],
            amount=None if self.amount is None else self.amount[people],
            female=None if self.female is None else self.female[people],
            sex_known=None if self.sex_known is None else self.sex_known[people],
            until_day=None if self.until_day is None else self.until_day[people],
        )


Formula: TypeAlias = Callable[[Endpoint, EndpointData], Float[np.ndarray, " subject"]]
"""How a kind of endpoint is computed: each person's number, NaN for a person without a value."""

TimeFormula: TypeAlias = Callable[
    [Endpoint, EndpointData], tuple[Float[np.ndarray, " subject"], Bool[np.ndarray, " subject"]]
]
"""How a time to an event is computed: each person's time, and whether the event ended it."""


def no_formula(endpoint: Endpoint) -> SpecError:
    """What ends every choice between kinds: no kind falls through to the formula of another."""
    return SpecError(
        where=f"endpoint {endpoint.id}",
        got=endpoint.kind,
        allowed="a kind whose formula is known here",
        remedy="A new kind needs its formula in remission.endpoints, beside its facts.",
    )
