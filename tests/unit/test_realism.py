"""The statistics of diaries that are stored for calibration, and the machine that tells diaries apart."""

from itertools import pairwise

import numpy as np
import pytest
from validation.realism.score import summaries, tell_apart
from validation.realism.statistics import DEFINITIONS, diary_statistics, with_errors

from remission.library.references import load_reference
from remission.records.packaged import packaged_toml


def by_hand(use: list[list[int]]) -> dict[str, float]:
    """Some of the statistics once more, person by person and day by day."""
    n_days = len(use[0])
    product = {lag: [0.0, 0] for lag in (1, 7)}
    square, days, after = 0.0, 0, {0: [0, 0], 1: [0, 0]}
    runs: list[int] = []
    clean: list[int] = []
    for person in use:
        mean = sum(person) / n_days
        square += sum((y - mean) ** 2 for y in person)
        days += n_days
        for lag, sums in product.items():
            for day in range(n_days - lag):
                sums[0] += (person[day] - mean) * (person[day + lag] - mean)
                sums[1] += 1
        for yesterday, today in pairwise(person):
            after[yesterday][0] += today
            after[yesterday][1] += 1
        start = 0
        for day in range(1, n_days + 1):
            if day == n_days or person[day] != person[start]:
                if start > 0 and day < n_days:
                    (runs if person[start] else clean).append(day - start)
                start = day
    return {
        **{f"lag_{lag}": (total / pairs) / (square / days) for lag, (total, pairs) in product.items()},
        "after_use": after[1][0] / after[1][1],
        "after_clean": after[0][0] / after[0][1],
        "single_use": runs.count(1) / len(runs),
        "use_run_mean": sum(runs) / len(runs),
        "clean_run_median": float(np.median(clean)),
        "none": sum(not any(person) for person in use) / len(use),
    }


@pytest.mark.parametrize("seed", range(4))
def test_statistics_are_those_of_a_second_computation(seed: int) -> None:
    """Calibration will trust these numbers; a run that crosses from one person to the next would be such a slip."""
    rng = np.random.default_rng(seed)
    use = (rng.random((17, 60)) < rng.beta(0.6, 2.0, size=(17, 1))).astype(float)
    use[0], use[1] = 0.0, 1.0
    found = diary_statistics(use)
    assert set(found) == set(DEFINITIONS)
    for name, value in by_hand(use.astype(int).tolist()).items():
        assert found[name] == pytest.approx(value, rel=1e-12), name


def test_the_standard_error_of_a_share_is_known() -> None:
    """For the share of people without use the bootstrap's error must be the binomial one (within 15%)."""
    use = np.zeros((500, 40))
    use[:200, ::3] = 1.0
    value, error, low, high = with_errors(use, n_resamples=400, seed=3)["none"]
    assert value == 0.6
    assert error == pytest.approx((0.6 * 0.4 / 500) ** 0.5, rel=0.15)
    assert low < value < high


def test_the_machine_cannot_tell_what_is_equal_and_can_tell_what_is_not() -> None:
    """A score that is good for the wrong reason would end the work on the model.

    400 people of each kind: the error of a score of .5 is .02, so five of them (false alarm 1 in a million) are .1.
    """
    rng = np.random.default_rng(8)
    level = rng.beta(0.6, 2.0, size=(800, 1))
    use = (rng.random((800, 84)) < level).astype(float)
    same = tell_apart(summaries(use[:400]), summaries(use[400:]), seed=1)
    assert abs(same.value - 0.5) < 0.1
    assert same.low < same.value < same.high
    weekly = use[400:].copy()
    weekly[:, 7:] = np.where(rng.random((400, 77)) < 0.5, weekly[:, :-7], weekly[:, 7:])
    assert tell_apart(summaries(use[:400]), summaries(weekly), seed=1).value > 0.6


@pytest.mark.parametrize("substance", ["alcohol", "cocaine", "opioid", "cannabis"])
def test_the_stored_statistics_are_whole(substance: str) -> None:
    """Every number has its definition, its error and a source that was read."""
    content = packaged_toml("diaries", "ctn0094.toml")
    statistics = {name: one for name, one in content["substance"][substance].items() if isinstance(one, dict)}
    assert set(statistics) == set(content["definitions"]) == set(DEFINITIONS)
    for name, one in statistics.items():
        assert one["low"] <= one["value"] <= one["high"], name
        assert one["standard_error"] > 0.0 or name == "clean_run_median", name
    assert load_reference(content["source"]).key == "ctn0094"
