"""The locked requirements: every file by its hash, nothing missing, nothing from an address."""

import re
import tomllib

import pytest
from source_tree import ROOT

PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)((?: ; [^\\\n]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def names_of(text: str) -> set[str]:
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if line and not line.startswith("-"))
    return {re.sub(r"[._-]+", "-", match[0]).lower() for match in found if match}


def pins_of(name: str) -> dict[str, str]:
    return {match[1]: match[2] for match in PIN.finditer((ROOT / "requirements" / name).read_text("utf-8"))}


@pytest.mark.parametrize("name", ["run.txt", "test.txt", "lock.txt", "bench.txt"])
def test_every_line_is_a_pin_with_hashes(name: str) -> None:
    """One line without a hash, and pip refuses the whole file; one with an address, and it works here only."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert PIN.sub("", text).strip() == ""
    assert "://" not in text


@pytest.mark.parametrize("name", ["run", "test", "lock", "bench"])
def test_everything_asked_for_is_pinned(name: str) -> None:
    """A requirement added without `make lock` would be missing in a fresh clone and nowhere else."""
    asked = names_of((ROOT / "requirements" / f"{name}.in").read_text("utf-8"))
    assert asked <= set(pins_of(f"{name}.txt")), asked - set(pins_of(f"{name}.txt"))


def test_tests_run_on_the_versions_that_users_get() -> None:
    """Otherwise the tests speak about another program."""
    run, test = pins_of("run.txt"), pins_of("test.txt")
    assert run == {name: test[name] for name in run}


def test_the_project_asks_for_what_is_locked() -> None:
    """The list in pyproject.toml is for people who install the package, run.in for this house: they must agree."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    locked = names_of((ROOT / "requirements" / "run.in").read_text("utf-8"))
    assert names_of("\n".join(asked)) == locked - {"hatchling", "autograd-gamma"}
