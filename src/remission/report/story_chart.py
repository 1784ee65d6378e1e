"""One region of the chain over time: with and without ketamine, with and without therapy, and stopping alone."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.patient.standing import standing_of_protocol
from remission.report.chart import Chart, Table, told
from remission.report.look import QUIET, arm_styles, canvas, drawing, finish
from remission.report.words import STATE_LABELS, lowered, state_label
from remission.trial.result import TrialResult

_ALONE = (0, (1.2, 2.0))
_ALONE_LABEL = "Stopping alone"


def state_chart(result: TrialResult, alone: TrialResult, symbols: Sequence[str], *, title: str) -> Chart:
    """States of one region by arm and day, beside people who stop alone.

    ``result``, ``alone``: the trial, and the trial without any treatment. ``symbols``: states to draw, a panel each.
    ``title``: what the picture is of; the finding is added.
    """
    n_days = result.protocol.follow_up_days
    with drawing():
        figure = Figure(figsize=(10.2, 3.5 if len(symbols) > 1 else 3.9), layout="constrained")
        for axes, symbol in zip(figure.subplots(1, len(symbols), squeeze=False).ravel(), symbols, strict=True):
            _draw(axes, result, alone, symbol, n_days)
        _legend(figure)
    first, last = symbols[0], n_days - 1
    day = min(30, last)
    # Who stops alone is another kind of person than who joins a trial: drawn, but not set against an arm in the title.
    ends = "; ".join(
        f"{result.states.mean[first][i, day]:.2f} with {lowered(arm.label)}"
        for i, arm in enumerate(result.protocol.arms)
    )
    arms = [*(arm.label for arm in result.protocol.arms), _ALONE_LABEL]
    days = [d for d in (0, 1, 3, 7, 14, 30, 60, 90, 179) if d <= last]
    means = [
        *({symbol: result.states.mean[symbol][i] for symbol in symbols} for i in range(len(arms) - 1)),
        {symbol: alone.states.mean[symbol][0] for symbol in symbols},
    ]
    rows = [
        [label, str(shown), *(f"{mean[symbol][shown]:.2f}" for symbol in symbols)]
        for label, mean in zip(arms, means, strict=True)
        for shown in days
    ]
    return Chart(
        name="state",
        title=f"{title}, simulated: on day {day} {state_label(first)} is {ends}",
        see="Simulated: the mean of people in each arm, and the middle 80% of people in the first arm (band). "
        + " ".join(STATE_LABELS[symbol].help for symbol in symbols),
        cannot="A hypothesis: nobody has measured these curves in people. People who stop alone are other people than "
        "those who join a trial, so the gray line is no comparison of treatments. "
        + " ".join(standing_of_protocol(result.protocol, result.parameter_set).lines),
        figure=figure,
        last_day=n_days - 1,
        table=Table(columns=("arm", "day", *(state_label(symbol) for symbol in symbols)), rows=rows),
    )


def day_chart(result: TrialResult, alone: TrialResult) -> Chart:
    """Days without use, by arm and week, beside people who stop alone."""
    n_days = result.protocol.follow_up_days
    n_weeks = max(1, n_days // 7)
    shares = [*_weekly(result, n_weeks), *_weekly(alone, n_weeks)]
    styles = arm_styles(result.protocol)
    arms = [*(arm.label for arm in result.protocol.arms), _ALONE_LABEL]
    weeks = 7.0 * (np.arange(n_weeks) + 0.5)
    with canvas(10.2, 4.0) as (figure, axes):
        for index in reversed(range(len(arms) - 1)):
            axes.plot(weeks, shares[index], color=styles[index].color, linestyle=styles[index].dash, label=arms[index],
                      marker=styles[index].marker, markersize=3.2)  # fmt: skip
        axes.plot(weeks, shares[-1], color=QUIET, linestyle=_ALONE, label=_ALONE_LABEL)
        finish(axes, x="day", y="days without use, % of person-days in the week")
        axes.set_xlim(0.0, n_days - 1)
        axes.set_ylim(0.0, 100.0)
        _legend(figure)
    people = result.counts.people.sum() + alone.counts.people.sum()
    return Chart(
        name="day",
        # Every arm in its order, and nobody who stops alone: they are other people, and no comparison.
        title="Simulated, last week, days without use of 100: "
        + "; ".join(f"{lowered(arm)}, {share[-1]:.0f}" for arm, share in zip(arms[:-1], shares, strict=False)),
        **told("day", people=people),
        figure=figure,
        last_day=n_days - 1,
        table=Table(
            columns=("week", *arms),
            rows=[[str(week + 1), *(f"{share[week]:.0f}" for share in shares)] for week in range(n_weeks)],
        ),
    )


def _weekly(result: TrialResult, n_weeks: int) -> list[np.ndarray]:
    share = 100.0 * (1.0 - result.counts.using / result.counts.people[:, None])
    return list(share[:, : 7 * n_weeks].reshape(share.shape[0], n_weeks, 7).mean(axis=2))


def _draw(axes: Axes, result: TrialResult, alone: TrialResult, symbol: str, n_days: int) -> None:
    days = np.arange(n_days)
    styles = arm_styles(result.protocol)
    states = result.states
    axes.fill_between(
        days, states.low[symbol][0], states.high[symbol][0], color=styles[0].color, alpha=0.12, linewidth=0.0
    )
    for index in reversed(range(len(styles))):
        style = styles[index]
        axes.plot(days, states.mean[symbol][index], color=style.color, linestyle=style.dash, label=style.label)
    axes.plot(days, alone.states.mean[symbol][0, :n_days], color=QUIET, linestyle=_ALONE, label=_ALONE_LABEL)
    axes.set_xlim(0.0, n_days - 1)
    low, high = axes.get_ylim()
    if high - low < 0.1:
        # A flat state must look flat.
        middle = (low + high) / 2.0
        axes.set_ylim(middle - 0.5, middle + 0.5)
    finish(axes, x="day", y=state_label(symbol))


def _legend(figure: Figure) -> None:
    handles, labels = figure.axes[0].get_legend_handles_labels()
    order = [*reversed(range(len(labels) - 1)), len(labels) - 1]
    figure.legend(
        [handles[i] for i in order], [labels[i] for i in order], loc="outside lower center", ncols=min(5, len(labels))
    )
