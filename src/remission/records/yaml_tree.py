"""A strict reader of YAML 1.2: plain data, with the line of every value, and every fault with its line.

Only what a specification needs is read: maps with text keys, lists, text, numbers, ``true``, ``false`` and ``null``,
by the rules of YAML 1.2 (``no`` and ``12:30`` are text). Anchors, aliases, merge keys, tags and directives are refused,
so a small file cannot grow when it is read; depth and size are limited. The parser is read event by event, never
further than needed.
"""

import math
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from remission.errors import SpecError
from remission.records.faults import Location, field_path

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES: Final = 1_000_000
"""Largest file that is read. [byte]"""

_MAX_DEPTH: Final = 20
_MAX_VALUES: Final = 20_000
_MAX_FAULTS: Final = 50
_LONGEST_NUMBER: Final = 40
_LONGEST_LINE: Final = 100_000

_UNUSUAL: Final = re.compile(r"[^\n\t\x20-\x7e\r]|\r(?!\n)")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?(inf|infinity|nan)", re.IGNORECASE)
_WORDS: Final = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Tree:
    """What a file says.

    ``data``: plain data; the root is a dictionary. ``lines``: line of each value by its location, the first line being
    1. ``texts``: the text of each single value as written. ``faults``: faults of the file's form.
    """

    name: str
    data: Any = None
    lines: dict[Location, int] = field(default_factory=lambda: {(): 1})
    texts: dict[Location, str] = field(default_factory=dict)
    faults: list[SpecError] = field(default_factory=list)

    def line_of(self, location: Location) -> int:
        """The line of a value, or of the nearest value around it."""
        while location not in self.lines:
            location = location[:-1]
        return self.lines[location]

    def place(self, location: Location) -> str:
        """``file:line: field`` of a location."""
        path = field_path(location)
        return f"{self.name}:{self.line_of(location)}: {path}" if path else f"{self.name}:{self.line_of(location)}"


def decode_utf8(content: bytes, *, name: str) -> str:
    """The text of a file's bytes; a byte order mark at the start is dropped.

    Raises SpecError: the bytes are not UTF-8; the position of the first wrong byte is named.
    """
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        kind = "UTF-16 text" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else f"the byte 0x{content[error.start]:02X}"
        raise SpecError(
            where=f"{name}:{line}",
            got=f"{kind} at byte {error.start + 1}",
            allowed="UTF-8 text",
            remedy="Save the file as UTF-8.",
        ) from None


def read_tree_file(
    path: str | PathLike[str], *, what: str, example: str = "", where: str | None = None, remedy: str = ""
) -> Tree:
    """The data of a YAML file, its lines, and its faults. Every YAML file that the program takes is read by this.

    ``path``: a regular file of at most ``MAX_BYTES``; a larger one is refused by its size, unread. ``what``: what the
    file should be, for messages: ``a protocol file``. ``example``: a first line that such a file may have. ``where``:
    name of the file for messages; default: the path. ``remedy``: what to do where there is no such file.
    Raises SpecError: there is no such file, it cannot be read, or it is not one YAML map of the strict kind.
    """
    file = Path(path)
    name = str(path) if where is None else where
    try:
        found = file.stat()
        if stat.S_ISDIR(found.st_mode):
            raise SpecError(where=name, got="a directory", allowed=what, remedy="Name the file in it.")
        if not stat.S_ISREG(found.st_mode):
            raise SpecError(where=name, got="a device or a pipe", allowed=f"{what}, a regular file")
        if found.st_size > MAX_BYTES:
            raise _too_large(name, found.st_size)
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(where=name, got="no such file", allowed=what, remedy=remedy or "Check the path.") from None
    except PermissionError:
        raise SpecError(
            where=name, got="no permission to read it", allowed=what, remedy="Check its permissions."
        ) from None
    except (OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(where=name, got=f"a file that cannot be read ({reason})", allowed=what) from None
    if len(content) > MAX_BYTES:
        raise _too_large(name, len(content))
    return read_tree(decode_utf8(content, name=name), name=name, example=example)


def read_tree(text: str, *, name: str, example: str = "id: my-trial") -> Tree:
    """The data of a YAML text, its lines, and its faults.

    ``text``: the content. ``name``: name of the file for messages. ``example``: a first line that such a text may have,
    for messages.
    Raises SpecError: the text is not one YAML map of the strict kind, or is too large or too deep; faults that leave
    the rest readable (a repeated key) are in ``faults`` of the result instead.
    """
    # Imported here: a tenth of a second that other commands need not pay.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    _check_text(text, name)
    tree = Tree(name=name)
    try:
        _Builder(tree, iter(YAML(typ="safe", pure=True).parse(StringIO(text))), example).build()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_yaml(name, 1 if mark is None else mark.line + 1, str(error.problem or error.context)) from None
    except (YAMLError, ValueError, OverflowError) as error:
        if isinstance(error, SpecError):
            raise
        # The parser lets an impossible character escape through as a plain error without a place.
        raise _not_yaml(name, max(tree.lines.values(), default=1), str(error)) from None
    return tree


def _not_yaml(name: str, line: int, problem: str) -> SpecError:
    remedy = (
        "Indent with spaces, not tabs." if "'\\t'" in problem else "Check colons, quotes, brackets and indentation."
    )
    return SpecError(
        where=f"{name}:{line}", got=f"text that is not YAML ({problem})", allowed="YAML 1.2", remedy=remedy
    )


def _check_text(text: str, name: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _too_large(name, len(text))
    # The parser reads a tag or a name letter by letter, each time from its start: a line of 900,000 took 20 seconds.
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > _LONGEST_LINE:
            raise SpecError(
                where=f"{name}:{number}",
                got=f"a line of {len(line):,} characters",
                allowed=f"lines of at most {_LONGEST_LINE:,} characters",
                remedy="Such a line has some dozens: is this the right file?",
            )
    position = _unprintable(text)
    if position is not None:
        raise SpecError(
            where=f"{name}:{text.count(chr(10), 0, position) + 1}",
            got=f"the character U+{ord(text[position]):04X}",
            allowed="printable text, spaces and line ends",
            remedy="Remove the character.",
        )


def _unprintable(text: str) -> int | None:
    """Position of the first character that no text field may hold: a control, half of a pair, a strange line end."""
    for match in _UNUSUAL.finditer(text):
        character = match.group()
        if unicodedata.category(character) in {"Cc", "Cs", "Cn", "Zl", "Zp"} or character == "\ufeff":
            return match.start()
    return None


def _too_large(name: str, size: int) -> SpecError:
    return SpecError(
        where=name,
        got=f"{size / 1e6:.1f} MB",
        allowed=f"at most {MAX_BYTES // 1_000_000} MB",
        remedy="Such a file has a few kilobytes: is this the right one?",
    )


class _Builder:
    """Builds a tree from the parser's events; the one mutable thing is the tree."""

    def __init__(self, tree: Tree, events: "Iterator[Any]", example: str) -> None:
        self.tree = tree
        self.events = events
        self.begin = f"Begin with '{example}'." if example else ""
        self.count = 0

    def build(self) -> None:
        """Read one document whose root is a map."""
        next(self.events)
        start = next(self.events)
        if type(start).__name__ == "StreamEndEvent":
            raise SpecError(
                where=f"{self.tree.name}:1",
                got="an empty file",
                allowed="a map of fields",
                remedy=self.begin,
            )
        if start.version is not None or start.tags:
            raise self._refuse(start, "a directive (%)", "YAML 1.2 without directives")
        event = next(self.events)
        if type(event).__name__ != "MappingStartEvent":
            kind = "a list" if type(event).__name__ == "SequenceStartEvent" else "a single value"
            raise self._refuse(event, f"{kind} at the top", "a map of fields at the top", self.begin)
        self.tree.lines[()] = event.start_mark.line + 1
        self.tree.data = self._value(event, (), 0)
        next(self.events)
        end = next(self.events)
        if type(end).__name__ != "StreamEndEvent":
            raise self._refuse(end, "a second document", "one document in a file", "Remove everything from '---' on.")

    def _refuse(self, event: Any, got: str, allowed: str, remedy: str = "") -> SpecError:
        where = f"{self.tree.name}:{event.start_mark.line + 1}"
        return SpecError(where=where, got=got, allowed=allowed, remedy=remedy)

    def _refuse_alias(self, event: Any) -> None:
        if type(event).__name__ == "AliasEvent" or getattr(event, "anchor", None) is not None:
            raise self._refuse(
                event, "an anchor or alias (& or *)", "values written out", "Write the value where it is used."
            )

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            raise self._refuse(event, f"the tag {event.tag}", "plain values without tags (!)", "Remove the tag.")

    def _value(self, event: Any, location: Location, depth: int) -> Any:
        self.count += 1
        if self.count > _MAX_VALUES:
            raise self._refuse(event, f"more than {_MAX_VALUES} values", f"at most {_MAX_VALUES} values in a file")
        if depth > _MAX_DEPTH:
            raise self._refuse(event, f"a value {depth} levels deep", f"at most {_MAX_DEPTH} levels")
        kind = type(event).__name__
        self._refuse_alias(event)
        self._refuse_tag(event)
        if kind == "MappingStartEvent":
            return self._map(location, depth)
        if kind == "SequenceStartEvent":
            return self._list(location, depth)
        return self._scalar(event, location)

    def _list(self, location: Location, depth: int) -> list[Any]:
        items: list[Any] = []
        while type(event := next(self.events)).__name__ != "SequenceEndEvent":
            here = (*location, len(items))
            self.tree.lines[here] = event.start_mark.line + 1
            items.append(self._value(event, here, depth + 1))
        return items

    def _map(self, location: Location, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            key = self._key(event)
            here = (*location, key)
            is_repeated = key in items
            first_line = self.tree.lines.get(here, 0)
            if is_repeated:
                where = f"{self.tree.name}:{event.start_mark.line + 1}: {field_path(here)}"
                allowed = f"each key once; it is on line {first_line} already"
                self._note(where, "this key again", allowed, "Remove one.")
            else:
                self.tree.lines[here] = event.start_mark.line + 1
            value = self._value(next(self.events), here, depth + 1)
            if not is_repeated:
                items[key] = value
        return items

    def _key(self, event: Any) -> str:
        self._refuse_alias(event)
        if type(event).__name__ != "ScalarEvent":
            raise self._refuse(event, "a list or map as a key", "a name as a key")
        self._refuse_tag(event)
        if event.value == "<<":
            raise self._refuse(event, "a merge key (<<)", "values written out", "Write the fields where they are used.")
        return str(event.value)

    def _scalar(self, event: Any, location: Location) -> Any:
        text = str(event.value)
        position = _unprintable(text)
        if position is not None:
            raise self._refuse(
                event, f"the character U+{ord(text[position]):04X}", "printable text", "Remove the character."
            )
        self.tree.texts[location] = text
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > _LONGEST_NUMBER:
            return text
        if _LEADING_ZERO.fullmatch(text):
            # 017 is 15 to some readers of YAML and 17 to others; a code such as 007 is text.
            remedy = "Leave out the zeros of a number; put quotes around a code."
            self._note(self.tree.place(location), text, "a number without leading zeros", remedy)
        if _INTEGER.fullmatch(text):
            return int(text)
        value = float(text) if _FLOAT.fullmatch(text) else None
        if _NOT_FINITE.fullmatch(text) or (value is not None and not math.isfinite(value)):
            self._note(self.tree.place(location), text, "a finite number", "Write a number.")
            return 0
        return text if value is None else value

    def _note(self, where: str, got: str, allowed: str, remedy: str) -> None:
        self.tree.faults.append(SpecError(where=where, got=got, allowed=allowed, remedy=remedy))
        if len(self.tree.faults) >= _MAX_FAULTS:
            raise SpecError.from_faults(self.tree.faults)
