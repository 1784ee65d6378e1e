"""A plan: what the file of somebody's own trial holds, and how it is analyzed. The file itself is never changed."""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from remission.errors import SpecError, did_you_mean, known_names
from remission.records.analysis import Analysis
from remission.records.analysis_methods import METHODS
from remission.records.base import Record
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS, Scale
from remission.records.estimand import Strategy
from remission.records.multiplicity import Multiplicity
from remission.records.quantity import Flag, ObservedDay
from remission.records.seed import DEFAULT_SEED
from remission.records.text import EachOnce, Label, Note, Sentence, Slug, Title


def _as_text(value: Any) -> Any:
    """A code is text, whatever it looks like: 0 and 999 as they stand in a file."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _one_or_several(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value


_Column = Annotated[
    str, BeforeValidator(_as_text), StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]
_Word = Annotated[
    str, BeforeValidator(_as_text), StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]
_Words = Annotated[tuple[_Word, ...], BeforeValidator(_one_or_several)]
_Names = Annotated[tuple[Slug, ...], BeforeValidator(_one_or_several), Field(min_length=1), EachOnce]


def one_name(text: str) -> str:
    """What spellings of one name have in common: no case, single spaces, no wide or invisible signs.

    Examples
    --------
    >>> one_name(" Arm_A  MINE"), one_name("placebo")
    ('arm a mine', 'placebo')
    """
    plain = unicodedata.normalize("NFKC", text.replace("_", " ")).casefold()
    return " ".join("".join(sign for sign in plain if unicodedata.category(sign) != "Cf").split())


class PlannedVisit(Record):
    """A planned visit.

    name
        As it stands in the file.
    day
        Day 0 is that of randomization; a measure on it or before is one before treatment. [day]
    """

    name: _Word
    day: ObservedDay


class StudyFile(Record):
    """What the rows of the file are and how they are written.

    layout
        ``people``: a row a person. ``visits``: a row for each visit of a person. ``diaries``: a table of days as
        ``remission import tlfb`` reads it, a Parquet file of diaries, or the folder of a run.
    person, arm
        Names of the columns. The arm stands in the file itself or in ``people_file``; of diaries the group does where
        there is neither.
    people_file
        A second table with a row for each randomized person: arm, covariates, baseline. Named as seen from the plan.
    visit, visits
        The column of the visit and the planned visits in their order.
    missing
        Codes that stand for "not known", for all columns but the person's, or by column.
    decimal, thousands, encoding, sheet
        As in a mapping file.
    date_form
        Form of dates, as in a mapping file.
    randomized, baseline_measured
        Columns with the date of randomization and of the measure before it: who was measured later is refused.
    mapping, substance, heavy_amount, replicate
        Of diaries: the mapping file; which substance counts; an amount above which a day is heavy; which replicate of
        a run.
    """

    layout: Literal["people", "visits", "diaries"]
    person: _Column = "person"
    arm: _Column | None = None
    people_file: str | None = None
    visit: _Column | None = None
    visits: tuple[PlannedVisit, ...] = ()
    missing: _Words | dict[str, _Words] = ()
    decimal: Literal["point", "comma"] = "point"
    thousands: Literal["none", "point", "comma", "space", "apostrophe"] = "none"
    encoding: str | None = None
    sheet: str | None = None
    date_form: str = "date"
    randomized: _Column | None = None
    baseline_measured: _Column | None = None
    mapping: str | None = None
    substance: str | None = None
    heavy_amount: Annotated[float, Field(ge=0.0)] | None = None
    replicate: Annotated[int, Field(strict=True, ge=0)] = 0

    def _faults(self) -> Iterator[SpecError]:
        if self.layout == "visits" and (self.visit is None or not self.visits):
            name = "visits" if self.visit else "visit"
            allowed = "the column of the visit, and the planned visits with their days"
            yield SpecError(where=name, got="nothing", allowed=allowed, remedy="Add it.")
        if self.layout != "visits" and self.visit is not None:
            yield SpecError(
                where="visit", got=self.visit, allowed="nothing here: only layout: visits has such a column"
            )
        if self.arm is None and self.layout != "diaries":
            yield SpecError(where="arm", got="nothing", allowed="the column that says who is in which arm")
        for name in ("mapping", "substance", "heavy_amount", "replicate"):
            if self.layout != "diaries" and getattr(self, name) not in {None, 0}:
                yield SpecError(where=name, got=getattr(self, name), allowed="nothing here: only diaries read it")
        for index, (before, after) in enumerate(pairwise(self.visits), start=1):
            if after.day <= before.day:
                allowed = f"a day after that of {before.name} (day {before.day})"
                yield SpecError(where=f"visits[{index}].day", got=after.day, allowed=allowed)
        yield from _twice((one_name(one.name) for one in self.visits), "visits[{}].name", "each visit once")
        if self.decimal == self.thousands:
            yield SpecError(where="thousands", got=self.thousands, allowed="another sign than the decimal one")
        for name in ("people_file", "mapping"):
            file = getattr(self, name)
            if file is not None and (file.startswith(("/", "\\", "~")) or ".." in file.replace("\\", "/").split("/")):
                allowed = "a file beside the plan, or below its folder"
                yield SpecError(where=name, got=file, allowed=allowed, remedy="Copy it there.")
        if (self.baseline_measured is None) != (self.randomized is None):
            allowed = "randomized and baseline_measured, or neither"
            yield SpecError(where="baseline_measured", got=self.baseline_measured or "nothing", allowed=allowed)


class PlannedArm(Record):
    """An arm.

    id, label
        Its name in the plan, and the one for people.
    values
        The words by which the file calls it; its id and its label when left out.
    """

    id: Slug
    label: Label
    values: _Words = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What a cell may say, each as :func:`one_name`."""
        return tuple(dict.fromkeys(one_name(word) for word in self.values or (self.id, self.label)))


class Covariate(Record):
    """What is known of a person before treatment.

    id, column
        Its name in the plan, and its column.
    kind
        A number, or a category whose levels are those of the file.
    """

    id: Slug
    column: _Column
    kind: Literal["number", "category"]


class Measure(Record):
    """An outcome that stands in columns, or a measure before treatment.

    id, label, unit, note
        Its name in the plan, the one for people, its unit, and what else should be known.
    column
        Its column; with layout visits it holds the measure of each visit.
    columns
        With layout people: its column at each of the planned visits, by name.
    visits
        With layout visits: at which of the planned visits it was measured; all when left out.
    measure
        ``mean`` for a score or amount, ``percent``, ``count``, ``binary``, or ``time`` to an event.
    better
        Whether a higher or a lower value is the wished one.
    low, high
        The range of values there can be; a value outside is refused.
    event, no_event
        What a cell of ``binary``, or the ``event_column`` of a time, says; 1 or yes, 0 or no when left out.
    event_column
        Of a time: the column that says whether the event ended it.
    exposure, exposure_days
        Of a count: the column with the days in which it was counted, or one number of days for everybody.
    missing
        ``observed``: who has no value is left out. ``failure``: a missing ``binary`` counts as the bad outcome, which
        is its rule when left out. ``carried``: the last earlier visit after baseline stands for it.
    worst
        The value that stands for a failure under the composite strategy.
    """

    id: Slug
    label: Sentence
    column: _Column | None = None
    columns: dict[_Word, _Column] = Field(default_factory=dict)
    visits: _Words = ()
    measure: Scale
    better: Literal["higher", "lower"]
    unit: Label | None = None
    low: float | None = None
    high: float | None = None
    event: _Words = ()
    no_event: _Words = ()
    event_column: _Column | None = None
    exposure: _Column | None = None
    exposure_days: Annotated[float, Field(gt=0.0)] | None = None
    missing: Literal["observed", "failure", "carried"] | None = None
    worst: float | None = None
    note: Note = ""

    def _faults(self) -> Iterator[SpecError]:
        if (self.column is None) == (not self.columns):
            allowed = "column, or columns by visit, and not both"
            yield SpecError(where="column", got=self.column or "nothing", allowed=allowed)
        if self.measure == "time" and (self.event_column is None or self.columns):
            yield SpecError(where="event_column", got="nothing", allowed="the column that says whether the event came")
        only = {
            "event_column": ("time",),
            "exposure": ("count",),
            "exposure_days": ("count",),
            "event": ("binary", "time"),
            "no_event": ("binary", "time"),
            "worst": ("mean", "percent", "count"),
        }
        for name, measures in only.items():
            value = getattr(self, name)
            if value not in {None, ()} and self.measure not in measures:
                yield SpecError(where=name, got=value, allowed=f"nothing here: only {' and '.join(measures)} reads it")
        if self.exposure is not None and self.exposure_days is not None:
            yield SpecError(where="exposure_days", got=self.exposure_days, allowed="exposure or exposure_days")
        if self.missing == "failure" and self.measure != "binary":
            allowed = "observed or carried: only a binary outcome has a failure"
            yield SpecError(where="missing", got="failure", allowed=allowed)
        if self.low is not None and self.high is not None and self.high <= self.low:
            yield SpecError(where="high", got=self.high, allowed=f"above low ({self.low:g})")
        if bool(self.event) != bool(self.no_event):
            allowed = "event and no_event, so that every other word is seen, or neither"
            yield SpecError(where="event", got=", ".join(self.event) or "nothing", allowed=allowed)
        for word in {one_name(one) for one in self.event} & {one_name(one) for one in self.no_event}:
            yield SpecError(where="no_event", got=word, allowed="another word than those of event")

    @property
    def rule(self) -> str:
        """What is done about a missing value."""
        return self.missing or ("failure" if self.measure == "binary" else "observed")

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is the wished one."""
        return self.better == "higher"


class PlannedEvent(Record):
    """Something after randomization that changes what an outcome means: where the file says it, and the strategy.

    id, label
        Its name in the plan, and the one for people.
    column
        Answers whether it happened; with layout visits on the row of the visit from which on it has.
    day_column
        The day on which it happened, counted from randomization; empty where it did not. [day]
    strategy
        What is done about it: see how to analyze your trial.
    """

    id: Slug
    label: Label
    column: _Column | None = None
    day_column: _Column | None = None
    strategy: Strategy

    def _faults(self) -> Iterator[SpecError]:
        if (self.column is None) == (self.day_column is None):
            yield SpecError(where="column", got=self.column or "nothing", allowed="column or day_column, and not both")


class PlannedEstimand(Record):
    """The question in the attributes of ICH E9(R1), beside the strategies of the events.

    treatment, population, variable, summary
        A sentence each.
    analysis
        The analysis that answers it.
    """

    treatment: Sentence
    population: Sentence
    variable: Sentence
    summary: Sentence
    analysis: Slug


class Sides(Record):
    """Arms that are compared.

    treatment, control
        Ids of one arm or several on each side.
    """

    treatment: _Names
    control: _Names

    def _faults(self) -> Iterator[SpecError]:
        for name in set(self.treatment) & set(self.control):
            yield SpecError(where="control", got=name, allowed="another arm than on the treatment side")


class PlannedAnalysis(Analysis):
    """An analysis as protocols have it, of columns or of endpoints, with its place in the plan.

    contrast
        Ids of arms; in a crossover trial arms are sequences, and the treatment side has the treatment first.
    adjust, stratify_by
        Ids of covariates.
    baseline
        A measure, or an endpoint of diaries, of the time before treatment.
    role, of
        What it is for; a sensitivity analysis names the one that it questions.
    margin
        How much worse the treatment may be and still count as not inferior, on the scale of the estimate, at alpha.
    tipping_deltas
        What is added to imputed values of the treatment side, one after the other, until the finding turns. A method
        that leaves out what is missing, or models it, has it imputed at random for this.
    """

    added_fields: ClassVar[frozenset[str]] = Analysis.added_fields

    contrast: Sides  # type: ignore[assignment]  # arms by name; protocols have them by factor
    stratify_by: Annotated[tuple[Slug, ...], EachOnce] = ()  # type: ignore[assignment]  # covariates of the plan
    role: Literal["primary", "secondary", "sensitivity"] = "secondary"
    of: Slug | None = None
    margin: float | None = None
    tipping_deltas: tuple[float, ...] = ()

    def _faults(self) -> Iterator[SpecError]:
        if (self.role == "sensitivity") != (self.of is not None):
            allowed = "the analysis that it questions with role: sensitivity, and only there"
            yield SpecError(where="of", got=self.of or "nothing", allowed=allowed)
        if self.tipping_deltas and self.imputation is None and not self.facts.tipped_by:
            several = ", ".join(name for name, one in METHODS.items() if one.tipped_by or "imputation" in one.options)
            yield SpecError(
                where="tipping_deltas",
                got=f"{list(self.tipping_deltas)} for {self.method}",
                allowed=f"a method whose missing values can be imputed: {several}",
                remedy="A time that was cut off is not imputed here. To ask what leaving may hide, let leaving count "
                "as the event (strategy composite) in a sensitivity analysis, or give tipping_deltas to the odds "
                "ratio of the event by a day."
                if "time" in self.facts.measures
                else "",
            )
        if self.tipping_deltas and len({one > 0.0 for one in self.tipping_deltas if one}) > 1:
            allowed = "numbers of one sign, the direction in which the treatment would do worse"
            yield SpecError(where="tipping_deltas", got=list(self.tipping_deltas), allowed=allowed)

    @property
    def tipped(self) -> "PlannedAnalysis":
        """The analysis whose imputed values a tipping point moves: itself, or its like with imputation at random."""
        if self.imputation is not None:
            return self
        kept = (
            "id",
            "label",
            "endpoint",
            "adjust",
            "baseline",
            "period_days",
            "visit_day",
            "mean_over_visits",
            "role",
            "of",
        )
        rule = {"assumption": "missing-at-random"}
        given = {name: getattr(self, name) for name in kept} | {"contrast": self.contrast, "imputation": rule}
        return PlannedAnalysis.from_dict({**given, "method": self.facts.tipped_by})

    @property
    def read_options(self) -> frozenset[str]:
        """Options that act on it; of a file some methods read more than in a protocol."""
        return self.facts.options | self.facts.file_options

    @property
    def _may_lack(self) -> frozenset[str]:
        # Visits of a file are what they are; the plan asks for periods where there are days.
        return self.facts.may_lack | {"period_days"}


class StudyPlan(Record):
    """How a file is read and analyzed.

    id, title
        Of the analysis.
    data
        What the rows of the file are.
    arms
        Every arm that the file names; some may be in no contrast.
    covariates
        What is known of people before treatment, to adjust for or to stratify by.
    measures
        Outcomes in columns, of any layout (with diaries in the people_file), and measures before treatment.
    endpoints
        Outcomes of diaries, by the kinds of protocols.
    intercurrent_events
        What happened after randomization, and what is done about it.
    estimand
        The question, and the analysis that answers it.
    analyses
        What is computed, the primary one first.
    multiplicity
        How several analyses share one error rate.
    alpha
        That error rate; intervals are 95% intervals whatever it is.
    seed
        Of imputations.
    is_synthetic
        Whether nobody of the file exists; every output then says so.
    note
        For readers of the plan.
    """

    id: Slug
    title: Title
    data: StudyFile
    arms: Annotated[tuple[PlannedArm, ...], Field(min_length=2, max_length=20)]
    covariates: Annotated[tuple[Covariate, ...], Field(max_length=100)] = ()
    measures: Annotated[tuple[Measure, ...], Field(max_length=100)] = ()
    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=100)] = ()
    intercurrent_events: Annotated[tuple[PlannedEvent, ...], Field(max_length=20)] = ()
    estimand: PlannedEstimand | None = None
    analyses: Annotated[tuple[PlannedAnalysis, ...], Field(min_length=1, max_length=100)]
    multiplicity: Multiplicity | None = None
    alpha: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**64)] = DEFAULT_SEED
    is_synthetic: Flag = False
    note: Note = ""

    def measure(self, name: str) -> Measure | None:
        """The measure of that id, if any."""
        return next((one for one in self.measures if one.id == name), None)

    def endpoint(self, name: str) -> Endpoint | None:
        """The endpoint of that id, if any."""
        return next((one for one in self.endpoints if one.id == name), None)

    def outcome(self, name: str) -> Measure | Endpoint:
        """The measure or endpoint of an id that the plan has."""
        found = self.measure(name) or self.endpoint(name)
        assert found is not None, "checked with the plan"
        return found

    def visits_of(self, measure: Measure) -> tuple[PlannedVisit, ...]:
        """The planned visits at which a measure was taken, in their order; none for one column of people."""
        if self.data.layout == "people" or measure.columns:
            wanted = [one_name(name) for name in measure.columns]
        elif self.data.layout == "visits":
            wanted = [one_name(name) for name in measure.visits or [one.name for one in self.data.visits]]
        else:
            wanted = []
        return tuple(one for one in self.data.visits if one_name(one.name) in wanted)

    def good_is_high(self, analysis: PlannedAnalysis) -> bool:
        """Whether a larger estimate of an analysis favors the treatment."""
        return self.outcome(analysis.endpoint).higher_is_better != analysis.facts.is_turned

    def _faults(self) -> Iterator[SpecError]:
        yield from self._name_faults()
        yield from self._measure_faults()
        outcomes = self._outcome_ids
        for index, analysis in enumerate(self.analyses):
            where = f"analyses[{index}]"
            known = list(self._reference_faults(analysis, where, outcomes))
            yield from known or self._analysis_faults(analysis, where)
        yield from self._multiplicity_faults()

    @property
    def _outcome_ids(self) -> list[str]:
        return [*(one.id for one in self.measures), *(one.id for one in self.endpoints)]

    def _name_faults(self) -> Iterator[SpecError]:
        yield from _twice((one.id for one in self.arms), "arms[{}].id", "an id used once")
        words = [(index, word) for index, arm in enumerate(self.arms) for word in arm.words]
        for place, (index, word) in enumerate(words):
            if any(word == other and index != at for at, other in words[:place]):
                yield SpecError(
                    where=f"arms[{index}]",
                    got=f"{word}, as another arm",
                    allowed="arms that differ in more than case or spaces",
                    remedy="Rename one; if both are one arm, list the spellings under its values.",
                )
        yield from _twice((one_name(one.label) for one in self.arms), "arms[{}].label", "a label used once")
        yield from _twice((one.id for one in self.covariates), "covariates[{}].id", "an id used once")
        yield from _twice((one.id for one in self.analyses), "analyses[{}].id", "an id used once")
        yield from _twice((one.id for one in self.intercurrent_events), "intercurrent_events[{}].id", "an id used once")
        n = len(self.measures)
        for index, name in _repeats(self._outcome_ids):
            where = f"measures[{index}].id" if index < n else f"endpoints[{index - n}].id"
            yield SpecError(where=where, got=name, allowed="an id used once")
        if self.endpoints and self.data.layout != "diaries":
            allowed = "nothing here: such endpoints are made of diaries; state columns as measures"
            yield SpecError(where="endpoints", got=f"{len(self.endpoints)}", allowed=allowed)
        for index, one in enumerate(self.endpoints):
            if KINDS[one.kind].simulated_only or (KINDS[one.kind].needs != "diary" and one.kind != "completed"):
                allowed = "a kind that diaries can give"
                yield SpecError(where=f"endpoints[{index}].kind", got=one.kind, allowed=allowed)

    def _measure_faults(self) -> Iterator[SpecError]:
        planned = [one_name(one.name) for one in self.data.visits]
        for index, one in enumerate(self.measures):
            where = f"measures[{index}]"
            for name in (*one.columns, *one.visits):
                if one_name(name) not in planned:
                    place = f"{where}.{'columns' if one.columns else 'visits'}"
                    yield _unknown(place, name, [visit.name for visit in self.data.visits], "a visit of data.visits")
            if one.columns and self.data.layout == "visits":
                allowed = "column: with layout visits each row is a visit"
                yield SpecError(where=f"{where}.columns", got="columns", allowed=allowed)
            if one.visits and self.data.layout != "visits":
                yield SpecError(where=f"{where}.visits", got=", ".join(one.visits), allowed="columns by visit here")
            if one.missing == "carried" and len(self.visits_of(one)) < 2:
                allowed = "observed: with one value a person there is no earlier one"
                yield SpecError(where=f"{where}.missing", got="carried", allowed=allowed)
            if one.measure == "time" and self.data.layout == "visits":
                allowed = "a time in layout people, with a row a person"
                yield SpecError(where=f"{where}.measure", got="time", allowed=allowed)

    def _reference_faults(self, analysis: PlannedAnalysis, where: str, outcomes: list[str]) -> Iterator[SpecError]:
        arms, covariates = [one.id for one in self.arms], {one.id: one for one in self.covariates}
        for name in (analysis.endpoint, *((analysis.baseline,) if analysis.baseline else ())):
            field = "endpoint" if name == analysis.endpoint else "baseline"
            if name not in outcomes:
                yield _unknown(f"{where}.{field}", name, outcomes, "a measure or endpoint of the plan")
        for side in ("treatment", "control"):
            for name in getattr(analysis.contrast, side):
                if name not in arms:
                    yield _unknown(f"{where}.contrast.{side}", name, arms, "an arm of the plan")
        for field in ("adjust", "stratify_by"):
            for name in getattr(analysis, field):
                if name not in covariates:
                    yield _unknown(f"{where}.{field}", name, list(covariates), "a covariate of the plan")
                elif field == "stratify_by" and covariates[name].kind != "category":
                    yield SpecError(where=f"{where}.{field}", got=name, allowed="a covariate whose kind is category")
        if analysis.of is not None and analysis.of not in [one.id for one in self.analyses]:
            yield _unknown(f"{where}.of", analysis.of, [one.id for one in self.analyses], "an analysis of the plan")

    def _analysis_faults(self, analysis: PlannedAnalysis, where: str) -> Iterator[SpecError]:
        facts, measure, endpoint = analysis.facts, self.measure(analysis.endpoint), self.endpoint(analysis.endpoint)
        if measure is not None:
            yield from self._fit_faults(analysis, measure, where)
        elif endpoint is not None:
            if endpoint.kind not in facts.fits:
                fitting = ", ".join(name for name, one in METHODS.items() if endpoint.kind in one.fits)
                yield SpecError(where=f"{where}.method", got=analysis.method, allowed=f"for {endpoint.kind}: {fitting}")
            if facts.at_visits and analysis.period_days is None:
                allowed = "days of a period: diaries are cut into periods"
                yield SpecError(where=f"{where}.period_days", got="nothing", allowed=allowed)
            if not facts.at_visits and (analysis.visit_day is not None or analysis.mean_over_visits):
                allowed = "nothing here: the endpoint has its window"
                yield SpecError(where=f"{where}.visit_day", got=analysis.visit_day, allowed=allowed)
        yield from self._baseline_faults(analysis, where)
        yield from self._event_faults(analysis)
        if analysis.margin is not None:
            yield from self._margin_faults(analysis, where)
        is_worse_high = not self.outcome(analysis.endpoint).higher_is_better
        for delta in analysis.tipping_deltas:
            if delta and (delta > 0.0) != is_worse_high:
                allowed = (
                    f"numbers {'above' if is_worse_high else 'below'} 0: what is added must make the treatment do worse"
                )
                yield SpecError(where=f"{where}.tipping_deltas", got=delta, allowed=allowed)
                break

    def _fit_faults(self, analysis: PlannedAnalysis, measure: Measure, where: str) -> Iterator[SpecError]:
        facts, visits = analysis.facts, self.visits_of(measure)
        if measure.measure not in facts.measures:
            fitting = ", ".join(name for name, one in METHODS.items() if measure.measure in one.measures)
            yield SpecError(where=f"{where}.method", got=analysis.method, allowed=f"for a {measure.measure}: {fitting}")
            return
        after = [one for one in visits if one.day > 0]
        if facts.at_visits and len(after) < 2:
            yield SpecError(
                where=f"{where}.method",
                got=analysis.method,
                allowed=f"a measure at two visits or more after day 0; {measure.id} has {len(after)}",
                remedy="State its visits, or take another method.",
            )
        if analysis.method == "within_people_difference" and len(after) != 2:
            yield SpecError(where=f"{where}.method", got=analysis.method, allowed=f"two periods, not {len(after)}")
        if analysis.period_days is not None:
            allowed = "nothing here: visits of a file are no periods of days"
            yield SpecError(where=f"{where}.period_days", got=analysis.period_days, allowed=allowed)
        if measure.measure == "count" and visits and not facts.at_visits and "visit_day" not in analysis.read_options:
            yield SpecError(where=f"{where}.endpoint", got=measure.id, allowed="a count with one column")
        day = analysis.visit_day
        if day is not None and day not in [one.day for one in after]:
            known = ", ".join(f"{one.day} ({one.name})" for one in after) or "none: the measure has one column"
            yield SpecError(where=f"{where}.visit_day", got=day, allowed=f"the day of one of its visits: {known}")
        if measure.rule != "observed" and analysis.method.startswith(("imputed", "mmrm", "repeated")):
            yield SpecError(
                where=f"{where}.method",
                got=f"{analysis.method} of a measure whose missing is {measure.rule}",
                allowed="missing: observed, for the method itself speaks for what is missing",
                remedy="State the measure once more with missing: observed.",
            )

    def _baseline_faults(self, analysis: PlannedAnalysis, where: str) -> Iterator[SpecError]:
        if analysis.baseline is None:
            return
        measure, endpoint = self.measure(analysis.baseline), self.endpoint(analysis.baseline)
        if analysis.baseline == analysis.endpoint:
            allowed = "another measure, of the time before treatment"
            yield SpecError(where=f"{where}.baseline", got=analysis.baseline, allowed=allowed)
        elif endpoint is not None and endpoint.window.last >= 0:
            yield SpecError(
                where=f"{where}.baseline",
                got=endpoint.id,
                allowed=f"an endpoint whose window ends before day 0, not on day {endpoint.window.last}",
                remedy="A measure after randomization may be an effect of the treatment.",
            )
        elif measure is not None:
            visits = self.visits_of(measure)
            late = [one for one in visits if one.day > 0]
            if late or len(visits) > 1:
                when = f"{late[0].name} is day {late[0].day}" if late else f"it has {len(visits)} visits"
                yield SpecError(
                    where=f"{where}.baseline",
                    got=measure.id,
                    allowed=f"a measure at one visit, on day 0 or before; {when}",
                    remedy="A measure after randomization may be an effect of the treatment.",
                )
            if measure.measure in {"time", "binary"}:
                yield SpecError(where=f"{where}.baseline", got=measure.measure, allowed="a mean, percent or count")

    def _event_faults(self, analysis: PlannedAnalysis) -> Iterator[SpecError]:
        """Strategies that the data, or the method, cannot carry."""
        measure, outcome = self.measure(analysis.endpoint), self.outcome(analysis.endpoint)
        scale = outcome.measure if isinstance(outcome, Measure) else outcome.scale
        has_parts = measure is None or len(self.visits_of(measure)) > 1
        models = analysis.method.startswith(("imputed", "mmrm", "repeated"))
        for index, event in enumerate(self.intercurrent_events):
            place, got = f"intercurrent_events[{index}].strategy", f"{event.strategy}, for {analysis.id}"
            needs_day = event.strategy in {"hypothetical", "while-on-treatment"} or (
                event.strategy == "composite" and (scale == "time" or measure is None)
            )
            in_rows = self.data.layout == "visits" and measure is not None
            if needs_day and event.day_column is None and not in_rows:
                allowed = "a strategy that needs no day, or an event with its day_column"
                yield SpecError(where=place, got=got, allowed=allowed, remedy="Say when it happened.")
            elif event.strategy == "hypothetical" and scale != "time" and not (models and has_parts):
                yield SpecError(
                    where=place,
                    got=got,
                    allowed="a time, or several visits with mmrm or imputed_difference",
                    remedy="One value a person cannot tell what would have been without the event.",
                )
            elif event.strategy == "while-on-treatment" and (models or not has_parts):
                yield SpecError(
                    where=place,
                    got=got,
                    allowed="several visits, or days, and a method that models nothing missing",
                    remedy="Take mean_difference, or another strategy.",
                )
            elif (
                event.strategy == "composite"
                and measure is not None
                and scale in {"mean", "percent", "count"}
                and measure.worst is None
            ):
                yield SpecError(
                    where=place,
                    got=got,
                    allowed=f"a measure with its worst value: {measure.id} has none",
                    remedy="Give it as worst, or take a binary outcome.",
                )
            elif (
                event.strategy == "composite"
                and scale == "time"
                and self.outcome(analysis.endpoint).higher_is_better is False
            ):
                allowed = "a time to a bad event: this one is better when shorter, and a failure would never have it"
                yield SpecError(where=place, got=got, allowed=allowed)

    def _margin_faults(self, analysis: PlannedAnalysis, where: str) -> Iterator[SpecError]:
        none = 1.0 if analysis.is_ratio else 0.0
        margin, is_high = analysis.margin or 0.0, self.good_is_high(analysis)
        wrong = margin >= none if is_high else margin <= none
        if wrong or (analysis.is_ratio and margin <= 0.0):
            side = "below" if is_high else "above"
            yield SpecError(
                where=f"{where}.margin",
                got=margin,
                allowed=f"a number {side} {none:g}: here a {'larger' if is_high else 'smaller'} estimate is better",
                remedy="A margin on the other side would ask for a benefit, or allow anything.",
            )
        if self.alpha != 0.05 and analysis.facts.margin_at is None:
            allowed = f"0.05 beside a margin of {analysis.method}, which is read off its 95% interval"
            yield SpecError(where="alpha", got=self.alpha, allowed=allowed)

    def _multiplicity_faults(self) -> Iterator[SpecError]:
        roles = {one.id: one.role for one in self.analyses}
        for index, gate in enumerate(self.multiplicity.gates if self.multiplicity else ()):
            for name in gate.analyses:
                where = f"multiplicity.gates[{index}].analyses"
                if name not in roles:
                    yield _unknown(where, name, list(roles), "an analysis of the plan")
                elif roles[name] == "sensitivity":
                    allowed = "no sensitivity analysis: it is no further hypothesis"
                    yield SpecError(where=where, got=name, allowed=allowed)
        if self.estimand is not None and self.estimand.analysis not in roles:
            yield _unknown("estimand.analysis", self.estimand.analysis, list(roles), "an analysis of the plan")


def _unknown(where: str, got: str, known: list[str], allowed: str) -> SpecError:
    remedy = did_you_mean(got, known, otherwise=known_names(known))
    return SpecError(where=where, got=got, allowed=allowed, remedy=remedy)


def _repeats(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, name
        seen.add(name)


def _twice(names: Iterable[str], where: str, allowed: str) -> Iterator[SpecError]:
    for index, name in _repeats(names):
        yield SpecError(where=where.format(index), got=f"{name} again", allowed=allowed, remedy="Rename one.")
