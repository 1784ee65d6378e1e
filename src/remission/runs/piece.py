"""A piece of work done: the analyzed chunk as bytes and, when asked for, its people's days."""

import io
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.analyses.estimate import Estimates, Status
from remission.trial.chunk import Chunk, ChunkResult
from remission.trial.result import ArmValues, CourseCounts, StateCourses
from remission.trial.simulate import TrialPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is kept of a chunk, and sent; ``diary`` is ``None`` unless the plan asks for diaries."""

    chunk: Chunk
    payload: bytes
    diary: bytes | None


def do_part(plan: TrialPlan, chunk: Chunk | None) -> Piece | StateCourses:
    """A piece of work; None: the states behind the trial, which are no chunk's."""
    return plan.states() if chunk is None else do_piece(plan, chunk)


def do_piece(plan: TrialPlan, chunk: Chunk) -> Piece:
    """Simulate and analyze a chunk, once for both its results and its diaries."""
    batch = plan.simulate(chunk, for_analyses_only=not plan.with_diaries)
    diary = None
    if plan.with_diaries:
        from remission.runs.diaries import diary_table, pack_table

        diary = pack_table(diary_table(plan, chunk, batch))
    return Piece(chunk=chunk, payload=pack(plan.analyze(chunk, batch)), diary=diary)


def pack(result: ChunkResult) -> bytes:
    """The arrays of a chunk as one block of bytes; equal chunks give equal bytes."""
    arrays: dict[str, np.ndarray] = {f"counts/{name}": getattr(result.counts, name) for name in _COUNTS}
    for name, values in result.arms.items():
        arrays |= {f"arms/{name}/{field}": getattr(values, field) for field in _ARMS}
    for name, found in result.estimates.items():
        arrays |= {f"estimates/{name}/{field}": getattr(found, field) for field in _ESTIMATES}
        arrays[f"estimates/{name}/status"] = np.array([_STATUS.index(status) for status in found.status], dtype=np.int8)
    return _joined(arrays)


def _joined(arrays: dict[str, np.ndarray]) -> bytes:
    """A line of JSON with names, types and shapes, then the numbers of each array in that order.

    An archive of NumPy has a file for each array: written and read, it took a tenth of a short run.
    """
    head = [[name, values.dtype.str, values.shape] for name, values in arrays.items()]
    return b"".join([json.dumps(head).encode(), b"\n", *(values.tobytes() for values in arrays.values())])


def _parted(payload: bytes) -> dict[str, np.ndarray]:
    """The arrays of a payload."""
    if payload.startswith(_ARCHIVE):
        with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    place = payload.index(b"\n") + 1
    arrays = {}
    for name, kind, shape in json.loads(payload[: place - 1]):
        count = math.prod(shape)
        arrays[name] = np.frombuffer(payload, kind, count, place).reshape(shape).copy()
        place += arrays[name].nbytes
    if place != len(payload):
        raise ValueError(f"{len(payload) - place} bytes too many")
    return arrays


def unpack(chunk: Chunk, payload: bytes) -> ChunkResult:
    """The chunk whose bytes these are, of this form or an earlier one; many errors where they are none."""
    arms: dict[str, dict[str, Any]] = {}
    estimates: dict[str, dict[str, Any]] = {}
    counts: dict[str, Any] = {}
    for key, values in _parted(payload).items():
        kind, *name = key.split("/")
        if kind == "counts":
            counts[name[0]] = values
        else:
            (arms if kind == "arms" else estimates).setdefault(name[0], {})[name[1]] = values
    for fields in estimates.values():
        fields["status"] = tuple(_STATUS[code] for code in fields["status"])
    return ChunkResult(
        chunk=chunk,
        arms={name: ArmValues(**values) for name, values in arms.items()},
        estimates={name: Estimates(**values) for name, values in estimates.items()},
        counts=CourseCounts(**counts),
    )


_ARCHIVE = b"PK"
_COUNTS = ("people", "using", "never_used", "in_study")
_ARMS = ("mean", "sd", "n", "event_share")
_ESTIMATES = ("estimate", "low", "high", "p_value")
_STATUS = (Status.OK, Status.NO_VARIATION, Status.SEPARATION, Status.NOT_CONVERGED, Status.NOT_ESTIMABLE,
           Status.SINGULAR)  # fmt: skip
"""In the order in which they came to be: stored chunks name them by their place."""
