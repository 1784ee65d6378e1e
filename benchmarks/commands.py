"""How long a newcomer waits: ``remission --help``, the first trial, and the work of ``make run``.

Usage: ``python benchmarks/commands.py``. Writes medians into ``benchmarks/results.json`` beside what other scripts
wrote. Nothing here is asserted in tests.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"
COMMAND = [sys.executable, "-m", "remission"]


def seconds_of(*arguments: str, repeats: int) -> float:
    """Median wall-clock seconds of a command line, run ``repeats`` times in new processes."""
    taken = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            subprocess.run([*COMMAND, *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    """Measure, print, write."""
    found = {
        "help_seconds": seconds_of("--help", repeats=7),
        "first_trial_seconds": seconds_of("run", "dakwar-2019", "--replicates", "20", repeats=3),
        "run_kare_1000_seconds": seconds_of("run", "kare", "--replicates", "1000", repeats=1),
        "run_dakwar_2019_1000_seconds": seconds_of("run", "dakwar-2019", "--replicates", "1000", repeats=1),
    }
    found["make_run_seconds"] = found["run_kare_1000_seconds"] + found["run_dakwar_2019_1000_seconds"]
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known |= {name: round(value, 3) for name, value in found.items()}
    known["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name, value in found.items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main()
