"""What a parser of options would take in silence: an option given twice, a number in the spelling of a language."""

from collections import Counter
from typing import Any

from remission.errors import SpecError

__all__ = ["refuse_repeats"]

_NUMBERS = {"int", "float"}


def refuse_repeats(command: Any, arguments: list[str]) -> None:
    """Refuse an option of one value that is given more than once, and a number with underscores, in any command.

    Options that may be given again keep all their values and pass; so do switches, which say the same twice. What else
    is wrong with a command line is told by the command itself.

    Parameters
    ----------
    command
        The command, with its commands inside.

    Raises
    ------
    SpecError
        An option is given more than once, or its number is spelled with underscores.
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
