"""The shape hints are promises only while something checks them."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from remission.circuit.basal_ganglia import update_reward

pytestmark = pytest.mark.shapes


def test_two_arrays_of_different_length_are_refused() -> None:
    """Without the import hook of conftest the call would broadcast and pass, and every hint would be decoration."""
    reward, use = np.full(3, 0.5), np.zeros(1)
    with pytest.raises(TypeCheckError):
        update_reward(reward, use, tau_r=30.0, k_r=0.05)


def test_an_array_of_whole_numbers_is_refused_where_floats_are_promised() -> None:
    """Integer states would truncate silently in place."""
    with pytest.raises(TypeCheckError):
        update_reward(np.ones(3, dtype=np.int64), np.zeros(3), tau_r=30.0, k_r=0.05)
