"""What a design report says, laid out by its template: one self-contained page without scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from remission.library.loader import load_parameter_set
from remission.library.references import load_reference
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.patient.standing import standing_of
from remission.report.chart import Chart, Table
from remission.report.cost_section import cost_lines, cost_tables
from remission.report.design_charts import evidence_table
from remission.report.design_methods import (
    citation_lines,
    estimand_rows,
    method_paragraphs,
    source_keys,
    summary_lines,
)
from remission.report.design_study import DesignStudy, measure_text, rejected_of, share_text
from remission.report.document import LIMITS, inline_svg, read_asset
from remission.report.looks_charts import sequential_table
from remission.report.safety import ESTABLISHED, SAFETY_LINES

__all__ = ["DESIGN_LIMITS", "characteristics_table", "chart_parts", "render_design", "source_line"]

DESIGN_LIMITS = (
    "Power, bias and cost are those of trials in which the model is right; only assurance looks at wrong values.",
    "Simulated people follow rules. Sites, raters, seasons and mistakes of a real trial are not in them.",
)


def render_design(
    study: DesignStudy,
    charts: Mapping[str, Sequence[tuple[Chart, str]]],
    *,
    versions: Mapping[str, str],
    source_sha256: Mapping[str, str],
    files: Sequence[tuple[str, str]],
) -> str:
    """The page as text.

    Parameters
    ----------
    charts
        By section, each with its SVG; a section without any is left out of the page.
    versions, source_sha256
        Of the program, its libraries and its code.
    files
        Name of each file of the folder, and what is in it.
    """
    environment = Environment(loader=PackageLoader("remission.report"), autoescape=True, undefined=StrictUndefined)
    drawn = {name: [chart_parts(chart, svg) for chart, svg in found] for name, found in charts.items()}
    protocol = study.protocol
    parameters = load_parameter_set(DEFAULT_PARAMETER_SET)
    return environment.get_template("design.html.jinja").render(
        css=Markup(read_asset("report.css")),  # noqa: S704 - our own file
        mark=Markup(read_asset("mark.svg").strip()),  # noqa: S704 - our own file
        version=versions["remission"],
        title=protocol.title,
        finding=_finding(study),
        standing=standing_of(protocol.substance).lines,
        safety=(*SAFETY_LINES, ESTABLISHED[protocol.substance.value]),
        summary=summary_lines(study),
        estimand=estimand_rows(study),
        charts=drawn,
        characteristics=characteristics_table(study, is_primary=True),
        others=characteristics_table(study, is_primary=False),
        sequential=sequential_table(study),
        evidence=evidence_table(study),
        truth=_truth(study),
        cost=None if "cost" not in study.content else {"lines": cost_lines(study), "tables": cost_tables(study)},
        methods=method_paragraphs(study),
        limits=(*LIMITS, *DESIGN_LIMITS),
        cautions=protocol.cautions(),
        assumptions=protocol.assumptions,
        explanation=protocol.explain(),
        sources=[*citation_lines(study), *(source_line(key) for key in source_keys(study))],
        files=files,
        made=(
            ("Command", " ".join(study.words)),
            ("Seed", str(study.seed)),
            ("Trials", ", ".join(f"{row['n_replicates']} of {row['n_subjects']} people" for row in study.main_rows)),
            ("Monte Carlo error", ", ".join(f"{row['rejected']['mcse']:.2g}" for row in study.main_rows)),
            ("Protocol", f"{protocol.id}, sha256 {protocol.content_hash}"),
            ("Values", f"{DEFAULT_PARAMETER_SET}, sha256 {parameters.content_hash}"),
            ("Code", ", ".join(f"{name} sha256 {value}" for name, value in source_sha256.items())),
            ("Versions", ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))),
        ),
    )


def chart_parts(chart: Chart, svg: str) -> dict[str, Any]:
    """A chart as its macro of the template takes it."""
    return {
        "name": chart.name,
        "title": chart.title,
        "see": chart.see,
        "cannot": chart.cannot,
        "table": chart.table,
        "svg": Markup(inline_svg(chart, svg)),  # noqa: S704 - drawn here
    }


def characteristics_table(study: DesignStudy, *, is_primary: bool | None = None) -> Table:
    """Operating characteristics of every analysis at every size, or of the primary one or the others only."""
    rejected = "type I error" if study.is_null else "power"
    rows = [
        row
        for row in study.content["characteristics"]
        if is_primary is None or is_primary == (row["analysis"] == study.analysis.id)
    ]
    has_procedure = any(row["after_procedure"] is not None for row in rows)
    has_truth = any(row["bias"] is not None for row in rows)
    columns = ["analysis", "people", "trials", f"{rejected} (± error)", "estimate (± error)", "scale",
               "width of 95% interval", "failed"]  # fmt: skip
    cells = [
        [row["label"], str(row["n_subjects"]), str(row["n_replicates"]), share_text(row["rejected"]),
         measure_text(row["estimate"]), row["scale"], measure_text(row["width"]), str(row["n_failed"])]
        for row in rows
    ]  # fmt: skip
    if has_procedure:
        columns.insert(4, "after the procedure (± error)")
        for line, row in zip(cells, rows, strict=True):
            line.insert(4, share_text(row["after_procedure"]) or "not in it")
    if has_truth:
        columns += ["bias (± error)", "coverage (± error)"]
        cells = [
            [*line, measure_text(row["bias"]), share_text(row["coverage"])]
            for line, row in zip(cells, rows, strict=True)
        ]
    return Table(columns=columns, rows=cells)


def _finding(study: DesignStudy) -> str:
    """One sentence: what the largest or only design does."""
    row, name = study.main_rows[-1], "Type I error" if study.is_null else "Power"
    words = (
        f"{name} of {share_text(rejected_of(row))} with {row['n_subjects']} people, in {row['n_replicates']} trials."
    )
    smallest = study.content.get("smallest_n")
    if smallest is not None:
        words += f" {smallest} people are the smallest of the sizes tried that reach the power asked for."
    elif "smallest_n" in study.content:
        words += " None of the sizes tried reaches the power asked for."
    return words


def _truth(study: DesignStudy) -> str:
    if study.truth is None:
        return ""
    if study.is_null:
        return "Treatment and control are the same, so the true difference is none."
    return f"True value of the estimand, from the same people under every arm: {study.truth:.3g} {study.effect_unit}."


def source_line(key: str) -> str:
    """Citation with DOI or PMID, never the address of a copy, and what of it was read."""
    reference = load_reference(key)
    text = reference.text.replace("https://doi.org/", "doi:")
    words = " ".join(word for word in text.split() if "://" not in word)
    return f"{words} [{key}] {reference.note}".strip()
