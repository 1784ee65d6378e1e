"""``remission serve``: the web app on this machine."""

import gc
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from remission.errors import SpecError

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def serve_command(  # noqa: PLR0917 - options, given by name
    host: Annotated[str, typer.Option(help="Address to listen on; the default is this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    country: Annotated[str, typer.Option(help="Whose emergency numbers to show, two letters, for example US.")] = "US",
    clinics: Annotated[
        Path | None, typer.Option(help="Store that remission clinics load fills; the usual place when left out.")
    ] = None,
    helplines: Annotated[
        Path | None, typer.Option(help="CSV of your own lines to call and lists of places, with the day of each check.")
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="Also offer the pages that load clinics. There is no login.")
    ] = False,
    demonstration: Annotated[
        bool, typer.Option("--demonstration", help="Show invented clinics, marked as such, where none are loaded.")
    ] = False,
    clinician: Annotated[
        bool,
        typer.Option(
            "--clinician", help="The planner also offers volumes, a session log, and a page of your own diaries."
        ),
    ] = False,
    workbench: Annotated[
        Path | None,
        typer.Option(help="Also offer pages that design, run and analyze; drafts, jobs and runs go into this folder."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="A further host name to answer to, behind a proxy; may be repeated.")
    ] = None,
    any_name: Annotated[
        bool, typer.Option("--any-name", help="Answer to any host name: only behind a proxy that checks it.")
    ] = False,
) -> None:
    """Serve the pages for readers in a browser.

    How it works, options, evidence, clinics, trials, and the planner.

    Example: remission serve --port 8000
    """
    from remission.evidence.care import contacts_of
    from remission.extras import need_extra
    from remission.files import refuse_pipes

    need_extra("web", where="remission serve")
    from remission.web.app import create_app
    from remission.web.helplines import read_helplines
    from remission.web.server import bind, serve
    from remission.web.settings import WebSettings, read_host_name

    if host not in _LOOPBACK and operator:
        raise SpecError(
            where="--operator", got=f"--host {host}", allowed="an address of this machine only (127.0.0.1)",
            remedy="Anyone who reaches the pages could change the clinics: load them with remission clinics load.",
        )  # fmt: skip
    if host not in _LOOPBACK and workbench is not None:
        raise SpecError(
            where="--workbench", got=f"--host {host}", allowed="an address of this machine only (127.0.0.1)",
            remedy="Its token would cross the net unencrypted. Put a proxy with TLS before it, and name it by --name.",
        )  # fmt: skip
    if clinics is not None:
        refuse_pipes(clinics, allowed="a store that remission clinics load fills", where="--clinics")
    if any_name and name:
        raise SpecError(where="--any-name", got="--name too", allowed="one of them: names, or any name")
    names = [read_host_name(one) for one in name or ()]
    for typed, read in zip(name or (), names, strict=True):
        if typed != read:
            typer.echo(f"--name {typed} is compared as {read}.", err=True)
    is_everywhere = host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    own = () if is_everywhere else (read_host_name(host),)
    today = date.today()  # noqa: DTZ011 - the operator's own calendar day
    lines = () if helplines is None else read_helplines(helplines, today=today)
    settings = WebSettings(
        # A country without numbers to call is refused here and not on the page of a reader who needs them.
        country=contacts_of(country.upper(), own=lines).country,
        helplines=lines,
        clinics_store=clinics,
        is_operator=operator,
        demonstrates=demonstration,
        is_clinician=clinician,
        workbench=workbench,
        hosts=("*",) if any_name else tuple(dict.fromkeys((*WebSettings().hosts, *own, *names))),
    )
    listener = bind(host, port)
    app = create_app(settings)
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"Remission is at http://{shown}:{listener.getsockname()[1]}/  Stop it with Ctrl-C.")
    if workbench is not None:
        token = app.state.bench.token
        typer.echo(f"The workbench is at http://{shown}:{listener.getsockname()[1]}/workbench?token={token}")
    if host not in _LOOPBACK:
        typer.echo("There is no login: whoever reaches this address sees the pages.", err=True)
    if any_name:
        typer.echo(
            "Warning: any host name is answered. Without a proxy that checks names, a page of another site can reach "
            "this server through a reader's browser.",
            err=True,
        )
    elif is_everywhere and not names:
        typer.echo(
            "Only this machine's own names are answered. Give others with --name: care.example, or 192.0.2.7.",
            err=True,
        )
    # A server goes on for weeks: what its start made is looked through no more, and what readers leave is found sooner.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    serve(app, listener)
