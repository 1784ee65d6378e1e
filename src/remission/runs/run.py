"""A planned trial from its first chunk to its finished folder: tables, diaries when asked for, report, hashes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol as Protocol_

from remission.errors import LibraryError, RunError, SpecError
from remission.files import check_folder
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters
from remission.protocol.record import Protocol
from remission.provenance import library_versions, moment
from remission.records.seed import DEFAULT_SEED
from remission.runs.crew import Crew, crew_of
from remission.runs.folder import DIARIES, stage_run
from remission.runs.identity import UNFINISHED, check_place, describe_run
from remission.runs.tables import write_tables
from remission.runs.work import (
    discard_work,
    has_chunks,
    open_work,
    read_work,
    run_chunks,
    work_folder,
    write_work_diaries,
)
from remission.trial.result import TrialResult
from remission.trial.simulate import TrialPlan, plan_trial


class Reporter(Protocol_):
    """What writes the report of a trial into its folder before that is sealed; this layer draws nothing."""

    def __call__(self, result: TrialResult, folder: Path, *, command: str, versions: dict[str, str]) -> None:
        """Write it; the same result must give the same bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run that stands under its name.

    ``folder``: where it stands. ``result``: its numbers; ``None`` when another process finished it meanwhile.
    ``already_there``: whether an identical run stood there before. ``elapsed_s``: how long this process worked on it.
    [s].
    """

    folder: Path
    result: TrialResult | None
    already_there: bool
    elapsed_s: float


def write_run(
    plan: TrialPlan,
    root: Path,
    command: str,
    *,
    report: Reporter,
    crew: Crew | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_result: Callable[[TrialResult], None] | None = None,
) -> FinishedRun:
    """Do a plan, or what is left of it, and write its folder.

    ``plan``: the trial. Pieces of work that were begun keep their size. ``root``: folder of all runs. ``command``: what
    the manifest says of how it was asked for. ``report``: what writes the report into the folder. ``crew``: who works;
    ``None``: this process. ``on_progress``: called with (replicates done, replicates in all) after each chunk.
    ``on_result``: called with the result before tables and figures are written. Raises ``RunError``: the folder is
    taken by another run, or the work was begun by another version; ``WorkError``: the disk refused or the workers were
    lost; what is done is kept; ``ProvenanceError``: what was kept is damaged.
    """
    started = time.monotonic()
    check_folder(root)
    check_place(root, plan)
    work = work_folder(root, plan)
    name = work.name.removesuffix(UNFINISHED)
    try:
        plan, command = read_work(open_work(root, plan, command))
        result = run_chunks(work, plan, on_progress=on_progress, crew=crew)
        if on_result is not None:
            on_result(result)
        with stage_run(root, name) as staging:
            write_tables(result, staging.path)
            if plan.with_diaries:
                write_work_diaries(work, plan, staging.path / DIARIES)
            report(result, staging.path, command=command, versions=library_versions())
            about = describe_run(result, command, with_diaries=plan.with_diaries)
            elapsed_s = round(time.monotonic() - started, 2)
            folder = staging.seal(about=about, day={**moment(), "seconds": elapsed_s})
    except (SpecError, LibraryError):
        # Wrong input leaves nothing behind, unless work was done before.
        if not has_chunks(work):
            discard_work(work)
        raise
    except RunError:
        # Another process that finished this very run took the work folder away: its result is ours.
        if work.exists() or not (root / name).exists():
            raise
        return FinishedRun(folder=root / name, result=None, already_there=True, elapsed_s=time.monotonic() - started)
    discard_work(work)
    return FinishedRun(folder=folder, result=result, already_there=staging.already_there, elapsed_s=elapsed_s)


def run_trial(
    protocol: Protocol,
    out: str | Path,
    *,
    report: Reporter,
    n_replicates: int = 200,
    seed: int = DEFAULT_SEED,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
    changes: Mapping[str, float] | None = None,
    with_diaries: bool = False,
    n_workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """The folder of a simulated trial on disk, as ``remission run`` writes it; begun work is taken up again.

    Parameters
    ----------
    protocol
        What to run.
    out
        Folder of all runs; made when missing.
    report
        What writes the report into the folder.
    n_replicates
        1 to 1,000,000.
    seed
        0 to 2**64 - 1; the same seed gives the same bytes.
    parameter_set
        Name of the set in the library.
    parameters
        Values of all replicates, instead of the set's and of its draws.
    changes
        Values by name that are fixed for all replicates; the others stay drawn.
    with_diaries
        Whether everybody's days are written too, to ``diaries.parquet``.
    n_workers
        Processes that share the work; their number changes no byte. With more than one, a script of your own needs
        ``if __name__ == "__main__":``.
    on_progress
        Called with (replicates done, replicates in all) after each chunk.

    Raises
    ------
    SpecError
        An argument is out of range.
    RunError
        The folder cannot be used.
    WorkError
        The work failed half-way; calling again goes on.
    """
    plan = plan_trial(
        protocol,
        n_replicates=n_replicates,
        seed=seed,
        parameter_set=parameter_set,
        parameters=parameters,
        changes=changes,
        with_diaries=with_diaries,
    )
    command = f"run_trial({protocol.id!r}, n_replicates={n_replicates}, seed={seed}, with_diaries={with_diaries})"
    with crew_of(n_workers) as crew:
        return write_run(plan, Path(out), command, report=report, crew=crew, on_progress=on_progress).folder
