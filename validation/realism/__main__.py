"""Write ``docs/validation/realism.md``, its figures, and the statistics of the diaries as data of the library.

Usage: ``python -m validation.realism FOLDER`` with the CTN-0094 tables, after ``python -m validation.realism.fit``.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.records.substance import Substance
from validation.realism.data import write_statistics
from validation.realism.figures import draw_lags, draw_scores, draw_shares
from validation.realism.fit import FOUND, PULLS, Found, match_level, match_spread, read_found
from validation.realism.score import FOLDS, RESAMPLES, Score, summaries, tell_apart
from validation.realism.statistics import diary_statistics, with_errors
from validation.realism.windows import JUDGED_TRIAL, NAMES, Window, real_window, simulated_use

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "validation" / "realism.md"
BEFORE = Path(__file__).with_name("before.toml")
N_SIMULATED = 8_000
N_MATCHED = 4_000
SEED = 20_270_401
"""People of no search."""
MATCHED_SEED = 20_261_130
SHOWN = (
    "mean", "sd_between", "none", "share_q50", "share_q75", "share_q90", "lag_1", "lag_2", "lag_3", "lag_6", "lag_7",
    "lag_8", "lag_14", "lag_21", "lag_28", "weekly", "after_use", "after_clean", "single_use", "use_run_mean",
    "single_clean", "clean_run_median", "trend",
)  # fmt: skip
_Days = Float[np.ndarray, "person day"]
_Known = dict[str, tuple[float, float, float, float]]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well the machine does on plain days and on summaries."""

    plain: Score
    summaries: Score

    def __str__(self) -> str:
        """As on the page."""
        return f"{self.plain} | {self.summaries}"


def scores(real: _Days, simulated: _Days) -> Scores:
    """Both scores, from as many simulated as real people."""
    as_many = simulated[: len(real)]
    return Scores(tell_apart(real, as_many, seed=SEED), tell_apart(summaries(real), summaries(as_many), seed=SEED))


def across(base: CourseParameters, found: Mapping[str, Found], window: Window) -> tuple[_Days, _Days]:
    """Real and simulated days, the simulated of each half with the values of the other."""
    first, second = window.halves()
    n_each = N_SIMULATED // 2
    days = [
        simulated_use(base.replace(**found[other].values), n_people=n_each, seed=SEED + k)
        for k, other in enumerate(("second half", "first half"))
    ]
    # As many of each half as there are real ones come first, for the machine takes as many as are real.
    ahead = [days[k][: len(half.use)] for k, half in enumerate((first, second))]
    rest = [days[k][len(half.use) :] for k, half in enumerate((first, second))]
    return np.concatenate([first.use, second.use]), np.concatenate([*ahead, *rest])


def judged_rows(substance: Substance, window: Window, base: CourseParameters, found: Found) -> list[str]:
    """The trial of which no value is: nothing matched, level matched, level and spread matched."""
    groups = {"all": window.within([JUDGED_TRIAL])}
    if substance is Substance("opioid"):
        groups = {
            "on buprenorphine": window.within([JUDGED_TRIAL], agonist_only=True),
            "all, half of them on naltrexone": groups["all"],
        }
    start = base.replace(**found.values)
    rows = []
    for name, people in groups.items():
        mean, none = float(people.use.mean()), float((people.use.sum(axis=1) == 0.0).mean())
        sets = {
            "nothing": start,
            "level": match_level(start, mean=mean, n_people=N_MATCHED, seed=MATCHED_SEED),
            "level and spread": match_spread(start, mean=mean, none=none, n_people=N_MATCHED, seed=MATCHED_SEED),
        }
        for matched, parameters in sets.items():
            score = scores(people.use, simulated_use(parameters, n_people=N_SIMULATED, seed=SEED))
            rows.append(f"| {substance.value} | {name} ({len(people.use)}) | {matched} | {score} |")
            print(rows[-1], flush=True)
    return rows


def main(load: Any = load_course_parameters, found_file: Path = FOUND, page: Path = PAGE) -> None:
    """Simulate, score, draw, write."""
    folder = Path(sys.argv[1])
    before = tomllib.loads(BEFORE.read_text("utf-8"))
    found = read_found(found_file)
    tables, score_rows, third_rows, worst_rows, value_rows = [], [], [], [], []
    drawn: dict[str, dict[str, Score]] = {}
    statistics, shares = {}, {}
    for substance in NAMES:
        window = real_window(folder, substance)
        known = with_errors(window.use, n_resamples=1_000, seed=SEED)
        shipped = load(substance)
        base, old = shipped.replace(wk=0.0), before[substance.value]
        same = simulated_use(base.replace(**found[substance]["all"].values), n_people=N_SIMULATED, seed=SEED)
        real, other = across(base, found[substance], window)
        plain = simulated_use(shipped, n_people=N_SIMULATED, seed=SEED)
        rows = {
            "before, values of these people": _old(old["searched"]),
            "before, as shipped": _old(old["shipped"]),
            "after, values of these people": scores(window.use, same),
            "after, values of the other half": scores(real, other),
            "after, as shipped": scores(window.use, plain),
        }
        for name, score in rows.items():
            score_rows.append(f"| {substance.value} | {name} | {score} |")
            print(score_rows[-1], flush=True)
        drawn[substance.value] = {name: score.summaries for name, score in rows.items()}
        third_rows += judged_rows(substance, window, base, found[substance]["two trials"])
        after, as_shipped = diary_statistics(other), diary_statistics(plain)
        columns = {"before": old["statistics"], "after": after, "as shipped": as_shipped}
        statistics[substance] = (known, columns)
        shares[substance] = {
            "real": window.use.mean(axis=1), "after": other.mean(axis=1), "as shipped": plain.mean(axis=1),
        }  # fmt: skip
        tables.append(_table(substance.value, len(window.use), window.n_with_use_before, known, columns))
        value_rows.append(_values(substance.value, found[substance]))
        apart = {
            name: (after[name] - value) / error
            for name, (value, error, _, _) in known.items()
            if error > 0.0 and name != "clean_run_median"
        }
        largest = sorted(apart, key=lambda name: -abs(apart[name]))[:4]
        worst_rows.append(
            f"- {substance.value.capitalize()}: "
            + "; ".join(f"`{n}` {after[n]:.3f} for {known[n][0]:.3f} ({apart[n]:+.1f})" for n in largest)
            + "."
        )
    if page == PAGE:
        write_statistics(folder, {substance: known for substance, (known, _) in statistics.items()})
    draw_scores(drawn, page.parent)
    draw_lags(statistics, page.parent)
    draw_shares(shares, page.parent)
    text = (ROOT / "validation" / "realism" / "page.md.in").read_text("utf-8")
    for mark, value in {
        "@FOLDS@": str(FOLDS),
        "@RESAMPLES@": str(RESAMPLES),
        "@SCORES@": "\n".join(["| substance | simulated | plain days | summaries |", "|---|---|---|---|", *score_rows]),
        "@THIRD@": "\n".join([
            "| substance | people of 0051 | matched | plain days | summaries |", "|---|---|---|---|---|", *third_rows,
        ]),
        "@VALUES@": "\n\n".join(value_rows),
        "@TABLES@": "\n\n".join(tables),
        "@WORST@": "\n".join(worst_rows),
    }.items():  # fmt: skip
        text = text.replace(mark, value)
    page.write_text(text, "utf-8")
    print(page)


def _old(kept: Mapping[str, list[float]]) -> Scores:
    return Scores(Score(*kept["plain"]), Score(*kept["summaries"]))


def _values(substance: str, found: Mapping[str, Found]) -> str:
    lines = [
        f"### {substance.capitalize()}",
        "",
        f"| value | scale of the error | {' | '.join(f'{part} ({one.n_people})' for part, one in found.items())} |",
        f"|---|---|{'---|' * len(found)}",
    ]
    for name, (scale, _, _) in PULLS.items():
        cells = [f"{one.values[name]:.3g} ({one.errors[name]:.2f})" for one in found.values()]
        lines.append(f"| `{name}` | {scale} | {' | '.join(cells)} |")
    lines.append(f"| misfit | | {' | '.join(f'{one.misfit:.0f}' for one in found.values())} |")
    return "\n".join(lines)


def _table(
    substance: str, n_people: int, n_before: int, known: _Known, found: Mapping[str, Mapping[str, float]]
) -> str:
    lines = [
        f"### {substance.capitalize()}",
        "",
        f"{n_people} people with complete windows, of {n_before} with use before day 0; {N_SIMULATED} simulated.",
        "",
        f"| statistic | real (95% interval) | {' | '.join(found)} |",
        f"|---|---|{'---|' * len(found)}",
    ]
    for name in SHOWN:
        value, _, low, high = known[name]
        cells = [f"{one[name]:.3f}{'' if low <= one[name] <= high else ' *'}" for one in found.values()]
        lines.append(f"| `{name}` | {value:.3f} ({low:.3f} to {high:.3f}) | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
