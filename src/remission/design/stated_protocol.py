"""The law of an outcome that a protocol states, with the trial that the protocol describes around it."""

from typing import Final

from remission.design.variants import choose_analysis
from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.effect import Allocation, DiaryEffect, EffectFile
from remission.trial.analyze import sides_of

_SCALES: Final = {
    "difference": ("percent", "count", "mean"), "repeated": ("percent", "count", "mean"), "proportions": ("binary",),
    "hazard": ("time",), "rate": ("percent", "count"),
}  # fmt: skip
"""Scales of the endpoints whose law it can be."""


def effect_of_protocol(protocol: Protocol, analysis: str | None) -> tuple[EffectFile, float]:
    """The effect with the people and the allocation of a protocol, and the share of the people who are compared.

    ``analysis``: the one that decides; ``None``: the first. Raises ``SpecError``: the law is not one of the analysis's
    endpoint, the margin lies on the side that the endpoint calls better, or nothing is stated.
    """
    law = protocol.effect
    if law is None or isinstance(law, DiaryEffect):
        raise SpecError(where="effect", got="no law of an outcome", allowed="one of " + ", ".join(_SCALES))
    chosen = protocol.analysis(choose_analysis(protocol, analysis))
    endpoint = protocol.endpoint(chosen.endpoint)
    if endpoint.scale not in _SCALES[law.law]:
        fits = " or ".join(name for name, scales in _SCALES.items() if endpoint.scale in scales)
        allowed = f"{fits}, for {endpoint.id}, whose scale is {endpoint.scale}"
        raise SpecError(where="effect.law", got=law.law, allowed=allowed)
    # A hazard is that of the event: where a longer time is wished, a lower hazard is.
    is_higher = endpoint.higher_is_better != (law.law == "hazard")
    if law.better is not None and (law.better == "higher") != is_higher:
        allowed = f"{'higher' if is_higher else 'lower'}, as {endpoint.id} has it"
        raise SpecError(where="effect.better", got=law.better, allowed=allowed)
    weights = [sum(protocol.arms[index].allocation for index in side) for side in sides_of(protocol, chosen.contrast)]
    whole = sum(arm.allocation for arm in protocol.arms)
    effect = EffectFile(
        id=protocol.id, title=protocol.title, people=protocol.population.n_subjects,
        allocation=Allocation(treatment=weights[0], control=weights[1]), effect=law,
    )  # fmt: skip
    return effect, sum(weights) / whole
