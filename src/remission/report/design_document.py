"""What a design report says, laid out by its template: one self-contained page without scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

from remission.design.verdicts import TRUE_VALUE, verdicts
from remission.library.loader import load_parameter_set
from remission.library.references import load_reference
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.patient.standing import gives_ketamine, standing_of_protocol
from remission.protocol.explanation import explain_unfolded
from remission.provenance import source_hashes
from remission.report.chart import Chart, Table
from remission.report.cost_section import cost_lines, cost_tables
from remission.report.design_charts import effect_model_table, evidence_table
from remission.report.design_methods import (
    citation_lines,
    estimand_rows,
    method_paragraphs,
    source_keys,
    summary_lines,
)
from remission.report.design_study import ReportedDesign, TableStudy, rejected_of
from remission.report.document import trial_limits
from remission.report.inline import CHART_SCRIPTS, chart_parts
from remission.report.looks_charts import sequential_table
from remission.report.numbers import drawn_words, measure_text, share_text, smallest_words
from remission.report.page import fill_template
from remission.report.words import ESTABLISHED, SAFETY_LINES, WORDS


def render_design(
    study: ReportedDesign,
    charts: Mapping[str, Sequence[Chart]],
    *,
    versions: Mapping[str, str],
    files: Sequence[tuple[str, str]],
) -> str:
    """The page as text.

    ``charts``: by section, laid out anew; a section without any is left out of the page. ``files``: name of
    each file of the folder, and what is in it.
    """
    return fill_template(
        "design.html.jinja",
        "report.css",
        scripts=CHART_SCRIPTS,
        **common_parts(
            study,
            versions,
            more=(
                (
                    "Trials",
                    ", ".join(f"{row['n_replicates']} of {row['n_subjects']} people" for row in study.main_rows),
                ),
                ("Monte Carlo error", ", ".join(f"{row['rejected']['mcse']:.2g}" for row in study.main_rows)),
            ),
        ),
        finding=_finding(study),
        summary=summary_lines(study),
        estimand=estimand_rows(study),
        charts={name: [chart_parts(chart) for chart in found] for name, found in charts.items()},
        characteristics=characteristics_table(study, is_primary=True),
        others=characteristics_table(study, is_primary=False),
        sequential=sequential_table(study),
        evidence=evidence_table(study),
        effect_models=effect_model_table(study),
        effect_models_says=(study.content.get("assurance") or {}).get("says", []),
        truth=_truth(study),
        verdicts=verdict_lines(study),
        nulls=nulls_table(study),
        cost=None if "cost" not in study.content else {"lines": cost_lines(study), "tables": cost_tables(study)},
        methods=method_paragraphs(study),
        sources=[*citation_lines(study), *(source_line(key) for key in source_keys(study))],
        files=files,
    )


def common_parts(
    study: ReportedDesign | TableStudy,
    versions: Mapping[str, str],
    *,
    more: Sequence[tuple[str, str]] = (),
    changed: str = "",
) -> dict[str, Any]:
    """What every report of a design says; ``more`` of how it was made, and how values were ``changed``."""
    protocol = study.protocol
    values = f"{DEFAULT_PARAMETER_SET}, sha256 {load_parameter_set(DEFAULT_PARAMETER_SET).content_hash}{changed}"
    return {
        "version": versions["remission"],
        "title": protocol.title,
        "standing": standing_of_protocol(protocol).lines,
        "safety": (*SAFETY_LINES, ESTABLISHED[protocol.substance.value]),
        "limits": (*trial_limits(with_ketamine=gives_ketamine(protocol)), *WORDS["limits"]["design"]),
        "cautions": protocol.cautions(),
        "assumptions": protocol.assumptions,
        "explanation": explain_unfolded(protocol),
        "made": (
            ("Command", " ".join(study.words)),
            ("Seed", str(study.seed)),
            *more,
            ("Protocol", f"{protocol.id}, sha256 {protocol.content_hash}"),
            ("Values", values),
            ("Code", ", ".join(f"{name} sha256 {value}" for name, value in source_hashes().items())),
            ("Versions", ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))),
        ),
    }


def characteristics_table(study: ReportedDesign, *, is_primary: bool | None = None) -> Table:
    """Operating characteristics of every analysis at every size, or of the primary one or the others only."""
    rejected = "type I error" if study.is_null else "power"
    rows = [
        row
        for row in study.content["characteristics"]
        if is_primary is None or is_primary == (row["analysis"] == study.analysis.id)
    ]
    has_procedure = any(row["after_procedure"] is not None for row in rows)
    has_own = any(row["own_bias"] is not None for row in rows)
    columns = ["analysis", "people", "trials", f"{rejected} (± error)", "bias (± error)", "coverage (± error)",
               "estimate (± error)", "SD between trials", "scale", "width of 95% interval", "failed"]  # fmt: skip
    cells = [
        [row["label"], str(row["n_subjects"]), str(row["n_replicates"]), share_text(row["rejected"]),
         measure_text(row["bias"]) or "cannot be told", share_text(row["coverage"]) or "cannot be told",
         measure_text(row["estimate"]), "" if row["estimate_sd"] is None else f"{row['estimate_sd']:.3g}", row["scale"],
         measure_text(row["width"]), str(row["n_failed"])]
        for row in rows
    ]  # fmt: skip
    if has_procedure:
        columns.insert(4, "after the procedure (± error)")
        for line, row in zip(cells, rows, strict=True):
            line.insert(4, share_text(row["after_procedure"]) or "not in it")
    if has_own:
        columns.append("bias against the rule's own value (± error)")
        cells = [[*line, measure_text(row["own_bias"])] for line, row in zip(cells, rows, strict=True)]
    return Table(columns=columns, rows=cells)


def _finding(study: ReportedDesign) -> str:
    """One sentence: what the largest or only design does."""
    row, name = study.main_rows[-1], "Type I error" if study.is_null else "Power"
    drawn = study.content.get("over_posterior") or []
    at = f" at the mean of {drawn[-1]['posterior']}" if drawn else ""
    words = "".join(
        f"Assurance with {one['n_subjects']} people: {drawn_words(one, share_text)}. " for one in drawn[-1:]
    )
    share = share_text(rejected_of(row))
    words += f"{name}{at} of {share} with {row['n_subjects']} people, in {row['n_replicates']} trials."
    words += "".join(f" {one}" for one in _verdicts(row) if one.startswith("Part of this power"))
    search = study.content.get("search")
    smallest = study.content.get("smallest_n")
    if search is not None and smallest is not None and search["outcome"] == "found":
        words += f" {smallest_words(search, share_text)}"
    elif search is not None and smallest is not None:
        words += f" {smallest} people, the smallest of the range, have the power asked for already."
    elif search is not None:
        words += f" No size up to {search['high']} reaches the power asked for."
    elif smallest is not None:
        words += f" {smallest} people are the smallest of the sizes tried that reach the power asked for."
    elif "smallest_n" in study.content:
        words += " None of the sizes tried reaches the power asked for."
    return words


def _verdicts(row: Mapping[str, Any]) -> list[str]:
    looks = (row.get("sequential") or {}).get("looks") or ()
    return verdicts(row, power=row["rejected"]["value"], stops=len(looks) > 1)


def verdict_lines(study: ReportedDesign) -> list[str]:
    """What must be said of the powers on the page, with the size that it is said of."""
    return [f"{row['n_subjects']} people: {words}" for row in study.main_rows for words in _verdicts(row)]


def nulls_table(study: ReportedDesign) -> Table | None:
    """The share that rejects where the drug does nothing to use, by the name of the null; none under the null."""
    found = study.content.get("nulls")
    if not found:
        return None
    return Table(
        columns=("null", "people", "trials", "rejected (± error)", "bias (± error)", "coverage (± error)", "remark"),
        rows=[
            [
                one["name"],
                str(one["n_subjects"]),
                str(one["n_replicates"]),
                share_text(one["rejected"]),
                measure_text(one.get("bias")),
                share_text(one.get("coverage")),
                one["note"],
            ]
            for one in found
        ],
    )


def _truth(study: ReportedDesign) -> str:
    if study.truth is None:
        return ""
    if study.is_null:
        return "Treatment and control are the same, so the true difference is none."
    return f"True value, from {study.content['truth_from']}: {study.truth:.3g} {study.effect_unit}. {TRUE_VALUE}"


def source_line(key: str) -> str:
    """Citation with DOI or PMID, never the address of a copy, and what of it was read."""
    reference = load_reference(key)
    text = reference.text.replace("https://doi.org/", "doi:")
    words = " ".join(word for word in text.split() if "://" not in word)
    return f"{words} [{key}] {reference.note}".strip()
