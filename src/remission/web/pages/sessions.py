"""What sessions were like: what trials counted, and beside it the same trial's sessions as the model runs them."""

from functools import cache, partial
from typing import Any

import numpy as np

from remission.evidence.registry import citation_of, load_evidence
from remission.library.protocols import load_protocol
from remission.numerics.intervals import share_interval
from remission.protocol.record import Protocol
from remission.records.base import Record
from remission.records.evidence import StudyOutcome, StudyRecord
from remission.records.packaged import packaged_toml
from remission.records.seed import DEFAULT_SEED
from remission.trial.chunk import Chunk
from remission.trial.simulate import plan_trial
from remission.web.language import LANGUAGES, load_text
from remission.web.page import PageRouter
from remission.web.pages.help import Language
from remission.web.problems import PageMissingError

__all__ = ["Counted", "counted_in", "router"]

router = PageRouter()
_page = partial(router.page, languages=tuple(LANGUAGES), keeps_nothing=True)
_TRIALS = 24
"""Simulated trials: some thousands of sessions, so that chance moves no count of 100 by more than one or two."""
_RISE_MMHG = 30.0
_STOP_POINTS = 60.0
_KINDS = ("pressure", "dissociation", "stopped", "missed", "harm")


class Counted(Record):
    """A published count: ``kind`` is what was counted, ``note`` who the people were."""

    kind: str
    name: str
    says: str
    study: str
    source: str
    note: str


class Simulated(Record):
    """What the model gives for sessions of one trial."""

    kind: str
    name: str
    says: str


class SessionsPage(Record):
    """What /journey/{substance}/sessions shows; without a trial that can be simulated ``simulated`` is empty."""

    substance: str
    heading: str
    counted: tuple[Counted, ...]
    simulated: tuple[Simulated, ...]
    trial: str
    trial_title: str
    n_sessions: int
    n_people: int


@_page("/journey/{substance}/sessions", template="sessions.html.jinja", text="journey")
def sessions(substance: str, language: Language) -> SessionsPage:
    """What sessions with ketamine were like: counted in trials, and simulated per session."""
    t = load_text(language, "journey")
    if substance not in t["substances"]:
        raise PageMissingError(what="substance", got=substance, known=tuple(t["substances"]))
    name = packaged_toml("care", "tolerability.toml")["protocol"].get(substance, "")
    found = _simulated(name) if name else None
    return SessionsPage(
        substance=substance,
        heading=t["tolerability"]["heading"].replace("{substance}", t["substances"][substance]),
        counted=counted_in(substance, language),
        simulated=() if found is None else _told(found, t),
        trial=name,
        trial_title=load_protocol(name).title if name else "",
        n_sessions=0 if found is None else found["n_sessions"],
        n_people=0 if found is None else found["n_people"],
    )


@cache
def counted_in(substance: str, language: str) -> tuple[Counted, ...]:
    """Published counts of what happened in sessions, of the substance and of all."""
    table, t = packaged_toml("care", "tolerability.toml"), load_text(language, "journey")
    entries = [*table.get(substance, ()), *table["any"]]
    return tuple(_counted(one, t) for kind in _KINDS for one in entries if one["kind"] == kind)


def _counted(entry: dict[str, str], t: Any) -> Counted:
    study = load_evidence()[entry["study"]]
    assert isinstance(study, StudyRecord)
    outcome = next(
        one for one in study.outcomes if (one.endpoint, one.arm_or_contrast) == (entry["endpoint"], entry["contrast"])
    )
    words = t["tolerability"]
    return Counted(
        kind=entry["kind"],
        name=words["what"][entry["kind"]],
        says=_count(outcome, words),
        study=study.id,
        source=citation_of(study),
        note=words["note"][study.id],
    )


def _count(outcome: StudyOutcome, words: Any) -> str:
    """A count as people of those who were asked about; a percentage as people of 100 with its range."""
    assert outcome.value is not None
    if outcome.statistic == "percent":
        text = words["of_100"].format(n=round(outcome.value), among=outcome.n)
        if outcome.ci_low is not None and outcome.ci_high is not None:
            text += " " + words["range"].format(low=round(outcome.ci_low), high=round(outcome.ci_high))
        return text
    hit, among = round(outcome.value), outcome.n
    assert among is not None
    # None of some people is not surely none: a count without its range reads as a promise.
    low, high = (100.0 * end for end in share_interval(hit, among))
    return str(words["of_people"].format(n=hit, among=among, low=_at_most(low), high=_at_most(high)))


def _at_most(share: float) -> str:
    """A share of 100 people in whole people, and where that would say none of a rare one, with a decimal."""
    return f"{share:.1f}" if 0.0 < share < 1.0 else f"{share:.0f}"


@cache
def _simulated(name: str) -> dict[str, Any]:
    """Sessions with ketamine of a trial: how far pressure rose, the score of dissociation, what was not given."""
    protocol = load_protocol(name)
    rule = {"systolic_rise": f"{_RISE_MMHG:g} mmHg", "cadss": f"{_STOP_POINTS:g} points"}
    asked = {
        "id": "tolerability",
        "label": "Tolerability",
        "kind": "percent_session_events",
        "session": rule,
        "window": {"first": 0, "last": protocol.follow_up_days - 1},
    }
    known = protocol.to_dict()
    plan = plan_trial(
        Protocol.from_dict({**known, "endpoints": [*known["endpoints"], asked]}),
        n_replicates=_TRIALS,
        seed=DEFAULT_SEED,
    )
    batch = plan.simulate(Chunk(first=0, count=_TRIALS))
    seen = batch.observation.sessions
    assert seen is not None, "an endpoint asks for them"
    is_ketamine = [arm.drug is not None and protocol.drugs[arm.drug].is_ketamine for arm in protocol.arms]
    mine = np.flatnonzero(np.asarray(is_ketamine)[batch.arm])
    planned = seen.day[mine] >= 0
    given = seen.given[mine] & planned
    scores = seen.peak["cadss_points"][mine][given]
    return {
        "n_people": mine.size,
        "n_sessions": int(given.sum()),
        "pressure": 100.0 * float((seen.peak["systolic_rise_mmhg"][mine][given] > _RISE_MMHG).mean()),
        "middle": float(np.median(scores)),
        "high": float(np.quantile(scores, 0.9)),
        "stopped": 100.0 * float((seen.flowing["cadss_points"][mine][given] > _STOP_POINTS).mean()),
        "missed": 100.0 * float((planned & ~given).sum() / planned.sum()),
    }


def _told(found: dict[str, Any], t: Any) -> tuple[Simulated, ...]:
    words = t["tolerability"]

    def of_100(value: float) -> str:
        return words["fewer"] if 0.0 < value < 0.5 else f"{round(value)}"

    values = {name: of_100(found[name]) for name in ("pressure", "stopped", "missed")}
    values |= {"middle": f"{found['middle']:.0f}", "high": f"{found['high']:.0f}"}
    bounds = {"rise": f"{_RISE_MMHG:g}", "points": f"{_STOP_POINTS:g}"}
    return tuple(
        Simulated(kind=kind, name=words["what"][kind], says=words["simulated"][kind].format(**values, **bounds))
        for kind in _KINDS
        if kind in words["simulated"]
    )
