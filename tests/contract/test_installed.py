"""The wheel and the source archive, away from the checkout. ``make dist-check`` installs them for real."""

import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from source_tree import ROOT

CORE_ONLY = ROOT / "tests" / "support" / "core_only.py"
LIBRARIES = sysconfig.get_paths()["purelib"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, the source archive, and the wheel's files in ``wheel``."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, capture_output=True, check=True
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "wheel")
    return folder


def away(built: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command does where only the wheel and the libraries of the core are."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(CORE_ONLY), str(built / "wheel"), LIBRARIES, str(ROOT), *words],
        cwd=built, capture_output=True, text=True, check=False,
    )  # fmt: skip


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no repository here: which files belong to it is not known")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def test_the_wheel_holds_every_file_of_the_package(built: Path) -> None:
    """A template or a table that stays behind is missed only by the reader who asks for that page."""
    wanted = {name.removeprefix("src/") for name in tracked() if name.startswith("src/")}
    found = {str(path.relative_to(built / "wheel")) for path in (built / "wheel").rglob("*") if path.is_file()}
    assert wanted <= found, sorted(wanted - found)
    assert {name.split("/")[0] for name in found} == {"remission", "remission-0.1.0.dist-info"}


def test_the_source_archive_is_whole(built: Path) -> None:
    """Who has only the archive can run the checks: tools, tests, pages and the lists of exact versions are in it."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert set(tracked()) <= found, sorted(set(tracked()) - found)


def test_importing_loads_no_heavy_library_and_no_file_of_the_checkout(built: Path) -> None:
    """Half a second at every start, or a program that works in its own folder only."""
    heavy = "{'fastapi', 'matplotlib', 'pandas', 'statsmodels', 'scipy', 'numba', 'pyarrow'}"
    code = f"import remission, sys; print(remission.__file__); print({heavy} & set(sys.modules))"
    done = away(built, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(built / "wheel" / "remission" / "__init__.py"), "set()"]
    refused = away(built, "-c", f"open({str(ROOT / 'README.md')!r})")
    assert "of the checkout" in refused.stderr


def test_the_core_answers_without_the_extras(built: Path) -> None:
    """Light means without figures, not without results; make dist-check lets the installed wheel simulate as well."""
    for words in (("show", "kare"), ("evidence", "show", "grabski_2022_kare"), ("design", "kare", "--help")):
        done = away(built, *words)
        assert done.returncode == 0, done.stderr
        assert done.stdout


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("serve", "--port", "0"), "web"),
        (("design", "kare", "--report", "study"), "plots"),
        (
            ("plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--minutes", "40", "--out", "p.html"),
            "plots",
        ),
        (("evidence", "forest", "--substance", "alcohol", "--endpoint", "abstinence"), "plots"),
        (("import", "tlfb", "diary.csv", "--dry-run"), "exchange"),
        (("run", "kare", "--cluster", "tcp://127.0.0.1:1"), "cluster"),
    ],
    ids=lambda item: item if isinstance(item, str) else item[0],
)
def test_a_missing_extra_is_named_with_the_command_that_adds_it(
    words: tuple[str, ...], extra: str, built: Path
) -> None:
    """Instead of a traceback about a module that the reader never heard of; and before any work."""
    done = away(built, *words)
    assert done.returncode == 2, done.stderr
    assert f"pip install 'remission[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (built / "study").exists()


def test_the_program_imports_where_posix_is_absent(built: Path) -> None:
    """``os.getuid``, ``fcntl`` and their kin are not everywhere; an import that needs them fails before any message."""
    code = (
        "import os, sys, signal, pkgutil, importlib\n"
        "for module in ('fcntl', 'resource', 'pwd', 'grp', 'termios'): sys.modules[module] = None\n"
        "for name in ('getuid', 'geteuid', 'getgid', 'sync', 'sched_getaffinity', 'fork'): delattr(os, name)\n"
        "del signal.pthread_sigmask\n"
        "os.environ['XDG_CACHE_HOME'] = os.devnull\n"  # the fallback once asked who the user is
        "import remission\n"
        "from remission.numerics import code_files\n"
        "print(code_files.find_places()[-1])\n"
        "for found in pkgutil.walk_packages(remission.__path__, 'remission.'):\n"
        "    if '__main__' in found.name or '.web' in found.name: continue\n"
        "    try: importlib.import_module(found.name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        if error.name.split('.')[0] in {'remission', 'fcntl', 'resource', 'pwd', 'termios'}: raise\n"
    )
    done = away(built, "-c", code)
    assert done.returncode == 0, done.stderr
    assert "remission-" in done.stdout
