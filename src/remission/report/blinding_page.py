"""One page of the bench, or of the guesses of a finished trial: figures, tables, a paragraph to hand on, a script."""

from collections.abc import Sequence
from typing import Any

from remission.blinding.bench import BenchResult
from remission.blinding.finished import GuessesResult
from remission.provenance import library_versions, python_version
from remission.records.base import Record
from remission.report.blinding_charts import curve_chart, frontier_chart, worlds_chart
from remission.report.blinding_words import (
    WORDS,
    bench_paragraph,
    bench_rows,
    bench_sentences,
    doubt_rows,
    estimator_rows,
    guesses_paragraph,
    guesses_rows,
)
from remission.report.chart import Chart
from remission.report.inline import chart_parts


def render_bench(found: BenchResult, *, command: str) -> str:
    """The bench as one self-contained page without scripts."""
    script = f"import remission as rm\n\nprint(rm.bench_blinding({_stated(found.trial)!r}))"
    tables = [(WORDS["page"]["naive"], *bench_rows(found)), (WORDS["page"]["every"], *estimator_rows(found))]
    if found.doubts:
        tables.insert(1, (WORDS["page"]["doubts"], *doubt_rows(found)))
    return _page(
        title=found.trial.title or found.trial.id, what=WORDS["page"]["bench"], finding=frontier_chart(found).title,
        sentences=bench_sentences(found), charts=[frontier_chart(found)], paragraph=bench_paragraph(found),
        tables=tables, command=command, script=script, seed=found.trial.seed, note=found.trial.note,
    )  # fmt: skip


def render_guesses(found: GuessesResult, *, command: str) -> str:
    """The guesses of a finished trial as one self-contained page without scripts."""
    file = found.trial.file
    script = f"import remission as rm\n\nprint(rm.analyze_guesses({_stated(file)!r}).verdict)"
    charts = [curve_chart(found)] if found.curve else []
    charts += [worlds_chart(found)] if found.worlds else []
    return _page(
        title=file.title or file.id, what=WORDS["page"]["guesses"], finding=found.verdict[0],
        sentences=list(found.verdict), charts=charts, paragraph=guesses_paragraph(found), tables=guesses_rows(found),
        command=command, script=script, seed=file.seed, note=file.note,
    )  # fmt: skip


def _stated(record: Record) -> dict[str, Any]:
    """The fields that somebody stated, as a script gives them back."""
    fields: dict[str, Any] = record.model_dump(mode="json", exclude_defaults=True)
    return fields


def _page(
    *, title: str, what: str, finding: str, sentences: list[str], charts: list[Chart], paragraph: str,
    tables: Sequence[tuple[Any, ...]], command: str, script: str, seed: int, note: str,
) -> str:  # fmt: skip
    from remission.report.page import fill_template

    versions = {"python": python_version(), **library_versions()}
    return fill_template(
        "blinding.html.jinja", "report.css", version=versions["remission"], title=title, what=what, finding=finding,
        sentences=sentences, charts=[chart_parts(one) for one in charts], paragraph=paragraph, tables=tables, note=note,
        sources=WORDS["page"]["sources"], limits=WORDS["page"]["limits"], script=script,
        made=(("Command", command), ("Seed", str(seed)),
              ("Versions", ", ".join(f"{name} {value}" for name, value in sorted(versions.items())))),
    )  # fmt: skip
