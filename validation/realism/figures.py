"""Figures of the page on realism, in the look of the project."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.records.substance import Substance
from remission.report.look import CIRCUITS, INK, QUIET, drawing, finish
from validation.realism.score import Score
from validation.realism.statistics import LAGS

__all__ = ["draw_lags", "draw_scores", "draw_shares"]

_COLORS = {
    "before": CIRCUITS["basal ganglia"],
    "after": CIRCUITS["prefrontal"],
    "as shipped": CIRCUITS["extended amygdala"],
}
_STYLES = {"before": ":", "after": "-", "as shipped": "--"}
_Known = dict[str, tuple[float, float, float, float]]


def draw_lags(statistics: Mapping[Substance, tuple[_Known, Mapping[str, Mapping[str, float]]]], folder: Path) -> None:
    """Autocorrelation against lag: real with intervals, simulated as lines."""
    with drawing():
        figure = Figure(figsize=(9.0, 6.0), layout="constrained")
        for axes, (substance, (known, found)) in zip(_panels(figure, len(statistics)), statistics.items(), strict=True):
            value, low, high = (np.array([known[f"lag_{lag}"][k] for lag in LAGS]) for k in (0, 2, 3))
            axes.errorbar(
                LAGS, value, yerr=[value - low, high - value], fmt="o", color=INK, ms=3.5, lw=1.0, label="real, 95%"
            )
            for name, one in found.items():
                lags = [lag for lag in LAGS if f"lag_{lag}" in one]
                axes.plot(lags, [one[f"lag_{lag}"] for lag in lags], _STYLES[name], color=_COLORS[name], label=name)
            axes.axhline(0.0, color=QUIET, lw=0.6)
            axes.set_xticks([1, 7, 14, 21, 28])
            finish(axes, x="days apart", y="autocorrelation of use", title=substance.value)
        figure.axes[0].legend()
        _save(figure, folder / "realism-lags.svg")


def draw_shares(shares: Mapping[Substance, Mapping[str, np.ndarray]], folder: Path) -> None:
    """People in the order of their share of days with use."""
    with drawing():
        figure = Figure(figsize=(9.0, 6.0), layout="constrained")
        for axes, (substance, columns) in zip(_panels(figure, len(shares)), shares.items(), strict=True):
            for name, share in columns.items():
                order = np.linspace(0.0, 1.0, 201)
                color, style = (INK, "-") if name == "real" else (_COLORS[name], _STYLES[name])
                axes.plot(100.0 * order, 100.0 * np.quantile(share, order), style, color=color, label=name)
            finish(axes, x="people with less use, %", y="days with use, %", title=substance.value)
        figure.axes[0].legend()
        _save(figure, folder / "realism-shares.svg")


def draw_scores(scores: Mapping[str, Mapping[str, Score]], folder: Path) -> None:
    """Scores on summaries, with intervals."""
    with drawing():
        figure = Figure(figsize=(8.5, 3.6), layout="constrained")
        axes = figure.subplots()
        names = list(next(iter(scores.values())))
        for k, name in enumerate(names):
            rows = [row + 0.15 * (k - (len(names) - 1) / 2) for row in range(len(scores))]
            found = [one[name] for one in scores.values()]
            apart = [[s.value - s.low for s in found], [s.high - s.value for s in found]]
            color = _COLORS["as shipped" if name.endswith("as shipped") else name.partition(",")[0]]
            axes.errorbar(
                [s.value for s in found], rows, xerr=apart, fmt="D" if "other half" in name else "o", color=color,
                ms=4.5, lw=1.2, mfc="none" if name.startswith("before") else color, label=name,
            )  # fmt: skip
        axes.axvline(0.5, color=QUIET, lw=0.8)
        axes.set_yticks(range(len(scores)), list(scores))
        axes.set_ylim(len(scores) - 0.5, -0.5)
        axes.set_xlim(0.45, 1.0)
        finish(axes, x="area under the curve: 0.5 cannot tell, 1 always can", y="")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        _save(figure, folder / "realism-scores.svg")


def _panels(figure: Figure, count: int) -> list[Axes]:
    return list(figure.subplots(2, -(-count // 2)).ravel())


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None, "Creator": "remission"})
