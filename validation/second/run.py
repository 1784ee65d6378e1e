"""From a table of people and an analysis of a plan to its second program."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from validation.second import counts, events, imputed, means, mixed, posterior, repeated, times
from validation.second.basics import Array, Found, NoEstimateError

CATEGORIES = ("sex", "site")
VISIT_DAYS = {"v1": 7, "v2": 14, "v3": 28, "v4": 49}
# By the field of a plan: the columns of the table that an endpoint stands in.
COLUMNS = {
    "y": ("y",),
    "pos": ("pos",),
    "event": ("event",),
    "day": ("day", "died"),
    "count": ("count", "planned"),
    "heavy": ("heavy", "planned"),
    "z": ("v1", "v2"),
    "v": ("v1", "v2", "v3", "v4"),
    "event_whole": ("event_whole",),
    "count_whole": ("count_whole", "planned"),
}


def second(frame: pd.DataFrame, analysis: Mapping[str, Any]) -> Found:
    """What the second program of an analysis finds."""
    return _or_status(partial(_second, frame, analysis))


def terms_of(frame: pd.DataFrame, names: list[str]) -> Array:
    """A column a number, indicators of all levels but the first of a category; NaN where it is not known."""
    columns: list[Array] = []
    for name in names:
        if name in CATEGORIES:
            known = frame[name].notna()
            levels = sorted(frame.loc[known, name].astype(str).unique())[1:]
            columns.extend(np.where(known, (frame[name] == level).astype(float), np.nan) for level in levels)
        else:
            columns.append(frame[name].to_numpy(dtype=float))
    return np.column_stack(columns) if columns else np.zeros((len(frame), 0))


def imputed_answers(
    frame: pd.DataFrame, analyses: Sequence[Mapping[str, Any]], draw: np.random.Generator, n_answers: int
) -> dict[tuple[str, float], list[Found]]:
    """By analysis and delta, what the second program finds with so many independent draws."""
    found: dict[tuple[str, float], list[Found]] = {}
    visits: dict[tuple[str, float], tuple[str, float]] = {}
    for analysis in analyses:
        for delta in (0.0, *analysis.get("tipping_deltas", [])):
            key, assumption = (analysis["id"], delta), analysis["imputation"]["assumption"]
            if analysis["method"] == "imputed_difference":
                visits[key] = (assumption, delta)
                continue
            outcome, treated, terms = _people(frame, analysis)
            exposure = outcome[:, 1] if outcome.shape[1] > 1 else None
            make = partial(
                imputed.imputed_ratio,
                outcome[:, 0],
                exposure,
                treated,
                terms,
                assumption=assumption,
                delta=delta,
                n_imputations=analysis["imputation"]["n_imputations"],
                draw=draw,
            )
            found[key] = [_or_status(make) for _ in range(n_answers)]
    if visits:
        # One chain serves all: it knows nothing of what is assumed later.
        one = next(analysis for analysis in analyses if analysis["method"] == "imputed_difference")
        outcome, treated, terms = _people(frame, one)
        n_imputations = one["imputation"]["n_imputations"]

        def chains(n_chains: int) -> dict[Any, list[Found]]:
            return imputed.imputed_difference(
                outcome, treated, terms, visits, n_imputations=n_imputations, n_chains=n_chains, draw=draw
            )

        try:
            return found | chains(n_answers)
        except NoEstimateError as none:
            return found | {key: [Found(str(none))] * n_answers for key in visits}
        except np.linalg.LinAlgError:
            # One chain without its rank ends all of them; each has its own end.
            for _ in range(n_answers):
                try:
                    one_chain = chains(1)
                except np.linalg.LinAlgError:
                    one_chain = {key: [Found("singular")] for key in visits}
                for key in visits:
                    found.setdefault(key, []).extend(one_chain[key])
    return found


def _or_status(make: Callable[[], Found]) -> Found:
    try:
        return make()
    except NoEstimateError as none:
        return Found(str(none))
    except np.linalg.LinAlgError:
        return Found("singular")
    except (ArithmeticError, ValueError):
        return Found("failed")


def _people(frame: pd.DataFrame, analysis: Mapping[str, Any]) -> tuple[Array, Array, Array]:
    """Outcomes with their gaps, sides and terms of the people whose terms (and exposure) are known."""
    names = [*analysis.get("adjust", []), *([analysis["baseline"]] if "baseline" in analysis else [])]
    sides = analysis["contrast"]
    is_treated, is_control = (frame["arm"].isin(sides[side]).to_numpy() for side in ("treatment", "control"))
    terms = terms_of(frame, names)
    outcome = frame[[name for name in COLUMNS[analysis["endpoint"]] if name in frame]].to_numpy(dtype=float)
    keep = (is_treated | is_control) & np.isfinite(terms).all(axis=1)
    if analysis["endpoint"] == "count":
        keep &= np.isfinite(outcome[:, 1])
    return outcome[keep], is_treated[keep].astype(float), terms[keep]


def _second(frame: pd.DataFrame, analysis: Mapping[str, Any]) -> Found:
    method = analysis["method"]
    names = [*analysis.get("adjust", []), *([analysis["baseline"]] if "baseline" in analysis else [])]
    sides = analysis["contrast"]
    is_treated, is_control = (frame["arm"].isin(sides[side]).to_numpy() for side in ("treatment", "control"))
    terms = terms_of(frame, names)
    outcome = frame[[name for name in COLUMNS[analysis["endpoint"]] if name in frame]].to_numpy(dtype=float)
    keep = (is_treated | is_control) & np.isfinite(terms).all(axis=1)
    strata = analysis.get("stratify_by", [])
    for name in strata:
        keep &= frame[name].notna().to_numpy()
    if analysis["endpoint"] in {"v", "z"}:
        keep &= np.isfinite(outcome).any(axis=1)
    else:
        keep &= np.isfinite(outcome).all(axis=1)
    treated, terms, outcome = is_treated[keep].astype(float), terms[keep], outcome[keep]
    if not keep.any():
        raise NoEstimateError("not_estimable")
    first = outcome[:, 0]
    if method in {"hazard_ratio", "log_rank"}:
        stratum = np.zeros(treated.size)
        if strata:
            stratum = np.asarray(frame.loc[keep, strata].astype(str).agg("|".join, axis=1).factorize()[0], dtype=float)
        if method == "log_rank":
            return times.log_rank(first, outcome[:, 1], treated, stratum)
        return times.hazard_ratio(first, outcome[:, 1], treated, terms, stratum)
    if method == "repeated_difference":
        correlation, small = analysis.get("correlation", "exchangeable"), analysis.get("small_sample", True)
        return repeated.repeated_difference(outcome, treated, terms, correlation=correlation, small_sample=small)
    if method == "mmrm":
        has_baseline = "baseline" in analysis
        return mixed.mmrm(
            outcome,
            treated,
            terms[:, :-1] if has_baseline else terms,
            terms[:, -1] if has_baseline else None,
            np.array([float(VISIT_DAYS[name]) for name in COLUMNS["v"] if name in frame]),
            covariance=analysis.get("covariance", "unstructured"),
            by_sides=analysis.get("covariance_by_side", False),
            degrees=analysis.get("degrees_of_freedom", "kenward-roger"),
            weights=np.full(outcome.shape[1], 1.0 / outcome.shape[1]) if analysis.get("mean_over_visits") else None,
        )
    if method in SIMPLE:
        return SIMPLE[method](outcome, treated, terms, analysis)
    raise KeyError(method)


def _prior(analysis: Mapping[str, Any], *names: str) -> list[float]:
    return [float(analysis["prior"].get(name, 0.0)) for name in names]


def _posterior_difference(outcome: Array, treated: Array, terms: Array, analysis: Mapping[str, Any]) -> Found:
    center, worth = _prior(analysis, "center", "worth_people")
    return posterior.posterior_difference(outcome[:, 0], treated, terms, center=center, worth=worth)


def _posterior_share(outcome: Array, treated: Array, _: Array, analysis: Mapping[str, Any]) -> Found:
    n_events, n_others = _prior(analysis, "events", "others")
    return posterior.posterior_share_difference(outcome[:, 0], treated, events=n_events, others=n_others)


def _posterior_odds(outcome: Array, treated: Array, terms: Array, analysis: Mapping[str, Any]) -> Found:
    center, sd = _prior(analysis, "center", "sd")
    return events.posterior_odds_ratio(outcome[:, 0], treated, terms, center=center, sd=sd)


SIMPLE: dict[str, Any] = {
    "mean_difference": lambda y, t, x, a: means.mean_difference(
        y[:, 0], t, x, errors=a.get("errors", "equal-variance")
    ),
    "percent_lower": lambda y, t, _, __: means.percent_lower(y[:, 0], t),
    "within_people_difference": lambda y, t, _, __: means.within_people_difference(y[:, 0], y[:, 1], t),
    "odds_ratio": lambda y, t, x, a: events.odds_ratio(y[:, 0], t, x, test=a.get("test", "wald")),
    "restricted_mean_difference": lambda y, t, _, a: times.restricted_mean_difference(
        y[:, 0], y[:, 1], t, tau=float(a["tau_day"])
    ),
    "rate_ratio": lambda y, t, x, _: counts.rate_ratio(y[:, 0], y[:, 1], t, x),
    "robust_rate_ratio": lambda y, t, x, _: counts.robust_rate_ratio(y[:, 0], y[:, 1], t, x),
    "day_odds_ratio": lambda y, t, x, _: counts.day_odds_ratio(y[:, 0], y[:, 1], t, x),
    "posterior_difference": _posterior_difference,
    "posterior_share_difference": _posterior_share,
    "posterior_odds_ratio": _posterior_odds,
}
