"""Where the project's own records are: checks and forecasts, as they were written."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def records_folder(name: str) -> Traversable:
    """The folder ``validation`` or ``forecasts``, inside an installed package or in the work tree."""
    packaged = files("remission.web").joinpath("records", name)
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs" / name
