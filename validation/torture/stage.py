"""Where runs are tortured: processes to be killed, places to look at, bytes to compare with."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remission.protocol.file import write_protocol
from remission.provenance import source_hashes
from remission.runs.folder import read_run
from remission.runs.identity import run_name
from remission.trial.simulate import TrialPlan, plan_trial
from validation.small_trials import small_protocol

N_SUBJECTS, N_REPLICATES, SEED = 120, 272, 3
"""Eight chunks of 34 replicates, four row groups of diaries: some seconds of work with many moments to be killed at."""


@dataclass(frozen=True)
class Stage:
    """A folder to work in, and the files that a calm run left."""

    root: Path
    plan: TrialPlan
    expected: dict[str, Any]

    def name(self, out: Path) -> str:
        """Name of the finished run in a folder."""
        return run_name(out, self.plan)

    def arguments(self, out: Path, *more: str) -> list[str]:
        """The command line of the run."""
        protocol = str(self.root / "small.yaml")
        counts = ["-n", str(N_REPLICATES), "--seed", str(SEED)]
        return ["run", protocol, *counts, "--diaries", "--out", str(out), "--json", *more]

    def differs(self, out: Path) -> str:
        """What is wrong with a finished run, or nothing."""
        try:
            run = read_run(out / self.name(out))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            return f"{type(error).__name__}: {error}"
        wrong = [name for name, value in self.expected.items() if run.manifest["files"].get(name) != value]
        left = [path.name for path in out.iterdir() if path.name != run.path.name]
        return ", ".join([*wrong, *(f"left behind: {name}" for name in left)])


def set_stage(root: Path) -> Stage:
    """Load everything once, so that a forked child starts at once, and make the calm run to compare with."""
    import matplotlib.figure
    import pyarrow.parquet

    import remission.cli.app
    import remission.runs.cluster
    import remission.runs.run

    del matplotlib, pyarrow, remission
    root.mkdir(parents=True, exist_ok=True)
    protocol = small_protocol(population={**small_protocol().to_dict()["population"], "n_subjects": N_SUBJECTS})
    (root / "small.yaml").write_text(write_protocol(protocol), encoding="utf-8")
    plan = plan_trial(protocol, n_replicates=N_REPLICATES, seed=SEED, with_diaries=True)
    plan.run(plan.chunks[-1])
    source_hashes()
    stage = Stage(root=root, plan=plan, expected={})
    assert wait_for(fork(stage.arguments(root / "calm"))) == 0
    return Stage(root=root, plan=plan, expected=read_run(root / "calm" / stage.name(root / "calm")).manifest["files"])


def fork(arguments: list[str], before: Callable[[], None] | None = None, said: Path | None = None) -> int:
    """The process id of a child that runs a command line; its words go to ``said``."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        words = os.open(said or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(words, 1)
        os.dup2(words, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if before is not None:
            before()
        from remission.cli.app import run_app

        code = run_app(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - a child must never go on as its parent
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def start(arguments: list[str], folder: Path, said: Path | None = None) -> "subprocess.Popen[bytes]":
    """A fresh process, as from a shell, in a session of its own."""
    # A background job of a shell ignores SIGINT; this one must hear it.
    code = "import signal; signal.signal(2, signal.default_int_handler); from remission.cli import main; main()"
    with (said or Path(os.devnull)).open("wb") as words:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments], cwd=folder, stdout=words, stderr=words, start_new_session=True
        )


def wait_for(pid: int) -> int:
    """Exit code of a child; minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def ended(pid: int) -> bool:
    """Whether a child has ended; it is not taken off yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def descendants(session: int) -> list[int]:
    """Living processes of a session, without its leader."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z" and int(place.name) != session:
            found.append(int(place.name))
    return found


def wait_until(is_true: Callable[[], bool], seconds: float, pause_s: float = 0.0005) -> bool:
    """Whether something became true in time."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(pause_s)
    return True


def luck(seed: int, *address: object) -> random.Random:
    """Random numbers of an address: the same torture for the same seed."""
    return random.Random("/".join(map(str, (seed, *address))))  # noqa: S311 - moments, no secrets
