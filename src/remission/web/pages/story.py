"""How it works, as one story: a drawn brain whose links can be closed, the days that follow, and nine steps."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import Query

from remission.errors import LibraryError
from remission.evidence.registry import citation_of, load_evidence
from remission.library.article import Verdict, load_article
from remission.library.closed_links import REGIONS, ClosedLinks, Curve, load_closed_links, runs_through
from remission.library.explanations import load_explanations
from remission.library.front_page import WorldGroup
from remission.library.loader import load_parameter_set
from remission.records.base import Record
from remission.records.day_field import DayField, FieldGroup, GroupKind
from remission.records.evidence import StudyRecord
from remission.report.words import ESTABLISHED
from remission.web.language import LANGUAGES, load_text
from remission.web.page import PageRouter
from remission.web.pages.help import Language
from remission.web.pages.home import made_text
from remission.web.pages.learn import ClaimNote, Source
from remission.web.retold import retold
from remission.web.why import Why, why

router = PageRouter()

Region = Literal["habit", "affect", "control"]
_KINDS: Mapping[str, GroupKind] = {"education": "none", "ketamine": "both"}
_EVERY = 3
"""Days between the points of a small chart. [day]"""
_SAID = 4
"""Sentences of what carries the effect that stand in the story."""


class Switch(Record):
    """A region's link: whether it is closed, and the address of the page with it the other way."""

    region: str
    name: str
    gives: str
    is_closed: bool
    address: str


class SmallChart(Record):
    """A course with and without treatment on a scale that holds zero, as paths in 320 by 96."""

    title: str
    low: float
    high: float
    zero: float
    without: str
    treated: str
    ends: tuple[str, str]


class StoryStep(Record):
    """One step of the chain: what happens, how sure anyone is, and what the article claims of it."""

    id: str
    name: str
    sure: Verdict
    sure_says: str
    plain: tuple[str, ...]
    claims: tuple[ClaimNote, ...]
    chart: SmallChart | None


class StoryPage(Record):
    """What /learn shows. Gains are in days of ``n_days``, over the worlds."""

    closed: tuple[Region, ...]
    established: str
    switches: tuple[Switch, ...]
    gain: str
    through: str
    gained: tuple[float, ...]
    n_days: int
    people: DayField
    steps: tuple[StoryStep, ...]
    why: Why | None
    why_trial: str
    why_plain: str
    made: str


@router.page("/learn", template="story.html.jinja", text="learn", languages=tuple(LANGUAGES), weight="quick")
def learn(
    language: Language,
    closed: Annotated[tuple[Region, ...], Query(description="Regions whose link is closed.")] = (),
) -> StoryPage:
    """The story, with the links of some regions closed."""
    return _page(tuple(region for region in REGIONS if region in closed), language)


@cache
def _page(closed: tuple[Region, ...], language: str) -> StoryPage:
    found, text = load_closed_links(), load_text(language, "learn")
    words, steps = text["story"], zip(load_text("en", "learn")["steps"], text["steps"], strict=True)
    there = found.of(closed)
    numbers = {
        "days": _middle(there.gained),
        "low": min(there.gained),
        "high": max(there.gained),
        "here": _drawn(there.groups),
    }
    return StoryPage(
        closed=closed,
        established=retold(ESTABLISHED["alcohol"], language),
        switches=tuple(_switch(region, closed, words) for region in REGIONS),
        gain=words["gain"].format(n_days=found.n_days, **{name: _whole(days) for name, days in numbers.items()}),
        through=_through(found, closed, words),
        gained=there.gained,
        n_days=found.n_days,
        people=DayField(
            what="alcohol",
            origin="simulated",
            n_days=found.n_days,
            groups=tuple(
                FieldGroup(id=one.id, label=words[one.id], kind=_KINDS[one.id], rows=one.rows) for one in there.groups
            ),
        ),
        steps=tuple(_step({**step, **said}, found, words, language) for step, said in steps),
        why=_first_of(why(found.protocol, language)),
        why_trial=found.protocol,
        why_plain=_plain(found.protocol, words["carries_plain"]),
        made=made_text(found, words),
    )


def _first_of(found: Why | None) -> Why | None:
    """What the story has room for; the card of the trial says all."""
    return None if found is None else found.model_copy(update={"says": found.says[:_SAID]})


def _plain(protocol: str, words: Mapping[str, str]) -> str:
    """What the model concludes, before any number of it."""
    found = load_explanations().get(protocol)
    return words[found.conclusion] if found else ""


def _middle(gained: tuple[float, ...]) -> float:
    """The middle of the worlds; of two the lower."""
    return sorted(gained)[(len(gained) - 1) // 2]


def _drawn(groups: tuple[WorldGroup, ...]) -> float:
    """Days that the treated have more in the world that is drawn: the middle of the gains is of another one."""
    days = {one.id: one.days for one in groups}
    return days["ketamine"] - days["education"]


def _whole(days: float) -> str:
    return f"{round(days):d}".replace("-", "\u2212")


def _through(found: ClosedLinks, closed: tuple[Region, ...], words: Mapping[str, Any]) -> str:
    if not closed:
        return f"{words['all_open']} {words['none_through']}"
    low, high = runs_through(found, closed)
    days = _whole(_middle(found.of(()).gained))
    text = str(words["through"]).format(days=days, low=_whole(low), high=_whole(high))
    return f"{text} {words['ends_below']}" if round(low) < 0 else text


def _switch(region: str, closed: tuple[Region, ...], words: Mapping[str, Any]) -> Switch:
    is_closed = region in closed
    after = [one for one in REGIONS if (one in closed) != (one == region)]
    name, gives = words["regions"][region]
    query = "&".join(f"closed={one}" for one in after)
    return Switch(
        region=region, name=name, gives=gives, is_closed=is_closed, address=f"/learn?{query}" if query else "/learn"
    )


def _step(step: Mapping[str, Any], found: ClosedLinks, words: Mapping[str, Any], language: str) -> StoryStep:
    registry = load_evidence()
    claims = tuple(
        ClaimNote(
            step=claim.step,
            step_name=step["name"],
            claim=retold(claim.claim, language),
            verdict=claim.verdict,
            evidence=retold(claim.evidence, language),
            sources=tuple(Source(id=key, citation=citation_of(registry[key])) for key in claim.records),
        )
        for claim in load_article().claim
        if claim.step == step["id"]
    )
    curve = next((one for one in found.curves if one.state == step["curve"]), None)
    return StoryStep(
        id=step["id"],
        name=step["name"],
        sure=verdict_of(step),
        sure_says=step["sure_says"],
        plain=tuple(step["plain"]),
        claims=claims,
        chart=None if curve is None else _chart(curve, words["curves"][curve.state]),
    )


_LEAST_SURE_FIRST: tuple[Verdict, ...] = ("unknown", "contested", "measured", "practice")
_MOST_APART = 3.0
"""Constants farther apart than this factor disagree."""


def verdict_of(step: Mapping[str, Any]) -> Verdict:
    """How sure anyone is of a step: the least sure of what its records say; a matter of care where it has none.

    Raises LibraryError: it names a claim or a record that is not there.
    """
    claims = {one.id: one for one in load_article().claim}
    found: list[Verdict] = [claims[name].verdict for name in step.get("claims", ())]
    for record, endpoint in step.get("seen", ()):
        work = load_evidence()[record]
        if not isinstance(work, StudyRecord) or all(one.endpoint != endpoint for one in work.outcomes):
            raise _unfounded(step["id"], f"{record}: {endpoint}")
        found.append("measured")
    for record, words in step.get("against", ()):
        if not _speaks_against(record, words):
            raise _unfounded(step["id"], f"{record}: {words}")
        found.append("contested")
    return min(found, key=_LEAST_SURE_FIRST.index, default="practice")


def _speaks_against(record: str, words: str) -> bool:
    """Whether a study is read with these words of doubt, or the constants of a set of values lie far apart."""
    if words == "constants":
        values = load_parameter_set(record)
        constants = [values.value(name) for name in values.attribute(words).split()]
        return max(constants) > _MOST_APART * min(constants)
    study = load_evidence()[record]
    return isinstance(study, StudyRecord) and words in (study.risk_of_bias or "")


def _unfounded(step: str, got: str) -> LibraryError:
    return LibraryError(where=f"step {step} of /learn", got=got, allowed="what a record says")


def _chart(curve: Curve, title: str) -> SmallChart:
    """Paths of a course; the scale holds zero, and one where everything lies between."""
    values = (*curve.without, *curve.treated)
    low, high = min(0.0, *values), max(0.0, *values)
    if low >= 0.0 and high <= 1.0:
        high = 1.0

    def path(days: tuple[float, ...]) -> str:
        width = 320.0 / (len(days) - 1)
        points = (
            f"{day * width:.1f} {96.0 * (high - days[day]) / (high - low):.1f}" for day in range(0, len(days), _EVERY)
        )
        return f"M{' '.join(points)}"

    return SmallChart(
        title=title, low=low, high=high, zero=round(96.0 * high / (high - low), 1), without=path(curve.without),
        treated=path(curve.treated), ends=(f"{curve.without[-1]:.2f}", f"{curve.treated[-1]:.2f}"),
    )  # fmt: skip
