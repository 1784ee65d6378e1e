"""The operator's own list of lines to call and lists of places: a CSV, read whole or refused with every fault."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import get_args

from remission.clinics.columns import is_web_address
from remission.clinics.operator_csv import read_rows
from remission.clinics.reading import read_text
from remission.errors import SpecError, visible
from remission.evidence.care import Helpline, contacts_of, countries, dialled
from remission.files import refuse_pipes
from remission.web.language import LANGUAGES

_REQUIRED = ("country", "kind", "name", "checked")


def _named(column: str) -> dict[str, str]:
    """Columns of one thing by language."""
    return {code: column if code == "en" else f"{column}_{code}" for code in LANGUAGES}


_COLUMNS = tuple(
    dict.fromkeys((*_REQUIRED, "number", "text", "address", *_named("name").values(), *_named("note").values()))
)
_KINDS: tuple[str, ...] = get_args(Helpline.model_fields["kind"].annotation)
_NUMBER = re.compile(r"\+?\(?[0-9][0-9 ()./-]*")
_LONGEST, _LONGEST_ADDRESS, _MOST_DIGITS, _MOST_ROWS = 120, 2000, 15, 500
_MOST_DAYS = 366
"""A number that nobody called for longer is not offered to somebody in need."""


def read_helplines(path: Path, *, today: date) -> tuple[Helpline, ...]:
    """The rows of a list of helplines.

    Parameters
    ----------
    path
        CSV in UTF-8 with the columns country, kind, name and checked, and where they apply number, text, address, note,
        and name and note in other languages (docs/how-to/publish-the-pages.md).
    today
        A check after this day, or more than a year before it, is refused.

    Raises
    ------
    SpecError
        The file cannot be read, a row is wrong (all are named), or a country would be left without anybody to call.
    """
    refuse_pipes(path, allowed="a CSV file of helplines", where="--helplines")
    if not path.is_file():
        raise SpecError(where=f"--helplines {path}", got="no such file", allowed="a CSV file of helplines")
    try:
        text = read_text(path)
    except OSError as error:
        got = error.strerror or "unreadable"
        raise SpecError(where=f"--helplines {path}", got=got, allowed="a file that can be read") from None
    rows = read_rows(text, path.name)
    line, first = next(rows)
    header = [cell.strip().casefold() for cell in first]
    SpecError.check(_of_header(header, f"{path.name}, line {line}"))
    found: list[Helpline] = []
    faults: list[SpecError] = []
    lines: dict[tuple[str, str, str], int] = {}
    for line, cells in rows:
        if line > _MOST_ROWS:
            faults.append(_fault(path.name, line, "row", f"more than {_MOST_ROWS} rows", "a list of helplines"))
            break
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            allowed = f"{len(header)} cells, as the first line has"
            faults.append(
                _fault(path.name, line, "row", f"{len(cells)} cells", allowed, "A cell with a comma needs quotes.")
            )
            continue
        # The apostrophe that a spreadsheet puts before a plus belongs to the spreadsheet.
        plain = [re.sub(r"^'(?=[=+@-])", "", cell.strip()) for cell in cells]
        row = dict.fromkeys(_COLUMNS, "") | dict(zip(header, plain, strict=True))
        row |= {"country": row["country"].upper(), "kind": row["kind"].casefold()}
        wrong = list(_of_row(row, path.name, line, today=today))
        if not wrong:
            one = _helpline(row)
            key = (
                one.country,
                "line" if one.number and one.kind != "emergency" else one.kind,
                dialled(one.number) or one.address,
            )
            if key in lines:
                got = f"the same as line {lines[key]}"
                wrong = [_fault(path.name, line, "number" if one.number else "address", got, "each once in a country")]
            lines.setdefault(key, line)
            found.append(one)
        faults += wrong
    if not found and not faults:
        faults.append(_fault(path.name, line, "row", "no row", "at least one helpline below the first line"))
    SpecError.check(faults or _of_countries(found, path.name))
    return tuple(found)


def _of_header(header: Sequence[str], where: str) -> Iterator[SpecError]:
    for name in _REQUIRED:
        if name not in header:
            yield SpecError(where=where, got=f"no column {name}", allowed=f"the columns {', '.join(_REQUIRED)}")
    for name in dict.fromkeys(header):
        if name not in _COLUMNS:
            yield SpecError(
                where=where, got=f"a column {name or 'without a name'}", allowed=f"only {', '.join(_COLUMNS)}"
            )
        elif header.count(name) > 1:
            yield SpecError(where=where, got=f"{name} twice", allowed="each column once")


def _of_row(row: dict[str, str], file: str, line: int, *, today: date) -> Iterator[SpecError]:
    """What is wrong with a row, all of it."""
    fault = partial(_of_cell, row, file, line)
    kind, number = row["kind"], row["number"]
    if not re.fullmatch(r"[A-Z]{2}", row["country"]) or row["country"] == "UK":
        yield fault("country", "two letters of ISO 3166, such as US, GB or DE")
    if kind not in _KINDS:
        yield fault("kind", f"one of {', '.join(_KINDS)}")
    if not row["name"]:
        yield fault("name", "a name")
    for column, cell in row.items():
        if len(cell) > _LONGEST and column != "address":
            yield _fault(file, line, column, f"{len(cell)} letters", f"at most {_LONGEST}")
    yield from _of_extras(fault, row)
    if kind == "finder" and number:
        yield fault("number", "nothing: a finder has an address; give its telephone a row of its own")
    elif kind in _KINDS and kind != "finder":
        if not all(map(_is_number, number.split(" / ") if kind == "emergency" else [number])):
            yield fault("number", "a number to dial", "Write digits, also for letters such as HELP; add no words.")
        elif kind == "gone" and dialled(number) not in _shipped(row["country"]):
            known = ", ".join(_shipped(row["country"]).values()) or "none: the country has no line"
            yield fault("number", f"a line of the library, which is left out ({known})")
    yield from _of_day(fault, row["checked"], today)


def _of_extras(fault: Callable[..., SpecError], row: dict[str, str]) -> Iterator[SpecError]:
    if row["text"] and (row["kind"] not in {"crisis", "drugs"} or not re.fullmatch(r"\w{1,20}", row["text"])):
        yield fault("text", "one word to send to a line that takes messages and no calls, else nothing")
    is_address = row["address"].startswith("https://") and len(row["address"]) < _LONGEST_ADDRESS
    if row["kind"] == "finder" and not (is_address and is_web_address(row["address"])):
        yield fault("address", "the address of a list of places, with https://")
    elif row["kind"] != "finder" and row["address"]:
        yield fault("address", "nothing: only a finder has an address")


def _of_day(fault: Callable[..., SpecError], text: str, today: date) -> Iterator[SpecError]:
    try:
        age_days = (today - date.fromisoformat(text)).days
    except ValueError:
        yield fault("checked", f"the day on which somebody checked it, such as {today.isoformat()}")
        return
    if not 0 <= age_days <= _MOST_DAYS:
        allowed = f"a day of the year before {today.isoformat()}"
        yield fault("checked", allowed, "Call the number or open the address, and write the day.")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and 2 <= len(dialled(text).lstrip("+")) <= _MOST_DIGITS


def _helpline(row: dict[str, str]) -> Helpline:
    words = {
        one: {code: visible(row[name]) for code, name in _named(one).items() if row[name]} for one in ("name", "note")
    }
    plain = {name: row[name] for name in ("country", "kind", "number", "address", "checked")}
    return Helpline.from_dict({**plain, "text": row["text"] or None, "names": words["name"], "notes": words["note"]})


def _shipped(country: str) -> dict[str, str]:
    """Lines of the library, by what is dialled."""
    if country not in countries():
        return {}
    return {dialled(one.number): one.number for one in contacts_of(country).lines}


def _of_countries(found: Sequence[Helpline], file: str) -> Iterator[SpecError]:
    """A page without a number to call would be worse than none."""
    for country in dict.fromkeys(one.country for one in found):
        here = contacts_of(country, own=found)
        if not here.emergency:
            allowed = "a row of the kind emergency with the name of the country"
            yield SpecError(where=f"{file}, country {country}", got="no emergency number", allowed=allowed)
        if sum(one.kind == "emergency" and one.country == country for one in found) > 1:
            allowed = 'one row; several numbers stand in it with " / " between them'
            yield SpecError(where=f"{file}, country {country}", got="several emergency rows", allowed=allowed)
        if not any(one.kind == "crisis" for one in here.lines):
            allowed = "at least one line of the kind crisis"
            yield SpecError(where=f"{file}, country {country}", got="nobody to call in a crisis", allowed=allowed)


def _of_cell(row: dict[str, str], file: str, line: int, column: str, allowed: str, remedy: str = "") -> SpecError:
    return _fault(file, line, column, row[column] or "nothing", allowed, remedy)


def _fault(file: str, line: int, column: str, got: str, allowed: str, remedy: str = "") -> SpecError:
    return SpecError(where=f"{file}, line {line}, {column}", got=got, allowed=allowed, remedy=remedy)
