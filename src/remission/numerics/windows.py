"""The most that arrives within a window of time, of amounts given at once or at constant rates.

The amount given up to a time is piecewise linear with jumps, so the amount within a window of fixed length changes its
slope only where an edge of the window meets a start or an end: the largest is among those positions.
"""

import numpy as np

from remission.numerics.distinct import distinct
from remission.shapes import Float


def largest_in_window(
    amount: Float[np.ndarray, "subject dose"],
    *,
    start_h: Float[np.ndarray, " dose"],
    duration_h: Float[np.ndarray, " dose"],
    window_h: float,
) -> Float[np.ndarray, " subject"]:
    """The largest amount that each subject gets within any ``window_h``, both ends included.

    ``amount``: what each subject gets of each dose, in any unit, >= 0. ``start_h``, ``duration_h``: when each dose
    begins, and over how long it flows; 0 is at once. [h] ``window_h``: length of the window, > 0. [h]

    >>> both = {"start_h": np.array([0.0, 5.0]), "duration_h": np.array([0.0, 2.0])}
    >>> largest_in_window(np.array([[30.0, 20.0]]), **both, window_h=6.0)
    array([40.])
    """
    end_h = start_h + duration_h
    begins = distinct(start_h, end_h - window_h, start_h - window_h, end_h)
    flows = duration_h > 0.0
    # A window that begins at a dose given at once holds it, and so does one that ends there.
    low, high = begins[:, np.newaxis], begins[:, np.newaxis] + window_h
    inside = np.minimum(end_h, high) - np.maximum(start_h, low)
    share = np.where(flows, np.clip(inside, 0.0, None) / np.where(flows, duration_h, 1.0), 0.0)
    share = np.where(flows, share, (start_h >= low) & (start_h <= high))
    totals = [np.zeros(amount.shape[0])]
    for row in share:
        total = np.zeros(amount.shape[0])
        for column, part in enumerate(row):
            total = total + part * amount[:, column]
        totals.append(total)
    return np.max(np.stack(totals), axis=0)
