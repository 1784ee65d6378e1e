"""Imports go downward only (docs/decisions/0002-layers.md)."""

import ast
import subprocess
import sys
import tomllib

import pytest
from source_tree import PACKAGE, ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS = next(contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")


def lint(folder: object) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", code], cwd=str(folder), capture_output=True, text=True, check=False)


def test_every_import_goes_down_a_layer() -> None:
    """One upward import, and no mechanism can be tested or replaced alone any more."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("importer", "imported"),
    [("errors", "remission.trial"), ("pk", "remission.receptor"), ("pk", "matplotlib"), ("patient", "pint")],
)
def test_a_forbidden_import_is_found(tmp_path: object, importer: str, imported: str) -> None:
    """A contract that is spelt wrongly is kept by everything; these imports must break it."""
    from pathlib import Path

    root = Path(str(tmp_path))
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    for name in ("errors", "pk", "receptor", "patient", "trial"):
        folder = root / "remission" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(f"import {imported}\n" if name == importer else "", "utf-8")
    (root / "remission" / "__init__.py").write_text("", "utf-8")
    assert lint(root).returncode == 1


def test_modules_import_names_from_their_owners() -> None:
    """``import remission`` inside the package would tie every module to the front door and to its order of imports."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert "remission" not in {alias.name for alias in node.names}, path


def test_every_folder_has_a_place_in_the_layers() -> None:
    """A new folder is a decision, not an accident."""
    placed = {name.strip(" ()") for layer in LAYERS for name in layer.split("|")}
    folders = {entry.stem for entry in PACKAGE.iterdir() if not entry.name.startswith(("_", "py.typed"))}
    assert folders <= placed, folders - placed
