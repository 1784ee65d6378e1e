"""Commands shown in the pages exist: each ``remission ...`` line parses, each ``make ...`` word is a target."""

import re
import shlex

import pytest
import typer
from source_tree import ROOT

from remission.cli.app import app_of

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Blocks of every language are read, for the end of one is no beginning of another; those of a shell are looked at.
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = {"", "bash", "sh", "console"}
COMMAND = typer.main.get_command(app_of())


def commands(program: str) -> list[tuple[str, list[str]]]:
    found = []
    for page in PAGES:
        if "_build" in page.parts:
            continue
        for language, block in FENCE.findall(page.read_text("utf-8")):
            if language not in SHELL:
                continue
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ ").strip(), comments=True) if program in line else []
                if words and words[0].removeprefix(".venv/bin/") == program:
                    found.append((str(page.relative_to(ROOT)), words[1:]))
    return found


@pytest.mark.parametrize(("page", "words"), commands("remission"), ids=lambda item: " ".join(item)[:60])
def test_a_command_line_of_a_page_parses(page: str, words: list[str]) -> None:
    """An option that was renamed lives on in the pages, and there it misleads."""
    with COMMAND.make_context("remission", list(words), resilient_parsing=True) as context:
        name, command, rest = COMMAND.resolve_command(context, list(words))  # type: ignore[attr-defined] # it is a group
        assert command is not None, f"{page}: {name}"
        command.make_context(name, rest, parent=context).close()


@pytest.mark.parametrize(("page", "words"), commands("make"), ids=lambda item: " ".join(item)[:60])
def test_a_make_word_of_a_page_is_a_target(page: str, words: list[str]) -> None:
    """The first thing a contributor types."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {word for word in words if "=" not in word} <= set(targets), page


def test_commands_are_found() -> None:
    """A pattern that finds no command checks nothing."""
    assert len(commands("remission")) >= 3
    assert len(commands("make")) >= 2
