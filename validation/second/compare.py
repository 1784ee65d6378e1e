"""Both programs of every method on the same data; writes docs/validation/double-programming.md and the states.

``python -m validation.second.compare [SETS [FORM ...]]``, with the number of random data sets (200); with forms, only
these are compared, and the rows of the others stay.
"""

import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, log10
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from validation.second import data, gates, public
from validation.second.basics import Found
from validation.second.run import COLUMNS, second

PAGE = Path("docs/validation/double-programming.md")
STATES = Path("src/remission/library/double-programming.toml")
HEAD = """# Every method programmed twice

Made by `make double`; do not edit.
The second programs in `validation/second` were written from the definitions of the methods alone.
Both were put to the same data: random data sets with ties, missing values, few people, terms and strata, and {n} public
ones ({names}), of which columns play the parts of arms and visits.

A difference is relative to the value on the scale where the interval is symmetric, or to half the interval where the
value is nearer to nothing; of p values to the p value.
A form agrees when nothing differs by more than 1e-8 (closed forms) or 1e-6 (those that iterate), and the first has no
number where the second has none.
Where the first refuses a number, with a reason, and the second finds one, or both refuse for different reasons, it is
counted under statuses (first / second) and does not decide the verdict: nobody is given a wrong number.
"""
PROGRAMS = {
    "mean_difference": "means",
    "percent_lower": "means",
    "within_people_difference": "means",
    "odds_ratio": "events",
    "posterior_odds_ratio": "events",
    "hazard_ratio": "times",
    "log_rank": "times",
    "restricted_mean_difference": "times",
    "rate_ratio": "counts",
    "robust_rate_ratio": "counts",
    "day_odds_ratio": "counts",
    "repeated_difference": "repeated",
    "mmrm": "mixed",
    "posterior_difference": "posterior",
    "posterior_share_difference": "posterior",
    "multiplicity": "gates",
}
RATIOS = {
    "odds_ratio",
    "hazard_ratio",
    "log_rank",
    "rate_ratio",
    "robust_rate_ratio",
    "day_odds_ratio",
    "posterior_odds_ratio",
}
CLOSED = {
    "mean_difference",
    "mean_difference:errors=hc3",
    "odds_ratio",
    "log_rank",
    "log_rank:stratified",
    "restricted_mean_difference",
    "percent_lower",
    "within_people_difference",
    "posterior_difference",
    "multiplicity:holm",
    "multiplicity:hochberg",
    "multiplicity:bonferroni",
}


@dataclass
class Tally:
    """What was seen of a form: largest differences, and the cases in which one program has no number."""

    n_sets: int = 0
    n_public: int = 0
    n_cases: int = 0
    n_numbers: int = 0
    n_far: int = 0
    estimate: float = 0.0
    ends: float = 0.0
    p: float = 0.0
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    worst: list[str] = field(default_factory=list)


def tolerance(form: str) -> float:
    return 1e-8 if form in CLOSED else 1e-6


def compare(form: str, method: str, first: Any, found: Found, tally: Tally, place: str) -> None:
    """Count one case."""
    tally.n_cases += 1
    status = str(getattr(first.status, "value", first.status))
    if status != found.status:
        tally.statuses[status, found.status] += 1
        if "ok" in {status, found.status}:
            tally.worst.append(f"{place}: {status} {first.estimate:.9g}, {found.status} {found.estimate:.9g}")
        return
    if status != "ok":
        return
    tally.n_numbers += 1
    ours = np.array([found.estimate, found.low, found.high])
    theirs = np.array([first.estimate, first.low, first.high])
    if method in RATIOS:
        ours, theirs = np.log(ours), np.log(theirs)
    # Relative to the value, or to half the interval where the value is near nothing.
    apart = np.abs(ours - theirs) / np.maximum(np.abs(ours), (ours[2] - ours[1]) / 2.0)
    p = abs(found.p - first.p_value) / max(found.p, 1e-14)
    tally.estimate = max(tally.estimate, float(apart[0]))
    tally.ends = max(tally.ends, float(apart[1:].max()))
    tally.p = max(tally.p, p)
    if not (float(apart.max()) <= tolerance(form) and p <= tolerance(form)):
        tally.n_far += 1
        tally.worst.append(
            f"{place}: {first.estimate:.9g} ({first.low:.9g} to {first.high:.9g}), p {first.p_value:.9g}; second "
            f"{found.estimate:.9g} ({found.low:.9g} to {found.high:.9g}), p {found.p:.9g}"
        )


def one_set(
    name: str, frame: pd.DataFrame, analyses: Sequence[dict[str, Any]], tallies: dict[str, Tally], folder: Path
) -> None:
    """Both programs on one data set."""
    import remission as rm

    possible = [analysis for analysis in analyses if _fits(analysis, frame)]
    if not possible:
        return
    frame.to_csv(folder / "people.csv", index=False)
    plan = data.plan_of(frame, possible)
    result = rm.analyze(folder / "people.csv", plan)
    forms = set()
    for analysis, given, first in zip(plan["analyses"], possible, result.estimates, strict=True):
        form = given["form"]
        tally = tallies.setdefault(form, Tally())
        forms.add(form)
        options = {key: value for key, value in given.items() if key not in {"form", "method", "endpoint", "prior"}}
        compare(form, given["method"], first, second(frame, analysis), tally, f"{name}, {form}, {options}")
    for form in forms:
        tallies[form].n_sets += 1
        tallies[form].n_public += not name.startswith("random")


def _fits(analysis: dict[str, Any], frame: pd.DataFrame) -> bool:
    named = [*analysis.get("adjust", []), *analysis.get("stratify_by", []), *analysis.get("baseline", "").split()]
    columns = COLUMNS[analysis["endpoint"]]
    if analysis["endpoint"] == "v":
        columns = columns[:2]
    return all(name in frame for name in (*named, *columns))


def procedures(name: str, frame: pd.DataFrame, tallies: dict[str, Tally], folder: Path) -> None:
    """Adjusted p values of the first program from its own plain ones, beside the second procedure on the same."""
    import remission as rm

    analyses = [data.SIMPLE_ANALYSES[place] for place in (0, 4, 5, 11, 15, 20, 23)]
    frame.to_csv(folder / "people.csv", index=False)
    for test in ("holm", "hochberg", "bonferroni"):
        hands = "rejected" if test == "bonferroni" else "all"
        groups: tuple[tuple[str, ...], ...] = (("a0", "a1", "a2"), ("a3", "a4"), ("a5", "a6"))
        rows = [
            {"id": f"g{place}", "analyses": list(group), "test": test, "hands_on": hands if place < 2 else "all"}
            | ({"after": f"g{place - 1}"} if place else {})
            for place, group in enumerate(groups)
        ]
        plan = data.plan_of(frame, analyses, multiplicity={"gates": rows})
        result = rm.analyze(folder / "people.csv", plan)
        plain = {found.analysis.id: found.p_value if isfinite(found.p_value) else 1.0 for found in result.estimates}
        families = [gates.Family(group, test, str(row["hands_on"])) for group, row in zip(groups, rows, strict=True)]
        ours = gates.adjusted(plain, families)
        tally = tallies.setdefault(f"multiplicity:{test}", Tally())
        tally.n_sets += 1
        for found in result.estimates:
            tally.n_cases += 1
            if not isfinite(found.p_value):
                continue
            tally.n_numbers += 1
            apart = abs(found.p_adjusted - ours[found.analysis.id]) / max(ours[found.analysis.id], 1e-14)
            tally.p = max(tally.p, apart)
            if not apart <= tolerance(f"multiplicity:{test}"):
                tally.n_far += 1
                tally.worst.append(f"{name}, {test}, {found.p_adjusted:.9g}; second {ours[found.analysis.id]:.9g}")


def verdict(tally: Tally) -> str:
    """``differs`` where a number differs, or where the first program has one and the second has none.

    Where the first says that there is no number and the second finds one, nobody is given a wrong one; it is listed.
    """
    split = any(first == "ok" for first, _ in tally.statuses)
    return "differs" if split or tally.n_far or tally.n_numbers == 0 else "agrees"


def write_states(verdicts: dict[str, str], path: Path = STATES) -> None:
    """State and file of each form compared; comments, order and what was not compared stay."""
    parts = re.split(r'(?m)(?=^\[form\.")', path.read_text(encoding="utf-8"))
    for place, part in enumerate(parts):
        named = re.match(r'\[form\."([^"]+)"\]', part)
        if named and named[1] in verdicts:
            program = f"validation/second/{PROGRAMS[named[1].split(':')[0]]}.py"
            stated = re.sub(r'(?m)^state = "[^"]*"', f'state = "{verdicts[named[1]]}"', part)
            parts[place] = re.sub(r'(?m)^second = "[^"]*"', f'second = "{program}"', stated)
    path.write_text("".join(parts), encoding="utf-8")


def page(tallies: dict[str, Tally], verdicts: dict[str, str], names: Sequence[str]) -> str:
    lines = [
        *HEAD.format(n=len(names), names=", ".join(names)).splitlines(),
        "",
        "| form | data sets (public) | cases | with numbers | estimate | ends | p | statuses that differ | verdict |",
        "|---|---:|---:|---:|---:|---:|---:|---|---|",
    ]
    for form, tally in tallies.items():
        statuses = "; ".join(f"{one} / {two}: {n}" for (one, two), n in sorted(tally.statuses.items()))
        lines.append(
            f"| `{form}` | {tally.n_sets} ({tally.n_public}) | {tally.n_cases} | {tally.n_numbers} | "
            f"{_size(tally.estimate)} | {_size(tally.ends)} | {_size(tally.p)} | {statuses} | {verdicts[form]} |"
        )
    lines += ["", "## What differs", ""]
    differing = [form for form in tallies if tallies[form].worst]
    if not differing:
        lines.append("Nothing.")
    for form in differing:
        lines += [f"- `{form}`, {len(tallies[form].worst)} cases, first and second:"]
        lines += [f"    - {words}" for words in tallies[form].worst[:6]]
    return "\n".join(lines) + "\n"


def _size(value: float) -> str:
    return "0" if value == 0.0 else f"1e{int(np.ceil(log10(value))):+03d}"


def merged(before: str, after: str, forms: Sequence[str]) -> str:
    """The page as it was, with the rows and the differing cases of these forms from a new one."""

    def parts(text: str) -> tuple[dict[str, str], dict[str, str]]:
        rows = {named[1]: line for line in text.splitlines() if (named := re.match(r"\| `([^`]+)` \|", line))}
        cases = re.split(r"(?m)^(?=- `)", text.partition("## What differs\n")[2])[1:]
        return rows, {re.match(r"- `([^`]+)`", one)[1]: one.rstrip() for one in cases}  # type: ignore[index]

    (rows, cases), (new_rows, new_cases) = parts(before), parts(after)
    rows |= new_rows
    cases = {form: one for form, one in cases.items() if form not in forms} | new_cases
    head = before.partition("|---|")[0]
    lines = [f"{head}|---|---:|---:|---:|---:|---:|---:|---|---|", *rows.values(), "", "## What differs", ""]
    return "\n".join([*lines, *([cases[form] for form in rows if form in cases] or ["Nothing."])]) + "\n"


def both(n_sets: int, forms: Sequence[str] = ()) -> tuple[dict[str, Tally], list[str]]:
    """Both programs on random and public data sets."""
    tallies: dict[str, Tally] = {}
    names: list[str] = []
    analyses = [*data.SIMPLE_ANALYSES, *data.REPEATED_ANALYSES, *data.MIXED_ANALYSES]
    analyses = [one for one in analyses if not forms or one["form"] in forms]
    has_procedures = not forms or any(form.startswith("multiplicity:") for form in forms)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place in range(n_sets):
            frame = data.random_people(place)
            one_set(f"random {place}", frame, analyses, tallies, folder)
            if has_procedures:
                procedures(f"random {place}", frame, tallies, folder)
            print(f"{place + 1} of {n_sets}", file=sys.stderr)
        for title, frame in public.data_sets():
            names.append(title)
            one_set(title, frame, analyses, tallies, folder)
            if has_procedures and _fits({"endpoint": "event", "adjust": ["y", "pos", "day", "count"]}, frame):
                procedures(title, frame, tallies, folder)
    return tallies, names


def main() -> None:
    warnings.simplefilter("ignore")
    n_sets = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    forms = sys.argv[2:]
    before = STATES.read_text(encoding="utf-8")
    # A form that differs is refused, and could never be compared again: while both are compared nothing is decided.
    STATES.write_text(re.sub(r'(?m)^state = "[^"]*"', 'state = "pending"', before), encoding="utf-8")
    try:
        tallies, names = both(n_sets, forms)
    finally:
        STATES.write_text(before, encoding="utf-8")
    verdicts = {form: verdict(tally) for form, tally in tallies.items()}
    text = page(tallies, verdicts, names)
    PAGE.write_text(merged(PAGE.read_text(encoding="utf-8"), text, forms) if forms else text, encoding="utf-8")
    write_states(verdicts)
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
