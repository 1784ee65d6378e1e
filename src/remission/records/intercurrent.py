"""What can happen to people after randomization, beside the treatment: events, missing data, broken blinding."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.grown import GrownRecord
from remission.records.quantity import Fraction

_Strength = Annotated[float, Field(ge=0.0, le=10.0)]


class UseRule(Record):
    """A published kind of definition: at least ``use_days`` days of use within any ``within_days`` days."""

    use_days: Annotated[int, Field(strict=True, ge=1, le=365)]
    within_days: Annotated[int, Field(strict=True, ge=1, le=365)]

    def _faults(self) -> Iterator[SpecError]:
        if self.use_days > self.within_days:
            yield SpecError(where="use_days", got=self.use_days, allowed=f"at most within_days ({self.within_days})")


class Readmission(UseRule):
    """Admission to a hospital: with ``chance`` on the first day on which the rule of use is met, and at most once.

    It stands for what a trial would count; the model has no hospital, and an admission changes nothing else.
    """

    chance: Fraction


class Incarceration(Record):
    """Custody: it begins by a constant hazard, lasts ``length_days``, and comes at most once.

    In custody nobody gets the substance, the study's treatment or a visit.
    """

    hazard_per_day: Annotated[float, Field(ge=0.0, le=1.0)]
    length_days: Annotated[int, Field(strict=True, ge=1, le=1825)]


class IntercurrentEvents(GrownRecord):
    """Events that an estimand can name. An event that is left out is not looked for, and none is simulated.

    ``relapse`` and ``rescue_medicine`` are looked for in the true days of use; rescue medicine begins on the day after
    its rule is met. No effect of it on use is simulated, because none was sourced. ``readmission`` is counted by an
    endpoint of that kind, and no estimand names it.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"readmission"})

    relapse: UseRule | None = None
    rescue_medicine: UseRule | None = None
    incarceration: Incarceration | None = None
    readmission: Readmission | None = None


class Missingness(Record):
    """How strongly leaving and missed visits depend on use, in log hazard per unit of the week's share of use days.

    ``observed`` weighs the week up to the last kept visit, which the data show: missing at random. ``latent`` weighs
    the week up to now, which they do not show when the visit is missed: missing not at random. With ``latent`` at 0
    leaving and missing depend on nothing that is unseen.
    """

    observed: _Strength = 0.0
    latent: _Strength = 0.0


class Blinding(GrownRecord):
    """What people guess about their arm from what they felt, and what believing does.

    ``guess_unfelt`` and ``guess_felt`` are the chances of guessing the active drug after a session without any
    psychoactive effect and after one of score 1; between them the log odds are straight. ``expectancy_use`` is what
    guessing active takes off the log odds of use, and guessing control adds to them, half each. ``expectancy_report``
    is the share of use days that people who guess active do not report, and of their craving mark that they leave off.
    ``guess_better`` adds to the log odds of guessing active for each 100 points by which craving has fallen from day 0
    to ``guess_day``: a guess that follows improvement, and no cause of it.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"guess_better", "guess_day"})

    guess_unfelt: Fraction
    guess_felt: Fraction
    expectancy_use: _Strength = 0.0
    expectancy_report: Fraction = 0.0
    guess_better: Annotated[float, Field(ge=-50.0, le=50.0)] = 0.0
    guess_day: Annotated[int, Field(strict=True, ge=1, le=3650)] = 7

    def _faults(self) -> Iterator[SpecError]:
        for name, value in (("guess_unfelt", self.guess_unfelt), ("guess_felt", self.guess_felt)):
            if value in {0.0, 1.0}:
                allowed = "more than 0 and less than 1"
                yield SpecError(where=name, got=value, allowed=allowed, remedy="Write 0.01 or 0.99.")
