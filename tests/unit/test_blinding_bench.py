"""The bench of blinding: worked numbers, the model of belief channel by channel, nulls, wrong input."""

import json
from math import exp
from typing import Any

import numpy as np
import pytest
from source_tree import ROOT

from remission.blinding.bench import BenchCell, BenchResult, run_bench
from remission.blinding.estimators import GroupStatistics, cgr_weights, contrast
from remission.blinding.indices import bang_index, james_index
from remission.blinding.outcome import outcome_of
from remission.errors import SpecError
from remission.records.blinding import BlindingTrial
from remission.records.effect import EffectFile

SHARED = ROOT.parent / "shared" / "data" / "blinding"
MEANS: dict[str, Any] = {"law": "difference", "difference": 6.0, "sd": 12.0}
LAWS: list[dict[str, Any]] = [
    MEANS,
    {"law": "proportions", "treatment": 0.3, "control": 0.5, "better": "lower"},
    {"law": "hazard", "hazard_ratio": 0.5, "control_share": 0.6, "by_day": 90, "follow_up_days": 90,
     "accrual_days": 60, "better": "lower"},
    {"law": "rate", "rate_ratio": 0.6, "control_rate_per_day": 0.2, "dispersion": 0.5, "days": 60, "better": "lower"},
    {"law": "repeated", "visit_days": [7, 30], "differences": [2, 5], "sd": 10, "correlation": 0.5},
]  # fmt: skip


def trial_of(**changes: Any) -> BlindingTrial:
    """A small trial of a drug that is felt."""
    fields: dict[str, Any] = {
        "id": "made-up", "people": 80, "effect": MEANS, "drug": {"mean": 1.0, "sd": 0.4}, "trials": 400,
        "guess": {"unfelt": 0.2, "felt": 0.9}, "controls": [{"id": "control", "experience": {"sd": 0.3}}],
    }  # fmt: skip
    return BlindingTrial.from_dict(fields | changes)


def tried(**changes: Any) -> BenchResult:
    return run_bench(trial_of(**changes), with_frontier=False)


def test_indices_of_the_six_worked_tables() -> None:
    """The estimates, errors and limits of a published package, to its last digit."""
    if not SHARED.is_dir():
        pytest.skip("the shared tables are not here")
    for case in json.loads((SHARED / "blinding_index.json").read_text("utf-8"))["cases"]:
        table = np.array(case["x"], dtype=float)
        found = james_index(table)
        assert [found.value, found.se, found.low, found.high] == pytest.approx(case["james"], abs=6e-7)
        for arm, name in enumerate(("bang_treatment", "bang_placebo")):
            one = bang_index(table, arm)
            assert [one.value, one.se, one.low, one.high] == pytest.approx(case[name], abs=6e-7)
            if "bang_one_sided_lower" in case:
                limits = [case["bang_one_sided_lower"][arm], case["bang_one_sided_upper"][arm]]
                assert one.one_sided == pytest.approx(limits, abs=6e-7)


def test_indices_where_there_is_little_to_count() -> None:
    """Nobody knows, all guess one way, one arm was asked: a value with its reason and never a division by zero."""
    unsure = james_index(np.array([[0.0, 0], [0, 0], [20, 30]]))
    assert (unsure.value, unsure.se) == (1.0, 0.0)
    one_way = np.array([[20.0, 30], [0, 0], [0, 0]])
    assert james_index(one_way).value == pytest.approx(0.5)
    assert [bang_index(one_way, arm).value for arm in (0, 1)] == [1.0, -1.0]
    alone = np.array([[5.0, 0], [2, 0], [1, 0]])
    assert np.isnan(james_index(alone).value)
    assert james_index(alone).message
    assert np.isnan(bang_index(alone, 1).value)
    assert bang_index(alone, 1).message


@pytest.mark.parametrize("table", [[[1, 2], [3, 4]], [[1, 2], [3, -1], [0, 0]], [[1.5, 2], [3, 1], [0, 0]],
                                   [[np.nan, 2], [3, 1], [0, 0]]])  # fmt: skip
def test_what_is_no_table_of_guesses_is_refused(table: list[list[float]]) -> None:
    """An index of shares or of a turned table would look like any other."""
    with pytest.raises(SpecError, match="counts"):
        james_index(np.array(table, dtype=float))


@pytest.mark.parametrize(
    ("effect", "report", "better", "naive", "within"),
    [(0.5, 0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 1.0, 0.5, 0.2), (0.0, 0.5, 0.0, 0.19, 0.0), (0.0, 0.5, 1.0, 0.17, -0.248)],
)
def test_the_toy_results(effect: float, report: float, better: float, naive: float, within: float) -> None:
    """Within guess a true effect of .50 becomes .20, and an inert drug harms: the reason for the whole bench."""
    chance = [1.0 / (1.0 + exp(1.0)), 1.0 / (1.0 + exp(-1.0))]
    found = tried(
        people=20_000, trials=20, effect={"law": "difference", "difference": effect, "sd": 1, "better": "higher"},
        drug={"mean": 1, "sd": 0.7}, controls=[{"id": "control", "experience": {"sd": 0.4}}],
        guess={"unfelt": chance[0], "felt": chance[1], "better": better}, belief={"report": report}, asked=[1],
        worlds=["works-felt"],
    ).cells[0]  # fmt: skip
    # By quadrature (validation.blinding_bench) .1914 and -.2482; handed down, from 400,000 draws, as .20 and -.24.
    assert found.estimators["naive"].estimate.value == pytest.approx(naive, abs=0.012)
    assert found.estimators["within-guess"].estimate.value == pytest.approx(within, abs=0.012)
    assert found.estimators["correct-guess-rate-observed"].estimate.value == pytest.approx(within, abs=0.012)


def test_a_correct_guess_rate_is_the_difference_of_drawn_groups() -> None:
    """The published way draws people from the four groups; ours is what the draws tend to."""
    rng = np.random.default_rng(5)
    n = np.array([[[48.0, 39], [43, 102], [0, 0]]])
    mean = rng.normal(0.0, 10.0, (1, 3, 2))
    groups = GroupStatistics(n=n, value=mean, variance=np.ones_like(n), freedom=n - 1.0)
    for rate in (0.3, 0.5, 0.8):
        right, wrong = rate * np.array([48, 102]) / 150, (1.0 - rate) * np.array([43, 39]) / 82
        group = rng.choice(4, size=400_000, p=[*right, *wrong])
        arm, answer = np.array([0, 1, 0, 1])[group], np.array([0, 1, 1, 0])[group]
        value = mean[0, answer, arm]
        drawn = value[arm == 0].mean() - value[arm == 1].mean()
        assert contrast(groups, cgr_weights(n, rate=rate)).value[0] == pytest.approx(drawn, abs=0.15)
    observed = contrast(groups, cgr_weights(n, rate=150 / 232)).value[0]
    assert observed == pytest.approx((n[0, :, 0] @ mean[0, :, 0]) / 91 - (n[0, :, 1] @ mean[0, :, 1]) / 141)


def one_cell(found: BenchResult, world: str) -> BenchCell:
    return found.cell("control", world)


@pytest.mark.parametrize("law", LAWS, ids=lambda one: one["law"])
def test_type_one_error_is_nominal_when_belief_does_nothing_and_told_when_it_does(law: dict[str, Any]) -> None:
    """A null is never one number: the same drug without an effect rejects as it may, or as belief makes it."""
    idle = one_cell(tried(effect=law, trials=2000), "felt-inert").estimators["naive"]
    assert abs(idle.rejects.value - 0.05) < 4.0 * 0.0049 + 0.004
    acts = one_cell(tried(effect=law, trials=400, belief={"report": 0.6}), "felt-inert").estimators["naive"]
    assert acts.rejects.value > 0.12
    assert acts.bias.value * outcome_of(EffectFile.from_dict({"effect": law}).effect).sign > 0.0
    masked = tried(effect=law, trials=400, belief={"report": 0.6}, controls=["anesthesia"]).cell(
        "anesthesia", "felt-inert"
    )
    assert masked.estimators["naive"].rejects.value < 0.1


@pytest.mark.parametrize("law", LAWS, ids=lambda one: one["law"])
@pytest.mark.parametrize("works", [1.0, 0.4])
def test_the_truth_is_what_very_large_trials_find_without_belief(law: dict[str, Any], works: float) -> None:
    """Bias is held to it; of ratios and shares the truth of a mixture is no product."""
    found = tried(
        effect=law, people=40_000, trials=20, worlds=[{"id": "w", "works": works}],
        controls=[{"id": "control", "effect_share": 0.25}],
    ).cells[0]  # fmt: skip
    naive = found.estimators["naive"]
    assert abs(naive.bias.value) < 5.0 * naive.bias.mcse


CHANNELS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"report": 0.5}, {}),
    ({"report_disappointed": 0.5}, {}),
    ({"behavior": 0.5}, {}),
    ({"behavior_disappointed": 0.5}, {}),
    ({"attendance": 3.0, "attends": 0.9, "worth": 2.0}, {}),
    ({"rater": 0.8}, {"rater_felt": 8.0}),
    ({"therapist": 0.8}, {"therapist_felt": 8.0}),
]


@pytest.mark.parametrize(("belief", "guess"), CHANNELS, ids=lambda one: "-".join(one))
def test_each_effect_of_belief_flatters_a_drug_that_does_nothing(belief: dict[str, Any], guess: dict[str, Any]) -> None:
    """Report, behavior, attendance, rater, therapist, each by itself; and with nothing felt none of them does."""
    guess = {"unfelt": 0.1, "felt": 0.9} | guess
    felt = one_cell(tried(belief=belief, guess=guess), "felt-inert").estimators["naive"]
    assert felt.bias.value > 6.0 * felt.bias.mcse
    masked = tried(belief=belief, guess=guess, controls=["anesthesia"]).cell("anesthesia", "felt-inert")
    assert abs(masked.estimators["naive"].bias.value) < 4.5 * masked.estimators["naive"].bias.mcse
    only = one_cell(tried(belief=belief, guess=guess), "expectancy-only").estimators["naive"]
    assert (abs(only.bias.value) > 4.0 * only.bias.mcse) == (next(iter(belief)).startswith("report"))


def test_disappointed_people_leave_the_control_arm() -> None:
    """Leaving by guess thins the control arm; alone it moves no mean."""
    from remission.blinding.bench import situation_of, treated_of
    from remission.blinding.trial import Draws, simulate_believed

    trial = trial_of(belief={"leaving": 3.0, "leaves": 0.1})
    now = situation_of(trial, outcome_of(trial.effect), trial.controls[0], trial.worlds[2])
    found = simulate_believed(Draws(1, 0, 100, 80), treated_of(80, 0.5), now)
    stayed = [found.stays[:, side].mean() for side in (found.treated, ~found.treated)]
    assert stayed[0] > stayed[1] + 0.2
    assert abs(one_cell(tried(belief={"leaving": 3.0, "leaves": 0.1}), "felt-inert").estimators["naive"].bias.value) < 1


def test_nothing_is_answered_from_an_outcome_that_has_not_come() -> None:
    """Guesses of the first day know nothing of improvement; those of the last follow it, and within them it is lost."""
    found = tried(guess={"unfelt": 0.2, "felt": 0.9, "better": 2.0}, asked=[0, 60], outcome_day=60, trials=1000)
    cell = one_cell(found, "works-felt")
    early, late = (cell.estimators[name] for name in ("within-early-guess", "within-guess"))
    assert abs(early.bias.value) < 4.0 * early.bias.mcse
    assert late.bias.value < -1.0


def test_side_effects_expectation_and_doubt_move_answers() -> None:
    """A telltale dry mouth unblinds without any experience; who is unsure says so, and expects what they will."""
    plain = tried(drug={}, controls=["inactive"], guess={"unfelt": 0.5, "felt": 0.5}, worlds=["works-felt"]).cells[0]
    assert plain.right == pytest.approx(0.5, abs=0.01)
    dry = tried(drug={"side_effect": 0.9}, controls=["inactive"], worlds=["works-felt"],
                guess={"unfelt": 0.3, "felt": 0.3, "side_effect": 4.0}).cells[0]  # fmt: skip
    assert dry.right > 0.7
    unsure = tried(guess={"unfelt": 0.2, "felt": 0.9, "unsure": 1.0}, worlds=["works-felt"]).cells[0]
    assert unsure.james > one_cell(tried(worlds=["works-felt"]), "works-felt").james + 0.1
    expects = {"unfelt": 0.5, "felt": 0.5, "expects": 3.0}
    few = tried(drug={}, controls=["enriched"], guess=expects, worlds=["works-felt"]).cells[0]
    assert few.bang_drug < -0.5


def test_without_stated_chances_people_guess_as_well_as_they_can() -> None:
    """Of two honest defaults the less favorable: nobody is blinded by what was not written down."""
    lazy = tried(guess={"unfelt": 0.4, "felt": 0.6}, worlds=["works-felt"]).cells[0]
    assert tried(guess={}, worlds=["works-felt"]).cells[0].right > lazy.right + 0.1
    told = tried(guess={}, controls=["delayed"], worlds=["works-unfelt"]).cells[0]
    assert told.right == 1.0


def test_controls_of_ketamine_are_felt_by_the_chain() -> None:
    """A low dose is guessed less surely than saline and has a part of the effect; three doses compare fewer people."""
    found = tried(drug={"dose": "0.5 mg/kg", "duration": "40 min"}, guess={}, trials=100,
                  controls=["saline", "low-dose", "three-doses", "anesthesia", "matched"])  # fmt: skip
    right = {one.control: one.right for one in found.cells if one.world == "works-felt"}
    assert right["saline"] >= right["low-dose"] > right["matched"]
    assert right["anesthesia"] == pytest.approx(0.5, abs=0.03)
    low, three = found.cell("low-dose", "works-felt"), found.cell("three-doses", "works-felt")
    assert 0.0 < low.truth < found.cell("saline", "works-felt").truth
    assert three.people == round(80 * 2 / 3)


def test_the_frontier_runs_from_unblinded_to_blinded() -> None:
    """What a better control would buy: fewer right guesses, less flattery."""
    found = run_bench(trial_of(belief={"report": 0.5}))
    inert = [one for one in found.frontier if one.world == "felt-inert"]
    assert len(inert) == 5
    assert [one.right for one in inert] == sorted((one.right for one in inert), reverse=True)
    assert inert[0].estimators["naive"].bias.value > 5.0 * inert[-1].estimators["naive"].bias.value
    columns = found.columns()
    assert len({len(column) for column in columns.values()}) == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"asked": [-1]}, "asked"),
    ({"asked": [0, 5], "outcome_day": 3}, "asked"),
    ({"asked": [3, 1], "outcome_day": 9}, "asked"),
    ({"guess": {"unfelt": 0.2}}, "felt"),
    ({"guess": {"unfelt": 0.0, "felt": 0.9}}, "unfelt"),
    ({"guess": {"unfelt": 0.2, "felt": 1.2}}, "felt"),
    ({"belief": {"leaving": 1.0}}, "leaves"),
    ({"belief": {"attendance": 1.0}}, "attends"),
    ({"belief": {"reports": 1.0}}, "reports"),
    ({"drug": {"dose": "0.5 mg/kg"}}, "duration"),
    ({"drug": {"mean": 1.0, "dose": "0.5 mg/kg", "duration": "40 min"}}, "mean"),
    ({"drug": {"share": 1.3}}, "share"),
    ({"controls": ["salin"]}, "saline"),
    ({"controls": []}, "controls"),
    ({"worlds": ["felt-innert"]}, "felt-inert"),
    ({"worlds": ["mixed", "mixed"]}, "worlds"),
    ({"people": 3}, "people"),
    ({"effect": {"law": "diary"}}, "law"),
    ({"effect": {"law": "difference", "difference": 0, "sd": 1}}, "better"),
    ({"effect": MEANS | {"goal": "equivalence", "margin": 9}}, "goal"),
    ({"trials": 1}, "trials"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=lambda one: str(one)[:40])
def test_wrong_trials_are_refused_with_their_field(change: dict[str, Any], said: str) -> None:
    """No guess before a dose, no chance above 1, no name that nobody knows."""
    with pytest.raises(SpecError, match=said):
        trial_of(**change)


def test_a_dose_of_ketamine_is_no_control_of_another_drug() -> None:
    """Its score and a stated experience are not one scale."""
    with pytest.raises(SpecError, match="low-dose"):
        tried(controls=["low-dose"])
