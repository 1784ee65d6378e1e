"""``remission design --scenarios``: scenarios by designs in one table."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from remission.cli.design_work import DesignWork, engage
from remission.cli.progress import progress_of
from remission.cli.terminal import print_columns
from remission.design.measures import Measure
from remission.design.scenario_file import read_scenarios
from remission.design.table import TableRow, run_table, table_person_days
from remission.design.verdicts import TRUE_VALUE, verdicts
from remission.patient.standing import standing_of
from remission.protocol.record import Protocol

__all__ = ["tabulate"]

_COLUMNS = ("scenario", "design", "people", "trials", "power", "bias", "coverage", "type I error", "felt but inert",
            "expectancy only", "width", "expected people", "expected days", "failed")  # fmt: skip


def tabulate(context: typer.Context, protocol: Protocol, path: Path, work: DesignWork | None) -> dict[str, Any]:
    """Simulate the table of a file, print its rows as they are done, and give what ``--json`` prints.

    What is wrong in the file or too large is a SpecError.
    """
    options = context.params
    quiet, seed, analysis = options["as_json"], options["seed"], options["analysis"]
    table, cells = read_scenarios(path, protocol, analysis=analysis)
    largest = max((cell.protocol for cell in cells), key=lambda one: one.population.n_subjects * one.follow_up_days)
    standing = standing_of(protocol.substance)
    rows: list[TableRow] = []
    widths = _widths(cells)
    with engage(table_person_days(table, cells), largest, options["workers"], yes=options["yes"]) as crew:
        crew.keep_in(None if work is None else work.journal)
        if not quiet:
            for line in standing.lines:
                typer.echo(line)
            typer.echo("(\u00b1) is the Monte Carlo standard error, which says nothing of the model; "
                       f"alpha {table.alpha:g}, at most {table.replicates} trials a cell")  # fmt: skip
            print_columns([_COLUMNS], widths=widths)
        with progress_of("cells", quiet=quiet) as on_progress:
            for row in run_table(table, cells, seed=seed, crew=crew):
                rows.append(row)
                on_progress(len(rows), len(cells))
                if not quiet:
                    print_columns([_cells(row, table.power)], widths=widths)
    words = ["remission", "design", Path(options["protocol"]).name, "--scenarios", path.name, "--seed", str(seed)]
    command = shlex.join([*words, *(["--analysis", analysis] if analysis else [])])
    if not quiet:
        _notes(rows, table.power, command)
    return {"protocol": protocol.id, "standing": standing.to_dict(), "table": table.to_dict(),
            "rows": [asdict(row) for row in rows], "command": command}  # fmt: skip


def _notes(rows: list[TableRow], power: float | None, command: str) -> None:
    for note in sorted({row.null_note for row in rows if row.null_note}):
        typer.echo(f"No type I error: {note}")
    if any(row.nulls for row in rows):
        typer.echo("type I error: both sides get the same treatment. felt but inert: the drug is felt and believed in "
                   "as before, and does nothing to use.")  # fmt: skip
    equal = sorted({f"{one.name} {one.note}" for row in rows for one in row.nulls if one.note and one.rejected})
    for note in equal:
        typer.echo(f"= {note}.")
    scales = sorted({f"{row.analysis}: {row.scale}" for row in rows})
    typer.echo(f"Bias and width are on the scale of the analysis: {', '.join(scales)}.")
    typer.echo(TRUE_VALUE)
    for row in rows:
        for line in verdicts(asdict(row), power=row.power.value, stops=len(row.sequential.looks) > 1):
            typer.echo(f"{row.scenario}, {row.design}: {line}")
    if power is not None:
        typer.echo(f"* reaches power {power:g}. ! reaches it only by bias.")
    typer.echo(f"Again: {command}")


def _cells(row: TableRow, power: float | None) -> tuple[str, ...]:
    mark = ""
    if power is not None and row.power.value >= power:
        owes = row.is_flattered and row.power_without_bias is not None and row.power_without_bias < power
        mark = "!" if owes else "*"
    nulls = {one.name: _text(one.rejected) + ("=" if one.note and one.rejected else "") for one in row.nulls}
    inert, believed = (nulls.get(name, "-") for name in ("felt but inert", "expectancy only"))
    return (
        row.scenario, row.design, str(row.n_subjects), str(row.n_replicates), row.power.text + mark, _text(row.bias),
        _text(row.coverage), _text(row.type1_error), inert, believed,
        row.width.text, row.n.text, _text(row.duration_day), str(row.n_failed),
    )  # fmt: skip


def _text(found: Measure | None) -> str:
    return "-" if found is None else found.text


def _widths(cells: Any) -> list[int]:
    ids = [max(len(cell.scenario.id) for cell in cells), max(len(cell.design.id) for cell in cells)]
    usual = [*ids, 6, 6, 16, 13, 15, 15, 16, 16, 15, 15, 13, 6]
    return [max(len(word), width) for word, width in zip(_COLUMNS, usual, strict=True)]
