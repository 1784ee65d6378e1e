"""The clinic's article, claim by claim, with what evidence says of each."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import StringConstraints

from remission.records.base import Record

__all__ = ["Article", "Claim", "load_article"]

_Text = Annotated[str, StringConstraints(min_length=1, max_length=600)]


class Claim(Record):
    """One claim in our words.

    step
        Link of the chain where it lives.
    verdict
        measured (people were measured), contested (measurements disagree), unknown (nobody measured it in people with
        the disorder), practice (a matter of care).
    records
        Ids of the evidence registry that ``evidence`` stands on.
    """

    id: str
    step: str
    claim: _Text
    verdict: Literal["measured", "contested", "unknown", "practice"]
    evidence: _Text
    records: tuple[str, ...] = ()


class Article(Record):
    """The source of the project."""

    title: str
    date: date
    clinic: str
    claim: tuple[Claim, ...]


@cache
def load_article() -> Article:
    """The article of the library.

    Raises
    ------
    SpecError
        A claim does not fit its type; the library is damaged.
    """
    return Article.from_dict(tomllib.loads(files("remission.library").joinpath("article.toml").read_text("utf-8")))
