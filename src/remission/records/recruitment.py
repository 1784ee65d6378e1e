"""How people come into a trial over calendar time."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.quantity import Fraction

__all__ = ["Recruitment"]


class Recruitment(Record):
    """People who are screened per day, growing in a straight line to the full rate, and how many of them fail.

    ``screened_per_day`` is the full rate over all sites, reached after ``ramp_days``. ``screening_failure`` is the
    share of screened people who are not eligible or refuse; those who enter are the population as described.
    """

    screened_per_day: Annotated[float, Field(gt=0.0, le=1000.0)]
    ramp_days: Annotated[int, Field(strict=True, ge=0, le=1825)] = 0
    screening_failure: Fraction = 0.0

    def _faults(self) -> Iterator[SpecError]:
        if self.screening_failure == 1.0:
            yield SpecError(where="screening_failure", got=1.0, allowed="less than 1: with 1 nobody ever enters")
