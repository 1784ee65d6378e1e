"""Built-in protocols: the published trials and the untreated course of each substance, as files like any other."""

from functools import cache
from importlib.resources import files

from remission.errors import LibraryError, SpecError, check_known
from remission.library.loader import damaged
from remission.protocol.file import parse_protocol
from remission.protocol.record import Protocol

__all__ = ["list_protocols", "load_protocol", "protocol_template", "protocol_text"]

_ENDING = ".yaml"


def list_protocols() -> tuple[str, ...]:
    """Names of the built-in protocols, sorted.

    Examples
    --------
    >>> "kare" in list_protocols()
    True
    """
    folder = files("remission.library").joinpath("protocols")
    return tuple(sorted(entry.name.removesuffix(_ENDING) for entry in folder.iterdir() if entry.name.endswith(_ENDING)))


@cache
def load_protocol(name: str) -> Protocol:
    """The built-in protocol of that name.

    Raises
    ------
    LibraryError
        There is none (the message lists the nearest names), or its file is damaged.

    Examples
    --------
    >>> load_protocol("kare").population.n_subjects
    96
    """
    try:
        return parse_protocol(protocol_text(name), name=name + _ENDING)
    except SpecError as error:
        raise damaged(f"protocols/{name}{_ENDING}", error, "a valid protocol") from error


def protocol_text(name: str) -> str:
    """The file of a built-in protocol, with its comments: something to copy and change.

    Raises LibraryError: there is none of that name.
    """
    known = list_protocols()
    check_known(name, known, where="protocol", more="Name a file with its ending.", error=LibraryError)
    return _text("protocols", name + _ENDING)


def protocol_template() -> str:
    """A small commented protocol to start from."""
    return _text("protocol_template.yaml")


def _text(*path: str) -> str:
    try:
        return files("remission.library").joinpath(*path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged("/".join(path), error, "a readable file") from None
