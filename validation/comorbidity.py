"""Where the numbers of comorbidity-2026 come from: counts in the public tables of CTN-0094, printed.

Usage: ``python -m validation.comorbidity FOLDER``, with the files of the R package public.ctn0094data (MIT licence).
The data are of real people and stay where they are; what is committed are these counts.
"""

import csv
import gzip
import sys
from collections import defaultdict
from math import exp, log, sqrt
from pathlib import Path
from statistics import mean, variance

Z95 = 1.959964
DAYS = 28
COLUMNS = {"depression": "has_major_dep", "anxiety": "has_anx_pan"}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one file."""
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def prevalence(rows: list[dict[str, str]], column: str) -> tuple[int, int, float, float]:
    """People who have it, people with an answer, and the Wilson interval of their share."""
    yes = sum(row[column] == "Yes" for row in rows)
    n = sum(row[column] in {"Yes", "No"} for row in rows)
    share, z = yes / n, Z95
    middle, half = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return yes, n, (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def together(rows: list[dict[str, str]]) -> tuple[tuple[int, int, int, int], float, float, float]:
    """Both, depression alone, anxiety alone, neither; the odds ratio with its Wald interval."""
    cells = dict.fromkeys((("Yes", "Yes"), ("Yes", "No"), ("No", "Yes"), ("No", "No")), 0)
    for row in rows:
        pair = (row["has_major_dep"], row["has_anx_pan"])
        if pair in cells:
            cells[pair] += 1
    a, b, c, d = cells.values()
    center, width = log(a * d / (b * c)), Z95 * sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return (a, b, c, d), exp(center), exp(center - width), exp(center + width)


def opioid_days(folder: Path, rows: list[dict[str, str]], column: str) -> tuple[float, float, float]:
    """Difference of the percent of opioid days in the first 28 days from randomization, with less without, and its
    interval.

    A day without a row counts as a day without use, whether or not it was assessed: alike in both groups.
    """
    start = {
        row["who"]: int(row["when"]) for row in table(folder, "randomization") if row["which"] == "1" and row["when"]
    }
    used: dict[str, set[int]] = defaultdict(set)
    for row in table(folder, "tlfb"):
        who = row["who"]
        if who in start and row["what"] in {"Heroin", "Opioid"}:
            day = int(row["when"]) - start[who]
            if 0 <= day < DAYS:
                used[who].add(day)
    groups: dict[str, list[float]] = {"Yes": [], "No": []}
    for row in rows:
        if row["who"] in start and row[column] in groups:
            groups[row[column]].append(100.0 * len(used[row["who"]]) / DAYS)
    difference = mean(groups["Yes"]) - mean(groups["No"])
    width = Z95 * sqrt(sum(variance(one) / len(one) for one in groups.values()))
    return difference, difference - width, difference + width


def main(folder: Path) -> None:
    """Print every number of the set that rests on these tables."""
    rows = table(folder, "psychiatric")
    for name, column in COLUMNS.items():
        yes, n, low, high = prevalence(rows, column)
        print(f"prevalence_{name}.opioid: {yes} of {n}, {yes / n:.4f} ({low:.4f} to {high:.4f})")
        difference, low, high = opioid_days(folder, rows, column)
        print(f"  opioid days in the first {DAYS}: {difference:.1f} points ({low:.1f} to {high:.1f})")
    cells, center, low, high = together(rows)
    print(f"odds_ratio_together: {cells}, {center:.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
