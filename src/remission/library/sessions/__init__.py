"""Published sessions, and what the planner asks before one: regimens, checks, plasma ranges, course limits.

Data, one TOML file each, with a source for every entry. A regimen or range that a summary alone reports says so in its
grade; an entry whose source leaves something open says what.
"""

from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from remission.errors import SpecError
from remission.library.references import load_reference
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.parameter import Grade, SourceKey

__all__ = [
    "CourseFact",
    "PlasmaRange",
    "PublishedRegimen",
    "PublishedStep",
    "SessionCheck",
    "load_checks",
    "load_course_facts",
    "load_plasma_ranges",
    "load_regimens",
]

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=600)]


class PublishedStep(Record):
    """One dose of a session: per body weight or in mg, over some minutes where it is infused."""

    dose_mg_per_kg: Annotated[float, Field(ge=0.0)] | None = None
    dose_mg: Annotated[float, Field(ge=0.0)] | None = None
    duration_min: Annotated[float, Field(gt=0.0)] | None = None

    @model_validator(mode="after")
    def _one_dose(self) -> Self:
        if (self.dose_mg_per_kg is None) == (self.dose_mg is None):
            raise SpecError(where="dose", got=self.dose_mg, allowed="a dose per body weight or in mg, one of them")
        return self


class PublishedRegimen(Record):
    """A session as a trial gave it.

    substance
        What the trial was about; ``depression`` and ``healthy volunteers`` lie outside of addiction.
    n_sessions, spacing_days, spacing_low_days, spacing_high_days
        Sessions of one person in the trial and days between them; None where there was one, or where it is not known.
    is_course
        Whether the trial was of a treatment, so that its number of sessions counts as a published course.
    evidence
        Id in the evidence registry, where the trial is there.
    """

    id: _Name
    title: _Text
    substance: str
    route: Literal["iv", "im"]
    steps: Annotated[tuple[PublishedStep, ...], Field(min_length=1)]
    n_sessions: Annotated[int, Field(ge=1)] | None = None
    spacing_days: Annotated[float, Field(gt=0.0)] | None = None
    spacing_low_days: Annotated[float, Field(gt=0.0)] | None = None
    spacing_high_days: Annotated[float, Field(gt=0.0)] | None = None
    n_people: Annotated[int, Field(ge=1)] | None = None
    is_course: bool = True
    source: SourceKey
    evidence: str | None = None
    grade: Grade
    note: str = ""

    @property
    def is_addiction(self) -> bool:
        """Whether the trial was about the use of a substance."""
        return self.substance not in {"depression", "healthy volunteers"}


class SessionCheck(Record):
    """Something that a session is checked for.

    kind
        ``contraindication``: no plan is printed. ``flag``: shown with its source, and nothing is blocked.
    rule
        ``asked``: the user says it. Otherwise the name of the rule by which it is computed; ``threshold`` is its limit.
    also
        Other words for it, as people type them; :mod:`remission.library.meanings` reads them.
    """

    id: _Name
    kind: Literal["contraindication", "flag"]
    group: Literal["heart and vessels", "brain and mind", "pregnancy and body", "substances", "taken on the day"]
    rule: str = "asked"
    threshold: float | None = None
    threshold_2: float | None = None
    label: _Text
    also: tuple[str, ...] = ()
    consequence: _Text
    source: SourceKey
    grade: Grade

    @property
    def citation(self) -> str:
        """The source in one line, without an address."""
        reference = load_reference(self.source)
        return " ".join(part for part in (reference.title.strip("[]") + ".", reference.note) if part)


class PlasmaRange(Record):
    """Concentrations of ketamine that a trial or review reports, as a limit to stay under.

    reference
        What the times count from: each entry is ``end`` or ``start``; more than one means that the source leaves it
        open, and every reading must hold.
    of
        Whose values the two ends are: of people, or means of groups.
    """

    id: _Name
    title: _Text
    low_ng_per_ml: Annotated[float, Field(ge=0.0)]
    high_ng_per_ml: Annotated[float, Field(gt=0.0)]
    after_h: Annotated[float, Field(ge=0.0)]
    reference: Annotated[tuple[Literal["start", "end"], ...], Field(min_length=1)]
    of: Literal["people", "means"]
    source: SourceKey
    grade: Grade
    note: _Text


class CourseFact(Record):
    """A sentence about courses: how many sessions, what to ask at each, what nobody knows."""

    id: _Name
    text: _Text
    source: SourceKey
    grade: Grade


@cache
def load_regimens() -> tuple[PublishedRegimen, ...]:
    """Published regimens in the order in which they are offered."""
    return tuple(PublishedRegimen.from_dict(one) for one in packaged_toml("sessions", "regimens.toml")["regimen"])


@cache
def load_checks() -> tuple[SessionCheck, ...]:
    """Checks before a session, group by group, contraindications first."""
    found = [SessionCheck.from_dict(one) for one in packaged_toml("sessions", "checks.toml")["check"]]
    groups = list(dict.fromkeys(one.group for one in found))
    return tuple(sorted(found, key=lambda one: (groups.index(one.group), one.kind)))


@cache
def load_plasma_ranges() -> tuple[PlasmaRange, ...]:
    """Concentrations that trials report."""
    return tuple(PlasmaRange.from_dict(one) for one in packaged_toml("sessions", "plasma.toml")["range"])


@cache
def load_course_facts() -> tuple[CourseFact, ...]:
    """What is known of courses."""
    return tuple(CourseFact.from_dict(one) for one in packaged_toml("sessions", "course.toml")["fact"])
