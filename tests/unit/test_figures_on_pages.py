"""Figures on pages: letters that are read at any width, one panel a row on a phone, axes that say where one points."""

import html
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from remission.design.flow import simulate_flow
from remission.evidence.registry import load_evidence
from remission.library.protocols import load_protocol
from remission.report.chart import Chart, Table
from remission.report.circuit_chart import circuit_chart
from remission.report.flow_chart import flow_chart
from remission.report.forest import forest_chart
from remission.report.inline import both_widths, themed_svg
from remission.report.look import INK, LEAST_PX, NARROW_IN, canvas, drawing, finish, narrow
from remission.report.schedule_chart import schedule_chart
from remission.report.therapy_forest import therapy_forest
from remission.trial.result import TrialResult
from remission.trial.simulate import simulate_trial

PHONE_PX, PAGE_PX = 320.0 - 32.0, 1040.0


def chart_of(figure: Figure) -> Chart:
    table = Table(columns=("a",), rows=[["1"]])
    return Chart(name="some", title="words", see="words", cannot="words", figure=figure, table=table)


def drawn(n_panels: int) -> Figure:
    with drawing():
        figure = Figure(figsize=(10.2, 3.0 * -(-n_panels // 2)), layout="constrained")
        for number, axes in enumerate(figure.subplots(-(-n_panels // 2), 2, squeeze=False).ravel()[:n_panels]):
            axes.plot([0.0, 10.0], [0.0, 1.0 + number], label="a line with a name that is long enough to need two rows")
            axes.annotate("small", (5.0, 0.5), fontsize=6.0)
            finish(axes, x="days from the start", y="% of something", title=f"Panel {number} with a long heading, too")
            axes.legend()
    return figure


def smallest_px(svg: str, frame_px: float) -> float:
    """Height of the smallest letters of a drawing in a frame: it is never narrower than its own width."""
    view = float(re.findall(r'viewBox="0 [\d.]+ ([\d.]+)', svg)[0])
    own = float(re.findall(r'<svg [^>]*?\bwidth="([\d.]+)"', svg)[0])
    sizes = [float(one) for one in re.findall(r'font-size="([\d.]+)(?:px)?"', svg)]
    return min(sizes) * max(own, frame_px) / view


@pytest.mark.parametrize("n_panels", [1, 4])
def test_letters_have_eleven_pixels_at_any_width(n_panels: int) -> None:
    """A chart that shrinks with its page cannot be read on a phone; the narrow one need not be moved sideways there."""
    both = both_widths(chart_of(drawn(n_panels)))
    wide, *panels = re.findall(r"<svg.*?</svg>", both, re.DOTALL)
    assert len(panels) == max(2, n_panels), "two places, one may be empty"
    for frame in (PHONE_PX, 768.0, PAGE_PX, 2000.0):
        for svg in (wide, *panels):
            assert smallest_px(svg, frame) >= LEAST_PX - 0.05
    for svg, frame in ((wide, PAGE_PX), *((panel, PHONE_PX) for panel in panels)):
        assert float(re.findall(r'<svg [^>]*?\bwidth="([\d.]+)"', svg)[0]) <= frame
    names = re.findall(r'\bid="([^"]+)"', both)
    assert len(names) == len(set(names)), "two drawings of one chart on a page"
    assert " style=" not in both


def test_panels_are_pictures_of_their_own_so_that_a_tablet_shows_two_side_by_side() -> None:
    """Each holds all of its panel and nothing of another, at the height where it lies, and says where one points."""
    panels = re.findall(r"<svg.*?</svg>", both_widths(chart_of(drawn(4))), re.DOTALL)[1:]
    below, headings = 0.0, list[float]()
    for number, svg in enumerate(panels):
        assert len(re.findall(r'<g id="[^"]*axes_\d+"', svg)) == 1
        assert f"Panel {number} with a long heading" in svg
        assert len(re.findall("<g[ >]", svg)) == svg.count("</g>"), "cut inside of a group"
        top, width, height = (float(one) for one in re.findall(r'viewBox="0 ([\d.]+) ([\d.]+) ([\d.]+)"', svg)[0])
        assert top >= below - 14.0, "below the one before it"
        below = top + height
        # Side by side they stand at one height: the heading begins as far below the edge in each.
        headings.append(min(float(y) for y in re.findall(r'<text [^>]*\by="([\d.]+)"', svg)) - top)
        for y in re.findall(r'<text [^>]*\by="([\d.]+)"', svg):
            assert top <= float(y) <= below
        axes = json.loads(html.unescape(re.findall(r'data-axes="([^"]+)"', svg)[0]))
        assert len(axes) == 1
        assert top < axes[0][0][2] < axes[0][0][3] < below
        assert axes[0][0][1] < width
    assert max(headings) - min(headings) < 0.5
    assert [('role="img"' in svg, 'aria-hidden="true"' in svg) for svg in panels] == [
        (True, False),
        *3 * [(False, True)],
    ]


def test_panels_with_one_axis_for_all_stay_one_picture() -> None:
    """Cut apart, the upper one would have no numbers below it."""
    with drawing():
        figure = Figure(figsize=(10.2, 4.0), layout="constrained")
        upper, lower = figure.subplots(2)
        finish(upper, x="", y="upper")
        finish(lower, x="day", y="lower")
        upper.set_xticks([])
    assert len(re.findall("<svg", both_widths(chart_of(figure)))) == 2


def test_panels_stand_one_below_the_other_on_a_phone() -> None:
    """Two panels side by side leave each of them the width of a thumb."""
    figure = drawn(4)
    assert narrow(figure)
    figure.canvas.draw()
    assert figure.get_size_inches()[0] == NARROW_IN
    boxes = [axes.get_position() for axes in figure.axes if axes.get_visible()]
    assert len(boxes) == 4
    for above, below in pairwise(boxes):
        assert below.y1 < above.y0
    assert min(box.width for box in boxes) > 0.6


@pytest.fixture(scope="module")
def kare() -> TrialResult:
    return simulate_trial(load_protocol("kare"), n_replicates=2, seed=1)


def vertical(name: str, kare: TrialResult) -> Chart:
    if name == "forest":
        return forest_chart(load_evidence(), substance="cocaine", endpoint="abstinence")
    if name == "therapy":
        return therapy_forest(load_evidence(), kind="contingency-management")
    if name == "flow":
        return flow_chart(kare.protocol, simulate_flow(kare.protocol, n_replicates=2, seed=1))
    return schedule_chart(kare.protocol) if name == "schedule" else circuit_chart(kare)


@pytest.mark.parametrize("name", ["forest", "therapy", "flow", "schedule", "circuits"])
def test_pictures_of_words_have_a_form_for_a_phone(name: str, kare: TrialResult) -> None:
    """Words beside a picture, or a chain from left to right, would be read on a phone by moving sideways only."""
    chart = vertical(name, kare)
    wide, *panels = re.findall(r"<svg.*?</svg>", both_widths(chart), re.DOTALL)
    small = "".join(panels)
    if name == "flow":
        assert len(panels) == 1 + len(kare.protocol.arms), "who came in, then an arm each: a tablet shows two in a row"
    for svg in panels:
        assert float(re.findall(r'<svg [^>]*?\bwidth="([\d.]+)"', svg)[0]) <= PHONE_PX
        assert smallest_px(svg, PHONE_PX) >= LEAST_PX - 0.05

    def words(svg: str) -> set[str]:
        return set(re.findall(r"[^\W\d_]{3,}", html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)", svg)))))

    # Nothing that is said in the wide one is lost but what stands at the ends of lines or in a corner.
    assert words(wide) - words(small) <= {"axes"}, words(wide) - words(small)


def test_rows_stand_above_each_other_with_their_words() -> None:
    """Words that cover the mark of the row above, or of another row, would be read as its result."""
    chart = forest_chart(load_evidence(), substance="alcohol", endpoint="days-abstinent")
    themed_svg(chart)
    with drawing():
        assert narrow(chart.figure)
        chart.figure.canvas.draw()
        for axes in chart.figure.axes:
            told = sorted((one for one in axes.texts if "\n" in one.get_text()), key=lambda one: one.get_position()[1])
            boxes = [one.get_window_extent() for one in told if one.get_visible()]
            marks = [
                axes.transData.transform((0.0 if axes.get_xscale() == "linear" else 1.0, y))[1]
                for y in range(len(boxes))
            ]
            for at, box in enumerate(boxes):
                assert marks[at] < box.y0
                assert at + 1 == len(boxes) or box.y1 < marks[at + 1]
            heading = axes.title if axes.title.get_text() else axes._left_title
            assert not boxes or boxes[-1].y1 <= heading.get_window_extent().y0 + 1.0


def test_the_names_of_rows_are_no_numbers() -> None:
    """A pointer that reads a height off names would say a number that is none."""
    with canvas(6.0, 3.0) as (figure, axes):
        rows = range(12)
        axes.plot(rows, rows)
        axes.set_yticks(rows, [f"row {row} has a name that is too long for a phone" for row in rows])
        finish(axes, x="x", y="")
    chart = chart_of(figure)
    assert json.loads(html.unescape(re.findall(r'data-axes="([^"]+)"', themed_svg(chart))[0]))[0][2][2] == "names"
    with drawing():
        assert narrow(figure)
        figure.canvas.draw()
    boxes = [one.get_window_extent() for one in axes.get_yticklabels()]
    assert "\n" in axes.get_yticklabels()[0].get_text()
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes)), "names that cover each other"


def test_axes_say_where_a_reader_points() -> None:
    """A value that is read off by the pointer must be the one that was drawn."""
    with canvas(6.0, 3.0) as (figure, axes):
        axes.plot([1.0, 100.0], [0.5, 2.0], marker="o")
        axes.set_xscale("log")
        finish(axes, x="dose", y="effect")
    svg = themed_svg(chart_of(figure))
    ((left, right, top, bottom), across, up) = json.loads(html.unescape(re.findall(r'data-axes="([^"]+)"', svg)[0]))[0]
    assert (across[2:], up[2:]) == (["log", "dose"], ["linear", "effect"])
    x, y = 72.0 * axes.transData.transform((10.0, 1.0)) / figure.dpi
    y = 72.0 * 3.0 - y
    share = (x - left) / (right - left)
    np.testing.assert_allclose(10 ** np.interp(share, [0, 1], np.log10(across[:2])), 10.0, rtol=0.02)
    np.testing.assert_allclose(np.interp((bottom - y) / (bottom - top), [0, 1], up[:2]), 1.0, rtol=0.02)


def test_marks_have_their_color_where_a_dark_screen_can_change_it() -> None:
    """A color on the mark itself is out of reach of the page's style: dark diamonds on a dark page."""
    with drawing():
        figure = Figure(figsize=(5.0, 3.0))
        figure.subplots().plot([1.0, 2.0], [1.0, 2.0], marker="D", markerfacecolor="white", markeredgecolor=INK)
    svg = themed_svg(chart_of(figure))
    marks = re.findall(r"<defs>(.*?)</defs>", svg, re.DOTALL)
    assert any("<path" in one for one in marks)
    assert not any("#" in color for one in marks for color in re.findall(r' (?:fill|stroke)="([^"]*)"', one))
    for used in re.findall(r"<use [^>]*>", svg):
        assert 'stroke="#' in used
