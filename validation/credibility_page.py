"""The credibility file, written from its source and the records: ``python -m validation.credibility_page``.

``make credibility``. Words are those of ``credibility.toml``; numbers come from the posterior, the table of facts, the
benchmarks and the forecasts; each record stands with the day and the commit of its last change.
"""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from remission.library.calibration_plan import load_calibration_plan
from remission.library.posteriors import load_posterior
from remission.provenance import today
from validation.posterior_page import left_out

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "docs" / "validation"
FORECASTS = ROOT / "docs" / "forecasts"
PAGE = RECORDS / "credibility.md"
SOURCE = ROOT / "validation" / "credibility.toml"
SPEEDS = {
    "course_person_days_per_second": "person-days a second, one core",
    "run_kare_1000_seconds": "seconds for a thousand trials of 96 people",
    "design_10000_trials_minutes": "minutes for the operating characteristics of a design, ten thousand trials",
}


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


def page() -> str:
    """The whole document."""
    told = tomllib.loads(SOURCE.read_text("utf-8"))
    plan = load_calibration_plan()
    commit = _git("rev-parse", "--short", "HEAD")
    parts = [
        f"# {told['title']}",
        "",
        *told["lead"].strip().splitlines(),
        f"Written by `make credibility` on {today()} at commit {commit}.",
        "",
        "## Trials left out",
        "",
        *left_out(plan, load_posterior(plan.id)),
        "",
        "[The posterior](posterior.md) says how it was made.",
        "",
        "## Question of interest",
        "",
        *told["question"].strip().splitlines(),
        "",
        "## Context of use",
        "",
        *told["context"].strip().splitlines(),
        "",
        "| use | model influence | consequence of a wrong decision | why |",
        "|---|---|---|---|",
        *(f"| {one['name']} | {one['influence']} | {one['consequence']} | {one['why']} |" for one in told["use"]),
        "",
    ]
    for element in told["element"]:
        parts += [f"## {element['title']}", "", element["text"], ""]
    parts += ["## What was checked", "", *activities(told), ""]
    parts += ["## Facts: how many came out how", "", *facts(), ""]
    parts += ["## Speed", "", *speeds(), ""]
    parts += ["## Forecasts on the record", "", *forecasts(), ""]
    parts += [f"## {told['applicability']['title']}", "", *(f"- {line}" for line in told["applicability"]["lines"]), ""]
    parts += ["## Where the order comes from", "", *told["sources"].strip().splitlines(), ""]
    return "\n".join(parts)


def activities(told: dict[str, Any]) -> list[str]:
    """Every record under the question that it answers, with the day and the commit of its last change."""
    lines = []
    for group in told["activity"]:
        lines += [f"### {group['title']}", "", "| record | last changed | commit |", "|---|---|---|"]
        for name in group["records"]:
            path = RECORDS / f"{name}.md"
            day, commit = last_change(path)
            lines.append(f"| [{title_of(path)}]({name}.md) | {day} | {commit} |")
        lines.append("")
    return lines[:-1]


def facts() -> list[str]:
    """How many registered facts came out how."""
    found = re.search(
        r"^## How many came out how\n\n((?:\|.*\n)+)", (RECORDS / "facts.md").read_text("utf-8"), re.MULTILINE
    )
    assert found, "the page of facts has its table"
    return [*found[1].strip().splitlines(), "", "Check measures were named before and never fitted."]


def _plain(value: float) -> str:
    """Three digits, without a power of ten."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def speeds() -> list[str]:
    """What waiting costs, on the machine that is named."""
    path = ROOT / "benchmarks" / "results.json"
    found = json.loads(path.read_text("utf-8"))
    day, commit = last_change(path)
    rows = [f"| {words} | {_plain(found[name])} |" for name, words in SPEEDS.items()]
    return [
        f"`make bench` on {found['machine']}; last changed {day} ({commit}).",
        "",
        "| what | value |",
        "|---|---|",
        *rows,
    ]


def forecasts() -> list[str]:
    """Each trial without a result: its forecasts, or what its record lacks."""
    lines = ["| trial | state | forecasts | its record lacks |", "|---|---|---|---|"]
    for row in tomllib.loads((FORECASTS / "trials.toml").read_text("utf-8"))["trial"]:
        files = ", ".join(f"`{name}`" for name in row.get("forecasts", ()))
        state = "not forecastable" if not files else "conditional scenario" if row.get("conditions") else "forecast"
        lines.append(f"| {row['record']} | {state} | {files} | {'; '.join(row.get('lacks', ()))} |")
    return [*lines, "", "[All of them](../forecasts/index.md). None has read out here."]


def title_of(path: Path) -> str:
    """The first heading of a record."""
    found = re.search(r"^# (.+)$", path.read_text("utf-8"), re.MULTILINE)
    assert found, path
    return found[1]


def last_change(path: Path) -> tuple[str, str]:
    """Day and short commit of the last change of a file."""
    day, _, commit = _git("log", "-1", "--format=%cs %h", "--", str(path)).partition(" ")
    return day or "not yet", commit or "none"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
