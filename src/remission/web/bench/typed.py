"""What a form of /design sends, laid over a draft: boxes, options, the file, a stated effect, items of lists."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData, UploadFile

from remission.errors import RemissionError
from remission.records.yaml_tree import read_tree
from remission.web.bench.check import form, options
from remission.web.bench.edit import NAME, add_item, change_text, put_block, remove_item, values_of
from remission.web.bench.store import Draft
from remission.web.problems import Fault

MOST_TEXT = 200_000
"""Longest file that is typed or pasted; the longest protocol of the library has some thousands. [character]"""
_MOST_BOX, _MOST_NAME = 10_000, 300
_FILES = ("text", "worlds", "prices")


def without_long(sent: FormData) -> tuple[FormData, tuple[Fault, ...]]:
    """What a form sent without the boxes that hold more than they may, and a fault for each of these.

    A page reads a file many times: a megabyte in one box kept a server busy for half a minute.
    """
    kept: list[tuple[str, str | UploadFile]] = []
    faults = []
    for name, value in sent.multi_items():
        most = MOST_TEXT if name in _FILES else _MOST_BOX
        if isinstance(value, str) and (len(value) > most or len(name) > _MOST_NAME):
            where = name.removeprefix("p:")
            where = options().get(where.removeprefix("o:"), {}).get("option", where)
            faults.append(
                Fault(
                    where=where[:80],
                    got=f"{len(value):,} characters" if len(value) > most else f"a name of {len(name):,} characters",
                    allowed=f"at most {most:,} characters",
                    remedy="Nothing of this box was kept; the others were.",
                )
            )
        else:
            kept.append((name, value))
    return FormData(kept), tuple(faults)


def read_typed(draft: Draft, sent: FormData, do: str, what: str) -> tuple[str, dict[str, Any]]:
    """The file and the options of a draft with what was typed; ``do`` adds or removes ``what``.

    Raises SpecError: the file cannot be changed box by box, because it is no YAML.
    """
    asked = {name: value for name, value in draft.asked.items() if value}
    if "text" in sent:
        text = str(sent["text"]).replace("\r\n", "\n")
        return (text if text.endswith("\n") or not text else f"{text}\n"), asked
    if "worlds" in sent:
        return draft.protocol, {**asked, "worlds": str(sent["worlds"]).replace("\r\n", "\n")}
    if "whose" in sent:
        asked |= _asked(sent)
    text = change_text(draft.protocol, _changes(draft.protocol, sent, is_same=asked.get("same_days", "yes") == "yes"))
    whose = str(sent.get("whose", asked.get("whose", "chain")))
    if whose in form()["whose"]:
        text, asked = _own_effect(text, {**asked, "whose": whose})
    if do == "add":
        text = add_item(text, what)
    elif do == "remove":
        text = remove_item(text, what)
    return text, {name: value for name, value in asked.items() if value}


def _asked(sent: FormData) -> dict[str, str]:
    given = {name[2:]: str(value).strip() for name, value in sent.multi_items() if name.startswith("o:")}
    # A box that is not ticked is not sent.
    found = {name: "" for name, one in options().items() if one.get("kind") == "flag"}
    found |= {name: value for name, value in given.items() if name in options()}
    return {**found, "same_days": "yes" if sent.get("same_days") else "no"}


def _changes(text: str, sent: FormData, *, is_same: bool) -> dict[str, str]:
    """The values that differ from those of the file, by path."""
    before = known_of(text)
    found = {
        name[2:]: str(value).strip()
        for name, value in sent.multi_items()
        if name.startswith("p:") and str(value).strip() != before.get(name[2:], "")
    }
    if is_same:
        found = {**_same_days(found, before), **found}
    return found


def known_of(text: str) -> dict[str, str]:
    """The values of a file by path; none where it is no YAML."""
    try:
        return values_of(read_tree(text, name=NAME))
    except RemissionError:
        return {}


def _same_days(changes: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """The days of an infusion in the other courses, where it was moved in one: who knows the day knows the arm."""
    found: dict[str, str] = {}
    for path, value in changes.items():
        parts = path.split(".")
        if parts[0] == "drugs" and len(parts) > 3 and parts[-1] in {"day", "low", "mode", "high"}:
            rest = ".".join(parts[2:])
            others = (one for one in before if one.startswith("drugs.") and one.split(".", 2)[2] == rest)
            found |= dict.fromkeys(others, value)
    return found


def _own_effect(text: str, asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A stated effect in the file where the effect is one's own, and none where it is not; what was stated is kept."""
    try:
        has = read_tree(text, name=NAME).data.get("effect") is not None
    except RemissionError:
        return text, asked
    wants = asked["whose"] == "mine"
    if has and not wants:
        return put_block(text, "effect", None), {**asked, "stated": _block_of(text)}
    if wants and not has:
        return put_block(text, "effect", str(asked.get("stated") or "effect: {law: difference}\n")), asked
    return text, asked


def _block_of(text: str) -> str:
    """The lines of the block ``effect``."""
    lines = text.splitlines(keepends=True)
    start = next((place for place, line in enumerate(lines) if line.startswith("effect:")), len(lines))
    inside = next(
        (at for at in range(start + 1, len(lines)) if lines[at].strip() and not lines[at][0].isspace()), len(lines)
    )
    return "".join(lines[start:inside])
