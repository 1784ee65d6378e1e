"""The guesses of a finished trial in the browser: a table in, its analysis out; the table is read once and not kept."""

import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli
from fastapi import Request, Response
from starlette.datastructures import FormData

from remission.errors import RemissionError
from remission.extras import need_extra
from remission.files import scratch_folder, write_bytes
from remission.records.base import Record
from remission.web.bench.entry import MOST_FILE, bench_of, file_of, read_form
from remission.web.bench.state import Field
from remission.web.figure import Figure, FigureTable, figure_of
from remission.web.page import PageRouter
from remission.web.problems import Fault, fault_of
from remission.web.queue import run_in_turn
from remission.web.render import render_page

router = PageRouter()
_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xpt", ".sav", ".dta", ".parquet")
_MOST_TYPED = 400
_MOST_NOT_USED = 20


class GuessesFound(Record):
    """What an analysis of guesses says.

    paragraph
        For a report.
    not_used
        The first rows that nobody could use, with the reason; ``n_not_used`` of them.
    """

    verdict: tuple[str, ...]
    tables: tuple[tuple[str, FigureTable], ...]
    figures: tuple[Figure, ...]
    paragraph: str
    command: str
    not_used: FigureTable
    n_not_used: int


class GuessesPage(Record):
    """What /blinding/guesses shows: the boxes, and what was found in the table that was sent."""

    mark: str
    boxes: tuple[Field, ...]
    found: GuessesFound | None = None
    faults: tuple[Fault, ...] = ()
    status: int = 200


@cache
def _form() -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = tomli.loads(
        files("remission.web.bench").joinpath("guesses.toml").read_text("utf-8")
    )["fields"]
    return fields


@router.page(
    "/blinding/guesses", template="guesses.html.jinja", keeps_nothing=True, copied="never",
    command="remission blinding analyze FILE",
)  # fmt: skip
def guesses(request: Request) -> GuessesPage:
    """The boxes for a table of guesses."""
    return _shown(request, {})


@router.routes.post("/blinding/guesses", include_in_schema=False, response_model=None)
async def analyze(request: Request) -> Response:
    """Read the table that was sent, and show what it says."""
    bench_of(request)
    sent = await read_form(request, most=MOST_FILE + 100_000)
    try:
        found = await file_of(sent)
    finally:
        await sent.close()
    page = await run_in_turn("heavy", lambda: _analyzed(request, sent, found))
    answer = render_page(request, "guesses.html.jinja", page, status=page.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _few(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Of rows with the same word at the same column the first one, in the words of the page."""
    rows: dict[tuple[str, str, str], list[Fault]] = {}
    for one in faults:
        rows.setdefault((one.where.rpartition(", ")[2], one.got, one.allowed), []).append(one)
    for first, *others in rows.values():
        more = f" and {len(others)} more row{'s' if len(others) > 1 else ''}" if others else ""
        remedy = first.remedy.replace(
            "--drug WORD, --control WORD, --unsure WORD",
            "in the boxes for words of the drug, the control and the unsure",
        )
        yield first.replace(where=first.where + more, remedy=remedy)


def _shown(request: Request, typed: dict[str, str], *faults: Fault, found: GuessesFound | None = None) -> GuessesPage:
    boxes = []
    for one in _form():
        name = one["name"].rpartition(".")[2]
        wrong = next((fault for fault in faults if fault.where.rpartition(", ")[2].rpartition(".")[2] == name), None)
        boxes.append(Field(
            name=one["name"], label=one["label"], hint=one.get("hint", ""), choices=tuple(one.get("choices", ())),
            value=typed.get(one["name"], one.get("choices", [""])[0]),
            fault="" if wrong is None else f"got {wrong.got}; expected {wrong.allowed}",
        ))  # fmt: skip
    return GuessesPage(mark=bench_of(request).mark, boxes=tuple(boxes), faults=faults, found=found,
                       status=422 if faults else 200)  # fmt: skip


def _analyzed(request: Request, sent: FormData, found: tuple[str, bytes] | None) -> GuessesPage:
    from remission.blinding.finished import analyze_finished
    from remission.exchange.guesses import read_guesses

    typed = {one["name"]: str(sent.get(one["name"], "")).strip()[:_MOST_TYPED] for one in _form()}
    name, content = found or ("", b"")
    ending = Path(name).suffix.lower()
    fault = None
    if not content:
        fault = Fault(where="file", got="an empty file" if name else "no file", allowed="a table of guesses")
    elif len(content) > MOST_FILE:
        fault = Fault(where="file", got="more than 50 MB", allowed="at most 50 MB")
    elif ending not in _ENDINGS:
        fault = Fault(where="file", got=ending or "a name without an ending", allowed=", ".join(_ENDINGS))
    if fault is not None:
        return _shown(request, typed, fault)
    try:
        need_extra("exchange", where="/blinding/guesses")
        # Under a name of ours, so that no message has that of the reader's file; gone when this is answered.
        with scratch_folder() as place:
            write_bytes(place / f"guesses{ending}", content)
            result = analyze_finished(read_guesses(place / f"guesses{ending}", _changes(typed)))
    except RemissionError as error:
        return _shown(request, typed, *_few(map(fault_of, getattr(error, "faults", (error,)))))
    return _shown(request, typed, found=_told(result, typed, ending))


def _changes(typed: dict[str, str]) -> dict[str, Any]:
    """What was typed, as fields of a file of guesses."""
    changes: dict[str, Any] = {}
    for name, text in typed.items():
        group, dot, key = name.partition(".")
        if not text:
            continue
        if group == "words":
            changes.setdefault("words", {})[key] = [word.strip() for word in text.split(",") if word.strip()]
        elif dot:
            changes.setdefault(group, {})[key] = text
        elif name == "where":
            pairs = (part.partition("=") for part in text.split(","))
            changes["where"] = {key.strip(): value.strip() for key, _, value in pairs}
        else:
            changes[name] = text
    return changes


def _command(typed: dict[str, str], ending: str) -> str:
    """The command that says the same of the file, wherever it lies."""
    words = ["remission", "blinding", "analyze", f"FILE{ending}"]
    for name, text in typed.items():
        group, _, key = name.partition(".")
        if not text or name in {"unit", "outcome"}:
            words += ["--share"] if (name, text) == ("outcome", "share") else []
        elif group == "columns":
            words += ["--column", f"{key}={text}"]
        else:
            option = {"words": f"--{key}", "where": "--where"}.get(group, f"--{name.replace('_', '-')}")
            split = text.split(",") if group in {"words", "where"} else [text]
            words += [part for one in split if one.strip() for part in (option, one.strip())]
    return shlex.join(words)


def _told(result: Any, typed: dict[str, str], ending: str) -> GuessesFound:
    from remission.report.blinding_charts import curve_chart, worlds_chart
    from remission.report.blinding_words import guesses_paragraph, guesses_rows

    charts = ([curve_chart(result)] if result.curve else []) + ([worlds_chart(result)] if result.worlds else [])
    lost = result.trial.not_used
    tables = ((title, FigureTable(columns=head, rows=tuple(rows))) for title, head, rows in guesses_rows(result))
    return GuessesFound(
        verdict=result.verdict, figures=tuple(figure_of(one) for one in charts), paragraph=guesses_paragraph(result),
        tables=tuple(tables), command=_command(typed, ending), n_not_used=len(lost),
        not_used=FigureTable(columns=("row", "why"), rows=tuple((str(row), why) for row, why in lost[:_MOST_NOT_USED])),
    )  # fmt: skip
