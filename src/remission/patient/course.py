"""What a course needs and what it gives: the arrays that pass between the trial and the kernels.

Shapes: ``subject`` people; ``infusion`` and ``session`` slots of the longest schedule; ``day`` days of follow-up.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["STATES", "Course", "CourseSchedule", "Traits"]

STATES = ("P", "G", "S", "H", "R", "A", "F", "W", "N", "L", "M", "K", "x", "z", "E", "D")
"""Symbols of the states a kernel can record, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What makes one person differ from another.

    ``tendency``: b_i, log odds of use outside an episode. [dimensionless]
    ``responsiveness``: s_i, factor on what a dose does, geometric mean 1. [dimensionless]
    ``commitment0``, ``cue0``, ``episode0``: M, x and E on day 0 (episode0 is 0 or 1). [dimensionless]
    ``engagement``: factor on the worth of a therapy contact. [dimensionless]
    ``drift0``: D on day 0. [log odds]
    ``rhythm``: r, what each weekday adds, Monday first. [log odds]
    ``heaviness``: h, how likely a use day is a heavy one. [log odds]
    """

    tendency: Float[np.ndarray, " subject"]
    responsiveness: Float[np.ndarray, " subject"]
    commitment0: Float[np.ndarray, " subject"]
    cue0: Float[np.ndarray, " subject"]
    episode0: Float[np.ndarray, " subject"]
    engagement: Float[np.ndarray, " subject"]
    drift0: Float[np.ndarray, " subject"]
    rhythm: Float[np.ndarray, "subject weekday"]
    heaviness: Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseSchedule:
    """What happens to whom on which day.

    ``infusion_day``, ``session_day``: day of each slot, -1 for an empty one. [day]
    ``exposure``, ``psychoactive``: e and m of each infusion. [dimensionless]
    ``quality``: q of the arm's sessions. [dimensionless]
    ``weekday0``: weekday of day 0, Monday is 0.
    ``blocked``: whether access to the substance is blocked on a day.
    ``clean_days``: forced clean days before day 0. [day]
    ``incentive``: what the rewards of each session take off the log odds of use, -1 for a session that teaches; None
    where nobody is given rewards. [log odds]
    ``tau_incentive_day``: how incentive fades after the last reward. [day]
    """

    infusion_day: Int[np.ndarray, "subject infusion"]
    exposure: Float[np.ndarray, "subject infusion"]
    psychoactive: Float[np.ndarray, "subject infusion"]
    session_day: Int[np.ndarray, "subject session"]
    quality: Float[np.ndarray, " subject"]
    weekday0: Int[np.ndarray, " subject"]
    blocked: Bool[np.ndarray, " day"]
    clean_days: int
    incentive: Float[np.ndarray, "subject session"] | None = None
    tau_incentive_day: float = 1.0

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
    ``days_in_study``: days before leaving; equal to the number of days for those who stay. [day]
    ``attended``: whether each session slot was held.
    ``states``: recorded states by the names of :data:`STATES`, or none.
    """

    use: Int[np.ndarray, "subject day"]
    amount: Float[np.ndarray, "subject day"]
    vas: Float[np.ndarray, "subject day"]
    days_in_study: Int[np.ndarray, " subject"]
    attended: Bool[np.ndarray, "subject session"]
    states: dict[str, Float[np.ndarray, "subject day"]]
