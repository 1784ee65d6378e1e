"""Compiled code on disk: where it lies, what is believed of it, and a line that says when it is made.

A folder belongs to exactly one source, so two installations never read each other's code. The name of a file follows
from the signature, the processor and its instruction sets, so machines that share a home share no code by mistake. A
file begins with the sum of what follows: one that is damaged counts as absent. A folder that cannot be written to is
read, and what is new goes into a temporary one; what cannot be kept anywhere is compiled again at the next start.
Slower, never wrong.
"""

import hashlib
import importlib
import io
import logging
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np
from numba.core import caching, codegen, compiler, dispatcher, environment
from numba.core.runtime import nrt
from numba.core.serialize import dumps

from remission.errors import RemissionError
from remission.files import write_bytes
from remission.kept import cache_folders

_ABOVE = frozenset({
    "blinding", "calibration", "cli", "clinics", "design", "diaries", "doctor", "door", "evidence", "exchange", "facts",
    "foresight", "planner", "report", "runs", "study", "trial", "web",
})  # fmt: skip
"""What nothing compiled can import: the layers above it. A folder or file that is not named here counts."""
_SUM_BYTES = 32
# Without any setting a program shows what is logged as a warning on standard error, as it is.
_log = logging.getLogger(__name__)


def source_key(package: Traversable) -> str:
    """16 hexadecimal digits that follow from every source file which compiled code may hold.

    ``package``: the package's folder.
    """
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__} {np.__version__}".encode())
    waiting = [("", package)]
    while waiting:
        path, folder = waiting.pop()
        for entry in sorted(folder.iterdir(), key=lambda item: item.name):
            name = f"{path}{entry.name}"
            if entry.is_dir() and name not in _ABOVE and entry.name != "__pycache__":
                waiting.append((f"{name}/", entry))
            elif entry.name.endswith(".py") and name.removesuffix(".py") not in _ABOVE:
                digest.update(f"{name}\0".encode())
                digest.update(hashlib.sha256(entry.read_bytes()).digest())
    return digest.hexdigest()[:16]


def find_places() -> tuple[Path, ...]:
    """Folders for compiled code that belong to exactly this source: all are read, the last is written to.

    Numba looks only at the file of the outermost function when it decides whether compiled code is stale; an equation
    changed in another file would go on with the old one.
    """
    above = os.environ.get("NUMBA_CACHE_DIR")
    return cache_folders(f"numba-{source_key(files('remission'))}", above=above)


places = cache(find_places)
"""The folders of this process."""


@cache
def _say_compiling() -> None:
    """One line, before the first compilation of this process."""
    kept = places()[-1]
    is_first = not any(True for place in places() for _ in place.rglob("*.nbc"))
    how_long = "about a minute" if is_first else "some seconds"
    if len(places()) == 1 and not str(kept).startswith(tempfile.gettempdir()):
        where = f"later starts read the result from {kept}"
    else:
        where = f"the usual cache folder cannot be written to, so the result is kept in {kept}"
    _log.warning("Compiling equations for this processor, once: %s; %s.", how_long, where)


@cache
def _say_not_kept(why: str) -> None:
    _log.warning(
        "What was compiled could not be kept in %s (%s): the next start compiles it again. Free space, or set "
        "XDG_CACHE_HOME to a folder that can be written to.",
        places()[-1], why,
    )  # fmt: skip


class _Reader(pickle.Unpickler):  # of a folder whose writers the user trusts
    """Reads what Numba wrote, without the modules that its functions were defined in."""

    def find_class(self, module: str, name: str) -> Any:
        """As usual, but for what makes an environment."""
        return _environment if name == "_rebuild_env" else super().find_class(module, name)


def _environment(module: str, consts: list[Any], name: str) -> Any:
    """What a compiled function knows from outside: constants; its module's names are looked up by nothing compiled.

    Numba imports the module, and many are its own, of functions that were inlined.
    """
    found = environment.lookup_environment(name)
    if found is None:
        found = environment.Environment(vars(sys.modules[module]) if module in sys.modules else {"__name__": module})
        found.consts[:] = consts
        found.env_name = name
        environment.Environment._memo[name] = found
    return found


class _Library(codegen.JITCodeLibrary):
    """Machine code that was kept; what others would inline of it is read when one of them is compiled."""

    def __init__(self, owner: Any, name: str, code: bytes, bitcode: bytes, defines: Collection[str]) -> None:
        super().__init__(owner, name)
        self._bitcode = bitcode
        self.enable_object_caching()
        self._set_compiled_object(code)
        self._finalize_final_module()
        owner._engine._defined_symbols.update(defines)

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None:
            self._shared_module = llvmlite.binding.parse_bitcode(self._bitcode)
            self._codegen._engine._load_defined_symbols(self._shared_module)
        return self._shared_module


class Pieces:
    """What was compiled of one function, a file for each signature and processor."""

    def __init__(self, folder: str, name: str, stamp: object) -> None:
        self._folder, self._name, self._stamp = folder, name, stamp

    def _file(self, key: object) -> Path:
        digits = hashlib.sha256(repr((numba.__version__, self._stamp, key)).encode()).hexdigest()[:24]
        return Path(self._folder) / f"{self._name}.{digits}.nbc"

    def load(self, key: object) -> Any:
        """What was kept under a key; None where nothing whole was."""
        for place in places():
            with suppress(Exception):  # whatever a damaged file does to its reader, it counts as absent
                content = (place / self._file(key)).read_bytes()
                if hashlib.sha256(content[_SUM_BYTES:]).digest() == content[:_SUM_BYTES]:
                    return _Reader(io.BytesIO(content[_SUM_BYTES:])).load()
        _say_compiling()
        return None

    def save(self, key: object, data: object) -> None:
        """Keep it; where that cannot be, one line says so."""
        content: bytes = dumps(data)
        path = places()[-1] / self._file(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, hashlib.sha256(content).digest() + content, replace=True)
        except RemissionError as error:
            _say_not_kept(str(error.got))
        except OSError as error:
            _say_not_kept(error.strerror or str(error))

    def flush(self) -> None:
        """Nothing is kept twice, so there is no table to write anew."""


class _Locator(caching.UserProvidedCacheLocator):
    """Finds the place of this package's functions, and of nobody else's, without a look at the disk."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        self._py_file, self._lineno = py_file, py_func.__code__.co_firstlineno
        self._cache_path = self.get_suitable_cache_subpath(py_file)

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "_Locator | None":
        return cls(py_func, py_file) if Path(py_file).is_relative_to(str(files("remission"))) else None

    def ensure_cache_path(self) -> None:
        """Made when something is kept."""


class _Results(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator, *caching.CompileResultCacheImpl._locator_classes]  # noqa: RUF012 - as the base has it

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        """A compiled function from what was kept of it; as Numba does it where another Numba has it otherwise."""
        try:
            return _rebuilt(target_context, payload)
        except (AttributeError, TypeError, ValueError):
            target_context.refresh()
            return super().rebuild(target_context, payload)


def _rebuilt(target_context: Any, payload: Any) -> Any:
    """As Numba makes it, but for its library."""
    (name, _, (code, bitcode)), fndesc, env, signature, objectmode, lifted, typeann, reload_init, envs = payload
    for begin in reload_init:
        begin()
    defines = (fndesc.llvm_func_name, fndesc.llvm_cpython_wrapper_name, fndesc.llvm_cfunc_wrapper_name)
    library = _Library(target_context.codegen(), name, code, bitcode, defines)
    result: Any = compiler.CompileResult  # its fields have no types
    found = result(
        target_context=target_context, typing_context=target_context.typing_context, library=library,
        environment=env, entry_point=target_context.get_executable(library, fndesc, env), fndesc=fndesc,
        type_annotation=typeann, signature=signature, objectmode=objectmode, lifted=lifted, typing_error=None,
        call_helper=None, metadata=None, reload_init=reload_init, referenced_envs=envs,
    )  # fmt: skip
    for one in envs:
        library.codegen.set_env(one.env_name, one)
    return found


class _Kept(caching.FunctionCache):
    """Numba's memory of a function, with files of our own for functions of ours."""

    _impl_class = _Results

    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)
        found = self._impl.locator
        if isinstance(found, _Locator):
            pieces: Any = Pieces(found.get_cache_path(), self._impl.filename_base, found.get_source_stamp())
            self._cache_file = pieces

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was kept of a signature, or None.

        Numba loads all that it compiles with before it looks; what was kept needs its memory of arrays only.
        """
        if not isinstance(self._cache_file, Pieces):
            return super().load_overload(sig, target_context)
        _give_memory()
        if (found := self._load_overload(sig, target_context)) is None:
            _load_compiler()
        return found


@cache
def _give_memory() -> None:
    """The functions that compiled code asks for memory, known by their names."""
    for name, address in vars(nrt)["_nrt"].c_helpers.items():
        llvmlite.binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


@cache
def _load_compiler() -> None:
    """Numba's part for arrays, without its question whether SciPy's linear algebra is there, a quarter of a second.

    It is, and no loop of ours calls it; a function that does asks for itself.
    """
    linalg = importlib.import_module("numba.np.linalg")
    ask, vars(linalg)["ensure_blas"] = linalg.ensure_blas, lambda: None
    importlib.import_module("numba.np.arraymath")
    vars(linalg)["ensure_blas"] = ask


def keep() -> None:
    """From here on what is compiled of this package is kept so."""
    vars(dispatcher)["FunctionCache"] = _Kept
