"""Design of a trial: the protocol as a sentence and as boxes, the file and the command beside it, and what it finds."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field as Stated
from starlette.datastructures import FormData

from remission.design.variants import resize_protocol
from remission.errors import RemissionError, SpecError, WorkError
from remission.files import make_folder, remove_folder, write_text
from remission.library.protocols import list_protocols, load_protocol, protocol_template, protocol_text
from remission.numerics.digits import duration
from remission.protocol.file import parse_protocol
from remission.records.base import Record
from remission.records.day_field import DayField
from remission.records.seed import DEFAULT_SEED
from remission.report.day_field import field_of_plan
from remission.trial.simulate import plan_trial
from remission.web.bench.check import Checked, check_design, check_worlds, form, options
from remission.web.bench.drawing import Point, Series, power_svg, schedule_svg
from remission.web.bench.edit import NAME
from remission.web.bench.entry import MOST_FILE, Bench, bench_of, file_of, read_form
from remission.web.bench.own import OWN, copy_own, keep_own, prices_text
from remission.web.bench.results import Found, read_found
from remission.web.bench.state import State, state_of
from remission.web.bench.store import NOT_KEPT, Draft, Job, fresh_id
from remission.web.bench.typed import MOST_TEXT, known_of, read_typed, without_long
from remission.web.page import PageRouter
from remission.web.pages.runs import JobLine, line_of, trouble_of
from remission.web.problems import Fault, PageMissingError, fault_of
from remission.web.queue import run_in_turn
from remission.web.render import render_page

router = PageRouter()
_TYPICAL = 21


class DraftLine(Record):
    """A draft in a list."""

    id: str
    title: str
    changed: str


class Example(Record):
    """A protocol to begin with."""

    id: str
    title: str


class Stale(Record):
    """That results on the page are of an earlier state, and what differs, in lines of the file and options."""

    lines: tuple[str, ...]


class DesignPage(Record):
    """What /design shows: examples and drafts, or one draft with its jobs and what they found.

    notice
        What happened to what was sent. ``other``: the draft into which a change of a second tab went.
    cost
        What the run takes, in words.
    """

    mark: str
    drafts: tuple[DraftLine, ...] = ()
    examples: tuple[Example, ...] = ()
    draft: DraftLine | None = None
    revision: int = 0
    text: str = ""
    worlds: str = ""
    has_diaries: bool = False
    prices: str = ""
    same_days: bool = True
    state: State | None = None
    whose: tuple[tuple[str, str, str], ...] = ()
    cost: str = ""
    job: JobLine | None = None
    jobs: tuple[JobLine, ...] = ()
    beside: JobLine | None = None
    found: Found | None = None
    found_beside: Found | None = None
    so_far: tuple[Point, ...] = ()
    size: int | None = None
    stale: Stale | None = None
    people: DayField | None = None
    people_title: str = ""
    faults: tuple[Fault, ...] = ()
    notice: str = ""
    other: str = ""
    svg: dict[str, Any] = Stated(default_factory=dict, exclude=True)
    status: int = 200


@router.page(
    "/design", template="design.html.jinja", keeps_nothing=True, copied="never",
    command="remission serve --workbench FOLDER", weight="heavy",
)  # fmt: skip
def design(
    request: Request,
    draft: Annotated[str, Query(max_length=40)] = "",
    job: Annotated[str, Query(max_length=40)] = "",
    beside: Annotated[str, Query(max_length=40)] = "",
    n: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
    trial: Annotated[int | None, Query(ge=0, le=999_999)] = None,
) -> DesignPage:
    """A draft of a design, or where to begin."""
    bench = bench_of(request)
    if not draft:
        return _beginning(bench)
    return _shown(bench, _draft(bench, draft), job=job, beside=beside, n=n, trial=trial)


def _beginning(bench: Bench, faults: tuple[Fault, ...] = ()) -> DesignPage:
    names = [name for name in list_protocols() if load_protocol(name).analyses]
    drafts = bench.store.drafts(most=200)
    return DesignPage(
        mark=bench.mark, drafts=tuple(_line(one) for one in drafts if "data" not in one.asked), faults=faults,
        examples=tuple(Example(id=name, title=load_protocol(name).title) for name in names),
        status=422 if faults else 200,
    )  # fmt: skip


def _line(one: Draft) -> DraftLine:
    return DraftLine(id=one.id, title=one.title, changed=one.changed)


def _own(bench: Bench, draft: Draft) -> Path:
    """Where diaries and prices of a draft lie."""
    return bench.store.folder / "data" / draft.id


def _draft(bench: Bench, draft_id: str) -> Draft:
    found = bench.store.draft(draft_id)
    if found is None:
        raise PageMissingError(what="draft", got=draft_id, known=())
    return found


def _shown(
    bench: Bench, draft: Draft, *, job: str = "", beside: str = "", n: int | None = None, trial: int | None = None,
    **more: Any,
) -> DesignPage:  # fmt: skip
    own = _own(bench, draft)
    state, checked = state_of(draft.protocol, draft.asked, own)
    jobs = bench.store.jobs(draft=draft.id, most=30)
    chosen = next((one for one in jobs if one.id == job), None) or next(iter(jobs), None)
    other = bench.store.job(beside) if beside else None
    found, found_beside = (
        None if one is None or one.state != "done" else read_found(one, bench.store.job_folder(one.id), size=n)
        for one in (chosen, other)
    )
    progress = None if chosen is None else bench.foreman.progress(chosen.id)
    so_far = () if progress is None else tuple(Point(**one) for one in list(progress.points.values()))
    people, title = _people(checked, trial, is_warm=bench.foreman.pace is not None)
    series = [Series(label="A", points=found.points if found is not None else so_far)]
    if found_beside is not None:
        series.append(Series(label="B", points=found_beside.points))
    more["faults"] = (*more.get("faults", ()), *trouble_of(bench, *jobs))
    given = draft.asked.get("power", "")
    goal = float(given) if _is_share(given) else None
    svg = {
        "wide": schedule_svg(state.arms, state.visits, follow_up_days=state.follow_up_days, is_wide=True),
        "narrow": schedule_svg(state.arms, state.visits, follow_up_days=state.follow_up_days, is_wide=False),
        "power": power_svg(series, goal=goal, name="both") if any(len(one.points) for one in series) else "",
    }
    return DesignPage(
        mark=bench.mark, draft=_line(draft), revision=draft.revision, text=draft.protocol, state=state,
        worlds=str(draft.asked.get("worlds") or form()["worlds"]["text"].strip()),
        has_diaries=bool(draft.asked.get(OWN["diaries"])), prices=prices_text(own, draft.asked),
        same_days=draft.asked.get("same_days", "yes") == "yes",
        whose=tuple((name, one["title"], one["text"]) for name, one in form()["whose"].items()),
        cost=cost_words(state.person_days, bench.foreman.pace) if checked.words else "",
        job=None if chosen is None else line_of(bench, chosen), jobs=tuple(line_of(bench, one) for one in jobs),
        beside=None if other is None else line_of(bench, other), found=found, found_beside=found_beside, so_far=so_far,
        size=n, stale=None if chosen is None else _stale(chosen, draft, checked), people=people, people_title=title,
        svg=svg, **more,
    )  # fmt: skip


def _is_share(text: Any) -> bool:
    try:
        return 0.0 < float(text) < 1.0
    except (TypeError, ValueError):
        return False


def cost_words(person_days: int, pace: float | None) -> str:
    """What a plan takes at most, before it is run."""
    if not person_days:
        return "the closed form at once, then some seconds of simulation"
    words = f"at most {person_days:,} person-days"
    if pace is None:
        return f"{words}; the pace of this machine is being measured"
    seconds = person_days / pace
    return f"{words}, about {duration(seconds)} on one core of this machine; less where a size is clear early"


def _stale(job: Job, draft: Draft, checked: Checked) -> Stale | None:
    """What differs between what a job was asked and what the draft says now."""
    is_run = job.kind == "run"
    if job.kind not in {"design", "effect", "run"} or job.facts.get("key") == checked.key:
        return None
    before, now = str(job.facts.get("protocol", "")).splitlines(), draft.protocol.splitlines()
    gone, come = set(before) - set(now), set(now) - set(before)
    lines = [f"was: {line.strip()}" for line in before if line in gone][:6] + [
        f"now: {line.strip()}" for line in now if line in come
    ][:6]
    asked = job.facts.get("asked", {})
    # A run of the trial itself asks nothing of a design.
    for name, one in () if is_run else options().items():
        was, is_now = str(asked.get(name, "")), str(draft.asked.get(name, ""))
        if was != is_now:
            lines.append(f"{one['option']}: was {was or 'as usual'}, now {is_now or 'as usual'}")
    lines += [
        f"your {what}: another file" for what, name in OWN.items() if asked.get(name, "") != draft.asked.get(name, "")
    ]
    return (
        Stale(lines=tuple(lines[:12]))
        if lines
        else Stale(lines=("the design as it is now has a fault",))
        if not checked.key
        else None
    )


def _people(checked: Checked, trial: int | None, *, is_warm: bool) -> tuple[DayField | None, str]:
    """One trial of the design, by arm, as diaries would say: everybody of the one that was asked for, or one typical
    person of each arm, whose days with use are in the middle of a small trial.
    """
    # Where nothing was ever simulated the code is compiled first, which takes longer than a page may.
    if not is_warm and trial is None:
        return None, ""
    if checked.protocol is None or checked.faults or checked.kind == "effect" or checked.protocol.effect is not None:
        return None, ""
    protocol = checked.protocol
    if trial is None:
        protocol = resize_protocol(protocol, min(protocol.population.n_subjects, _TYPICAL * len(protocol.arms)))
    plan = plan_trial(protocol, n_replicates=1_000_000, seed=int([str(DEFAULT_SEED), *_seed(checked)][-1]))
    field = field_of_plan(plan, replicate=trial or 0)
    if trial is not None:
        return field, f"Trial {trial + 1} of this design, person by person"
    middle = [one.model_copy(update={"rows": (one.rows[len(one.rows) // 2],)}) for one in field.groups]
    return field.model_copy(update={"groups": tuple(middle)}), "One typical person of each arm, simulated"


# ---------------------------------------------------------------------------------------------------------------- forms


@router.routes.post("/design/new", include_in_schema=False, response_model=None)
async def begin(request: Request) -> Response:
    """A new draft: from an example, from a file, or a copy of a draft."""
    bench = bench_of(request)
    sent, long = without_long(await read_form(request))

    def make() -> Response:
        if long:
            return _page(request, _beginning(bench, long))
        asked: dict[str, Any] = {}
        before = _draft(bench, str(sent["copy"])) if sent.get("copy") else None
        if before is not None:
            text, asked = before.protocol, before.asked
        elif sent.get("example"):
            name = str(sent["example"])
            text = protocol_template() if name == "template" else protocol_text(name)
        else:
            # A browser ends each line of a box with two signs.
            text = str(sent.get("text", "")).replace("\r\n", "\n").replace("\r", "\n")
            if not text.strip():
                fault = Fault(
                    where="text", got="nothing", allowed="a protocol file", remedy="Paste one, or take an example."
                )
                return _page(request, _beginning(bench, (fault,)))
        made = bench.store.add_draft(title=_title(text), protocol=text, asked=asked)
        if before is not None:
            copy_own(_own(bench, before), _own(bench, made), asked)
        return _to(f"/design?draft={made.id}")

    try:
        return await run_in_turn("usual", make)
    except RemissionError as error:
        return _page(request, _beginning(bench, (fault_of(error),)))


@router.routes.post("/design/own", include_in_schema=False, response_model=None)
async def keep(request: Request) -> Response:
    """Keep diaries and prices of one's own with a draft, or take them out."""
    bench = bench_of(request)
    whole = await read_form(request, most=MOST_FILE + MOST_TEXT)
    try:
        found = await file_of(whole, "diaries")
    finally:
        await whole.close()
    sent, long = without_long(whole)

    def make() -> Response:
        draft = _draft(bench, str(sent.get("draft", "")))
        content = b"" if found is None else found[1]
        if long:
            return _page(request, _shown(bench, draft, faults=long, status=422))
        try:
            if len(content) > MOST_FILE:
                raise SpecError(where="diaries", got="more than 50 MB", allowed="at most 50 MB")
            asked = dict(draft.asked)
            if sent.get("without"):
                asked.pop(OWN["diaries"], None)
            asked = keep_own(_own(bench, draft), asked, diaries=content, prices=str(sent.get("prices", "")))
        except RemissionError as error:
            faults = tuple(fault_of(one) for one in getattr(error, "faults", (error,)))
            return _page(request, _shown(bench, draft, faults=faults, status=422))
        if bench.store.change_draft(draft, title=draft.title, protocol=draft.protocol, asked=asked) is None:
            words = "This draft was changed elsewhere just now: the files were not kept with it. Send them again."
            return _page(request, _shown(bench, _draft(bench, draft.id), notice=words, status=409))
        return _to(f"/design?draft={draft.id}#own")

    return await run_in_turn("heavy", make)


@router.routes.post("/design", include_in_schema=False, response_model=None)
async def change(request: Request) -> Response:
    """Keep what was typed, and do what the button says."""
    bench = bench_of(request)
    sent, long = without_long(await read_form(request))

    def make() -> Response:
        try:
            return _change(request, bench, sent, long)
        except WorkError as error:
            return _unkept(request, bench, sent, error)

    return await run_in_turn("heavy", make)


def _unkept(request: Request, bench: Bench, sent: FormData, error: WorkError) -> Response:
    """The disk refused: what was typed stands in its boxes, with what to do."""
    draft = _draft(bench, str(sent.get("draft", "")))
    do, _, what = str(sent.get("do", "save")).partition(":")
    try:
        text, asked = read_typed(draft, sent, do, what)
    except RemissionError:
        text, asked = str(sent.get("text", draft.protocol)), draft.asked
    typed = replace(draft, protocol=text, asked=asked)
    return _page(request, _shown(bench, typed, faults=(fault_of(error),), notice=NOT_KEPT, status=507))


def _change(request: Request, bench: Bench, sent: FormData, long: tuple[Fault, ...]) -> Response:
    draft = _draft(bench, str(sent.get("draft", "")))
    do, _, what = str(sent.get("do", "save")).partition(":")
    if do == "drop":
        bench.store.drop_draft(draft.id)
        remove_folder(_own(bench, draft))
        return _to("/design")
    try:
        text, asked = read_typed(draft, sent, do, what)
    except RemissionError as error:
        found = tuple(fault_of(one) for one in getattr(error, "faults", (error,)))
        # Nothing that was typed is lost: a text that cannot be read stays in its box.
        text = str(sent.get("text", draft.protocol))
        same = bench.store.change_draft(draft, title=draft.title, protocol=text, asked=draft.asked) or draft
        return _page(request, _shown(bench, same, faults=found, status=422))
    if str(sent.get("revision", "")) != str(draft.revision):
        return _second(request, bench, draft, text, asked)
    kept = bench.store.change_draft(draft, title=_title(text) or draft.title, protocol=text, asked=asked)
    if kept is None:
        return _second(request, bench, _draft(bench, draft.id), text, asked)
    if long:
        return _page(request, _shown(bench, kept, faults=long, status=422))
    if do in {"run", "simulate", "worlds"}:
        return _start(request, bench, kept, do)
    back = {"draft": kept.id, **{name: str(sent[name]) for name in ("job", "beside", "n") if sent.get(name)}}
    return _to(f"/design?{urlencode(back)}" + (f"#{quote(what)}" if do == "go" else ""))


def _second(request: Request, bench: Bench, draft: Draft, text: str, asked: dict[str, Any]) -> Response:
    """A change that was made from an older state, in another tab or a stale form: kept as a draft of its own."""
    if (text, asked) == (draft.protocol, draft.asked):
        return _to(f"/design?draft={draft.id}")
    made = bench.store.add_draft(title=f"{_title(text) or draft.title} (second tab)", protocol=text, asked=asked)
    words = (
        "This draft was changed elsewhere since your page was made, so nothing of it was overwritten. "
        "What you typed is kept as a draft of its own."
    )
    return _page(request, _shown(bench, draft, notice=words, other=made.id, status=409))


def _start(request: Request, bench: Bench, draft: Draft, do: str) -> Response:
    """Put a job of the draft into the queue, if nothing is wrong with it."""
    checked = check_design(draft.protocol, draft.asked, _own(bench, draft))
    kind, words = checked.kind, checked.words
    facts: dict[str, Any] = {"person_days": checked.person_days}
    worlds = str(draft.asked.get("worlds") or form()["worlds"]["text"].lstrip())
    try:
        if do == "worlds":
            facts = {"person_days": check_worlds(draft.protocol, worlds)}
            kind, words = (
                "worlds",
                (
                    "design",
                    NAME,
                    "--scenarios",
                    "worlds.yaml",
                    *_seed(checked),
                    "--report",
                    "report",
                    "--yes",
                    "--json",
                ),
            )
        elif do == "simulate" and checked.protocol is not None and not checked.faults:
            count = str(min(2000, int(str(draft.asked.get("replicates") or 200))))
            facts = {
                "person_days": checked.protocol.population.n_subjects * checked.protocol.follow_up_days * int(count)
            }
            kind, words = (
                "run",
                (
                    "run",
                    NAME,
                    "--replicates",
                    count,
                    *_seed(checked),
                    "--diaries",
                    "--out",
                    "../../runs",
                    "--yes",
                    "--json",
                ),
            )
    except RemissionError as error:
        found = tuple(fault_of(one) for one in getattr(error, "faults", (error,)))
        return _page(request, _shown(bench, draft, faults=found, status=422))
    if not words:
        return _page(request, _shown(bench, draft, status=422))
    job_id = fresh_id()
    folder = bench.store.job_folder(job_id)
    make_folder(folder)
    write_text(folder / NAME, draft.protocol)
    if do == "worlds":
        write_text(folder / "worlds.yaml", worlds)
    try:
        copy_own(_own(bench, draft), folder / "data", draft.asked)
    except RemissionError as error:
        remove_folder(folder)
        return _page(request, _shown(bench, draft, faults=(fault_of(error),), status=422))
    names = {"design": "design", "effect": "stated effect", "worlds": "worlds by designs", "run": "run with diaries"}
    shown = {one["option"]: draft.asked.get(name, "") for name, one in options().items() if draft.asked.get(name)}
    facts |= {"key": checked.key, "protocol": draft.protocol, "asked": draft.asked, "shown": shown}
    job = bench.store.add_job(
        kind=kind, title=f"{draft.title}: {names[kind]}", words=tuple(words), facts=facts, job_id=job_id, draft=draft.id
    )
    bench.foreman.wake()
    return _to(f"/design?draft={draft.id}&job={job.id}" if kind in {"design", "effect"} else f"/run/{job.id}")


def _seed(checked: Checked) -> tuple[str, ...]:
    words = checked.words
    return ("--seed", words[words.index("--seed") + 1]) if "--seed" in words else ()


def _title(text: str) -> str:
    try:
        return parse_protocol(text, name=NAME).title[:120]
    except RemissionError:
        known = known_of(text)
        return (known.get("title") or known.get("id") or "A draft")[:120]


def _to(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})


def _page(request: Request, page: DesignPage) -> Response:
    answer = render_page(request, "design.html.jinja", page, status=page.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
