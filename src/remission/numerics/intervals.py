"""Intervals that every layer needs: how far a normal number reaches, and a share of people."""

import math

Z95 = 1.959963984540054
"""Of a standard normal number, 95% lie within this distance of 0."""


def share_interval(hit: int, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share: it stays in 0 to 1, and none of some people is not surely none.

    >>> [round(end, 4) for end in share_interval(0, 1000)], [round(end, 3) for end in share_interval(5, 10)]
    ([0.0, 0.0038], [0.237, 0.763])
    """
    # As scipy.stats.binomtest has it, to the bit; loading that takes longer than most commands do.
    share, z2 = hit / n, Z95**2
    denominator = 2 * (n + z2)
    middle = (2 * n * share + z2) / denominator
    half = Z95 / denominator * math.sqrt(4 * n * share * (1 - share) + z2)
    return (0.0 if hit == 0 else middle - half), (1.0 if hit == n else middle + half)
