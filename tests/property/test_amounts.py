"""Heavy and light days: the limits of the equation, its memory, and the transitions of real drinking days."""

import numpy as np
import pytest

from remission.errors import LibraryError
from remission.library import loader
from remission.library.loader import load_parameter_set
from remission.numerics.elementary import logistic
from remission.use.amount import amount_used, update_recent

VALUES = load_parameter_set("amounts-2026").value
SPREAD = VALUES("sigma_a.alcohol")
BOUND = VALUES("heavy_amount.alcohol")


def amounts(level: float, use: np.ndarray, *, seed: int = 3) -> np.ndarray:
    """Amounts of people on given days of use, one row a day; ``level``: the typical log odds of a heavy day."""
    rng = np.random.default_rng(seed)
    noise, heaviness = rng.normal(size=use.shape), rng.normal(size=use.shape[1:]) * VALUES("sigma_heavy.alcohol")
    n = use.shape[1]
    recent, found = np.zeros(n), []
    for day in range(use.shape[0]):
        amount = amount_used(
            use[day], np.zeros(n), noise[day], heaviness, recent,
            mu_a=np.log(BOUND) + SPREAD * level / 1.702, gamma_a=0.0, sigma_a=SPREAD,
            k_heavy=VALUES("k_heavy.alcohol"), k_light=VALUES("k_light.alcohol"),
        )  # fmt: skip
        recent = update_recent(recent, use[day], amount, heavy_amount=BOUND)
        found.append(amount)
    return np.array(found)


def test_without_trait_and_state_days_are_independent_amounts() -> None:
    """Sets that do not name them must give the same bits as before: log a = mu + gamma z + sigma eps."""
    rng = np.random.default_rng(1)
    z, eps, recent = rng.normal(size=50), rng.normal(size=50), rng.integers(-7, 8, 50) * 1.0
    found = amount_used(
        np.ones(50), z, eps, np.zeros(50), recent, mu_a=2.3, gamma_a=0.1, sigma_a=0.5, k_heavy=0.0, k_light=0.0
    )
    plain = amount_used(
        np.ones(50), z, eps, np.zeros(50), np.zeros(50), mu_a=2.3, gamma_a=0.1, sigma_a=0.5, k_heavy=9.0, k_light=9.0
    )
    np.testing.assert_array_equal(found, plain)
    np.testing.assert_allclose(np.log(found), 2.3 + 0.1 * z + 0.5 * eps, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("amount", "sign"), [(BOUND + 1.0, 1.0), (BOUND, -1.0), (0.5, -1.0)])
def test_a_day_is_remembered_for_a_week(amount: float, sign: float) -> None:
    """'Within 7 days' is what was measured: the seventh day after still knows, the eighth does not."""
    recent = update_recent(np.zeros(1), np.ones(1), np.array([amount]), heavy_amount=BOUND)
    seen = []
    for _ in range(8):
        seen.append(float(np.sign(recent[0])))
        recent = update_recent(recent, np.zeros(1), np.zeros(1), heavy_amount=BOUND)
    assert seen == [sign] * 7 + [0.0]


def test_the_chance_of_a_heavy_day_is_the_logistic_one() -> None:
    """The diaries were fitted with a logistic law; the normal one of the equation must not be another model."""
    rng = np.random.default_rng(2)
    eps = rng.normal(size=400_000)
    for odds in (-4.0, -1.3, 0.0, 1.1, 3.5):
        column = np.full(eps.size, odds)
        found = amount_used(
            np.ones(eps.size), column, eps, column, np.zeros(eps.size),
            mu_a=np.log(BOUND), gamma_a=0.0, sigma_a=SPREAD, k_heavy=0.0, k_light=0.0,
        )  # fmt: skip
        assert (found > BOUND).mean() == pytest.approx(float(logistic(np.array([odds]))[0]), abs=0.012)


@pytest.mark.parametrize(
    ("level", "heavy_share", "after_heavy", "after_light"), [(-1.87, 0.260, 0.946, 0.022), (-0.50, 0.632, 0.959, 0.116)]
)
def test_real_transitions_come_out(level: float, heavy_share: float, after_heavy: float, after_light: float) -> None:
    """Counts of CTN-0027 and CTN-0051 that the fit did not use as such: heavy after heavy, heavy after light.

    Each with its own fitted level. Who drinks how often is not in these numbers, so the tolerances are wide.
    """
    use = np.random.default_rng(7).uniform(size=(120, 4000)) < np.linspace(0.05, 1.0, 4000)
    found = amounts(level, use * 1.0)[20:]
    used, heavy = use[20:], found > BOUND
    again = used[1:] & used[:-1]
    assert heavy[used].mean() == pytest.approx(heavy_share, abs=0.15)
    assert heavy[1:][again & heavy[:-1]].mean() == pytest.approx(after_heavy, abs=0.06)
    assert heavy[1:][again & ~heavy[:-1]].mean() == pytest.approx(after_light, abs=0.06)


def test_a_set_takes_in_another() -> None:
    """Amounts are one part of several sets of behavior: taken in whole, never silently under another number."""
    content = {"id": "whole", "title": "x", "includes": ["amounts-2026"]}
    own = {"symbol": "b", "value": 1.0, "unit": "1", "grade": "assumed", "source": "remission"}
    found = loader._parse("whole", {**content, "parameters": [{"id": "b0", **own}]})
    assert found.value("k_heavy.alcohol") == VALUES("k_heavy.alcohol")
    assert found.ids[0] == "b0"
    with pytest.raises(LibraryError, match="used once"):
        loader._parse("whole", {**content, "parameters": [{"id": "mu_a", **own}]})
    with pytest.raises(LibraryError, match="amounts-2026"):
        loader._parse("whole", {**content, "includes": ["amount-2026"], "parameters": [{"id": "b0", **own}]})
