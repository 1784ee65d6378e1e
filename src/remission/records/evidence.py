"""Typed records of the evidence files, field for field as the files have them.

A field that a record leaves out stays out: ``to_dict`` gives back what was read, so nothing is added and nothing lost.
Whole numbers stay whole (2 is not 2.0). How a number was read, ``source_kind``, is part of every number.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from remission.records.base import Record

_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=64)]
# Strict, so that 2, 2.0, true and "2" stay four different things.
_Number = Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True)]
_Count = Annotated[int, Field(ge=0, strict=True)]


class _AsWritten(Record):
    """A record that writes back exactly the fields it was read from."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data with the fields that were given, no more and no less; ``from_dict`` reads it back."""
        return self.model_dump(mode="json", exclude_unset=True)


class StudyArm(_AsWritten):
    """One arm as the source describes it. [mg/kg], [min], [day]; ``dose_note`` and its kind carry what has no number.

    ``confidence`` says what about the arm is unverified; ``bolus`` how the dose is split. ``drug`` is None where
    nothing but care or teaching was given.
    """

    name: _Text
    n: _Count | None
    drug: _Text | None
    dose_mg_per_kg: _Number | None
    route: str | None
    infusion_minutes: _Number | None
    n_doses: _Count | None
    spacing_days: _Number | None
    psychotherapy: str | None
    control: str | None
    dose_mg: _Number | None = None
    dose_note: str | None = None
    infusion_note: str | None = None
    spacing_note: str | None = None
    confidence: str | None = None
    bolus: str | None = None


class StudyOutcome(_AsWritten):
    """One outcome: a number, or a statement where ``value`` is None.

    ``statistic`` names the statistic and its unit in the source's words; ``ci_low`` and ``ci_high`` are a 95% interval
    unless ``statistic`` says range or the note says otherwise; ``time_days`` is the day of the trial. ``source_url``
    is where it was read; it is for checking and is never shown. ``se`` is a standard error, ``baseline`` the number
    before treatment, both in the unit of ``value``.
    """

    arm_or_contrast: _Text
    endpoint: _Text
    time_days: _Number | None
    statistic: _Text
    value: _Number | None
    ci_low: _Number | None
    ci_high: _Number | None
    sd: _Number | None
    n: _Count | None
    source_url: _Text | None
    source_kind: Literal["abstract or registry", "secondary", "press", "derived"]
    note: str | None = None
    derived: bool | None = None
    derivation: str | None = None
    events: _Count | None = None
    ci_method: str | None = None
    se: _Number | None = None
    baseline: _Number | None = None

    @property
    def has_interval(self) -> bool:
        """Whether value and both ends of an interval are given."""
        return None not in {self.value, self.ci_low, self.ci_high}

    @property
    def is_first_hand(self) -> bool:
        """Whether it was read in an abstract or a registry."""
        return self.source_kind == "abstract or registry"

    @property
    def remarks(self) -> str:
        """Note, derivation and method of the interval in one text; may be empty."""
        before = "" if self.baseline is None else f"before: {self.baseline:g}"
        error = "" if self.se is None else f"standard error {self.se:g}"
        return "; ".join(text for text in (self.note, before, error, self.derivation, self.ci_method) if text)


class StudyRecord(_AsWritten):
    """A trial, review or natural-history source with its arms and outcomes."""

    id: _Id
    citation: _Text
    doi: str | None
    pmid: str | None
    registration: str | None
    substance: _Text
    design: _Text
    population: str
    cotherapy: str
    schedule: str
    role: _Text
    risk_of_bias: str
    arms: tuple[StudyArm, ...]
    outcomes: tuple[StudyOutcome, ...]
    doi_confidence: str | None = None


class CareRecord(_AsWritten):
    """One number about an established treatment, way of life, blinding, comorbidity or amounts of use.

    ``value`` is None for a result in words (``statistic`` says it) and where a source gives an interval alone.

    ``absolute_per_100_treated`` and ``absolute_per_100_control`` are people per 100 where both count people on the same
    endpoint; ``unit`` says what ``value`` is in.
    """

    id: _Id
    substance: _Text
    treatment: _Text
    comparator: str | None
    population: str
    endpoint: _Text
    time_days: int | None
    statistic: _Text
    value: _Number | None
    ci_low: _Number | None
    ci_high: _Number | None
    absolute_per_100_treated: _Number | None
    absolute_per_100_control: _Number | None
    n: _Count | None
    citation: _Text
    doi_or_pmid: str | None
    source_url: str
    source_kind: Literal["abstract or registry", "secondary", "guideline", "press", "derived"]
    certainty: str | None
    unit: _Text
    note: str | None

    @property
    def has_interval(self) -> bool:
        """Whether value and both ends of an interval are given."""
        return None not in {self.value, self.ci_low, self.ci_high}
