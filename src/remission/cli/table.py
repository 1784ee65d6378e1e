"""The table of a trial in the terminal: published with its kind, simulated with its interval, never mixed up.

Marks: a filled diamond for a number read in an abstract or registry, an open one with the word for all others.
"""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from remission.cli.terminal import console
from remission.errors import visible
from remission.library.loader import list_parameter_sets
from remission.numerics.digits import decimals_of, error_digit, with_interval
from remission.patient.standing import standing_of
from remission.report.numbers import spread_words, verdict_text

__all__ = ["print_rows", "standing_data"]

_NOTE = (
    "Published: \u25c6 abstract or registry, \u25c7 other kinds, named. Simulated: mean over {n} replicates, 95% of "
    '{what}, \u00b1 Monte Carlo error. "Tuned": the values were tuned or fitted on this number, so it is no '
    "prediction.\n{split}Research software, not medical advice."
)
_SPLIT = (
    "Chance: 95% of trials of this size at one set of values. Values: what is not known of the mean trial. In "
    "brackets: a new trial, that is both, and how trials differ.\n"
)


def print_rows(data: dict[str, Any]) -> None:
    """Print the table of a run from its summary data."""
    out = console()
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    table.add_column("", overflow="fold", ratio=5)
    table.add_column("published", overflow="fold", ratio=3)
    table.add_column("simulated", overflow="fold", ratio=3, style="blue")
    shown = [row for row in data["rows"] if row["kind"] == "analysis" or _is_shown(row, data["rows"])]
    for row in shown:
        name = f"{row['label']}, {row['arm']}" if row["arm"] else row["label"]
        unit = "" if row["unit"] == "ratio" else f", {row['unit']}"
        failed = row["simulated"]["n_failed"]
        note = f"; {failed} of {data['n_replicates']} replicates gave no estimate" if failed else ""
        what = Text.assemble(visible(name), "\n", (f"{row['statistic']}{unit}{note}", "dim"))
        table.add_row(what, Text(published_text(row)), simulated_text(row))
    out.print(Text(visible(data["title"]), style="bold"))
    for line in standing_data(data)["lines"]:
        out.print(Text(line), highlight=False)
    out.print(table)
    drawn = data.get("posterior") is not None
    words = {"what": "new trials" if drawn else "replicates", "split": _SPLIT if drawn else ""}
    out.print(_NOTE.format(n=data["n_replicates"], **words), highlight=False)
    hidden = len(data["rows"]) - len(shown)
    if hidden:
        out.print(f"{hidden} more rows are in the report and in summary.json.", highlight=False)


def standing_data(data: dict[str, Any]) -> dict[str, Any]:
    """What the values behind a summary are worth; worked out anew for a run that was made before it said so."""
    kept: dict[str, Any] | None = data.get("standing")
    if kept is None and data["parameter_set"] not in list_parameter_sets():
        line = f"The values {data['parameter_set']} belong to an earlier form of the model, and are no longer in it."
        return {"parameter_set": data["parameter_set"], "lines": [line]}
    return kept or standing_of(data["substance"], data["parameter_set"]).to_dict()


def _is_shown(row: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    """Arm rows that have a published number, or all when the trial has no analysis."""
    return row["published"] is not None or "published_verdict" in row or all(other["kind"] == "arm" for other in rows)


def published_text(row: dict[str, Any]) -> str:
    """Mark, value, interval and kind of the published number."""
    found, said = row["published"], row.get("published_verdict")
    if said is not None:
        is_first_hand = said["source_kind"] == "abstract or registry"
        return f"\u25c6 {said['says']}" if is_first_hand else f"\u25c7 {said['says']} {said['source_kind']}"
    if found is None:
        return "\u2013"
    is_first_hand = found["source_kind"] == "abstract or registry"
    kind = "" if is_first_hand else f" {found['source_kind']}"
    mark = "\u25c6" if is_first_hand else "\u25c7"
    # A run made before the label was kept has none.
    tuned = " tuned" if found.get("tuned_on") else ""
    return f"{mark} {with_interval(found['value'], found['ci_low'], found['ci_high'])}{kind}{tuned}"


def simulated_text(row: dict[str, Any]) -> str:
    """Mean, interval and Monte Carlo error with no more digits than the error supports."""
    found = row["simulated"]
    if found["mean"] is None:
        return "no estimate"
    digits = decimals_of(found["mcse"] or 0.0)
    numbers = {name: f"{found[name]:z.{digits}f}" for name in ("mean", "low", "high")}
    error = " \u00b1 " + error_digit(found["mcse"]) if found["mcse"] else ""
    said = row.get("published_verdict")
    shares = "" if said is None else "\n" + verdict_text(said["simulated_share_better"], said["simulated_share_worse"])
    split = found.get("intervals_95") or {}
    words = spread_words(split.get("sampling"), split.get("parameters"), found["mcse"], more="\n")
    below = f"\n{words}" if words else ""
    return f"{numbers['mean']} ({numbers['low']} to {numbers['high']}){error}{below}{shares}"
