"""Counts of people by day, of one pass over the days.

Whole numbers, so that no order of counting can show.
"""

import numpy as np

from remission.numerics.loops import loop
from remission.shapes import Int


@loop
def _count(use, member, using, first):
    for day in range(use.shape[0]):
        today = use[day]
        for group in range(member.shape[0]):
            mine, count = member[group], np.int32(0)
            for i in range(today.size):
                count += np.int32(today[i] & mine[i])
            using[group, day] = count
        for i in range(today.size):
            first[i] = day if (today[i] > 0) & (first[i] > day) else first[i]


def tally_days(
    use: Int[np.ndarray, "day subject"], group: Int[np.ndarray, " subject"], *, n_groups: int
) -> tuple[Int[np.ndarray, "group day"], Int[np.ndarray, " subject"]]:
    """How many of each group use on each day, and each person's first such day.

    ``use``: 1 or 0. ``group``: 0 to ``n_groups`` - 1. The first day is the number of days for who never uses. [day]
    """
    n_days, n = use.shape
    member = (group == np.arange(n_groups)[:, None]).astype(np.int8)
    using, first = np.zeros((n_groups, n_days), dtype=np.int64), np.full(n, n_days, dtype=np.int64)
    _count(np.ascontiguousarray(use, dtype=np.int8), member, using, first)
    return using, first
