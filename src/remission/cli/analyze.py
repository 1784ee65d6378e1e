"""``remission analyze``: a trial of one's own, by a plan."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remission.cli.options import AsJson, Report, named_as_options
from remission.cli.terminal import print_columns, print_json

if TYPE_CHECKING:
    from remission.study.result import StudyResult


_MOST_SHOWN = 10


def analyze_command(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Table with a row a person or a visit, diaries (table, Parquet), or folder of a run."
        ),
    ],
    plan: Annotated[Path, typer.Option("--plan", help="YAML file of the plan; remission new --plan DATA writes one.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write page, tables, figures, scripts into this folder; new or empty.")
    ] = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Analyze the data of a trial as a plan says.

    Estimates with intervals, and every row and person that was not used. The data are never changed.

    Example: remission analyze diary.parquet --plan plan.yaml --report analysis.html
    """
    from remission.door.study import analyze
    from remission.extras import need_extra
    from remission.files import check_ending, check_free, write_text
    from remission.report.design_folder import check_report_folder
    from remission.report.study_words import estimate_text, p_text
    from remission.report.study_write import render_study, write_study

    check_report_folder(out, option="--out")
    if report is not None:
        need_extra("plots", where="--report")
        check_ending(report, "--report", (".html", ".htm"))
        check_free(report, "--report")
    with named_as_options(path="DATA"):
        found = analyze(data, plan)
    command = shlex.join(["remission", "analyze", str(data), "--plan", str(plan)])
    if out is not None:
        write_study(found, out, data=data, plan=plan, command=command)
    if report is not None:
        write_text(report, render_study(found, command=command))
    if as_json:
        print_json({**found.to_dict(), "out": out, "report": report})
        _end(found)
        return
    typer.echo(f"{found.plan.title}: {len(found.data.person)} people randomized")
    rows = [
        (one.analysis.id, f"{one.n_treatment} / {one.n_control}", estimate_text(one), p_text(one.p_value))
        for one in found.estimates
    ]
    print_columns([("analysis", "analyzed", "estimate (95% interval)", "p"), *rows], indent=2)
    _tell(found)
    for path in (out, report):
        if path is not None:
            typer.echo(f"Wrote {path}")
    _end(found)


def _end(found: "StudyResult") -> None:
    """Where no analysis at all has a number the work has failed, and a script must see it."""
    if all(one.message for one in found.estimates):
        raise typer.Exit(1)


def _tell(found: "StudyResult") -> None:
    """Everything that must be known beside the numbers, on the other stream."""
    from remission.report.study_write import study_cautions

    for one in found.estimates:
        if one.message:
            typer.echo(f"{one.analysis.id}: {one.message}", err=True)
    for line in study_cautions(found):
        typer.echo(f"warning: {line}", err=True)
    for item in found.not_used[:_MOST_SHOWN]:
        place = f"row {item.row}, " if item.row else ""
        typer.echo(f"not used: {place}{item.person or 'nobody'}, {item.where}: {item.reason}", err=True)
    if len(found.not_used) > _MOST_SHOWN:
        typer.echo(
            f"and {len(found.not_used) - _MOST_SHOWN} more not used; see them all with --json or --out", err=True
        )
