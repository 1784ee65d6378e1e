"""The first page: the answer in a sentence, one living picture, and five doors."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from remission.library.front_page import (
    FromDraws,
    Interval,
    Rule,
    Version,
    Worlds,
    choose_version,
    load_rule,
    load_sentences,
    load_worlds,
    published_difference,
    published_interval,
    simulated_interval,
)
from remission.library.loader import load_parameter_set
from remission.library.medicines import load_medicine
from remission.library.protocols import load_protocol
from remission.library.published import published_outcome, trial_citation
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.records.base import Record
from remission.records.day_field import DayField, FieldGroup, GroupKind
from remission.web.language import LANGUAGES, load_text
from remission.web.page import PageRouter
from remission.web.pages.help import Language
from remission.web.problems import PageMissingError

router = PageRouter()
_page = partial(router.page, template="home.html.jinja", text="home", languages=tuple(LANGUAGES), weight="quick")

_KINDS: Mapping[str, GroupKind] = {
    "education": "none",
    "therapy": "therapy",
    "medicine": "medicine",
    "ketamine": "both",
}
"""Groups in the order in which they stand: established treatments before ketamine."""
_MEDICINE = "naltrexone"


class Door(Record):
    """Where one kind of reader goes first."""

    who: str
    question: str
    address: str
    says: str


class Said(Record):
    """One of the three sentences, when it is said, and whether the numbers chose it."""

    version: Version
    name: str
    sentence: str
    why: str
    is_chosen: bool


class HomePage(Record):
    """The answer, the people of one possible world, and the doors. Differences are in days of ``n_days``."""

    title: str
    answer: str
    why: str
    versions: tuple[Said, ...]
    versions_note: str
    days: str
    relapse: str
    before: tuple[str, ...]
    citation: str
    record: str
    number: int
    next: int
    world: str
    here: int
    effect: float
    effects: tuple[float, ...]
    published: Interval | None
    simulated: Interval | None
    n_days: int
    people: DayField
    invented: str
    no_race: str
    see: str
    source: str
    made: str
    n_trials: int
    n_draws: int
    doors: tuple[Door, ...]


@_page("/")
def home(language: Language) -> HomePage:
    """The answer, with the middle of the possible worlds."""
    return page_of_world(1, language)


@_page("/world/{number}")
def world(number: int, language: Language) -> HomePage:
    """The same with another possible world; 1 is the middle one."""
    if not 1 <= number <= len(load_worlds().order):
        raise PageMissingError(what="world", got=str(number), known=[str(k + 1) for k in load_worlds().order])
    return page_of_world(number, language)


@cache
def page_of_world(number: int, language: str = "en") -> HomePage:
    """The page with one world; ``number`` is its place in the order in which worlds are shown, from 1."""
    worlds, rule, words = load_worlds(), load_rule(), load_text(language, "home")
    said = load_sentences(language)
    published, simulated = published_interval(worlds.n_days), simulated_interval(worlds, rule)
    chosen = choose_version(published, simulated, rule)
    there = worlds.worlds[worlds.order[number - 1]]
    trial = load_protocol(worlds.protocol)
    spread = span_text(*_range([one.effect for one in worlds.worlds]), words["span"])
    facts: dict[str, Any] = {
        "n_days": worlds.n_days,
        "trials": words["trials"],
        "published": words["facts"]["unpublished"] if published is None else days_text(published, words["interval"]),
    }
    thresholds = rule.model_dump()
    versions: tuple[Version, ...] = ("helps", "no_difference", "worse")
    medicine = load_medicine(_MEDICINE, substance=trial.substance)
    return HomePage(
        title=said["titles"]["unpublished" if published is None else chosen].format(**facts),
        answer=said["sentences"][chosen].format(**facts),
        why=_why(published, simulated, rule, words, n_days=worlds.n_days, n_trials=len(worlds.evidence)),
        versions=tuple(
            Said(
                version=one,
                name=words["versions"][one],
                sentence=said["sentences"][one].format(**facts),
                why=said["sentences"]["why"][one].format(**thresholds),
                is_chosen=one == chosen,
            )
            for one in versions
        ),
        versions_note=words["versions"]["note"].format(
            published=facts["published"],
            simulated=words["versions"]["none"] if simulated is None else days_text(simulated, words["interval"]),
        ),
        days=words["facts"]["unpublished"]
        if published is None
        else words["facts"]["days_says"].format(
            n=published_difference().n or trial.population.n_subjects, n_days=worlds.n_days, **rounded(published)
        ),
        relapse=_relapse(words),
        before=tuple(load_text(language, "learn")[name] for name in ("stop_alcohol", "stop_opioid")),
        citation=str(trial_citation(str(trial.evidence))),
        record=str(trial.evidence),
        number=number,
        next=number % len(worlds.order) + 1,
        world=words["field"]["adds" if there.effect >= 0 else "takes"].format(
            number=number,
            n_worlds=len(worlds.order),
            days=f"{abs(there.effect):.0f}",
            n_people=worlds.n_people,
            n_days=worlds.n_days,
            span=spread,
        ),
        here=worlds.order[number - 1],
        effect=there.effect,
        effects=tuple(one.effect for one in worlds.worlds),
        published=published,
        simulated=simulated,
        n_days=worlds.n_days,
        people=_people(worlds, number, words),
        invented=words["field"]["simulated_says"].format(n=trial.population.clean_days),
        no_race=words["field"]["no_race"].format(n_worlds=len(worlds.order), n_days=worlds.n_days, span=spread),
        see=words["field"]["see"].format(medicine=words["medicine"], weeks=medicine.days // 7),
        source=words["field"]["source"].format(
            medicine=words["medicine"].capitalize(),
            contrast=medicine.contrast,
            low=medicine.low,
            high=medicine.high,
            days=medicine.days,
        ),
        made=made_text(worlds, words["sure"]),
        n_trials=len(worlds.evidence),
        n_draws=worlds.n_draws,
        doors=tuple(Door(**one) for one in words["doors"]["list"]),
    )


def is_of_now(found: FromDraws) -> bool:
    """Whether a file of ``make worlds`` was made with the values and the protocol as they are now."""
    return (
        load_parameter_set(DEFAULT_PARAMETER_SET).content_hash == found.parameter_hash
        and load_protocol(found.protocol).content_hash == found.protocol_hash
    )


def made_text(found: FromDraws, words: Mapping[str, Any]) -> str:
    """How the numbers were made, and whether the model has changed since."""
    return str(words["made"]).format(**found.model_dump()) + ("" if is_of_now(found) else f" {words['changed']}")


def days_text(one: Interval, form: str) -> str:
    """A difference in whole days with its interval, in the reader's words."""
    return form.format(**rounded(one))


def rounded(one: Interval) -> dict[str, str]:
    """Value and ends in whole days as text, with the minus sign of print."""
    ends = (("days", one.value), ("low", one.low), ("high", one.high))
    return {name: _whole(days) for name, days in ends}


def span_text(low: float, high: float, words: Mapping[str, str]) -> str:
    """A range of differences in whole days, in words: fewer and more, in the place of signs."""
    lower, upper = round(low), round(high)
    if lower >= 0:
        return words["more"].format(low=lower, high=upper)
    if upper <= 0:
        return words["fewer"].format(low=-upper, high=-lower)
    return words["mixed"].format(low=-lower, high=upper)


def _whole(days: float) -> str:
    return f"{round(days):d}".replace("-", "\u2212")


def _range(days: list[float]) -> tuple[float, float]:
    return min(days), max(days)


def _why(
    published: Interval | None, simulated: Interval | None, rule: Rule, words: Mapping[str, Any], **facts: int
) -> str:
    # Both intervals that chose the answer, in words: the favorable one alone would contradict it.
    def side(one: Interval | None) -> str:
        if one is None:
            return "missing"
        return "above" if one.low > rule.helps_above else "below" if one.high < rule.worse_below else "holds"

    def told(kind: str, one: Interval | None) -> str:
        ends = {} if one is None else {**rounded(one), "span": span_text(one.low, one.high, words["span"])}
        return str(words["why"][kind][side(one)]).format(**ends, **facts)

    return f"{told('published', published)} {told('simulated', simulated)} {words['why']['both']}"


def _relapse(words: Mapping[str, Any]) -> str:
    trial = load_protocol(load_worlds().protocol)
    asked = next(one for one in trial.comparisons if one.analysis == "relapse-ketamine")
    found = published_outcome(
        str(trial.evidence), arm_or_contrast=asked.arm_or_contrast, endpoint=asked.outcome, statistic=asked.statistic
    )
    low, high = found.ci_low or 0.0, found.ci_high or float("inf")
    says = "relapse_apart" if high < 1.0 else "relapse_worse" if low > 1.0 else "relapse_not"
    return str(words["facts"][says]).format(value=f"{found.value:g}", low=f"{low:g}", high=f"{high:g}")


def _people(worlds: Worlds, number: int, words: Mapping[str, Any]) -> DayField:
    groups = {one.id: one for one in worlds.worlds[worlds.order[number - 1]].groups}
    return DayField(
        what=load_protocol(worlds.protocol).substance.value,
        origin="simulated",
        n_days=worlds.n_days,
        groups=tuple(
            FieldGroup(
                id=name,
                label=words["field"][name].format(medicine=words["medicine"]),
                kind=kind,
                rows=groups[name].rows,
                mean_range=_range([one.days for world in worlds.worlds for one in world.groups if one.id == name]),
            )
            for name, kind in _KINDS.items()
        ),
    )
