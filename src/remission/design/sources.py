"""The people on whose days a protocol states an effect: of diaries, or of the chain under the control."""

from collections.abc import Sequence

from remission.design.variants import null_protocol
from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.diaries import Diaries
from remission.records.effect import DiaryEffect
from remission.trial.analyze import sides_of
from remission.trial.resampled import ChainPeople, DiaryPeople, check_source


def source_of(
    protocol: Protocol, diaries: Sequence[Diaries] | None, analysis: str | None
) -> DiaryPeople | ChainPeople | None:
    """The people on whose days a protocol states an effect; ``None``: it states none, and the chain makes everything.

    ``diaries``: of one substance or several. Raises ``SpecError``: they are lacking or have no place, the substance is
    not among them, or the protocol asks of these people what nobody knows.
    """
    effect = protocol.effect
    if effect is not None and not isinstance(effect, DiaryEffect):
        raise SpecError(where="effect.law", got=effect.law, allowed="a stated effect on days (law: diary) here",
                        remedy="A law of the outcome is answered in closed form, without people.")  # fmt: skip
    if effect is None or effect.people == "chain":
        if diaries is not None:
            raise SpecError(
                where="diaries", got="given", allowed="a protocol with effect: {law: diary, people: diaries}",
                remedy="State the effect in the protocol, or leave the diaries out.",
            )  # fmt: skip
        if effect is None:
            return None
        control = null_protocol(protocol.replace(effect=None), analysis)
        return ChainPeople(control=control)
    if diaries is None:
        raise SpecError(where="diaries", got="nothing", allowed="the diaries of which people are drawn",
                        remedy="Give --diaries FILE, or people: chain in the effect.")  # fmt: skip
    found = DiaryPeople.of(_of_substance(effect, protocol, diaries))
    check_source(protocol, found)
    return found


def with_arms(protocol: Protocol, analysis: str) -> Protocol:
    """The protocol whose stated effect names its arms: the treatment side of an analysis, unless it names others."""
    effect = protocol.effect
    if not isinstance(effect, DiaryEffect) or effect.arms:
        return protocol
    treated = sides_of(protocol, protocol.analysis(analysis).contrast)[0]
    return protocol.replace(effect=effect.replace(arms=[protocol.arms[index].id for index in treated]))


def _of_substance(effect: DiaryEffect, protocol: Protocol, diaries: Sequence[Diaries]) -> Diaries:
    wanted = effect.substance or protocol.substance.value
    names = {one.substance.casefold(): one for one in diaries}
    if wanted.casefold() in names:
        return names[wanted.casefold()]
    raise SpecError(
        where="effect.substance", got=wanted, allowed=f"one of {', '.join(one.substance for one in diaries)}",
        remedy="Name the substance as the diaries call it: effect: {substance: ...}.",
    )  # fmt: skip
