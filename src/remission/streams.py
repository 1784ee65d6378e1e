"""Addressed random numbers: every draw has an address, none has a history.

A draw is a pure function of (seed, replicate, subject, stream, index). Consequences: the same numbers for any chunk,
thread, order or machine; adding a subject, an arm, a visit or an endpoint changes nobody else's draws; arms that are
compared share a person's luck.

Method: Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405), a counter-based generator. The key is the seed
(64 bits), the counter is (subject, replicate, index, stream). One block gives four words of 32 bits; a word ``w``
becomes the uniform ``(w + 0.5) / 2**32``, never 0 or 1. Normals come in pairs by the Box-Muller transform.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from remission.errors import SpecError
from remission.numerics.elementary import cos_sin_turns, log
from remission.shapes import Float, UInt64

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = 0x9E3779B9
_WEYL_1 = 0xBB67AE85
_ROUNDS = 10
_TO_UNIT = 2.0**-32
_MANY = 512
"""From so many people on draws come from a compiled loop of the same bits; fewer do where it is loaded anyway."""

_Words = UInt64[np.ndarray, " subject"]
_Column = Float[np.ndarray, " subject"]


class Stream(IntEnum):
    """What a draw is for. Numbers are part of every address: never reused, never renumbered."""

    COVARIATES = 1
    PK_IIV = 2
    BEHAVIOR = 3
    ALLOCATION = 4
    SCHEDULE = 5
    ATTENDANCE = 6
    DAY = 7
    CUE = 8
    REPORT = 9
    ASSAY = 10
    VISIT = 11
    PRESSURE = 12
    EVENT = 13
    GUESS = 14
    RECRUITMENT = 15
    PK_OCCASION = 16
    PK_RESIDUAL = 17
    IMPUTATION = 18
    VENOUS_LINK = 19
    COMORBIDITY = 20
    STATED_LAW = 21
    RESAMPLING = 22
    VALUES = 23
    BELIEF = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The addresses of a batch of simulated people.

    Parameters
    ----------
    seed
        0 to 2**64 - 1.
    replicate, subject
        Arrays of equal length, each value 0 to 2**32 - 1. A person is a (replicate, subject) pair.
    """

    seed: int
    replicate: _Words
    subject: _Words

    @classmethod
    def of_replicates(cls, *, seed: int, first: int, count: int, n_subjects: int) -> "People":
        """The people of replicates ``first`` to ``first + count - 1``, ``n_subjects`` each, subject fastest.

        Raises
        ------
        SpecError
            ``seed`` is outside 0 to 2**64 - 1, or a replicate or subject number does not fit 32 bits.
        """
        check_seed(seed)
        if first < 0 or first + count > 2**32 or n_subjects > 2**32:
            raise SpecError(where="replicates", got=(first, count, n_subjects), allowed="numbers that fit 32 bits")
        return cls(
            seed=seed,
            replicate=np.repeat(np.arange(first, first + count, dtype=np.uint64), n_subjects),
            subject=np.tile(np.arange(n_subjects, dtype=np.uint64), count),
        )

    def __len__(self) -> int:
        """Number of people."""
        return int(self.subject.size)


def check_seed(seed: int) -> int:
    """``seed`` itself when it is a whole number from 0 to 2**64 - 1; otherwise a SpecError."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        raise SpecError(where="seed", got=seed, allowed="a whole number from 0 to 18446744073709551615")
    return seed


def draw_words(people: People, stream: Stream, index: int | _Words) -> tuple[_Words, _Words, _Words, _Words]:
    """The four 32-bit words at an address, for every person; ``index`` from 0 to 2**32 - 1: a day, a visit, a block;
    one for all, or each person's own.
    """
    c0 = people.subject
    c1 = people.replicate
    c2 = np.full_like(c0, index)
    c3 = np.full_like(c0, int(stream))
    key_0 = people.seed & 0xFFFFFFFF
    key_1 = people.seed >> 32
    for _ in range(_ROUNDS):
        product_0 = _MULTIPLIER_0 * c0
        product_1 = _MULTIPLIER_1 * c2
        c0 = (product_1 >> _SHIFT) ^ c1 ^ np.uint64(key_0)
        c2 = (product_0 >> _SHIFT) ^ c3 ^ np.uint64(key_1)
        c1 = product_1 & _MASK
        c3 = product_0 & _MASK
        key_0 = (key_0 + _WEYL_0) & 0xFFFFFFFF
        key_1 = (key_1 + _WEYL_1) & 0xFFFFFFFF
    return c0, c1, c2, c3


def draw_uniforms(people: People, stream: Stream, index: int) -> tuple[_Column, _Column, _Column, _Column]:
    """Four independent uniforms in (0, 1) at an address, for every person. [dimensionless]"""
    if _is_compiled(people):
        u0, u1, u2, u3 = _many(people, stream, index)
        return u0, u1, u2, u3
    w0, w1, w2, w3 = draw_words(people, stream, index)
    return _unit(w0), _unit(w1), _unit(w2), _unit(w3)


def draw_firsts(people: People, stream: Stream, indices: Sequence[int]) -> Float[np.ndarray, "index subject"]:
    """The first of the uniforms at each of several addresses, for every person. [dimensionless]"""
    if _is_compiled(people):
        from remission.numerics.addressed import addressed_firsts

        return addressed_firsts(
            people.subject, people.replicate, index=np.array(indices, dtype=np.uint64), stream=int(stream),
            seed=people.seed,
        )  # fmt: skip
    found = np.empty((len(indices), len(people)))
    for row, index in zip(found, indices, strict=True):
        row[:] = _unit(draw_words(people, stream, index)[0])
    return found


def draw_series(people: People, stream: Stream, first: int, count: int) -> Float[np.ndarray, " draw"]:
    """The uniforms of the first person at ``count`` addresses from ``first`` on, four at each, in order.
    [dimensionless]
    """
    one = People(
        seed=people.seed, replicate=np.repeat(people.replicate[:1], count), subject=np.repeat(people.subject[:1], count)
    )
    words = draw_words(one, stream, np.arange(first, first + count, dtype=np.uint64))
    return np.stack([_unit(word) for word in words], axis=1).reshape(-1)


def draw_normals(people: People, stream: Stream, index: int) -> tuple[_Column, _Column, _Column, _Column]:
    """Four independent standard normals at an address, for every person. [dimensionless]"""
    if _is_compiled(people):
        z0, z1, z2, z3 = _many(people, stream, index, normal=True)
        return z0, z1, z2, z3
    u0, u1, u2, u3 = draw_uniforms(people, stream, index)
    return *_box_muller(u0, u1), *_box_muller(u2, u3)


def draw_normal_pair(people: People, stream: Stream, index: int) -> tuple[_Column, _Column]:
    """The first two of the normals at an address; cheaper when two are enough."""
    if _is_compiled(people):
        z0, z1 = _many(people, stream, index, n_columns=2, normal=True)
        return z0, z1
    w0, w1, _, _ = draw_words(people, stream, index)
    return _box_muller(_unit(w0), _unit(w1))


def _is_compiled(people: People) -> bool:
    return len(people) >= _MANY or "remission.numerics.lanes" in sys.modules


def _many(
    people: People, stream: Stream, index: int, *, n_columns: int = 4, normal: bool = False
) -> Float[np.ndarray, "column subject"]:
    # Here, for the compiler takes half a second to import.
    from remission.numerics.addressed import addressed_draws

    return addressed_draws(
        people.subject, people.replicate, index=index, stream=int(stream), seed=people.seed, n_columns=n_columns,
        normal=normal,
    )  # fmt: skip


def _unit(words: _Words) -> _Column:
    return (words.astype(np.float64) + 0.5) * _TO_UNIT


def _box_muller(u0: _Column, u1: _Column) -> tuple[_Column, _Column]:
    radius = np.sqrt(-2.0 * log(u0))
    cosine, sine = cos_sin_turns(u1)
    return radius * cosine, radius * sine
