"""One link of the chain at a time: the drawing, what is computed, equations, graded values, claims of the article.

The course is a published trial as the model runs it, beside people who stop alone, computed once.
"""

import inspect
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Query

from remission.evidence.registry import citation_of, load_evidence
from remission.library.article import Claim, load_article
from remission.library.loader import load_parameter_set
from remission.library.protocols import load_protocol
from remission.library.references import load_reference
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.protocol.record import Protocol
from remission.records.base import Record
from remission.records.seed import DEFAULT_SEED
from remission.report.chart import Chart
from remission.report.words import ESTABLISHED
from remission.web.figure import Figure, figure_of, figure_once
from remission.web.language import load_text
from remission.web.once import known_once
from remission.web.page import PageRouter
from remission.web.problems import PROBLEM_RESPONSES, PageMissingError
from remission.web.queue import run_in_turn

if TYPE_CHECKING:
    from remission.trial.result import TrialResult

__all__ = ["SHOWN_STATES", "Story", "day_figure", "load_story", "router", "session_figure", "state_figure", "warm"]

router = PageRouter()
_PEOPLE = 4000
SHOWN_STATES = ("P", "Gc", "Gn", "Gk", "H", "R", "A", "W", "N", "L", "M", "K", "z")
"""States that a reader can follow day by day."""

Substance = Literal["alcohol", "cocaine"]
_TRIALS = {"alcohol": "kare", "cocaine": "dakwar-2019"}


class Story:
    """A trial and the people who stop alone, over the same days."""

    def __init__(self, substance: Substance) -> None:
        self.protocol: Protocol = load_protocol(_TRIALS[substance])
        self.result: TrialResult = _simulate(self.protocol)
        self.alone: TrialResult = _simulate(load_protocol(f"cold-turkey-{substance}"))

    @property
    def arms(self) -> tuple[str, ...]:
        """Labels of the arms, and of those who stop alone."""
        return (*(arm.label for arm in self.protocol.arms), "Stopping alone")


@cache
def load_story(substance: Substance) -> Story:
    """The story of a substance; about three seconds the first time."""
    return Story(substance)


@cache
def state_figure(substance: Substance, symbols: tuple[str, ...], title: str) -> Figure:
    """States of one region by arm and day."""

    def draw() -> Figure:
        from remission.report.story_chart import state_chart

        story = load_story(substance)
        return figure_of(state_chart(story.result, story.alone, symbols, title=title))

    return figure_once("learn-states", (substance, symbols, title), draw)


@cache
def day_figure(substance: Substance) -> Figure:
    """Days without use by arm and week."""

    def draw() -> Figure:
        from remission.report.story_chart import day_chart

        story = load_story(substance)
        return figure_of(day_chart(story.result, story.alone))

    return figure_once("learn-days", (substance,), draw)


@cache
def session_figure(substance: Substance, panels: tuple[str, ...]) -> Figure:
    """One session in simulated people."""

    def draw() -> Figure:
        from remission.report.session_chart import session_chart

        chart: Chart | None = session_chart(load_protocol(_TRIALS[substance]), seed=DEFAULT_SEED, panels=panels)
        assert chart is not None, "both trials give ketamine"
        return figure_of(chart)

    return figure_once("learn-session", (substance, panels), draw)


def _simulate(protocol: Protocol) -> "TrialResult":
    from remission.trial.simulate import simulate_trial

    return simulate_trial(protocol, n_replicates=-(-_PEOPLE // protocol.population.n_subjects), seed=DEFAULT_SEED)


_Which = Annotated[Literal["alcohol", "cocaine"], Query(description="Whose trial: alcohol (KARE) or cocaine (2019).")]


class ModuleNote(Record):
    """What a module of the program says of itself: equations, states, assumptions, evidence."""

    module: str
    text: str


class ValueNote(Record):
    """A number of the model with its grade and source."""

    symbol: str
    value: str
    unit: str
    grade: str
    source: str
    cite: str
    note: str


class Source(Record):
    """A record behind a sentence."""

    id: str
    citation: str


class ClaimNote(Record):
    """A claim of the article and what evidence says of it."""

    step: str
    step_name: str
    claim: str
    verdict: str
    evidence: str
    sources: tuple[Source, ...]


class StepLink(Record):
    """A link of the chain in the drawing."""

    id: str
    name: str


class LearnPage(Record):
    """What /learn shows."""

    substance: Substance
    trial: str
    established: str
    steps: tuple[StepLink, ...]
    step: StepLink
    number: int
    plain: tuple[str, ...]
    claims_here: tuple[ClaimNote, ...]
    figure: Figure | None
    notes: tuple[ModuleNote, ...]
    values: tuple[ValueNote, ...]
    day: Figure
    claims: tuple[ClaimNote, ...]
    n_days: int


class LearnCourse(Record):
    """The states behind the drawing: mean of simulated people by arm and day, for the program on the page."""

    arms: tuple[str, ...]
    states: tuple[str, ...]
    mean: dict[str, tuple[tuple[float, ...], ...]]
    low: dict[str, float]
    high: dict[str, float]
    without_use: tuple[tuple[float, ...], ...]


def _check_step(step: str, substance: Substance) -> None:
    del substance
    ids = [one["id"] for one in load_text("en", "learn")["steps"]]
    if step not in ids:
        raise PageMissingError(what="link of the chain", got=step, known=ids)


@router.page("/learn/{step}", template="learn.html.jinja", text="learn", weight="heavy", check=_check_step)
def learn_step(step: str, substance: _Which = "alcohol") -> LearnPage:
    """One link of the chain."""
    return _page(step, substance)


@router.routes.get("/api/learn/course.json", operation_id="learn_course", responses=PROBLEM_RESPONSES)
async def course(substance: _Which = "alcohol") -> LearnCourse:
    """States by arm and day, for the drawing."""
    return await run_in_turn("heavy", lambda: _course(substance))


def warm() -> None:
    """Compute every link of both trials, so that no reader waits for the first one."""
    substances: tuple[Substance, ...] = ("alcohol", "cocaine")
    for substance in substances:
        for step in load_text("en", "learn")["steps"]:
            _page(step["id"], substance)
        _course(substance)


@cache
def _page(step_id: str, substance: Substance) -> LearnPage:
    steps = load_text("en", "learn")["steps"]
    number = [step["id"] for step in steps].index(step_id)
    step = steps[number]
    claims = tuple(_note(claim, steps) for claim in load_article().claim)
    protocol = load_protocol(_TRIALS[substance])
    return LearnPage(
        substance=substance,
        trial=protocol.title,
        established=ESTABLISHED[substance],
        steps=tuple(StepLink(id=one["id"], name=one["name"]) for one in steps),
        step=StepLink(id=step["id"], name=step["name"]),
        number=number,
        plain=tuple(step["plain"]),
        claims_here=tuple(note for note in claims if note.step == step_id),
        figure=_figure(step, substance),
        notes=tuple(_module(name) for name in step["modules"]),
        values=_values(step, substance),
        day=day_figure(substance),
        claims=claims,
        n_days=protocol.follow_up_days,
    )


def _figure(step: dict[str, list[str]], substance: Substance) -> Figure | None:
    if step["panels"]:
        return session_figure(substance, tuple(step["panels"]))
    if step["states"]:
        return state_figure(substance, tuple(step["states"]), str(step["name"]).split(":")[0])
    return None


def _note(claim: Claim, steps: list[dict[str, str]]) -> ClaimNote:
    registry = load_evidence()
    return ClaimNote(
        step=claim.step,
        step_name=next(step["name"] for step in steps if step["id"] == claim.step),
        claim=claim.claim,
        verdict=claim.verdict,
        evidence=claim.evidence,
        sources=tuple(Source(id=key, citation=citation_of(registry[key])) for key in claim.records),
    )


def _module(name: str) -> ModuleNote:
    return ModuleNote(module=name, text=inspect.getdoc(import_module(name)) or "")


def _values(step: dict[str, list[str]], substance: Substance) -> tuple[ValueNote, ...]:
    found = {one.id: one for one in load_parameter_set(DEFAULT_PARAMETER_SET).parameters}
    chosen = [found.get(f"{name}.{substance}") or found[name] for name in step["values"]]
    return tuple(
        ValueNote(
            symbol=one.symbol,
            value=f"{one.value:g}"
            + ("" if one.low is None or one.high is None else f" ({one.low:.4g} to {one.high:.4g})"),
            unit="" if one.unit == "1" else one.unit,
            grade=one.grade.value,
            source=one.source,
            cite="" if one.source == "remission" else load_reference(one.source).text,
            note=one.note,
        )
        for one in chosen
    )


@cache
def _course(substance: Substance) -> LearnCourse:
    return known_once("learn-course", (substance,), lambda: _computed(substance).to_dict(), LearnCourse.from_dict)


def _computed(substance: Substance) -> LearnCourse:
    story = load_story(substance)
    n_days = story.protocol.follow_up_days
    mean, low, high = {}, {}, {}
    for symbol in SHOWN_STATES:
        rows = [*story.result.states.mean[symbol], story.alone.states.mean[symbol][0, :n_days]]
        mean[symbol] = tuple(tuple(round(float(value), 3) for value in row) for row in rows)
        low[symbol] = min(min(row) for row in mean[symbol])
        high[symbol] = max(max(row) for row in mean[symbol])
    using = [*story.result.counts.using, story.alone.counts.using[0, :n_days]]
    people = [*story.result.counts.people, story.alone.counts.people[0]]
    return LearnCourse(
        arms=story.arms,
        states=SHOWN_STATES,
        mean=mean,
        low=low,
        high=high,
        without_use=tuple(
            tuple(round(100.0 * (1.0 - float(count) / float(total)), 1) for count in row)
            for row, total in zip(using, people, strict=True)
        ),
    )
