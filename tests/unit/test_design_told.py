"""What a design tells while it is simulated: a first look at once, then what is settled, which is what it ends with."""

from typing import Any

import pytest
from validation.small_trials import small_protocol

from remission.cli.design_show import tell_first, tell_settled
from remission.design.study import DesignPlan, first_look, plan_design, study_design
from remission.design.variants import sizes_of
from remission.numerics.tallies import Count
from remission.runs.crew import Crew


@pytest.fixture(scope="module")
def plan() -> DesignPlan:
    """Two sizes of a small trial."""
    return plan_design(
        small_protocol(), parameters=None, n_subjects=sizes_of("n=24,48"), power=None, alpha=0.05, analysis=None,
        max_replicates=30, mcse=0.02, is_null=False, n_truth=0, n_draws=0, evidence=None, without=None, looks=None,
        futility=[], spending="obrien-fleming", prices=None, budget=None, seed=4,
    )  # fmt: skip


def test_what_is_told_as_settled_is_what_the_answer_says(plan: DesignPlan) -> None:
    """A number told early that the answer then corrects would be worse than waiting."""
    told: list[tuple[Any, ...]] = []
    study = study_design(plan, crew=Crew(), on_settled=lambda *one: told.append(one))
    assert [(n, values) for n, _, values in told] == [(24, "fixed"), (48, "fixed"), (24, "drawn"), (48, "drawn")]
    fixed = [share for _, share, values in told if values == "fixed"]
    assert fixed == [row.rejected for row in study.main]
    drawn = [share.value for _, share, values in told if values == "drawn"]
    assert drawn == [one["rejected"]["value"] for one in study.content["over_posterior"]]


def test_a_first_look_says_what_it_is_of(plan: DesignPlan, capsys: pytest.CaptureFixture[str]) -> None:
    """Few trials over the posterior, in words and with their error; never on the output that is read by programs."""
    seen: list[tuple[int, Count]] = []
    first_look(plan, lambda n, count: seen.append((n, count)), n_trials=5, over_posterior=True)
    assert [(n, count.n) for n, count in seen] == [(24, 5), (48, 5)]
    tell_first(plan, *seen[0])
    tell_settled(plan, 24, seen[0][1].measure, "fixed")
    out, err = capsys.readouterr()
    assert out == ""
    first, settled = err.splitlines()
    assert first.startswith("First look, 24 people, 5 trials: chance of success over the posterior")
    assert settled.startswith("Settled, 24 people: power with the same values in every trial")
    assert "±" in first
