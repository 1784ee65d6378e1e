"""Find care: clinics near a ZIP code or town, by state, and how to check one. Nothing asked is kept or logged."""

from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse

from remission.clinics.clinic import Clinic
from remission.clinics.files import load_demonstration
from remission.clinics.geography import Spot, centroid_file, locate_zip, shown_distance_mi
from remission.clinics.places import find_place, states_of_place
from remission.clinics.search import Found, Wanted, find_clinics, is_visible
from remission.clinics.states import find_state, map_position, state_names
from remission.clinics.store import ClinicStore, default_store_path
from remission.errors import SpecError
from remission.evidence.care import Contacts
from remission.library.clinics.source import ArticleSource, load_article_source
from remission.records.base import Record
from remission.web.language import LANGUAGES, path_in
from remission.web.page import PageRouter
from remission.web.pages.help import contacts_here
from remission.web.problems import PageMissingError
from remission.web.queue import run_in_turn
from remission.web.render import render_page

__all__ = ["router", "store_of"]

router = PageRouter()
_LANGUAGES = tuple(LANGUAGES)
_register = partial(router.page, text="clinics", languages=_LANGUAGES, keeps_nothing=True)
_MOST_IN_BROWSER = 5000
_MOST_FORM_BYTES = 10_000
_Data = Annotated[Literal["demonstration"] | None, Query(description="demonstration: invented clinics, marked so.")]


class ClinicRow(Record):
    """One row as shown. ``distance_mi`` is rounded; ``x`` and ``y`` place it on the outline map."""

    clinic: Clinic
    distance_mi: int | None
    is_stale: bool
    is_old: bool
    position: tuple[float, float] | None


class StateCount(Record):
    """How many places a state has in the list."""

    code: str
    name: str
    n: int


class Question(Record):
    """What the reader asked, to fill the form again; never part of an address."""

    place: str = ""
    wanted: Wanted = Wanted()


class ClinicsPage(Record):
    """What the pages for finding care show.

    data
        ``none``: no list is loaded; ``loaded``: the operator's; ``demonstration``: invented places.
    fault
        What is wrong with the place asked for: ``empty``, ``unknown``, ``ambiguous`` (``fault_states`` lists them).
    spot
        Where distances start; None when nothing was asked.
    """

    data: Literal["none", "loaded", "demonstration"]
    n_clinics: int
    in_browser: bool
    contacts: Contacts | None
    article: ArticleSource
    medications: tuple[str, ...]
    payments: tuple[str, ...]
    languages: tuple[str, ...]
    states: tuple[StateCount, ...]
    question: Question = Question()
    fault: Literal["", "empty", "unknown", "ambiguous"] = ""
    fault_states: tuple[str, ...] = ()
    spot: Spot | None = None
    state: StateCount | None = None
    rows: tuple[ClinicRow, ...] | None = None
    status: int = 200


class CheckPage(Record):
    """What /clinics/check shows: its words are in the text files."""

    contacts: Contacts | None


def store_of(request: Request) -> ClinicStore:
    """The store that the server shows."""
    return ClinicStore(request.app.state.settings.clinics_store or default_store_path())


@lru_cache(maxsize=2)
def _read(path: Path, stamp: tuple[int, int]) -> tuple[Clinic, ...]:
    del stamp  # part of the key: a changed file is read again
    return tuple(clinic for clinic in ClinicStore(path).read() if is_visible(clinic))


def _clinics(request: Request, data: str | None) -> tuple[tuple[Clinic, ...], str, date]:
    """The clinics to show, what they are, and the day by which their age is judged."""
    store = store_of(request)
    loaded = _read(store.path, store.stamp())
    if data == "demonstration" or (not loaded and request.app.state.settings.demonstrates):
        invented = load_demonstration()
        # Invented rows never age: their newest is today's.
        return invented, "demonstration", max(clinic.last_verified for clinic in invented)
    return loaded, "loaded" if loaded else "none", date.today()  # noqa: DTZ011 - the operator's own calendar day


def _contacts(request: Request) -> Contacts | None:
    try:
        return contacts_here(request)
    except SpecError:
        return None


def _row(found: Found) -> ClinicRow:
    clinic = found.clinic
    position = None
    if clinic.country == "US" and clinic.lat_deg is not None and clinic.lon_deg is not None:
        position = map_position(lat_deg=clinic.lat_deg, lon_deg=clinic.lon_deg, state=clinic.region)
    return ClinicRow(
        clinic=clinic,
        distance_mi=None if found.distance_mi is None else shown_distance_mi(found.distance_mi),
        is_stale=found.is_stale,
        is_old=found.is_old,
        position=None if position is None else (round(position[0], 1), round(position[1], 1)),
    )


def _words(clinics: tuple[Clinic, ...], field: str) -> tuple[str, ...]:
    return tuple(sorted({word for clinic in clinics for word in getattr(clinic, field)}))


def _page(request: Request, data: str | None, **more: Any) -> ClinicsPage:
    clinics, kind, today = _clinics(request, data)
    counts = dict.fromkeys(state_names(), 0)
    # As many as the state's page then shows: it leaves out what nobody checked for long.
    for clinic in (one.clinic for one in find_clinics(clinics, Wanted(), spot=None, today=today)):
        if clinic.country == "US":
            counts[clinic.region] = counts.get(clinic.region, 0) + 1
    return ClinicsPage.from_dict(
        {
            "data": kind,
            "n_clinics": len(clinics),
            "in_browser": 0 < len(clinics) <= _MOST_IN_BROWSER,
            "contacts": _contacts(request),
            "article": load_article_source(),
            "medications": _words(clinics, "medications"),
            "payments": _words(clinics, "payment"),
            "languages": _words(clinics, "languages"),
            "states": tuple(
                StateCount(code=code, name=name, n=counts[code]) for code, name in state_names().items() if counts[code]
            ),
            **more,
        }
    )


@_register("/clinics", template="clinics.html.jinja")
def clinics_page(request: Request, data: _Data = None) -> ClinicsPage:
    """Find care near you: the question, the list by state, how to check a clinic."""
    return _page(request, data)


@_register("/clinics/state/{state}", template="clinics.html.jinja")
def clinics_state_page(request: Request, state: str, data: _Data = None) -> ClinicsPage:
    """The clinics of one state by city and name."""
    code = find_state(state)
    if code is None:
        raise PageMissingError(what="state", got=state, known=tuple(state_names()))
    clinics, _, today = _clinics(request, data)
    here = tuple(clinic for clinic in clinics if clinic.country == "US" and clinic.region == code)
    found = find_clinics(here, Wanted(), spot=None, today=today)
    count = StateCount(code=code, name=state_names()[code], n=len(found))
    return _page(request, data, state=count, rows=tuple(_row(one) for one in found))


@_register("/clinics/check", template="clinics_check.html.jinja")
def clinics_check_page(request: Request) -> CheckPage:
    """How to check a clinic before the first visit."""
    return CheckPage(contacts=_contacts(request))


@router.routes.get("/clinics/zips.json", include_in_schema=False)
def zips() -> Response:
    """The table of ZIP areas, always whole: a part of it would tell where the reader is."""
    return Response(centroid_file(), media_type="application/json", headers={"Cache-Control": "public, max-age=86400"})


async def _rows(request: Request, data: _Data = None) -> HTMLResponse:
    """All rows, for the browser to choose from, so that the question stays on the device."""
    return await run_in_turn("usual", lambda: _all_rows(request, data))


def _all_rows(request: Request, data: str | None) -> HTMLResponse:
    clinics, _, today = _clinics(request, data)
    shown = clinics if len(clinics) <= _MOST_IN_BROWSER else ()
    found = find_clinics(shown, Wanted(with_old=True), spot=None, today=today)
    page = _page(request, data, rows=tuple(_row(one) for one in found))
    answer = render_page(request, "clinics_rows.html.jinja", page, text="clinics")
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _search(request: Request) -> HTMLResponse:
    """The answer of this server to a browser without scripts, or to a town's name. Nothing of it is kept."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            raise SpecError(where="form", got="more than 10 kB", allowed="a short question")
    # Looking through a long list must not keep other readers waiting.
    return await run_in_turn("usual", lambda: _answer(request, body))


def _answer(request: Request, body: bytes) -> HTMLResponse:
    fields = {name: values[0].strip() for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    data = "demonstration" if fields.get("data") == "demonstration" else None
    radius = fields.get("radius", "50")
    wanted = Wanted.from_dict(
        {
            "radius_mi": int(radius) if radius.isascii() and radius.isdigit() and len(radius) < 4 else 0,
            **{name: fields.get(name) == "yes" for name in ("ketamine", "therapy", "with_old")},
            **{name: fields.get(name, "")[:60] for name in ("medication", "payment", "language")},
        }
    )
    place = fields.get("place", "")[:80]
    more: dict[str, Any] = {"question": Question(place=place, wanted=wanted)}
    spot = locate_zip(place) or find_place(place)
    if spot is not None:
        clinics, _, today = _clinics(request, data)
        found = find_clinics(clinics, wanted, spot=spot, today=today)
        more |= {"spot": spot, "rows": tuple(_row(one) for one in found)}
    else:
        states = states_of_place(place)
        fault = "ambiguous" if len(states) > 1 else "unknown" if place else "empty"
        more |= {"fault": fault, "fault_states": states, "status": 422}
    page = _page(request, data, **more)
    request.state.languages = _LANGUAGES
    answer = render_page(request, "clinics.html.jinja", page, text="clinics", status=page.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


for _language in _LANGUAGES:
    router.routes.add_api_route(path_in("/clinics/rows", _language), _rows, include_in_schema=False)
    router.routes.add_api_route(
        path_in("/clinics", _language), _search, methods=["POST"], include_in_schema=False, response_model=None
    )
