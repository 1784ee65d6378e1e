"""What the protocol files of the library say, as plain data, into the library (``make pages``).

The program reads a file itself where this is not here, or is of another text.
"""

import json
from pathlib import Path

from remission.files import write_text
from remission.library.protocols import digest_of, list_protocols, protocol_text
from remission.records.yaml_tree import read_tree

PLACE = Path(__file__).resolve().parent.parent / "src" / "remission" / "library" / "protocols" / "as_read.json"


def protocols() -> dict[str, object]:
    """By name: the sum of the file's text, and its data."""
    texts = {name: protocol_text(name) for name in list_protocols()}
    return {name: {"of": digest_of(text), "data": read_tree(text, name=name).data} for name, text in texts.items()}


def main() -> None:
    """Read and write."""
    rows = (f"{json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in protocols().items())
    write_text(PLACE, "{\n" + ",\n".join(rows) + "\n}\n", replace=True)


if __name__ == "__main__":
    main()
