"""The first page: what this is, and a door for each reader."""

from remission.records.base import Record
from remission.web.language import load_text
from remission.web.page import PageRouter

__all__ = ["router"]

router = PageRouter()


class Door(Record):
    """Where one kind of reader goes first."""

    who: str
    question: str
    address: str
    says: str


class HomePage(Record):
    """The doors."""

    doors: tuple[Door, ...]


@router.page("/", template="home.html.jinja", weight="quick")
def home() -> HomePage:
    """Doors for each kind of reader."""
    return HomePage.from_dict(dict(load_text("en", "home")))
