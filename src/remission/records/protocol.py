"""A trial as one frozen record: who, what, when, how measured, how analysed.

The record is what a protocol file says after it has been read and checked; nothing later adds meaning to it.
Days are whole numbers; day 0 is the day of the first planned contact of the course.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from remission.errors import SpecError, nearest_names
from remission.records.base import Record
from remission.records.endpoint import Analysis, Comparison, Endpoint, Estimand
from remission.records.population import Population, Randomization, Setting
from remission.records.treatment import Arm, DrugCourse, Slug, TherapyCourse
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


class Protocol(Record):
    """A whole trial.

    Notes
    -----
    ``format`` names the version of this schema. ``evidence`` is the id of the published trial in the evidence registry,
    absent for a new one. ``assumptions`` says in words what the file adds to its source.
    """

    format: Literal["remission/protocol/1"] = "remission/protocol/1"
    id: Slug
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    substance: Substance
    evidence: Slug | None = None
    assumptions: tuple[Annotated[str, StringConstraints(min_length=1, max_length=600)], ...] = ()
    follow_up_days: Annotated[int, Field(strict=True, ge=1, le=1826)]
    population: Population
    setting: Setting = Setting()
    drugs: dict[Slug, DrugCourse] = Field(default_factory=dict)
    therapies: dict[Slug, TherapyCourse] = Field(default_factory=dict)
    arms: Annotated[tuple[Arm, ...], Field(min_length=1, max_length=12)]
    randomization: Randomization
    visits: tuple[VisitSchedule, ...]
    test: BiologicalTest | None = None
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=1)]
    analyses: tuple[Analysis, ...] = ()
    estimand: Estimand | None = None
    comparisons: tuple[Comparison, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults = [*self._name_faults(), *self._time_faults(), *self._measure_faults()]
        if faults:
            raise SpecError.from_faults(faults)
        return self

    def _name_faults(self) -> list[SpecError]:
        faults = []
        for field in ("arms", "visits", "endpoints", "analyses"):
            ids = [item.id for item in getattr(self, field)]
            for index, name in enumerate(ids):
                if name in ids[:index]:
                    faults.append(
                        SpecError(where=f"{field}[{index}].id", got=name, allowed="a name used once", remedy="Rename one.")
                    )
        for index, arm in enumerate(self.arms):
            faults += _unknown(f"arms[{index}].drug", arm.drug, list(self.drugs))
            faults += _unknown(f"arms[{index}].therapy", arm.therapy, list(self.therapies))
        total = sum(arm.allocation for arm in self.arms)
        if self.randomization.block_size % total:
            faults.append(
                SpecError(
                    where="randomization.block_size",
                    got=self.randomization.block_size,
                    allowed=f"a multiple of {total}, the summed allocation of the arms",
                )
            )
        return faults

    def _time_faults(self) -> list[SpecError]:
        faults = []
        last = self.follow_up_days - 1
        end = f"at most {last}, the last day of follow-up"

        def late(where: str, day: int) -> None:
            if day > last:
                faults.append(
                    SpecError(where=where, got=day, allowed=end, remedy="Move it, or lengthen follow_up_days.")
                )

        for name, drug in self.drugs.items():
            late(f"drugs.{name}.infusions", drug.last_day_latest)
        for name, therapy in self.therapies.items():
            for index, session in enumerate(therapy.sessions):
                if session.day is not None:
                    late(f"therapies.{name}.sessions[{index}].day", session.day)
        for index, arm in enumerate(self.arms):
            faults += self._session_faults(index, arm, last)
        for index, stay in enumerate(self.setting.inpatient):
            late(f"setting.inpatient[{index}].last", stay.last)
        for index, visit in enumerate(self.visits):
            late(f"visits[{index}].days", max(visit.days))
            if list(visit.days) != sorted(set(visit.days)):
                faults.append(SpecError(where=f"visits[{index}].days", got=visit.days, allowed="days in rising order, each once"))
        for index, endpoint in enumerate(self.endpoints):
            late(f"endpoints[{index}].window.last", endpoint.window.last)
        return faults

    def _session_faults(self, index: int, arm: Arm, last: int) -> list[SpecError]:
        faults: list[SpecError] = []
        therapy = self.therapies.get(arm.therapy or "")
        drug = self.drugs.get(arm.drug or "")
        if therapy is None:
            return faults
        for number, session in enumerate(therapy.sessions):
            if session.infusion is None:
                continue
            where = f"therapies.{arm.therapy}.sessions[{number}].infusion"
            count = len(drug.infusions) if drug else 0
            if session.infusion > count:
                faults.append(
                    SpecError(
                        where=where,
                        got=session.infusion,
                        allowed=f"1 to {count}: arm '{arm.id}' has {count} infusions",
                        remedy="Use a fixed day for sessions without an infusion.",
                    )
                )
            elif drug and drug.model_copy(update={"infusions": drug.infusions[: session.infusion]}).last_day_latest + (
                session.offset_days
            ) > last:
                faults.append(
                    SpecError(
                        where=where.replace(".infusion", ".offset_days"),
                        got=session.offset_days,
                        allowed=f"a session not after day {last} even with the longest gaps (arm '{arm.id}')",
                        remedy="Shorten the gaps or the offset, or lengthen follow_up_days.",
                    )
                )
        return faults

    def _measure_faults(self) -> list[SpecError]:
        faults = []
        collected = {what for visit in self.visits for what in visit.collects}
        needs = {
            "percent_days_abstinent": "diary",
            "percent_heavy_days": "diary",
            "any_use": "diary",
            "days_to_relapse_or_dropout": "diary",
            "mean_craving": "craving",
            "confirmed_relapse": "test",
            "abstinent_window": "diary",
        }
        for index, endpoint in enumerate(self.endpoints):
            need = needs[endpoint.kind]
            if need not in collected:
                faults.append(
                    SpecError(
                        where=f"endpoints[{index}].kind",
                        got=endpoint.kind,
                        allowed=f"an endpoint that the visits can feed; it needs '{need}' and no visit collects it",
                        remedy=f"Add '{need}' to a visit's collects.",
                    )
                )
        if "test" in collected and self.test is None:
            faults.append(SpecError(where="test", got="nothing", allowed="a test: a visit collects one", remedy="Describe it."))
        names = [endpoint.id for endpoint in self.endpoints]
        analyses = [analysis.id for analysis in self.analyses]
        for index, analysis in enumerate(self.analyses):
            faults += _unknown(f"analyses[{index}].endpoint", analysis.endpoint, names)
            faults += self._contrast_faults(index, analysis)
        if self.estimand is not None:
            faults += _unknown("estimand.analysis", self.estimand.analysis, analyses)
        for index, comparison in enumerate(self.comparisons):
            faults += _unknown(f"comparisons[{index}].analysis", comparison.analysis, analyses)
            faults += _unknown(f"comparisons[{index}].endpoint", comparison.endpoint, names)
            faults += _unknown(f"comparisons[{index}].arm", comparison.arm, [arm.id for arm in self.arms])
        if self.comparisons and self.evidence is None:
            faults.append(SpecError(where="evidence", got="nothing", allowed="the id of the published trial to compare with"))
        return faults

    def _contrast_faults(self, index: int, analysis: Analysis) -> list[SpecError]:
        faults = []
        factors = sorted({name for arm in self.arms for name in arm.factors})
        kinds = {endpoint.id: endpoint.kind for endpoint in self.endpoints}
        kind = kinds.get(analysis.endpoint, "")
        fitting = {
            "mean_difference": {"percent_days_abstinent", "percent_heavy_days", "mean_craving"},
            "odds_ratio": {"any_use", "confirmed_relapse", "abstinent_window"},
            "hazard_ratio": {"days_to_relapse_or_dropout"},
            "percent_lower": {"mean_craving"},
        }[analysis.method]
        if kind and kind not in fitting:
            faults.append(
                SpecError(
                    where=f"analyses[{index}].method",
                    got=analysis.method,
                    allowed=f"a method for {kind}; {analysis.method} fits {', '.join(sorted(fitting))}",
                )
            )
        for side in ("treatment", "control"):
            wanted = getattr(analysis.contrast, side)
            if not any(wanted.items() <= arm.factors.items() for arm in self.arms):
                faults.append(
                    SpecError(
                        where=f"analyses[{index}].contrast.{side}",
                        got=dict(wanted),
                        allowed="factor levels that at least one arm has",
                        remedy=f"Factors of the arms: {', '.join(factors) or 'none'}.",
                    )
                )
        both = [
            arm.id
            for arm in self.arms
            if analysis.contrast.treatment.items() <= arm.factors.items()
            and analysis.contrast.control.items() <= arm.factors.items()
        ]
        if both:
            faults.append(
                SpecError(where=f"analyses[{index}].contrast", got=both, allowed="no arm on both sides of the contrast")
            )
        for name in analysis.adjust:
            faults += _unknown(f"analyses[{index}].adjust", name, [*factors, "sex", "site"])
        return faults


def _unknown(where: str, name: str | None, known: Sequence[str]) -> list[SpecError]:
    if name is None or name in known:
        return []
    near = nearest_names(name, known)
    return [
        SpecError(
            where=where,
            got=name,
            allowed=f"one of the names defined in this file ({len(known)})",
            remedy=f"Did you mean {', '.join(near)}?" if near else "None is defined.",
        )
    ]
