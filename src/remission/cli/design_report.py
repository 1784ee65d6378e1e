"""``remission design --report``: the command as it was typed, and the report written from its numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from remission.cli.design_work import DesignWork, words_of
from remission.design.flow import simulate_flow
from remission.design.study import DesignStudy
from remission.protocol.record import Protocol
from remission.report.design_study import ReportedDesign, TableStudy
from remission.report.design_write import write_design_report
from remission.report.table_report import write_table_report

_FLOW_TRIALS = 200
"""Trials whose people are followed through the flow: enough for a median and a range."""
_OWN = {"protocol", "report", "as_json", "yes", "workers"}
"""Options that change no number, or that the report gives itself."""
_TABLE = {"scenarios", "analysis", "seed", "changes"}
"""Options that a table of scenarios reads; its file says all else."""


def _command_words(context: typer.Context) -> tuple[tuple[str, ...], dict[str, Path]]:
    """The command with every option written out, defaults too, so that a later version with others does the same."""
    is_table = context.params.get("scenarios") is not None
    words, files = words_of(
        context,
        leaves_out=lambda name: name in _OWN or (is_table and name not in _TABLE),
        name_of=lambda _, path: _free_name(path.name),
    )
    return ("remission", "design", "protocol.yaml", *words), files


def report_design(context: typer.Context, *, study: DesignStudy, content: Mapping[str, Any], work: DesignWork) -> None:
    """Write the report of a design and say where it is.

    ``content`` is what ``--json`` prints.
    """
    words, files = _command_words(context)
    plan = study.plan
    flow = simulate_flow(
        plan.designs[-1], n_replicates=min(_FLOW_TRIALS, plan.max_replicates), seed=plan.seed,
        analysis=content["analysis"], parameters=plan.parameters, source=plan.source,
    )  # fmt: skip
    reported = ReportedDesign(
        protocol=plan.protocol, designs=plan.designs, estimates=study.estimates, content=content, words=words,
        seed=plan.seed, max_replicates=plan.max_replicates, mcse=plan.mcse, files=files, flow=flow,
        changes=plan.changes,
    )  # fmt: skip
    page = write_design_report(reported, context.params["report"], place=work.folder)
    typer.echo(f"Report: {page}", err=True)


def report_table(context: typer.Context, *, protocol: Protocol, content: Mapping[str, Any], work: DesignWork) -> None:
    """Write the report of a table of scenarios and say where it is."""
    words, files = _command_words(context)
    study = TableStudy(
        protocol=protocol, content=content, words=words, seed=context.params["seed"], files=files,
        scenario_file=words[words.index("--scenarios") + 1],
    )  # fmt: skip
    page = write_table_report(study, context.params["report"], place=work.folder)
    typer.echo(f"Report: {page}", err=True)


def _free_name(name: str) -> str:
    """A name that none of the report's own files has."""
    taken = {"protocol.yaml", "design.json", "methods.md", "references.bib", "rerun.sh", "rerun.py", "report.html"}
    return f"given-{name}" if name in taken | {"figures", "tables", "again"} else name
