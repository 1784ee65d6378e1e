"""The clinic that published the source article, as the article's source only."""

from functools import cache

from remission.records.base import Record
from remission.records.packaged import packaged_toml


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
    return ArticleSource.from_dict(packaged_toml("clinics", "article-source.toml"))
