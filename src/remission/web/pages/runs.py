"""The jobs of the workbench: what waits, runs and ended, each with its log, numbers and files; two of them compared."""

import json
import mimetypes
from datetime import datetime
from pathlib import Path
from shlex import join
from typing import Annotated, Any
from urllib.parse import quote

import numpy as np
from fastapi import Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from remission.errors import RemissionError
from remission.files import remove_folder
from remission.records.base import Record
from remission.web.bench.drawing import Point, Series, power_svg
from remission.web.bench.entry import Bench, bench_of, bench_there, read_form
from remission.web.bench.results import Found, read_found, run_folder_of, table
from remission.web.bench.store import Job
from remission.web.figure import FigureTable
from remission.web.page import PageRouter
from remission.web.problems import Fault, PageMissingError, fault_of
from remission.web.queue import run_in_turn

router = PageRouter()
_MOST_FILES = 400
_MOST_LOG = 12_000


class JobLine(Record):
    """One job in a list; ``left_s`` while it runs and its pace is known. [s]"""

    id: str
    number: int
    kind: str
    title: str
    state: str
    command: str
    asked_at: str
    took_s: float | None = None
    part: str = ""
    share: float | None = None
    left_s: float | None = None
    draft: str = ""
    is_gone: bool = False


class RunsPage(Record):
    """What /runs shows.

    folders
        Runs in the folder of the workbench that no job here wrote.
    compared
        Two jobs side by side, where two were chosen.
    """

    jobs: tuple[JobLine, ...]
    folders: tuple[str, ...]
    mark: str
    compared: FigureTable | None = None
    chosen: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    status: int = 200


class RunFile(Record):
    """A file that a job wrote."""

    name: str
    size_bytes: int


class RunPage(Record):
    """What /run/{id} shows.

    facts
        The manifest, or what is known of how the result was made.
    points
        Power as it stands while the job runs: people, share, Monte Carlo error, trials, whether of a first look.
    """

    job: JobLine
    mark: str
    log: str
    faults: tuple[Fault, ...] = ()
    found: Found | None = None
    points: tuple[Point, ...] = ()
    power: Any = Field(default=None, exclude=True)
    facts: tuple[tuple[str, str], ...] = ()
    files: tuple[RunFile, ...] = ()
    scored: FigureTable | None = None
    first: int | None = None
    last: int | None = None
    replicate: int = 0
    status: int = 200


@router.page(
    "/runs",
    template="runs.html.jinja",
    keeps_nothing=True,
    copied="never",
    command="remission serve --workbench FOLDER",
)
def runs(request: Request, job: Annotated[list[str] | None, Query(max_length=4)] = None) -> RunsPage:
    """The jobs of the workbench, and two of them compared."""
    bench = bench_of(request)
    jobs = bench.store.jobs()
    known = [line_of(bench, one) for one in jobs]
    homes = (run_folder_of(bench.store.job_folder(one.id)) for one in jobs if one.kind == "run")
    written = {home.name for home in homes if home is not None}
    chosen = tuple(job or ())
    page: dict[str, Any] = {
        "jobs": tuple(known),
        "mark": bench.mark,
        "chosen": chosen,
        "folders": tuple(name for name in _runs_there(bench) if name not in written),
    }
    page["faults"] = trouble_of(bench, *jobs)
    if not chosen:
        return RunsPage(**page)
    if len(set(chosen)) != 2:
        fault = Fault(where="job", got=f"{len(set(chosen))} jobs", allowed="two jobs to compare")
        return RunsPage(**{**page, "faults": (*page["faults"], fault)}, status=422)
    return RunsPage(**page, compared=compare_jobs(*(_job(bench, one) for one in chosen), bench=bench))


@router.page(
    "/run/{job_id}",
    template="run.html.jinja",
    keeps_nothing=True,
    copied="never",
    command="remission serve --workbench FOLDER",
)
def run(
    request: Request,
    job_id: str,
    n: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
    first: Annotated[int | None, Query(ge=-3650, le=3650)] = None,
    last: Annotated[int | None, Query(ge=-3650, le=3650)] = None,
    replicate: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> RunPage:
    """One job: how far it is, what it found, its log and files."""
    bench = bench_of(request)
    job = _job(bench, job_id)
    folder = _folder_of(bench, job)
    line = line_of(bench, job)
    faults = (*(Fault(**one) for one in job.failure), *trouble_of(bench, job))
    found = read_found(job, folder, size=n) if job.state == "done" else None
    if line.is_gone or (job.state == "done" and found is None):
        faults += (_GONE,)
    progress = bench.foreman.progress(job.id)
    points = () if progress is None else tuple(Point(**one) for one in list(progress.points.values()))
    facts = [("Command", line.command), ("Asked for", job.asked_at), ("Begun", job.begun_at), ("Ended", job.ended_at)]
    home = _home_of(folder, job)
    if home is not None and (home / "manifest.json").is_file():
        facts += _manifest(home / "manifest.json")
    scored = None
    if home is not None and job.kind in _RUNS and found is not None:
        scored, wrong = _scored(home, first, last, replicate)
        faults += wrong
    return RunPage(
        job=line,
        scored=scored,
        first=first,
        last=last,
        replicate=replicate,
        mark=bench.mark,
        log=job.log[-_MOST_LOG:],
        faults=faults,
        found=found,
        points=points,
        power=power_svg([Series(label="so far", points=points)], goal=None) if points else None,
        facts=tuple((name, words) for name, words in facts if words),
        files=tuple(_files(folder, home)) if home is not None else (),
        status=200,
    )


def trouble_of(bench: Bench, *jobs: Job) -> tuple[Fault, ...]:
    """Why jobs that wait are not begun, if something is in the way of the queue."""
    trouble = bench.foreman.trouble
    if trouble is None or all(one.state != "waiting" for one in jobs):
        return ()
    remedy = f"The queue waits and goes on by itself. {trouble.remedy}".strip()
    return (fault_of(trouble).model_copy(update={"remedy": remedy}),)


def _scored(
    folder: Path, first: int | None, last: int | None, replicate: int
) -> tuple[FigureTable | None, tuple[Fault, ...]]:
    """Named endpoints of the kept days of one trial by arm, over other days than the protocol's: nothing is simulated.

    Without both days nothing is asked.
    """
    from remission.door.diaries import compute_endpoints

    if first is None or last is None:
        return None, ()
    try:
        found = compute_endpoints(folder, window=(first, last), replicate=replicate)
    except RemissionError as error:
        return None, (fault_of(error),)
    group = np.array(found.people.columns["group"])
    arms = sorted(set(group.tolist()))
    rows = []
    for name, values in found.values.items():
        one = found.endpoints[name]
        means = [values[(group == arm) & np.isfinite(values)] for arm in arms]
        rows.append((one.label, *(f"{part.mean():.3g} ({part.size})" if part.size else "nobody" for part in means)))
    return table(("endpoint", *arms), rows), ()


_GONE = Fault(
    where="the folder of this job",
    got="no folder, or files that are not the command's",
    allowed="what the command wrote",
    remedy="It was removed or changed by somebody else. The list here is all that is left; start the job again.",
)


def line_of(bench: Bench, job: Job) -> JobLine:
    """A job as a line of a list."""
    progress = bench.foreman.progress(job.id) if job.state == "running" else None
    took = None
    if job.begun_at and job.ended_at:
        took = (datetime.fromisoformat(job.ended_at) - datetime.fromisoformat(job.begun_at)).total_seconds()
    return JobLine(
        id=job.id,
        number=job.number,
        kind=job.kind,
        title=job.title,
        state=job.state,
        command=command_of(job),
        asked_at=job.asked_at,
        took_s=took,
        part="" if progress is None else progress.part,
        share=None if progress is None else progress.share,
        left_s=None if progress is None else progress.left_s,
        draft=job.draft,
        is_gone=not _folder_of(bench, job).is_dir(),
    )


def command_of(job: Job) -> str:
    """The command that gives the same on a command line, in the folder of the job."""
    return (
        ""
        if job.kind == "elsewhere"
        else join(("remission", *(word for word in job.words if word not in {"--json", "--yes"})))
    )


_RUNS = {"run", "elsewhere"}
_ELSEWHERE = "at-"


def _runs_there(bench: Bench) -> list[str]:
    """Names of the runs in the folder of the workbench, whoever wrote them."""
    return sorted(path.name for path in (bench.store.folder / "runs").glob("*") if (path / "manifest.json").is_file())


def _folder_of(bench: Bench, job: Job) -> Path:
    return bench.store.folder / "runs" / job.title if job.kind == "elsewhere" else bench.store.job_folder(job.id)


def _home_of(folder: Path, job: Job) -> Path | None:
    """Where the files of a job lie that can be taken along."""
    if job.kind == "elsewhere":
        return folder
    return run_folder_of(folder) if job.kind == "run" else folder / "report"


def _job(bench: Bench, job_id: str) -> Job:
    """A job of the queue, or a run that was made elsewhere and is only read."""
    name = job_id.removeprefix(_ELSEWHERE)
    # A name of the list, so that it leads nowhere else.
    if name != job_id and name in _runs_there(bench):
        return Job(id=job_id, number=0, kind="elsewhere", title=name, words=(), state="done")
    found = bench.store.job(job_id)
    if found is None:
        raise PageMissingError(what="job", got=job_id, known=[one.id for one in bench.store.jobs(most=20)])
    return found


def compare_jobs(one: Job, other: Job, *, bench: Bench) -> FigureTable:
    """What two jobs were asked and what they found, row by row: equal, different, or only in one of them."""

    def rows(job: Job) -> dict[str, str]:
        found = read_found(job, _folder_of(bench, job))
        told = {
            "command": command_of(job),
            "state": job.state,
            **{str(name): str(value) for name, value in job.facts.get("shown", {}).items()},
        }
        if found is None:
            return told
        told["answer"] = found.headline
        for title, part in found.tables:
            for row in part.rows:
                # A row is known by what it is of, its words, and a number of people.
                keys = [cell for cell, column in zip(row, part.columns, strict=True) if column in _KEYS]
                for column, cell in zip(part.columns, row, strict=True):
                    if column not in _KEYS and cell:
                        told[f"{title}: {', '.join(filter(None, keys))}: {column}"] = cell
        return told

    left, right = rows(one), rows(other)
    names = [*left, *(name for name in right if name not in left)]

    def said(name: str) -> str:
        if name not in left or name not in right:
            return "only in the first" if name in left else "only in the second"
        return "equal" if left[name] == right[name] else "differs"

    return table(
        ("what", *(f"{job.number}. {job.title}" if job.number else job.title for job in (one, other)), ""),
        [(name, left.get(name, ""), right.get(name, ""), said(name)) for name in names],
    )


_KEYS = {"analysis", "people", "null", "scenario", "design", "outcome", "statistic", "arm"}


def _manifest(path: Path) -> list[tuple[str, str]]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    names = ("protocol", "protocol_sha256", "parameter_set", "seed", "n_replicates", "versions", "source_sha256")
    return [
        (name.replace("_", " "), one if isinstance(one := content[name], str) else json.dumps(one))
        for name in names
        if name in content
    ]


def _files(folder: Path, home: Path) -> list[RunFile]:
    """What can be taken along: of the report, or of the run."""
    inside = [path for path in sorted(home.rglob("*")) if path.is_file()]
    found = [(f"report/{path.relative_to(home).as_posix()}", path) for path in inside[:_MOST_FILES]]
    if home == folder:
        return [RunFile(name=name, size_bytes=path.stat().st_size) for name, path in found]
    found += [(name, folder / name) for name in ("protocol.yaml", "worlds.yaml", "plan.yaml", "result.json")]
    return [RunFile(name=name, size_bytes=path.stat().st_size) for name, path in found if path.is_file()]


@router.routes.get("/run/{job_id}/file/{name:path}", include_in_schema=False, response_model=None)
async def run_file(request: Request, job_id: str, name: str) -> Response:
    """A file that a job wrote; pages of reports are shown without scripts and with their own styles only."""
    bench = bench_of(request)
    path = await run_in_turn("usual", lambda: _place(bench, job_id, name))
    headers = {"Cache-Control": "no-store"}
    if path.suffix == ".html":
        headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; sandbox"
        )
        return FileResponse(path, media_type="text/html", headers=headers)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers=headers, filename=path.name)


def _place(bench: Bench, job_id: str, name: str) -> Path:

    job = _job(bench, job_id)
    folder = _folder_of(bench, job)
    home = folder
    parts = name.split("/")
    if job.kind in _RUNS and parts[0] == "report":
        found = _home_of(folder, job)
        if found is None:
            raise HTTPException(404)
        home, parts = found, parts[1:]
    if (
        not parts
        or any(part in {"", ".", ".."} or "\0" in part or "\\" in part for part in parts)
        or parts[0] == "data"
    ):
        raise HTTPException(404)
    path = home.joinpath(*parts)
    # A link would lead out of the folder; data of people are never given out again.
    if not path.is_file() or not path.resolve().is_relative_to(home.resolve()):
        raise PageMissingError(what="file", got=name, known=())
    return path


@router.routes.post("/run/{job_id}/{action}", include_in_schema=False, response_model=None)
async def change_run(request: Request, job_id: str, action: str) -> Response:
    """Cancel, resume or remove a job."""
    bench = bench_of(request)
    sent = await read_form(request)
    job = await run_in_turn("usual", lambda: _job(bench, job_id))
    if action not in _ACTIONS or job.kind == "elsewhere":
        raise HTTPException(404)
    # From the page of a design one comes back to it.
    draft = str(sent.get("draft", ""))
    back = f"/design?draft={quote(draft)}&job={quote(job.id)}" if draft else f"/run/{quote(job.id)}"
    if action == "remove":
        await run_in_turn("usual", lambda: _remove(bench, job))
        back = "/runs"
    elif action == "cancel":
        await run_in_turn("usual", lambda: bench.foreman.cancel(job.id))
    elif not bench.store.job_folder(job.id).is_dir():
        raise RemissionError(where=_GONE.where, got=_GONE.got, allowed=_GONE.allowed, remedy=_GONE.remedy)
    else:
        await run_in_turn("usual", lambda: bench.foreman.resume(job.id))
    return RedirectResponse(back, status_code=303, headers={"Cache-Control": "no-store"})


_ACTIONS = {"cancel", "resume", "remove"}


def _remove(bench: Bench, job: Job) -> None:
    bench.foreman.cancel(job.id)
    bench.store.drop_job(job.id)
    remove_folder(bench.store.job_folder(job.id))


@router.routes.get("/workbench", include_in_schema=False, response_model=None)
async def enter(request: Request, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Come in by the address that the command printed: the token becomes a cookie, and leaves the address."""
    bench = bench_there(request)
    if not token:
        bench_of(request)
        return RedirectResponse("/design", status_code=303, headers={"Cache-Control": "no-store"})
    if not bench.is_token(token):
        raise HTTPException(403)
    answer = RedirectResponse("/design", status_code=303, headers={"Cache-Control": "no-store"})
    answer.set_cookie(bench.cookie, bench.token, httponly=True, samesite="strict", path="/")
    return answer
