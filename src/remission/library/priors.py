"""Distributions of the model's values before any trial, as the library has them."""

from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from remission.errors import SpecError
from remission.library.loader import damaged
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.parameter import Grade, SourceKey, Text


class ParameterPrior(Record):
    """What is believed of one value.

    ``center`` and ``scale``: mean and standard deviation of a normal, median and standard deviation of the logarithm
    of a lognormal; a half-normal begins at 0 and has the ``scale`` of its normal.
    """

    name: Annotated[str, Field(min_length=1, max_length=40)]
    distribution: Literal["normal", "lognormal", "half-normal"]
    center: float = 0.0
    scale: Annotated[float, Field(gt=0.0)]
    grade: Grade
    source: SourceKey
    note: Text = ""


@cache
def load_priors() -> tuple[ParameterPrior, ...]:
    """The priors of the library, in the order of their file.

    Raises LibraryError: the file is damaged.

    Examples
    --------
    >>> load_priors()[0].name, load_priors()[0].distribution
    ('use_effect', 'normal')
    """
    content = packaged_toml("priors.toml")
    try:
        common = {"grade": content["grade"], "source": content["source"]}
        return tuple(ParameterPrior.from_dict({**common, **entry}) for entry in content["priors"])
    except (KeyError, SpecError) as error:
        raise damaged("priors.toml", error, "priors of the model's values", "") from None
