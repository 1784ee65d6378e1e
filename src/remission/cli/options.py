"""Names of options: older ones that still work, and arguments of the Python door as they are called here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

__all__ = ["Changes", "current_name", "named_as_options"]

Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a model parameter, for example --set gamma=0. May be repeated."),
]
_OLDER = {"null": "type1-error", "truth": "true-effect"}


def current_name(name: str) -> str:
    """The name of an option today; scripts may hold an older one, which no help shows."""
    return _OLDER.get(name, name)


@contextmanager
def named_as_options(**names: str) -> Iterator[None]:
    """Faults of arguments under the names of their options: ``--name``, or as ``names`` says.

    Raises
    ------
    SpecError
        What was raised inside, with the option in the place of the argument.
    """
    from remission.errors import SpecError

    try:
        yield
    except SpecError as error:
        if type(error) is not SpecError or len(error.faults) > 1 or not error.where.isidentifier():
            raise
        option = names.get(error.where, f"--{error.where.replace('_', '-')}")
        raise SpecError(where=option, got=error.got, allowed=error.allowed, remedy=error.remedy) from None
