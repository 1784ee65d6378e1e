"""The report of a trial on disk: figures as SVG and PNG, and one self-contained page."""

from pathlib import Path

from remission.extras import has_extra
from remission.files import make_folder, write_text
from remission.report.chart import Chart
from remission.report.document import render_report
from remission.trial.result import TrialResult
from remission.trial.summary import TrialSummary, summarize_trial


def report_charts(result: TrialResult, summary: TrialSummary) -> list[Chart]:
    """The charts of a report in their order: the session (where there is ketamine), circuits, days, results."""
    from remission.report.circuit_chart import circuit_chart
    from remission.report.course_charts import abstinence_chart, survival_chart
    from remission.report.results_chart import results_chart
    from remission.report.session_chart import session_chart

    session = session_chart(result.protocol, seed=result.seed)
    charts: list[Chart] = [] if session is None else [session]
    return [
        *charts, circuit_chart(result), abstinence_chart(result), survival_chart(result), results_chart(result, summary)
    ]  # fmt: skip


def write_report(result: TrialResult, folder: Path, *, command: str, versions: dict[str, str]) -> None:
    """Write ``report.html`` and ``figures/`` into an existing folder; the same result gives the same bytes.

    Without the extra ``plots`` there are no figures, and the page says so.

    Raises OSError: a file cannot be written.
    """
    summary = summarize_trial(result)
    drawn = _draw(result, summary, folder / "figures") if has_extra("plots") else []
    page = render_report(result, summary, drawn, command=command, versions=versions)
    write_text(folder / "report.html", page)


def _draw(result: TrialResult, summary: TrialSummary, folder: Path) -> list[Chart]:
    """The charts, written into a new folder."""
    make_folder(folder)
    return [chart.save(folder) for chart in report_charts(result, summary)]
