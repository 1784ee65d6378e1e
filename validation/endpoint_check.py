"""Endpoints of the CTN-0094 people, each computed twice; into ``docs/validation/endpoints.md``.

Usage: ``make endpoints DIARIES=folder``, the folder holding the tables of public.ctn0094data. The second programs are
``tests/support/ctnote_by_hand.py`` for weekly definitions and the package abstcal for abstinence.
"""

import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remission.endpoints.data import EndpointData
from remission.endpoints.values import values_of
from remission.exchange.endpoint_tables import EndpointTable, compute_endpoints, read_people
from remission.library.endpoints import list_endpoints
from remission.records.endpoint import Endpoint

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "endpoints.md"
N_ABSTCAL = 300
LAST = 84


def main(folder: Path) -> None:
    """Read, compute twice, compare, write the page."""
    started = time.perf_counter()
    people = read_people(folder)
    read_s = time.perf_counter() - started
    started = time.perf_counter()
    table = compute_endpoints(people, list_endpoints())
    compute_s = time.perf_counter() - started
    words = people.words(people.window)
    assert words is not None
    weekly = _weekly(table, words)
    abstcal = _abstcal(people.data)
    PAGE.write_text(_page(table, words, weekly, abstcal, read_s=read_s, compute_s=compute_s), encoding="utf-8")
    print(PAGE)


def _weekly(table: EndpointTable, words: tuple[str, ...]) -> dict[str, int]:
    """People whose number or event differs between the two programs, by definition."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    second = import_module("ctnote_by_hand")
    differing = {}
    for name, reader in second.DEFINITIONS.items():
        expected = np.array([float(reader(word)) for word in words])
        differing[name] = int((~np.isclose(table.values[name], expected, rtol=1e-12, atol=1e-10)).sum())
    for name, reader in second.TIMES.items():
        pairs = np.array([reader(word) for word in words])
        same = (table.values[name] == pairs[:, 0]) & (table.events[name] == pairs[:, 1])
        differing[name] = int((~same).sum())
    return differing


def _abstcal(data: EndpointData) -> dict[str, tuple[int, int]]:
    """People compared and differing, by kind of abstinence and rule, for the first people with diaries."""
    abstcal = import_module("abstcal")
    chosen = np.flatnonzero(data.seen.any(axis=1))[:N_ABSTCAL]
    few = data.of(chosen)
    person, column = np.nonzero(few.seen)
    tlfb = pd.DataFrame({"id": person, "date": column + few.first_day, "amount": few.used[few.seen] * 1.0})
    visits = pd.DataFrame(
        [(one, number, day) for one in range(len(few)) for number, day in enumerate((1, LAST + 1))],
        columns=["id", "visit", "date"],
    )
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        visit_data = abstcal.VisitData(visits, use_raw_date=False)
        visit_data.impute_data()
        second = abstcal.AbstinenceCalculator(abstcal.TLFBData(tlfb, use_raw_date=False), visit_data)
        for mode, rule in (("itt", "use"), ("ro", "complete")):
            answers: dict[str, tuple[dict[str, Any], Any]] = {
                "continuous_abstinence": ({}, second.abstinence_cont(0, 1, mode=mode)),
                "point_prevalence_abstinence": ({"length_days": 7}, second.abstinence_pp(1, 7, mode=mode)),
            }
            for kind, (fields, theirs) in answers.items():
                ours = values_of(_endpoint(kind, rule, fields), few)
                other = theirs[0].sort_index().iloc[:, 0].astype(float).to_numpy()
                same = (ours == other) | (np.isnan(ours) & np.isnan(other))
                found[f"{kind}, {mode}"] = (len(few), int((~same).sum()))
    return found


def _endpoint(kind: str, missing: str, fields: dict[str, Any]) -> Endpoint:
    window = {"first": 1, "last": LAST}
    return Endpoint.create(id="e", label="e", kind=kind, window=window, missing=missing, **fields)


def _page(
    table: EndpointTable,
    words: tuple[str, ...],
    weekly: dict[str, int],
    abstcal: dict[str, tuple[int, int]],
    *,
    read_s: float,
    compute_s: float,
) -> str:
    signs = {sign: sum(word.count(sign) for word in words) for sign in "-+*o"}
    n_weeks = sum(signs.values())
    return _TEXT.format(
        n_people=len(words),
        n_weeks=n_weeks,
        signs=", ".join(f"`{sign}` {count} ({100 * count / n_weeks:.1f}%)" for sign, count in signs.items()),
        read_s=read_s,
        compute_s=compute_s,
        n_endpoints=len(table.endpoints),
        n_differ=sum(weekly.values()),
        n_weekly=len(weekly),
        weekly="\n".join(f"| `{name}` | {count} |" for name, count in weekly.items()),
        last=LAST,
        n_abstcal=N_ABSTCAL,
        abstcal="\n".join(f"| {name} | {n} | {count} |" for name, (n, count) in abstcal.items()),
        values="\n".join(_row(row) for row in table.summary()),
        left_out=", ".join(f"`{name}`" for name in table.left_out),
    )


_TEXT = """\
# Endpoints computed twice

Claim: the named endpoints of real people are those of their definitions.

Written by `make endpoints DIARIES=folder` from the tables of public.ctn0094data 1.0.6.
Everybody of the three trials: {n_people} people, {n_weeks} planned weeks, of which {signs}.
Reading took {read_s:.1f} s, and {n_endpoints} endpoints of everybody {compute_s:.1f} s on one core.

Published values of these endpoints were not looked at: this page compares programs with each other.

## Weekly definitions, a second program

The second program (`tests/support/ctnote_by_hand.py`) reads each word sign by sign.
It shares nothing with the first but the five signs.
People who differ, of {n_people}: {n_differ} over {n_weekly} definitions.

| definition | people who differ |
|---|---|
{weekly}

## Abstinence, the package abstcal 0.9

Days 1 to {last} of reported opioid use; the first {n_abstcal} people with diaries.
`itt` is `missing: use`, `ro` is `missing: complete`.

| abstinence | people compared | people who differ |
|---|---|---|
{abstcal}

Prolonged abstinence agrees on complete diaries (`tests/unit/test_abstcal_agrees.py`).
With days missing it does not: abstcal then counts a failure whatever its rule, here a missing day counts as use.

## Values

| endpoint | unit | people with a value | mean | SD | share with the event |
|---|---|---|---|---|---|
{values}

Not computed, because the tables have no amounts and no marks of craving: {left_out}.

Status: independent for weekly definitions and for continuous and point-prevalence abstinence.
The rest is held to cases computed by hand.
"""


def _row(row: dict[str, Any]) -> str:
    mean, spread, share = ("" if row[key] is None else f"{row[key]:.4g}" for key in ("mean", "sd", "event_share"))
    return f"| `{row['id']}` | {row['unit']} | {row['n_valued']} | {mean} | {spread} | {share} |"


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("make endpoints DIARIES=folder: no such folder")
    main(Path(sys.argv[1]))
