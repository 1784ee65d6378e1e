"""Mutated diary files, each under a mapping drawn from all options: diaries or a typed error.

Rows, calendars, REDCap exports, dictionaries, own exports, workbooks, files of statistics programs, packed or not.
The file must stay as it was, and rows kept and set aside must add up.

Run with ``make fuzz``; one argument is the number of files, 100,000 when left out.
"""

import gzip
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from remission.errors import RemissionError
from remission.exchange.mapping import Mapping
from remission.exchange.redcap import read_redcap
from remission.exchange.tlfb import read_tlfb

_ROWS = b'who,what,when,amount,use\n1,a,0,1.5,1\n2,"b",2024-01-01,,0\n3,a,-7,0,0\n'
_CALENDAR = b"who,day_0,day_1,2024-05-31,site\n1,1,,0,x\n2,0,3.5,1,y\n"
_EXPORT = b"record_id,redcap_repeat_instrument,redcap_repeat_instance,day,drug,much\n1,,,,,\n1,d,1,0,1,2\n2,d,1,5,2,\n"
_DICTIONARY = (
    b"field_name,field_type,select_choices_or_calculations,text_validation_type_or_show_slider_number,identifier\n"
    b'record_id,text,,,\nday,text,,integer,\ndrug,radio,"1, Alcohol | 2, Cocaine",,\nmuch,text,,number,\n'
)
_PIECES = (
    b"",
    b"\n",
    b'"',
    b",",
    b";",
    b"\t",
    b"\xff",
    b"9" * 12,
    b"\0",
    b"\r",
    b"e",
    b"-",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"nan",
)
_OWN = b"who,what,when,use,amount,unit,group,origin,weekday\n1,a,0,1,1.5,g,x,synthetic,monday\n2,a,0,,,g,,synthetic,\n"
_OWN_CALENDAR = b"who,day_-1,day_0,what,unit,origin\n1,,1,a,g,observed\n2,0,,a,g,observed\n"
_SU = b"USUBJID,SUTRT,SUDTC,SUOCCUR,SUDOSE,SUDOSU\n1,A,2024-03-14,Y,3,g\n1,A,2024-03-15T09:30,N,,\n1,,2024-03,Y,1,g\n"
_ANCHORED = (
    b"note\nwho;what;when;amount;use;unit;zero;arm\n1;Alcohol;31.12.2023;1.250,5;yes;g;01.01.2024;A\n"
    b"1;alcohol ;01.01.2024;999;no;g;;\n2;none;02.01.2024;;no-use;g;02.01.2024;B\n2;Alcohol;02.01.2024;2;y;g;;\n"
)
_FORMS = (
    "day", "date", "datetime", "month/day/year", "day.month.year", "day.month.year time", "serial", "serial-1904",
    "iso-week", "yearmonthday", "day-month-year",
)  # fmt: skip


def drawn_mapping(kind: str, rng: random.Random) -> Mapping | None:
    """A mapping with options from everything that a mapping can say; ``None`` for files that need none."""
    if kind == "own":
        return None
    usual = {"calendar": "day", "redcap": "day", "rows": "day.month.year"}[kind]
    when_is = rng.choice((usual, usual, rng.choice(_FORMS)))
    common: dict[str, Any] = {
        "when_is": when_is,
        "first_study_day": rng.choice([0, 1]),
        "assessed": rng.choice(["rows", "span"]),
        "missing": rng.choice([(), ("999", "-99", "NA"), {"amount": ("9",), "what": ("",)}]),
        "decimal": rng.choice(["point", "comma"]),
        "thousands": rng.choice(["none", "point", "comma", "space"]),
        "same_day": rng.choice([None, "add", "first", "last", "refuse"]),
        "empty_amount": rng.choice(["unknown", "use"]),
        "encoding": rng.choice([*[None] * 12, "cp1252", "utf-16", "no such"]),
    }
    if kind == "redcap":
        amounts: dict[str, Any] = {"amount": "much", "amount_unit": "g"} if rng.random() < 0.7 else {}
        return Mapping(substance="drug", when="day", **amounts, **{**common, "missing": ("9",)})
    if kind == "calendar":
        unit = rng.choice([None, "g"])
        named = rng.choice([None, None, "day_{day}"])
        return Mapping(layout="calendar", one_substance="a", amount_unit=unit, day_columns=named, **common)
    units: dict[str, Any] = rng.choice([{"amount_unit": "g"}, {"unit": "unit"}])
    return Mapping(
        amount="amount", use=rng.choice([None, "use"]), group=rng.choice([None, "arm"]),
        anchor=rng.choice([None, "zero"]), anchor_is=rng.choice([None, "date", "day.month.year"]),
        **units, **common,
    )  # fmt: skip


def typed_files(folder: Path) -> tuple[bytes, ...]:
    """A workbook, an SPSS, a Stata and a SAS transport file of the same rows."""
    import openpyxl
    import pyreadstat

    book = openpyxl.Workbook()
    for row in (["who", "what", "when", "amount"], [1, "a", 0, 1.5], [2, "b", 3, None]):
        book.active.append(row)
    book.save(folder / "f.xlsx")
    frame = pd.DataFrame({"who": [1.0, 2.0], "what": ["a", "b"], "when": [0.0, 3.0], "amount": [1.5, None]})
    pyreadstat.write_sav(frame, str(folder / "f.sav"))
    pyreadstat.write_dta(frame, str(folder / "f.dta"))
    pyreadstat.write_xport(frame, str(folder / "f.xpt"), file_format_version=5)
    return tuple((folder / f"f.{name}").read_bytes() for name in ("xlsx", "sav", "dta", "xpt"))


def mutated(start: bytes, rng: random.Random) -> bytes:
    """The file with up to eight pieces put in or taken out; one in twenty is packed, half of these damaged again."""
    content = bytearray(start)
    for _ in range(rng.randint(0, 8)):
        at = rng.randrange(len(content) + 1)
        content[at : at + rng.randint(0, 4)] = rng.choice(_PIECES)
    if rng.random() < 0.05:
        content = bytearray(gzip.compress(bytes(content), mtime=0))
        if rng.random() < 0.5:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def main() -> None:
    """Make, read, count."""
    n_files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng = random.Random(20260101)  # noqa: S311 - mutations, no secrets
    n_read = 0
    with tempfile.TemporaryDirectory() as folder:
        path, dictionary = Path(folder) / "fuzz.csv", Path(folder) / "dictionary.csv"
        typed = typed_files(Path(folder))
        for i in range(n_files):
            kind = ("rows", "calendar", "redcap", "dictionary", "own", "anchored", "typed")[i % 7]
            start = {
                "rows": rng.choice((_ROWS, _ANCHORED)), "anchored": _ANCHORED, "calendar": _CALENDAR,
                "own": rng.choice((_OWN, _OWN_CALENDAR, _SU)), "typed": rng.choice(typed),
            }.get(kind, _EXPORT)  # fmt: skip
            content = start if kind == "dictionary" else mutated(start, rng)
            path.write_bytes(content)
            meaning = mutated(_DICTIONARY, rng) if kind == "dictionary" else _DICTIONARY
            dictionary.write_bytes(meaning)
            named = {"dictionary": "redcap", "anchored": "rows", "typed": "rows"}.get(kind, kind)
            mapping = drawn_mapping(named, rng)
            if kind == "typed":
                mapping = rng.choice((None, Mapping(), Mapping(amount="amount", amount_unit="g")))
            elif kind == "rows" and rng.random() < 0.3:
                mapping = rng.choice((Mapping(), Mapping(when_is="date"), Mapping(use="use")))
            try:
                if named == "redcap":
                    report = read_redcap(path, dictionary, mapping).report
                else:
                    report = read_tlfb(path, mapping).report
            except RemissionError:
                pass
            except Exception:
                print(f"file {i}, {kind}: {content!r} {meaning!r} {mapping}")
                raise
            else:
                n_read += 1
                assert report.n_kept + len(report.set_aside) == report.n_rows
            assert path.read_bytes() == content
            assert dictionary.read_bytes() == meaning
    print(f"{n_files} mutated files: {n_read} read, {n_files - n_read} refused with a typed error")


if __name__ == "__main__":
    main()
