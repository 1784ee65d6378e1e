"""The state of /design: what a draft says field by field, in a sentence, on a timeline and as a command."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from shlex import join
from typing import Any, get_args

from remission.errors import RemissionError
from remission.records.analysis_methods import METHODS
from remission.records.base import Record
from remission.records.endpoint_kinds import KINDS
from remission.records.faults import parse_path
from remission.records.substance import Substance
from remission.records.therapy_kinds import THERAPIES
from remission.records.treatment import DrugCourse
from remission.records.yaml_tree import Tree, read_tree
from remission.web.bench.check import Checked, check_design, form
from remission.web.bench.drawing import ArmRow, Contact
from remission.web.bench.edit import NAME, expand, values_of
from remission.web.problems import Fault


class Field(Record):
    """One box of the form. ``name``: ``p:`` and a path of the file, or ``o:`` and an option."""

    name: str
    label: str
    value: str
    hint: str = ""
    choices: tuple[str, ...] = ()
    is_flag: bool = False
    is_long: bool = False
    fault: str = ""
    removes: str = ""


class Step(Record):
    """One step of the form: its boxes, and what can be added."""

    id: str
    title: str
    summary: str
    fields: tuple[Field, ...]
    adds: tuple[tuple[str, str], ...] = ()
    n_faults: int = 0


class State(Record):
    """A draft, read.

    words
        Parts of the sentence: plain text, or a box by its name.
    others
        Faults that belong to no box: of the file as a whole.
    """

    title: str
    whose: str
    words: tuple[tuple[str, str], ...]
    boxes: dict[str, Field]
    steps: tuple[Step, ...]
    own: tuple[Field, ...]
    arms: tuple[ArmRow, ...]
    visits: tuple[int, ...]
    follow_up_days: int
    command: str
    faults: tuple[Fault, ...]
    others: tuple[Fault, ...]
    person_days: int
    is_readable: bool


def state_of(text: str, asked: Mapping[str, Any], folder: Path | None = None) -> tuple[State, Checked]:
    """Everything that the page shows of a draft; a text that is no YAML has no fields and says so.

    ``folder``: where diaries and prices of the draft lie.
    """
    checked = check_design(text, asked, folder)
    try:
        tree = read_tree(text, name=NAME)
    except RemissionError:
        tree = Tree(name=NAME, data={})
    data, known = tree.data, values_of(tree)
    choices = _choices(data)
    by_path, others = placed(checked.faults)
    whose = _whose(data, asked)
    steps = []
    for one in form()["step"]:
        fields = sorted(fields_of(one["fields"], data, known, choices, by_path), key=partial(_line, tree))
        fields += _options(one, asked, choices, by_path)
        steps.append(
            Step(
                id=one["id"],
                title=one["title"],
                summary=_summary(one["id"], data, asked),
                fields=tuple(fields),
                adds=tuple(_adds(one["id"], data)),
                n_faults=sum(bool(box.fault) for box in fields),
            )
        )
    law = str((data.get("effect") or {}).get("law", "")) if isinstance(data.get("effect"), dict) else ""
    mine = [one for one in form()["whose"]["mine"]["fields"] if "law" not in one or law in one["law"].split()]
    own = (*fields_of(mine, data, known, choices, by_path),) if whose == "mine" else ()
    own += tuple(_options(form()["whose"][whose], asked, choices, by_path))
    boxes = {box.name: box for step in steps for box in step.fields} | {box.name: box for box in own}
    shown = {box.name.partition(":")[2] for box in boxes.values()}
    others += [fault for path, fault in by_path.items() if path not in shown]
    words = tuple(_sentence(data, boxes))
    name = checked.protocol.id if checked.protocol is not None else "protocol"
    words_shown = [word for word in checked.words if word not in {"--json", "--yes"}]
    command = join(("remission", "design", f"{name}.yaml", *words_shown[2:])) if checked.words else ""
    arms, visits = timeline(data)
    return State(
        title=str(data.get("title") or "A draft without a title")[:120],
        whose=whose,
        words=words,
        boxes=boxes,
        steps=tuple(steps),
        own=own,
        arms=arms,
        visits=visits,
        follow_up_days=_whole(data.get("follow_up_days"), 180),
        command=command,
        faults=checked.faults,
        others=tuple(others),
        person_days=checked.person_days,
        is_readable=bool(data),
    ), checked


def _line(tree: Tree, box: Field) -> int:
    """Where a value stands in the file; what is not in it comes last. What belongs together is together there."""
    location = parse_path(box.name[2:])
    if location in tree.lines:
        return tree.lines[location]
    beside = [line for at, line in tree.lines.items() if len(location) > 1 and at[: len(location) - 1] == location[:-1]]
    return max(beside, default=1_000_000)


def placed(faults: Sequence[Fault]) -> tuple[dict[str, Fault], list[Fault]]:
    """Faults by the path of their field or the option, and those that have none, as of a whole line."""
    found: dict[str, Fault] = {}
    others = []
    for fault in faults:
        path = fault.where.rpartition(": ")[2]
        if ".yaml" in path or path in found:
            others.append(fault)
        else:
            found[path] = fault
    return found, others


def fault_text(fault: Fault) -> str:
    """A fault beside its box."""
    allowed = fault.allowed if len(fault.allowed) < 220 else f"{fault.allowed[:200]} \u2026"
    got = "" if fault.got == "nothing" else f"; got \u201c{fault.got}\u201d"
    first = "This is needed" if fault.got == "nothing" else "Expected"
    return f"{first}: {allowed}{got}. {fault.remedy}".strip()


def fields_of(
    rows: Sequence[Mapping[str, Any]],
    data: Any,
    known: Mapping[str, str],
    choices: Mapping[str, Sequence[str]],
    faults: Mapping[str, Fault],
) -> Iterator[Field]:
    """The boxes of some rows of a form, for what is in a file."""
    for row in rows:
        for path, stars in expand(row["path"], data):
            value = known.get(path, "")
            fault = faults.get(path) or next((one for at, one in faults.items() if at.startswith(f"{path}[")), None)
            if row.get("when") and not value and fault is None:
                continue
            names = [one + 1 if isinstance(one, int) else str(one).replace("-", " ") for one in stars]
            offered = row.get("choices", ())
            offered = tuple(choices[offered]) if isinstance(offered, str) else tuple(offered)
            if offered and value and value not in offered:
                offered = (*offered, value)
            # The first box of an item of a list can take the item out.
            item = row["path"].rpartition(".")[0]
            removes = path.rpartition(".")[0] if item.endswith("[*]") and row["path"] in _FIRST else ""
            yield Field(
                name=f"p:{path}",
                label=str(row["label"]).format(*names).strip(),
                value=value,
                hint="with commas" if row.get("list") else "",
                choices=offered,
                is_long=bool(row.get("long")),
                fault="" if fault is None else fault_text(fault),
                removes=removes,
            )


_FIRST = {"drugs.*.infusions[*].dose", "therapies.*.sessions[*].offset_days"}


def _options(
    part: Mapping[str, Any], asked: Mapping[str, Any], choices: Mapping[str, Sequence[str]], faults: Mapping[str, Fault]
) -> Iterator[Field]:
    for one in part.get("options", ()):
        offered = one.get("choices", ())
        offered = ("", *choices[offered]) if isinstance(offered, str) else tuple(offered)
        fault = faults.get(one["option"])
        usual = f"usual: {one['usual']}" if one.get("usual") else ""
        value = str(asked.get(one["name"], ""))
        if one["name"] == "analysis" and len(offered) > 1:
            # The first one decides where none is named: the box says so.
            offered, value = offered[1:], value or offered[1]
        yield Field(
            name=f"o:{one['name']}",
            label=one["label"],
            value=value,
            hint=one.get("hint") or usual,
            choices=offered,
            is_flag=one.get("kind") == "flag",
            fault="" if fault is None else fault_text(fault),
        )


def _choices(data: Any) -> dict[str, Sequence[str]]:
    def ids(name: str) -> list[str]:
        part = data.get(name)
        return [str(one.get("id", "")) for one in part if isinstance(one, dict)] if isinstance(part, list) else []

    def names(name: str) -> list[str]:
        part = data.get(name)
        return ["", *map(str, part)] if isinstance(part, dict) else [""]

    return {
        "substance": [one.value for one in Substance],
        "drug": get_args(DrugCourse.model_fields["drug"].annotation),
        "therapy": sorted(THERAPIES),
        "endpoint_kind": sorted(KINDS),
        "method": sorted(METHODS),
        "endpoint": ids("endpoints"),
        "analysis": ids("analyses"),
        "drugs": names("drugs"),
        "therapies": names("therapies"),
    }


def _whose(data: Any, asked: Mapping[str, Any]) -> str:
    if data.get("effect") is not None:
        return "mine"
    return "evidence" if asked.get("whose") == "evidence" else "chain"


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000 else otherwise


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _sentence(data: Any, boxes: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    """The question as a sentence; a box where a word can be changed."""

    def box(name: str, otherwise: str) -> tuple[str, str]:
        return ("box", name) if name in boxes else ("text", otherwise)

    drugs = data.get("drugs") if isinstance(data.get("drugs"), dict) else {}
    active = next((name for name, one in drugs.items() if isinstance(one, dict) and one.get("drug") != "saline"), None)
    control = next((name for name, one in drugs.items() if name != active), None)
    yield "text", "In"
    yield box("p:population.n_subjects", "some")
    yield "text", "adults who use"
    yield box("p:substance", "a substance")
    yield "text", ","
    yield box("p:population.clean_days", "no")
    yield "text", "days without use, "
    if active is not None:
        count = len(drugs[active].get("infusions") or ())
        yield "text", f"do {_NUMBERS[count] if count < len(_NUMBERS) else count} infusion{'s' if count != 1 else ''} of"
        yield box(f"p:drugs.{active}.infusions[0].dose", "")
        yield "text", str(active).replace("-", " ")
        if control is not None:
            yield "text", f"against {str(control).replace('-', ' ')}"
    else:
        yield "text", "do the treatments"
    therapies = [str(one).replace("-", " ") for one in data.get("therapies") or ()]
    if therapies:
        yield "text", f"with {' or '.join(therapies)}"
    yield "text", "change what"
    yield box("o:analysis", "the first analysis")
    yield "text", "compares, over"
    yield box("p:follow_up_days", "the")
    yield "text", "days?"


def _summary(step: str, data: Any, asked: Mapping[str, Any]) -> str:
    """A few words beside the name of a step."""

    def count(name: str) -> int:
        return len(data.get(name) or ()) if isinstance(data.get(name), list | dict) else 0

    population = data.get("population") if isinstance(data.get("population"), dict) else {}
    match step:
        case "question":
            return str(data.get("substance", ""))
        case "people":
            return f"{population.get('n_subjects', '?')} people"
        case "arms":
            return f"{count('arms')} arms, {count('drugs')} drug courses"
        case "endpoints":
            return f"{count('endpoints')} endpoints, {count('visits')} sets of visits"
        case "missing":
            endpoints = data.get("endpoints") if isinstance(data.get("endpoints"), list) else []
            rules = dict.fromkeys(str(one.get("missing", "use")) for one in endpoints if isinstance(one, dict))
            return f"not known: {', '.join(rules)}"
        case "analysis":
            return f"{count('analyses')} analyses; {asked.get('vary') or 'one size'}"
        case _:
            return str(asked.get("looks") or "none")


def _adds(step: str, data: Any) -> Iterator[tuple[str, str]]:
    if step != "arms":
        return
    for kind, part, what in (("drugs", "infusions", "an infusion"), ("therapies", "sessions", "a session")):
        courses = data.get(kind)
        for name, one in courses.items() if isinstance(courses, dict) else ():
            if isinstance(one, dict) and one.get(part):
                yield f"{kind}.{name}.{part}", f"Add {what}: {str(name).replace('-', ' ')}"


def timeline(data: Any) -> tuple[tuple[ArmRow, ...], tuple[int, ...]]:
    """Arms with planned days, and the days of visits; what cannot be read is left out."""
    rows: list[ArmRow] = []
    visits: list[int] = []
    try:
        for place, arm in enumerate(data.get("arms") or ()):
            course = (data.get("drugs") or {}).get(arm.get("drug")) or {}
            infusions = tuple(_infusions(str(arm.get("drug")), course))
            days = [one.day for one in infusions]
            sessions = tuple(
                _sessions(str(arm.get("therapy")), (data.get("therapies") or {}).get(arm.get("therapy")) or {}, days)
            )
            rows.append(
                ArmRow(
                    label=str(arm.get("label") or f"Arm {place + 1}"),
                    is_active=course.get("drug") not in {None, "saline"},
                    infusions=infusions,
                    sessions=sessions,
                )
            )
        visits = sorted({int(day) for one in data.get("visits") or () for day in one.get("days") or ()})
    except (AttributeError, TypeError, ValueError, KeyError, IndexError):
        return tuple(rows), tuple(visits)
    return tuple(rows), tuple(visits)


def _infusions(name: str, course: Mapping[str, Any]) -> Iterator[Contact]:
    day = first = last = 0
    for place, one in enumerate(course.get("infusions") or ()):
        gap = one.get("gap")
        if isinstance(gap, dict):
            day, first, last = day + int(gap["mode"]), first + int(gap["low"]), last + int(gap["high"])
        else:
            day = first = last = int(one.get("day", 0))
        if not 0 <= day <= 2000:
            return
        yield Contact(
            path=f"drugs.{name}.infusions[{place}]",
            label=f"{name.replace('-', ' ')}, infusion {place + 1}",
            day=day,
            first=first,
            last=max(last, day),
        )


def _sessions(name: str, course: Mapping[str, Any], days: Sequence[int]) -> Iterator[Contact]:
    for place, one in enumerate(course.get("sessions") or ()):
        after = one.get("infusion")
        day = int(one["day"]) if after is None else days[int(after) - 1] + int(one.get("offset_days", 0))
        if 0 <= day <= 2000:
            yield Contact(
                path=f"therapies.{name}.sessions[{place}]",
                label=f"{name.replace('-', ' ')}, session {place + 1}",
                day=day,
                first=day,
                last=day,
            )
