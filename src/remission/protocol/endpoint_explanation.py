"""An endpoint in one sentence: what is computed over which days, by which rules."""

from typing import Final

from remission.records.base import Record
from remission.records.endpoint import Endpoint

__all__ = ["explain_endpoint"]

_MISSING: Final = {
    "observed": "what is not observed is left out",
    "use": "what is not observed counts as use",
    "carried": "the last observation stands for what is not observed",
    "weighted": "what is not observed counts as a part of a day of use",
    "abstinent": "what is not observed counts as abstinence",
    "usual": "the person's usual result stands for what is not observed",
    "neighbors": "the mean of the weeks before and after stands for a week that is not observed",
    "complete": "who was not seen on every day has no value",
    "kept": "a missed test stays a missed test",
}

_LEAVING: Final = {
    "days_to_relapse_or_dropout": "leaving is an event",
    "days_in_study": "leaving is the event",
    "completed": "who leaves has not completed",
}

_SAID: Final = {
    "missing_weight": "that part is {}",
    "grace_days": "use on the first {} days does not count",
    "length_days": "only the last {} days count",
    "failure": "use counts from {}",
    "verification": "a positive {} is use too",
    "baseline": "compared with days {0.first} to {0.last}",
    "risk_levels": "levels to come down: {}",
    "weekly": "weeks by {}",
    "definition": "as defined by '{}'",
}


def explain_endpoint(endpoint: Endpoint) -> str:
    """What will be computed, as understood, in plain words."""
    window = f"days {endpoint.window.first} to {endpoint.window.last}"
    said = [_LEAVING.get(endpoint.kind, _MISSING[endpoint.missing])]
    for name, text in _SAID.items():
        value = getattr(endpoint, name)
        if value != Endpoint.model_fields[name].default:
            said.append(text.format(_plain(value) if name in {"failure", "weekly"} else value))
    return f"{endpoint.label} ({endpoint.id}): {endpoint.kind.replace('_', ' ')}, {window}; {'; '.join(said)}."


def _plain(record: Record) -> str:
    """The fields of a record that say something, in words."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in record.to_dict().items()) or "nothing else"
