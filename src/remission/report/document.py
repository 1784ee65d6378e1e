"""What the report says: every sentence and number that the page template lays out."""

import re
from collections import Counter
from dataclasses import asdict
from functools import cache
from typing import Any

from remission.library.loader import load_parameter_set
from remission.library.published import trial_citation
from remission.library.references import sources_of
from remission.numerics.digits import with_interval
from remission.patient.backgrounds import course_parameters_of, values_of_people
from remission.patient.pharmacology import pharmacology_of
from remission.patient.standing import (
    gives_ketamine,
    is_tuned,
    standing_of_protocol,
    substances_without_trial,
    tuned_sentence,
)
from remission.protocol.explanation import explain_unfolded
from remission.protocol.record import Protocol
from remission.report.day_field import draw_days, field_of_trial
from remission.report.inline import CHART_SCRIPTS
from remission.report.numbers import error_text, interval_text, mean_text, split_text, verdict_text
from remission.report.page import fill_template
from remission.report.words import ESTABLISHED, SAFETY_LINES, WORDS, read_as
from remission.trial.result import TrialResult
from remission.trial.summary import SummaryRow, TrialSummary

_SECTIONS = (
    ("people", "The people, day by day"),
    ("results", "Published beside simulated"),
    ("pictures", "From the dose to the day"),
    ("limits", "What this cannot tell"),
    ("protocol", "What was simulated"),
    ("values", "Where the numbers come from"),
    ("made", "How this was made"),
)


@cache
def trial_limits(*, with_ketamine: bool = True) -> tuple[str, ...]:
    """What no simulated trial can tell; read when it is asked for, since it looks into every protocol.

    ``with_ketamine``: what it does, and what that was learnt from, is part of the result.
    """
    untried = " and ".join(", ".join(substances_without_trial()).rsplit(", ", 1))
    lines = tuple(line.format(substances=untried) for line in WORDS["limits"]["trial"])
    return (tuned_sentence(), *lines) if with_ketamine else tuple(line for line in lines if "ketamine" not in line)


def report_content(
    result: TrialResult, summary: TrialSummary, *, command: str, versions: dict[str, str]
) -> dict[str, Any]:
    """Everything a report says in words and numbers, as plain data; a page shows the same."""
    protocol = result.protocol
    behavior = load_parameter_set(result.parameter_set)
    counts = Counter(parameter.grade.value for parameter in behavior.parameters)
    return {
        "title": protocol.title,
        "protocol_id": protocol.id,
        "n_subjects": protocol.population.n_subjects,
        "follow_up_days": protocol.follow_up_days,
        "finding": _finding(protocol, summary),
        "standing": standing_of_protocol(protocol, result.parameter_set).lines,
        "safety": (*SAFETY_LINES, ESTABLISHED[protocol.substance.value]),
        "rows": tuple(_row(row, protocol, result.parameter_set) for row in summary.rows),
        "any_published": any(row.published is not None or row.verdict is not None for row in summary.rows),
        "limits": trial_limits(with_ketamine=gives_ketamine(protocol)),
        "cautions": (*_replaced(result), *protocol.cautions()),
        "assumptions": tuple(protocol.assumptions),
        "explanation": explain_unfolded(protocol),
        "parameter_set": result.parameter_set,
        "grades": ", ".join(f"{count} {grade}" for grade, count in counts.most_common()),
        "changed": _changed(result),
        "sources": tuple(_sources(result)),
        "command": command,
        "seed": result.seed,
        "n_replicates": result.n_replicates,
        "protocol_hash": protocol.content_hash,
        "parameter_hash": result.parameter_set_hash,
        "versions": versions,
    }


def render_report(
    result: TrialResult,
    summary: TrialSummary,
    charts: list[dict[str, Any]],
    *,
    command: str,
    versions: dict[str, str],
) -> str:
    """The page as text: one self-contained HTML document; ``charts``: as ``inline.chart_parts`` gives them."""
    content = report_content(result, summary, command=command, versions=versions)
    return fill_template(
        "report.html.jinja",
        "report.css",
        "field.css",
        scripts=(*CHART_SCRIPTS, "field.js"),
        people=draw_days(field_of_trial(result), name="people"),
        sections=_SECTIONS,
        charts=charts,
        page=content,
        **content,
    )


def _finding(protocol: Protocol, summary: TrialSummary) -> str:
    """One sentence: the first result, published and simulated."""
    row = summary.rows[0]
    who = "" if row.arm is None else f" ({protocol.arm(row.arm).label.lower()})"
    unit = "" if row.unit == "ratio" else f" {row.unit}"
    if row.simulated_low == row.simulated_high:
        # A range of no width would read as a sure number.
        same = "in every simulated trial: the model lets nothing differ here and estimates nothing"
        return f"{row.label}{who}: {mean_text(row)} {same}."
    simulated = f"{mean_text(row)} simulated, 95% of {_replicates(row)} {interval_text(row)}"
    if row.verdict is not None:
        shares = verdict_text(row.share_better or 0.0, row.share_worse or 0.0)
        return f"{row.label}: {row.verdict.says} published, {simulated}{unit}; {shares}."
    if row.published is None:
        return f"{row.label}{who}: {simulated}{unit}."
    published = row.published
    shown = with_interval(published.value, published.ci_low, published.ci_high)
    return f"{row.label}: {shown} published, {simulated}{unit}."


def _replicates(row: SummaryRow) -> str:
    """What the replicates are."""
    return "replicates" if row.sampling is None else "new trials"


def _row(row: SummaryRow, protocol: Protocol, parameter_set: str) -> dict[str, Any]:
    published = row.published
    text = kind = mark = ""
    if published is not None:
        text, kind = with_interval(published.value, published.ci_low, published.ci_high), read_as(published.source_kind)
        if is_tuned(record=published.trial_id, endpoint=published.endpoint, parameter_set=parameter_set):
            kind += ", tuned on"
        mark = "\u25c6" if published.source_kind == "abstract or registry" else "\u25c7"
    if row.verdict is not None:
        text, kind = row.verdict.says, read_as(row.verdict.source_kind)
        mark = "\u25c6" if row.verdict.source_kind == "abstract or registry" else "\u25c7"
    inside = {True: "yes", False: "no", None: ""}[row.inside_interval]
    if published is not None and published.ci_low is None:
        inside = "no interval published"
    if row.verdict is not None:
        inside = verdict_text(row.share_better or 0.0, row.share_worse or 0.0)
    return {
        "label": row.label,
        "statistic": row.statistic,
        "unit": row.unit,
        "arm": "" if row.arm is None else protocol.arm(row.arm).label,
        "published": text,
        "kind": kind,
        "mark": mark,
        "mean": mean_text(row),
        "interval": interval_text(row),
        "split": split_text(row),
        "error": error_text(row),
        "inside": inside,
        "n_failed": row.n_failed,
    }


def _changed(result: TrialResult) -> str:
    """Values of this run that are not the set's."""
    library = asdict(course_parameters_of(result.protocol, parameter_set=result.parameter_set))
    used = asdict(result.parameters)
    return ", ".join(
        f"{name} = {used[name]:g} (library {library[name]:g})" for name in used if used[name] != library[name]
    )


def _sources(result: TrialResult) -> list[str]:
    """Citations with DOI, PMID or registry number, never an address of a copy."""
    found = []
    if result.protocol.evidence is not None:
        found.append(str(trial_citation(result.protocol.evidence)))
    behavior = load_parameter_set(result.parameter_set)
    used = values_of_people(result.protocol, behavior)
    for reference in sources_of(behavior.replace(parameters=used), *pharmacology_of(result.protocol).parameter_sets):
        text = re.sub(r"https://doi\.org/", "doi:", reference.text)
        identified = f"{text} {reference.note}".strip() if "doi:" not in text else text
        if reference.key != "remission" and not any(reference.doi and reference.doi in line for line in found):
            found.append(re.sub(r"https?://\S+", "", identified).strip())
    return found


def _replaced(result: TrialResult) -> list[str]:
    """Links of the chain that are not ours, each with the first digits of its hash."""
    if not result.links:
        return []
    names = ", ".join(f"{name} ({digest[:12]})" for name, digest in result.links.items())
    return [f"Not the default model: whoever ran this replaced {names} by an equation of their own."]
