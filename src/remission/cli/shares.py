"""A run in shares, for the jobs of an array: prepared, done share by share, merged."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.options import AsJson, Workers
from remission.cli.terminal import print_json
from remission.errors import RunError, SpecError

if TYPE_CHECKING:
    from remission.trial.simulate import TrialPlan

_Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of a run that remission run --shares prepared, or one under way.")
]


def check_shares(shares: int) -> None:
    """Refuse a number of jobs that cannot be."""
    from remission.runs.shares import MOST_SHARES

    if not 1 <= shares <= MOST_SHARES:
        raise SpecError(where="--shares", got=shares, allowed=f"a whole number from 1 to {MOST_SHARES}")


def prepare(plans: "list[TrialPlan]", out: Path, commands: list[str], *, shares: int, as_json: bool) -> None:
    """Begin runs without doing any work, in pieces for at least ``shares`` jobs, and say how to go on."""
    from remission.runs.identity import check_place, run_name
    from remission.runs.work import open_work, read_work

    told: list[dict[str, Any]] = []
    for plan, command in zip(plans, commands, strict=True):
        check_place(out, plan)
        finished = out / run_name(out, plan)
        if finished.exists():
            told.append({"folder": str(finished), "state": "finished"})
            continue
        usual = max(chunk.count for chunk in plan.chunks)
        smaller = replace(plan, chunk_replicates=min(usual, -(-plan.n_replicates // shares)))
        folder = open_work(out, smaller, command)
        pieces = len(read_work(folder)[0].chunks)
        told.append({
            "folder": str(folder), "state": "prepared", "pieces": pieces, "shares": shares,
            "work": [f"remission work {folder} --share {number}/{shares}" for number in range(1, shares + 1)],
            "merge": f"remission merge {folder}",
        })  # fmt: skip
    if as_json:
        print_json({"runs": told})
        return
    for one in told:
        if one["state"] == "finished":
            typer.echo(f"Already finished: {one['folder']}")
            continue
        typer.echo(f"Prepared {one['folder']}: {one['pieces']} pieces of work for {shares} shares.")
        typer.echo(f"Each job:   {one['work'][0]}   (to {shares}/{shares})\nAt the end: {one['merge']}")


def work_command(
    run: _Run,
    share: Annotated[str, typer.Option("--share", help="Do this share of the run's pieces: 3/50 is the third of 50.")],
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Do one share of a run, for jobs of an array.

    What any job has done is not done again: a share that died is started again with the same command.

    Example: remission work runs/kare-2026-11-29-1a2b3c4d.unfinished --share 3/50
    """
    from remission.cli.execute import choose_workers
    from remission.cli.progress import ends_soon, progress_of
    from remission.runs.shares import Share, do_share

    chosen = Share.parse(share)
    folder, plan, _ = _under_way(run)
    crew = choose_workers(cluster=None, workers=workers)
    pieces = chosen.of(plan.chunks) if plan is not None else []
    done = 0
    if plan is not None:
        words = f"What is done is kept. Go on with: remission work {folder} --share {chosen}"
        with ends_soon(words), progress_of(f"Share {chosen}", quiet=as_json) as on_progress, crew:
            try:
                done = do_share(folder, plan, chosen, crew=crew, on_progress=on_progress)
            except RunError:
                if not _finished(folder).is_dir():
                    raise
                plan = None
    if as_json:
        print_json({"folder": str(folder), "share": str(chosen), "pieces": len(pieces), "done_now": done,
                    "run_is_finished": plan is None})  # fmt: skip
    elif plan is None:
        typer.echo(f"The run is finished; nothing is left to do: {_finished(folder)}")
    else:
        there = f", {len(pieces) - done} were there already" if done < len(pieces) else ""
        typer.echo(f"Share {chosen}: {done} of {len(pieces)} pieces of work done now{there}.")


def merge_command(run: _Run, as_json: AsJson = False) -> None:
    """Put the shares of a run together.

    The folder has the same bytes as that of a run that was never divided.
    Where pieces are missing, it says which shares have to be done again, and nothing is lost.

    Example: remission merge runs/kare-2026-11-29-1a2b3c4d.unfinished
    """
    from remission.cli.execute import execute
    from remission.runs.folder import read_run
    from remission.runs.work import merge_shares

    folder, plan, command = _under_way(run)
    if plan is not None:
        merge_shares(folder, plan)
        found = execute(plan, folder.parent, command, quiet=as_json)
    else:
        found = {**read_run(_finished(folder)).summary, "folder": str(_finished(folder))}
        if not as_json:
            typer.echo(f"Already merged: {_finished(folder)}")
    if as_json:
        print_json({"runs": [found]})


def _under_way(run: Path) -> "tuple[Path, TrialPlan | None, str]":
    """Folder, plan and command of a run, whose name may lack its ending; no plan where it is finished."""
    from remission.cli.design_work import find_design_work
    from remission.runs.folder import is_unfinished
    from remission.runs.identity import UNFINISHED
    from remission.runs.work import read_work

    if find_design_work(run) is not None:
        raise SpecError(
            where=str(run), got="a design", allowed="a run: a design is not divided into shares",
            remedy="Share its work with remission resume --workers.",
        )  # fmt: skip
    folder = run if run.name.endswith(UNFINISHED) else run.with_name(run.name + UNFINISHED) if run.name else run
    if not is_unfinished(folder) and (_finished(folder) / "manifest.json").is_file():
        return folder, None, ""
    return folder, *read_work(folder)


def _finished(folder: Path) -> Path:
    from remission.runs.identity import UNFINISHED

    return folder.with_name(folder.name.removesuffix(UNFINISHED))
