"""Effects from files, from protocols, and changed on a command line."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from remission.errors import SpecError
from remission.records.effect import EffectFile
from remission.records.faults import located_faults
from remission.records.yaml_tree import MAX_BYTES, Tree, read_tree, read_tree_file

_WHAT = "a YAML file of an effect"
_FIRST = "format: remission/effect/1"
_TOP = re.compile(r"^([a-z_]+):[ \t]*[\"']?([^\s\"'#]*)", re.MULTILINE)


def is_effect_file(name: str) -> bool:
    """Whether a name is that of a file that says it states an effect, or that states one and no arms."""
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        return False
    text = _beginning(path)
    starts = {match[1]: match[2] for match in _TOP.finditer(text)}
    return starts.get("format", "").startswith("remission/effect/") or ("effect" in starts and "arms" not in starts)


def _beginning(path: Path) -> str:
    """The beginning of a file as text, whatever it holds; who reads it as an effect says what is wrong with it."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES).decode("utf-8", errors="replace")


def read_effect(source: str | Path | Mapping[str, Any]) -> EffectFile:
    """The effect of a file, or of its fields.

    Raises ``SpecError``: it cannot be read, or something in it is wrong; every fault of a file has its line and field.
    """
    if isinstance(source, Mapping):
        return EffectFile.from_dict(dict(source))
    tree = read_tree_file(source, what=_WHAT, example=_FIRST)
    return _validated(tree)


def _validated(tree: Tree) -> EffectFile:
    try:
        found = EffectFile.model_validate(tree.data)
    except ValidationError as error:
        faults = [
            SpecError(where=tree.place(place), got=fault.got, allowed=fault.allowed, remedy=fault.remedy)
            for place, fault in located_faults(error, EffectFile)
        ]
        raise SpecError.from_faults([*tree.faults, *faults]) from None
    SpecError.check(tree.faults)
    return found


def changed_fields(effect: Any, changes: Sequence[str]) -> Any:
    """The effect of a protocol with fields set by ``name=value``; errors as :func:`changed_effect`."""
    data = {"effect": effect.to_dict()}
    _change(data, changes, "effect.")
    try:
        return type(effect).from_dict(data["effect"])
    except SpecError as error:
        raise SpecError.from_faults(
            [
                SpecError(where=f"--set effect.{one.where.partition('.')[2]}", got=one.got, allowed=one.allowed,
                          remedy=one.remedy)
                for one in error.faults
            ]
        ) from None  # fmt: skip


def changed_effect(effect: EffectFile, changes: Sequence[str]) -> EffectFile:
    """The effect with fields set by ``name=value``: ``difference=4``, ``sd.control=12``, ``people=200``.

    Raises ``SpecError``: a text says something else, a name twice, or the changed effect would be wrong.
    """
    data = effect.to_dict()
    _change(data, changes, "")
    try:
        return EffectFile.from_dict(data)
    except SpecError as error:
        raise SpecError.from_faults(
            [
                SpecError(where=f"--set, {one.where.removeprefix('effectfile.')}", got=one.got, allowed=one.allowed,
                          remedy=one.remedy)
                for one in error.faults
            ]
        ) from None  # fmt: skip


def _change(data: dict[str, Any], changes: Sequence[str], before: str) -> None:
    """Values put at their places; ``before``: what the reader wrote before each name."""
    known: set[str] = set()
    for change in changes:
        name, equals, text = (part.strip() for part in change.partition("="))
        told = f"--set {before}{change}"
        if not equals or not name or not text:
            raise SpecError(where=told, got=text or "nothing", allowed="name=value, such as difference=4")
        if name in known:
            raise SpecError(where=told, got=f"{name} again", allowed="each name once",
                            remedy="Only one of the two could be used.")  # fmt: skip
        known.add(name)
        _put(data, name.split("."), read_tree(f"value: {text}", name=told).data["value"], told)


def _put(data: dict[str, Any], path: list[str], value: Any, change: str) -> None:
    """A value at its place: of the file where that has the name, else of the effect."""
    if path[0] not in EffectFile.model_fields:
        path = ["effect", *path]
    here: Any = data
    for name in path[:-1]:
        if not isinstance(here.get(name), dict):
            here[name] = {}
        here = here[name]
    if path[0] == "effect" and len(path) == 2 and path[1] not in here:
        raise SpecError(where=change, got=path[1], allowed=f"one of {', '.join(here)}")
    here[path[-1]] = deepcopy(value)


def effect_text(effect: EffectFile) -> str:
    """The file of an effect, without what it does not say."""
    from io import StringIO

    from ruamel.yaml import YAML

    def said(fields: Any) -> Any:
        if isinstance(fields, dict):
            return {name: said(value) for name, value in fields.items() if value is not None}
        return list(fields) if isinstance(fields, tuple) else fields

    stream, yaml = StringIO(), YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(said(effect.to_dict()), stream)
    return stream.getvalue()
