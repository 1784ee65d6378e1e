"""A protocol that differs in one respect: without an effect, with other people, with one analysis only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.effect import DiaryEffect
from remission.records.treatment import Arm
from remission.trial.analyze import sides_of


def choose_analysis(protocol: Protocol, analysis: str | None) -> str:
    """The analysis asked for, or the first.

    Raises ``SpecError``: the protocol has none, or not this one.
    """
    known = [one.id for one in protocol.analyses]
    if not known:
        raise SpecError(where="analyses", got="none", allowed="a protocol with an analysis", remedy="Add one.")
    if analysis is None:
        return known[0]
    if analysis not in known:
        raise SpecError(where="analysis", got=analysis, allowed=f"one of {', '.join(known)}")
    return analysis


def without_effect(protocol: Protocol) -> Protocol:
    """The protocol whose stated effect on days is none: the treatment side has the days of the source as they are."""
    assert isinstance(protocol.effect, DiaryEffect), "asked of one"
    return protocol.replace(effect=protocol.effect.replace(use_odds_ratio=1.0, amount_ratio=1.0, spread=0.0))


def null_protocol(protocol: Protocol, analysis: str | None = None) -> Protocol:
    """The protocol with the treatment of an analysis made the same as its control: no effect, all else kept.

    Every arm of the treatment side gets what the arm of the control side has that is alike in all other factors.

    Where an effect is stated on days, that effect is none.

    Raises ``SpecError``: an arm has no such counterpart, or the trial is a crossover.
    """
    if isinstance(protocol.effect, DiaryEffect):
        return without_effect(protocol)
    return _as_control(protocol, analysis, ("drug", *_BESIDE))


def with_therapy_of_control(protocol: Protocol, analysis: str | None = None) -> Protocol:
    """The protocol with therapy and medicine of an analysis made the same on both sides; each side keeps its drug.

    Raises ``SpecError``: as in :func:`null_protocol`, or sessions of the therapy follow an infusion that the treatment
    does not have.
    """
    return _as_control(protocol, analysis, _BESIDE)


_BESIDE = ("therapy", "incentives", "medicine", "way_of_life")
"""What an arm gets beside its drug."""


def _as_control(protocol: Protocol, analysis: str | None, names: Sequence[str]) -> Protocol:
    chosen = choose_analysis(protocol, analysis)
    contrast = protocol.analysis(chosen).contrast
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
        given[arm.id] = {name: getattr(alike[0], name) for name in names}
    arms = [arm.replace(**given.get(arm.id, {})) for arm in protocol.arms]
    # The kinds of design are claims about what arms receive, which no longer hold.
    return protocol.replace(arms=arms, design=None)


def one_analysis(protocol: Protocol, analysis: str) -> Protocol:
    """The protocol with this analysis and what it needs only: people, courses and draws are the same."""
    chosen = protocol.analysis(analysis)
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

    Raises ``SpecError``: the number is not possible.
    """
    return protocol.replace(population=protocol.population.replace(n_subjects=n_subjects))


@dataclass(frozen=True, slots=True, kw_only=True)
class VariedSizes:
    """Numbers of people to simulate; ``is_range``: they stand for all sizes from the first to the last."""

    sizes: tuple[int, ...]
    is_range: bool


def sizes_of(text: str) -> VariedSizes:
    """Numbers of people from ``n=60:400`` (five of them, evenly spaced) or ``n=60,120,240``.

    Raises ``SpecError``: the text says something else, or a number is not from 4 to 100,000.
    """
    name, _, rest = text.partition("=")
    is_range = ":" in rest
    parts = [part.strip() for part in rest.split(":" if is_range else ",")]
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) < _DIGITS else -1 for part in parts]
    is_wrong = name.strip() != "n" or min(numbers) < _FEWEST or max(numbers) > _MOST
    if is_wrong or (is_range and (len(numbers) != 2 or numbers[0] >= numbers[1])):
        remedy = "Write the smaller number first." if is_range and len(numbers) == 2 and numbers[0] > numbers[1] else ""
        raise SpecError(
            where=f"--vary {text}",
            got=rest or "nothing",
            allowed="n=60:400 or n=60,120,240, each from 4 to 100,000 people",
            remedy=remedy,
        )
    if len(set(numbers)) < len(numbers):
        twice = next(one for one in numbers if numbers.count(one) > 1)
        raise SpecError(where=f"--vary {text}", got=f"{twice} twice", allowed="each size once")
    if is_range:
        numbers = [round(float(size)) for size in np.linspace(numbers[0], numbers[1], 5)]
    return VariedSizes(sizes=tuple(sorted(set(numbers))), is_range=is_range)


def around(protocol: Protocol) -> VariedSizes:
    """The range in which a size is searched when nobody says where: a quarter to four times of the protocol's own."""
    n = protocol.population.n_subjects
    return sizes_of(f"n={max(_FEWEST, n // 4)}:{min(4 * n, _MOST)}")


_FEWEST, _MOST, _DIGITS = 4, 100_000, 10
