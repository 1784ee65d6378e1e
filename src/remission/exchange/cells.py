"""What one cell says: a date in a declared form, a number, an answer, a substance. What is not plain is not read."""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from remission.errors import SpecError
from remission.records.packaged import packaged_toml

if TYPE_CHECKING:
    # Text in every cell; the class itself takes no type when the program runs.
    from typing import TypeAlias

    Cells: TypeAlias = "pd.Series[str]"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_FORM = re.compile(r"(year|month|day)([-/. ]?)(year|month|day)\2(year|month|day)( time)?")
_TIME = r"(?:(?:T|\s+)(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?)"
_ISO = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){_TIME}?")
_ALLOWED = (
    "date (year-month-day), month/day/year, day/month/year, day.month.year or another order of year, month and day, "
    "with ' time' after it where times are given; serial, serial-1904, iso-week; or day for a study day"
)
_SHORT = {"date": "year-month-day", "datetime": "year-month-day time"}
_EPOCH = {"serial": date(1899, 12, 30).toordinal(), "serial-1904": date(1904, 1, 1).toordinal()}
# Day numbers before March 1900 are off by one, because spreadsheets count a 29 February 1900.
_SERIALS = {"serial": (61, 2958465), "serial-1904": (1, 2957003)}
_TRIED = (
    "date", "datetime", "month/day/year", "day/month/year", "day.month.year", "month-day-year", "day-month-year",
    "year/month/day", "yearmonthday", "daymonthyear", "month/day/year time", "day/month/year time",
    "day.month.year time", "day month year", "serial", "iso-week",
)  # fmt: skip

_YES, _NO, _NOTHING, _NOT_KNOWN, _TOTALS, ANSWERS = (
    frozenset(packaged_toml("exchange", "cells.toml")[name])
    for name in ("yes", "no", "nothing", "not_known", "totals", "answers")
)
# Letters of other scripts that look like Latin ones, in the order of the second line.
_LIKE_LATIN = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u043a\u043c\u0442\u043d\u0432\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c4\u0131",
    "aeopcyxiskmthbaopvikti",
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# What a spreadsheet shows where a formula failed, as #DIV/0!, #NAME? and #N/A.
_ERROR = re.compile(r"#(?:n/a|[a-z][a-z0-9/_]*[!?])")
_SIGNS = {"point": ".", "comma": ",", "space": " ", "apostrophe": "'"}


def per_value(cells: "Cells", function: Callable[[str], Any], dtype: Any) -> np.ndarray:
    """A function of each cell, computed once for each text that occurs."""
    codes, texts = pd.factorize(cells)
    found = np.array([function(str(text)) for text in texts], dtype=dtype)
    return found[codes] if len(found) else np.zeros(len(cells), dtype=dtype)


@dataclass(frozen=True)
class DateForm:
    """A declared form of dates.

    words
        As the mapping says it.
    pattern
        Of the whole cell; None for day numbers.
    order
        Which group is the year, the month and the day.
    """

    words: str
    pattern: "re.Pattern[str] | None"
    order: tuple[str, ...] = ()

    def ordinal(self, cell: str, *, is_typed: bool = False) -> int | None:
        """The date's day number of the proleptic Gregorian calendar; None where the cell is no such date.

        ``is_typed``: the cell comes from a file that keeps dates as dates: written as year-month-day it is one in any
        form.
        """
        if is_typed and (match := _ISO.fullmatch(cell)):
            return _ordinal(match[1], match[2], match[3])
        if self.pattern is None:
            return self._serial(cell)
        match = self.pattern.fullmatch(cell)
        if match is None:
            return None
        if self.words == "iso-week":
            try:
                return date.fromisocalendar(int(match[1]), int(match[2]), int(match[3])).toordinal()
            except ValueError:
                return None
        part = dict(zip(self.order, match.groups(), strict=True))
        return _ordinal(part["year"], part["month"], part["day"])

    def _serial(self, cell: str) -> int | None:
        if not re.fullmatch(r"[0-9]{1,7}(?:[.,][0-9]+)?", cell):
            return None
        number = math.floor(float(cell.replace(",", ".")))
        low, high = _SERIALS[self.words]
        return _EPOCH[self.words] + number if low <= number <= high else None


def _ordinal(year: str, month: str, day: str) -> int | None:
    name = month.lower().rstrip(".")
    if name[:3] in _MONTHS and name in (name[:3], *_MONTH_NAMES, "sept"):
        month = str(_MONTHS.index(name[:3]) + 1)
    try:
        return date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return None


def read_date_form(words: str, *, where: str) -> DateForm:
    """A form of dates from its words.

    Raises SpecError: no such form.
    """
    form = _SHORT.get(words, words)
    if form in _EPOCH:
        return DateForm(form, None)
    if form == "iso-week":
        return DateForm(form, re.compile(r"([0-9]{4})-?W([0-9]{2})-?([1-7])"))
    match = _FORM.fullmatch(form)
    if match is None or len({match[1], match[3], match[4]}) != 3:
        raise SpecError(where=where, got=words, allowed=_ALLOWED)
    least = 2 if match[2] == "" else 1
    part = {
        "year": "([0-9]{4})",
        "month": rf"([0-9]{{{least},2}}|[A-Za-z]{{3}}{'' if match[2] == '' else '[A-Za-z]{0,6}[.]?'})",
        "day": f"([0-9]{{{least},2}})",
    }
    order = (match[1], match[3], match[4])
    between = rf"{re.escape(match[2])}\s*" if match[2] else ""
    time = f"{_TIME}?" if match[5] else ""
    return DateForm(form, re.compile(between.join(part[name] for name in order) + time), order)


def forms_that_fit(cells: "Cells") -> list[str]:
    """Forms under which every one of some cells is a date."""
    texts = [str(text) for text in pd.unique(cells[cells != ""])[:200]]
    fits = []
    for words in _TRIED if texts else ():
        form = read_date_form(words, where="")
        if all(form.ordinal(text) is not None for text in texts):
            fits.append(words)
    # A small whole number is a study day before it is a day of the year 1900.
    if fits == ["serial"] and all(float(text.replace(",", ".")) < 20_000 for text in texts):
        return ["day"]
    if "date" in fits:
        return ["date"]
    return [form for form in fits if form.removesuffix(" time") == form or form.removesuffix(" time") not in fits]


def number_of(
    cell: str, decimal: Literal["point", "comma"] = "point", thousands: str = "none", *, is_typed: bool = False
) -> float:
    """The number that a cell holds in the declared form; NaN where it holds none.

    Examples
    --------
    >>> number_of("1,5"), number_of("1,5", "comma"), number_of("1.250,5", "comma", "point")
    (nan, 1.5, 1250.5)
    """
    if is_typed and _NUMBER.fullmatch(cell):
        return _finite(cell)
    text = cell.replace("\u2212", "-").replace("\u00a0", " ").replace("\u202f", " ").replace("\u2019", "'")
    if thousands != "none":
        sign = _SIGNS[thousands]
        whole, mark, rest = text.partition(_SIGNS[decimal])
        if sign in whole:
            if not re.fullmatch(rf"[+-]?[0-9]{{1,3}}(?:{re.escape(sign)}[0-9]{{3}})+", whole):
                return math.nan
            text = whole.replace(sign, "") + mark + rest
    if decimal == "comma":
        if "." in text:
            return math.nan
        text = text.replace(",", ".")
    return _finite(text) if _NUMBER.fullmatch(text) else math.nan


def _finite(text: str) -> float:
    """The number; NaN where it is too large, or so small that it would become the 0 of a day without use."""
    value = float(text)
    is_rounded_away = value == 0.0 and re.search("[1-9]", re.split("[eE]", text)[0]) is not None
    return value + 0.0 if math.isfinite(value) and not is_rounded_away else math.nan


def answer_of(cell: str) -> int:
    """1 for a day with use, 0 for one without, -1 where the cell says neither."""
    word = cell.strip().casefold()
    return 1 if word in _YES else 0 if word in _NO else -1


def is_nothing(cell: str) -> bool:
    """Whether the cell in the place of a substance says that none was used."""
    return cell.casefold() in _NOTHING


def is_not_known(cell: str) -> bool:
    """Whether a cell that should name something says that the name is not known, or holds no letter and no digit.

    Examples
    --------
    >>> is_not_known("N/A"), is_not_known("?"), is_not_known("-99"), is_not_known("Alcohol")
    (True, True, True, False)
    """
    word = " ".join(cell.casefold().split()).strip("()[]<>")
    return (
        word in _NOT_KNOWN
        or _ERROR.fullmatch(word) is not None
        or (
            cell != ""
            and (not any(sign.isalnum() for sign in cell) or re.fullmatch(r"-[0-9]+(\.0+)?", cell) is not None)
        )
    )


def is_no_name(cell: str) -> bool:
    """Whether a cell in the place of a substance says that its name is not known, or is an answer and no name.

    Examples
    --------
    >>> is_no_name("?"), is_no_name("0"), is_no_name("no"), is_no_name("1"), is_no_name("Alcohol")
    (True, True, True, False, False)
    """
    # A number above 0 may be the code of a substance; 0 mostly stands for none.
    is_zero = _NUMBER.fullmatch(cell) is not None and float(cell) == 0.0
    return is_not_known(cell) or is_zero or (answer_of(cell) >= 0 and not cell.strip()[:1].isdigit())


def is_nobody(cell: str) -> bool:
    """Whether a cell that should name a person says that nobody is known. A number may be a name, whatever its sign."""
    return is_not_known(cell) and not any(sign.isdigit() for sign in cell)


def is_total(cell: str) -> bool:
    """Whether a cell in the place of a person heads a row of totals."""
    return cell.casefold().strip(" :=") in _TOTALS


def looks(cell: str) -> str:
    """What texts that look alike have in common: no case, accents, invisible signs, nor letters of other scripts."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", cell).casefold())
    seen = "".join(sign for sign in plain if unicodedata.category(sign) not in {"Mn", "Cf"})
    return seen.translate(_LIKE_LATIN)


def spelling(cell: str) -> str:
    """What spellings of one name have in common: letters that look alike, single spaces, no hyphens.

    Examples
    --------
    >>> spelling("ALCOHOL ") == spelling("alcohol"), spelling("Crack  cocaine") == spelling("crack-cocaine")
    (True, True)
    """
    return " ".join(re.sub(r"[-_\u2010-\u2015\s]+", " ", looks(cell)).strip(" .:").split()) or cell


def same_cell(cell: str, code: str) -> bool:
    """Whether a cell holds a code: the same text but for case, or the same number."""
    if cell.casefold() == code.casefold():
        return True
    numbers = [float(text) if _NUMBER.fullmatch(text) else math.nan for text in (cell, code)]
    return numbers[0] == numbers[1]
