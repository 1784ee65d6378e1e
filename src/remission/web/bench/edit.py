"""A protocol file changed field by field: comments and order stay, and only what was typed is different.

A path is that of a fault, ``drugs.ketamine.infusions[1].dose``; ``*`` stands for every name or place.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from io import StringIO
from typing import Any

from remission.errors import SpecError
from remission.records.faults import field_path, parse_path
from remission.records.yaml_tree import Tree, read_tree

Location = tuple[str | int, ...]
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})?\.[0-9]{1,15}")
_WORDS = {"true": True, "false": False}
NAME = "protocol.yaml"
_MOST_LEVELS = 20


def values_of(tree: Tree) -> dict[str, str]:
    """Every value of a file as it is typed, by path; a list of plain values is one, with commas."""
    found: dict[str, str] = {}
    for location, text in tree.texts.items():
        if location and isinstance(location[-1], int):
            above = field_path(location[:-1])
            found[above] = f"{found[above]}, {text}" if above in found else text
        found[field_path(location)] = text
    return found


def expand(pattern: str, data: Any) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The paths of a pattern in some data, each with the names or places that ``*`` stood for.

    The last part of a pattern need not be there: a field that is left out has a path as well.
    """
    parts = tuple(part or "*" for part in re.findall(r"[^.\[\]]+", pattern))

    def walk(here: Any, location: Location, stars: tuple[str | int, ...], left: tuple[str, ...]) -> Iterator[Any]:
        if not left:
            yield field_path(location), stars
            return
        part, rest = left[0], left[1:]
        if part == "*":
            keys = here if isinstance(here, Mapping) else range(len(here)) if isinstance(here, list) else ()
            for key in keys:
                yield from walk(here[key], (*location, key), (*stars, key), rest)
        elif isinstance(here, Mapping) and part in here:
            yield from walk(here[part], (*location, part), stars, rest)
        elif isinstance(here, Mapping) and "*" not in rest:
            yield field_path((*location, part, *rest)), stars

    yield from walk(data, (), (), parts)


def change_text(text: str, changes: Mapping[str, str]) -> str:
    """The file with some values changed; an empty one is taken out. A path that is not there is made.

    Raises SpecError: the text is no YAML of the strict kind.
    """
    tree = read_tree(text, name=NAME)
    known = values_of(tree)
    wanted = {path: typed.strip() for path, typed in changes.items() if known.get(path, "") != typed.strip()}
    if not wanted:
        return text
    document = _load(text)
    for path, typed in wanted.items():
        for one, _ in expand(path, document) if "*" in path else ((path, ()),):
            location = parse_path(one)
            if len(location) > _MOST_LEVELS:
                raise SpecError(
                    where=path[:80], got=f"{len(location)} levels", allowed=f"at most {_MOST_LEVELS} levels of a file"
                )
            if location:
                _put(document, location, typed)
    return _text(document)


def add_item(text: str, path: str) -> str:
    """The file with one more item at the end of a list: as the last one, later."""
    document = _load(text)
    items = _at(document, parse_path(path))
    if not isinstance(items, list) or not items:
        raise SpecError(where=path, got="no list with an item", allowed="a list of the file")
    item = deepcopy(items[-1])
    if isinstance(item, dict):
        if isinstance(item.get("infusion"), int):
            item["infusion"] += 1
        elif isinstance(item.get("day"), int):
            item["day"] += 7
    items.append(item)
    return _text(document)


def remove_item(text: str, path: str) -> str:
    """The file without an item of a list; the last one that is left stays."""
    document = _load(text)
    *above, place = parse_path(path)
    items: Any = _at(document, tuple(above))
    if not isinstance(items, list) or not isinstance(place, int) or not 0 <= place < len(items) or len(items) < 2:
        raise SpecError(where=path, got="nothing that can go", allowed="an item of a list with more than one")
    gone = items.pop(place)
    # The first infusion has a day and not a gap.
    first: Any = items[0]
    if place == 0 and isinstance(first, dict) and "gap" in first and isinstance(gone, dict) and "day" in gone:
        first.pop("gap")
        first["day"] = gone["day"]
    return _text(document)


def put_block(text: str, name: str, block: str | None) -> str:
    """The file with a block of its top level exchanged for another YAML text, or without it."""
    document = _load(text)
    document.pop(name, None)
    if block:
        document[name] = _load(block)[name]
    return _text(document)


def _load(text: str) -> Any:
    from ruamel.yaml import YAML

    # Never what the strict reader refuses: anchors, tags, a file that grows when it is read.
    read_tree(text, name=NAME)
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    return yaml.load(text)


def _text(document: Any) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 10_000  # a folded line would end in a space
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _at(document: Any, location: Location) -> Any:
    for part in location:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _put(document: Any, location: Location, typed: str) -> None:
    from ruamel.yaml.comments import CommentedSeq

    here = _inside(document, location[:-1], makes=bool(typed))
    last = location[-1]
    if _has_parts(_at(here, (last,))):
        # A box holds one value: a part of the file with fields of its own is never exchanged for it.
        return
    if isinstance(here, list):
        if isinstance(last, int) and last < len(here):
            here[last] = _value(typed)
    elif isinstance(here, dict):
        if not typed:
            here.pop(last, None)
        elif isinstance(here.get(last), list):
            items = CommentedSeq([_value(one.strip()) for one in typed.strip("[]").split(",") if one.strip()])
            items.fa.set_flow_style()
            here[last] = items
        else:
            here[last] = _value(typed)


def _inside(document: Any, location: Location, *, makes: bool) -> Any:
    """The part of a file at a location; one that is missing in a map is made where there is something to put there."""
    from ruamel.yaml.comments import CommentedMap

    here = document
    for part in location:
        if isinstance(here, dict) and part not in here and makes:
            here[part] = CommentedMap()
        here = _at(here, (part,))
    return here


def _has_parts(there: Any) -> bool:
    return isinstance(there, dict) or (isinstance(there, list) and any(isinstance(one, dict | list) for one in there))


def _value(typed: str) -> Any:
    """What a text means in YAML, read as the strict reader reads it; what is no number stays text."""
    if _WHOLE.fullmatch(typed):
        return int(typed)
    if _NUMBER.fullmatch(typed):
        return float(typed)
    return _WORDS.get(typed, typed)
