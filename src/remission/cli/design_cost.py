"""Cost and access of ``remission design --prices``, as it is shown."""

from typing import Any

import typer

__all__ = ["show_cost"]


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
