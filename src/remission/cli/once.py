"""An option that takes one value is given once: the second would silently replace the first."""

from collections import Counter
from typing import Any

from remission.errors import SpecError

__all__ = ["refuse_repeats"]


def refuse_repeats(command: Any, arguments: list[str]) -> None:
    """Refuse an option of one value that is given more than once, in any command.

    Options that may be given again keep all their values and pass; so do switches, which say the same twice. What else
    is wrong with a command line is told by the command itself.

    Parameters
    ----------
    command
        The command, with its commands inside.

    Raises
    ------
    SpecError
        An option is given more than once.
    """
    left = list(arguments)
    while True:
        context = command.context_class(command, info_name=command.name, resilient_parsing=True)
        try:
            _, rest, order = command.make_parser(context).parse_args(args=left)
        except Exception as error:
            if hasattr(error, "format_message"):
                return
            raise
        counts = Counter(id(one) for one in order)
        for one in order:
            takes_one = one.param_type_name == "option" and not (one.multiple or one.count or one.is_flag)
            if takes_one and counts[id(one)] > 1:
                raise SpecError(
                    where=max(one.opts, key=len), got=f"given {counts[id(one)]} times", allowed="once",
                    remedy="Keep the one that is meant; nothing was done.",
                )  # fmt: skip
        commands = getattr(command, "commands", None)
        if not commands or not rest or rest[0] not in commands:
            return
        command, left = commands[rest[0]], rest[1:]
