"""Trials on the bench of blinding: those of the library by name, and files."""

from importlib.resources import files
from pathlib import Path

from remission.errors import LibraryError, did_you_mean, known_names
from remission.records.blinding import BlindingTrial
from remission.records.record_file import record_of
from remission.records.yaml_tree import read_tree, read_tree_file


def list_blinding_trials() -> tuple[str, ...]:
    """Names of the trials of the library."""
    folder = files("remission.library").joinpath("blinding-trials")
    return tuple(sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")))


def parse_blinding_trial(text: str, *, name: str) -> BlindingTrial:
    """The trial of a YAML text; ``name`` stands in messages. Raises SpecError as :func:`load_blinding_trial`."""
    return record_of(BlindingTrial, read_tree(text, name=name))


def load_blinding_trial(source: str | Path) -> BlindingTrial:
    """A trial of the library by its name, or of a file by its path.

    Raises LibraryError: there is no such name; SpecError: the file cannot be read or is no such trial; every fault has
    file, line and field.
    """
    if isinstance(source, Path):
        return record_of(BlindingTrial, read_tree_file(source, what="a YAML file of a trial", example="id: my-trial"))
    known = list_blinding_trials()
    if source not in known:
        remedy = did_you_mean(source, known, otherwise=known_names(known))
        raise LibraryError(where="blinding trial", got=source, allowed="a trial of the library", remedy=remedy)
    resource = files("remission.library").joinpath("blinding-trials", f"{source}.yaml")
    return parse_blinding_trial(resource.read_text(encoding="utf-8"), name=f"library/blinding-trials/{source}.yaml")
