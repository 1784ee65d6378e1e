"""Draws for one person on one day: kinetics of the occasion, and the error of each measurement."""

import numpy as np
from jaxtyping import Float

from remission.errors import SpecError
from remission.streams import People, Stream, draw_normal_pair, draw_normals

__all__ = ["sample_iov", "sample_residual"]

# Places kept free for one occasion, so that a model with more that varies moves nobody's later occasions.
_BLOCKS = 16
# The address of one measured value: 65,536 occasions of 16 series of 4,096 times.
_OCCASIONS, _SERIES, _TIMES = 2**16, 2**4, 2**12


def sample_iov(people: People, *, n_iov: int, occasion: int) -> Float[np.ndarray, "subject iov"]:
    """Standard normals for variability between occasions; ``occasion`` counts the sessions of a person from 0.

    Examples
    --------
    >>> people = People.of_replicates(seed=1, first=0, count=1, n_subjects=2)
    >>> first, second = (sample_iov(people, n_iov=11, occasion=number) for number in (0, 1))
    >>> first.shape, bool(np.any(first == second))
    ((2, 11), False)
    """
    first = occasion * _BLOCKS
    blocks = [
        np.stack(draw_normals(people, Stream.PK_OCCASION, first + block), axis=1) for block in range(-(-n_iov // 4))
    ]
    return np.concatenate([*blocks, np.zeros((len(people), 0))], axis=1)[:, :n_iov]


def sample_residual(
    people: People, *, n_series: int, n_time: int, occasion: int
) -> Float[np.ndarray, "two subject series time"]:
    """Standard normals for residual error of one occasion, two for each value of each series.

    Raises SpecError: more series, times or occasions than have an address.
    """
    for where, got, most in (("n_series", n_series, _SERIES), ("n_time", n_time, _TIMES)):
        if not 0 <= got <= most:
            raise SpecError(where=where, got=got, allowed=f"0 to {most}")
    if not 0 <= occasion < _OCCASIONS:
        raise SpecError(where="occasion", got=occasion, allowed=f"0 to {_OCCASIONS - 1}")
    first = occasion * _SERIES * _TIMES
    drawn = np.zeros((2, len(people), n_series, n_time))
    for series in range(n_series):
        for time in range(n_time):
            drawn[:, :, series, time] = draw_normal_pair(people, Stream.PK_RESIDUAL, first + series * _TIMES + time)
    return drawn
