"""``remission evidence``: what was published, how each number was read, and what may be pooled.

Citations are DOI, PMID or registry number; the address where a number was read is never printed.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.plain import unguarded

if TYPE_CHECKING:
    from remission.evidence.contrasts import ContrastGroup
    from remission.evidence.records import CareRecord, StudyArm, StudyOutcome, StudyRecord
    from remission.evidence.registry import Conflict, EvidenceRegistry

__all__ = ["app"]

app = typer.Typer(
    help="Read published trials and established treatments. Each number says how it was read.", no_args_is_help=True
)

_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_MARKS = {True: "\u25c6", False: "\u25c7"}
_LEGEND = "\u25c6 read in an abstract or registry. \u25c7 read elsewhere or derived, as the word says."


@app.command("list")
def list_evidence(
    substance: Annotated[
        str | None, typer.Option(help="For example alcohol, opioid, cocaine, nicotine, mixed.")
    ] = None,
    role: Annotated[str | None, typer.Option(help="What the project uses it for, for example comparator.")] = None,
    design: Annotated[str | None, typer.Option(help="For example randomized, uncontrolled, review.")] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="How a number was read: abstract or registry, secondary, press, derived, guideline."),
    ] = None,
    with_interval: Annotated[bool, typer.Option("--with-interval", help="Only with a number that has one.")] = False,
    care: Annotated[bool, typer.Option("--care", help="Numbers on established treatments instead of trials.")] = False,
    about: Annotated[
        str | None,
        typer.Option(help="Numbers beside the trials: care, way-of-life, blinding, comorbidity or amounts."),
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """List trials, reviews and natural history, nulls first; with --about, numbers on what stands beside them.

    Example: remission evidence list --substance alcohol --design randomized
    """
    from remission.errors import SpecError
    from remission.evidence.registry import load_evidence, public_record
    from remission.evidence.verdicts import by_result

    if care and about not in {None, "care"}:
        raise SpecError(where="--about", got=f"{about} with --care", allowed="one of the two")
    topic = "care" if care else about
    found = load_evidence().filter(
        substance=substance, role=role, design=design, source_kind=kind, has_interval=True if with_interval else None
    )
    records: tuple[Any, ...] = by_result(found.studies) if topic is None else found.about(topic)
    if as_json:
        _print_json({"records": [public_record(record) for record in records], "count": len(records)})
    elif topic is not None:
        _list_care(found, topic)
    else:
        _list_studies(found)


@app.command("show")
def show_evidence(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a record, see remission evidence list.")],
    as_json: _AsJson = False,
) -> None:
    """Show a record: arms, outcomes with how each was read, risk of bias, conflicts, citation.

    Example: remission evidence show grabski_2022_kare
    """
    from remission.evidence.records import StudyRecord
    from remission.evidence.registry import load_evidence, public_record
    from remission.evidence.verdicts import direction_of, result_of

    registry = load_evidence()
    record = registry[record_id]
    conflicts = registry.conflicts(record_id)
    if as_json:
        found = (
            {"found": result_of(record), "direction": direction_of(record)} if isinstance(record, StudyRecord) else {}
        )
        _print_json({"record": public_record(record), **found, "conflicts": [_conflict_data(one) for one in conflicts]})
    elif isinstance(record, StudyRecord):
        _show_study(record, conflicts)
    else:
        _show_care(record, conflicts)


@app.command("forest")
def forest_evidence(
    substance: Annotated[str, typer.Option(help="For example alcohol.")],
    endpoint: Annotated[
        str,
        typer.Option(
            help="One of days-abstinent, abstinence, relapse, relapse-avoided, amount, craving, withdrawal, dropout, "
            "harm, remission, admission, mood, mood-response, masking."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Write the plot to this .svg or .png file.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Show the numbers on one endpoint side by side; pooled only where three comparable contrasts exist.

    Example: remission evidence forest --substance alcohol --endpoint days-abstinent --out forest.svg
    """
    from remission.evidence.contrasts import group_contrasts
    from remission.evidence.registry import load_evidence
    from remission.report.evidence_text import pooled_text
    from remission.report.forest import FOREST_COLUMNS, forest_chart, save_forest

    registry = load_evidence()
    chart = forest_chart(registry, substance=substance, endpoint=endpoint)
    groups = group_contrasts(registry, substance=substance, endpoint=endpoint)
    if out is not None:
        save_forest(chart, out)
    if as_json:
        rows = [dict(zip(FOREST_COLUMNS, row, strict=True)) for row in chart.table.rows]
        pooling = [_group_data(group, pooled_text(group)) for group in groups]
        _print_json({"title": chart.title, "rows": rows, "pooling": pooling, "file": None if out is None else str(out)})
        return
    _print_table(
        ("", "study, arm or contrast", "endpoint, day, n", "statistic", "value (interval), direction"),
        [
            (
                _mark(row[7]),
                f"{row[0]}\n{row[1]}",
                f"{row[2]}\nday {row[3]}, n {row[4]}",
                row[5],
                f"{row[6]}{_kind_word(row[7])}{row[9] and chr(10) + row[9]}",
            )
            for row in chart.table.rows
        ],
        title=chart.title,
    )
    typer.echo(f"{chart.see}\n{chart.cannot.split('.')[0]}.")
    for group in groups:
        typer.echo(f"{group.comparison}; {group.measure}; {group.time_band}: {pooled_text(group)}")
    for study_id in sorted({row[0] for row in chart.table.rows}):
        if registry.conflicts(study_id):
            typer.echo(f"Sources on {study_id} disagree: remission evidence show {study_id}")
    if out is not None:
        typer.echo(f"Wrote {out}")


def _list_studies(found: "EvidenceRegistry") -> None:
    from remission.evidence.classes import design_of
    from remission.evidence.registry import TOPICS
    from remission.evidence.verdicts import by_result, found_text

    _print_table(
        ("id", "substance", "design", "found", "numbers, of them first-hand"),
        [
            (
                study.id,
                study.substance,
                design_of(study.id),
                found_text(study),
                _count_text(study),
            )
            for study in by_result(found.studies)
        ],
        title=f"{len(found.studies)} trials, reviews and natural-history sources",
    )
    for topic, words in TOPICS.items():
        if rows := found.about(topic):
            typer.echo(f"{len(rows)} {words} fit too: add --about {topic}.")


def _list_care(found: "EvidenceRegistry", topic: str) -> None:
    from remission.evidence.registry import TOPICS
    from remission.report.evidence_text import care_value_text, contrast_text

    _print_table(
        ("id", "treatment v comparator", "endpoint", "value (interval), unit"),
        [
            (
                record.id,
                contrast_text(record),
                record.endpoint,
                f"{care_value_text(record)}{_kind_word(record.source_kind)}",
            )
            for record in found.about(topic)
        ],
        title=f"{len(found.about(topic))} {TOPICS[topic]}",
    )


def _show_study(study: "StudyRecord", conflicts: tuple["Conflict", ...]) -> None:
    from remission.evidence.registry import citation_of
    from remission.evidence.verdicts import found_text
    from remission.report.evidence_text import facts_of

    facts = (("Citation", citation_of(study)), ("Found", found_text(study)), *facts_of(study))
    _print_fields(*facts, title=study.id)
    if study.arms:
        _print_table(
            ("arm, n", "drug, dose, doses", "therapy", "control"),
            [_arm_row(arm) for arm in study.arms],
            title="Arms",
        )
    _print_table(
        ("", "arm or contrast, endpoint", "value (interval), statistic, n", "note"),
        [_outcome_row(item) for item in study.outcomes],
        title="Outcomes",
    )
    typer.echo(_LEGEND)
    _print_conflicts(conflicts)


def _show_care(record: "CareRecord", conflicts: tuple["Conflict", ...]) -> None:
    from remission.evidence.registry import citation_of
    from remission.report.evidence_text import facts_of

    _print_fields(("Citation", citation_of(record)), *facts_of(record), title=record.id)
    _print_conflicts(conflicts)


def _print_conflicts(conflicts: tuple["Conflict", ...]) -> None:
    for conflict in conflicts:
        typer.echo(f"\nConflict: {conflict.quantity}. {conflict.says}")
        for one in conflict.statements:
            mark, what, value, _ = (cell.replace("\n", ", ") for cell in _outcome_row(one.outcome))
            typer.echo(f"  {mark} {one.study.id}: {what}: {value}")


def _count_text(study: "StudyRecord") -> str:
    numbers = [item for item in study.outcomes if item.value is not None]
    return f"{len(numbers)}, {sum(item.is_first_hand for item in numbers)}"


def _arm_row(arm: "StudyArm") -> tuple[str, ...]:
    from remission.report.evidence_text import arm_texts

    name, people, drug, doses, therapy, control = arm_texts(arm)
    dose = "\n".join(part for part in (drug, doses) if part)
    return (f"{name}\nn {people}" if people else name, dose, therapy, control)


def _outcome_row(item: "StudyOutcome") -> tuple[str, ...]:
    from remission.report.evidence_text import outcome_value_text, people_text

    day = "" if item.time_days is None else f", day {item.time_days:g}"
    people = people_text(item)
    return (
        _mark(item.source_kind),
        f"{item.arm_or_contrast}\n{item.endpoint}{day}",
        f"{outcome_value_text(item)}{_kind_word(item.source_kind)}\n{item.statistic}{people and f', n {people}'}",
        item.remarks,
    )


def _conflict_data(conflict: "Conflict") -> dict[str, Any]:
    statements = []
    for one in conflict.statements:
        data = one.outcome.to_dict()
        data.pop("source_url")
        statements.append({"study": one.study.id, **data})
    return {"quantity": conflict.quantity, "says": conflict.says, "statements": statements}


def _group_data(group: "ContrastGroup", text: str) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "comparison": group.comparison,
        "measure": group.measure,
        "time_band": group.time_band,
        "scale": group.scale,
        "used": [one.study.id for one in group.used],
        "excluded": [{"study": one.study.id, "reason": reason} for one, reason in group.excluded],
        "pooled": None if group.pooled is None else asdict(group.pooled),
        "text": text,
    }


def _mark(source_kind: str) -> str:
    return _MARKS[source_kind == "abstract or registry"]


def _kind_word(source_kind: str) -> str:
    return "" if source_kind == "abstract or registry" else f" [{source_kind}]"


def _print_json(data: dict[str, Any]) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False))


def _print_fields(*fields: tuple[str, str], title: str) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, show_header=False, pad_edge=False, show_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in fields:
        if text:
            table.add_row(name, Text(text))
    console = Console(file=unguarded(sys.stdout))
    console.print(Text(title, style="bold"))
    console.print(table)


def _print_table(columns: tuple[str, ...], rows: list[tuple[str, ...]], *, title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in {"id", ""})
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(file=unguarded(sys.stdout))
    console.print()
    console.print(Text(title, style="bold"))
    console.print(table)
