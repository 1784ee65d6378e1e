"""Files of one's own that belong to a draft: diaries of which people are drawn, and prices.

They lie in the folder of the workbench under names that say what is inside by its hash, so that results know whether
they are of these files; no page gives them out again.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from remission.errors import RemissionError, SpecError
from remission.files import copy_file, make_folder, scratch_folder, write_bytes
from remission.records.diaries import Diaries

OWN = {"diaries": "own_diaries", "prices": "own_prices"}
"""What a draft keeps of each file: its name, under this word of what is asked."""


def keep_own(folder: Path, asked: Mapping[str, Any], *, diaries: bytes, prices: str) -> dict[str, Any]:
    """What is asked, with diaries and prices kept in ``folder``; prices without text are taken out.

    Raises SpecError: the diaries cannot be read; nothing is kept then.
    """
    from remission.door.diaries import all_diaries

    kept = {name: value for name, value in asked.items() if name != OWN["prices"]}
    make_folder(folder)
    if diaries:
        kept[OWN["diaries"]] = f"diaries-{_hash(diaries)}.parquet"
        with scratch_folder() as place:
            write_bytes(place / "diaries.parquet", diaries)
            try:
                all_diaries(place / "diaries.parquet")
            except RemissionError as error:
                raise SpecError.from_faults([
                    SpecError(where="diaries", got=one.got, allowed=one.allowed, remedy=one.remedy)
                    for one in getattr(error, "faults", (error,))
                ]) from None  # fmt: skip
        write_bytes(folder / kept[OWN["diaries"]], diaries, replace=True)
    if prices.strip():
        content = prices.replace("\r\n", "\n").encode()
        path = folder / f"prices-{_hash(content)}.yaml"
        write_bytes(path, content, replace=True)
        kept[OWN["prices"]] = path.name
    return kept


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


@lru_cache(maxsize=4)
def read_own(path: Path) -> tuple[Diaries, ...]:
    """The diaries of a kept file; its name changes with its content. Raises SpecError: they cannot be read."""
    from remission.door.diaries import all_diaries

    return all_diaries(path)


def prices_text(folder: Path, asked: Mapping[str, Any]) -> str:
    """The prices of a draft as they were typed."""
    path = folder / str(asked.get(OWN["prices"]) or "-")
    return path.read_text("utf-8") if path.is_file() else ""


def copy_own(folder: Path, place: Path, asked: Mapping[str, Any]) -> None:
    """Take the files of a draft along to another folder. Raises SpecError: one is gone."""
    for what, name in OWN.items():
        if not asked.get(name):
            continue
        if not (folder / str(asked[name])).is_file():
            raise SpecError(where=f"your {what}", got="no file", allowed="the file that was kept with this draft",
                            remedy="It was removed from the folder of the workbench: send it again.")  # fmt: skip
        make_folder(place)
        copy_file(folder / str(asked[name]), place / str(asked[name]))
