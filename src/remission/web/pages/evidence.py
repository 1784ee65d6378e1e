"""The evidence: every trial and every number on established treatments, filtered, shown one by one, or side by side."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from remission.errors import SpecError, nearest_names
from remission.evidence.classes import design_of, endpoint_classes, role_of, substances_of
from remission.evidence.contrasts import group_contrasts, outcomes_of
from remission.evidence.matrix import COLUMNS, READINGS, Cell, evidence_matrix, row_names, row_of
from remission.evidence.registry import TOPICS, EvidenceRegistry, load_evidence, public_record
from remission.evidence.therapies import kinds_with_readings
from remission.evidence.verdicts import RESULTS, by_result, found_text, result_of, verdicts, verdicts_of
from remission.records.base import Record
from remission.records.evidence import CareRecord, StudyOutcome, StudyRecord
from remission.records.packaged import packaged_toml, verdict_words
from remission.records.substance import Substance
from remission.records.therapy_kinds import THERAPIES, therapy_worth
from remission.report import evidence_text as texts
from remission.report import evidence_words
from remission.web.figure import Figure, figure_of
from remission.web.page import PageRouter
from remission.web.pages.trials import simulated_records
from remission.web.problems import Fault, PageMissingError, fault_of

__all__ = ["router"]

router = PageRouter()
_TITLES = {
    "way-of-life": "Way of life",
    "blinding": "Blinding",
    "comorbidity": "Other conditions beside use",
    "amounts": "Amounts of use",
}


class Choices(Record):
    """What a filter takes, and what was chosen."""

    name: str
    label: str
    chosen: str
    options: tuple[str, ...]


class MatrixCell(Record):
    """A treatment in a substance: what its records say together, and how often each reading occurs."""

    substance: str
    says: str
    counts: tuple[tuple[int, str], ...]
    n: int


class MatrixLine(Record):
    """A treatment across the substances; a cell is null where nothing is on file."""

    id: str
    label: str
    cells: tuple[MatrixCell | None, ...]


class Speaks(Record):
    """How many first-hand comparisons speak for established treatments and for ketamine in one substance."""

    substance: str
    established: int
    ketamine: int
    ketamine_mixed: int
    ketamine_records: int
    ketamine_alone: int
    ketamine_none: int


class StudyRow(Record):
    """A trial, review or natural-history source in the table."""

    id: str
    title: str
    name: str
    substance: str
    design: str
    role: str
    found: str
    n_numbers: int
    n_first_hand: int
    risk_of_bias: str
    disagrees: bool
    citation: str


class CareRow(Record):
    """A number on an established treatment."""

    id: str
    substance: str
    treatment: str
    comparator: str
    endpoint: str
    value: str
    n: str
    source_kind: str
    note: str
    citation: str


class Topic(Record):
    """Numbers beside the trials on one topic."""

    id: str
    title: str
    n: int
    rows: tuple[CareRow, ...]


class ForestLink(Record):
    """A picture that can be drawn."""

    substance: str
    endpoint: str
    label: str
    n: int


class TherapyLink(Record):
    """A kind of therapy of which contrasts were read."""

    kind: str
    name: str


class Meaning(Record):
    """An abbreviation or term that a page shows, and what it means."""

    name: str
    means: str


class EvidencePage(Record):
    """What /evidence shows."""

    filters: tuple[Choices, ...]
    with_interval: bool
    treatment: str
    treatment_label: str
    columns: tuple[str, ...]
    matrix: tuple[MatrixLine, ...]
    speaks: Speaks
    studies: tuple[StudyRow, ...]
    care: tuple[CareRow, ...]
    beside: tuple[Topic, ...]
    n_studies: int
    n_care: int
    forests: tuple[ForestLink, ...]
    therapies: tuple[TherapyLink, ...]
    words: tuple[Meaning, ...]
    fault: Fault | None = None
    status: int = 200


class OutcomeRow(Record):
    """One number of a study, with how it was read."""

    where: str
    endpoint: str
    day: str
    value: str
    statistic: str
    n: str
    source_kind: str
    is_first_hand: bool
    remarks: str


class ConflictRow(Record):
    """A quantity on which sources disagree."""

    quantity: str
    says: str
    statements: tuple[str, ...]


class Disagreement(Record):
    """A record in a picture on which sources disagree, or which is easily misread."""

    id: str
    quantity: str
    says: str


class StudyPage(Record):
    """What /evidence/{id} shows. ``record`` is the whole record without addresses.

    ``cautions`` say what the record cannot tell; ``words`` explain the abbreviations on the page.
    """

    id: str
    title: str
    citation: str
    cautions: tuple[str, ...]
    words: tuple[Meaning, ...]
    facts: tuple[tuple[str, str], ...]
    arms: tuple[tuple[str, str, str, str, str, str], ...]
    outcomes: tuple[OutcomeRow, ...]
    conflicts: tuple[ConflictRow, ...]
    simulation: str
    forests: tuple[ForestLink, ...]
    record: dict[str, Any] = Field(description="The record as shown, without the addresses where it was read.")


class ForestSource(Record):
    """A work behind a picture, and the page of its simulation where there is one."""

    id: str
    title: str
    citation: str
    simulation: str


class ForestPage(Record):
    """What /evidence/forest shows."""

    sources: tuple[ForestSource, ...]

    figure: Figure
    cautions: tuple[str, ...]
    words: tuple[Meaning, ...]
    pooling: tuple[str, ...]
    disagreeing: tuple[Disagreement, ...]
    others: tuple[ForestLink, ...]
    substance: str
    endpoint: str


class WorthRow(Record):
    """What a kind of therapy is worth for a substance where a protocol does not say."""

    substance: str
    record: str
    worth: str
    left_out: str
    grade: str
    note: str


class TherapyPage(Record):
    """What /evidence/therapy/{kind} shows."""

    kind: str
    name: str
    figure: Figure
    sources: tuple[ForestSource, ...]
    worths: tuple[WorthRow, ...]
    words: tuple[Meaning, ...]
    others: tuple[TherapyLink, ...]


@router.page("/evidence", template="evidence.html.jinja")
def evidence(
    substance: Annotated[str, Query(max_length=80, description="For example alcohol.")] = "",
    design: Annotated[str, Query(max_length=80, description="For example randomized.")] = "",
    role: Annotated[str, Query(max_length=80, description="What the project uses it for.")] = "",
    kind: Annotated[str, Query(max_length=80, description="How a number was read.")] = "",
    interval: Annotated[bool, Query(description="Only with a number that has an interval.")] = False,
    treatment: Annotated[str, Query(max_length=80, description="A row of the matrix, for example medicines.")] = "",
) -> EvidencePage:
    """Published trials and numbers on established treatments."""
    registry = load_evidence()
    if treatment and treatment not in row_names():
        raise PageMissingError(what="treatment", got=treatment, known=tuple(row_names()))
    chosen = {"substance": substance, "design": design, "role": role, "kind": kind}
    fault = None
    try:
        found = registry.filter(
            substance=substance or None,
            role=role or None,
            design=design or None,
            source_kind=kind or None,
            has_interval=True if interval else None,
        )
    except SpecError as error:
        found, fault = registry, fault_of(error)
    if treatment:
        found = _of_treatment(found, treatment)
    studies = tuple(_study_row(registry, study) for study in by_result(found.studies))
    care = tuple(_care_row(record) for record in found.care)
    beside = tuple(
        Topic(
            id=topic,
            title=_TITLES[topic],
            n=len(registry.about(topic)),
            rows=tuple(_care_row(record) for record in found.about(topic)),
        )
        for topic in TOPICS
        if topic != "care"
    )
    rows: list[StudyRow | CareRow] = [*studies, *care, *(row for topic in beside for row in topic.rows)]
    return EvidencePage(
        treatment=treatment,
        treatment_label=row_names().get(treatment, ""),
        columns=COLUMNS,
        matrix=_matrix(),
        speaks=_speaks("alcohol"),
        filters=_choices(registry, chosen),
        with_interval=interval,
        studies=studies,
        care=care,
        beside=beside,
        n_studies=len(registry.studies),
        n_care=len(registry.care),
        forests=tuple(link for link in _forests() if not substance or fault or link.substance == substance),
        therapies=tuple(TherapyLink(kind=one, name=THERAPIES[one].name) for one in kinds_with_readings()),
        words=_words([text for row in rows for text in _seen(row)]),
        fault=fault,
        status=422 if fault else 200,
    )


@router.page("/evidence/forest", template="forest.html.jinja", weight="heavy")
def forest(
    substance: Annotated[str, Query(max_length=80, description="For example alcohol.")] = "alcohol",
    endpoint: Annotated[str, Query(max_length=80, description="For example days-abstinent.")] = "days-abstinent",
) -> ForestPage:
    """The numbers on one endpoint side by side; pooled only where three comparable contrasts exist."""
    registry = load_evidence()
    figure = _forest_figure(substance, endpoint)
    ids = sorted({row[0] for row in figure.table.rows})
    groups = group_contrasts(registry, substance=substance, endpoint=endpoint)
    pooling = tuple(
        f"{group.comparison}; {group.measure}; {group.time_band}: {texts.pooled_text(group)}" for group in groups
    )
    return ForestPage(
        figure=figure,
        sources=tuple(_source(registry, one, simulated_records().get(one, "")) for one in ids),
        cautions=_forest_cautions(endpoint, {group.comparison for group in groups}),
        words=_words([*_cells(figure), *pooling]),
        pooling=pooling,
        disagreeing=tuple(
            Disagreement(id=study_id, quantity=one.quantity, says=one.says)
            for study_id in ids
            for one in registry.conflicts(study_id)
        ),
        others=tuple(link for link in _forests() if link.substance == substance and link.endpoint != endpoint),
        substance=substance,
        endpoint=endpoint,
    )


@router.page("/evidence/therapy/{kind}", template="therapy.html.jinja", weight="heavy")
def therapy(kind: str) -> TherapyPage:
    """What was read of one kind of therapy, and what the program does with each number; nothing is pooled."""
    if kind not in kinds_with_readings():
        raise PageMissingError(what="kind of therapy", got=kind, known=kinds_with_readings())
    registry, figure = load_evidence(), _therapy_figure(kind)
    ids = sorted({row[0] for row in figure.table.rows})
    worths = tuple(_worth(kind, substance.value) for substance in Substance)
    return TherapyPage(
        kind=kind,
        name=THERAPIES[kind].name,
        figure=figure,
        sources=tuple(_source(registry, one, "") for one in ids),
        worths=worths,
        words=_words([*_cells(figure), *(one.note for one in worths)]),
        others=tuple(TherapyLink(kind=one, name=THERAPIES[one].name) for one in kinds_with_readings() if one != kind),
    )


def _cells(figure: Figure) -> list[str]:
    return [str(cell) for row in figure.table.rows for cell in row]


def _words(shown: Sequence[str]) -> tuple[Meaning, ...]:
    return tuple(Meaning(name=name, means=means) for name, means in evidence_words.words_in(shown))


def _seen(row: StudyRow | CareRow) -> tuple[str, ...]:
    if isinstance(row, StudyRow):
        return row.title, row.found, row.risk_of_bias
    return row.treatment, row.endpoint, row.value, row.note


def _forest_cautions(endpoint: str, comparisons: set[str]) -> tuple[str, ...]:
    """What a picture does not say, beside what holds for every one."""
    said = {"harm": evidence_words.ZERO, "remission": evidence_words.NO_FORECAST}
    found = [said[endpoint]] if endpoint in said else []
    if evidence_words.KETAMINE_AND_THERAPY in comparisons:
        found.append(evidence_words.TWO_AT_ONCE)
    return tuple(found)


def _source(registry: EvidenceRegistry, record_id: str, simulation: str) -> ForestSource:
    record = registry[record_id]
    shown = evidence_words.readable(record)
    title = texts.study_title(shown) if isinstance(shown, StudyRecord) else texts.contrast_text(shown)
    return ForestSource(id=record_id, title=title, citation=evidence_words.cited(record), simulation=simulation)


def _worth(kind: str, substance: str) -> WorthRow:
    worth, measures = therapy_worth(kind, substance=substance), packaged_toml("words", "protocol.toml")["measures"]
    return WorthRow(
        substance=substance,
        record=worth.record,
        worth=f"{measures[worth.contrast.measure].rstrip(':')}, {worth.contrast.contrast:g} ({worth.contrast.interval})"
        if worth.contrast is not None
        else f"{worth.quality:g} of a full skills session, as education",
        left_out="none of it" if worth.contrast is not None and worth.quality == 0.0 else "all of it",
        grade=worth.grade,
        note=evidence_words.plain(worth.note).replace("clean days", "days without use"),
    )


@cache
def _therapy_figure(kind: str) -> Figure:
    from remission.report.therapy_forest import therapy_forest

    return figure_of(therapy_forest(load_evidence(), kind=kind))


@router.page("/evidence/{study_id}", template="study.html.jinja")
def study(study_id: str) -> StudyPage:
    """One record: arms, outcomes with how each was read, risk of bias, conflicts, citation."""
    registry = load_evidence()
    try:
        record = registry[study_id]
    except SpecError:
        near = nearest_names(study_id, [one.id for one in registry])
        raise PageMissingError(what="evidence id", got=study_id, known=near) from None
    shown = evidence_words.readable(record)
    title = texts.study_title(shown) if isinstance(shown, StudyRecord) else texts.number_title(shown)
    return StudyPage(
        id=record.id,
        title=title,
        citation=evidence_words.cited(record),
        cautions=evidence_words.cautions(record),
        words=_words([title, *evidence_words.texts_of(shown)]),
        facts=(*((("Found", _found(record)),) if isinstance(record, StudyRecord) else ()), *texts.facts_of(shown)),
        arms=tuple(texts.arm_texts(arm) for arm in shown.arms) if isinstance(shown, StudyRecord) else (),
        outcomes=(
            tuple(_outcome_row(record.id, *pair) for pair in zip(record.outcomes, shown.outcomes, strict=True))
            if isinstance(record, StudyRecord) and isinstance(shown, StudyRecord)
            else ()
        ),
        conflicts=tuple(
            ConflictRow(
                quantity=one.quantity,
                says=one.says,
                statements=tuple(
                    f"{item.study.id}: {item.outcome.arm_or_contrast}, {item.outcome.endpoint}: "
                    f"{_said(item.outcome)} ({item.outcome.source_kind})"
                    for item in one.statements
                ),
            )
            for one in registry.conflicts(record.id)
        ),
        simulation=simulated_records().get(record.id, ""),
        forests=_forests_of(record.id),
        record=public_record(record),
    )


def _of_treatment(registry: EvidenceRegistry, treatment: str) -> EvidenceRegistry:
    """The records of one row of the matrix."""
    return EvidenceRegistry(
        studies=tuple(one for one in registry.studies if row_of(one) == treatment),
        care=tuple(one for one in registry.care if row_of(one) == treatment),
        beside={"way-of-life": tuple(one for one in registry.about("way-of-life") if row_of(one) == treatment)},
    )


@cache
def _matrix() -> tuple[MatrixLine, ...]:
    return tuple(
        MatrixLine(id=row.id, label=row.label, cells=tuple(_matrix_cell(one) if one else None for one in row.cells))
        for row in evidence_matrix(load_evidence())
    )


def _matrix_cell(cell: Cell) -> MatrixCell:
    counts = tuple((count, READINGS[name]) for name, count in cell.counts.items())
    return MatrixCell(substance=cell.substance, says=cell.says, counts=counts, n=len(cell.records))


@cache
def _speaks(substance: str) -> Speaks:
    cells = {
        row.id: cell
        for row in evidence_matrix(load_evidence())
        for cell in row.cells
        if cell and cell.substance == substance
    }
    ketamine = cells.pop("ketamine").counts
    return Speaks(
        substance=substance,
        established=sum(one.counts.get("favors", 0) for one in cells.values()),
        ketamine=ketamine.get("favors", 0) + ketamine.get("mixed", 0),
        ketamine_mixed=ketamine.get("mixed", 0),
        ketamine_records=sum(ketamine.values()),
        ketamine_alone=ketamine.get("alone", 0),
        ketamine_none=ketamine.get("none", 0),
    )


def _choices(registry: EvidenceRegistry, chosen: dict[str, str]) -> tuple[Choices, ...]:
    kinds: set[str] = {item.source_kind for study in registry.studies for item in study.outcomes}
    kinds |= {record.source_kind for topic in TOPICS for record in registry.about(topic)}
    options: dict[str, tuple[str, Sequence[str]]] = {
        "substance": ("Substance", registry.substances()),
        "design": ("Design", sorted({design_of(study.id) for study in registry.studies})),
        "role": ("Used here for", sorted({role_of(study.role) for study in registry.studies})),
        "kind": ("Number read in", sorted(kinds)),
    }
    return tuple(
        Choices(name=name, label=label, chosen=chosen[name], options=tuple(values))
        for name, (label, values) in options.items()
    )


def _study_row(registry: EvidenceRegistry, study: StudyRecord) -> StudyRow:
    numbers, shown = [item for item in study.outcomes if item.value is not None], evidence_words.readable(study)
    return StudyRow(
        id=study.id,
        title=texts.study_title(shown),
        name=texts.study_name(study),
        substance=study.substance,
        design=design_of(study.id),
        role=role_of(study.role),
        found=_found(study),
        n_numbers=len(numbers),
        n_first_hand=sum(item.is_first_hand for item in numbers),
        risk_of_bias=shown.risk_of_bias or "not assessed",
        disagrees=bool(registry.conflicts(study.id)),
        citation=evidence_words.cited(study),
    )


def _found(study: StudyRecord) -> str:
    """What a record found, with the words of a result that has no number."""
    found = found_text(study).replace("[", "(read in: ").replace("]", ")")
    own = [one for one in verdicts(EvidenceRegistry(studies=(study,), care=())) if one.endpoints]
    says = "; ".join(dict.fromkeys(one.says for one in own))
    return f"{found}: {says}" if result_of(study) == RESULTS[3] else found


def _said(item: StudyOutcome) -> str:
    return "in words, no number" if item.value is None else f"{texts.value_text(item)} {item.statistic}"


def _care_row(written: CareRecord) -> CareRow:
    record = evidence_words.readable(written)
    return CareRow(
        id=record.id,
        substance=record.substance,
        treatment=texts.contrast_text(record),
        comparator=record.comparator or "nothing named",
        endpoint=record.endpoint,
        value=texts.care_value_text(record),
        n=texts.counted_text(record),
        note=record.note or "",
        source_kind=record.source_kind,
        citation=evidence_words.cited(written),
    )


def _outcome_row(record_id: str, written: StudyOutcome, item: StudyOutcome) -> OutcomeRow:
    statement = (record_id, written.arm_or_contrast, written.endpoint, written.statistic)
    says = verdict_words().get(statement, "")
    # A mechanism is told by its endpoint; what the statistic says already is not said twice.
    says = "" if says == "mechanism" or says in item.statistic else says
    return OutcomeRow(
        where=item.arm_or_contrast,
        endpoint=item.endpoint,
        day="" if item.time_days is None else f"{item.time_days:g}",
        value=says or texts.outcome_value_text(item),
        statistic=item.statistic,
        n=texts.people_text(item, record_id),
        source_kind=item.source_kind,
        is_first_hand=item.is_first_hand,
        remarks=item.remarks,
    )


@cache
def _forests() -> tuple[ForestLink, ...]:
    """Every substance and endpoint with a result, in numbers or in words."""
    registry = load_evidence()
    names = sorted({name for study in registry.studies for name in substances_of(study.substance)})
    counts = {
        (name, key): len(outcomes_of(registry, substance=name, endpoint=key))
        + len(verdicts_of(registry, substance=name, endpoint=key))
        for name in names
        for key in endpoint_classes()
        if key != "other"
    }
    labels = endpoint_classes()
    return tuple(
        ForestLink(substance=name, endpoint=key, label=labels[key].label, n=n) for (name, key), n in counts.items() if n
    )


@cache
def _forests_of(study_id: str) -> tuple[ForestLink, ...]:
    """The pictures in which a study stands."""
    return tuple(link for link in _forests() if study_id in _studies_in(link.substance, link.endpoint))


@cache
def _studies_in(substance: str, endpoint: str) -> frozenset[str]:
    """The studies that stand in a picture: each page of a study asks for all pictures."""
    found = outcomes_of(load_evidence(), substance=substance, endpoint=endpoint)
    return frozenset(record.id for record, _ in found)


@cache
def _forest_figure(substance: str, endpoint: str) -> Figure:
    from remission.report.forest import forest_chart

    figure = figure_of(forest_chart(load_evidence(), substance=substance, endpoint=endpoint))
    # What was pooled stands on the page as a list of its own.
    return figure.model_copy(update={"cannot": figure.cannot.split(". ")[0].rstrip(".") + "."})
