"""Published concentrations a model is held against, one TOML file each in ``validation/``.

A file says who got what, which analyte was measured where, and when; the numbers are as the source gives them.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from remission.errors import LibraryError, SpecError, nearest_names
from remission.library.loader import read_library_toml
from remission.records.analyte import Analyte, SamplingSite
from remission.records.base import Record
from remission.records.infusions import DrugForm
from remission.records.parameter import Grade, SourceKey

__all__ = ["ObservedInfusion", "ObservedSeries", "list_observed_series", "load_observed_series"]

_Positive = Annotated[float, Field(gt=0.0)]
_Times = Annotated[tuple[Annotated[float, Field(ge=0.0)], ...], Field(min_length=1)]


class ObservedInfusion(Record):
    """One infusion of the study. [h], [mg of free base]"""

    start_h: Annotated[float, Field(ge=0.0)]
    duration_h: _Positive
    dose_mg: _Positive


class ObservedSeries(Record):
    """Measured concentrations after known infusions.

    Notes
    -----
    ``kind`` is ``series`` for mean concentrations over time, ``peak`` for concentrations at the end of the infusion,
    ``range`` for limits of single values. ``weight_kg`` is the weight the doses are meant for; ``low`` and ``high``
    are an interval of the mean or the limits, as the note says. Times count from the start of the first infusion.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    form: DrugForm
    infusions: Annotated[tuple[ObservedInfusion, ...], Field(min_length=1)]
    weight_kg: _Positive
    n_subjects: Annotated[int, Field(ge=1)] | None = None
    analyte: Analyte
    sampling_site: SamplingSite
    kind: Literal["series", "peak", "range"]
    unit: Literal["ng/mL", "umol/L"]
    t_h: _Times
    values: Annotated[tuple[_Positive, ...], Field()] = ()
    low: tuple[_Positive, ...] = ()
    high: tuple[_Positive, ...] = ()
    source: SourceKey
    grade: Grade
    note: Annotated[str, StringConstraints(max_length=1000)] = ""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults = [
            SpecError(where=name, got=len(numbers), allowed=f"{len(self.t_h)} numbers, one for each time")
            for name, numbers in (("values", self.values), ("low", self.low), ("high", self.high))
            if numbers and len(numbers) != len(self.t_h)
        ]
        if list(self.t_h) != sorted(set(self.t_h)):
            faults.append(SpecError(where="t_h", got=self.t_h, allowed="rising times"))
        if not self.values and not (self.low and self.high):
            faults.append(SpecError(where="values", got="nothing", allowed="values, or low and high"))
        if faults:
            raise SpecError.from_faults(faults)
        return self


def list_observed_series() -> tuple[str, ...]:
    """Ids of the observed series, sorted."""
    folder = files("remission.library") / "validation"
    return tuple(sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml")))


@cache
def load_observed_series(name: str) -> ObservedSeries:
    """The observed series of that name.

    Raises
    ------
    LibraryError
        There is none (the message lists the nearest), or its file is damaged.
    """
    known = list_observed_series()
    if name not in known:
        raise LibraryError(
            where="observed series",
            got=name,
            allowed=f"one of the {len(known)} of the library",
            remedy=f"Did you mean {', '.join(nearest_names(name, known))}?",
        )
    content = read_library_toml(files("remission.library") / "validation" / f"{name}.toml")
    try:
        series = ObservedSeries.from_dict(content)
    except SpecError as error:
        raise LibraryError(
            where=f"library/validation/{name}.toml",
            got=str(error),
            allowed="a valid observed series",
            remedy="Correct the file.",
        ) from error
    if series.id != name:
        raise LibraryError(
            where=f"library/validation/{name}.toml", got=series.id, allowed=f"id = '{name}', as the file"
        )
    return series
