"""The true value of an estimand: the same people under every arm."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from validation.bias import measure_bias
from validation.small_trials import small_protocol

from remission.errors import SpecError
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.protocol.record import Protocol
from remission.trial.batch import TrialBatch, simulate_batch
from remission.trial.simulate import simulate_trial
from remission.trial.truth import EstimandTruth, estimand_truth

ASKED: dict[str, Any] = {
    "treatment": "Assignment to ketamine against saline.",
    "population": "As randomized.",
    "variable": "Days abstinent.",
    "intercurrent_events": "See strategies.",
    "summary": "Difference of means.",
    "analysis": "pda-ketamine",
}
COMPLETE = {"retention": "complete"}
CUSTODY = {"incarceration": {"hazard_per_day": 0.02, "length_days": 10}}
LAPSE = {"use_days": 1, "within_days": 1}


def asking(**changes: Any) -> Protocol:
    strategies = changes.pop("strategies", {})
    analysis = changes.pop("analysis", "pda-ketamine")
    estimand = {**ASKED, "analysis": analysis, "strategies": strategies}
    return small_protocol(**{"estimand": estimand, **changes})


def truth_of(n_people: int = 1200, **changes: Any) -> EstimandTruth:
    return estimand_truth(asking(**changes), n_people=n_people)


def parameters() -> CourseParameters:
    return load_course_parameters(small_protocol().substance)


def batch_of(protocol: Protocol, *, arm: int | None = None) -> TrialBatch:
    settings: dict[str, Any] = {
        "seed": 5,
        "first_replicate": 2,
        "n_replicates": 8,
        "parameters": parameters(),
        "pharmacology": load_pharmacology(),
    }
    if arm is None:
        return simulate_batch(protocol, **settings)
    return simulate_batch(protocol, under=arm, without=(), **settings)


@pytest.mark.parametrize("changes", [{}, {"events": CUSTODY, "missingness": {"observed": 1.0, "latent": 2.0}}])
def test_a_person_under_the_arm_they_got_lives_the_same_days(changes: dict[str, Any]) -> None:
    """Otherwise the counterfactual people are not the trial's people, and the truth is of somebody else."""
    protocol = asking(**changes)
    lived = batch_of(protocol)
    for arm in range(2):
        other = batch_of(protocol, arm=arm)
        mine = lived.arm == arm
        for name in ("use", "amount", "vas", "days_in_study"):
            np.testing.assert_array_equal(getattr(lived.course, name)[mine], getattr(other.course, name)[mine])


def test_without_events_treatment_policy_is_the_plain_difference_of_true_days() -> None:
    """The definition, computed once more from the courses themselves."""
    protocol = asking(setting=COMPLETE)
    truth = estimand_truth(protocol, n_people=240, seed=5)
    people = [
        simulate_batch(
            protocol,
            under=arm,
            without=(),
            seed=5,
            first_replicate=0,
            n_replicates=10,
            parameters=parameters(),
            pharmacology=load_pharmacology(),
        )
        for arm in range(2)
    ]
    plain = [100.0 * (1.0 - batch.course.use.mean(axis=1)) for batch in people]
    assert truth.primary.estimate == pytest.approx(float(plain[0].mean() - plain[1].mean()), abs=1e-10)
    assert truth.strategies == {}


def test_an_unbiased_analysis_of_complete_data_finds_the_truth() -> None:
    """The link between the two: within 4 Monte Carlo errors, which a right program misses once in 16,000 seeds."""
    protocol = asking(setting=COMPLETE)
    truth = estimand_truth(protocol, n_people=8000, seed=11)
    found = measure_bias(
        simulate_trial(protocol, n_replicates=200, seed=12, parameters=course_parameters_of(protocol)), truth.primary
    )
    assert abs(found.bias) < 4.0 * found.bias_mcse
    assert abs(found.coverage - 0.95) < 4.0 * found.coverage_mcse


def test_everything_about_the_truth_is_repeatable_and_grows_by_adding_people() -> None:
    """A result that changes with chunking or order cannot be checked by anybody."""
    told: list[tuple[int, int]] = []
    assert truth_of(600) == estimand_truth(asking(), n_people=600, on_progress=lambda *done: told.append(done))
    assert told == [(600, 1200), (1200, 1200)]
    assert truth_of(600).primary.estimate != truth_of(624).primary.estimate


def test_strategies_order_the_truth_as_their_meaning_says() -> None:
    """Counting days after an event as use can only lower days abstinent; a run without leaving keeps treatment."""
    missing: dict[str, Any] = {"missingness": {"observed": 0.0, "latent": 3.0}}
    arms = {
        strategy: truth_of(strategies={"dropout": strategy}, **missing).arms["ketamine-therapy"]
        for strategy in ("treatment-policy", "hypothetical", "composite", "while-on-treatment")
    }
    assert arms["composite"].mean < arms["treatment-policy"].mean <= arms["hypothetical"].mean
    assert arms["while-on-treatment"].mean > arms["composite"].mean
    assert arms["hypothetical"].event_share["dropout"] == 0.0
    assert arms["treatment-policy"].event_share["dropout"] > 0.0


def test_composite_relapse_counts_every_later_day() -> None:
    """With any use as relapse, a person's days abstinent are the days before the first use day."""
    found = truth_of(480, setting=COMPLETE, events={"relapse": LAPSE}, strategies={"relapse": "composite"})
    people = batch_of(asking(setting=COMPLETE), arm=0)
    used = people.course.use > 0
    first = np.where(used.any(axis=1), used.argmax(axis=1), 28)
    assert found.arms["ketamine-therapy"].mean < 100.0 * first.mean() / 28 + 15.0
    before = truth_of(480, setting=COMPLETE, events={"relapse": LAPSE}, strategies={"relapse": "while-on-treatment"})
    assert before.arms["ketamine-therapy"].mean == 100.0


def test_custody_without_use_and_its_absence() -> None:
    """Nobody can use in custody, so it raises days abstinent; the hypothetical run is the one without custody."""
    plain = truth_of().arms["saline-therapy"].mean
    held = truth_of(events=CUSTODY, strategies={"incarceration": "treatment-policy"}).arms["saline-therapy"]
    never = truth_of(events=CUSTODY, strategies={"incarceration": "hypothetical"}).arms["saline-therapy"]
    assert held.mean > plain
    assert never.mean == plain
    assert held.event_share["incarceration"] == pytest.approx(1.0 - np.exp(-0.02 * 28), abs=0.05)


@pytest.mark.parametrize("analysis", ["relapse-ketamine", "time-ketamine", "craving-ketamine"])
def test_every_method_has_a_truth_with_an_error(analysis: str) -> None:
    """A simulated number without its error is not reported."""
    found = truth_of(600, analysis=analysis, setting=COMPLETE).primary
    assert np.isfinite(found.estimate)
    assert 0.0 < found.mcse < 20.0


def test_an_endpoint_that_counts_the_missing_as_use_makes_leaving_a_failure() -> None:
    """The endpoint says so itself, so an estimand that is silent about leaving must not say otherwise."""
    assert truth_of(240, analysis="time-ketamine").strategies == {"dropout": "composite"}
    assert truth_of(240).strategies == {"dropout": "treatment-policy"}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"purpose": "confirmatory", "estimand": None}, "estimand"),
        ({"purpose": "confirmatory"}, "estimand.strategies.dropout"),
        (
            {"purpose": "confirmatory", "estimand": {k: v for k, v in ASKED.items() if k != "summary"}},
            "estimand.summary",
        ),
        ({"strategies": {"relapse": "composite"}}, "estimand.strategies.relapse"),
        ({"events": {"relapse": LAPSE}, "strategies": {"relapse": "hypothetical"}}, "estimand.strategies.relapse"),
        ({"analysis": "craving-ketamine", "strategies": {"dropout": "composite"}}, "estimand.strategies.dropout"),
        ({"analysis": "time-ketamine", "strategies": {"dropout": "treatment-policy"}}, "estimand.strategies.dropout"),
        (
            {"analysis": "time-ketamine", "events": CUSTODY, "strategies": {"incarceration": "while-on-treatment"}},
            "estimand.strategies.incarceration",
        ),
        ({"setting": COMPLETE, "strategies": {"dropout": "hypothetical"}}, "estimand.strategies.dropout"),
        (
            {"blinding": {"guess_unfelt": 0.5, "guess_felt": 0.9}, "strategies": {"unblinding": "composite"}},
            "estimand.strategies.unblinding",
        ),
        ({"events": {"relapse": {"use_days": 3, "within_days": 2}}}, "events.relapse.use_days"),
        ({"blinding": {"guess_unfelt": 0.0, "guess_felt": 0.9}}, "blinding.guess_unfelt"),
        ({"analysis": "no-such", "strategies": {"dropout": "composite"}}, "estimand.analysis"),
        ({"missingness": {"latent": -1.0}}, "missingness.latent"),
    ],
)
def test_a_question_without_meaning_is_refused_with_its_place(changes: dict[str, Any], place: str) -> None:
    """A confirmatory trial that leaves its question open, or asks for a number that does not exist."""
    with pytest.raises(SpecError) as caught:
        asking(**changes)
    assert f"protocol.{place}" in [fault.where for fault in caught.value.faults]


def test_the_library_call_refuses_what_it_cannot_answer() -> None:
    """Bad input must not become a number."""
    for keywords, place in (({"n_people": 10}, "n_people"), ({"n_people": True}, "n_people"), ({"seed": -1}, "seed")):
        with pytest.raises(SpecError) as caught:
            estimand_truth(asking(), **keywords)
        assert caught.value.where == place
    with pytest.raises(SpecError, match="estimand"):
        estimand_truth(small_protocol())
    asked = asking().estimand
    assert asked is not None
    with pytest.raises(SpecError, match=r"estimand\.analysis"):
        estimand_truth(small_protocol(), asked.replace(analysis="other"))
    with pytest.raises(SpecError, match="relapse"):
        estimand_truth(small_protocol(), asked.replace(strategies={"relapse": "composite"}))


def test_bias_needs_the_same_analysis_and_two_estimates() -> None:
    """A comparison with another analysis, or with one replicate, would look like a result."""
    truth = truth_of(240).primary
    one = simulate_trial(asking(), n_replicates=1, seed=3, parameters=course_parameters_of(asking()))
    with pytest.raises(SpecError, match="estimate"):
        measure_bias(one, truth)
    with pytest.raises(SpecError, match="drew"):
        measure_bias(simulate_trial(asking(), n_replicates=2, seed=3), truth)
    with pytest.raises(SpecError, match=r"truth\.analysis"):
        measure_bias(one, replace(truth, analysis="other"))


def test_a_protocol_that_uses_nothing_new_keeps_its_hash() -> None:
    """Stored runs are named by it."""
    data = small_protocol().to_dict()
    assert {"purpose", "events", "missingness", "blinding"}.isdisjoint(data)
    assert "strategies" not in (asking().to_dict()["estimand"])
    assert Protocol.from_dict(asking(events=CUSTODY).to_dict()) == asking(events=CUSTODY)


def test_bias_of_a_ratio_is_on_its_logarithm_and_its_error_too() -> None:
    """Ratios are skewed: the mean of their differences from the truth would be bias where there is none.

    Within 4 Monte Carlo errors, which a right program misses once in 16,000 seeds; 240 people a replicate, because
    the log odds ratio of a small sample is itself biased.
    """
    population = {**small_protocol().population.to_dict(), "n_subjects": 240}
    protocol = asking(analysis="relapse-ketamine", setting=COMPLETE, population=population)
    truth = estimand_truth(protocol, n_people=4800, seed=21).primary
    found = measure_bias(
        simulate_trial(protocol, n_replicates=60, seed=22, parameters=course_parameters_of(protocol)), truth
    )
    assert abs(found.bias) < 4.0 * found.bias_mcse
    assert found.bias_mcse < 0.1


def test_rescue_medicine_as_a_failure_starts_the_day_after_its_rule() -> None:
    """The day that calls for rescue is a day of use already; the failure is what follows it."""
    rule = {"rescue_medicine": {"use_days": 2, "within_days": 7}}
    found = {
        strategy: truth_of(480, setting=COMPLETE, events=rule, strategies={"rescue-medicine": strategy})
        for strategy in ("treatment-policy", "composite", "while-on-treatment")
    }
    means = {strategy: truth.arms["saline-therapy"].mean for strategy, truth in found.items()}
    assert means["composite"] < means["treatment-policy"]
    assert means["composite"] < means["while-on-treatment"]
    shares = {truth.arms["saline-therapy"].event_share["rescue-medicine"] for truth in found.values()}
    assert len(shares) == 1
