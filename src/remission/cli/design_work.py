"""A design under way, beside its report: it can be ended at any moment and taken up again.

``--report NAME`` keeps its work in ``NAME.unfinished`` until the report stands under its name: the command, the files
that it reads, and each piece of work that is done. A design taken up gives the numbers of one that never stopped.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from remission.design.journal import Journal

__all__ = ["DesignWork", "design_work", "find_design_work", "resume_design"]

_UNFINISHED = ".unfinished"
_PLAN, _INPUTS, _JOURNAL = "design-plan.json", "inputs", "journal.jsonl"
_FILES = {"protocol", "scenarios", "prices"}
"""Options that can name a file, which is copied, because it may change before the design goes on."""
_FREE = {"report", "as_json", "yes", "workers"}
"""Options that change no number."""


class DesignWork:
    """The folder of a design under way, and its journal."""

    def __init__(self, folder: Path, journal: "Journal") -> None:
        self.folder = folder
        self.journal = journal


@contextmanager
def design_work(context: typer.Context) -> Iterator[DesignWork | None]:
    """The work of the command of a context; ``None`` without ``--report``, where nothing is kept.

    Raises
    ------
    SpecError
        Another design is under way there.
    WorkError
        The folder cannot be written, or another command is writing there.
    """
    from remission.cli.interrupt import ends_soon
    from remission.files import make_folder, remove_folder

    report: Path | None = context.params["report"]
    if report is None:
        yield None
        return
    folder = _folder_of(report)
    plan, files = _plan_of(context)
    _check_plan(folder, plan)
    make_folder(folder)
    journal = _journal(folder)
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
        is_kept = not is_new or len(_journal_lines(folder)) > 0
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
    """Go on with a design whose work is in a folder.

    Raises
    ------
    RunError
        The plan cannot be read, or was made by other code.
    """
    from remission.cli.app import app

    plan = _read_plan(folder)
    arguments = ["design", *(_placed(word, folder) for word in plan["words"])]
    # A folder that was moved gets its report beside it.
    report = folder.with_name(folder.name.removesuffix(_UNFINISHED))
    arguments += ["--report", str(report), "--yes", *(["--json"] if as_json else [])]
    if workers is not None:
        arguments += ["--workers", str(workers)]
    typer.main.get_command(app)(arguments, standalone_mode=False)


def _folder_of(report: Path) -> Path:
    whole = report.resolve()
    return whole.with_name(whole.name + _UNFINISHED)


def _check_plan(folder: Path, plan: dict[str, Any]) -> None:
    """Refuse a folder where another design is under way."""
    from remission.errors import SpecError

    if (folder / _PLAN).is_file() and _read_plan(folder) != plan:
        raise SpecError(
            where=str(folder), got="another design that is under way", allowed="this design, or nothing",
            remedy=f"Go on with it (remission resume {folder}), move it away, or choose another --report.",
        )  # fmt: skip


def _begin(folder: Path, plan: dict[str, Any], files: Mapping[str, Path]) -> None:
    """Fill the folder of a design that begins."""
    from remission.files import copy_file, make_folder, remove_folder, write_text

    # The plan comes last: inputs without one are of a command that ended here, and are copied again.
    remove_folder(folder / _INPUTS)
    make_folder(folder / _INPUTS)
    for name, path in files.items():
        make_folder((folder / _INPUTS / name).parent)
        copy_file(path, folder / _INPUTS / name)
    write_text(folder / _PLAN, json.dumps(plan, indent=1))


def _plan_of(context: typer.Context) -> tuple[dict[str, Any], Mapping[str, Path]]:
    """The command in words, files by their names in the folder, with what the numbers are made of."""
    from remission.provenance import file_hash, package_version, source_hashes

    words: list[str] = []
    files: dict[str, Path] = {}
    for parameter in context.command.params:
        name, value = str(parameter.name), context.params.get(str(parameter.name))
        source = getattr(context.get_parameter_source(name), "name", "")
        if name in _FREE or value is None or source != "COMMANDLINE":
            continue
        text = [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
        if name in _FILES and Path(text[0]).is_file():
            path = Path(text[0])
            inside = Path(path.name) if path.name not in files else Path(name) / path.name
            files[str(inside)] = path
            text = [f"{_INPUTS}/{inside}"]
        if parameter.param_type_name == "argument":
            words += text
        elif value is True:
            words.append(parameter.opts[0])
        else:
            words += [part for one in text for part in (parameter.opts[0], one)]
    plan = {
        "schema": 1,
        "version": package_version(),
        "source_sha256": source_hashes()["numbers"],
        "words": words,
        "files": {name: file_hash(path) for name, path in files.items()},
    }
    return plan, files


def _placed(word: str, folder: Path) -> str:
    return str(folder / word) if word.startswith(f"{_INPUTS}/") else word


def _read_plan(folder: Path) -> dict[str, Any]:
    from remission.errors import RunError
    from remission.files import read_json
    from remission.provenance import package_version, source_hashes

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


def _journal(folder: Path) -> "Journal":
    from remission.design.journal import Journal
    from remission.design.kept import KINDS

    return Journal(folder / _JOURNAL, KINDS)


def _journal_lines(folder: Path) -> list[bytes]:
    try:
        return (folder / _JOURNAL).read_bytes().splitlines()
    except OSError:
        return []
