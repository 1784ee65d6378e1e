"""The commands and what they have in common: errors, exit codes, JSON.

Heavy libraries are imported inside the commands, so that ``--help`` is quick, and a command without the others.
"""

import errno
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer

from remission.cli.options import older_names, refuse_repeats
from remission.cli.panels import PROMISE, Panels, usage_words
from remission.cli.terminal import plain_output
from remission.errors import LibraryError, RemissionError, RunError, SpecError, WorkError, visible
from remission.extras import telling_extras

__all__ = ["app_of", "end_of_output", "is_wrong_input", "run_app"]

_FILE = re.compile(r"\.(csv|html?|json|parquet|png|svg|toml|xlsx|ya?ml)/+$", re.IGNORECASE)

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

_COMMANDS: Final[Mapping[str, str]] = MappingProxyType({
    "run": "run:run_command",
    "resume": "execute:resume_command",
    "verify": "execute:verify_command",
    "work": "shares:work_command",
    "merge": "shares:merge_command",
    "rerun": "execute:rerun_command",
    "new": "protocols:new_command",
    "show": "protocols:show_command",
    "list": "protocols:list_command",
    "serve": "serve:serve_command",
    "site": "site:site_command",
    "evidence": "evidence:app",
    "endpoints": "endpoints:app",
    "clinics": "clinics:app",
    "import": "imports:app",
    "export": "imports:export_command",
    "describe": "describe:describe_command",
    "analyze": "analyze:analyze_command",
    "blinding": "blinding:app",
    "doctor": "doctor:doctor_command",
    "validate": "validate:validate_command",
    "calibrate": "calibrate:calibrate_command",
    "forecast": "forecast:forecast_command",
    "explain": "explain:explain_command",
    "plan": "plan:plan_command",
    "design": "design:design_command",
})  # fmt: skip
"""Every command with its module and what stands for it there: a function, or an app of further commands."""

_OLDER_NAMES: Final = MappingProxyType({
    "describe": older_names(out="report"),
    "plan": older_names(out="report"),
    "design": older_names(null="type1-error", truth="true-effect"),
})  # fmt: skip


def app_of(arguments: Sequence[str] = ()) -> typer.Typer:
    """The program for one command line: with the command that it names alone, so that no other is loaded, or with all.

    All are there when the first word is no command, such as ``--help`` or a name with a letter too many.
    """
    made = typer.Typer(
        name="remission",
        cls=Panels,
        help=f"{PROMISE}\n\nResearch software, not medical advice.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    made.callback()(_main)
    for name in [arguments[0]] if arguments and arguments[0] in _COMMANDS else _COMMANDS:
        module, _, own = _COMMANDS[name].partition(":")
        found: Any = getattr(import_module(f"remission.cli.{module}"), own)
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name)
        else:
            made.command(name, hidden=name == "verify", context_settings=_OLDER_NAMES.get(name))(found)
    return made


def _print_version(wanted: bool) -> None:
    if wanted:
        from remission import __version__

        typer.echo(f"remission {__version__}")
        raise typer.Exit


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
        _check_arguments(arguments)
        app = app_of(arguments)
        refuse_repeats(typer.main.get_command(app), arguments)
        with telling_extras(f"remission {arguments[0] if arguments else ''}".strip()):
            code = app(arguments, standalone_mode=False, prog_name="remission")
    except RemissionError as error:
        _show_error(error, as_json=as_json)
        return WRONG_INPUT if is_wrong_input(error) else FAILED
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except OSError as error:
        return end_of_output(error)
    except SystemExit as stop:
        # Libraries end so when the reader of our output went away (as `head` does): nothing to say.
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        return end_of_output(BrokenPipeError())
    except MemoryError:
        _say("remission: memory: got no more of it; expected more. Ask for fewer people or replicates.")
        return FAILED
    except Exception as error:
        if _is_usage_error(error):
            _show_usage(error, arguments, as_json=as_json)
            return WRONG_INPUT
        raise
    if code == INTERRUPTED:
        _say("Interrupted. No unfinished result stands under a finished name.")
    return int(code or DONE)


def _check_arguments(arguments: list[str]) -> None:
    """Refuse words that are no text, and a working folder that is gone: every path of every command is met here."""
    for number, word in enumerate(arguments, start=1):
        got, allowed, remedy = word, "", ""
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            got, allowed = ascii(word), "text in UTF-8"
            remedy = "Rename the file, or set a UTF-8 locale, such as LC_ALL=C.UTF-8."
        elif not word or (word.startswith("--") and word.endswith("=")):
            got, allowed, remedy = word or "nothing", "a value", "A shell variable that is not set gives this."
        elif word.endswith("/") and _FILE.search(word) and not Path(word).is_dir():
            allowed, remedy = "the name of a file, or a folder that is there", "Leave the / at its end out."
        elif "\0" in word:
            got, allowed = ascii(word), "text without zero bytes"
        if allowed:
            raise SpecError(where=f"command line, word {number}", got=got, allowed=allowed, remedy=remedy)
    try:
        Path.cwd()
    except OSError as error:
        raise SpecError(
            where="working folder", got=error.strerror or str(error), allowed="a folder that exists",
            remedy="It was removed or cannot be entered; go to another one and start again.",
        ) from None  # fmt: skip


def end_of_output(error: OSError) -> int:
    """The exit code after an error of the system that nothing below has named: of the output, or of a file."""
    is_output = error.filename is None
    if is_output:
        # Nothing more is written, not even when the interpreter ends.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError) and is_output:
        # The reader of our output went away (as `head` does): not our fault, nothing to say.
        return DONE
    if not is_output and error.errno in _NO_NAME:
        _say(f"remission: {visible(str(error.filename))}: got {error.strerror}; expected a name that a disk takes.")
        return WRONG_INPUT
    place = "standard output" if is_output else str(error.filename)
    words = error.strerror or str(error)
    expected = "a place that can be read and written. Free space or choose another place."
    _say(f"remission: {place}: got {words}; expected {expected}")
    return FAILED


def _say(words: str) -> None:
    """A message to the reader; where even that cannot be written there is nobody to tell."""
    with suppress(OSError, ValueError):
        typer.echo(words, err=True)


_NO_NAME = {errno.ENAMETOOLONG, errno.ELOOP}
"""What a system says of a name that can be no file's."""

_NAMED_BY_USER = {"protocol", "parameter set", "endpoint"}


def is_wrong_input(error: RemissionError) -> bool:
    """Whether the user can mend it by typing something else; otherwise the work failed."""
    if isinstance(error, LibraryError):
        return error.where in _NAMED_BY_USER
    return isinstance(error, SpecError | RunError) and not isinstance(error, WorkError)


def _is_usage_error(error: Exception) -> bool:
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _show_usage(error: Any, arguments: list[str], *, as_json: bool) -> None:
    if type(error).__name__ == "NoArgsIsHelpError":
        _say(str(error.format_message()))
        return
    message = usage_words(error, arguments)
    if as_json:
        _print_json({"error": {"where": "command line", "message": message}})
    _say(f"remission: {message}")


def _show_error(error: RemissionError, *, as_json: bool) -> None:
    if as_json:
        faults = error.faults if isinstance(error, SpecError) else (error,)
        parts = [{"where": f.where, "got": str(f.got), "allowed": f.allowed, "remedy": f.remedy} for f in faults]
        _print_json({"error": {"kind": type(error).__name__, "faults": parts}})
    _say(f"remission: {error}")


def _print_json(content: dict[str, Any]) -> None:
    try:
        typer.echo(json.dumps(content))
    except OSError as error:
        end_of_output(error)
