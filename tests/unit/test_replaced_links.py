"""A link of the chain replaced by the caller's own equation: the same when it says the same, and never unnoticed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from validation.small_trials import course_schedule, small_protocol

import remission as rm
from remission.errors import RunError, SpecError
from remission.numerics.elementary import exp
from remission.patient.course import Traits
from remission.patient.kernels import fast, reference
from remission.patient.kernels.links import LINKS, link_hashes, replace_link
from remission.streams import People
from remission.trial.simulate import plan_trial

pytestmark = pytest.mark.usefixtures("no_figures")

HALF = 0.5


def shut(window: Any, *, gamma: Any) -> Any:
    return 1.0 + 0.0 * gamma * window


def saturating(window: Any, *, gamma: Any) -> Any:
    return 1.0 + 0.3 * (1.0 - exp(-window)) + gamma * window


def both_rates(habit: Any, use: Any, gate: Any, *, a_h: Any, d_h: Any) -> Any:
    return habit + (1.0 - habit) * use * a_h * HALF - habit * d_h * gate * HALF


def always_wanting(clean_days: Any, *, i_max: Any, tau_i: Any) -> Any:
    return 1.1 + 0.0 * clean_days * i_max * tau_i


def courses(kernel: Callable[..., Any]) -> Any:
    n = 300
    people = People(seed=5, replicate=np.zeros(n, dtype=np.uint64), subject=np.arange(n, dtype=np.uint64))
    level = np.linspace(0.1, 0.9, n)
    traits = Traits(
        tendency=level - 0.5, level=level, up=level, down=level, responsiveness=1.0 + level, commitment0=level,
        cue0=level - 0.5, regime0=(np.arange(n) % 3) * 1.0, takes=np.ones(n), engagement=level, heaviness=level,
    )  # fmt: skip
    schedule = course_schedule(n, 20, infusion_days=(0, 7), exposure=1.0, psychoactive=0.5, session_days=(1, 8))
    return kernel(people, traits, schedule, rm.load_course_parameters("alcohol"))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("update_habit", both_rates),
        *(
            pytest.param(*one, marks=pytest.mark.thorough)
            for one in (("gate", saturating), ("incubation", always_wanting))
        ),
    ],
)
def test_both_kernels_use_the_same_other_equation(name: str, function: Callable[..., Any]) -> None:
    """The compiled kernel knows shortcuts of ours; with another equation they would be wrong numbers."""
    before = courses(fast.simulate_course)
    with replace_link(name, function):
        quick, plain = courses(fast.simulate_course), courses(reference.simulate_course)
    np.testing.assert_array_equal(quick.use, plain.use)
    np.testing.assert_array_equal(quick.vas, plain.vas)
    assert not np.array_equal(quick.vas, before.vas)
    after = courses(fast.simulate_course)
    np.testing.assert_array_equal(after.vas, before.vas)


@pytest.mark.thorough
def test_a_gate_that_stays_shut_is_gamma_at_zero(tmp_path: Path) -> None:
    """An equation with a known equal gives its numbers; the record of the run still says that it is not ours."""
    protocol = small_protocol()
    zero = rm.simulate_trial(protocol, n_replicates=2, parameters={"gamma": 0.0})
    default = rm.run_trial(protocol, tmp_path, n_replicates=2)
    with rm.replace_link("gate", shut):
        found = rm.simulate_trial(protocol, n_replicates=2)
        folder = rm.run_trial(protocol, tmp_path, n_replicates=2)
        digest = link_hashes()["gate"]
        assert rm.rebuild(folder).is_same
    for name, one in zero.estimates.items():
        np.testing.assert_array_equal(one.estimate, found.estimates[name].estimate)
    assert found.links == {"gate": digest}
    assert "REPLACED LINKS" in repr(found)
    assert folder != default
    assert json.loads((folder / "manifest.json").read_text())["replaced_links"] == {"gate": digest}
    assert "replaced_links" not in json.loads((default / "manifest.json").read_text())
    assert "Not the default model" in (folder / "report.html").read_text()
    with pytest.raises(RunError, match="gate"):
        rm.rebuild(folder)


def test_a_plan_is_computed_with_its_own_links_only() -> None:
    """A worker that knows nothing of the caller's function would compute the default under its name."""
    plan = plan_trial(small_protocol(), n_replicates=1, seed=1)
    with replace_link("gate", shut), pytest.raises(RunError, match="gate replaced here"):
        plan.run(plan.chunks[0])
    with replace_link("gate", shut):
        other = plan_trial(small_protocol(), n_replicates=1, seed=1)
    with pytest.raises(RunError, match="gate in the plan"):
        other.run(other.chunks[0])


def test_the_hash_follows_the_source_and_its_numbers() -> None:
    """Two equations that differ by a constant of their module are two models."""

    def digest(function: Callable[..., Any]) -> str:
        with replace_link("gate", function):
            return link_hashes()["gate"]

    first = digest(saturating)
    assert first == digest(saturating) != digest(shut)
    with replace_link("update_habit", both_rates):
        before = link_hashes()["update_habit"]
    globals()["HALF"] = 0.25
    try:
        with replace_link("update_habit", both_rates):
            assert link_hashes()["update_habit"] != before
    finally:
        globals()["HALF"] = 0.5


def _numpy(window: Any, *, gamma: Any) -> Any:
    return 1.0 + gamma * np.exp(window)


def _branch(window: Any, *, gamma: Any) -> Any:
    return 1.0 if window > HALF else gamma


def _infinite(window: Any, *, gamma: Any) -> Any:
    return window / (gamma - gamma)


def _other_names(state: Any, *, gamma: Any) -> Any:
    return 1.0 + gamma * state


@pytest.mark.parametrize(
    ("name", "function", "words"),
    [
        ("gates", shut, "gate?"),
        ("nothing_like_it", shut, "update_habit"),
        ("gate", 1.0, "a function"),
        ("gate", _other_names, "window, *, gamma"),
        ("gate", both_rates, "window, *, gamma"),
        ("gate", _numpy, "np"),
        ("gate", _branch, "comparison times a number"),
        ("gate", _infinite, "finite"),
    ],
)
def test_what_is_no_equation_of_the_link_is_refused(name: str, function: Any, words: str) -> None:
    """Found at once, not as a strange number after the simulation."""
    with pytest.raises(SpecError) as error, rm.replace_link(name, function):
        pass
    assert words in str(error.value)
    assert link_hashes() == {}


def test_every_link_can_be_named() -> None:
    """A mechanism of the chain that could not be replaced would need a fork."""
    for name in LINKS:
        assert fast._SHORT.get(name, f"_{name}") in vars(fast), name
        assert name in vars(reference), name
