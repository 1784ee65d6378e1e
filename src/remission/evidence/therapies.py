"""What was read of each kind of therapy, record by record, and what the program does with it."""

from collections import defaultdict
from dataclasses import dataclass

from remission.errors import check_known
from remission.evidence.classes import endpoint_of
from remission.evidence.registry import EvidenceRegistry
from remission.records.evidence import CareRecord, StudyOutcome
from remission.records.substance import Substance
from remission.records.therapy_kinds import THERAPIES, readings_of, therapy_worth

_SCALES = {
    "OR": ("odds ratio", "log"),
    "odds ratio": ("odds ratio", "log"),
    "RR": ("risk ratio", "log"),
    "Hedges g": ("standardized mean difference", "identity"),
    "Cohen d": ("standardized mean difference", "identity"),
    "SMD": ("standardized mean difference", "identity"),
    "mean difference": ("mean difference, percentage points", "identity"),
}
"""Statistic as the source words it, to the axis on which it is drawn and the scale of that axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapyReading:
    """One published contrast of a kind of therapy.

    ``measure`` and ``scale``: the axis it can be drawn on; ``scale`` is ``words`` for what has no common axis.
    ``finds``: which way it goes; ``used``: what the program does with it, or why nothing.
    """

    record: str
    substance: str
    contrast: str
    endpoint: str
    time_days: float | None
    n: int | None
    measure: str
    scale: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    source_kind: str
    finds: str
    used: str

    @property
    def is_first_hand(self) -> bool:
        """Whether it was read in an abstract or a registry."""
        return self.source_kind == "abstract or registry"


def kinds_with_readings() -> tuple[str, ...]:
    """Kinds of therapy of which a contrast was read, in the order of the table."""
    return tuple(name for name in THERAPIES if readings_of(name) or _uses(name))


def therapy_readings(registry: EvidenceRegistry, *, kind: str) -> tuple[TherapyReading, ...]:
    """What was read of a kind: what holds no effect first, then by record.

    Raises SpecError: there is no such kind, or nothing was read of it.
    """
    check_known(kind, kinds_with_readings(), where="therapy", names="kinds of therapy of which a contrast was read")
    found = [_of(registry, record, None, f"sets the worth: {used}") for record, used in _uses(kind).items()]
    found += [
        _of(registry, one.record, one.statement, f"sets no worth: {one.why}")
        for one in readings_of(kind)
        if one.record not in _uses(kind) or one.statement is not None
    ]
    return tuple(sorted(found, key=lambda one: (one.finds != _NONE, one.record, one.endpoint)))


_NONE, _FAVORS, _AGAINST = "no difference", "favors the therapy", "favors the comparator"


def _uses(kind: str) -> dict[str, str]:
    """Records that set the worth of a kind, each with the substances it does so for."""
    found: dict[str, list[str]] = defaultdict(list)
    for substance in Substance:
        worth = therapy_worth(kind, substance=substance.value)
        if worth.contrast is not None and not worth.like:
            found[worth.record].append(
                substance.value if worth.quality else f"{substance.value} (off unless a file says so)"
            )
    return {record: ", ".join(names) for record, names in found.items()}


def _of(
    registry: EvidenceRegistry, record_id: str, statement: tuple[str, str, str] | None, used: str
) -> TherapyReading:
    record = registry[record_id]
    item: CareRecord | StudyOutcome
    if isinstance(record, CareRecord):
        item, contrast, unit = record, f"{record.treatment} v {record.comparator or 'nothing named'}", record.unit
        is_higher_better = True
    else:
        item = next(one for one in record.outcomes if (one.arm_or_contrast, one.endpoint, one.statistic) == statement)
        contrast, unit = item.arm_or_contrast, item.statistic
        is_higher_better = endpoint_of(item.endpoint).better == "higher"
    measure, scale = _SCALES.get(item.statistic, (item.statistic, "words"))
    return TherapyReading(
        record=record_id, substance=record.substance, contrast=contrast, endpoint=item.endpoint,
        time_days=item.time_days, n=item.n, measure=measure, scale="words" if item.value is None else scale,
        value=item.value, low=item.ci_low, high=item.ci_high, unit=unit, source_kind=item.source_kind,
        finds=_finds(item, scale, is_higher_better=is_higher_better), used=used,
    )  # fmt: skip


def _finds(item: CareRecord | StudyOutcome, scale: str, *, is_higher_better: bool) -> str:
    """Which way a contrast goes; of a result in words its own words."""
    if item.statistic.startswith("direction"):
        return item.statistic.partition(": ")[2] or "a direction, no number"
    if item.value is None or scale == "words":
        return ""
    none = 1.0 if scale == "log" else 0.0
    if item.ci_low is not None and item.ci_high is not None and item.ci_low <= none <= item.ci_high:
        return _NONE
    return _FAVORS if (item.value > none) == is_higher_better else _AGAINST
