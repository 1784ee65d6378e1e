"""Protocol files: YAML in, a protocol or every fault with its line out; and a protocol as YAML, as understood."""

import re
from collections.abc import Mapping
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import Any, Final

from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.packaged import packaged_toml
from remission.records.record_file import record_of
from remission.records.yaml_tree import Tree, read_tree, read_tree_file

# Lines that a literal block gives back as they are: no tab or space at an end, no space at the very beginning.
_IS_BLOCK: Final = re.compile(r"(?! )(?:(?:[^\t\r\n]*[^\s])?\n)+")


def read_protocol(path: str | PathLike[str], *, is_stored: bool = False) -> Protocol:
    """The protocol in a file.

    Parameters
    ----------
    path
        A YAML file of at most 1 MB; a larger one is refused by its size, unread.
    is_stored
        Whether the program itself stored it in a run, perhaps before a line of it was refused.

    Raises
    ------
    SpecError
        The file cannot be read or is not a valid protocol; ``faults`` holds every fault with file, line and field.
    """
    file = Path(path)
    if file.suffix.lower() == ".toml":
        raise SpecError(
            where=str(path),
            got="a TOML file",
            allowed="a YAML file",
            remedy="Write the protocol as YAML; docs/how-to/write-a-protocol.md shows how.",
        )
    tree = read_tree_file(file, what="a protocol file", example="id: my-trial")
    return _protocol_of(tree, is_stored=is_stored, folder=file.parent)


def parse_protocol(text: str, *, name: str) -> Protocol:
    """The protocol in a YAML text.

    Parameters
    ----------
    text
        The content of a protocol file. Quantities carry their unit: ``dose: 0.5 mg/kg``.
    name
        Name of the file for messages.

    Raises
    ------
    SpecError
        The text is not a valid protocol; ``faults`` holds every fault, each with file, line and field.
    """
    return _protocol_of(read_tree(text, name=name))


def _protocol_of(tree: Tree, *, is_stored: bool = False, folder: Path | None = None) -> Protocol:
    return record_of(Protocol, tree, context={"stored": is_stored, "folder": folder})


def write_protocol(protocol: Protocol) -> str:
    """A protocol as YAML, as understood: every field with its unit, defaults included, in a fixed order.

    :func:`parse_protocol` reads it back as an equal protocol.
    """
    from ruamel.yaml import YAML

    data = protocol.model_dump(mode="json", by_alias=True, exclude_none=True, context={"with_units": True})
    for therapy in data["therapies"].values():
        therapy["sessions"] = [
            {name: value for name, value in session.items() if name != "offset_days" or "infusion" in session}
            for session in therapy["sessions"]
        ]
    document = _commented(data)
    for name, comment in packaged_toml("words", "protocol.toml")["sections"].items():
        if name in document:
            document.yaml_set_comment_before_after_key(name, before=comment)
    yaml = YAML(typ="rt")
    yaml.width = 10_000  # a folded line would end in a space
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _commented(value: Any) -> Any:
    """The data as ruamel's commented maps and lists, small ones on one line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, Mapping):
        block = CommentedMap({name: _commented(item) for name, item in value.items()})
        if _is_small(value):
            block.fa.set_flow_style()
        return block
    if isinstance(value, list):
        items = CommentedSeq([_commented(item) for item in value])
        if all(not isinstance(item, Mapping | list) and len(str(item)) < 16 for item in value):
            items.fa.set_flow_style()
        return items
    if isinstance(value, str) and "\n" in value and _IS_BLOCK.fullmatch(value):
        return LiteralScalarString(value)
    return value


def _is_small(value: Mapping[str, Any]) -> bool:
    flat = all(not isinstance(item, Mapping | list) for item in value.values())
    return flat and sum(len(name) + len(str(item)) + 4 for name, item in value.items()) < 70
