"""Events, missing data and broken blinding: what they change, and that they change nothing at strength 0."""

from typing import Any

import numpy as np
import pytest
from validation.bias import measure_bias
from validation.small_trials import small_protocol

from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.records.intercurrent import UseRule
from remission.trial.batch import TrialBatch, simulate_batch, simulate_with_states
from remission.trial.happenings import first_day_of_rule
from remission.trial.simulate import simulate_trial
from remission.trial.truth import estimand_truth

BLINDING = {"guess_unfelt": 0.3, "guess_felt": 0.95}
ESTIMAND = {
    "treatment": "Ketamine against saline.",
    "population": "As randomized.",
    "variable": "Days abstinent.",
    "intercurrent_events": "Treatment policy.",
    "summary": "Difference of means.",
    "analysis": "pda-ketamine",
}


def batch_of(*, n_replicates: int = 10, parameters: dict[str, float] | None = None, **changes: Any) -> TrialBatch:
    protocol = small_protocol(**changes)
    return simulate_batch(
        protocol,
        seed=7,
        first_replicate=0,
        n_replicates=n_replicates,
        parameters=load_course_parameters(protocol.substance).replace(**parameters or {}),
        pharmacology=load_pharmacology(),
    )


def assert_same(one: TrialBatch, other: TrialBatch) -> None:
    for name in ("use", "amount", "vas", "days_in_study", "attended"):
        np.testing.assert_array_equal(getattr(one.course, name), getattr(other.course, name))
    for name in ("diary", "amount", "seen", "test_kept", "test_positive", "craving_vas", "days_in_study"):
        np.testing.assert_array_equal(getattr(one.observation, name), getattr(other.observation, name))


@pytest.mark.parametrize(
    "changes",
    [
        {"events": {"incarceration": {"hazard_per_day": 0.0, "length_days": 30}}},
        {"events": {"relapse": {"use_days": 3, "within_days": 7}}},
        {"blinding": BLINDING},
    ],
)
def test_strength_0_changes_no_byte(changes: dict[str, Any]) -> None:
    """A mechanism that is switched off must leave today's results alone."""
    assert_same(batch_of(), batch_of(**changes))


def test_missingness_of_strength_0_is_the_kernels_own_leaving_without_its_weight_of_use() -> None:
    """Two programs of one law: the kernel leaves as it goes, this one afterwards with the treatment taken out."""
    flat = {"leave_use_factor": 0.0, "leave_hazard_per_day": 0.02}
    assert_same(batch_of(parameters=flat), batch_of(parameters=flat, missingness={"observed": 0.0, "latent": 0.0}))


def test_missed_visits_at_random_know_nothing_of_unseen_use() -> None:
    """At latent 0 the chance of missing is the same with and without use; at latent 4 it is not.

    Within 4 standard errors, which a right program misses once in 16,000 seeds.
    """
    gaps = {}
    for latent in (0.0, 4.0):
        batch = batch_of(
            n_replicates=80,
            missingness={"latent": latent},
            parameters={"miss_hazard_per_day": 0.2, "leave_hazard_per_day": 0.0},
        )
        kept = batch.happenings.kept
        assert kept is not None
        used = batch.course.use[:, 7:14].any(axis=1)
        missed = ~kept[13]
        shares = [missed[used].mean(), missed[~used].mean()]
        error = np.sqrt(sum(s * (1.0 - s) / c for s, c in zip(shares, (used.sum(), (~used).sum()), strict=True)))
        gaps[latent] = (shares[0] - shares[1]) / error
    assert abs(gaps[0.0]) < 4.0
    assert gaps[4.0] > 6.0


def gap_in_leaving(missingness: dict[str, float], *, week: slice) -> float:
    """Difference in leaving on days 17 to 19 by use in ``week``, in standard errors, in people alike until day 13."""
    batch = batch_of(
        n_replicates=250,
        missingness=missingness,
        parameters={"miss_hazard_per_day": 0.0, "leave_hazard_per_day": 0.03},
    )
    use, stayed = batch.course.use, batch.course.days_in_study
    alike = stayed >= 17
    if week.start > 13:
        alike &= use[:, 7:14].sum(axis=1) == 0  # the last week that a visit showed
    used, left = use[alike][:, week].any(axis=1), (stayed[alike] >= 18) & (stayed[alike] <= 20)
    shares = [left[used].mean(), left[~used].mean()]
    error = np.sqrt(sum(s * (1.0 - s) / c for s, c in zip(shares, (used.sum(), (~used).sum()), strict=True)))
    return float((shares[0] - shares[1]) / error)


def test_leaving_at_random_follows_what_was_seen_and_nothing_else() -> None:
    """Missing at random: given the week that the last visit showed, use since then says nothing about leaving.

    Within 4 standard errors, which a right program misses once in 16,000 seeds.
    """
    seen, unseen = slice(7, 14), slice(14, 17)
    assert gap_in_leaving({"observed": 3.0}, week=seen) > 6.0
    assert abs(gap_in_leaving({"observed": 3.0}, week=unseen)) < 4.0
    assert gap_in_leaving({"latent": 8.0}, week=unseen) > 4.0


def test_who_left_gets_no_treatment_any_more() -> None:
    """Otherwise leaving would cost nothing, and a dropout would look like a lost form."""
    batch = batch_of(missingness={"latent": 3.0}, parameters={"leave_hazard_per_day": 0.1})
    for person in np.flatnonzero(batch.course.days_in_study < 8):
        assert not batch.course.attended[person, 3]
    assert (batch.course.days_in_study < 8).any()


def test_custody_stops_use_visits_and_treatment_and_nothing_before() -> None:
    """A person in custody has no substance, no clinic, and the same days before it."""
    held = batch_of(events={"incarceration": {"hazard_per_day": 0.03, "length_days": 6}})
    plain = batch_of()
    inside = held.happenings.in_custody
    assert inside is not None
    assert inside.any(axis=1).sum() > 20
    assert held.course.use[inside].sum() == 0
    before = np.arange(28) < held.happenings.custody_day[:, None]
    np.testing.assert_array_equal(held.course.use[before], plain.course.use[before])
    assert not held.observation.test_kept[inside[:, held.observation.test_day]].any()
    free = held.happenings.custody_day == 28
    np.testing.assert_array_equal(held.course.vas[free], plain.course.vas[free])


def test_states_are_those_of_the_same_days() -> None:
    """The report draws states: they must be of the people who were in custody and left."""
    protocol = small_protocol(
        events={"incarceration": {"hazard_per_day": 0.03, "length_days": 6}}, missingness={"latent": 2.0}
    )
    parameters = load_course_parameters(protocol.substance)
    batch = batch_of(n_replicates=2, events=protocol.events, missingness=protocol.missingness)
    _, course = simulate_with_states(
        protocol, seed=7, n_replicates=2, n_people=48, parameters=parameters, pharmacology=load_pharmacology()
    )
    np.testing.assert_array_equal(course.use, batch.course.use)
    np.testing.assert_array_equal(course.days_in_study, batch.course.days_in_study)
    assert course.states["z"].shape == (48, 28)


def test_guesses_follow_what_was_felt() -> None:
    """Saline is not felt, so its share is the protocol's own number; ketamine's lies above it."""
    batch = batch_of(n_replicates=160, blinding=BLINDING)
    guess = batch.happenings.guess
    assert guess is not None
    ketamine, saline = (guess[batch.arm == arm] for arm in (0, 1))
    assert abs(saline.mean() - 0.3) < 4.0 * np.sqrt(0.3 * 0.7 / saline.size)
    assert ketamine.mean() > saline.mean() + 0.2
    assert batch_of(n_replicates=1).happenings.guess is None


def test_a_guess_that_follows_improvement_is_made_by_who_improved() -> None:
    """With it, guesses tell of improvement though the arm is the same; at weight 0 not one guess is another."""
    plain, same, follows = (
        batch_of(n_replicates=40, blinding={**BLINDING, **more})
        for more in ({}, {"guess_better": 0.0, "guess_day": 20}, {"guess_better": 40.0, "guess_day": 20})
    )
    assert plain.happenings.guess is not None
    np.testing.assert_array_equal(plain.happenings.guess, same.happenings.guess)
    assert_same(plain, follows)
    saline = follows.arm == 1
    fall = (follows.course.vas[:, 0] - follows.course.vas[:, 20])[saline]
    for batch, apart in ((plain, False), (follows, True)):
        guess = batch.happenings.guess
        assert guess is not None
        active = guess[saline]
        error = fall.std() * np.sqrt(1.0 / active.sum() + 1.0 / (~active).sum())
        assert (fall[active].mean() - fall[~active].mean() > 5.0 * error) is np.bool_(apart)


def test_expectancy_in_reports_is_bias_and_expectancy_in_use_is_truth() -> None:
    """The two ways in which belief can make a trial positive must not be confused.

    Within 4 Monte Carlo errors, which a right program misses once in 16,000 seeds.
    """
    complete = {"retention": "complete"}

    def bias(**blinding: float) -> tuple[float, float, float]:
        protocol = small_protocol(setting=complete, blinding={**BLINDING, **blinding}, estimand=ESTIMAND)
        truth = estimand_truth(protocol, n_people=3000, seed=3).primary
        found = measure_bias(
            simulate_trial(protocol, n_replicates=60, seed=4, parameters=course_parameters_of(protocol)), truth
        )
        return truth.estimate, found.bias, found.bias_mcse

    plain, reporting, using = bias(), bias(expectancy_report=0.8), bias(expectancy_use=1.5)
    assert abs(plain[1]) < 4.0 * plain[2]
    assert reporting[0] == plain[0]
    # The same people and the same luck: what is left is what believers hide.
    assert reporting[1] > plain[1] + 0.5
    assert using[0] > plain[0]
    assert abs(using[1]) < 4.0 * using[2]


def test_blinding_that_holds_leaves_no_difference_by_belief() -> None:
    """The hypothetical strategy: the same guesses in both arms, so only the drug is left."""
    blinding = {**BLINDING, "expectancy_use": 2.0}
    truths = [
        estimand_truth(
            small_protocol(
                setting={"retention": "complete"},
                blinding=blinding,
                estimand={**ESTIMAND, "strategies": {"unblinding": strategy}},
            ),
            n_people=2000,
        )
        for strategy in ("treatment-policy", "hypothetical")
    ]
    shares = [[arm.event_share["unblinding"] for arm in truth.arms.values()] for truth in truths]
    assert shares[0][0] > shares[0][1]
    assert shares[1][0] == shares[1][1]
    assert truths[0].primary.estimate > truths[1].primary.estimate


def test_a_rule_of_use_is_met_on_its_day() -> None:
    """Three days of use within four: the day of the third, and never for two."""
    use = np.array([[1, 0, 1, 0, 1, 1, 0], [1, 0, 0, 0, 1, 0, 0]], dtype=np.int8)
    assert first_day_of_rule(use, UseRule(use_days=3, within_days=4)).tolist() == [5, 7]
    assert first_day_of_rule(use, UseRule(use_days=1, within_days=1)).tolist() == [0, 0]
    assert first_day_of_rule(use, UseRule(use_days=2, within_days=30)).tolist() == [2, 4]


def test_what_can_happen_is_explained_before_it_runs() -> None:
    """Every field that changes a result is in the explanation."""
    rule = {"use_days": 1, "within_days": 1}
    text = small_protocol(
        events={
            "relapse": rule,
            "rescue_medicine": {"use_days": 3, "within_days": 7},
            "incarceration": {"hazard_per_day": 0.001, "length_days": 30},
        },
        missingness={"observed": 1.0, "latent": 2.5},
        blinding={**BLINDING, "expectancy_use": 0.4},
        estimand={**ESTIMAND, "strategies": {"dropout": "composite"}},
    ).explain()
    assert "What can happen" not in small_protocol().explain()
    for words in ("1 day of use.", "3 days of use within 7", "0.001", "2.5", "0.95", "0.4", "Dropout: composite"):
        assert words in " ".join(text.split())
