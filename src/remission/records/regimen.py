"""What is given in one session: doses on the session clock.

A :class:`~remission.records.treatment.DrugCourse` says on which days sessions are held; a regimen says what is given in
one.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.dose import Dose, DrugForm, Route, read_form


class Regimen(Record):
    """The doses of one session, all of one drug form.

    A dose that names no route is an infusion into a vein; one that names no form is of the regimen's.

    Examples
    --------
    >>> Regimen.create(doses=[{"dose": "0.5 mg/kg", "duration": "40 min"}]).doses[0].dose_mg_per_kg
    0.5
    >>> Regimen.create(doses=[Dose.create(route="nasal", dose="56 mg", form="esketamine")]).form.value
    'esketamine'
    """

    form: Annotated[DrugForm, BeforeValidator(read_form)] = DrugForm.RACEMATE
    doses: Annotated[tuple[Dose, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Fill what a dose leaves to the regimen, and the form of a regimen from that of whole doses."""
        if not isinstance(data, dict) or not isinstance(data.get("doses"), list | tuple):
            return data
        form = data.get("form")
        if form is None:
            form = next((dose.form for dose in data["doses"] if isinstance(dose, Dose)), DrugForm.RACEMATE)
        usual = {"route": Route.IV_INFUSION, "form": form}
        return {
            **data,
            "form": form,
            "doses": [{**usual, **dose} if isinstance(dose, dict) else dose for dose in data["doses"]],
        }

    def _faults(self) -> Iterator[SpecError]:
        for index, dose in enumerate(self.doses):
            if dose.form is not self.form:
                yield SpecError(
                    where=f"doses[{index}].form",
                    got=dose.form.value,
                    allowed=f"{self.form.value}, as the regimen",
                    remedy="Two drugs are two regimens.",
                )
