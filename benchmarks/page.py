"""The figures beside what they were: into results.json under ``before``, onto the page of speed, and to the screen.

``benchmarks/before.toml`` says which figures, what they were and what they are to be.
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "explanation" / "speed.md"
BEGIN, END = "<!-- figures: make bench -->\n", "<!-- end of figures -->\n"


def rows() -> dict[str, dict[str, Any]]:
    """Each figure with what it was, by name."""
    found: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "before.toml").read_text("utf-8"))
    old = json.loads((FOLDER / "results-2bcf5bc.json").read_text("utf-8"))
    return {name: {"was": old.get(name), **row} for name, row in found.items()}


def table(now: dict[str, Any]) -> str:
    """The figures in Markdown; ``now``: by name."""
    earlier = {name: now.get(f"{name}_2bcf5bc", row["was"]) for name, row in rows().items()}
    lines = ["| figure | filed | at 2bcf5bc | now | goal | reached |", "|---|---|---|---|---|---|"]
    for name, row in rows().items():
        value, goal = now.get(name), row.get("goal")
        reached = ""
        if value is not None and goal is not None:
            reached = "yes" if (value <= goal if row["better"] == "less" else value >= goal) else "no"
        cells = [_text(row.get("filed")), _text(earlier[name]), _text(value), _text(goal), reached]
        lines.append(f"| {row['what']}, `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def written(page: str, now: dict[str, Any]) -> str:
    """The page with the table of these figures."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{table(now)}\n{END}{rest.split(END)[1]}"


def main() -> None:
    """Write and print."""
    now = json.loads(RESULTS.read_text("utf-8"))
    now["before"] = {
        name: {key: row[key] for key in ("filed", "was", "goal") if row.get(key) is not None}
        for name, row in rows().items()
    }
    RESULTS.write_text(json.dumps(now, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(written(PAGE.read_text("utf-8"), now), encoding="utf-8")
    print(table(now))
    print(
        f"load average: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; the others' work is in the clock's figures"
    )


if __name__ == "__main__":
    main()
