"""The course behind /learn: a published trial as the model runs it, and people who stop alone, computed once."""

from functools import cache
from typing import Literal

from remission.library.protocols import load_protocol
from remission.protocol.record import Protocol
from remission.records.seed import DEFAULT_SEED
from remission.report.chart import Chart
from remission.report.session_chart import session_chart
from remission.report.story_chart import day_chart, state_chart
from remission.trial.result import TrialResult
from remission.trial.simulate import simulate_trial
from remission.web.figure import Figure, figure_of

__all__ = ["SHOWN_STATES", "Story", "day_figure", "load_story", "session_figure", "state_figure"]

_PEOPLE = 4000
SHOWN_STATES = ("P", "G", "H", "R", "A", "W", "N", "L", "M", "K", "z")
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
    story = load_story(substance)
    return figure_of(state_chart(story.result, story.alone, symbols, title=title))


@cache
def day_figure(substance: Substance) -> Figure:
    """Days without use by arm and week."""
    story = load_story(substance)
    return figure_of(day_chart(story.result, story.alone))


@cache
def session_figure(substance: Substance, panels: tuple[str, ...]) -> Figure:
    """One session in simulated people."""
    chart: Chart | None = session_chart(load_protocol(_TRIALS[substance]), seed=DEFAULT_SEED, panels=panels)
    assert chart is not None, "both trials give ketamine"
    return figure_of(chart)


def _simulate(protocol: Protocol) -> TrialResult:
    return simulate_trial(protocol, n_replicates=-(-_PEOPLE // protocol.population.n_subjects), seed=DEFAULT_SEED)
