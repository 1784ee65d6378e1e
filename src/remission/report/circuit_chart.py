"""The brain's circuits by arm over time: the chain from synapse to craving as small multiples."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from remission.report.chart import Chart, Table, told
from remission.report.look import CIRCUITS, INK, arm_styles, drawing
from remission.report.words import lowered, state_label
from remission.trial.result import TrialResult

_COLUMNS = (
    ("synapse", "Synapse", ("P", "Gc", "Gn", "Gk")),
    ("basal ganglia", "Basal ganglia", ("H", "R")),
    ("extended amygdala", "Extended amygdala", ("A", "W", "N")),
    ("prefrontal", "Prefrontal cortex", ("L", "M", "K")),
    ("craving", "Craving", ("z",)),
)


def circuit_chart(result: TrialResult) -> Chart:
    """States of all circuits, mean by arm with the 10th to 90th percentile of people."""
    with drawing():
        figure = Figure(figsize=(11.0, 6.3))
        axes_of = _lay_out(figure)
        for symbol, axes in axes_of.items():
            _draw_state(axes, result, symbol)
        _legend(figure, result)
    last = result.protocol.follow_up_days - 1
    days = [day for day in (0, 7, 14, 30, 90, 180, 365) if day <= last]
    table = Table(
        columns=("arm", "day", *(state_label(symbol) for symbol in axes_of)),
        rows=[
            [arm.label, str(day), *(f"{result.states.mean[symbol][index, day]:.2f}" for symbol in axes_of)]
            for index, arm in enumerate(result.protocol.arms)
            for day in days
        ],
    )
    return Chart(
        name="circuits",
        title=_finding(result),
        **told("circuits"),
        figure=figure,
        table=table,
    )


def _finding(result: TrialResult) -> str:
    craving = result.states.mean["z"]
    day = min(30, craving.shape[1] - 1)
    first, last = craving[0, day], craving[-1, day]
    arms = result.protocol.arms
    if len(arms) == 1:
        return f"Simulated craving alone: {craving[0, 0]:.2f} at first, {craving[0, -1]:.2f} at the end (no unit)"
    return (
        f"Simulated mean craving on day {day}: {first:.2f} with {lowered(arms[0].label)}, {last:.2f} with "
        f"{lowered(arms[-1].label)} (no unit)"
    )


def _lay_out(figure: Figure) -> dict[str, Axes]:
    """A column for each circuit in its color, arrows between them."""
    left, right, bottom, top = 0.012, 0.988, 0.105, 0.955
    gap = 0.022
    width = (right - left - gap * (len(_COLUMNS) - 1)) / len(_COLUMNS)
    axes_of = {}
    for number, (key, title, symbols) in enumerate(_COLUMNS):
        color = CIRCUITS.get(key, INK)
        x = left + number * (width + gap)
        frame = FancyBboxPatch(
            (x, bottom), width, top - bottom, boxstyle="round,pad=0,rounding_size=0.008", fill=False,
            edgecolor=color, linewidth=1.3, transform=figure.transFigure,
        )  # fmt: skip
        figure.add_artist(frame)
        figure.text(x + 0.010, top - 0.014, title, color=color, fontweight="bold", fontsize=10.0, va="top")
        height = (top - bottom - 0.060) / len(symbols)
        middle = (top - 0.055 + bottom) / 2.0
        for row, symbol in enumerate(symbols):
            foot = bottom + (len(symbols) - row - 1) * height
            place = (x + 0.038, foot + 0.045, width - 0.048, height - 0.085)
            axes_of[symbol] = figure.add_axes(place, label=title)
        if number + 1 < len(_COLUMNS):
            arrow = FancyArrowPatch(
                (x + width + 0.001, middle), (x + width + gap - 0.001, middle), arrowstyle="-|>", mutation_scale=11,
                color=INK, linewidth=1.2, transform=figure.transFigure,
            )  # fmt: skip
            figure.add_artist(arrow)
    return axes_of


def _draw_state(axes: Axes, result: TrialResult, symbol: str) -> None:
    states = result.states
    days = np.arange(states.mean[symbol].shape[1])
    order = range(len(result.protocol.arms))
    styles = arm_styles(result.protocol)
    for index in {order[0], order[-1]}:
        low, high = states.low[symbol][index], states.high[symbol][index]
        axes.fill_between(days, low, high, color=styles[index].color, alpha=0.13, linewidth=0.0)
    for index in reversed(order):
        style = styles[index]
        axes.plot(days, states.mean[symbol][index], color=style.color, linestyle=style.dash, linewidth=1.5)
    axes.set_title(state_label(symbol), fontsize=8.5, fontweight="normal", pad=3.0)
    axes.set_xlim(0, max(1, days[-1]))
    # Said once in a corner; on a phone each panel says it.
    axes.set_xlabel("day").set_visible(False)
    axes.set_xticks(_ticks(int(days[-1])))
    # As small as it may be for the whole to fit the page of a report with letters of 11 pixels.
    axes.tick_params(labelsize=7.3, length=2.5)
    axes.grid(visible=True, axis="y")


def _ticks(last: int) -> list[int]:
    step = next(step for step in (7, 30, 60, 90, 180, 365, 730) if last / step <= 5.5)
    return list(range(0, last + 1, step))


def _legend(figure: Figure, result: TrialResult) -> None:
    styles = sorted(arm_styles(result.protocol), key=lambda style: style.kind)
    handles = [Line2D([], [], color=s.color, linestyle=s.dash, label=s.label) for s in styles]
    figure.legend(handles=handles, loc="lower center", ncols=min(4, len(handles)), bbox_to_anchor=(0.5, 0.008))
    figure.text(0.988, 0.03, "x axes: day", ha="right", fontsize=7.5, color=CIRCUITS["synapse"])
