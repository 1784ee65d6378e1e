"""The page that describes diaries: statistics with intervals, and pictures, the same for real and simulated ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from remission.diaries.statistics import Description, Statistic
from remission.patient.standing import Standing, standing_of
from remission.records.diaries import Diaries
from remission.records.substance import Substance
from remission.report.chart import Chart, Table, told
from remission.report.inline import CHART_SCRIPTS, chart_parts
from remission.report.look import INK, PAPER, QUIET, canvas, finish
from remission.report.page import fill_template

__all__ = ["description_charts", "render_description"]

_SAMPLE = 60
# Resamples of fewer people say too little of chance for a title to call a difference a finding.
_LEAST_PEOPLE = 20


def render_description(descriptions: Sequence[Description], *, command: str, version: str) -> str:
    """One self-contained HTML page without scripts, with the command line that makes it again."""
    return fill_template(
        "describe.html.jinja",
        "report.css",
        scripts=CHART_SCRIPTS,
        parts=[_part(number, one) for number, one in enumerate(descriptions)],
        command=command,
        version=version,
    )


def description_charts(one: Description, *, prefix: str = "") -> list[Chart]:
    """Use by week, similarity of days, length of runs, weekdays where known, and some people's days."""
    charts = [_weeks(one, prefix), _lags(one, prefix), _runs(one, prefix)]
    if one.weekdays:
        charts.append(_weekdays(one, prefix))
    return [*charts, _calendar(one, prefix)]


def _part(number: int, one: Description) -> dict[str, Any]:
    diaries = one.diaries
    asked = diaries.assessed.any(axis=0)
    days = diaries.study_day[asked]
    return {
        "id": f"s{number}",
        "substance": diaries.substance,
        "origin": "Simulated" if diaries.origin == "simulated" else "Observed",
        "source": diaries.source,
        "standing": () if (found := standing_of_diaries(diaries)) is None else found.lines,
        "people": int(diaries.assessed.any(axis=1).sum()),
        "asked": int(diaries.assessed.sum()),
        "days": f"day {days[0]} to {days[-1]}; day 0 is {diaries.day_zero}",
        "statistics": [[s.label, _value(s), _range(s), s.unit, str(s.n), s.definition] for s in one.statistics],
        "charts": [chart_parts(chart) for chart in description_charts(one, prefix=f"s{number}-")],
    }


def standing_of_diaries(diaries: Diaries) -> Standing | None:
    """What the values behind simulated diaries are worth; None for observed ones."""
    known = {one.value for one in Substance}
    return standing_of(diaries.substance) if diaries.origin == "simulated" and diaries.substance in known else None


def _value(one: Statistic) -> str:
    return "not known" if np.isnan(one.value) else f"{one.value:.3f}"


def _range(one: Statistic) -> str:
    return "" if np.isnan(one.low) else f"{one.low:.3f} to {one.high:.3f}"


def _has_enough_people(one: Description) -> bool:
    return int(one.diaries.assessed.any(axis=1).sum()) >= _LEAST_PEOPLE


def _table(first: str, statistics: Sequence[Statistic]) -> Table:
    # Nothing to tell of, or no unit: a column without a name is read out by nobody.
    unit = next((s.unit for s in statistics if s.unit), "value")
    return Table(
        columns=[first, unit, "95% of resamples of people", "rests on"],
        rows=[[s.label, _value(s), _range(s), str(s.n)] for s in statistics],
    )


def _band(axes: Axes, x: Sequence[float], statistics: Sequence[Statistic], *, label: str, style: str = "-") -> None:
    value, low, high = (np.array([getattr(s, name) for s in statistics]) for name in ("value", "low", "high"))
    axes.fill_between(x, low, high, color=QUIET, alpha=0.25, linewidth=0.0)
    axes.plot(x, value, style, color=INK, label=label)


def _weeks(one: Description, prefix: str) -> Chart:
    most = max(s.n for s in one.weeks)
    shown = [s for s in one.weeks if s.n >= most / 50.0]
    with canvas(9.4, 3.9) as (figure, axes):
        _band(axes, [7.0 * int(s.id.removeprefix("week_")) + 3.5 for s in shown], shown, label="")
        finish(axes, x="day (middle of the week)", y="share of asked days with use")
        axes.set_ylim(0.0, None)
    overall, asked = one.statistics[0], int(one.diaries.assessed.sum())
    share = f"{100.0 * overall.value:.0f} of 100" if _has_enough_people(one) else f"{one.diaries.used.sum()} of {asked}"
    return Chart(
        name=f"{prefix}weeks",
        title=f"Use on {share} asked days, {one.diaries.origin}",
        **told("weeks"),
        figure=figure,
        table=_table("week", one.weeks),
    )


def _lags(one: Description, prefix: str) -> Chart:
    with canvas(9.4, 3.9) as (figure, axes):
        _band(axes, [float(s.id.removeprefix("lag_")) for s in one.lags], one.lags, label="", style="-o")
        axes.axhline(0.0, color=QUIET, linewidth=0.8)
        finish(axes, x="days apart", y="correlation within people")
    first = one.lags[0] if one.lags else None
    title = "Correlation of days within people"
    # A range that holds zero, or that cannot be told, is no finding.
    if first is not None and _has_enough_people(one) and (first.low > 0.0 or first.high < 0.0):
        like = "resembles" if first.value > 0.0 else "is unlike"
        title = f"A day {like} the next: correlation {first.value:.2f} ({first.low:.2f} to {first.high:.2f})"
    return Chart(
        name=f"{prefix}lags",
        title=f"{title}, {one.diaries.origin}",
        **told("lags"),
        figure=figure,
        table=_table("days apart", one.lags),
    )


def _runs(one: Description, prefix: str) -> Chart:
    with canvas(9.4, 3.9) as (figure, axes):
        for runs, label, style in (
            (one.clean_runs, "clean stretches", "-o"),
            (one.use_runs, "stretches of use", "--s"),
        ):
            _band(axes, [float(s.id.rpartition("_")[2]) for s in runs], runs, label=label, style=style)
        finish(axes, x="days", y="share that last longer")
        axes.set_ylim(0.0, 1.0)
        axes.legend()
    clean = {s.id: s for s in one.clean_runs}.get("clean_run_over_7")
    title = f"Lengths of stretches, {one.diaries.origin}"
    if clean is not None and _has_enough_people(one) and not np.isnan(clean.low):
        title = f"{100.0 * clean.value:.0f} of 100 clean stretches last longer than a week, {one.diaries.origin}"
    return Chart(
        name=f"{prefix}runs",
        title=title,
        **told("runs"),
        figure=figure,
        table=_table("stretch", [*one.clean_runs, *one.use_runs]),
    )


def _weekdays(one: Description, prefix: str) -> Chart:
    with canvas(9.4, 3.9) as (figure, axes):
        x = np.arange(len(one.weekdays))
        value = np.array([s.value for s in one.weekdays])
        gap = np.array([[s.value - s.low for s in one.weekdays], [s.high - s.value for s in one.weekdays]])
        axes.errorbar(x, value, yerr=np.maximum(gap, 0.0), fmt="o", color=INK)
        axes.set_xticks(x, [s.label[:3] for s in one.weekdays])
        finish(axes, x="", y="share of asked days with use")
        axes.set_ylim(0.0, None)
    most = max(one.weekdays, key=lambda s: -1.0 if np.isnan(s.value) else s.value)
    title = "Use by weekday"
    # Every other day must lie below the whole range of the highest, and all seven must be known.
    if _has_enough_people(one) and all(most.low > s.high for s in one.weekdays if s is not most):
        title = f"Most use on a {most.label}"
    return Chart(
        name=f"{prefix}weekdays",
        title=f"{title}, {one.diaries.origin}",
        **told("weekdays"),
        figure=figure,
        table=_table("weekday", one.weekdays),
    )


def _calendar(one: Description, prefix: str) -> Chart:
    diaries = one.diaries
    people = np.flatnonzero(diaries.assessed.any(axis=1))
    chosen = people[np.unique(np.linspace(0, len(people) - 1, min(_SAMPLE, len(people))).astype(int))]
    used, asked = diaries.used[chosen], diaries.assessed[chosen]
    columns = np.flatnonzero(asked.any(axis=0))
    first, last = int(columns[0]), int(columns[-1]) + 1
    share = used.sum(axis=1) / asked.sum(axis=1)
    order = np.argsort(share, kind="stable")
    shade = np.where(asked, np.where(used, 1.0, 0.25), 0.0)[order, first:last]
    with canvas(9.4, 4.8) as (figure, axes):
        axes.imshow(
            shade, aspect="auto", interpolation="nearest", vmin=0.0, vmax=1.0, origin="lower",
            cmap=_shades(), extent=(diaries.study_day[first], diaries.study_day[last - 1] + 1, 0, len(chosen)),
        )  # fmt: skip
        finish(axes, x="day", y=f"{len(chosen)} people, most use on top")
        axes.grid(visible=False)
        axes.set_yticks([])
    return Chart(
        name=f"{prefix}days",
        title=f"Days of {len(chosen)} people, {diaries.origin}",
        **told("days"),
        figure=figure,
        table=Table(
            columns=["row from below", "asked days", "use days"],
            rows=[
                [str(row + 1), str(int(asked[i].sum())), str(int(used[i].sum()))] for row, i in enumerate(order)
            ],
        ),
    )  # fmt: skip


def _shades() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("use", [PAPER, "#c9d6d3", INK])
