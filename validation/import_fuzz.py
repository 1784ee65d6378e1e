"""Mutated diary files (rows, calendars, REDCap exports and dictionaries, packed or not): diaries or a typed error.

The file must stay as it was, and rows kept and set aside must add up.

Run with ``make fuzz``; one argument is the number of files, 100,000 when left out.
"""

import gzip
import random
import sys
import tempfile
from pathlib import Path

from remission.errors import RemissionError
from remission.exchange.redcap import read_redcap
from remission.exchange.rows import Mapping
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
_IN_ROWS = (
    Mapping(),
    Mapping(amount="amount", amount_unit="g", use="use", assessed="rows"),
    Mapping(when_is="date"),
)
_IN_CALENDARS = (
    Mapping(layout="calendar", one_substance="a"),
    Mapping(layout="calendar", one_substance="a", amount_unit="g"),
    Mapping(layout="calendar", one_substance="a", when_is="date"),
)
_IN_REDCAP = Mapping(substance="drug", when="day", amount="much", amount_unit="g")


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
        for i in range(n_files):
            kind = ("rows", "calendar", "redcap", "dictionary")[i % 4]
            start = {"rows": _ROWS, "calendar": _CALENDAR}.get(kind, _EXPORT)
            content = start if kind == "dictionary" else mutated(start, rng)
            path.write_bytes(content)
            meaning = mutated(_DICTIONARY, rng) if kind == "dictionary" else _DICTIONARY
            dictionary.write_bytes(meaning)
            try:
                if kind in {"redcap", "dictionary"}:
                    report = read_redcap(path, dictionary, _IN_REDCAP).report
                else:
                    mappings = _IN_ROWS if kind == "rows" else _IN_CALENDARS
                    report = read_tlfb(path, mappings[i // 4 % 3]).report
            except RemissionError:
                pass
            except Exception:
                print(f"file {i}, {kind}: {content!r} {meaning!r}")
                raise
            else:
                n_read += 1
                assert report.n_kept + len(report.set_aside) == report.n_rows
            assert path.read_bytes() == content
            assert dictionary.read_bytes() == meaning
    print(f"{n_files} mutated files: {n_read} read, {n_files - n_read} refused with a typed error")


if __name__ == "__main__":
    main()
