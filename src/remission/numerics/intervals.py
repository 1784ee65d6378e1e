"""Intervals that every layer needs: how far a normal number reaches, and a share of people."""

Z95 = 1.959963984540054
"""Of a standard normal number, 95% lie within this distance of 0."""


def share_interval(hit: int, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share: it stays in 0 to 1, and none of some people is not surely none.

    >>> [round(end, 4) for end in share_interval(0, 1000)], [round(end, 3) for end in share_interval(5, 10)]
    ([0.0, 0.0038], [0.237, 0.763])
    """
    # Loading it takes longer than most commands do.
    from scipy.stats import binomtest

    found = binomtest(hit, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
