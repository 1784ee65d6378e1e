"""The first page: what this is, and a door for each reader."""

from remission.records.base import Record
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


_DOORS = (
    Door(
        who="Patients and families",
        question="What are my options, and what would happen?",
        address="/journey",
        says="Established treatments first, ketamine beside them, each with what trials found and what nobody knows.",
    ),
    Door(
        who="Anyone who is curious",
        question="How is it meant to work?",
        address="/learn",
        says="The chain from the dose to the day without use, one brain region at a time, computed and graded.",
    ),
    Door(
        who="Clinicians and researchers",
        question="What is known, and how was it read?",
        address="/evidence",
        says="Trials, reviews and natural history, with intervals, conflicts and how each number was read.",
    ),
    Door(
        who="Clinicians and pharmacologists",
        question="What does one session do?",
        address="/planner",
        says="An infusion in simulated people of one weight: levels, effects, pressure, and what stands against it.",
    ),
    Door(
        who="Trialists",
        question="Does the model give the published trials?",
        address="/trial",
        says="The alcohol and the cocaine trial simulated a thousand times, published beside simulated.",
    ),
)


@router.page("/", template="home.html.jinja", weight="quick")
def home() -> HomePage:
    """Doors for each kind of reader."""
    return HomePage(doors=_DOORS)
