"""Laws of blinding: what must hold for any table of guesses and any trial, whatever its numbers."""

from typing import Any

import numpy as np
import pytest
from law_cases import law

from remission.blinding.bench import run_bench
from remission.blinding.estimators import GroupStatistics, cgr_weights, contrast, within_weights
from remission.blinding.indices import bang_index, bang_shares, james_index, james_shares
from remission.records.blinding import BlindingTrial
from remission.records.effect import Difference


def table(rng: np.random.Generator) -> np.ndarray:
    """Guesses with every cell filled."""
    return rng.integers(1, 80, (3, 2)).astype(np.float64)


@law(seed=3101)
def test_indices_do_not_hear_the_names_of_the_arms(rng: np.random.Generator) -> None:
    """Turning both arms and both answers round is the same trial told from the other side."""
    counts = table(rng)
    turned = counts[[1, 0, 2]][:, ::-1]
    assert james_index(turned).value == pytest.approx(james_index(counts).value)
    assert james_index(turned).se == pytest.approx(james_index(counts).se)
    assert bang_index(turned, 0).value == pytest.approx(bang_index(counts, 1).value)
    # Only the answers turned: Bang changes its sign.
    assert bang_index(counts[[1, 0, 2]], 0).value == pytest.approx(-bang_index(counts, 0).value)


@law(seed=3102)
def test_indices_stay_in_their_ranges_and_sharpen_with_people(rng: np.random.Generator) -> None:
    """Ten times the people in every cell is the same share, known better by the root of ten."""
    counts = table(rng)
    for one, more in ((james_index(counts), james_index(10.0 * counts)),
                      (bang_index(counts, 1), bang_index(10.0 * counts, 1))):  # fmt: skip
        assert more.value == pytest.approx(one.value)
        assert more.se * np.sqrt(10.0) == pytest.approx(one.se)
    assert 0.0 <= james_index(counts).value <= 1.0
    assert james_shares(counts[None])[0] == pytest.approx(james_index(counts).value)
    assert bang_shares(counts[None])[0] == pytest.approx([bang_index(counts, arm).value for arm in (0, 1)])


@law(seed=3103)
def test_more_who_do_not_know_is_better_blinding(rng: np.random.Generator) -> None:
    """James counts who does not know as blinded; so must any change in that direction."""
    counts = table(rng)
    more = counts.copy()
    more[2] += rng.integers(1, 200)
    assert james_index(more).value >= james_index(counts).value - 1e-12


def groups(rng: np.random.Generator) -> GroupStatistics:
    n = table(rng)[None] + 1.0
    n[:, 2] = 0.0
    return GroupStatistics(n=n, value=rng.normal(0, 5, n.shape), variance=rng.uniform(0.1, 2, n.shape), freedom=n - 1.0)


@law(seed=3109)
def test_lone_people_count_as_they_always_did(rng: np.random.Generator) -> None:
    """Of one session each, the error that people give is the published one but for n - 1; so are copies of all."""
    counts = rng.integers(2, 30, (3, 2))
    cells = np.repeat(np.arange(6), counts.ravel())
    persons = np.eye(6)[cells].reshape(-1, 3, 2)
    table = counts.astype(np.float64)
    for copies in (1.0, float(rng.integers(2, 5))):
        for one, other in ((james_index(copies * table, copies * persons), james_index(table)),
                           (bang_index(copies * table, 0, copies * persons), bang_index(table, 0))):  # fmt: skip
            assert one.value == pytest.approx(other.value)
            assert one.se == pytest.approx(other.se, rel=0.5 / (counts.sum(axis=0).min() - 1) + 1e-9)


@law(seed=3104)
def test_a_guess_rate_as_observed_changes_nothing(rng: np.random.Generator) -> None:
    """At the observed share of right guesses the curve passes through the plain difference, rule by rule."""
    one = groups(rng)
    n = one.n[0, :2]
    plain = (n * one.value[0, :2]).sum(axis=0) / n.sum(axis=0)
    rate = (n[0, 0] + n[1, 1]) / n.sum()
    assert contrast(one, cgr_weights(one.n, rate=rate)).value[0] == pytest.approx(plain[0] - plain[1])
    even = contrast(one, cgr_weights(one.n, rule="equal")).value[0]
    assert even == pytest.approx(contrast(one, within_weights(one.n)).value[0])


@law(seed=3105)
def test_a_shift_of_everybody_moves_no_estimate(rng: np.random.Generator) -> None:
    """Weights of a contrast add up to nothing, and to one on each side."""
    one = groups(rng)
    for rule in ("observed", "equal", "drug-arm"):
        weights = cgr_weights(one.n, rate=float(rng.uniform(0.05, 0.95)), rule=rule)
        assert weights.sum(axis=1)[0] == pytest.approx([1.0, -1.0])


def any_trial(rng: np.random.Generator, **more: Any) -> BlindingTrial:
    fields: dict[str, Any] = {
        "id": "any", "people": int(rng.integers(20, 80)), "trials": 20, "seed": int(rng.integers(2**32)),
        "effect": {"law": "difference", "difference": float(rng.normal(0, 5)), "sd": 10.0, "better": "higher"},
        "drug": {"mean": float(rng.uniform(0.2, 1.5)), "sd": float(rng.uniform(0.1, 0.6))},
        "guess": {"unfelt": float(rng.uniform(0.1, 0.5)), "felt": float(rng.uniform(0.5, 0.9)),
                  "better": float(rng.normal(0, 1))},
        "controls": [{"id": "c", "experience": {"sd": 0.2}}],
    }  # fmt: skip
    return BlindingTrial.from_dict(fields | more)


@law(seed=3106, one_in=2)
def test_belief_that_does_nothing_leaves_every_estimate_alone(rng: np.random.Generator) -> None:
    """With all weights 0 the plain difference is the same whatever was felt and guessed, bit for bit."""
    trial = any_trial(rng, worlds=["works-unfelt", "works-felt"])
    found = [cell.estimators["naive"].estimate.value for cell in run_bench(trial, with_frontier=False).cells]
    other = run_bench(trial.replace(guess=trial.guess.replace(better=0.0)), with_frontier=False).cells
    assert {*found, *(cell.estimators["naive"].estimate.value for cell in other)} == {found[0]}


@law(seed=3107, one_in=2)
def test_what_belief_adds_is_proportional_to_its_weight(rng: np.random.Generator) -> None:
    """Twice the belief, twice the bias: the same people with the same answers."""
    weight = float(rng.uniform(0.1, 1.0))
    bias = []
    for factor in (0.0, 1.0, 2.0):
        trial = any_trial(np.random.default_rng(int(weight * 1e6)), belief={"report": factor * weight},
                          worlds=["felt-inert"])  # fmt: skip
        bias.append(run_bench(trial, with_frontier=False).cells[0].estimators["naive"].estimate.value)
    assert bias[2] - bias[0] == pytest.approx(2.0 * (bias[1] - bias[0]), abs=1e-9)


@law(seed=3108, one_in=2)
def test_the_names_of_better_and_worse_may_change(rng: np.random.Generator) -> None:
    """A scale turned round, with its wished side, is the same trial: every estimate changes its sign."""
    trial = any_trial(rng, worlds=["works-felt"], belief={"report": 0.4})
    law_ = trial.effect
    assert isinstance(law_, Difference)
    turned = trial.replace(effect=law_.replace(difference=-law_.difference, better="lower"))
    one, other = (run_bench(each, with_frontier=False).cells[0].estimators for each in (trial, turned))
    for name, found in one.items():
        assert other[name].estimate.value == pytest.approx(-found.estimate.value, nan_ok=True)
        assert other[name].rejects.value == found.rejects.value
