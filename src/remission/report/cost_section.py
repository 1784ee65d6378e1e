"""Cost and access in a design report: sentences, charts and tables from the numbers of ``--prices``.

Money is the reader's matter: no price is invented, what has none is named, and no sentence here is a promise to a
patient.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from remission.design.day_cost import price_text
from remission.numerics.digits import from_to
from remission.numerics.intervals import Z95
from remission.report.chart import Chart, Table, told
from remission.report.design_study import ReportedDesign
from remission.report.look import INK, QUIET, arm_styles, canvas, finish
from remission.report.numbers import share_text
from remission.report.words import WORDS

_COLOR = "#3d35a0"
_SAID = WORDS["cost"]


def cost_lines(study: ReportedDesign) -> list[str]:
    """What a reader must know before the numbers."""
    cost = study.content["cost"]
    lines = [_SAID["no_promise"]]
    if cost["set"] is not None:
        lines.append(_SAID["library"].format(note=cost["note"]))
    lines += [f"Left out of every sum: {line}." for line in cost["left_out"]]
    day = cost.get("abstinent_day")
    return [*lines, _SAID["no_day"] if day is None else _day_line(day, cost["currency"])]


def cost_charts(study: ReportedDesign) -> list[Chart]:
    """The range of each course, and how often a day is worth its price."""
    cost = study.content.get("cost")
    if not cost:
        return []
    charts = [_courses(study, cost)]
    day = cost.get("abstinent_day")
    if day is not None and day["extra"] > 0.0:
        charts.append(_acceptability(study, cost, day))
    return charts


def cost_tables(study: ReportedDesign) -> list[tuple[str, str, Table]]:
    """File name, caption and table: people for a budget, hours, worth of a day, sources; only those that exist."""
    cost = study.content.get("cost")
    if not cost:
        return []
    unit, labels = cost["currency"], {one["arm"]: one["label"] for one in cost["courses"]}
    found = []
    if "people_for_budget" in cost:
        donated = cost.get("charity", {}).get("people", {})
        rows = [
            [
                labels[arm],
                from_to(few, cost["most_people_for_budget"][arm]),
                from_to(*donated[arm]) if arm in donated else "",
            ]
            for arm, few in cost["people_for_budget"].items()
        ]
        columns = [
            "arm",
            "people whose whole course it pays for",
            "people whose ketamine sessions it carries as a donation",
        ]
        keep = 3 if donated else 2
        caption = f"People for {cost['budget']:,.0f} {unit}"
        if donated:
            caption += (
                f". As a donation: {100.0 * cost['charity']['share']:.0f}% of a session. {cost['charity']['words']}"
            )
        found.append(("budget", caption, Table(columns=columns[:keep], rows=[row[:keep] for row in rows])))
    found.append(
        (
            "hours",
            _SAID["hours"],
            Table(
                columns=("arm", "days with a session", "infusions, h", "recovery, h", "therapy, h", "all, h"),
                rows=[
                    [one["label"], str(one["n_days"]), f"{one['infusion_h']:.1f}",
                     f"{one['recovery_low_h']:.1f} to {one['recovery_high_h']:.1f}", f"{one['therapy_h']:.1f}",
                     f"{one['total_h'][0]:.1f} to {one['total_h'][1]:.1f}"]
                    for one in cost["hours"]
                ],
            ),
        )
    )  # fmt: skip
    day = cost.get("abstinent_day")
    if day is not None and day["net_benefit"]:
        found.append(
            (
                "net-benefit",
                f"Net benefit for each person, in {unit}, by what a further abstinent day may cost",
                Table(
                    columns=("a day may cost", "mean", "95% of trials and prices", "above 0 (± error)"),
                    rows=[
                        [f"{one['worth_of_day']:g}", f"{one['mean']:,.0f}", f"{one['low']:,.0f} to {one['high']:,.0f}",
                         share_text(one["acceptable"])]
                        for one in day["net_benefit"]
                    ],
                ),
            )
        )  # fmt: skip
    if cost["sources"]:
        found.append(
            (
                "prices",
                "Prices that were read, with the way they were read and their grade",
                Table(
                    columns=("price", "amount", "in the sums", "source", "read as", "grade", "month"),
                    rows=[
                        [one["item"], from_to(one["low"], one["high"]),
                         "yes" if one["is_in_sums"] else "no, beside them", f"{one['source']} ({one['unit']})",
                         one["kind"], one["grade"], one["read"]]
                        for one in cost["sources"]
                    ],
                ),
            )
        )  # fmt: skip
    return found


def _courses(study: ReportedDesign, cost: Mapping[str, Any]) -> Chart:
    courses, unit = cost["courses"], cost["currency"]
    with canvas(9.4, 1.1 + 0.46 * len(courses)) as (figure, axes):
        for row, (one, style) in enumerate(zip(courses, arm_styles(study.protocol), strict=True)):
            y = len(courses) - row
            axes.plot([one["low"], one["high"]], [y, y], color=style.color, linewidth=6.0, alpha=0.4)
            axes.plot([one["amount"]], [y], color=style.color, marker=style.marker, markersize=7)
        axes.set_yticks(range(len(courses), 0, -1), [one["label"] for one in courses])
        axes.tick_params(axis="y", length=0)
        finish(axes, x=f"a complete course, {unit}", y="")
        axes.grid(visible=False, axis="y")
        axes.set_xlim(left=0.0)
        axes.set_ylim(0.4, len(courses) + 0.6)
    dearest = max(courses, key=lambda one: one["high"])
    names = {name for one in courses for name in one["left_out"]}
    without = f", without {' and '.join(sorted(names))}" if names else ""
    return Chart(
        name="courses",
        title=f"{dearest['label']}: {from_to(dearest['low'], dearest['high'])} {unit} for a complete course{without}",
        **told("courses"),
        figure=figure,
        table=Table(
            columns=("arm", "ketamine infusions", "therapy sessions", f"lowest to highest, {unit}", "left out"),
            rows=[
                [one["label"], str(one["n_infusions"]), str(one["n_therapy_sessions"]),
                 from_to(one["low"], one["high"]), ", ".join(one["left_out"]) or "nothing"]
                for one in courses
            ],
        ),
    )  # fmt: skip


def _acceptability(study: ReportedDesign, cost: Mapping[str, Any], day: Mapping[str, Any]) -> Chart:
    """Share of trials whose net benefit is above 0, by what a day may cost; prices from low to high as a band."""
    unit, n_days = cost["currency"], len(study.endpoint.window)
    values = study.estimates[-1]
    days = values[np.isfinite(values)] * n_days / 100.0
    top = 4.0 * (day["amount"] or day["extra_high"] / max(day["days_high"], 1.0))
    worth = np.linspace(0.0, top, 81)
    shares = [
        100.0 * (worth[:, None] * days[None, :] > extra).mean(axis=1)
        for extra in (day["extra_low"], day["extra"], day["extra_high"])
    ]
    error = Z95 * np.sqrt(np.maximum(shares[1] * (100.0 - shares[1]), 0.0) / days.size)
    with canvas(9.4, 4.0) as (figure, axes):
        if day["extra_high"] > day["extra_low"]:
            axes.fill_between(worth, shares[2], shares[0], color=_COLOR, alpha=0.16, linewidth=0.0,
                              label="between the highest and the lowest prices")  # fmt: skip
        axes.plot(worth, shares[1], color=_COLOR, label="prices in the middle of their ranges")
        axes.fill_between(worth, shares[1] - error, shares[1] + error, color=_COLOR, alpha=0.3, linewidth=0.0,
                          label="95% Monte Carlo interval")  # fmt: skip
        for one in day["net_benefit"]:
            if one["worth_of_day"] <= top:
                axes.axvline(one["worth_of_day"], color=INK, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.axhline(50.0, color=QUIET, linewidth=0.6)
        finish(axes, x=f"what a further abstinent day may cost, {unit}", y="% of trials with a net benefit above 0")
        axes.set_ylim(0.0, 101.0)
        axes.set_xlim(0.0, top)
        figure.legend(loc="outside lower center", ncols=3)
    half = next((w for w, s in zip(worth, shares[1], strict=True) if s >= 50.0), None)
    words = "less than half of the trials find a net benefit in this range"
    if half is not None:
        words = f"from about {half:,.0f} {unit} a day half of the trials find a net benefit"
    shown = np.linspace(0, worth.size - 1, 9).astype(int)
    return Chart(
        name="acceptability",
        title=f"{words[0].upper()}{words[1:]}, simulated",
        **told("acceptability"),
        figure=figure,
        table=Table(
            columns=(
                f"a day may cost, {unit}",
                "% with highest prices",
                "% with middle prices",
                "% with lowest prices",
            ),
            rows=[[f"{worth[i]:,.0f}", *(f"{shares[k][i]:.0f}" for k in (2, 1, 0))] for i in shown],
        ),
    )


def _day_line(day: Mapping[str, Any], unit: str) -> str:
    differ, gain = from_to(day["extra_low"], day["extra_high"]), 100.0 * day["share_without_gain"]
    start: str = _SAID["gain"].format(**day, percent_without_gain=gain, differ=differ, unit=unit)
    if day["amount"] is None:
        return start + _SAID["gain_without_price"]
    price, low, high = (None if day[name] is None else price_text(day[name], day) for name in ("amount", "low", "high"))
    if high is not None:
        return start + _SAID["day"].format(price=price, unit=unit, low=low, high=high)
    floor = "without any bound" if low is None else f"from {low} upward without an end"
    return start + _SAID["day_open"].format(price=price, unit=unit, floor=floor)
