"""Which contrasts are comparable, and what pooling them gives: a mean, or a refusal that says why.

Comparable means: the same substance text, the same comparison, the same class of endpoint (with its direction), the
same measure, the same band of follow-up; one contrast for each trial. A contrast enters when it was read in an abstract
or registry, comes from a randomized trial rather than a review, and has an interval that is symmetric on its scale.
The standard error is the width of the 95% interval on that scale divided by 2 x 1.96.

Source: Cochrane Handbook for Systematic Reviews of Interventions, version 6.4, chapter 9 (grouping by population,
intervention, comparator and outcome before synthesis).
"""

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from remission.errors import check_known
from remission.evidence.classes import (
    EndpointClass,
    Measure,
    comparison_of,
    design_of,
    endpoint_classes,
    endpoint_of,
    measure_of,
    min_contrasts,
    substances_of,
    time_band_of,
)
from remission.evidence.pooling import PooledEffect, pool_effects
from remission.evidence.registry import EvidenceRegistry
from remission.numerics.intervals import Z95
from remission.records.evidence import StudyOutcome, StudyRecord

FIRST_HAND = ("abstract or registry",)
"""Kinds of source that enter a pooled number unless others are asked for."""

_MAX_SKEW = 0.1
"""Largest distance of the estimate from the middle of its interval, in half widths; rounding gives up to about this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """An outcome that compares two treatments, with the record it stands in."""

    study: StudyRecord
    outcome: StudyOutcome
    comparison: str

    @property
    def measure(self) -> Measure | None:
        """Its measure; None for a statistic that cannot be combined."""
        return measure_of(self.outcome.statistic)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastGroup:
    """Contrasts that ask the same, the ones that may be pooled apart from the ones that may not, and why not.

    ``pooled`` is None where pooling is refused; ``refusal`` then says why.
    """

    substance: str
    comparison: str
    endpoint: EndpointClass
    measure: str
    time_band: str
    scale: str
    used: tuple[Contrast, ...]
    excluded: tuple[tuple[Contrast, str], ...]
    pooled: PooledEffect | None
    refusal: str

    @property
    def left_out(self) -> str:
        """What was left out and why, in one sentence; empty where nothing was."""
        reasons = "; ".join(f"{one.study.id}: {why}" for one, why in self.excluded)
        return f" Left out: {reasons}." if reasons else ""


def find_endpoint(name: str) -> EndpointClass:
    """The class of endpoints of that id. Raises SpecError: there is none; the message lists them."""
    known = {key: found for key, found in endpoint_classes().items() if key != "other"}
    check_known(name, known, where="endpoint")
    return known[name]


def outcomes_of(
    registry: EvidenceRegistry, *, substance: str, endpoint: str
) -> tuple[tuple[StudyRecord, StudyOutcome], ...]:
    """Every numeric outcome on a substance and a class of endpoints, of every kind of source.

    Contrasts whose interval holds no effect come first, then by record: the order of the registry changes nothing.

    Raises SpecError: an unknown substance or endpoint.
    """
    wanted = find_endpoint(endpoint)
    found = [
        (study, item)
        for study in registry.filter(substance=substance).studies
        for item in study.outcomes
        if item.value is not None and endpoint_of(item.endpoint) == wanted
        # A survey of several substances has a row for each.
        if item.arm_or_contrast == substance or item.arm_or_contrast not in substances_of(study.substance)
    ]
    return tuple(sorted(found, key=lambda pair: (not holds_no_effect(pair[1]), pair[0].id)))


def holds_no_effect(item: StudyOutcome) -> bool | None:
    """Whether the interval of a contrast holds no effect; None for a single arm, a range, or without an interval."""
    is_contrast = comparison_of(item.arm_or_contrast) is not None
    if not is_contrast or item.ci_low is None or item.ci_high is None or "range" in item.statistic:
        return None
    measure = measure_of(item.statistic)
    is_ratio = "ratio" in item.statistic if measure is None else measure.scale == "log"
    none = 1.0 if is_ratio else 0.0
    return item.ci_low <= none <= item.ci_high


def group_contrasts(
    registry: EvidenceRegistry, *, substance: str, endpoint: str, source_kinds: tuple[str, ...] = FIRST_HAND
) -> tuple[ContrastGroup, ...]:
    """The contrasts on a substance and a class of endpoints, grouped, each group pooled or refused.

    Raises SpecError: an unknown substance or endpoint.
    """
    groups: dict[tuple[str, ...], list[Contrast]] = defaultdict(list)
    for study, item in outcomes_of(registry, substance=substance, endpoint=endpoint):
        comparison = comparison_of(item.arm_or_contrast)
        if comparison is not None:
            measure = measure_of(item.statistic)
            key = (
                study.substance,
                comparison,
                measure.label if measure else item.statistic,
                time_band_of(item.time_days) or "no day given",
            )
            groups[key].append(Contrast(study=study, outcome=item, comparison=comparison))
    found = find_endpoint(endpoint)
    return tuple(pool_group(groups[key], endpoint=found, source_kinds=source_kinds) for key in sorted(groups))


def pool_group(
    contrasts: list[Contrast], *, endpoint: EndpointClass, source_kinds: tuple[str, ...] = FIRST_HAND
) -> ContrastGroup:
    """One group of contrasts that share substance, comparison, measure and band: pooled, or refused with the reason.

    Of two contrasts of one trial the one nearer to no effect is used.
    """
    # By record and distance from no effect, so that neither the order of records nor of outcomes decides anything.
    contrasts = sorted(contrasts, key=lambda one: (one.study.id, _distance(one), one.outcome.endpoint))
    used: list[Contrast] = []
    excluded: list[tuple[Contrast, str]] = []
    for contrast in contrasts:
        reason = _reason_against(contrast, source_kinds)
        if not reason and contrast.study.id in {other.study.id for other in used}:
            reason = "a second contrast of the same trial"
        if reason:
            excluded.append((contrast, reason))
        else:
            used.append(contrast)
    first = contrasts[0]
    measure = first.measure
    pooled, refusal = None, ""
    if len(used) >= min_contrasts() and measure is not None:
        numbers = np.array([_estimate(contrast.outcome, measure) for contrast in used])
        pooled = pool_effects(numbers[:, 0], numbers[:, 1])
    else:
        count = f"{len(used)} comparable contrast{'' if len(used) == 1 else 's'}"
        refusal = f"Not pooled: {count}, at least {min_contrasts()} needed."
    return ContrastGroup(
        substance=first.study.substance,
        comparison=first.comparison,
        endpoint=endpoint,
        measure=measure.label if measure else first.outcome.statistic,
        time_band=time_band_of(first.outcome.time_days) or "no day given",
        scale=measure.scale if measure else "none",
        used=tuple(used),
        excluded=tuple(excluded),
        pooled=pooled,
        refusal=refusal,
    )


def _distance(contrast: Contrast) -> float:
    """Distance of an estimate from no effect, on its scale."""
    value, measure = contrast.outcome.value, contrast.measure
    if value is None or measure is None or (measure.scale == "log" and value <= 0.0):
        return math.inf
    return abs(_on_scale(value, measure))


def _reason_against(contrast: Contrast, source_kinds: tuple[str, ...]) -> str:
    item, measure = contrast.outcome, contrast.measure
    design = design_of(contrast.study.id)
    reasons = (
        (item.source_kind not in source_kinds, f"read in: {item.source_kind}"),
        (design == "review", "a review, which already pools or quotes trials"),
        (design not in {"randomized", "review"}, f"not a randomized comparison ({design})"),
        (item.time_days is None, "no day of follow-up"),
        (not item.has_interval, "no interval"),
        (measure is None, f"a statistic that cannot be combined ({item.statistic})"),
    )
    for is_against, reason in reasons:
        if is_against:
            return reason
    assert measure is not None
    return _reason_against_interval(item, measure)


def _reason_against_interval(item: StudyOutcome, measure: Measure) -> str:
    ends = (item.value, item.ci_low, item.ci_high)
    if measure.scale == "log" and not all(end is not None and end > 0.0 for end in ends):
        return "a ratio that is not positive"
    value, low, high = (_on_scale(end, measure) for end in ends)
    if not low < value < high:
        return "an estimate outside its interval"
    if abs(value - (low + high) / 2.0) > _MAX_SKEW * (high - low) / 2.0:
        return "an interval that is not symmetric on its scale"
    return ""


def _estimate(item: StudyOutcome, measure: Measure) -> tuple[float, float]:
    value, low, high = (_on_scale(end, measure) for end in (item.value, item.ci_low, item.ci_high))
    return value, (high - low) / (2.0 * Z95)


def _on_scale(number: float | None, measure: Measure) -> float:
    assert number is not None
    return math.log(number) if measure.scale == "log" else float(number)
