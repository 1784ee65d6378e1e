"""The report of a trial on disk: figures as SVG and PNG, and one self-contained page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from remission.extras import has_extra
from remission.files import make_folder, write_bytes, write_text
from remission.report.chart import Chart
from remission.report.document import render_report
from remission.report.inline import chart_parts
from remission.trial.result import TrialResult
from remission.trial.summary import TrialSummary, summarize_trial

_MODULE: Final = {
    "session": "session_chart",
    "circuits": "circuit_chart",
    "abstinence": "course_charts",
    "survival": "course_charts",
    "results": "results_chart",
}
"""Where each chart of a report is drawn, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A chart drawn for its files, by ending, and for the page, as the template takes it."""

    name: str
    files: dict[str, bytes]
    parts: dict[str, Any]


def _chart(name: str, result: TrialResult, summary: TrialSummary) -> Chart | None:
    module: Any = import_module(f"remission.report.{_MODULE[name]}")
    chart: Chart | None
    match name:
        case "session":
            chart = module.session_chart(result.protocol, seed=result.seed)
        case "circuits":
            chart = module.circuit_chart(result)
        case "results":
            chart = module.results_chart(result, summary)
        case _:
            chart = getattr(module, f"{name}_chart")(result)
    return chart


def report_charts(result: TrialResult, summary: TrialSummary) -> list[Chart]:
    """The charts of a report in their order: the session (where there is ketamine), circuits, days, results."""
    found = (_chart(name, result, summary) for name in _MODULE)
    return [chart for chart in found if chart is not None]


class Each(Protocol):
    """What does some work for each of some items: ``map``, or a crew; in any order."""

    def __call__(self, work: Callable[[str], Drawn | None], items: Iterable[str], /) -> Iterable[Drawn | None]:
        """Results as they come."""


def draw_charts(result: TrialResult, *, each: Each = map) -> Iterable[Drawn | None]:
    """The charts of a report, drawn for :func:`write_report`, which puts them in order; none without ``plots``.

    ``each``: who draws them; another process may begin at once, this one draws when the next chart is asked for.
    """
    if not has_extra("plots"):
        return ()
    work = partial(_drawn, result=result, summary=summarize_trial(result))
    return each(work, sorted(_MODULE, key=_LONGEST_FIRST.index))


def write_report(
    result: TrialResult,
    folder: Path,
    *,
    command: str,
    versions: dict[str, str],
    drawn: Iterable[Drawn | None] | None = None,
) -> None:
    """Write ``report.html`` and ``figures/`` into an existing folder; the same result gives the same bytes.

    Without the extra ``plots`` there are no figures, and the page says so. ``drawn``: charts of this result that
    others draw too (:func:`draw_charts`); None: this process draws them.

    Raises OSError: a file cannot be written.
    """
    summary = summarize_trial(result)
    charts = draw_charts(result) if drawn is None else drawn
    parts = _write_charts(charts, folder / "figures") if has_extra("plots") else []
    page = render_report(result, summary, parts, command=command, versions=versions)
    write_text(folder / "report.html", page)


def _write_charts(charts: Iterable[Drawn | None], folder: Path) -> list[dict[str, Any]]:
    """The charts for the page, after their files were written into a new folder."""
    make_folder(folder)
    found = {one.name: one for one in charts if one is not None}
    for one in found.values():
        for ending, content in one.files.items():
            write_bytes(folder / f"{one.name}{ending}", content)
    return [found[name].parts for name in _MODULE if name in found]


_LONGEST_FIRST = ("circuits", "results", "session", "survival", "abstinence")
"""So that nobody is left with a long one at the end."""


def _drawn(name: str, *, result: TrialResult, summary: TrialSummary) -> Drawn | None:
    from remission.report.look import drawn_files

    chart = _chart(name, result, summary)
    if chart is None:
        return None
    files, text = drawn_files(chart.figure)
    return Drawn(name=name, files=files, parts=chart_parts(replace(chart, drawn=text)))
