"""What a protocol says, field by field, before anything is checked between its parts.

The checks and the words read these fields; the record that is made of them, checked as a whole, is
:class:`~remission.protocol.record.Protocol`. Days are whole numbers; day 0 is the day of the first planned contact.
"""

import hashlib
import json
from functools import cached_property
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from remission.errors import SpecError, did_you_mean
from remission.records.analysis import Analysis, Comparison
from remission.records.comorbidity import default_weight, measured_prevalence
from remission.records.design import Design
from remission.records.effect import Effect
from remission.records.endpoint import Endpoint
from remission.records.estimand import Estimand
from remission.records.grown import GrownRecord
from remission.records.intercurrent import Blinding, IntercurrentEvents, Missingness
from remission.records.model_file import NamedModel
from remission.records.multiplicity import Multiplicity
from remission.records.population import Population, Randomization, Recruitment, Setting
from remission.records.substance import Substance
from remission.records.text import Sentence, Slug, Title
from remission.records.treatment import Arm, DrugCourse, MedicineCourse, TherapyCourse, WayOfLife
from remission.records.visits import BiologicalTest, VisitSchedule

_Part = TypeVar("_Part", Endpoint, Analysis, Arm)


class ProtocolFields(GrownRecord):
    """The fields of :class:`~remission.protocol.record.Protocol`, each valid by itself."""

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "purpose",
            "design",
            "medicines",
            "way_of_life",
            "recruitment",
            "events",
            "missingness",
            "blinding",
            "multiplicity",
            "pk_model",
            "effect",
        }
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
    pk_model: NamedModel = None
    drugs: dict[Slug, DrugCourse] = Field(default_factory=dict)
    therapies: dict[Slug, TherapyCourse] = Field(default_factory=dict)
    medicines: dict[Slug, MedicineCourse] = Field(default_factory=dict)
    way_of_life: dict[Slug, WayOfLife] = Field(default_factory=dict)
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
    effect: Effect | None = None
    multiplicity: Multiplicity | None = None
    estimand: Estimand | None = None
    comparisons: tuple[Comparison, ...] = ()

    def __hash__(self) -> int:
        """Hash of the content: equal protocols have equal hashes."""
        return hash(self.content_hash)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the content as canonical JSON, 64 hexadecimal digits; the order of names does not matter."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def courses_of(self, arm: Arm) -> tuple[TherapyCourse, ...]:
        """The courses of therapy that an arm has: lessons, then rewards."""
        return tuple(self.therapies[name] for name in arm.contacts if name in self.therapies)

    def prevalence(self, condition: str) -> float | None:
        """The share of the people who have a condition: stated, else measured, else None: unknown. [share]"""
        stated = getattr(self.population.comorbidity, condition, None)
        if stated is not None and stated.prevalence is not None:
            return float(stated.prevalence)
        return measured_prevalence(condition, substance=self.substance)

    def effect_share(self, condition: str) -> float:
        """The share of what was read of a condition on use that acts: stated, else the library's weight. [share]"""
        stated = getattr(self.population.comorbidity, condition, None)
        if stated is not None and stated.effect_share is not None:
            return float(stated.effect_share)
        return default_weight(condition)

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """The endpoint of this id.

        Raises SpecError: the protocol has no such endpoint.
        """
        return _named(self.endpoints, endpoint_id, "endpoints")

    def analysis(self, analysis_id: str) -> Analysis:
        """The analysis of this id.

        Raises SpecError: the protocol has no such analysis.
        """
        return _named(self.analyses, analysis_id, "analyses")

    def arm(self, arm_id: str) -> Arm:
        """The arm of this id.

        Raises SpecError: the protocol has no such arm.
        """
        return _named(self.arms, arm_id, "arms")


def _named(parts: tuple[_Part, ...], wanted: str, where: str) -> _Part:
    for part in parts:
        if part.id == wanted:
            return part
    known = [part.id for part in parts]
    raise SpecError(
        where=where, got=wanted, allowed=f"one of {', '.join(known) or 'nothing'}", remedy=did_you_mean(wanted, known)
    )
