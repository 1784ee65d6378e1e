"""The clinic's article, claim by claim, with what evidence says of each."""

from datetime import date
from functools import cache
from typing import Annotated, Literal

from pydantic import StringConstraints

from remission.records.base import Record
from remission.records.packaged import packaged_toml

_Text = Annotated[str, StringConstraints(min_length=1, max_length=600)]


Verdict = Literal["measured", "contested", "unknown", "practice"]


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
    verdict: Verdict
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
    """The article of the library."""
    return Article.from_dict(packaged_toml("article.toml"))
