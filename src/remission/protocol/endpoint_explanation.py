"""An endpoint in one sentence: what is computed over which days, by which rules."""

from remission.records.base import Record
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.packaged import packaged_toml

_WORDS = packaged_toml("words", "protocol.toml")


def explain_endpoint(endpoint: Endpoint) -> str:
    """What will be computed, as understood, in plain words."""
    window = f"days {endpoint.window.first} to {endpoint.window.last}"
    facts = KINDS[endpoint.kind]
    said = [
        facts.leaving
        or _WORDS["missing_of"].get(facts.needs, {}).get(endpoint.missing, _WORDS["missing"][endpoint.missing])
    ]
    for name, text in _WORDS["endpoint"].items():
        value = getattr(endpoint, name)
        if value != Endpoint.model_fields[name].default:
            said.append(text.format(_plain(value) if isinstance(value, Record) and name != "baseline" else value))
    return f"{endpoint.label} ({endpoint.id}): {endpoint.kind.replace('_', ' ')}, {window}; {'; '.join(said)}."


def _plain(record: Record) -> str:
    """The fields of a record that say something, in words."""
    data = record.model_dump(mode="json", by_alias=True, exclude_none=True, context={"with_units": True})
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in data.items()) or "nothing else"
