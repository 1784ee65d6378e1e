"""The JSON Schema of a protocol file, for editors and other programs.

It says what one field can say: names, types, ranges, units of quantities. What holds between fields (a day within the
follow-up, a name defined elsewhere in the file) is checked by the reader only.
"""

import json
from typing import Any

from remission.protocol.record import Protocol


def schema_text() -> str:
    """The schema as the file that is published."""
    return json.dumps(protocol_json_schema(), indent=2, ensure_ascii=True) + "\n"


def protocol_json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of a file that :func:`~remission.protocol.file.read_protocol` reads."""
    schema = Protocol.model_json_schema(by_alias=True, mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:remission:protocol:1",
        **schema,
        "title": "Protocol file of remission",
    }
