"""Compute the registered facts and write ``docs/validation/facts.md`` (``make facts``); about a minute on one core.

The facts of the form that was there when the list was registered are kept in ``docs/validation/facts-before.json``,
which is written once, with ``--before``, and then stands beside every later form.
"""

import json
import sys
from pathlib import Path
from typing import Any

from remission.facts.validate import FactRow, RerunRow, Validation, interval_text, tolerance_text, validate
from remission.library.facts import load_facts

PROSE = Path(__file__).resolve().parent / "facts.md.in"
PLACE = Path(__file__).resolve().parent.parent / "docs" / "validation"
PAGE, BEFORE = PLACE / "facts.md", PLACE / "facts-before.json"
VERDICTS = ("inside", "outside", "not decided", "not computable")


def kept(found: Validation) -> dict[str, Any]:
    """What is kept of a validation, to stand beside later ones."""
    listed: list[FactRow | RerunRow] = [*found.rows, *found.reruns]
    rows = {row.id: [row.value, row.low, row.high] for row in listed}
    return {"parameter_set": found.parameter_set, "counts": found.counts, "rows": rows}


def page(now: Validation, before: dict[str, Any]) -> str:
    """The whole page; ``before`` is what was kept of an earlier validation."""
    then = before["rows"]
    text = [
        PROSE.read_text("utf-8").format(
            hash=now.facts_hash,
            form=now.form, set=now.parameter_set, seed=now.seed, people=now.n_people, replicates=now.n_replicates,
            before=before["parameter_set"],
        ),
        "## How many came out how\n",
        f"| measures that score | {' | '.join(VERDICTS)} |",
        f"|---|{'---|' * len(VERDICTS)}",
    ]  # fmt: skip
    for when, counts in (("before", before["counts"]), ("now", now.counts)):
        text += [f"| {role}, {when} | {' | '.join(str(counts[role][v]) for v in VERDICTS)} |" for role in counts]
    text.append("\nThe two kinds are not added up, and a count hides which ones fail: they stand below.\n")
    for fact in load_facts().fact:
        rows = [row for row in now.rows if row.fact == fact.id]
        text += [
            f"## {f'{fact.number}. ' if fact.number else ''}{fact.sentence}\n",
            *([f"{fact.note}\n"] if fact.note else []),
        ]
        text += ["| measure | read | reached at | before | now | verdict now | role |", "|---|---|---|---|---|---|---|"]
        text += [_line(row, then.get(row.id)) for row in rows]
        text.append("")
        text += [
            f"- `{row.id}`: {row.definition} Unit: {row.unit}. Source: {row.source} ({row.read_as}). {_why(row.id)}"
            for row in rows
        ]
        text.append("")
    text += [
        "## Trials that no value was tuned on\n",
        "Run again as the list says, beside what was published; no verdict, for the scenarios are proxies.",
        "Scenarios stand in `library/facts.toml`.\n",
        "| number | published | before | now | unit |", "|---|---|---|---|---|",
    ]  # fmt: skip
    text += [
        f"| {row.trial}: {row.definition} | {row.published} ({row.read_as}) | {_shown(then.get(row.id))} "
        f"| {interval_text(row)} | {row.unit} |"
        for row in now.reruns
    ]
    return "\n".join(text) + "\n"


def _line(row: FactRow, then: list[float | None] | None) -> str:
    read = row.published or "nothing"
    verdict = f"**{row.verdict}**" if row.verdict == "outside" and row.scores else row.verdict
    verdict += f": {row.reason}" if row.reason else ""
    return (
        f"| `{row.id}` | {read} | {tolerance_text(row.tolerance)} | {_shown(then)} | {interval_text(row)} | {verdict} "
        f"| {row.role} |"
    )


def _shown(then: list[float | None] | None) -> str:
    value, low, high = then or (None, None, None)
    return "no value" if value is None else f"{value:.3g} ({low:.3g} to {high:.3g})"


def _why(measure: str) -> str:
    found = next(one for fact in load_facts().fact for one in fact.measure if one.id == measure)
    return f"Tolerance: {found.why}."


def main() -> None:
    """Compute, and write the page."""
    now = validate()
    if "--before" in sys.argv:
        text = json.dumps(kept(now), ensure_ascii=False, sort_keys=True).replace("], ", "],\n")
        BEFORE.write_text(text + "\n", "utf-8")
    PAGE.write_text(page(now, json.loads(BEFORE.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
