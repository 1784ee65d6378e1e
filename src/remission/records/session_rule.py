"""What in a dosing session counts for an endpoint: a pressure, its rise or a score above a bound that is stated."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from remission.errors import SpecError
from remission.records.grown import GrownRecord
from remission.records.quantity import Flag, Quantity

SESSION_BOUNDS = ("systolic_mmhg", "systolic_rise_mmhg", "cadss_points")
"""The bounds of a rule, by the names of what is compared with them."""

_Pressure = Annotated[float, Quantity("mmHg", 60.0, 300.0, "mmHg", "180 mmHg")]
_Rise = Annotated[float, Quantity("mmHg", 0.0, 200.0, "mmHg", "30 mmHg")]
_Score = Annotated[float, Quantity("point", 0.0, 200.0, "points?", "15 points")]


class SessionRule(GrownRecord):
    """Bounds of a dosing session; a session counts when any one that is given is passed.

    systolic, systolic_rise
        Systolic pressure, and its rise above the resting pressure of the person.
    cadss
        Total score of the Clinician-Administered Dissociative States Scale.
    stopped
        Whether only what passes a bound before the last dose has gone in counts, so that the session would be stopped;
        what is given is not shortened.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({*SESSION_BOUNDS, "stopped"})

    systolic_mmhg: Annotated[_Pressure | None, Field(alias="systolic")] = None
    systolic_rise_mmhg: Annotated[_Rise | None, Field(alias="systolic_rise")] = None
    cadss_points: Annotated[_Score | None, Field(alias="cadss")] = None
    stopped: Flag = False

    def _faults(self) -> Iterator[SpecError]:
        if all(getattr(self, name) is None for name in SESSION_BOUNDS):
            yield SpecError(
                where="systolic",
                got="no bound",
                allowed="systolic, systolic_rise or cadss, each with its unit",
                remedy="Write a bound, such as 'systolic: 180 mmHg' or 'cadss: 15 points'.",
            )
