"""What a course needs and what it gives: the arrays that pass between the trial and the kernels.

Shapes: ``subject`` people; ``infusion`` and ``session`` slots of the longest schedule; ``day`` days of follow-up.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from remission.shapes import Bool, Float, Int

__all__ = ["STATES", "Course", "CourseSchedule", "DrawnValues", "Entry", "Goal", "Traits"]

STATES = ("P", "Gc", "Gn", "Gk", "S", "H", "R", "A", "F", "W", "N", "L", "M", "K", "x", "z", "u", "E")
"""Symbols of the states a kernel can record, in this order."""

Goal: TypeAlias = Literal["stop", "reduce", "none"]
"""What people try: to stop, to use less, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How people come into the course.

    ``n_baseline``: days before day 0 that are simulated and kept; 0 for none. [day]
    ``clean_days``: forced clean days before day 0, the last of the baseline where there is one; who has some has
    stopped. [day]
    ``self_quit``: people stop by themselves on the quit day, and not every attempt takes.
    ``quit_day``: day of the stop of those who still use, ``None`` for no such day; without meaning for those who have
    stopped before. [day]
    ``goal``: what people try from the quit day on, or from day 0 without one; before it nobody tries.
    """

    n_baseline: int = 0
    clean_days: int = 0
    self_quit: bool = False
    quit_day: int | None = 0
    goal: Goal = "stop"

    @property
    def waits(self) -> int:
        """Clean days that are simulated, the last of the baseline. [day]"""
        return min(self.clean_days, self.n_baseline)

    @property
    def first_day(self) -> int:
        """Where the simulation begins, 0 or before. [day]"""
        return -self.n_baseline

    @property
    def still_using(self) -> bool:
        """Whether people use when the simulation begins."""
        return self.n_baseline > 0 or self.self_quit

    @property
    def stop_day(self) -> int | None:
        """When those stop who still use, None where nobody does. [day]"""
        if not self.still_using:
            return None
        return -self.waits if self.clean_days > 0 else self.quit_day

    @property
    def trying_from(self) -> int:
        """First day on which people try. [day]"""
        return self.stop_day or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnValues:
    """Parameters by their names, one for each person: those that a posterior draws for each trial."""

    use_effect: Float[np.ndarray, " subject"]
    half_use_day: Float[np.ndarray, " subject"]
    craving_share: Float[np.ndarray, " subject"]
    k_c: Float[np.ndarray, " subject"]
    half_craving_day: Float[np.ndarray, " subject"]
    slope: Float[np.ndarray, " subject"]
    e_half: Float[np.ndarray, " subject"]
    k_g: Float[np.ndarray, " subject"]
    c_l: Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What makes one person differ from another.

    ``tendency``: b_i, a constant push on the log odds of use; 0 but for who believes or is told something. [log odds]
    ``level``: l_i, log odds of use beside those of the regime. [log odds]
    ``up``, ``down``: added to the log odds of a move up or down tonight. [log odds]
    ``responsiveness``: s_i, factor on what a dose does, geometric mean 1. [dimensionless]
    ``commitment0``, ``cue0``, ``regime0``: M on the day of the stop, x and E on the first day. [dimensionless]
    ``takes``: 1 where the attempt of the quit day takes, else 0.
    ``engagement``: factor on the worth of a therapy contact. [dimensionless]
    ``heaviness``: h, how likely a use day is a heavy one. [log odds]
    ``drawn``: values of the model drawn anew for each trial; None where everybody has those of the parameters.
    """

    tendency: Float[np.ndarray, " subject"]
    level: Float[np.ndarray, " subject"]
    up: Float[np.ndarray, " subject"]
    down: Float[np.ndarray, " subject"]
    responsiveness: Float[np.ndarray, " subject"]
    commitment0: Float[np.ndarray, " subject"]
    cue0: Float[np.ndarray, " subject"]
    regime0: Float[np.ndarray, " subject"]
    takes: Float[np.ndarray, " subject"]
    engagement: Float[np.ndarray, " subject"]
    heaviness: Float[np.ndarray, " subject"]
    drawn: DrawnValues | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseSchedule:
    """What happens to whom on which day.

    ``infusion_day``, ``session_day``: day of each slot, -1 for an empty one. [day]
    ``exposure``, ``psychoactive``: e and m of each infusion. [dimensionless]
    ``quality``: q of the arm's sessions. [dimensionless]
    ``weekday0``: weekday of day 0, Monday is 0.
    ``blocked``: whether access to the substance is blocked on a day.
    ``entry``: how people come in.
    ``incentive``: what the rewards of each session take off the log odds of use, -1 for a session that teaches; None
    where nobody is given rewards. [log odds]
    ``tau_incentive_day``: how incentive fades after the last reward. [day]
    ``belief``: push of what a person believes on the log odds of use, from day 0 on; None where nothing is. [log odds]
    ``medicine``: push of a standard medicine on the log odds of use, from ``medicine_first`` to ``medicine_last``; all
    three ``None`` where nobody takes one. [log odds], [day]
    """

    infusion_day: Int[np.ndarray, "subject infusion"]
    exposure: Float[np.ndarray, "subject infusion"]
    psychoactive: Float[np.ndarray, "subject infusion"]
    session_day: Int[np.ndarray, "subject session"]
    quality: Float[np.ndarray, " subject"]
    weekday0: Int[np.ndarray, " subject"]
    blocked: Bool[np.ndarray, " day"]
    entry: Entry = Entry()
    incentive: Float[np.ndarray, "subject session"] | None = None
    tau_incentive_day: float = 1.0
    belief: Float[np.ndarray, " subject"] | None = None
    medicine: Float[np.ndarray, " subject"] | None = None
    medicine_first: Int[np.ndarray, " subject"] | None = None
    medicine_last: Int[np.ndarray, " subject"] | None = None

    @property
    def n_days(self) -> int:
        """Days of follow-up."""
        return int(self.blocked.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happened, day by day: the truth, before anyone reports or measures it.

    ``use``: 1 on a day with use. The latent course goes on after a person leaves the study; ``days_in_study`` says what
    was seen.
    ``amount``: amount of the day. [unit of the substance]
    ``vas``: craving without report error. [VAS 0 to 100]
    ``baseline_use``, ``baseline_amount``, ``baseline_vas``: the same for the days of the baseline, oldest first.
    ``days_in_study``: days before leaving; equal to the number of days for those who stay. [day]
    ``attended``: whether each session slot was held.
    ``states``: recorded states by the names of :data:`STATES`, or none.
    """

    use: Int[np.ndarray, "subject day"]
    amount: Float[np.ndarray, "subject day"]
    vas: Float[np.ndarray, "subject day"]
    baseline_use: Int[np.ndarray, "subject baseline"]
    baseline_amount: Float[np.ndarray, "subject baseline"]
    baseline_vas: Float[np.ndarray, "subject baseline"]
    days_in_study: Int[np.ndarray, " subject"]
    attended: Bool[np.ndarray, "subject session"]
    states: dict[str, Float[np.ndarray, "subject day"]]
