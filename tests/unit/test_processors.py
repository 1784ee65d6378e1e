"""Results do not follow the processor: the same digest under other kernels, and proof that a switch switched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from validation.processors import VARIANTS, Variant, faults_of, features, machine_under

from remission.numerics import code_files
from remission.provenance import blas_kernel

DIGEST = Path(__file__).parent.parent / "support" / "analysis_digest.py"


def digest_under(environment: dict[str, str]) -> str:
    """Of every analysis on fixed tables, in a process of its own."""
    found = subprocess.run(
        [sys.executable, str(DIGEST)], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return found.stdout


@pytest.fixture(scope="module")
def own() -> str:
    return digest_under({})


# The short form of `make processors`, a part of `make test`, runs under the two that are left to make thorough here.
@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(one, id=one.kernel, marks=[pytest.mark.thorough] if one.kernel in ("Haswell", "Prescott") else [])
        for one in VARIANTS
    ],
)
def test_no_analysis_shows_the_kernel(variant: Variant, own: str) -> None:
    """Estimates, intervals, p values and statuses to the last bit; under BLAS they moved by 1e-13, and a status with
    them.
    """
    if variant.needs not in features():
        pytest.skip(f"this processor lacks what the kernel {variant.kernel} needs ({variant.needs})")
    # What equations are compiled for is changed in the short form of `make processors`, which compiles them all.
    environment = {name: value for name, value in variant.environment.items() if name != "NUMBA_CPU_NAME"}
    assert digest_under(environment) == own


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.kernel)
def test_the_switches_have_an_effect(variant: Variant) -> None:
    """A comparison with itself would always pass."""
    if variant.needs not in features():
        pytest.skip(f"this processor lacks what the kernel {variant.kernel} needs ({variant.needs})")
    assert faults_of(variant, machine_under(variant)) == []


def test_a_switch_without_effect_is_told() -> None:
    """The three of them, by name."""
    told = {"blas_kernel": "SkylakeX", "numpy_features": ["X86_V3", "X86_V4"], "compiled_for": "emeraldrapids"}
    assert len(faults_of(VARIANTS[-1], told)) == 3
    assert faults_of(VARIANTS[0], told) == []
    assert blas_kernel() is not None


def test_a_new_folder_of_equations_is_part_of_the_key(tmp_path: Path) -> None:
    """Compiled code that outlives its source gives the numbers of yesterday without a word."""
    package = tmp_path / "remission"
    for name in ("numerics", "patient/kernels", "social/deep", "report"):
        (package / name).mkdir(parents=True)
    equation = package / "social" / "deep" / "company.py"
    equation.write_text("def add_company(drive): return drive + 0.0\n")
    seen = {code_files.source_key(package)}
    equation.write_text("def add_company(drive): return drive + 2.0\n")
    seen.add(code_files.source_key(package))
    equation.rename(package / "company.py")
    seen.add(code_files.source_key(package))
    (package / "numerics" / "more.py").write_text("")
    seen.add(code_files.source_key(package))
    assert len(seen) == 4
    # What no equation can import costs no compilation.
    (package / "report" / "page.py").write_text("")
    (package / "numerics" / "notes.txt").write_text("")
    assert code_files.source_key(package) in seen


def test_the_layers_above_the_equations_are_the_ones_left_out() -> None:
    """A layer that moves below them must count again."""
    import tomllib

    contracts = tomllib.loads((DIGEST.parents[2] / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    above = layers[: layers.index("(analyses)")]
    names = {name.strip(" ()") for layer in above for name in layer.split("|")}
    assert names - {"__main__"} == code_files._ABOVE


def test_a_run_tells_its_kernel(tmp_path: Path) -> None:
    """Should bytes ever differ, this is where to look first."""
    told = machine_under(VARIANTS[-1])
    assert json.loads(json.dumps(told)) == told
    assert {"blas_kernel", "numpy_features", "compiled_for", "python"} <= set(told)
