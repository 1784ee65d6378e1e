"""Replicates of a trial: the same numbers whatever the chunk, and only what was asked changes."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.errors import SpecError
from remission.patient.parameters import load_course_parameters
from remission.protocol.record import Protocol
from remission.records.substance import Substance
from remission.trial import chunk
from remission.trial.result import TrialResult
from remission.trial.simulate import simulate_trial


def assert_same_result(one: TrialResult, other: TrialResult, replicates: slice = slice(None)) -> None:
    """Endpoint values and estimates equal in every bit, NaN included."""
    for name, values in one.arms.items():
        for field in ("mean", "sd", "n", "event_share"):
            first, second = getattr(values, field)[replicates], getattr(other.arms[name], field)[replicates]
            np.testing.assert_array_equal(first, second, err_msg=f"{name}.{field}")
    for name, estimates in one.estimates.items():
        for field in ("estimate", "low", "high", "p_value"):
            first, second = getattr(estimates, field)[replicates], getattr(other.estimates[name], field)[replicates]
            np.testing.assert_array_equal(first, second, err_msg=f"{name}.{field}")


@pytest.mark.parametrize("people_per_chunk", [1, 24 * 3, 10_000])
def test_the_chunk_does_not_change_a_number(people_per_chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and machines set the chunk; they must not set the result. States come from the reference kernel, the
    rest from
    the compiled one, so this also holds the two together.
    """
    expected = simulate_trial(small_protocol(), n_replicates=8, seed=5)
    monkeypatch.setattr(chunk, "_PEOPLE_PER_CHUNK", people_per_chunk)
    found = simulate_trial(small_protocol(), n_replicates=8, seed=5)
    assert_same_result(expected, found)
    for field in ("people", "using", "never_used", "in_study"):
        np.testing.assert_array_equal(getattr(expected.counts, field), getattr(found.counts, field))


def test_more_replicates_leave_the_earlier_ones_alone() -> None:
    """A run that is lengthened must contain the shorter one."""
    short, long = (simulate_trial(small_protocol(), n_replicates=count, seed=5) for count in (3, 6))
    for name, values in short.arms.items():
        np.testing.assert_array_equal(values.mean, long.arms[name].mean[:3])


def test_another_seed_is_another_trial() -> None:
    """A seed that is ignored would make every power a certainty."""
    one, other = (simulate_trial(small_protocol(), n_replicates=3, seed=seed) for seed in (5, 6))
    assert not np.array_equal(one.arms["pda"].mean, other.arms["pda"].mean)


def test_one_more_endpoint_changes_no_other() -> None:
    """Outcomes are read from the course; measuring more must not move it."""
    protocol = small_protocol()
    extra = protocol.endpoints[0].replace(id="first-week", window={"first": 0, "last": 6})
    more = protocol.replace(endpoints=(*protocol.endpoints, extra))
    one, other = (simulate_trial(item, n_replicates=3, seed=5) for item in (protocol, more))
    assert_same_result(one, other)


def single_arm(drug: str) -> Protocol:
    """Everybody gets the same drug; analyses left out."""
    protocol = small_protocol()
    arm = next(arm for arm in protocol.arms if arm.drug == drug)
    return protocol.replace(arms=(arm.replace(id="only"),), analyses=(), randomization={"block_size": 1})


def test_ketamine_without_any_route_is_saline_for_the_same_people() -> None:
    """Through pharmacokinetics, schedule and observation: rho = 0 and k_M = 0 leave nothing of the drug."""
    deaf = load_course_parameters(Substance("alcohol")).replace(rho=0.0, k_m=0.0)
    one, other = (
        simulate_trial(single_arm(drug), n_replicates=3, seed=5, parameters=deaf) for drug in ("ketamine", "saline")
    )
    assert_same_result(one, other)
    np.testing.assert_array_equal(one.counts.using, other.counts.using)


def test_ketamine_with_its_routes_is_not_saline() -> None:
    """The counterpart: the test above could pass because doses never arrive."""
    one, other = (simulate_trial(single_arm(drug), n_replicates=3, seed=5) for drug in ("ketamine", "saline"))
    assert one.counts.using.sum() < other.counts.using.sum()


def test_complete_retention_keeps_everybody_and_every_visit() -> None:
    """A natural-history protocol promises that nobody is lost; a share of missing people would flatter it."""
    restless = load_course_parameters(Substance("alcohol")).replace(leave_hazard_per_day=0.02, miss_hazard_per_day=0.3)
    modeled, complete = (
        simulate_trial(small_protocol(setting={"retention": kind}), n_replicates=3, seed=5, parameters=restless)
        for kind in ("modeled", "complete")
    )
    assert np.all(complete.counts.in_study[:, -1] == complete.counts.people)
    assert np.all(complete.arms["craving"].n == 12)
    assert np.all(modeled.counts.in_study[:, -1] < modeled.counts.people)


def test_hidden_use_is_missing_from_the_diary_only() -> None:
    """People may not report what they used; the truth and the tests must not follow the diary."""
    base = load_course_parameters(Substance("alcohol"))
    honest, hiding = (
        simulate_trial(small_protocol(), n_replicates=3, seed=5, parameters=base.replace(p_hide=share))
        for share in (0.0, 0.9)
    )
    np.testing.assert_array_equal(honest.counts.using, hiding.counts.using)
    assert hiding.arms["pda"].mean.mean() > honest.arms["pda"].mean.mean() + 5.0


def test_adjustment_for_sex_and_site_enters_the_regression() -> None:
    """A covariate that is dropped on the way would leave the interval as it was."""
    protocol = small_protocol(setting={"n_sites": 2})
    adjusted = protocol.replace(
        analyses=tuple(
            item.replace(adjust=("sex", "site")) if item.method == "mean_difference" else item
            for item in protocol.analyses
        )
    )
    plain, other = (simulate_trial(item, n_replicates=3, seed=5) for item in (protocol, adjusted))
    assert not np.array_equal(plain.estimates["pda-ketamine"].low, other.estimates["pda-ketamine"].low)
    assert_same_result(simulate_trial(protocol, n_replicates=3, seed=5), plain)
    assert plain.estimates["pda-ketamine"].n_failed == 0


@pytest.mark.parametrize(
    ("name", "value"), [("sigma_k", -0.1), ("gamma", float("nan")), ("phi", 1.0), ("tau_p_day", 0.0), ("success", 1.1)]
)
def test_a_value_without_meaning_is_refused(name: str, value: float) -> None:
    """A share above one or a time of zero gives numbers that look like results."""
    with pytest.raises(SpecError, match=name):
        load_course_parameters(Substance("alcohol")).replace(**{name: value})


def test_progress_reaches_the_end_in_order() -> None:
    """The command line shows it; a bar that jumps back or stops short looks like a hang."""
    seen: list[tuple[int, int]] = []
    simulate_trial(small_protocol(), n_replicates=7, seed=5, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (7, 7)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


@pytest.mark.parametrize("count", [0, -1, 10**9, 1.5, True])
def test_a_wrong_number_of_replicates_is_refused(count: Any) -> None:
    """Zero replicates would give an empty table, a billion would never end."""
    with pytest.raises(SpecError, match="n_replicates"):
        simulate_trial(small_protocol(), n_replicates=count)


@pytest.mark.thorough
@pytest.mark.slow
def test_another_process_gives_the_same_bytes() -> None:
    """Hash seeds, import order and start-up must leave no trace."""
    code = (
        "import hashlib, sys\n"
        "from validation.small_trials import small_protocol\n"
        "from remission.trial.simulate import simulate_trial\n"
        "r = simulate_trial(small_protocol(), n_replicates=4, seed=11)\n"
        "h = hashlib.sha256()\n"
        "for v in r.arms.values(): h.update(v.mean.tobytes())\n"
        "for e in r.estimates.values(): h.update(e.estimate.tobytes())\n"
        "for s in r.states.mean.values(): h.update(s.tobytes())\n"
        "print(h.hexdigest())\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": hash_seed}
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(answers) == 1


@pytest.mark.stat
def test_type_1_error_of_the_difference_is_its_level() -> None:
    """Two arms of saline: 5% of 600 replicates reject, inside 4 Monte Carlo standard errors (false alarm 6 in
    100,000).
    """
    protocol = small_protocol()
    null = {"ketamine": protocol.drugs["saline"], "saline": protocol.drugs["saline"]}
    result = simulate_trial(protocol.replace(drugs=null), n_replicates=600, seed=20260101)
    rejected = np.nanmean(result.estimates["pda-ketamine"].p_value < 0.05)
    assert abs(rejected - 0.05) < 4.0 * np.sqrt(0.05 * 0.95 / 600)
