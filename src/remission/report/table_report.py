"""The report of a table of scenarios by designs: what the world may be like, what can be chosen, and what follows."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from remission.design.verdicts import TRUE_VALUE, verdicts
from remission.files import write_text
from remission.numerics.digits import from_to
from remission.numerics.intervals import Z95
from remission.provenance import library_versions, python_version
from remission.report.chart import Chart, Table, told
from remission.report.design_document import common_parts, source_line
from remission.report.design_folder import flat_table, list_files, write_inputs, write_report_folder, write_tables
from remission.report.design_methods import model_keys
from remission.report.design_study import TableStudy
from remission.report.inline import CHART_SCRIPTS, chart_parts
from remission.report.look import INK, QUIET, canvas, finish
from remission.report.numbers import measure_text, share_text
from remission.report.page import fill_template
from remission.report.rerun import rerun_table
from remission.report.schedule_chart import schedule_chart

_MOST_DRAWN = 40
_MARKS = (("#3d35a0", "o"), ("#2a78b8", "s"), ("#13807a", "^"), ("#6a6f7a", "D"), ("#9a6a10", "v"), ("#8a3b74", "P"))


def write_table_report(study: TableStudy, folder: Path, *, place: Path | None = None) -> Path:
    """Write the report; the folder appears whole or not at all. Returns the page.

    Raises SpecError: the folder holds something; WorkError: the disk refused.
    """
    return write_report_folder(folder, partial(_write_all, study), place=place)


def _write_all(study: TableStudy, folder: Path) -> None:
    versions = {"python": python_version(), **library_versions()}
    script = rerun_table(
        study.content, scenario_file=study.scenario_file, seed=study.seed, version=versions["remission"]
    )
    keys = sorted([*model_keys(study.protocol), "lan1983", "morris2019"])
    write_inputs(folder, study, script=script, keys=keys, version=versions["remission"])
    charts = [chart.save(folder / "figures") for chart in (schedule_chart(study.protocol), *_power_charts(study))]
    tables = {chart.name: chart.table for chart in charts}
    write_tables(folder, {**tables, "results": flat_table(study.content["rows"]), **dict(_inputs(study))})
    write_text(folder / "report.html", "")
    write_text(folder / "report.html", _page(study, charts, versions, keys, list_files(folder)), replace=True)


def _page(
    study: TableStudy,
    charts: Sequence[Chart],
    versions: Mapping[str, str],
    keys: Sequence[str],
    files: Sequence[tuple[str, str]],
) -> str:
    asked = study.content["table"]
    counts = [row["n_replicates"] for row in study.content["rows"]]
    return fill_template(
        "table.html.jinja",
        "report.css",
        scripts=CHART_SCRIPTS,
        **common_parts(study, versions, changed=", changed by scenarios as above"),
        finding=_finding(study),
        charts=[chart_parts(chart) for chart in charts],
        inputs=_inputs(study),
        results=_results(study),
        notes=_remarks(study.content["rows"]),
        methods=(
            f"Each cell was simulated {from_to(min(counts), max(counts))} times (seed {study.seed}; at most "
            f"{asked['replicates']:,}, stopped when the Monte Carlo standard error of power was at most "
            f"{asked['mcse']:g}), with the people of the same seed in all cells. Tests are two-sided at "
            f"{asked['alpha']:g}; power counts success and harm at any look, failed analyses as no success."
            + (" Every cell was simulated again with treatment and control alike." if asked["type1_error"] else "")
            + f" {TRUE_VALUE}"
            + (f" It was found in {asked['truth']:,} people under every arm." if asked["truth"] else "")
        ),
        sources=[source_line(key) for key in keys],
        files=files,
    )


def _remarks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which nulls were not simulated and why, and what must be said of each power."""
    equal = {f"{one['name']} {one['note']}." for row in rows for one in row["nulls"] if one["note"] and one["rejected"]}
    said = [
        f"{row['scenario']}, {row['design']}: {words}"
        for row in rows
        for words in verdicts(row, power=row["power"]["value"], stops=len(row["sequential"]["looks"]) > 1)
    ]
    return [
        *sorted({f"No type I error: {row['null_note']}" for row in rows if row["null_note"]}),
        *sorted(equal),
        *said,
    ]


def _null(row: Mapping[str, Any], name: str) -> str:
    return next((share_text(one["rejected"]) for one in row["nulls"] if one["name"] == name), "")


def _share(value: float | None) -> str:
    return "" if value is None else f"{100.0 * value:.0f}%"


def _finding(study: TableStudy) -> str:
    rows = study.content["rows"]
    low, high = (pick(rows, key=lambda row: row["power"]["value"]) for pick in (min, max))
    words = (
        f"Power lies between {share_text(low['power'])} ({low['scenario']}, {low['design']}) and "
        f"{share_text(high['power'])} ({high['scenario']}, {high['design']}) over {len(rows)} cells."
    )
    goal = study.content["table"]["power"]
    if goal is None:
        return words
    designs = list(dict.fromkeys(row["design"] for row in rows))
    good = [name for name in designs if all(r["power"]["value"] >= goal for r in rows if r["design"] == name)]
    if not good:
        return f"{words} No design reaches {100.0 * goal:g}% in every scenario."
    return f"{words} In every scenario {100.0 * goal:g}% is reached by: {', '.join(good)}."


def _power_charts(study: TableStudy) -> list[Chart]:
    """Power of every cell, designs below each other; none where the cells are too many to tell apart."""
    rows, goal = study.content["rows"], study.content["table"]["power"]
    designs = list(dict.fromkeys(row["design"] for row in rows))
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    if len(rows) > _MOST_DRAWN or len(scenarios) > len(_MARKS):
        return []
    step = 0.7 / len(scenarios)
    with canvas(9.4, 1.6 + 0.75 * len(designs)) as (figure, axes):
        for number, (scenario, (color, marker)) in enumerate(zip(scenarios, _MARKS, strict=False)):
            found = [row for row in rows if row["scenario"] == scenario]
            y = np.array([len(designs) - designs.index(row["design"]) + 0.35 - step * (number + 0.5) for row in found])
            x = np.array([100.0 * row["power"]["value"] for row in found])
            error = np.array([100.0 * Z95 * row["power"]["mcse"] for row in found])
            axes.errorbar(x, y, xerr=error, color=color, marker=marker, markersize=5, linestyle="none", capsize=2.5,
                          elinewidth=1.0, label=scenario)  # fmt: skip
        if goal is not None:
            axes.axvline(100.0 * goal, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
            axes.annotate(f"asked for, {100.0 * goal:g}%", (100.0 * goal, 1.0), (3, -3), fontsize=7.5, color=QUIET,
                          xycoords=("data", "axes fraction"), textcoords="offset points", va="top")  # fmt: skip
        axes.set_yticks(range(len(designs), 0, -1), designs)
        axes.tick_params(axis="y", length=0)
        finish(axes, x="power, % of trials; bars: 95% Monte Carlo interval", y="")
        axes.set_xlim(0.0, 101.0)
        axes.set_ylim(0.4, len(designs) + 0.6)
        figure.legend(loc="outside lower center", ncols=min(4, len(scenarios)))
    return [
        Chart(
            name="power",
            title=f"Power of {len(designs)} designs in {len(scenarios)} scenarios, simulated",
            **told("table-power"),
            figure=figure,
            table=Table(
                columns=("scenario", "design", "people", "power (± error)"),
                rows=[
                    [row["scenario"], row["design"], str(row["n_subjects"]), share_text(row["power"])] for row in rows
                ],
            ),
        )
    ]


def _inputs(study: TableStudy) -> list[tuple[str, Table]]:
    """What each scenario and each design says, in the words of their file."""
    asked = study.content["table"]
    scenarios = [
        [_named(one), _said(one["parameters"]) or "as the library has them", _said(one["changes"]) or "none"]
        for one in asked["scenarios"]
    ]
    designs = []
    for one in asked["designs"]:
        is_plain = list(one["looks"]) == [1.0] and not one["futility"]
        silent = {"id", "label", *(("looks", "boundary") if is_plain else ())}
        designs.append(
            [_named(one), _said({k: v for k, v in one.items() if k not in silent}) or "as the protocol has it"]
        )
    return [
        ("scenarios", Table(columns=("scenario", "values of the model", "changes of the protocol"), rows=scenarios)),
        ("designs", Table(columns=("design", "what is chosen"), rows=designs)),
    ]


def _named(one: Mapping[str, Any]) -> str:
    return f"{one['id']}: {one['label']}" if one["label"] else str(one["id"])


def _said(fields: Mapping[str, Any]) -> str:
    """Fields that say something, as a reader of the file knows them."""
    told = [
        f"{name.replace('_', ' ')} {json.dumps(value, ensure_ascii=False)}"
        for name, value in fields.items()
        if value not in (None, {}, [], ())
    ]
    return "; ".join(told)


def _results(study: TableStudy) -> Table:
    rows = study.content["rows"]
    columns = {
        "scenario": [row["scenario"] for row in rows],
        "design": [row["design"] for row in rows],
        "people": [str(row["n_subjects"]) for row in rows],
        "trials": [str(row["n_replicates"]) for row in rows],
        "power (± error)": [share_text(row["power"]) for row in rows],
        "bias": [measure_text(row["bias"]) for row in rows],
        "coverage": [share_text(row["coverage"]) for row in rows],
        "without bias, about": [_share(row["power_without_bias"]) if row["is_flattered"] else "" for row in rows],
        "type I error": [share_text(row["type1_error"]) for row in rows],
        **{name: [_null(row, name) for row in rows] for name in ("felt but inert", "expectancy only")},
        "estimate": [measure_text(row["estimate"]) for row in rows],
        "scale": [row["scale"] for row in rows],
        "width": [measure_text(row["width"]) for row in rows],
        "true value": ["" if row["truth"] is None else f"{row['truth']:.3g}" for row in rows],
        "bias against the rule's own value": [measure_text(row["own_bias"]) for row in rows],
        "expected people": [measure_text(row["n"]) for row in rows],
        "expected days": [measure_text(row["duration_day"]) for row in rows],
        "cost": ["" if row["cost"] is None else f"{row['cost']['value']:,.0f}" for row in rows],
        "failed": [str(row["n_failed"]) for row in rows],
    }
    # What was not asked for has no column.
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    return Table(columns=tuple(shown), rows=[list(cells) for cells in zip(*shown.values(), strict=True)])
