"""A trial as one frozen record: who, what, when, how measured, how analysed.

The record is what a protocol file says after it has been read and checked; nothing later adds meaning to it.
Days are whole numbers; day 0 is the day of the first planned contact of the course.
"""

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from remission.errors import SpecError
from remission.records.analysis import Analysis, Comparison
from remission.records.cautions import cautions_of
from remission.records.coherence import coherence_faults
from remission.records.design import Design
from remission.records.endpoint import Endpoint
from remission.records.estimand import Estimand
from remission.records.explanation import explain_protocol
from remission.records.grown import GrownRecord
from remission.records.intercurrent import Blinding, IntercurrentEvents, Missingness
from remission.records.medicine import MedicineCourse
from remission.records.multiplicity import Multiplicity
from remission.records.population import Population, Randomization, Setting
from remission.records.recruitment import Recruitment
from remission.records.text import Sentence, Slug, Title
from remission.records.treatment import Arm, DrugCourse, TherapyCourse
from remission.records.visits import BiologicalTest, VisitSchedule

__all__ = ["Protocol", "Substance"]


class Substance(StrEnum):
    """The six substances the program knows."""

    ALCOHOL = "alcohol"
    COCAINE = "cocaine"
    OPIOID = "opioid"
    NICOTINE = "nicotine"
    CANNABIS = "cannabis"
    METHAMPHETAMINE = "methamphetamine"


class Protocol(GrownRecord):
    """A whole trial.

    Notes
    -----
    ``format`` names the version of this schema. ``evidence`` is the id of the published trial in the evidence registry,
    absent for a new one. ``assumptions`` says in words what the file adds to its source. A ``confirmatory`` trial must
    state its estimand, with a strategy for every event that can happen.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {"purpose", "design", "medicines", "recruitment", "events", "missingness", "blinding", "multiplicity"}
    )

    format: Literal["remission/protocol/1"] = "remission/protocol/1"
    id: Slug
    title: Title
    substance: Substance
    design: Design | None = None
    purpose: Literal["exploratory", "confirmatory"] = "exploratory"
    evidence: Slug | None = None
    assumptions: tuple[Sentence, ...] = ()
    follow_up_days: Annotated[int, Field(strict=True, ge=1, le=1826)]
    population: Population
    setting: Setting = Setting()
    drugs: dict[Slug, DrugCourse] = Field(default_factory=dict)
    therapies: dict[Slug, TherapyCourse] = Field(default_factory=dict)
    medicines: dict[Slug, MedicineCourse] = Field(default_factory=dict)
    arms: Annotated[tuple[Arm, ...], Field(min_length=1, max_length=12)]
    randomization: Randomization
    recruitment: Recruitment | None = None
    visits: tuple[VisitSchedule, ...]
    test: BiologicalTest | None = None
    events: IntercurrentEvents | None = None
    missingness: Missingness | None = None
    blinding: Blinding | None = None
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=1)]
    analyses: tuple[Analysis, ...] = ()
    multiplicity: Multiplicity | None = None
    estimand: Estimand | None = None
    comparisons: tuple[Comparison, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults = coherence_faults(self)
        if faults:
            raise SpecError.from_faults(faults)
        return self

    def __hash__(self) -> int:
        """Hash of the content: equal protocols have equal hashes."""
        return hash(self.content_hash)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the content as canonical JSON, 64 hexadecimal digits; the order of names does not matter."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def explain(self) -> str:
        """What will be run, as understood, in plain words."""
        return explain_protocol(self)

    def cautions(self) -> tuple[str, ...]:
        """What a reader of the results must know about this protocol: where it leaves the evidence, what could harm.

        They are data, not warnings: the protocol is valid and runs.
        """
        return cautions_of(self)
