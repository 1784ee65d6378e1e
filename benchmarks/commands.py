"""How long a newcomer waits: ``remission --help``, the first trial, and the work of ``make run``.

Medians over new processes after one that fills the caches (compiled kernels, byte code), as on any desk but at the very
first command; the last ones only once, because they are long.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.measure import write_results

COMMAND = [sys.executable, "-m", "remission"]
# Some build machines forbid byte code to be kept; then every start compiles 300 modules again.
DESK = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds_of(*arguments: str, repeats: int) -> float:
    """Median wall-clock seconds of a command line, run ``repeats`` times in new processes."""
    taken = []
    for _ in range(repeats + (repeats > 1)):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            subprocess.run([*COMMAND, *arguments], check=True, cwd=folder, env=DESK, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:] or taken)


def main() -> None:
    """Measure, print, write."""
    found = {
        "help_seconds": seconds_of("--help", repeats=7),
        "first_trial_seconds": seconds_of("run", "dakwar-2019", "--replicates", "20", repeats=3),
        "run_kare_1000_seconds": seconds_of("run", "kare", "--replicates", "1000", repeats=1),
        "run_dakwar_2019_1000_seconds": seconds_of("run", "dakwar-2019", "--replicates", "1000", repeats=1),
        "make_run_seconds": seconds_of("run", "dakwar-2019", "kare", "--replicates", "1000", repeats=1),
    }
    write_results(**found)


if __name__ == "__main__":
    main()
