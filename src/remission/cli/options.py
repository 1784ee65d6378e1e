"""Arguments of the Python door under the names that they have on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["named_as_options"]


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
