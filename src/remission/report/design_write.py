"""A design report on disk: a page, its figures and tables, the protocol, and scripts that make it again."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from remission.files import new_bytes, write_text
from remission.provenance import library_versions, python_version
from remission.report.chart import Chart
from remission.report.cost_section import cost_charts, cost_tables
from remission.report.design_charts import (
    assurance_chart,
    effect_model_table,
    estimates_chart,
    evidence_table,
    power_chart,
    recruitment_chart,
)
from remission.report.design_document import nulls_table, render_design
from remission.report.design_folder import flat_table, list_files, write_inputs, write_report_folder, write_tables
from remission.report.design_methods import method_paragraphs, source_keys
from remission.report.design_study import ReportedDesign
from remission.report.flow_chart import flow_chart
from remission.report.looks_charts import looks_chart, sequential_table, stops_chart
from remission.report.rerun import rerun_python
from remission.report.schedule_chart import schedule_chart


def write_design_report(study: ReportedDesign, folder: Path, *, place: Path | None = None) -> Path:
    """Write the report; the folder appears whole or not at all. Returns the page.

    ``folder``: new or empty; checked again. ``place``: as in
    :func:`~remission.report.design_folder.write_report_folder`. Raises SpecError: the folder holds something;
    WorkError: the disk refused.
    """
    return write_report_folder(folder, partial(_write_all, study), place=place)


def _write_all(study: ReportedDesign, folder: Path) -> None:
    versions = {"python": python_version(), **library_versions()}
    version, keys = versions["remission"], source_keys(study)
    write_inputs(folder, study, script=rerun_python(study, version=version), keys=keys, version=version)
    write_text(folder / "methods.md", _methods(study))
    figures = folder / "figures"
    charts = {name: [chart.save(figures) for chart in found] for name, found in _charts(study).items()}
    named = {chart.name: chart.table for found in charts.values() for chart in found}
    named["characteristics"] = flat_table(study.content["characteristics"])
    asked = {
        "sequential": sequential_table(study), "nulls": nulls_table(study), "evidence": evidence_table(study),
        "effect_models": effect_model_table(study),
    }  # fmt: skip
    named |= {name: table for name, table in asked.items() if table is not None}
    write_tables(folder, named | {name: table for name, _, table in cost_tables(study)})
    _write_estimates(study, folder / "tables")
    write_text(folder / "report.html", "")
    page = render_design(study, charts, versions=versions, files=list_files(folder))
    write_text(folder / "report.html", page, replace=True)


def _charts(study: ReportedDesign) -> dict[str, list[Chart]]:
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


def _write_estimates(study: ReportedDesign, folder: Path) -> None:
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
    with new_bytes(folder / "estimates.parquet") as file:
        pq.write_table(table, file)
    # The chart of the same name has a table of its own, which gives way to the numbers of every trial.
    with new_bytes(folder / "estimates.csv", replace=True) as file:
        pa.csv.write_csv(table, file)


def _methods(study: ReportedDesign) -> str:
    lines = [f"# Methods: {study.protocol.title}", ""]
    for paragraph in method_paragraphs(study):
        keys = "".join(f" [@{key}]" for key in paragraph.keys)
        lines += [f"## {paragraph.title}", "", f"{paragraph.text}{keys}", ""]
    return "\n".join(lines)
