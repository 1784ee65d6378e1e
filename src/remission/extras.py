"""Parts of the program that an installation may leave out, and the command that adds each."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from remission.errors import MissingExtraError

EXTRAS = {
    "plots": ("matplotlib",),
    "web": ("fastapi", "uvicorn", "python_multipart", "markdown_it", "matplotlib", "statsmodels", "sqlalchemy"),
    "exchange": ("pandas", "openpyxl", "pyreadstat"),
    "evidence": ("statsmodels",),
    "cluster": ("distributed",),
    "calibrate": ("numpyro", "sklearn", "arviz", "SALib"),
}
"""What each extra of pyproject.toml brings, by the name under which Python imports it."""

_DOES = {
    "plots": "figures, pages and forest plots",
    "web": "the pages of remission serve",
    "exchange": "diaries of other systems",
    "evidence": "pooling of trials",
    "cluster": "work on many machines",
    "calibrate": "fits of the model to published trials",
}


def has_extra(extra: str) -> bool:
    """Whether everything that an extra brings is installed."""
    return all(find_spec(module) is not None for module in EXTRAS[extra])


def need_extra(extra: str, *, where: str) -> None:
    """Refuse at once (MissingExtraError) what would fail later for want of an extra; ``where`` needs it."""
    for module in EXTRAS[extra]:
        if find_spec(module) is None:
            raise missing_extra(extra, module, where=where)


def missing_extra(extra: str, module: str, *, where: str) -> MissingExtraError:
    """The error that names what is missing and the command that adds it."""
    return MissingExtraError(
        where=where,
        got=f"an installation without {module}",
        allowed=f"the extra {extra!r}: {_DOES[extra]}",
        remedy=f"Add it with: pip install 'remission[{extra}]'",
    )


@contextmanager
def telling_extras(where: str) -> Iterator[None]:
    """Turn the failed import of what an extra brings into the error that names the extra; others pass."""
    try:
        yield
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        for extra, modules in EXTRAS.items():
            if root in modules:
                raise missing_extra(extra, root, where=where) from None
        raise
