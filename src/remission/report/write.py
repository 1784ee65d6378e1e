"""The report of a trial on disk: figures as SVG and PNG, and one self-contained page."""

from pathlib import Path

from remission.files import make_folder, write_text
from remission.report.chart import Chart
from remission.report.circuit_chart import circuit_chart
from remission.report.course_charts import abstinence_chart, survival_chart
from remission.report.document import render_report
from remission.report.look import save_figure
from remission.report.results_chart import results_chart
from remission.report.session_chart import session_chart
from remission.trial.result import TrialResult
from remission.trial.summary import TrialSummary, summarize_trial

__all__ = ["report_charts", "write_report"]


def report_charts(result: TrialResult, summary: TrialSummary) -> list[Chart]:
    """The charts of a report in their order: the session (where there is ketamine), circuits, days, results."""
    session = session_chart(result.protocol, seed=result.seed)
    charts: list[Chart] = [] if session is None else [session]
    return [
        *charts, circuit_chart(result), abstinence_chart(result), survival_chart(result), results_chart(result, summary)
    ]  # fmt: skip


def write_report(result: TrialResult, folder: Path, *, command: str, versions: dict[str, str]) -> None:
    """Write ``report.html`` and ``figures/`` into an existing folder; the same result gives the same bytes.

    Parameters
    ----------
    result
        The trial.
    folder
        Where to write.
    command
        The command line that makes it again.
    versions
        Versions of the program and its libraries.

    Raises
    ------
    OSError
        A file cannot be written.
    """
    summary = summarize_trial(result)
    charts = report_charts(result, summary)
    figures = folder / "figures"
    make_folder(figures)
    drawn = [(chart, save_figure(chart.figure, figures, chart.name)) for chart in charts]
    page = render_report(result, summary, drawn, command=command, versions=versions)
    write_text(folder / "report.html", page)
