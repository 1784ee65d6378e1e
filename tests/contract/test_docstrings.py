"""Every module and every public name says what it is; examples in docstrings run."""

import doctest
import importlib
import inspect
import re

import pytest
from source_tree import PACKAGE, module_names, public_names

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", module_names())
def test_modules_and_public_names_have_docstrings(name: str) -> None:
    """The reference is generated from docstrings: a name without one is a blank entry."""
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} has no docstring"
    for public, item in public_names(name):
        assert (inspect.getdoc(item) or "").strip(), f"{name}.{public} has no docstring"
        if inspect.isclass(item):
            for attribute, value in vars(item).items():
                is_own = inspect.isfunction(value) and value.__module__ == name and not attribute.startswith("_")
                assert not is_own or (inspect.getdoc(getattr(item, attribute)) or "").strip(), f"{public}.{attribute}"


@pytest.mark.parametrize("name", module_names())
def test_names_in_all_exist_and_are_sorted(name: str) -> None:
    """A name of __all__ that is gone breaks every star import and the reference, and nothing else notices."""
    exported = list(getattr(importlib.import_module(name), "__all__", ()))
    missing = [public for public in exported if not hasattr(importlib.import_module(name), public)]
    assert missing == []
    assert len(exported) == len(set(exported))


@pytest.mark.parametrize("name", module_names())
def test_examples_in_docstrings_run(name: str) -> None:
    """An example that does not run teaches the wrong thing."""
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        report: list[str] = []
        runner.run(example, out=report.append)
        assert not report, "".join(report)


def test_every_silenced_check_of_types_says_why() -> None:
    """A check that is turned off without a reason hides the next mistake on its line as well."""
    bare = [
        f"{path.name}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if "# type: ignore" in line and not re.search(r"# type: ignore\[[\w-]+\]  # (?!noqa)\w", line)
    ]
    assert bare == []
