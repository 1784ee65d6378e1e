"""Standard medicines: the sourced contrast is what the model shows."""

from typing import Any

import numpy as np
import pytest
from source_tree import ROOT
from validation.small_trials import small_protocol

from remission.errors import SpecError
from remission.library.medicines import list_medicines, list_refusals, load_medicine
from remission.patient.parameters import load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.trial.batch import simulate_batch
from remission.trial.contrasts import clean_share, find_shift, shown_contrast
from remission.trial.simulate import plan_trial


def with_medicine(name: str = "naltrexone", share: float = 1.0, **changes: Any) -> Any:
    arms = [
        {"id": "medicine", "label": "Medicine", "medicine": "one", "factors": {"drug": "ketamine"}},
        {"id": "placebo", "label": "Placebo", "factors": {"drug": "saline"}},
    ]
    medicines = {"one": {"medicine": name, "effect_share": share}}
    return small_protocol(arms=arms, medicines=medicines, therapies={}, **changes)


def clean_shares(name: str, days: int, clean_days: int, *, ever: bool) -> list[float]:
    population = {**small_protocol().population.to_dict(), "n_subjects": 4000, "clean_days": clean_days}
    protocol = with_medicine(name, population=population, follow_up_days=days, setting={"retention": "complete"})
    shares = []
    for arm in range(2):
        batch = simulate_batch(
            protocol,
            under=arm,
            without=(),
            seed=99,
            first_replicate=0,
            n_replicates=3,
            parameters=load_course_parameters(protocol.substance),
            pharmacology=load_pharmacology(),
        )
        used = batch.course.use > 0
        shares.append(float(1.0 - (used.any(axis=1) if ever else used).mean()))
    return shares


def test_naltrexone_is_the_positive_control() -> None:
    """Other people than those it was set on show the sourced odds ratio of 1.35; .05 is 4 standard errors of both."""
    one, other = clean_shares("naltrexone", 112, 4, ever=False)
    assert one / (1.0 - one) / (other / (1.0 - other)) == pytest.approx(1.35, abs=0.05)


def test_acamprosate_shows_its_ratio_of_people_without_any_use() -> None:
    """36.1 against 23.4 of 100; .1 is 4 standard errors of the ratio in 12,000 and 4,000 people."""
    one, other = clean_shares("acamprosate", 180, 14, ever=True)
    assert one / other == pytest.approx(1.543, abs=0.1)


def fresh_contrast(name: str, substance: str, days: int, **population: Any) -> float:
    """The contrast in 6,000 people on whom the shift was not set."""
    contrast = load_medicine(name, substance=substance)
    people = {**small_protocol().population.to_dict(), "n_subjects": 3000, "clean_days": 0, **population}
    protocol = with_medicine(
        name, substance=substance, population=people, follow_up_days=days, setting={"retention": "complete"}
    )
    uses = [
        simulate_batch(
            protocol,
            under=arm,
            without=(),
            seed=99,
            first_replicate=0,
            n_replicates=2,
            parameters=load_course_parameters(protocol.substance),
            pharmacology=load_pharmacology(),
        ).course.use
        for arm in range(2)
    ]
    return shown_contrast(contrast.measure, *(clean_share(contrast, use) for use in uses))


def test_varenicline_shows_its_odds_of_a_clean_window() -> None:
    """Weeks 9 to 12 and no others: 3.61; .5 is 4 standard errors of the ratio in 6,000 and 4,000 people."""
    assert fresh_contrast("varenicline", "nicotine", 84, self_quit=True) == pytest.approx(3.61, abs=0.5)


def test_the_injection_shows_its_days_in_a_month() -> None:
    """4.99 fewer drinking days in 30; .5 is 4 standard errors of the difference in the same people."""
    assert fresh_contrast("naltrexone-injection", "alcohol", 84, clean_days=4) == pytest.approx(4.99, abs=0.5)


def test_a_window_counts_its_own_days_only() -> None:
    """A smoker who lapses in the first week and is clean in weeks 9 to 12 counts as clean there."""
    contrast = load_medicine("varenicline", substance="nicotine")
    use = np.zeros((4, 100), dtype=np.int8)
    use[0, 3], use[1, 55], use[2, 56], use[3, 84] = 1, 1, 1, 1
    assert clean_share(contrast, use) == 0.75


def test_the_page_has_every_medicine_and_every_refusal() -> None:
    """A medicine added without a run of the study would stand there without its check."""
    page = (ROOT / "docs" / "validation" / "medicines.md").read_text("utf-8")
    for name, substance in list_medicines():
        contrast = load_medicine(name, substance=substance)
        assert f"| {name}, {substance} | {contrast.measure} | {contrast.contrast:g} |" in page
    for name, substance, reason in list_refusals():
        assert f"| {name}, {substance} | {reason} |" in page
    assert "FAIL" not in page
    assert "-7.6" in page


def test_a_medicine_without_its_effect_changes_no_byte() -> None:
    """An inert tablet is no tablet."""
    parameters = load_course_parameters(small_protocol().substance)
    courses = [
        simulate_batch(
            with_medicine(share=share),
            seed=3,
            first_replicate=0,
            n_replicates=4,
            parameters=parameters,
            pharmacology=load_pharmacology(),
        ).course
        for share in (0.0, 1.0)
    ]
    plain = simulate_batch(
        small_protocol(therapies={}, arms=[item.replace(medicine=None) for item in with_medicine().arms]),
        seed=3,
        first_replicate=0,
        n_replicates=4,
        parameters=parameters,
        pharmacology=load_pharmacology(),
    ).course
    np.testing.assert_array_equal(courses[0].use, plain.use)
    np.testing.assert_array_equal(courses[0].vas, plain.vas)
    assert courses[1].use.sum() < plain.use.sum()


@pytest.mark.parametrize(
    ("name", "substance", "why"),
    [
        ("methadone", "opioid", "retention"),
        ("cytisine", "nicotine", "continuous"),
        ("nicotine-replacement", "nicotine", "use nicotine-patch"),
        ("naltrexone-injection", "opioid", "staying in the trial"),
        ("naltrexone", "cocaine", "no contrast"),
    ],
)
def test_a_medicine_without_a_sourced_effect_is_refused_with_its_reason(name: str, substance: str, why: str) -> None:
    """An effect typed from memory would look like a finding."""
    with pytest.raises(SpecError, match=why) as caught:
        plan_trial(with_medicine(name, substance=substance), n_replicates=1, seed=1)
    assert caught.value.where == "medicines.one.medicine"


def test_parameters_that_leave_no_use_to_prevent_are_refused() -> None:
    """A search that finds nothing must say so and not return its last guess."""
    parameters = load_course_parameters(small_protocol().substance).replace(l0=-900.0, l1=-900.0, l2=-900.0)
    with pytest.raises(SpecError, match="naltrexone"):
        find_shift(load_medicine("naltrexone", substance="alcohol"), parameters)


def test_every_sourced_contrast_says_where_it_is_from() -> None:
    """Each number has a source, a grade and the words that were read."""
    for name, substance in list_medicines():
        found = load_medicine(name, substance=substance)
        assert found.source
        assert found.note
        assert found.grade in {"measured", "derived", "assumed", "placeholder", "unverified"}
        assert found.source_kind in {"abstract or registry", "secondary"}
        # What was read second-hand may not look like what was measured.
        assert (found.source_kind == "secondary") == (found.grade == "unverified")
    assert "Naltrexone from day 0" in with_medicine().explain()
    assert "0.5 of its sourced effect" in " ".join(with_medicine(share=0.5).explain().split())


def test_what_is_assumed_beside_a_medicine_is_said() -> None:
    """A reader of the results must know that the joint is ours, and what was left out."""
    told = " ".join(with_medicine().cautions())
    assert "log-odds scale" in told
    assert "12 people" in told
    assert "12 people" not in " ".join(with_medicine("acamprosate").cautions())
    more = small_protocol(
        events={"rescue_medicine": {"use_days": 3, "within_days": 7}},
        missingness={"latent": 1.0},
        blinding={"guess_unfelt": 0.3, "guess_felt": 0.9},
    )
    assert len(more.cautions()) == len(small_protocol().cautions()) + 3


def test_a_medicine_against_smoking_warns_of_its_last_half_year() -> None:
    """The miss is known; who simulates six months must be told before believing them."""
    told = "\n".join(with_medicine("varenicline", substance="nicotine").cautions())
    assert "at six months the model then keeps clearly more people from smoking" in told
    assert "at six months" not in "\n".join(with_medicine().cautions())
