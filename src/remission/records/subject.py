"""One person, as a clinic would write them down at entry."""

from typing import Annotated, Literal

from pydantic import Field

from remission.records.base import Record
from remission.records.quantity import AgeY, WeightKg
from remission.records.substance import Substance


class Subject(Record):
    """Age, weight, sex and substance of one person.

    Examples
    --------
    >>> Subject.create(age="45 years", weight="82 kg", sex="male", substance="alcohol").weight_kg
    82.0
    """

    age_y: Annotated[AgeY, Field(alias="age")]
    weight_kg: Annotated[WeightKg, Field(alias="weight")]
    sex: Literal["female", "male"]
    substance: Substance
