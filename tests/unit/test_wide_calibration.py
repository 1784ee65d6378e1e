"""The fit that frees the shape of use: its rows, their likelihoods, its two waves; sampling needs the extra."""

import hashlib
import json
import math
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.gaussian_process  # noqa: F401 - the first import sets environment variables
from scipy import special
from scipy.integrate import quad
from scipy.stats import binom, multinomial, multivariate_normal, norm, truncnorm
from validation.realism.statistics import diary_statistics
from validation.wide.accepted import accepted, to_beat
from validation.wide.facts import at_level, nearest_to_mean, people_of
from validation.wide.page import page
from validation.wide.registered import LIBRARY, PAGE, RESULTS
from validation.wide_page import used_s

from remission.calibration import rows_alone
from remission.calibration.emulator import fit_emulator
from remission.calibration.fit import Fit, group_columns, name_of
from remission.calibration.groups import (
    GroupData,
    GroupTargets,
    RowTarget,
    allowed_shapes,
    group_targets,
    row_log,
    simulate_at,
    simulate_group,
    sobol,
)
from remission.calibration.pieces import counted, journal_of, unheard
from remission.calibration.refocus import refocused
from remission.calibration.study import quick_plan
from remission.calibration.wave import from_unit
from remission.errors import SpecError
from remission.facts.measures import COMPUTATIONS, Sample
from remission.facts.scenarios import UNTREATED, Lives
from remission.library.calibration_plan import CalibrationPlan, Group, Row, Wide, load_calibration_plan
from remission.library.facts import load_facts
from remission.library.posteriors import load_posterior, plan_hash
from remission.library.protocols import load_protocol
from remission.library.published import list_trials
from remission.records.parameter import MODEL_FORM
from remission.runs.crew import Crew, crew_of
from remission.runs.journal import Journaled

PLAN = load_calibration_plan("posterior-2026-wide")
assert PLAN.wide is not None, "the plan of this file frees the shape"
WIDE: Wide = PLAN.wide
SHAPE = load_calibration_plan("posterior-2026-shape")
JOINT = load_calibration_plan("posterior-2026-joint")
assert JOINT.wide is not None, "it stands over the plan of this file"
FINER = load_calibration_plan("posterior-2026-finer")
assert FINER.wide is not None, "it stands over that one"
GROUPS = group_targets(PLAN)
COUNT: dict[str, Any] = {
    "id": "a-row", "kind": "count", "record": "smyth_2010_opiate", "compute": "share_with_use",
    "args": {"first": 0, "last": 6}, "events": 72, "n": 109, "unit": "% of people",
    "source_kind": "abstract or registry", "why": "the printed count",
}  # fmt: skip
NUMBER = {**COUNT, "kind": "number", "value": 66.1, "error": 4.0, "events": None}


def test_the_plan_of_trials_alone_kept_its_hash() -> None:
    """A field that a later plan needs must not make the shipped posterior one of an unknown plan."""
    assert load_posterior().plan_hash == plan_hash(load_calibration_plan())
    assert PLAN.over == "posterior-2026"
    assert PLAN.hierarchy == load_calibration_plan().hierarchy
    assert [one.protocol for one in PLAN.trial] == [one.protocol for one in load_calibration_plan().trial]
    assert {one.name for one in PLAN.value} == {one.name for one in load_calibration_plan().value}


def test_rows_are_fit_facts_and_numbers_of_the_registry_and_of_nothing_else() -> None:
    """A check fact that was fitted would no longer check anything, and a press number would be a result."""
    facts = {one.id: one for fact in load_facts().fact for one in fact.measure}
    rows = [row for one in WIDE.group for row in one.rows]
    assert len({row.id for row in rows}) == len(rows) > 20
    for row in rows:
        assert row.source_kind in {"abstract or registry", "diaries"}, row.id
        assert row.fact is None or facts[row.fact].role == "fit", row.id
        assert row.record is None or row.record in list_trials(), row.id
        if row.events is not None and row.fact is not None:
            tolerance = facts[row.fact].tolerance
            assert tolerance is not None, row.id
            assert tolerance.low is not None, row.id
            assert tolerance.high is not None, row.id
            assert tolerance.low <= 100.0 * row.events / (row.n or 0) <= tolerance.high, row.id
    assert {one.substance for one in WIDE.group} >= set(WIDE.fits)
    combine = next(one for one in GROUPS if one.group.id == "combine")
    assert [row.row.read() for row in combine.rows] == [75.1, 79.2, 80.6]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**NUMBER, "unit": None}, "smyth_2010_opiate: a-row.unit"),
        ({**NUMBER, "error": None}, "smyth_2010_opiate: a-row.error"),
        ({**NUMBER, "interval": [70.0, 80.0]}, "smyth_2010_opiate: a-row.interval"),
        ({**NUMBER, "interval": [66.1, 80.0]}, "smyth_2010_opiate: a-row.interval"),
        ({**NUMBER, "value": None}, "smyth_2010_opiate: a-row.value"),
        ({**NUMBER, "source_kind": "press"}, "smyth_2010_opiate: a-row.source_kind"),
        ({**NUMBER, "source_kind": "derived"}, "smyth_2010_opiate: a-row.source_kind"),
        ({**COUNT, "events": 110}, "smyth_2010_opiate: a-row.events"),
        ({**COUNT, "n": None}, "smyth_2010_opiate: a-row.n"),
        ({**COUNT, "unit": None}, "smyth_2010_opiate: a-row.unit"),
        ({**COUNT, "fact": "opioid-lapse.day-7"}, "smyth_2010_opiate: a-row.fact"),
        ({**NUMBER, "kind": "bound"}, "smyth_2010_opiate: a-row.high"),
    ],
)
def test_a_row_that_contradicts_itself_is_named_with_record_and_field(row: dict[str, Any], says: str) -> None:
    """Half a result would enter as a whole one."""
    with pytest.raises(SpecError, match=says):
        Row.from_dict(row)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n": 150, "rows": [{**COUNT, "arm": "a"}, {**COUNT, "id": "b", "arm": "b"}]}, "218 people in arms"),
        ({"rows": [{**COUNT, "compute": None, "fact": "opioid-relapse.day-7"}]}, "a check fact"),
        ({"rows": [{**COUNT, "compute": None, "fact": "opioid-back.month-7"}]}, "no fact"),
        ({"rows": [{**COUNT, "compute": None, "fact": "opioid-lapse.day-7", "unit": "share"}]}, "a-row.unit"),
        ({"rows": [{**COUNT, "compute": None, "fact": "cannabis-lapsed.month-6"}]}, "people of after-clean-cannabis"),
        ({"rows": [{**COUNT, "record": "smith_2010"}]}, "a-row.record"),
        ({"rows": [{**COUNT, "given": "another"}]}, "a-row.given"),
        ({"scenario": "after-clean-tea"}, "dublin.scenario"),
    ],
)
def test_people_whose_rows_do_not_fit_them_are_refused(changes: dict[str, Any], says: str) -> None:
    """More people in the arms than there were, a check fact, a fact of other people: each would pass for data."""
    whole = {
        "id": "dublin", "substance": "opioid", "scenario": "after-clean-opioid", "moves": ["shape"], "rows": [COUNT],
    }  # fmt: skip
    Group.from_dict(whole)
    with pytest.raises(SpecError, match=says):
        Group.from_dict({**whole, **changes})


def _row(kind: str, **changes: Any) -> RowTarget:
    row = next(one for group in GROUPS for one in group.rows if one.row.kind == kind)
    return replace(row, first=0, last=row.last - row.first, **changes)


def _log(row: RowTarget, found: list[float], error: list[float]) -> float:
    return float(row_log(row, np.array(found), np.array(error), xp=np, special=special))


def test_a_count_is_binomial_also_when_the_emulator_errs_and_beside_a_row_of_the_same_people() -> None:
    """Against scipy: closed, integrated over the error, and as the multinomial of what came between."""
    row = _row("count", events=72, n=109)
    assert _log(row, [0.4], [0.0]) == pytest.approx(binom.logpmf(72, 109, special.expit(0.4)))
    whole, _ = quad(lambda x: binom.pmf(72, 109, special.expit(0.4 + 0.2 * x)) * norm.pdf(x), -8, 8)
    assert _log(row, [0.4], [0.2]) == pytest.approx(math.log(whole), abs=2e-3)
    later = replace(row, first=1, last=2, events=87, given=0, given_events=72)
    week, month = 0.62, 0.81
    logits = [special.logit(week), special.logit(month)]
    together = multinomial.logpmf([72, 15, 22], 109, [week, month - week, 1.0 - month])
    assert _log(row, logits, [0.0, 0.0]) + _log(later, logits, [0.0, 0.0]) == pytest.approx(together)
    # A share that can only fall: those who are left of those who were left.
    fewer = replace(row, first=1, last=2, events=50, given=0, given_events=72)
    falling = [special.logit(0.7), special.logit(0.5)]
    assert _log(fewer, falling, [0.0, 0.0]) == pytest.approx(binom.logpmf(50, 72, 0.5 / 0.7))


def test_numbers_bounds_and_diaries_are_what_scipy_says_of_them() -> None:
    """The emulator's variance is added to that of what was read, once."""
    row = _row("number")
    spread = math.hypot(math.sqrt(row.covariance[0, 0]), 0.3)
    assert _log(row, [row.value[0] + 0.1], [0.3]) == pytest.approx(norm.logpdf(0.1, scale=spread))
    read, error = row.row.read(), row.row.error
    assert error is not None
    assert special.expit(row.value[0]) == pytest.approx(read / 100.0)
    # The error on the scale of log odds is that of a small step in percent.
    step = special.logit((read + 0.01) / 100.0) - special.logit(read / 100.0)
    assert math.sqrt(row.covariance[0, 0]) == pytest.approx(error * step / 0.01, rel=1e-3)
    bound = _row("bound", low=-math.inf, high=0.2)
    soft = math.hypot(math.sqrt(bound.covariance[0, 0]), 0.05)
    assert _log(bound, [0.3], [0.05]) == pytest.approx(norm.logcdf((0.2 - 0.3) / soft))
    diary = _row("diaries")
    off, errors = np.linspace(-0.02, 0.02, 10), np.linspace(0.0, 0.01, 10)
    expected = multivariate_normal.logpdf(off, cov=diary.covariance + np.diag(errors**2))
    assert _log(diary, list(diary.value + off), list(errors)) == pytest.approx(expected)
    assert np.linalg.eigvalsh(diary.covariance).min() > 0.0


def test_statistics_of_simulated_diaries_are_those_that_the_real_ones_were_read_by() -> None:
    """Two programs compute them, one for people and one for the model; a difference would be fitted as behavior."""
    scenario = next(one for one in load_facts().scenario if one.id == "stopping-alcohol").replace(days=112)
    lives = Lives(scenario=scenario, n_people=400, seed=9, parameter_set=MODEL_FORM)
    expected = diary_statistics(lives.course(UNTREATED).use[:, 28:].astype(np.float64))
    diary = next(one for one in GROUPS if one.group.id == "alcohol-diaries")
    everybody = Sample(lives, np.ones(400, dtype=np.bool_))
    for what, args, _ in diary.outputs:
        assert COMPUTATIONS[what](everybody, **args) == pytest.approx(expected[args["name"]]), args["name"]


def _group(name: str, people: int = 400) -> GroupTargets:
    return replace(next(one for one in GROUPS if one.group.id == name), people=people)


def _at_center(one: GroupTargets) -> dict[str, float]:
    return {value.name: 0.0 if value.center is None else value.center for value in one.box}


def test_a_level_moves_all_arms_and_naltrexone_its_own() -> None:
    """The same people with the same draws: what differs is what was changed."""
    combine = _group("combine")
    values = _at_center(combine)
    plain, higher, helped = (
        simulate_group(combine, ({**values, **changes}, 5)).mean
        for changes in ({"naltrexone": 0.0}, {"level": 1.0, "naltrexone": 0.0}, {"naltrexone": 1.0})
    )
    assert (higher < plain).all()
    assert helped[2] > plain[2]
    np.testing.assert_array_equal(helped[:2], plain[:2])
    assert simulate_group(combine, ({**values, "c_l": 1.6, "naltrexone": 0.0}, 5)).mean[1] > plain[1]


def test_shapes_that_rows_allow_hold_the_one_that_made_them_and_contradiction_is_said() -> None:
    """A region without the truth would hide it; rows that exclude each other must not pass for a narrow answer."""
    plan = PLAN.replace(wide=WIDE.replace(candidates=512, least=16))
    assert plan.wide is not None
    cohort = _group("cocaine-cohort", people=300)
    units = sobol(96, len(cohort.box), seed=[1])
    points = list(simulate_at(cohort, units, seed=[2], crew=Crew()))
    emulator = fit_emulator(units, points, n_draws=80)
    truth = np.zeros(len(cohort.box))
    values = {one.name: from_unit(one, truth[k : k + 1]).item() for k, one in enumerate(cohort.box)}
    made = simulate_group(replace(cohort, people=4000), (values, 7)).mean

    def told(center: float) -> GroupData:
        row = replace(cohort.rows[0], value=np.array([center]), covariance=np.array([[0.01]]))
        return GroupData(targets=replace(cohort, rows=(row,)), emulator=emulator)

    shapes, limit = allowed_shapes(plan, "cocaine", (told(made[0]),))
    assert limit == WIDE.within
    assert 16 <= len(shapes) <= 512
    assert np.abs(emulator.at(np.vstack([truth, truth]))[0, 0] - made[0]) < 3.0 * math.hypot(0.1, emulator.error[0])
    _, further = allowed_shapes(plan, "cocaine", (told(-9.0), told(9.0)))
    assert further > WIDE.within


def test_made_up_counts_give_back_what_made_them() -> None:
    """Weights of the prior by the same likelihood: the truth lies inside, and the prior has become narrower."""
    cohort = _group("opioid-dublin", people=600)
    truth = {**_at_center(cohort), "onset_per_day": 0.15, "level": 0.0}
    exact = special.expit(simulate_group(replace(cohort, people=6000), (truth, 11)).mean)
    rows: list[RowTarget] = []
    for row, share in zip(cohort.rows, exact, strict=True):
        given = rows[-1].events if rows else 0
        rows.append(replace(row, events=round(2000 * share), n=2000, given_events=given))
    units = sobol(160, len(cohort.box), seed=[4])
    points = list(simulate_at(cohort, units, seed=[5], crew=Crew()))
    emulator = fit_emulator(units, points, n_draws=130, n_learn=80)
    generator = np.random.default_rng(6)
    draws = np.stack(
        [
            np.clip(generator.normal(_center(cohort, k), _sd(cohort, k), 4000), -1.0, 1.0)
            for k in range(len(cohort.box))
        ],
        axis=1,
    )
    logs = np.array([sum(float(row_log(r, found, emulator.error, xp=np, special=special)) for r in rows)
                     for found in emulator.at(draws)])  # fmt: skip
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    for k, share in enumerate(exact):
        found = special.expit(emulator.at(draws)[:, k])
        mean = weights @ found
        assert abs(mean - share) < 0.06
        assert math.sqrt(weights @ (found - mean) ** 2) < 0.5 * found.std()
    onset = cohort.names.index("onset_per_day")
    place = (math.log(0.15) - math.log(cohort.box[onset].low)) * 2.0 / (
        math.log(cohort.box[onset].high) - math.log(cohort.box[onset].low)
    ) - 1.0
    order = np.argsort(draws[:, onset])
    below = weights[order].cumsum()[np.searchsorted(draws[order, onset], place)]
    assert 0.02 < below < 0.98


def test_tempered_draws_are_what_weights_of_the_prior_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ways to the same answer; one that had stopped on its way would be too wide."""
    cohort = replace(_group("cocaine-cohort", people=300), rows=_group("cocaine-cohort").rows)
    units = sobol(96, len(cohort.box), seed=[1])
    emulator = fit_emulator(units, list(simulate_at(cohort, units, seed=[2], crew=Crew())), n_draws=80)
    told = GroupData(targets=cohort, emulator=emulator)
    monkeypatch.setattr(rows_alone, "_STEPS", 4)
    draws = rows_alone.rows_alone(PLAN, "cocaine", (told,), n=500, generator=np.random.default_rng(3))
    found = emulator.at(group_columns(PLAN, told, draws))[:, 0]
    generator = np.random.default_rng(4)
    prior = truncnorm.rvs(*_standard(cohort), size=(6000, len(cohort.box)), random_state=generator)
    outcome = emulator.at(prior * _spreads(cohort) + _centers(cohort))
    weights = np.exp(row_log(cohort.rows[0], outcome, emulator.error, xp=np, special=special))
    weights /= weights.sum()
    mean = weights @ outcome[:, 0]
    spread = math.sqrt(weights @ (outcome[:, 0] - mean) ** 2)
    assert abs(found.mean() - mean) < 0.3 * spread
    assert found.std() == pytest.approx(spread, rel=0.25)


def test_a_third_wave_lies_where_the_rows_put_everything_and_is_kept(tmp_path: Path) -> None:
    """It is narrower than what the second covered, trials have no say in it, and a second start simulates nothing."""
    base = SHAPE.to_dict()
    small: dict[str, Any] = {
        "draws": 48, "judged": 16, "people": 300, "candidates": 256, "least": 32, "fits": ["opioid"],
    }  # fmt: skip
    third = {"draws": 48, "judged": 16, "power": 0.5}
    plan = CalibrationPlan.from_dict({**base, "trial": [], "wide": {**base["wide"], **small, "third": third}})
    heard: list[str] = []
    trials, groups, limits = refocused(plan, (), tmp_path, crew=Crew(), tell=heard.append)
    assert trials == ()
    assert set(limits) == {"opioid"}
    assert [one.targets.group.id for one in groups] == ["opioid-dublin", "opioid-kingdom"]
    for one in groups:
        n_wave = small["draws"] + small["judged"]
        assert one.emulator.base is not None
        second, last = one.emulator.base.points[n_wave:], one.emulator.points
        assert (len(second), len(last)) == (small["draws"], third["draws"])
        assert np.isfinite(one.emulator.error).all()
        level = one.targets.names.index("level")
        assert last[:, level].std() < 0.8 * second[:, level].std()
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sum("-3-" in name for name in kept) == 4
    refocused(plan, (), tmp_path, crew=Crew(), tell=unheard)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_a_fourth_wave_lies_closer_and_takes_more_people_of_diaries(tmp_path: Path) -> None:
    """Its emulator stands beside that of the third; the fit, and so its exact judge, keep the people of the plan."""
    base = FINER.to_dict()
    small: dict[str, Any] = {
        "draws": 48, "judged": 16, "people": 300, "candidates": 256, "least": 32, "fits": ["cannabis"],
        "third": {"draws": 48, "judged": 16, "power": 0.25},
        "fourth": {"draws": 40, "judged": 16, "power": 1.0, "diary_people": 600},
    }  # fmt: skip
    plan = CalibrationPlan.from_dict({**base, "trial": [], "wide": {**base["wide"], **small}})
    asked: list[tuple[str, int]] = []

    class Counting(Crew):
        def submit(self, work: Any, item: Any) -> Any:
            if work.func is simulate_group:
                asked.append((work.args[0].group.id, work.args[0].people))
            return super().submit(work, item)

    _, groups, _ = refocused(plan, (), tmp_path, crew=Counting(), tell=unheard)
    n_first = 2 * 64 + 64
    assert asked.count(("cannabis-diaries", 300)) == n_first
    assert asked.count(("cannabis-diaries", 600)) == 56
    assert asked.count(("cannabis-cohort", 300)) == n_first + 56
    for one in groups:
        assert one.targets.people == 300
        third = one.emulator.base
        assert third is not None
        assert third.base is not None
        level = one.targets.names.index("level")
        assert one.emulator.points[:, level].std() < third.points[:, level].std()


def test_the_plan_that_is_run_changes_no_judge_no_prior_and_no_row() -> None:
    """What was registered as better is held to what was registered; noise and grain alone may be mended."""
    before, after = PLAN.to_dict(), SHAPE.to_dict()
    assert {name for name in after if after[name] != before.get(name)} == {"id", "over", "shares", "wide"}
    moved = {name for name in after["wide"] if after["wide"][name] != before["wide"].get(name)}
    assert moved == {"people", "third"}


def test_errors_together_come_with_the_same_rows_priors_and_trials() -> None:
    """A plan that also chose other rows could be better by its rows; reasons for what is out are added to, not lost."""
    before, after = SHAPE.to_dict(), JOINT.to_dict()
    assert {name for name in after if after[name] != before.get(name)} == {"id", "over", "wide"}
    moved = {name for name in after["wide"] if after["wide"][name] != before["wide"].get(name)}
    assert moved == {"fits", "errors", "third", "facts_at", "accepted", "left_out"}
    assert set(after["wide"]["fits"]) == {one["substance"] for one in after["wide"]["group"]}
    assert after["wide"]["left_out"].items() >= before["wide"]["left_out"].items()
    assert "errors" not in before["wide"]
    assert "facts_at" not in before["wide"]


def test_the_finer_plan_changes_computation_alone() -> None:
    """A second try that also moved a prior, a row or a bound would be tuned; chains of the plans before stay theirs."""
    before, after = JOINT.to_dict(), FINER.to_dict()
    assert {name for name in after if after[name] != before.get(name)} == {"id", "over", "wide"}
    moved = {name for name in after["wide"] if after["wide"][name] != before["wide"].get(name)}
    assert moved == {"fourth", "chains"}
    assert JOINT.wide is not None
    assert (JOINT.wide.chains.number, JOINT.wide.chains.warmup, JOINT.wide.chains.draws) == (4, 400, 700)


def test_a_fact_is_computed_of_the_people_that_it_was_read_of() -> None:
    """Level 0 is nobody's: smokers are at theirs, a record's people at theirs, strangers stay where the set is."""
    known = load_facts()
    scenarios = {one.id: one for one in known.scenario}
    measures = {m.id: m for fact in known.fact for m in fact.measure}
    expected = {
        "self-quit-smokers.day-30": "level.smokers",  # its row
        "opioid-relapse.day-7": "level.opioid-dublin",  # a check fact of the same record
        "naltrexone-with-therapy": "level.combine",
        "hazard-ratio-late.cannabis": "level.cannabis-diaries",
        "diary-lag-1.opioid": "",  # diaries of people who are no row
        "kare-days": "level.kare",  # a trial, run again
        "log-logistic.alcohol": "",  # other studies
    }
    for name, people in expected.items():
        assert people_of(JOINT, measures[name], scenarios[measures[name].args["scenario"]]) == people, name


def test_the_level_of_a_fact_is_that_of_its_group() -> None:
    """Written into values it must move the same people as the level of a group does, or rows and facts would differ."""
    scenario = next(one for one in load_facts().scenario if one.id == "after-clean-opioid")
    values = {"l1": -1.0, "onset_per_day": 0.05}
    moved = Lives(scenario=scenario, n_people=2, seed=1, parameter_set=MODEL_FORM,
                  values=at_level(scenario, values, 0.7))  # fmt: skip
    group = Lives(scenario=scenario, n_people=2, seed=1, parameter_set=MODEL_FORM, values=values, level=0.7)
    assert moved.parameters == group.parameters
    assert at_level(scenario, values, 0.0) == values


def test_the_draw_nearest_to_the_mean_keeps_what_is_known_in_sums_only() -> None:
    """One value at a time the middle of a crescent is no draw; the nearest is one, and it is not at an end."""
    generator = np.random.default_rng(8)
    level = generator.normal(size=2000)
    onset = np.exp(-0.9 * level + 0.1 * generator.normal(size=2000))
    chosen = nearest_to_mean([onset, level])
    assert abs(np.log(onset[chosen]) + 0.9 * level[chosen]) < 0.1
    assert abs(level[chosen]) < 0.3


def test_the_page_of_the_wide_fit_is_made_of_its_results() -> None:
    """A number on a page that no file holds could be anything, and what was not made must not read as met."""
    found = json.loads(RESULTS.read_text("utf-8"))
    plan = load_calibration_plan(found["plan"])
    assert found["plan_hash"] == plan_hash(plan)
    assert page(plan, found) == PAGE.read_text("utf-8")
    judged = accepted(found)
    # The first that was registered is told as two: how it was sampled, and the exact simulator.
    assert len(judged) == len(WIDE.accepted) + 1
    assert found["plan"] in {SHAPE.id, JOINT.id, FINER.id}
    assert max(to_beat().values()) >= to_beat()["posterior-2026"]
    is_shipped = (LIBRARY / f"{plan.id}.json").is_file()
    assert is_shipped == all(row["met"] for row in judged)
    assert not any(row["met"] for row in judged if row["got"] == "not made yet")


def test_a_part_of_the_work_is_charged_for_those_who_worked_beside_it() -> None:
    """The system counts a process when it has ended: asked too early, its time went to the part that came next."""
    work = partial(hashlib.pbkdf2_hmac, "sha256", b"work", b"beside")
    began = time.process_time()
    work(1_000_000)
    alone, before = time.process_time() - began, used_s()
    with crew_of(2) as crew:
        list(crew.in_order(work, [1_000_000, 1_000_000]))
    assert used_s() - before > 1.8 * alone


def _centers(one: GroupTargets) -> np.ndarray:
    return np.array([_center(one, place) for place in range(len(one.box))])


def _spreads(one: GroupTargets) -> np.ndarray:
    return np.array([_sd(one, place) for place in range(len(one.box))])


def _standard(one: GroupTargets) -> tuple[np.ndarray, np.ndarray]:
    return (-1.0 - _centers(one)) / _spreads(one), (1.0 - _centers(one)) / _spreads(one)


def _center(one: GroupTargets, place: int) -> float:
    value = one.box[place]
    low, high, center = value.low, value.high, value.center
    assert center is not None
    if value.scale == "log":
        low, high, center = math.log(low), math.log(high), math.log(center)
    return 2.0 * (center - low) / (high - low) - 1.0


def _sd(one: GroupTargets, place: int) -> float:
    value = one.box[place]
    assert value.sd is not None
    width = math.log(value.high / value.low) if value.scale == "log" else value.high - value.low
    return 2.0 * value.sd / width


def test_the_quick_profile_asks_for_less_of_everything() -> None:
    """Its groups as well as its trials: otherwise a try would take as long as the work."""
    less = quick_plan(PLAN)
    assert less.wide is not None
    assert less.wide.draws < WIDE.draws
    assert less.wide.people < WIDE.people
    assert plan_hash(less) != plan_hash(PLAN)
    assert less.wide.third is None
    third, whole = quick_plan(SHAPE).to_dict()["wide"]["third"], SHAPE.to_dict()["wide"]["third"]
    assert third["draws"] < whole["draws"]
    assert third["power"] == whole["power"]
    fourth, whole = quick_plan(FINER).to_dict()["wide"]["fourth"], FINER.to_dict()["wide"]["fourth"]
    assert all(fourth[name] < whole[name] for name in ("draws", "judged", "diary_people"))


def test_pieces_are_counted_with_the_time_that_is_left() -> None:
    """A fit of an hour that says nothing looks like one that hangs."""
    heard: list[str] = []
    assert list(counted(iter("abcd"), 4, heard.append, every=2)) == list("abcd")
    assert heard[-1] == "point 4 of 4"


def test_kept_pieces_are_no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes from the disk at once would promise that the rest is done in no time."""
    heard: list[str] = []
    clock = iter([0.0, 0.0, 60.0, 120.0])
    monkeypatch.setattr("remission.calibration.pieces.time.monotonic", lambda: next(clock))
    assert len(list(counted(iter("abcdef"), 6, heard.append, every=2))) == 6
    assert heard == ["point 2 of 6, 1 s left", "point 4 of 6, 60 s left", "point 6 of 6"]


def test_a_fit_of_made_up_data_finds_its_values_by_sampling(tmp_path: Path) -> None:
    """The whole quick profile over one substance, without trials: where the extra ``calibrate`` is installed."""
    pytest.importorskip("numpyro")
    from remission.calibration.fit import fit_by_chain, fit_posterior

    plan = quick_plan(PLAN.replace(trial=PLAN.trial[:1]))
    fits = CalibrationPlan.from_dict({**plan.to_dict(), "wide": {**plan.to_dict()["wide"], "fits": ["opioid"]}})
    cohort = _group("opioid-dublin", people=600)
    truth = {**_at_center(cohort), "onset_per_day": 0.15}
    exact = special.expit(simulate_group(replace(cohort, people=6000), (truth, 11)).mean)
    events = [round(2000 * share) for share in exact]
    rows = tuple(
        replace(row, events=count, n=2000, given_events=before)
        for row, count, before in zip(cohort.rows, events, [0, *events], strict=False)
    )
    units = sobol(96, len(cohort.box), seed=[4])
    emulator = fit_emulator(units, list(simulate_at(cohort, units, seed=[5], crew=Crew())), n_draws=80)
    group = GroupData(targets=replace(cohort, rows=rows), emulator=emulator)
    fit = fit_posterior(fits.replace(trial=()), (), groups=(group,), n_chains=2, n_warmup=200, n_draws=200)
    low, high = np.quantile(fit.draws[name_of(fits, group, "onset_per_day")], [0.01, 0.99])
    assert low < 0.15 < high
    found = special.expit(emulator.at(group_columns(fits, group, fit.draws)))
    np.testing.assert_allclose(found.mean(axis=0), exact, atol=0.06)

    # Chain by chain, kept: the same answer within chance, and the second start only reads.
    heard: list[str] = []

    def apart() -> Fit:
        with closing(journal_of(fits, tmp_path, "chains", dict)) as journal:
            return fit_by_chain(
                fits.replace(trial=()), (), groups=(group,), n_chains=2, n_warmup=200, n_draws=200,
                tell=lambda chain, text: heard.append(f"{chain}: {text}"), crew=Journaled(Crew(), journal),
            )  # fmt: skip

    kept = apart()
    again = special.expit(emulator.at(group_columns(fits, group, kept.draws)))
    np.testing.assert_allclose(again.mean(axis=0), exact, atol=0.06)
    assert not np.array_equal(kept.draws["mean"][:200], kept.draws["mean"][200:])
    assert np.array_equal(apart().draws["mean"], kept.draws["mean"])
    assert {one[:8] for one in heard if "400 of 400" in one} == {"0: step ", "1: step "}
    assert kept.worst.split(".")[0] in {name.split(".")[0] for name in kept.draws}


def test_every_trial_of_the_plan_is_a_protocol_and_the_null_of_kare_is_in() -> None:
    """A null that is left out is how a field looks better than it is."""
    assert [load_protocol(one.protocol).id for one in PLAN.trial] == [one.protocol for one in PLAN.trial]
    assert [one.says for one in PLAN.trial[0].verdicts] == ["no difference"]
