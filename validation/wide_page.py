"""The wide fit, made and told: ``python -m validation.wide_page FOLDER [PART ...]`` (``make wide``).

Points, emulators, draws and what each part found stay in FOLDER, so it goes on where it was ended. What it found goes
to ``validation/wide.json``, the page to ``docs/validation/posterior-wide.md``; ``--page`` writes the page alone. The
part ``rows`` says what natural history and diaries alone do to the shape (:mod:`remission.calibration.rows_alone`). The
set goes into the library only if it met what was registered.
"""

import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path
from typing import Any

from remission.files import copy_file, write_text
from remission.library.calibration_plan import load_calibration_plan
from remission.library.posteriors import plan_hash
from remission.provenance import source_hashes
from remission.runs.crew import crew_of
from validation.wide.accepted import accepted
from validation.wide.made import work_of
from validation.wide.page import page
from validation.wide.registered import LIBRARY, NAME, PAGE, RESULTS

PARTS = ("points", "fit", "left-out", "facts", "exact")


def main() -> None:
    """Fit, judge and write, or write the page again."""
    plan = load_calibration_plan(NAME)
    if sys.argv[1:] != ["--page"]:
        folder, parts = Path(sys.argv[1]), sys.argv[2:] or list(PARTS)
        folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, Any] = {"cost": {}}
        for part in parts if parts == ["rows"] else PARTS:
            # Of this plan and of this code: what another one found is not taken for it.
            path = folder / f"{NAME}-{part}-{plan_hash(plan)}-{source_hashes()['numbers'][:8]}.json"
            if not path.exists() and part not in parts:
                continue
            if not path.exists():
                began, began_s = used_s(), time.monotonic()
                with crew_of(None) as crew:
                    told = work_of(plan, folder, crew, part)
                cost = {"processor_min": (used_s() - began) / 60.0, "wall_min": (time.monotonic() - began_s) / 60.0,
                        "memory_gb": _largest_gb()}  # fmt: skip
                write_text(path, json.dumps({"told": told, "cost": cost}, indent=1) + "\n", replace=True)
            kept = json.loads(path.read_text("utf-8"))
            found |= kept["told"]
            found["cost"][part] = kept["cost"]
            write_text(RESULTS, json.dumps(found, indent=1) + "\n", replace=True)
        if "plan" not in found:
            print("no page: the part fit comes first")
            return
        if all(row["met"] for row in accepted(found)):
            copy_file(folder / f"{NAME}.json", LIBRARY / f"{NAME}.json")
    found = json.loads(RESULTS.read_text("utf-8"))
    PAGE.write_text(page(load_calibration_plan(found["plan"]), found), encoding="utf-8")
    print(PAGE)


def used_s() -> float:
    """Seconds of processor of this process and of those that worked beside it, which have ended."""
    for child in multiprocessing.active_children():
        child.join()  # before that the system has not counted it
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _largest_gb() -> float:
    """Of the largest of these processes so far."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**20


if __name__ == "__main__":
    main()
