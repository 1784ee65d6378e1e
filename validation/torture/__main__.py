"""``python -m validation.torture``: runs are killed, starved and confused, and must end with the same bytes."""

import argparse
import platform
import shutil
import tempfile
import time
from pathlib import Path

from remission.provenance import machine
from validation.torture import interrupts, kills, trouble
from validation.torture.kills import Kills
from validation.torture.stage import N_REPLICATES, N_SUBJECTS, Stage, set_stage
from validation.torture.trouble import Trouble

PAGE = Path(__file__).parents[2] / "docs" / "validation" / "torture.md"
TEMPLATE = Path(__file__).with_name("page.md.in")


def main() -> int:
    """Torture, print what came of it, and write the page when asked; 1 when anything was wrong."""
    ask = argparse.ArgumentParser(prog="python -m validation.torture", description=__doc__)
    ask.add_argument("--kills", type=int, default=200, help="how many kills; below 100 only kills and a full disk")
    ask.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the moments; printed")
    ask.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    asked = ask.parse_args()
    print(f"seed {asked.seed}: the same seed chooses the same moments")
    root = Path(tempfile.mkdtemp(prefix="remission-torture-"))
    started = time.monotonic()
    try:
        stage = set_stage(root)
        killed, troubles, stopped = torture(stage, asked.kills, asked.seed)
        seconds = time.monotonic() - started
    finally:
        shutil.rmtree(root, ignore_errors=True)
    wrong = faults(killed, troubles, stopped)
    text = page(killed, troubles, stopped, wrong, asked.seed, seconds)
    print(text)
    if asked.write:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


def torture(stage: Stage, n_kills: int, seed: int) -> tuple[list[Kills], list[Trouble], list[interrupts.Interrupts]]:
    """All of it; a short one leaves out what needs fresh processes, mounts or minutes."""
    is_whole = n_kills >= 100

    def say(words: str) -> None:
        print(words, flush=True)

    if not is_whole:
        return [kills.kill_often(stage, n_kills, seed, say)], [trouble.full_disk(stage, 1, seed)], []
    in_processes = n_kills // 20
    say("Ctrl-C")
    stopped = interrupts.interrupt(stage, 5, seed)
    say("disks, clocks, two processes")
    troubles = [
        trouble.full_disk(stage, 8, seed),
        trouble.full_file_system(stage, 6, seed),
        trouble.read_only(stage),
        trouble.clock_jumps(stage, 4, seed),
        trouble.two_at_once(stage, 6, seed),
    ]
    say("workers")
    killed = [kills.kill_with_workers(stage, in_processes, seed), kills.kill_a_worker(stage, 5, seed)]
    for fault in faults(killed, troubles, [stopped]):
        say(f"wrong: {fault}")
    say("kills")
    return [kills.kill_often(stage, n_kills - in_processes, seed, say), *killed], troubles, [stopped]


def faults(killed: list[Kills], troubles: list[Trouble], stopped: list[interrupts.Interrupts]) -> list[str]:
    """Everything that went wrong."""
    lists = [*(k.wrong for k in killed), *(t.wrong for t in troubles), *(s.wrong for s in stopped)]
    return [fault for found in lists for fault in found]


def page(
    killed: list[Kills],
    troubles: list[Trouble],
    stopped: list[interrupts.Interrupts],
    wrong: list[str],
    seed: int,
    seconds: float,
) -> str:
    """The page of what came of it."""
    here = machine()
    total = sum(found.by_moment.total() for found in killed)
    rows = [f"| {kind} | {count} |" for found in killed for kind, count in sorted(found.by_moment.items())]
    met = [f"| {found.kind} | {found.times} | {_words(found)} |" for found in troubles]
    waits = [
        f"| {way} | {len(times)} | {sorted(times)[len(times) // 2]:.2f} | {max(times):.2f} |"
        for found in stopped
        for way, times in found.seconds.items()
    ]
    return TEMPLATE.read_text(encoding="utf-8").format(
        total=total,
        runs=sum(found.runs for found in killed),
        verdict="Nothing went wrong." if not wrong else "Wrong:\n\n" + "\n".join(f"- {fault}" for fault in wrong),
        kills="\n".join(rows),
        troubles="\n".join(met),
        waits="\n".join(waits),
        seed=seed,
        minutes=f"{seconds / 60:.1f}",
        subjects=N_SUBJECTS,
        replicates=N_REPLICATES,
        machine=f"{here['cores']} cores, {here['architecture']} ({here['cpu']}), {platform.system()}, "
        f"Python {platform.python_version()}",
    )


def _words(found: Trouble) -> str:
    refused = sum(1 for words in found.met if "not allowed on this machine" not in words)
    if found.met and not refused:
        return found.met[0]
    ends = f"{refused} ended in a sentence and an exit code, " if refused else ""
    return f"{ends}{'all' if not found.wrong else 'not all'} finished with the same bytes afterwards"


if __name__ == "__main__":
    raise SystemExit(main())
