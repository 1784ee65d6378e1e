"""A figure is laid out and drawn once for its file and its page; a table is told before any of it."""

import re
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from remission.library.protocols import load_protocol
from remission.report import look
from remission.report.chart import Chart, Table
from remission.report.inline import chart_parts
from remission.report.look import LEAST_PT, canvas, drawing, finish
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


def test_memories_of_measures_move_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that was given another's place would be wrong in every report."""
    a_chart().save(tmp_path)
    with drawing():
        pass
    monkeypatch.setattr(look, "measured_once", nullcontext)
    (tmp_path / "plain").mkdir()
    a_chart().save(tmp_path / "plain")
    for name in ("one.svg", "one.png"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


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
