"""Freed memory is kept by the process, so that the next chunk of people does not ask the system for it again."""

import numpy as np

_BYTES = 16_000_000


def keep_freed_memory() -> None:
    """Let the allocator keep some tens of megabytes that are freed at the end of its heap.

    The C library of Linux learns from the largest piece that was ever freed what to keep; without this it gives a
    chunk's arrays back at each end, and to get the same pages anew takes a fifteenth of a trial. The piece is never
    written to, so it takes no memory; other allocators do nothing.
    """
    piece = np.empty(_BYTES, dtype=np.uint8)
    del piece
