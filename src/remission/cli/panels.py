"""The commands in panels by the question that a reader brings, and what is said of a word that is no command."""

from collections.abc import Callable
from typing import Any

from typer.core import TyperGroup

from remission.errors import did_you_mean, known_names

PROMISE = (
    "From the dose to the day without use: see what ketamine treatment may do for a hundred people, how sure anyone "
    "can be, and what trial would settle it."
)

_PANELS = {
    "How it works": ("run", "explain", "show", "list", "serve", "site"),
    "Options and help": ("evidence", "clinics"),
    "Plan a session": ("plan",),
    "Design a trial": ("new", "design", "analyze", "blinding"),
    "Is it true?": ("endpoints", "import", "describe", "rerun", "validate", "forecast", "calibrate"),
    "Less often": ("resume", "work", "merge", "export", "doctor"),
}
"""Every command but older names has its place; a test compares them with the commands that there are."""


class Panels(TyperGroup):
    """The group of all commands; its help shows them in panels."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature of the library
        """Write one section a panel."""
        widest = max(map(len, self.commands))
        room = formatter.width - widest - 6
        for panel, names in _PANELS.items():
            with formatter.section(panel):
                formatter.write_dl([
                    (name.ljust(widest), self.commands[name].get_short_help_str(limit=room)) for name in names
                ])  # fmt: skip


def usage_words(error: Any, arguments: list[str]) -> str:
    """What is wrong with a command line, in the order of every error here, and where the help is."""
    context: Any = getattr(error, "ctx", None)
    place = "command" if context is None else context.command_path.removeprefix("remission").strip() or "command"
    kind, param = type(error).__name__, getattr(error, "param", None)
    got, expected, question = "", "", ""
    if kind == "NoSuchOption":
        got, expected = error.option_name, "an option that it has"
        question = did_you_mean(got, [name for other in context.command.params for name in other.opts])
    elif error.message.startswith("No such command"):
        commands = context.command.commands
        got, expected = error.message.split("'")[1], "one of its commands"
        question = did_you_mean(got, commands, otherwise=known_names(commands, most=len(commands)))
    elif kind == "MissingParameter" and param is not None:
        is_argument = param.param_type_name == "argument"
        got, expected = f"no {param.name.upper() if is_argument else param.opts[0]}", param.help or "one"
        expected = (expected if expected[1:2].isupper() else f"{expected[:1].lower()}{expected[1:]}").rstrip(".")
    elif kind == "BadParameter" and param is not None and param.param_type_name == "option":
        place, got = _given(param, arguments, context.token_normalize_func or str)
        expected = _expected(error.message)
    if not got:
        message = error.format_message()
        return f"{message if message.endswith(('.', '?')) else f'{message}.'} See {_help_of(error)}."
    words = [f"{place}: got {got}; expected {expected}.", question, f"See {_help_of(error)}."]
    return " ".join(word for word in words if word)


def _help_of(error: Any) -> str:
    context: Any = getattr(error, "ctx", None)
    return f"{'remission' if context is None else context.command_path} --help"


def _given(param: Any, arguments: list[str], current_name: Callable[[str], str]) -> tuple[str, str]:
    """The option as it was typed, and the value it was given."""
    for number, word in enumerate(arguments):
        name, _, value = word.partition("=")
        if f"--{current_name(name[2:])}" in param.opts or name in param.opts:
            return name, value or (arguments[number + 1] if number + 1 < len(arguments) else "nothing")
    return max(param.opts, key=len), "something else"


def _expected(message: str) -> str:
    """What a check of a value asked for, without the words of the library that checks."""
    for words, ours in _CHECKS.items():
        if words in message:
            return ours + message.partition(words)[2].strip() if ours.endswith(" ") else ours
    return message.rstrip(".")


_CHECKS = {
    "greater than or equal to ": "at least ",
    "less than or equal to ": "at most ",
    "greater than ": "more than ",
    "less than ": "less than ",
    "valid integer": "a whole number",
    "valid number": "a number",
}
