"""What a command loads: a reader of a record must not wait for a compiler, a plot or a table of statistics."""

import subprocess
import sys
from pathlib import Path

import pytest

LIBRARIES = ["dask", "matplotlib", "pandas", "pint", "pyarrow", "scipy", "statsmodels"]
ALL = [*LIBRARIES, "numba"]
# Imports as the command line does, then names what it loaded; modules that were there before (a coverage tool's) are
# not the command's.
CODE = """
import sys
before = set(sys.modules)
sys.argv = ["remission", *{words!r}]
from remission.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
finally:
    loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
    print("loaded:", *sorted(loaded & set({watched!r})), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "watched"),
    [
        (["--help"], [*ALL, "jaxtyping", "rich", "ruamel"]),
        (["run", "--help"], [*ALL, "jaxtyping", "ruamel"]),
        (["evidence", "list"], ALL),
        (["evidence", "show", "dakwar_2019_cocaine"], ALL),
        (["show", "kare"], ALL),
        # A session of "1 h" is converted, and the unit library loads what it finds.
        (["list"], ["matplotlib", "numba", "pandas", "pyarrow", "statsmodels"]),
        # Once its loops are compiled.
        (["plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--minutes", "40"],
         [one for one in ALL if one != "pint"]),
        (["plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--route", "im"],
         [one for one in ALL if one != "pint"]),
        (["run", "kare", "-n", "2"], ["numba"]),
    ],
    ids=lambda one: " ".join(one) if "--" in " ".join(one) else None,
)  # fmt: skip
def test_a_light_command_loads_no_heavy_library(words: list[str], watched: list[str], tmp_path: Path) -> None:
    """An import at the head of a module deep in the chain once cost every command a second."""
    code = CODE.format(words=words, watched=watched)
    if words[0] in {"plan", "run"}:  # their loops may have to be compiled first
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("loaded:")]
    assert line == "loaded:"


@pytest.mark.parametrize("name", ["run", "plan", "show"])
def test_a_command_loads_no_other_command(name: str, tmp_path: Path) -> None:
    """The options of a plan, a table of their own, once were read before every run."""
    code = (
        "import sys\n"
        "from remission.cli.app import app_of\n"
        f"app_of([{name!r}])\n"
        "print(*(one for one in ('plan', 'run', 'protocols', 'evidence') if f'remission.cli.{one}' in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == {"show": "protocols"}.get(name, name)


def test_a_simulation_starts_without_linear_algebra(tmp_path: Path) -> None:
    """Numba asks for SciPy's at its start, a quarter of a second; compiled code of others must still find it."""
    code = (
        "import sys\n"
        "from remission.numerics.lanes import exp_lane\n"
        "assert 'scipy.linalg' not in sys.modules\n"
        "import numpy as np\n"
        "from numba import njit\n"
        "product = njit(lambda a, b: np.dot(a, b))\n"
        "assert product(np.eye(2), np.full((2, 2), 3.0)).sum() == 12.0\n"
        "assert njit(lambda a, b: np.convolve(a, b))(np.ones(2), np.ones(2)).tolist() == [1.0, 2.0, 1.0]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_a_design_begins_without_what_its_end_needs(tmp_path: Path) -> None:
    """Special functions, a tenth of a second, and templates are for what comes after the first trials."""
    code = (
        "import sys\n"
        "from remission.cli import design_show, design_work\n"
        "from remission.design import study\n"
        "from remission.cli.app import app_of\n"
        "app_of(['design'])\n"
        "print(*sorted({'scipy.special', 'scipy.optimize', 'jinja2', 'pyarrow'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == ""


def test_a_design_can_copy_itself_for_its_workers(tmp_path: Path) -> None:
    """A library that starts a thread as it is loaded, as Arrow's memory does, makes each worker load everything."""
    code = (
        CODE.format(
            words=["design", "kare", "--vary", "n=24", "--replicates", "4", "--workers", "1"],
            watched=["matplotlib", "pandas", "pyarrow", "statsmodels"],
        )
        + "from remission.runs.crew import can_copy\nprint('copies:', can_copy(), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "loaded:" in done.stderr.splitlines(), done.stderr
    assert f"copies: {Path('/proc/self/task').is_dir()}" in done.stderr.splitlines(), done.stderr


@pytest.mark.parametrize("first", ["", "import jaxtyping\n"])
def test_shape_hints_cost_a_program_nothing_and_are_whole_for_who_checks_them(first: str, tmp_path: Path) -> None:
    """The library of hints brings an event loop, TLS and test doubles with it."""
    code = (
        f"import sys\n{first}"
        "import remission.trial.simulate\n"
        "from remission.numerics.elementary import exp\n"
        "hint = exp.__annotations__['return']\n"
        "print('jaxtyping' in sys.modules, 'asyncio' in sys.modules, getattr(hint, '__name__', hint))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    loaded, event_loop, hint = done.stdout.strip().split(" ", 2)
    assert (loaded, event_loop) == (str(bool(first)), str(bool(first)))
    assert ("Float" in hint) == bool(first), hint
