"""``remission clinics``: load, check, list and export the clinics that the pages show."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remission.cli.options import AsJson
from remission.cli.terminal import print_json
from remission.errors import SpecError, visible

if TYPE_CHECKING:
    from remission.clinics.clinic import RowFault
    from remission.clinics.files import Format
    from remission.clinics.reading import Reading
    from remission.clinics.store import ClinicStore

__all__ = ["app"]

app = typer.Typer(help="Load clinics for the page that finds care.", no_args_is_help=True)

_MOST_SHOWN = 50
_File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, FindTreatment.gov JSON or CSV, NPPES CSV or zip.")]
_Format = Annotated[
    str, typer.Option("--format", help="auto, csv (your own list), findtreatment or nppes.", show_default=True)
]
_Day = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Day of a public file, when its name does not say it."),
]
_Store = Annotated[Path | None, typer.Option(help="The file that keeps the clinics; the usual place when left out.")]


@app.command("load")
def load_clinics(
    file: _File,
    file_format: _Format = "auto",
    source_date: _Day = None,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Load the good rows though others are bad. Bad rows are listed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; change nothing.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="First remove all rows that an earlier file of this kind brought.")
    ] = False,
    store: _Store = None,
    as_json: AsJson = False,
) -> None:
    """Load a file of clinics: all rows or, when one is bad, none.

    Example: remission clinics load my-clinics.csv
    """
    reading = _read(file, file_format, source_date)
    is_loaded = not dry_run and (keep_good or not reading.errors)
    target = _store(store)
    loaded = target.save(reading, replace=replace) if is_loaded else None
    if as_json:
        print_json({**_summary(reading), "loaded": loaded, "store": target.path})
    else:
        _show_reading(reading)
        if loaded is not None:
            typer.echo(f"Loaded: {loaded.added} new, {loaded.updated} updated, {loaded.removed} removed.")
            typer.echo(f"Store: {target.path}")
        elif dry_run:
            typer.echo("Checked only; nothing was changed.")
    if reading.errors and not is_loaded:
        if not dry_run and not as_json:
            typer.echo("Nothing was loaded. Correct these rows, or load the others with --keep-good.", err=True)
        raise typer.Exit(2)


@app.command("check")
def check_clinics(
    file: _File, file_format: _Format = "auto", source_date: _Day = None, as_json: AsJson = False
) -> None:
    """Check a file of clinics and list what is wrong; nothing is changed.

    Example: remission clinics check my-clinics.csv
    """
    reading = _read(file, file_format, source_date)
    if as_json:
        print_json(_summary(reading))
    else:
        _show_reading(reading)
    if reading.errors:
        raise typer.Exit(2)


@app.command("list")
def list_clinics(
    state: Annotated[str | None, typer.Option(help="Two letters or name of a US state.")] = None,
    store: _Store = None,
    as_json: AsJson = False,
) -> None:
    """List the loaded clinics.

    Example: remission clinics list --state CA
    """
    from remission.clinics.states import find_state

    code = None if state is None else find_state(state)
    if state is not None and code is None:
        raise SpecError(where="--state", got=state, allowed="a US state or territory, for example CA")
    source = _store(store)
    clinics = source.read(code)
    if as_json:
        print_json({"clinics": clinics, "count": len(clinics)})
        return
    for one in clinics:
        cells = (one.id, one.name, f"{one.city}, {one.region}", one.source, one.last_verified.isoformat())
        # A line break in a name would look like another clinic.
        typer.echo("\t".join(map(visible, cells)))
    counts = ", ".join(f"{count} {name}" for name, count in source.counts().items()) or "none"
    typer.echo(f"{len(clinics)} shown. In {source.path}: {counts}.", err=True)


@app.command("export")
def export_clinics(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="CSV file to write; it must not exist yet.")],
    store: _Store = None,
) -> None:
    """Write the loaded clinics as CSV, safe to open in a spreadsheet.

    Example: remission clinics export clinics-backup.csv
    """
    from remission.clinics.operator_csv import write_operator_csv
    from remission.files import check_free, write_text

    check_free(out, "OUT")
    clinics = _store(store).read()
    write_text(out, write_operator_csv(clinics))
    typer.echo(f"Wrote {len(clinics)} clinics to {out}")


def _read(file: Path, file_format: str, source_date: datetime | None) -> "Reading":
    from remission.clinics.files import FORMATS, read_clinics

    known: dict[str, Format] = {name: name for name in FORMATS}
    if file_format not in known:
        raise SpecError(where="--format", got=file_format, allowed=f"one of: {', '.join(known)}")
    return read_clinics(
        file,
        file_format=known[file_format],
        source_date=None if source_date is None else source_date.date(),
        today=date.today(),  # noqa: DTZ011 - the operator's own calendar day
    )


def _store(path: Path | None) -> "ClinicStore":
    from remission.clinics.store import ClinicStore, default_store_path

    return ClinicStore(path or default_store_path())


def _summary(reading: "Reading") -> dict[str, object]:
    return {
        "format": reading.format, "rows": reading.n_rows, "good": len(reading.clinics), "bad": reading.n_bad,
        "closed": len(reading.gone), "faults": reading.faults, "notes": reading.notes, "cautions": reading.cautions,
    }  # fmt: skip


def _show_reading(reading: "Reading") -> None:
    places = f"{len(reading.clinics)} places from {reading.n_rows} rows ({reading.format})"
    # "No bad rows" would read as "all understood".
    bad = "no bad rows" if not reading.n_bad and not reading.cautions else f"{reading.n_bad} bad rows"
    typer.echo(f"{places}; {bad}.")
    for note in (*reading.notes, *reading.cautions):
        typer.echo(note)
    for fault in reading.faults[:_MOST_SHOWN]:
        typer.echo(_fault_text(fault), err=True)
    if len(reading.faults) > _MOST_SHOWN:
        typer.echo(f"and {len(reading.faults) - _MOST_SHOWN} more; see them all with --json", err=True)


def _fault_text(fault: "RowFault") -> str:
    kind = "warning: " if fault.is_warning else ""
    got = f"; got {fault.got!r}" if fault.got else ""
    return f"row {fault.row}, {fault.field}: {kind}{fault.reason}{got}"
