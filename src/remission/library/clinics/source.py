"""The clinic that published the source article, as the article's source only."""

import tomllib
from functools import cache
from importlib.resources import files

from remission.records.base import Record

__all__ = ["ArticleSource", "load_article_source"]


class ArticleSource(Record):
    """Who published the article. It stands in no list of clinics and is no recommendation."""

    name: str
    address: str
    serves: str
    as_of: int
    grade: str


@cache
def load_article_source() -> ArticleSource:
    """The source of the article, as of its year, unverified."""
    text = files("remission.library").joinpath("clinics", "article-source.toml").read_text("utf-8")
    return ArticleSource.from_dict(tomllib.loads(text))
