"""Designs, sequences, allocation by minimization, recruitment: what they mean and what is refused."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from validation.small_trials import small_protocol

from remission.errors import SpecError
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_covariates
from remission.protocol.file import parse_protocol, write_protocol
from remission.protocol.record import Protocol
from remission.streams import People
from remission.trial.randomization import minimize
from remission.trial.recruitment import simulate_recruitment
from remission.trial.schedule import build_schedule, session_days
from remission.trial.simulate import simulate_trial

DRUGS = {
    name: {"drug": kind, "infusions": [{"day": 0, "duration_min": 40.0, "dose_mg_per_kg": dose}]}
    for name, kind, dose in (
        ("high", "racemic-ketamine", 0.8),
        ("low", "racemic-ketamine", 0.1),
        ("midazolam", "midazolam", 0.025),
        ("saline", "saline", 0.0),
    )
}
MINIMIZED = {"method": "minimization", "p_best_arm": 1.0, "stratify_by": ["sex", "site"]}


def arm(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "label": name, "factors": {"drug": name}, **fields}


def designed(kind: str, arms: list[dict[str, Any]], **changes: Any) -> Protocol:
    design = {"kind": kind, **({"washout_days": 7} if kind == "crossover" else {})}
    size = sum(item.get("allocation", 1) for item in arms)
    fields = {"drugs": DRUGS, "analyses": [], "randomization": {"block_size": size}, "therapies": {}, **changes}
    return small_protocol(design=fields.pop("design", design), arms=arms, **fields)


def sequence(*drugs: str, starts: tuple[int, ...] = (0, 9, 18), **fields: Any) -> dict[str, Any]:
    periods = [{"start": start, "drug": drug} for start, drug in zip(starts, drugs, strict=False)]
    return arm("-".join(drugs), periods=periods, **fields)


ORDERS = (("high", "low"), ("low", "high"))
AB = [sequence("high", "saline"), sequence("saline", "high")]


def test_every_design_reads_and_writes_itself() -> None:
    """A design that a file cannot say cannot be shared."""
    low_control = designed("dose-ranging", [arm("high", drug="high"), arm("low", drug="low")])
    cells = [
        arm(f"{drug}-{kind}", drug=drug, factors={"drug": drug, "other": kind})
        for drug in ("high", "midazolam")
        for kind in ("yes", "no")
    ]
    minimized = small_protocol(randomization=MINIMIZED, recruitment={"screened_per_day": 0.5, "ramp_days": 60})
    for protocol in (low_control, designed("factorial", cells), designed("crossover", AB), minimized):
        assert parse_protocol(write_protocol(protocol), name="p.yaml") == protocol
        assert Protocol.from_dict(protocol.to_dict()) == protocol
    assert "Design: crossover, washout 7 days." in designed("crossover", AB).explain()
    assert "From day 9" in designed("crossover", AB).explain()
    assert any("outlast a washout" in caution for caution in designed("crossover", AB).cautions())
    assert "minimization of size and sex and site" in minimized.explain()
    assert "0.5 screened per day" in minimized.explain()


def test_all_six_orders_of_three_drugs_are_balanced_for_carryover() -> None:
    """The Williams design of three drugs must not be refused with the cyclic one."""
    arms = [sequence(*order) for order in permutations(("high", "low", "saline"))]
    assert len(designed("crossover", arms).arms) == 6


@pytest.mark.parametrize(
    ("kind", "arms", "changes", "place"),
    [
        ("parallel", [arm("high", drug="high")], {}, "arms"),
        ("factorial", [arm("high", drug="high"), arm("low", drug="low")], {}, "arms[0].factors"),
        (
            "factorial",
            [arm(f"a{x}{y}", factors={"x": x, "y": y}) for x, y in ("11", "21", "22")],
            {},
            "arms",
        ),
        ("dose-ranging", [arm("high", drug="high"), arm("saline", drug="saline")], {}, "arms"),
        ("dose-ranging", [arm("midazolam", drug="midazolam"), arm("saline", drug="saline")], {}, "arms"),
        ("parallel", AB, {}, "arms[0].periods"),
        ("crossover", [arm("high", drug="high"), arm("saline", drug="saline")], {}, "arms[0].periods"),
        ("crossover", [sequence("high", "other"), sequence("other", "high")], {}, "arms[0].periods[1].drug"),
        ("crossover", [AB[0], {**AB[0], "id": "b", "label": "b"}], {}, "arms[1].periods"),
        ("crossover", [sequence("high", "high"), sequence("saline", "high")], {}, "arms[0].periods"),
        ("crossover", [AB[0], sequence("saline", "high", starts=(0, 12))], {}, "arms[1].periods"),
        ("crossover", [sequence(*o, starts=(0, 6)) for o in ORDERS], {}, "arms[0].periods[1].start"),
        ("crossover", [sequence(*o, starts=(0, 40)) for o in ORDERS], {}, "arms[0].periods[1].start"),
        (
            "crossover",
            [sequence("high", "low", "saline"), sequence("low", "saline", "high"), sequence("saline", "high", "low")],
            {},
            "arms",
        ),
        ("crossover", AB, {"design": {"kind": "crossover"}}, "design.washout_days"),
        ("crossover", AB, {"blinding": {"guess_unfelt": 0.3, "guess_felt": 0.9}}, "blinding"),
        ("parallel", AB, {"design": {"kind": "parallel", "washout_days": 3}}, "design.washout_days"),
        ("parallel", [arm("high", drug="high", allocation=0), arm("low", drug="low")], {}, "arms[0].allocation"),
        ("parallel", [arm("high", drug="high", medicine="x"), arm("low", drug="low")], {}, "arms[0].medicine"),
        ("crossover", [sequence("high", "saline", drug="high"), AB[1]], {}, "arms[0].drug"),
    ],
)
def test_a_design_that_its_arms_do_not_make_is_refused(
    kind: str, arms: list[dict[str, Any]], changes: dict[str, Any], place: str
) -> None:
    """The name of a design decides how it is read; a wrong one would mislead every reader of the results."""
    with pytest.raises(SpecError) as caught:
        designed(kind, arms, **{"randomization": {"block_size": 2 if len(arms) == 2 else 12}, **changes})
    assert f"protocol.{place}" in [fault.where for fault in caught.value.faults]


def test_sessions_after_an_infusion_are_refused_in_a_crossover() -> None:
    """The number of an infusion means another drug in another sequence."""
    course = {"kind": "mbrp", "quality": 1.0, "session_min": 90.0, "sessions": [{"infusion": 1}]}
    arms = [{**item, "therapy": "mbrp"} for item in AB]
    with pytest.raises(SpecError, match=r"therapies\.mbrp\.sessions"):
        designed("crossover", arms, therapies={"mbrp": course})


def test_each_sequence_gives_its_drugs_in_its_order() -> None:
    """A crossover is its schedule: the drug of period 2 comes on the first day of period 2."""
    protocol = designed("crossover", AB)
    people = People.of_replicates(seed=2, first=0, count=1, n_subjects=24)
    which = np.arange(24) % 2
    schedule = build_schedule(
        people,
        protocol,
        arm=which,
        covariates=sample_covariates(people, protocol.population),
        pharmacology=load_pharmacology(),
    )
    assert np.all(schedule.infusion_day == np.array([0, 9]))
    assert np.all((schedule.exposure[which == 0] > 0.0) == np.array([True, False]))
    assert np.all((schedule.exposure[which == 1] > 0.0) == np.array([False, True]))


@given(seed=st.integers(min_value=0, max_value=2**32), n_subjects=st.integers(min_value=2, max_value=40))
@settings(max_examples=15)
def test_minimization_keeps_arms_alike(seed: int, n_subjects: int) -> None:
    """When the best arm is always taken, no factor level and no trial is more than two people out of balance."""
    protocol = small_protocol(randomization={**MINIMIZED, "stratify_by": ["sex"]})
    people = People.of_replicates(seed=seed, first=0, count=3, n_subjects=n_subjects)
    female = np.random.default_rng(seed).integers(0, 2, size=(3, n_subjects))
    chosen = minimize(people, protocol, levels=[female])
    for replicate in range(3):
        for group in (np.ones(n_subjects, dtype=bool), female[replicate] == 0, female[replicate] == 1):
            counts = np.bincount(chosen[replicate][group], minlength=2)
            assert abs(int(counts[0]) - int(counts[1])) <= 2


def test_minimization_balances_better_than_chance_and_follows_allocation() -> None:
    """Its purpose; with chance 1/2 of the best arm of two it is a coin."""
    people = People.of_replicates(seed=4, first=0, count=200, n_subjects=30)
    sites = np.random.default_rng(1).integers(0, 5, size=(200, 30))
    spread = {}
    for chance in (0.5, 0.9):
        protocol = small_protocol(
            setting={"n_sites": 5},
            randomization={"method": "minimization", "p_best_arm": chance, "stratify_by": ["site"]},
        )
        chosen = minimize(people, protocol, levels=[sites])
        at_site = (chosen * 2 - 1) * (sites == 0)
        spread[chance] = np.abs(at_site.sum(axis=1)).mean()
    assert spread[0.9] < 0.6 * spread[0.5]
    arms = [item.replace(allocation=share) for item, share in zip(small_protocol().arms, (2, 1), strict=True)]
    unequal = small_protocol(arms=arms, randomization={"method": "minimization", "p_best_arm": 1.0})
    counts = (minimize(people, unequal, levels=[]) == 0).sum(axis=1)
    assert np.all(np.abs(counts - 20) <= 1)


def test_a_minimized_trial_runs_and_more_people_change_no_earlier_arm() -> None:
    """It must go through the same door as blocks."""
    result = simulate_trial(small_protocol(randomization=MINIMIZED), n_replicates=3, seed=1)
    assert result.arms["pda"].n.sum() > 60
    few, more = (People.of_replicates(seed=4, first=0, count=5, n_subjects=n) for n in (10, 14))
    levels = np.zeros((5, 14), dtype=np.int64)
    protocol = small_protocol(randomization=MINIMIZED)
    np.testing.assert_array_equal(
        minimize(few, protocol, levels=[levels[:, :10]]), minimize(more, protocol, levels=[levels])[:, :10]
    )


@pytest.mark.parametrize(
    ("given_fields", "place"),
    [
        ({"method": "minimization"}, "p_best_arm"),
        ({"method": "minimization", "p_best_arm": 0.8, "block_size": 4}, "block_size"),
        ({"method": "permuted-blocks"}, "block_size"),
        ({"block_size": 4, "p_best_arm": 0.8}, "p_best_arm"),
    ],
)
def test_each_method_asks_for_its_own_number(given_fields: dict[str, Any], place: str) -> None:
    """A number that is silently ignored is a number somebody relies on."""
    with pytest.raises(SpecError) as caught:
        small_protocol(randomization=given_fields)
    assert caught.value.faults[0].where == f"protocol.randomization.{place}"


def test_recruitment_takes_the_time_its_rate_says() -> None:
    """240 people at two entries per day after a ramp of 60 days: 150 days on average, within 4 standard errors."""
    population = {**small_protocol().population.to_dict(), "n_subjects": 240}
    plan = {"screened_per_day": 4.0, "ramp_days": 60, "screening_failure": 0.5}
    found = simulate_recruitment(small_protocol(population=population, recruitment=plan), n_replicates=400)
    last = found.entry_day[:, -1]
    assert abs(last.mean() - 150.0) < 4.0 * last.std() / 20.0
    assert np.all(np.diff(found.entry_day, axis=1) > 0.0)
    assert abs(found.n_screened.mean() - 480.0) < 4.0 * found.n_screened.std() / 20.0
    np.testing.assert_allclose(found.duration_day, last + 28.0)
    early = found.entry_day[:, 29]  # 30 entries are due when 2 * t**2 / 120 = 30
    assert abs(early.mean() - np.sqrt(1800.0)) < 1.0
    everyone = simulate_recruitment(small_protocol(recruitment={"screened_per_day": 1.0}), n_replicates=5)
    assert np.all(everyone.n_screened == 24)


def test_recruitment_refuses_what_never_ends() -> None:
    """A trial that nobody enters would run for ever."""
    for plan in ({"screened_per_day": 0.0}, {"screened_per_day": 1.0, "screening_failure": 1.0}):
        with pytest.raises(SpecError):
            small_protocol(recruitment=plan)
    with pytest.raises(SpecError, match="recruitment"):
        simulate_recruitment(small_protocol())
    with pytest.raises(SpecError, match="n_replicates"):
        simulate_recruitment(small_protocol(recruitment={"screened_per_day": 1.0}), n_replicates=0)


def test_preparation_before_an_infusion() -> None:
    """Psychotherapy has a time relative to the infusion on both sides of it; nothing happens before day 0."""
    drugs = {
        name: {"drug": kind, "infusions": [{"day": 5, "duration_min": 40.0, "dose_mg_per_kg": dose}]}
        for name, kind, dose in (("ketamine", "racemic-ketamine", 0.8), ("saline", "saline", 0.0))
    }

    def prepared(offset: int) -> Protocol:
        course = {
            "kind": "motivational",
            "quality": 1.0,
            "session_min": 60.0,
            "sessions": [{"infusion": 1, "offset_days": offset}],
        }
        return small_protocol(drugs=drugs, therapies={"mbrp": course})

    assert "infusion 1 - 5 days" in prepared(-5).explain()
    assert session_days(prepared(-5).therapies["mbrp"], np.array([[5], [5]])).tolist() == [[0], [0]]
    assert simulate_trial(prepared(-1), n_replicates=1, seed=1).arms["pda"].n.sum() > 20
    with pytest.raises(SpecError) as caught:
        prepared(-6)
    assert caught.value.faults[0].where == "protocol.therapies.mbrp.sessions[0].offset_days"
