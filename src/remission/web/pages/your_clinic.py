"""For a clinic: what a course costs at its own prices, and a page of its own diaries. Nothing is kept or assumed."""

import base64
import binascii
import re
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field, create_model
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from remission.errors import RemissionError, SpecError
from remission.evidence.care import number_of
from remission.extras import need_extra
from remission.files import scratch_folder, write_bytes
from remission.records.base import Record
from remission.web.figure import Figure, figure_of
from remission.web.language import load_text
from remission.web.page import PageRouter
from remission.web.problems import Fault, fault_of
from remission.web.queue import run_in_turn
from remission.web.render import render_page

router = PageRouter()
_MOST_BYTES = 2_000_000
_ENVELOPE_BYTES = 20_000
_MOST_ROWS_SHOWN = 6
_LONGEST = 40
_COUNTS = {"sessions", "therapy_sessions"}
_WORDS = load_text("en", "your_clinic")
_NAMES = tuple(box["name"] for part in _WORDS["cost"] for box in part["boxes"])


class CostLine(Record):
    """One item of a course: how it is computed, and its sum; None where a part of it was not given."""

    label: str
    how: str
    cost: float | None


class CourseCost(Record):
    """What a course costs: lines with a sum, the total of these, and what was not given and is in no sum."""

    lines: tuple[CostLine, ...]
    missing: tuple[str, ...]
    total: float
    per_session: float | None
    currency: str


class Preview(Record):
    """The beginning of a file: its columns and first rows, and the file itself for the next step."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    content: str


class DiaryPart(Record):
    """Diaries of one substance: how many people and days, statistics with intervals, pictures."""

    substance: str
    people: int
    asked: int
    statistics: tuple[tuple[str, str, str, str, str], ...]
    figures: tuple[Figure, ...]


class ClinicPage(Record):
    """What /planner/clinic shows.

    asked
        The cost form as typed. ``mapped``: the choices of columns as made.
    beside
        What patients were asked to pay elsewhere, with its source: beside the sum and in none.
    """

    asked: dict[str, str]
    cost: CourseCost | None = None
    beside: str
    takes_files: bool
    preview: Preview | None = None
    mapped: dict[str, str] = Field(default_factory=dict)
    parts: tuple[DiaryPart, ...] = ()
    set_aside: tuple[tuple[str, str, str, str], ...] = ()
    n_set_aside: int = 0
    cautions: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    status: int = 200


_Text = Annotated[str, Field(max_length=_LONGEST)]
_BOXES: dict[str, Any] = dict.fromkeys((*_NAMES, "currency"), (_Text, ""))
_Boxes: Any = create_model("_Boxes", __base__=Record, **_BOXES)


class CostQuery(_Boxes, extra="ignore", defer_build=False):
    """The cost form as it was typed."""


@router.page(
    "/planner/clinic",
    template="your_clinic.html.jinja",
    text="your_clinic",
    keeps_nothing=True,
    command="remission serve --clinician",
)
def clinic(request: Request, query: Annotated[CostQuery, Query()]) -> ClinicPage:
    """What a course costs your clinic, and your own diaries."""
    asked = {name: str(value) for name, value in query if str(value).strip()}
    try:
        return _page(request, asked=asked, cost=course_cost(asked) if asked else None)
    except SpecError as error:
        return _page(request, asked=asked, faults=tuple(fault_of(one) for one in error.faults), status=422)


def course_cost(asked: Mapping[str, str]) -> CourseCost:
    """The cost of a course from what was typed; an item of which a part is missing is named and in no sum.

    Parameters
    ----------
    asked
        Texts by the names of ``text/en/your_clinic.toml``; what is left out is not known, which is not zero.

    Raises
    ------
    SpecError
        A text is no number of 0 or more; all wrong ones are listed.
    """
    values, faults = {}, []
    for name in _NAMES:
        text = asked.get(name, "").strip()
        if text:
            try:
                values[name] = _number(name, text)
            except SpecError as error:
                faults.append(error)
    SpecError.check(faults)
    lines, missing = [], []
    for part in _WORDS["cost"]:
        for item in part.get("items", ()):
            # How many sessions there are says nothing yet of what an item costs.
            if not any(name in values for name in item["times"] if name not in _COUNTS):
                missing.append(item["label"])
                continue
            given = [values.get(name) for name in item["times"]]
            cost = prod(one for one in given if one is not None) if None not in given else None
            if cost is None:
                missing.append(f"{item['label']} (a part of it is missing)")
            lines.append(CostLine(label=item["label"], how=item["how"], cost=cost))
    total = sum(line.cost for line in lines if line.cost is not None)
    sessions = values.get("sessions", 0.0)
    return CourseCost(
        lines=tuple(lines),
        missing=tuple(missing),
        total=total,
        per_session=total / sessions if sessions else None,
        currency=asked.get("currency", "").strip(),
    )


def _number(name: str, text: str) -> float:
    plain = re.sub(r"^[$€£]\s*|\s*[$€£]$", "", text)
    if re.fullmatch(r"\d{1,7}(?:[.,]\d{1,2})?", plain):
        return float(plain.replace(",", "."))
    label = next(box["label"] for part in _WORDS["cost"] for box in part["boxes"] if box["name"] == name)
    raise SpecError(
        where=name, got=text, allowed=f"{label}: a number of 0 or more, such as 120 or 37.50",
        remedy="Write thousands without a sign: 1200.",
    )  # fmt: skip


def _page(request: Request, **more: Any) -> ClinicPage:
    price = number_of("price_infusion_wide")
    beside = f"{price.low:g} to {price.high:g} {price.unit} ({price.source}, read {price.read}, {price.grade})"
    given = {"asked": {}, "beside": beside, "takes_files": request.app.state.settings.is_clinician, **more}
    return ClinicPage.from_dict(given)


@router.routes.post("/planner/clinic", include_in_schema=False, response_model=None)
async def clinic_diary(request: Request) -> HTMLResponse:
    """A diary file: first its columns, then, with the choices of columns, its page. Nothing of it is kept."""
    if not request.app.state.settings.is_clinician:
        raise HTTPException(404)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _answer(request, _page(request, faults=(_fault("no file", "a form with a file"),), status=422))
    size = 0

    async def limited() -> Any:
        nonlocal size
        async for chunk in request.stream():
            size += len(chunk)
            if size > 2 * _MOST_BYTES + _ENVELOPE_BYTES:
                raise MultiPartException(f"more than {_MOST_BYTES // 1_000_000} MB")
            yield chunk

    try:
        form = await MultiPartParser(
            request.headers, limited(), max_files=1, max_fields=24, max_part_size=2 * _MOST_BYTES
        ).parse()
    except MultiPartException as error:
        fault = _fault(str(error)[:80], "a file of at most 2 MB, as this page sends it")
        return _answer(request, _page(request, faults=(fault,), status=422))
    try:
        name, content = await _file_of(form)
        chosen = {key: str(value).strip() for key, value in form.multi_items() if key.startswith("m_")}
    finally:
        await form.close()
    page = await run_in_turn("heavy", lambda: _read(request, name, content, chosen))
    return _answer(request, page)


async def _file_of(form: FormData) -> tuple[str, bytes]:
    """The file that was chosen, or the one that the last step carried along."""
    file = form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        return file.filename[-_LONGEST:], await file.read(_MOST_BYTES + 1)
    try:
        return str(form.get("name", ""))[-_LONGEST:], base64.b64decode(str(form.get("content", "")), validate=True)
    except (binascii.Error, ValueError):
        return "", b""


def _fault(got: str, allowed: str) -> Fault:
    return Fault(where="file", got=got, allowed=allowed, remedy="Nothing was kept.")


def _answer(request: Request, page: ClinicPage) -> HTMLResponse:
    answer = render_page(request, "your_clinic.html.jinja", page, text="your_clinic", status=page.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _read(request: Request, name: str, content: bytes, chosen: dict[str, str]) -> ClinicPage:
    if not content or len(content) > _MOST_BYTES:
        got = "no file" if not content else "more than 2 MB"
        return _page(request, faults=(_fault(got, "a file of diaries of at most 2 MB"),), status=422)
    try:
        need_extra("exchange", where="your clinic")
        with scratch_folder() as folder:
            # The name is shown and says the kind of the file; it never leads to another place.
            path = folder / (re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "file.csv")
            write_bytes(path, content)
            return _described(request, path, content, chosen)
    except RemissionError as error:
        faults = tuple(fault_of(one) for one in getattr(error, "faults", (error,)))
        shown = [one.model_copy(update={"where": one.where.rpartition("/")[2]}) for one in faults]
        return _page(
            request, faults=tuple(shown), mapped=chosen, status=422, **_preview_or_nothing(name, content),
        )  # fmt: skip


def _preview_or_nothing(name: str, content: bytes) -> dict[str, Any]:
    """The columns again, so that a wrong choice can be made anew; nothing where the file itself cannot be read."""
    try:
        with scratch_folder() as folder:
            path = folder / (re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "file.csv")
            write_bytes(path, content)
            return {"preview": _preview(path, name, content)}
    except RemissionError:
        return {}


def _preview(path: Path, name: str, content: bytes) -> Preview:
    from remission.exchange.tables import read_source

    cells = read_source(path, needed=[]).cells
    return Preview(
        name=name,
        columns=tuple(map(str, cells.columns)),
        rows=tuple(tuple(map(str, row)) for row in cells.head(_MOST_ROWS_SHOWN).itertuples(index=False)),
        content=base64.b64encode(content).decode(),
    )


def _described(request: Request, path: Path, content: bytes, chosen: dict[str, str]) -> ClinicPage:
    from remission.diaries.statistics import describe_all
    from remission.exchange.mapping import Mapping as Columns
    from remission.exchange.tlfb import read_tlfb
    from remission.report.describe_page import description_charts

    preview = _preview(path, path.name, content)
    if not chosen:
        return _page(request, preview=preview, mapped=_guessed(preview.columns))
    given = {key.removeprefix("m_"): value for key, value in chosen.items() if value}
    if "missing" in given:
        given["missing"] = tuple(one.strip() for one in given["missing"].split(",") if one.strip())  # type: ignore[assignment]  # read as a list
    known = {key: value for key, value in given.items() if key in Columns.__dataclass_fields__}
    found = read_tlfb(path, Columns(**known))  # type: ignore[arg-type]  # checked by the mapping itself
    parts = tuple(
        DiaryPart(
            substance=one.diaries.substance,
            people=int(one.diaries.assessed.any(axis=1).sum()),
            asked=int(one.diaries.assessed.sum()),
            statistics=tuple(
                (
                    s.label,
                    "not known" if s.value != s.value else f"{s.value:.3f}",
                    "" if s.low != s.low else f"{s.low:.3f} to {s.high:.3f}",
                    s.unit,
                    str(s.n),
                )
                for s in one.statistics
            ),
            figures=tuple(figure_of(chart) for chart in description_charts(one, prefix=f"s{number}-")),
        )
        for number, one in enumerate(describe_all(found.diaries).descriptions)
    )
    report = found.report
    return _page(
        request, preview=preview, mapped=chosen, parts=parts, n_set_aside=len(report.set_aside),
        set_aside=tuple((str(one.row), one.field, one.got, one.reason) for one in report.set_aside[:50]),
        cautions=report.cautions,
    )  # fmt: skip


def _guessed(columns: tuple[str, ...]) -> dict[str, str]:
    """A first choice of columns by their usual names; the reader sees it and decides."""
    found = {}
    for key, names in _WORDS["usual"].items():
        for column in columns:
            if column.strip().casefold() in names and f"m_{key}" not in found:
                found[f"m_{key}"] = column
    return found
