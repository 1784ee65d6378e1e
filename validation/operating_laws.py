"""Type I error on data of a known law, in blocks: ``python -m validation.operating_laws [ROW ...]``.

The list is ``operating_laws.toml``. Each block of trials is a line of ``.benchmarks/operating_laws.jsonl`` as it is
done, so that a long study goes on where it stopped; what is there goes into ``operating_study.json`` and the page.
"""

import json
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from remission.analyses.bayes import (
    analyze_difference_with_prior,
    analyze_odds_with_prior,
    analyze_shares_with_prior,
)
from remission.analyses.completed import analyze_imputed_counts, analyze_imputed_events
from remission.analyses.counts import analyze_robust_rate
from remission.analyses.estimate import Estimate, Estimates
from remission.analyses.hazards import analyze_hazards, analyze_log_ranks, analyze_restricted_mean
from remission.analyses.imputation import analyze_imputed
from remission.analyses.means import analyze_differences, analyze_within_people
from remission.analyses.mmrm import analyze_mmrms
from remission.analyses.odds import analyze_odds
from remission.analyses.repeated import analyze_repeated
from remission.streams import People
from validation import operating_study

LIST = Path(__file__).with_suffix(".toml")
STORE = Path(".benchmarks/operating_laws.jsonl")
ALPHA = 0.05

Draw = np.random.Generator
Block = Callable[[Draw, int, int], np.ndarray]
"""From draws, a number of trials and the number of the first one to their p values."""


def sides(n_trials: int, n: int, n_treated: int | None = None) -> np.ndarray:
    """Who is treated: every second person, or so many of them."""
    one = np.arange(n) % 2 == 1 if n_treated is None else np.arange(n) < n_treated
    return np.tile(one, (n_trials, 1))


def each(one: Callable[[int], Estimate], n_trials: int) -> np.ndarray:
    return np.array([one(number).p_value for number in range(n_trials)])


def p_of(found: Estimates) -> np.ndarray:
    return found.p_value


def everyone(table: np.ndarray) -> np.ndarray:
    return np.ones(table.shape, dtype=np.bool_)


def no_terms(n_trials: int, n: int) -> np.ndarray:
    return np.zeros((n_trials, 0, n))


def spread_counts(draw: Draw, n_trials: int, n: int) -> np.ndarray:
    """Counts of 28 days, a fifth of them days of use, with three times the variance of Poisson's."""
    mean = 5.6
    return draw.poisson(draw.gamma(mean / 2.0, 2.0, (n_trials, n))).astype(float)


def visits(draw: Draw, n_trials: int, n: int, m: int, missed: float = 0.1) -> np.ndarray:
    """Values that covary and spread more with time; a tenth missed at random."""
    made = draw.normal(size=(n_trials, n, 1)) + draw.normal(size=(n_trials, n, m)) * np.linspace(1.0, 1.5, m)
    made[draw.random(made.shape) < missed] = np.nan
    return made


def leaving(draw: Draw, values: np.ndarray) -> np.ndarray:
    """The same with every fifth person gone after the first or second visit, more often after a high value."""
    high = np.nan_to_num(values[:, :, 0]) > 0.0
    gone = draw.random(high.shape) < np.where(high, 0.3, 0.1)
    at = draw.integers(1, values.shape[2], high.shape)
    result = values.copy()
    result[gone[:, :, None] & (np.arange(values.shape[2]) >= at[:, :, None])] = np.nan
    return result


def _robust_rate(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    counts, treated = spread_counts(draw, n_trials, 60), sides(1, 60)[0]
    return each(lambda i: analyze_robust_rate(counts[i], np.full(60, 28.0), treated, np.zeros((60, 0))), n_trials)


def _hc3(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    treated = sides(n_trials, 60, 20)
    value = draw.normal(size=treated.shape) * np.where(treated, 2.0, 1.0)
    return p_of(analyze_differences(value, everyone(value), treated, no_terms(n_trials, 60), errors="hc3"))


def times(draw: Draw, n_trials: int) -> tuple[np.ndarray, ...]:
    """Days to an event, and whether it came before day 60, of 80 people in four strata of their own hazards."""
    stratum = np.tile(np.arange(80) // 2 % 4, (n_trials, 1))
    day = np.ceil(draw.exponential(20.0 * (1.0 + stratum)))
    return np.minimum(day, 60.0), day <= 60.0, stratum


def _cox(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    day, event, stratum = times(draw, n_trials)
    return p_of(analyze_hazards(day, event, everyone(day), sides(n_trials, 80), no_terms(n_trials, 80), strata=stratum))


def _log_rank(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    day, event, stratum = times(draw, n_trials)
    return p_of(analyze_log_ranks(day, event, everyone(day), sides(n_trials, 80), stratum))


def _restricted_mean(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    day, event, _stratum = times(draw, n_trials)
    treated = sides(1, 80)[0]
    return each(lambda i: analyze_restricted_mean(day[i], event[i], treated, tau_day=50.0), n_trials)


def events(draw: Draw, n_trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Events of 80 people, and a term that foretells them."""
    term = draw.normal(size=(n_trials, 80, 1))
    return (term[:, :, 0] + draw.logistic(size=(n_trials, 80)) > 0.4).astype(float), term


def _odds(test: Any) -> Block:
    def block(draw: Draw, n_trials: int, _: int) -> np.ndarray:
        (value, term), treated = events(draw, n_trials), sides(1, 80)[0]
        return each(lambda i: analyze_odds(value[i], treated, term[i], test=test), n_trials)

    return block


def _within(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    value = visits(draw, n_trials, 24, 2, 0.0)
    return each(lambda i: analyze_within_people(value[i, :, 0], value[i, :, 1] + 1.0, sides(1, 24)[0]), n_trials)


def _equations(n: int, correlation: Any, *, small_sample: bool) -> Block:
    def block(draw: Draw, n_trials: int, _: int) -> np.ndarray:
        value, treated, term = visits(draw, n_trials, n, 3), sides(1, n)[0], np.zeros((n, 0))
        return each(
            lambda i: analyze_repeated(value[i], treated, term, correlation=correlation, small_sample=small_sample),
            n_trials,
        )

    return block


def correlated(correlation: np.ndarray) -> Callable[[Draw, int, int, int], np.ndarray]:
    """Values of one variance with a correlation that a structure can have; a tenth missed at random."""
    root = np.linalg.cholesky(correlation)

    def made(draw: Draw, n_trials: int, n: int, m: int) -> np.ndarray:
        value: np.ndarray = draw.normal(size=(n_trials, n, m)) @ root.T
        value[draw.random(value.shape) < 0.1] = np.nan
        return value

    return made


LAG = np.abs(np.subtract.outer(np.arange(4), np.arange(4))).astype(float)


def _mixed(n: int, m: int, law: Callable[[Draw, int, int, int], np.ndarray] = visits, **options: Any) -> Block:
    def block(draw: Draw, n_trials: int, _: int) -> np.ndarray:
        value = law(draw, n_trials, n, m)
        return p_of(
            analyze_mmrms(
                values=value, inside=np.isfinite(value).any(axis=2), treated=sides(n_trials, n),
                adjust=no_terms(n_trials, n), n_by_visit=0, weights=np.eye(m)[-1], position=np.arange(m) * 7, **options,
            )
        )  # fmt: skip

    return block


def _posterior_mean(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    value, treated = draw.normal(size=(n_trials, 40)), sides(1, 40)[0]
    return each(
        lambda i: analyze_difference_with_prior(value[i], treated, np.zeros((40, 0)), center=0.0, worth_people=0.0),
        n_trials,
    )


def _posterior_odds(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    (value, term), treated = events(draw, n_trials), sides(1, 80)[0]
    return each(lambda i: analyze_odds_with_prior(value[i], treated, term[i], center=0.0, sd=10.0), n_trials)


def _posterior_shares(draw: Draw, n_trials: int, _: int) -> np.ndarray:
    value, treated = (draw.random((n_trials, 80)) < 0.4).astype(float), sides(1, 80)[0]
    return each(lambda i: analyze_shares_with_prior(value[i], treated, prior_events=0.5, prior_others=0.5), n_trials)


def people(first: int, number: int, n: int) -> People:
    """Addresses of the people of a trial: each trial has draws of its own."""
    return People(
        seed=20261129,
        replicate=np.full(n, first + number, dtype=np.uint64),
        subject=np.arange(n, dtype=np.uint64),
    )


def _imputed_events(assumption: Any) -> Block:
    def block(draw: Draw, n_trials: int, first: int) -> np.ndarray:
        (value, term), treated = events(draw, n_trials), sides(1, 80)[0]
        # Who has the term is missed more often: at random, given the term.
        value[draw.random(value.shape) < np.where(term[:, :, 0] > 0.0, 0.3, 0.1)] = np.nan
        return each(
            lambda i: analyze_imputed_events(
                value[i], treated, term[i], people(first, i, 80), assumption=assumption, n_imputations=10
            ),
            n_trials,
        )

    return block


def _imputed_counts(assumption: Any) -> Block:
    def block(draw: Draw, n_trials: int, first: int) -> np.ndarray:
        value, treated, exposure = spread_counts(draw, n_trials, 80), sides(1, 80)[0], np.full(80, 28.0)
        value[draw.random(value.shape) < 0.2] = np.nan
        return each(
            lambda i: analyze_imputed_counts(
                value[i], exposure, treated, np.zeros((80, 0)), people(first, i, 80), assumption=assumption,
                n_imputations=10,
            ),
            n_trials,
        )  # fmt: skip

    return block


def _imputed_visits(assumption: Any) -> Block:
    def block(draw: Draw, n_trials: int, first: int) -> np.ndarray:
        value, treated = leaving(draw, visits(draw, n_trials, 40, 3, 0.03)), sides(1, 40)[0]
        return each(
            lambda i: analyze_imputed(
                value[i], treated, np.zeros((40, 0)), people(first, i, 40), assumption=assumption, n_imputations=10,
                weight=np.eye(3)[-1],
            ),
            n_trials,
        )  # fmt: skip

    return block


BLOCKS: dict[str, Block] = {
    "robust-rate": _robust_rate,
    "hc3": _hc3,
    "cox-stratified": _cox,
    "log-rank-stratified": _log_rank,
    "restricted-mean": _restricted_mean,
    "likelihood-ratio": _odds("likelihood-ratio"),
    "score": _odds("score"),
    "within-people": _within,
    "equations": _equations(40, "exchangeable", small_sample=True),
    "equations-plain": _equations(120, "autoregressive", small_sample=False),
    "mixed-few": _mixed(20, 3),
    "mixed-satterthwaite": _mixed(20, 3, freedom="satterthwaite"),
    "mixed-compound": _mixed(20, 3, structure="compound-symmetry"),
    "mixed-autoregressive": _mixed(40, 4, structure="heterogeneous-autoregressive"),
    "mixed-gaussian": _mixed(40, 4, structure="spatial-gaussian"),
    "mixed-by-side": _mixed(40, 4, structure="autoregressive", by_side=True),
    "compound-of-its-law": _mixed(
        20, 3, correlated(np.where(LAG[:3, :3] == 0.0, 1.0, 0.5)), structure="compound-symmetry"
    ),
    "gaussian-of-its-law": _mixed(40, 4, correlated(np.exp(-((LAG * 7.0 / 12.0) ** 2))), structure="spatial-gaussian"),
    "by-side-of-its-law": _mixed(40, 4, correlated(0.6**LAG), structure="autoregressive", by_side=True),
    "posterior-mean": _posterior_mean,
    "posterior-odds": _posterior_odds,
    "posterior-shares": _posterior_shares,
    "imputed-events": _imputed_events("missing-at-random"),
    "imputed-events-reference": _imputed_events("jump-to-reference"),
    "imputed-counts": _imputed_counts("missing-at-random"),
    "imputed-counts-reference": _imputed_counts("jump-to-reference"),
    "imputed-visits": _imputed_visits("missing-at-random"),
    "imputed-visits-reference": _imputed_visits("jump-to-reference"),
}


def run_row(name: str, content: dict[str, Any], store: Path) -> None:
    """The blocks of a row that are not there yet."""
    done = {(one["row"], one["block"]) for one in _stored(store)}
    place = [row["id"] for row in content["rows"]].index(name)
    size = content["block"]
    started = time.process_time()
    for block in range(content["trials"] // size):
        if (name, block) in done:
            continue
        p = BLOCKS[name](np.random.default_rng([content["seed"], place, block]), size, block * size)
        found = {
            "row": name, "block": block, "n": size, "rejected": int((p < ALPHA).sum()),
            "failed": int(np.isnan(p).sum()),
        }  # fmt: skip
        store.parent.mkdir(parents=True, exist_ok=True)
        with store.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
    print(f"{name}: {time.process_time() - started:.0f} s of a processor", flush=True)


def _stored(store: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.read_text("utf-8").splitlines()] if store.exists() else []


def rows_of(content: dict[str, Any], stored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was found of each row, as the study stores it."""
    found = []
    for row in content["rows"]:
        mine = [one for one in stored if one["row"] == row["id"]]
        if not mine:
            continue
        n, rejected, failed = (sum(one[key] for one in mine) for key in ("n", "rejected", "failed"))
        side = "greater" if row["reference"] == "at most" else "two-sided"
        p = float(binomtest(rejected, n, ALPHA, alternative=side).pvalue)
        found.append(
            {
                "label": row["label"], "group": "a known law", "n": n, "rejected": rejected, "failed": failed,
                "reference": row["reference"], "size": ALPHA, "p": p,
            }
        )  # fmt: skip
    return found


def main(words: list[str]) -> None:
    """Run the rows that are named, or all, and write the page from what is there."""
    content = tomllib.loads(LIST.read_text("utf-8"))
    for name in words or [row["id"] for row in content["rows"]]:
        run_row(name, content, STORE)
    found = {row["label"]: row for row in rows_of(content, _stored(STORE))}
    results = json.loads(operating_study.STORE.read_text("utf-8"))
    # Blocks stay on the machine that ran them: a row that has none here, or fewer, stands as it was.
    before = {row["label"]: row for row in results.get("laws", [])}
    rows = [
        max(
            (one[row["label"]] for one in (found, before) if row["label"] in one),
            key=lambda one: one["n"],
            default=None,
        )
        for row in content["rows"]
    ]
    results["laws"] = [row for row in rows if row is not None]
    operating_study.STORE.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    operating_study.write_page(results)


if __name__ == "__main__":
    main(sys.argv[1:])
