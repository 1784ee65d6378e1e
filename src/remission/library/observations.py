"""Published concentrations a model is held against, one TOML file each in ``validation/``.

A file says who got what, which analyte was measured where, and when; the numbers are as the source gives them. A row
whose regimen is not stated well enough to be simulated is kept too and says why it is not predicted.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from remission.errors import LibraryError, SpecError, check_known
from remission.library.loader import damaged
from remission.records.analyte import Analyte, SamplingSite
from remission.records.base import Record
from remission.records.dose import DrugForm, Route
from remission.records.packaged import packaged_toml
from remission.records.parameter import Grade, SourceKey

_Positive = Annotated[float, Field(gt=0.0)]
_Times = tuple[Annotated[float, Field(ge=0.0)], ...]


class ObservedInfusion(Record):
    """One infusion of the study. [h], [mg of free base]"""

    start_h: Annotated[float, Field(ge=0.0)]
    duration_h: _Positive
    dose_mg: _Positive


class ObservedDose(Record):
    """One dose of the study by another route than an infusion. [h], [mg of free base]

    ``product`` is the product of the library whose bioavailability comes nearest; ``f`` is the study's own where it
    printed one.
    """

    route: Route
    product: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
    start_h: Annotated[float, Field(ge=0.0)] = 0.0
    dose_mg: _Positive
    f: Annotated[float, Field(gt=0.0, le=1.0)] | None = None


class ObservedSeries(Record):
    """Measured concentrations after known doses, or the reason why they cannot be predicted.

    Notes
    -----
    ``kind`` is ``series`` for mean concentrations over time, ``peak`` for concentrations at the end of the infusion,
    ``range`` for limits of single values, ``cmax`` for the largest concentration whenever it comes (``t_h``, if any,
    is the reported time), ``auc`` for the area under the curve, ``level`` for a concentration without a regimen.
    ``weight_kg`` is the weight the doses are meant for, ``own_cl_l_per_h`` the clearance of S-ketamine in the people of
    the study where it was printed. ``low`` and ``high`` are what ``interval`` names. ``both_forms`` marks a metabolite
    measured as S and R together. ``use`` is ``shown`` for a row that supports nothing. Times count from the start of
    the first dose.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    form: DrugForm
    infusions: tuple[ObservedInfusion, ...] = ()
    doses: tuple[ObservedDose, ...] = ()
    not_predicted: Annotated[str, StringConstraints(max_length=400)] = ""
    use: Literal["compared", "shown"] = "compared"
    weight_kg: _Positive
    own_cl_l_per_h: _Positive | None = None
    n_subjects: Annotated[int, Field(ge=1)] | None = None
    analyte: Analyte
    both_forms: bool = False
    sampling_site: SamplingSite
    kind: Literal["series", "peak", "range", "cmax", "auc", "level"]
    unit: Literal["ng/mL", "umol/L", "ng h/mL"]
    t_h: _Times = ()
    interval: Literal["", "SD", "geometric SD", "95% of the mean", "range"] = ""
    values: Annotated[tuple[_Positive, ...], Field()] = ()
    low: tuple[_Positive, ...] = ()
    high: tuple[_Positive, ...] = ()
    source: SourceKey
    grade: Grade
    note: Annotated[str, StringConstraints(max_length=1000)] = ""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        expected = max(len(self.t_h), 1)
        faults = [
            SpecError(where=name, got=len(numbers), allowed=f"{expected} numbers, one for each time")
            for name, numbers in (("values", self.values), ("low", self.low), ("high", self.high))
            if numbers and len(numbers) != expected
        ]
        if not self.t_h and self.kind not in {"cmax", "auc", "level"}:
            faults.append(SpecError(where="t_h", got="nothing", allowed=f"the times of a {self.kind}"))
        ways = [bool(self.infusions), bool(self.doses), bool(self.not_predicted)]
        if sum(ways) != 1:
            faults.append(
                SpecError(
                    where="infusions",
                    got=f"{sum(ways)} of infusions, doses, not_predicted",
                    allowed="exactly one: how the dose was given, or why the row is not predicted",
                )
            )
        if bool(self.interval) != bool(self.low and self.high):
            faults.append(SpecError(where="interval", got=self.interval, allowed="given with low and high, or neither"))
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

    Raises LibraryError: there is none (the message lists the nearest), or its file is damaged.
    """
    known = list_observed_series()
    check_known(name, known, where="observed series", names="of the library", error=LibraryError)
    content = packaged_toml("validation", f"{name}.toml")
    try:
        series = ObservedSeries.from_dict(content)
    except SpecError as error:
        raise damaged(f"validation/{name}.toml", error, "a valid observed series", "Correct the file.") from error
    if series.id != name:
        raise LibraryError(
            where=f"library/validation/{name}.toml", got=series.id, allowed=f"id = '{name}', as the file"
        )
    return series
