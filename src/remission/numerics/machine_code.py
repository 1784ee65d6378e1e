"""Loops as machine code alone, called without the compiler.

Only code that asks for nothing but memory and square roots of the system is kept so. Its arguments are arrays that lie
in one piece, whole numbers and floating-point numbers; it gives nothing back. A file belongs to one source, one
processor and one kind of arguments, and begins with its sum, as all compiled code that is kept
(:mod:`remission.numerics.code_files`).

Numba's calling convention, as its documentation and the text of compiled functions show it: a place for what is given
back, a place for an error, and the arguments. An array is seven kinds of numbers: two owners, which are not used here,
how many numbers, bytes of one, where the first lies, the shape, and the bytes from one row to the next.
"""

import ctypes
import itertools
import os
import platform
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from remission.numerics import code_files

_OK = (0, -2)
"""What a loop that went well says of itself."""
_SCALARS: dict[type, str] = {int: "i8", float: "f8", np.int64: "i8", np.uint64: "u8", np.float64: "f8"}
_NUMBERS = frozenset(
    {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"}
)
_ALLOWED = frozenset({"sqrt", "malloc", "free"})
"""What a loop may ask the system for, beside what the compiler puts in by itself to fill and copy memory."""
_LONGEST = 2**63
_HEAD_BYTES = object.__basicsize__
_numbers = itertools.count()
_SETTINGS_THAT_MATTER_NOT = frozenset({"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS"})


def kinds_of(args: tuple[Any, ...]) -> str | None:
    """The kinds of arguments as a text; None where one is of a kind that only the compiler takes."""
    found = []
    for arg in args:
        if type(arg) is np.ndarray:
            flags = arg.flags
            if not (flags.c_contiguous and flags.aligned):
                return None
            found.append(_array_kind(arg.dtype, arg.ndim, flags.writeable))
        elif type(arg) is int and not -_LONGEST <= arg < _LONGEST:
            return None
        else:
            found.append(_SCALARS.get(type(arg), ""))
        if not found[-1]:
            return None
    return " ".join(found)


def _array_kind(dtype: np.dtype[Any], ndim: int, is_writeable: bool) -> str:
    """Kind of an array that lies in one piece; empty where its numbers are not of this machine."""
    return f"{dtype.str[1:]}:{ndim}{'' if is_writeable else 'r'}" if dtype.kind in "biuf" and dtype.isnative else ""


class Code:
    """Machine code of a loop for one kind of arguments."""

    def __init__(self, address: int, kinds: str) -> None:
        form = "".join({"f8": "d", "u8": "Q"}.get(kind, "q") for kind in kinds.split())
        self._are_arrays = [":" in kind for kind in kinds.split()]
        self._pack = struct.Struct(f"={form}").pack
        self._call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p)(address)

    def __call__(self, args: tuple[Any, ...]) -> bool:
        """Run it; whether it went well. Other threads run meanwhile."""
        given = [id(arg) if is_array else arg for arg, is_array in zip(args, self._are_arrays, strict=True)]
        try:
            words = self._pack(*given)
        except struct.error:  # a whole number that has no place in a word
            return False
        return self._call(words) in _OK


@cache
def processor() -> tuple[str, str, str]:
    """Kind of machine, processor and its features, as compiled code is made for."""
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), features() or llvm.get_host_cpu_features().flatten()


def features() -> str | None:
    """The processor's own features, without LLVM's preference for half-width vectors on processors with full ones.

    None where there is no such preference.
    """
    if platform.machine() not in {"x86_64", "AMD64"}:
        return None
    own: str = llvm.get_host_cpu_features().flatten()
    kept = [feature for feature in own.split(",") if not feature.endswith("prefer-256-bit")]
    return ",".join([*kept, "-prefer-256-bit"])


def compiled_for() -> str:
    """The processor that compiled code is made for: this one, unless ``NUMBA_CPU_NAME`` says otherwise."""
    if _is_usual():
        return processor()[1]
    from remission.numerics.compiled import target_processor

    return target_processor()


def _is_usual() -> bool:
    """Whether nobody changed how the compiler works: then it is asked."""
    asked = {name for name in os.environ if name.startswith("NUMBA_")} - _SETTINGS_THAT_MATTER_NOT
    return not asked and not Path(".numba_config.yaml").exists()


def _file(function: Callable[..., Any], kinds: str) -> Path:
    name = f"{function.__module__}.{function.__qualname__}-{function.__code__.co_firstlineno}"
    return Path("alone") / code_files.name_of(name, (processor(), _HEAD_BYTES, kinds), ending="code")


def load(function: Callable[..., Any], kinds: str) -> Code | None:
    """What was kept of a loop for these kinds of arguments; None where nothing whole was."""
    if not (_is_usual() and _arrays_are_known()) or (content := code_files.read(_file(function, kinds))) is None:
        return None
    try:
        owner = llvm.JITLibraryBuilder().add_object_img(content).add_current_process().export_symbol("loop")
        linked = owner.link(_linker(), f"loop-{next(_numbers)}")
    except (AttributeError, RuntimeError):  # it needs what this process, or this LLVM, does not have
        return None
    # As long as the process lives: at its end the linker may go first, which lets go of all.
    linked.detach()
    return Code(linked["loop"], kinds)


@cache
def _arrays_are_known() -> bool:
    """Whether an array lies in memory as compiled extensions of NumPy know it: see :func:`_entry`."""
    probe = np.zeros((3, 5), dtype=np.float32)
    words = (ctypes.c_int64 * 4).from_address(id(probe) + _HEAD_BYTES)
    found = [words[0], words[1] & 0xFFFFFFFF]
    if found != [probe.ctypes.data, probe.ndim]:
        return False
    rows = [(ctypes.c_int64 * 2).from_address(words[place]) for place in (2, 3)]
    return tuple(rows[0]) == probe.shape and tuple(rows[1]) == probe.strides


@cache
def _linker() -> Any:
    triple, name, own = processor()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(triple).create_target_machine(cpu=name, features=own, opt=3, jit=True)
    return llvm.create_lljit_compiler(target, suppress_errors=True)


def keep(function: Callable[..., Any], compiled: Any, *, owner: str) -> None:
    """Keep what Numba compiled of a loop, if it is of the kind that runs by itself.

    ``compiled``: Numba's result for one signature. ``owner``: what it keeps of memory that it asked for.
    """
    codegen = compiled.library.codegen
    if not _is_usual() or tuple(codegen.magic_tuple()) != processor() or str(compiled.signature.return_type) != "none":
        return
    kinds = [_kind_of_type(one) for one in compiled.signature.args]
    content = None
    with suppress(AttributeError, TypeError, RuntimeError):  # another Numba, or LLVM, that has it otherwise
        content = _alone(compiled, " ".join(kinds), codegen._tm, owner) if all(kinds) else None
    if content is not None:
        code_files.keep(_file(function, " ".join(kinds)), content)


def _kind_of_type(numba_type: Any) -> str:
    if hasattr(numba_type, "layout"):
        if numba_type.layout != "C" or not numba_type.aligned:
            return ""
        name = str(numba_type.dtype)
        return _array_kind(np.dtype(name), numba_type.ndim, numba_type.mutable) if name in _NUMBERS else ""
    return {"int64": "i8", "uint64": "u8", "float64": "f8"}.get(str(numba_type), "")


_OWNER = "{i64, i8*, i8*, i8*, i64}"
"""What Numba keeps of memory that it asked for, as its own functions know it: how often it is referred to, how to let
it go, with what, where it is, how large it is."""
# Numba's two functions for memory, with the system's own. An array that is an argument comes without an owner.
_MEMORY = """
declare noalias ptr @malloc(i64)
declare void @free(ptr)

define noalias ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %align) {
  %step = zext i32 %align to i64
  %more = add i64 %step, 64
  %all = add i64 %size, %more
  %owner = call noalias ptr @malloc(i64 %all)
  %is_none = icmp eq ptr %owner, null
  br i1 %is_none, label %end, label %fill
fill:
  %from = ptrtoint ptr %owner to i64
  %behind = add i64 %from, %more
  %mask = sub i64 0, %step
  %place = and i64 %behind, %mask
  %offset = sub i64 %place, %from
  %data = getelementptr i8, ptr %owner, i64 %offset
  %dtor_at = getelementptr i8, ptr %owner, i64 8
  %info_at = getelementptr i8, ptr %owner, i64 16
  %data_at = getelementptr i8, ptr %owner, i64 24
  %size_at = getelementptr i8, ptr %owner, i64 32
  store i64 1, ptr %owner
  store ptr null, ptr %dtor_at
  store ptr null, ptr %info_at
  store ptr %data, ptr %data_at
  store i64 %size, ptr %size_at
  br label %end
end:
  ret ptr %owner
}

define void @NRT_MemInfo_call_dtor(ptr %owner) {
  call void @free(ptr %owner)
  ret void
}
"""


def _entry(name: str, kinds: str) -> str:
    """A function that takes one list of words, a word for each argument, and calls the loop.

    An array is told by the place of its object, whose head is followed by the place of its numbers, its dimensions, and
    the places of its shape and strides: so every compiled extension of NumPy reads it.
    """
    lines, passed, types = [], ["ptr %result", "ptr %error"], ["ptr", "ptr"]

    def read(kind: str, place: str, offset: int, found: str) -> str:
        lines.append(f"  %{found}.at = getelementptr i8, ptr {place}, i64 {offset}")
        lines.append(f"  %{found} = load {kind}, ptr %{found}.at")
        return f"%{found}"

    for number, kind in enumerate(kinds.split()):
        one, _, rest = kind.partition(":")
        if not rest:
            type_of = "double" if one == "f8" else "i64"
            passed.append(f"{type_of} {read(type_of, '%words', 8 * number, f'a{number}')}")
            types.append(type_of)
            continue
        n_dimensions = int(rest.removesuffix("r"))
        array = read("ptr", "%words", 8 * number, f"a{number}")
        data = read("ptr", array, _HEAD_BYTES, f"a{number}.data")
        sizes, steps = (read("ptr", array, _HEAD_BYTES + at, f"a{number}.{at}") for at in (16, 24))
        shape = [read("i64", sizes, 8 * k, f"a{number}.n{k}") for k in range(n_dimensions)]
        strides = [read("i64", steps, 8 * k, f"a{number}.s{k}") for k in range(n_dimensions)]
        size = "1"
        for k, length in enumerate(shape):
            lines.append(f"  %a{number}.size{k} = mul i64 {size}, {length}")
            size = f"%a{number}.size{k}"
        words = [size, one[1:], *shape, *strides]
        passed += ["ptr null", "ptr null", f"i64 {words[0]}", f"i64 {words[1]}", f"ptr {data}"]
        passed += [f"i64 {word}" for word in words[2:]]
        types += ["ptr", "ptr", "i64", "i64", "ptr", *["i64"] * (2 * n_dimensions)]
    head = f'declare i32 @"{name}"({", ".join(types)})\ndefine i32 @loop(ptr %words) {{'
    call = f'  %status = call i32 @"{name}"({", ".join(passed)})\n  ret i32 %status\n}}\n'
    return "\n".join([head, "  %result = alloca ptr", "  %error = alloca ptr", *lines, call])


def _alone(compiled: Any, kinds: str, target: Any, owner: str) -> bytes | None:
    """The function without what ties it to Python, as machine code; None where it asks for more."""
    module = compiled.library._get_module_for_linking().clone()
    module.link_in(llvm.parse_assembly(_entry(compiled.fndesc.llvm_func_name, kinds)))
    if owner == _OWNER:
        module.link_in(llvm.parse_assembly(_MEMORY))
    for one in module.global_variables:
        if not one.is_declaration:
            one.linkage = "internal"
    for one in module.functions:
        if not one.is_declaration:
            one.linkage = "external" if one.name == "loop" else "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options()))
    declared = [*module.functions, *module.global_variables]
    asked = {one.name for one in declared if one.is_declaration and not one.name.startswith("llvm.")}
    if asked - _ALLOWED:
        return None
    content: bytes = target.emit_object(module)
    return content
