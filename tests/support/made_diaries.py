"""A trial of two arms by diary, and made-up diaries of people for it."""

import numpy as np

from remission.records.diaries import Diaries

PROTOCOL = """
format: remission/protocol/1
id: two-arms
title: A diary trial of two arms
substance: alcohol
follow_up_days: 56
population:
  n_subjects: 80
  age: {mean: 40 years, sd: 10 years, low: 18 years, high: 65 years}
  weight: {mean: 78 kg, sd: 15 kg, low: 45 kg, high: 130 kg}
  female_fraction: 0.4
  clean_days: 0
  day0_on: any-day
therapies:
  counseling: {kind: relapse-prevention, quality: 1.0, session_length: 60 min, sessions: [{day: 1}]}
arms:
  - {id: new, label: New program, therapy: counseling, factors: {program: new}}
  - {id: usual, label: Usual care, factors: {program: usual}}
randomization: {block_size: 4}
visits:
  - {id: weekly, days: [7, 14, 21, 28, 35, 42, 49, 55], collects: [diary]}
endpoints:
  - {id: pda, label: Days without use, kind: percent_days_abstinent, window: {first: 0, last: 55}, missing: observed}
  - {id: days, label: Use days, kind: use_days, window: {first: 0, last: 55}, missing: use}
analyses:
  - id: pda-new
    label: Days without use
    endpoint: pda
    method: mean_difference
    contrast: {treatment: {program: new}, control: {program: usual}}
effect: {law: diary, use_odds_ratio: 0.5}
"""


def diaries(n: int = 150, *, chance: tuple[float, float] = (0.1, 0.8), first_day: int = -14) -> Diaries:
    """People who differ, use in runs, miss days and leave, the more so after use."""
    rng = np.random.default_rng(4)
    n_days = 56 - first_day
    level = rng.uniform(*chance, n)
    used = np.zeros((n, n_days), dtype=np.bool_)
    for day in range(n_days):
        p = level + (0.1 * (used[:, day - 1] - level) if day else 0.0)
        used[:, day] = rng.random(n) < p
    seen = rng.random((n, n_days)) > 0.06 + 0.1 * used
    leaves = rng.integers(20, 90, n) - first_day
    seen &= np.arange(n_days) < leaves[:, None]
    amount = np.where(used & seen, rng.lognormal(1.5, 0.5, (n, n_days)), 0.0)
    return Diaries(
        substance="alcohol", person=tuple(map(str, range(n))), first_day=first_day, assessed=seen, used=used & seen,
        amount=amount, amount_unit="US standard drinks", weekday_of_first_day=np.arange(n) % 7, group=("",) * n,
        origin="simulated", source="a test", day_zero="the first",
    )  # fmt: skip
