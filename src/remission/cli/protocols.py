"""``remission new`` and ``remission list``: protocols to start from."""

from pathlib import Path
from typing import Annotated

import typer

from remission.cli.options import AsJson
from remission.cli.terminal import print_columns, print_json

__all__ = ["list_command", "new_command"]


def new_command(
    file: Annotated[Path, typer.Argument(help="File to write, for example my-trial.yaml.")],
    source: Annotated[
        str | None, typer.Option("--from", help="Built-in protocol to copy; default: a short commented template.")
    ] = None,
) -> None:
    """Write a commented protocol to start from. It never overwrites a file.

    Example: remission new my-trial.yaml --from kare
    """
    from remission.files import write_text
    from remission.library.protocols import protocol_template, protocol_text

    text = protocol_text(source) if source else protocol_template()
    write_text(file, text)
    typer.echo(f"Wrote {file}. Run it with: remission run {file}")


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
