"""A trial of one's own in the browser: a file, a plan with a preview of what it reads, and the analysis as a job.

The file lies in the folder of the workbench under a name that says nothing, until it is removed; no address, command or
log has anything of it.
"""

import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import tomli
from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from remission.errors import RemissionError, SpecError, WorkError
from remission.extras import need_extra
from remission.files import copy_file, make_folder, remove_folder, write_bytes, write_text
from remission.records.analysis_methods import METHODS
from remission.records.base import Record
from remission.records.yaml_tree import Tree, read_tree
from remission.web.bench.edit import change_text, values_of
from remission.web.bench.entry import MOST_FILE, Bench, bench_of, file_of, read_form
from remission.web.bench.results import Found, read_found
from remission.web.bench.state import Step, fields_of, placed
from remission.web.bench.store import NOT_KEPT, Draft, fresh_id
from remission.web.bench.typed import known_of, without_long
from remission.web.figure import FigureTable
from remission.web.page import PageRouter
from remission.web.pages.runs import JobLine, line_of
from remission.web.problems import Fault, PageMissingError, fault_of
from remission.web.queue import run_in_turn
from remission.web.render import render_page

router = PageRouter()
PLAN = "plan.yaml"
_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xpt", ".sav", ".dta", ".parquet")
_MOST_ROWS = 6
_MOST_CELL = 40


class PlanLine(Record):
    """A plan in a list."""

    id: str
    title: str
    changed: str


class Reading(Record):
    """What a plan reads from the file: people by arm, and what is not used, with the reason."""

    n_people: int
    arms: tuple[tuple[str, int], ...]
    not_used: FigureTable
    n_not_used: int


class AnalyzePage(Record):
    """What /analyze shows: plans and a box for a file, or one plan with a preview of its file.

    checks
        What was guessed, to be checked, a sentence each.
    """

    mark: str
    plans: tuple[PlanLine, ...] = ()
    plan: PlanLine | None = None
    revision: int = 0
    text: str = ""
    steps: tuple[Step, ...] = ()
    checks: tuple[str, ...] = ()
    preview: FigureTable | None = None
    reading: Reading | None = None
    faults: tuple[Fault, ...] = ()
    others: tuple[Fault, ...] = ()
    job: JobLine | None = None
    jobs: tuple[JobLine, ...] = ()
    found: Found | None = None
    is_stale: bool = False
    notice: str = ""
    other: str = ""
    status: int = 200


@cache
def _form() -> Any:
    return tomli.loads(files("remission.web.bench").joinpath("analyze.toml").read_text("utf-8"))


@router.page(
    "/analyze", template="analyze.html.jinja", keeps_nothing=True, copied="never", weight="heavy",
    command="remission analyze DATA --plan plan.yaml",
)  # fmt: skip
def analyze(request: Request, plan: Annotated[str, Query(max_length=40)] = "") -> AnalyzePage:
    """A plan for a file of one's own, or where to begin."""
    bench = bench_of(request)
    return _shown(bench, _plan(bench, plan)) if plan else _beginning(bench)


def _beginning(bench: Bench, *faults: Fault) -> AnalyzePage:
    plans = [one for one in bench.store.drafts(most=200) if "data" in one.asked]
    return AnalyzePage(
        mark=bench.mark, plans=tuple(PlanLine(id=one.id, title=one.title, changed=one.changed) for one in plans),
        faults=faults, status=422 if faults else 200,
    )  # fmt: skip


def _plan(bench: Bench, plan_id: str) -> Draft:
    found = bench.store.draft(plan_id)
    if found is None or "data" not in found.asked:
        raise PageMissingError(what="plan", got=plan_id, known=())
    return found


def _place(bench: Bench, draft: Draft) -> Path:
    """The file of a plan; its name is ours."""
    return bench.store.folder / "data" / draft.id / str(draft.asked["data"])


def _shown(bench: Bench, draft: Draft, **more: Any) -> AnalyzePage:
    path = _place(bench, draft)
    faults, reading, preview = _read(path, draft.protocol)
    try:
        tree = read_tree(draft.protocol, name=PLAN)
    except RemissionError:
        tree = Tree(name=PLAN, data={})
    by_path, others = placed(faults)
    choices = _choices(tree.data, preview)
    steps = []
    for one in _form()["step"]:
        boxes = tuple(fields_of(one["fields"], tree.data, values_of(tree), choices, by_path))
        n_faults = sum(bool(box.fault) for box in boxes)
        steps.append(Step(id=one["id"], title=one["title"], summary="", fields=boxes, n_faults=n_faults))
    shown = {box.name.partition(":")[2] for step in steps for box in step.fields}
    others += [fault for at, fault in by_path.items() if at not in shown]
    jobs = bench.store.jobs(draft=draft.id, most=20)
    job = jobs[0] if jobs else None
    return AnalyzePage(
        mark=bench.mark, plan=PlanLine(id=draft.id, title=draft.title, changed=draft.changed), text=draft.protocol,
        revision=draft.revision, steps=tuple(steps) if tree.data else (), checks=tuple(_checks(draft.protocol)),
        preview=preview, reading=reading, faults=(*more.pop("faults", ()), *(() if tree.data else faults)),
        others=tuple(others) if tree.data else (), job=None if job is None else line_of(bench, job),
        jobs=tuple(line_of(bench, one) for one in jobs),
        found=read_found(job, bench.store.job_folder(job.id)) if job is not None and job.state == "done" else None,
        is_stale=job is not None and job.facts.get("plan") != draft.protocol, **more,
    )  # fmt: skip


def _read(path: Path, text: str) -> tuple[tuple[Fault, ...], Reading | None, FigureTable | None]:
    """What the plan makes of the file: every fault, or the people by arm; and the first rows of the file."""
    from remission.exchange.study_plan import parse_study_plan
    from remission.exchange.study_tables import read_study

    preview = _preview(path)
    try:
        plan = parse_study_plan(text, name=PLAN)
        data = read_study(path, plan, folder=path.parent)
    except RemissionError as error:
        found = [fault_of(one) for one in getattr(error, "faults", (error,))]
        # The place of the file is ours and tells nothing.
        plain = [one.model_copy(update={"where": one.where.replace(f"{path.parent}/", "")}) for one in found]
        return tuple(plain), None, preview
    counts = [(arm.label, int((data.arm == place).sum())) for place, arm in enumerate(plan.arms)]
    rows = [(str(one.row or ""), one.person or "nobody", one.where, one.reason) for one in data.not_used]
    return (
        (),
        Reading(
            n_people=len(data.person), arms=tuple(counts), n_not_used=len(rows),
            not_used=FigureTable(columns=("row", "person", "where", "why"), rows=tuple(rows[:20])),
        ),
        preview,
    )  # fmt: skip


def _preview(path: Path) -> FigureTable | None:
    from remission.exchange.study_tables import read_study_table

    try:
        cells = read_study_table(path).cells
    except RemissionError:
        return None
    rows = cells.head(_MOST_ROWS).astype(str).itertuples(index=False)
    return FigureTable(
        columns=tuple(str(name)[:_MOST_CELL] for name in cells.columns),
        rows=tuple(tuple(str(cell)[:_MOST_CELL] for cell in row) for row in rows),
    )


def _choices(data: Any, preview: FigureTable | None) -> dict[str, Any]:
    def ids(name: str) -> list[str]:
        part = data.get(name)
        return [str(one.get("id", "")) for one in part if isinstance(one, dict)] if isinstance(part, list) else []

    columns = () if preview is None else preview.columns
    return {
        "column": ("", *columns), "arm": ids("arms"), "method": sorted(METHODS),
        "outcome": ("", *ids("measures"), *ids("endpoints")),
    }  # fmt: skip


def _checks(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"# CHECK: (.+)", text)))[:40]


# ---------------------------------------------------------------------------------------------------------------- forms


@router.routes.post("/analyze/new", include_in_schema=False, response_model=None)
async def take(request: Request) -> Response:
    """A file: kept under a name of ours, with a plan to start from."""
    bench = bench_of(request)
    sent = await read_form(request, most=MOST_FILE + 100_000)
    try:
        found = await file_of(sent)
    finally:
        await sent.close()
    return await run_in_turn("heavy", lambda: _take(request, bench, found))


def _take(request: Request, bench: Bench, found: tuple[str, bytes] | None) -> Response:
    from remission.exchange.study_guess import guess_plan

    name, content = found or ("", b"")
    ending = Path(name).suffix.lower()
    fault = None
    if not content:
        fault = Fault(where="file", got="no file" if not name else "an empty file", allowed="a table of your trial")
    elif len(content) > MOST_FILE:
        fault = Fault(
            where="file",
            got="more than 50 MB",
            allowed="at most 50 MB",
            remedy="Nothing was kept. Use remission analyze.",
        )
    elif ending not in _ENDINGS:
        fault = Fault(where="file", got=ending or "a name without an ending", allowed=", ".join(_ENDINGS))
    if fault is not None:
        return _page(request, _beginning(bench, fault))
    draft = bench.store.add_draft(title="Analysis of a file", protocol="", asked={"data": f"data{ending}"})
    path = _place(bench, draft)
    try:
        need_extra("exchange", where="/analyze")
        make_folder(path.parent)
        write_bytes(path, content)
        text, _ = guess_plan(path)
    except RemissionError as error:
        remove_folder(path.parent)
        bench.store.drop_draft(draft.id)
        wrong = [fault_of(one) for one in getattr(error, "faults", (error,))]
        return _page(
            request,
            _beginning(bench, *(one.model_copy(update={"where": one.where.rpartition("/")[2]}) for one in wrong)),
        )
    bench.store.change_draft(draft, title=_title(text), protocol=text, asked=draft.asked)
    return _to(f"/analyze?plan={draft.id}")


@router.routes.post("/analyze", include_in_schema=False, response_model=None)
async def change(request: Request) -> Response:
    """Keep the plan as it was typed, and do what the button says."""
    bench = bench_of(request)
    sent, long = without_long(await read_form(request))

    def make() -> Response:
        try:
            return _change(request, bench, sent, long)
        except WorkError as error:
            # The disk refused: what was typed stands in its boxes.
            draft = _plan(bench, str(sent.get("draft", "")))
            try:
                draft = _with(draft, _typed(draft.protocol, sent))
            except RemissionError:
                draft = _with(draft, str(sent.get("text", draft.protocol)))
            return _page(request, _shown(bench, draft, faults=(fault_of(error),), notice=NOT_KEPT, status=507))

    return await run_in_turn("heavy", make)


def _change(request: Request, bench: Bench, sent: FormData, long: tuple[Fault, ...]) -> Response:
    draft = _plan(bench, str(sent.get("draft", "")))
    do = str(sent.get("do", "save"))
    if do == "drop":
        bench.store.drop_draft(draft.id)
        remove_folder(_place(bench, draft).parent)
        return _to("/analyze")
    try:
        text = _typed(draft.protocol, sent)
    except RemissionError as error:
        return _page(request, _shown(bench, draft, faults=(fault_of(error),), status=422))
    if str(sent.get("revision", "")) != str(draft.revision):
        words = (
            "This plan was changed elsewhere since your page was made: nothing was overwritten. Yours stands below; "
            "keep it if it is right."
        )
        return _page(request, _shown(bench, _with(draft, text), notice=words, status=409))
    kept = bench.store.change_draft(draft, title=_title(text), protocol=text, asked=draft.asked)
    if kept is None:
        return _page(
            request,
            _shown(bench, _with(_plan(bench, draft.id), text), notice="Changed elsewhere just now.", status=409),
        )
    if long:
        return _page(request, _shown(bench, kept, faults=long, status=422))
    return _start(request, bench, kept) if do == "run" else _to(f"/analyze?plan={kept.id}")


def _with(draft: Draft, text: str) -> Draft:
    return replace(draft, protocol=text)


def _typed(before: str, sent: FormData) -> str:
    if "text" in sent:
        text = str(sent["text"]).replace("\r\n", "\n")
        return text if text.endswith("\n") or not text else f"{text}\n"
    known = known_of(before)
    typed = {name[2:]: str(value).strip() for name, value in sent.multi_items() if name.startswith("p:")}
    return change_text(before, {path: value for path, value in typed.items() if value != known.get(path, "")})


def _start(request: Request, bench: Bench, draft: Draft) -> Response:
    path = _place(bench, draft)
    if not path.is_file():
        gone = SpecError(
            where="the file",
            got="no file",
            allowed="the file that was uploaded",
            remedy="It was removed from the folder of the workbench: upload it again.",
        )
        return _page(request, _shown(bench, draft, faults=(fault_of(gone),), status=422))
    faults, _, _ = _read(path, draft.protocol)
    if faults:
        return _page(request, _shown(bench, draft, status=422))
    job_id = fresh_id()
    folder = bench.store.job_folder(job_id)
    make_folder(folder / "data")
    copy_file(path, folder / "data" / path.name)
    write_text(folder / PLAN, draft.protocol)
    words = ("analyze", f"data/{path.name}", "--plan", PLAN, "--out", "report", "--json")
    job = bench.store.add_job(
        kind="analyze", title=draft.title, words=words, facts={"plan": draft.protocol}, job_id=job_id, draft=draft.id
    )
    bench.foreman.wake()
    return _to(f"/run/{job.id}")


def _title(text: str) -> str:
    return (known_of(text).get("title") or "Analysis of a file")[:120]


def _to(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})


def _page(request: Request, page: AnalyzePage) -> Response:
    answer = render_page(request, "analyze.html.jinja", page, status=page.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
