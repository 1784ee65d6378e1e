"""Both programs of every method on the same data; writes docs/validation/double-programming.md and the states.

``python -m validation.second.compare [SETS [FORM ...]]``, with the number of random data sets (200); with forms, only
these are compared, and the rows of the others stay.
"""

import json
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from math import isfinite, log10
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from remission.study import gate
from validation.second import data, draws, gates, public
from validation.second.basics import Found
from validation.second.run import COLUMNS, imputed_answers, second

Case = dict[str, Any]

PAGE = Path("docs/validation/double-programming.md")
STATES = Path("src/remission/library/double-programming.toml")
STORE = Path(".benchmarks/double.jsonl")
PROGRAM_FOLDERS = ("src/remission/analyses", "src/remission/study", "src/remission/numerics", "validation/second")
NO_PROGRAM = ("compare.py", "public.py", "data.py")
HEAD = """# Every method programmed twice

Made by `make double`; do not edit.
The second programs in `validation/second` were written from the definitions of the methods alone.
Both were put to the same data: random data sets with ties, missing values, few people, terms and strata, and {n} public
ones ({names}), of which columns play the parts of arms and visits.

A difference is relative to the value on the scale where the interval is symmetric, or to half the interval where the
value is nearer to nothing; of p values to the p value.
A form agrees when nothing differs by more than 1e-8 (closed forms) or 1e-6 (those that iterate), and the first has no
number where the second has none; on fewer than 200 random data sets or 3 public ones it is pending.
Where the first refuses a number, with a reason, and the second finds one, or both refuse for different reasons, it is
counted under statuses (first / second) and does not decide the verdict: nobody is given a wrong number.

Forms with imputation draw, each program by itself.
On people whose outcomes are all known they must agree as the others do.
On data sets with gaps {first} answers of the first program stand beside {second} of the second, {n_imputations}
imputations each.
The labels of the two are held to random labels: differences of estimate, interval and p value, summed over the data
sets as they are and squared; the rule was written before anything was compared (`validation/second/draws.py`).
All {tests} tests together raise a false alarm with a chance of {alarm:.0%}, by Bonferroni's rule.
Under draws stands the least p value of a form, times {tests}.
"""
COLUMNS_OF_PAGE = """\
| form | data sets (public) | cases | with numbers | estimate | ends | p | draws | statuses that differ | verdict |
|---|---:|---:|---:|---:|---:|---:|---:|---|---|"""
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
    "imputed_difference": "imputed",
    "imputed_odds_ratio": "imputed",
    "imputed_rate_ratio": "imputed",
}
RATIOS = {
    "odds_ratio",
    "hazard_ratio",
    "log_rank",
    "rate_ratio",
    "robust_rate_ratio",
    "day_odds_ratio",
    "posterior_odds_ratio",
    "imputed_odds_ratio",
    "imputed_rate_ratio",
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
    answers: draws.Answers = field(default_factory=draws.Answers)

    def add(self, case: Case) -> None:
        """Count one case."""
        self.n_cases += 1
        one, two = case["statuses"]
        if one != two:
            self.statuses[one, two] += 1
        self.n_far += case["is_far"]
        if case["words"]:
            self.worst.append(case["words"])
        if one == two == "ok":
            self.n_numbers += 1
            if "answers" in case:
                self.answers.sets.append(np.array(case["answers"]))
            else:
                estimate, ends, p = case["apart"]
                self.estimate, self.ends, self.p = max(self.estimate, estimate), max(self.ends, ends), max(self.p, p)


def tolerance(form: str) -> float:
    return 1e-8 if form in CLOSED else 1e-6


def case_of(form: str, method: str, first: Any, found: Found, place: str) -> Case:
    """What two numbers with their intervals are to each other."""
    status = str(getattr(first.status, "value", first.status))
    case: Case = {"form": form, "statuses": [status, found.status], "apart": [0.0] * 3, "is_far": False, "words": ""}
    if status != found.status:
        if "ok" in {status, found.status}:
            case["words"] = f"{place}: {status} {first.estimate:.9g}, {found.status} {found.estimate:.9g}"
        return case
    if status != "ok":
        return case
    ours = np.array([found.estimate, found.low, found.high])
    theirs = np.array([first.estimate, first.low, first.high])
    if method in RATIOS:
        ours, theirs = np.log(ours), np.log(theirs)
    # Relative to the value, or to half the interval where the value is near nothing.
    apart = np.abs(ours - theirs) / np.maximum(np.abs(ours), (ours[2] - ours[1]) / 2.0)
    p = abs(first.p_value - found.p) / max(found.p, 1e-14)
    case["apart"] = [float(apart[0]), float(apart[1:].max()), float(p)]
    if not (float(apart.max()) <= tolerance(form) and p <= tolerance(form)):
        case["is_far"] = True
        case["words"] = (
            f"{place}: {first.estimate:.9g} ({first.low:.9g} to {first.high:.9g}), p {first.p_value:.9g}; second "
            f"{found.estimate:.9g} ({found.low:.9g} to {found.high:.9g}), p {found.p:.9g}"
        )
    return case


def compare(form: str, method: str, first: Any, found: Found, tally: Tally, place: str) -> None:
    """Count one case."""
    tally.add(case_of(form, method, first, found, place))


def cases_of(name: str, frame: pd.DataFrame, analyses: Sequence[dict[str, Any]], folder: Path) -> list[Case]:
    """Both programs on one data set."""
    possible = [analysis for analysis in analyses if _fits(analysis, frame)]
    if not possible:
        return []
    plan, (result,) = _first(frame, possible, folder, [20260101])
    cases = []
    for analysis, given, first in zip(plan["analyses"], possible, result.estimates, strict=True):
        form = given["form"]
        options = {key: value for key, value in given.items() if key not in {"form", "method", "endpoint", "prior"}}
        cases.append(case_of(form, given["method"], first, second(frame, analysis), f"{name}, {form}, {options}"))
    return cases


def _first(
    frame: pd.DataFrame, analyses: list[dict[str, Any]], folder: Path, seeds: Sequence[int], **more: Any
) -> tuple[dict[str, Any], list[Any]]:
    """The plan, and what the first program finds under each seed."""
    import remission as rm

    frame.to_csv(folder / "people.csv", index=False)
    plan = data.plan_of(frame, analyses, **more)
    return plan, [rm.analyze(folder / "people.csv", plan | {"seed": seed}) for seed in seeds]


def drawn_cases_of(
    name: str, frame: pd.DataFrame, place: int, folder: Path, kinds: Sequence[bool] = (True, False)
) -> list[Case]:
    """Both programs on the people of a data set without gaps (True), and on all with gaps, each with its own draws."""
    analyses = [one for one in data.imputed_analyses(place, draws.N_IMPUTATIONS) if _fits(one, frame)]
    if not analyses:
        return []
    cases = []
    for is_whole in kinds:
        people = data.without_gaps(frame) if is_whole else data.with_gaps(frame, place)
        if not {"a", "b"} <= set(people["arm"]):
            continue
        # Seeds of the set's own: with the same ones for all sets their deviations would not be independent.
        seeds = [1] if is_whole else [1000 * (place + 1) + k for k in range(draws.FIRST)]
        plan, results = _first(people, analyses, folder, seeds)
        generator = np.random.default_rng([data.SEED, 2, place, is_whole])
        n_answers = 2 if is_whole else draws.SECOND
        seconds = imputed_answers(people, plan["analyses"], generator, n_answers)
        for number, analysis in enumerate(plan["analyses"]):
            for delta in (0.0, *analysis.get("tipping_deltas", [])):
                firsts = [_moved(result.estimates[number], delta) for result in results]
                form = f"{analysis['method']}:delta" if delta else analyses[number]["form"]
                words = f"{name}{', whole' if is_whole else ''}, {form}, {_terms(analysis)}"
                if is_whole:
                    cases.append(case_of(form, analysis["method"], firsts[0], seconds[analysis["id"], delta][0], words))
                else:
                    cases.append(drawn_case(form, analysis["method"], firsts, seconds[analysis["id"], delta], words))
    return cases


def _terms(analysis: dict[str, Any]) -> list[str]:
    return [*analysis.get("adjust", []), *analysis.get("baseline", "").split()]


def _moved(first: Any, delta: float) -> Any:
    """An estimate of the first program, or its tipping point at a delta."""
    if not delta or first.tipping is None:
        return first
    tip = first.tipping
    values = (float(getattr(tip, name)[0]) for name in ("estimate", "low", "high", "p_value"))
    moved = SimpleNamespace(**dict(zip(("estimate", "low", "high", "p_value"), values, strict=True)))
    moved.status = "ok" if isfinite(moved.estimate) else "none"
    return moved


def drawn_case(form: str, method: str, firsts: Sequence[Any], seconds: Sequence[Found], place: str) -> Case:
    """Answers of both programs on one data set with gaps."""
    statuses = []
    for several in (firsts, seconds):
        names = [str(getattr(one.status, "value", one.status)) for one in several]
        others = sorted({one for one in names if one != "ok"})
        statuses.append("ok" if not others else ("some " if "ok" in names else "") + " or ".join(others))
    case: Case = {"form": form, "statuses": statuses, "apart": [0.0] * 3, "is_far": False, "words": ""}
    if statuses[0] != statuses[1] and "ok" in statuses:
        case["words"] = f"{place}: {statuses[0]}, second {statuses[1]}"
    if statuses == ["ok", "ok"]:
        is_ratio = method in RATIOS
        rows = [draws.numbers(one.estimate, one.low, one.high, one.p_value, is_ratio=is_ratio) for one in firsts]
        rows += [draws.numbers(one.estimate, one.low, one.high, one.p, is_ratio=is_ratio) for one in seconds]
        case["answers"] = np.array(rows).T.tolist()
    return case


def one_set(
    name: str, frame: pd.DataFrame, analyses: Sequence[dict[str, Any]], tallies: dict[str, Tally], folder: Path
) -> None:
    """Both programs on one data set, counted."""
    count(name, cases_of(name, frame, analyses, folder), tallies)


def count(name: str, cases: Sequence[Case], tallies: dict[str, Tally]) -> None:
    for case in cases:
        tallies.setdefault(case["form"], Tally()).add(case)
    for form in {case["form"] for case in cases}:
        tallies[form].n_sets += 1
        tallies[form].n_public += not name.startswith("random")


def _fits(analysis: dict[str, Any], frame: pd.DataFrame) -> bool:
    named = [*analysis.get("adjust", []), *analysis.get("stratify_by", []), *analysis.get("baseline", "").split()]
    columns = COLUMNS[analysis["endpoint"]]
    if analysis["endpoint"] == "v":
        columns = columns[:2]
    return all(name in frame for name in (*named, *columns))


def procedures(name: str, frame: pd.DataFrame, tallies: dict[str, Tally], folder: Path) -> None:
    """Procedures on one data set, counted."""
    count(name, procedure_cases_of(name, frame, folder), tallies)


def procedure_cases_of(name: str, frame: pd.DataFrame, folder: Path) -> list[Case]:
    """Adjusted p values of the first program from its own plain ones, beside the second procedure on the same."""
    analyses = [data.SIMPLE_ANALYSES[place] for place in (0, 4, 5, 11, 15, 20, 23)]
    analyses = [one for one in analyses if _fits(one, frame)]
    ids = [f"a{place}" for place in range(len(analyses))]
    groups = [group for group in (ids[:3], ids[3:5], ids[5:]) if group]
    if len(analyses) < 3:
        return []
    cases: list[Case] = []
    for test in ("holm", "hochberg", "bonferroni"):
        hands = "rejected" if test == "bonferroni" else "all"
        rows = [
            {
                "id": f"g{place}",
                "analyses": group,
                "test": test,
                "hands_on": hands if place + 1 < len(groups) else "all",
            }
            | ({"after": f"g{place - 1}"} if place else {})
            for place, group in enumerate(groups)
        ]
        _, (result,) = _first(frame, analyses, folder, [20260101], multiplicity={"gates": rows})
        plain = {found.analysis.id: found.p_value if isfinite(found.p_value) else 1.0 for found in result.estimates}
        families = [
            gates.Family(tuple(group), test, str(row["hands_on"])) for group, row in zip(groups, rows, strict=True)
        ]
        ours = gates.adjusted(plain, families)
        form = f"multiplicity:{test}"
        for found in result.estimates:
            status, words = str(found.status.value), ""
            apart = abs(found.p_adjusted - ours[found.analysis.id]) / max(ours[found.analysis.id], 1e-14)
            is_far = status == "ok" and not apart <= tolerance(form)
            if is_far:
                words = f"{name}, {test}, {found.p_adjusted:.9g}; second {ours[found.analysis.id]:.9g}"
            cases.append(
                {
                    "form": form, "statuses": [status, status], "apart": [0.0, 0.0, float(apart)], "is_far": is_far,
                    "words": words,
                }
            )  # fmt: skip
    return cases


RANDOM, PUBLIC = 200, 3
"""How many data sets of each kind a form must have been compared on before it is said to agree."""


def verdict(tally: Tally, *, least: tuple[int, int] = (0, 0)) -> str:
    """``differs``, ``agrees``, or ``pending`` on fewer random and public data sets than ``least``.

    ``differs`` where a number differs, or where the first program has one and the second has none.

    Where the first says that there is no number and the second finds one, nobody is given a wrong one; it is listed.
    """
    # "some": under some draws there is no number. Few draws of the one do not tell how often the other has none.
    split = any(one.startswith(("ok", "some ")) and not two.startswith(("ok", "some ")) for one, two in tally.statuses)
    is_unlike = min(draws.p_values(tally.answers).values(), default=1.0) < draws.FALSE_ALARM / draws.TESTS
    if split or is_unlike or tally.n_far or tally.n_numbers == 0:
        return "differs"
    is_few = tally.n_sets - tally.n_public < least[0] or tally.n_public < least[1]
    return "pending" if is_few else "agrees"


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
        *HEAD.format(
            n=len(names),
            names=", ".join(names),
            first=draws.FIRST,
            second=draws.SECOND,
            tests=draws.TESTS,
            n_imputations=draws.N_IMPUTATIONS,
            alarm=draws.FALSE_ALARM,
        ).splitlines(),
        "",
        COLUMNS_OF_PAGE,
    ]
    for form, tally in tallies.items():
        statuses = "; ".join(f"{one} / {two}: {n}" for (one, two), n in sorted(tally.statuses.items()))
        drawn = draws.p_values(tally.answers)
        least = f"{min(1.0, draws.TESTS * min(drawn.values())):.2g}" if drawn else ""
        lines.append(
            f"| `{form}` | {tally.n_sets} ({tally.n_public}) | {tally.n_cases} | {tally.n_numbers} | "
            f"{_size(tally.estimate)} | {_size(tally.ends)} | {_size(tally.p)} | {least} | {statuses} | "
            f"{verdicts[form]} |"
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
    lines = [
        *after.partition(COLUMNS_OF_PAGE)[0].splitlines(),
        COLUMNS_OF_PAGE,
        *rows.values(),
        "",
        "## What differs",
        "",
    ]
    return "\n".join([*lines, *([cases[form] for form in rows if form in cases] or ["Nothing."])]) + "\n"


class Store:
    """What was compared already, a line for each data set: a long comparison that stops goes on where it was.

    A line counts while both programs and the data set are as they were.
    """

    def __init__(self, path: Path = STORE) -> None:
        self.path = path
        sources = sorted(one for folder in PROGRAM_FOLDERS for one in Path(folder).glob("*.py"))
        self.program = sha256(b"".join(one.read_bytes() for one in sources if one.name not in NO_PROGRAM)).hexdigest()
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.known: dict[str, list[Case]] = {one["key"]: one["cases"] for one in map(json.loads, lines)}

    def cases(self, name: str, frame: pd.DataFrame, analyses: object, make: Callable[[], list[Case]]) -> list[Case]:
        """The cases of a data set, from the file or made now."""
        what = f"{self.program} {name} {frame.to_csv()} {json.dumps(analyses, sort_keys=True)}"
        key = sha256(what.encode()).hexdigest()
        if key not in self.known:
            self.known[key] = make()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "cases": self.known[key]}) + "\n")
        return self.known[key]


def both(n_sets: int, forms: Sequence[str] = ()) -> tuple[dict[str, Tally], list[str]]:
    """Both programs on random and public data sets."""
    tallies: dict[str, Tally] = {}
    names: list[str] = []
    analyses = [*data.SIMPLE_ANALYSES, *data.REPEATED_ANALYSES, *data.MIXED_ANALYSES]
    analyses = [one for one in analyses if not forms or one["form"] in forms]
    has_procedures, has_draws = (
        not forms or any(form.startswith(word) for form in forms) for word in ("multiplicity:", "imputed_")
    )
    store = Store()
    sets = [(f"random {place}", data.random_people(place)) for place in range(n_sets)]
    for place, (name, frame) in enumerate((*sets, *public.data_sets())):
        names += [name] if place >= n_sets else []
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            jobs: list[tuple[object, Callable[[], list[Case]]]] = []
            if analyses:
                jobs.append((analyses, partial(cases_of, name, frame, analyses, folder)))
            if has_procedures:
                jobs.append(("procedures", partial(procedure_cases_of, name, frame, folder)))
            if has_draws:
                todo = [place, data.imputed_analyses(place, draws.N_IMPUTATIONS)]
                jobs.append((todo, partial(drawn_cases_of, name, frame, place, folder)))
            for what, make in jobs:
                count(name, store.cases(name, frame, what, make), tallies)
        print(f"{place + 1}, of which {n_sets} random", file=sys.stderr, flush=True)
    return tallies, names


@contextmanager
def every_form_is_offered() -> Iterator[None]:
    """A form that differs is refused, and could never be compared again: while both are compared nothing is."""
    policy, table = gate._table()  # noqa: SLF001
    offered = {name: one.replace(state="pending") for name, one in table.items()}
    with mock.patch.object(gate, "_table", return_value=(policy, offered)):
        yield


def main() -> None:
    warnings.simplefilter("ignore")
    n_sets = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    forms = sys.argv[2:]
    with every_form_is_offered():
        tallies, names = both(n_sets, forms)
    if forms:
        tallies = {form: tally for form, tally in tallies.items() if form in forms}
    verdicts = {form: verdict(tally, least=(RANDOM, PUBLIC)) for form, tally in tallies.items()}
    text = page(tallies, verdicts, names)
    PAGE.write_text(merged(PAGE.read_text(encoding="utf-8"), text, forms) if forms else text, encoding="utf-8")
    write_states(verdicts)
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
