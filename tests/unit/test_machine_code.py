"""Loops that are called without the compiler: the bits of the compiler's own calls, and never where they may not be."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

from remission.numerics import loops, machine_code
from remission.numerics.loops import Compiled
from remission.numerics.machine_code import kinds_of
from remission.planner import plan_infusion, read_request

LOOPS = """
import numpy as np
from remission.numerics.loops import inner, loop

@inner
def half(x):
    return 0.5 * x

@loop
def halves(given, found):
    for k in range(given.size):
        found[k] = half(given[k])

@loop
def roots(given, found, scale):
    for k in range(given.size):
        if given[k] < 0.0:
            raise ValueError("a root of less than nothing")
        found[k] = scale * np.sqrt(given[k])

@inner
def doubled(given):
    return given + given

@loop
def with_room(given, found):
    room = np.zeros((200, given.size))
    for k in range(given.size):
        room[k % 200, k] = given[k]
    twice = doubled(room[0])
    kept = room if given[0] > 1.0 else np.ones((200, given.size))
    for k in range(given.size):
        found[k] = kept[k % 200, k] + twice[0]

@loop
def picked_ones(given, found):
    found[:] = given[given > -np.inf]

@loop
def total(given):
    return given.sum()
"""

USED = """
import resource
import sys
import numpy as np
import loops as those
from remission.numerics import machine_code
if sys.argv[1] == "first":
    from remission.numerics import compiled
    compiled._Locator.from_function = classmethod(lambda cls, function, file: cls(function, file))
given = np.array([4.0, 9.0, 2.0])
def of(loop, *args):
    found = np.zeros(3)
    try:
        back = loop(*args[:1], found, *args[1:])
    except Exception as error:
        return type(error).__name__, error.args
    return back, found.tolist()
print(of(those.halves, given), of(those.roots, given, 2.0), of(those.roots, given, 3))
print(of(those.with_room, given), of(those.with_room, given - 4.0), of(those.with_room, np.ones(5000)[:3].copy()))
many, found = np.ones(1000), np.zeros(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(1000):
    those.with_room(many, found)
grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print("memory is let go:", grown_kb < 100_000)
print("numba" in sys.modules)
print(of(those.roots, -given, 2.0), of(those.halves, np.arange(9.0)[::3]), of(those.halves, given.astype(np.float32)))
print(of(those.picked_ones, given), those.total(given))
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    found = {**os.environ, "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": str(home), **more}
    if "NUMBA_CACHE_DIR" not in more:
        found.pop("NUMBA_CACHE_DIR", None)
    return found


def said(home: Path, way: str, *, folder: Path | None = None, **more: str) -> list[str]:
    """What a new process says of the loops; ``way``: ``first`` keeps what it compiles."""
    done = subprocess.run(
        [sys.executable, "-c", USED, way], capture_output=True, text=True, check=False, cwd=folder or home,
        env=environment(home, **more),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder in which the loops were compiled and kept, and what they said."""
    home = tmp_path_factory.mktemp("loops")
    (home / "loops.py").write_text(LOOPS, encoding="utf-8")
    return home, said(home, "first")


def test_what_runs_alone_gives_what_the_compiler_gives(made: tuple[Path, list[str]]) -> None:
    """Numbers, errors with their words, memory that is let go, arguments of another kind, results."""
    home, first = made
    again = said(home, "again")
    assert first[3] == "True"
    assert again[3] == "False", "the compiler was loaded for loops that run alone"
    assert [*again[:3], *again[4:]] == [*first[:3], *first[4:]]
    assert first[2] == "memory is let go: True"
    assert "(None, [2.0, 4.5, 1.0])" in first[0]
    assert "('ValueError', ('a root of less than nothing',))" in first[4]
    kept = {path.name.split("-")[0] for path in (home / "cache").rglob("*.code")}
    assert kept == {"loops.halves", "loops.roots", "loops.with_room"}, "a loop that gives something back is kept alone"


@pytest.mark.parametrize("setting", ["NUMBA_CPU_NAME=generic", "NUMBA_OPT=1", "NUMBA_DISABLE_JIT=1", "a file"])
def test_who_changed_the_compiler_gets_the_compiler(made: tuple[Path, list[str]], tmp_path: Path, setting: str) -> None:
    """Whoever compares processors, or looks for an error of the compiler, would compare nothing."""
    home, first = made
    name, _, value = setting.partition("=")
    if not value:
        (tmp_path / ".numba_config.yaml").write_text("opt: 1\n", encoding="utf-8")
    again = said(home, "again", folder=tmp_path, **({name: value} if value else {}))
    assert again[:4] == [*first[:3], "True"]


@pytest.mark.parametrize("harm", ["gone", "cut", "another's", "asks for more"])
def test_what_is_not_whole_is_left_to_the_compiler(made: tuple[Path, list[str]], tmp_path: Path, harm: str) -> None:
    """It is machine code: run as it is, it would give wrong numbers or take the process down."""
    home, first = made
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "cache").rglob("*.code"):
        content = path.read_bytes()
        if harm == "gone":
            path.unlink()
        elif harm == "cut":
            path.write_bytes(content[:-9])
        else:
            other = b"no object" if harm == "another's" else asks_for_more()
            path.write_bytes(hashlib.sha256(other).digest() + other)
    assert said(tmp_path, "again") == first


def test_a_loop_that_stopped_once_gives_no_number() -> None:
    """Memory that was short for a moment: a loop that adds to what is there has done part of it twice."""
    code = (
        "import numpy as np\n"
        "from remission.numerics import loops, whole_arrays\n"
        "loops.Compiled._code_for = lambda *_: lambda args: False\n"
        "try: whole_arrays.exp_of(np.zeros(3))\n"
        "except MemoryError: print('no number')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "no number\n"), done.stderr


def test_another_compiler_keeps_nothing_alone(tmp_path: Path) -> None:
    """A part of Numba or LLVM that is not promised may change: slower then, and the same."""
    code = (
        "import sys\n"
        "from remission.numerics import machine_code\n"
        "def fails(*_): raise TypeError('one argument more')\n"
        "machine_code._alone = fails\n"
        "import numpy as np\n"
        "from remission.numerics.whole_arrays import exp_of\n"
        "print(exp_of(np.zeros(3)).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment(tmp_path)
    )
    assert (done.returncode, done.stdout) == (0, "[1.0, 1.0, 1.0]\n"), done.stderr
    assert list((tmp_path / "cache").rglob("*.nbc"))
    assert not list((tmp_path / "cache").rglob("*.code"))


def asks_for_more() -> bytes:
    """An object that needs a function which no process has."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(
        "declare i32 @no_process_has_this()\n"
        "define i32 @loop() {\n%a = call i32 @no_process_has_this()\nret i32 %a\n}\n"
    )
    found: bytes = llvm.Target.from_default_triple().create_target_machine(jit=True).emit_object(module)
    return found


def test_every_loop_of_a_plan_runs_alone_with_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan in half a second does without the compiler; its numbers are those of every other command."""
    calls: list[tuple[Compiled, tuple[Any, ...]]] = []
    usual = Compiled.__call__

    def told(self: Compiled, *args: Any) -> Any:
        calls.append((self, tuple(one.copy() if isinstance(one, np.ndarray) else one for one in args)))
        return usual(self, *args)

    with monkeypatch.context() as watched:
        watched.setattr(Compiled, "__call__", told)
        asked = {"weight": ["82"], "age": ["45"], "dose": ["0.5mg/kg"], "minutes": ["40"], "people": ["333"]}
        plan_infusion(read_request(asked))
    # Peaks and integrals of a reference session are kept by a process that had one before.
    assert {one.py_func.__name__ for one, _ in calls} >= {"_fill", "_modes", "_blocks", "_each_exp"}
    for one, args in calls:
        kinds = kinds_of(args)
        assert kinds is not None, one.py_func
        mine, others = ([each.copy() if isinstance(each, np.ndarray) else each for each in args] for _ in range(2))
        one.dispatcher(*others)
        code = machine_code.load(one.py_func, kinds)
        assert code is not None, f"{one.py_func} with {kinds} does not run alone"
        assert code(tuple(mine))
        for a, b in zip(mine, others, strict=True):
            assert np.array_equal(a, b, equal_nan=True), one.py_func


def test_kinds_of_arguments() -> None:
    """What the compiler would take as another type has another kind, or none."""
    row = np.zeros((2, 3))
    fixed = np.zeros(3)
    fixed.flags.writeable = False
    assert kinds_of((row, 3, 1.5, np.uint64(2), np.int64(1), np.float64(1.0))) == "f8:2 i8 f8 u8 i8 f8"
    assert kinds_of((fixed,)) == "f8:1r"
    assert kinds_of((np.zeros(3, np.float32), np.zeros(3, bool), np.zeros(0, np.uint64))) == "f4:1 b1:1 u8:1"
    assert kinds_of(()) == ""
    for other in (
        row.T, row[:, :2], np.zeros(6)[::2], np.zeros(3, ">f8"), np.zeros(2, "U3"), np.zeros(2, complex), True, None,
        "x", 2**63, -(2**63) - 1, np.float32(1.0), np.bool_(True), np.ma.zeros(3), [1.0], np.zeros(2, object),
        np.frombuffer(b"0123456789abcdef!", dtype=np.uint8)[1:].view(np.float64),
    ):  # fmt: skip
        assert kinds_of((other,)) is None, other


def test_another_processor_has_other_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines that share a home share no machine code."""
    function = loops.inner(lambda x: x).py_func
    mine = machine_code._file(function, "f8:1")
    triple, name, features = machine_code.processor()
    for other in (("aarch64", name, features), (triple, "older", features), (triple, name, features + ",-avx2")):
        monkeypatch.setattr(machine_code, "processor", lambda other=other: other)
        assert machine_code._file(function, "f8:1") != mine
    monkeypatch.undo()
    assert machine_code._file(function, "f8:2") != mine
