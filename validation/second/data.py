"""Data sets to compare on: random ones, and the plan that fits every data set of the same columns."""

from typing import Any

import numpy as np
import pandas as pd

from validation.second.run import COLUMNS, VISIT_DAYS

SEED = 20261129
PRIOR = {"grade": "assumed", "source": "made up to compare two programs"}
CONTRAST = {"treatment": ["a"], "control": ["b"]}


def random_people(place: int, n_people: int | None = None) -> pd.DataFrame:
    """People with every kind of outcome: ties, missing values, few of them, terms with gaps, an arm too many."""
    draw = np.random.default_rng([SEED, place])
    n = n_people or int(draw.choice([8, 12, 20, 30, 45, 70], p=[0.08, 0.17, 0.25, 0.25, 0.15, 0.1]))
    arm = draw.choice(["a", "b", "c"], n, p=[0.45, 0.45, 0.1])
    shift = np.where(arm == "a", draw.normal(0, 0.6), 0.0)
    age = np.round(draw.normal(40, 11, n))
    sex, site = draw.choice(["f", "m"], n), draw.choice(["north", "south", "west"], n)
    base = np.round(draw.normal(50, 12, n), 1)
    person = 0.05 * (base - 50) + draw.normal(0, 0.7, n)
    signal = shift + person + 0.02 * (age - 40)
    planned = draw.integers(14, 60, n) if draw.random() < 0.7 else np.full(n, 28)
    hazard = 0.03 * np.exp(0.5 * signal)
    day = np.ceil(draw.exponential(1.0 / hazard) / draw.choice([1, 3])) + 0.0
    end = draw.integers(15, 45, n)
    count = draw.poisson(planned * 0.12 * np.exp(0.4 * signal) * draw.gamma(2.0, 0.5, n))
    heavy = draw.binomial(planned, 1.0 / (1.0 + np.exp(0.8 - 0.6 * signal - draw.normal(0, 0.5, n))))
    visits = (signal + 5.0)[:, None] + draw.normal(0, 1.0, (n, 4)).cumsum(axis=1) * 0.5 + draw.normal(0, 0.6, (n, 4))
    visits += shift[:, None] * np.arange(4) * 0.3
    frame = pd.DataFrame(
        {
            "person": [f"p{number:03d}" for number in range(n)],
            "arm": arm,
            "age": age,
            "sex": sex,
            "site": site,
            "base": base,
            "y": np.round(signal + draw.normal(0, 1, n), int(draw.integers(0, 4))),
            "pos": np.round(np.exp(0.3 * signal + 2.0), 2),
            "event": (signal + draw.logistic(0, 1, n) > 0.3).astype(float),
            "day": np.minimum(day, end),
            "died": (day <= end).astype(float),
            "count": count.astype(float),
            "heavy": heavy.astype(float),
            "planned": planned.astype(float),
            "event_whole": (signal + draw.logistic(0, 1, n) > 0.0).astype(float),
            "count_whole": count.astype(float),
        }
    )
    n_visits = int(draw.choice([2, 3, 4], p=[0.25, 0.45, 0.3]))
    for visit in range(max(n_visits, 2)):
        frame[f"v{visit + 1}"] = np.round(visits[:, visit], 2)
    gaps = {"age": 0.04, "sex": 0.04, "site": 0.04, "base": 0.04, "y": 0.1, "pos": 0.1, "event": 0.1, "count": 0.06}
    for column in (*gaps, *(name for name in VISIT_DAYS if name in frame)):
        frame.loc[draw.random(n) < gaps.get(column, 0.12), column] = np.nan
    return frame


def plan_of(frame: pd.DataFrame, analyses: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The plan of a table: what its columns are, and the analyses whose columns it has."""
    named = [
        {
            "id": name,
            "label": name,
            "contrast": CONTRAST,
            **{key: value for key, value in analysis.items() if key != "form"},
            "role": "primary" if place == 0 else "secondary",
        }
        for place, analysis in enumerate(analyses)
        for name in [f"a{place}"]
    ]
    visits = [name for name in VISIT_DAYS if name in frame]
    table: dict[str, Any] = {"layout": "people", "person": "person", "arm": "arm"}
    if visits:
        table["visits"] = [{"name": name, "day": VISIT_DAYS[name]} for name in visits]
    kinds: dict[str, dict[str, Any]] = {
        "y": {"measure": "mean"},
        "pos": {"measure": "mean"},
        "event": {"measure": "binary", "missing": "observed"},
        "event_whole": {"measure": "binary", "missing": "observed"},
        "day": {"measure": "time", "event_column": "died"},
        "count": {"measure": "count", "exposure": "planned"},
        "count_whole": {"measure": "count", "exposure": "planned"},
        "heavy": {"measure": "count", "exposure": "planned"},
        "base": {"measure": "mean"},
    }
    used = {analysis["endpoint"] for analysis in named} | {analysis.get("baseline") for analysis in named}
    measures = [
        {"id": name, "label": name, "column": name, "better": "lower", **kind}
        for name, kind in kinds.items()
        if name in used
    ]
    for name in ("z", "v"):
        if name in used:
            columns = {visit: visit for visit in visits if visit in COLUMNS[name]}
            measures.append({"id": name, "label": name, "columns": columns, "measure": "mean", "better": "lower"})
    arms = [{"id": name, "label": name, "values": [name]} for name in sorted(frame["arm"].unique())]
    words: dict[str, Any] = dict.fromkeys(["treatment", "population", "variable", "summary"], "to compare two programs")
    adjust = {name for analysis in named for name in (*analysis.get("adjust", []), *analysis.get("stratify_by", []))}
    covariates = [
        {"id": name, "column": name, "kind": kind}
        for name, kind in {"age": "number", "sex": "category", "site": "category"}.items()
        if name in adjust
    ]
    return {
        "id": "twice",
        "title": "Two programs",
        "is_synthetic": True,
        "data": table,
        "arms": arms,
        "covariates": covariates,
        "measures": measures,
        "estimand": words | {"analysis": "a0"},
        "analyses": named,
        **more,
    }


def _of(form: str, method: str, endpoint: str, **options: Any) -> dict[str, Any]:
    return {"form": form, "method": method, "endpoint": endpoint, **options}


ADJUST = {"adjust": ["age", "sex", "site"]}
SIMPLE_ANALYSES = [
    _of("mean_difference", "mean_difference", "y"),
    _of("mean_difference", "mean_difference", "y", **ADJUST, baseline="base"),
    _of("mean_difference:errors=hc3", "mean_difference", "y", errors="hc3"),
    _of("mean_difference:errors=hc3", "mean_difference", "y", errors="hc3", **ADJUST, baseline="base"),
    _of("odds_ratio", "odds_ratio", "event"),
    _of("odds_ratio:adjusted", "odds_ratio", "event", adjust=["age"]),
    _of("odds_ratio:adjusted", "odds_ratio", "event", **ADJUST, baseline="base"),
    _of("odds_ratio:test=likelihood-ratio", "odds_ratio", "event", test="likelihood-ratio"),
    _of("odds_ratio:test=likelihood-ratio", "odds_ratio", "event", test="likelihood-ratio", adjust=["age", "sex"]),
    _of("odds_ratio:test=score", "odds_ratio", "event", test="score"),
    _of("odds_ratio:test=score", "odds_ratio", "event", test="score", adjust=["age", "sex"]),
    _of("hazard_ratio", "hazard_ratio", "day"),
    _of("hazard_ratio", "hazard_ratio", "day", **ADJUST),
    _of("hazard_ratio:stratified", "hazard_ratio", "day", stratify_by=["sex"]),
    _of("hazard_ratio:stratified", "hazard_ratio", "day", stratify_by=["sex", "site"], adjust=["age"]),
    _of("log_rank", "log_rank", "day"),
    _of("log_rank:stratified", "log_rank", "day", stratify_by=["sex"]),
    _of("log_rank:stratified", "log_rank", "day", stratify_by=["sex", "site"]),
    _of("restricted_mean_difference", "restricted_mean_difference", "day", tau_day=10),
    _of("restricted_mean_difference", "restricted_mean_difference", "day", tau_day=30),
    _of("percent_lower", "percent_lower", "pos"),
    _of("rate_ratio", "rate_ratio", "count"),
    _of("rate_ratio", "rate_ratio", "count", **ADJUST),
    _of("robust_rate_ratio", "robust_rate_ratio", "count"),
    _of("robust_rate_ratio", "robust_rate_ratio", "count", **ADJUST),
    _of("day_odds_ratio", "day_odds_ratio", "heavy"),
    _of("day_odds_ratio", "day_odds_ratio", "heavy", **ADJUST),
    _of("within_people_difference", "within_people_difference", "z"),
    _of("posterior_difference", "posterior_difference", "y", prior=PRIOR | {"center": 0.3, "worth_people": 12}),
    _of(
        "posterior_difference",
        "posterior_difference",
        "y",
        prior=PRIOR | {"center": -0.2, "worth_people": 5},
        adjust=["age", "sex"],
        baseline="base",
    ),
    _of("posterior_share_difference", "posterior_share_difference", "event", prior=PRIOR | {"events": 2, "others": 3}),
    _of("posterior_odds_ratio", "posterior_odds_ratio", "event", prior=PRIOR | {"center": 0.4, "sd": 0.7}),
    _of(
        "posterior_odds_ratio",
        "posterior_odds_ratio",
        "event",
        prior=PRIOR | {"center": 0.0, "sd": 1.5},
        adjust=["age", "sex"],
    ),
]
REPEATED: dict[str, dict[str, Any]] = {
    "repeated_difference": {},
    "repeated_difference:correlation=independence": {"correlation": "independence"},
    "repeated_difference:correlation=autoregressive": {"correlation": "autoregressive"},
    "repeated_difference:small_sample=false": {"small_sample": False},
}
MORE: tuple[dict[str, Any], ...] = ({}, {"adjust": ["age", "sex"], "baseline": "base"})
REPEATED_ANALYSES = [
    _of(form, "repeated_difference", "v", **options, **more) for form, options in REPEATED.items() for more in MORE
]
STRUCTURES = (
    "compound-symmetry",
    "heterogeneous-compound-symmetry",
    "autoregressive",
    "heterogeneous-autoregressive",
    "toeplitz",
    "heterogeneous-toeplitz",
    "ante-dependence",
    "heterogeneous-ante-dependence",
    "spatial-exponential",
    "spatial-gaussian",
)
MIXED_ANALYSES = [
    _of("mmrm", "mmrm", "v", adjust=["sex"], baseline="base"),
    _of("mmrm", "mmrm", "v", mean_over_visits=True),
    *(
        _of(f"mmrm:covariance={name}", "mmrm", "v", covariance=name, adjust=["age"] if place % 2 else [])
        for place, name in enumerate(STRUCTURES)
    ),
    _of(
        "mmrm:covariance_by_side=true", "mmrm", "v", covariance_by_side=True, covariance="heterogeneous-autoregressive"
    ),
    _of("mmrm:covariance_by_side=true", "mmrm", "v", covariance_by_side=True, covariance="compound-symmetry"),
    _of(
        "mmrm:degrees_of_freedom=kenward-roger-linear",
        "mmrm",
        "v",
        degrees_of_freedom="kenward-roger-linear",
        covariance="heterogeneous-compound-symmetry",
    ),
    _of("mmrm:degrees_of_freedom=satterthwaite", "mmrm", "v", degrees_of_freedom="satterthwaite"),
    _of(
        "mmrm:degrees_of_freedom=satterthwaite",
        "mmrm",
        "v",
        degrees_of_freedom="satterthwaite",
        covariance="autoregressive",
    ),
]
ASSUMPTIONS = ("missing-at-random", "jump-to-reference", "copy-reference", "copy-increments")
DELTAS = {"imputed_difference": 0.8, "imputed_odds_ratio": 0.7, "imputed_rate_ratio": 0.4}
IMPUTED = {"imputed_difference": "v", "imputed_odds_ratio": "event", "imputed_rate_ratio": "count"}


def imputed_analyses(place: int, n_imputations: int) -> list[dict[str, Any]]:
    """Analyses with imputation; terms, and the assumption that is moved by a delta, go round with the data set."""
    terms: dict[str, Any] = (
        {},
        {"adjust": ["age"]},
        {"adjust": ["age", "sex"], "baseline": "base"},
    )[place % 3]
    return [
        _of(
            f"{method}:assumption={assumption}",
            method,
            endpoint,
            imputation={"assumption": assumption, "n_imputations": n_imputations},
            **({"tipping_deltas": [DELTAS[method]]} if number == place % 2 else {}),
            **terms,
        )
        for method, endpoint in IMPUTED.items()
        for number, assumption in enumerate(ASSUMPTIONS)
        if method == "imputed_difference" or assumption != "copy-increments"
    ]


def with_gaps(frame: pd.DataFrame, place: int) -> pd.DataFrame:
    """A table of which some outcomes are taken away: of events, counts, and of visits most often the last ones."""
    draw = np.random.default_rng([SEED, 1, place])
    result = frame.copy()
    visits = [name for name in VISIT_DAYS if name in frame]
    columns = [name for name in ("event", "count", *visits) if name in frame]
    left = np.where(draw.random(len(frame)) < 0.2, draw.integers(1, 5, len(frame)), len(VISIT_DAYS))
    for column in columns:
        gone = draw.random(len(frame)) < (0.12 if column in IMPUTED.values() else 0.04)
        if column in visits:
            gone |= left < 1 + visits.index(column)
        result.loc[gone, column] = np.nan
    return result


def without_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """The people of whom all outcomes that are imputed elsewhere are known."""
    return frame.dropna(subset=[name for name in ("event", "count", *VISIT_DAYS) if name in frame])
