"""Writing a posterior; reading one is :mod:`remission.library.posteriors`, which needs no inference library."""

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

from remission.errors import SpecError
from remission.files import write_text
from remission.library.posteriors import POSTERIOR_FORMAT, Posterior

__all__ = ["check_place", "write_posterior"]


def check_place(path: Path) -> None:
    """Refuse (SpecError) the folder of the posterior that the program carries."""
    if path.resolve().parent == Path(str(files("remission.library") / "calibration")).resolve():
        raise SpecError(
            where=str(path), got="the folder of the shipped posterior", allowed="another folder",
            remedy="What the program carries is replaced by make calibrate only.",
        )  # fmt: skip


def write_posterior(posterior: Posterior, path: Path) -> None:
    """Write it, whole or not at all.

    Raises WorkError: the disk refused. SpecError: the place is that of the posterior that the program carries.
    """
    check_place(path)
    told = {"format": POSTERIOR_FORMAT, **asdict(posterior)}
    told["draws"] = {name: [float(f"{x:.5g}") for x in column] for name, column in posterior.draws.items()}
    write_text(path, json.dumps(told, indent=None, separators=(",", ":")) + "\n")
