"""Chains over the members of an enumeration: a new member must not fall into a branch that was not meant for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from remission.endpoints.values import FORMULAS, TIME_FORMULAS
from remission.records.analysis_methods import METHODS, complete
from remission.records.endpoint_kinds import KINDS

SOURCE = Path(__file__).parents[2] / "src" / "remission"
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")}


def enumerations(trees: dict[Path, ast.Module]) -> set[str]:
    """Names of the enumerations of the package."""
    return {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases)
    }


def asks_for(test: ast.expr, names: set[str]) -> str:
    """The enumeration of which a condition asks for a member; empty for every other condition."""
    if not isinstance(test, ast.Compare):
        return ""
    for node in ast.walk(test.comparators[0]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            return node.value.id
    return ""


def open_chains(tree: ast.Module, names: set[str]) -> Iterator[int]:
    """Lines of chains of two or more questions for members whose last branch takes all others, or none."""
    inner = {id(node.orelse[0]) for node in ast.walk(tree) if isinstance(node, ast.If) and len(node.orelse) == 1}
    for start in ast.walk(tree):
        if not isinstance(start, ast.If) or id(start) in inner:
            continue
        asked, node = [], start
        while True:
            asked.append(asks_for(node.test, names))
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                node = node.orelse[0]
                continue
            break
        ends = [item for item in node.orelse if isinstance(item, ast.Raise) or "assert_never" in ast.unparse(item)]
        if len(asked) > 1 and asked[0] and set(asked) == {asked[0]} and not ends:
            yield start.lineno


def test_a_chain_over_members_ends_in_a_refusal() -> None:
    """A new route or law would be computed as the last one in the chain, without a word; match is checked by types."""
    names = enumerations(TREES)
    assert {"Route", "Substance", "PressureLaw"} <= names
    assert [f"{path.name}:{line}" for path, tree in TREES.items() for line in open_chains(tree, names)] == []


def test_the_search_finds_a_chain_that_falls_through() -> None:
    """The search itself must not be blind."""
    text = "class Law(StrEnum):\n    A = 1\nif x is Law.A:\n    y = 1\nelif x == Law.B:\n    y = 2\n"
    for ending, found in (("", [3]), ("else:\n    y = 3\n", [3]), ("else:\n    assert_never(x)\n", [])):
        tree = ast.parse(text + ending)
        assert list(open_chains(tree, enumerations({Path("x"): tree}))) == found


def test_a_row_without_a_function_cannot_be_imported() -> None:
    """A method or kind that is declared and not computed would come out under its name with another's number."""
    formulas = {**FORMULAS, **TIME_FORMULAS}
    assert complete(formulas, KINDS, what="kinds") == formulas
    for kind in ("use_days", "days_to_use", "mean_craving"):
        with pytest.raises(TypeError, match=f"no function for {kind}"):
            complete({name: one for name, one in formulas.items() if name != kind}, KINDS, what="kinds")
    with pytest.raises(TypeError, match="no row for risk_ratio"):
        complete({**dict.fromkeys(METHODS, len), "risk_ratio": len}, METHODS, what="methods")
