"""What is given in one session: infusions on the session clock.

A :class:`~remission.records.treatment.DrugCourse` says on which days sessions are held; a regimen says what runs in
one.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.infusions import DrugForm
from remission.records.quantity import DoseMgPerKg, DurationMin
from remission.records.treatment import DrugCourse

__all__ = ["Dose", "Regimen"]


class Dose(Record):
    """One infusion: when it starts, how much per body weight, over how long."""

    start_h: Annotated[float, Field(ge=0.0, le=24.0)] = 0.0
    dose_mg_per_kg: Annotated[DoseMgPerKg, Field(alias="dose")]
    duration_min: Annotated[DurationMin, Field(alias="duration")]


class Regimen(Record):
    """The infusions of one session, all of one drug form.

    Examples
    --------
    >>> Regimen.create(doses=[{"dose": "0.5 mg/kg", "duration": "40 min"}]).doses[0].dose_mg_per_kg
    0.5
    """

    form: Annotated[DrugForm, BeforeValidator(lambda value: DrugForm(value) if isinstance(value, str) else value)] = (
        DrugForm.RACEMATE
    )
    doses: Annotated[tuple[Dose, ...], Field(min_length=1, max_length=20)]

    @classmethod
    def of_course(cls, course: DrugCourse, number: int = 1) -> "Regimen":
        """The session of infusion ``number`` (from 1) of a course.

        Raises
        ------
        SpecError
            The course has no such infusion, or it is not ketamine.
        """
        if course.drug != "racemic-ketamine" or not 1 <= number <= len(course.infusions):
            raise SpecError(
                where="number",
                got=f"infusion {number} of {course.drug}",
                allowed=f"an infusion of racemic-ketamine, 1 to {len(course.infusions)}",
            )
        infusion = course.infusions[number - 1]
        return cls(doses=(Dose(dose_mg_per_kg=infusion.dose_mg_per_kg, duration_min=infusion.duration_min),))
