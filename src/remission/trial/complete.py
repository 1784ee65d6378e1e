"""The same trial with nobody unseen: what the rule for missing data, hidden use and colored reports do to an estimate.

A trial that is simulated knows the days that it did not see. The same analysis of the same people, seen in full, is
what the estimate would have been, and its mean over trials is the true value that this analysis aims at: arms are
drawn by chance, so nothing else tells them apart. No day is simulated again for it.

By treatment policy a day counts whatever happened. The rule of an endpoint may ask something else (what is missing
counts as use): that changes the question and takes no bias away, so both values are given.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from remission.patient.parameters import CourseParameters
from remission.protocol.question import possible_events, strategy_faults, strategy_for
from remission.protocol.record import Protocol
from remission.records.endpoint_kinds import KINDS
from remission.records.estimand import Estimand, EventKind, Strategy
from remission.trial.batch import TrialBatch
from remission.trial.observation import observe_fully
from remission.trial.truth import endpoint_without_missing, event_days, with_strategies


def complete_protocol(protocol: Protocol) -> Protocol:
    """The protocol with its analyses of data in which nobody is unseen."""
    return protocol.replace(
        endpoints=[endpoint_without_missing(one) for one in protocol.endpoints if one.id in _analyzed(protocol)],
        estimand=None,
        multiplicity=None,
        comparisons=(),
        purpose="exploratory",
    )


def complete_batch(
    protocol: Protocol,
    batch: TrialBatch,
    parameters: CourseParameters,
    strategies: Mapping[EventKind, Strategy] | None = None,
) -> TrialBatch:
    """The people of a batch, seen in full.

    ``strategies``: what is done about events other than treatment policy; ``None``: nothing.
    """
    used = _analyzed(protocol)
    if any(KINDS[one.kind].needs in {"craving", "depression"} for one in protocol.endpoints if one.id in used):
        seen = observe_fully(batch.people, protocol, batch.course, parameters, measured=batch.measured)
    else:
        # Days and tests of everybody are known already; only marks of craving have draws of their own.
        found, course = batch.observation, batch.course
        seen = replace(
            found,
            diary=course.use,
            amount=course.amount * course.use,
            seen=np.ones_like(found.seen),
            test_kept=np.ones_like(found.test_kept),
            before=None
            if found.before is None
            else replace(
                found.before,
                diary=course.baseline_use,
                amount=course.baseline_amount * course.baseline_use,
                seen=np.ones_like(found.before.seen),
            ),
        )
    whole = replace(batch, observation=seen)
    days = event_days(protocol, whole) if strategies else {}
    return replace(whole, observation=with_strategies(seen, strategies or {}, days))


def _analyzed(protocol: Protocol) -> set[str | None]:
    return {name for one in protocol.analyses for name in (one.endpoint, one.baseline)}


def own_strategies(protocol: Protocol, analysis: str) -> dict[EventKind, Strategy]:
    """What the endpoint's rule or the protocol's estimand does about events, other than treatment policy.

    The estimand speaks for another analysis too where its strategies have a meaning there.
    """
    chosen = protocol.analysis(analysis)
    endpoint = protocol.endpoint(chosen.endpoint)
    possible = possible_events(protocol)
    words = "As the protocol says."
    silent = Estimand(
        treatment=words, population=words, variable=words, intercurrent_events=words, summary=words, analysis=analysis
    )
    asked = protocol.estimand
    if asked is None or any(strategy_faults(asked.strategies, possible, endpoint)):
        asked = silent
    found = {event: strategy_for(asked, event, endpoint) for event in possible}
    return {event: strategy for event, strategy in found.items() if strategy != "treatment-policy"}
