"""Write ``docs/validation/realism.md``, its figures, and the statistics of the diaries as data of the library.

Usage: ``python -m validation.realism FOLDER`` with the CTN-0094 tables.
"""

import sys
from pathlib import Path

from remission.patient.parameters import load_course_parameters
from validation.realism.data import write_statistics
from validation.realism.figures import draw_lags, draw_scores, draw_shares
from validation.realism.fit import fit
from validation.realism.score import FOLDS, RESAMPLES, Score, summaries, tell_apart
from validation.realism.statistics import diary_statistics, with_errors
from validation.realism.windows import NAMES, real_window, simulated_use

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "validation" / "realism.md"
N_SIMULATED = 8_000
SEED = 20_270_401
"""People of no search."""
SHOWN = (
    "mean", "sd_between", "none", "share_q50", "share_q75", "share_q90", "lag_1", "lag_2", "lag_3", "lag_6", "lag_7",
    "lag_8", "lag_14", "lag_21", "lag_28", "weekly", "after_use", "after_clean", "single_use", "use_run_mean",
    "single_clean", "clean_run_median", "trend",
)  # fmt: skip


def main() -> None:
    """Search, simulate, score, draw, write."""
    folder = Path(sys.argv[1])
    tables, score_rows, worst_rows = [], [], []
    scores: dict[str, dict[str, Score]] = {}
    statistics, shares = {}, {}
    for substance in NAMES:
        window = real_window(folder, substance)
        known = with_errors(window.use, n_resamples=1_000, seed=SEED)
        sets = {
            "before": fit(substance, folder, rhythm=False)[0],
            "after": fit(substance, folder, rhythm=True)[0],
            "as shipped": load_course_parameters(substance),
        }
        days = {
            name: simulated_use(substance, n_people=N_SIMULATED, seed=SEED, parameters=parameters)
            for name, parameters in sets.items()
        }
        found = {name: diary_statistics(use) for name, use in days.items()}
        statistics[substance] = (known, found)
        shares[substance] = {"real": window.use.mean(axis=1), **{name: use.mean(axis=1) for name, use in days.items()}}
        scores[substance.value] = {}
        for name, use in days.items():
            as_many = use[: len(window.use)]
            plain = tell_apart(window.use, as_many, seed=SEED)
            summed = tell_apart(summaries(window.use), summaries(as_many), seed=SEED)
            scores[substance.value][name] = summed
            score_rows.append(f"| {substance.value} | {name} | {plain} | {summed} |")
            print(substance.value, name, plain, summed, flush=True)
        tables.append(_table(substance.value, len(window.use), window.n_with_use_before, known, found))
        apart = {
            name: (found["after"][name] - value) / error
            for name, (value, error, _, _) in known.items()
            if error > 0.0 and name != "clean_run_median"
        }
        largest = sorted(apart, key=lambda name: -abs(apart[name]))[:4]
        worst_rows.append(
            f"- {substance.value.capitalize()}: "
            + "; ".join(f"`{n}` {found['after'][n]:.3f} for {known[n][0]:.3f} ({apart[n]:+.1f})" for n in largest)
            + "."
        )
    write_statistics(folder, {substance: known for substance, (known, _) in statistics.items()})
    draw_scores(scores, PAGE.parent)
    draw_lags(statistics, PAGE.parent)
    draw_shares(shares, PAGE.parent)
    heads = "| substance | simulated | plain days | summaries |\n|---|---|---|---|"
    text = (ROOT / "validation" / "realism" / "page.md.in").read_text("utf-8")
    for mark, value in {
        "@FOLDS@": str(FOLDS),
        "@RESAMPLES@": str(RESAMPLES),
        "@SCORES@": "\n".join([heads, *score_rows]),
        "@TABLES@": "\n\n".join(tables),
        "@WORST@": "\n".join(worst_rows),
    }.items():
        text = text.replace(mark, value)
    PAGE.write_text(text, "utf-8")
    print(PAGE)


def _table(
    substance: str,
    n_people: int,
    n_before: int,
    known: dict[str, tuple[float, float, float, float]],
    found: dict[str, dict[str, float]],
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
