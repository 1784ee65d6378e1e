"""A file of a kinetic model that a protocol names: its name, and its text whole, so that nothing needs the file again.

What the text says is read where models are known (:mod:`remission.pk.own_model`).
"""

import hashlib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

from remission.errors import SpecError
from remission.files import read_small_text
from remission.records.base import Record

LARGEST_MODEL_BYTES = 200_000
"""Largest file of a model that is read. [byte]"""

_WHAT = "a TOML file of a kinetic model"


def _relative(name: str) -> str:
    is_absolute = PurePosixPath(name).is_absolute() or ":" in name or "\\" in name
    if is_absolute or PurePosixPath(name).suffix != ".toml":
        raise SpecError(
            where="value", got=name, allowed="a path that ends in .toml, from the folder of the protocol, with /",
            remedy="A path of one machine means nothing on another: put the model beside the protocol.",
        )  # fmt: skip
    return name


class ModelFile(Record):
    """The name of a model's file and its text; a protocol file gives the name, and its stored copy both.

    Examples
    --------
    >>> ModelFile(file="our-ward.toml", text='id = "our-ward"').sha256[:8]
    '7d433ab0'
    """

    file: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_relative)]
    text: Annotated[
        str, StringConstraints(min_length=1, max_length=LARGEST_MODEL_BYTES),
        BeforeValidator(lambda text: text.replace("\r\n", "\n") if isinstance(text, str) else text),
    ]  # fmt: skip

    @property
    def sha256(self) -> str:
        """Hash of the text in UTF-8, with line feeds at the ends of lines, 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def read(cls, file: str, *, folder: str | Path = ".") -> "ModelFile":
        """The model in a file of a folder.

        Raises SpecError: the path is absolute or does not end in ``.toml``, or the file cannot be read.
        """
        path = Path(folder) / _relative(file)
        return cls.create(file=file, text=read_small_text(path, allowed=_WHAT, largest_bytes=LARGEST_MODEL_BYTES))


def _from_name(value: Any, info: ValidationInfo) -> Any:
    """A name stands for the file beside the protocol that is being read."""
    if not isinstance(value, str):
        return value
    folder = (info.context or {}).get("folder")
    if folder is None:
        raise SpecError(
            where="value", got=value, allowed="the model's file and text: here no folder is known that it could be in",
            remedy="Read the protocol from its file, or give ModelFile.read(name, folder=...).",
        )  # fmt: skip
    try:
        return ModelFile.read(value, folder=folder)
    except SpecError as error:
        raise SpecError(
            where="value", got=value, allowed=error.allowed, remedy=f"{error.got}: {error.remedy}"
        ) from None


NamedModel = Annotated[ModelFile | None, BeforeValidator(_from_name, json_schema_input_type=str | ModelFile | None)]
"""A model by the name of its file in a protocol file, by name and text everywhere else."""
