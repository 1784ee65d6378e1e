"""What compiles, and how what it made is kept (:mod:`remission.numerics.code_files`) and read again without compiling.

Loaded when something is first compiled, or read that asks for the compiler's memory.
"""

import importlib
import io
import pickle
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from numba import config as _config
from numba.core import caching, codegen, compiler, dispatcher, environment
from numba.core.registry import cpu_target
from numba.core.runtime import nrt, nrtdynmod
from numba.core.serialize import dumps

from remission.numerics import code_files, machine_code

njit = numba.njit
# Four vectors in flight instead of one: each polynomial waits for its own last step, and others fill the wait.
# LLVM by itself takes a day for too long to interleave. No bit depends on it, a third of the time does.
llvmlite.binding.set_option("", "-force-vector-interleave=4")


def _features(processor: str | None, wished: str | None) -> str | None:
    """The features to compile for: who names a processor (NUMBA_CPU_NAME) means it, without this one's features."""
    return wished if processor is not None else wished or machine_code.features()


settings: Any = _config
settings.CPU_FEATURES = _features(settings.CPU_NAME, settings.CPU_FEATURES)


def target_processor() -> str:
    """The processor that compiled code is made for, as Numba knows it."""
    return str(cpu_target.target_context.codegen().magic_tuple()[1])


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
        return Path(self._folder) / code_files.name_of(self._name, (numba.__version__, self._stamp, key), ending="nbc")

    def load(self, key: object) -> Any:
        """What was kept under a key; None where nothing whole was."""
        with suppress(Exception):  # whatever a damaged file does to its reader, it counts as absent
            if (content := code_files.read(self._file(key))) is not None:
                return _Reader(io.BytesIO(content)).load()
        code_files.say_compiling()
        return None

    def save(self, key: object, data: object) -> None:
        """Keep it; where that cannot be, one line says so."""
        code_files.keep(self._file(key), dumps(data))

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

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, twice if it runs without the compiler."""
        super().save_overload(sig, data)
        if isinstance(self._cache_file, Pieces):
            machine_code.keep(self._py_func, data, owner=str(getattr(nrtdynmod, "_meminfo_struct_type", "")))


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


# From here on what is compiled of this package is kept so.
vars(dispatcher)["FunctionCache"] = _Kept
