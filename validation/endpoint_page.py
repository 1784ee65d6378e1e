"""Write ``docs/reference/endpoints.md``: every named endpoint with its rule, source and grade.

Usage: ``python validation/endpoint_page.py``. A contract test holds the page to the catalogue.
"""

import json
from pathlib import Path

from remission.library.endpoints import NamedEndpoint, list_endpoints
from remission.library.references import load_reference

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "endpoints.md"

GROUPS = {
    "diary": "From the diary",
    "alcohol": "From amounts of alcohol",
    "visits": "From visits",
    "sessions": "From dosing sessions",
    "mood": "From ratings of depression",
    "craving": "From marks of craving",
    "test": "From single tests",
    "weekly": "From weekly words of tests",
}


_HEAD = """\
# Endpoints

Generated from the catalogue; do not edit.
A protocol uses one of these {count} with `definition: NAME`.
`remission endpoints run` computes them of real and simulated people ([how](../how-to/compute-endpoints.md)).
Rules for what is missing are those of [the protocol file](protocol-file.md#endpoint).
The grade *measured* means that the definition was read in its source.
*Derived* means that it was read in CTNote and not in the source.
*Unverified* means that it is in general use and no source of it was read.
Weekly definitions name weeks of the window.
CTNote made many of them shorter, because the trials of CTN-0094 have 15 weeks in common.
"""


def page() -> str:
    """The whole page as text."""
    found = list_endpoints()
    lines = _HEAD.format(count=len(found)).splitlines()
    for group, title in GROUPS.items():
        lines += ["", f"## {title}", ""]
        lines += ["| id | one person's number | unit | missing | rule | grade | source | in CTNote |"]
        lines += ["|---|---|---|---|---|---|---|---|"]
        lines += [_row(one) for one in found if one.group == group]
    notes = [one for one in found if one.source_note]
    lines += ["", "## Notes", "", *(f"- `{one.id}`: {one.source_note}" for one in notes), "", "## Sources", ""]
    for key in sorted({one.citation for one in found}):
        reference = load_reference(key)
        lines.append(f"- **{key}**: {reference.text} {reference.note}".rstrip())
    return "\n".join(lines) + "\n"


def _row(one: NamedEndpoint) -> str:
    rule = "; ".join(
        f"{name.replace('_', ' ')} {_words(value)}"
        for key, value in one.fields.items()
        if key not in {"kind", "missing"}
        for name, value in (value.items() if isinstance(value, dict) else [(key, value)])
    )
    arrow = "higher" if one.facts.higher_is_better else "lower"
    return (
        f"| `{one.id}` | {one.variable} ({arrow} is better) | {one.facts.unit} | {one.fields['missing']} | {rule} | "
        f"{one.grade.value} | {one.citation} | {one.ctnote} |"
    )


def _words(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "and ".join(_criterion(one) for one in value)
    return json.dumps(value, ensure_ascii=False).strip('"')


def _criterion(one: dict[str, object]) -> str:
    rest = ", ".join(f"{name.replace('_', ' ')} {item}" for name, item in one.items() if name not in {"first", "last"})
    return f"(weeks {one['first']} to {one['last']}: {rest}) "


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
