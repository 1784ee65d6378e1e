"""A plan to start from, for a file that was shown: what its columns may be, each guess said to be one.

Nothing is decided for anybody: every guess stands in the file with the word CHECK, and what cannot be guessed (which
outcome counts, in which direction, what a missing value means) is left to whoever knows the trial.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from remission.errors import SpecError
from remission.exchange.cells import answer_of, is_not_known, number_of
from remission.exchange.quality import far_outside
from remission.exchange.simulated import diaries_of_run
from remission.exchange.study_tables import read_study_table
from remission.exchange.tables import is_parquet
from remission.exchange.tlfb import read_tlfb
from remission.records.diaries import Diaries
from remission.records.study_plan import one_name

_NAMES = {
    "person": (
        "person",
        "id",
        "who",
        "subject",
        "subjid",
        "usubjid",
        "subject_id",
        "subjectid",
        "subj",
        "participant",
        "participant_id",
        "participantid",
        "record_id",
        "patient",
        "patient_id",
        "patientid",
        "pid",
        "person_id",
        "study_id",
    ),
    "arm": (
        "arm",
        "group",
        "grp",
        "gruppe",
        "grupo",
        "treatment",
        "trt",
        "trt01p",
        "trt01a",
        "armcd",
        "actarm",
        "allocation",
        "randomized_to",
        "treatment_group",
        "treatment_arm",
        "study_arm",
        "intervention",
        "condition",
        "tx",
        "randgroup",
        "assigned",
    ),
    "visit": (
        "visit",
        "avisit",
        "visit_name",
        "visitnum",
        "avisitn",
        "timepoint",
        "time_point",
        "week",
        "wave",
        "redcap_event_name",
        "event_name",
        "session",
        "period",
        "month",
    ),
}
_CATEGORIES = ("sex", "gender", "site", "center", "centre", "stratum", "clinic", "race", "ethnicity", "country")
_NUMBERS = ("age", "weight", "bmi", "height")
_CONTROL = re.compile(
    r"placebo|control|sham|saline|usual|standard|tau|waiting|midazolam|comparator|inactive", re.IGNORECASE
)
_BEFORE = re.compile(r"base ?line|screen|before|day ?0\b|pre\b|week ?0\b|entry|intake", re.IGNORECASE)
_BEFORE_WORDS = {"base", "baseline", "bl", "pre", "screen", "screening", "scr", "intake", "entry", "before"}
_BETTER_HIGHER = re.compile(
    r"abstin|abst\b|sober|clean|remi(ssion|tted)|respon(se|der)|recover|complet|reten|retain|quality|qol|well.?being|"
    r"\bpda\b|negative|functioning",
    re.IGNORECASE,
)
_DAYS = {"day": 1, "d": 1, "week": 7, "wk": 7, "w": 7, "month": 30, "mo": 30, "m": 30, "visit": 28, "v": 28, "t": 28}
_UNIT = r"(?P<unit>day|d|week|wk|w|month|mo|m|visit|v|t)[ _.-]?(?P<number>\d{1,3})"
_WIDE = (
    re.compile(rf"(?P<stem>.*?[a-z].*?)[ _.-]*(?:(?<![a-z])|(?<=[ _.-])){_UNIT}", re.IGNORECASE),
    re.compile(rf"{_UNIT}[ _.-](?P<stem>.*[a-z].*)", re.IGNORECASE),
)
_VISIT = (
    re.compile(r"\b(?P<unit>day|d|week|wk|w|month|mo|m)[ _-]?(?P<number>\d{1,3})\b", re.IGNORECASE),
    re.compile(r"\b(?P<number>\d{1,3})[ _-]?(?P<unit>day|week|wk|month|mo)s?\b", re.IGNORECASE),
)
_UNTIL = re.compile(r"(?:days?|time|tt)[ _.-]?(?:to|until|till)?[ _.-](?P<event>.+)", re.IGNORECASE)
_MOST_MEASURES = 8


def guess_plan(path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a plan for a file, and what was guessed, a sentence each.

    Raises SpecError: the file cannot be read as a table or as diaries.
    """
    guess = _Guess()
    diaries = _diaries_of(path)
    lines = list(_table_lines(path, guess) if diaries is None else _diary_lines(path, diaries, guess))
    return "\n".join([*_head(path), *lines, ""]), tuple(guess.said)


@dataclass
class _Guess:
    said: list[str] = field(default_factory=list)

    def say(self, words: str) -> str:
        """A comment beside a line, kept to be said aloud as well."""
        self.said.append(words)
        return f"  # CHECK: {words}"


def _head(path: Path) -> Iterator[str]:
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:50] or "trial"
    yield "# A plan of an analysis, written for the file named below; nothing in it is decided for you."
    yield "# Read every line with CHECK. Decide the plan before you look at outcomes by arm."
    yield f"# Use it with: remission analyze {path.name} --plan THIS_FILE"
    yield f"id: {name}"
    yield f"title: {_quoted(f'Analysis of {path.name}')}"


def _quoted(text: str) -> str:
    """Text as YAML, quoted where it could be read as something else."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9 _./()%-]*", text) and text.casefold() not in {
        "true",
        "false",
        "null",
        "yes",
        "no",
        "on",
        "off",
    }
    return text if plain and not text.endswith(" ") else json.dumps(text, ensure_ascii=False)


def _id(text: str, taken: set[str]) -> str:
    """An id of a name, used once."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", text.casefold()).strip("-_")[:40] or "x"
    slug = slug if slug[0].isalnum() else f"x{slug}"
    found, number = slug, 2
    while found in taken:
        found, number = f"{slug}-{number}", number + 1
    taken.add(found)
    return found


# ------------------------------------------------------------------------------------------------------------- diaries


def _diaries_of(path: Path) -> Diaries | None:
    """The diaries of a run, of a Parquet file of them, or of a table that says itself that it is one."""
    if path.is_dir():
        return diaries_of_run(path)
    try:
        if not is_parquet(path) and not {"who", "when"} <= set(read_study_table(path).cells.columns):
            return None
        return read_tlfb(path).diaries[0]
    except SpecError:
        return None


def _diary_lines(path: Path, diaries: Diaries, guess: _Guess) -> Iterator[str]:
    last = diaries.first_day + diaries.assessed.shape[1] - 1
    groups = sorted(set(diaries.group) - {""})
    yield "data:"
    yield "  layout: diaries"
    if not path.is_dir():
        yield f"  substance: {_quoted(diaries.substance)}"
    if len(groups) < 2:
        yield "  people_file: people.csv" + guess.say("a table with a row a person; the diaries name no arms")
        yield "  person: person"
        yield "  arm: arm"
        groups = ["treatment", "control"]
    yield from _arm_lines(groups, guess)
    yield "endpoints:  # kinds and rules as in a protocol: docs/reference/protocol-file.md"
    yield "  - id: pda"
    yield "    label: Days abstinent"
    yield "    kind: percent_days_abstinent"
    yield f"    window: {{first: {max(1, diaries.first_day)}, last: {last}}}" + guess.say("the days that count")
    yield "    missing: use" + guess.say("a day that nobody saw counts as use; see what that does to your data")
    yield from _analysis_lines("pda", "mean_difference", groups, guess)


# -------------------------------------------------------------------------------------------------------------- tables


def _table_lines(path: Path, guess: _Guess) -> Iterator[str]:
    source = read_study_table(path)
    cells = source.cells[(source.cells != "").any(axis=1)]
    names = [str(name) for name in cells.columns]
    if not len(cells):
        raise SpecError(where=path.name, got="a table without a row", allowed="a row for each person")
    signs = _signs_of(cells)
    cells = cells if signs is None else cells.map(lambda cell: _with_points(cell, *signs))
    person = _column(names, "person") or next(
        (name for name in names if cells[name].nunique() == len(cells) and not _is_numbers(cells[name])), names[0]
    )
    arm = _column([name for name in names if 1 < cells[name].replace("", np.nan).nunique() <= 8], "arm")
    repeated = bool(cells[person].duplicated().any())
    visit = _column([name for name in names if name not in {person, arm}], "visit") if repeated else None
    yield "data:"
    yield f"  layout: {'visits' if repeated else 'people'}" + guess.say(
        f"{person} {'stands on several rows' if repeated else 'stands once on each row'}"
    )
    yield f"  person: {_quoted(person)}" + guess.say(f"{person} names each person")
    if arm is None:
        yield "  arm: arm" + guess.say("no column looks like an arm; name it, or give a people_file with it")
        groups = ["treatment", "control"]
    else:
        yield f"  arm: {_quoted(arm)}" + guess.say(f"{arm} is the arm")
        words = set(cells[arm].map(lambda cell: " ".join(str(cell).split()))) - {""}
        groups = sorted(word for word in words if not is_not_known(word))
    yield "  # missing: [999, -99]   codes that stand for not known"
    yield from _sign_lines(signs, guess)
    yield from _date_lines(cells, guess)
    left = [name for name in names if name not in {person, arm, visit}]
    wide = [] if repeated else _wide_of(cells, left)
    visits: list[tuple[str, int]] = []
    if repeated:
        yield _visit_line(visit, guess)
        visits = [] if visit is None else _visits_of(cells[visit])
        yield "  visits:  # in their order; day 0 is randomization, and a measure on day 0 or before is a baseline"
        yield from _visit_lines(visits or [("baseline", 0), ("week 4", 28)], guess)
    elif wide:
        visits = sorted({visit for one in wide for visit in one.columns}, key=lambda one: one[1])
        yield "  visits:  # in their order; day 0 is randomization"
        yield from _visit_lines(visits, guess)
    yield from _arm_lines(groups, guess)
    yield from _covariate_lines(cells, left, person, guess)
    taken: set[str] = set()
    over_visits = [_wide_lines(one, taken, guess) for one in wide]
    left = [name for name in left if not any(name in one.all_columns for one in wide)]
    measures, lines = _measures_of(cells, left, [] if wide else visits, guess, taken)
    measures = [*(found for one, _ in over_visits for found in one), *measures]
    yield from ("measures:", *(line for _, some in over_visits for line in some), *lines)
    if not measures:
        yield "  - id: outcome"
        yield "    label: Outcome"
        yield "    column: outcome" + guess.say("no column looks like an outcome; name it")
        yield "    measure: mean"
        yield "    better: lower"
        measures = [("outcome", "mean")]
    yield "# intercurrent_events:"
    yield "#   - {id: rescue, label: Rescue medicine, day_column: rescue_day, strategy: treatment-policy}"
    # What was measured before treatment is no outcome, unless there is nothing else.
    first, kind = next((one for one in measures if not _is_before(one[0])), measures[0])
    method = {"binary": "odds_ratio", "count": "rate_ratio", "time": "hazard_ratio"}.get(kind, "mean_difference")
    n_after = sum(day > 0 for _, day in (wide[0].columns if wide else visits))
    if kind == "mean" and n_after >= 2:
        method = "mmrm"
    yield from _analysis_lines(
        first, method, groups, guess, baseline=any(name == f"{first}-before" for name, _ in measures)
    )


@dataclass(frozen=True, kw_only=True)
class _Wide:
    """A measure with a column for each visit: (name of the visit, day) by column, and the one before treatment."""

    stem: str
    columns: dict[tuple[str, int], str]
    before: str | None

    @property
    def all_columns(self) -> set[str]:
        """Of the table."""
        return {*self.columns.values(), *([self.before] if self.before else [])}


def _words_of(name: str) -> list[str]:
    """The parts of a column's name, in small letters."""
    return [word for word in re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()) if word]


def _is_before(name: str) -> bool:
    """Whether a name says that it was measured before treatment."""
    words = _words_of(name)
    return any(word in _BEFORE_WORDS or re.fullmatch(r"(v|w|d|t|week|day|visit|wk)0", word) for word in words) or bool(
        re.search(r"(day|week|visit)[ _.-]?0\b", name, re.IGNORECASE)
    )


def _wide_of(cells: pd.DataFrame, names: Sequence[str]) -> list[_Wide]:
    """Measures whose columns are named by visit, those with the most visits first."""
    found: dict[str, dict[tuple[str, int], str]] = {}
    before: dict[str, str] = {}
    for name in names:
        if not _is_numbers(cells[name]) or cells[name].nunique() < 3:
            continue
        match = next(filter(None, (shape.fullmatch(name) for shape in _WIDE)), None)
        if _is_before(name):
            words = [word for word in _words_of(name) if not _is_before(word) and word not in {*_DAYS, "0"}]
            before.setdefault(" ".join(words), name)
        elif match is not None:
            unit, number = match["unit"].casefold(), int(match["number"])
            word = next(long for long in ("day", "week", "month", "visit", "t") if long.startswith(unit[0]))
            visit = f"{'time' if word == 't' else word} {number}"
            found.setdefault(" ".join(_words_of(match["stem"])), {})[visit, number * _DAYS[unit]] = name
    result = [
        _Wide(stem=stem, columns=dict(sorted(columns.items(), key=lambda one: one[0][1])), before=before.get(stem))
        for stem, columns in found.items()
        if len(columns) > 1 and len({day for _, day in columns}) == len(columns)
    ]
    result.sort(key=lambda one: -len(one.columns))
    # A visit has one day, and a day one visit: of two ways to count them the first is taken.
    named: dict[int, str] = {}
    kept = []
    for one in result:
        if all(named.get(day, visit) == visit for visit, day in one.columns):
            named |= {day: visit for visit, day in one.columns}
            kept.append(one)
    return kept


def _wide_lines(one: _Wide, taken: set[str], guess: _Guess) -> tuple[list[tuple[str, str]], list[str]]:
    """Ids and kinds of a measure over visits, and of the same before treatment, with their lines."""
    name = _id(one.stem, taken)
    better = _better(one.stem)
    columns = ", ".join(f"{visit}: {_quoted(column)}" for (visit, _), column in one.columns.items())
    lines = [
        f"  - id: {name}",
        f"    label: {_quoted(one.stem[:80])}",
        f"    columns: {{{columns}}}" + guess.say(f"these columns are {one.stem}, visit by visit"),
        "    measure: mean",
        f"    better: {better}" + guess.say(f"{_more_or_less(better)} of {one.stem} is better"),
        "    missing: observed",
    ]
    found = [(name, "mean")]
    if one.before is not None:
        taken.add(f"{name}-before")
        found.append((f"{name}-before", "mean"))
        lines += [
            f"  - id: {name}-before",
            f"    label: {_quoted(f'{one.stem[:60]}, before treatment')}",
            f"    column: {_quoted(one.before)}" + guess.say(f"{one.before} is {one.stem} before treatment"),
            "    measure: mean",
            f"    better: {better}",
        ]
    return found, lines


def _event_of(cells: pd.DataFrame, name: str, names: Sequence[str]) -> str | None:
    """The yes or no to a time: ``relapse`` beside ``days_to_relapse``."""
    match = _UNTIL.fullmatch(name)
    for other in names:
        known = [cell for cell in cells[other] if cell != "" and not is_not_known(cell)]
        is_binary = bool(known) and all(answer_of(cell) >= 0 or cell in {"0", "1"} for cell in known)
        if match is not None and is_binary and _words_of(match["event"]) == _words_of(other):
            return other
    return None


def _better(name: str) -> str:
    return "higher" if _BETTER_HIGHER.search(name) else "lower"


def _more_or_less(better: str) -> str:
    return "more" if better == "higher" else "less"


def _date_lines(cells: pd.DataFrame, guess: _Guess) -> Iterator[str]:
    """Days of randomization and of the baseline, where columns are named so and hold dates."""
    dates = [
        str(name)
        for name in cells.columns
        if (known := [cell for cell in cells[name] if cell != ""])
        and all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell) for cell in known)
    ]
    lots = [name for name in dates if "rand" in name.casefold()]
    first = [name for name in dates if _is_before(name)]
    if lots and first:
        yield f"  randomized: {_quoted(lots[0])}" + guess.say(f"{lots[0]} is the day of randomization")
        yield f"  baseline_measured: {_quoted(first[0])}" + guess.say(f"{first[0]} is the day of the baseline")
    else:
        yield "  # randomized: date_of_randomization, baseline_measured: date_of_baseline   to refuse a late baseline"


def _column(names: Sequence[str], what: str) -> str | None:
    """The column whose name is one of the usual ones, the most usual first."""
    folded = {re.sub(r"[\s.-]+", "_", name.casefold()): name for name in reversed(names)}
    return next((folded[name] for name in _NAMES[what] if name in folded), None)


def _is_numbers(cells: "pd.Series[str]", decimal: Literal["point", "comma"] = "point", thousands: str = "none") -> bool:
    known = [cell for cell in cells if cell != "" and not is_not_known(cell)]
    return bool(known) and all(not np.isnan(number_of(cell, decimal, thousands)) for cell in known)


_COMMA: tuple[tuple[Literal["comma"], str], ...] = (("comma", "none"), ("comma", "point"))


def _signs_of(cells: pd.DataFrame) -> tuple[Literal["comma"], str] | None:
    """Decimal sign and sign between thousands, where columns are numbers by them and none is by a decimal point."""
    numbers = [name for name in cells.columns if _is_numbers(cells[name])]
    if any("." in cell for name in numbers for cell in cells[name]):
        return None
    others = [name for name in cells.columns if name not in numbers]
    return next((signs for signs in _COMMA if any(_is_numbers(cells[name], *signs) for name in others)), None)


def _visit_line(visit: str | None, guess: _Guess) -> str:
    if visit is None:
        return "  visit: visit" + guess.say("no column looks like a visit; name it, and the visits below")
    return f"  visit: {_quoted(visit)}" + guess.say(f"{visit} is the visit")


def _sign_lines(signs: tuple[Literal["comma"], str] | None, guess: _Guess) -> Iterator[str]:
    if signs is not None:
        yield "  decimal: comma" + guess.say("numbers are written with a decimal comma")
        if signs[1] == "point":
            yield "  thousands: point" + guess.say("a point stands between thousands")


def _with_points(cell: str, decimal: Literal["comma"], thousands: str) -> str:
    """The cell as it would stand with a decimal point, where it is a number."""
    value = number_of(cell, decimal, thousands)
    return cell if np.isnan(value) else f"{value:.15g}"


def _visits_of(cells: "pd.Series[str]") -> list[tuple[str, int]]:
    """Visits in the order of their guessed days."""
    names = list(dict.fromkeys(" ".join(cell.split()) for cell in cells if cell != ""))
    found: list[tuple[str, int]] = []
    before = [name for name in names if _BEFORE.search(name) or _is_before(name)]
    for place, name in enumerate(names):
        match = re.search(r"\b(?P<unit>day|d|week|wk|w|month|mo|m)[ _-]?(?P<number>\d{1,3})\b", name, re.IGNORECASE)
        match = match or re.search(
            r"\b(?P<number>\d{1,3})[ _-]?(?P<unit>day|week|wk|month|mo)s?\b", name, re.IGNORECASE
        )
        match_number = re.fullmatch(r"-?\d{1,4}(\.0+)?", name)
        if name in before:
            # Several of them come before treatment all the same.
            day = before.index(name) + 1 - len(before)
        elif match is not None:
            day = int(match["number"]) * _DAYS[match["unit"].lower()]
        elif match_number is not None:
            day = int(float(name))
        else:
            day = 28 * place
        found.append((name, day))
    found.sort(key=lambda one: one[1])
    days: list[int] = []
    for _, day in found:
        days.append(day if not days or day > days[-1] else days[-1] + 1)
    return [(name, day) for (name, _), day in zip(found, days, strict=True)]


def _visit_lines(visits: Sequence[tuple[str, int]], guess: _Guess) -> Iterator[str]:
    for name, day in visits:
        yield f"    - {{name: {_quoted(name)}, day: {day}}}" + guess.say(f"{name} is day {day}")


def _arm_lines(groups: Sequence[str], guess: _Guess) -> Iterator[str]:
    yield "arms:"
    taken: set[str] = set()
    seen: set[str] = set()
    for word in groups or ["treatment", "control"]:
        if one_name(word) in seen:
            guess.say(f"{word!r} is another spelling of an arm; it is read as that one")
            continue
        seen.add(one_name(word))
        one = _arm_id(word, taken)
        yield f"  - {{id: {one}, label: {_quoted(_label(word))}, values: [{_quoted(word)}]}}"


def _arm_id(word: str, taken: set[str]) -> str:
    """An id that YAML reads as text: a code of digits is none, nor are yes and no."""
    is_text = word[:1].isalpha() and _quoted(word)[:1] != '"'
    return _id(word if is_text else f"arm-{word}", taken)


def _label(word: str) -> str:
    return f"Arm {word}" if re.fullmatch(r"[0-9.]+", word) else word[:80]


def _sides(groups: Sequence[str]) -> tuple[str, str]:
    """Ids of the treatment and of the control; what sounds like a control is one, else the last."""
    taken: set[str] = set()
    seen: dict[str, str] = {}
    for word in groups or ["treatment", "control"]:
        if one_name(word) not in seen:
            seen[one_name(word)] = _arm_id(word, taken)
    ids = list(seen.values())
    control = next((name for word, name in seen.items() if _CONTROL.search(word)), None)
    if control is None:
        control = seen.get("0", ids[-1])
    return next((name for name in ids if name != control), ids[0]), control


def _covariate_lines(cells: pd.DataFrame, names: list[str], person: str, guess: _Guess) -> Iterator[str]:
    found = []
    taken: set[str] = set()
    for name in list(names):
        words = set(_words_of(name))
        is_number = bool(words & set(_NUMBERS)) and _is_numbers(cells[name])
        kind = "category" if words & set(_CATEGORIES) else "number" if is_number else None
        if kind is not None and bool((cells.groupby(person)[name].nunique() <= 1).all()):
            found.append((name, kind))
            names.remove(name)
    if found:
        yield "covariates:"
    for name, kind in found:
        yield f"  - {{id: {_id(name, taken)}, column: {_quoted(name)}, kind: {kind}}}" + guess.say(
            f"{name} is a {kind} of the time before treatment"
        )


def _measures_of(
    cells: pd.DataFrame, names: list[str], visits: Sequence[tuple[str, int]], guess: _Guess, taken: set[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Ids and kinds of the columns that may be outcomes, with their lines."""
    found: list[tuple[str, str]] = []
    lines: list[str] = []
    before = [name for name, day in visits if day <= 0]
    after = [name for name, day in visits if day > 0]
    for name in names:
        if len(found) >= _MOST_MEASURES:
            lines.append(f"  # and further columns: {', '.join(names[names.index(name) :][:20])}")
            break
        known = [cell for cell in cells[name] if cell != "" and not is_not_known(cell)]
        is_binary = bool(known) and all(answer_of(cell) >= 0 or cell in {"0", "1"} for cell in known)
        if not known or len(set(known)) < 2 or not (is_binary or _is_numbers(cells[name])):
            continue
        values = np.array([number_of(cell) for cell in known])
        event = None if is_binary else _event_of(cells, name, names)
        kind = "binary" if is_binary else "mean" if event is None else "time"
        one = _id(name, taken)
        found.append((one, kind))
        lines += [f"  - id: {one}", f"    label: {_quoted(name[:80])}", f"    column: {_quoted(name)}"]
        if before and after:
            lines.append(f"    visits: [{', '.join(_quoted(visit) for visit in after)}]")
        lines.append(
            f"    measure: {kind}" + guess.say(f"{name} is a {kind}, or another of mean, percent, count, binary, time")
        )
        # A time to something good is better when short.
        better = _better(name) if event is None else "lower" if _better(event) == "higher" else "higher"
        lines.append(f"    better: {better}" + guess.say(f"{_more_or_less(better)} of {name} is better"))
        if event is not None:
            lines.append(f"    event_column: {_quoted(event)}" + guess.say(f"{event} says whether it came, by {name}"))
        else:
            lines.append(f"    missing: {'failure' if kind == 'binary' else 'observed'}")
        code = None if is_binary else far_outside(values)
        if code is not None:
            lines.append(
                guess.say(f"{name}: {code:g} stands far above all others; is it a code for not known?").strip()
            )
        if before and after and kind == "mean":
            taken.add(f"{one}-before")
            found.append((f"{one}-before", kind))
            lines += [
                f"  - id: {one}-before",
                f"    label: {_quoted(f'{name[:60]}, before treatment')}",
                f"    column: {_quoted(name)}",
                f"    visits: [{_quoted(before[-1])}]",
                "    measure: mean",
                f"    better: {better}",
            ]
    return found, lines


def _analysis_lines(
    endpoint: str, method: str, groups: Sequence[str], guess: _Guess, *, baseline: bool = False
) -> Iterator[str]:
    treatment, control = _sides(groups)
    yield "analyses:  # methods and options: docs/how-to/analyze-your-trial.md"
    yield "  - id: primary"
    yield "    label: Primary analysis"
    yield f"    endpoint: {endpoint}" + guess.say(f"{endpoint} is the outcome that counts")
    yield f"    method: {method}" + guess.say(f"{method} is the method")
    yield f"    contrast: {{treatment: {treatment}, control: {control}}}" + guess.say(f"{control} is the control")
    if baseline:
        yield f"    baseline: {endpoint}-before"
    yield "    role: primary"
    yield "# A sensitivity analysis shows what hangs on an assumption:"
    yield "#   - {id: other, label: ..., endpoint: ..., method: ..., contrast: ..., role: sensitivity, of: primary}"
    yield "alpha: 0.05"
