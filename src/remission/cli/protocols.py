"""``remission list``, ``new`` and ``show``: protocols to start from, and what a protocol or a run is."""

from pathlib import Path
from typing import Annotated

import typer

from remission.cli.options import AsJson
from remission.cli.terminal import print_columns, print_json
from remission.errors import SpecError


def new_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="File to write, for example my-trial.yaml; of a plan NAME-plan.yaml when left out."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Built-in protocol to copy; default: a short commented template.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Data of your trial: write a plan of an analysis for them instead.")
    ] = None,
) -> None:
    """Write a commented protocol to start from, or a plan for data. It never overwrites a file.

    Example: remission new my-trial.yaml --from kare
    """
    from remission.files import check_free, write_text
    from remission.library.protocols import protocol_template, protocol_text

    if plan is None:
        if file is None:
            raise SpecError(where="new", got="no FILE", allowed="a file to write, for example my-trial.yaml")
        text = protocol_text(source) if source else protocol_template()
        write_text(file, text)
        typer.echo(f"Wrote {file}. Run it with: remission run {file}")
        return
    if source is not None:
        raise SpecError(where="--from", got=source, allowed="nothing beside --plan", remedy="Leave one of the two out.")
    from remission.exchange.study_guess import guess_plan

    target = Path(f"{plan.resolve().stem}-plan.yaml") if file is None else file
    check_free(target, str(target))
    text, guessed = guess_plan(plan)
    write_text(target, text)
    for line in guessed:
        typer.echo(f"guessed: {line}", err=True)
    typer.echo(f"Wrote {target}. Read every CHECK in it, then: remission analyze {plan} --plan {target}")


def list_command(
    as_json: AsJson = False,
) -> None:
    """List the built-in protocols.

    Example: remission list
    """
    from remission.library.protocols import list_protocols, load_protocol

    found = [(name, load_protocol(name)) for name in list_protocols()]
    if as_json:
        rows = [{"name": n, "title": p.title, "substance": p.substance} for n, p in found]
        print_json({"protocols": rows})
    else:
        print_columns([(name, protocol.title) for name, protocol in found])


def show_command(
    what: Annotated[str, typer.Argument(help="Folder of a run, a built-in protocol, or a protocol file.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every file or chunk of a run with its hash, and show no numbers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a finished run, or what a protocol will do.

    A run is checked against its hashes first.

    Example: remission show kare
    """
    from remission.runs.folder import is_unfinished

    if verify or is_unfinished(Path(what)):
        from remission.cli.execute import verify_command

        verify_command(Path(what), as_json=as_json)
    elif Path(what).is_dir():
        _show_run(Path(what), as_json=as_json)
    else:
        _show_protocol(what, as_json=as_json)


def _show_run(folder: Path, *, as_json: bool) -> None:
    from remission.cli.table import print_rows, standing_data
    from remission.runs.folder import read_run

    run = read_run(folder)
    if as_json:
        # A run that was made before it said so says it now.
        summary = {"standing": standing_data(run.summary), **run.summary}
        print_json({"manifest": run.manifest, "summary": summary})
        return
    print_rows(run.summary)
    typer.echo(f"Whole: {len(run.manifest['files'])} files match their hashes. Made by: {run.manifest['command']}")
    typer.echo(f"Report: {folder / 'report.html'}")


def _show_protocol(name: str, *, as_json: bool) -> None:
    from remission.cli.run import read_one_protocol
    from remission.patient.standing import standing_of_protocol

    protocol = read_one_protocol(name)
    standing = standing_of_protocol(protocol)
    if as_json:
        cautions = protocol.cautions()
        content = {"protocol": protocol, "standing": standing.to_dict(), "cautions": cautions}
        print_json({**content, "sha256": protocol.content_hash})
        return
    for line in standing.lines:
        typer.echo(line)
    typer.echo(protocol.explain())
    for caution in protocol.cautions():
        typer.echo(f"! {caution}")
