"""The shape of a trial: parallel, factorial, crossover or dose-ranging, and what each shape asks of the arms."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record


class Design(Record):
    """What kind of trial the arms make up; the arms are checked against it.

    parallel
        Arms side by side.
    factorial
        Every combination of the levels of two or more factors is one arm.
    dose-ranging
        Two or more courses of ketamine that differ in dose; a low dose may be the control.
    crossover
        Every arm is a sequence of the same drugs in another order, with ``washout_days`` from the last infusion of
        one period to the start of the next.
    """

    kind: Literal["parallel", "factorial", "dose-ranging", "crossover"]
    washout_days: Annotated[int, Field(strict=True, ge=1, le=365)] | None = None

    def _faults(self) -> Iterator[SpecError]:
        if (self.kind == "crossover") != (self.washout_days is not None):
            allowed = "at least 1 day" if self.kind == "crossover" else f"nothing here for a {self.kind} design"
            remedy = "Add the days that must pass between periods." if self.kind == "crossover" else "Remove it."
            yield SpecError(where="washout_days", got=self.washout_days or "nothing", allowed=allowed, remedy=remedy)
