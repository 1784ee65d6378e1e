"""One version, written in one place of the code and in two of its papers."""

import re
import tomllib

from source_tree import ROOT

from remission import __version__


def first(pattern: str, file: str) -> str:
    match = re.search(pattern, (ROOT / file).read_text("utf-8"), re.MULTILINE)
    assert match, f"{file} names no version"
    return match[1]


def test_package_project_citation_and_changelog_name_one_version() -> None:
    """Results are cited and rebuilt by version: two versions for one state of the code make both useless."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "src/remission/__init__.py"
    assert __version__ == first(r"^version: (\S+)$", "CITATION.cff")
    assert __version__ == first(r"^## (\d\S*)", "CHANGELOG.md")


def test_fragments_have_a_known_kind() -> None:
    """A fragment of an unknown kind would be left out of the next changelog."""
    kinds = {"numbers", "breaking", "added", "changed", "fixed", "removed", "docs"}
    for path in (ROOT / "changelog.d").iterdir():
        if path.name != "README.md":
            assert re.fullmatch(r"[a-z0-9-]+\.(\w+)\.md", path.name), path.name
            assert path.name.split(".")[1] in kinds, path.name
            assert path.read_text("utf-8").strip(), path.name
