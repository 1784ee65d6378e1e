"""What a plan is asked for: a person, and the infusions of one session."""

from typing import Annotated, Literal

from pydantic import Field

from remission.errors import SpecError
from remission.library.protocols import list_protocols, load_protocol
from remission.records.base import Record
from remission.records.protocol import Substance
from remission.records.quantity import AgeY, DoseMgPerKg, DurationMin, WeightKg

__all__ = ["PlanRequest", "PlannedInfusion", "list_presets", "preset_infusions"]


class PlannedInfusion(Record):
    """One infusion of racemic ketamine on the session clock."""

    dose_mg_per_kg: Annotated[DoseMgPerKg, Field(alias="dose")]
    duration_min: Annotated[DurationMin, Field(alias="duration")]
    start_h: Annotated[float, Field(ge=0.0, le=24.0)] = 0.0


class PlanRequest(Record):
    """A person and a session; blood pressure before the session is optional and never made up.

    Examples
    --------
    >>> PlanRequest.create(
    ...     age="45 years",
    ...     weight="82 kg",
    ...     sex="male",
    ...     substance="alcohol",
    ...     infusions=[{"dose": "0.5 mg/kg", "duration": "40 min"}],
    ... ).n_people
    1000
    """

    age_y: Annotated[AgeY, Field(alias="age")]
    weight_kg: Annotated[WeightKg, Field(alias="weight")]
    sex: Literal["female", "male"]
    substance: Substance
    hypertension: bool = False
    sbp0_mmhg: Annotated[float, Field(ge=60.0, le=260.0)] | None = None
    infusions: Annotated[tuple[PlannedInfusion, ...], Field(min_length=1, max_length=20)]
    model: str = "simons2022"
    n_people: Annotated[int, Field(ge=20, le=100_000)] = 1000
    seed: Annotated[int, Field(ge=0, le=2**64 - 1)] = 1


def list_presets() -> tuple[str, ...]:
    """Names of the library's protocols of published trials with a ketamine infusion."""
    return tuple(name for name in list_protocols() if _ketamine(name))


def preset_infusions(name: str) -> tuple[PlannedInfusion, ...]:
    """The first session of a published regimen.

    Raises
    ------
    SpecError
        No preset has that name.
    """
    known = list_presets()
    if name not in known:
        raise SpecError(where="preset", got=name, allowed=f"one of {', '.join(known)}")
    return _ketamine(name)


def _ketamine(name: str) -> tuple[PlannedInfusion, ...]:
    for drug in load_protocol(name).drugs.values():
        if drug.drug == "racemic-ketamine" and drug.infusions:
            first = drug.infusions[0]
            return (PlannedInfusion(dose_mg_per_kg=first.dose_mg_per_kg, duration_min=first.duration_min),)
    return ()
