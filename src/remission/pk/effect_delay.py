"""The published range of the delay between blood and effect site, as variants of a model.

The default delay is a mean over endpoints; single endpoints ran from no delay at all to twice the mean. Which of them a
simulated effect follows is not known, so a result that hangs on the delay is shown for all three.
"""

from enum import StrEnum

from remission.pk.model import PkModel

__all__ = ["EffectDelay", "with_effect_delay"]

# Half-lives of 0 are refused, because ke0 would be infinite; after 30 s this one has less than 1% of a step left.
_NO_DELAY_H = 0.001


class EffectDelay(StrEnum):
    """Which of the published half-lives between blood and effect site."""

    SHORTEST = "shortest"
    """Cognitive flexibility: none."""
    MEAN = "mean"
    """The mean over endpoints, the default of the library."""
    LONGEST = "longest"
    """Pain intensity: 11.8 min."""


def with_effect_delay(model: PkModel, delay: EffectDelay) -> PkModel:
    """The model with another delay of its effect site; everything else is the same.

    Examples
    --------
    >>> from remission.pk.model import load_pk_model
    >>> slow = with_effect_delay(load_pk_model(), EffectDelay.LONGEST)
    >>> f"{60.0 * slow.links.value('effect_half_life_h'):.1f} min"
    '11.8 min'
    """
    published = model.links["effect_half_life_h"]
    if delay is EffectDelay.MEAN:
        return model
    end = published.low if delay is EffectDelay.SHORTEST else published.high
    half_life_h = published.value if end is None else end
    return model.replace_values(effect_half_life_h=max(half_life_h, _NO_DELAY_H))
