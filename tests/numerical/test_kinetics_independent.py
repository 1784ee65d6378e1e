"""Every model against SciPy over matrices that were written a second time; ``make kinetics`` tries 500 of each."""

import numpy as np
import pytest
from validation.kinetics_independent import MODELS, TOLERANCE, worst_difference


@pytest.mark.parametrize("name", MODELS)
def test_a_second_integration_agrees(name: str) -> None:
    """Modes, links and scaling are one clever path: a plain one must end at the same numbers."""
    for case in range(3):
        assert worst_difference(name, np.random.default_rng((20261128, case))) < TOLERANCE


def test_a_step_by_step_solver_agrees() -> None:
    """A method that knows no exponential, at its own tolerance."""
    assert worst_difference("kamp2020", np.random.default_rng((20261128, 7)), by_steps=True) < TOLERANCE
