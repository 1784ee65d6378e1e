"""Laws of designs: leaving and smaller trials never gain, nothing is rejected at its size, labels and order are names.

What must hold to the last digit is tried on a few simulated trials. What holds of shares is tried on 400 in each of
fewer cases, the same people with and without the change, so that a rule that is wrong is found in one case.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from law_cases import law
from scipy import stats
from validation.small_trials import small_protocol

from remission.analyses.counts import analyze_day_odds, analyze_rate
from remission.analyses.estimate import Estimate, Status
from remission.analyses.hazards import analyze_hazard
from remission.analyses.means import analyze_difference
from remission.analyses.odds import analyze_odds
from remission.design.nulls import EXPECTANCY, INERT, SAME, nulls_of
from remission.design.variants import null_protocol, one_analysis, resize_protocol
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.protocol.record import Protocol
from remission.records.substance import Substance
from remission.trial.chunk import Chunk, analyze_batch
from remission.trial.simulate import plan_trial

N_TRIALS, N_SHARES = 12, 400
DAYS = 28
# An effect that few people show, so that laws about power have a power to move.
PARAMETERS = load_course_parameters(Substance("alcohol")).replace(use_effect=0.8)
PDA = "pda-ketamine"
ANALYSES = (analyze_difference, analyze_rate, analyze_day_odds)


@functools.cache
def trial() -> Protocol:
    """A small trial whose endpoint has no rule of its own, and so the default."""
    window = {"first": 0, "last": DAYS - 1}
    pda = {"id": "pda", "label": "Days abstinent", "kind": "percent_days_abstinent", "window": window}
    whole = small_protocol()
    return one_analysis(
        whole.replace(endpoints=[pda, *(one.to_dict() for one in whole.endpoints if one.id != "pda")]), PDA
    )


def estimates(
    protocol: Protocol, parameters: CourseParameters, seed: int, name: str = PDA, *, n_trials: int = N_TRIALS
) -> Any:
    """The analysis of each simulated trial."""
    plan = plan_trial(protocol, n_replicates=n_trials, seed=seed, parameters=parameters)
    chunk = Chunk(first=0, count=n_trials)
    return analyze_batch(protocol, chunk, plan.simulate(chunk), parameters=plan.parameters).estimates[name]


def p_values(protocol: Protocol, parameters: CourseParameters, seed: int, name: str = PDA) -> np.ndarray:
    """One for each simulated trial."""
    return np.asarray(estimates(protocol, parameters, seed, name).p_value)


def scores(protocol: Protocol, parameters: CourseParameters, seed: int) -> np.ndarray:
    """The z value of each of many trials: power is the share of them beyond a line, and a mean tells more."""
    found = estimates(protocol, parameters, seed, n_trials=N_SHARES)
    return np.asarray(np.sign(found.estimate) * stats.norm.isf(np.clip(found.p_value, 1e-300, 1.0) / 2.0))


def is_raised(after: np.ndarray, before: np.ndarray) -> bool:
    """Whether the same trials gained more than chance gives once in a million cases."""
    return bool(stats.ttest_rel(after, before, alternative="greater", nan_policy="omit").pvalue < 1e-6)


@law(seed=5301, one_in=10)
def test_leaving_never_raises_power(rng: np.random.Generator) -> None:
    """The default counts what nobody saw as use: a trial that loses people must not look larger."""
    seed, hazard = int(rng.integers(1, 10**6)), float(rng.uniform(0.002, 0.02))
    n_people = 4 * int(rng.integers(5, 16))
    stay, leave = (
        scores(resize_protocol(trial(), n_people), PARAMETERS.replace(leave_hazard_per_day=one), seed)
        for one in (0.0, hazard)
    )
    assert not is_raised(leave, stay)
    # Leaving moves something, or the law would hold of a trial that nobody leaves.
    assert (leave != stay).any()


def table_of(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Days of use of people in two arms."""
    treated = rng.permutation(n) < rng.integers(4, n - 3)
    chance = rng.beta(0.6, 0.8, n) * np.where(treated, rng.uniform(0.3, 1.0), 1.0)
    return rng.binomial(DAYS, chance).astype(float), treated


def analyzed(analyze: Callable[..., Estimate], use: np.ndarray, treated: np.ndarray, adjust: np.ndarray) -> Estimate:
    """Any analysis of days of use."""
    days: tuple[Any, ...] = () if analyze is analyze_difference else (np.full(use.size, float(DAYS)),)
    return analyze(use, *days, treated, adjust)


@law(seed=5302)
def test_swapped_labels_turn_the_sign_and_nothing_else(rng: np.random.Generator) -> None:
    """Which arm is called the treatment is a name."""
    n = int(rng.integers(12, 60))
    use, treated = table_of(rng, n)
    adjust = rng.normal(size=(n, int(rng.integers(0, 3))))
    for analyze in ANALYSES:
        one, other = analyzed(analyze, use, treated, adjust), analyzed(analyze, use, ~treated, adjust)
        assert one.status is other.status
        if one.status is Status.OK:
            assert other.p_value == pytest.approx(one.p_value, rel=1e-6, abs=1e-12)

            def flip(value: Any, *, is_difference: bool = analyze is analyze_difference) -> Any:
                return -value if is_difference else 1.0 / value

            assert flip(other.estimate) == pytest.approx(one.estimate, rel=1e-6, abs=1e-9)
            assert flip(other.high) == pytest.approx(one.low, rel=1e-5, abs=1e-9)


@law(seed=5303)
def test_the_order_of_people_changes_no_answer(rng: np.random.Generator) -> None:
    """A table sorted by name or by arm is the same table."""
    n = int(rng.integers(12, 60))
    use, treated = table_of(rng, n)
    adjust, order = rng.normal(size=(n, 1)), rng.permutation(n)
    event = use > np.median(use)
    for one, other in [
        *(
            (analyzed(a, use, treated, adjust), analyzed(a, use[order], treated[order], adjust[order]))
            for a in ANALYSES
        ),
        (analyze_odds(event * 1.0, treated, adjust), analyze_odds(event[order] * 1.0, treated[order], adjust[order])),
        (
            analyze_hazard(use + 1.0, event, treated, adjust),
            analyze_hazard(use[order] + 1.0, event[order], treated[order], adjust[order]),
        ),
    ]:
        assert one.status is other.status
        if one.status is Status.OK:
            found = [other.estimate, other.low, other.high, other.p_value]
            np.testing.assert_allclose(found, [one.estimate, one.low, one.high, one.p_value], rtol=1e-6, atol=1e-12)


@law(seed=5304)
def test_the_interval_of_a_count_never_contradicts_its_p_value(rng: np.random.Generator) -> None:
    """One test, read twice."""
    use, treated = table_of(rng, int(rng.integers(10, 80)))
    for analyze in ANALYSES:
        found = analyzed(analyze, use, treated, np.zeros((use.size, 0)))
        if found.status is Status.OK:
            nothing = 0.0 if analyze is analyze_difference else 1.0
            assert found.low <= found.estimate <= found.high
            assert (found.p_value < 0.05) == (not found.low <= nothing <= found.high)


@law(seed=5305)
def test_the_days_of_a_count_may_be_counted_from_the_other_side(rng: np.random.Generator) -> None:
    """Odds of a day of use and of a day without are one question."""
    use, treated = table_of(rng, int(rng.integers(10, 60)))
    seen, nothing = np.full(use.size, float(DAYS)), np.zeros((use.size, 0))
    one, other = (analyze_day_odds(y, seen, treated, nothing) for y in (use, DAYS - use))
    assert one.status is other.status
    if one.status is Status.OK:
        assert other.p_value == pytest.approx(one.p_value, rel=1e-6, abs=1e-12)
        assert 1.0 / other.estimate == pytest.approx(one.estimate, rel=1e-6)


@law(seed=5306)
def test_a_null_is_named_beside_every_design(rng: np.random.Generator) -> None:
    """A power without its nulls flatters: each design has the same two by name, and a third only where it is meant."""
    told = rng.uniform() < 0.5
    blinding = {"guess_unfelt": float(rng.uniform(0.1, 0.5)), "guess_felt": float(rng.uniform(0.5, 0.99))}
    blinding["expectancy_report"] = float(rng.choice([0.0, rng.uniform(0.05, 0.5)]))
    protocol = small_protocol(**({"blinding": blinding} if told else {}))
    for analysis in protocol.analyses:
        found = nulls_of(protocol, analysis.id, PARAMETERS.replace(w_report=float(rng.uniform(0.0, 1.0))))
        names = [one.name for one in found]
        assert names[:2] == [SAME, INERT]
        assert names[2:] in ([], [EXPECTANCY])
        assert all(one.protocol is not None or one.note for one in found)


def test_nothing_is_rejected_at_its_size() -> None:
    """Trials whose arms receive the same, 4,000 over 10 seeds: exact binomial test, a false alarm in 1 of 1,000."""
    alone = null_protocol(trial(), PDA)
    found = np.concatenate([estimates(alone, PARAMETERS, 5400 + s, n_trials=N_SHARES).p_value for s in range(10)])
    assert stats.binomtest(int((found < 0.05).sum()), found.size, 0.05).pvalue > 1e-3


@law(seed=5307)
def test_another_endpoint_changes_no_number(rng: np.random.Generator) -> None:
    """What else is asked of the same people must not move an answer."""
    seed = int(rng.integers(1, 10**6))
    whole = small_protocol()
    kept = int(rng.integers(0, len(whole.analyses)))
    alone = one_analysis(whole, whole.analyses[kept].id)
    name = whole.analyses[kept].id
    np.testing.assert_array_equal(p_values(alone, PARAMETERS, seed, name), p_values(whole, PARAMETERS, seed, name))


@law(seed=5308, one_in=10)
def test_more_people_never_lower_power(rng: np.random.Generator) -> None:
    """Beyond the error of so many trials, whatever the seed; and four times the people raise it."""
    seed = int(rng.integers(1, 10**6))
    few, many = (scores(resize_protocol(trial(), n), PARAMETERS, seed) for n in (12, 48))
    assert not is_raised(few, many)
    assert is_raised(many, few)


def with_a_third_arm(protocol: Protocol) -> Protocol:
    """The trial with an arm of another dose beside its two, and people for it."""
    data = protocol.to_dict()
    half = {"drug": "racemic-ketamine", "infusions": [{"day": 0, "duration_min": 40.0, "dose_mg_per_kg": 0.4}]}
    arm = {**data["arms"][0], "id": "half-therapy", "label": "Half the dose", "drug": "half"}
    people = {**data["population"], "n_subjects": data["population"]["n_subjects"] * 3 // 2}
    return Protocol.create(
        **{
            **data, "population": people, "drugs": {**data["drugs"], "half": half}, "randomization": {"block_size": 6},
            "arms": [*data["arms"], {**arm, "factors": {"drug": "half"}}],
        }
    )  # fmt: skip


def by_person(record: Any, people: np.ndarray) -> list[np.ndarray]:
    """Every array of a record that has a row for each person, at some people."""
    arrays = [getattr(record, field.name) for field in dataclasses.fields(record)]
    return [one[people] for one in arrays if isinstance(one, np.ndarray) and one.ndim and len(one) > people.max()]


@law(seed=5309)
def test_another_arm_changes_nobody_elses_draws(rng: np.random.Generator) -> None:
    """Whoever is in the same arm in both trials lives the same days: draws belong to the person, not to the design."""
    seed = int(rng.integers(1, 10**6))
    two, three = (
        plan_trial(protocol, n_replicates=2, seed=seed, parameters=PARAMETERS).simulate(Chunk(first=0, count=2))
        for protocol in (trial(), with_a_third_arm(trial()))
    )
    keys = [list(zip(batch.people.replicate, batch.people.subject, strict=True)) for batch in (two, three)]
    place = {key: i for i, key in enumerate(keys[1])}
    here = np.array([i for i, key in enumerate(keys[0]) if two.arm[i] == three.arm[place[key]]])
    there = np.array([place[keys[0][i]] for i in here])
    assert len(here) >= 4
    for record in ("covariates", "course", "happenings", "observation"):
        pairs = list(zip(by_person(getattr(two, record), here), by_person(getattr(three, record), there), strict=True))
        assert pairs
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)


@law(seed=5310, one_in=25)
def test_another_arm_does_not_move_the_answer_of_the_others(rng: np.random.Generator) -> None:
    """As many people in each of the two arms, in 2,400 trials: the mean difference within 4.5 of its errors."""
    seed = int(rng.integers(1, 10**6))
    two, three = (
        np.asarray(estimates(protocol, PARAMETERS, seed, n_trials=6 * N_SHARES).estimate)
        for protocol in (trial(), with_a_third_arm(trial()))
    )
    error = np.sqrt(two.var() / two.size + three.var() / three.size)
    assert abs(two.mean() - three.mean()) < 4.5 * error
