"""The folder of a design report: new, written beside its place, whole or not there at all."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from remission.errors import SpecError, WorkError
from remission.extras import need_extra
from remission.files import (
    check_folder,
    copy_file,
    make_folder,
    move,
    move_into,
    spreadsheet_safe,
    staged_folder,
    sweep,
    write_text,
)
from remission.protocol.file import write_protocol
from remission.report.chart import Table
from remission.report.design_study import ReportedDesign, TableStudy
from remission.report.rerun import rerun_shell_of

_WHAT = {
    "report.html": "this page",
    "design.json": "every number, as the command prints it with --json",
    "analysis.json": "every number, as the command prints it with --json",
    "plan.yaml": "the plan as it was read",
    "estimates.csv": "every estimate with its interval",
    "not-used.csv": "every row and person that was not used, with the reason",
    "analysis.R": "the same analyses in R",
    "analysis-data": "what each analysis read, person by person; handle it as the data of people that it is",
    "protocol.yaml": "the protocol as understood",
    "methods.md": "the methods text",
    "references.bib": "its sources as BibTeX",
    "rerun.sh": "the exact command",
    "rerun.py": "a Python script that does it again and compares",
    "figures": "every chart as SVG and PNG",
    "tables": "every table as CSV, numbers of every trial as Parquet too where there are any",
}


def check_report_folder(folder: Path | None, *, option: str = "--report") -> None:
    """Refuse a folder that holds something: nothing is ever overwritten. ``None`` asks for no report.

    ``option``: its name in messages.

    Raises SpecError: it is a file, or a folder with files, or lies where nothing can be written; MissingExtraError:
    figures are not installed.
    """
    if folder is None:
        return
    need_extra("plots", where=option)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SpecError(
            where=f"{option} {folder}",
            got="a place where something is already",
            allowed="a new or an empty folder",
            remedy="Choose another name, or move the old report away; nothing was overwritten.",
        )
    nearest = folder.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    check_folder(nearest, where=f"{option} {folder}: {nearest}")


def write_report_folder(
    folder: Path, write: Callable[[Path], None], *, place: Path | None = None, option: str = "--report"
) -> Path:
    """Let ``write`` fill a folder elsewhere and give it its name when it is whole. Returns the page.

    ``place``: folder in which it is written, on the same disk; ``None``: a hidden one beside it, which is removed.
    Raises SpecError: the folder holds something; WorkError: the disk refused.
    """
    check_report_folder(folder, option=option)
    whole = folder.absolute()
    try:
        make_folder(whole.parent)
        home = whole.parent if place is None else place
        sweep(home)
        with staged_folder(home) as staged:
            write(staged)
            if whole.exists():
                # A folder under a mount, or the present one, cannot give way: it is filled. The page comes last; while
                # it is missing the folder is not yet a report.
                move_into(staged, whole, last="report.html")
            else:
                move(staged, whole)
    except OSError as error:
        raise WorkError(
            where=str(error.filename or folder),
            got=error.strerror or str(error),
            allowed="a folder with space that can be written to",
            remedy="Free space and start again; no half of a report stands under its name.",
        ) from None
    return folder / "report.html"


def write_inputs(
    folder: Path, study: ReportedDesign | TableStudy, *, script: str, keys: Sequence[str], version: str
) -> None:
    """What was asked, and what makes it again; with empty folders for figures and tables."""
    content = json.dumps(study.content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(folder / "design.json", content)
    write_text(folder / "protocol.yaml", write_protocol(study.protocol))
    for name, path in study.files.items():
        copy_file(path, folder / name)
    write_text(folder / "rerun.sh", rerun_shell_of(study.words, version=version))
    (folder / "rerun.sh").chmod(0o755)
    write_text(folder / "rerun.py", script)
    write_text(folder / "references.bib", bibtex_of(keys))
    for name in ("figures", "tables"):
        make_folder(folder / name)


def write_tables(folder: Path, tables: Mapping[str, Table]) -> None:
    """Every table as a file of its name."""
    for name, table in tables.items():
        write_text(folder / "tables" / f"{name}.csv", csv_text(table))


def list_files(folder: Path) -> Sequence[tuple[str, str]]:
    """Name of each file of a report, and what is in it."""
    present = {path.name for path in folder.iterdir()}
    known = [(name, words) for name, words in _WHAT.items() if name in present]
    return [*known, *((name, "read by the command") for name in sorted(present - set(_WHAT)))]


def bibtex_of(keys: Sequence[str]) -> str:
    """The entries of the library's own file, in its own words."""
    whole = files("remission.library").joinpath("references.bib").read_text(encoding="utf-8")
    entries = {entry.split("{", 1)[1].split(",", 1)[0]: entry for entry in whole.split("\n\n") if entry.startswith("@")}
    return "\n\n".join(entries[key].strip() for key in keys) + "\n"


_NUMBERS = re.compile(r"(?:[-+0-9.,%()eE \u2212\u2013]|\bto\b|\bof\b)*")


def csv_text(table: Table) -> str:
    """A table as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    cells = [[cell.replace("\u00a0", " ") for cell in row] for row in table.rows]
    # Numbers with their signs stay numbers; a name that a protocol gives may begin with one.
    writer.writerows([[cell if _NUMBERS.fullmatch(cell) else spreadsheet_safe(cell) for cell in row] for row in cells])
    return stream.getvalue()


def flat_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows of numbers for a program: a number with its Monte Carlo error becomes two columns, nested parts none."""
    flat: list[dict[str, Any]] = []
    for row in rows:
        found: dict[str, Any] = {}
        for name, value in row.items():
            if isinstance(value, dict) and value.keys() == {"value", "mcse"}:
                found |= {name: value["value"], f"{name}_mcse": value["mcse"]}
            elif not isinstance(value, dict | list | tuple):
                found[name] = value
        flat.append(found)
    columns = list(dict.fromkeys(name for one in flat for name in one))
    return Table(
        columns=columns,
        rows=[["" if one.get(name) is None else str(one[name]) for name in columns] for one in flat],
    )
