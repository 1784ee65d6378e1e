"""The report of a stated effect in a folder of its own: power by people, looks, a size reckoned again."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from remission.files import make_folder, write_text
from remission.provenance import library_versions, python_version
from remission.records.packaged import packaged_toml
from remission.records.result import plain
from remission.report.chart import Chart, Table, told
from remission.report.design_folder import list_files, write_report_folder, write_tables
from remission.report.inline import CHART_SCRIPTS, chart_parts
from remission.report.look import INK, canvas, finish
from remission.report.page import fill_template

_WORDS = packaged_toml("words", "effect-report.toml")


def write_effect_report(content: Mapping[str, Any], effect_text: str, folder: Path, *, command: str) -> Path:
    """Write the report into a new or empty folder, whole or not at all. Returns the page.

    ``content``: what ``remission design --json`` prints of a stated effect. ``effect_text``: the file as understood.
    Raises SpecError: the folder holds something; WorkError: the disk refused.
    """
    write = partial(_write_all, plain(content), effect_text, command=command)
    return write_report_folder(folder, write)


def _write_all(content: dict[str, Any], effect_text: str, folder: Path, *, command: str) -> None:
    versions = {"python": python_version(), **library_versions()}
    write_text(folder / "design.json", json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    write_text(folder / "effect.yaml", effect_text)
    script = f'#!/bin/sh\n# Remission {versions["remission"]}\ncd "$(dirname "$0")" && {command}\n'
    write_text(folder / "rerun.sh", script)
    (folder / "rerun.sh").chmod(0o755)
    for name in ("figures", "tables"):
        make_folder(folder / name)
    charts = [chart.save(folder / "figures") for chart in _charts(content)]
    tables = dict(tables_of(content))
    write_tables(folder, {name.replace(" ", "-"): table for name, table in tables.items()})
    write_text(folder / "report.html", "")
    rows = [*content["sizes"], *([content["smallest"]["at"]] if (content.get("smallest") or {}).get("at") else [])]
    page = fill_template(
        "effect.html.jinja",
        "report.css",
        scripts=CHART_SCRIPTS,
        version=versions["remission"],
        title=content["effect"]["title"] or content["effect"]["id"],
        finding=_finding(content),
        test=content["test"],
        charts=[chart_parts(chart) for chart in charts],
        tables=[(name, _WORDS["tables"].get(name, ""), table) for name, table in tables.items()],
        effect=effect_text,
        cautions=list(dict.fromkeys(words for row in rows for words in row["cautions"])),
        limits=_WORDS["limits"],
        made=(
            ("Command", command),
            ("Seed", str(content.get("seed", "none: nothing was simulated"))),
            ("Versions", ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))),
        ),
        files=list_files(folder),
    )
    write_text(folder / "report.html", page, replace=True)


def _finding(content: Mapping[str, Any]) -> str:
    smallest = content.get("smallest")
    if smallest is not None and smallest["people"] is not None:
        return f"{smallest['people']} people have power {smallest['power']:g}, in closed form."
    if smallest is not None:
        return f"No number of people up to ten million has power {smallest['power']:g}."
    known = [row for row in content["sizes"] if row["power"] is not None]
    if not known:
        return "No power can be told of so few people."
    return "; ".join(f"{row['people']} people: power {row['power']:.3f}" for row in known) + ", in closed form."


def tables_of(content: Mapping[str, Any]) -> Iterator[tuple[str, Table]]:
    """Each table by its name; of what was not asked there is none."""
    smallest = content.get("smallest") or {}
    rows = [*content["sizes"], *([smallest["at"]] if smallest.get("at") else [])]
    if rows:
        yield "sizes", _columns([_size(row) for row in rows])
    for row in rows:
        if "looks" in row:
            yield f"looks of {row['people']} people", _columns(list(_looks(row["looks"])))
    for name, words in (("seen", "at the look"), ("budget", "budget")):
        if content.get(name) is not None:
            yield words, Table(columns=["what", "value"], rows=[[k, v] for k, v in _flat(content[name])])
    for name in ("detectable", "decision"):
        found = content.get(name)
        if found:
            several = found if isinstance(found, list) else found["rows"]
            yield name, _columns([dict(_flat(one)) for one in several])
    again = content.get("blinded")
    if again is not None:
        plain_rows = {key: value for key, value in again.items() if key not in {"law", "simulated"}}
        yield "size again", Table(columns=["what", "value"], rows=[[k, v] for k, v in _flat(plain_rows)])
        if again.get("simulated"):
            yield "the rule", _columns([dict(_flat(one)) for one in again["simulated"]])


def _size(row: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(row[name]) for name in ("people", "treatment", "control")}
    found["power, closed form"] = "none" if row["power"] is None else f"{row['power']:.4f}"
    shown = row.get("simulated")
    for name in ("power", "bias", "coverage"):
        if shown is not None:
            found[f"{name}, simulated"] = _number(shown[name])
    if shown is not None:
        found |= {f"reached, {name}": _number(one) for name, one in shown["nulls"].items()}
    found |= {name: f"{row[name]:,.0f}" for name in ("events", "cost") if name in row}
    return found


def _looks(looks: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for k, at in enumerate(looks["at"]):
        floor = looks["floors"][k]
        found = {"look at": f"{at:g}", "|z| from": f"{looks['z'][k]:.4f}",
                 "futility below": "" if floor is None else f"{floor:.4f}"}  # fmt: skip
        for world, words in (("stated", "the stated effect"), ("none", "no effect")):
            for name in ("success", "harm", "futility"):
                found[f"{name}, {words}"] = f"{looks['under'][world][name][k]:.4f}"
        yield found


def _flat(fields: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Names and values as text; parts of parts with the name of the whole before them."""
    for key, value in fields.items():
        name = f"{before}{key.replace('_', ' ')}"
        if isinstance(value, Mapping) and value.keys() != {"value", "mcse"}:
            yield from _flat(value, f"{name}, ")
        else:
            yield name, _number(value)


def _number(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['value']:.4g} (± {value['mcse']:.2g})"
    if isinstance(value, list):
        return ", ".join(_number(one) for one in value)
    if value is None:
        return "none"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _columns(rows: list[dict[str, str]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Table(columns=names, rows=[[row.get(name, "") for name in names] for row in rows])


def _charts(content: Mapping[str, Any]) -> list[Chart]:
    """Power by people, where there is a size to draw it about."""
    points = [one for one in content.get("curve", ()) if one["power"] is not None]
    if len(points) < 2:
        return []
    with canvas(8.0, 4.0) as (figure, axes):
        axes.plot([one["people"] for one in points], [100.0 * one["power"] for one in points], color=INK, marker="o",
                  markersize=4)  # fmt: skip
        finish(axes, x="people", y="power, %")
        axes.set_ylim(0.0, 101.0)
    rows = [[str(one["people"]), f"{one['power']:.4f}"] for one in points]
    return [
        Chart(name="power", title="Power by people, in closed form", **told("effect-power"), figure=figure,
              table=Table(columns=["people", "power"], rows=rows))
    ]  # fmt: skip
