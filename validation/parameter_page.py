"""Write ``docs/reference/parameters.md``: every number of the library with unit, grade, source and note.

Usage: ``python validation/parameter_page.py``. A contract test holds the page to the library.
"""

from pathlib import Path

from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.library.references import load_reference
from remission.records.parameter import MODEL_FORM

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "parameters.md"


def page() -> str:
    """The whole page as text."""
    lines = [
        "# Every number of the library",
        "",
        "Generated from the library; do not edit.",
        "Grades: measured, derived, assumed, placeholder, unverified ([what they mean](../explanation/chain.md)).",
        "A unit of 1 marks a number without a unit.",
    ]
    keys: set[str] = set()
    for name in list_parameter_sets():
        found = load_parameter_set(name)
        lines += ["", f"## {name}", "", f"{found.title}.", *([found.note] if found.note else []), ""]
        under = found.attributes.get("posterior") and {one.id: one for one in load_parameter_set(MODEL_FORM).parameters}
        lines += ["| id | symbol | value | unit | grade | source | note |", "|---|---|---|---|---|---|---|"]
        for parameter in found.parameters:
            if under and under.get(parameter.id) == parameter:
                continue  # it stands once, with its own set
            keys.add(parameter.source)
            printed = (
                f" Printed: {parameter.printed_value:g} {parameter.printed_unit}." if parameter.printed_unit else ""
            )
            interval = (
                f" Range {parameter.low:g} to {parameter.high:g}."
                if parameter.low is not None and parameter.high is not None
                else ""
            )
            note = f"{parameter.note}{printed}{interval}".strip().replace("|", "\\|")
            lines.append(
                f"| `{parameter.id}` | {parameter.symbol} | {parameter.value:.6g} | {parameter.unit} | "
                f"{parameter.grade.value} | {parameter.source} | {note} |"
            )
    lines += ["", "## Sources", ""]
    for key in sorted(keys):
        reference = load_reference(key)
        lines.append(f"- **{key}**: {reference.text} {reference.note}".rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
