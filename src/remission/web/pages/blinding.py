"""Would a trial survive its own unblinding? Trials on the bench, and the guesses of a finished one."""

from functools import lru_cache
from typing import Annotated

from fastapi import Query

from remission.blinding.bench import BenchResult, run_bench
from remission.library.blinding import list_blinding_trials, load_blinding_trial
from remission.records.base import Record
from remission.report.blinding_words import WORDS, bench_paragraph, bench_rows, bench_sentences, doubt_rows
from remission.web.figure import Figure, FigureTable, figure_of
from remission.web.page import PageRouter
from remission.web.problems import PageMissingError

router = PageRouter()
_TRIALS = 400
"""Simulated trials of each cell: a page waits for seconds at most."""


class BenchTrial(Record):
    """A trial of the library."""

    id: str
    title: str


class BlindingPage(Record):
    """What /blinding shows: one trial on the bench."""

    trial: str
    title: str
    people: int
    trials: tuple[BenchTrial, ...]
    n_simulated: int
    sentences: tuple[str, ...]
    cells: FigureTable
    doubts: FigureTable | None
    doubts_title: str
    figure: Figure
    paragraph: str
    sources: tuple[str, ...]
    limits: tuple[str, ...]
    command: str


@lru_cache(maxsize=8)
def _found(name: str) -> BenchResult:
    return run_bench(load_blinding_trial(name).replace(trials=_TRIALS))


def _check(trial: str) -> None:
    if trial not in list_blinding_trials():
        raise PageMissingError(what="trial", got=trial, known=list_blinding_trials())


@router.page("/blinding", template="blinding_bench.html.jinja", weight="heavy", check=_check,
             command="remission blinding bench {trial}")  # fmt: skip
def blinding(trial: Annotated[str, Query(max_length=64)] = "kare") -> BlindingPage:
    """A trial on the bench of blinding: control arms, worlds, what belief would do."""
    from remission.report.blinding_charts import frontier_chart

    found = _found(trial)
    head, rows = bench_rows(found)
    doubts = doubt_rows(found) if found.doubts else None
    return BlindingPage(
        trial=trial, title=found.trial.title or trial, people=found.trial.people, n_simulated=_TRIALS,
        trials=tuple(
            BenchTrial(id=name, title=load_blinding_trial(name).title or name) for name in list_blinding_trials()
        ),
        sentences=tuple(line.strip() for line in bench_sentences(found)),
        cells=FigureTable(columns=head, rows=tuple(rows)),
        doubts=None if doubts is None else FigureTable(columns=doubts[0], rows=tuple(doubts[1])),
        doubts_title=WORDS["page"]["doubts"], figure=figure_of(frontier_chart(found)),
        paragraph=bench_paragraph(found), sources=tuple(WORDS["page"]["sources"]),
        limits=tuple(WORDS["page"]["limits"]), command=f"remission blinding bench {trial} --trials {_TRIALS}",
    )  # fmt: skip
