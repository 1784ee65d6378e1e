"""Faults between a protocol's arms and the design that it says they make up.

Field paths are relative to the protocol.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product

from remission.errors import SpecError
from remission.protocol.fields import ProtocolFields


def layout_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Every fault of the arms as a design, of their periods, and of how they are allocated."""
    faults = list(_period_faults(protocol))
    kind = protocol.design.kind if protocol.design is not None else None
    if kind == "crossover" and protocol.blinding is not None:
        faults.append(
            SpecError(
                where="blinding",
                got="a description",
                allowed="nothing here in a crossover trial: everybody feels every drug, and guesses once",
                remedy="Remove it.",
            )
        )
    yield from faults
    if kind is not None and len(protocol.arms) < 2:
        yield SpecError(where="arms", got=f"{len(protocol.arms)} arm", allowed=f"two or more in a {kind} trial")
    elif kind == "factorial":
        yield from _factorial_faults(protocol)
    elif kind == "dose-ranging":
        yield from _dose_faults(protocol)
    elif kind == "crossover" and not faults:
        yield from _sequence_faults(protocol)


def _period_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    is_crossover = protocol.design is not None and protocol.design.kind == "crossover"
    for index, arm in enumerate(protocol.arms):
        where, n_periods = f"arms[{index}].periods", f"{len(arm.periods)} periods"
        if not is_crossover:
            if arm.periods:
                yield SpecError(
                    where=where,
                    got=n_periods,
                    allowed="periods in a crossover trial only",
                    remedy="Add 'design: {kind: crossover, washout_days: 28}', or name one drug.",
                )
            continue
        if len(arm.periods) < 2:
            yield SpecError(where=where, got=n_periods, allowed="two or more")
        if arm.drug is not None:
            allowed = "nothing here: the periods name the drugs"
            yield SpecError(where=f"arms[{index}].drug", got=arm.drug, allowed=allowed)
        for number, period in enumerate(arm.periods):
            if period.drug not in protocol.drugs:
                allowed = f"one of {', '.join(protocol.drugs) or 'the drugs of this file, and it has none'}"
                yield SpecError(where=f"{where}[{number}].drug", got=period.drug, allowed=allowed)
        for name in arm.contacts:
            if name in protocol.therapies and any(
                one.infusion is not None for one in protocol.therapies[name].sessions
            ):
                yield SpecError(
                    where=f"therapies.{name}.sessions",
                    got="a session that follows an infusion",
                    allowed="sessions on fixed days in a crossover trial",
                    remedy="Give each session its day.",
                )


def _factorial_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    names = sorted({name for arm in protocol.arms for name in arm.factors})
    if len(names) < 2:
        yield SpecError(
            where="arms[0].factors",
            got=", ".join(names) or "nothing",
            allowed="two or more factors in a factorial trial",
            remedy="Give each arm its level of every factor, for example {drug: ketamine, therapy: mbrp}.",
        )
        return
    levels = [sorted({arm.factors[name] for arm in protocol.arms if name in arm.factors}) for name in names]
    cells = Counter(tuple(arm.factors.get(name, "") for name in names) for arm in protocol.arms)
    for cell in product(*levels):
        if cells[cell] != 1:
            words = ", ".join(f"{name} {level}" for name, level in zip(names, cell, strict=True))
            allowed = "exactly one arm for each combination of the factors' levels"
            yield SpecError(where="arms", got=f"{cells[cell]} arms with {words}", allowed=allowed)


def _dose_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    courses = [protocol.drugs[arm.drug] for arm in protocol.arms if arm.drug in protocol.drugs]
    doses = {
        tuple(infusion.given(course.form) for infusion in course.infusions) for course in courses if course.is_ketamine
    }
    if len(doses) < 2:
        yield SpecError(
            where="arms",
            got=f"{len(doses)} dose of ketamine" if doses else "no ketamine",
            allowed="at least two different doses of ketamine in a dose-ranging trial",
            remedy="Add an arm with another dose, or leave the design out.",
        )


def _sequence_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    orders = [tuple(period.drug for period in arm.periods) for arm in protocol.arms]
    faults = list(_order_faults(protocol, orders))
    yield from faults or _carryover_faults(protocol, orders)


def _order_faults(protocol: ProtocolFields, orders: list[tuple[str, ...]]) -> Iterator[SpecError]:
    assert protocol.design is not None
    washout_days = protocol.design.washout_days or 0
    first = protocol.arms[0]
    for index, (arm, order) in enumerate(zip(protocol.arms, orders, strict=True)):
        where = f"arms[{index}].periods"
        starts = [period.start for period in arm.periods]
        if sorted(order) != sorted(set(orders[0])):
            allowed = "each drug of the trial once, in every sequence"
            yield SpecError(where=where, got=", ".join(order), allowed=allowed)
        elif order in orders[:index]:
            yield SpecError(where=where, got=", ".join(order), allowed="another order than the arms before")
        if starts != [period.start for period in first.periods]:
            yield SpecError(where=where, got=starts, allowed="periods that start on the same days in every arm")
        for number, (before, after) in enumerate(pairwise(arm.periods), start=1):
            ready = before.start + protocol.drugs[before.drug].last_day_latest + washout_days
            if after.start < ready:
                yield SpecError(
                    where=f"{where}[{number}].start",
                    got=f"day {after.start}",
                    allowed=f"day {ready} or later: {washout_days} days of washout after the last infusion before",
                    remedy="Start it later, or shorten design.washout_days.",
                )


def _carryover_faults(protocol: ProtocolFields, orders: list[tuple[str, ...]]) -> Iterator[SpecError]:
    """With three drugs or more, sequences in which a drug always follows the same one mix its effect with carryover."""
    follows: Counter[tuple[str, str]] = Counter()
    for arm, order in zip(protocol.arms, orders, strict=True):
        for pair in pairwise(order):
            follows[pair] += arm.allocation
    drugs = sorted(orders[0])
    counts = {follows[one, other] for one in drugs for other in drugs if one != other}
    if len(drugs) >= 3 and len(counts) != 1:
        yield SpecError(
            where="arms",
            got="cyclic sequences, in which some drugs follow each other more often than others",
            allowed="sequences in which every drug follows every other equally often",
            remedy="Use a Williams design: for three drugs all six orders.",
        )
