"""Settings of all tests: shapes checked at run time, repeatable search, no global state, no network, one browser."""

import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis

# Before NumPy: threads of its linear algebra only wait for each other on matrices as small as ours.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from effort import THOROUGH
from jaxtyping import install_import_hook

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SOURCE = Path(__file__).parents[1] / "src"

SHAPES = os.environ.get("REMISSION_SHAPES", "on" if THOROUGH else "off") == "on"

# Not checked: the innermost arithmetic, which takes arrays of any shape and is called most; records, which pydantic
# checks; cli, whose hints typer reads; and compiled modules, since a wrapped function cannot be compiled.
# Measured cost on the tests with the smallest arrays: 2.6 times the plain run; 3.5 times with the innermost arithmetic.
UNCHECKED = ("remission.numerics.elementary", "remission.records.", "remission.cli.")
COMPILED = re.compile(r"^\s*(import|from) (numba|remission\.numerics\.(lanes|loops))\b", re.MULTILINE)


def _modules_to_check() -> list[str]:
    names = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        # The hook takes a package's name for all modules in it.
        if path.name == "__init__.py" or name.startswith(UNCHECKED) or COMPILED.search(path.read_text("utf-8")):
            continue
        names.append(name)
    return names


# Array arguments and results are checked against their shape hints at every call, which costs four tenths of all time:
# `make shapes` checks a part in each run of the checks, `make thorough` all of it.
if SHAPES:
    install_import_hook(_modules_to_check(), "shape_checker.check_arrays")

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only ``make thorough`` or ``make shapes`` runs, and say how many."""
    absent = [*([] if THOROUGH else ["thorough"]), *([] if SHAPES else ["shapes"])]
    left_out = [item for item in items if any(map(item.get_closest_marker, absent))]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _global_state() -> dict[str, Any]:
    # Python's own random module is left out: beartype draws from it to pick the items of a container that it looks at.
    # Ruff (S311) keeps it out of the package.
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002 - the state that no code may touch
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return {
        "numpy's global random state": (legacy["state"]["pos"], legacy["state"]["key"].tobytes()),
        "numpy's handling of floating-point errors": np.geterr(),
        "the environment variables": environment,
        "the working folder": str(Path.cwd()),
    }


@pytest.fixture(autouse=True)
def _no_global_state_changes() -> Iterator[None]:
    """Fail a test that leaves global state changed: the next test, in any order, would see it."""
    before = _global_state()
    yield
    after = _global_state()
    changed = [name for name, value in before.items() if value != after[name]]
    if changed:
        pytest.fail(f"the test changed {' and '.join(changed)}; use monkeypatch, or a stream of remission.streams")


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Refuse connections to other machines: a test that needs one fails elsewhere for no reason of ours."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        is_here = self.family == getattr(socket, "AF_UNIX", None) or address[0] in {"127.0.0.1", "::1", "localhost"}
        if not is_here:
            msg = f"a test tried to reach {address[0]}; tests use no network"
            raise ConnectionRefusedError(msg)
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A headless Chromium, the distribution's own; without one the test is skipped, except in CI, where it fails."""
    path = _chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium: in CI the browser tests must run; see tools/install-chromium")
        pytest.skip("no Chromium on this machine: make browser, or apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, as in most containers, Chromium's own sandbox cannot start; the pages are ours.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs as they are without the extra ``plots``: drawing takes longer than all else in a run of a few trials."""
    monkeypatch.setattr("remission.report.write.has_extra", lambda name: False)


@pytest.fixture
def page_faults() -> list[str]:
    """What went wrong in the page of this test, as it is noticed."""
    return []


@pytest.fixture
def page(browser: "Browser", page_faults: list[str]) -> Iterator["Page"]:
    """A fresh page of a laptop's size. A request to another machine or an error in the page fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    fresh = context.new_page()
    fresh.on("pageerror", lambda error: page_faults.append(f"error in the page: {error}"))

    def guard(route: Any) -> None:
        url = route.request.url
        if url.startswith(("http://127.0.0.1", "http://localhost", "file:", "data:", "blob:")):
            route.continue_()
        else:
            page_faults.append(f"the page asked for {url}")
            route.abort()

    context.route("**/*", guard)
    yield fresh
    context.close()
    assert page_faults == []
