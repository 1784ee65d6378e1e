"""The computations of the registered facts, each held to a second one or to an exact limit, and their verdicts."""

import copy
import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import fisk
from source_tree import ROOT
from validation.realism.statistics import diary_statistics

import remission as rm
from remission.cli.app import run_app
from remission.errors import LibraryError, SpecError
from remission.facts import validate as validating
from remission.facts.measures import COMPUTATIONS, Sample
from remission.facts.scenarios import UNTREATED, Lives
from remission.facts.validate import interval_text, tolerance_text, validate, verdict_of
from remission.library.facts import Measure, Rerun, Tolerance, load_facts, read_facts
from remission.patient.course import Course
from remission.patient.kernels import reference
from remission.patient.pharmacology import load_pharmacology
from remission.trial.batch import simulate_batch

N, DAYS = 40, 60


@dataclass
class FakeLives:
    """Courses that were made up, so that every number can be counted by hand."""

    courses: dict[str, Any]
    told: Any = None
    scenario: Any = field(default_factory=lambda: SimpleNamespace(days=DAYS))

    def course(self, arm: str, *, states_until: int | None = None) -> Any:
        found = self.courses[arm]
        return SimpleNamespace(
            use=found.use, vas=found.vas, states={k: v[:, :states_until] for k, v in found.states.items()}
        )

    def reports(self, arm: str, first: int, last: int) -> Any:
        return self.told[:, first : last + 1]


def made_up(seed: int = 1) -> FakeLives:
    """Three arms of random days in which a use day makes another more likely."""
    rng = np.random.default_rng(seed)
    courses = {}
    for number, arm in enumerate((UNTREATED, "a", "b", "c")):
        level = rng.uniform(0.02, 0.4 + 0.1 * number, size=(N, 1))
        use = np.zeros((N, DAYS), dtype=np.int8)
        for day in range(1, DAYS):
            use[:, day] = rng.uniform(size=N) < level[:, 0] + 0.3 * use[:, day - 1]
        states = {name: rng.normal(size=(N, DAYS)) + 0.5 * use for name in "NRxz"}
        courses[arm] = SimpleNamespace(use=use, vas=rng.uniform(10, 90, size=(N, DAYS)), states=states)
    return FakeLives(courses, told=rng.normal(50, 20, size=(N, DAYS)))


LIVES = made_up()
CHOSEN = np.arange(N) % 7 != 0
PEOPLE = np.flatnonzero(CHOSEN)


def days_of(arm: str = UNTREATED) -> Any:
    return LIVES.courses[arm].use[CHOSEN].astype(int)


def clean(arm: str, first: int, last: int) -> float:
    total = [1.0 - LIVES.courses[arm].use[i, d] for i in PEOPLE for d in range(first, last + 1)]
    return 100.0 * sum(total) / len(total)


def mean_of(state: str, arm: str = UNTREATED) -> Any:
    return np.array([np.mean([LIVES.courses[arm].states[state][i, d] for i in PEOPLE]) for d in range(DAYS)])


def vas_of(arm: str, day: int) -> float:
    return float(np.mean([LIVES.courses[arm].vas[i, day] for i in PEOPLE]))


def met(days: Any, use_days: int, within: int) -> int:
    """First day on which the last ``within`` days have so many use days; a large number if never."""
    for day in range(len(days)):
        if sum(days[max(0, day - within + 1) : day + 1]) >= use_days:
            return day
    return 10_000


def hazard(first: int, last: int) -> float:
    events = at_risk = 0
    for days in days_of():
        for day in range(first, last + 1):
            if not days[:day].any():
                at_risk += 1
                events += int(days[day])
    return events / at_risk


def stay_gap() -> float:
    pairs = []
    for days in days_of():
        kinds = [int(s > 0) + int(s >= 14) for s in (days[0:28].sum(), days[28:56].sum())]
        pairs += [(kinds[0], kinds[1])]
    stays = [np.mean([b == kind for a, b in pairs if a == kind]) for kind in range(3)]
    return float(min(stays[0], stays[2]) - stays[1])


def mantel_haenszel() -> float:
    above = below = 0.0
    for days in days_of():
        table = {(e, o): 0 for e in (0, 1) for o in (0, 1)}
        for day in range(2, 49):
            if not days[day - 2 : day].any():
                table[int(days[day]), int(days[day + 1])] += 1
        n1, n0 = table[1, 0] + table[1, 1], table[0, 0] + table[0, 1]
        if n1 + n0:
            above += table[1, 1] * n0 / (n1 + n0)
            below += table[0, 1] * n1 / (n1 + n0)
    return above / below


def dummies_regressed() -> float:
    """An ordinary logistic regression with a column for each person."""
    y, x, who = [], [], []
    for row, i in enumerate(PEOPLE):
        use, told = LIVES.courses[UNTREATED].use[i, 5:50], LIVES.told[i, 5:50]
        if 0 < use[1:].mean() < 1:
            y += list(use[1:])
            x += list(((told - told.mean()) / told.std(ddof=1))[:-1])
            who += [row] * 44
    columns = (np.array(who)[:, None] == np.unique(who)).astype(float)
    fit = sm.GLM(np.array(y), np.column_stack([x, columns]), family=sm.families.Binomial()).fit(tol=1e-12)
    return float(np.exp(fit.params[0]))


def mediated() -> float:
    """Least squares with a column for each person."""
    course = LIVES.courses[UNTREATED]
    y = course.use[PEOPLE, 6:51].ravel().astype(float)
    x, z = (course.states[name][PEOPLE, 5:50].ravel() for name in "xz")
    columns = np.repeat(np.eye(len(PEOPLE)), 45, axis=0)
    alone = np.linalg.lstsq(np.column_stack([x, columns]), y, rcond=None)[0][0]
    beside = np.linalg.lstsq(np.column_stack([x, z, columns]), y, rcond=None)[0][0]
    return float(1 - beside / alone)


def relapse_of_lapsers() -> float:
    found = []
    for days in days_of():
        used = np.flatnonzero(days)
        if used.size and used[0] <= 20:
            found.append(met(days, 4, 7) <= used[0] + 20)
    return 100.0 * float(np.mean(found))


def odds(arm: str) -> float:
    share = clean(arm, 3, 40) / 100
    return share / (1 - share)


N_NOW, N_A = mean_of("N"), mean_of("N", "a")
SECOND: list[tuple[str, dict[str, Any], Any]] = [
    ("share_with_use", {"first": 4, "last": 9}, 100 * np.mean([d[4:10].max() for d in days_of()])),
    ("share_without_use", {"first": 4, "last": 9}, 100 * np.mean([1 - d[4:10].max() for d in days_of()])),
    (
        "share_using_often",
        {"first": 4, "last": 30, "least": 9},
        100 * np.mean([sum(d[4:31]) >= 9 for d in days_of()]),
    ),
    ("share_relapsed", {"last": 20, "run": 3}, 100 * np.mean([met(d, 3, 3) <= 20 for d in days_of()])),
    (
        "share_not_heavy",
        {"last": 20, "use_days": 4, "within": 7},
        100 * np.mean([met(d[:21], 4, 7) > 20 for d in days_of()]),
    ),
    ("share_of_lapsers", {"last": 20, "after": 20, "use_days": 4, "within": 7}, relapse_of_lapsers()),
    ("days_abstinent", {"first": 3, "last": 40, "arm": "a"}, clean("a", 3, 40)),
    (
        "days_difference",
        {"first": 3, "last": 40, "arm": "a", "control": "b"},
        clean("a", 3, 40) - clean("b", 3, 40),
    ),
    (
        "difference_ratio",
        {"late": [30, 40], "early": [3, 20], "arm": "a", "control": "b"},
        (clean("a", 30, 40) - clean("b", 30, 40)) / (clean("a", 3, 20) - clean("b", 3, 20)),
    ),
    (
        "gain_share",
        {"first": 3, "last": 40, "arm": "a", "full": "b", "control": "c"},
        (clean("a", 3, 40) - clean("c", 3, 40)) / (clean("b", 3, 40) - clean("c", 3, 40)),
    ),
    (
        "interaction",
        {"first": 3, "last": 40, "both": "a", "one": "b", "other": "c", "neither": UNTREATED},
        clean("a", 3, 40) - clean("b", 3, 40) - clean("c", 3, 40) + clean(UNTREATED, 3, 40),
    ),
    ("odds_of_clean_day", {"first": 3, "last": 40, "arm": "a", "control": "b"}, odds("a") / odds("b")),
    ("hazard_ratio_late", {"early": [0, 3], "late": [5, 14]}, hazard(5, 14) / hazard(0, 3)),
    ("stay_gap", {"first": 0, "last": 55}, stay_gap()),
    ("lapse_ratio_observed", {"first": 0, "last": 49, "clean": 2}, mantel_haenszel()),
    ("craving_odds_ratio", {"first": 5, "last": 49}, dummies_regressed()),
    ("share_through_craving", {"first": 5, "last": 50}, mediated()),
    ("state_peak_day", {"state": "N"}, float(np.argmax(N_NOW))),
    ("state_left", {"state": "N", "day": 28}, (N_NOW[28] - N_NOW[0]) / (max(N_NOW) - N_NOW[0])),
    ("state_rise", {"state": "N", "last": 27}, (max(N_NOW) - N_NOW[0]) / (N_NOW[0] - N_NOW[27])),
    ("state_remaining", {"state": "N", "day": 10, "end": 50}, (N_NOW[10] - N_NOW[50]) / (max(N_NOW) - N_NOW[50])),
    (
        "deficit_recovered",
        {"state": "R", "day": 30},
        (mean_of("R")[30] - mean_of("R")[0]) / (1 - mean_of("R")[0]),
    ),
    ("vas_share", {"day": 35}, vas_of(UNTREATED, 35) / vas_of(UNTREATED, 0)),
    ("vas_difference", {"day": 35, "arm": "a", "control": "b"}, vas_of("a", 35) - vas_of("b", 35)),
    ("effect_peak_day", {"what": "N", "arm": "a", "control": UNTREATED}, float(np.argmin(N_A - N_NOW))),
    (
        "effect_left",
        {"what": "vas", "arm": "a", "control": "b", "day": 7, "of": 1},
        (vas_of("a", 7) - vas_of("b", 7)) / (vas_of("a", 1) - vas_of("b", 1)),
    ),
]
STATISTICS = diary_statistics(days_of()[:, 2:50].astype(float))
SECOND += [
    ("diary_statistic", {"name": name, "first": 2, "last": 49}, STATISTICS[name])
    for name in ("lag_1", "lag_7", "sd_between", "use_run_mean", "after_use")
]
ELSEWHERE = {"log_logistic_advantage", "lapse_ratio_set"}
"""Held to an exact limit below."""


@pytest.mark.parametrize(("name", "args", "expected"), SECOND, ids=[f"{k}-{row[0]}" for k, row in enumerate(SECOND)])
def test_each_computation_equals_a_second_one(name: str, args: dict[str, Any], expected: float) -> None:
    """A definition computed wrongly would judge every later model by a wrong number."""
    found = COMPUTATIONS[name](Sample(LIVES, CHOSEN), **args)  # type: ignore[arg-type]
    assert found == pytest.approx(float(expected), rel=1e-6)


def test_no_computation_is_left_out() -> None:
    """One that was never computed a second time is the one with the slip."""
    assert {name for name, _, _ in SECOND} | ELSEWHERE == set(COMPUTATIONS)


def test_the_log_logistic_is_told_from_the_exponential() -> None:
    """Days drawn from each: the sign says which; by a large margin, as 2,000 people tell."""
    rng = np.random.default_rng(3)
    for draws, sign in ((fisk(0.8).rvs(2000, random_state=rng) * 20, -1), (rng.exponential(40, size=2000), 1)):
        use = np.arange(200)[None, :] >= np.floor(draws)[:, None]
        lives = FakeLives({UNTREATED: SimpleNamespace(use=use, vas=use, states={})}, scenario=SimpleNamespace(days=200))
        sample = Sample(lives, np.ones(2000, dtype=bool))  # type: ignore[arg-type]
        assert sign * COMPUTATIONS["log_logistic_advantage"](sample, days=180) > 5.0


def small(name: str, n_people: int = 200, **changes: Any) -> Lives:
    """People of a registered scenario, few of them."""
    (scenario,) = [one for one in load_facts().scenario if one.id == name]
    return Lives(scenario.replace(**changes), n_people, 5, "model-form-2026")


def test_a_lapse_that_moves_nothing_multiplies_by_one() -> None:
    """The exact limit: where no state reaches use, do(lapse) and do(clean) give the same next day for everybody."""
    lives = small("stopping-opioid")
    assert COMPUTATIONS["lapse_ratio_set"](Sample(lives, np.ones(200, dtype=bool)), days=[14], clean=3) != 1.0
    none = dict.fromkeys(("beta_c", "use_effect", "c_l", "w_m", "k_a", "wk", "kappa"), 0.0)
    lives = small("stopping-opioid")
    lives.__dict__["parameters"] = lives.parameters.replace(**none)
    assert COMPUTATIONS["lapse_ratio_set"](Sample(lives, np.ones(200, dtype=bool)), days=[14], clean=3) == 1.0


def test_next_days_are_those_of_the_people_themselves() -> None:
    """Who is clean on the day anyway has the next day of the course as it came, and a lapse is set for those alone."""
    lives = small("stopping-nicotine", 3000)
    eligible, lapsed, kept_clean = lives.next_day(UNTREATED, 7, 7)
    use = lives.course(UNTREATED).use
    came_clean, came_lapsed = eligible & (use[:, 7] == 0), eligible & (use[:, 7] == 1)
    assert came_clean.any()
    assert came_lapsed.any()
    assert (kept_clean[came_clean] == use[came_clean, 8]).all()
    assert (lapsed[came_lapsed] == use[came_lapsed, 8]).all()
    assert not lapsed[~eligible].any()


def test_setting_what_happens_anyway_changes_nothing() -> None:
    """An intervention that sets what would have been is no intervention, bit for bit; a set day moves no day before."""
    lives = small("one-infusion-cocaine", 60)
    traits, schedule = lives._under("ketamine")

    def live(set_use: Any = None) -> Course:
        people, values = lives.people, lives.parameters
        return reference.simulate_course(people, traits, schedule, values, record_states=True, set_use=set_use)

    came = live()
    same = live(set_use=came.use.astype(np.int64))
    untouched = live(set_use=np.full(came.use.shape, -1))
    for other in (same, untouched):
        assert all(np.array_equal(came.states[name], other.states[name]) for name in came.states)
        assert np.array_equal(came.use, other.use)
        assert np.array_equal(came.vas, other.vas)
        assert np.array_equal(came.amount, other.amount)
    chosen = np.full(came.use.shape, -1)
    chosen[:, 10] = 1 - came.use[:, 10]
    other = live(set_use=chosen)
    assert (other.use[:, 10] != came.use[:, 10]).all()
    assert np.array_equal(other.use[:, :10], came.use[:, :10])
    assert np.array_equal(other.vas[:, :11], came.vas[:, :11])
    assert not np.array_equal(other.vas[:, 11:], came.vas[:, 11:])


@pytest.mark.parametrize("name", ["one-infusion-alcohol", "combine", "stopping-nicotine", "after-clean-opioid"])
def test_a_scenario_is_what_a_trial_of_its_protocol_would_be(name: str) -> None:
    """Facts and trials must be of the same people under one treatment: the trial's own path gives the same days."""
    lives = small(name, 80, days=120)
    protocol = lives.protocol.replace(
        population=lives.protocol.population.replace(n_subjects=80),
        setting=lives.protocol.setting.replace(retention="complete"),
    )
    for index, arm in enumerate(protocol.arms):
        batch = simulate_batch(
            protocol, under=index, without=(), seed=5, first_replicate=0, n_replicates=1,
            parameters=lives.parameters, pharmacology=load_pharmacology(),
        )  # fmt: skip
        assert np.array_equal(batch.course.use, lives.course(arm.id).use)
        assert np.array_equal(batch.course.vas, lives.course(arm.id).vas)


def test_nobody_uses_where_nobody_can() -> None:
    """Abstinence itself is what closed scenarios are for."""
    assert not small("closed-cannabis", days=20).course(UNTREATED).use.any()


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The registered list with another tolerance, source or computation of one measure."""

    def change(measure: str, **changes: Any) -> None:
        content = copy.deepcopy(load_facts().to_dict())
        for fact in content["fact"]:
            for one in fact["measure"]:
                if one["id"] == measure:
                    one.update(changes)
        monkeypatch.setattr(validating, "load_facts", lambda: read_facts(content, name="facts.toml"))

    return change


MEASURE = "self-quit-smokers.day-30"


def test_a_verdict_follows_its_tolerance(moved: Any) -> None:
    """A verdict that does not flip when its tolerance is moved away judges nothing."""
    (row,) = validate(fact=MEASURE, quick=True).rows
    assert row.value is not None
    assert row.low is not None
    assert row.high is not None
    assert row.low < row.value < row.high
    for low, high, verdict in (
        (row.low, row.high, "inside"),
        (row.high + 0.1, row.high + 9, "outside"),
        (row.low - 9, row.low - 0.1, "outside"),
        (row.value, row.high + 1, "not decided"),
        (None, row.low - 0.1, "outside"),
        (row.low, None, "inside"),
    ):
        moved(MEASURE, tolerance={"low": low, "high": high})
        found = validate(fact=MEASURE, quick=True)
        assert found.rows[0].verdict == verdict
        assert found.counts["fit"][verdict] == 1
        assert sum(found.counts["check"].values()) == 0


def test_what_cannot_score_does_not(moved: Any) -> None:
    """Press, an assumption, or a course that only stands in must not add to any count."""
    for changes, verdict in (
        ({"read_as": "press"}, "inside"),
        ({"not_computable": "there is no such person"}, "not computable"),
        ({"tolerance": None}, "no tolerance"),
    ):
        moved(MEASURE, **{"tolerance": {"low": 0.0, "high": 100.0}, **changes})
        found = validate(fact=MEASURE, quick=True)
        assert found.rows[0].verdict == verdict
        assert found.rows[0].reason
        assert found.rows[0].value is not None
        assert not any(number for counts in found.counts.values() for number in counts.values())


def test_a_value_that_does_not_exist_is_not_inside() -> None:
    """Not a number compares false with every limit, in either direction."""
    assert verdict_of(Tolerance(low=0.0), float("nan"), 0.0, 1.0) == "not computable"


@pytest.mark.parametrize(
    "changes",
    [
        {"compute": "share_without_us"},
        {"args": {"scenario": "stopping-nicotine", "first": 0}},
        {"args": {"scenario": "stopping-nicotine", "first": 0, "last": 9, "arm": "nobody"}},
        {"args": {"scenario": "stopping-nicotine", "first": 0, "last": 365}},
    ],
)
def test_a_computation_that_is_none_is_named(moved: Any, changes: dict[str, Any]) -> None:
    """A slip in the file must not end in a traceback, and says which measure it is in."""
    moved(MEASURE, **changes)
    with pytest.raises(LibraryError, match=MEASURE):
        validate(fact=MEASURE, quick=True)


def test_every_registered_computation_exists_with_its_arguments() -> None:
    """Before anybody waits a minute for the one at the end of the list."""
    facts = load_facts()
    trials = {one.id for one in facts.scenario if one.trial}
    measures: list[Measure | Rerun] = [*facts.rerun, *(one for fact in facts.fact for one in fact.measure)]
    for measure in measures:
        args = dict(measure.args)
        if args.pop("scenario", None) in trials or measure.compute == "none":
            continue
        inspect.signature(COMPUTATIONS[measure.compute]).bind(None, **args)


def test_the_command_the_door_and_the_json_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Three ways to one record."""
    found = rm.validate(fact=MEASURE, quick=True)
    assert run_app(["validate", "--fact", MEASURE, "--quick", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(found.to_json())
    assert run_app(["validate", "--fact", MEASURE, "--quick"]) == 0
    page = capsys.readouterr().out
    assert f"{MEASURE}: {found.rows[0].verdict}, fit" in page
    assert f"{interval_text(found.rows[0])} % of people; reached if 14 to 24" in page
    assert found.to_frame().verdict.tolist() == [found.rows[0].verdict]


@pytest.mark.parametrize("given", ["self-quit", "", "7"])
def test_an_unknown_fact_is_wrong_input(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a place, never an empty table."""
    assert run_app(["validate", "--fact", given]) == 2
    assert capsys.readouterr().err.startswith("remission: ")
    with pytest.raises(SpecError):
        rm.validate(fact=given)


PAGE: Path = ROOT / "docs" / "validation" / "facts.md"


def test_the_page_is_of_this_list_and_of_these_numbers() -> None:
    """A page of an older list, or of an older model, would report what nobody computes any more."""
    text = PAGE.read_text("utf-8")
    facts = load_facts()
    assert f"`{facts.content_hash[:16]}`" in text
    for fact in facts.fact:
        for measure in fact.measure:
            assert text.count(f"\n| `{measure.id}` |") == 1
    for row in validate(fact="self-quit-smokers").rows:
        line = next(line for line in text.splitlines() if line.startswith(f"| `{row.id}` |"))
        assert f"| {tolerance_text(row.tolerance)} |" in line
        assert f"| {interval_text(row)} | {row.verdict} |" in line
