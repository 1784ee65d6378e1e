"""``remission design --scenarios``: scenarios by designs in one table."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from remission.design.measures import Measure
    from remission.design.table import TableRow

__all__ = ["tabulate"]

_COLUMNS = ("scenario", "design", "people", "trials", "power", "type I error", "bias", "coverage", "width",
            "expected people", "expected days", "failed")  # fmt: skip


def tabulate(
    name: str, path: Path, *, analysis: str | None, workers: int | None, seed: int, quiet: bool, yes: bool
) -> dict[str, Any]:
    """Simulate the table of a file; rows are printed as they are done unless ``quiet``.

    Parameters
    ----------
    name
        Built-in protocol or a protocol file.

    Returns
    -------
    What ``--json`` prints.

    Raises
    ------
    SpecError
        Something in the file or an option is wrong, or the plan is too large.
    """
    from remission.cli.design_crew import engage
    from remission.cli.progress import progress_of
    from remission.cli.run import find_protocol
    from remission.design.scenario_file import read_scenarios
    from remission.design.table import run_table, table_person_days
    from remission.patient.standing import standing_of

    protocol = find_protocol(name, None)[0]
    table, cells = read_scenarios(path, protocol, analysis=analysis)
    largest = max((cell.protocol for cell in cells), key=lambda one: one.population.n_subjects * one.follow_up_days)
    standing = standing_of(protocol.substance)
    rows: list[TableRow] = []
    widths = _widths(cells)
    with engage(table_person_days(table, cells), largest, workers, yes=yes) as crew:
        if not quiet:
            for line in standing.lines:
                typer.echo(line)
            typer.echo(f"(\u00b1) is the Monte Carlo standard error; alpha {table.alpha:g}, at most "
                       f"{table.replicates} trials a cell")  # fmt: skip
            typer.echo("  ".join(word.ljust(width) for word, width in zip(_COLUMNS, widths, strict=True)).rstrip())
        with progress_of("cells", quiet=quiet) as on_progress:
            for row in run_table(table, cells, seed=seed, crew=crew):
                rows.append(row)
                on_progress(len(rows), len(cells))
                if not quiet:
                    marks = zip(_cells(row, table.power), widths, strict=True)
                    typer.echo("  ".join(word.ljust(width) for word, width in marks).rstrip())
    options = ["remission", "design", Path(name).name, "--scenarios", path.name, "--seed", str(seed)]
    command = shlex.join([*options, *(["--analysis", analysis] if analysis else [])])
    if not quiet:
        _notes(rows, table.power, command)
    return {"protocol": protocol.id, "standing": standing.to_dict(), "table": table.to_dict(),
            "rows": [asdict(row) for row in rows], "command": command}  # fmt: skip


def _notes(rows: "list[TableRow]", power: float | None, command: str) -> None:
    for note in sorted({row.null_note for row in rows if row.null_note}):
        typer.echo(f"No type I error: {note}")
    scales = sorted({f"{row.analysis}: {row.scale}" for row in rows})
    typer.echo(f"Bias and width are on the scale of the analysis: {', '.join(scales)}.")
    if power is not None:
        typer.echo(f"* reaches power {power:g}.")
    typer.echo(f"Again: {command}")


def _cells(row: "TableRow", power: float | None) -> tuple[str, ...]:
    mark = "*" if power is not None and row.power.value >= power else ""
    return (
        row.scenario, row.design, str(row.n_subjects), str(row.n_replicates), row.power.text + mark,
        _text(row.type1_error), _text(row.bias), _text(row.coverage), row.width.text, row.n.text,
        _text(row.duration_day), str(row.n_failed),
    )  # fmt: skip


def _text(found: "Measure | None") -> str:
    return "-" if found is None else found.text


def _widths(cells: Any) -> list[int]:
    ids = [max(len(cell.scenario.id) for cell in cells), max(len(cell.design.id) for cell in cells)]
    usual = [*ids, 6, 6, 15, 15, 13, 15, 15, 15, 13, 6]
    return [max(len(word), width) for word, width in zip(_COLUMNS, usual, strict=True)]
