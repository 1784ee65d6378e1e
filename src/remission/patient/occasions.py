"""Draws for one person on one day: the kinetics of an occasion."""

import numpy as np

from remission.shapes import Float
from remission.streams import People, Stream, draw_normals

__all__ = ["sample_iov"]

# Places kept free for one occasion, so that a model with more that varies moves nobody's later occasions.
_BLOCKS = 16


def sample_iov(people: People, *, n_iov: int, occasion: int) -> Float[np.ndarray, "subject iov"]:
    """Standard normals for variability between occasions; ``occasion`` counts the sessions of a person from 0.

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
