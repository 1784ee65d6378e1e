"""Shares of a run under way: what one job of an array does of it, kept where no two jobs write to one file.

Share K of N has every N-th piece of work, from the K-th on. A job adds its pieces to a new file of its own in the
folder ``shares`` of the run, each with its SHA-256, so that jobs on many machines need a common disk, or copies of the
folder whose ``shares`` are put together, and no locks. A piece at the end of a file whose job died is not whole and not
read; a piece that several jobs did is the same bytes. The first line of a file names the plan that it is of.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

from remission.errors import ProvenanceError, RunError, SpecError, WorkError
from remission.files import make_folder
from remission.provenance import file_hash
from remission.runs.crew import Crew
from remission.runs.folder import PLAN
from remission.runs.piece import Piece, do_piece
from remission.runs.store import ChunkStore
from remission.trial.chunk import Chunk
from remission.trial.simulate import TrialPlan

MOST_SHARES = 100_000
_FOLDER = "shares"
_ENDING = ".pieces"
_NAME = re.compile(r"([0-9]+)-of-([0-9]+)-[0-9a-f]+\.pieces")
_LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class Share:
    """Share ``number`` of ``count``, from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """A share as ``3/50``.

        Raises ``SpecError``: it is written otherwise, or there is no such share.
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        if found is None:
            raise SpecError(where="--share", got=text, allowed="number/shares in all, for example 3/50")
        number, count = int(found[1]), int(found[2])
        if not 1 <= count <= MOST_SHARES:
            raise SpecError(where="--share", got=text, allowed=f"1 to {MOST_SHARES} shares in all")
        if not 1 <= number <= count:
            raise SpecError(
                where="--share", got=text, allowed=f"1/{count} to {count}/{count}",
                remedy="Jobs of an array are often numbered from 0; shares are numbered from 1.",
            )  # fmt: skip
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, chunks: list[Chunk]) -> list[Chunk]:
        """The pieces of work of this share; none where there are fewer pieces than shares."""
        return chunks[self.number - 1 :: self.count]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A whole piece in a file of a share."""

    chunk: Chunk
    place: Path
    start: int
    parts: dict[str, tuple[int, str]]

    def read(self) -> dict[str, bytes]:
        """The bytes of its parts, compared with their hashes."""
        found = {}
        with _reading(self.place), self.place.open("rb") as file:
            file.seek(self.start)
            for name, (size, expected) in self.parts.items():
                found[name] = file.read(size)
                if _hash(name, self.chunk, found[name]) != expected:
                    raise ProvenanceError(
                        where=f"{self.place}, {name} {self.chunk.first}", got="content that differs from its hash",
                        allowed="the bytes that were written",
                        remedy="The file was changed or damaged; delete it and do its share again.",
                    )  # fmt: skip
        return found


def do_share(
    folder: Path,
    plan: TrialPlan,
    share: Share,
    *,
    crew: Crew | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Do what no job has done of a share yet; how many pieces were done now.

    ``folder``, ``plan``: a run under way. ``crew``: who works; ``None``: this process. ``on_progress``: called with
    (replicates done, replicates of the share) after each piece. Raises ``RunError``: a file of another plan lies among
    the shares; ``WorkError``: the disk refuses.
    """
    mine = share.of(plan.chunks)
    there = {kept.chunk for kept in _kept(folder)}
    missing = [chunk for chunk in mine if chunk not in there]
    total, done = sum(chunk.count for chunk in mine), sum(chunk.count for chunk in mine if chunk in there)
    if not missing:
        return 0
    with (
        _new_file(folder, share) as file,
        closing((crew or Crew()).as_done(partial(do_piece, plan), missing)) as pieces,
    ):
        for piece in pieces:
            file.write(_record(piece))
            file.flush()
            done += piece.chunk.count
            if on_progress is not None:
                on_progress(done, total)
    return len(missing)


def take_in(folder: Path, plan: TrialPlan, store: ChunkStore) -> None:
    """Put the pieces that shares have done into the store of their run; those that are there are left alone.

    Raises ``RunError``: a file is of another plan; ``ProvenanceError``: a piece is damaged.
    """
    due = {chunk.first: chunk for chunk in plan.chunks}
    wanted = {"chunk", "diary"} if plan.with_diaries else {"chunk"}
    finished = store.finished()
    for kept in _kept(folder):
        if kept.chunk.first not in finished and due.get(kept.chunk.first) == kept.chunk and set(kept.parts) == wanted:
            parts = kept.read()
            store.keep(kept.chunk, parts["chunk"], parts.get("diary"))
            finished.add(kept.chunk.first)


def check_shares(folder: Path) -> set[int]:
    """First replicates of the pieces that shares have done, each compared with its hash.

    Raises ``RunError``: a file is of another plan; ``ProvenanceError``: a piece is damaged.
    """
    found = set()
    for kept in _kept(folder):
        kept.read()
        found.add(kept.chunk.first)
    return found


def has_shares(folder: Path) -> bool:
    """Whether a job has begun a share of a run."""
    return any((folder / _FOLDER).glob(f"*{_ENDING}"))


def refuse_missing(folder: Path, plan: TrialPlan, finished: set[int]) -> None:
    """Refuse a run of which pieces are missing.

    Raises ``WorkError``: with the replicates and, where they are known, the shares that have to be done again.
    """
    chunks = plan.chunks
    missing = [number for number, chunk in enumerate(chunks) if chunk.first not in finished]
    if not missing:
        return
    names = [found for path in (folder / _FOLDER).glob(f"*{_ENDING}") if (found := _NAME.fullmatch(path.name))]
    counts = {int(found[2]) for found in names}
    again = ""
    if len(counts) == 1:
        (count,) = counts
        shares = sorted({number % count + 1 for number in missing})
        listed = ", ".join(f"{number}/{count}" for number in shares[:_SHOWN]) + (
            ", ..." if len(shares) > _SHOWN else ""
        )
        again = f"Do again with remission work {folder} --share: {listed}. "
    places = ", ".join(f"{chunks[n].first} to {chunks[n].first + chunks[n].count - 1}" for n in missing[:_SHOWN])
    more = ", ..." if len(missing) > _SHOWN else ""
    raise WorkError(
        where=str(folder), got=f"{len(missing)} of {len(chunks)} pieces of work missing: replicates {places}{more}",
        allowed="every piece", remedy=f"{again}Or do the rest here: remission resume {folder}",
    )  # fmt: skip


_SHOWN = 20


def _record(piece: Piece) -> bytes:
    parts = {"chunk": piece.payload, **({} if piece.diary is None else {"diary": piece.diary})}
    about = {"first": piece.chunk.first, "count": piece.chunk.count}
    hashes = {name: _hash(name, piece.chunk, content) for name, content in parts.items()}
    sizes = {name: [len(content), hashes[name]] for name, content in parts.items()}
    return json.dumps({**about, "parts": sizes}).encode("ascii") + b"\n" + b"".join(parts.values())


def _hash(name: str, chunk: Chunk, content: bytes) -> str:
    """The hash of a part with its place: a piece under the number of another one must not pass either."""
    return hashlib.sha256(f"{name} {chunk.first} {chunk.count}\n".encode() + content).hexdigest()


@contextmanager
def _new_file(folder: Path, share: Share) -> Iterator[IO[bytes]]:
    """A file that no other job writes, with its first line."""
    make_folder(folder / _FOLDER)
    place = folder / _FOLDER / f"{share.number}-of-{share.count}-{secrets.token_hex(8)}{_ENDING}"
    try:
        with place.open("xb") as file:
            file.write(json.dumps({"schema": 1, "plan_sha256": file_hash(folder / PLAN)}).encode("ascii") + b"\n")
            yield file
    except OSError as error:
        raise WorkError(
            where=str(error.filename or place), got=error.strerror or str(error),
            allowed="a folder with space that can be written to",
            remedy="Free space and start the same share again; what is done is kept.",
        ) from None  # fmt: skip


def _kept(folder: Path) -> Iterator[_Kept]:
    """The whole pieces in the files of all shares."""
    with _reading(folder / PLAN):
        plan_sha256 = file_hash(folder / PLAN)
    for place in sorted((folder / _FOLDER).glob(f"*{_ENDING}")):
        with _reading(place), place.open("rb") as file:
            pieces = list(_pieces(file, place)) if _is_of(plan_sha256, file, place) else []
        yield from pieces


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorkError(
            where=str(place), got=error.strerror or str(error), allowed="a file that can be read",
            remedy="Another job may just have finished the run.",
        ) from None  # fmt: skip


def _is_of(plan_sha256: str, file: IO[bytes], place: Path) -> bool:
    """Whether a file begins as one of this plan; False where its job died before that was written."""
    about = _line(file)
    if about is None:
        return False
    if about.get("schema") != 1 or about.get("plan_sha256") != plan_sha256:
        raise RunError(
            where=str(place), got="pieces of another plan, version or start of the run",
            allowed=f"pieces of the {PLAN} beside them", remedy="Move the file away; its share has to be done again.",
        )  # fmt: skip
    return True


def _pieces(file: IO[bytes], place: Path) -> Iterator[_Kept]:
    size = place.stat().st_size
    while (about := _line(file)) is not None:
        try:
            chunk = Chunk(first=int(about["first"]), count=int(about["count"]))
            parts = {str(name): (int(part[0]), str(part[1])) for name, part in about["parts"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            return
        start = file.tell()
        end = start + sum(length for length, _ in parts.values())
        if end > size or any(length < 0 for length, _ in parts.values()):
            return
        yield _Kept(chunk=chunk, place=place, start=start, parts=parts)
        file.seek(end)


def _line(file: IO[bytes]) -> dict[str, Any] | None:
    """The next line of JSON; None at the end, and where the line was cut off."""
    text = file.readline(_LONGEST_LINE)
    try:
        found = json.loads(text) if text.endswith(b"\n") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
