"""What a job found, as the pages show it: read from the folder that the command wrote, and from nothing else."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from remission.design.verdicts import TRUE_VALUE, verdicts
from remission.errors import RemissionError
from remission.files import read_json
from remission.protocol.file import read_protocol
from remission.protocol.record import Protocol
from remission.records.base import Record
from remission.report.design_study import effect_unit_of, published_of
from remission.report.numbers import measure_text, share_text, smallest_words
from remission.report.study_words import LIMITS
from remission.web.bench.drawing import Point, Series, power_svg, results_svg, short
from remission.web.bench.store import Job
from remission.web.figure import FigureTable


class Shown(Record):
    """A drawing with the sentence that it shows, and its table."""

    name: str
    title: str
    note: str
    table: FigureTable
    svg: Any = Field(default="", exclude=True)


class Found(Record):
    """What a job found.

    headline
        The one line that answers. ``lines``: what must be said beside it.
    points
        Power by people, as numbers.
    """

    headline: str
    lines: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()
    drawings: tuple[Shown, ...] = ()
    tables: tuple[tuple[str, FigureTable], ...] = ()
    sizes: tuple[int, ...] = ()


def read_found(job: Job, folder: Path, *, size: int | None = None) -> Found | None:
    """What a finished job found; ``None`` where its folder is gone or holds no result.

    ``size``: the number of people whose trials are drawn; the largest when left out.
    """
    try:
        match job.kind:
            case "design":
                return _of_design(folder / "report", size)
            case "effect":
                return _of_effect(read_json(folder / "result.json", allowed="a result"))
            case "worlds":
                return _of_worlds(read_json(folder / "report" / "design.json", allowed="a result"))
            case "run":
                return _of_run(_run_folder(folder))
            case "elsewhere":
                return _of_run(folder)
            case _:
                return _of_analysis(read_json(folder / "report" / "analysis.json", allowed="a result"))
    except (RemissionError, OSError, KeyError, ValueError, TypeError, IndexError):
        return None


def run_folder_of(folder: Path) -> Path | None:
    """The folder of the finished run that a job wrote."""
    try:
        return _run_folder(folder)
    except (RemissionError, KeyError, IndexError):
        return None


def _run_folder(folder: Path) -> Path:
    told = read_json(folder / "result.json", allowed="a result")
    found = Path(told["runs"][0]["folder"])
    # The command names it as seen from the folder of the job.
    return (folder / found).resolve()


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> FigureTable:
    """Cells of text."""
    return FigureTable(columns=tuple(columns), rows=tuple(tuple(str(cell) for cell in row) for row in rows))


def _of_design(report: Path, size: int | None) -> Found:
    content = read_json(report / "design.json", allowed="the numbers of a design")
    protocol = read_protocol(report / "protocol.yaml", is_stored=True)
    wanted = content["analysis"]
    main = [row for row in content["characteristics"] if row["analysis"] == wanted]
    name = "Type I error" if content["is_null"] else "Power"
    sizes = tuple(row["n_subjects"] for row in main)
    chosen = size if size is not None and size in sizes else sizes[-1]
    row = main[sizes.index(chosen)]
    points = tuple(_point(one) for one in main)
    headline = f"{chosen} people: {name.lower()} {share_text(_rejected(row))}"
    lines = _smallest(content)
    lines += [
        f"{one['n_subjects']} people: assurance {share_text(one['rejected'])}, the model's values drawn from "
        f"{one['posterior']} in each of {one['n_replicates']} trials."
        for one in content.get("over_posterior") or ()
    ]
    found = content.get("assurance")
    if found:
        lines.append(
            f"Assurance {share_text(found['probability'])}, over {found['n_draws']} draws of the model's values."
        )
        lines += [
            f"Given {' and '.join(one['trials']) or 'no trial'}: assurance "
            f"{share_text(one['probability']) or 'too few draws to say'}."
            for one in found.get("given") or ()
        ]
    for one in main:
        looks = (one.get("sequential") or {}).get("looks") or ()
        lines += [
            f"{one['n_subjects']} people: {words}"
            for words in verdicts(one, power=one["rejected"]["value"], stops=len(looks) > 1)
        ]
    lines += content["standing"]["lines"]
    tables = [("How the design behaves", _characteristics(content))]
    if content.get("nulls"):
        rows = [
            (one["name"], one["n_subjects"], one["n_replicates"], share_text(one["rejected"]), one["note"])
            for one in content["nulls"]
        ]
        tables.append(
            (
                "Where the drug does nothing to use",
                table(("null", "people", "trials", "rejected (± error)", "remark"), rows),
            )
        )
    drawings = [_power(points, name, content)] if len(points) > 1 else []
    drawings += _results(report, protocol, content, chosen, row)
    return Found(
        headline=headline,
        lines=tuple(dict.fromkeys(lines)),
        points=points,
        drawings=tuple(drawings),
        tables=tuple(tables),
        sizes=sizes,
    )


def _smallest(content: Mapping[str, Any]) -> list[str]:
    """What a search found, or the smallest of the sizes that were listed; nothing where no power was asked for."""
    if "smallest_n" not in content:
        return []
    smallest, search = content["smallest_n"], content.get("search")
    if not smallest:
        return ["None of the sizes tried has the power asked for."]
    if search is not None and search["outcome"] == "found":
        return [smallest_words(search, share_text)]
    if search is not None:
        return [f"{smallest} people, the smallest of the range, have the power asked for already."]
    return [f"{smallest} people are the smallest of these sizes with the power asked for."]


def _rejected(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (row.get("sequential") or row)["rejected"]
    return found


def _point(row: Mapping[str, Any]) -> Point:
    found = _rejected(row)
    return Point(n=row["n_subjects"], trials=row["n_replicates"], value=found["value"], mcse=found["mcse"])


def _power(points: tuple[Point, ...], name: str, content: Mapping[str, Any]) -> Shown:
    goal = (content.get("search") or {}).get("power")
    rows = [(one.n, one.trials, f"{one.value:.3f}", f"{one.mcse:.3f}") for one in points]
    return Shown(
        name="power",
        title=f"{name} {points[0].value:.2f} with {points[0].n} people, {points[-1].value:.2f} with {points[-1].n}",
        note="Bands: 95% Monte Carlo interval, the doubt of the simulation and not of the effect.",
        table=table(("people", "trials", name.lower(), "Monte Carlo error"), rows),
        svg=power_svg([Series(label="this design", points=points)], goal=goal),
    )


def _results(
    report: Path, protocol: Protocol, content: Mapping[str, Any], n: int, row: Mapping[str, Any]
) -> list[Shown]:
    import pyarrow.parquet as pq

    kept = pq.read_table(report / "tables" / "estimates.parquet")
    size = np.asarray(kept["n_subjects"])
    values = np.asarray(kept["estimate"], dtype=np.float64)[size == n]
    good = values[np.isfinite(values)]
    if good.size < 2:
        return []
    analysis = protocol.analysis(content["analysis"])
    unit = effect_unit_of(protocol, analysis)
    published = published_of(protocol, analysis.id)
    truth = None if content["is_null"] else row.get("truth")
    ends = np.quantile(good, [0.025, 0.5, 0.975])
    rows = [("simulated, middle of the trials", f"{ends[1]:.3g}", f"{ends[0]:.3g} to {ends[2]:.3g}")]
    if truth is not None:
        rows.append(("true value of the model", f"{truth:.3g}", ""))
    if published is not None:
        rows.append(
            (
                "published",
                f"{published.value:g}",
                "" if published.ci_low is None else f"{published.ci_low:g} to {published.ci_high:g}",
            )
        )
    shown = None if published is None else (published.value, published.ci_low, published.ci_high)
    return [
        Shown(
            name="results",
            title=(
                f"What {good.size} trials of {n} people would report: {short(ends[1])}, "
                f"95% from {short(ends[0])} to {short(ends[2])}"
            ),
            note=(
                "Bars: estimates of single trials. "
                + (
                    "Diamond and line: the published result with its interval. "
                    if published
                    else "No published result belongs to this analysis. "
                )
                + "The true value is the model's, not the world's. "
                + TRUE_VALUE
            ),
            table=table(("what", f"estimate, {unit}", "95%"), rows),
            svg=results_svg(values, truth=truth, published=shown, unit=unit, is_ratio=analysis.is_ratio),
        )
    ]


def _characteristics(content: Mapping[str, Any]) -> FigureTable:
    rejected = "type I error" if content["is_null"] else "power"
    columns = (
        "analysis",
        "people",
        "trials",
        f"{rejected} (± error)",
        "bias (± error)",
        "coverage (± error)",
        "estimate (± error)",
        "SD between trials",
        "width of 95% interval",
        "failed",
    )
    rows = [
        (
            one["label"],
            one["n_subjects"],
            one["n_replicates"],
            share_text(_rejected(one)),
            measure_text(one["bias"]) or "cannot be told",
            share_text(one["coverage"]) or "cannot be told",
            measure_text(one["estimate"]),
            "" if one["estimate_sd"] is None else f"{one['estimate_sd']:.3g}",
            measure_text(one["width"]),
            one["n_failed"],
        )
        for one in content["characteristics"]
    ]
    return table(columns, rows)


def _of_effect(content: Mapping[str, Any]) -> Found:
    """A stated effect: the closed form with what was simulated beside it."""
    rows, points = [], []
    smallest = (content.get("smallest") or {}).get("at")
    for one in [*content["sizes"], *([smallest] if smallest else [])]:
        seen = one.get("simulated")
        rows.append(
            (
                one["people"],
                "cannot be told" if one["power"] is None else f"{one['power']:.4f}",
                share_text(seen["power"]) if seen else "",
                measure_text(seen["bias"]) if seen else "",
                share_text(seen["coverage"]) if seen else "",
            )
        )
        if one["power"] is not None:
            points.append(Point(n=one["people"], value=one["power"], mcse=0.0, trials=0))
    last = content["sizes"][-1] if content["sizes"] else smallest
    headline = "No power can be told"
    if last is not None and last["power"] is not None:
        headline = f"{last['people']} people: power {last['power']:.3f} in closed form"
    lines = [f"A stated effect, {content['test']}. No model of the program is used."]
    if smallest:
        lines.append(f"{smallest['people']} people are the smallest trial with power {content['smallest']['power']:g}.")
    nulls = [
        (one["people"], name, share_text(found))
        for one in content["sizes"]
        if one.get("simulated")
        for name, found in one["simulated"]["nulls"].items()
    ]
    lines += dict.fromkeys(words for one in content["sizes"] for words in one["cautions"])
    tables = [
        (
            "Closed form beside simulation",
            table(
                ("people", "power, closed form", "power, simulated (± error)", "bias (± error)", "coverage (± error)"),
                rows,
            ),
        )
    ]
    if nulls:
        tables.append(("Where there is no effect", table(("people", "null", "reached (± error)"), nulls)))
    return Found(
        headline=headline,
        lines=tuple(lines),
        points=tuple(points),
        tables=tuple(tables),
        sizes=tuple(one["people"] for one in content["sizes"]),
    )


def _of_worlds(content: Mapping[str, Any]) -> Found:
    rows = content["rows"]
    names = [
        name
        for name in ("scenario", "design", "n_subjects", "power", "type1_error", "bias", "coverage", "n", "cost")
        if any(row.get(name) is not None for row in rows)
    ]
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    return Found(
        headline=f"{len(rows)} cells: worlds by designs",
        tables=(("Worlds by designs", table([name.replace("_", " ") for name in names], cells)),),
        lines=tuple((content.get("standing") or {}).get("lines") or ()),
    )


def _cell(found: Any) -> str:
    if isinstance(found, Mapping) and {"value", "mcse"} <= set(found):
        return measure_text(found) or "cannot be told"
    if isinstance(found, float):
        return f"{found:.4g}"
    return "" if found is None else found if isinstance(found, str) else json.dumps(found)


def _of_run(folder: Path) -> Found:
    summary = read_json(folder / "summary.json", allowed="the summary of a run")
    rows = []
    for one in summary["rows"]:
        seen, published = one["simulated"], one["published"]
        shown = "not published" if published is None else f"{published['value']:g}"
        if published is not None and published["ci_low"] is not None:
            shown += f" ({published['ci_low']:g} to {published['ci_high']:g})"
        rows.append(
            (
                one["label"],
                f"{one['statistic']}, {one['unit']}",
                one["arm"] or "",
                shown,
                _number(seen["mean"]),
                f"{_number(seen['low'])} to {_number(seen['high'])}",
                _number(seen["mcse"]),
            )
        )
    columns = ("outcome", "statistic", "arm", "published", "simulated mean", "95% of replicates", "Monte Carlo error")
    headline = f"{summary['n_replicates']} replicates of {summary['n_subjects']} people"
    return Found(
        headline=headline, tables=(("Results", table(columns, rows)),), lines=tuple(summary["standing"]["lines"])
    )


def _number(found: float | None) -> str:
    return "" if found is None else f"{found:.4g}"


def _of_analysis(content: Mapping[str, Any]) -> Found:
    rows = [
        (
            one["analysis"],
            one["label"],
            f"{one['n_treatment']} / {one['n_control']}",
            f"{_number(one.get('estimate'))} {one['unit']}",
            f"{_number(one.get('low'))} to {_number(one.get('high'))}",
            _number(one.get("p_value")),
            one.get("message") or "",
        )
        for one in content["estimates"]
    ]
    arms = [
        (one["label"], arm, f"{seen['analyzed']:.0f}", _number(seen["mean"]), _number(seen["sd"]))
        for one in content["estimates"]
        for arm, seen in (one.get("by_arm") or {}).items()
    ]
    columns = ("analysis", "label", "treatment / control analyzed", "estimate", "95% interval", "p", "remark")
    tables = [("Estimates, treatment against control", table(columns, rows))]
    if arms:
        tables.append(("What each arm shows", table(("analysis", "arm", "analyzed", "mean or share", "SD"), arms)))
    # Who is missing stands with each estimate, and not with the file.
    said = [*(content.get("cautions") or ()), *(line for one in content["estimates"] for line in one["cautions"])]
    return Found(
        headline=str(content.get("title") or "The analysis"),
        tables=tuple(tables),
        lines=(*dict.fromkeys(said), *LIMITS),
    )
