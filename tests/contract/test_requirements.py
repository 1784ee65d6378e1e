"""The locked requirements: every file by its hash, nothing missing, nothing from an address."""

import re
import tomllib

import pytest
from source_tree import ROOT

from remission.extras import EXTRAS

PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)((?: ; [^\\\n]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def names_of(text: str) -> set[str]:
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if line and not line.startswith("-"))
    return {re.sub(r"[._-]+", "-", match[0]).lower() for match in found if match}


def pins_of(name: str) -> dict[str, str]:
    return {match[1]: match[2] for match in PIN.finditer((ROOT / "requirements" / name).read_text("utf-8"))}


@pytest.mark.parametrize("name", ["core.txt", "run.txt", "test.txt", "lock.txt", "bench.txt", "peers.txt"])
def test_every_line_is_a_pin_with_hashes(name: str) -> None:
    """One line without a hash, and pip refuses the whole file; one with an address, and it works here only."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert PIN.sub("", text).strip() == ""
    assert "://" not in text


@pytest.mark.parametrize("name", ["core", "run", "test", "lock", "bench", "peers"])
def test_everything_asked_for_is_pinned(name: str) -> None:
    """A requirement added without `make lock` would be missing in a fresh clone and nowhere else."""
    asked = names_of((ROOT / "requirements" / f"{name}.in").read_text("utf-8"))
    assert asked <= set(pins_of(f"{name}.txt")), asked - set(pins_of(f"{name}.txt"))


@pytest.mark.parametrize("name", ["core.txt", "run.txt"])
def test_tests_run_on_the_versions_that_users_get(name: str) -> None:
    """Otherwise the tests speak about another program."""
    mine, test = pins_of(name), pins_of("test.txt")
    assert mine == {library: test[library] for library in mine}


def test_the_project_asks_for_what_is_locked() -> None:
    """The lists in pyproject.toml are for people who install the package, core.in and run.in for this house."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = names_of((ROOT / "requirements" / "core.in").read_text("utf-8"))
    assert names_of("\n".join(project["dependencies"])) == core
    extras = project["optional-dependencies"]
    asked = names_of("\n".join(line for name in ("plots", "web", "evidence", "exchange") for line in extras[name]))
    locked = names_of((ROOT / "requirements" / "run.in").read_text("utf-8"))
    assert asked - {"remission", "openpyxl", "pyreadstat"} == locked - {"hatchling"}


def test_the_table_of_extras_is_that_of_the_project() -> None:
    """The command that a message names would add something else."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS) == set(extras) - {"all"}
    for name, lines in extras.items():
        own = {library.replace("-", "_").removesuffix("_py") for library in names_of("\n".join(lines))} - {"remission"}
        own = {{"scikit_learn": "sklearn", "salib": "SALib"}.get(library, library) for library in own}
        assert name == "all" or own <= set(EXTRAS[name]), name
