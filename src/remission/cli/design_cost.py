"""Prices of ``remission design --prices``: read, put to use on simulated trials, and shown."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import numpy as np

    from remission.design.price_sets import PriceSet
    from remission.design.prices import CourseCost, Prices
    from remission.protocol.record import Protocol
    from remission.records.yaml_tree import Tree

__all__ = ["cost_content", "read_prices", "show_cost"]


def read_prices(text: str, protocol: "Protocol") -> "tuple[Prices, PriceSet | None]":
    """The prices of a set of the library or of a file; a file may start from a set with ``base: us``.

    Raises
    ------
    SpecError
        No set has that name, the file is not one of prices, or arms of the protocol have no price.
    """
    from remission.design.prices import cost_course

    found = _prices_of(text)
    # A trial whose arms are no courses of care is refused here, before anything is simulated.
    cost_course(protocol, found[0])
    return found


def _prices_of(text: str) -> "tuple[Prices, PriceSet | None]":
    from remission.design.price_sets import list_price_sets, load_price_set
    from remission.errors import SpecError
    from remission.records.yaml_tree import read_tree_file

    if text in list_price_sets():
        found = load_price_set(text)
        return found.prices, found
    tree = read_tree_file(
        text, what=f"a YAML file with prices, or one of {', '.join(list_price_sets())}", example="currency: GBP"
    )
    if tree.faults:
        raise SpecError.from_faults(tree.faults)
    data = dict(tree.data)
    if "base" not in data:
        return _in_file(tree, data), None
    name = data.pop("base")
    if name not in list_price_sets():
        raise SpecError(where=tree.place(("base",)), got=name, allowed=f"one of {', '.join(list_price_sets())}")
    base = load_price_set(name)
    kept = base.prices.to_dict()
    if any(part in data for part in ("drug", "staff", "room", "monitoring")):
        kept.pop("infusion")
    if data.get("currency", kept["currency"]) != kept["currency"]:
        raise SpecError(
            where=tree.place(("currency",)), got=data["currency"], allowed=f"{kept['currency']}, as the base",
            remedy="Prices of two currencies cannot be added; leave out base, or convert.",
        )  # fmt: skip
    return _in_file(tree, {key: value for key, value in {**kept, **data}.items() if value is not None}), base


def _in_file(tree: "Tree", data: dict[str, Any]) -> "Prices":
    """The prices of a file; every fault with its line and with the text of the file as what came."""
    from pydantic import ValidationError

    from remission.design.prices import Prices
    from remission.errors import SpecError
    from remission.records.faults import located_faults

    try:
        return Prices.model_validate(data)
    except ValidationError as error:
        found = [
            SpecError(
                where=tree.place(place),
                got=tree.texts.get(place, fault.got),
                allowed=fault.allowed,
                remedy=fault.remedy,
            )
            for place, fault in located_faults(error, Prices)
        ]
        raise SpecError.from_faults(found) from None


def cost_content(
    protocol: "Protocol",
    prices: "Prices",
    price_set: "PriceSet | None",
    *,
    estimates: "np.ndarray",
    analysis: str,
) -> dict[str, Any]:
    """Cost and access as plain data: courses, people for a budget, hours, and the price of a further abstinent day.

    Parameters
    ----------
    estimates
        Of the analysis, trial by trial.
    """
    from remission.design.price_sets import count_hours
    from remission.design.prices import cost_course

    courses = cost_course(protocol, prices)
    content: dict[str, Any] = {
        "currency": prices.currency,
        "set": None if price_set is None else price_set.name,
        "courses": [asdict(one) for one in courses],
        "left_out": _left_out(courses, price_set),
        "sources": [] if price_set is None else [asdict(one) for one in price_set.sources],
        "note": "" if price_set is None else price_set.note,
        "hours": [{**asdict(one), "total_h": list(one.total_h)} for one in count_hours(protocol)],
    }
    if prices.budget is not None:
        content["budget"] = prices.budget
        content |= _people(prices, courses, price_set)
    day = _day(protocol, prices, estimates, analysis)
    if day is not None:
        content["abstinent_day"] = day
    return content


def _left_out(courses: "Sequence[CourseCost]", price_set: "PriceSet | None") -> list[str]:
    names = dict.fromkeys(name for one in courses for name in one.left_out)
    known = {} if price_set is None else price_set.missing
    return [known.get(name, f"{name}: no price was given") for name in names]


def _people(prices: "Prices", courses: "Sequence[CourseCost]", price_set: "PriceSet | None") -> dict[str, Any]:
    """People who can be treated for the budget: fewest with the highest prices, most with the lowest."""
    from remission.design.prices import count_affordable

    assert prices.budget is not None, "asked by the caller"
    found: dict[str, Any] = {
        "people_for_budget": {one.arm: count_affordable(prices.budget, one.high) for one in courses if one.high > 0.0},
        "most_people_for_budget": {
            one.arm: count_affordable(prices.budget, one.low) for one in courses if one.low > 0.0
        },
    }
    session = prices.items["infusion"]
    if price_set is not None and price_set.charity_share is not None and session is not None and session[0] > 0.0:
        share = price_set.charity_share
        found["charity"] = {
            "share": share,
            "words": price_set.charity_words,
            "people": {
                one.arm: [count_affordable(prices.budget, one.n_infusions * share * end) for end in reversed(session)]
                for one in courses
                if one.n_infusions
            },
        }
    return found


def _day(protocol: "Protocol", prices: "Prices", estimates: "np.ndarray", analysis: str) -> dict[str, Any] | None:
    """The price of a further abstinent day, where the analysis counts days."""
    from remission.design.day_cost import cost_per_day
    from remission.design.prices import extra_cost
    from remission.trial.analyze import sides_of

    chosen = protocol.analysis(analysis)
    endpoint = protocol.endpoint(chosen.endpoint)
    if endpoint.kind != "percent_days_abstinent" or chosen.facts.scale != "difference":
        return None
    extra, low, high = extra_cost(protocol, prices, sides_of(protocol, chosen.contrast))
    return asdict(
        cost_per_day(
            estimates,
            n_days=len(endpoint.window),
            extra_amount=extra,
            extra_ends=(low, high),
            willingness_to_pay=prices.willingness_to_pay,
        )
    )


def show_cost(cost: dict[str, Any]) -> None:
    """Print it."""
    from remission.design.day_cost import price_text

    unit = cost["currency"]
    for course in cost["courses"]:
        few, most = (cost.get(name, {}).get(course["arm"]) for name in ("people_for_budget", "most_people_for_budget"))
        bought = "" if few is None else f"; the budget pays for {_between(few, most)} people"
        is_blank = not course["high"] and course["left_out"]
        price = "nothing of it is" if is_blank else f"{_between(course['low'], course['high'])} {unit}"
        typer.echo(f"  {course['label']}: {price} {'priced' if is_blank else 'for a complete course'}{bought}")
    for line in cost["left_out"]:
        typer.echo(f"  left out: {line}")
    if cost["set"] is not None:
        typer.echo(f"  prices of the library ({cost['set']}), read second-hand, what patients were asked to pay")
    if "charity" in cost:
        people = [f"{name} {_between(*pair)}" for name, pair in cost["charity"]["people"].items()]
        typer.echo(f"  budget as a donation in the one model read: sessions for {', '.join(people)} people")
    day = cost.get("abstinent_day")
    if day is None:
        return
    if day["amount"] is None:
        price = "no price for one"
    elif day["high"] is None:
        floor = (
            "no bound"
            if day["low"] is None
            else f"95% interval from {price_text(day['low'], day)} without an upper end"
        )
        price = f"{price_text(day['amount'], day)} {unit} for each at the means; {floor}, because no gain is possible"
    else:
        low, high = (price_text(day[end], day) for end in ("low", "high"))
        price = f"{price_text(day['amount'], day)} {unit} for each (95% interval {low} to {high})"
    typer.echo(
        f"  {day['days']:.1f} more abstinent days ({day['days_low']:.1f} to {day['days_high']:.1f} in 95% of "
        f"trials), {price}; no gain in {100 * day['share_without_gain']:.0f}% of trials"
    )
    for one in day["net_benefit"]:
        typer.echo(
            f"  at {one['worth_of_day']:g} {unit} a day: net benefit {one['mean']:,.0f} ({one['low']:,.0f} to "
            f"{one['high']:,.0f}), above 0 in {100 * one['acceptable']['value']:.0f}% of trials"
        )


def _between(low: float, high: float | None) -> str:
    return f"{low:,.0f}" if high is None or round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"
