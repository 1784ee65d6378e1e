"""``python -m validation.abuse``: mutants, damaged folders, random command lines, kills; all must end in a sentence."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from validation.abuse import folders, kills, lines, mutants
from validation.abuse.guard import Ended, read

PAGE = Path(__file__).parents[2] / "docs" / "validation" / "abuse.md"
SHARES = {"protocol": 0.45, "mapping": 0.2, "scenario": 0.15, "price": 0.1, "clinic": 0.1}


def main() -> int:
    """Abuse, print what came of it, and write the page when asked; 1 when anything was wrong."""
    ask = argparse.ArgumentParser(prog="python -m validation.abuse", description=__doc__)
    ask.add_argument("--mutants", type=int, default=3000)
    ask.add_argument("--folders", type=int, default=350)
    ask.add_argument("--lines", type=int, default=500)
    ask.add_argument("--kills", type=int, default=60)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    asked = ask.parse_args()
    place = Path(tempfile.mkdtemp(prefix="remission-abuse-"))
    before = Path.cwd()
    started = time.process_time()
    try:
        os.chdir(place)
        rows, wrong = abuse(place, asked)
    finally:
        os.chdir(before)
        shutil.rmtree(place, ignore_errors=True)
    text = page(rows, wrong, asked.seed, time.process_time() - started)
    print(text)
    if asked.write:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


def abuse(place: Path, asked: argparse.Namespace) -> tuple[list[tuple[str, int, str]], list[str]]:
    """All of it: rows of what, how often, what came; and everything that was wrong."""
    rng = random.Random(asked.seed)  # noqa: S311 - no secret
    rows: list[tuple[str, int, str]] = []
    wrong: list[str] = []
    parsing, tried = 0, 0
    readers = mutants.readers(place)
    for kind, texts in mutants.bases().items():
        found: list[tuple[str, Ended]] = []
        path = place / f"mutant.{'csv' if kind == 'clinic' else 'yaml'}"
        for number in range(round(asked.mutants * SHARES[kind])):
            content = mutants.mutant(kind, rng.choice(texts), rng)
            path.write_bytes(content)
            if kind != "clinic":
                tried += 1
                parsing += mutants.parses(content)
            ended = read(readers[kind], path)
            if ended.code == 1 and not ended.wrong:
                ended = Ended(1, "exit code 1 for wrong input", ended.said)
            found.append((f"{kind} {number}", ended))
        rows.append(_row(f"mutants: {kind}", found, wrong))
    if tried and parsing < tried / 2:
        wrong.append(f"only {parsing} of {tried} mutants parse as YAML")
    rows.append(("mutants that parse as YAML", parsing, f"of {tried} YAML files"))
    finished, work = folders.make(place)
    if asked.folders:
        rows.append(_row("damaged folders", folders.attempts(finished, work, place, rng, asked.folders), wrong))
    if asked.lines:
        rows.append(_row("command lines", lines.attempts(place, rng, asked.lines), wrong))
    if asked.kills:
        hits, parts = kills.kill(place, finished, rng, asked.kills)
        wrong += parts
        rows.append(("kills of run, design, export, import, resume", hits, f"{len(parts)} parts under a final name"))
    return rows, wrong


def _row(what: str, found: list[tuple[str, Ended]], wrong: list[str]) -> tuple[str, int, str]:
    codes = Counter(ended.code for _, ended in found)
    print(f"{what}: {len(found)} tried, {time.process_time():.0f} s of the processor", file=sys.stderr, flush=True)
    for name, ended in found:
        if ended.wrong:
            wrong.append(f"{name}: {ended.wrong}\n{ended.said[-1500:]}")
    return what, len(found), ", ".join(f"exit {code}: {count}" for code, count in sorted(codes.items()))


def page(rows: list[tuple[str, int, str]], wrong: list[str], seed: int, seconds: float) -> str:
    """The page of what came of it."""
    lines_of = [
        "# Wrong input, tried by the thousand",
        "",
        "Files are changed in meaning and in text; run folders are damaged, half of the ways correct the hashes too.",
        "Command lines are drawn from the options that the program declares, and commands that write are killed.",
        "Each attempt must end in a result, or in a message with place, value and remedy.",
        "The exit code is 2 for wrong input and 1 for failed work, and nothing takes more than 20 s of the processor.",
        "No part of a file may stand under a final name.",
        "",
        "| what | times | came |",
        "|---|---|---|",
        *(f"| {what} | {count} | {came} |" for what, count, came in rows),
        "",
        "Nothing was wrong." if not wrong else "Wrong:\n\n" + "\n".join(f"- {one}" for one in wrong),
        "",
        f"Made by `make abuse`, seed {seed}, {seconds / 60:.1f} minutes of one core.",
        "",
    ]
    return "\n".join(lines_of)


if __name__ == "__main__":
    raise SystemExit(main())
