"""``remission evidence``: what was published, how each number was read, and what may be pooled.

Citations are DOI, PMID or registry number; the address where a number was read is never printed.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.options import AsJson
from remission.cli.terminal import print_fields, print_json, print_table
from remission.errors import SpecError

if TYPE_CHECKING:
    from remission.evidence.contrasts import ContrastGroup
    from remission.evidence.registry import Conflict, EvidenceRegistry
    from remission.records.evidence import CareRecord, StudyArm, StudyOutcome, StudyRecord

__all__ = ["app"]

app = typer.Typer(
    help="Read published trials and established treatments. Each number says how it was read.", no_args_is_help=True
)

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
    as_json: AsJson = False,
) -> None:
    """List trials, reviews and natural history, nulls first; with --about, numbers on what stands beside them.

    Example: remission evidence list --substance alcohol --design randomized
    """
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
        print_json({"records": [public_record(record) for record in records], "count": len(records)})
    elif topic is not None:
        _list_care(found, topic)
    else:
        _list_studies(found)


@app.command("show")
def show_evidence(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a record, see remission evidence list.")],
    as_json: AsJson = False,
) -> None:
    """Show a record: arms, outcomes with how each was read, risk of bias, conflicts, citation.

    Example: remission evidence show grabski_2022_kare
    """
    from remission.evidence.registry import load_evidence, public_record
    from remission.evidence.verdicts import direction_of, result_of
    from remission.records.evidence import StudyRecord

    registry = load_evidence()
    record = registry[record_id]
    conflicts = registry.conflicts(record_id)
    if as_json:
        found = {}
        if isinstance(record, StudyRecord):
            found = {"found": result_of(record), "direction": direction_of(record)}
        print_json({"record": public_record(record), **found, "conflicts": [_conflict_data(one) for one in conflicts]})
    elif isinstance(record, StudyRecord):
        _show_study(record, conflicts)
    else:
        _show_care(record, conflicts)


@app.command("forest")
def forest_evidence(
    substance: Annotated[str | None, typer.Option(help="For example alcohol.")] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            help="One of days-abstinent, abstinence, relapse, relapse-avoided, amount, craving, withdrawal, dropout, "
            "harm, remission, admission, mood, mood-response, masking."
        ),
    ] = None,
    therapy: Annotated[
        str | None,
        typer.Option(help="A kind of therapy instead, for example cbt or contingency-management: what was read of it."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the plot to this .svg or .png file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the numbers on one endpoint side by side; pooled only where three comparable contrasts exist.

    Example: remission evidence forest --substance alcohol --endpoint days-abstinent --out forest.svg
    """
    from remission.evidence.contrasts import group_contrasts
    from remission.evidence.registry import load_evidence
    from remission.report.evidence_text import pooled_text
    from remission.report.forest import FOREST_COLUMNS, forest_chart, save_forest

    registry = load_evidence()
    if therapy is not None:
        if substance is not None or endpoint is not None:
            raise SpecError(where="--therapy", got="--substance or --endpoint with it", allowed="one or the other")
        _forest_of_therapy(registry, therapy, out, as_json=as_json)
        return
    if substance is None or endpoint is None:
        missing = "--substance" if substance is None else "--endpoint"
        raise SpecError(
            where=missing, got="nothing", allowed="--substance with --endpoint, or --therapy",
            remedy=f"Add {missing}, for example --substance alcohol --endpoint days-abstinent.",
        )  # fmt: skip
    chart = forest_chart(registry, substance=substance, endpoint=endpoint)
    groups = group_contrasts(registry, substance=substance, endpoint=endpoint)
    if out is not None:
        save_forest(chart, out)
    if as_json:
        rows = [dict(zip(FOREST_COLUMNS, row, strict=True)) for row in chart.table.rows]
        pooling = [_group_data(group, pooled_text(group)) for group in groups]
        print_json({"title": chart.title, "rows": rows, "pooling": pooling, "file": out})
        return
    cells = [
        (
            _mark(kind), f"{study}\n{arm}", f"{outcome}\nday {day}, n {n}", statistic,
            f"{value}{_kind_word(kind)}{direction and chr(10) + direction}",
        )
        for study, arm, outcome, day, n, statistic, value, kind, _, direction in chart.table.rows
    ]  # fmt: skip
    head = ("", "study, arm or contrast", "endpoint, day, n", "statistic", "value (interval), direction")
    print_table(head, cells, title=chart.title)
    typer.echo(f"{chart.see}\n{chart.cannot.split('.')[0]}.")
    for group in groups:
        typer.echo(f"{group.comparison}; {group.measure}; {group.time_band}: {pooled_text(group)}")
    for study_id in sorted({row[0] for row in chart.table.rows}):
        if registry.conflicts(study_id):
            typer.echo(f"Sources on {study_id} disagree: remission evidence show {study_id}")
    if out is not None:
        typer.echo(f"Wrote {out}")


def _forest_of_therapy(registry: "EvidenceRegistry", kind: str, out: Path | None, *, as_json: bool) -> None:
    """What was read of a kind of therapy, with what the program does with each number."""
    from remission.report.forest import save_forest
    from remission.report.therapy_forest import THERAPY_COLUMNS, therapy_forest

    chart = therapy_forest(registry, kind=kind)
    if out is not None:
        save_forest(chart, out)
    if as_json:
        rows = [dict(zip(THERAPY_COLUMNS, row, strict=True)) for row in chart.table.rows]
        print_json({"title": chart.title, "rows": rows, "file": out})
        return
    cells = [
        (
            _mark(read), f"{record}\n{contrast}", f"{outcome}\nday {day}, n {n}",
            f"{statistic}\n{value}{_kind_word(read)}", f"{finds}\n{used}".strip(),
        )
        for record, _, contrast, outcome, day, n, statistic, value, read, finds, used in chart.table.rows
    ]  # fmt: skip
    print_table(("", "record, contrast", "endpoint, day, n", "statistic, value", "finds, used here"), cells,
                title=chart.title)  # fmt: skip
    typer.echo(f"{chart.see}\n{chart.cannot}")
    if out is not None:
        typer.echo(f"Wrote {out}")


def _list_studies(found: "EvidenceRegistry") -> None:
    from remission.evidence.classes import design_of
    from remission.evidence.registry import TOPICS
    from remission.evidence.verdicts import by_result, found_text

    rows = [
        (one.id, one.substance, design_of(one.id), found_text(one), _count_text(one))
        for one in by_result(found.studies)
    ]
    head = ("id", "substance", "design", "found", "numbers, of them first-hand")
    print_table(head, rows, title=f"{len(rows)} trials, reviews and natural-history sources")
    for topic, words in TOPICS.items():
        if n := len(found.about(topic)):
            typer.echo(f"{n} {words} fit too: add --about {topic}.")


def _list_care(found: "EvidenceRegistry", topic: str) -> None:
    from remission.evidence.registry import TOPICS
    from remission.report.evidence_text import care_value_text, contrast_text

    rows = [
        (one.id, contrast_text(one), one.endpoint, f"{care_value_text(one)}{_kind_word(one.source_kind)}")
        for one in found.about(topic)
    ]
    head = ("id", "treatment v comparator", "endpoint", "value (interval), unit")
    print_table(head, rows, title=f"{len(rows)} {TOPICS[topic]}")


def _show_study(study: "StudyRecord", conflicts: tuple["Conflict", ...]) -> None:
    from remission.evidence.verdicts import found_text
    from remission.report.evidence_text import facts_of
    from remission.report.evidence_words import cautions, cited, readable

    shown = readable(study)
    facts = (("Citation", cited(study)), ("Found", found_text(study)), *facts_of(shown))
    print_fields(*facts, *(("Mind", text) for text in cautions(study)), title=study.id)
    if study.arms:
        head = ("arm, n", "drug, dose, doses", "therapy", "control")
        print_table(head, [_arm_row(arm) for arm in shown.arms], title="Arms")
    head = ("", "arm or contrast, endpoint", "value (interval), statistic, n", "note")
    print_table(head, [_outcome_row(item, study.id) for item in shown.outcomes], title="Outcomes")
    typer.echo(_LEGEND)
    _print_conflicts(conflicts)


def _show_care(record: "CareRecord", conflicts: tuple["Conflict", ...]) -> None:
    from remission.report.evidence_text import facts_of
    from remission.report.evidence_words import cautions, cited, readable

    mind = (("Mind", text) for text in cautions(record))
    print_fields(("Citation", cited(record)), *facts_of(readable(record)), *mind, title=record.id)
    _print_conflicts(conflicts)


def _print_conflicts(conflicts: tuple["Conflict", ...]) -> None:
    for conflict in conflicts:
        typer.echo(f"\nConflict: {conflict.quantity}. {conflict.says}")
        for one in conflict.statements:
            mark, what, value, _ = (cell.replace("\n", ", ") for cell in _outcome_row(one.outcome, one.study.id))
            typer.echo(f"  {mark} {one.study.id}: {what}: {value}")


def _count_text(study: "StudyRecord") -> str:
    numbers = [item for item in study.outcomes if item.value is not None]
    return f"{len(numbers)}, {sum(item.is_first_hand for item in numbers)}"


def _arm_row(arm: "StudyArm") -> tuple[str, ...]:
    from remission.report.evidence_text import arm_texts

    name, people, drug, doses, therapy, control = arm_texts(arm)
    dose = "\n".join(part for part in (drug, doses) if part)
    return (f"{name}\nn {people}" if people else name, dose, therapy, control)


def _outcome_row(item: "StudyOutcome", record_id: str) -> tuple[str, ...]:
    from remission.report.evidence_text import outcome_value_text, people_text

    day = "" if item.time_days is None else f", day {item.time_days:g}"
    people = people_text(item, record_id)
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
    return {
        "comparison": group.comparison,
        "measure": group.measure,
        "time_band": group.time_band,
        "scale": group.scale,
        "used": [one.study.id for one in group.used],
        "excluded": [{"study": one.study.id, "reason": reason} for one, reason in group.excluded],
        "pooled": group.pooled,
        "text": text,
    }


def _mark(source_kind: str) -> str:
    return _MARKS[source_kind == "abstract or registry"]


def _kind_word(source_kind: str) -> str:
    return "" if source_kind == "abstract or registry" else f" [{source_kind}]"
