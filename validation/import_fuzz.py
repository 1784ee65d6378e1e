"""Mutated diary files: each must give diaries or a typed error, and stay as it was.

Run with ``make fuzz``; one argument is the number of files, 100,000 when left out.
"""

import random
import sys
import tempfile
from pathlib import Path

from remission.errors import RemissionError
from remission.exchange.tlfb import Mapping, read_tlfb

_START = b'who,what,when,amount,use\n1,a,0,1.5,1\n2,"b",2024-01-01,,0\n3,a,-7,0,0\n'
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
_MAPPINGS = (Mapping(), Mapping(amount="amount", amount_unit="g", use="use", assessed="rows"), Mapping(when_is="date"))


def main() -> None:
    n_files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng = random.Random(20260101)  # noqa: S311 - mutations, no secrets
    n_read = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.csv"
        for i in range(n_files):
            content = bytearray(_START)
            for _ in range(rng.randint(1, 8)):
                at = rng.randrange(len(content) + 1)
                content[at : at + rng.randint(0, 4)] = rng.choice(_PIECES)
            path.write_bytes(content)
            try:
                report = read_tlfb(path, _MAPPINGS[i % 3]).report
            except RemissionError:
                pass
            except Exception:
                print(f"file {i}: {bytes(content)!r}")
                raise
            else:
                n_read += 1
                assert report.n_kept + len(report.set_aside) == report.n_rows
            assert path.read_bytes() == content
    print(f"{n_files} mutated files: {n_read} read, {n_files - n_read} refused with a typed error")


if __name__ == "__main__":
    main()
