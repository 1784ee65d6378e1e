"""A plan to start from, for a file that was shown: what its columns may be, each guess said to be one.

Nothing is decided for anybody: every guess stands in the file with the word CHECK, and what cannot be guessed (which
outcome counts, in which direction, what a missing value means) is left to whoever knows the trial.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
        "participant",
        "participant_id",
        "record_id",
        "patient",
        "patient_id",
        "pid",
        "person_id",
        "study_id",
    ),
    "arm": (
        "arm",
        "group",
        "treatment",
        "trt",
        "trt01p",
        "trt01a",
        "armcd",
        "actarm",
        "allocation",
        "randomized_to",
        "treatment_group",
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
_DAYS = {"day": 1, "d": 1, "week": 7, "wk": 7, "w": 7, "month": 30, "mo": 30, "m": 30}
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
        groups = sorted(set(cells[arm].map(lambda cell: " ".join(str(cell).split()))) - {""})
        groups = [word for word in groups if not is_not_known(word)]
    yield "  # missing: [999, -99]   codes that stand for not known"
    yield "  # randomized: date_of_randomization, baseline_measured: date_of_baseline   to refuse a late baseline"
    visits: list[tuple[str, int]] = []
    if repeated:
        if visit is None:
            yield "  visit: visit" + guess.say("no column looks like a visit; name it, and the visits below")
        else:
            yield f"  visit: {_quoted(visit)}" + guess.say(f"{visit} is the visit")
            visits = _visits_of(cells[visit])
        yield "  visits:  # in their order; day 0 is randomization, and a measure on day 0 or before is a baseline"
        for name, day in visits or [("baseline", 0), ("week 4", 28)]:
            yield f"    - {{name: {_quoted(name)}, day: {day}}}" + guess.say(f"{name} is day {day}")
    yield from _arm_lines(groups, guess)
    left = [name for name in names if name not in {person, arm, visit}]
    yield from _covariate_lines(cells, left, person, guess)
    measures, lines = _measures_of(cells, left, visits, guess)
    yield "measures:"
    yield from lines
    if not measures:
        yield "  - id: outcome"
        yield "    label: Outcome"
        yield "    column: outcome" + guess.say("no column looks like an outcome; name it")
        yield "    measure: mean"
        yield "    better: lower"
        measures = [("outcome", "mean")]
    yield "# intercurrent_events:"
    yield "#   - {id: rescue, label: Rescue medicine, day_column: rescue_day, strategy: treatment-policy}"
    first, kind = measures[0]
    method = {"binary": "odds_ratio", "count": "rate_ratio"}.get(kind, "mean_difference")
    n_after = sum(day > 0 for _, day in visits)
    if kind == "mean" and n_after >= 2:
        method = "mmrm"
    yield from _analysis_lines(
        first, method, groups, guess, baseline=any(name == f"{first}-before" for name, _ in measures)
    )


def _column(names: Sequence[str], what: str) -> str | None:
    """The column whose name is one of the usual ones, the most usual first."""
    folded = {re.sub(r"[\s.-]+", "_", name.casefold()): name for name in reversed(names)}
    return next((folded[name] for name in _NAMES[what] if name in folded), None)


def _is_numbers(cells: "pd.Series[str]") -> bool:
    known = [cell for cell in cells if cell != "" and not is_not_known(cell)]
    return bool(known) and all(not np.isnan(number_of(cell)) for cell in known)


def _visits_of(cells: "pd.Series[str]") -> list[tuple[str, int]]:
    """Visits in the order of their guessed days."""
    names = list(dict.fromkeys(" ".join(cell.split()) for cell in cells if cell != ""))
    found: list[tuple[str, int]] = []
    for place, name in enumerate(names):
        match = re.search(r"\b(day|d|week|wk|w|month|mo|m)[ _-]?(\d{1,3})\b", name, re.IGNORECASE)
        match_number = re.fullmatch(r"-?\d{1,4}(\.0+)?", name)
        if _BEFORE.search(name):
            day = 0
        elif match is not None:
            day = int(match[2]) * _DAYS[match[1].lower()]
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


def _arm_lines(groups: Sequence[str], guess: _Guess) -> Iterator[str]:
    yield "arms:"
    taken: set[str] = set()
    seen: set[str] = set()
    for word in groups or ["treatment", "control"]:
        if one_name(word) in seen:
            guess.say(f"{word!r} is another spelling of an arm; it is read as that one")
            continue
        seen.add(one_name(word))
        one = _id(word, taken) if word[:1].isalnum() else _id(f"arm-{word}", taken)
        yield f"  - {{id: {one}, label: {_quoted(_label(word))}, values: [{_quoted(word)}]}}"


def _label(word: str) -> str:
    return f"Arm {word}" if re.fullmatch(r"[0-9.]+", word) else word[:80]


def _sides(groups: Sequence[str]) -> tuple[str, str]:
    """Ids of the treatment and of the control; what sounds like a control is one, else the last."""
    taken: set[str] = set()
    seen: dict[str, str] = {}
    for word in groups or ["treatment", "control"]:
        if one_name(word) not in seen:
            seen[one_name(word)] = _id(word, taken) if word[:1].isalnum() else _id(f"arm-{word}", taken)
    ids = list(seen.values())
    control = next((name for word, name in seen.items() if _CONTROL.search(word)), None)
    if control is None:
        control = seen.get("0", ids[-1])
    return next((name for name in ids if name != control), ids[0]), control


def _covariate_lines(cells: pd.DataFrame, names: list[str], person: str, guess: _Guess) -> Iterator[str]:
    found = []
    taken: set[str] = set()
    for name in list(names):
        word = name.casefold()
        kind = (
            "category" if word in _CATEGORIES else "number" if word in _NUMBERS and _is_numbers(cells[name]) else None
        )
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
    cells: pd.DataFrame, names: list[str], visits: Sequence[tuple[str, int]], guess: _Guess
) -> tuple[list[tuple[str, str]], list[str]]:
    """Ids and kinds of the columns that may be outcomes, with their lines."""
    found: list[tuple[str, str]] = []
    lines: list[str] = []
    taken: set[str] = set()
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
        kind = "binary" if is_binary else "mean"
        one = _id(name, taken)
        found.append((one, kind))
        lines += [f"  - id: {one}", f"    label: {_quoted(name[:80])}", f"    column: {_quoted(name)}"]
        if before and after:
            lines.append(f"    visits: [{', '.join(_quoted(visit) for visit in after)}]")
        lines.append(
            f"    measure: {kind}" + guess.say(f"{name} is a {kind}, or another of mean, percent, count, binary, time")
        )
        lines.append("    better: lower" + guess.say(f"less of {name} is better"))
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
                "    better: lower",
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
