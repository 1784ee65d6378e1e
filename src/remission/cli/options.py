"""Options that several commands have, older names that still work, and what a parser would take in silence."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from remission.errors import SpecError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a model parameter, for example --set use_effect=0. May be repeated."),
]
ProtocolName = Annotated[str, typer.Argument(help="A built-in protocol (see remission list) or a protocol file.")]
Replicate = Annotated[int, typer.Option("--replicate", help="Take this replicate of a run, from 0.")]
Report = Annotated[Path | None, typer.Option("--report", help="Write a page to read or print; it must not exist yet.")]
Workers = Annotated[int | None, typer.Option("--workers", "-w", help="Share the work among so many processes.")]

_NUMBERS = {"int", "float"}


def older_names(**older: str) -> dict[str, Any]:
    """Settings of a command whose options had other names, which scripts may hold and no help shows."""
    return {"token_normalize_func": lambda name: older.get(name, name)}


@contextmanager
def named_as_options(**names: str) -> Iterator[None]:
    """Faults of arguments of the Python door under the names of their options: ``--name``, or as ``names`` says."""
    try:
        yield
    except SpecError as error:
        is_name = error.where.isidentifier() or error.where in names
        if type(error) is not SpecError or len(error.faults) > 1 or not is_name:
            raise
        option = names.get(error.where, f"--{error.where.replace('_', '-')}")
        raise SpecError(where=option, got=error.got, allowed=error.allowed, remedy=error.remedy) from None


def refuse_repeats(command: Any, arguments: list[str]) -> None:
    """Refuse an option of one value that is given more than once, and a number with underscores, in any command.

    Options that may be given again keep all their values and pass; so do switches, which say the same twice. What else
    is wrong with a command line is told by the command itself.
    """
    left = list(arguments)
    while True:
        context = command.context_class(
            command, info_name=command.name, resilient_parsing=True, **command.context_settings
        )
        try:
            given, rest, order = command.make_parser(context).parse_args(args=left)
        except Exception as error:
            if hasattr(error, "format_message"):
                return
            raise
        counts = Counter(id(option) for option in order)
        for option in order:
            takes_one = option.param_type_name == "option" and not (option.multiple or option.count or option.is_flag)
            if takes_one and counts[id(option)] > 1:
                raise SpecError(
                    where=max(option.opts, key=len), got=f"given {counts[id(option)]} times", allowed="once",
                    remedy="Keep the one that is meant; nothing was done.",
                )  # fmt: skip
            value = given.get(option.name)
            if option.bare_type() in _NUMBERS and isinstance(value, str) and "_" in value:
                raise SpecError(
                    where=max(option.opts, key=len), got=value, allowed="a number in digits, without underscores",
                    remedy="0_9 would be read as 9.",
                )  # fmt: skip
        commands = getattr(command, "commands", None)
        if not commands or not rest or rest[0] not in commands:
            return
        command, left = commands[rest[0]], rest[1:]
