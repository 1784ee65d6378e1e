"""The reference page and the JSON schema of a plan of an analysis, written from its records: make pages."""

import inspect
import re
from pathlib import Path
from typing import Any

from remission.exchange.study_plan import study_plan_schema_text
from remission.records import study_plan
from remission.records.analysis_methods import METHODS
from remission.records.base import Record
from remission.records.endpoint_kinds import Scale
from remission.records.study_plan import StudyPlan

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "analysis-plan.md"
SCHEMA = ROOT / "docs" / "reference" / "analysis-plan.schema.json"
_RECORDS = ("StudyPlan", "StudyFile", "PlannedVisit", "PlannedArm", "Covariate", "Measure", "PlannedEvent",
            "PlannedEstimand", "PlannedAnalysis", "Sides")  # fmt: skip
_HEAD = """# The plan of an analysis

Made by `make pages`; do not edit.
[How to analyze your trial](../how-to/analyze-your-trial.md) shows one at work.
`analysis-plan.schema.json` beside this page is for editors and other programs.
A plan is YAML, read as strictly as a protocol: a field that is unknown, read by nothing, or contradicted is refused.
"""
_PLAIN = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}


def page_text() -> str:
    """The page."""
    parts = [_HEAD]
    for name in _RECORDS:
        record: type[Record] = getattr(study_plan, name)
        first, meanings = _told(record)
        parts += [f"## {name}\n", f"{first}\n", "| field | value | default | meaning |", "|---|---|---|---|"]
        own = record.model_json_schema(by_alias=True)["properties"]
        for field, schema in own.items():
            default = "required" if record.model_fields[field].is_required() else _default(schema.get("default"))
            meaning = meanings.get(
                field, "[as in a protocol](protocol-file.md#analysis)" if name == "PlannedAnalysis" else ""
            )
            parts.append(f"| `{field}` | {_kind(schema)} | {default} | {meaning} |")
        parts.append("")
    parts += ["## Which method takes which measure\n", "| measure | methods |", "|---|---|"]
    for scale in Scale.__args__:  # type: ignore[attr-defined]  # a literal
        fitting = ", ".join(f"`{method}`" for method, facts in METHODS.items() if scale in facts.measures)
        parts.append(f"| `{scale}` | {fitting} |")
    visits = ", ".join(f"`{method}`" for method, facts in METHODS.items() if facts.at_visits)
    parts += ["", f"{visits} read every visit after day 0; the others one, the last unless `visit_day` names it.", ""]
    return "\n".join(parts)


def _told(record: type[Record]) -> tuple[str, dict[str, str]]:
    """The first paragraph of a docstring, and the meaning of each field that it names."""
    text = re.sub(r"``([^`]*)``", r"`\1`", inspect.getdoc(record) or "")
    first, _, rest = text.partition("\n\n")
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in rest.splitlines():
        if re.match(r"\w+(, \w+)*$", line):
            names = line.strip().split(", ")
            meanings |= dict.fromkeys(names, "")
        elif line.startswith("    ") and names:
            meanings |= {name: f"{meanings[name]} {line.strip()}".strip() for name in names}
    return " ".join(first.split()), meanings


def _default(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(schema: dict[str, Any]) -> str:
    """The values of a field in words."""
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    words = []
    for one in kinds:
        if "enum" in one:
            words.append(", ".join(f"`{value}`" for value in one["enum"]))
        elif "const" in one:
            words.append(f"`{one['const']}`")
        elif "$ref" in one:
            words.append(_link(one["$ref"]))
        elif one.get("type") == "array":
            words.append(f"a list of {_kind(one['items'])}" if "items" in one else "a list")
        elif one.get("type") == "object":
            words.append("a block of names and values")
        else:
            words.append(
                {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}.get(
                    one.get("type", ""), "text"
                )
            )
    return " or ".join(dict.fromkeys(words))


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})" if name in _RECORDS else f"[{name}](protocol-file.md#{name.lower()})"


if __name__ == "__main__":
    assert set(StudyPlan.model_fields)
    PAGE.write_text(page_text(), encoding="utf-8")
    SCHEMA.write_text(study_plan_schema_text(), encoding="utf-8")
