"""Pooling against formulas written out again, and the refusals that keep unlike things apart."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student_t

from remission.errors import SpecError
from remission.evidence.classes import endpoint_classes
from remission.evidence.contrasts import Contrast, ContrastGroup, find_endpoint, group_contrasts, pool_group
from remission.evidence.pooling import pool_effects
from remission.evidence.registry import load_evidence
from remission.records.evidence import StudyOutcome, StudyRecord

REGISTRY = load_evidence()
# Six made-up contrasts with unequal errors and more spread than chance gives.
Y = np.array([0.10, 0.82, -0.30, 0.55, 1.40, 0.35])
SE = np.array([0.12, 0.30, 0.25, 0.18, 0.40, 0.22])


def written_out(y: np.ndarray, se: np.ndarray) -> dict[str, float]:
    """The formulas of the module's docstring in plain Python, tau2 by bracketing instead of iteration."""
    v, k = se**2, len(y)

    def mean_at(tau2: float) -> float:
        return sum(a / (b + tau2) for a, b in zip(y, v, strict=True)) / sum(1 / (b + tau2) for b in v)

    def equation(tau2: float) -> float:
        mu = mean_at(tau2)
        return sum((a - mu) ** 2 / (b + tau2) for a, b in zip(y, v, strict=True)) - (k - 1)

    tau2 = 0.0 if equation(0.0) <= 0.0 else float(brentq(equation, 0.0, 1e4 * float(np.var(y) + 1.0), xtol=1e-15))
    mu = mean_at(tau2)
    total = sum(1 / (b + tau2) for b in v)
    spread = sum((a - mu) ** 2 / (b + tau2) for a, b in zip(y, v, strict=True)) / (k - 1)
    error = math.sqrt(max(1.0, spread) / total)
    q = equation(0.0) + (k - 1)
    return {
        "estimate": mu,
        "low": mu - student_t.ppf(0.975, k - 1) * error,
        "high": mu + student_t.ppf(0.975, k - 1) * error,
        "predicted_low": mu - student_t.ppf(0.975, k - 2) * math.sqrt(tau2 + error**2),
        "predicted_high": mu + student_t.ppf(0.975, k - 2) * math.sqrt(tau2 + error**2),
        "tau2": tau2,
        "q": q,
        "i2": max(0.0, 1.0 - (k - 1) / q),
    }


@pytest.mark.parametrize("unit", [1.0, 0.01, 1000.0])
@pytest.mark.parametrize("count", [3, 4, 6])
def test_pooling_equals_the_formulas_written_out(count: int, unit: float) -> None:
    """A second way to every number, in units small and large: the library's solver has an absolute tolerance."""
    found = pool_effects(Y[:count] * unit, SE[:count] * unit)
    for name, expected in written_out(Y[:count], SE[:count]).items():
        power = {"tau2": 2, "q": 0, "i2": 0}.get(name, 1)
        assert getattr(found, name) == pytest.approx(expected * unit**power, rel=1e-6, abs=1e-9 * unit**power), name


def test_contrasts_that_agree_give_no_false_precision() -> None:
    """Three contrasts alike by chance: plain HKSJ would give an interval of almost no width."""
    y, se = np.array([0.300, 0.301, 0.299]), np.array([0.1, 0.1, 0.1])
    found = pool_effects(y, se)
    assert found.tau2 == 0.0
    assert found.i2 == 0.0
    assert found.high - found.low == pytest.approx(2 * student_t.ppf(0.975, 2) * 0.1 / math.sqrt(3), rel=1e-9)


def test_equal_estimates_are_no_division_by_zero() -> None:
    """Q is 0 there, and I2 divides by it."""
    found = pool_effects(np.array([0.2, 0.2, 0.2]), np.array([0.1, 0.2, 0.3]))
    assert (found.q, found.i2) == (0.0, 0.0)
    assert found.estimate == pytest.approx(0.2)


effects = st.lists(
    st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=3, max_size=8
)  # ratios on the log scale live in this range


@settings(max_examples=60, deadline=None)
@given(effects)
def test_laws_of_pooling(items: list[tuple[float, float]]) -> None:
    """Never narrower than the fixed-effect interval; prediction contains confidence; the sign flips with the data."""
    y, se = (np.array(column) for column in zip(*items, strict=True))
    found = pool_effects(y, se)
    fixed_half = norm.ppf(0.975) / math.sqrt(np.sum(1 / se**2))
    assert found.high - found.low >= 2 * fixed_half * (1 - 1e-9)
    assert found.predicted_low <= found.low + 1e-9
    assert found.predicted_high >= found.high - 1e-9
    assert y.min() - 1e-9 <= found.estimate <= y.max() + 1e-9
    mirrored = pool_effects(-y, se)
    assert mirrored.low == pytest.approx(-found.high, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(
    ("y", "se", "where"),
    [
        ([0.1, 0.2], [0.1, 0.1], "estimates"),
        ([0.1, 0.2, math.nan], [0.1, 0.1, 0.1], "estimates"),
        ([0.1, 0.2, 0.3], [0.1, 0.0, 0.1], "standard_errors"),
        ([0.1, 0.2, 0.3], [0.1, math.inf, 0.1], "standard_errors"),
    ],
)
def test_numbers_that_cannot_be_pooled_are_refused(y: list[float], se: list[float], where: str) -> None:
    """Two contrasts give an interval with one degree of freedom: a number nobody should read."""
    with pytest.raises(SpecError) as caught:
        pool_effects(np.array(y), np.array(se))
    assert caught.value.where == where


def made_up(number: int, **changes: Any) -> Contrast:
    """A contrast of a made-up trial; its record borrows an id: three randomized, a review, a cohort with a control."""
    ids = ("grabski_2022_kare", "dakwar_2019_cocaine", "johnson_2013", "ma_mbrp_grant", "pizon_2018_aws")
    study = REGISTRY[ids[number]]
    assert isinstance(study, StudyRecord)
    fields = {
        "arm_or_contrast": "Ketamine vs midazolam", "endpoint": "relapse", "time_days": 180, "statistic": "odds ratio",
        "value": 0.5, "ci_low": 0.25, "ci_high": 1.0, "sd": None, "n": 50, "source_url": "made up",
        "source_kind": "abstract or registry",
    }  # fmt: skip
    outcome = StudyOutcome.from_dict({**fields, **changes})
    return Contrast(study=study, outcome=outcome, comparison="ketamine v control, same therapy")


def grouped(*contrasts: Contrast) -> ContrastGroup:
    return pool_group(list(contrasts), endpoint=find_endpoint("relapse"))


def test_three_comparable_contrasts_are_pooled_on_the_log_scale() -> None:
    """The door opens when there is enough: three equal odds ratios give that odds ratio."""
    group = grouped(made_up(0), made_up(1), made_up(2))
    assert group.pooled is not None
    assert math.exp(group.pooled.estimate) == pytest.approx(0.5)
    assert (group.refusal, group.left_out) == ("", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source_kind": "press"}, "press"),
        ({"source_kind": "derived"}, "derived"),
        ({"ci_low": None, "ci_high": None}, "no interval"),
        ({"ci_low": 0.4}, "not symmetric"),
        ({"value": 2.0}, "outside its interval"),
        ({"ci_low": -0.1}, "not positive"),
        ({"time_days": None}, "no day"),
        ({"statistic": "percent lower"}, "cannot be combined"),
    ],
)
def test_a_contrast_that_does_not_qualify_is_named_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    """What is left out is said, never silent."""
    group = grouped(made_up(0), made_up(1), made_up(2, **changes))
    assert group.pooled is None
    assert "2 comparable contrasts, at least 3 needed" in group.refusal
    assert "johnson_2013" in group.left_out
    assert reason in group.left_out


@pytest.mark.parametrize(("number", "reason"), [(3, "a review"), (4, "not a randomized comparison")])
def test_only_randomized_trials_are_pooled(number: int, reason: str) -> None:
    """A review pools the same trials again, and a cohort's groups differ before treatment."""
    group = grouped(made_up(0), made_up(1), made_up(number))
    assert group.pooled is None
    assert reason in group.left_out


def test_one_trial_counts_once() -> None:
    """Two contrasts of one trial share people; counted twice they pretend to be two trials."""
    group = grouped(made_up(0), made_up(0), made_up(1))
    assert group.pooled is None
    assert "second contrast of the same trial" in group.left_out


def test_the_published_trials_do_not_yet_allow_any_pooling() -> None:
    """The finding itself: no three comparable contrasts exist, so no pooled number may appear anywhere."""
    groups = [
        group
        for substance in REGISTRY.substances()
        for endpoint in endpoint_classes()
        if endpoint != "other"
        for group in group_contrasts(REGISTRY, substance=substance, endpoint=endpoint)
    ]
    assert len(groups) > 10
    assert all(group.pooled is None and group.refusal for group in groups)
    assert max(len(group.used) for group in groups) == 1


def test_an_unknown_endpoint_lists_those_there_are() -> None:
    """The ids are ours; nobody can guess them."""
    with pytest.raises(SpecError) as caught:
        find_endpoint("relapsed")
    assert "relapse" in caught.value.remedy
