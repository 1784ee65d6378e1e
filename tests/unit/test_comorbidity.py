"""Depression and anxiety of simulated people: how many, how often together, for strata and analyses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from validation import comorbidity as derivation
from validation.small_trials import small_protocol

from remission.errors import SpecError
from remission.evidence.registry import load_evidence
from remission.patient.comorbidity import both_share, sample_comorbidity
from remission.patient.parameters import load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.comorbidity import CONDITIONS, comorbidity_numbers, condition_contrast, conflicting_records
from remission.streams import People
from remission.trial.batch import TrialBatch, simulate_batch
from remission.trial.contrasts import find_shift
from remission.trial.simulate import simulate_trial

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "ctn0094"


def batch_of(protocol: Any, n_replicates: int = 1) -> TrialBatch:
    """A batch at the library's parameters."""
    return simulate_batch(
        protocol, seed=5, first_replicate=0, n_replicates=n_replicates,
        parameters=load_course_parameters(protocol.substance), pharmacology=load_pharmacology(),
    )  # fmt: skip


def stated(depression: Any = None, anxiety: Any = None, n: int = 24) -> dict[str, Any]:
    """The small trial's population with conditions."""
    named = {name: value for name, value in (("depression", depression), ("anxiety", anxiety)) if value is not None}
    return {**small_protocol().population.to_dict(), "n_subjects": n, "comorbidity": named}


@pytest.mark.skipif(not DATA.exists(), reason="the tables of CTN-0094 are not here")
def test_the_numbers_are_those_of_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """A count copied wrong would be every opioid trial's prevalence."""
    derivation.main(DATA)
    printed = capsys.readouterr().out
    found = comorbidity_numbers()
    for name in CONDITIONS:
        one = found[f"prevalence_{name}.opioid"]
        assert f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})" in printed
    both = found["odds_ratio_together"]
    assert f"{both.value:.3f} ({both.low:.3f} to {both.high:.3f})" in printed
    assert "0.0 points (-1.6 to 1.6)" in printed


def test_the_prevalences_are_those_of_the_registry() -> None:
    """The page of the evidence and the people of a trial say the same."""
    registry, found = load_evidence(), comorbidity_numbers()
    for name, record in (("depression", "ctn_prev_has_major_dep"), ("anxiety", "ctn_prev_has_anx_pan")):
        assert found.value(f"prevalence_{name}.opioid") == registry[record].value  # type: ignore[union-attr]
        assert found.value(f"weight_{name}") == 0.0
        assert small_protocol(population=stated(0.3, 0.3)).effect_share(name) == found.value(f"weight_{name}")
        assert all(registry[one] for one in conflicting_records(name))
    contrast = condition_contrast("depression", substance="alcohol")
    assert contrast is not None
    read: Any = registry[contrast.record]
    assert (contrast.contrast, contrast.low, contrast.high) == (read.value, read.ci_low, read.ci_high)


@pytest.mark.parametrize("ratio", [0.05, 0.5, 1.0, 1.0 + 1e-9, 5.927, 1e6])
@pytest.mark.parametrize(("one", "other"), [(0.3, 0.35), (0.01, 0.99), (0.0, 0.4), (1.0, 0.4), (0.5, 0.5)])
def test_both_conditions_keep_prevalence_and_odds_ratio(one: float, other: float, ratio: float) -> None:
    """The joint share solves its own definition and stays between the limits of any two shares."""
    both = both_share(one, other, ratio)
    assert max(0.0, one + other - 1.0) <= both <= min(one, other)
    cells = (both, one - both, other - both, 1.0 - one - other + both)
    if min(cells) > 1e-6:
        assert cells[0] * cells[3] / (cells[1] * cells[2]) == pytest.approx(ratio, rel=1e-6)


def test_people_have_what_the_numbers_say_and_nobody_else_moves() -> None:
    """Counts within 4 standard errors; a person is the same in a smaller trial."""
    people = People.of_replicates(seed=2, first=0, count=1, n_subjects=40_000)
    found = sample_comorbidity(people, prevalence={"depression": 0.3039, "anxiety": 0.3458}, odds_ratio=5.927)
    depressed, anxious = found["depression"], found["anxiety"]
    assert depressed.mean() == pytest.approx(0.3039, abs=0.01)
    assert anxious.mean() == pytest.approx(0.3458, abs=0.01)
    assert anxious[depressed == 1].mean() == pytest.approx(591 / 940, abs=0.02)
    few = People.of_replicates(seed=2, first=0, count=1, n_subjects=10)
    again = sample_comorbidity(few, prevalence={"depression": 0.3039, "anxiety": 0.3458}, odds_ratio=5.927)
    assert again["anxiety"].tolist() == anxious[:10].tolist()


def test_who_has_what_changes_no_course_by_default() -> None:
    """The weight is 0: the sources contradict each other. Unknown prevalence is no column of zeros."""
    plain = batch_of(small_protocol())
    assert plain.conditions == {}
    with_it = batch_of(small_protocol(population=stated({"prevalence": 0.4}, {"prevalence": "35 %"})))
    assert set(with_it.conditions) == {"depression", "anxiety"}
    np.testing.assert_array_equal(plain.course.use, with_it.course.use)
    np.testing.assert_array_equal(plain.arm, with_it.arm)


def test_opioid_trials_know_their_prevalence_and_say_where_it_was_measured() -> None:
    """Measured for opioids and for nothing else."""
    protocol = small_protocol(
        substance="opioid",
        randomization={"block_size": 4, "stratify_by": ["depression"]},
        population={**small_protocol().population.to_dict(), "n_subjects": 400},
    )
    batch = batch_of(protocol)
    text = " ".join(protocol.explain().split())
    assert "Depression in 30.4% (measured, ctn_prev_has_major_dep); no effect on use here; sources disagree" in text
    for level in (0, 1):
        counts = np.bincount(batch.arm[batch.conditions["depression"] == level], minlength=2)
        assert abs(counts[0] - counts[1]) <= 2, "blocks of four hold the arms alike in each stratum"


def test_analyses_adjust_for_it() -> None:
    """A covariate that is taken and not used would be a promise: with a real effect, the adjusted estimate differs."""
    population = stated({"prevalence": 0.5, "effect_share": 1.0}, n=80)
    base = small_protocol(population=population)
    analysis = {**base.analyses[0].to_dict(), "adjust": []}
    adjusted = {**analysis, "id": "adjusted", "adjust": ["depression"]}
    result = simulate_trial(base.replace(analyses=[analysis, adjusted]), n_replicates=6, seed=4)
    plain, other = (result.estimates[name].estimate for name in (analysis["id"], "adjusted"))
    assert np.isfinite(other).all()
    assert not np.array_equal(plain, other)


def test_a_stated_effect_shows_the_hazard_that_was_read_and_moves_the_mean_of_nobody() -> None:
    """2.03 in one year, and the people as a whole keep their tendency."""
    protocol = small_protocol(population=stated({"prevalence": 0.3, "effect_share": 1.0}, n=6000))
    parameters = load_course_parameters(protocol.substance)
    contrast = condition_contrast("depression", substance="alcohol")
    assert contrast is not None
    assert find_shift(contrast, parameters) > 0.0
    batch = batch_of(protocol)
    depressed = batch.conditions["depression"] == 1
    used = (batch.course.use > 0).mean(axis=1)
    assert used[depressed].mean() > used[~depressed].mean()


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"population": stated({"prevalence": 1.2})}, "population.comorbidity.depression.prevalence", "1"),
        ({"population": stated({"prevalence": -0.1})}, "population.comorbidity.depression.prevalence", "from 0 to 1"),
        ({"population": stated(1.3)}, "population.comorbidity.depression.prevalence", "30 of 100"),
        ({"population": stated(None, "250 %")}, "population.comorbidity.anxiety.prevalence", "30 of 100"),
        ({"population": stated({"prevalence": "130 %"})}, "population.comorbidity.depression.prevalence", "1"),
        ({"population": stated(None, {})}, "population.comorbidity.anxiety.prevalence", "none was read for alcohol"),
        ({"population": stated()}, "population.comorbidity.depression", "both"),
        (
            {"population": stated(None, {"prevalence": 0.3, "effect_share": 0.5})},
            "population.comorbidity.anxiety.effect_share",
            "no contrast of anxiety",
        ),
        (
            {"randomization": {"block_size": 4, "stratify_by": ["anxiety"]}},
            "randomization.stratify_by",
            "population.comorbidity.anxiety.prevalence",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(changes: dict[str, Any], where: str, said: str) -> None:
    """A share above one, a prevalence that nobody read, an effect that nobody read."""
    with pytest.raises(SpecError) as caught:
        small_protocol(**changes)
    faults = {fault.where: str(fault) for fault in caught.value.faults}
    assert f"protocol.{where}" in faults
    assert said in faults[f"protocol.{where}"]


def test_a_file_with_conditions_comes_back_as_it_was() -> None:
    """And one without them keeps its hash, because the field is not in its data."""
    protocol = small_protocol(population=stated({"prevalence": 0.4}, {"prevalence": 0.2}))
    assert parse_protocol(write_protocol(protocol), name="again.yaml") == protocol
    assert small_protocol(population=stated(0.4, "20 %")) == protocol
    assert "comorbidity" not in small_protocol().to_dict()["population"]
