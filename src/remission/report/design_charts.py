"""Charts of a design: power, estimates, looks, assurance and recruitment, each only where it was asked for."""

from math import fsum

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from remission.design.effect_models import MEANS
from remission.numerics.intervals import Z95
from remission.patient.standing import standing_of_protocol
from remission.report.chart import Chart, Table, told
from remission.report.design_study import ReportedDesign, rejected_of
from remission.report.look import INK, PAPER, QUIET, canvas, finish
from remission.report.numbers import measure_text, share_text
from remission.report.words import read_as

_COLOR = "#3d35a0"
_SECOND = "#2a78b8"


def power_chart(study: ReportedDesign) -> Chart | None:
    """The share of trials with a p value below alpha by number of people; none for a single size."""
    rows = study.main_rows
    if len(rows) < 2:
        return None
    n = np.array([row["n_subjects"] for row in rows])
    share = np.array([100.0 * rejected_of(row)["value"] for row in rows])
    error = np.array([100.0 * rejected_of(row)["mcse"] for row in rows])
    name = "type I error" if study.is_null else "power"
    goal = 100.0 * study.alpha if study.is_null else _goal(study)
    with canvas(9.4, 4.2) as (figure, axes):
        drawn = axes.errorbar(n, share, yerr=Z95 * error, color=_COLOR, marker="o", markersize=5, capsize=3,
                              linewidth=1.6, elinewidth=1.1)  # fmt: skip
        if goal is not None:
            _level(axes, goal, f"{'alpha' if study.is_null else 'asked for'}, {goal:g}%")
        finish(axes, x="people in the trial", y=f"{name}, % of trials")
        axes.set_xticks(n)
        axes.set_ylim(0.0, max(1.25 * (share + Z95 * error).max(), 1.4 * (goal or 0.0)) if study.is_null else 101.0)
        _say(axes, drawn.lines[0], "simulated; bars: 95% Monte Carlo interval")
    smallest = study.content.get("smallest_n")
    which = "smallest size" if study.content.get("search") else "smallest of these sizes"
    found = f"; {smallest} people are the {which} with {goal:g}%" if smallest and goal else ""
    return Chart(
        name="power",
        title=(
            f"{name.capitalize()} of {share[0]:.0f}% with {n[0]} people and {share[-1]:.0f}% with {n[-1]}, "
            f"simulated{found}"
        ),
        **told("power"),
        figure=figure,
        table=Table(
            columns=("people", "trials simulated", f"{name} (Monte Carlo error), %", "failed analyses"),
            rows=[
                [str(row["n_subjects"]), str(row["n_replicates"]), share_text(rejected_of(row)), str(row["n_failed"])]
                for row in rows
            ],
        ),
    )


def estimates_chart(study: ReportedDesign) -> Chart:
    """Where the estimate of one such trial falls, by number of people, with the true and the published value."""
    rows, log = study.main_rows, study.analysis.is_ratio
    n = np.array([row["n_subjects"] for row in rows], dtype=np.float64)
    bands, middles = [], []
    for found in study.estimates:
        values = found[np.isfinite(found)]
        bands.append(np.quantile(values, [0.025, 0.975]) if values.size else np.full(2, np.nan))
        center = np.log(values).mean() if log else values.mean()
        middles.append(float(np.exp(center) if log else center) if values.size else np.nan)
    low, high = np.array(bands).T
    middle, published = np.array(middles), study.published
    with canvas(9.4, 4.4) as (figure, axes):
        if n.size > 1:
            axes.fill_between(n, low, high, color=_COLOR, alpha=0.2, linewidth=0.0, label="simulated: 95% of trials")
            axes.plot(n, middle, color=_COLOR, marker="o", markersize=5, label="simulated: mean")
        else:
            axes.plot([n[0]] * 2, [low[0], high[0]], color=_COLOR, linewidth=5.0, alpha=0.35,
                      label="simulated: 95% of trials")  # fmt: skip
            axes.plot(n, middle, color=_COLOR, marker="o", markersize=7, linestyle="none", label="simulated: mean")
            axes.set_xlim(n[0] - 1.0, n[0] + 1.0)
        none = 1.0 if log else 0.0
        axes.axhline(none, color=INK, linewidth=0.9, linestyle=(0, (3, 2)), label="no effect")
        if study.truth is not None and not study.is_null:
            axes.axhline(study.truth, color=_SECOND, linewidth=1.2, linestyle=(0, (6, 1.5, 1, 1.5)),
                         label="true value of the estimand, simulated")  # fmt: skip
        if published is not None:
            _published(axes, study, n)
        if log:
            axes.set_yscale("log")
        finish(axes, x="people in the trial", y=f"{study.analysis.label}, {study.effect_unit}")
        axes.set_xticks(n)
        figure.legend(loc="outside lower center", ncols=3)
    words = "" if published is None else f"; {published.value:g} published"
    return Chart(
        name="estimates",
        title=(
            f"{study.analysis.label}: {middle[-1]:.2g} simulated with {int(n[-1])} people, 95% of trials "
            f"{low[-1]:.2g} to {high[-1]:.2g} {study.effect_unit}{words}"
        ),
        see="Simulated: the band holds 95% of the estimates, a prediction for one trial; the line is their mean."
        + (" Published: the diamond and its interval." if published is not None else ""),
        cannot=(
            "A trial stopped at significance reports a larger effect than this mean. "
            + " ".join(standing_of_protocol(study.protocol).lines)
        ),
        figure=figure,
        table=Table(
            columns=("people", f"simulated mean, {study.effect_unit}", "95% of trials", "true value", "published"),
            rows=[
                [
                    str(int(n[i])),
                    f"{middle[i]:.3g}",
                    f"{low[i]:.3g} to {high[i]:.3g}",
                    "" if study.truth is None else f"{study.truth:.3g}",
                    "" if published is None else f"{published.value:g}",
                ]
                for i in range(n.size)
            ],
        ),
    )


def assurance_chart(study: ReportedDesign) -> Chart | None:
    """Where the variance of the estimate comes from, as one bar; what falls below zero is in the table only."""
    found = study.content.get("assurance")
    if not found or any(found[name] is None for name in ("parameter_variance", "sampling_variance")):
        return None
    parts = (
        (f"the model's values ({found['source']})", found["parameter_variance"], "//"),
        ("sampling error that the analyses report", found["sampling_variance"], ""),
        ("what trials vary beyond that", found["between_trial_variance"] or 0.0, "xx"),
    )
    colors = (_SECOND, _COLOR, "#6a6f7a")
    with canvas(9.4, 2.1) as (figure, axes):
        left = 0.0
        for (name, value, hatch), color in zip(parts, colors, strict=True):
            if value > 0.0:
                axes.barh([0], [value], left=left, color=color, alpha=0.55, hatch=hatch, edgecolor=PAPER, label=name)
                left += value
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("variance of the estimate" + (", log scale" if study.analysis.is_ratio else ""))
        figure.legend(loc="outside lower center", ncols=3)
    share = share_text(found["probability"])
    total = fsum(max(0.0, value) for _, value, _ in parts) or 1.0
    return Chart(
        name="assurance",
        title=f"Assurance {share} (effect model {found['effect_model']}), and what the chain leaves open",
        **told("assurance"),
        figure=figure,
        table=Table(
            columns=("part", "variance", "share of the bar"),
            rows=[[name, f"{value:.3g}", f"{100.0 * max(0.0, value) / total:.0f}%"] for name, value, _ in parts],
        ),
    )


def effect_model_table(study: ReportedDesign) -> Table | None:
    """Assurance under each effect model; ``None`` where none was asked for."""
    found = study.content.get("assurance")
    if not found:
        return None
    return Table(
        columns=("effect model", "what it rests on", "assurance (± error)", "mean effect (± error)",
                 "uncertainty of the effect, SD"),
        rows=[
            [
                f"{name}, the answer" if name == found["effect_model"] else name,
                MEANS[name],
                share_text(one["probability"]) or "",
                measure_text(one["effect"]) or "none can be told",
                "" if one["effect_sd"] is None else f"{one['effect_sd']:.2g}",
            ]
            for name, one in found["models"].items()
        ],
    )  # fmt: skip


def evidence_table(study: ReportedDesign) -> Table | None:
    """Assurance given sets of published trials; ``None`` where none was asked for."""
    sets = (study.content.get("assurance") or {}).get("given") or []
    if not sets:
        return None
    return Table(
        columns=(
            "published trials that weigh the draws",
            "draws that speak",
            "assurance (± error)",
            "mean effect (± error)",
            "uncertainty of the effect, SD",
        ),
        rows=[
            [
                " and ".join(one["trials"]) or "none, the prior",
                f"{one['n_effective']:.0f}",
                share_text(one["probability"]) or "too few draws to say",
                measure_text(one["effect"]) or "too few draws to say",
                "" if one["effect_sd"] is None else f"{one['effect_sd']:.2g}",
            ]
            for one in sets
        ],
    )


def recruitment_chart(study: ReportedDesign) -> Chart | None:
    """People who have entered by calendar day, over simulated trials."""
    found = study.flow.recruitment
    if found is None:
        return None
    entry = found.entry_day
    count = np.arange(1, entry.shape[1] + 1)
    low, middle, high = np.quantile(entry, [0.025, 0.5, 0.975], axis=0)
    end = [float(q) for q in np.quantile(found.duration_day, [0.025, 0.5, 0.975])]
    with canvas(9.4, 3.9) as (figure, axes):
        axes.fill_betweenx(count, low, high, color=_COLOR, alpha=0.2, linewidth=0.0)
        (drawn,) = axes.plot(middle, count, color=_COLOR)
        finish(axes, x="day since the trial opened", y="people randomized")
        axes.set_xlim(0.0, high[-1] * 1.25)
        axes.set_ylim(0.0, count[-1] * 1.06)
        _say(axes, drawn, "median; band: 95% of trials")
    marks = sorted({max(1, round(count.size * share)) for share in (0.25, 0.5, 0.75, 1.0)})
    return Chart(
        name="recruitment",
        title=(
            f"Simulated: {count.size} people are in after {middle[-1]:.0f} days, the trial ends after {end[1]:.0f}: "
            f"95% of trials {end[0]:.0f} to {end[2]:.0f} days"
        ),
        **told("recruitment"),
        figure=figure,
        table=Table(
            columns=("people randomized", "day, median", "95% of trials"),
            rows=[[str(m), f"{middle[m - 1]:.0f}", f"{low[m - 1]:.0f} to {high[m - 1]:.0f}"] for m in marks],
        ),
    )


def _goal(study: ReportedDesign) -> float | None:
    words = list(study.words)
    return 100.0 * float(words[words.index("--power") + 1]) if "--power" in words else None


def _say(axes: Axes, drawn: Artist, text: str) -> None:
    """What a line and its bars are, where neither is: beside the last point the words would lie on them."""
    axes.legend([drawn], [text], loc="best")


def _level(axes: Axes, y: float, text: str, *, dash: object = (0, (3, 2)), color: str = INK) -> None:
    axes.axhline(y, color=color, linewidth=0.9, linestyle=dash)
    axes.annotate(text, (0.005, y), (0, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
                  fontsize=7.5, color=QUIET)  # fmt: skip


def _published(axes: Axes, study: ReportedDesign, n: np.ndarray) -> None:
    found = study.published
    assert found is not None, "asked by the caller"
    at = float(study.protocol.population.n_subjects)
    if n.size == 1:
        at = float(n[0]) + 0.25  # beside the bar, whatever the number of people
    if found.ci_low is not None and found.ci_high is not None:
        axes.plot([at, at], [found.ci_low, found.ci_high], color=INK, linewidth=1.1, zorder=4)
    is_first_hand = found.source_kind == "abstract or registry"
    axes.plot([at], [found.value], marker="D", markersize=6.5, color=INK, zorder=5, linestyle="none",
              markerfacecolor=INK if is_first_hand else "none", markeredgewidth=1.3,
              label=f"published ({read_as(found.source_kind)})")  # fmt: skip
