"""Compiled loops: what a module of loops names instead of the compiler, which takes long to load.

A loop is compiled, or read from where it was kept, when it is first called. One that gives nothing back, fills arrays
that it is given, and asks for nothing but memory, is kept a second time, as machine code alone
(:mod:`remission.numerics.machine_code`). Where nothing has loaded the compiler yet it is called without: a command of
half a second would wait a third of that for a compiler that compiles nothing.
"""

import sys
import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": False, "boundscheck": False}
"""Compilation options of everything that must vectorize."""
_lock = threading.RLock()


class Compiled:
    """A function that is compiled when it is needed, by itself or by another one that takes it in."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self.py_func = function
        self.__name__ = function.__name__
        self._options = options
        self._dispatcher: Any = None
        self._machine_code: dict[Any, Any] = {}
        update_wrapper(self, function)

    @property
    def dispatcher(self) -> Any:
        """The compiler's own object for this function."""
        if self._dispatcher is None:
            with _lock:
                if self._dispatcher is None:
                    from remission.numerics.compiled import njit

                    self._dispatcher = njit(**OPTIONS, **self._options)(self.py_func)
        return self._dispatcher

    @property
    def _numba_type_(self) -> Any:
        """What the compiler looks for where a function that it compiles names this one."""
        return self.dispatcher._numba_type_

    def __call__(self, *args: Any) -> Any:
        """As the function written in Python, for arrays and numbers."""
        if self._dispatcher is None and "cache" in self._options and "numba" not in sys.modules:
            key = tuple(
                [(arg.dtype, arg.ndim, arg.flags.num) if type(arg) is np.ndarray else type(arg) for arg in args]
            )
            code = self._machine_code[key] if key in self._machine_code else self._code_for(key, args)
            if code is not None:
                if not code(args):
                    # The compiler has the words of the error. Where it finds none, memory was short for a moment: a
                    # loop that adds to what is there has then done so twice.
                    self.dispatcher(*args)
                    raise MemoryError
                return None
        return self.dispatcher(*args)

    def _code_for(self, key: Any, args: tuple[Any, ...]) -> Any:
        """Machine code for these kinds of arguments that runs by itself; None where none is kept."""
        from remission.numerics.machine_code import kinds_of, load

        with _lock:
            if key not in self._machine_code:
                kinds = kinds_of(args)
                self._machine_code[key] = None if kinds is None else load(self.py_func, kinds)
            return self._machine_code[key]


def loop(function: Callable[..., Any]) -> Compiled:
    """A loop that Python calls: kept on disk, and others run beside it."""
    return Compiled(function, nogil=True, cache=True)


def made_loop(function: Callable[..., Any]) -> Compiled:
    """A loop that Python calls, of a function that was put together in this process: kept nowhere."""
    return Compiled(function, nogil=True)


def inner(function: Callable[..., Any]) -> Compiled:
    """A function that compiled loops call."""
    return Compiled(function)


def inlined(function: Callable[..., Any]) -> Compiled:
    """A function that is always inlined into the loop that calls it."""
    return Compiled(function, forceinline=True)
