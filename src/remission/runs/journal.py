"""Pieces of long work, kept as they are done, so that a design that was ended goes on where it was.

A design does the same pieces in the same order whenever it is started alike. A piece is known by the number of its
place, and a line of the journal holds that number and what the piece gave. A line that was cut off by the end of the
process is not read: its piece is done again. Numbers are kept to the last bit. One command at a time writes to it.
"""

import base64
import json
import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import fields, is_dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from remission.errors import WorkError
from remission.runs.crew import Crew

try:
    import fcntl
except ImportError:  # not on every system; without locks a second command is not seen
    fcntl = None  # type: ignore[assignment]  # a module or nothing

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Journal:
    """What is done of a design.

    ``path``: the file; made when it is missing. ``kinds``: the records that pieces are made of. Nothing else is read.
    Raises ``WorkError``: the file cannot be read or written.
    """

    def __init__(self, path: Path, kinds: tuple[type, ...]) -> None:
        self._path = path
        self._kinds = {kind.__name__: kind for kind in kinds}
        self._lines: dict[tuple[int, int], Any] = {}
        try:
            self._stream = path.open("ab")
            self._lock()
            content = path.read_bytes()
            whole = content.rfind(b"\n") + 1
            for line in content[:whole].splitlines():
                self._read(line)
            self._stream.truncate(whole)
        except OSError as error:
            raise self._failed(error) from None

    def __len__(self) -> int:
        return len(self._lines)

    def get(self, call: int, item: int) -> Any:
        """What a piece gave, or ``None`` when it is not done."""
        found = self._lines.get((call, item))
        return None if found is None else self._decode(found)

    def put(self, call: int, item: int, value: Any) -> None:
        """Keep what a piece gave.

        Raises ``WorkError``: the disk refused.
        """
        line = json.dumps({"call": call, "item": item, "value": self._encode(value)})
        try:
            self._stream.write(line.encode("ascii") + b"\n")
            self._stream.flush()
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _lock(self) -> None:
        """Keep other commands out until the file is closed, by us or by the end of the process."""
        try:
            if fcntl is not None:
                fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = os.fstat(self._stream.fileno()).st_nlink > 0  # not removed by who held it before
        except BlockingIOError:
            is_ours = False
        if not is_ours:
            self._stream.close()
            raise WorkError(
                where=str(self._path.parent), got="another command that is writing there",
                allowed="one command at a time", remedy="Wait until it has ended, or choose another --report.",
            )  # fmt: skip

    def _read(self, line: bytes) -> None:
        try:
            found = json.loads(line)
            place = int(found["call"]), int(found["item"])
            self._decode(found["value"])
        except (ValueError, KeyError, TypeError):
            return
        self._lines[place] = found["value"]

    def _failed(self, error: OSError) -> WorkError:
        return WorkError(
            where=str(self._path), got=error.strerror or str(error), allowed="a file that can be written to",
            remedy="Free space and go on with remission resume.",
        )  # fmt: skip

    def _encode(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value)
            return {"!": "array", "type": array.dtype.str, "shape": list(array.shape),
                    "data": base64.b64encode(array.tobytes()).decode("ascii")}  # fmt: skip
        if is_dataclass(value) and type(value).__name__ in self._kinds:
            told = {field.name: self._encode(getattr(value, field.name)) for field in fields(value)}
            return {"!": type(value).__name__, "fields": told}
        if isinstance(value, tuple):
            return {"!": "tuple", "items": [self._encode(one) for one in value]}
        if isinstance(value, list):
            return [self._encode(one) for one in value]
        if isinstance(value, dict):
            return {"!": "dict", "items": [[key, self._encode(one)] for key, one in value.items()]}
        if value is None or isinstance(value, str | bool | int | float):
            return value.item() if isinstance(value, np.generic) else value
        raise TypeError(f"a piece of work of type {type(value).__name__}")

    def _decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._decode(one) for one in value]
        if not isinstance(value, dict):
            return value
        kind = value["!"]
        if kind == "array":
            flat = np.frombuffer(base64.b64decode(value["data"], validate=True), dtype=np.dtype(value["type"]))
            return flat.reshape(value["shape"]).copy()
        if kind == "tuple":
            return tuple(self._decode(one) for one in value["items"])
        if kind == "dict":
            return {key: self._decode(one) for key, one in value["items"]}
        return self._kinds[kind](**{name: self._decode(one) for name, one in value["fields"].items()})


class Journaled(Crew):
    """A crew whose results are kept in a journal, and taken from it where they are done already."""

    def __init__(self, crew: Crew, journal: Journal) -> None:
        self.n_workers, self.n_at_once = crew.n_workers, crew.n_at_once
        self._crew, self._journal, self._calls = crew, journal, 0

    def submit(self, work: Callable[[Any], Any], item: Any) -> Any:
        """Give one piece of work, which is not kept."""
        return self._crew.submit(work, item)

    def in_order(self, work: Callable[[_In], _Out], items: Iterable[_In]) -> Generator[_Out, None, None]:
        """Results in the order of the items, which is that of the journal: what is known comes first."""
        call, self._calls = self._calls, self._calls + 1
        left, number = iter(items), 0
        for item in left:
            known = self._journal.get(call, number)
            if known is None:
                left = chain([item], left)
                break
            yield known
            number += 1
        for place, result in enumerate(self._crew.in_order(work, left), number):
            self._journal.put(call, place, result)
            yield result
