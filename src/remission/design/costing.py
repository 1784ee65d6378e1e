"""Prices of a design: read from a set of the library or a file, and put to use on simulated trials."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from pydantic import ValidationError

from remission.design.day_cost import cost_per_day
from remission.design.price_sets import PriceSet, count_hours, list_price_sets, load_price_set
from remission.design.prices import CourseCost, Prices, cost_course, count_affordable, extra_cost
from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.faults import located_faults
from remission.records.yaml_tree import Tree, read_tree_file
from remission.trial.analyze import sides_of


def read_prices(text: str, protocol: Protocol) -> tuple[Prices, PriceSet | None]:
    """The prices of a set of the library or of a file; a file may start from a set with ``base: us``.

    Raises ``SpecError``: no set has that name, the file is not one of prices, or arms of the protocol have no price.
    """
    found = _prices_of(text)
    # A trial whose arms are no courses of care is refused here, before anything is simulated.
    cost_course(protocol, found[0])
    return found


def _prices_of(text: str) -> tuple[Prices, PriceSet | None]:

    if text in list_price_sets():
        found = load_price_set(text)
        return found.prices, found
    what = f"a YAML file with prices, or one of {', '.join(list_price_sets())}"
    try:
        tree = read_tree_file(text, what=what, example="currency: GBP")
    except SpecError as error:
        fault = error.faults[0]
        if fault.where != text:
            raise
        # A word that is no file is more often a misspelled name than a path.
        got = f"{text}, {fault.got}"
        raise SpecError(where="prices", got=got, allowed=what, remedy=fault.remedy) from None
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


def _in_file(tree: Tree, data: dict[str, Any]) -> Prices:
    """The prices of a file; every fault with its line and with the text of the file as what came."""
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
    protocol: Protocol,
    prices: Prices,
    price_set: PriceSet | None,
    *,
    estimates: np.ndarray,
    analysis: str,
) -> dict[str, Any]:
    """Cost and access as plain data: courses, people for a budget, hours, and the price of a further abstinent day.

    ``estimates``: of the analysis, trial by trial.
    """
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


def _left_out(courses: Sequence[CourseCost], price_set: PriceSet | None) -> list[str]:
    names = dict.fromkeys(name for one in courses for name in one.left_out)
    known = {} if price_set is None else price_set.missing
    return [known.get(name, f"{name}: no price was given") for name in names]


def _people(prices: Prices, courses: Sequence[CourseCost], price_set: PriceSet | None) -> dict[str, Any]:
    """People who can be treated for the budget: fewest with the highest prices, most with the lowest."""
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


def _day(protocol: Protocol, prices: Prices, estimates: np.ndarray, analysis: str) -> dict[str, Any] | None:
    """The price of a further abstinent day, where the analysis counts days."""
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
