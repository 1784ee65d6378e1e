"""Laws of endpoints against a baseline, of amounts and of sessions: what must hold for all diaries and all bounds."""

from dataclasses import replace

import numpy as np
from law_cases import law
from seen_days import endpoint, seen_days

from remission.endpoints.data import EndpointData, SessionsSeen
from remission.endpoints.values import values_of
from remission.records.session_rule import SESSION_BOUNDS
from remission.use.amount import amount_used, update_recent

KINDS = ("change_in_use_days", "change_in_heavy_days", "change_in_amount")
REDUCED = ("reduced_use_days", "reduced_heavy_days", "reduced_amount")


def diaries(rng: np.random.Generator, signs: str = ".xX?") -> tuple[EndpointData, dict[str, int], int]:
    """People over days that begin before day 0, the baseline, and the last day."""
    n_before, n_after = int(rng.integers(1, 12)), int(rng.integers(1, 12))
    lines = ["".join(rng.choice(list(signs), n_before + n_after)) for _ in range(5)]
    data = seen_days(*lines, first_day=-n_before, end_day=np.full(5, n_after))
    return data, {"first": -n_before, "last": -1}, n_after - 1


@law(seed=1861)
def test_a_change_turns_its_sign_when_the_days_run_backward(rng: np.random.Generator) -> None:
    """Before and after are two means of the same kind: exchanged, the difference is exchanged."""
    data, base, last = diaries(rng)
    assert data.amount is not None
    back = replace(
        data, used=data.used[:, ::-1], seen=data.seen[:, ::-1], amount=data.amount[:, ::-1], first_day=-last - 1,
        end_day=np.full(len(data), -base["first"]),
    )  # fmt: skip
    for kind in KINDS:
        there = values_of(endpoint(kind, 0, last, baseline=base), data)
        again = values_of(endpoint(kind, 0, -base["first"] - 1, baseline={"first": -last - 1, "last": -1}), back)
        np.testing.assert_allclose(there, -again, atol=1e-9)


@law(seed=1862)
def test_a_day_of_the_baseline_that_is_lost_is_never_a_clean_one(rng: np.random.Generator) -> None:
    """Losing a use day leaves the rest to speak; losing all leaves no value. It never becomes a day without use."""
    data, base, last = diaries(rng)
    item = endpoint("change_in_use_days", 0, last, baseline=base)
    n_before = -base["first"]
    for lost in range(n_before):
        seen = data.seen.copy()
        seen[:, lost] = False
        found = values_of(item, replace(data, seen=seen))
        nobody = ~seen[:, :n_before].any(axis=1)
        assert np.isnan(found[nobody]).all()
        clean = replace(data, seen=np.maximum(data.seen, np.arange(data.seen.shape[1]) == lost),
                        used=data.used & (np.arange(data.used.shape[1]) != lost))  # fmt: skip
        both = np.isfinite(found) & np.isfinite(values_of(item, clean))
        assert (found[both] <= values_of(item, clean)[both] + 1e-9).all()


@law(seed=1863)
def test_the_unit_of_amounts_changes_no_reduction(rng: np.random.Generator) -> None:
    """Drinks or grams: who halved has halved; a change is scaled by the unit."""
    data, base, last = diaries(rng)
    assert data.amount is not None
    scale = float(2.0 ** rng.integers(-6, 7))
    other = replace(data, amount=data.amount * scale, heavy_amount=5.0 * scale)
    percent = float(rng.integers(1, 101))
    for kind in REDUCED:
        item = endpoint(kind, 0, last, baseline=base, reduction_percent=percent)
        np.testing.assert_array_equal(values_of(item, data), values_of(item, other))
    change = endpoint("change_in_amount", 0, last, baseline=base)
    np.testing.assert_allclose(values_of(change, other), scale * values_of(change, data))


@law(seed=1864)
def test_the_strict_rule_never_finds_a_reduction_that_seeing_would_not(rng: np.random.Generator) -> None:
    """Unseen days of the window, seen as clean or as use: the strict value is the worst of all that could be."""
    data, base, last = diaries(rng)
    n_before, percent = -base["first"], float(rng.integers(1, 100))
    window = np.arange(data.seen.shape[1]) >= n_before
    for kind in REDUCED:
        strict = values_of(endpoint(kind, 0, last, "use", baseline=base, reduction_percent=percent), data)
        plain = endpoint(kind, 0, last, baseline=base, reduction_percent=percent)
        assert data.amount is not None
        for fill in (0.0, 10.0):
            gap = ~data.seen & window
            filled = replace(
                data, seen=data.seen | window, used=np.where(gap, fill > 0.0, data.used),
                amount=np.where(gap, fill, data.amount),
            )  # fmt: skip
            told = values_of(plain, filled)
            both = np.isfinite(strict) & np.isfinite(told)
            assert (strict[both] <= told[both]).all() or kind == "reduced_amount"
            if kind == "reduced_amount":
                whole = both & ~gap.any(axis=1)
                np.testing.assert_array_equal(strict[whole], told[whole])
                assert (strict[both & gap.any(axis=1)] == 0.0).all()


@law(seed=1865)
def test_a_higher_bound_counts_no_further_session_and_a_stopped_one_was_above(rng: np.random.Generator) -> None:
    """Bounds are ordered, an unknown session is no calm one, and what stops a session is part of what it reaches."""
    peak = {
        name: np.where(rng.random((6, 3)) < 0.2, np.nan, rng.uniform(0.0, 250.0, (6, 3))) for name in SESSION_BOUNDS
    }
    flowing = {name: value * rng.uniform(0.3, 1.0, value.shape) for name, value in peak.items()}
    day = np.where(rng.random((6, 3)) < 0.2, -1, rng.integers(0, 20, (6, 3)))
    sessions = SessionsSeen(day=day, given=rng.random((6, 3)) < 0.8, peak=peak, flowing=flowing)
    data = seen_days(*["." * 20] * 6, sessions=sessions)
    low, high = sorted(rng.uniform(60.0, 200.0, 2).tolist())
    for kind in ("any_session_event", "percent_session_events"):
        for name in SESSION_BOUNDS:
            lower, upper, stopped = (
                values_of(endpoint(kind, 0, 19, session=rule), data)
                for rule in ({name: low}, {name: high}, {name: low, "stopped": True})
            )
            np.testing.assert_array_equal(np.isnan(lower), np.isnan(upper))
            known = ~np.isnan(lower)
            assert (lower[known] >= upper[known]).all()
            assert (stopped[known] <= lower[known]).all()
            assert ((lower[known] >= 0.0) & (lower[known] <= 100.0)).all()


@law(seed=1866)
def test_amounts_stay_ordered_by_the_person_and_by_the_day_before(rng: np.random.Generator) -> None:
    """With the same luck a heavier person, and a person after a heavy day, never takes less; a clean day is 0."""
    n = 40
    use, z, eps = (rng.random(n) < 0.7) * 1.0, rng.normal(size=n), rng.normal(size=n)
    h = rng.normal(size=n)
    values = dict(zip(("mu_a", "gamma_a", "sigma_a", "k_heavy", "k_light"), rng.uniform(0.0, 2.0, 5), strict=True))
    after = [amount_used(use, z, eps, h, np.full(n, recent), **values) for recent in (-3.0, 0.0, 3.0)]
    assert (np.diff(after, axis=0) >= 0.0).all()
    assert (amount_used(use, z, eps, h + 0.5, np.zeros(n), **values) >= after[1]).all()
    assert all((one[use == 0.0] == 0.0).all() for one in after)
    recent = rng.integers(-7, 8, n) * 1.0
    once = update_recent(recent, use, after[1], heavy_amount=3.0)
    assert (np.abs(once) <= 7.0).all()
    assert (np.abs(once[use == 0.0]) <= np.abs(recent[use == 0.0])).all()
