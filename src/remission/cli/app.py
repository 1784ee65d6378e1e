"""The commands and what they have in common: errors, exit codes, JSON.

Heavy libraries are imported inside the commands, so that ``--help`` is quick.
"""

import json
import os
import sys
from typing import Annotated

import typer

from remission.cli.clinics import app as clinics_app
from remission.cli.describe import describe_command
from remission.cli.design import design_command
from remission.cli.endpoints import app as endpoints_app
from remission.cli.evidence import app as evidence_app
from remission.cli.execute import rerun_command, resume_command, verify_command
from remission.cli.imports import app as imports_app
from remission.cli.imports import export_command
from remission.cli.plain import plain_output
from remission.cli.plan import plan_command
from remission.cli.protocols import list_command, new_command
from remission.cli.run import run_command
from remission.cli.serve import serve_command
from remission.cli.show import show_command
from remission.errors import LibraryError, RemissionError, RunError, SpecError, WorkError

__all__ = ["app", "run_app"]

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="remission",
    help=(
        "Simulate trials of ketamine with psychotherapy for substance use disorders, from milligrams to days "
        "abstinent. Research software, not medical advice."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("run")(run_command)
app.command("resume")(resume_command)
app.command("verify")(verify_command)
app.command("rerun")(rerun_command)
app.command("new")(new_command)
app.command("show")(show_command)
app.command("list")(list_command)
app.command("serve")(serve_command)
app.add_typer(evidence_app, name="evidence")
app.add_typer(endpoints_app, name="endpoints")
app.add_typer(clinics_app, name="clinics")
app.add_typer(imports_app, name="import")
app.command("export")(export_command)
app.command("describe")(describe_command)
app.command("plan")(plan_command)
app.command("design")(design_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from remission import __version__

        typer.echo(f"remission {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def run_app(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    with plain_output():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        code = app(arguments, standalone_mode=False)
    except RemissionError as error:
        _show_error(error, as_json=as_json)
        return WRONG_INPUT if _is_wrong_input(error) else FAILED
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (as `head` does): not our fault, nothing to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if _is_usage_error(error):
            _show_usage(error, as_json=as_json)
            return WRONG_INPUT
        raise
    if code == INTERRUPTED:
        typer.echo("Interrupted. No unfinished result stands under a finished name.", err=True)
    return int(code or DONE)


_NAMED_BY_USER = {"protocol", "parameter set", "endpoint"}


def _is_wrong_input(error: RemissionError) -> bool:
    """Whether the user can mend it by typing something else; otherwise the work failed."""
    if isinstance(error, LibraryError):
        return error.where in _NAMED_BY_USER
    return isinstance(error, SpecError | RunError) and not isinstance(error, WorkError)


def _is_usage_error(error: Exception) -> bool:
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _show_usage(error: Exception, *, as_json: bool) -> None:
    message = error.format_message()  # type: ignore[attr-defined]
    if as_json:
        typer.echo(json.dumps({"error": {"where": "command line", "message": message}}))
    typer.echo(f"remission: {message} See remission --help.", err=True)


def _show_error(error: RemissionError, *, as_json: bool) -> None:
    if as_json:
        faults = error.faults if isinstance(error, SpecError) else (error,)
        parts = [{"where": f.where, "got": str(f.got), "allowed": f.allowed, "remedy": f.remedy} for f in faults]
        typer.echo(json.dumps({"error": {"kind": type(error).__name__, "faults": parts}}, ensure_ascii=False))
    typer.echo(f"remission: {error}", err=True)
