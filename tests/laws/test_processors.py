"""Laws of results that must not follow the machine, the order of people or the unit of a column."""

from collections.abc import Callable

import numpy as np
from law_cases import law
from one_replicate import analyze_log_rank
from validation.small_trials import small_protocol

from remission.analyses.counts import analyze_day_odds, analyze_rate
from remission.analyses.estimate import Estimate, Status
from remission.analyses.hazards import analyze_hazard
from remission.analyses.imputation import analyze_imputed
from remission.analyses.means import analyze_difference
from remission.analyses.mmrm import analyze_mmrms
from remission.analyses.odds import analyze_odds
from remission.analyses.repeated import analyze_repeated
from remission.streams import People
from remission.trial.chunk import Chunk
from remission.trial.simulate import plan_trial

_PLAIN = small_protocol()


def people_of(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A small trial, at times with nearly nothing in it: rare events, one side nearly empty, few distinct values."""
    n = int(rng.integers(8, 60))
    treated = rng.uniform(size=n) < rng.uniform(0.2, 0.8)
    rate = rng.choice([0.03, 0.3, 0.5, 0.95])
    return {
        "treated": treated,
        "terms": np.stack([rng.normal(45.0, 9.0, n), (rng.uniform(size=n) < 0.4) * 1.0], axis=1),
        "values": np.round(rng.normal(60.0, 20.0, n) + 5.0 * treated, int(rng.integers(0, 3))),
        "events": (rng.uniform(size=n) < rate) * 1.0,
        "days": np.ceil(rng.exponential(20.0, n)),
        "event": rng.uniform(size=n) < rate,
        "counts": np.floor(28.0 * rng.beta(0.5, 1.0, n)),
        "table": rng.normal(60.0, 15.0, (n, 1)) + rng.normal(0.0, 9.0, (n, 3)),
    }


def analyses_of(data: dict[str, np.ndarray], terms: np.ndarray) -> dict[str, Estimate]:
    treated, seen = data["treated"], np.full(data["treated"].size, 28.0)
    return {
        "difference": analyze_difference(data["values"], treated, terms),
        "odds": analyze_odds(data["events"], treated, terms),
        "hazard": analyze_hazard(data["days"], data["event"], treated, terms),
        "log-rank": analyze_log_rank(data["days"], data["event"], treated),
        "rate": analyze_rate(data["counts"], seen, treated, terms),
        "day odds": analyze_day_odds(data["counts"], seen, treated, terms),
        "repeated": analyze_repeated(data["table"], treated, terms),
        "mixed": analyze_mixed(data["table"], treated, terms),
    }


def analyze_mixed(table: np.ndarray, treated: np.ndarray, terms: np.ndarray) -> Estimate:
    """The last visit by a mixed model with an unstructured covariance."""
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    weights, position = np.array([0.0, 0.0, 1.0]), np.arange(3)
    return analyze_mmrms(
        table[None], everyone, treated[None], terms.T[None], weights=weights, position=position
    ).one(0)  # fmt: skip


@law(seed=1401)
def test_a_unit_of_a_term_changes_no_status(rng: np.random.Generator) -> None:
    """Years in halves, quarters or thousands: rank and convergence are decided by shares, never by sizes."""
    data = people_of(rng)
    power = 2.0 ** rng.integers(-40, 40, 2)
    plain, scaled = analyses_of(data, data["terms"]), analyses_of(data, data["terms"] * power)
    for name, found in plain.items():
        assert scaled[name].status is found.status, name
        np.testing.assert_allclose(scaled[name].estimate, found.estimate, rtol=1e-6, atol=1e-9, err_msg=name)


@law(seed=1402)
def test_the_unit_of_the_outcome_changes_no_status(rng: np.random.Generator) -> None:
    """Exactly so by a power of two: the estimate is that multiple, to the last bit."""
    data, power = people_of(rng), float(2.0 ** rng.integers(-30, 30))
    analyses: dict[str, Callable[..., Estimate]] = {"values": analyze_difference, "table": analyze_repeated}
    mixed = [analyze_mixed(k * data["table"], data["treated"], data["terms"]) for k in (1.0, power)]
    assert mixed[1].status is mixed[0].status
    np.testing.assert_array_equal(mixed[1].estimate, power * mixed[0].estimate)
    for name, analyze in analyses.items():
        plain, scaled = (analyze(k * data[name], data["treated"], data["terms"]) for k in (1.0, power))
        assert scaled.status is plain.status
        np.testing.assert_array_equal(scaled.estimate, power * plain.estimate)
        np.testing.assert_array_equal(scaled.p_value, plain.p_value)


@law(seed=1403)
def test_the_order_of_people_changes_no_status(rng: np.random.Generator) -> None:
    """And an estimate only by rounding, within a ten-thousandth of its own interval."""
    data = people_of(rng)
    order = rng.permutation(data["treated"].size)
    mixed = {name: column[order] for name, column in data.items()}
    plain, other = analyses_of(data, data["terms"]), analyses_of(mixed, mixed["terms"])
    for name, found in plain.items():
        assert other[name].status is found.status, name
        width = 1.0 if found.status is not Status.OK else max(found.high - found.low, 1e-300)
        np.testing.assert_allclose(other[name].estimate, found.estimate, atol=1e-4 * width, rtol=0.0, err_msg=name)


@law(seed=1404)
def test_a_near_copy_of_the_treatment_is_never_adjusted_for(rng: np.random.Generator) -> None:
    """A column that is the treatment but for rounding leaves nothing to compare, whatever its unit."""
    data = people_of(rng)
    away = 10.0 ** rng.uniform(-16.0, -11.0)
    copy = data["treated"] * (1.0 + away * rng.normal(size=data["treated"].size)) * 10.0 ** rng.uniform(-6.0, 6.0)
    terms = np.column_stack([data["terms"], copy])
    for name, found in analyses_of(data, terms).items():
        assert name == "log-rank" or found.status is not Status.OK, name


@law(seed=1405)
def test_near_copies_of_a_period_are_refused(rng: np.random.Generator) -> None:
    """A period that is another but for rounding, in another unit, from another zero, or read upside down."""
    n = 40
    treated = np.arange(n) % 2 == 0
    table = rng.normal(60.0, 15.0, (n, 1)) + rng.normal(0.0, 9.0, (n, 4)) + 4.0 * treated[:, None]
    away = 10.0 ** rng.uniform(-16.0, -8.0)
    slope, shift = rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-2.0, 2.0), rng.choice([0.0, 0.0, 30.0])
    table[:, 1] = slope * table[:, 0] * (1.0 + away * rng.normal(size=n)) + shift
    for period in rng.choice(4, 2, replace=False):
        table[rng.uniform(size=n) < 0.3, period] = np.nan
    people = People.of_replicates(seed=int(rng.integers(1000)), first=0, count=1, n_subjects=n)
    found = analyze_imputed(
        table, treated, np.zeros((n, 0)), people,
        assumption="missing-at-random", n_imputations=2, weight=np.full(4, 0.25),
    )  # fmt: skip
    assert found.status is Status.NOT_ESTIMABLE


@law(seed=1406)
def test_pieces_of_a_trial_are_the_trial(rng: np.random.Generator) -> None:
    """Whoever does which replicates, alone or together, the bytes of each are the same."""
    plan = plan_trial(_PLAIN, n_replicates=3, seed=int(rng.integers(2**32)))
    number = int(rng.integers(3))
    whole, alone = plan.run(Chunk(first=0, count=3)), plan.run(Chunk(first=number, count=1))
    for name, found in alone.estimates.items():
        assert found.status == whole.estimates[name].status[number : number + 1]
        for column in ("estimate", "low", "high", "p_value"):
            np.testing.assert_array_equal(getattr(found, column)[0], getattr(whole.estimates[name], column)[number])
