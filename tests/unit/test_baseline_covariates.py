"""What is known before day 0: covariates and strata, by hand and in trials, batched methods included."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.endpoints.values import values_of
from remission.errors import SpecError
from remission.patient.parameters import load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.protocol.record import Protocol
from remission.records.substance import Substance
from remission.runs.diaries import diary_table
from remission.trial.batch import TrialBatch, simulate_batch
from remission.trial.before import baseline_covariates, baseline_strata
from remission.trial.chunk import Chunk, analyze_batch
from remission.trial.complete import complete_batch
from remission.trial.endpoints import amount_unit_of, endpoint_data
from remission.trial.simulate import plan_trial

WINDOW, BASELINE = {"first": 0, "last": 27}, {"first": -28, "last": -1}
CONTRAST = {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}}
ALCOHOL = load_course_parameters(Substance("alcohol"))
CHANGE = {"id": "change", "label": "c", "kind": "change_in_use_days", "window": WINDOW, "baseline": BASELINE}
HALVED = {
    "id": "halved", "label": "h", "kind": "reduced_use_days", "window": WINDOW, "baseline": BASELINE,
    "reduction_percent": 50.0,
}  # fmt: skip
BEFORE = {"id": "before", "label": "b", "kind": "percent_days_abstinent", "window": BASELINE, "missing": "observed"}


def trial(*endpoints: dict[str, Any], analyses: list[dict[str, Any]] | None = None, **changes: Any) -> Protocol:
    """The small trial of people who use until day 0, with 28 days of diary before it."""
    population = {
        **small_protocol().population.to_dict(), "clean_days": 0, "baseline": {"days": 28}, "quit_day": 0,
        "goal": "reduce", **changes.pop("population", {}),
    }  # fmt: skip
    return small_protocol(endpoints=list(endpoints), analyses=analyses or [], population=population, **changes)


def people_of(protocol: Protocol, n_replicates: int = 4) -> TrialBatch:
    return simulate_batch(
        protocol, seed=7, first_replicate=0, n_replicates=n_replicates, parameters=ALCOHOL,
        pharmacology=load_pharmacology(),
    )  # fmt: skip


def test_the_days_before_are_the_reported_baseline() -> None:
    """Percent days before is one minus the covariate of use; the mark at entry is the first of craving."""
    protocol = trial(BEFORE)
    batch = people_of(protocol)
    seen, female = batch.observation, batch.covariates.female == 1
    found = baseline_covariates(protocol, seen, female=female)
    data = endpoint_data(seen, amount_unit=amount_unit_of(protocol), heavy_amount=ALCOHOL.heavy_amount)
    assert data.first_day == -28
    np.testing.assert_allclose(100.0 * (1.0 - found["baseline-use"]), values_of(protocol.endpoints[0], data))
    assert seen.before is not None
    assert (seen.before.diary <= batch.course.baseline_use).all()
    np.testing.assert_array_equal(found["baseline-craving"], seen.craving_vas[:, 0])
    assert seen.craving_day[0] == -1
    grams = 8.0 * found["baseline-amount"]
    low = np.where(female, 20.0, 40.0)
    np.testing.assert_array_equal(found["baseline-severity"] <= 1.0, grams <= low)


@pytest.mark.parametrize("effect_share", [0.0, 1.0])
def test_strata_of_the_baseline_are_balanced_before_anybody_has_an_arm(effect_share: float) -> None:
    """Blocks run within strata: in each, arms differ by at most half a block; arms do not change what came before.

    What people bring with them acts in the strata as it does in their days.
    """
    depressed = {"comorbidity": {"depression": {"prevalence": 0.5, "effect_share": effect_share}}}
    blocks = {"block_size": 2, "stratify_by": ["baseline-use"]}
    protocol = trial(BEFORE, randomization=blocks, population=depressed)
    batch = people_of(protocol)
    assert batch.observation.before is not None
    level = baseline_strata(protocol, batch.observation.before, female=batch.covariates.female == 1)["baseline-use"]
    replicate = np.repeat(np.arange(4), 24)
    assert np.unique(level).size > 1
    for number in range(4):
        for stratum in np.unique(level):
            here = (replicate == number) & (level == stratum)
            assert abs(int((batch.arm[here] == 0).sum()) - int((batch.arm[here] == 1).sum())) <= 1


@pytest.mark.parametrize(("endpoint", "method"), [(CHANGE, "mean_difference"), (HALVED, "odds_ratio")])
def test_people_without_a_baseline_are_missing_and_a_covariate_is_the_same_as_its_endpoint(
    endpoint: dict[str, Any], method: str
) -> None:
    """Whoever was never asked before day 0 is in no analysis; days in percent or as a share adjust alike."""
    base = {"label": "a", "endpoint": endpoint["id"], "method": method, "contrast": CONTRAST}
    analyses = [
        {"id": "plain", **base}, {"id": "share", **base, "adjust": ["baseline-use"]},
        {"id": "measure", **base, "baseline": "before"},
    ]  # fmt: skip
    protocol = trial(endpoint, BEFORE, analyses=analyses)
    batch = people_of(protocol)
    chunk = Chunk(first=0, count=4)
    found = analyze_batch(protocol, chunk, batch, parameters=ALCOHOL)
    share, measure = found.estimates["share"], found.estimates["measure"]
    np.testing.assert_allclose(share.estimate, measure.estimate, rtol=1e-6)
    np.testing.assert_allclose(share.low, measure.low, rtol=1e-6)
    assert not np.allclose(share.estimate, found.estimates["plain"].estimate)
    before = batch.observation.before
    assert before is not None
    asked = before.seen.copy()
    asked[:6] = False
    unasked = replace(batch, observation=replace(batch.observation, before=replace(before, seen=asked)))
    less = analyze_batch(protocol, chunk, unasked, parameters=ALCOHOL)
    assert less.arms[endpoint["id"]].n[0].sum() == found.arms[endpoint["id"]].n[0].sum() - 6


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"analyses": [{"adjust": ["baseline-use"]}]}, "analyses[0].adjust", "baseline: {days: 28}"),
        ({"randomization": {"block_size": 4, "stratify_by": ["baseline-severity"]}}, "randomization.stratify_by", "28"),
    ],
)
def test_a_covariate_of_a_baseline_that_nobody_has_is_refused(changes: dict[str, Any], where: str, words: str) -> None:
    """It would be a column of nothing."""
    base = {"id": "a", "label": "a", "endpoint": "pda", "method": "mean_difference", "contrast": CONTRAST}
    if "analyses" in changes:
        changes = {"analyses": [{**base, **changes["analyses"][0]}]}
    with pytest.raises(SpecError) as caught:
        small_protocol(**changes)
    (fault,) = caught.value.faults
    assert fault.where == f"protocol.{where}"
    assert words in fault.remedy
    with pytest.raises(SpecError, match="no amount of cocaine"):
        trial(
            {"id": "pda", "label": "p", "kind": "use_days", "window": WINDOW}, substance="cocaine",
            analyses=[{**base, "adjust": ["baseline-amount"]}],
        )  # fmt: skip


def test_the_diaries_of_a_run_hold_the_days_before() -> None:
    """What is written and read again has the same change from baseline as the trial itself."""
    protocol = trial(CHANGE, BEFORE)
    plan = plan_trial(protocol, n_replicates=2, seed=7, with_diaries=True)
    batch = people_of(protocol, 2)
    table = diary_table(plan, Chunk(first=0, count=2), batch)
    assert table["day"][0].as_py() == -28
    days = table["day"].to_numpy().reshape(48, 56)
    np.testing.assert_array_equal(days[0], np.arange(-28, 28))
    reported = table["reported_use"].fill_null(0).to_numpy().reshape(48, 56)
    seen = table["observed"].to_numpy().reshape(48, 56)
    data = endpoint_data(batch.observation)
    np.testing.assert_array_equal(reported == 1, data.used & data.seen)
    np.testing.assert_array_equal(seen, data.seen)


def test_seen_in_full_the_baseline_hides_nothing_either() -> None:
    """The bias of an analysis is told against people of whom every day is known, before day 0 too."""
    base = {"id": "a", "label": "a", "endpoint": "change", "method": "mean_difference", "contrast": CONTRAST}
    protocol = trial(CHANGE, analyses=[base])
    values = ALCOHOL.replace(p_hide=0.3)
    batch = simulate_batch(
        protocol, seed=7, first_replicate=0, n_replicates=2, parameters=values, pharmacology=load_pharmacology()
    )
    whole = complete_batch(protocol, batch, values).observation.before
    hidden = batch.observation.before
    assert whole is not None
    assert hidden is not None
    np.testing.assert_array_equal(whole.diary, batch.course.baseline_use)
    assert hidden.diary.sum() < whole.diary.sum()
