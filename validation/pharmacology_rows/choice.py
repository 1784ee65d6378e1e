"""The default kinetic model by the criterion of ``pharmacology_choice.toml``: scores, and what separates two models."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np

from remission.library.observations import ObservedSeries, load_observed_series
from remission.pk import PkModel, load_pk_model
from remission.records.analyte import SamplingSite
from validation.pharmacology_rows.predict import predict_row
from validation.venous_link import HASAN, ZARATE, fit_link

__all__ = ["CRITERION", "Score", "row_sizes", "score_of", "score_table", "separation_table"]

CRITERION = tomllib.loads((Path(__file__).parents[1] / "pharmacology_choice.toml").read_text(encoding="utf-8"))
_HELD_RATES = (0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Mean over studies of the mean size of their rows. [percent]"""

    percent: float
    by_study: dict[str, float]


def _study_of(row: str) -> str:
    return next(study for study, rows in CRITERION["studies"].items() if row in rows)


def _size(series: ObservedSeries, predicted: np.ndarray) -> float:
    return float(np.median(np.abs(np.log(np.array(series.values) / predicted))) * 100.0)


@cache
def _held_out(model_id: str, study: str) -> tuple[PkModel, ...]:
    """The model with links that never saw the study; several where one value cannot give both numbers."""
    model = load_pk_model(model_id)
    if study == "hasan":
        fits = [fit_link(ZARATE, rate_per_h=rate, model=model) for rate in _HELD_RATES]
        pairs = [(fit.fast_fraction, rate) for fit, rate in zip(fits, _HELD_RATES, strict=True)]
    else:
        fit = fit_link(HASAN, model=model)
        pairs = [(fit.fast_fraction, fit.rate_per_h)]
    return tuple(model.replace_values(venous_fast_fraction=f, venous_rate_per_h=k2) for f, k2 in pairs)


@cache
def row_sizes(site: str) -> dict[str, dict[str, float]]:
    """Size of each row for each model that counts there. [percent]"""
    found: dict[str, dict[str, float]] = {}
    for row in CRITERION["sites"][site]:
        series, study = load_observed_series(row), _study_of(row)
        for one in predict_row(series, bands=False)[0]:
            if study in CRITERION["fitted_to"].get(one.model_id, []):
                continue
            model = load_pk_model(one.model_id)
            size = _size(series, one.at_data)
            if site == "venous" and model.plasma_site is SamplingSite.ARTERIAL:
                size = max(
                    _size(series, again.at_data)
                    for changed in _held_out(one.model_id, study)
                    for again in predict_row(series, bands=False, models=[changed])[0]
                )
            rows = found.setdefault(one.model_id, {})
            rows[row] = max(size, rows.get(row, 0.0))
    return found


def score_of(rows: dict[str, float], *, only: Sequence[str] | None = None, without: str = "") -> Score | None:
    """The score over the rows that count, or none."""
    by_study: dict[str, list[float]] = {}
    for row, size in rows.items():
        if (only is None or row in only) and _study_of(row) != without:
            by_study.setdefault(_study_of(row), []).append(size)
    if not by_study:
        return None
    means = {study: float(np.mean(sizes)) for study, sizes in by_study.items()}
    return Score(percent=float(np.mean(list(means.values()))), by_study=means)


def score_table(order: Sequence[str], short: dict[str, str]) -> str:
    """Scores of every model at every site."""
    sites = list(CRITERION["sites"])
    lines = ["| model | " + " | ".join(sites) + " |", "|---|" + "---|" * len(sites)]
    for name in order:
        cells = []
        for site in sites:
            score = score_of(row_sizes(site).get(name, {}))
            if score is None:
                cells.append("none that counts")
                continue
            parts = ", ".join(f"{study} {size:.0f}" for study, size in score.by_study.items())
            cells.append(f"{score.percent:.1f} ({parts})")
        lines.append(f"| {short.get(name, name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def separated(site: str, first: str, second: str) -> tuple[float, float, bool] | None:
    """Scores of two models over the rows that count for both, and whether they are separated; None without rows."""
    sizes = row_sizes(site)
    common = sorted(set(sizes.get(first, {})) & set(sizes.get(second, {})))
    studies = sorted({_study_of(row) for row in common})
    if not common:
        return None
    pairs = []
    for without in ["", *studies] if len(studies) > 1 else [""]:
        one, other = (score_of(sizes[name], only=common, without=without) for name in (first, second))
        assert one is not None
        assert other is not None
        pairs.append((one.percent, other.percent))
    differences = [one - other for one, other in pairs]
    is_same = all(one > 0.0 for one in differences) or all(one < 0.0 for one in differences)
    far = abs(differences[0]) >= CRITERION["separation_points"]
    return pairs[0][0], pairs[0][1], bool(is_same and far and len(studies) > 1)


def separation_table(names: Sequence[str], short: dict[str, str]) -> str:
    """Every pair of models with the default in it, at each site."""
    lines = [
        "| site | default | beside | score of the default | score of the other | separated |",
        "|---|---|---|---|---|---|",
    ]
    default = load_pk_model().id
    for site in CRITERION["sites"]:
        for first, second in combinations([default, *(one for one in names if one != default)], 2):
            if first != default:
                continue
            found = separated(site, first, second)
            if found is None:
                lines.append(f"| {site} | {short[first]} | {short.get(second, second)} | | | no row counts for both |")
                continue
            word = "yes" if found[2] else "no"
            lines.append(
                f"| {site} | {short[first]} | {short.get(second, second)} | {found[0]:.1f} | {found[1]:.1f} | {word} |"
            )
    return "\n".join(lines)
