"""Ratios that another machine can check: ours and a peer's, turn by turn in one process, on one core.

A ratio is peer time over our time, so 8 means eight times faster than the peer. Each is the median over repeats, after
a warm-up that pays for compilation. Turns alternate, so that a busy moment of the machine meets both sides.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


def pin_to_one_core() -> None:
    """Keep this process, and every thread it starts later, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def seconds_of(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def times_faster(
    ours: Callable[[], object], peer: Callable[[], object], *, repeats: int, work_of_ours: float = 1.0
) -> tuple[float, float, float]:
    """Median ratio, and the median seconds of both sides.

    ``work_of_ours`` is how many times more people our call has than the peer's; a slow peer gets fewer people.
    """
    ours()
    peer()
    pairs = [(seconds_of(ours), seconds_of(peer)) for _ in range(repeats)]
    ratio = statistics.median(theirs * work_of_ours / own for own, theirs in pairs)
    return ratio, statistics.median(own for own, _ in pairs), statistics.median(theirs for _, theirs in pairs)


def write_results(**found: float) -> None:
    """Print and merge into ``results.json`` beside what other scripts wrote."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known |= {name: float(f"{value:.4g}") for name, value in found.items()}
    known["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name, value in found.items():
        print(f"{name}: {value:.4g}")
