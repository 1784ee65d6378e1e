"""An analysis of a file on disk: a page, figures, tables, what each analysis read, and scripts that do it again."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from remission.analyses.covariance import SPATIAL
from remission.files import copy_file, make_folder, spreadsheet_safe, write_text
from remission.provenance import library_versions, python_version
from remission.records.packaged import packaged_toml
from remission.records.result import plain
from remission.report.chart import Chart, Table
from remission.report.design_folder import csv_text, list_files, write_report_folder, write_tables
from remission.report.inline import CHART_SCRIPTS, chart_parts
from remission.report.page import fill_template, read_asset
from remission.report.study_words import (
    LIMITS,
    arms_table,
    estimate_text,
    estimates_table,
    flow_table,
    methods_text,
    not_used_table,
    tipping_tables,
)
from remission.study.analyze import StudyCompared, compared_of
from remission.study.result import StudyEstimate, StudyResult

_MOST_SHOWN = 200
_R = packaged_toml("words", "study-r.toml")


def study_cautions(result: StudyResult) -> tuple[str, ...]:
    """Everything that must be said beside the numbers, of the file first."""
    return tuple(dict.fromkeys((*result.cautions, *(line for one in result.estimates for line in one.cautions))))


def render_study(
    result: StudyResult, *, command: str, charts: Sequence[Chart] | None = None, files: Sequence[tuple[str, str]] = ()
) -> str:
    """One self-contained page. ``charts``: as drawn, laid out anew here; they are drawn here when left out."""
    from remission.report.study_charts import study_charts

    versions = {"python": python_version(), **library_versions()}
    is_simulated = result.data.is_simulated or result.plan.is_synthetic
    standing = ["Simulated people: nothing here is a finding about anybody."] if is_simulated else []
    open_ = [one.analysis.id for one in result.estimates if one.programmed_twice != "agrees"]
    if open_:
        standing.append(
            f"Not yet programmed twice: {', '.join(open_)}. Check these numbers elsewhere before you rest on them."
        )
    question = None
    if result.plan.estimand is not None:
        fields = ("treatment", "population", "variable", "summary")
        question = [[name, getattr(result.plan.estimand, name)] for name in fields]
        question += [[f"event: {one.label}", one.strategy] for one in result.plan.intercurrent_events]
    return fill_template(
        "study.html.jinja",
        "report.css",
        scripts=CHART_SCRIPTS,
        version=versions["remission"],
        title=result.plan.title,
        finding=f"{result.primary.analysis.label}: {estimate_text(result.primary)}.",
        standing=standing,
        estimates=estimates_table(result),
        arms=arms_table(result),
        question=question,
        tipping=tipping_tables(result),
        charts=[chart_parts(chart) for chart in charts or study_charts(result)],
        cautions=study_cautions(result),
        methods=methods_text(result),
        unused=not_used_table(result, most=_MOST_SHOWN),
        n_unused=len(result.not_used),
        limits=LIMITS,
        made=(
            ("Command", command),
            ("Seed", str(result.plan.seed)),
            ("Data", "; ".join(f"{name}, SHA-256 {digest}" for name, digest in result.data.files.items()) or "a run"),
            ("Versions", ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))),
        ),
        files=files,
    )


def write_study(result: StudyResult, folder: Path, *, data: Path, plan: Path, command: str) -> Path:
    """Write everything into a new or empty folder, whole or not at all. Returns the page.

    ``data``, ``plan``: the files as they were named; the plan is copied with the further tables that it names.
    Raises SpecError: the folder holds something; WorkError: the disk refused.
    """
    write = partial(_write_all, result, data=data, plan=plan, command=command)
    return write_report_folder(folder, write, option="--out")


def _write_all(result: StudyResult, folder: Path, *, data: Path, plan: Path, command: str) -> None:
    from remission.report.study_charts import study_charts

    version = library_versions()["remission"]
    write_text(folder / "analysis.json", f"{_json(result)}\n")
    copy_file(plan, folder / "plan.yaml")
    for name in (result.plan.data.people_file, result.plan.data.mapping):
        if name is not None and not (folder / name).exists():
            make_folder((folder / name).parent)
            copy_file(plan.parent / name, folder / name)
    write_text(folder / "rerun.py", read_asset("rerun_study.py.txt").format(version=version, data=str(data)))
    for name in ("figures", "tables", "analysis-data"):
        make_folder(folder / name)
    frame = result.columns()
    rows = [[_cell(frame[name][place]) for name in frame] for place in range(len(result.estimates))]
    write_text(folder / "estimates.csv", csv_text(Table(columns=list(frame), rows=rows)))
    write_text(folder / "not-used.csv", csv_text(not_used_table(result)))
    lines = [f"# Methods: {result.plan.title}", ""]
    for title, words in methods_text(result):
        lines += [f"## {title}", "", words, ""]
    write_text(folder / "methods.md", "\n".join(lines))
    script = [_R["head"].lstrip().replace("{{", "{").replace("}}", "}")]
    for one in result.estimates:
        found = compared_of(result.plan, one.analysis, result.data)
        write_text(folder / "analysis-data" / f"{one.analysis.id}.csv", _analysis_set(found))
        script.append(_r_code(found, one))
    write_text(folder / "analysis.R", "\n".join(script))
    charts = [chart.save(folder / "figures") for chart in study_charts(result)]
    tables = {"flow": flow_table(result), "arms": arms_table(result), "estimates": estimates_table(result)}
    tables |= {chart.name: chart.table for chart in charts if chart.name not in tables}
    write_tables(folder, tables)
    write_text(folder / "report.html", "")
    page = render_study(result, command=command, charts=charts, files=list_files(folder))
    write_text(folder / "report.html", page, replace=True)


def _json(result: StudyResult) -> str:
    return json.dumps(plain(result.to_dict()), indent=2, ensure_ascii=False, allow_nan=False)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if not np.isfinite(value) else repr(float(value))
    return str(value)


def _analysis_set(found: StudyCompared) -> str:
    """What an analysis read: a row a person, or a row a visit where the method reads visits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    outcome, who = found.outcome, np.flatnonzero(found.analyzed)
    names, covariates = _covariates(found)
    by_visit = found.analysis.facts.at_visits
    writer.writerow(
        ["person", "treated", "stratum", *names, *(["day", "y"] if by_visit else ["y", "event", "exposure"])]
    )
    for place in who.tolist():
        about = [
            spreadsheet_safe(found.data.person[place]),
            int(found.treated[0, place]),
            int(found.strata[0, place]),
            *(column[place] for column in covariates),
        ]
        if by_visit:
            for visit, day in enumerate(outcome.days.tolist()):
                writer.writerow([*about, day, _cell(float(outcome.periods[place, visit]))])
        else:
            y = outcome.counts[place] if found.analysis.facts.counts_days else outcome.value[place]
            writer.writerow([*about, _cell(float(y)), int(outcome.event[place]), _cell(float(outcome.exposure[place]))])
    return stream.getvalue()


def _covariates(found: StudyCompared) -> tuple[list[str], list[list[str]]]:
    """Names for R, and each covariate as words or numbers."""
    names, columns = [], []
    for name, terms in found.terms:
        names.append(_r_name(name))
        if name in found.data.levels:
            level, words = found.data.levels[name]
            columns.append([spreadsheet_safe(words[at]) if at >= 0 else "" for at in level.tolist()])
        else:
            columns.append([_cell(float(value)) for value in terms[:, 0]])
    return names, columns


def _r_name(name: str) -> str:
    text = name.replace("-", ".")
    return f"x.{text}" if text[0].isdigit() or text in {"y", "event", "day", "person", "treated", "stratum"} else text


def _r_code(found: StudyCompared, one: StudyEstimate) -> str:
    analysis = one.analysis
    key = f"{analysis.method}_hc3" if analysis.errors == "hc3" else analysis.method
    code = _R["method"].get(key, _R["method"]["other"])
    words = f"# {analysis.label}\n# Remission: {estimate_text(one)}\n"
    read = f'd <- read.csv("analysis-data/{analysis.id}.csv")\n' if key in _R["method"] else ""
    return words + read + code.lstrip("\n").format(**_r_words(found))


_STRUCTURES = {
    "unstructured": "us",
    "compound-symmetry": "cs",
    "heterogeneous-compound-symmetry": "csh",
    "autoregressive": "ar1",
    "heterogeneous-autoregressive": "ar1h",
    "toeplitz": "toep",
    "heterogeneous-toeplitz": "toeph",
    "ante-dependence": "ad",
    "heterogeneous-ante-dependence": "adh",
}


# What nlme calls them; it has no Toeplitz, no ante-dependence and no covariance of each side.
_IN_NLME = {
    "unstructured": "nlme::corSymm(form = ~ at | person)",
    "compound-symmetry": "nlme::corCompSymm(form = ~ at | person)",
    "autoregressive": "nlme::corAR1(form = ~ at | person)",
    "spatial-exponential": "nlme::corExp(form = ~ day | person)",
    "spatial-gaussian": "nlme::corGaus(form = ~ day | person)",
}


_FREEDOMS = {
    "kenward-roger": ("Kenward-Roger", "Kenward-Roger"),
    "kenward-roger-linear": ("Kenward-Roger", "Kenward-Roger-Linear"),
    "satterthwaite": ("Satterthwaite", "Asymptotic"),
}


def _r_words(found: StudyCompared) -> Mapping[str, str]:
    analysis = found.analysis
    names = [_r_name(name) for name in analysis.adjust]
    baseline = "" if analysis.baseline is None else _r_name(analysis.baseline)
    own = [
        f"factor({short})" if name in found.data.levels else short
        for short, name in zip(names, analysis.adjust, strict=True)
    ]
    terms = own if analysis.method == "mmrm" else [*own, *([baseline] if baseline else [])]
    m = found.outcome.shares.size
    weights = found.shares if found.target is None else (np.arange(m) == found.target) * 1.0
    freedom = _FREEDOMS[analysis.degrees_of_freedom]
    shape = analysis.covariance.removeprefix("heterogeneous-")
    # Each visit has a variance of its own, or all have one.
    is_spread = shape != analysis.covariance or shape == "unstructured"
    return {
        "id": analysis.id,
        "method": freedom[0] if analysis.method == "mmrm" else analysis.method,
        "vcov": freedom[1],
        "terms": "".join(f" + {name}" for name in terms),
        "baseline": f" + {baseline}:visit" if baseline else "",
        "tau": str(analysis.tau_day),
        "structure": _STRUCTURES.get(analysis.covariance, ""),
        # Its spatial covariances are of coordinates, not of visits.
        "in_mmrm": "FALSE" if analysis.covariance in SPATIAL else "TRUE",
        "in_nlme": "TRUE" if shape in _IN_NLME and not analysis.covariance_by_side else "FALSE",
        "correlation": _IN_NLME.get(shape, "NULL"),
        "variances": "nlme::varIdent(form = ~ 1 | visit)" if is_spread else "NULL",
        "grouped": "arm / " if analysis.covariance_by_side else "",
        "corstr": {"autoregressive": "ar1"}.get(analysis.correlation, analysis.correlation),
        "weights": f"c({', '.join(f'{float(weight):.15g}' for weight in weights)})",
    }
