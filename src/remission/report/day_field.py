"""The field of days as a picture: one drawing for diaries, trials, forecasts, pages, reports and notebooks.

``draw_days(field, name="people")`` gives HTML with inline SVG for the middle of a page that has ``tokens.css`` and
``field.css``; ``field.js`` adds reading by pointer and arrow keys and is not needed. Filled is a day without use, open
one with use, blank one that nobody knows, everywhere: shape first, color last.
"""

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from markupsafe import Markup

from remission.errors import RunError
from remission.patient.kernels.links import check_links
from remission.protocol.record import Protocol
from remission.records.day_field import DayField, FieldGroup, GroupKind, field_of_diaries, field_of_states
from remission.records.diaries import Diaries
from remission.records.packaged import packaged_toml
from remission.records.treatment import Arm
from remission.report.arm_kinds import ARM_KINDS, arm_kind
from remission.report.page import draw_part, read_asset
from remission.shapes import Bool, Int
from remission.trial.chunk import Chunk
from remission.trial.result import TrialResult
from remission.trial.simulate import TrialPlan, plan_trial

_SPARSE = 12
"""Up to so many rows are drawn tall, with a dotted line where nothing is known."""


def draw_days(
    field: DayField, *, name: str, on_day: int | None = None, language: str = "en", has_table: bool = True
) -> Markup:
    """A field of days as HTML.

    Parameters
    ----------
    field
        What is drawn.
    name
        Begins every id, so that a page can have several fields.
    on_day
        A day whose count stands above each group; ``None``: the middle one. Of one person no count is shown.
    language
        ``en`` or ``es``.
    has_table
        Whether the numbers stand below, folded.

    Examples
    --------
    >>> group = FieldGroup(id="me", label="My days", kind="ink", rows=("f5u1n1",))
    >>> field = DayField(what="alcohol", origin="reported", n_days=7, groups=(group,))
    >>> '<path class="ff" d="M0 .5h6"/>' in draw_days(field, name="week")
    True
    """
    words = packaged_toml("words", "field.toml")[language]
    column = field.n_days // 2 if on_day is None else min(max(on_day - field.first_day, 0), field.n_days - 1)
    groups = [_group(field, number, words, column, name) for number in range(len(field.groups))]
    by_label: dict[str, list[str]] = {}
    for mark in field.marks:
        by_label.setdefault(mark.label, []).append(str(mark.day))
    marked = "; ".join(f"{label}, {words['day']} {', '.join(days)}" for label, days in by_label.items())
    return draw_part(
        "field.html.jinja",
        name=name,
        field=field,
        words=words,
        groups=groups,
        column=column,
        is_sparse=any(group["is_sparse"] for group in groups),
        first=_day_name(field, 0, words),
        last=_day_name(field, field.n_days - 1, words),
        marks=words["marks"].format(marks=marked) if marked else "",
        has_table=has_table,
    )


def field_of_trial(result: TrialResult, *, replicate: int = 0) -> DayField:
    """One simulated trial of a result by arm, as its diaries came in: a day without a diary is not known.

    The trial is simulated again; it is the same, person by person. Raises RunError: other links of the chain are
    replaced now than when the result was made.
    """
    check_links(result.links)
    return field_of_plan(
        plan_trial(
            result.protocol, n_replicates=result.n_replicates, seed=result.seed, parameter_set=result.parameter_set,
            parameters=result.parameters, drawing=result.drawing,
        ),
        replicate=replicate,
    )  # fmt: skip


def field_of_plan(plan: TrialPlan, *, replicate: int = 0) -> DayField:
    """One trial of a plan, simulated, by arm; the arms in the order of every legend."""
    protocol = plan.protocol
    batch = plan.simulate(Chunk(first=replicate, count=1))
    seen = batch.observation.seen
    arms = sorted(enumerate(protocol.arms), key=lambda pair: arm_kind(pair[1], protocol))
    return field_of_states(
        what=protocol.substance.value,
        origin="simulated",
        known=seen,
        used=batch.observation.diary & seen,
        groups=[(arm.id, arm.label, _kind(arm, protocol), np.flatnonzero(batch.arm == place)) for place, arm in arms],
    )


def _kind(arm: Arm, protocol: Protocol) -> GroupKind:
    kind = ARM_KINDS[arm_kind(arm, protocol)]
    return "medicine" if arm.medicine is not None and kind in {"therapy", "none"} else kind


def picture_of(result: object) -> str:
    """The field of a result for a notebook, with its own style sheet; empty text for what has no days."""
    diaries = result if isinstance(result, Diaries) else getattr(result, "diaries", ())
    fields = [field_of_diaries(one) for one in ([diaries] if isinstance(diaries, Diaries) else diaries) if one.person]
    if isinstance(result, TrialResult):
        # With other links of the chain than when it was made there is no picture of it, and its numbers still stand.
        with suppress(RunError):
            fields = [field_of_trial(result)]
    if not fields:
        return ""
    # Tokens of a notebook are its own: ours hold inside the picture only.
    css = read_asset("tokens.css").replace(":root", ".fod-box") + read_asset("field.css")
    # Ids are by content: another picture on the page must not lend its days to this one.
    names = [hashlib.sha256(field.model_dump_json().encode()).hexdigest()[:12] for field in fields]
    drawn = "".join(draw_days(field, name=f"days-{name}") for name, field in zip(names, fields, strict=True))
    return f"<style>{css}</style>{drawn}"


def _group(field: DayField, number: int, words: Mapping[str, Any], column: int, name: str) -> dict[str, Any]:
    group: FieldGroup = field.groups[number]
    states = field.states(number)
    free, used, unknown = ((states == state) for state in range(3))
    totals = {"free": int(free.sum()), "used": int(used.sum()), "unknown": int(unknown.sum())}
    n_known, n_people = totals["free"] + totals["used"], len(group.rows)
    share = 100.0 * totals["free"] / n_known if n_known else None
    average = (
        words["none_known"]
        if share is None
        else words["average_known"].format(share=f"{share:.0f}")
        if totals["unknown"] or n_people == 1
        else words["average" if group.mean_range is None else "average_range"].format(
            days=f"{totals['free'] / n_people:.0f}",
            n_days=field.n_days,
            **(
                {}
                if group.mean_range is None
                else dict(zip(("low", "high"), map(round, group.mean_range), strict=True))
            ),
        )
    )
    n_blank = int(unknown[:, column].sum())
    is_sparse = n_people <= _SPARSE
    label = group.label
    return {
        "id": re.sub(r"[^a-z0-9]+", "-", f"{name}-{group.id}".lower()),
        "label": label,
        "kind": group.kind,
        "n_rows": n_people,
        "n_days": field.n_days,
        # A whole multiple of the rows: otherwise they beat into stripes.
        "height": n_people * (24 if n_people == 1 else 12 if is_sparse else max(1, 300 // n_people)),
        "is_sparse": is_sparse,
        "known": _path(~unknown),
        "used": _path(used),
        "unknown": _path(unknown) if is_sparse else "",
        "title": words["title" if n_people > 1 else "title_one"].format(
            label=label, people=n_people, n_days=field.n_days
        ),
        "desc": words["desc"].format(**totals, average=average),
        "average": average,
        "n_free": int(free[:, column].sum()),
        "count": words["count_unknown" if n_blank else "count"].format(
            people=words["of_simulated" if field.origin == "simulated" else "of_people"].format(people=n_people),
            day=_day_name(field, column, words), unknown=n_blank,
        ),
        "people": group.people,
        "marks": "".join(
            f"M{mark.day - field.first_day + 0.5:g} 0V{n_people}"
            for mark in field.marks
            if 0 <= mark.day - field.first_day < field.n_days
        ),
        "cells": [
            label, n_people, states.size, totals["free"], totals["used"], totals["unknown"],
            words["states"][2] if share is None else f"{share:.1f}",
        ],
    }  # fmt: skip


def _day_name(field: DayField, column: int, words: Mapping[str, Any]) -> str:
    return field.day_labels[column] if field.day_labels else f"{words['day']} {field.first_day + column}"


def _path(chosen: Bool[np.ndarray, "person day"]) -> str:
    """Runs as one path, a line in the middle of each row: a rectangle for each day would be a hundred times longer."""
    parts = []
    for row, days in enumerate(chosen):
        edges: Int[np.ndarray, " edge"] = np.flatnonzero(np.diff(days.astype(np.int8), prepend=0, append=0))
        if edges.size:
            steps = np.diff(edges)
            runs = "".join(f"{'mh'[at % 2 == 0]}{step}{'' if at % 2 == 0 else ' 0'}" for at, step in enumerate(steps))
            parts.append(f"M{edges[0]} {row or ''}.5{runs}")
    return "".join(parts)
