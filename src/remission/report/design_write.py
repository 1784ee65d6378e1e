"""A design report on disk: a page, its figures and tables, the protocol, and scripts that make it again."""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from remission.errors import SpecError, WorkError
from remission.provenance import library_versions, source_hashes
from remission.records.protocol_file import write_protocol
from remission.report.chart import Chart, Table
from remission.report.cost_section import cost_charts, cost_tables
from remission.report.design_charts import (
    assurance_chart,
    estimates_chart,
    power_chart,
    recruitment_chart,
)
from remission.report.design_document import characteristics_table, render_design
from remission.report.design_methods import method_paragraphs, source_keys
from remission.report.design_study import DesignStudy
from remission.report.flow_chart import flow_chart
from remission.report.look import save_figure
from remission.report.looks_charts import looks_chart, sequential_table, stops_chart
from remission.report.rerun import rerun_python, rerun_shell
from remission.report.schedule_chart import schedule_chart

__all__ = ["check_report_folder", "write_design_report"]


def check_report_folder(folder: Path | None) -> None:
    """Refuse a folder that holds something: nothing is ever overwritten. ``None`` asks for no report.

    Raises
    ------
    SpecError
        It is a file, or a folder with files, or lies where nothing can be written.
    """
    if folder is None:
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SpecError(
            where=f"--report {folder}",
            got="a place where something is already",
            allowed="a new or an empty folder",
            remedy="Choose another name, or move the old report away; nothing was overwritten.",
        )
    nearest = folder.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    try:
        if not nearest.is_dir():
            raise NotADirectoryError
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError:
        raise SpecError(
            where=f"--report {folder}", got=f"{nearest}, which cannot be written to", allowed="a folder to write in"
        ) from None


def write_design_report(study: DesignStudy, folder: Path) -> Path:
    """Write the report; the folder appears whole or not at all. Returns the page.

    Parameters
    ----------
    folder
        New or empty; checked again.

    Raises
    ------
    SpecError
        The folder holds something.
    WorkError
        The disk refused.
    """
    check_report_folder(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as place:
            staged = Path(place) / "report"
            staged.mkdir()
            _write_all(study, staged)
            if folder.exists():
                folder.rmdir()
            staged.rename(folder)
    except OSError as error:
        raise WorkError(
            where=str(error.filename or folder),
            got=error.strerror or str(error),
            allowed="a folder with space that can be written to",
            remedy="Free space and start again; no half of a report was left behind.",
        ) from None
    return folder / "report.html"


def _write_all(study: DesignStudy, folder: Path) -> None:
    versions = library_versions()
    version = versions["remission"]
    _text(folder / "design.json", json.dumps(study.content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    _text(folder / "protocol.yaml", write_protocol(study.protocol))
    for name, path in study.files.items():
        shutil.copyfile(path, folder / name)
    _text(folder / "rerun.sh", rerun_shell(study, version=version))
    (folder / "rerun.sh").chmod(0o755)
    _text(folder / "rerun.py", rerun_python(study, version=version))
    _text(folder / "methods.md", _methods(study))
    _text(folder / "references.bib", _bibtex(source_keys(study)))
    charts = _charts(study)
    figures, tables = folder / "figures", folder / "tables"
    figures.mkdir()
    tables.mkdir()
    drawn = {
        section: [(chart, save_figure(chart.figure, figures, chart.name)) for chart in found]
        for section, found in charts.items()
    }
    named = {chart.name: chart.table for found in charts.values() for chart in found}
    named["characteristics"] = characteristics_table(study)
    sequential = sequential_table(study)
    if sequential is not None:
        named["sequential"] = sequential
    named |= {name: table for name, _, table in cost_tables(study)}
    for name, table in named.items():
        _text(tables / f"{name}.csv", _csv(table))
    _write_estimates(study, tables)
    (folder / "report.html").touch()
    page = render_design(study, drawn, versions=versions, source_sha256=source_hashes(), files=_listing(folder))
    _text(folder / "report.html", page)


def _charts(study: DesignStudy) -> dict[str, list[Chart]]:
    """Charts by section; what was not asked for gives none."""
    sections: dict[str, list[Chart | None]] = {
        "design": [schedule_chart(study.protocol)],
        "people": [flow_chart(study.protocol, study.flow), recruitment_chart(study)],
        "operating": [power_chart(study), estimates_chart(study)],
        "looks": [looks_chart(study), stops_chart(study)],
        "assurance": [assurance_chart(study)],
        "cost": [*cost_charts(study)],
    }
    return {name: [chart for chart in found if chart is not None] for name, found in sections.items()}


def _write_estimates(study: DesignStudy, folder: Path) -> None:
    """The primary analysis, one row for each design and trial, as CSV and as Parquet."""
    counts = [found.size for found in study.estimates]
    table = pa.table(
        {
            "n_subjects": np.repeat([one.population.n_subjects for one in study.designs], counts),
            "replicate": np.concatenate([np.arange(count) for count in counts]),
            "analysis": pa.array([study.analysis.id] * sum(counts), pa.string()),
            "estimate": np.concatenate(study.estimates),
        }
    )
    pq.write_table(table, folder / "estimates.parquet")
    pa.csv.write_csv(table, folder / "estimates.csv")


_WHAT = {
    "report.html": "this page",
    "design.json": "every number, as the command prints it with --json",
    "protocol.yaml": "the protocol as understood",
    "methods.md": "the methods text",
    "references.bib": "its sources as BibTeX",
    "rerun.sh": "the exact command",
    "rerun.py": "a Python script that simulates the designs again and compares",
    "figures": "every chart as SVG and PNG",
    "tables": "every table as CSV; estimates of the primary analysis, trial by trial, as CSV and Parquet",
}


def _listing(folder: Path) -> Sequence[tuple[str, str]]:
    present = {path.name for path in folder.iterdir()}
    known = [(name, words) for name, words in _WHAT.items() if name in present]
    return [*known, *((name, "read by the command") for name in sorted(present - set(_WHAT)))]


def _methods(study: DesignStudy) -> str:
    lines = [f"# Methods: {study.protocol.title}", ""]
    for paragraph in method_paragraphs(study):
        keys = "".join(f" [@{key}]" for key in paragraph.keys)
        lines += [f"## {paragraph.title}", "", f"{paragraph.text}{keys}", ""]
    return "\n".join(lines)


def _bibtex(keys: Sequence[str]) -> str:
    """The entries of the library's own file, in its own words."""
    whole = files("remission.library").joinpath("references.bib").read_text(encoding="utf-8")
    entries = {entry.split("{", 1)[1].split(",", 1)[0]: entry for entry in whole.split("\n\n") if entry.startswith("@")}
    return "\n\n".join(entries[key].strip() for key in keys) + "\n"


def _csv(table: Table) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return stream.getvalue()


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
