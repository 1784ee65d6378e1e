"""Trials that pages ask for: simulated once in the background, with progress, then kept."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

from remission.errors import RemissionError
from remission.library.protocols import load_protocol
from remission.protocol.record import Protocol
from remission.records.seed import DEFAULT_SEED
from remission.trial.result import TrialResult
from remission.trial.simulate import simulate_trial

_LOOK_EVERY_S = 0.2


@dataclass
class Job:
    """One simulation: how far it is, and what came of it."""

    total: int
    done: int = 0
    result: TrialResult | None = None
    failure: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    async def wait(self, longest_s: float) -> None:
        """Wait for the end without keeping a thread: eighty readers may wait, and others must be answered."""
        stop_s = time.monotonic() + longest_s
        while not self.ended.is_set() and time.monotonic() < stop_s:  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(min(_LOOK_EVERY_S, longest_s))


class Desk:
    """Starts each trial at most once, with ``n_replicates`` replicates; asking again shows how far it is."""

    def __init__(self, n_replicates: int) -> None:
        self.n_replicates = n_replicates
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def ask(self, name: str) -> Job:
        """The job of a trial of the library, started if it is not; a failed one is started again."""
        protocol = load_protocol(name)
        with self._lock:
            job = self._jobs.get(name)
            if job is None or job.failure:
                job = self._jobs[name] = Job(total=self.n_replicates)
                threading.Thread(target=self._work, args=(protocol, job), daemon=True).start()
            return job

    def _work(self, protocol: Protocol, job: Job) -> None:
        def progress(done: int, _: int) -> None:
            job.done = done

        try:
            job.result = simulate_trial(
                protocol, n_replicates=self.n_replicates, seed=DEFAULT_SEED, on_progress=progress
            )
        except (RemissionError, MemoryError) as error:
            job.failure = str(error)
        finally:
            if job.result is None and not job.failure:
                # Nobody may wait for a page that never comes.
                job.failure = "it ended without a result; the server's own messages say more."
            job.ended.set()
