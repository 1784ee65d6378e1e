"""A finished run made again from its own record, and compared with what is stored."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from remission.errors import ProvenanceError, RunError, SpecError
from remission.files import read_json, scratch_folder
from remission.patient.drawn import Drawing
from remission.patient.kernels.links import check_links
from remission.patient.parameters import read_parameters
from remission.protocol.file import read_protocol
from remission.records.result import Result
from remission.runs.compare import Difference, compare_files, compare_records
from remission.runs.crew import crew_of
from remission.runs.folder import Run, check_contents, read_run
from remission.runs.run import Reporter, write_run
from remission.trial.simulate import TrialPlan, plan_trial

_MADE_OF = ("parameter_set_sha256", "versions", "source_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt(Result):
    """What came of making a run again.

    ``folder``: where the rebuilt run stands; ``None`` when it was made in a temporary place. ``n_files``: files that
    were compared. ``differences``: values and files that differ; empty: the same bytes. ``made_of``: versions, code,
    parameter set and machine that differ. All but the machine may be the cause; a machine of another architecture may
    be, too.
    """

    folder: Path | None
    n_files: int
    differences: tuple[Difference, ...]
    made_of: tuple[Difference, ...]

    def columns(self) -> dict[str, Any]:
        """One row a difference."""
        rows = [*self.differences, *self.made_of]
        return {one.name: [getattr(row, one.name) for row in rows] for one in fields(Difference)}

    @property
    def should_be_same(self) -> bool:
        """Whether nothing differs but what must change no byte: the machine, if it is of the same architecture."""
        return all(
            difference.place.startswith("machine") and "architecture" not in difference.place
            for difference in self.made_of
        )

    @property
    def is_same(self) -> bool:
        """Whether every file has the same bytes."""
        return not self.differences


def rebuild(
    run: str | Path,
    *,
    report: Reporter,
    out: str | Path | None = None,
    n_workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> Rebuilt:
    """A finished run made again from its own record and compared file by file, number by number.

    Parameters
    ----------
    run
        Folder of the run; it is read and never changed.
    report
        What writes the report into the folder.
    out
        Folder to keep the rebuilt run in, not the one that holds ``run``; without it a temporary one is used.
    n_workers
        Processes that share the work; with more than one, a script of your own needs
        ``if __name__ == "__main__":``.
    on_progress
        Called with (replicates done, replicates in all) after each chunk.

    Raises
    ------
    RunError
        There is no finished run, or this version cannot make it again.
    ProvenanceError
        The stored run does not match its own hashes.
    """
    stored = read_run(Path(run))
    check_contents(stored)
    plan = plan_of(stored)
    command = str(stored.manifest["command"])
    if out is not None and Path(out).resolve() == stored.path.resolve().parent:
        raise RunError(
            where="out", got=str(out), allowed="another folder than that of the stored run", remedy="Nothing was done."
        )
    with crew_of(n_workers) as crew, nullcontext(Path(out)) if out is not None else scratch_folder() as place:
        again = read_run(write_run(plan, place, command, report=report, crew=crew, on_progress=on_progress).folder)
        return _compared(stored, again, None if out is None else again.path)


def _compared(stored: Run, again: Run, folder: Path | None) -> Rebuilt:
    made_of: list[Difference] = []
    for name in _MADE_OF:
        if name in stored.manifest:
            made_of += compare_records(stored.manifest[name], again.manifest[name], name)
    machines = [_machine(run.path) for run in (stored, again)]
    if machines[0] is not None and machines[1] is not None:
        made_of += compare_records(machines[0], machines[1], "machine")
    files = stored.manifest["files"]
    return Rebuilt(
        folder=folder,
        n_files=len(files),
        differences=tuple(compare_files(stored.path, again.path, files)),
        made_of=tuple(made_of),
    )


def _machine(folder: Path) -> dict[str, Any] | None:
    """What the run says of its machine; old runs have one word there, and the file may be gone."""
    try:
        found = read_json(folder / "run.json", allowed="the facts of the day").get("machine")
    except RunError:
        return None
    return found if isinstance(found, dict) else None


def plan_of(run: Run) -> TrialPlan:
    """The plan of a finished run, from its own record.

    Raises ``RunError``, ``ProvenanceError``: this version reads another protocol or other parameters there.
    """
    manifest = run.manifest
    check_links(manifest.get("replaced_links", {}))
    protocol = read_protocol(run.path / "protocol.yaml", is_stored=True)
    if protocol.content_hash != manifest["protocol_sha256"]:
        raise ProvenanceError(
            where=str(run.path / "protocol.yaml"),
            got="a protocol that this version reads differently",
            allowed="the protocol that was run",
            remedy=f"Rebuild it with remission {manifest['versions'].get('remission', 'of then')}.",
        )
    try:
        parameters = read_parameters(manifest["parameters"])
        drawing = Drawing.from_stored(manifest.get("drawing"))
    except SpecError as error:
        raise RunError(
            where=str(run.path),
            got=f"parameters of another version ({error})",
            allowed="the parameters of this version",
            remedy=f"Rebuild it with remission {manifest['versions'].get('remission', 'of then')}.",
        ) from None
    return plan_trial(
        protocol,
        n_replicates=manifest["n_replicates"],
        seed=manifest["seed"],
        parameter_set=manifest["parameter_set"],
        parameters=parameters,
        drawing=drawing,
        with_diaries=manifest.get("with_diaries", False),
    )
