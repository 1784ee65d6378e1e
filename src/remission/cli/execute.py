"""Doing a planned run, taking a run up again, checking it, making it again."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.options import AsJson, Workers
from remission.cli.terminal import print_json
from remission.errors import SpecError

if TYPE_CHECKING:
    from remission.report.write import Drawn
    from remission.runs.crew import Crew
    from remission.trial.result import TrialResult
    from remission.trial.simulate import TrialPlan

_DIFFERENCES_SHOWN = 20


def choose_workers(*, cluster: str | None, workers: int | None) -> "Crew":
    """Who works, from the options of a command."""
    from remission.runs.cluster import Cluster
    from remission.runs.crew import crew_of

    crew = crew_of(1 if workers is None else workers)
    if cluster is None:
        return crew
    if crew.n_workers > 1:
        raise SpecError(where="--cluster, --workers", got="both of them", allowed="one way to share the work")
    return Cluster(cluster)


def execute(plan: "TrialPlan", root: Path, command: str, *, quiet: bool, crew: "Crew | None" = None) -> dict[str, Any]:
    """Run a plan, or what is left of it, and write its folder; returns the summary with the folder's place."""
    from remission.cli.progress import ends_soon, progress_of
    from remission.cli.table import print_rows
    from remission.extras import has_extra
    from remission.runs.folder import read_run
    from remission.runs.run import write_run
    from remission.runs.tables import summary_data
    from remission.runs.work import work_folder
    from remission.trial.summary import summarize_trial

    words = f"What is done is kept. Go on with: remission resume {work_folder(root, plan)}"
    data: dict[str, Any] = {}
    drawn: list[Iterable[Drawn | None]] = []
    with ends_soon(words), ExitStack() as bar:
        on_progress = bar.enter_context(progress_of(plan.protocol.title, quiet=quiet))

        def show(result: "TrialResult") -> None:
            """The table, before the time that figures take; the bar must be gone, for it takes what is printed."""
            bar.close()
            data.update(summary_data(result, summarize_trial(result)))
            if not quiet:
                print_rows(data)
                sys.stdout.flush()
            drawn.append(_charts(result, crew))

        report = partial(_report, drawn=drawn)
        finished = write_run(plan, root, command, report=report, crew=crew, on_progress=on_progress, on_result=show)
    folder = finished.folder
    if finished.result is None:
        state = "Finished by another process:"
        if not data:
            data = read_run(folder).summary
            if not quiet:
                print_rows(data)
    else:
        state = "Identical run already in" if finished.already_there else "Wrote"
    if not quiet:
        typer.echo(f"{state} {folder}  ({finished.elapsed_s:.1f} s)\nReport: {folder / 'report.html'}")
        if not has_extra("plots"):
            typer.echo("The report has no figures. Add them with: pip install 'remission[plots]'", err=True)
    return {**data, "folder": str(folder), "report": str(folder / "report.html")}


def _charts(result: "TrialResult", crew: "Crew | None") -> "Iterable[Drawn | None]":
    """The charts, which a process beside this one begins to draw at once; loaded when it is their turn."""
    from remission.report.write import draw_charts
    from remission.runs.crew import Beside

    # Not through other crews: a large result would be sent once for each chart.
    return draw_charts(result, each=crew.as_done if isinstance(crew, Beside) else map)


def _report(
    result: "TrialResult", folder: Path, *, command: str, versions: dict[str, str],
    drawn: "list[Iterable[Drawn | None]]",
) -> None:  # fmt: skip
    from remission.extras import has_extra
    from remission.report.write import write_report

    if has_extra("plots"):
        # What draws takes half a second to load; without its help texts less.
        import_module("remission.report.undocumented")
    write_report(result, folder, command=command, versions=versions, drawn=drawn[0])


def resume_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run or design under way; its name ends in .unfinished.")],
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Share the work on a Dask cluster at this address.")
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Take up an interrupted run or design where it stopped.

    The result has the same bytes as if nothing had happened.

    Example: remission resume runs/kare-2026-11-29-1a2b3c4d.unfinished
    """
    from remission.cli.design_work import find_design_work, resume_design
    from remission.files import check_folder
    from remission.runs.work import read_work

    design = find_design_work(folder)
    if design is not None:
        if cluster is not None:
            raise SpecError(where="--cluster", got=cluster, allowed="--workers only: a design shares its work so")
        resume_design(design, workers=workers, as_json=as_json)
        return
    plan, command = read_work(folder)
    check_folder(folder.parent)
    with choose_workers(cluster=cluster, workers=workers) as crew:
        report = execute(plan, folder.parent, command, quiet=as_json, crew=crew)
    if as_json:
        print_json({"runs": [report]})


def verify_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or under way.")],
    as_json: AsJson = False,
) -> None:
    """Compare a run's files with their hashes; the older name of ``remission show --verify``.

    Example: remission verify runs/kare-2026-11-29-1a2b3c4d
    """
    from remission.runs.folder import check_contents, is_unfinished, read_run
    from remission.runs.work import read_work, verify_work

    if is_unfinished(folder):
        done, wanted = verify_work(folder, read_work(folder)[0])
        found = {"state": "unfinished", "replicates_done": done, "replicates": wanted}
        words = f"Unfinished: {done} of {wanted} replicates are there and match their hashes."
    else:
        run = read_run(folder)
        check_contents(run)
        files = len(run.manifest["files"])
        found = {"state": "finished", "files": files}
        words = f"Finished: {files} files match their hashes."
    if as_json:
        print_json(found)
    else:
        typer.echo(words)


def rerun_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep the rebuilt run in this folder; default: compare only.")
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Make a finished run again and compare every byte.

    It is made from its own record. Exit code 1 when a file or a number differs.

    Example: remission rerun runs/kare-2026-11-29-1a2b3c4d
    """
    from remission.cli.progress import ends_soon, progress_of
    from remission.cli.table import standing_data
    from remission.report.write import write_report
    from remission.runs.folder import read_run
    from remission.runs.rebuild import rebuild

    n_workers = 1 if workers is None else workers
    with ends_soon("Stopped; the stored run was not touched."), progress_of(folder.name, quiet=as_json) as on_progress:
        found = rebuild(folder, report=write_report, out=out, n_workers=n_workers, on_progress=on_progress)
    if as_json:
        print_json({
            "same_bytes": found.is_same, "standing": standing_data(read_run(folder).summary), "files": found.n_files,
            "folder": found.folder, "differences": found.differences, "made_of": found.made_of,
        })  # fmt: skip
    else:
        for line in standing_data(read_run(folder).summary)["lines"]:
            typer.echo(line)
        if found.is_same:
            typer.echo(f"Same bytes: all {found.n_files} files of {folder} were made again and are equal.")
        for difference in found.differences[:_DIFFERENCES_SHOWN]:
            typer.echo(f"Differs: {difference}")
        if len(found.differences) > _DIFFERENCES_SHOWN:
            typer.echo(f"and {len(found.differences) - _DIFFERENCES_SHOWN} more; --json lists all.")
        for difference in found.made_of:
            typer.echo(f"Made of: {difference}")
        if not found.is_same and found.should_be_same:
            typer.echo(
                "Versions, code and values are the same as recorded. On x86-64 they must give the same bytes with any "
                "processor and Python: please report this with the lines above."
            )
        if found.folder is not None:
            typer.echo(f"Rebuilt run: {found.folder}")
    if not found.is_same:
        raise typer.Exit(1)
