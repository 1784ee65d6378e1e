"""The compiled divided differences are their NumPy twins, bit for bit."""

from typing import Any

import divided_differences as twins
import numpy as np
from reference_kinetics import decay_difference

from remission.numerics import decay_lanes as lanes
from remission.numerics.elementary import exp
from remission.numerics.loops import made_loop


@made_loop
def _all(a: Any, b: Any, decay_a: Any, decay_b: Any, mean: Any, difference: Any, cumulative: Any) -> None:
    for i in range(a.size):
        mean[i] = lanes.mean_decay_lane(a[i], decay_a[i])
        difference[i] = lanes.decay_difference_lane(a[i], b[i], decay_a[i], decay_b[i])
        cumulative[i] = lanes.cumulative_difference_lane(a[i], b[i], decay_a[i], decay_b[i], difference[i])


def test_every_bit_agrees_with_numpy() -> None:
    """Accuracy is proven for the NumPy functions; the kernel inherits it only if nothing at all differs."""
    generator = np.random.default_rng(4)
    a = 10.0 ** generator.uniform(-14.0, 2.5, 20_000)
    b = np.where(
        generator.uniform(size=a.size) < 0.5, a * (1.0 + 10.0 ** generator.uniform(-17.0, 1.0, a.size)), a[::-1]
    )
    a, b = np.concatenate([[0.0, 0.0, 1.0, 0.25], a]), np.concatenate([[0.0, 1.0, 1.0, 0.5], b])
    mean, difference, cumulative = (np.empty_like(a) for _ in range(3))
    _all(a, b, exp(-a), exp(-b), mean, difference, cumulative)
    assert np.array_equal(mean, twins.mean_decay(a))
    assert np.array_equal(difference, decay_difference(a, b))
    assert np.array_equal(cumulative, twins.cumulative_decay_difference(a, b))
