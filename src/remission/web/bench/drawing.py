"""Small drawings of the workbench as SVG: power by people, results of trials. Colors are in design.css."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, isfinite

import numpy as np
from markupsafe import Markup

from remission.records.base import Record

_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _LOW = 360.0, 200.0, 42.0, 346.0, 12.0, 160.0
_NAMES = ("a", "b")
_MOST_TICKS = 6


class Point(Record):
    """Power at a number of people, with its Monte Carlo standard error; ``is_first``: of a first quick look."""

    n: int
    value: float
    mcse: float
    trials: int
    is_first: bool = False


class Series(Record):
    """One design: its letter's name and its points."""

    label: str
    points: tuple[Point, ...]


def power_svg(series: Sequence[Series], *, goal: float | None, name: str = "power") -> Markup:
    """Power by number of people; bands are 95% Monte Carlo intervals. One or two designs."""
    sizes = sorted({point.n for one in series for point in one.points})
    if not sizes:
        return Markup()
    low, high = (sizes[0], sizes[-1]) if len(sizes) > 1 else (sizes[0] - 1, sizes[0] + 1)

    def x(n: float) -> float:
        return _LEFT + (n - low) / (high - low) * (_RIGHT - _LEFT - 16.0) + 8.0

    def y(share: float) -> float:
        return _LOW - min(max(share, 0.0), 1.0) * (_LOW - _TOP)

    parts = [
        f'<path class="gl" d="M{_LEFT} {y(one):.1f}H{_RIGHT}"/><text x="{_LEFT - 6}" y="{y(one) + 4:.1f}" '
        f'text-anchor="end">{one:g}</text>'
        for one in (0, 0.2, 0.4, 0.6, 0.8, 1)
    ]
    shown = sizes if len(sizes) <= 6 else [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    parts += [f'<text x="{x(n):.1f}" y="{_LOW + 17}" text-anchor="middle">{n}</text>' for n in shown]
    if goal is not None:
        parts.append(f'<path class="goal" d="M{_LEFT} {y(goal):.1f}H{_RIGHT}"/>')
    for place, one in enumerate(series[:2]):
        points = sorted(one.points, key=lambda point: point.n)
        ends = [(x(p.n), y(p.value - 1.96 * p.mcse), y(p.value + 1.96 * p.mcse)) for p in points]
        mark = _NAMES[place]
        if len(points) > 1:
            band = (
                " L".join(f"{at:.1f} {top:.1f}" for at, _, top in ends)
                + " L"
                + " L".join(f"{at:.1f} {bottom:.1f}" for at, bottom, _ in reversed(ends))
            )
            line = " L".join(f"{x(p.n):.1f} {y(p.value):.1f}" for p in points)
            parts.append(f'<path class="band {mark}" d="M{band}Z"/><path class="ln {mark}" d="M{line}"/>')
        for point, (at, bottom, top) in zip(points, ends, strict=True):
            parts.append(f'<path class="bar {mark}" d="M{at:.1f} {bottom:.1f}V{top:.1f}"/>')
            kind = "dot first" if point.is_first else "dot"
            parts.append(f'<circle class="{kind} {mark}" cx="{at:.1f}" cy="{y(point.value):.1f}" r="4"/>')
    parts.append(f'<text x="{(_LEFT + _RIGHT) / 2:.0f}" y="{_HIGH - 4}" text-anchor="middle">people, all arms</text>')
    words = "; ".join(f"{one.label}: " + ", ".join(f"{p.n} people {p.value:.2f}" for p in one.points) for one in series)
    return _svg(parts, name=name, words=f"Power by people. {words}")


def round_ticks(low: float, high: float, *, is_ratio: bool = False) -> list[float]:
    """Two to six round numbers between two others, which must be above 0 for ratios.

    >>> round_ticks(-9.7, 27.0), round_ticks(0.04, 30.0, is_ratio=True)
    ([0.0, 10.0, 20.0], [0.1, 1.0, 10.0])
    """
    steps = [float(f"{digit}e{power}") for power in range(-9, 12) for digit in (1, 2, 5)]
    if is_ratio:
        inside = [one for one in steps if low <= one <= high]
        inside = inside if len(inside) <= _MOST_TICKS else [one for one in inside if f"{one:e}"[0] == "1"]
        if len(inside) > 1:
            return inside
    step = next((one for one in steps if (high - low) / one <= _MOST_TICKS - 1), steps[-1])
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)]


def short(value: float) -> str:
    """A number of three digits, with a minus that is one."""
    return f"{value:.3g}".replace("-", "\u2212")


def results_svg(
    values: np.ndarray,
    *,
    truth: float | None,
    published: tuple[float, float | None, float | None] | None,
    unit: str,
    is_ratio: bool,
    name: str = "results",
) -> Markup:
    """What single trials would report, as bars; the true value as a line, the published one as a diamond.

    ``published``: value and interval, unknown ends ``None``. Ratios are drawn on a logarithmic axis.
    """
    found = values[np.isfinite(values) & ((values > 0.0) | (not is_ratio))]
    if found.size < 2:
        return Markup()
    scale = np.log if is_ratio else lambda one: np.asarray(one, dtype=np.float64)
    marks = [
        one for one in (truth, *(published or ())) if one is not None and isfinite(one) and (one > 0 or not is_ratio)
    ]
    drawn = scale(found)
    # A handful of wild estimates would press all others into one bar: they are counted in the last bars.
    ends = [
        *np.quantile(drawn, [0.005, 0.995]),
        *(float(scale(one)) for one in marks),
        float(scale(1.0 if is_ratio else 0.0)),
    ]
    low, high = min(ends), max(ends)
    room = 0.04 * (high - low) or 1.0
    low, high = low - room, high + room
    counts, edges = np.histogram(np.clip(drawn, low, high), bins=24, range=(low, high))

    def x(one: float) -> float:
        return _LEFT + (one - low) / (high - low) * (_RIGHT - _LEFT)

    tall = (_LOW - 30.0) / counts.max()
    parts = [
        f'<rect class="hist" x="{x(a) + 0.5:.1f}" width="{max(1.0, x(b) - x(a) - 1.0):.1f}" '
        f'y="{_LOW - 10 - count * tall:.1f}" '
        f'height="{count * tall:.1f}"/>'
        for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
        if count
    ]
    none = x(float(scale(1.0 if is_ratio else 0.0)))
    parts.append(
        f'<path class="gl" d="M{none:.1f} 14V{_LOW - 10}"/><path class="ax" d="M{_LEFT} {_LOW - 10}H{_RIGHT}"/>'
    )
    marked = round_ticks(float(np.exp(low)), float(np.exp(high)), is_ratio=True) if is_ratio else round_ticks(low, high)
    parts += [
        f'<text x="{x(float(scale(one))):.1f}" y="{_LOW + 22}" text-anchor="middle">{short(one)}</text>'
        for one in marked
    ]
    if truth is not None and (truth > 0 or not is_ratio):
        at = x(float(scale(truth)))
        parts.append(
            f'<path class="truth" d="M{at:.1f} 14V{_LOW - 10}"/>'
            f'<text class="b" x="{min(at + 4, 250):.1f}" y="12">true value {truth:.3g}</text>'
        )
    if published is not None:
        value, lower, upper = published
        if lower is not None and upper is not None and (lower > 0 or not is_ratio):
            parts.append(f'<path class="pub" d="M{x(float(scale(lower))):.1f} {_LOW}H{x(float(scale(upper))):.1f}"/>')
        at = x(float(scale(value)))
        parts.append(f'<path class="diamond" d="M{at:.1f} {_LOW - 6}l6 6l-6 6l-6 -6Z"/>')
    parts.append(f'<text x="{(_LEFT + _RIGHT) / 2:.0f}" y="{_HIGH - 2}" text-anchor="middle">{escape(unit)}</text>')
    lower, upper = np.quantile(found, [0.025, 0.975])
    words = f"Estimates of {found.size} simulated trials, 95% of them from {lower:.3g} to {upper:.3g} {unit}."
    return _svg(parts, name=name, words=words)


def _svg(parts: Sequence[str], *, name: str, words: str) -> Markup:
    return Markup(  # noqa: S704 - drawn here from numbers; words are escaped
        f'<svg class="small-chart" id="svg-{name}" viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" role="img" '
        f'aria-label="{escape(words)}">'
        f"{''.join(parts)}</svg>"
    )


class Contact(Record):
    """An infusion or a session of an arm: its path in the file, its planned day, the earliest and latest one."""

    path: str
    label: str
    day: int
    first: int
    last: int


class ArmRow(Record):
    """One arm on the timeline."""

    label: str
    is_active: bool
    infusions: tuple[Contact, ...]
    sessions: tuple[Contact, ...]


def schedule_svg(arms: Sequence[ArmRow], visits: Sequence[int], *, follow_up_days: int, is_wide: bool) -> Markup:
    """Arms with their infusions and sessions by day, and the visits; a script lets infusions be moved."""
    contacts = [one for arm in arms for one in (*arm.infusions, *arm.sessions)]
    end = max([one.last for one in contacts] + [13]) + 3
    width, left = (620.0, 22.0) if is_wide else (350.0, 22.0)
    scale = (width - left - 14.0) / end

    def x(day: float) -> float:
        return left + day * scale

    step = next(one for one in (1, 7, 14, 28, 56, 112, 224, 448) if end / one <= (9 if is_wide else 5))
    tall = 66.0 * len(arms) + 90.0
    parts = [
        f'<path class="gl" d="M{x(day):.1f} 24V{tall - 30}"/><text x="{x(day):.1f}" y="16" text-anchor="middle">'
        f"{'day 0' if day == 0 else day}</text>"
        for day in range(0, end + 1, step)
    ]
    for place, arm in enumerate(arms):
        y = 66.0 * place + 62.0
        parts.append(f'<text class="b" x="{left - 10}" y="{y - 20}">{escape(arm.label)}</text>')
        parts.append(f'<path class="gl" d="M{left} {y}H{width - 14}"/>')
        parts += [
            f'<rect class="session" data-of="{escape(one.path)}" x="{x(one.day) - 3 + 9:.1f}" y="{y - 9}" '
            f'width="5" height="18"><title>{escape(one.label)}, day {one.day}</title></rect>'
            for one in arm.sessions
        ]
        for order, one in enumerate(arm.infusions):
            low = y + 12 + 6 * (order % 2)
            if one.last > one.first:
                parts.append(
                    f'<path class="gap" d="M{x(one.first):.1f} {low}v6M{x(one.first):.1f} {low + 3}H{x(one.last):.1f}'
                    f'M{x(one.last):.1f} {low}v6"/>'
                )
            kind = "dot" if arm.is_active else "dot open"
            parts.append(
                f'<g class="inf" data-path="{escape(one.path)}" data-day="{one.day}" data-label="{escape(one.label)}" '
                f'transform="translate({x(one.day):.1f} {y})"><title>{escape(one.label)}, day {one.day}</title>'
                f'<circle class="hit" r="17"/><circle class="{kind}" r="8.5"/></g>'
            )
    y = tall - 40.0
    near = [day for day in visits if day <= end]
    later = [day for day in visits if day > end]
    parts.append(f'<text x="{left - 10}" y="{y - 10}">visits</text><path class="ax" d="M{left} {y}H{width - 14}"/>')
    parts += [f'<path class="visit" d="M{x(day):.1f} {y - 7}v14"/>' for day in near]
    shown = ", ".join(map(str, later[:6])) + (" and more" if len(later) > 6 else "")
    words = f"then visits on days {shown}" if later else f"follow-up to day {follow_up_days - 1}"
    parts.append(f'<text x="{width - 14}" y="{tall - 8}" text-anchor="end">{words}</text>')
    told = "; ".join(
        f"{arm.label}: infusions on day {', '.join(str(one.day) for one in arm.infusions) or 'none'}" for arm in arms
    )
    size = "wide" if is_wide else "narrow"
    return Markup(  # noqa: S704 - drawn here from numbers; words are escaped
        f'<svg class="small-chart schedule {size}" viewBox="0 0 {width:.0f} {tall:.0f}" role="img" data-x0="{left}" '
        f'data-px="{scale:.4f}" aria-label="{escape(told)}">{"".join(parts)}</svg>'
    )
