"""Sourced prices by country, and what a course asks of a person in hours; both from numbers of the library.

A set holds what was read and nothing else: what has no price is named. Prices are those that patients were asked to
pay; nothing here says what a session costs who gives it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from remission.design.prices import Prices
from remission.errors import SpecError
from remission.evidence.care import PatientNumber, number_of
from remission.protocol.record import Protocol
from remission.records.packaged import packaged_toml
from remission.units import minutes_to_hours

_SETTINGS = ("infusion", "assessment")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """One price that was read: what it is of, its range, and how it was read."""

    item: str
    low: float
    high: float
    unit: str
    source: str
    kind: str
    grade: str
    read: str
    is_in_sums: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSet:
    """Prices of one country with their sources.

    ``missing`` says for each item without a price why it has none. ``charity_share`` is the share of a session's price
    that a foundation pays in the one model that was read, ``None`` where none was read.
    """

    name: str
    country: str
    prices: Prices
    sources: tuple[PriceSource, ...]
    missing: Mapping[str, str]
    note: str
    charity_share: float | None
    charity_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseTime:
    """Hours that a complete course asks of a person, travel and waiting left out. [h]

    ``recovery_low_h`` to ``recovery_high_h`` is the time in the clinic after the infusions; ``n_days`` the days with a
    session of either kind.
    """

    arm: str
    label: str
    infusion_h: float
    recovery_low_h: float
    recovery_high_h: float
    therapy_h: float
    n_days: int

    @property
    def total_h(self) -> tuple[float, float]:
        """All hours together, lowest and highest. [h]"""
        rest = self.infusion_h + self.therapy_h
        return rest + self.recovery_low_h, rest + self.recovery_high_h


def list_price_sets() -> tuple[str, ...]:
    """Names of the sets.

    Examples
    --------
    >>> list_price_sets()
    ('uk', 'us')
    """
    return tuple(sorted(packaged_toml("care", "prices.toml")))


def load_price_set(name: str) -> PriceSet:
    """The set of that name.

    Raises ``SpecError``: there is none.

    Examples
    --------
    >>> load_price_set("us").prices.items["infusion"]
    (300.0, 1500.0)
    """
    if name not in packaged_toml("care", "prices.toml"):
        raise SpecError(
            where="prices", got=name, allowed=f"one of {', '.join(list_price_sets())}, or a file with prices"
        )
    entry = packaged_toml("care", "prices.toml")[name]
    numbers = {item: number_of(entry[item]) for item in _SETTINGS}
    beside = [(item, number_of(one)) for item, one in entry["beside"].items()]
    prices = {item: {"low": _ends(number)[0], "high": _ends(number)[1]} for item, number in numbers.items()}
    charity = entry.get("charity")
    return PriceSet(
        name=name,
        country=entry["country"],
        prices=Prices.from_dict({"currency": entry["currency"], **prices, "therapy": "unknown", "once": 0}),
        sources=(
            *(_source(item, number, is_in_sums=True) for item, number in numbers.items()),
            *(_source(item, number, is_in_sums=False) for item, number in beside),
        ),
        missing=entry["missing"],
        note=entry["note"],
        charity_share=None
        if charity is None
        else _ends(number_of(charity["share"]))[0] / _ends(number_of(charity["full"]))[0],
        charity_words="" if charity is None else charity["words"],
    )


def count_hours(protocol: Protocol) -> tuple[CourseTime, ...]:
    """Hours of a complete course by arm: infusions and therapy by the protocol, recovery as clinics describe it."""
    low, high = (minutes_to_hours(one) for one in _ends(number_of("recovery_minutes")))
    rows = []
    for arm in protocol.arms:
        infusions = [infusion for _, name in arm.drug_starts for infusion in protocol.drugs[name].infusions]
        courses = protocol.courses_of(arm)
        # A session on the day of an infusion costs no further day.
        alone = [one for course in courses for one in course.sessions if one.infusion is None or one.offset_days]
        rows.append(
            CourseTime(
                arm=arm.id,
                label=arm.label,
                infusion_h=sum(one.duration_h for one in infusions),
                recovery_low_h=low * len(infusions),
                recovery_high_h=high * len(infusions),
                therapy_h=minutes_to_hours(sum(len(course.sessions) * course.session_min for course in courses)),
                n_days=len(infusions) + len(alone),
            )
        )
    return tuple(rows)


def _source(item: str, number: PatientNumber, *, is_in_sums: bool) -> PriceSource:
    low, high = _ends(number)
    return PriceSource(
        item=item,
        low=low,
        high=high,
        unit=number.unit,
        source=number.source,
        kind=number.kind,
        grade=number.grade,
        read=number.read,
        is_in_sums=is_in_sums,
    )


def _ends(number: PatientNumber) -> tuple[float, float]:
    """Lowest and highest; a number without a range is both."""
    if number.low is not None and number.high is not None:
        return number.low, number.high
    assert number.value is not None, "a number has a value or a range"
    return number.value, number.value
