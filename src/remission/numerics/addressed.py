"""Uniforms and normals at addresses, for many people in one compiled loop; see :mod:`remission.streams`.

The operations are those of the functions there that work on whole arrays, in the same order; a test holds every bit.
"""

import numpy as np

from remission.numerics.lanes import cos_turns_lane, log_lane, philox_lane, sin_turns_lane, unit_lane
from remission.numerics.loops import loop
from remission.shapes import Float, UInt64

_MASK = 0xFFFFFFFF
_BLOCK = 256


@loop
def _fill(b, found, subject, replicate, index, stream, k0, k1, n_pairs):
    # Rows of the scratch buffer lie at fixed places, so that the compiler sees that they do not overlap.
    for o in range(0, subject.size, _BLOCK):
        width = min(_BLOCK, subject.size - o)
        # Cut out here, for a number that might count from the end keeps a loop from being vectorized.
        subjects, replicates = subject[o : o + width], replicate[o : o + width]
        for i in range(width):
            w0, w1, w2, w3 = philox_lane(subjects[i], replicates[i], index, stream, k0, k1)
            b[i], b[_BLOCK + i] = unit_lane(w0), unit_lane(w1)
            b[2 * _BLOCK + i], b[3 * _BLOCK + i] = unit_lane(w2), unit_lane(w3)
        if n_pairs > 0:
            for i in range(width):
                radius, turn = np.sqrt(-2.0 * log_lane(b[i])), b[_BLOCK + i]
                b[i] = radius * cos_turns_lane(turn)
                b[_BLOCK + i] = radius * sin_turns_lane(turn)
        if n_pairs > 1:
            for i in range(width):
                radius, turn = np.sqrt(-2.0 * log_lane(b[2 * _BLOCK + i])), b[3 * _BLOCK + i]
                b[2 * _BLOCK + i] = radius * cos_turns_lane(turn)
                b[3 * _BLOCK + i] = radius * sin_turns_lane(turn)
        for row in range(found.shape[0]):
            column = found[row, o : o + width]
            for i in range(width):
                column[i] = b[row * _BLOCK + i]


@loop
def _fill_first(found, subject, replicate, index, stream, k0, k1):
    for row in range(index.size):
        for i in range(subject.size):
            w0, _, _, _ = philox_lane(subject[i], replicate[i], index[row], stream, k0, k1)
            found[row, i] = unit_lane(w0)


def addressed_draws(
    subject: UInt64[np.ndarray, " subject"],
    replicate: UInt64[np.ndarray, " subject"],
    *,
    index: int,
    stream: int,
    seed: int,
    n_columns: int = 4,
    normal: bool = False,
) -> Float[np.ndarray, "column subject"]:
    """The first uniforms at an address, or the first normals, for every person. [dimensionless]

    ``subject``, ``replicate``, ``index``, ``stream``: the counter, 32 bits each. ``seed``: the key, 64 bits.
    ``n_columns``: 1 to 4; even with ``normal``.
    """
    found = np.empty((n_columns, subject.size))
    scratch, given = np.empty(4 * _BLOCK), (np.ascontiguousarray(subject), np.ascontiguousarray(replicate))
    _fill(scratch, found, *given, np.uint64(index), np.uint64(stream), np.uint64(seed & _MASK), np.uint64(seed >> 32),
          n_columns // 2 if normal else 0)  # fmt: skip
    return found


def addressed_firsts(
    subject: UInt64[np.ndarray, " subject"],
    replicate: UInt64[np.ndarray, " subject"],
    *,
    index: UInt64[np.ndarray, " index"],
    stream: int,
    seed: int,
) -> Float[np.ndarray, "index subject"]:
    """The first uniform at each of several addresses; arguments as for :func:`addressed_draws`. [dimensionless]"""
    found = np.empty((index.size, subject.size))
    _fill_first(found, np.ascontiguousarray(subject), np.ascontiguousarray(replicate), index, np.uint64(stream),
                np.uint64(seed & _MASK), np.uint64(seed >> 32))  # fmt: skip
    return found
