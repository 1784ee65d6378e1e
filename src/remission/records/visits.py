"""What is collected when, and how good the biological test is."""

from typing import Annotated, Literal

from pydantic import Field

from remission.records.base import Record
from remission.records.quantity import Day, Fraction
from remission.records.text import EachOnce, Note, Slug


class VisitSchedule(Record):
    """A series of visits on fixed days and what each collects.

    The self-report diary (TLFB) covers every day back to the visit before; ``test`` is the trial's biological test,
    ``depression`` a rating on the scale of the population.
    """

    id: Slug
    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=400)]
    collects: Annotated[tuple[Literal["diary", "test", "craving", "depression"], ...], Field(min_length=1), EachOnce]


class BiologicalTest(Record):
    """A breath or urine test: it finds use of the last ``detection_days`` days with ``sensitivity``.

    ``specificity`` is the chance of a negative test when there was no use in that time.
    """

    kind: Literal["breath", "urine"]
    detection_days: Annotated[int, Field(strict=True, ge=1, le=60)]
    sensitivity: Fraction
    specificity: Fraction
    note: Note = ""
