"""Laws of the file of My days: whatever days a person keeps, the import has the same, and unknown stays unknown."""

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
from law_cases import law

from remission.exchange.tlfb import read_tlfb
from remission.records.packaged import packaged_toml

FILE = packaged_toml("exchange", "my-days.toml")


@law(seed=20261129)
def test_a_kept_diary_is_the_imported_one(rng: np.random.Generator) -> None:
    """Lines in any order, days left out, days of which only a mood is known, amounts known or not."""
    n_days, start = int(rng.integers(1, 60)), dt.date(2026, 1, 1) + dt.timedelta(days=int(rng.integers(300)))
    names = rng.choice(list(FILE["units"]), size=int(rng.integers(1, 4)), replace=False).tolist()
    use = rng.choice([0, 1, 2, 3], size=(len(names), n_days), p=[0.4, 0.3, 0.1, 0.2])  # 2: no answer, 3: no line
    # Somebody who only left days blank has no diary that could be imported.
    use[:, int(rng.integers(n_days))] = 1
    amount = np.where(rng.random(use.shape) < 0.7, rng.integers(1, 400, use.shape) / 2.0, np.nan)
    marked = np.where(rng.random((2, *use.shape)) < 0.5, rng.integers(0, 11, (2, *use.shape)), np.nan)
    rows = []
    for (what, day), state in np.ndenumerate(use):
        when = start + dt.timedelta(days=day)
        much = {0: rng.choice(["0", ""]), 1: "" if np.isnan(amount[what, day]) else f"{amount[what, day]:g}"}
        if state == 2 and np.isnan(marked[:, what, day]).all():
            marked[0, what, day] = 0.0  # a line says something
        marks = ["" if np.isnan(mark) else f"{mark:g}" for mark in marked[:, what, day]]
        if state < 3:
            rows.append(["me", names[what], str(when), "" if state == 2 else str(state), much.get(state, ""), *marks])
    rng.shuffle(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "my-days.csv"
        path.write_text("\n".join(",".join(row) for row in [FILE["columns"], *rows]) + "\n", encoding="utf-8")
        found = read_tlfb(path)
    assert found.report.n_kept == found.report.n_rows == len(rows)
    by_name = {one.substance: one for one in found.diaries}
    assert set(by_name) == set(names)
    first = min(day for (_, day), state in np.ndenumerate(use) if state < 3)
    for what, name in enumerate(names):
        one = by_name[name]
        for day in range(n_days):
            at = day - first - one.first_day
            state = use[what, day]
            for mark, score in enumerate(("craving", "mood")):
                kept = one.scores[score][0, at] if score in one.scores and 0 <= at < one.assessed.shape[1] else np.nan
                np.testing.assert_equal(kept, marked[mark, what, day] if state < 3 else np.nan)
            is_inside = 0 <= at < one.assessed.shape[1]
            assert (is_inside and bool(one.assessed[0, at])) == (state < 2)
            if state < 2:
                assert bool(one.used[0, at]) == (state == 1)
                assert one.amount is not None
                np.testing.assert_equal(one.amount[0, at], amount[what, day] if state == 1 else 0.0)
