"""The wheel installed away from the checkout, in a new environment for each Python. ``make dist-check``.

A copy of the wheel goes into a temporary folder, its libraries come from ``requirements/core.txt`` by their hashes, and
every process refuses to open a file of the checkout. Then the program is used: version, a run, ``doctor``, and what it
says where an extra is missing. Importing it must load none of the heavy libraries. The wheel that is built from the
source archive must hold the same files.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = {"fastapi", "matplotlib", "pandas", "statsmodels"}
MOST_MB = 620
"""The core may not grow beyond this. Half of it is the compiler and the library of column files."""

_WALL = """import sys

def refuse(event, arguments):
    if event in {{"open", "os.listdir", "os.scandir"}} and str(arguments[0]).startswith({root!r}):
        raise PermissionError(f"{{event}} of the checkout: {{arguments[0]}}")

sys.addaudithook(refuse)
"""


class BrokenError(Exception):
    """A check that did not hold."""


def build(source: Path, out: Path, *targets: str) -> None:
    """Wheel, source archive or both, by the builder of this environment."""
    words = [word for target in targets for word in ("-t", target)]
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(out), *words], cwd=source, check=True)


def contents(wheel: Path) -> dict[str, str]:
    """Name and hash of every file."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def check_archive(dist: Path, place: Path) -> None:
    """The wheel made from the unpacked source archive is the wheel."""
    shutil.unpack_archive(next(dist.glob("*.tar.gz")), place, filter="data")
    build(next(place.iterdir()), place / "again", "wheel")
    mine, again = contents(next(dist.glob("*.whl"))), contents(next((place / "again").glob("*.whl")))
    if mine != again:
        raise BrokenError(f"the archive gives another wheel: {sorted(set(mine.items()) ^ set(again.items()))[:6]}")


def size_mb(folder: Path) -> float:
    """Size of the files below a folder without compiled Python. [MB]"""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in found if path.suffix != ".pyc") / 1e6


def use(python: str, wheel: Path, place: Path) -> str:
    """Install and use the wheel under one Python; returns a line for the table."""
    environment = place / "environment"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    bin_folder = environment / "bin"
    pip = [str(bin_folder / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    libraries = Path(subprocess.check_output(
        [str(bin_folder / "python"), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], text=True
    ).strip())  # fmt: skip
    before = size_mb(libraries)
    locked = place / "core.txt"
    shutil.copy(ROOT / "requirements" / "core.txt", locked)
    subprocess.run(
        [*pip, "install", "--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(locked)], check=True
    )
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    subprocess.run([*pip, "check"], check=True)
    installed = size_mb(libraries) - before
    (libraries / "sitecustomize.py").write_text(_WALL.format(root=f"{ROOT}/"), encoding="utf-8")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "REMISSION"))}
    variables["XDG_CACHE_HOME"] = str(place / "cache")

    def ask(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(words, cwd=place, env=variables, capture_output=True, text=True, check=False)
        if done.returncode != code:
            raise BrokenError(
                f"{' '.join(words)}: exit code {done.returncode}, expected {code}\n{done.stdout}{done.stderr}"
            )
        return done

    own, remission = str(bin_folder / "python"), str(bin_folder / "remission")
    loaded = ask(
        own, "-c", f"import remission, sys; print(sorted({HEAVY!r} & set(sys.modules)), remission.__file__)"
    ).stdout
    if not loaded.startswith("[] ") or str(libraries) not in loaded:
        raise BrokenError(f"import remission: expected no heavy library and the installed files, got {loaded}")
    ask(own, "-c", f"open({str(ROOT / 'README.md')!r})", code=1)  # the wall stands
    version = ask(remission, "--version").stdout.strip()
    run = ask(remission, "run", "kare", "--replicates", "4", "--out", "runs")
    if "no figures" not in run.stderr:
        raise BrokenError(f"a run without figures must say so; got {run.stderr}")
    ask(remission, "show", str(next((place / "runs").iterdir())))
    ask(remission, "plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--minutes", "40")
    ask(remission, "doctor", "--json")
    if "remission[web]" not in ask(remission, "serve", "--port", "0", code=2).stderr:
        raise BrokenError("serve without its extra: expected the command that adds it")
    if installed > MOST_MB:
        raise BrokenError(f"the core takes {installed:.0f} MB; expected at most {MOST_MB}")
    python_version = ask(own, "-c", "import platform; print(platform.python_version())").stdout.strip()
    return f"Python {python_version}: {version}, core installed in {installed:.0f} MB, used away from the checkout"


def main(pythons: list[str]) -> int:
    """Build, then install and use under each Python; 1 at the first failure."""
    with tempfile.TemporaryDirectory(prefix="remission-dist-") as folder:
        place = Path(folder)
        try:
            build(ROOT, place / "dist", "sdist", "wheel")
            check_archive(place / "dist", place / "archive")
            print("The source archive gives the same wheel.", flush=True)
            for number, python in enumerate(pythons):
                away = place / str(number)
                away.mkdir()
                wheel = Path(shutil.copy(next((place / "dist").glob("*.whl")), away))
                print(use(python, wheel, away), flush=True)
                shutil.rmtree(away)
        except (BrokenError, subprocess.CalledProcessError) as error:
            print(f"dist-check: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
