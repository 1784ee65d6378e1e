"""Published trials as the model gives them: the report of a run as a page, simulated when first asked for."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache, partial
from itertools import takewhile
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request

from remission.evidence.verdicts import NO_DIFFERENCE, RESULTS, found_text, result_of
from remission.library.blinding import list_blinding_trials
from remission.library.protocols import list_published, load_protocol, published_left_out
from remission.library.published import (
    PublishedOutcome,
    published_outcome,
    published_verdict,
    trial_citation,
    trial_record,
)
from remission.numerics.digits import with_interval
from remission.patient.standing import gives_ketamine, standing_of
from remission.protocol.explanation import explain_arm, explain_visits
from remission.protocol.record import Protocol
from remission.provenance import library_versions
from remission.records.base import Record
from remission.records.day_field import DayField
from remission.records.seed import DEFAULT_SEED
from remission.report.day_field import field_of_plan
from remission.report.document import report_content
from remission.report.evidence_text import study_title
from remission.report.words import ESTABLISHED, SAFETY_LINES, read_as
from remission.report.write import report_charts
from remission.trial.simulate import plan_trial, why_not_simulated
from remission.trial.summary import summarize_trial
from remission.web.desk import Desk
from remission.web.figure import Figure, figure_of
from remission.web.language import LANGUAGES, load_text
from remission.web.page import PageRouter
from remission.web.pages.help import Language
from remission.web.problems import PageMissingError
from remission.web.queue import run_in_turn
from remission.web.retold import retold
from remission.web.why import Why, why

__all__ = ["Report", "published_rows", "reading_notes", "router", "simulated_records", "trials_with_page"]

router = PageRouter()


@cache
def trials_with_page() -> tuple[str, ...]:
    """The published trials of the library that can be simulated: first those of the article, the others by name."""
    rest = [name for name in list_published() if name not in _ARTICLE and _why_not(name) is None]
    return (*_ARTICLE, *rest)


_ARTICLE = ("kare", "dakwar-2019")


@cache
def _why_not(name: str) -> str | None:
    return why_not_simulated(load_protocol(name))


_LARGE = 300
"""People from which a trial is not called a small one; the largest of ketamine has fewer."""
_A_MOMENT_S = 0.4
"""How long a first request waits, so that a quick trial needs no second page."""


class TrialLink(Record):
    """A trial with a page."""

    id: str
    title: str
    substance: str
    n_subjects: int
    arms: tuple[str, ...]
    standing: tuple[str, ...]


class LeftOut(Record):
    """A trial of ketamine without a page, and why: it is no protocol here, or one that cannot be simulated."""

    record: str
    title: str
    reason: str


class TrialsPage(Record):
    """What /trial shows."""

    trials: tuple[TrialLink, ...]
    left_out: tuple[LeftOut, ...]


class ResultRow(Record):
    """One outcome: published beside simulated."""

    label: str
    statistic: str
    unit: str
    arm: str
    published: str
    kind: str
    mark: str
    mean: str
    interval: str
    split: str
    error: str
    inside: str
    n_failed: int


class Report(Record):
    """The report of a trial: see the report that ``remission run`` writes."""

    title: str
    protocol_id: str
    n_subjects: int
    follow_up_days: int
    finding: str
    standing: tuple[str, ...]
    safety: tuple[str, ...]
    rows: tuple[ResultRow, ...]
    any_published: bool
    limits: tuple[str, ...]
    cautions: tuple[str, ...]
    assumptions: tuple[str, ...]
    explanation: str
    parameter_set: str
    grades: str
    changed: str
    sources: tuple[str, ...]
    command: str
    seed: int
    n_replicates: int
    protocol_hash: str
    parameter_hash: str
    versions: dict[str, str]
    charts: tuple[Figure, ...]


class CardFact(Record):
    """A short name and what belongs to it."""

    name: str
    text: str


class PublishedRow(Record):
    """A published number of the trial; ``kind`` says how it was read."""

    label: str
    text: str
    kind: str


class TrialCard(Record):
    """A trial in five views: its people (simulated), its session, its design, its evidence; the truth is the report.

    ``plan`` is the address of the planner with the first infusion, empty where the drug is given in another way. The
    first ``n_first`` published rows stand on top, so that no group's number stands without those of the others;
    ``first_note``, ``evidence_note`` and ``people_note`` say what must not be read from them and from the picture.
    ``harms`` is the address of what was counted of harm, empty where no arm has ketamine.
    """

    people: DayField
    people_title: str
    session: tuple[CardFact, ...]
    plan: str
    design: tuple[CardFact, ...]
    command: str
    bench: str
    published: tuple[PublishedRow, ...]
    n_first: int = 1
    first_note: str = ""
    people_note: str = ""
    evidence_note: str = ""
    harms: str = ""
    why: Why | None = None
    why_command: str = ""


class TrialPage(Record):
    """What /trial/{id} shows: its card; the report, or how far the simulation is."""

    id: str
    title: str
    done: int
    total: int
    failure: str = ""
    record: str
    citation: str
    substance: str
    safety: tuple[str, ...] = ()
    card: TrialCard | None = None
    report: Report | None = None
    status: int = 200


@router.page("/trial", template="trials.html.jinja")
def trials() -> TrialsPage:
    """Trials that are simulated here."""
    return TrialsPage(
        trials=tuple(
            TrialLink(
                id=one.id,
                title=one.title,
                substance=one.substance.value,
                n_subjects=one.population.n_subjects,
                arms=tuple(arm.label for arm in one.arms),
                standing=standing_of(one.substance).lines,
            )
            for one in map(load_protocol, trials_with_page())
        ),
        left_out=_left_out(),
    )


def _left_out() -> tuple[LeftOut, ...]:
    refused = {str(load_protocol(name).evidence): _why_not(name) for name in list_published()}
    reasons = {**published_left_out(), **{name: why for name, why in refused.items() if why is not None}}
    return tuple(
        LeftOut(record=name, title=study_title(trial_record(name)), reason=reason)
        for name, reason in sorted(reasons.items())
    )


@router.page(
    "/trial/{trial_id}", template="trial.html.jinja", text="trial", languages=tuple(LANGUAGES), copied="asked",
    command="remission run {trial_id}",
)  # fmt: skip
async def trial(
    request: Request,
    trial_id: str,
    language: Language,
    wait: Annotated[float, Query(ge=0.0, le=5.0, description="Seconds to wait for the simulation.")] = _A_MOMENT_S,
) -> TrialPage:
    """A published trial, simulated; ``report`` is null while the simulation runs."""
    if trial_id not in trials_with_page():
        raise PageMissingError(what="trial", got=trial_id, known=trials_with_page())
    desk: Desk = request.app.state.desk
    protocol = load_protocol(trial_id)
    known: dict[str, Any] = {
        "id": trial_id,
        "title": retold(protocol.title, language),
        "record": protocol.evidence,
        "citation": str(trial_citation(str(protocol.evidence))),
        "substance": protocol.substance.value,
        "safety": tuple(retold(line, language) for line in (*SAFETY_LINES, ESTABLISHED[protocol.substance.value])),
    }
    if request.scope.get("is_head"):
        return TrialPage(**known, done=0, total=desk.n_replicates)
    known["card"] = await run_in_turn("usual", partial(_card, trial_id, language))
    job = desk.ask(trial_id)
    await job.wait(wait)
    if job.result is None or job.failure:
        status = 500 if job.failure else 202
        return TrialPage(**known, done=job.done, total=job.total, failure=job.failure, status=status)
    report = _retold(await run_in_turn("heavy", partial(_report, trial_id, desk)), language)
    return TrialPage(**known, done=job.total, total=job.total, report=report)


@cache
def _people(trial_id: str) -> DayField:
    """Those of the first simulated trial of the report."""
    return field_of_plan(plan_trial(load_protocol(trial_id), n_replicates=1, seed=DEFAULT_SEED))


@cache
def _card(trial_id: str, language: str) -> TrialCard:
    """The card of a trial in a language."""
    protocol, words, say = load_protocol(trial_id), load_text(language, "trial"), partial(retold, language=language)
    people = _people(trial_id)
    groups = tuple(one.model_copy(update={"label": say(one.label)}) for one in people.groups)
    return TrialCard(
        people=people.model_copy(update={"groups": groups}),
        people_title=words["people_title"].format(n=protocol.population.n_subjects, days=protocol.follow_up_days),
        session=tuple(
            CardFact(name=say(arm.label), text=" ".join(say(line.strip()) for line in lines[1:]))
            for arm, lines in ((arm, explain_arm(protocol, arm, with_model=False)) for arm in protocol.arms)
        ),
        plan=_plan(protocol),
        design=tuple(_design(protocol, words["facts"], say)),
        command=f"remission design {trial_id} --vary n=60:400 --power 0.9",
        bench=f"/blinding?trial={trial_id}" if trial_id in list_blinding_trials() else "",
        published=tuple(published_rows(protocol, say)),
        **reading_notes(protocol, words),
        harms=f"/journey/{protocol.substance.value}/sessions" if gives_ketamine(protocol) else "",
        why=why(trial_id, language),
        why_command=f"remission explain {trial_id}",
    )


def _plan(protocol: Protocol) -> str:
    """The planner's address with the first infusion of ketamine, in a person of the trial's mean weight and age."""
    given = [course.infusions[0] for course in protocol.drugs.values() if course.drug == "racemic-ketamine"]
    found = [one for one in given if one.route == "intravenous" and one.dose_mg_per_kg and one.duration_min]
    if not found:
        return ""
    who = protocol.population
    asked = {
        "weight": f"{who.weight.mean_kg:g} kg", "age": f"{who.age.mean_y:.0f}",
        "dose": f"{found[0].dose_mg_per_kg:g} mg/kg", "minutes": f"{found[0].duration_min:g}",
    }  # fmt: skip
    return f"/planner?{urlencode(asked)}"


def _design(protocol: Protocol, words: Mapping[str, str], say: Callable[[str], str]) -> Iterator[CardFact]:
    if protocol.estimand is not None:
        asked = protocol.estimand
        yield CardFact(name=words["question"], text=f"{say(asked.treatment)} {say(asked.summary)}")
        yield CardFact(name=words["people"], text=say(asked.population))
        yield CardFact(name=words["primary"], text=say(asked.variable))
    yield CardFact(name=words["arms"], text=f"{'; '.join(say(arm.label) for arm in protocol.arms)}.")
    yield CardFact(name=words["visits"], text=" ".join(map(say, explain_visits(protocol))))


def published_rows(protocol: Protocol, say: Callable[[str], str]) -> Iterator[PublishedRow]:
    """The published numbers of a trial with their units; ``say``: words in the reader's language."""
    for one in protocol.comparisons:
        asked = {"arm_or_contrast": one.arm_or_contrast, "endpoint": one.outcome, "statistic": one.statistic}
        label = protocol.analysis(one.analysis).label if one.analysis else protocol.endpoint(str(one.endpoint)).label
        label = say(label) + (f", {say(protocol.arm(one.arm).label).lower()}" if one.arm else "")
        verdict = published_verdict(str(protocol.evidence), **asked)
        if verdict is not None:
            yield PublishedRow(label=label, text=say(verdict.says), kind=say(read_as(verdict.source_kind)))
            continue
        found = published_outcome(str(protocol.evidence), **asked)
        yield PublishedRow(label=label, text=_number(found, say), kind=say(read_as(found.source_kind)))


def _number(found: PublishedOutcome, say: Callable[[str], str]) -> str:
    """A published number with its unit; the words of a record's statistic are those of its source, or of our files."""
    value = with_interval(found.value, found.ci_low, found.ci_high)
    people = re.fullmatch(r"n of (\d+)", found.statistic)
    if people is not None:
        return say(f"{value} of {people[1]} people")
    words = found.statistic.removesuffix(" (DERIVED)")
    if words == "mean" and found.endpoint.startswith("percent"):
        words = "mean percent"
    return f"{say(value)}, {say(words)}"


def reading_notes(protocol: Protocol, words: Mapping[str, str]) -> dict[str, Any]:
    """How many published rows stand first, and what must not be read from them and from the simulated picture."""
    record = trial_record(str(protocol.evidence))
    none = found_text(record).startswith(NO_DIFFERENCE)
    rows = protocol.comparisons
    notes = {
        "n_first": 1,
        "first_note": "",
        "people_note": words["people_none"] if none else "",
        "evidence_note": words["evidence_ratio"] if any("ratio" in str(one.statistic) for one in rows) else "",
    }
    if rows and rows[0].arm:
        # One group's number alone reads as what the treatment did.
        groups = list(takewhile(lambda one: one.arm and one.endpoint == rows[0].endpoint, rows))
        said = words["first_groups" if len(groups) > 1 else "first_alone"]
        return notes | {"n_first": len(groups), "first_note": f"{said} {words['groups_none']}" if none else said}
    if none:
        return notes | {"first_note": words["first_none"]}
    # Only a result without a difference bore a caution before: the other one would then look like the surer.
    some = f" {words['found_some']}" if result_of(record) == RESULTS[1] else ""
    found = words["first_found"] if protocol.population.n_subjects < _LARGE else ""
    return notes | {"first_note": f"{found}{some}".strip()}


@cache
def simulated_records() -> Mapping[str, str]:
    """Trials with a page, by the id of their record."""
    return {str(load_protocol(name).evidence): name for name in trials_with_page()}


def _retold(report: Report, language: str) -> Report:
    """The report with what the card shows of it in a language; the rest of it, and its pictures, are English."""
    if language == "en":
        return report
    say = partial(retold, language=language)
    rows = (
        row.model_copy(update={name: say(text) for name, text in row if isinstance(text, str)}) for row in report.rows
    )
    told = {"rows": tuple(rows), "standing": tuple(map(say, report.standing)), "finding": say(report.finding)}
    return report.model_copy(update=told)


@lru_cache(maxsize=8)
def _report(trial_id: str, desk: Desk) -> Report:
    """The report of a finished simulation, drawn once; a desk is equal to itself only."""
    result = desk.ask(trial_id).result
    assert result is not None, "asked for when it is finished"
    summary = summarize_trial(result)
    command = f"remission run {result.protocol.id} --replicates {result.n_replicates} --seed {DEFAULT_SEED}"
    content: dict[str, Any] = report_content(result, summary, command=command, versions=library_versions())
    return Report(**content, charts=tuple(figure_of(chart) for chart in report_charts(result, summary)))
