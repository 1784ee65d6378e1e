"""Errors of predictions, and verdicts where a limit was written down before."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remission.library.observations import ObservedSeries
from validation.pharmacology_rows.predict import Prediction

__all__ = ["LIMITS", "Limit", "cell", "row_of", "verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of ``pharmacology_limits.toml``."""

    id: str
    rows: tuple[str, ...]
    what: str
    why: str
    model: str | None = None
    low: float | None = None
    high: float | None = None
    at_most: float | None = None

    @property
    def text(self) -> str:
        """The limit in words."""
        return f"{self.low:g} to {self.high:g}" if self.at_most is None else f"at most {self.at_most:g}"


def _load() -> tuple[Limit, ...]:
    content = tomllib.loads((Path(__file__).parents[1] / "pharmacology_limits.toml").read_text(encoding="utf-8"))
    return tuple(Limit(id=name, **{**found, "rows": tuple(found["rows"])}) for name, found in content.items())


LIMITS = {limit.id: limit for limit in _load()}


def row_of(series: ObservedSeries) -> str:
    """The number of a row as the text writes it, ``V1`` to ``V21``."""
    return f"V{int(series.id[1:3])}"


def verdict(series: ObservedSeries, one: Prediction) -> str:
    """``pass`` or ``FAIL`` where a limit speaks of this row and model, nothing elsewhere."""
    if not series.values or series.both_forms or series.use == "shown":
        return ""
    factor = float(one.at_data[0]) / series.values[0]
    name = {"cmax": "peak_twofold", "auc": "auc_twofold", "peak": "peak_twofold"}.get(series.kind, "")
    row = row_of(series)
    if name and row in LIMITS[name].rows:
        limit = LIMITS[name]
        assert limit.low is not None
        assert limit.high is not None
        return "pass" if limit.low <= factor <= limit.high else "FAIL"
    size = float(np.median(np.abs(one.errors_percent(series))))
    for limit in LIMITS.values():
        if limit.model == one.model_id and row in limit.rows:
            assert limit.at_most is not None
            return "pass" if size <= limit.at_most else "FAIL"
    return ""


def cell(series: ObservedSeries, one: Prediction) -> str:
    """Site, error and verdict of one model on one row."""
    if series.values:
        errors = one.errors_percent(series)
        text = f"{np.median(errors):+.0f}%"
        if errors.size > 1:
            text += f", {np.median(np.abs(errors)):.0f}%"
    else:
        low, high = np.array(series.low), np.array(series.high)
        text = f"{np.count_nonzero((one.at_data >= low) & (one.at_data <= high))} of {low.size} inside"
    found = verdict(series, one)
    return f"{one.site.value} {text}{f' **{found}**' if found else ''}"
