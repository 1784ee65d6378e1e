"""Damaged run folders: finished and unfinished runs with bytes, files, records and hashes changed."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from validation.abuse.guard import Ended, command
from validation.abuse.mutants import NASTY


def make(place: Path) -> tuple[Path, Path]:
    """A finished run with diaries, and one under way."""
    from remission.library.protocols import protocol_template
    from remission.protocol.file import parse_protocol
    from remission.report.write import write_report
    from remission.runs.run import write_run
    from remission.runs.work import open_work, run_chunks
    from remission.trial.simulate import plan_trial

    protocol = parse_protocol(protocol_template(), name="template").replace()
    finished = write_run(
        plan_trial(protocol, n_replicates=2, seed=1, with_diaries=True),
        place / "finished",
        "remission run",
        report=write_report,
    ).folder
    plan = plan_trial(protocol, n_replicates=2, seed=2, chunk_replicates=1)
    work = open_work(place / "unfinished", plan, "remission run")
    run_chunks(work, plan)
    return finished, work


def _nasty_json(path: Path, rng: random.Random) -> str:
    data = json.loads(path.read_text(encoding="utf-8"))
    places: list[tuple[Any, Any]] = []
    waiting: list[Any] = [data]
    while waiting:
        one = waiting.pop()
        items = list(one.items()) if isinstance(one, dict) else list(enumerate(one))
        places += [(one, key) for key, _ in items]
        waiting += [value for _, value in items if isinstance(value, dict | list)]
    top = [(data, key) for key in data]
    owner, key = rng.choice(top if rng.random() < 0.6 else places)
    if rng.random() < 0.5 and isinstance(owner, dict):
        del owner[key]
        done = f"without {key}"
    else:
        value = rng.choice([item for item in NASTY if item != owner[key]])
        owner[key] = value
        done = f"{key}: {str(value)[:20]!r}"
    path.write_text(json.dumps(data), encoding="utf-8")
    return f"{path.name} {done}"


def _rehash(folder: Path) -> None:
    """Correct every hash, as somebody would who hides a change; the seal too."""
    path = folder / "manifest.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for name in data["files"]:
            data["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        path.write_text(json.dumps(data), encoding="utf-8")
        lines = [
            f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in ("manifest.json", "run.json")
        ]
        (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def damage(folder: Path, rng: random.Random) -> str:
    """Damage a folder in one way and say how; a damage that hides itself corrects the hashes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = rng.choice(files)
    match rng.randrange(9):
        case 0:
            raw = bytearray(path.read_bytes())
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            path.write_bytes(bytes(raw))
            return f"{path.name}: a bit"
        case 1:
            path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])
            return f"{path.name}: cut"
        case 2:
            path.unlink()
            return f"{path.name}: gone"
        case 3:
            path.unlink()
            path.mkdir()
            return f"{path.name}: a folder"
        case 4:
            (folder / rng.choice(("extra.csv", "figures.txt", "a\nb"))).write_text("x", encoding="utf-8")
            return "a file too much"
        case 5:
            tables = [one for one in files if one.suffix == ".parquet"] or [path]
            table = rng.choice(tables)
            raw = bytearray(table.read_bytes())
            raw[len(raw) // 2 :] = bytes(len(raw) - len(raw) // 2)
            table.write_bytes(bytes(raw))
            _rehash(folder)
            return f"{table.name}: half zeros, hash corrected"
        case 6:
            path.write_bytes(rng.choice((b"", b"{", b"[]", b"null", b"\xff\xfe", b"{" * 9000, b'{"a":' * 3000)))
            if path.name != "SHA256SUMS":
                _rehash(folder)
            return f"{path.name}: other content, hash corrected"
        case _:
            records = [one for one in files if one.suffix == ".json"]
            return _nasty_json(rng.choice(records), rng) if records else "nothing"


def attempts(finished: Path, work: Path, place: Path, rng: random.Random, count: int) -> list[tuple[str, Ended]]:
    """Damage copies and ask every command about them."""
    found: list[tuple[str, Ended]] = []
    asks: dict[bool, list[Callable[[Path], list[str]]]] = {
        True: [
            lambda folder: ["show", str(folder)],
            lambda folder: ["export", str(folder), str(place / "out.csv")],
            lambda folder: ["describe", str(folder), "--resamples", "100"],
            lambda folder: ["rerun", str(folder)],
            lambda folder: ["resume", str(folder)],
        ],
        False: [lambda folder: ["resume", str(folder)], lambda folder: ["show", str(folder)]],
    }
    for number in range(count):
        is_finished = rng.random() < 0.7
        source = finished if is_finished else work
        folder = place / source.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        how = damage(folder, rng)
        ended = command(["verify", str(folder)])
        if is_finished and not ended.wrong and ended.code == 0 and how != "nothing":
            ended = Ended(0, "verify found nothing", "")
        found.append((f"{number}, verify, {source.name}: {how}", ended))
        ask = rng.choice(asks[is_finished])(folder)
        (place / "out.csv").unlink(missing_ok=True)
        found.append((f"{number}, {ask[0]}, {source.name}: {how}", command(ask)))
        shutil.rmtree(folder, ignore_errors=True)
    return found
