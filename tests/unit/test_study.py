"""The analysis of somebody's own trial: what is read, what is refused, and whether the numbers are right."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from validation.plan_page import PAGE, SCHEMA, page_text
from validation.small_trials import small_protocol

import remission as rm
from remission.analyses.estimate import Status
from remission.analyses.mmrm import fit_visits
from remission.cli.app import run_app
from remission.errors import SpecError
from remission.exchange.study_guess import guess_plan
from remission.exchange.study_plan import parse_study_plan, study_plan_schema_text
from remission.exchange.study_tables import read_study
from remission.records.analysis_methods import METHODS
from remission.records.study_plan import PlannedAnalysis, StudyPlan
from remission.study import gate
from remission.study.analyze import analyze_study

SIDES = {"treatment": "ketamine", "control": "placebo"}
ARMS = [{"id": "ketamine", "label": "Ketamine"}, {"id": "placebo", "label": "Placebo"}]


@pytest.fixture(autouse=True, scope="module")
def _every_form_is_offered() -> Iterator[None]:
    """Methods are tried here whatever their second programs say, so that they can be mended; the gate has its tests."""
    policy, table = gate._table()
    offered = {name: one.replace(state="pending") if one.state == "differs" else one for name, one in table.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_table", lambda: (policy, offered))
        yield


def analysis(endpoint: str, method: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "label": "A",
        "endpoint": endpoint,
        "method": method,
        "contrast": SIDES,
        "role": "primary",
        **more,
    }


def plan_of(*analyses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A plan of a table with a row a person."""
    return {
        "id": "x",
        "title": "X",
        "data": {"layout": "people", "person": "id", "arm": "arm", **more.pop("data", {})},
        "arms": ARMS,
        "covariates": [
            {"id": "age", "column": "age", "kind": "number"},
            {"id": "site", "column": "site", "kind": "category"},
        ],
        "measures": [
            {"id": "score", "label": "Score", "column": "score", "measure": "mean", "better": "lower"},
            {"id": "before", "label": "Before", "column": "before", "measure": "mean", "better": "lower"},
            {"id": "relapse", "label": "Relapse", "column": "relapse", "measure": "binary", "better": "lower"},
            {"id": "use", "label": "Use days", "column": "use", "measure": "count", "better": "lower",
             "exposure": "seen"},
            {
                "id": "time", "label": "Time to use", "column": "time", "measure": "time", "better": "higher",
                "event_column": "event",
            },
        ],
        "analyses": list(analyses),
        **more,
    }  # fmt: skip


def people(n: int = 60, *, seed: int = 1) -> pd.DataFrame:
    """A table of a trial that never was."""
    g = np.random.default_rng(seed)
    treated, before = np.arange(n) % 2 == 0, g.normal(50.0, 10.0, n)
    time = np.minimum(np.ceil(g.exponential(30.0 + 20.0 * treated)), 84.0).astype(int)
    seen = g.integers(40, 85, n)
    return pd.DataFrame({
        "id": [f"P{i:02}" for i in range(n)], "arm": np.where(treated, "Ketamine", "Placebo"),
        "age": g.integers(20, 65, n), "site": np.array(["north", "south", "west"])[np.arange(n) % 3],
        "before": before.round(1), "score": (0.6 * before - 5.0 * treated + g.normal(0.0, 8.0, n)).round(1),
        "relapse": np.where(g.random(n) < 0.5 - 0.2 * treated, "yes", "no"),
        "use": g.binomial(seen, 0.35 - 0.1 * treated),
        "seen": seen, "time": time, "event": np.where(time < 84, "yes", "no"),
    })  # fmt: skip


def saved(frame: pd.DataFrame, folder: Path, name: str = "trial.csv") -> Path:
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def design(frame: pd.DataFrame, *terms: str) -> np.ndarray:
    """Intercept, terms and the treatment, the last, for statsmodels."""
    columns: list[np.ndarray] = [np.ones(len(frame))]
    for term in terms:
        if term == "site":
            columns += [(frame["site"] == level).to_numpy(float) for level in ("south", "west")]
        else:
            columns.append(frame[term].to_numpy(float))
    return np.column_stack([*columns, (frame["arm"] == "Ketamine").to_numpy(float)])


# ----------------------------------------------------------------------------------------------------- right numbers


@pytest.mark.independent
def test_a_plan_gives_what_statsmodels_gives(tmp_path: Path) -> None:
    """The way from a file to a number has many turns; a wrong one would be found by nobody who reads the number."""
    frame = people()
    adjust = {"adjust": ["age", "site"], "baseline": "before"}
    plan = plan_of(
        analysis("score", "mean_difference", **adjust),
        analysis("relapse", "odds_ratio", adjust=["age", "site"]) | {"id": "b", "role": "secondary"},
        analysis("use", "robust_rate_ratio", adjust=["age"]) | {"id": "c", "role": "secondary"},
        analysis("time", "hazard_ratio", adjust=["age"], stratify_by=["site"]) | {"id": "d", "role": "secondary"},
    )
    found = rm.analyze(saved(frame, tmp_path), plan)
    ols = sm.OLS(frame["score"].to_numpy(), design(frame, "age", "site", "before")).fit()
    one = found.estimate("a")
    np.testing.assert_allclose([one.estimate, one.low, one.high], [ols.params[-1], *ols.conf_int()[-1]], rtol=1e-9)
    assert one.p_value == pytest.approx(ols.pvalues[-1], rel=1e-8)
    logit = sm.Logit((frame["relapse"] == "yes").to_numpy(float), design(frame, "age", "site")).fit(disp=0)
    np.testing.assert_allclose(np.log([found.estimate("b").estimate, found.estimate("b").low]),
                               [logit.params[-1], logit.conf_int()[-1][0]], rtol=1e-6)  # fmt: skip
    x = design(frame, "age")
    poisson = sm.GLM(frame["use"], x, family=sm.families.Poisson(), offset=np.log(frame["seen"])).fit()
    mean = np.asarray(poisson.mu)
    bread = np.linalg.inv((x.T * mean) @ x)
    spare = 1.0 - mean * np.einsum("ij,jk,ik->i", x, bread, x)
    middle = (x.T * ((frame["use"] - mean) / spare).to_numpy() ** 2) @ x
    error = np.sqrt((bread @ middle @ bread)[-1, -1])
    rate = found.estimate("c")
    assert np.log(rate.estimate) == pytest.approx(np.asarray(poisson.params)[-1], rel=1e-8)
    half = np.log(rate.high / rate.low) / 2.0
    assert half / error == pytest.approx(2.0024654, rel=1e-6), "Student's t with 57 degrees of freedom"
    cox = sm.PHReg(frame["time"], x[:, 1:], status=(frame["event"] == "yes").astype(int), ties="efron",
                   strata=frame["site"]).fit()  # fmt: skip
    assert np.log(found.estimate("d").estimate) == pytest.approx(cox.params[-1], rel=1e-6)


def visits_of(frame: pd.DataFrame, folder: Path, *, seed: int = 3, missing: float = 0.15) -> tuple[Path, np.ndarray]:
    """A row for each visit, some of them missing, and a table of people beside it; the values by person and visit."""
    g = np.random.default_rng(seed)
    values = frame["before"].to_numpy()[:, None] + g.normal(0.0, 6.0, (len(frame), 3)) - [0.0, 2.0, 4.0]
    values[g.random(values.shape) < missing] = np.nan
    rows = [
        {"id": name, "visit": visit, "vas": value}
        for name, before, own in zip(frame["id"], frame["before"], values, strict=True)
        for visit, value in zip(["baseline", "week 2", "week 4", "week 6"], [before, *own], strict=True)
        if np.isfinite(value)
    ]
    saved(frame, folder, "people.csv")
    return saved(pd.DataFrame(rows).sample(frac=1.0, random_state=1), folder, "visits.csv"), values


VISITS = {
    "layout": "visits", "person": "id", "arm": "arm", "people_file": "people.csv", "visit": "visit",
    "visits": [{"name": name, "day": day} for name, day in
               (("baseline", 0), ("week 2", 14), ("week 4", 28), ("week 6", 42))],
}  # fmt: skip
CRAVING = [
    {"id": "craving", "label": "Craving", "column": "vas", "visits": ["week 2", "week 4", "week 6"], "measure": "mean",
     "better": "lower", "unit": "VAS"},
    {"id": "craving-before", "label": "Before", "column": "vas", "visits": ["baseline"], "measure": "mean",
     "better": "lower"},
]  # fmt: skip


def visit_plan(folder: Path, *analyses: dict[str, Any], **more: Any) -> Path:
    plan = {**plan_of(*analyses), "data": VISITS, "measures": CRAVING, **more}
    path = folder / "plan.yaml"
    path.write_text(json.dumps(plan), encoding="utf-8")
    return path


def test_rows_of_visits_in_any_order_are_the_mixed_model_of_the_table(tmp_path: Path) -> None:
    """The rows come as they come; a visit in the wrong column would move every number."""
    frame = people()
    path, values = visits_of(frame, tmp_path)
    plan = visit_plan(
        tmp_path,
        analysis("craving", "mmrm", baseline="craving-before", visit_day=28),
        analysis("craving", "mean_difference", visit_day=42) | {"id": "b", "role": "secondary"},
    )
    found = rm.analyze(path, plan)
    treated = (frame["arm"] == "Ketamine").to_numpy()
    by_hand = fit_visits(values, treated, np.zeros((60, 0)), frame[["before"]].to_numpy(float)).differences()
    one = found.estimate("a")
    np.testing.assert_allclose([one.estimate, one.low, one.high],
                               [by_hand.estimate[1], by_hand.low[1], by_hand.high[1]], rtol=1e-7)  # fmt: skip
    last, known = values[:, 2], np.isfinite(values[:, 2])
    assert found.estimate("b").estimate == pytest.approx(last[known & treated].mean() - last[known & ~treated].mean())
    assert found.flow[0].seen == {
        name: int(np.isfinite(values[treated, place]).sum())
        for place, name in enumerate(["week 2", "week 4", "week 6"])
    }


METHODS_OF_A_RUN: dict[str, dict[str, Any]] = {
    "mean_difference": {"endpoint": "pda"},
    "odds_ratio": {"endpoint": "any"},
    "hazard_ratio": {"endpoint": "first"},
    "log_rank": {"endpoint": "first"},
    "rate_ratio": {"endpoint": "days"},
    "robust_rate_ratio": {"endpoint": "days"},
    "day_odds_ratio": {"endpoint": "days"},
    "repeated_difference": {"endpoint": "pda", "period_days": 7},
    "mmrm": {"endpoint": "pda", "period_days": 14, "mean_over_visits": True},
    "imputed_difference": {
        "endpoint": "pda", "period_days": 14,
        "imputation": {"assumption": "jump-to-reference", "n_imputations": 5},
    },
}  # fmt: skip
ENDPOINTS = [
    {"id": "pda", "label": "PDA", "kind": "percent_days_abstinent", "missing": "observed"},
    {"id": "any", "label": "Any use", "kind": "any_use", "missing": "use"},
    {"id": "first", "label": "First use", "kind": "days_to_use", "missing": "observed"},
    {"id": "days", "label": "Use days", "kind": "use_days", "missing": "observed"},
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    window = {"window": {"first": 0, "last": 27}}
    protocol = small_protocol(
        endpoints=[{**one, **window} for one in ENDPOINTS],
        analyses=[
            {"id": name.replace("_", "-"), "label": name, "method": name,
             "contrast": {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}}, **more}
            for name, more in METHODS_OF_A_RUN.items()
        ],
    )  # fmt: skip
    protocol = protocol.replace(population=protocol.population.replace(n_subjects=60))
    place = tmp_path_factory.mktemp("run")
    return rm.run_trial(protocol, n_replicates=2, seed=11, with_diaries=True, out=place), place


def run_plan(arms: list[str], replicate: int) -> dict[str, Any]:
    window = {"window": {"first": 0, "last": 27}}
    return {
        "id": "again", "title": "Again", "seed": 11, "data": {"layout": "diaries", "replicate": replicate},
        "arms": [{"id": name, "label": name} for name in arms],
        "endpoints": [{**one, **window} for one in ENDPOINTS],
        "analyses": [
            {"id": name.replace("_", "-"), "label": name, "method": name,
             "contrast": {"treatment": arms[0], "control": arms[1]}, **more}
            for name, more in METHODS_OF_A_RUN.items()
        ],
    }  # fmt: skip


@pytest.mark.parametrize("replicate", [0, 1])
@pytest.mark.parametrize("way", ["folder", "rows", "parquet"])
def test_a_simulated_trial_analyzed_from_its_files_gives_the_numbers_of_the_run(
    run: Any, replicate: int, way: str, tmp_path: Path
) -> None:
    """One engine for simulated and real people: what the run said of a trial, a reader of its files must find."""
    finished, place = run
    folder = next(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))
    del finished
    source = folder
    if way == "rows":
        source = tmp_path / "days.csv"
        rm.export_diaries(folder, source, replicate=replicate)
    elif way == "parquet":
        source = tmp_path / "days.parquet"
        rm.export_diaries(folder, source, replicate=replicate)
    table = pd.read_parquet(folder / "estimates.parquet")
    arms = [arm.id for arm in rm.read_protocol(folder / "protocol.yaml").arms]
    treated = [arm.id for arm in rm.read_protocol(folder / "protocol.yaml").arms if arm.factors["drug"] == "ketamine"]
    plan = run_plan([treated[0], *(name for name in arms if name not in treated)], replicate)
    found = rm.analyze(source, plan)
    assert found.data.is_simulated
    assert any("Simulated people" in line for line in found.cautions)
    for one in found.estimates:
        row = table[(table["analysis"] == one.analysis.id) & (table["replicate"] == replicate)].iloc[0]
        assert one.status.value == row["status"], one.analysis.id
        for name in ("estimate", "low", "high", "p_value"):
            np.testing.assert_allclose(
                getattr(one, name), row[name], rtol=1e-9, equal_nan=True, err_msg=one.analysis.id
            )


def test_imputation_of_nothing_is_the_analysis_itself(tmp_path: Path) -> None:
    """An exact limit of every method that fills in: with nobody missing there is nothing to draw."""
    frame = people()
    rule = {"imputation": {"assumption": "copy-reference", "n_imputations": 4}}
    plan = plan_of(
        analysis("relapse-seen", "odds_ratio", adjust=["age"]),
        analysis("relapse-seen", "imputed_odds_ratio", adjust=["age"], **rule) | {"id": "b", "role": "secondary"},
        analysis("use", "robust_rate_ratio", adjust=["age"]) | {"id": "c", "role": "secondary"},
        analysis("use", "imputed_rate_ratio", adjust=["age"], **rule) | {"id": "d", "role": "secondary"},
    )
    plan["measures"].append({**plan["measures"][2], "id": "relapse-seen", "missing": "observed"})
    found = rm.analyze(saved(frame, tmp_path), plan)
    for one, other in (("a", "b"), ("c", "d")):
        assert found.estimate(other).estimate == pytest.approx(found.estimate(one).estimate, rel=1e-12)
    np.testing.assert_allclose(found.estimate("b").low, found.estimate("a").low, rtol=1e-9)


@pytest.mark.stat
def test_many_imputations_of_events_find_the_complete_odds(tmp_path: Path) -> None:
    """With outcomes missing completely at random the pooled ratio must lie where that of the seen people lies."""
    frame = people(400, seed=7)
    frame.loc[np.random.default_rng(2).random(400) < 0.3, "relapse"] = ""
    frame.loc[np.random.default_rng(4).random(400) < 0.3, "use"] = np.nan
    rule = {"imputation": {"assumption": "missing-at-random", "n_imputations": 200}}
    plan = plan_of(
        analysis("seen", "odds_ratio", adjust=["age"]),
        analysis("seen", "imputed_odds_ratio", adjust=["age"], **rule) | {"id": "b", "role": "secondary"},
        analysis("use", "robust_rate_ratio") | {"id": "c", "role": "secondary"},
        analysis("use", "imputed_rate_ratio", **rule) | {"id": "d", "role": "secondary"},
    )
    plan["measures"].append({**plan["measures"][2], "id": "seen", "missing": "observed"})
    found = rm.analyze(saved(frame, tmp_path), plan)
    for one, other in (("a", "b"), ("c", "d")):
        seen, filled = found.estimate(one), found.estimate(other)
        error = np.log(seen.high / seen.low) / (2.0 * 1.96)
        assert abs(np.log(filled.estimate / seen.estimate)) < 0.3 * error
        assert np.log(filled.high / filled.low) == pytest.approx(np.log(seen.high / seen.low), rel=0.15)


def test_gates_and_margins_are_those_of_the_plan(tmp_path: Path) -> None:
    """A verdict is read off its own rule: Holm over two, and the end of the interval on the bad side."""
    frame = people(200, seed=9)
    gates = {"gates": [{"id": "first", "analyses": ["a", "b"], "test": "holm"}]}
    plan = plan_of(
        analysis("score", "mean_difference", baseline="before", margin=3.0),
        analysis("relapse", "odds_ratio", margin=1.1) | {"id": "b", "role": "secondary"},
        multiplicity=gates,
    )
    found = rm.analyze(saved(frame, tmp_path), plan)
    one, other = found.estimates
    small, large = sorted([one.p_value, other.p_value])
    assert sorted([one.p_adjusted, other.p_adjusted]) == pytest.approx([2 * small, max(2 * small, large)], rel=1e-9)
    assert one.not_inferior == (one.high < 3.0)
    assert other.not_inferior == (other.high < 1.1)
    plan["alpha"] = 0.1
    plan["analyses"][0] |= {"method": "posterior_difference", "prior": {"grade": "assumed", "source": "x", "center": 0}}
    plan["analyses"][0]["prior"]["worth_people"] = 2
    with pytest.raises(SpecError, match=r"0\.05 beside a margin of posterior_difference"):
        rm.analyze(tmp_path / "trial.csv", plan)


OF_A_TABLE = [
    ("score", "mean_difference", {"baseline": "before", "adjust": ["age"]}),
    ("score", "mean_difference", {"errors": "hc3"}),
    ("relapse", "odds_ratio", {}),
    ("relapse", "odds_ratio", {"adjust": ["age"]}),
    ("use", "rate_ratio", {"adjust": ["age"]}),
    ("use", "robust_rate_ratio", {"adjust": ["age"]}),
    ("time", "hazard_ratio", {"stratify_by": ["site"]}),
    ("time", "log_rank", {}),
    ("time", "restricted_mean_difference", {"tau_day": 50}),
]
OF_VISITS = [
    ("mmrm", {"baseline": "craving-before"}),
    ("mmrm", {"mean_over_visits": True}),
    ("repeated_difference", {}),
]


def _verdict(frame: pd.DataFrame, folder: Path, plan: dict[str, Any], alpha: float, margin: float) -> bool | None:
    plan = {**plan, "alpha": alpha, "analyses": [{**plan["analyses"][0], "margin": margin}]}
    return rm.analyze(saved(frame, folder), plan).estimates[0].not_inferior


def _end(found: Any, none: float, *, is_high: bool) -> float:
    """The end of an interval that a margin is held to, if a margin may stand there."""
    end = found.low if is_high else found.high
    assert (end < none) == is_high, "take other data: a margin lies on the bad side of nothing"
    return float(end)


@pytest.mark.parametrize(("endpoint", "method", "options"), OF_A_TABLE)
def test_a_margin_at_another_alpha_turns_where_the_interval_ends(
    endpoint: str, method: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """At an alpha beside .05 the margin is tested; the verdict must turn where the 95% interval ends."""
    frame = people(60, seed=2)
    sides = {"treatment": "placebo", "control": "ketamine"}
    plan = plan_of(analysis(endpoint, method, **options) | {"contrast": sides})
    plan["arms"] = ARMS
    found = rm.analyze(saved(frame, tmp_path), plan).estimates[0]
    assert found.status is Status.OK
    is_high = method == "restricted_mean_difference"
    end = _end(found, 1.0 if found.analysis.is_ratio else 0.0, is_high=is_high)
    for factor in (0.998, 1.002):
        is_shown = _verdict(frame, tmp_path, plan, 0.0500001, end * factor)
        assert is_shown == (factor > 1.0), factor


@pytest.mark.parametrize(("method", "options"), OF_VISITS)
def test_a_margin_of_visits_at_another_alpha(method: str, options: dict[str, Any], tmp_path: Path) -> None:
    """The same of methods that read several visits of a person."""
    path, _ = visits_of(people(40, seed=3), tmp_path, missing=0.1)
    one = analysis("craving", method, **options) | {"contrast": {"treatment": "placebo", "control": "ketamine"}}
    found = rm.analyze(path, visit_plan(tmp_path, one)).estimates[0]
    end = _end(found, 0.0, is_high=False)
    for factor in (0.999, 1.001):
        plan = visit_plan(tmp_path, {**one, "margin": end * factor}, alpha=0.0500001)
        assert rm.analyze(path, plan).estimates[0].not_inferior == (factor > 1.0)


@pytest.mark.parametrize("name", ["relapse", "use", "craving"])
def test_a_margin_after_imputation_at_another_alpha(name: str, tmp_path: Path) -> None:
    """The pooled test takes the margin for its null, with the same draws: the verdict turns at the interval's end."""
    method = {"relapse": "imputed_odds_ratio", "use": "imputed_rate_ratio", "craving": "imputed_difference"}[name]
    rule = {"assumption": "missing-at-random", "n_imputations": 4}
    one = analysis(name, method, imputation=rule) | {"contrast": {"treatment": "placebo", "control": "ketamine"}}
    frame = people(60, seed=2).astype({"relapse": object, "use": object})
    frame.loc[::7, ["relapse", "use"]] = ""
    path = saved(frame, tmp_path)
    if name == "craving":
        path, _ = visits_of(people(40, seed=3), tmp_path, missing=0.1)

    def found(**more: Any) -> Any:
        whole = {**one, **{key: value for key, value in more.items() if key == "margin"}}
        rest = {key: value for key, value in more.items() if key != "margin"}
        if name == "craving":
            return rm.analyze(path, visit_plan(tmp_path, whole, **rest)).estimates[0]
        plan = plan_of(whole, **rest)
        plan["measures"][2]["missing"] = "observed"
        return rm.analyze(path, plan).estimates[0]

    plain = found()
    assert plain.status is Status.OK
    end = _end(plain, 1.0 if plain.analysis.is_ratio else 0.0, is_high=False)
    for factor in (0.999, 1.001):
        assert found(margin=end * factor, alpha=0.0500001).not_inferior == (factor > 1.0)


def test_a_margin_at_a_wider_alpha_is_that_of_its_interval(tmp_path: Path) -> None:
    """At .2 the interval is the one of 80%, by Student's t of the regression."""
    frame = people(60, seed=2)
    x = design(frame)
    x[:, -1] = 1.0 - x[:, -1]
    _, high = sm.OLS(frame["score"].to_numpy(float), x).fit().conf_int(0.2)[-1]
    plan = plan_of(analysis("score", "mean_difference") | {"contrast": {"treatment": "placebo", "control": "ketamine"}})
    for factor in (0.9999, 1.0001):
        assert _verdict(frame, tmp_path, plan, 0.2, float(high) * factor) == (factor > 1.0)


# ----------------------------------------------------------------------------------------------------------- strategies


def test_what_an_event_does_to_an_outcome(tmp_path: Path) -> None:
    """The four strategies give four answers to four questions; each by hand on its exact limit."""
    frame = people(40)
    frame["rescue"] = ["yes" if i < 6 else "no" for i in range(40)]
    frame["rescue_day"] = [10 if i < 6 else "" for i in range(40)]
    path = saved(frame, tmp_path)

    def found(strategy: str, column: str, *one: Any) -> Any:
        event = {"id": "rescue", "label": "Rescue", "strategy": strategy, column: column.replace("_column", "") and
                 ("rescue" if column == "column" else "rescue_day")}  # fmt: skip
        return rm.analyze(path, plan_of(*one, intercurrent_events=[event])).estimates[0]

    relapse = (frame["relapse"] == "yes").to_numpy()
    treated = (frame["arm"] == "Ketamine").to_numpy()
    policy = found("treatment-policy", "column", analysis("relapse", "odds_ratio"))
    assert policy.by_arm["ketamine"]["mean"] == pytest.approx(relapse[treated].mean())
    composite = found("composite", "column", analysis("relapse", "odds_ratio"))
    failed = relapse | (np.arange(40) < 6)
    assert composite.by_arm["ketamine"]["mean"] == pytest.approx(failed[treated].mean())
    ended = found("composite", "day_column", analysis("time", "log_rank"))
    cut = found("hypothetical", "day_column", analysis("time", "log_rank"))
    early = (np.arange(40) < 6) & (frame["time"].to_numpy() > 10)
    event = (frame["event"] == "yes").to_numpy()
    assert ended.by_arm["ketamine"]["with_event"] == (event | early)[treated].sum()
    assert cut.by_arm["ketamine"]["with_event"] == (event & ~early)[treated].sum()
    for strategy, one in (
        ("hypothetical", analysis("score", "mean_difference")),
        ("while-on-treatment", analysis("relapse", "odds_ratio")),
        ("composite", analysis("score", "mean_difference")),
    ):
        with pytest.raises(SpecError, match="strategy"):
            found(strategy, "day_column", one)


def test_values_after_an_event_are_set_aside_or_replaced_at_visits(tmp_path: Path) -> None:
    """Hypothetical, while on treatment and composite, each beside the same analysis of a table changed by hand."""
    frame = people()
    path, values = visits_of(frame, tmp_path, missing=0.0)
    frame["stopped"] = [28 if i % 5 == 0 else "" for i in range(60)]
    saved(frame, tmp_path, "people.csv")
    treated, who = (frame["arm"] == "Ketamine").to_numpy(), np.arange(60) % 5 == 0

    def last(strategy: str) -> float:
        measures = [{**CRAVING[0], "worst": 100.0}, CRAVING[1]]
        event = {"id": "stop", "label": "Stopped", "day_column": "stopped", "strategy": strategy}
        method = "mmrm" if strategy == "hypothetical" else "mean_difference"
        plan = visit_plan(tmp_path, analysis("craving", method), measures=measures, intercurrent_events=[event])
        return float(rm.analyze(path, plan).estimates[0].estimate)

    def difference(column: np.ndarray) -> float:
        return float(column[treated].mean() - column[~treated].mean())

    assert last("treatment-policy") == pytest.approx(difference(values[:, 2]))
    assert last("while-on-treatment") == pytest.approx(difference(np.where(who, values[:, 0], values[:, 2])))
    assert last("composite") == pytest.approx(difference(np.where(who, 100.0, values[:, 2])))
    gone = np.where(who[:, None] & [False, True, True], np.nan, values)
    by_hand = fit_visits(gone, treated, np.zeros((60, 0)), np.zeros((60, 0))).differences()
    assert last("hypothetical") == pytest.approx(by_hand.estimate[2], rel=1e-7)


def test_a_tipping_point_moves_what_was_imputed_and_nothing_else(tmp_path: Path) -> None:
    """With one visit compared, the estimate must move by the share of treated people who were imputed, times delta."""
    frame = people()
    path, values = visits_of(frame, tmp_path, missing=0.2)
    rule = {"imputation": {"assumption": "missing-at-random", "n_imputations": 5}, "tipping_deltas": [0, 5, 10]}
    found = rm.analyze(path, visit_plan(tmp_path, analysis("craving", "imputed_difference", **rule)))
    tip = found.estimates[0].tipping
    treated = (frame["arm"] == "Ketamine").to_numpy()
    assert tip is not None
    share = np.isnan(values[treated, 2]).mean()
    np.testing.assert_allclose(np.diff(tip.estimate), [5.0 * share] * 2, rtol=1e-9)
    with pytest.raises(SpecError, match="do worse"):
        rm.analyze(
            path, visit_plan(tmp_path, analysis("craving", "imputed_difference", **{**rule, "tipping_deltas": [-5]}))
        )


def test_a_tipping_point_of_a_method_that_imputes_nothing(tmp_path: Path) -> None:
    """A mixed model or a count leaves out what is missing; its tipping point is that of its like with imputation."""
    frame = people()
    path, _ = visits_of(frame, tmp_path, missing=0.2)
    mixed = analysis("craving", "mmrm", tipping_deltas=[0, 5], covariance="toeplitz")
    rule = {"imputation": {"assumption": "missing-at-random"}, "tipping_deltas": [0, 5]}
    other = analysis("craving", "imputed_difference", **rule)
    one, two = (rm.analyze(path, visit_plan(tmp_path, each)).estimates[0] for each in (mixed, other))
    assert one.tipping == two.tipping
    assert one.estimate != two.estimate
    assert "imputed_difference:delta" in gate.forms_of(one.analysis)
    frame.loc[frame.index[::5], "use"] = np.nan
    counts = analysis("use", "robust_rate_ratio", tipping_deltas=[0, 0.5], adjust=["age"])
    like = analysis("use", "imputed_rate_ratio", adjust=["age"], **{**rule, "tipping_deltas": [0, 0.5]})
    one, two = (rm.analyze(saved(frame, tmp_path), plan_of(each)).estimates[0] for each in (counts, like))
    assert one.tipping == two.tipping
    with pytest.raises(SpecError, match="whose missing values can be imputed"):
        rm.analyze(saved(frame, tmp_path), plan_of(analysis("time", "hazard_ratio", tipping_deltas=[1])))


def test_a_crossover_is_analyzed_within_people(tmp_path: Path) -> None:
    """Half the difference of the sequences' differences; an effect of the period must leave no trace."""
    g = np.random.default_rng(1)
    n, order = 30, np.arange(30) % 2 == 0
    person, effect, period = g.normal(0, 10, n), -4.0, 7.0
    frame = pd.DataFrame({
        "id": range(n), "arm": np.where(order, "AB", "BA"),
        "one": person + np.where(order, effect, 0.0) + g.normal(0, 1, n),
        "two": person + np.where(order, 0.0, effect) + period + g.normal(0, 1, n),
    })  # fmt: skip
    plan: dict[str, Any] = {
        "id": "x", "title": "X",
        "data": {"layout": "people", "person": "id", "arm": "arm",
                 "visits": [{"name": "one", "day": 7}, {"name": "two", "day": 35}]},
        "arms": [{"id": "ab", "label": "A first", "values": "AB"}, {"id": "ba", "label": "B first", "values": "BA"}],
        "measures": [{"id": "y", "label": "Y", "columns": {"one": "one", "two": "two"}, "measure": "mean",
                      "better": "lower"}],
        "analyses": [{"id": "a", "label": "A", "endpoint": "y", "method": "within_people_difference",
                      "contrast": {"treatment": "ab", "control": "ba"}}],
    }  # fmt: skip
    one = rm.analyze(saved(frame, tmp_path), plan).estimates[0]
    half = (frame["one"] - frame["two"]) / 2.0
    assert one.estimate == pytest.approx(half[order].mean() - half[~order].mean())
    assert one.low < effect < one.high
    turned = {"contrast": {"treatment": "ba", "control": "ab"}}
    for factor in (0.999, 1.001):
        analyses = [{**plan["analyses"][0], **turned, "margin": -one.low * factor}]
        found = rm.analyze(saved(frame, tmp_path), {**plan, "alpha": 0.0500001, "analyses": analyses})
        assert found.estimates[0].not_inferior == (factor > 1.0)


# ------------------------------------------------------------------------------------------------------------ refusals


def one(endpoint: str, method: str, **more: Any) -> dict[str, Any]:
    """A part of a plan: its only analysis."""
    return {"analyses": [{**analysis(endpoint, method), **more}]}


WRONG = [
    ("two arms of one name", {"arms": [ARMS[0], {"id": "other", "label": " ketamine "}]}, {}, "arms[1]"),
    ("alpha 0", {"alpha": 0.0}, {}, "alpha"),
    ("alpha 1", {"alpha": 1.0}, {}, "alpha"),
    ("an unknown field", {"alphaa": 0.05}, {}, "alpha?"),
    ("a baseline that is the outcome", one("score", "mean_difference", baseline="score"), {}, "baseline"),
    ("a method of another measure", one("score", "odds_ratio"), {}, "for a mean: mean_difference"),
    ("an unknown measure", one("scores", "mean_difference"), {}, "score?"),
    ("an unknown arm", one("score", "mean_difference", contrast={**SIDES, "treatment": "ketamin"}), {}, "ketamine?"),
    ("one arm twice", one("score", "mean_difference", contrast={**SIDES, "treatment": "placebo"}), {}, "another arm"),
    ("a margin of the wrong sign", one("score", "mean_difference", margin=-2.0), {}, "above 0"),
    ("a ratio's margin on the wrong side", one("relapse", "odds_ratio", margin=0.8), {}, "above 1"),
    ("a hazard's margin on the wrong side", one("time", "hazard_ratio", margin=0.8), {}, "above 1"),
    ("an option that nothing reads", one("score", "mean_difference", test="score"), {}, "does not read it"),
    ("a sensitivity analysis of nothing", one("score", "mean_difference", role="sensitivity"), {}, "questions"),
    ("an unknown column", {}, {"rename": {"score": "points"}}, "no column score"),
    ("no person column", {}, {"rename": {"id": "who"}}, "id"),
    ("a word among numbers", {}, {"set": ("score", 3, "high")}, "row 5, score"),
    ("a number with a comma", {}, {"set": ("score", 3, "12,5")}, "row 5, score"),
    ("a decimal comma", {}, {"set": ("score", 3, "12,5")}, "decimal: comma"),
    ("a point between thousands", {}, {"set": ("score", 3, "1.012,5")}, "decimal: comma, thousands: point"),
    ("a tipping point of times", one("time", "hazard_ratio", tipping_deltas=[0, 1]), {}, "strategy composite"),
    ("a word that is no answer", {}, {"set": ("relapse", 3, "maybe"), "use": "relapse"}, "yes or no"),
    ("a count that is none", {}, {"set": ("use", 3, 2.5), "use": "use"}, "whole number"),
    ("a negative count", {}, {"set": ("use", 3, -1), "use": "use"}, "at least 0"),
    ("a time of nothing", {}, {"set": ("time", 3, 0), "use": "time"}, "above 0"),
    ("an arm nobody named", {}, {"set": ("arm", 3, "Placebos")}, "row 5, arm"),
    ("nobody in an arm", {}, {"set": ("arm", slice(None), "Ketamine")}, "nobody in Placebo"),
    ("a person twice", {}, {"set": ("id", 3, "P01")}, "P01 again, first on row 3"),
    ("a person in two arms", {}, {"set": ("id", 2, "P01")}, "in two arms"),
    ("more days than counted", one("use", "day_odds_ratio"), {"set": ("use", 3, 90)}, "days"),
    ("two arms in look", {"arms": [ARMS[0], {"id": "other", "label": "keta\u200bmine"}]}, {}, "arms[1]"),
    ("two spellings of a level", {}, {"set": ("site", 3, "North")}, "one spelling"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plan", "change", "said"), WRONG, ids=[item[0] for item in WRONG])
def test_bad_input_is_refused_with_its_place(
    name: str, plan: dict[str, Any], change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    """Never a number, never a traceback: where, what came, what is expected."""
    frame = people().astype(object).rename(columns=change.get("rename", {}))
    if "set" in change:
        column, row, value = change["set"]
        frame.loc[row, column] = value
    methods = {"relapse": "odds_ratio", "use": "rate_ratio", "time": "hazard_ratio"}
    wanted = change.get("use", "score")
    whole = {**plan_of(analysis(wanted, methods.get(wanted, "mean_difference"), adjust=["site"])), **plan}
    path = saved(frame, tmp_path)
    before = path.read_bytes()
    with pytest.raises(SpecError) as error:
        rm.analyze(path, whole)
    assert said in str(error.value), name
    assert path.read_bytes() == before


def test_a_number_of_odd_data_comes_with_its_warning(tmp_path: Path) -> None:
    """An empty cell, a visit that copies another, that does not vary, that one person of a side came to: all have a
    number by some method, and nobody should read it alone.
    """
    frame = people()
    frame["relapse"] = np.where(frame["arm"] == "Ketamine", "no", frame["relapse"])
    empty = rm.analyze(saved(frame, tmp_path), plan_of(analysis("relapse", "odds_ratio"))).estimates[0]
    assert any("nobody on the treatment side had the event" in line for line in empty.cautions)
    full = frame.assign(relapse=np.where(frame["arm"] == "Ketamine", "yes", frame["relapse"]))
    assert "everybody on the treatment side" in str(
        rm.analyze(saved(full, tmp_path), plan_of(analysis("relapse", "odds_ratio"))).estimates[0].cautions
    )
    never = frame.assign(event=np.where(frame["arm"] == "Ketamine", "no", "yes"))
    late = rm.analyze(saved(never, tmp_path), plan_of(analysis("time", "log_rank"))).estimates[0]
    assert any("nobody on the treatment side" in line for line in late.cautions)
    path, _ = visits_of(people(), tmp_path)
    rows = pd.read_csv(path)
    last = max(rows["visit"].unique())
    at, arm = rows["visit"] == last, rows["id"].map(dict(zip(frame["id"], frame["arm"], strict=True)))
    score = rows.columns[-1]
    before = rows[rows["visit"] == sorted(rows["visit"].unique())[-2]].set_index("id")[score]
    changes = {
        "one value for everybody": rows.assign(**{score: rows[score].where(~at, 4.0)}),
        "may be a copy": rows.assign(**{score: rows[score].where(~at, rows["id"].map(before))}),
        "0 people of the treatment side were seen": rows[~(at & (arm == "Ketamine"))],
    }
    for said, table in changes.items():
        one = visit_plan(tmp_path, analysis("craving", "mmrm", covariance="toeplitz"))
        found = rm.analyze(saved(table, tmp_path, "odd.csv"), one).estimates[0]
        assert any(said in line for line in found.cautions), said
    plain = rm.analyze(path, visit_plan(tmp_path, analysis("craving", "mmrm"))).estimates[0]
    assert not any("copy" in line or "one value" in line or "which is compared" in line for line in plain.cautions)


def test_visits_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """A visit twice would count twice, one that nobody attended has no difference, a late baseline is an effect."""
    path, _ = visits_of(people(), tmp_path)
    rows = pd.read_csv(path)
    once = visit_plan(tmp_path, analysis("craving", "mmrm", baseline="craving-before"))
    saved(pd.concat([rows, rows.iloc[[7]]]), tmp_path, "twice.csv")
    with pytest.raises(SpecError, match="again, first on row"):
        rm.analyze(tmp_path / "twice.csv", once)
    saved(rows[rows["visit"] != "week 4"], tmp_path, "unattended.csv")
    with pytest.raises(SpecError, match="week 4: got no craving of anybody"):
        rm.analyze(tmp_path / "unattended.csv", once)
    late = {**CRAVING[1], "visits": ["week 2"]}
    with pytest.raises(SpecError, match="week 2 is day 14"):
        rm.analyze(
            path,
            visit_plan(tmp_path, analysis("craving", "mmrm", baseline="craving-before"), measures=[CRAVING[0], late]),
        )
    strange = rows.assign(visit=rows["visit"].where(rows.index != 5, "week 99"))
    found = rm.analyze(saved(strange, tmp_path, "strange.csv"), visit_plan(tmp_path, analysis("craving", "mmrm")))
    assert [one.reason for one in found.not_used if one.got == "week 99"] == ["a visit that the plan does not name"]
    assert any("week 99" in line for line in found.cautions)


def test_a_baseline_after_randomization_and_mixed_dates_are_refused(tmp_path: Path) -> None:
    """A measure that the treatment could move is no baseline, and a day may not be taken for a month."""
    frame = people().assign(randomized="2024-03-10", measured="2024-03-08").astype(object)
    dates = {"randomized": "randomized", "baseline_measured": "measured"}
    plan = plan_of(analysis("score", "mean_difference", baseline="before"), data=dates)
    assert rm.analyze(saved(frame, tmp_path), plan).estimates[0].status is Status.OK
    frame.loc[4, "measured"] = "2024-03-12"
    with pytest.raises(SpecError, match=r"row 6, measured: got P04 measured 2 days after randomization"):
        rm.analyze(saved(frame, tmp_path), plan)
    frame.loc[4, "measured"] = "03/08/2024"
    with pytest.raises(SpecError, match=r"row 6, measured: got 03/08/2024; expected a date"):
        rm.analyze(saved(frame, tmp_path), plan)


def test_missing_codes_are_declared_and_never_guessed(tmp_path: Path) -> None:
    """999 is a number until somebody says that it is none; then it is missing and listed."""
    frame = people().astype(object)
    frame.loc[[2, 5], "score"] = 999
    frame.loc[7, "score"] = "NA"
    path = saved(frame, tmp_path)
    plain = rm.analyze(path, plan_of(analysis("score", "mean_difference")))
    assert any("999 stands 2 times" in line for line in plain.cautions)
    told = rm.analyze(path, plan_of(analysis("score", "mean_difference"), data={"missing": [999]}))
    assert told.estimates[0].n_treatment + told.estimates[0].n_control == 57
    assert sorted(one.person for one in told.not_used) == ["P02", "P05", "P07"]
    ranged = plan_of(analysis("score", "mean_difference"))
    ranged["measures"][0]["high"] = 100.0
    with pytest.raises(SpecError, match="got 999"):
        rm.analyze(path, ranged)


STATUSES = [
    ("constant", "score", "mean_difference", Status.NO_VARIATION, lambda f: f.assign(score=5.0)),
    ("separation", "relapse", "odds_ratio", Status.SEPARATION, lambda f: f.assign(relapse=f["arm"] == "Ketamine")),
    ("no event on a side", "time", "hazard_ratio", Status.SEPARATION,
     lambda f: f.assign(event=np.where(f["arm"] == "Ketamine", "no", "yes"))),
    ("one person on a side", "score", "mean_difference", Status.NOT_ESTIMABLE,
     lambda f: f.assign(score=f["score"].where((f["arm"] == "Ketamine") | (f.index == 1)))),
    ("an event of everybody on one day", "time", "hazard_ratio", Status.NO_VARIATION,
     lambda f: f.assign(time=84, event="yes")),
    ("a copy of the arm", "score", "mean_difference", Status.NOT_ESTIMABLE,
     lambda f: f.assign(age=(f["arm"] == "Ketamine") * 1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "endpoint", "method", "status", "change"), STATUSES, ids=[one[0] for one in STATUSES])
def test_what_cannot_be_estimated_has_a_status_and_no_number(
    name: str, endpoint: str, method: str, status: Status, change: Any, tmp_path: Path
) -> None:
    """A number without its warning would be believed."""
    frame = change(people())
    frame = frame.replace({True: "yes", False: "no"}) if frame["relapse"].dtype == bool else frame
    found = rm.analyze(saved(frame, tmp_path), plan_of(analysis(endpoint, method, adjust=["age"]))).estimates[0]
    assert found.status is status, name
    assert np.isnan([found.estimate, found.low, found.high, found.p_value]).all()
    assert len(found.message) > 40, "place and remedy"


def test_a_status_says_why(tmp_path: Path) -> None:
    """People who are all alike have no ratio, and one reason for all would send the reader to the wrong column."""
    frame = people()
    alike = rm.analyze(saved(frame.assign(relapse="no"), tmp_path), plan_of(analysis("relapse", "odds_ratio")))
    assert alike.estimates[0].status is Status.NO_VARIATION
    late = rm.analyze(
        saved(frame, tmp_path), plan_of(analysis("time", "restricted_mean_difference", tau_day=400))
    ).estimates[0]
    assert "day 84" in late.message
    assert "day 400" in late.message
    low = rm.analyze(
        saved(frame.assign(score=frame["score"] - 90.0), tmp_path), plan_of(analysis("score", "percent_lower"))
    ).estimates[0]
    assert "mean_difference" in low.message
    prior = {"grade": "assumed", "source": "made up", "events": 1, "others": 1}
    belief = rm.analyze(
        saved(frame.assign(relapse="no"), tmp_path),
        plan_of(analysis("relapse", "posterior_share_difference", prior=prior)),
    ).estimates[0]
    assert any("the same for everybody" in line for line in belief.cautions)
    path, _ = visits_of(people(6), tmp_path, missing=0.0)
    rule = {"assumption": "missing-at-random", "n_imputations": 2}
    few = rm.analyze(path, visit_plan(tmp_path, analysis("craving", "imputed_difference", imputation=rule)))
    assert "imputation takes" in few.estimates[0].message


def test_a_table_with_decimal_commas_is_read_as_it_says(tmp_path: Path) -> None:
    """Half of the world writes 12,5 between semicolons: a plan is written for it, and the numbers are right."""
    frame = people()
    plain = rm.analyze(saved(frame, tmp_path), plan_of(analysis("score", "mean_difference"))).estimates[0]
    path = tmp_path / "semicolons.csv"
    frame.to_csv(path, index=False, sep=";", decimal=",")
    text, said = guess_plan(path)
    assert any("decimal comma" in line for line in said)
    assert "column: score" in text
    parse_study_plan(text, name="plan.yaml")
    told = rm.analyze(path, plan_of(analysis("score", "mean_difference"), data={"decimal": "comma"})).estimates[0]
    assert told.estimate == plain.estimate
    frame["score"] = [f"{1 + place // 10}.{place:03d},5" for place in range(60)]
    frame["before"] = frame["before"].round().astype(int)
    frame.to_csv(path, index=False, sep=";")
    assert "thousands: point" in guess_plan(path)[0]
    assert "decimal" not in guess_plan(saved(people(), tmp_path))[0]


def test_a_covariance_without_an_inverse_has_a_status(tmp_path: Path) -> None:
    """Two visits that are copies of each other say nothing of what lies between them."""
    path, _ = visits_of(people(), tmp_path, missing=0.0)
    rows = pd.read_csv(path)
    copy = rows[rows["visit"] == "week 2"].assign(visit="week 4")
    saved(pd.concat([rows[rows["visit"] != "week 4"], copy]), tmp_path, "copy.csv")
    found = rm.analyze(tmp_path / "copy.csv", visit_plan(tmp_path, analysis("craving", "mmrm"))).estimates[0]
    assert found.status is Status.SINGULAR
    assert "inverse" in found.message


def test_people_without_a_covariate_are_left_out_and_listed(tmp_path: Path) -> None:
    """A column with a gap was once dropped whole, without a word: another analysis under the same name."""
    frame = people().astype(object)
    frame.loc[3, "age"] = ""
    found = rm.analyze(saved(frame, tmp_path), plan_of(analysis("score", "mean_difference", adjust=["age", "site"])))
    whole = frame.drop(index=3)
    ols = sm.OLS(whole["score"].to_numpy(float), design(whole, "age", "site")).fit()
    assert found.estimates[0].estimate == pytest.approx(ols.params[-1], rel=1e-9)
    assert [(one.person, one.reason) for one in found.not_used] == [
        ("P03", "no age, which the analysis is adjusted for")
    ]
    assert any("not analyzed" in line for line in found.estimates[0].cautions)


# --------------------------------------------------------------------------------------------------------------- gate


def test_every_method_and_option_stands_in_the_table_of_the_gate() -> None:
    """A method that nobody entered would meet real data without a second program, and nobody would see it."""
    table = gate._table()[1]
    base = {"id": "a", "label": "A", "endpoint": "y", "contrast": SIDES}
    options: dict[str, list[Any]] = {
        "test": ["likelihood-ratio", "score"], "errors": ["hc3"], "correlation": ["independence", "autoregressive"],
        "small_sample": [False], "covariance_by_side": [True], "stratify_by": [["site"]],
        "degrees_of_freedom": ["kenward-roger-linear", "satterthwaite"],
        "covariance": list(PlannedAnalysis.model_fields["covariance"].annotation.__args__),  # type: ignore[union-attr]
    }  # fmt: skip
    needed = {
        "tau_day": 20, "imputation": {"assumption": "missing-at-random"},
        "prior": {"grade": "assumed", "source": "none"},
    }  # fmt: skip
    for method, facts in METHODS.items():
        given = {name: needed[name] for name in facts.options & needed.keys()}
        if facts.prior:
            given["prior"] = {**needed["prior"], **dict.fromkeys(facts.prior, 1.0)}  # type: ignore[dict-item]
        plain = PlannedAnalysis.from_dict({**base, "method": method, **given})
        several = [plain] + [
            PlannedAnalysis.from_dict({**base, "method": method, **given, name: value})
            for name, values in options.items() if name in plain.read_options for value in values
        ]  # fmt: skip
        for one in several:
            assert set(gate.forms_of(one)) <= set(table), one.method


def test_a_method_whose_second_program_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate must hold: no number of a method that two programs do not agree on."""
    path, plan = saved(people(), tmp_path), plan_of(analysis("score", "mean_difference"))
    found = rm.analyze(path, plan).estimates[0]
    policy, table = gate._table()
    assert found.programmed_twice == table["mean_difference"].state
    waiting = {**table, "mean_difference": table["mean_difference"].replace(state="pending")}
    monkeypatch.setattr(gate, "_table", lambda: (policy, waiting))
    assert any("not yet programmed twice" in line for line in rm.analyze(path, plan).estimates[0].cautions)
    changed = {**table, "mean_difference": table["mean_difference"].replace(state="differs")}
    monkeypatch.setattr(gate, "_table", lambda: (policy, changed))
    with pytest.raises(SpecError, match="two programs agree"):
        rm.analyze(path, plan)
    changed["mean_difference"] = table["mean_difference"].replace(state="pending")
    monkeypatch.setattr(gate, "_table", lambda: (policy.replace(pending="refuse"), changed))
    with pytest.raises(SpecError, match="two programs agree"):
        rm.analyze(path, plan)
    changed["mean_difference"] = table["mean_difference"].replace(state="agrees")
    assert rm.analyze(path, plan).estimates[0].programmed_twice == "agrees"


# ------------------------------------------------------------------------------------------------------ files and words

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(not (SHARED / "cdisc").exists(), reason="the example data of CDISC are not here")
def test_a_time_to_an_event_of_the_standard_is_read_as_it_is_written() -> None:
    """A transport file with 1 for censored: the words of the plan turn it, and statsmodels finds the same ratio."""
    path = SHARED / "cdisc" / "adam" / "adtte.xpt"
    import pyreadstat

    table, _ = pyreadstat.read_xport(str(path))
    arms = [word for word in table["TRTA"].unique() if word in {"Placebo", "Xanomeline High Dose"}]
    others = [word for word in table["TRTA"].unique() if word not in arms]
    plan = {
        "id": "cdisc", "title": "Time to the first event of the skin",
        "data": {"layout": "people", "person": "USUBJID", "arm": "TRTA"},
        "arms": [{"id": "high", "label": "High", "values": ["Xanomeline High Dose"]},
                 {"id": "placebo", "label": "Placebo"},
                 *({"id": f"other-{n}", "label": word} for n, word in enumerate(others))],
        "covariates": [{"id": "age", "column": "AGE", "kind": "number"}],
        "measures": [{"id": "skin", "label": "Skin", "column": "AVAL", "measure": "time", "better": "higher",
                      "event_column": "CNSR", "event": [0], "no_event": [1]}],
        "analyses": [{"id": "a", "label": "A", "endpoint": "skin", "method": "hazard_ratio", "adjust": ["age"],
                      "contrast": {"treatment": "high", "control": "placebo"}}],
    }  # fmt: skip
    found = rm.analyze(path, plan).estimates[0]
    two = table[table["TRTA"].isin(arms)]
    x = np.column_stack([two["AGE"], two["TRTA"] != "Placebo"]).astype(float)
    cox = sm.PHReg(two["AVAL"], x, status=(two["CNSR"] == 0).astype(int), ties="efron").fit()
    assert np.log(found.estimate) == pytest.approx(cox.params[-1], rel=1e-6)


@pytest.mark.skipif(not (SHARED / "mmrm").exists(), reason="the data of the mixed models are not here")
def test_a_public_table_of_visits_is_read_as_a_table_made_by_hand() -> None:
    """Rows that we did not write, with gaps and NA, give what the same table turned by hand gives."""
    arms = [{"id": "treated", "label": "TRT"}, {"id": "placebo", "label": "PBO"}]
    days = [{"name": f"VIS{n}", "day": n} for n in range(1, 5)]
    plan = {
        "id": "fev", "title": "FEV",
        "data": {"layout": "visits", "person": "USUBJID", "arm": "ARMCD", "visit": "AVISIT", "visits": days},
        "arms": arms, "covariates": [{"id": "race", "column": "RACE", "kind": "category"}],
        "measures": [{"id": "fev", "label": "FEV1", "column": "FEV1", "measure": "mean", "better": "higher"}],
        "analyses": [{"id": "a", "label": "A", "endpoint": "fev", "method": "mmrm", "adjust": ["race"],
                      "contrast": {"treatment": "treated", "control": "placebo"}}],
    }  # fmt: skip
    found = rm.analyze(SHARED / "mmrm" / "fev_data.csv", plan).estimates[0]
    table = pd.read_csv(SHARED / "mmrm" / "fev_data.csv")
    wide = table.pivot_table(index="USUBJID", columns="VISITN", values="FEV1", dropna=False)
    one = table.groupby("USUBJID").first().loc[wide.index]
    race = np.column_stack([one["RACE"] == word for word in sorted(one["RACE"].unique())[1:]]).astype(float)
    by_hand = fit_visits(wide.to_numpy(), (one["ARMCD"] == "TRT").to_numpy(), race, np.zeros((len(wide), 0)))
    assert found.estimate == pytest.approx(by_hand.differences().estimate[3], rel=1e-7)
    assert found.n_treatment + found.n_control == 197, "people seen at least once"


def test_a_guessed_plan_is_read_and_its_analysis_runs(tmp_path: Path) -> None:
    """What the program writes for a file must be a plan for that file."""
    path = saved(people().drop(columns=["time", "event"]), tmp_path)
    text, guessed = guess_plan(path)
    plan = parse_study_plan(text, name="guessed")
    assert (plan.data.person, plan.data.arm, [one.id for one in plan.covariates]) == ("id", "arm", ["age", "site"])
    assert plan.analyses[0].contrast.control == ("placebo",)
    assert len(guessed) == text.count("# CHECK")
    assert analyze_study(plan, read_study(path, plan, folder=tmp_path)).estimates[0].status is Status.OK
    rows, _ = visits_of(people(), tmp_path)
    joined = pd.read_csv(rows).merge(people()[["id", "arm"]], on="id")
    second = saved(joined, tmp_path, "joined.csv")
    plan = parse_study_plan(guess_plan(second)[0], name="guessed")
    assert (plan.data.layout, [one.day for one in plan.data.visits]) == ("visits", [0, 14, 28, 42])
    found = analyze_study(plan, read_study(second, plan, folder=tmp_path))
    assert (found.estimates[0].analysis.method, found.estimates[0].status) == ("mmrm", Status.OK)


def test_a_guessed_plan_of_columns_named_by_visit(tmp_path: Path) -> None:
    """A column for each visit is one measure, what came before treatment is no outcome, and arms coded 0 and 1 have ids
    that are text.
    """
    draw = np.random.default_rng(5)
    n = 40
    frame = pd.DataFrame({"record_id": range(n), "grp": draw.integers(0, 2, n), "BL_crave": draw.normal(50, 9, n)})
    for week in (12, 4, 8):
        frame[f"Crave W{week}"] = frame["BL_crave"] + draw.normal(-week, 4, n)
        frame[f"w{week}_vas"] = draw.normal(40, 9, n)
    frame["abstinent"] = draw.choice(["yes", "no"], n)
    frame["relapse"] = draw.choice(["yes", "no"], n)
    frame["days_to_relapse"] = draw.integers(1, 90, n)
    path = saved(frame, tmp_path)
    plan = parse_study_plan(guess_plan(path)[0], name="guessed")
    assert [one.day for one in plan.data.visits] == [28, 56, 84]
    measures = {one.id: one for one in plan.measures}
    assert list(measures["crave"].columns.values()) == ["Crave W4", "Crave W8", "Crave W12"]
    assert len(measures["vas"].columns) == 3
    assert measures["crave-before"].column == "BL_crave"
    assert (measures["abstinent"].better, measures["relapse"].better) == ("higher", "lower")
    assert (measures["days_to_relapse"].event_column, measures["days_to_relapse"].better) == ("relapse", "higher")
    assert (plan.analyses[0].endpoint, plan.analyses[0].baseline) == ("crave", "crave-before")
    assert analyze_study(plan, read_study(path, plan, folder=tmp_path)).estimates[0].status is Status.OK


def test_a_guessed_plan_has_every_early_visit_before_treatment(tmp_path: Path) -> None:
    """Screening and baseline are both before: a second one counted as the first day of treatment was an outcome."""
    rows = [
        {"id": person, "arm": "ab"[person % 2], "visit": visit, "score": 30.0 + person % 7 - place}
        for person in range(20)
        for place, visit in enumerate(("Screening", "Baseline", "Week 2", "Follow-up 3 months"))
    ]
    path = saved(pd.DataFrame(rows), tmp_path)
    plan = parse_study_plan(guess_plan(path)[0], name="guessed")
    assert [one.day for one in plan.data.visits] == [-1, 0, 14, 90]
    assert {one.id: one.visits for one in plan.measures}["score"] == ("Week 2", "Follow-up 3 months")


@pytest.mark.parametrize("kind", ["csv", "semicolon", "xlsx", "sav", "dta", "parquet"])
def test_the_same_table_in_other_formats_gives_the_same_numbers(kind: str, tmp_path: Path) -> None:
    """A file is read by what it holds, not by how it was saved."""
    frame = people(40)
    path = tmp_path / f"trial.{kind}"
    if kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path, index=False)
    elif kind in {"sav", "dta"}:
        import pyreadstat

        write = pyreadstat.write_sav if kind == "sav" else pyreadstat.write_dta
        write(frame.astype({"age": "int32", "use": "int32", "seen": "int32", "time": "int32"}), str(path))
    else:
        frame.to_csv(path, index=False, sep=";" if kind == "semicolon" else ",")
    plan = plan_of(analysis("score", "mean_difference", adjust=["age", "site"]))
    expected = rm.analyze(saved(frame, tmp_path, "plain.csv"), plan).estimates[0]
    assert rm.analyze(path, plan).estimates[0].estimate == pytest.approx(expected.estimate, rel=1e-12)


def test_the_folder_is_whole_and_its_script_finds_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who is handed the folder must be able to check every number; who fails half-way must leave nothing behind."""
    frame = people()
    visits_of(frame, tmp_path)
    visit_plan(tmp_path, analysis("craving", "mmrm", baseline="craving-before", adjust=["site"]))
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    assert run_app(["analyze", "visits.csv", "--plan", "plan.yaml", "--out", "out", "--report", "page.html"]) == 0
    assert "No sensitivity analysis is declared" in capsys.readouterr().err
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    names = {str(one.relative_to("out")) for one in Path("out").rglob("*") if one.is_file()}
    assert {
        "report.html",
        "analysis.json",
        "plan.yaml",
        "people.csv",
        "estimates.csv",
        "not-used.csv",
        "methods.md",
        "analysis.R",
        "rerun.py",
        "analysis-data/a.csv",
        "figures/flow.svg",
        "tables/flow.csv",
    } <= names
    again = subprocess.run([sys.executable, "out/rerun.py", "visits.csv"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "The same numbers" in again.stdout
    page = Path("page.html").read_text("utf-8")
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert run_app(["analyze", "visits.csv", "--plan", "plan.yaml", "--out", "out"]) == 2
    monkeypatch.setattr("remission.report.study_write.render_study", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_app(["analyze", "visits.csv", "--plan", "plan.yaml", "--out", "half"])
    assert not Path("half").exists()
    assert not [one for one in Path().iterdir() if one.name.startswith(".staging")]


def test_an_analysis_without_any_number_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script that asks for the exit code must not go on as if there were a result."""
    path = saved(people().assign(score=5.0), tmp_path)
    plan = tmp_path / "plan.yaml"
    plan.write_text(json.dumps(plan_of(analysis("score", "mean_difference"))), encoding="utf-8")
    assert run_app(["analyze", str(path), "--plan", str(plan)]) == 1
    told = capsys.readouterr()
    assert "no estimate (no variation)" in told.out
    assert "a: the outcome is the same for everybody" in told.err
    plan.write_text("id: x\n", encoding="utf-8")
    assert run_app(["analyze", str(path), "--plan", str(plan)]) == 2


def test_faults_of_a_plan_have_their_line(tmp_path: Path) -> None:
    """A writer mends a line, not a file."""
    text = (
        "id: x\ntitle: X\ndata: {layout: people, arm: arm}\narms:\n  - {id: a, label: A}\n  - {id: b, label: ' a '}\n"
    )
    text += "measures:\n  - {id: y, label: Y, column: y, measure: mean, better: lower}\nanalyses:\n  - id: p\n"
    text += "    label: P\n"
    text += "    endpoint: y\n    method: mean_difference\n    contrast: {treatment: a, control: b}\n    margin: -1\n"
    with pytest.raises(SpecError) as error:
        parse_study_plan(text, name="plan.yaml")
    said = [one.where for one in error.value.faults]
    assert "plan.yaml:6: arms[1]" in said
    assert "plan.yaml:15: analyses[0].margin" in said


def test_the_page_and_the_schema_are_those_of_the_records() -> None:
    """A reader of either must find what the program reads."""
    assert PAGE.read_text("utf-8") == page_text()
    assert SCHEMA.read_text("utf-8") == study_plan_schema_text()
    assert all(one in page_text() for one in StudyPlan.model_fields)
