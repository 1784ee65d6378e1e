"""What people pass in, read once: a name, a text, a number or an object becomes the one form that the layers know.

A function of the door is a function of a lower layer behind :func:`opened`. An argument is read by its name, so that
``weight_kg`` means the same in every function, and each fault says which argument, what came, what is expected and
what to do. An argument without a reader cannot be offered.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from errno import ENAMETOOLONG
from functools import wraps
from importlib import import_module
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from re import fullmatch
from typing import Any, Final, TypeVar

import numpy as np

from remission.errors import LibraryError, SpecError, did_you_mean, known_names
from remission.extras import telling_extras
from remission.records.named_endpoints import named_endpoint_ids
from remission.records.result import short_text
from remission.units import parse_quantity

__all__ = ["ARGUMENTS", "as_float", "bound", "opened"]

_R = TypeVar("_R")
_Given = Mapping[str, Any]
_LONGEST_NAME = 200


def opened(function: Callable[..., _R], *, optional: Iterable[str] = ()) -> Callable[..., _R]:
    """A function as people call it: arguments are read by :data:`ARGUMENTS`, wrong ones are a SpecError.

    Parameters
    ----------
    function
        A public function of a lower layer.
    optional
        Arguments it needs and people may leave out; their readers say what ``None`` stands for.

    Raises
    ------
    TypeError
        An argument of ``function`` has no reader.
    """
    signature = _with_optional(inspect.signature(function), set(optional))
    unread = [name for name in signature.parameters if name not in ARGUMENTS]
    if unread:
        msg = f"{function.__name__}: no reader in ARGUMENTS for {', '.join(unread)}"
        raise TypeError(msg)
    needed = {*optional, *(one.name for one in signature.parameters.values() if one.default is one.empty)}
    order = [name for name in ARGUMENTS if name in signature.parameters]

    @wraps(function)
    def through(*args: Any, **named: Any) -> _R:
        given = dict(bound(function.__name__, signature, args, named))
        for name in order:
            value = given.get(name)
            # None is left to the function where that has a default, and to the reader where it has none.
            if value is not None or name in needed:
                given[name] = ARGUMENTS[name].read(name, value, given)
        with telling_extras(function.__name__):
            return function(**given)

    through.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect
    # Who follows this to the source would find other defaults there than the signature has.
    del through.__wrapped__
    return through


def _with_optional(signature: inspect.Signature, optional: set[str]) -> inspect.Signature:
    return signature.replace(
        parameters=[
            one.replace(default=None) if name in optional else one for name, one in signature.parameters.items()
        ]
    )


def bound(name: str, signature: inspect.Signature, args: Sequence[Any], named: _Given) -> _Given:
    """The arguments by name; what does not fit the function says so in words."""
    known = list(signature.parameters)
    by_place = [one for one in signature.parameters.values() if one.kind is not one.KEYWORD_ONLY]
    for word, value in named.items():
        if word not in known:
            raise SpecError(
                where=f"{name}({word}=...)", got=short_text(value), allowed=f"an argument of {name}",
                remedy=did_you_mean(word, known, otherwise=known_names(known, most=12)),
            )  # fmt: skip
    if len(args) > len(by_place):
        words = ", ".join(one.name for one in by_place) or "nothing"
        more = [one for one in known if one not in {place.name for place in by_place}]
        raise SpecError(
            where=name, got=f"{len(args)} arguments by place", allowed=f"{words} by place, all others by name",
            remedy=f"Write {more[0]}=... and so on." if more else "Leave the others out.",
        )  # fmt: skip
    placed = dict(zip((one.name for one in by_place), args, strict=False))
    twice = next((one for one in placed if one in named), None)
    if twice is not None:
        raise SpecError(where=f"{name}({twice}=...)", got="given twice, by place and by name", allowed="given once")
    found = {**placed, **named}
    missing = [one.name for one in signature.parameters.values() if one.default is one.empty and one.name not in found]
    if missing:
        reader = ARGUMENTS[missing[0]]
        raise SpecError(
            where=f"{name}({missing[0]}=...)", got="nothing", allowed=reader.expected, remedy=f"Add {missing[0]}."
        )
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """How arguments of one name are read.

    expected
        What is taken, in words that follow "expected".
    read
        From name, value and the arguments read so far to the one form inside; ``None`` comes only where the function
        needs a value and people may leave it out.
    """

    expected: str
    read: Callable[[str, Any, _Given], Any]


def _wrong(where: str, got: object, allowed: str, remedy: str = "") -> SpecError:
    shown = f"{type(got).__name__} {short_text(got)}" if not isinstance(got, str) else (got.strip() or "an empty text")
    return SpecError(where=where, got=shown, allowed=allowed, remedy=remedy)


def as_float(value: Real) -> float:
    """The number as a float; one that no float can hold is infinite, and refused like it."""
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _number(unit: str = "", *, low: float = -np.inf, high: float = np.inf) -> _Reader:
    """A number; a text with its unit where the quantity has one."""
    words = f"a number{f' in {unit}' if unit else ''}{_span(low, high)}"
    words += f", or a text with its unit, such as '{_EXAMPLES.get(unit, '1')} {unit}'" if unit else ""

    def read(where: str, value: Any, _: _Given) -> float:
        if isinstance(value, str) and unit:
            value = parse_quantity(value, unit, where=where)
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.item()
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise _wrong(where, value, words, _without_quotes(value))
        number = as_float(value)
        if not (np.isfinite(number) and low <= number <= high):
            raise _wrong(where, number, words)
        return number

    return _Reader(words, read)


_EXAMPLES = {"kg": "70", "h": "1.5", "mg/kg": "0.5", "mmHg": "120", "mg": "35"}


def _span(low: float, high: float) -> str:
    if np.isfinite(low) and np.isfinite(high):
        return f" from {low:g} to {high:g}"
    return f" of {low:g} or more" if np.isfinite(low) else ""


def _without_quotes(value: Any) -> str:
    is_number = isinstance(value, str) and value.strip().lstrip("+-").replace(".", "", 1).isdecimal()
    return f"Write {value.strip()} without quotes." if is_number else ""


def _whole(low: int, high: int) -> _Reader:
    words = f"a whole number from {low} to {high}"

    def read(where: str, value: Any, _: _Given) -> int:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if isinstance(value, float | np.floating) and float(value).is_integer():
            value = int(value)
        if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
            raise _wrong(where, value, words, _without_quotes(value))
        if not low <= int(value) <= high:
            raise _wrong(where, int(value), words)
        return int(value)

    return _Reader(words, read)


def _numbers(unit: str = "", *, people: bool = True, low: float = -np.inf, above: float = -np.inf) -> _Reader:
    """One number or several in one row; one number stands for everybody."""
    each = "one for everybody or one a person" if people else "one or several"
    words = f"numbers{f' in {unit}' if unit else ''}: {each}" + (
        f", each {'above' if np.isfinite(above) else 'at least'} {max(low, above):g}"
        if np.isfinite(max(low, above))
        else ""
    )

    def one(where: str, value: Any) -> float:
        if isinstance(value, str) and unit:
            return parse_quantity(value, unit, where=where)
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise _wrong(where, value, words, _without_quotes(value))
        return as_float(value)

    def read(where: str, value: Any, given: _Given) -> np.ndarray:
        if isinstance(value, str | Real) or np.ndim(value) == 0:
            found = np.array([one(where, value.item() if isinstance(value, np.ndarray) else value)])
        elif isinstance(value, Mapping | set) or np.ndim(value) != 1:
            raise _wrong(where, value, f"{words}; one row, not a table")
        else:
            items = list(value)
            found = np.array([one(f"{where}[{index}]", item) for index, item in enumerate(items)], dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(found) | (found < low) | (found <= above))
        if bad.size or not found.size:
            place = f"{where}[{bad[0]}]" if found.size > 1 and bad.size else where
            raise _wrong(place, float(found[bad[0]]) if bad.size else "nothing", words)
        if people and where != "weight_kg" and "weight_kg" in given:
            return _for_everybody(where, found, given)
        return found

    return _Reader(words, read)


def _for_everybody(where: str, found: np.ndarray, given: _Given) -> np.ndarray:
    n = given["weight_kg"].size
    if found.size not in {1, n}:
        raise _wrong(where, f"{found.size} numbers", f"1 or {n}, as weight_kg")
    return np.broadcast_to(found, (n,)).copy() if found.size != n else found


def _normals(columns: str, width: Callable[[_Given], int]) -> _Reader:
    """Standard normals, a row a person; ``None`` is the typical person."""
    words = f"standard normals, a row a person and a column for each of {columns}; None for the typical person"

    def read(where: str, value: Any, given: _Given) -> np.ndarray:
        shape = (given["weight_kg"].size, width(given))
        if value is None:
            return np.zeros(shape)
        table = _float_table(where, value, words)
        table = np.atleast_2d(table)
        if table.shape != shape:
            raise _wrong(where, f"shape {table.shape}", f"{words}; here {shape}")
        return table

    return _Reader(words, read)


def _float_table(where: str, value: Any, words: str) -> np.ndarray:
    try:
        raw = np.asarray(value)
    except ValueError:
        raise _wrong(where, value, words) from None
    if raw.dtype.kind not in "iuf" or not np.all(np.isfinite(raw)):
        raise _wrong(where, value, f"{words}; finite numbers")
    return raw.astype(np.float64)


def _of_choice(kind: str, load: str, words: str, *, has_default: bool = False) -> _Reader:
    """An object of a class, or the name under which the library has it."""

    def read(where: str, value: Any, _: _Given) -> Any:
        if value is None and has_default:
            return _imported(load)()
        return value if isinstance(value, _imported(kind)) else _by_name(where, value, _imported(load), words)

    return _Reader(words, read)


def _by_name(where: str, value: Any, load: Callable[[str], Any], words: str) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(where, value, words)
    try:
        return load(value)
    except LibraryError as error:
        raise SpecError(where=where, got=error.got, allowed=error.allowed, remedy=error.remedy) from None


def _read_parameter_set(where: str, value: Any, _: _Given) -> str:
    from remission.library.loader import load_parameter_set

    return str(_by_name(where, value, load_parameter_set, ARGUMENTS["parameter_set"].expected).id)


def _such(words: str, is_one: Callable[[Any], bool], made: Callable[[Any], Any] = lambda value: value) -> _Reader:
    """What passes a test, made into one form."""

    def read(where: str, value: Any, _: _Given) -> Any:
        if not is_one(value):
            raise _wrong(where, value, words)
        return made(value)

    return _Reader(words, read)


def _imported(path: str) -> Any:
    """A class or function by its whole name: what an argument needs is loaded when somebody passes it."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _instance(path: str, words: str) -> _Reader:
    """What another function of the door gave."""
    return _such(words, lambda value: isinstance(value, _imported(path)))


def _text(words: str) -> _Reader:
    return _such(words, lambda value: isinstance(value, str) and bool(value.strip()))


_FLAG = _such("True or False", lambda value: isinstance(value, bool | np.bool_), bool)
_FUNCTION = _such("a function", callable)


def _name_or_path(where: str, value: Any, given: _Given) -> str | Path:
    return value if isinstance(value, str) and value.strip() else ARGUMENTS["path"].read(where, value, given)


def _names(words: str, known: Callable[[], Iterable[str]] | None = None) -> _Reader:
    """One name or several."""

    def read(where: str, value: Any, _: _Given) -> tuple[str, ...]:
        items = (value,) if isinstance(value, str) else value
        if not isinstance(items, Iterable) or isinstance(items, Mapping | bytes) or not _all_texts(items):
            raise _wrong(where, value, words)
        for item in items:
            if known is not None and item not in known():
                raise _wrong(where, item, words, did_you_mean(item, known()))
        return tuple(items)

    return _Reader(words, read)


def _all_texts(items: Iterable[Any]) -> bool:
    found = list(items) if isinstance(items, Sequence | set | frozenset | np.ndarray) else []
    return bool(found) and all(isinstance(item, str) for item in found)


def _path() -> _Reader:
    words = "the path of a file or folder, as text or pathlib.Path"

    def read(where: str, value: Any, _: _Given) -> Path:
        text = fspath(value) if isinstance(value, PathLike) else value
        if isinstance(text, str) and text.strip() and "\0" not in text:
            try:
                Path(text).lstat()
            except OSError as error:
                if error.errno == ENAMETOOLONG:
                    raise SpecError(where=where, got=short_text(text), allowed="a name that a disk takes") from None
            return Path(text)
        remedy = ""
        if hasattr(value, "to_csv"):
            remedy = "Write the table to a file first (to_csv), and pass the name of that file."
        elif hasattr(value, "read"):
            remedy = f"Pass its name instead of the open file: {short_text(getattr(value, 'name', 'the path'))}."
        elif isinstance(value, bytes):
            remedy = "Decode it to text first."
        raise _wrong(where, value, words, remedy)

    return _Reader(words, read)


def _read_protocol(where: str, value: Any, _: _Given) -> Any:
    """A protocol, its name in the library, its file, its YAML text or its fields."""
    from remission.library.protocols import list_protocols, load_protocol
    from remission.protocol.file import parse_protocol, read_protocol
    from remission.protocol.record import Protocol

    if isinstance(value, Protocol):
        return value
    if isinstance(value, Mapping):
        return Protocol.from_dict(dict(value))
    if isinstance(value, PathLike):
        return read_protocol(ARGUMENTS["path"].read(where, value, {}))
    if not isinstance(value, str) or not value.strip():
        raise _wrong(where, value, ARGUMENTS["protocol"].expected)
    known = list_protocols()
    if value in known:
        return load_protocol(value)
    if "\n" in value:
        return parse_protocol(value, name=where)
    if len(value) <= _LONGEST_NAME and "\0" not in value and ("/" in value or Path(value).suffix):
        return read_protocol(value)
    raise _wrong(where, value, ARGUMENTS["protocol"].expected, did_you_mean(value, known, otherwise=known_names(known)))


def _read_plan(where: str, value: Any, given: _Given) -> Any:
    """A plan of an analysis: its record, file, YAML text or fields, with the folder from which it names files."""
    from remission.exchange.study_plan import parse_study_plan, read_study_plan
    from remission.records.study_plan import StudyPlan

    if isinstance(value, StudyPlan):
        return value, Path()
    if isinstance(value, Mapping):
        return StudyPlan.from_dict(dict(value)), Path()
    if isinstance(value, str) and "\n" in value:
        return parse_study_plan(value, name=where), Path()
    if not isinstance(value, str | PathLike) or not str(value).strip():
        raise _wrong(where, value, ARGUMENTS["plan"].expected)
    path = ARGUMENTS["path"].read(where, value, given)
    return read_study_plan(path), path.parent


def _read_blinding(where: str, value: Any, given: _Given) -> Any:
    """A trial and its blinding: its record, its name in the library, its file, YAML text or fields."""
    from remission.library.blinding import list_blinding_trials, load_blinding_trial, parse_blinding_trial
    from remission.records.blinding import BlindingTrial

    known = list_blinding_trials()
    if isinstance(value, BlindingTrial):
        return value
    if isinstance(value, Mapping):
        return BlindingTrial.from_dict(dict(value))
    if isinstance(value, str) and value in known:
        return load_blinding_trial(value)
    if isinstance(value, str) and "\n" in value:
        return parse_blinding_trial(value, name=where)
    is_file = isinstance(value, PathLike) or (
        isinstance(value, str) and value.strip() and ("/" in value or Path(value).suffix)
    )
    if not is_file:
        remedy = did_you_mean(value, known, otherwise=known_names(known)) if isinstance(value, str) else ""
        raise _wrong(where, value, ARGUMENTS["trial"].expected, remedy)
    return load_blinding_trial(ARGUMENTS["path"].read(where, value, given))


def _read_guesses(where: str, value: Any, given: _Given) -> Any:
    """The guesses of a finished trial: read already, a file, or the fields of one."""
    from remission.blinding.table import FinishedTrial
    from remission.exchange.guesses import read_guesses, read_guesses_of

    if isinstance(value, FinishedTrial):
        return value
    if isinstance(value, Mapping):
        return read_guesses_of(dict(value))
    return read_guesses(ARGUMENTS["path"].read(where, value, given))


def _read_parameters(where: str, value: Any, given: _Given) -> Any:
    """Course parameters, or a mapping of changes to those of the protocol's substance."""
    from remission.patient.backgrounds import course_parameters_of
    from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters

    if isinstance(value, CourseParameters):
        return value
    named = given.get("parameter_set") or DEFAULT_PARAMETER_SET
    values = _numbers_by_name(where, value)
    return course_parameters_of(given["protocol"], parameter_set=named).replace(**values)


def _read_changes(where: str, value: Any, given: _Given) -> dict[str, float]:
    """Changed values by name, checked to be those of the protocol's people."""
    from remission.patient.backgrounds import course_parameters_of

    values = _numbers_by_name(where, value)
    course_parameters_of(given["protocol"]).replace(**values)
    return values


def _numbers_by_name(where: str, value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong(where, value, ARGUMENTS[where].expected)
    for name, item in value.items():
        if isinstance(item, str):
            raise _wrong(f"{where}.{name}", repr(item), "a number", _without_quotes(item))
    return {name: item.item() if isinstance(item, np.generic) else item for name, item in value.items()}


def _records(kind: str, words: str) -> _Reader:
    """Records, or the fields of them; one stands for a list of one."""

    def read(where: str, value: Any, _: _Given) -> Any:
        found = _imported(kind)
        items = [value] if isinstance(value, found | Mapping) else value
        if isinstance(items, str | bytes) or not isinstance(items, Iterable):
            raise _wrong(where, value, words)
        return [_record(f"{where}[{index}]", item, found, words) for index, item in enumerate(items)]

    return _Reader(words, read)


def _one_record(kind: str, words: str) -> _Reader:
    return _Reader(words, lambda where, value, _: _record(where, value, _imported(kind), words))


def _record(where: str, value: Any, kind: Any, words: str) -> Any:
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise _wrong(where, value, words)
    root = f"{kind.__name__.lower()}."
    try:
        return kind.from_dict(dict(value))
    except SpecError as error:
        places = [f"{where}.{one.where.removeprefix(root)}" for one in error.faults]
        faults = [
            SpecError(where=place, got=one.got, allowed=one.allowed, remedy=one.remedy)
            for place, one in zip(places, error.faults, strict=True)
        ]
        raise SpecError.from_faults(faults) from None


def _n_iiv(given: _Given) -> int:
    return int((given.get("model") or given["pharmacology"]).n_iiv)


def _table(words: str) -> _Reader:
    """Numbers in a table, a row a person."""
    return _Reader(words, lambda where, value, _: np.atleast_2d(_float_table(where, value, words)))


def _read_data(where: str, value: Any, given: _Given) -> Any:
    """A path, or diaries that are here already."""
    from remission.exchange.quality import Imported
    from remission.records.diaries import Diaries

    if isinstance(value, Imported):
        return value.diaries
    if isinstance(value, Diaries):
        return (value,)
    if isinstance(value, tuple | list) and value and all(isinstance(one, Diaries) for one in value):
        return tuple(value)
    if hasattr(value, "to_csv") or isinstance(value, str | PathLike):
        return ARGUMENTS["path"].read(where, value, given)
    raise _wrong(where, value, ARGUMENTS["data"].expected)


def _read_all_diaries(where: str, value: Any, given: _Given) -> Any:
    """Diaries that are here already, or those of a path."""
    from remission.door.diaries import all_diaries

    found = _read_data(where, value, given)
    return all_diaries(found) if isinstance(found, Path) else found


def _read_window(where: str, value: Any, _: _Given) -> Any:
    """Days that count: two numbers, ``"1:168"``, or a DayRange; days before day 0 are negative."""
    from remission.records.population import DayRange, ObservedDays

    if isinstance(value, DayRange):
        return value
    ends = value.split(":") if isinstance(value, str) else value
    if isinstance(ends, list | tuple) and len(ends) == 2:
        days = [int(one) if isinstance(one, str) and fullmatch(r"\s*-?[0-9]{1,9}\s*", one) else one for one in ends]
        if all(isinstance(day, Integral) and not isinstance(day, bool) for day in days):
            first, last = map(int, days)
            if last < first:
                raise _wrong(where, str(value), "the first day first", f"Write {last}:{first}.")
            try:
                return ObservedDays.create(first=first, last=last)
            except SpecError as error:
                fault = error.faults[0]
                raise SpecError(where=where, got=str(value), allowed=fault.allowed, remedy=fault.remedy) from None
    raise _wrong(where, value, ARGUMENTS["window"].expected)


def _read_sizes(where: str, value: Any, given: _Given) -> Any:
    """Numbers of people, or a range of them."""
    from remission.design.variants import VariedSizes, sizes_of

    if isinstance(value, VariedSizes):
        return value
    if isinstance(value, range) and value.step == 1 and len(value) > 1:
        value = f"{value.start}:{value.stop - 1}"
    if isinstance(value, str):
        text = value.removeprefix("n=")
    else:
        items = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes) else [value]
        if not len(items):
            raise _wrong(where, value, ARGUMENTS["n_subjects"].expected)
        text = ",".join(str(_whole(4, 100_000).read(where, item, given)) for item in items)
    try:
        return sizes_of(f"n={text}")
    except SpecError as error:
        raise SpecError(
            where=where, got=error.got, allowed=ARGUMENTS["n_subjects"].expected, remedy=error.remedy
        ) from None


def _read_stated(where: str, value: Any, _: _Given) -> Any:
    """An effect with its trial: a file, its fields, or the record."""
    from remission.design.effect_file import read_effect
    from remission.records.effect import EffectFile

    if isinstance(value, EffectFile):
        return value
    if isinstance(value, Mapping):
        return _record(where, value, EffectFile, ARGUMENTS["effect"].expected)
    if isinstance(value, str | PathLike):
        return read_effect(ARGUMENTS["path"].read(where, value, {}))
    raise _wrong(where, value, ARGUMENTS["effect"].expected)


def _read_published(where: str, value: Any, _: _Given) -> Any:
    """A published result by the names of its parts; the parts are checked against the forecast."""
    texts = [value] if isinstance(value, str) else value
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return dict(value)
    if isinstance(texts, list | tuple) and texts and all(isinstance(one, str) and "=" in one for one in texts):
        return list(texts)
    raise _wrong(where, value, ARGUMENTS["published"].expected)


def _read_looks(where: str, value: Any, given: _Given) -> str:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes) and len(value):
        return ",".join(repr(_number(low=0.0, high=1.0).read(where, item, given)) for item in value)
    raise _wrong(where, value, ARGUMENTS["looks"].expected)


_MOST_REPLICATES: Final = 1_000_000

# In the order of reading: what a later reader looks at comes first.
ARGUMENTS: Final[Mapping[str, _Reader]] = {
    "protocol": _Reader(
        "a protocol: its name in the library (list_protocols), a file, a YAML text, its fields, or a Protocol",
        _read_protocol,
    ),
    "trial": _Reader(
        "a trial and its blinding: a name of the library, a file, a YAML text, its fields, or a BlindingTrial",
        _read_blinding,
    ),
    "with_frontier": _FLAG,
    "guesses": _Reader("the guesses of a trial: a file, or its fields", _read_guesses),
    "plan": _Reader("a plan of an analysis: a file, a YAML text, its fields, or a StudyPlan", _read_plan),
    "parameter_set": _Reader("the name of a parameter set (list_parameter_sets)", _read_parameter_set),
    "changes": _Reader("changed values by name, such as {'gamma': 0.0}", _read_changes),
    "parameters": _Reader("changed values by name, such as {'gamma': 0.0}, or CourseParameters", _read_parameters),
    "substance": _text("the name of a substance, such as 'alcohol'"),
    **dict.fromkeys(("n_replicates", "max_replicates"), _whole(1, _MOST_REPLICATES)),
    **dict.fromkeys(("n_truth", "n_draws"), _whole(0, 1_000_000)),
    **dict.fromkeys(
        ("with_diaries", "overlap", "quick", "is_stored", "is_null", "has_interval", "is_simulated", "detectable"),
        _FLAG,
    ),
    **dict.fromkeys(("function", "on_progress"), _FUNCTION),
    **dict.fromkeys(("path", "out", "run", "mapping", "dictionary", "sexes"), _path()),
    **dict.fromkeys(("power", "alpha", "mcse", "dissociation_gain"), _number(low=0.0, high=1.0)),
    "n_people": _whole(1, 1_000_000),
    "n_resamples": _whole(100, 100_000),
    "n_workers": _whole(1, 256),
    "replicate": _whole(0, _MOST_REPLICATES - 1),
    "seed": _whole(0, 2**64 - 1),
    "fact": _text("the id of a registered fact, such as 'one-lapse'"),
    "data": _Reader(
        "data: the folder of a run or of CTN-0094 tables, a Parquet file of diaries, or what import_diaries() gave",
        _read_data,
    ),
    "diaries": _Reader(
        "diaries of which people are drawn: what import_diaries() gave, or the path of a Parquet file or a folder",
        _read_all_diaries,
    ),
    "layout": _text("a layout, such as 'rows'"),
    "name": _Reader("a name, or a path", _name_or_path),
    "text": _text("a YAML text"),
    "endpoint": _text("a class of endpoints, such as 'abstinence'"),
    "endpoints": _names("names of endpoints (list_endpoints)", named_endpoint_ids),
    **dict.fromkeys(
        ("window", "baseline"),
        _Reader("two days, such as (1, 168) or '1:168'; days before day 0 are negative, as -28:-1", _read_window),
    ),
    "heavy_amount": _number(low=0.0),
    "role": _text("a role, as in the evidence"),
    "arm": _text("the id of an arm of the protocol"),
    "find": _text("dose or duration"),
    "others": _names("a regimen in a word, such as 'kare' or '0.8mg/kg/40min', or a list of texts"),
    "limits": _names("a largest rise, such as 'sbp-rise=20', or a list of texts"),
    "within_plasma": _text("a trial whose concentrations hold the session, such as 'kare'"),
    "share": _such(
        "a share of people, such as 0.9 or '90%'",
        lambda value: isinstance(value, str | Real) and not isinstance(value, bool | np.bool_),
        str,
    ),
    "levels": _Reader("a table of measured levels: a file, or a text of several lines", _name_or_path),
    "n_subjects": _Reader(
        "people: '60:400' for a range, or sizes such as [60, 120], each from 4 to 100,000", _read_sizes
    ),
    "effect": _Reader("an effect: a YAML file (remission/effect/1), its fields, or an EffectFile", _read_stated),
    "budget": _number(low=0.0),
    "analysis": _text("the id of an analysis of the protocol"),
    "evidence": _text("names of published trials with commas, or 'none'"),
    "without": _text("names of published trials with commas"),
    "effect_model": _text("'chain', 'baseline' or 'stacked'"),
    "conditions": _names("what a forecast holds under, in words"),
    "published": _Reader("a result: its fields by name, or texts such as 'estimate=-4.1'", _read_published),
    "studies": _records("remission.library.explanations.StudyShape", "studies: StudyShape, or its fields"),
    "looks": _Reader("shares of people at the looks, such as (0.5, 1.0) or '0.5,1'", _read_looks),
    "futility": _names("floors of z by look, such as '0.5:0.0'"),
    "spending": _text("how alpha is spent, such as 'obrien-fleming'"),
    "prices": _Reader("'us', 'uk', or a YAML file of prices", _name_or_path),
    "design": _text("a design, such as 'randomized'"),
    "source_kind": _text("how a number was read, such as 'abstract or registry'"),
    "individuals": _instance("remission.pk.individuals.PkIndividuals", "what individual_parameters() gave"),
    "events": _instance("remission.records.infusions.InfusionEvents", "what remission.dosing gave"),
    "factors": _instance("remission.pk.hepatoportal_people.PersonFactors", "PersonFactors"),
    "occasions": _instance("remission.records.parameter.ParameterSet", "a ParameterSet of variances between occasions"),
    "interactions": _instance("remission.pk.interactions.InteractionEffect", "what interaction_effect() gave"),
    "venous": _instance("remission.pk.venous.VenousLinks", "what draw_venous_links() gave"),
    "z_iov": _table("standard normals of an occasion, a row a person"),
    "z_absorption": _table("standard normals for the share and the rate of absorption, a row a person"),
    "dose_mg": _table("amounts in mg, a row a person and a column a dose"),
    "result": _instance("remission.trial.result.TrialResult", "what simulate_trial() gave"),
    "estimand": _one_record("remission.records.estimand.Estimand", "an Estimand, or its fields"),
    "pk_model": _Reader("the name of a kinetic model (list_pk_models), or its file", _name_or_path),
    "model": _of_choice("remission.pk.PkModel", "remission.pk.load_pk_model", "a kinetic model: its name or a PkModel"),
    "pharmacology": _of_choice(
        "remission.patient.pharmacology.Pharmacology",
        "remission.patient.pharmacology.load_pharmacology",
        "what load_pharmacology() gave, the name of a kinetic model, or None",
        has_default=True,
    ),
    "subject": _one_record(
        "remission.records.subject.Subject", "a Subject, or its fields: age, weight, sex, substance"
    ),
    "regimen": _one_record("remission.records.regimen.Regimen", "a Regimen, or its fields: doses"),
    "doses": _records(
        "remission.records.dose.Dose", "doses: a list of Dose, or of their fields (route, dose, duration)"
    ),
    "weight_kg": _numbers("kg", above=0.0),
    "t_h": _numbers("h", people=False, low=0.0),
    "dose_mg_per_kg": _number("mg/kg", low=0.0),
    "duration_h": _number("h", low=0.0),
    "z_iiv": _normals("the parameters that vary between people", _n_iiv),
    "z_pressure": _normals("systolic and diastolic pressure", lambda _: 2),
    "sbp0_mmhg": _numbers("mmHg", above=0.0),
    "dbp0_mmhg": _numbers("mmHg", above=0.0),
    "z_dissociation": _numbers(),
    "z_heart_rate": _numbers(),
    "analytes": _names("names of analytes, such as 'ket' or ['ket', 's_nk']"),
    "sites": _names("sampling sites, such as 'arterial' or ['arterial', 'venous']"),
}
"""How every argument of the door is read, by its name."""
