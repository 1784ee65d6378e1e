"""Faults of a protocol's doses: what no session can be, what is not known of an absorption, rules without data.

What is known stands in ``library/pharmacology``; the kinetics check the same once more, with each person's weight.
Field paths are relative to the protocol.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from remission.errors import SpecError, did_you_mean
from remission.protocol.fields import ProtocolFields
from remission.records.dose import Dose
from remission.records.packaged import packaged_toml
from remission.records.quantity import MOST_MG_PER_KG, WINDOW_H
from remission.records.treatment import AdaptedSession, DrugCourse


def dose_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Every fault of the doses of drug courses, and of what adapts them."""
    for name, course in protocol.drugs.items():
        for index, infusion in enumerate(course.infusions):
            where = f"drugs.{name}.infusions[{index}]."
            if course.is_ketamine:
                for inside, session in infusion.sessions:
                    doses = session.given(course.form)
                    yield from _amount_faults(protocol, f"{where}{inside}", doses)
                    for (place, _), dose in zip(session.parts, doses, strict=True):
                        yield from _absorption_faults(f"{where}{inside}{place}", dose)
            if infusion.adapt is not None:
                yield from _rule_faults(protocol, f"{where}adapt.", course, index, infusion.adapt)


def _amount_faults(protocol: ProtocolFields, where: str, doses: Sequence[Dose]) -> Iterator[SpecError]:
    """More within some hours than any adult is given: seen in the lightest people, for whom mg are most."""
    lightest_kg = protocol.population.weight.low_kg
    for first in doses:
        near = [one for one in doses if 0.0 <= one.start_h - first.start_h <= WINDOW_H]
        # What flows for longer than the window is spread over it.
        total = sum(
            ((one.dose_mg_per_kg or 0.0) + (one.dose_mg or 0.0) / lightest_kg) / max(1.0, one.duration_h / WINDOW_H)
            for one in near
        )
        if total > MOST_MG_PER_KG * (1.0 + 1e-9):
            yield SpecError(
                where=f"{where}dose" if len(doses) == 1 else f"{where}doses",
                got=f"{total:g} mg/kg within {WINDOW_H:g} h, for {lightest_kg:g} kg",
                allowed=f"at most {MOST_MG_PER_KG:g} mg/kg for everybody, the lightest included",
                remedy="Is the unit right? No adult is given this much at once.",
            )
            return


def _absorption_faults(where: str, dose: Dose) -> Iterator[SpecError]:
    if dose.route.value.startswith("iv"):
        return
    known = [one for one in _products() if one["route"] == dose.route]
    fitting = [one for one in known if one["form"] == dose.form]
    if not fitting:
        yield SpecError(
            where=f"{where}route", got=f"{dose.form} by route {dose.route}",
            allowed=f"{' or '.join(sorted({one['form'] for one in known}))} by this route",
            remedy="Nothing about the absorption of the other form is sourced.",
        )  # fmt: skip
        return
    names = [one["id"] for one in fitting]
    if dose.product is not None and dose.product not in names:
        yield SpecError(
            where=f"{where}product", got=dose.product,
            allowed=f"a product of {dose.form} by route {dose.route}: {', '.join(names)}",
            remedy=did_you_mean(dose.product, names),
        )  # fmt: skip
        return
    if dose.product is None and any(one.get("is_contested") for one in fitting):
        told = ", ".join(f"{one['id']} (F {_number('f', one):.0%})" for one in fitting)
        yield SpecError(
            where=f"{where}product", got="nothing", allowed=f"one of {told}",
            remedy="Sources disagree and it depends on the device: choose one by name, and look at the other as well.",
        )  # fmt: skip
        return
    yield from _rate_faults(where, dose, _chosen(dose, fitting))


def _rate_faults(where: str, dose: Dose, product: dict[str, Any]) -> Iterator[SpecError]:
    """A rate that nobody knows: none is sourced, and none is stated."""
    stated = dose.absorption
    if "model" in product:
        if stated is not None:
            allowed = f"nothing: model {product['model']} holds the absorption of {product['id']}"
            yield SpecError(where=f"{where}absorption", got="given", allowed=allowed, remedy="Remove it.")
        return
    tmax, ka, f = (_number(kind, product) for kind in ("tmax_h", "ka_per_h", "f"))
    f = _number("f_s", product) if f is None else f
    ways = ["{ka_per_h: 4, reason: ...}" if f is not None else "{ka_per_h: 4, f: 0.9, reason: ...}"]
    ways += [] if ka is None else ["{basis: library, reason: ...} for the distribution that the library states"]
    remedy = f"Write absorption: {', or '.join(ways)}; the results say what was assumed."
    if stated is None:
        if tmax is None:
            allowed = f"a rate of absorption: {product['why_no_rate']}"
            yield SpecError(where=f"{where}absorption", got="nothing", allowed=allowed, remedy=remedy)
        return
    if (stated.basis == "tmax" and tmax is None) or (stated.basis == "library" and ka is None):
        missing = "time of the peak" if stated.basis == "tmax" else "rate"
        allowed = f"another basis: the library states no {missing} for {product['id']}"
        yield SpecError(where=f"{where}absorption.basis", got=stated.basis, allowed=allowed, remedy=remedy)
    if f is None and stated.f is None:
        allowed = f"the share that arrives: {product['why_no_rate']}"
        yield SpecError(where=f"{where}absorption.f", got="nothing", allowed=allowed, remedy=remedy)


def _chosen(dose: Dose, fitting: list[dict[str, Any]]) -> dict[str, Any]:
    """The product that the kinetics take: the named one, else the preferred one of those without a model."""
    named = [one for one in fitting if one["id"] == dose.product]
    free = [one for one in fitting if "model" not in one] or fitting
    return [*named, *(one for one in free if one.get("is_preferred")), *free][0]


def _products() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = packaged_toml("pharmacology", "products.toml")["product"]
    return found


def _number(kind: str, product: dict[str, Any]) -> float | None:
    rows = packaged_toml("pharmacology", "routes.toml")["parameters"]
    return next((row["value"] for row in rows if row["id"] == f"{kind}.{product['id']}"), None)


def _rule_faults(
    protocol: ProtocolFields, where: str, course: DrugCourse, index: int, rule: AdaptedSession
) -> Iterator[SpecError]:
    """A rule that no visit feeds, or that would need to know what comes after the dose."""
    if protocol.blinding is not None and protocol.blinding.expectancy_use > 0.0:
        yield SpecError(
            where=where.removesuffix("."), got="a dose that adapts",
            allowed="none together with blinding.expectancy_use: what people guess of all their doses moves their use "
            "from day 0 on, before the rule is applied",
            remedy="Set expectancy_use to 0, or leave adapt out.",
        )  # fmt: skip
    earliest = course.earliest_day(index + 1)
    if rule.visit >= earliest:
        yield SpecError(
            where=f"{where}visit", got=f"day {rule.visit}",
            allowed=f"a day before the dose, which can be on day {earliest}",
            remedy="Use the visit before it.",
        )  # fmt: skip
    if rule.within_days > rule.visit + 1:
        allowed = f"at most {rule.visit + 1}: the diary begins on day 0"
        yield SpecError(where=f"{where}within_days", got=rule.within_days, allowed=allowed)
    diaries = {day for visit in protocol.visits if "diary" in visit.collects for day in visit.days}
    starts = [s for arm in protocol.arms for s, name in arm.drug_starts if protocol.drugs.get(name) is course]
    for start in starts or [0]:
        if start + rule.visit not in diaries:
            yield SpecError(
                where=f"{where}visit", got=f"day {start + rule.visit}",
                allowed="the day of a visit that collects a diary, which tells who used",
                remedy="Add the day to such a visit, or use another.",
            )  # fmt: skip
