"""A design under way, beside its report: it can be ended at any moment and taken up again.

``--report NAME`` keeps its work in ``NAME.unfinished`` until the report stands under its name: the command, the files
that it reads, and each piece of work that is done. A design taken up gives the numbers of one that never stopped.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from remission.cli.progress import ends_soon
from remission.design.cost import expected_s
from remission.design.kept import KINDS
from remission.errors import RunError, SpecError
from remission.files import copy_file, make_folder, read_json, remove_folder, write_text
from remission.numerics.digits import duration
from remission.protocol.record import Protocol
from remission.provenance import file_hash, package_version, source_hashes
from remission.runs.crew import Crew, can_copy, crew_of
from remission.runs.journal import Journal, Journaled

_UNFINISHED = ".unfinished"
_PLAN, _INPUTS, _JOURNAL = "design-plan.json", "inputs", "journal.jsonl"
_FILES = {"protocol", "scenarios", "prices"}
"""Options that can name a file, which is copied, because it may change before the design goes on."""
_FREE = {"report", "as_json", "yes", "workers"}
"""Options that change no number."""
_TIMED_PERSON_DAYS = 40_000_000
"""From here on the pace of this machine is measured before anything is started."""
_LARGE_S = 600.0
"""Above this expected time it waits for --yes. [s]"""
_SHARED_PERSON_DAYS = 40_000_000
"""From here on the work is shared by all cores, unless --workers says otherwise: below, to start workers takes longer
than they save."""
_LOADS = ("remission.design.operating", "remission.design.nulls", "remission.design.again")
"""What workers of a design need."""


@dataclass(frozen=True, slots=True)
class DesignWork:
    """The folder of a design under way, and its journal."""

    folder: Path
    journal: Journal


def engage(person_days: int, protocol: Protocol, workers: int | None, *, yes: bool) -> Crew:
    """The crew for so many person-days; a plan that is too large says first what it would cost, or is a SpecError.

    The pace of ``protocol``, one of the designs, stands for all.
    """
    crew = crew_of(1 if workers is None and person_days < _SHARED_PERSON_DAYS else workers)
    try:
        if not can_copy():
            # They load while this process looks at its pace and at the first trials.
            crew.begin(_LOADS)
        if person_days >= _TIMED_PERSON_DAYS:
            _say_cost(person_days, protocol, crew.n_workers, yes=yes)
        # Copies have the compiled code that the pace needed.
        crew.begin(_LOADS)
    except BaseException:
        crew.close()
        raise
    return crew


def _say_cost(person_days: int, protocol: Protocol, n_workers: int, *, yes: bool) -> None:
    expected = expected_s(protocol, person_days, n_workers=n_workers)
    plan = f"up to {person_days:,} person-days, about {duration(expected)} with {n_workers} processes here"
    if expected > _LARGE_S and not yes:
        raise SpecError(
            where="--replicates", got=plan, allowed=f"up to {duration(_LARGE_S)} without asking",
            remedy="Start it with --yes, or take fewer replicates, sizes, scenarios or draws.",
        )  # fmt: skip
    typer.echo(f"Simulating {plan}.", err=True)


def keeping(crew: Crew, work: DesignWork | None) -> Crew:
    """The crew, which keeps what it does in the work's journal if there is one."""
    return crew if work is None else Journaled(crew, work.journal)


@contextmanager
def design_work(context: typer.Context) -> Iterator[DesignWork | None]:
    """The work of the command of a context; ``None`` without ``--report``, where nothing is kept.

    Another design that is under way there is a SpecError; a folder that cannot be written, or in which another command
    writes, a WorkError.
    """
    report: Path | None = context.params["report"]
    if report is None:
        yield None
        return
    folder = report.resolve()
    folder = folder.with_name(folder.name + _UNFINISHED)
    plan, files = _plan_of(context)
    _check_plan(folder, plan)
    make_folder(folder)
    journal = Journal(folder / _JOURNAL, KINDS)
    # Nobody else writes from here on; until here another command could.
    is_new, is_kept = not (folder / _PLAN).is_file(), True
    try:
        _check_plan(folder, plan)
        if is_new:
            _begin(folder, plan, files)
        with ends_soon(f"What is done is kept. Go on with: remission resume {folder}"):
            yield DesignWork(folder, journal)
        is_kept = False
    except KeyboardInterrupt:
        raise
    except Exception:
        is_kept = not is_new or _has_lines(folder / _JOURNAL)
        raise
    finally:
        if not is_kept:
            remove_folder(folder)
        journal.close()


def find_design_work(folder: Path) -> Path | None:
    """The work folder of a design, by its own name or by that of its report; ``None`` when there is none."""
    for one in (folder, folder.with_name(folder.name + _UNFINISHED) if folder.name else folder):
        if (one / _PLAN).is_file():
            return one
    return None


def resume_design(folder: Path, *, workers: int | None, as_json: bool) -> None:
    """Go on with a design whose work is in a folder; a RunError where its plan was made by other code."""
    from remission.cli.app import app_of

    words = _read_plan(folder)["words"]
    arguments = ["design", *(str(folder / word) if word.startswith(f"{_INPUTS}/") else word for word in words)]
    # A folder that was moved gets its report beside it.
    report = folder.with_name(folder.name.removesuffix(_UNFINISHED))
    arguments += ["--report", str(report), "--yes", *(["--json"] if as_json else [])]
    if workers is not None:
        arguments += ["--workers", str(workers)]
    typer.main.get_command(app_of(arguments))(arguments, standalone_mode=False)


def words_of(
    context: typer.Context, *, leaves_out: Callable[[str], bool], name_of: Callable[[str, Path], str]
) -> tuple[list[str], dict[str, Path]]:
    """The arguments and options of a command in words, and the files they read, by the names that they get."""
    words: list[str] = []
    files: dict[str, Path] = {}
    for parameter in context.command.params:
        name, value = str(parameter.name), context.params.get(str(parameter.name))
        if value is None or value is False or leaves_out(name):
            continue
        texts = [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
        if name in _FILES and Path(texts[0]).is_file():
            path = Path(texts[0])
            texts = [name_of(name, path)]
            files[texts[0]] = path
        if parameter.param_type_name == "argument":
            words += texts
        elif value is True:
            words.append(parameter.opts[0])
        else:
            words += [part for one in texts for part in (parameter.opts[0], one)]
    return words, files


def _check_plan(folder: Path, plan: dict[str, Any]) -> None:
    """Refuse a folder where another design is under way."""
    if (folder / _PLAN).is_file() and _read_plan(folder) != plan:
        raise SpecError(
            where=str(folder), got="another design that is under way", allowed="this design, or nothing",
            remedy=f"Go on with it (remission resume {folder}), move it away, or choose another --report.",
        )  # fmt: skip


def _begin(folder: Path, plan: dict[str, Any], files: dict[str, Path]) -> None:
    """Fill the folder of a design that begins."""
    # The plan comes last: inputs without one are of a command that ended here, and are copied again.
    remove_folder(folder / _INPUTS)
    make_folder(folder / _INPUTS)
    for name, path in files.items():
        make_folder((folder / name).parent)
        copy_file(path, folder / name)
    write_text(folder / _PLAN, json.dumps(plan, indent=1))


def _plan_of(context: typer.Context) -> tuple[dict[str, Any], dict[str, Path]]:
    """The command in words, files by their names in the folder, with what the numbers are made of."""
    taken: set[str] = set()

    def inside(name: str, path: Path) -> str:
        # Two files of one name lie apart.
        found = path.name if path.name not in taken else f"{name}/{path.name}"
        taken.add(path.name)
        return f"{_INPUTS}/{found}"

    def leaves_out(name: str) -> bool:
        return name in _FREE or getattr(context.get_parameter_source(name), "name", "") != "COMMANDLINE"

    words, files = words_of(context, leaves_out=leaves_out, name_of=inside)
    plan = {
        "schema": 1,
        "version": package_version(),
        "source_sha256": source_hashes()["numbers"],
        "words": words,
        "files": {name.removeprefix(f"{_INPUTS}/"): file_hash(path) for name, path in files.items()},
    }
    return plan, files


def _read_plan(folder: Path) -> dict[str, Any]:
    allowed, remedy = "the plan that was written", "Delete the folder and start the design again."
    found = read_json(folder / _PLAN, allowed=allowed, remedy=remedy)
    words, inputs = found.get("words"), found.get("files")
    if not isinstance(words, list) or not isinstance(inputs, dict) or not all(isinstance(one, str) for one in words):
        raise RunError(where=str(folder / _PLAN), got="no words or no files", allowed=allowed, remedy=remedy)
    if found.get("version") != package_version() or found.get("source_sha256") != source_hashes()["numbers"]:
        raise RunError(
            where=str(folder / _PLAN), got=f"a design begun by version {found.get('version')} with other code",
            allowed="the code that began it: another one could change the numbers half-way",
            remedy="Go on with that code, or delete the folder and start the design again.",
        )  # fmt: skip
    return found


def _has_lines(journal: Path) -> bool:
    try:
        return journal.stat().st_size > 0
    except OSError:
        return False
