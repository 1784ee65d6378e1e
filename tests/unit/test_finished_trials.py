"""Pieces of a finished trial that are computed for speed, each against the plain way."""

import numpy as np
import pytest

from remission.library.protocols import load_protocol
from remission.numerics import elementary
from remission.numerics.by_group import group_moments
from remission.numerics.whole_arrays import exp_of
from remission.protocol.record import Protocol
from remission.records.endpoint_kinds import KINDS
from remission.trial.batch import TrialBatch
from remission.trial.chunk import ChunkResult
from remission.trial.simulate import plan_trial

PLAN = plan_trial(load_protocol("kare"), n_replicates=3, seed=11)


@pytest.fixture(scope="module")
def done() -> tuple[TrialBatch, ChunkResult]:
    """One chunk of a trial of several arms."""
    (chunk,) = PLAN.chunks
    batch = PLAN.simulate(chunk)
    return batch, PLAN.analyze(chunk, batch)


def test_counts_by_day_are_those_of_counting_people(done: tuple[TrialBatch, ChunkResult]) -> None:
    """Curves of pages are drawn from these counts; they come from days of first use, not from each day's people."""
    batch, found = done
    course = batch.course
    for index in range(len(PLAN.protocol.arms)):
        mine = batch.arm == index
        assert found.counts.people[index] == mine.sum()
        for day in range(course.use.shape[1]):
            assert found.counts.using[index, day] == (course.use[mine, day] > 0).sum()
            assert found.counts.never_used[index, day] == (course.use[mine, : day + 1] == 0).all(axis=1).sum()
            assert found.counts.in_study[index, day] == (course.days_in_study[mine] > day).sum()


def test_a_trial_without_what_it_does_not_read_has_the_same_results() -> None:
    """Amounts and craving are left out where no endpoint, visit or table reads them, and only there."""
    whole = PLAN.protocol.to_dict()
    days = [one for one in whole["endpoints"] if KINDS[one["kind"]].needs == "diary"]
    days = [one for one in days if not KINDS[one["kind"]].needs_amounts]
    analyses = [one for one in whole["analyses"] if one["endpoint"] in {one["id"] for one in days}]
    visits = [{**one, "collects": ["diary"]} for one in whole["visits"]]
    bare = Protocol.create(
        **{
            **whole,
            "visits": visits,
            "test": None,
            "endpoints": days,
            "analyses": analyses,
            "estimand": None,
            "comparisons": [],
        }
    )
    plan = plan_trial(bare, n_replicates=3, seed=11)
    (chunk,) = plan.chunks
    lean, full = plan.simulate(chunk, for_analyses_only=True), plan.simulate(chunk)
    assert set(lean.untold) == {"amount", "vas"}
    assert full.untold == PLAN.simulate(PLAN.chunks[0]).untold == ()
    found, expected = plan.analyze(chunk, lean), plan.analyze(chunk, full)
    for name, values in found.arms.items():
        np.testing.assert_array_equal(values.mean, expected.arms[name].mean)
        np.testing.assert_array_equal(values.sd, expected.arms[name].sd)
    assert found.estimates
    for name, estimates in found.estimates.items():
        np.testing.assert_array_equal(estimates.estimate, expected.estimates[name].estimate)
        np.testing.assert_array_equal(estimates.p_value, expected.estimates[name].p_value)
    np.testing.assert_array_equal(found.counts.using, expected.counts.using)
    np.testing.assert_array_equal(found.counts.in_study, expected.counts.in_study)
    assert "vas" not in PLAN.simulate(PLAN.chunks[0], for_analyses_only=True).untold


def test_what_is_told_in_full_is_the_amount_itself(done: tuple[TrialBatch, ChunkResult]) -> None:
    """Amounts are not multiplied by a diary that hides nothing: then a clean day must have none."""
    batch, _ = done
    assert batch.observation.diary is batch.course.use
    np.testing.assert_array_equal(batch.observation.amount, batch.course.amount * batch.course.use)
    assert batch.observation.amount.max() > 0.0


def test_only_who_gets_the_drug_has_an_exposure(done: tuple[TrialBatch, ChunkResult]) -> None:
    """Kinetics are computed for the arms that need them; an arm given by mistake would change a trial."""
    batch, _ = done
    assert batch.schedule is not None
    for index, arm in enumerate(PLAN.protocol.arms):
        gets = any(PLAN.protocol.drugs[name].is_ketamine for _, name in arm.drug_starts)
        exposure = batch.schedule.exposure[batch.arm == index]
        assert (exposure > 0.0).any() == gets
        assert (exposure > 0.0).all() == gets


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 127, 128, 129, 136, 137, 255, 300, 1000, 5000])
def test_means_of_groups_are_those_of_numpy(n: int) -> None:
    """A mean in another order of adding would be another number in its last digits, in every table."""
    rng = np.random.default_rng(n)
    value = rng.normal(size=(2, n)) * 10.0 ** rng.uniform(-8.0, 8.0, (2, n))
    value[rng.random((2, n)) < 0.1] = np.nan
    group, hit = rng.integers(-1, 3, (2, n)), rng.random((2, n)) < 0.3
    mean, sd, size, share = group_moments(value, group, n_groups=3, hit=hit)
    for row in range(2):
        for index in range(3):
            who = (group[row] == index) & np.isfinite(value[row])
            own = value[row, who]
            assert size[row, index] == own.size
            if not own.size:
                assert np.isnan([mean[row, index], sd[row, index], share[row, index]]).all()
                continue
            assert mean[row, index] == own.sum() / own.size
            assert share[row, index] == hit[row, who].mean()
            away = own - mean[row, index]
            expected = np.sqrt((away * away).sum() / (own.size - 1)) if own.size > 1 else np.nan
            np.testing.assert_equal(sd[row, index], expected)
    assert np.isnan(group_moments(value, group, n_groups=3)[3]).all()


def test_an_exponential_of_many_numbers_has_the_bits_of_each() -> None:
    """Long arrays take a compiled way: a person must not change with how many others there are."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=20_000) * 10.0 ** rng.uniform(-12.0, 3.0, 20_000)
    x = np.concatenate([x, [0.0, -0.0, 700.0, -700.0, 701.0, -701.0, 1e308, -1e308, 5e-324, np.inf, -np.inf]])
    alone = elementary._power(x, elementary._EXP_COEFFICIENTS)
    assert exp_of(x).tobytes() == alone.tobytes() == elementary.exp(x).tobytes()
    square = np.asfortranarray(x[:400].reshape(20, 20))
    assert elementary.exp(square).flags.f_contiguous  # sums over it keep their order
    assert (elementary.exp(square) == exp_of(np.ascontiguousarray(square))).all()
