"""Three runs under five kernels and three Pythons: the same bytes, or what differs. ``make processors``.

Each variant is a process of its own whose libraries are told to be on another processor: OpenBLAS by its kernel, NumPy
by the instruction sets it may use, the compiled equations by the processor they are made for, and, for the oldest two,
the system's mathematical library by the instructions it may choose from. A switch without effect is a failure, a kernel
that this processor lacks is skipped by name.

``python -m validation.processors --quick`` is the short form that ``make check`` runs: the golden numbers and the tests
of the analyses, as if on two other processors, one of them with nothing but the oldest instructions.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "validation" / "processors.md"
PROTOCOLS = ("kare", "dakwar-2019", str(ROOT / "tests" / "unit" / "data" / "every-method.yaml"))
N_REPLICATES = 8
QUICK_TESTS = (
    "tests/golden/test_numbers.py",
    "tests/unit/test_analyses_failures.py",
    "tests/unit/test_analyses_imputation.py",
    "tests/unit/test_analysis_limits.py",
    "tests/unit/test_analysis.py",
)
_OF_THE_DAY = {"run.json", "SHA256SUMS"}
_NO_512 = "X86_V4 AVX512_ICL AVX512_SPR"
_NO_FMA = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A processor to pretend.

    kernel
        Of OpenBLAS.
    needs
        The feature without which this processor cannot run it.
    without
        Instruction sets that NumPy must not use.
    compiled_for
        Whom the equations are compiled for; none: this processor.
    others
        Further variables.
    """

    kernel: str
    needs: str
    without: str = ""
    compiled_for: str | None = None
    others: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        found = {"OPENBLAS_CORETYPE": self.kernel, **self.others}
        if self.without:
            found["NPY_DISABLE_CPU_FEATURES"] = self.without
        if self.compiled_for is not None:
            found["NUMBA_CPU_NAME"] = self.compiled_for
        return found


VARIANTS = (
    Variant(kernel="SkylakeX", needs="avx512f"),
    Variant(kernel="Haswell", needs="avx2", without=_NO_512),
    Variant(kernel="Zen", needs="avx2", without=_NO_512),
    Variant(
        kernel="Sandybridge", needs="avx", without=f"{_NO_512} X86_V3",
        others={"GLIBC_TUNABLES": _NO_FMA},
    ),
    Variant(
        kernel="Prescott", needs="sse3", without=f"{_NO_512} X86_V3", compiled_for="generic",
        others={"GLIBC_TUNABLES": _NO_FMA},
    ),
)  # fmt: skip
_SAME_KERNEL = {"Zen": {"Zen", "Haswell"}, "Prescott": {"Prescott", "Katmai"}}
"""OpenBLAS has one set of loops for Zen and Haswell, and one for Prescott and its oldest, and names the other."""


def features() -> set[str]:
    """Of this processor, by its own names."""
    from llvmlite import binding

    return {name for name, is_there in binding.get_host_cpu_features().items() if is_there}


def possible() -> tuple[list[Variant], list[str]]:
    """The variants that this processor can run, and the kernels that it lacks."""
    have = features()
    return [one for one in VARIANTS if one.needs in have], [one.kernel for one in VARIANTS if one.needs not in have]


def machine_under(variant: Variant, python: str = sys.executable) -> dict[str, Any]:
    """What a process of this variant says of its machine."""
    words = "import json; from remission.provenance import machine; print(json.dumps(machine()))"
    found = subprocess.run(
        [python, "-c", words], env={**os.environ, **variant.environment}, capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def faults_of(variant: Variant, told: dict[str, Any]) -> list[str]:
    """Switches that had no effect."""
    found = []
    if told["blas_kernel"] not in _SAME_KERNEL.get(variant.kernel, {variant.kernel}):
        found.append(f"OPENBLAS_CORETYPE={variant.kernel}: the kernel is {told['blas_kernel']}")
    kept = set(variant.without.split()) & set(told["numpy_features"])
    if kept:
        found.append(f"NPY_DISABLE_CPU_FEATURES: NumPy still uses {', '.join(sorted(kept))}")
    if variant.compiled_for is not None and told["compiled_for"] != variant.compiled_for:
        found.append(f"NUMBA_CPU_NAME={variant.compiled_for}: compiled for {told['compiled_for']}")
    return found


def hashes_under(variant: Variant, python: str) -> dict[str, str]:
    """SHA-256 of every file of the three runs, but of the facts of the day and their seal."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="remission-processors-") as place:
        for protocol in PROTOCOLS:
            out = Path(place, Path(protocol).stem)
            words = ["-m", "remission", "run", protocol, "-n", str(N_REPLICATES), "--seed", "5", "--out", str(out)]
            subprocess.run(
                [python, *words, "--diaries", "--yes"], env={**os.environ, **variant.environment}, check=True,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            (folder,) = out.iterdir()  # its name holds the day, which may change between two variants
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.name not in _OF_THE_DAY:
                    name = f"{out.name}/{path.relative_to(folder).as_posix()}"
                    found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def quick() -> int:
    """The short form: two other processors at most, the oldest last."""
    from remission.provenance import blas_kernel

    variants, lacking = possible()
    others = [one for one in variants if one.kernel != blas_kernel() and one.kernel != "Zen"]
    for kernel in lacking:
        print(f"skipped: {kernel}, which this processor lacks")
    for variant in others[:1] + others[-1:]:
        faults = faults_of(variant, machine_under(variant))
        if faults:
            print("\n".join(faults))
            return 1
        print(f"== as if on another processor: {variant.environment}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK_TESTS],
            env={**os.environ, **variant.environment}, cwd=ROOT, check=False,
        )  # fmt: skip
        if done.returncode:
            return done.returncode
    return 0


def study(pythons: list[str], *, write: bool) -> int:
    """Every kernel and every Python."""
    variants, lacking = possible()
    rows, failed = [], []
    first: dict[str, str] = {}
    for python in pythons:
        version = subprocess.run(
            [python, "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True,
            check=True,
        ).stdout.strip()  # fmt: skip
        for variant in variants:
            told = machine_under(variant, python)
            faults = faults_of(variant, told)
            found = hashes_under(variant, python)
            first = first or found
            away = sorted(name for name in first.keys() | found.keys() if first.get(name) != found.get(name))
            failed += faults + away
            words = "same bytes" if not away else f"{len(away)} differ: {', '.join(away[:3])}"
            rows.append((version, variant, told, len(found), "; ".join(faults) or words))
            print(version, variant.kernel, rows[-1][-1], flush=True)
    if write:
        PAGE.write_text(_page(rows, lacking), encoding="utf-8")
    return 1 if failed else 0


def _page(rows: list[Any], lacking: list[str]) -> str:
    lines = [
        "# Processors",
        "",
        '`make processors PYTHONS="python3.11 python3.12 python3.13"` writes this page.',
        f"Three runs (`kare`, `dakwar-2019`, a trial with every method of analysis) of {N_REPLICATES} replicates with",
        "their diaries, made again as if on another processor.",
        "Every file is compared with the first row's, but `run.json`, which says when and on what, and its seal.",
        "How the promise is kept by construction is [a decision of its own](../decisions/0023-processors.md).",
        "",
        "| Python | OpenBLAS kernel | NumPy's instruction sets | compiled for | glibc's loops | files | result |",
        "|---|---|---|---|---|---|---|",
    ]
    for version, variant, told, count, words in rows:
        libm = "without FMA, AVX2" if variant.others else "as found"
        lines.append(
            f"| {version} | {variant.kernel} | {', '.join(told['numpy_features']) or 'baseline'} "
            f"| {told['compiled_for']} | {libm} | {count} | {words} |"
        )
    lines += [
        "",
        "A switch without effect fails the command.",
        "The kernel is asked of OpenBLAS, the instruction sets of NumPy, the target of the compiler.",
        "OpenBLAS has one set of loops for Haswell and Zen.",
        f"Kernels that the processor lacked: {', '.join(lacking) or 'none'}.",
        "One processor pretended to be others; runs on ARM processors were not compared, and are not promised.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the short form that make check runs")
    parser.add_argument("--write", action="store_true", help="write the page")
    parser.add_argument("pythons", nargs="*", default=[sys.executable], help="interpreters that have remission")
    given = parser.parse_args()
    return quick() if given.quick else study(given.pythons, write=given.write)


if __name__ == "__main__":
    sys.exit(main())
