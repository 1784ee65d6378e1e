"""What each arm gets, drawn as a schedule: infusions, therapy sessions and medicine by day, visits at the foot."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from remission.protocol.explanation import explain_way_of_life, explain_worth
from remission.protocol.record import Protocol
from remission.records.treatment import Arm, DrugCourse
from remission.report.arm_kinds import is_full_therapy
from remission.report.chart import Chart, Table, told
from remission.report.look import INK, PAPER, QUIET, arm_styles, drawing


def schedule_chart(protocol: Protocol) -> Chart:
    """One row an arm; the days before the last contact are drawn wide, the rest of follow-up narrow."""
    last = max([_last_contact(arm, protocol) for arm in protocol.arms] + [0])
    is_split = protocol.follow_up_days > 2 * (last + 4)
    with drawing():
        figure = Figure(figsize=(9.4, 1.5 + 0.62 * len(protocol.arms)), layout="constrained")
        if is_split:
            left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2.6, 1.0])
            panels = [(left, -0.8, last + 3.0), (right, last + 3.0, float(protocol.follow_up_days))]
        else:
            panels = [(figure.subplots(), -0.8, float(protocol.follow_up_days))]
        for axes, low, high in panels:
            _panel(axes, protocol, low, high)
        figure.legend(handles=list(_handles(protocol)), loc="outside lower center", ncols=4)
    contacts = [_counts(arm, protocol) for arm in protocol.arms]
    most = max(range(len(contacts)), key=lambda index: sum(contacts[index]))
    infusions, sessions = contacts[most]
    return Chart(
        name="schedule",
        title=(
            f"{protocol.arms[most].label}: {_of(infusions, 'infusion')} and {_of(sessions, 'therapy session')}; "
            f"{protocol.follow_up_days} days of follow-up"
        ),
        **told("schedule"),
        figure=figure,
        table=Table(
            columns=(
                "arm",
                "infusions on day",
                "drug",
                "therapy sessions on day",
                "therapy",
                "worth of a session",
                "medicine",
                "way of life",
            ),
            rows=[_row(arm, protocol) for arm in protocol.arms],
        ),
    )


def _panel(axes: Axes, protocol: Protocol, low: float, high: float) -> None:
    n_arms = len(protocol.arms)
    for row, (arm, style) in enumerate(zip(protocol.arms, arm_styles(protocol), strict=True)):
        y = float(n_arms - row)
        axes.axhline(y, color=QUIET, linewidth=0.5, zorder=1)
        if arm.medicine is not None:
            axes.plot([0, protocol.follow_up_days], [y - 0.22] * 2, color=style.color, linewidth=3.0, alpha=0.55)
        for first, usual, latest, is_active in _infusions(arm, protocol):
            if latest > first:
                axes.plot([first, latest], [y + 0.2] * 2, color=style.color, linewidth=1.0)
            face = style.color if is_active else PAPER
            axes.plot([usual], [y + 0.2], marker="^", markersize=8, color=style.color, markerfacecolor=face, zorder=3)
        for day, is_full in _sessions(arm, protocol):
            face = style.color if is_full else PAPER
            axes.plot([day], [y - 0.05], marker="o", markersize=5.5, color=style.color, markerfacecolor=face, zorder=3)
    days = sorted({day for visit in protocol.visits for day in visit.days})
    axes.plot(days, [0.2] * len(days), marker="|", markersize=9, color=INK, linestyle="none")
    for stay in protocol.setting.inpatient:
        axes.axvspan(stay.first, stay.last + 1, facecolor="none", edgecolor=QUIET, hatch="///", alpha=0.3, linewidth=0)
    axes.set_yticks([*range(n_arms, 0, -1), 0.2], [*(arm.label for arm in protocol.arms), "visits"])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(low, high)
    axes.set_ylim(-0.3, n_arms + 0.6)
    axes.set_xlabel("day")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _handles(protocol: Protocol) -> Iterator[Line2D]:
    """Only what is drawn."""
    kinds = {active for arm in protocol.arms for *_, active in _infusions(arm, protocol)}
    names = {True: "ketamine infusion", False: "control infusion"}
    for active in sorted(kinds, reverse=True):
        yield _mark("^", names[active], is_full=active)
    talks = {full for arm in protocol.arms for _, full in _sessions(arm, protocol)}
    for full in sorted(talks, reverse=True):
        yield _mark("o", "therapy session" if full else "education or other contact", is_full=full)
    if any(arm.medicine is not None for arm in protocol.arms):
        yield Line2D([], [], color=QUIET, linewidth=3.0, alpha=0.55, label="medicine")
    if protocol.visits:
        yield Line2D([], [], color=INK, marker="|", markersize=9, linestyle="none", label="visit")


def _mark(marker: str, label: str, *, is_full: bool) -> Line2D:
    face = QUIET if is_full else PAPER
    return Line2D([], [], color=QUIET, marker=marker, markerfacecolor=face, linestyle="none", label=label)


def usual_days(course: DrugCourse) -> list[int]:
    """Day of each infusion, counted from the start of the course, where every gap is its usual one."""
    days: list[int] = []
    for infusion in course.infusions:
        gap = infusion.gap.mode if infusion.gap is not None else 0
        days.append(infusion.day if infusion.day is not None else days[-1] + gap)
    return days


def _infusions(arm: Arm, protocol: Protocol) -> Iterator[tuple[int, int, int, bool]]:
    """Earliest, usual and latest day, and whether it is ketamine."""
    for start, name in arm.drug_starts:
        course = protocol.drugs[name]
        for number, usual in enumerate(usual_days(course), start=1):
            is_active = course.is_ketamine
            yield start + course.earliest_day(number), start + usual, start + course.latest_day(number), is_active


def _sessions(arm: Arm, protocol: Protocol) -> Iterator[tuple[int, bool]]:
    """Usual day, and whether the session is a full one."""
    infusions = [usual for _, usual, _, _ in _infusions(arm, protocol)]
    for course in protocol.courses_of(arm):
        for item in course.sessions:
            day = item.day if item.day is not None else infusions[(item.infusion or 1) - 1] + item.offset_days
            yield day, is_full_therapy(course)


def _counts(arm: Arm, protocol: Protocol) -> tuple[int, int]:
    return len(list(_infusions(arm, protocol))), len(list(_sessions(arm, protocol)))


def _last_contact(arm: Arm, protocol: Protocol) -> int:
    days = list(_infusions(arm, protocol))
    last = max((latest for _, _, latest, _ in days), default=0)
    late = last - max((usual for _, usual, _, _ in days), default=0)
    return max([last, *(day + late for day, _ in _sessions(arm, protocol))])


def _of(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _row(arm: Arm, protocol: Protocol) -> list[str]:
    infusions = list(_infusions(arm, protocol))
    days = [f"{a}" if a == c else f"{b} ({a} to {c})" for a, b, c, _ in infusions]
    names = [protocol.drugs[name].drug.replace("-", " ") for _, name in arm.drug_starts]
    courses = protocol.courses_of(arm)
    therapy = "; ".join(one.kind for one in courses)
    worth = "; ".join(explain_worth(one, protocol.substance) for one in courses)
    ways = "; ".join(explain_way_of_life(protocol, protocol.way_of_life[name]) for name in arm.way_of_life)
    medicine = "" if arm.medicine is None else protocol.medicines[arm.medicine].medicine
    sessions = ", ".join(str(day) for day, _ in _sessions(arm, protocol))
    return [arm.label, ", ".join(days) or "none", ", ".join(names) or "none", sessions or "none", therapy or "none",
            worth or "none", medicine or "none", ways or "none"]  # fmt: skip
