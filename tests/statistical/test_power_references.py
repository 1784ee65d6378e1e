"""Power and size of the program's tests against exact references, and the true estimand found again.

Exact references hold within 4 Monte Carlo standard errors: each of the six comparisons raises a false alarm once in
16,000 fresh seeds, the whole file once in some 2,500.
"""

import numpy as np
import pytest
from validation.bias import measure_bias
from validation.exact_sizes import binomial_power, count_power, hazard_power, normal_power, wald_rejects
from validation.operating_study import classes_of, registered, relabeled
from validation.power_references import binomial_share, hazard_share, normal_share
from validation.small_trials import small_protocol

from remission.analyses.odds import analyze_odds
from remission.patient.backgrounds import course_parameters_of
from remission.records.estimand import Estimand
from remission.trial.simulate import simulate_trial
from remission.trial.truth import estimand_truth


@pytest.mark.stat
@pytest.mark.parametrize(("difference", "n_1", "n_0"), [(0.5, 48, 48), (0.0, 6, 10)])
def test_power_of_the_t_test_is_the_noncentral_one(difference: float, n_1: int, n_0: int) -> None:
    """Normal outcomes have an exact power, and without a difference an exact size, at any number of people."""
    share, error = normal_share(4000, difference, n_1, n_0, seed=1)
    assert abs(share - normal_power(difference, 1.0, n_1, n_0)) < 4.0 * error


@pytest.mark.stat
@pytest.mark.parametrize(("p_1", "p_0", "n_1", "n_0"), [(0.48, 0.11, 27, 28), (0.1, 0.1, 20, 40)])
def test_power_of_the_odds_ratio_is_the_enumerated_one(p_1: float, p_0: float, n_1: int, n_0: int) -> None:
    """Every pair of counts has a known chance; a correction for empty cells that differs would show."""
    share, error = binomial_share(4000, p_1, p_0, n_1, n_0, seed=2)
    assert abs(share - binomial_power([(n_1, p_1)], [(n_0, p_0)])) < 4.0 * error


@pytest.mark.stat
def test_power_of_cox_regression_is_near_schoenfelds() -> None:
    """An asymptotic formula: within .03, beyond 4 standard errors of the simulation."""
    share, error, events = hazard_share(1500, 0.6, 60, 60, seed=3)
    assert abs(share - hazard_power(0.6, events)) < 0.03 + 4.0 * error


def test_the_enumeration_rejects_where_the_program_does() -> None:
    """Both are arithmetic on four counts, so they must agree on every table, not on average."""
    n_1, n_0 = 9, 11
    reject = wald_rejects(n_1, n_0)
    treated = np.arange(n_1 + n_0) < n_1
    nothing = np.zeros((n_1 + n_0, 0))
    for a in range(n_1 + 1):
        for c in range(n_0 + 1):
            events = np.concatenate([np.arange(n_1) < a, np.arange(n_0) < c]) * 1.0
            assert (analyze_odds(events, treated, nothing).p_value < 0.05) == reject[a, c], (a, c)


def test_sides_of_several_arms_are_convolved() -> None:
    """Two arms of one chance are one larger arm; of two chances they vary less than one arm of the mean chance."""
    assert binomial_power([(5, 0.3), (7, 0.3)], [(12, 0.3)]) == pytest.approx(binomial_power([(12, 0.3)], [(12, 0.3)]))
    assert count_power(0.5, 8.0, 0.0, 100, 100) > count_power(0.5, 8.0, 1.0, 100, 100) > 0.5


@pytest.mark.stat
def test_complete_data_give_the_true_estimand_back() -> None:
    """Nobody unseen, nobody gone: then the ordinary analysis has no bias and its intervals their coverage.

    Bias and coverage within 4 standard errors each.
    """
    asked = Estimand(
        treatment="Ketamine.", population="All.", variable="Days abstinent.", intercurrent_events="None.",
        summary="Difference.", analysis="pda-ketamine",
    )  # fmt: skip
    protocol = small_protocol(setting={"retention": "complete"}, estimand=asked.to_dict())
    truth = estimand_truth(protocol, n_people=8000, seed=4).primary
    found = measure_bias(
        simulate_trial(protocol, n_replicates=800, seed=5, parameters=course_parameters_of(protocol)), truth
    )
    assert abs(found.bias) < 4.0 * found.bias_mcse
    assert abs(found.coverage - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / 800)


def test_every_registered_row_is_run_or_named() -> None:
    """A row that falls out of the list silently would leave the list looking kept."""
    rows, missing = registered(0.01)
    assert sum(len(members) for members in rows.values()) + len(missing) == 20
    assert {row.reference for members in rows.values() for row in members} <= {"relabeled", "enumerated", "nominal"}


def test_arms_are_drawn_again_among_those_who_get_the_same() -> None:
    """Therapy must stay where it is, or its effect would leak into the size of a test of the drug."""
    from remission.trial.simulate import plan_trial

    row = registered(0.01)[0]["kare-40"][0]
    plan = plan_trial(row.protocol, n_replicates=3, seed=1)
    batch = plan.simulate(plan.chunks[0])
    again = relabeled(row.protocol, batch, np.random.default_rng(1))
    kinds = np.array(classes_of(row.protocol))
    assert kinds.tolist() == [1, 0, 1, 0]
    assert np.array_equal(kinds[batch.arm], kinds[again.arm])
    assert not np.array_equal(batch.arm, again.arm)
    for number in range(3):
        mine = slice(40 * number, 40 * (number + 1))
        assert sorted(batch.arm[mine]) == sorted(again.arm[mine])
