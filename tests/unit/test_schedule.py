"""Infusions with their gaps and the sessions that follow them."""

import numpy as np

from remission.records.treatment import DrugCourse, TherapyCourse
from remission.streams import People
from remission.trial.schedule import infusion_days, session_days

INFUSION = {"dose_mg_per_kg": 0.8, "duration_min": 40.0}
GAPS = DrugCourse.create(
    drug="racemic-ketamine",
    infusions=[
        {**INFUSION, "day": 0},
        {**INFUSION, "gap": {"low": 7, "mode": 7, "high": 21}},
        {**INFUSION, "gap": {"low": 7, "mode": 10, "high": 21}},
    ],
)


def test_gaps_follow_the_triangular_law() -> None:
    """Days between infusions: inside the limits, with the mean of the triangle over [low, high + 1), rounded down."""
    people = People.of_replicates(seed=8, first=0, count=1, n_subjects=40_000)
    days = infusion_days(people, GAPS)
    gaps = np.diff(days, axis=1)
    assert gaps.min() == 7
    assert gaps.max() == 21
    for gap, mode in zip(gaps.T, (7.0, 10.0), strict=True):
        edges = np.arange(7.0, 23.0)
        up = np.clip(edges - 7.0, 0.0, None) ** 2 / (15.0 * max(mode - 7.0, 1e-12))
        down = 1.0 - (22.0 - edges) ** 2 / (15.0 * (22.0 - mode))
        share = np.diff(np.where(edges <= mode, np.minimum(up, 1.0) if mode > 7.0 else 0.0, down))
        observed = np.bincount(gap, minlength=22)[7:] / gap.size
        assert np.abs(observed - share).max() < 4.0 * np.sqrt(0.25 / gap.size)


def test_sessions_follow_their_infusion() -> None:
    """A session tied to an infusion moves with it; one on a fixed day does not."""
    people = People.of_replicates(seed=8, first=0, count=1, n_subjects=50)
    therapy = TherapyCourse.create(
        kind="mbrp",
        quality=1.0,
        session_min=90.0,
        sessions=[{"day": 5}, {"infusion": 2, "offset_days": 1}, {"infusion": 3, "offset_days": 7}],
    )
    infusions = infusion_days(people, GAPS)
    held = session_days(therapy, infusions)
    np.testing.assert_array_equal(held[:, 0], 5)
    np.testing.assert_array_equal(held[:, 1], infusions[:, 1] + 1)
    np.testing.assert_array_equal(held[:, 2], infusions[:, 2] + 7)
