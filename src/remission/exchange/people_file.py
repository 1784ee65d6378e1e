"""The people of a run as a CSV for programs that run trials on them: a row a person, times and outcomes in columns."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from remission.files import check_ending, check_free, new_text
from remission.protocol.record import Protocol
from remission.runs.people import people_of_run, plan_of_run

_ABOUT = ("replicate", "subject", "arm", "age_y", "weight_kg", "female", "site", "days_in_study")


def export_people(folder: Path, out: Path, *, replicate: int | None = None) -> int:
    """Write the people of a finished run; how many they are.

    ``replicate``: one replicate only; all of them when left out. Raises ``RunError``: no finished run, or one of other
    code; ``SpecError``: no such replicate, or a name that is taken or does not end in .csv.
    """
    check_ending(out, "out", (".csv",))
    check_free(out, "out")
    plan = plan_of_run(folder)
    people = people_of_run(plan, replicate)
    with new_text(out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["origin", "protocol", *_ABOUT, *_columns(plan.protocol)])
        count = 0
        for row in _rows(people, plan.protocol):
            writer.writerow(row)
            count += 1
    return count


def _columns(protocol: Protocol) -> Iterator[str]:
    """A column an endpoint, and for a time a second one that says whether the event came."""
    for endpoint in protocol.endpoints:
        name = endpoint.id.replace("-", "_")
        yield name
        if endpoint.is_time_to_event:
            yield f"{name}_event"


def _rows(people: Iterable[dict[str, Any]], protocol: Protocol) -> Iterator[list[Any]]:
    for one in people:
        row: list[Any] = ["simulated", protocol.id, *(_text(one[name]) for name in _ABOUT)]
        for endpoint in protocol.endpoints:
            if endpoint.is_time_to_event:
                value, event = one["times"][endpoint.id]
                row += [_text(value), "" if value is None else int(event)]
            else:
                row.append(_text(one["outcomes"][endpoint.id]))
        yield row


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else repr(value) if isinstance(value, float) else value
