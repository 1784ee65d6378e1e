"""Operating characteristics against what is known exactly, and the rule that stops the simulation."""

import numpy as np
import pytest

from remission.design.day_cost import cost_per_day
from remission.design.operating import characterize, simulate_design
from remission.design.variants import null_protocol, resize_protocol
from remission.library.protocols import load_protocol


def test_the_simulation_stops_at_its_error_and_counts_what_it_did() -> None:
    """Trials beyond the target are wasted; fewer would promise digits that are not there."""
    protocol = resize_protocol(null_protocol(load_protocol("kare")), 40)
    run = simulate_design(protocol, max_replicates=1000, mcse=0.03, seed=5, truths={"pda-ketamine": 0.0})
    row = characterize(protocol, run)[0]
    assert 100 <= row.n_replicates < 1000
    assert row.rejected.mcse <= 0.03
    # Four standard errors of a true 5% and 95%.
    error = 4.0 * np.sqrt(0.05 * 0.95 / row.n_replicates)
    assert abs(row.rejected.value - 0.05) < error
    assert row.coverage is not None
    assert abs(row.coverage.value - 0.95) < error


def test_a_day_has_a_price_only_where_one_is_gained() -> None:
    """A negative price would read as a saving."""
    gained = cost_per_day(np.array([10.0, 20.0, 30.0]), n_days=100, extra_amount=np.array([400.0]))
    assert gained.amount == pytest.approx(20.0)
    lost = cost_per_day(np.array([-10.0, -20.0]), n_days=100, extra_amount=np.array([400.0]))
    assert lost.amount is None
    assert lost.share_without_gain == 1.0
