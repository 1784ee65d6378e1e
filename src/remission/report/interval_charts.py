"""Charts of intervals: what runs through each link of an explanation, and what a forecast says under each model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from remission.library.explanations import Explained
from remission.report.chart import Chart, Table, told
from remission.report.look import INK, PAPER, QUIET, canvas

_CIRCUITS = {"habit": "#9a6a10", "affect": "#8a3b74", "control": "#17705a"}
_COLORS = {"first": INK, "second": QUIET, "third": QUIET, "none": QUIET, **_CIRCUITS}
_MARKS = {"first": "D", "second": "o", "third": "s", "none": "^", **dict.fromkeys(_CIRCUITS, "o")}
"""Colors of the arms of a trial would say what is not meant; the circuits have theirs everywhere."""
_VERDICTS = ("helps", "no difference", "harms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A row of a chart: its name, its kind, a middle between two ends."""

    name: str
    kind: str
    low: float
    middle: float
    high: float


def explain_chart(found: Explained, say: Callable[[str], str] = str) -> Chart:
    """The effect, then what runs through each link; links without a number are in the table only.

    ``say``: a sentence of it in the reader's language.
    """
    rows = [_row(say("the whole effect"), "first", found.effect)]
    rows += [
        _row(say(part.name), part.id if part.id in _CIRCUITS else "third", part.through)
        for part in found.parts
        if part.through is not None
    ]
    empty = [[say(part.name), say(part.says), "", ""] for part in found.parts if part.through is None]
    words = told("explain", n_draws=found.n_draws, n_people=found.n_people)
    return Chart(
        name=f"explain-{found.protocol}",
        title=say(
            f"{found.analysis}: simulated, {found.effect.mean:.3g} {found.unit}, and what runs through each link"
        ),
        see=say(words["see"]),
        cannot=say(words["cannot"]),
        figure=_drawn(rows, f"{say(found.unit)}\n{say('right is better')}", none=0.0, is_log=False),
        table=_table([say(one) for one in ("link", "mean", "5% of draws", "95% of draws")], rows, empty),
    )


def forecast_chart(name: str, content: Mapping[str, Any]) -> Chart:
    """The estimate of a trial under each model of its forecast, 90% of new trials."""
    kinds = {"stacked": "first", "chain": "second", "baseline": "third", "no effect": "none"}
    models, analysis = content["models"], content["analysis"]
    rows = [
        Interval(
            name=one, kind=kind, low=models[one]["quantiles"]["5%"], middle=models[one]["mean"],
            high=models[one]["quantiles"]["95%"],
        )
        for one, kind in kinds.items() if one in models
    ]  # fmt: skip
    side = "left" if analysis["favors_treatment"] == "smaller" else "right"
    first = rows[0]
    return Chart(
        name=name,
        # The interval and not the chance of a good verdict: a share alone reads as how likely it is to help.
        title=f"{analysis['label']}: simulated before a result, {first.middle:.3g} {analysis['unit']}, 90% of trials "
        f"{first.low:.3g} to {first.high:.3g} ({first.name})",
        **told("forecast"),
        figure=_drawn(
            rows, f"{analysis['unit']}\n{side} is better", none=float(analysis["is_log"]),
            is_log=bool(analysis["is_log"]),
        ),
        table=Table(
            columns=("model", "middle", "5%", "95%", *_VERDICTS),
            rows=[
                [one.name, *(f"{value:.3g}" for value in (one.middle, one.low, one.high)),
                 *(f"{100.0 * models[one.name]['verdict'][says]:.0f}%" for says in _VERDICTS)]
                for one in rows
            ],
        ),
    )  # fmt: skip


def _row(name: str, kind: str, one: Any) -> Interval:
    return Interval(name=name, kind=kind, low=one.low, middle=one.mean, high=one.high)


def _table(columns: Sequence[str], rows: Sequence[Interval], more: Sequence[Sequence[str]]) -> Table:
    told_rows = [[one.name, *(f"{value:.3g}" for value in (one.middle, one.low, one.high))] for one in rows]
    return Table(columns=columns, rows=[*told_rows, *more])


def _drawn(rows: Sequence[Interval], x: str, *, none: float, is_log: bool) -> Figure:
    with canvas(9.4, 1.0 + 0.5 * len(rows)) as (figure, axes):
        for place, one in enumerate(reversed(rows)):
            axes.plot([one.low, one.high], [place, place], color=_COLORS[one.kind], linewidth=2.0)
            axes.plot(
                [one.middle], [place], marker=_MARKS[one.kind], color=_COLORS[one.kind], markeredgecolor=PAPER,
                markersize=8,
            )  # fmt: skip
        axes.axvline(none, color=QUIET, linewidth=0.8)
        if is_log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
        axes.set_yticks(np.arange(len(rows)), [fill(one.name, 24) for one in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel(x)
        axes.grid(visible=True, axis="x")
        axes.set_axisbelow(True)
    return figure
