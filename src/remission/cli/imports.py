"""``remission import`` and ``remission export``: diaries of other systems in and out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from remission.cli.options import AsJson, named_as_options
from remission.cli.terminal import print_json
from remission.errors import SpecError
from remission.files import check_free

__all__ = ["app", "export_command"]

app = typer.Typer(help="Read diaries of other systems.", no_args_is_help=True)

_MOST_SHOWN = 20
_Out = Annotated[Path | None, typer.Option("--out", help="Write this Parquet file; it must not exist yet.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")]


@app.command("tlfb")
def import_tlfb(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Table with a row per person, substance and day.")],
    mapping: Annotated[Path | None, typer.Option(help="Read in this YAML file which column holds what.")] = None,
    out: _Out = None,
    dry_run: _DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read a timeline follow-back table and say what was kept and what was set aside.

    Example: remission import tlfb diary.csv --out diary.parquet
    """
    _import(file, mapping=mapping, out=out, dry_run=dry_run, as_json=as_json)


@app.command("redcap")
def import_redcap(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Raw export of the project as CSV.")],
    dictionary: Annotated[Path, typer.Option("--dictionary", help="Data dictionary of the project as CSV.")],
    mapping: Annotated[Path | None, typer.Option(help="Read in this YAML file which field holds what.")] = None,
    out: _Out = None,
    dry_run: _DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read the diary of a REDCap project and say what was kept and what was set aside.

    Example: remission import redcap export.csv --dictionary dictionary.csv --mapping fields.yaml --out diary.parquet
    """
    _import(file, layout="redcap", dictionary=dictionary, mapping=mapping, out=out, dry_run=dry_run, as_json=as_json)


@app.command("ctn0094")
def import_ctn0094(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Tables of public.ctn0094data as CSV with gzip.")],
    out: _Out = None,
    dry_run: _DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read the diaries of three trials for opioid use disorder, with the days that people were asked about.

    Example: remission import ctn0094 tables --out ctn0094.parquet
    """
    _import(folder, layout="ctn0094", out=out, dry_run=dry_run, as_json=as_json)


@app.command("cdisc")
def import_cdisc(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Data sets of CDISC, .xpt or Dataset-JSON 1.1.")],
    out: _Out = None,
    dry_run: _DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read and check data sets of CDISC; the days of SU become diaries, with the arms of DM.

    Where a data set is there in both forms, their cells must be equal.

    Example: remission import cdisc kare-cdisc --out kare.parquet
    """
    from remission.exchange.cdisc_import import describe_folder, read_cdisc

    if out is None and not dry_run:
        raise SpecError(where="--out", got="nothing", allowed="a Parquet file to write, or --dry-run")
    read = read_cdisc(folder)
    sets = describe_folder(read)
    if not as_json:
        for one in sets:
            typer.echo(f"{one['name']}: {one['label'] or 'no label'}, {one['records']} records, "
                       f"{len(one['columns'])} columns")  # fmt: skip
        if read.origin == "simulated":
            typer.echo("These people are simulated.")
    if dry_run and "SU" not in read.datasets:
        if as_json:
            print_json({"datasets": sets, "origin": read.origin, "warnings": list(read.notes), "out": None})
        else:
            typer.echo("Checked only; without SU there are no days of use to import.")
        return
    more = {"datasets": sets, "origin": read.origin}
    _import(folder, layout="cdisc", out=out, dry_run=dry_run, as_json=as_json, more=more)


def _import(
    path: Path, *, out: Path | None, dry_run: bool, as_json: bool, more: dict[str, Any] | None = None, **how: Any
) -> None:
    from remission.door.diaries import import_diaries

    if out is None and not dry_run:
        raise SpecError(where="--out", got="nothing", allowed="a Parquet file to write, or --dry-run")
    if out is not None:
        check_free(out, "--out")
    imported = import_diaries(path, out=None if dry_run else out, **how)
    summary = imported.to_dict()
    if as_json:
        print_json({**(more or {}), **summary, "out": None if dry_run else out})
        return
    _show(summary)
    typer.echo("Checked only; nothing was written." if dry_run else f"Wrote {out}")


def export_command(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Folder of a run, or a Parquet file of remission import; for usdm a protocol."
        ),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="What to write: a .csv or .parquet file, or a folder for cdisc; new.")
    ],
    layout: Annotated[
        str,
        typer.Option(
            "--as",
            "--layout",
            help="Days: rows, one per person and day; calendar, a column per day; redcap, with dictionary. cdisc: SDTM "
            "and ADaM as XPT and Dataset-JSON. people: a row per person with arm, times, outcomes. usdm: a protocol.",
        ),
    ] = "rows",
    substance: Annotated[
        str | None, typer.Option("--substance", help="Take this substance only; a calendar needs one.")
    ] = None,
    replicate: Annotated[
        int | None, typer.Option("--replicate", help="Take this replicate of a run, from 0; default: 0, people: all.")
    ] = None,
) -> None:
    """Write a trial for other programs: days, people, CDISC.

    Tables are safe to open in a spreadsheet; simulated people stay simulated in every file.

    Example: remission export runs/kare-2026-11-29-52c8a0c2 kare.csv --as calendar
    """
    if layout in {"cdisc", "people", "usdm"}:
        if substance is not None:
            raise SpecError(where="--substance", got=substance, allowed=f"left out with --as {layout}")
        _export_trial(data, out, layout, replicate)
        return
    from remission.door.diaries import export_diaries

    with named_as_options(out="OUT", layout="--as"):
        chosen = export_diaries(data, out, layout=layout, substance=substance, replicate=replicate or 0)
    if layout == "calendar" and any(one.scores for one in chosen):
        typer.echo("Marks of craving and mood have no place in a calendar: write rows to keep them.", err=True)
    if layout == "redcap" and out.suffix == ".csv":
        typer.echo(f"Wrote the data dictionary to {out.with_name(f'{out.stem}-dictionary.csv')}")
    typer.echo(f"Wrote {sum(int(one.assessed.sum()) for one in chosen)} days to {out}")


def _export_trial(data: Path, out: Path, layout: str, replicate: int | None) -> None:
    from remission.cli.run import read_one_protocol
    from remission.door.exports import export_cdisc, export_people, export_usdm

    with named_as_options(out="OUT", run="DATA", data="DATA"):
        if layout == "people":
            typer.echo(f"Wrote {export_people(data, out, replicate=replicate)} people to {out}")
            return
        if layout == "usdm":
            if replicate is not None:
                raise SpecError(where="--replicate", got=replicate, allowed="left out with --as usdm")
            of_run = data / "protocol.yaml"
            left_out = export_usdm(read_one_protocol(str(of_run if of_run.is_file() else data)), out)
            for sentence in left_out:
                typer.echo(f"not in the file: {sentence}", err=True)
            typer.echo(f"Wrote the protocol to {out}")
            return
        trial = export_cdisc(data, out, replicate=replicate or 0)
    for one in trial.datasets:
        typer.echo(f"{one.name}: {one.label}, {len(one.rows)} records")
    for sentence in trial.says:
        typer.echo(f"note: {sentence}", err=True)
    typer.echo(f"Wrote {len(trial.datasets)} data sets, each as .json and .xpt, and define.json to {out}")


def _show(summary: dict[str, Any]) -> None:
    typer.echo(f"{summary['kept']} of {summary['rows']} rows kept, {len(summary['set_aside'])} set aside.")
    for one in summary["totals"]:
        words = f"{one['substance']}: {one['people']} people, {one['assessed_days']} assessed days, "
        words += f"{one['use_days']} with use, day {one['first_day']} to {one['last_day']}"
        if one["missing_days"]:
            words += f"; {one['missing_days']} days not known between first and last row, "
            words += f"in {one['people_with_gaps']} people"
        if one.get("people_not_known"):
            words += f"; nothing known of {one['people_not_known']} people"
        typer.echo(words)
    for note in summary["warnings"]:
        typer.echo(f"warning: {note}", err=True)
    for one in summary["set_aside"][:_MOST_SHOWN]:
        typer.echo(f"row {one['row']}, {one['field']}: {one['reason']}; got {one['got']!r}", err=True)
    if len(summary["set_aside"]) > _MOST_SHOWN:
        typer.echo(f"and {len(summary['set_aside']) - _MOST_SHOWN} more; see them all with --json", err=True)
