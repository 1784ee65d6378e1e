"""A population's depression scale, and its resting pressure: what sessions and scores are read against."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.quantity import Quantity

DEPRESSION_SCALES: Final[dict[str, dict[str, object]]] = packaged_toml("depression-scales.toml")["scales"]
"""Scales by name, with the highest score of each."""

if TYPE_CHECKING:
    ScaleName: TypeAlias = str
else:
    ScaleName = Literal[tuple(DEPRESSION_SCALES)]

_Score = Annotated[float, Quantity("point", 0.0, 200.0, "points?", "28 points")]
_Pressure = Annotated[float, Quantity("mmHg", 60.0, 250.0, "mmHg", "125 mmHg")]
_PressureSd = Annotated[float, Quantity("mmHg", 0.0, 60.0, "mmHg", "12 mmHg")]


class DepressionScale(Record):
    """The scale on which depression is rated, and its scores at entry: normal, cut at its ends. [points]"""

    scale: ScaleName
    mean_points: Annotated[_Score, Field(alias="mean")]
    sd_points: Annotated[_Score, Field(alias="sd")]

    @property
    def most_points(self) -> float:
        """Highest score. [points]"""
        return float(str(DEPRESSION_SCALES[self.scale]["most"]))

    def _faults(self) -> Iterator[SpecError]:
        if self.mean_points > self.most_points:
            allowed = f"at most {self.most_points:g} points, the highest score of {self.scale}"
            yield SpecError(where="mean", got=f"{self.mean_points:g} points", allowed=allowed)


class RestingPressure(Record):
    """Systolic pressure at rest before a session: normal between people. [mmHg]"""

    mean_mmhg: Annotated[_Pressure, Field(alias="mean")]
    sd_mmhg: Annotated[_PressureSd, Field(alias="sd")]
