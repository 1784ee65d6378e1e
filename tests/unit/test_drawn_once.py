"""A figure is laid out and drawn once for its file and its page; a table is told before any of it."""

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from remission.library.protocols import load_protocol
from remission.report import look, vector
from remission.report.chart import Chart, Table
from remission.report.inline import chart_parts
from remission.report.look import LEAST_PT, canvas, drawing, finish, named_in_order
from remission.report.vector import pictures, pixels
from remission.runs.run import write_run
from remission.trial.result import TrialResult
from remission.trial.simulate import plan_trial


def a_chart() -> Chart:
    with canvas(6.0, 3.0) as (figure, axes):
        axes.plot(np.arange(50.0), np.sqrt(np.arange(50.0)), label="a line")
        axes.tick_params(labelsize=6.0)
        axes.legend()
        finish(axes, x="day", y="amount", title="A title")
    return Chart(name="one", title="One", see="s", cannot="c", figure=figure, table=Table(columns=(), rows=()))


def draws_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who drew a figure, each time that one is drawn."""
    seen: list[str] = []
    draw = Figure.draw

    def counted(self: Figure, renderer: Any) -> None:
        seen.append(type(renderer).__name__)
        draw(self, renderer)

    monkeypatch.setattr(Figure, "draw", counted)
    return seen


def test_a_chart_is_drawn_once_for_each_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is most of the time of a small run: once for files and page, once for a phone."""
    seen = draws_of(monkeypatch)
    chart_parts(a_chart().save(tmp_path))
    assert seen == ["_Pens", "_Pens"]


def test_file_and_page_are_one_picture(tmp_path: Path) -> None:
    """The page's drawing once had other letters than the file's, on the file's layout."""
    chart = a_chart().save(tmp_path)
    file = (tmp_path / "one.svg").read_text("utf-8")
    lines = re.compile(r'<path d="([^"]{60,})"')
    shared = set(lines.findall(file)) & set(lines.findall(chart.drawn))
    assert shared
    sizes = [float(one) for one in re.findall(r"([\d.]+)px", chart.drawn)]
    assert min(sizes) >= LEAST_PT
    assert ">a line<" in chart.drawn
    assert ">a line<" not in file


@pytest.mark.parametrize("has_image", [False, True])
def test_the_pixels_are_those_that_the_library_draws(has_image: bool) -> None:
    """A frame, a hatch or a mark that did not grow with the rest would stand in a wrong place, or nowhere."""
    with drawing():
        figure = Figure(figsize=(5.0, 3.0))
        left, right = figure.subplots(1, 2)
        days = np.arange(60.0)
        left.fill_between(days, days, 2.0 * days, hatch="///", alpha=0.4, linewidth=0.0)
        left.plot(days, 60.0 - days, linestyle=(0, (4, 2)), marker="o", markersize=4)
        left.set_ylim(20.0, 70.0)
        right.scatter(days, np.sqrt(days), s=20.0, c=days)
        if has_image:
            right.imshow(np.outer(days, days), extent=(0.0, 60.0, 0.0, 8.0), aspect="auto")
        for axes in (left, right):
            # Letters are placed by other measures.
            axes.tick_params(labelbottom=False, labelleft=False)
        *_, ours = pictures(figure)
        theirs = pixels(figure)
    first, second = (np.asarray(Image.open(BytesIO(one)).convert("L"), float) for one in (ours, theirs))
    assert first.shape == second.shape == (432, 720)
    assert first.std() > 10.0
    assert float((np.abs(first - second) > 40.0).mean()) < 0.005


def panels() -> Chart:
    """Panels that share axes, with ends of their own, letters that repeat and letters on their side."""
    with drawing():
        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        rows = figure.subplots(2, 3, sharex="col", sharey="row", height_ratios=(1, 3))
        days = np.arange(40.0)
        for index, axes in enumerate(rows.flat):
            axes.plot(days * (1.0 + index % 3), np.sqrt(days) * (1.0 + 30_000.0 * (index // 3)), label="twice")
            axes.set_title("twice", loc="left")
            axes.annotate("twice", (0.2, 0.5), xycoords="axes fraction", rotation=30)
        rows[1, 0].set_ylabel("twice")
        rows[1, 2].legend()
    return Chart(name="panels", title="Panels", see="s", cannot="c", figure=figure, table=Table(columns=(), rows=()))


class _PlainPixels(vector._Pixels):
    """Letters as the library draws them."""

    def draw_text(self, gc: Any, x: float, y: float, *what: Any, **named: Any) -> None:
        agg: Any = self._agg
        agg.draw_text(self._gc(gc), x * self._times, y * self._times, *what, **named)


@pytest.mark.parametrize("chart", [a_chart, panels])
def test_memories_of_measures_move_no_byte(
    chart: Callable[[], Chart], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text or a tick that was given another's place would be wrong in every report."""
    one, plain = tmp_path / "one", tmp_path / "plain"
    for folder in (one, plain):
        folder.mkdir()
    parts = chart_parts(chart().save(one))
    monkeypatch.setattr(look, "measured_once", nullcontext)
    monkeypatch.setattr(vector, "ticks_once", nullcontext)
    monkeypatch.setattr(vector, "kept_glyphs", lambda letters, face, how, lay_out: lay_out())
    monkeypatch.setattr(vector, "_Pixels", _PlainPixels)
    assert chart_parts(chart().save(plain))["svg"] == parts["svg"]
    for file in one.iterdir():
        assert file.read_bytes() == (plain / file.name).read_bytes(), file.name


def test_two_kinds_of_letters_are_those_of_two_drawings() -> None:
    """One pen writes both: a letter's surroundings must be closed and opened as if it wrote alone."""
    with drawing():
        both = vector._written(panels().figure, "path", "none")
        alone = [vector._written(panels().figure, one)[0] for one in ("path", "none")]
    assert [named_in_order(one) for one in both] == [named_in_order(one) for one in alone]
    assert both[0] != both[1]


CODE = """
import hashlib, sys
if sys.argv[1] == "yes":
    import remission.report.undocumented
from matplotlib.lines import Line2D
from remission.report.look import canvas, drawn_files
with canvas(6.0, 3.0) as (figure, axes):
    axes.plot([0.0, 1.0], [2.0, 1.0], label="a line", marker="o")[0].set(linewidth=2.0)
    axes.legend()
files, text = drawn_files(figure)
told = "linewidth" in (Line2D.set.__doc__ or "")
print(*(hashlib.sha256(one).hexdigest() for one in [*files.values(), text.encode()]), told)
"""


def test_figures_do_not_depend_on_the_help_of_the_library() -> None:
    """A command leaves it out when it loads what draws, a third of that time."""
    without, with_help = (
        subprocess.run([sys.executable, "-c", CODE, one], capture_output=True, text=True, check=True).stdout.split()
        for one in ("yes", "no")
    )
    assert without[:-1] == with_help[:-1]
    assert [without[-1], with_help[-1]] == ["False", "True"]


def test_the_result_is_told_before_anything_is_written(tmp_path: Path) -> None:
    """Who waits for a number must not wait for pictures."""
    order: list[str] = []

    def told(result: TrialResult) -> None:
        order.append(f"told {result.n_replicates}")
        assert not list(tmp_path.rglob("*.parquet"))

    def report(result: TrialResult, folder: Path, *, command: str, versions: dict[str, str]) -> None:
        order.append(f"report {result.n_replicates}")
        (folder / "report.html").write_text(f"<!doctype html>{command}{versions}")

    plan = plan_trial(load_protocol("dakwar-2019"), n_replicates=2, seed=5)
    write_run(plan, tmp_path, "x", report=report, on_result=told)
    assert order == ["told 2", "report 2"]
