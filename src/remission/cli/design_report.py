"""``remission design --report``: the command as it was typed, and the report written from its numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from remission.cli.design_work import DesignWork
    from remission.design.study import DesignStudy
    from remission.protocol.record import Protocol

__all__ = ["command_words", "report_design", "report_table"]

_FLOW_TRIALS = 200
"""Trials whose people are followed through the flow: enough for a median and a range."""
_OWN = {"protocol", "report", "as_json", "yes", "workers"}
"""Options that change no number, or that the report gives itself."""

_TABLE = {"scenarios", "analysis", "seed"}
"""Options that a table of scenarios reads; its file says all else."""
_FILES = {"prices"}
"""Options that can be a name or a file."""


def command_words(context: typer.Context) -> tuple[tuple[str, ...], dict[str, Path]]:
    """The command of this context with every option written out, and the files it reads, by their names.

    Defaults are written out too, so that a later version with other defaults does the same.
    """
    words, files = ["remission", "design", "protocol.yaml"], {}
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        is_silent = context.params.get("scenarios") is not None and parameter.name not in _TABLE
        if parameter.name in _OWN or value is None or value is False or is_silent:
            continue
        option = parameter.opts[0]
        is_file = parameter.name in _FILES or isinstance(value, Path)
        if is_file and Path(value).is_file():
            files[_free_name(Path(value).name)] = Path(value)
            value = _free_name(Path(value).name)
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [option] if one is True else [option, str(one)]
    return tuple(words), files


def report_design(
    context: typer.Context,
    *,
    study: "DesignStudy",
    content: Mapping[str, Any],
    work: "DesignWork | None",
) -> None:
    """Write the report of a design, when ``--report`` names a folder, and say where it is.

    Parameters
    ----------
    study
        What was found, with the estimates kept.
    content
        What ``--json`` prints.
    work
        Where the design is under way.
    """
    if work is None:
        return
    from remission.design.flow import simulate_flow
    from remission.report.design_study import ReportedDesign
    from remission.report.design_write import write_design_report

    words, files = command_words(context)
    options = context.params
    flow = simulate_flow(
        study.plan.designs[-1],
        n_replicates=min(_FLOW_TRIALS, options["replicates"]),
        seed=options["seed"],
        analysis=content["analysis"],
        parameters=study.plan.parameters,
    )
    reported = ReportedDesign(
        protocol=study.plan.protocol,
        designs=study.plan.designs,
        estimates=study.estimates,
        content=content,
        words=words,
        seed=options["seed"],
        max_replicates=options["replicates"],
        mcse=options["mcse"],
        files=files,
        flow=flow,
        changes=study.plan.changes,
    )
    page = write_design_report(reported, options["report"], place=work.folder)
    typer.echo(f"Report: {page}", err=True)


def report_table(
    context: typer.Context, *, protocol: "Protocol", content: Mapping[str, Any], work: "DesignWork | None"
) -> None:
    """Write the report of a table of scenarios, when ``--report`` names a folder, and say where it is."""
    if work is None:
        return
    from remission.report.design_study import TableStudy
    from remission.report.table_report import write_table_report

    words, files = command_words(context)
    study = TableStudy(
        protocol=protocol,
        content=content,
        words=words,
        seed=context.params["seed"],
        files=files,
        scenario_file=words[words.index("--scenarios") + 1],
    )
    page = write_table_report(study, context.params["report"], place=work.folder)
    typer.echo(f"Report: {page}", err=True)


def _free_name(name: str) -> str:
    """A name that none of the report's own files has."""
    taken = {"protocol.yaml", "design.json", "methods.md", "references.bib", "rerun.sh", "rerun.py", "report.html"}
    return f"given-{name}" if name in taken | {"figures", "tables", "again"} else name
