"""A figure is laid out and drawn once for its file and its page; a table is told before any of it."""

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from remission.library.protocols import load_protocol
from remission.report import look
from remission.report.chart import Chart, Table
from remission.report.inline import chart_parts
from remission.report.look import LEAST_PT, canvas, drawing, finish
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
