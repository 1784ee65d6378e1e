"""A protocol as a study of USDM 4.0 (JSON), as far as it maps; what does not is listed in the file.

Classes, attributes and codes stand in ``library/exchange/usdm.toml``, with where they were read.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from remission.files import check_ending, check_free, write_text
from remission.protocol.record import Protocol
from remission.provenance import package_version
from remission.records.packaged import packaged_toml
from remission.records.treatment import Arm, DrugCourse, GivenDose, Infusion

_TABLE = packaged_toml("exchange", "usdm.toml")
_SYSTEM, _VERSION = "http://www.cdisc.org", "2024-09-27"
_PLACEBO = {"saline"}


def export_usdm(protocol: Protocol, out: Path) -> list[str]:
    """A protocol written as USDM 4.0; what of it has no place there, one sentence each.

    Parameters
    ----------
    protocol
        A name, a file, a YAML text, fields, or a Protocol.
    out
        File to write, ``.json``; it must not exist yet.

    Raises
    ------
    SpecError
        The name is taken or ends otherwise.
    RunError
        The file cannot be written.
    """
    check_ending(out, "out", (".json",))
    check_free(out, "out")
    builder = _Builder(protocol)
    write_text(out, json.dumps(builder.wrapper(), indent=1, ensure_ascii=False) + "\n")
    return builder.left_out


@dataclass
class _Builder:
    """Instances with numbers of their own, in the order in which they are made."""

    protocol: Protocol
    left_out: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def make(self, kind: str, **said: Any) -> dict[str, Any]:
        """An instance of a class of USDM; an attribute that the class has not is a fault of this program."""
        known = _TABLE["classes"][kind]
        defaults: dict[str, Any] = {
            **dict.fromkeys(known.get("nulls", ())), **dict.fromkeys(known.get("texts", ()), ""),
            **{name: [] for name in known.get("lists", ())},
        }  # fmt: skip
        if set(said) - set(defaults) != set(known.get("said", ())):
            raise TypeError(f"{kind}: {sorted(set(said) ^ set(known.get('said', ())))}")
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        start = {} if kind == "Study" else {"id": f"{kind}_{self.numbers[kind]}", "extensionAttributes": []}
        return {**start, **defaults, **said, "instanceType": kind}

    def code(self, name: str, table: str = "codes") -> dict[str, Any]:
        value, decode, *version = _TABLE[table][name]
        return self.make("Code", code=value, codeSystem=_SYSTEM, codeSystemVersion=version[0] if version else _VERSION,
                         decode=decode)  # fmt: skip

    def alias(self, name: str, table: str = "codes") -> dict[str, Any]:
        return self.make("AliasCode", standardCode=self.code(name, table))

    def quantity(self, value: float, unit: str | None = None) -> dict[str, Any]:
        return self.make("Quantity", value=float(value), unit=None if unit is None else self.alias(unit))

    # --------------------------------------------------------------------------------------------------------- parts

    def wrapper(self) -> dict[str, Any]:
        """The whole file."""
        protocol = self.protocol
        drugs = {name: self._drug(name, course) for name, course in protocol.drugs.items()}
        therapies = {name: self._therapy(name) for name in protocol.therapies}
        design = self._design(drugs, therapies)
        self._leave_out()
        title = self.make("StudyTitle", text=protocol.title, type=self.code("official-title"))
        notes = [self.make("CommentAnnotation", text=text) for text in (
            "Written by a program that simulates trials. The people of this study are simulated: no data of people.",
            *(f"Not in this file: {one}" for one in self.left_out), *protocol.assumptions,
        )]  # fmt: skip
        version = self.make(
            "StudyVersion", versionIdentifier="1", rationale=protocol.title, studyDesigns=[design], titles=[title],
            studyInterventions=[*drugs.values(), *therapies.values()], notes=notes,
        )  # fmt: skip
        return {
            "study": self.make("Study", name=protocol.id, versions=[version]), "usdmVersion": _TABLE["version"],
            "systemName": "remission", "systemVersion": package_version(),
        }  # fmt: skip

    def _leave_out(self) -> None:
        for name, words in _TABLE["left_out"].items():
            value = getattr(self.protocol, name)
            if value is not None and value not in ((), {}):
                self.left_out.append(words)
        self.left_out += _TABLE["always"].values()

    def _drug(self, name: str, course: DrugCourse) -> dict[str, Any]:
        role = "experimental" if course.is_ketamine else "placebo" if course.drug in _PLACEBO else "active"
        given = [
            self._administration(f"{name}-{number}", dose)
            for number, infusion in enumerate(course.infusions, 1)
            for _, dose in infusion.parts
        ]
        if any(infusion.adapt is not None for infusion in course.infusions):
            self.left_out.append(f"drugs.{name}: the other dose for those who went on using")
        words = course.drug.replace("-", " ")
        return self.make("StudyIntervention", name=name, label=words, description=words, role=self.code(role),
                         type=self.code("drug"), administrations=given)  # fmt: skip

    def _administration(self, name: str, dose: GivenDose) -> dict[str, Any]:
        amount, unit = (dose.dose_mg_per_kg, "mg-per-kg") if dose.dose_mg is None else (dose.dose_mg, "mg")
        route = str(getattr(dose.route, "value", dose.route))
        if route not in _TABLE["routes"]:
            self.left_out.append(f"drugs: the route {route}, of which no code was read")
        minutes = dose.duration_min
        duration = None if minutes is None else self.make(
            "Duration", text=f"{minutes:g} minutes", quantity=self.quantity(minutes, "minute"), durationWillVary=False,
        )  # fmt: skip
        return self.make(
            "Administration", name=name, label=name, description=f"{amount:g} {unit.replace('-per-', '/')}",
            duration=duration, dose=self.quantity(amount or 0.0, unit),
            route=self.alias(route, "routes") if route in _TABLE["routes"] else None, frequency=self.alias("once"),
        )  # fmt: skip

    def _therapy(self, name: str) -> dict[str, Any]:
        course = self.protocol.therapies[name]
        words = f"{course.kind}, {len(course.sessions)} sessions of {course.session_min:g} minutes"
        return self.make("StudyIntervention", name=name, label=name, description=words,
                         role=self.code("experimental"), type=self.code("behavioral"), administrations=[])  # fmt: skip

    def _design(self, drugs: dict[str, Any], therapies: dict[str, Any]) -> dict[str, Any]:
        protocol = self.protocol
        population = self._population()
        epochs = _chained([
            self.make("StudyEpoch", name=name, label=name, description=name, type=self.code(code))
            for name, code in (("Treatment", "treatment-epoch"), ("Follow-up", "follow-up-epoch"))
        ])  # fmt: skip
        after = self.make(
            "StudyElement", name="Follow-up", label="Follow-up", description=f"To day {protocol.follow_up_days - 1}",
            studyInterventionIds=[],
            transitionStartRule=self.make("TransitionRule", name="AFTER_TREATMENT", text="After the last session"),
        )  # fmt: skip
        arms, elements, cells = [], [], []
        for arm in protocol.arms:
            ids = [found["id"] for found in self._given(arm, drugs, therapies)]
            element = self.make(
                "StudyElement", name=arm.id, label=arm.label, description=arm.label, studyInterventionIds=ids,
                transitionStartRule=self.make("TransitionRule", name="DAY_0", text="Day 0: the first planned contact"),
            )  # fmt: skip
            one = self._arm(arm)
            arms.append(one)
            elements.append(element)
            cells += [self.make("StudyCell", armId=one["id"], epochId=epoch["id"], elementIds=[part["id"]])
                      for epoch, part in zip(epochs, (element, after), strict=True)]  # fmt: skip
        objectives, endpoints = self._objectives()
        timeline, encounters, activities = self._schedule(epochs)
        everything = [*drugs.values(), *therapies.values()]
        analyzed, estimands = self._estimands(population, everything, endpoints)
        kinds = ["randomized"] * (len(protocol.arms) > 1) + ["multicentre"] * (protocol.setting.n_sites > 1)
        words = f"Use of {protocol.substance.value}"
        indication = self.make("Indication", name=protocol.substance.value, label=words, description=words,
                               isRareDisease=False)  # fmt: skip
        return self.make(
            "InterventionalStudyDesign", name=protocol.id, label=protocol.title, description=protocol.title,
            studyType=self.code("interventional"), studyPhase=self.alias("no-phase"), encounters=encounters,
            activities=activities, arms=arms, studyCells=cells, rationale=protocol.title, epochs=epochs,
            elements=[*elements, after], estimands=estimands, indications=[indication],
            studyInterventionIds=[one["id"] for one in everything], objectives=objectives, population=population,
            scheduleTimelines=[timeline], analysisPopulations=analyzed, subTypes=[self.code("efficacy")],
            model=self.code(self._model()), intentTypes=[self.code("treatment")],
            characteristics=[self.code(one) for one in kinds],
        )  # fmt: skip

    def _model(self) -> str:
        arms = self.protocol.arms
        if any(arm.periods for arm in arms):
            return "cross-over"
        if len(arms) == 1:
            return "single-group"
        levels = {name: {arm.factors.get(name) for arm in arms} for arm in arms for name in arm.factors}
        return "factorial" if sum(len(found) > 1 for found in levels.values()) > 1 else "parallel"

    def _given(self, arm: Arm, drugs: dict[str, Any], therapies: dict[str, Any]) -> Iterable[dict[str, Any]]:
        yield from (drugs[name] for name in dict.fromkeys(name for _, name in arm.drug_starts))
        yield from (therapies[name] for name in arm.contacts if name in therapies)

    def _arm(self, arm: Arm) -> dict[str, Any]:
        courses = [self.protocol.drugs[name] for _, name in arm.drug_starts]
        if not courses:
            kind = "treatment-arm" if arm.contacts or arm.medicine else "no-intervention-arm"
        elif any(course.is_ketamine for course in courses):
            kind = "experimental-arm"
        else:
            kind = "placebo-arm" if all(course.drug in _PLACEBO for course in courses) else "active-arm"
        return self.make(
            "StudyArm", name=arm.id, label=arm.label, description=arm.label, type=self.code(kind),
            dataOriginDescription="Simulated people; no data of people", dataOriginType=self.code("synthetic"),
        )  # fmt: skip

    def _population(self) -> dict[str, Any]:
        about = self.protocol.population
        share = about.female_fraction
        sex = "both" if 0.0 < share < 1.0 else "female" if share else "male"
        age = self.make("Range", minValue=self.quantity(about.age.low_y, "year"),
                        maxValue=self.quantity(about.age.high_y, "year"), isApproximate=False)  # fmt: skip
        words = (
            self.protocol.estimand.population if self.protocol.estimand else f"Use of {self.protocol.substance.value}"
        )
        return self.make(
            "StudyDesignPopulation", name="Population", label="Population", description=words, plannedAge=age,
            includesHealthySubjects=False, plannedEnrollmentNumber=self.quantity(about.n_subjects),
            plannedSex=[self.code(sex)],
        )  # fmt: skip

    def _objectives(self) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
        protocol, found = self.protocol, {}
        estimand = protocol.estimand
        first = protocol.analysis(estimand.analysis).endpoint if estimand else protocol.endpoints[0].id
        if not estimand:
            self.left_out.append("No estimand is stated: the first endpoint of the file stands as the primary one.")
        for one in protocol.endpoints:
            window = f"days {one.window.first} to {one.window.last}"
            level = "primary-endpoint" if one.id == first else "secondary-endpoint"
            found[one.id] = self.make("Endpoint", name=one.id, label=one.label, purpose="", level=self.code(level),
                                      description=f"{one.kind}, {window}, missing days: {one.missing}",
                                      text=f"{one.label}, {window} [{one.unit}]")  # fmt: skip
        objectives = []
        for level, words, chosen in (
            ("primary-objective", estimand.variable if estimand else protocol.title, [found[first]]),
            ("secondary-objective", "Other endpoints", [one for name, one in found.items() if name != first]),
        ):  # fmt: skip
            if chosen:
                name = level.replace("-", " ")
                objectives.append(self.make("Objective", name=name, label=name, description=name, text=words,
                                            level=self.code(level), endpoints=chosen))  # fmt: skip
        return objectives, found

    def _estimands(
        self, population: dict[str, Any], interventions: list[dict[str, Any]], endpoints: dict[str, dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        stated = self.protocol.estimand
        if stated is None:
            return [], []
        analyzed = self.make("AnalysisPopulation", name="Analyzed", text=stated.population,
                             subsetOfIds=[population["id"]])  # fmt: skip
        events = [
            self.make("IntercurrentEvent", name=event, label=event, description=event, text=event, strategy=strategy)
            for event, strategy in stated.strategies.items()
        ] or [self.make("IntercurrentEvent", name="all", label="all", description=stated.intercurrent_events,
                        text=stated.intercurrent_events, strategy=stated.intercurrent_events)]  # fmt: skip
        variable = endpoints[self.protocol.analysis(stated.analysis).endpoint]["id"]
        one = self.make(
            "Estimand", name=stated.analysis, label=stated.analysis, description=stated.treatment,
            populationSummary=stated.summary, analysisPopulationId=analyzed["id"],
            interventionIds=[one["id"] for one in interventions], variableOfInterestId=variable,
            intercurrentEvents=events,
        )  # fmt: skip
        return [analyzed], [one]

    # ------------------------------------------------------------------------------------------------------ schedule

    def _schedule(
        self, epochs: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
        """The main timeline: day 0, and every day on which somebody gives, teaches or asks."""
        days: dict[tuple[int, int, int], list[str]] = {(0, 0, 0): []}
        last = 0
        for when, words in self._happenings():
            days.setdefault(when, [])
            if words not in days[when]:
                days[when].append(words)
            last = max(last, when[0] if not words.startswith("Asked") else 0)
        names = sorted({words for found in days.values() for words in found})
        acts = {name: self.make("Activity", name=name, label=name, description=name) for name in names}
        instances: list[dict[str, Any]] = []
        timings: list[dict[str, Any]] = []
        encounters: list[dict[str, Any]] = []
        anchor = f"ScheduledActivityInstance_{1 + sorted(days).index((0, 0, 0))}"
        for when in sorted(days):
            day, early, late = when
            instance = self.make(
                "ScheduledActivityInstance", name=f"DAY_{day}_{len(instances)}".replace("-", "M"), label=f"Day {day}",
                description=f"Day {day}", epochId=epochs[0 if day <= last else 1]["id"], encounterId=None,
                activityIds=[acts[words]["id"] for words in days[when]],
            )  # fmt: skip
            kind = "fixed" if instance["id"] == anchor else "after" if day >= 0 else "before"
            window = {"windowLower": f"P{early}D", "windowUpper": f"P{late}D",
                      "windowLabel": f"{early} days before to {late} days after"} if early or late else {}  # fmt: skip
            timing = self.make(
                "Timing", name=f"TIMING_{len(timings) + 1}", label=f"Day {day}", description=f"Day {day}",
                type=self.code(kind), value=f"P{abs(day)}D", valueLabel=f"{abs(day)} days",
                relativeToFrom=self.code("start-to-start"), relativeFromScheduledInstanceId=instance["id"],
                relativeToScheduledInstanceId=anchor, **window,
            )  # fmt: skip
            words = ", ".join(days[when]) or "Day 0"
            visit = self.make("Encounter", name=instance["name"], label=f"Day {day}", description=words,
                              type=self.code("visit"), scheduledAtId=timing["id"])  # fmt: skip
            instance["encounterId"] = visit["id"]
            instances.append(instance)
            timings.append(timing)
            encounters.append(visit)
        out = self.make("ScheduleTimelineExit")
        for one, following in pairwise(instances):
            one["defaultConditionId"] = following["id"]
        instances[-1]["timelineExitId"] = out["id"]
        timeline = self.make(
            "ScheduleTimeline", name="Main timeline", label="Main timeline", description="Days from the first contact",
            mainTimeline=True, entryCondition="Randomized", entryId=instances[0]["id"], exits=[out], timings=timings,
            instances=instances,
        )  # fmt: skip
        return timeline, _chained(encounters), _chained(list(acts.values()))

    def _happenings(self) -> Iterable[tuple[tuple[int, int, int], str]]:
        """Day, days that it may be earlier or later, and what happens then."""
        protocol = self.protocol
        for arm in protocol.arms:
            placed: list[tuple[int, int, int]] = []
            for start, name in arm.drug_starts:
                for when in _infusion_days(protocol.drugs[name].infusions, start):
                    placed.append(when)
                    yield when, f"Dose: {name}"
            for name in arm.contacts:
                if name not in protocol.therapies:
                    continue
                for session in protocol.therapies[name].sessions:
                    if session.day is not None:
                        yield (session.day, 0, 0), f"Session: {name}"
                    elif session.infusion is not None and session.infusion <= len(placed):
                        day, early, late = placed[session.infusion - 1]
                        yield (day + session.offset_days, early, late), f"Session: {name}"
                    else:
                        self.left_out.append(f"therapies.{name}: a session without a day of its own")
        for visit in protocol.visits:
            for day in visit.days:
                for what in visit.collects:
                    yield (day, 0, 0), f"Asked: {what}"


def _infusion_days(infusions: Sequence[Infusion], start: int) -> Iterable[tuple[int, int, int]]:
    """Usual day of each infusion and how much earlier or later it may be; gaps add up."""
    day = low = high = start
    for one in infusions:
        if one.day is not None:
            day = low = high = start + one.day
        elif one.gap is not None:
            day, low, high = day + one.gap.mode, low + one.gap.low, high + one.gap.high
        yield day, day - low, high - day


def _chained(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts that know the one before and the one after."""
    for one, following in pairwise(parts):
        one["nextId"], following["previousId"] = following["id"], one["id"]
    return parts
