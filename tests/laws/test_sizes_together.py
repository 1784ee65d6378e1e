"""Laws of designs of several sizes: each is, to the last bit, what it is when it is simulated alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.design.again import can_randomize_again, power_again
from remission.design.operating import simulate_design, simulate_sizes
from remission.design.stops import plan_stops
from remission.design.variants import one_analysis, resize_protocol
from remission.library.protocols import list_protocols, load_protocol
from remission.numerics.tallies import Measure
from remission.patient.backgrounds import course_parameters_of
from remission.patient.drawn import Drawing, default_posterior
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.trial.batch import simulate_batch, simulate_under_each
from remission.trial.chunk import Chunk, outcomes_of
from remission.trial.part import first_people

PDA = "pda-ketamine"
SIZES = (20, 28, 44)


def two_arms(**changes: Any) -> Protocol:
    """The small trial with something else."""
    return small_protocol(**changes)


def unequal() -> Protocol:
    """Two of three people get ketamine, in blocks of six."""
    arms = [one.to_dict() for one in small_protocol().arms]
    arms[0]["allocation"] = 2
    return two_arms(arms=arms, randomization={"block_size": 6})


def of_days() -> Protocol:
    """Analyses that read days, and one that reads periods."""
    window = {"first": 0, "last": 27}
    endpoints = [
        {"id": name, "label": name, "kind": kind, "window": window, "missing": missing}
        for name, kind, missing in (("days", "use_days", "use"), ("pda", "percent_days_abstinent", "observed"))
    ]
    sides = {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}}
    analyses = [
        {"id": name, "label": name, "endpoint": name, "method": method, "contrast": sides, **more}
        for name, method, more in (("days", "rate_ratio", {}), ("pda", "repeated_difference", {"period_days": 7}))
    ]
    return two_arms(endpoints=endpoints, analyses=analyses)


CASES: dict[str, Callable[[], Protocol]] = {
    "blocks": lambda: two_arms(),
    "unequal": unequal,
    "days": of_days,
    "sites and sex": lambda: two_arms(
        setting={"n_sites": 3}, randomization={"block_size": 4, "stratify_by": ["site", "sex"]}
    ),
    "minimization": lambda: two_arms(
        setting={"n_sites": 2},
        randomization={"method": "minimization", "stratify_by": ["sex", "site"], "p_best_arm": 0.8},
    ),
    "recruitment": lambda: two_arms(recruitment={"screened_per_day": 2.0, "screening_failure": 0.3}),
    "belief": lambda: two_arms(blinding={"guess_unfelt": 0.3, "guess_felt": 0.9, "expectancy_report": 0.3}),
}


def alike(found: Any, alone: Any) -> None:
    """Every sum, to the last bit: texts of floats give them back exactly."""
    with np.printoptions(threshold=10**9, floatmode="unique"):
        assert repr(found) == repr(alone)


def together(protocol: Protocol, sizes: tuple[int, ...] = SIZES, **options: Any) -> None:
    """Sizes at once, and each alone."""
    designs = [resize_protocol(protocol, n) for n in sizes]
    asked: dict[str, Any] = {"max_replicates": 120, "mcse": 0.06, "seed": 11, "keep": True, **options}
    for design, run in zip(designs, simulate_sizes(designs, **asked), strict=True):
        alike(run, simulate_design(design, **asked))


@pytest.mark.parametrize("name", CASES)
def test_sizes_that_share_their_people_are_those_simulated_alone(name: str) -> None:
    """A smaller trial that were not the first people of a larger one would be another trial."""
    together(CASES[name]())


def test_looks_truths_and_drawn_values_do_not_change_that() -> None:
    """A look is at a share of the people of its own size; a stop at its own number of trials."""
    protocol = two_arms(recruitment={"screened_per_day": 2.0})
    together(protocol, rule=plan_stops([0.5, 1.0], futility={0.5: 0.0}), analysis=PDA)
    together(protocol, truths={PDA: 3.0}, is_null=True)
    posterior = default_posterior()
    assert posterior is not None
    together(one_analysis(protocol, PDA), is_null=True, drawing=Drawing.of(posterior, without={}))


@pytest.mark.parametrize("name", list_protocols())
def test_every_protocol_of_the_library_begins_with_its_smaller_trial(name: str) -> None:
    """Outcomes and arms of the first people, in factorial, crossover, adaptive and screened trials alike."""
    protocol = load_protocol(name)
    parameters, pharmacology = course_parameters_of(protocol), pharmacology_of(protocol)
    chunk = Chunk(first=2, count=3)
    small, large = (resize_protocol(protocol, n) for n in (13, 24))
    batches = [
        simulate_batch(one, seed=5, first_replicate=2, n_replicates=3, parameters=parameters, pharmacology=pharmacology)
        for one in (small, large)
    ]
    first = first_people(batches[1], 13)
    assert np.array_equal(first.arm, batches[0].arm)
    found, alone = (outcomes_of(small, chunk, one, parameters=parameters) for one in (first, batches[0]))
    for kind in ("values", "events"):
        for endpoint, column in getattr(alone, kind).items():
            assert np.array_equal(getattr(found, kind)[endpoint], column, equal_nan=kind == "values"), endpoint
    for column in ("use", "amount", "vas", "days_in_study"):
        assert np.array_equal(getattr(first.course, column), getattr(batches[0].course, column))


@pytest.mark.parametrize("name", CASES)
def test_people_randomized_again_have_the_trial_itself_as_their_first(name: str) -> None:
    """Nobody acts on anybody else: a person's outcome is that of the own arm, whoever got the other ones."""
    protocol = CASES[name]()
    parameters, pharmacology = course_parameters_of(protocol), pharmacology_of(protocol)
    chunk = Chunk(first=0, count=4)
    asked: dict[str, Any] = {
        "seed": 3,
        "first_replicate": 0,
        "n_replicates": 4,
        "parameters": parameters,
        "pharmacology": pharmacology,
    }
    trial = simulate_batch(protocol, **asked)
    under, again = simulate_under_each(protocol, **asked, arms=[0, 1], n_again=3)
    assert np.array_equal(again[0], trial.arm)
    assert 0.2 < np.mean(again[1] == again[2]) < 0.8
    own = outcomes_of(protocol, chunk, trial, parameters=parameters)
    each = [outcomes_of(protocol, chunk, one, parameters=parameters) for one in under]
    for endpoint, column in own.values.items():
        table = np.stack([one.values[endpoint] for one in each])
        assert np.array_equal(table[trial.arm, np.arange(trial.arm.size)], column, equal_nan=True), endpoint


@pytest.mark.parametrize("analysis", ["pda-ketamine", "relapse-ketamine", "time-ketamine"])
def test_power_by_people_randomized_again_is_that_of_ordinary_trials(analysis: str) -> None:
    """Two ways to one number, on other people: a false alarm, at four errors, in one of 16,000 suites a case."""
    protocol = one_analysis(resize_protocol(two_arms(), 48), analysis)
    assert can_randomize_again(protocol, analysis)
    parameters = course_parameters_of(protocol).replace(use_effect=1.2)
    found, sets = power_again(
        protocol, analysis, parameters=parameters, alpha=0.05, seed=21, most=300, enough=lambda _: False
    )
    assert sets == 300
    run = simulate_design(
        protocol, parameters=parameters, max_replicates=1500, mcse=1e-9, seed=22, analysis=analysis, is_null=True
    )
    plain: Measure = run.decided(analysis).measure
    assert abs(found.value - plain.value) < 4.0 * np.hypot(found.mcse, plain.mcse)
    # The same trials, fewer: the error is smaller than that of as many ordinary ones.
    assert found.mcse < np.sqrt(plain.value * (1.0 - plain.value) / sets)
