"""Two Dask workers against the ideal of half the time of one: ``dask_2_workers_vs_ideal`` (1 is perfect).

A real scheduler and real worker processes of one thread each, on loopback, started and stopped here. The run is the
alcohol trial without its report; each worker is warmed by a short run first.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from benchmarks.measure import write_results
from remission.library.protocols import load_protocol
from remission.runs.cluster import Cluster
from remission.runs.piece import do_piece
from remission.trial.simulate import plan_trial

N_REPLICATES = 600
REPEATS = 3


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(kind: str, *options: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", "--no-dashboard", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def cluster(n_workers: int) -> Iterator[str]:
    """Address of a scheduler with so many workers; all of them end with the block."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        address = f"tcp://127.0.0.1:{port}"
        started = [_start("scheduler", "--port", str(port), folder=folder)]
        started += [
            _start("worker", address, "--nthreads", "1", "--nworkers", "1", folder=folder) for _ in range(n_workers)
        ]
        try:
            _wait_for(address, n_workers)
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=20)


def _wait_for(address: str, n_workers: int) -> None:
    from distributed import Client

    for _ in range(100):
        with suppress(OSError), Client(address, timeout="2s") as client:  # type: ignore[no-untyped-call]  # it has no types
            client.wait_for_workers(n_workers, timeout="30s")
            return
        time.sleep(0.2)
    message = "the scheduler did not start"
    raise RuntimeError(message)


def seconds_with(n_workers: int) -> float:
    """Median seconds of the chunks of a run."""
    protocol = load_protocol("kare")
    with cluster(n_workers) as address, Cluster(address) as crew:
        warm = plan_trial(protocol, n_replicates=42 * n_workers * 2, seed=1)
        list(crew.as_done(partial(do_piece, warm), warm.chunks))
        taken = []
        for repeat in range(REPEATS):
            plan = plan_trial(protocol, n_replicates=N_REPLICATES, seed=10 + repeat)
            begun = time.perf_counter()
            list(crew.as_done(partial(do_piece, plan), plan.chunks))
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> None:
    """Measure, print, write."""
    print(f"load average before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; a busy core spoils this")
    one, two = seconds_with(1), seconds_with(2)
    print(f"one worker {one:.2f} s, two workers {two:.2f} s")
    write_results(dask_2_workers_vs_ideal=one / 2.0 / two)


if __name__ == "__main__":
    main()
