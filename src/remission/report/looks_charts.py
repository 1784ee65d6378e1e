"""Looks at a trial before its end: their boundaries, and where simulated trials stop and why."""

from typing import Any

import numpy as np

from remission.report.chart import Chart, Table, told
from remission.report.design_study import ReportedDesign
from remission.report.look import INK, QUIET, canvas, finish
from remission.report.numbers import measure_text, share_text

_COLOR = "#3d35a0"
_REASONS = (
    ("success", "success", "#3d35a0", ""),
    ("harm", "harm", "#2a78b8", "//"),
    ("futility", "futility", "#6a6f7a", "xx"),
)


def looks_chart(study: ReportedDesign) -> Chart | None:
    """Boundaries of the test statistic by the share of people with a complete window."""
    looks = study.content.get("looks")
    if not looks:
        return None
    t = np.array(looks["fractions"], dtype=np.float64)
    z = np.array([np.nan if one is None else one for one in looks["z"]], dtype=np.float64)
    floors = looks.get("futility_z") or [None] * t.size
    low = np.array([np.nan if one is None else one for one in floors], dtype=np.float64)
    bounded = np.isfinite(z)
    with canvas(9.4, 3.9) as (figure, axes):
        axes.plot(
            100.0 * t[bounded], z[bounded], color=_COLOR, marker="o", markersize=5, label="stops for success above"
        )
        axes.plot(100.0 * t[bounded], -z[bounded], color="#2a78b8", marker="s", markersize=5, linestyle=(0, (6, 1.6)),
                  label="stops for harm below")  # fmt: skip
        if np.isfinite(low).any():
            axes.plot(100.0 * t, low, color=QUIET, marker="v", markersize=7, linestyle="none",
                      label="may stop for futility below")  # fmt: skip
        axes.axhline(0.0, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        finish(axes, x="people with a complete window, % of all", y="z statistic")
        axes.set_xticks(100.0 * t)
        axes.set_xlim(0.0, 104.0)
        figure.legend(loc="outside lower center", ncols=3)
    first, last = z[bounded][0], z[bounded][-1]
    return Chart(
        name="looks",
        title=f"A trial stops at |z| above {first:.2f} at the first look and {last:.2f} at the last",
        **told("looks"),
        figure=figure,
        table=Table(
            columns=("people with a complete window, %", "boundary of |z|", "futility below z"),
            rows=[
                [f"{100.0 * a:.0f}", f"{b:.3f}" if np.isfinite(b) else "none", f"{c:g}" if np.isfinite(c) else "none"]
                for a, b, c in zip(t, z, low, strict=True)
            ],
        ),
    )


def stops_chart(study: ReportedDesign) -> Chart | None:
    """At which look simulated trials of the largest design stop, and why."""
    row = study.main_rows[-1]
    found = row.get("sequential")
    if not found:
        return None
    looks: list[dict[str, Any]] = found["looks"]
    at = np.array([100.0 * one["fraction"] for one in looks])
    with canvas(9.4, 3.9) as (figure, axes):
        top = 0.0
        for place, (name, label, color, hatch) in enumerate(_REASONS):
            share = np.array([100.0 * one[name]["value"] for one in looks])
            error = np.array([196.0 * (one[name]["mcse"] or 0.0) for one in looks])
            if share.any():
                axes.bar(at + 3.2 * (place - 1), share, width=3.0, color=color, alpha=0.55, hatch=hatch,
                         edgecolor="#fdfcf9", yerr=error, ecolor=INK, capsize=2, error_kw={"elinewidth": 1.0},
                         label=f"stops for {label}")  # fmt: skip
                top = max(top, float((share + error).max()))
        finish(axes, x="people with a complete window at the look, % of all", y="% of trials")
        axes.set_xticks(at)
        axes.set_xlim(0.0, 106.0)
        axes.set_ylim(0.0, max(10.0, min(101.0, 1.15 * top)))
        if top:
            figure.legend(loc="outside lower center", ncols=3)
    days = "" if found["duration_day"] is None else f" and {measure_text(found['duration_day'])} days"
    return Chart(
        name="stops",
        title=(
            f"With {row['n_subjects']} people planned a trial takes {measure_text(found['n'])} on average{days}, "
            f"and rejects in {share_text(found['rejected'])}, simulated"
        ),
        **told("stops"),
        figure=figure,
        table=Table(
            columns=("people with a complete window, %", "success", "harm", "futility", "analyzed", "entered", "day"),
            rows=[
                [f"{100.0 * one['fraction']:.0f}", *(share_text(one[name]) for name, *_ in _REASONS),
                 measure_text(one["n_analysed"]), measure_text(one["n_enrolled"]),
                 measure_text(one["day"]) or "no recruitment plan"]
                for one in looks
            ],
        ),
    )  # fmt: skip


def sequential_table(study: ReportedDesign) -> Table | None:
    """What the looks change, a row a design; ``None`` without simulated looks."""
    rows = [(row, row["sequential"]) for row in study.main_rows if row.get("sequential")]
    if not rows:
        return None
    name = "type I error" if study.is_null else "power"
    return Table(
        columns=("people planned", f"{name} with looks (± error)", f"{name} without", "expected people",
                 "expected days", "estimate at the stop", "minus that at the end"),
        rows=[
            [str(row["n_subjects"]), share_text(one["rejected"]), share_text(row["rejected"]), measure_text(one["n"]),
             measure_text(one["duration_day"]) or "no recruitment plan", measure_text(one["estimate"]),
             measure_text(one["shift"])]
            for row, one in rows
        ],
    )  # fmt: skip
