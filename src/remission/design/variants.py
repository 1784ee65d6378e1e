"""A protocol that differs in one respect: without an effect, with other people, with one analysis only."""

from collections.abc import Sequence

import numpy as np

from remission.errors import SpecError
from remission.records.protocol import Protocol
from remission.records.treatment import Arm
from remission.trial.analyze import sides_of

__all__ = ["choose_analysis", "null_protocol", "one_analysis", "resize_protocol", "sizes_of"]


def choose_analysis(protocol: Protocol, analysis: str | None) -> str:
    """The analysis asked for, or the first.

    Raises
    ------
    SpecError
        The protocol has none, or not this one.
    """
    known = [one.id for one in protocol.analyses]
    if not known:
        raise SpecError(where="analyses", got="none", allowed="a protocol with an analysis", remedy="Add one.")
    if analysis is None:
        return known[0]
    if analysis not in known:
        raise SpecError(where="analysis", got=analysis, allowed=f"one of {', '.join(known)}")
    return analysis


def null_protocol(protocol: Protocol, analysis: str | None = None) -> Protocol:
    """The protocol with the treatment of an analysis made the same as its control: no effect, all else kept.

    Every arm of the treatment side gets what the arm of the control side has that is alike in all other factors.

    Raises
    ------
    SpecError
        An arm has no such counterpart, or the trial is a crossover.
    """
    chosen = choose_analysis(protocol, analysis)
    contrast = next(one for one in protocol.analyses if one.id == chosen).contrast
    treated, control = ([protocol.arms[index] for index in side] for side in sides_of(protocol, contrast))
    named = {*contrast.treatment, *contrast.control}

    def rest(arm: Arm) -> dict[str, str]:
        return {name: level for name, level in arm.factors.items() if name not in named}

    given = {}
    for arm in treated:
        alike = [one for one in control if rest(one) == rest(arm)]
        if len(alike) != 1 or arm.periods:
            raise SpecError(
                where=f"analysis {chosen}",
                got=f"{len(alike)} arms of the control side that are like {arm.id} in all other factors",
                allowed="exactly one, in a trial that is no crossover",
            )
        given[arm.id] = {name: getattr(alike[0], name) for name in ("drug", "therapy", "medicine")}
    arms = [arm.replace(**given.get(arm.id, {})) for arm in protocol.arms]
    # The kinds of design are claims about what arms receive, which no longer hold.
    return protocol.replace(arms=arms, design=None)


def one_analysis(protocol: Protocol, analysis: str) -> Protocol:
    """The protocol with this analysis and what it needs only: people, courses and draws are the same."""
    chosen = next(one for one in protocol.analyses if one.id == analysis)
    needed = {chosen.endpoint, chosen.baseline}
    endpoints = [one for one in protocol.endpoints if one.id in needed]
    keeps = protocol.estimand is not None and protocol.estimand.analysis == analysis
    return protocol.replace(
        analyses=(chosen,),
        endpoints=endpoints,
        comparisons=(),
        multiplicity=None,
        estimand=protocol.estimand if keeps else None,
        purpose=protocol.purpose if keeps else "exploratory",
    )


def resize_protocol(protocol: Protocol, n_subjects: int) -> Protocol:
    """The protocol with another number of people.

    Raises
    ------
    SpecError
        The number is not possible.
    """
    return protocol.replace(population=protocol.population.replace(n_subjects=n_subjects))


def sizes_of(text: str) -> Sequence[int]:
    """Numbers of people from ``n=60:400`` (five of them, evenly spaced) or ``n=60,120,240``.

    Raises
    ------
    SpecError
        The text says something else, or a number is not above 3.
    """
    name, _, rest = text.partition("=")
    try:
        numbers = [int(part) for part in rest.replace(":", ",").split(",")]
    except ValueError:
        numbers = []
    is_range = ":" in rest
    is_wrong = name.strip() != "n" or not numbers or min(numbers) < 4 or (is_range and len(numbers) != 2)
    if is_wrong or (is_range and numbers[0] >= numbers[1]):
        raise SpecError(
            where=f"--vary {text}", got=rest or "nothing", allowed="n=60:400 or n=60,120,240, each at least 4 people"
        )
    if is_range:
        numbers = [round(float(size)) for size in np.linspace(numbers[0], numbers[1], 5)]
    return sorted(set(numbers))
