"""Random command lines, drawn from the commands and options that the program itself declares."""

import random
from pathlib import Path
from typing import Any

from validation.abuse.guard import Ended, command

VALUES = (
    "", " ", "0", "-1", "1", "2", "0.5", "1e309", "nan", "inf", "9" * 400, "a", "kare", "alcohol", "cold-turkey",
    "naltrexone", "n=60:80", "n=80:60", "n=1:", "0.5:0", "gamma=0", "gamma", "gamma=", "q0_sd=0", "w_m=-1", "k_m=nan",
    "dose=1", "=", "0.5mg/kg", "35mg", "5'10\"", "120/80", "-5 kg", "82 kg", "45", "40", "iv", "im", "../..", "/",
    "/dev/null", "/dev/full", "nowhere/x.csv", "x.csv", "x.parquet", "x.html", "x.svg", "x.yaml", "here.yaml",
    "here.csv", ".", "*", "%s", "ä", "\U0001f600", "a\nb", "\udcff", "a\0b", "--", "-", "--json",
    "tcp://127.0.0.1:1", "2024-13-45", "us", "csv", "rows", "redcap", "true", "1:28", "x" * 5000, "[", "{}", "65536",
    "2**64",
)  # fmt: skip
_SMALL = {
    "run": ["-n", "1"], "design": ["-n", "2", "--yes"], "validate": ["--fact", "nicotine-tail"],
    "explain": ["--draws", "100", "--people", "100"], "forecast": ["--draws", "20", "-n", "2"],
    "blinding bench": ["--trials", "20"], "site": ["--only", "api"],
}  # fmt: skip
"""What keeps an honest piece of work short: all facts take most of a minute."""


def commands(group: Any, before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command with its words."""
    found = []
    for name, one in sorted(group.commands.items()):
        if hasattr(one, "commands"):
            found += commands(one, (*before, name))
        else:
            found.append(((*before, name), one))
    return found


def line(known: list[tuple[tuple[str, ...], Any]], rng: random.Random) -> list[str]:
    """A command line: right words in the wrong places."""
    words, one = rng.choice(known)
    asked = list(words)
    options = [parameter for parameter in one.params if parameter.param_type_name == "option"]
    given = [item for item in one.params if item.param_type_name == "argument" and rng.random() < 0.9]
    asked += ["kare" if rng.random() < 0.3 else rng.choice(VALUES) for _ in given]
    for parameter in rng.sample(options, min(len(options), rng.choice((0, 1, 1, 2, 3, 5)))):
        if parameter.name in {"help", "workers", "cluster"} and rng.random() < 0.8:
            continue
        asked.append(rng.choice(parameter.opts))
        if not getattr(parameter, "is_flag", False) or rng.random() < 0.05:
            asked.append(rng.choice(VALUES))
    if rng.random() < 0.05:
        asked.insert(rng.randrange(len(asked) + 1), rng.choice(("--nonsense", "--json", "-h", "--version", "\udc80")))
    small = _SMALL.get(" ".join(words), [])
    # A whole fit is three quarters of an hour of honest work, so it is asked for a plan that nobody registered.
    small = ["--plan", "nowhere"] if words == ("calibrate",) and "--add" not in asked else small
    return asked if "--fact" in asked else [*asked, *small]


def attempts(place: Path, rng: random.Random, count: int) -> list[tuple[str, Ended]]:
    """Run lines in a folder with a protocol and a diary; a server is never started."""
    import typer
    import uvicorn

    from remission.cli.app import app_of
    from remission.library.protocols import protocol_template

    def refuse(*_: object, **__: object) -> None:
        """Stand in for a server that would wait for ever."""

    uvicorn.Server.run = refuse  # type: ignore[method-assign]
    (place / "here.yaml").write_text(protocol_template(), encoding="utf-8")
    (place / "here.csv").write_text("who,what,when,use\n1,Alcohol,0,1\n1,Alcohol,1,0\n", encoding="utf-8")
    known = commands(typer.main.get_command(app_of()))
    found = []
    for number in range(count):
        asked = line(known, rng)
        found.append((f"{number}: {' '.join(ascii(word)[1:-1][:60] for word in asked)}", command(asked)))
    return found
