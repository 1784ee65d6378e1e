"""What no file of the project may contain: addresses of package indexes, and paths of one machine."""

import re

from source_tree import ROOT, tracked_files

# Pieced together, so that this file passes its own test.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("anaconda", "org"),
        ("crates", "io"),
    )
)
INDEX = re.compile(
    r"--(extra-)?index-" r"url|index[_-]" r"url\s*=|\"resolved\": *\"http|registry *= *\"http|--find-" r"links"
)
MACHINE = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:work|farm|root|Users|home/[a-z]+)/", re.MULTILINE)


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    return found


def test_no_file_names_a_package_index() -> None:
    """Each machine decides where its packages come from; an address in a file overrules it or fails elsewhere."""
    assert lines_with(re.compile("|".join(map(re.escape, HOSTS)))) == []
    assert lines_with(INDEX) == []


def test_no_file_has_a_path_of_one_machine() -> None:
    """Such a path works for its author only."""
    assert lines_with(MACHINE) == []


def test_the_patterns_find_what_they_are_for() -> None:
    """A pattern with a slip finds nothing, which looks like success."""
    assert MACHINE.search("see /" + "work/main/x")
    assert INDEX.search("pip install --index-" + "url x")
    assert len(tracked_files()) > 50
