"""Doing a planned run: chunks first, then tables and report, then the finished folder; and taking a run up again."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from remission.trial.simulate import TrialPlan

__all__ = ["execute", "resume_command", "verify_command"]


def execute(plan: "TrialPlan", root: Path, command: str, *, quiet: bool, cluster: str | None = None) -> dict[str, Any]:
    """Run a plan, or what is left of it, and write its folder; returns the summary with the folder's place.

    Raises
    ------
    KeyboardInterrupt
        After a word on how to go on; what is done stays on disk.
    """
    from remission.cli.progress import progress_of
    from remission.cli.table import print_summary
    from remission.errors import RunError
    from remission.provenance import library_versions, moment
    from remission.report.write import write_report
    from remission.runs.cluster import on_cluster
    from remission.runs.folder import stage_run
    from remission.runs.identity import describe_run, run_name
    from remission.runs.tables import summary_data, write_tables
    from remission.runs.work import discard_work, open_work, run_chunks, run_here, work_folder
    from remission.trial.summary import summarize_trial

    started = time.monotonic()
    name = run_name(plan.protocol, plan.parameters, plan.n_replicates, plan.seed)
    work = work_folder(root, plan)
    try:
        open_work(root, plan, command)
        with progress_of(plan.protocol.title, quiet=quiet) as on_progress:
            do = on_cluster(cluster) if cluster else run_here
            result = run_chunks(work, plan, on_progress=on_progress, do=do)
            with stage_run(root, name) as staging:
                write_tables(result, staging.path)
                write_report(result, staging.path, command=command, versions=library_versions())
                seconds = round(time.monotonic() - started, 2)
                folder = staging.seal(about=describe_run(result, command), day={**moment(), "seconds": seconds})
    except KeyboardInterrupt:
        typer.echo(f"What is done is kept. Go on with: remission resume {work}", err=True)
        raise
    except RunError:
        # Another process that finished this very run took the work folder away: its result is ours.
        if work.exists() or not (root / name).exists():
            raise
        return _finished_by_another(root / name, quiet=quiet)
    discard_work(work)
    summary = summarize_trial(result)
    if not quiet:
        print_summary(result, summary)
        state = "Identical run already in" if staging.already_there else "Wrote"
        typer.echo(f"{state} {folder}  ({seconds:.1f} s)\nReport: {folder / 'report.html'}")
    return {**summary_data(result, summary), "folder": str(folder), "report": str(folder / "report.html")}


def _finished_by_another(folder: Path, *, quiet: bool) -> dict[str, Any]:
    """The summary of a run that another process finished while this one worked on it; its hashes are checked."""
    from remission.cli.table import print_rows
    from remission.runs.folder import read_run

    run = read_run(folder)
    if not quiet:
        print_rows(run.summary)
        typer.echo(f"Finished by another process: {folder}\nReport: {folder / 'report.html'}")
    return {**run.summary, "folder": str(folder), "report": str(folder / "report.html")}


def resume_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run under way; its name ends in .unfinished.")],
    cluster: Annotated[str | None, typer.Option("--cluster", help="Address of a Dask scheduler.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Take up a run that was interrupted; the result has the bytes of a run that never was.

    Example: remission resume runs/kare-20260101-1a2b3c4d.unfinished
    """
    from remission.runs.work import read_work

    plan, command = read_work(folder)
    report = execute(plan, folder.parent, command, quiet=as_json, cluster=cluster)
    if as_json:
        typer.echo(json.dumps({"runs": [report]}, ensure_ascii=False, allow_nan=False))


def verify_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or under way.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Compare every file or chunk of a run with its hash.

    Example: remission verify runs/kare-20260101-1a2b3c4d
    """
    from remission.runs.folder import read_run
    from remission.runs.work import is_unfinished, read_work, verify_work

    if is_unfinished(folder):
        done, wanted = verify_work(folder, read_work(folder)[0])
        found = {"state": "unfinished", "replicates_done": done, "replicates": wanted}
        words = f"Unfinished: {done} of {wanted} replicates are there and match their hashes."
    else:
        files = len(read_run(folder).manifest["files"])
        found = {"state": "finished", "files": files}
        words = f"Finished: {files} files match their hashes."
    typer.echo(json.dumps(found) if as_json else words)
