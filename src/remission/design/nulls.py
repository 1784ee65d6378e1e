"""Nulls by name, whose rejections are type I errors: trials without an effect of the drug on use, beside each power.

same treatment
    The treatment side gets what its counterpart on the control side gets. A test keeps its error here if it is sound.
felt but inert
    The treatment side gets the control's therapy and medicine and keeps its drug, which is felt as before: guesses,
    expectancy and reports follow. It does nothing to use by itself. What is rejected here is what blinding fails to
    keep out, and a reader of the trial cannot tell it from an effect.
expectancy only
    The same, with reports that follow nothing but what people believe they had.
works, not felt
    No null: the drug does to use what it does, and nobody can tell it, so that belief is alike on both sides.
half works
    No null: half of what the drug does to use, felt and believed in as it is.

The last two stand beside them only where belief does something, because elsewhere they say nothing of blinding. Bias
and coverage are of what the drug does: nothing in a null, else what the same trials give with nobody unseen.

All that the drug does to use by itself passes through the window it opens and through what a session adds to
commitment: ``rho`` and ``k_m`` of the model at 0 leave nothing of it. What is felt is computed from concentrations and
stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from remission.design.measures import is_ratio
from remission.design.operating import characterize, simulate_sizes
from remission.design.stops import StopRule
from remission.design.variants import (
    choose_analysis,
    null_protocol,
    one_analysis,
    with_therapy_of_control,
    without_effect,
)
from remission.errors import SpecError
from remission.numerics.tallies import Measure
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.records.effect import DiaryEffect
from remission.records.endpoint_kinds import KINDS
from remission.runs.crew import Crew
from remission.trial.resampled import ChainPeople, DiaryPeople

SAME: Final = "same treatment"
INERT: Final = "felt but inert"
EXPECTANCY: Final = "expectancy only"
UNFELT: Final = "works, not felt"
HALF: Final = "half works"

_INERT = {"rho": 0.0, "k_m": 0.0}
"""Values of the model without which the drug does nothing to use by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullTrial:
    """A null as a trial to simulate, or the name of the one that it equals (``same_as``), or why there is none."""

    name: str
    note: str = ""
    same_as: str | None = None
    protocol: Protocol | None = None
    parameters: CourseParameters | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NullResult:
    """The share of trials that reject under a null of that name; ``None`` where it cannot be simulated.

    ``bias`` is on the scale of the analysis, the logarithm for ratios.
    """

    name: str
    rejected: Measure | None
    n_replicates: int
    note: str
    bias: Measure | None = None
    coverage: Measure | None = None


def nulls_of(protocol: Protocol, analysis: str, parameters: CourseParameters) -> tuple[NullTrial, ...]:
    """The nulls of an analysis, in the order in which they are told.

    ``parameters``: values of the world in which power was found.
    """
    chosen = choose_analysis(protocol, analysis)
    if isinstance(protocol.effect, DiaryEffect):
        return (NullTrial(name=SAME, protocol=without_effect(protocol), parameters=parameters),)
    try:
        same = NullTrial(name=SAME, protocol=null_protocol(protocol, chosen), parameters=parameters)
        inert = with_therapy_of_control(protocol, chosen)
    except SpecError as problem:
        return tuple(NullTrial(name=name, note=str(problem)) for name in (SAME, INERT))
    blinding = protocol.blinding
    endpoint_id = protocol.analysis(chosen).endpoint
    endpoint = protocol.endpoint(endpoint_id)
    believes = blinding is not None and (blinding.expectancy_use > 0.0 or blinding.expectancy_report > 0.0)
    colors = KINDS[endpoint.kind].needs == "craving" and parameters.w_report > 0.0
    if [arm.drug for arm in inert.arms] == [arm.drug for arm in null_protocol(protocol, chosen).arms]:
        note = "both sides get the same drug in this comparison"
        return (same, NullTrial(name=INERT, same_as=SAME, note=note))
    if not believes and not colors:
        note = (
            "the protocol does not describe blinding, so that what is felt changes nothing"
            if blinding is None
            else "expectancy is 0 in the protocol, so that what is felt changes nothing"
        )
        return (same, NullTrial(name=INERT, same_as=SAME, note=note))
    values = parameters.replace(**_INERT)
    found = [same, NullTrial(name=INERT, protocol=inert, parameters=values)]
    if believes and colors:
        found.append(NullTrial(name=EXPECTANCY, protocol=inert, parameters=values.replace(w_report=0.0)))
    elif believes:
        found.append(
            NullTrial(name=EXPECTANCY, same_as=INERT, note="nothing but expectancy colors this endpoint's reports")
        )
    return tuple(found)


def works_of(protocol: Protocol, parameters: CourseParameters) -> tuple[NullTrial, ...]:
    """Worlds in which the drug works, to stand beside nulls of which belief makes something.

    ``parameters``: values of the world in which power was found.
    """
    half = parameters.replace(rho=0.5 * parameters.rho, k_m=0.5 * parameters.k_m)
    return (
        NullTrial(name=UNFELT, protocol=protocol.replace(blinding=None), parameters=parameters.replace(w_report=0.0)),
        NullTrial(name=HALF, protocol=protocol, parameters=half),
    )


def simulate_nulls(
    designs: Sequence[Protocol],
    analysis: str,
    *,
    parameters: CourseParameters,
    max_replicates: int,
    mcse: float,
    seed: int,
    alpha: float,
    rule: StopRule | None = None,
    source: DiaryPeople | ChainPeople | None = None,
    crew: Crew | None = None,
) -> list[tuple[NullResult, ...]]:
    """The share of trials that reject under each null, for each size; one that equals another is not simulated again.

    ``designs``: one protocol with different numbers of people. ``parameters``, ``max_replicates``, ``mcse``, ``seed``,
    ``alpha``, ``rule``, ``source``, ``crew``: as in :func:`~remission.design.operating.simulate_sizes`. Raises
    ``SpecError``: a number is out of range; ``WorkError``: a worker died.
    """
    chosen = choose_analysis(designs[0], analysis)
    found: list[list[NullResult]] = [[] for _ in designs]
    by_size = [_worlds_of(design, chosen, parameters) for design in designs]
    none = 1.0 if is_ratio(designs[0].analysis(chosen).method) else 0.0
    for nulls in zip(*by_size, strict=True):
        if nulls[0].protocol is None:
            for told, null in zip(found, nulls, strict=True):
                told.append(_not_simulated(told, null))
            continue
        is_null = nulls[0].name not in {UNFELT, HALF}
        alone = [one_analysis(null.protocol, chosen) for null in nulls if null.protocol is not None]
        runs = simulate_sizes(
            alone,
            max_replicates=max_replicates,
            mcse=mcse,
            seed=seed,
            alpha=alpha,
            analysis=chosen,
            parameters=nulls[0].parameters,
            rule=rule,
            is_null=is_null,
            truths={chosen: none} if is_null else None,
            source=source,
            crew=crew,
        )
        for told, null, design, run in zip(found, nulls, alone, runs, strict=True):
            tried, row = run.decided(chosen), characterize(design, run)[0]
            told.append(
                NullResult(name=null.name, rejected=tried.measure, n_replicates=tried.n, note=null.note, bias=row.bias,
                           coverage=row.coverage)
            )  # fmt: skip
    return [tuple(told) for told in found]


def _worlds_of(protocol: Protocol, analysis: str, parameters: CourseParameters) -> tuple[NullTrial, ...]:
    """The nulls of a design, and where belief makes something of them the worlds in which the drug works."""
    nulls = nulls_of(protocol, analysis, parameters)
    believed = any(one.name == INERT and one.protocol is not None for one in nulls)
    return (*nulls, *(works_of(protocol, parameters) if believed else ()))


def _not_simulated(told: Sequence[NullResult], null: NullTrial) -> NullResult:
    known = _named(told, null.same_as)
    note = f"equals {null.same_as}: {null.note}" if null.same_as else null.note
    empty = NullResult(name=null.name, rejected=None, n_replicates=0, note=note)
    return empty if known is None else replace(known, name=null.name, note=note)


def _named(found: Sequence[NullResult], name: str | None) -> NullResult | None:
    return next((one for one in found if one.name == name), None)
