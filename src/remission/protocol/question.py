"""Faults between a protocol and its question: what a confirmatory trial must state, and what has no meaning.

Field paths are relative to the protocol.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from remission.errors import SpecError
from remission.protocol.fields import ProtocolFields
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.estimand import EVENTS, Estimand, EventKind, Strategy
from remission.records.packaged import packaged_toml


def possible_events(protocol: ProtocolFields) -> tuple[EventKind, ...]:
    """The intercurrent events that can happen in this protocol's simulated people, or are looked for in them."""
    events, blinding = protocol.events, protocol.blinding
    can = {
        "relapse": events is not None and events.relapse is not None,
        "rescue-medicine": events is not None and events.rescue_medicine is not None,
        "dropout": protocol.setting.retention == "modeled",
        "incarceration": events is not None and events.incarceration is not None,
        "unblinding": blinding is not None,
    }
    return tuple(event for event in EVENTS if can[event])


def strategy_for(estimand: Estimand, event: EventKind, endpoint: Endpoint) -> Strategy:
    """What is done about an event when this endpoint is counted.

    Where the estimand is silent: treatment policy, but composite for dropout when the endpoint counts what is missing
    as use or leaving as its event, because that is what such an endpoint says.
    """
    leaving_fails = endpoint.missing == "use" or KINDS[endpoint.kind].leaving
    if event == "dropout" and event not in estimand.strategies and leaving_fails:
        return "composite"
    return estimand.strategies.get(event, "treatment-policy")


def strategy_faults(
    strategies: Mapping[EventKind, Strategy], possible: Sequence[EventKind], endpoint: Endpoint | None
) -> Iterator[SpecError]:
    """Strategies for events that cannot happen, or that ask for a number which does not exist."""
    remedies = packaged_toml("words", "protocol.toml")["events"]
    for event, strategy in strategies.items():
        where = f"estimand.strategies.{event}"
        if event not in possible:
            allowed = f"an event of this protocol: {', '.join(possible) or 'none'}"
            yield SpecError(
                where=where,
                got=strategy,
                allowed=allowed,
                remedy=remedies[event],
            )
        elif endpoint is not None:
            allowed, remedy = _refused(event, strategy, endpoint)
            if allowed:
                yield SpecError(where=where, got=strategy, allowed=allowed, remedy=remedy)


def question_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Faults of the estimand and of what a confirmatory trial must state."""
    estimand, is_confirmatory = protocol.estimand, protocol.purpose == "confirmatory"
    if estimand is None:
        if is_confirmatory:
            yield SpecError(
                where="estimand",
                got="nothing",
                allowed="the five attributes of the question: this protocol says purpose: confirmatory",
                remedy="State treatment, population, variable, intercurrent_events and summary, and the analysis.",
            )
        return
    possible = possible_events(protocol)
    for event in possible if is_confirmatory else ():
        if event not in estimand.strategies:
            yield SpecError(
                where=f"estimand.strategies.{event}",
                got="nothing",
                allowed=f"one of {', '.join(get_args(Strategy))}: the event can happen and the trial is confirmatory",
                remedy=f"Add '{event}: treatment-policy', or what the question asks.",
            )
    analysis = next((item for item in protocol.analyses if item.id == estimand.analysis), None)
    endpoint = next((item for item in protocol.endpoints if analysis and item.id == analysis.endpoint), None)
    yield from strategy_faults(estimand.strategies, possible, endpoint)


def _refused(event: EventKind, strategy: Strategy, endpoint: Endpoint) -> tuple[str, str]:
    """What is allowed in place of a strategy whose number does not exist, and what to do; or nothing."""
    if event in {"relapse", "rescue-medicine"} and strategy == "hypothetical":
        what = "relapse" if event == "relapse" else "the use that calls for rescue medicine"
        return (
            f"another strategy: without {what} the outcome itself, which counts use, would be another",
            "Use treatment-policy, composite or while-on-treatment.",
        )
    if event == "unblinding" and strategy in {"composite", "while-on-treatment"}:
        return "treatment-policy or hypothetical: a guess is no failure and has no day", ""
    needs, is_share = KINDS[endpoint.kind].needs, endpoint.scale == "binary"
    if strategy == "composite" and (needs in {"craving", "session"} or (needs == "depression" and not is_share)):
        what = {"craving": "craving mark", "session": "dosing session", "depression": "rating"}[needs]
        return (
            f"another strategy: no {what} stands for a failure",
            "Use treatment-policy, hypothetical or while-on-treatment.",
        )
    if event == "dropout" and KINDS[endpoint.kind].leaving and strategy != "composite":
        return "composite: leaving is an event of this endpoint", "Use composite, or another endpoint."
    if strategy == "while-on-treatment" and endpoint.is_time_to_event:
        return (
            "another strategy: a time that ends before its event is not a time to that event",
            "Use composite, hypothetical or treatment-policy.",
        )
    return "", ""
