"""Pieces of a finished trial that are computed for speed, each against the plain way."""

import numpy as np
import pytest

from remission.library.protocols import load_protocol
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
