"""The CTN-0094 people as endpoints read them: urine screens, visits and diaries counted from randomization.

Day 0 is the day of randomization, so that week 1 is days 1 to 7; for people who were never randomized day 1 is the day
of consent. The screens that count, the planned end and what makes a day negative are those of the published weekly
words (``library/exchange/ctn0094.toml``, table ``words``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remission.endpoints.data import EndpointData
from remission.errors import SpecError, did_you_mean
from remission.exchange.ctn0094 import read_ctn0094, read_ctn0094_table
from remission.records.packaged import packaged_toml
from remission.shapes import Bool, Int

OPIOIDS = "opioids"
"""Name of the default: all opioids but the study's own medicine."""

_DAYS_IN_WEEK = 7
_PROJECTS = ("27", "30", "51")
_LAST_DAY = 1825
"""Of the longest window; a later end is a slip in a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ctn0094People:
    """Everybody of the three trials, in the order of their numbers.

    person, project, group
        Number, trial and first randomized treatment of each person; empty text for people never randomized.
    second_week
        Week in which the second phase of CTN-0030 begins; empty text for people without one.
    data
        What was seen of them; days are counted from randomization.
    """

    person: tuple[str, ...]
    project: tuple[str, ...]
    group: tuple[str, ...]
    second_week: tuple[str, ...]
    data: EndpointData


def read_ctn0094_people(folder: Path, *, substance: str = OPIOIDS) -> Ctn0094People:
    """The people of the tables with their screens, visits and diaries.

    ``folder``: tables of public.ctn0094data as CSV with gzip. ``substance``: what counts as use: ``opioids``, or a name
    of the table of screens or of reported use.
    Raises SpecError: a table is missing or damaged, or no table knows the substance.

    Notes
    -----
    A day counts as asked about inside the window that :func:`~remission.exchange.ctn0094.read_ctn0094` argues. Days in
    the study end with the last attended visit; who attends in the last planned week has stayed to the end.
    """
    rules = packaged_toml("exchange", "ctn0094.toml")["words"]
    everybody = read_ctn0094_table(folder, "everybody").dropna(subset=["who"]).drop_duplicates("who").sort_values("who")
    who, project = everybody["who"].to_numpy(np.int64), everybody["project"].astype(str).to_numpy()
    _check(folder / "everybody.csv.gz", "project", project, np.isin(project, _PROJECTS), ", ".join(_PROJECTS))
    zero, end, is_randomized, group, second_week = _calendar(folder, who, project, rules)
    n_days = int(end.max(initial=1))
    uds = read_ctn0094_table(folder, "uds").dropna(subset=["who", "what", "when"])
    counted = _counted(uds, who, group, is_randomized, substance, rules)
    visit = read_ctn0094_table(folder, "visit")
    held = visit[visit["what"].isin(rules["held"]) & visit["when"].notna()]
    positive = _grid(uds[counted], who, zero, n_days)
    attended = _grid(held, who, zero, n_days)
    inside = np.arange(n_days) < end[:, None]
    positive &= inside
    # The published words show no negative screen of people who were never randomized.
    kept = positive | (attended & inside & is_randomized[:, None])
    screened = _is_screened(folder, project, substance)
    used, seen, first_day = _diaries(folder, who, zero, n_days, substance, rules)
    due = _weeks_without(kept, end)
    return Ctn0094People(
        person=tuple(str(number) for number in who),
        project=tuple(project),
        group=tuple(group),
        second_week=tuple(second_week),
        data=EndpointData(
            used=used,
            seen=seen,
            amount=None,
            first_day=first_day,
            end_day=end,
            test_day=np.arange(n_days),
            test_due=(kept | due) & screened[:, None],
            test_kept=kept & screened[:, None],
            test_positive=positive & screened[:, None],
            craving_day=np.zeros(0, dtype=np.int64),
            craving_vas=np.zeros((who.size, 0)),
            days_in_study=_days_in_study(attended & inside, end),
        ),
    )


def _calendar(
    folder: Path, who: Int[np.ndarray, " subject"], project: np.ndarray, rules: dict[str, Any]
) -> tuple[
    Int[np.ndarray, " subject"], Int[np.ndarray, " subject"], Bool[np.ndarray, " subject"], np.ndarray, list[str]
]:
    """Day 0 counted from consent, first day after the plan, whether randomized, treatment, week of the second phase."""
    table = read_ctn0094_table(folder, "randomization").dropna(subset=["who", "when"])
    path = folder / "randomization.csv.gz"
    which = pd.to_numeric(table["which"], errors="coerce")
    _check(path, "which", table["which"].to_numpy(), which.isin([1, 2]).to_numpy(), "1 or 2")
    table = table.assign(which=which)
    first, second = (table[table["which"] == number].drop_duplicates("who").set_index("who") for number in (1, 2))
    start = first["when"].reindex(who).to_numpy(np.float64)
    again = np.where(project == "30", second["when"].reindex(who).to_numpy(np.float64), np.nan)
    fixed, phase_1, phase_2 = (rules[name]["value"] for name in ("length", "first_phase", "second_phase"))
    is_randomized = np.isfinite(start) & (start >= -rules["before"]["value"]) & ((project == "30") | (start <= fixed))
    zero = np.where(is_randomized, start, -1.0)
    last = np.where(project == "30", np.where(is_randomized, start, 0.0) + phase_1, fixed)
    last = np.where(is_randomized & np.isfinite(again), again + phase_2, last)
    latest = np.fmax(np.where(is_randomized, last, 0.0), np.where(is_randomized & np.isfinite(again), again, 0.0))
    _check(path, "when", latest, latest <= _LAST_DAY, f"days that end the plan by day {_LAST_DAY}")
    backward = is_randomized & (again < start)
    _check(path, "when", again, ~backward, "a second randomization after the first")
    group = first["treatment"].reindex(who).fillna("").astype(str).to_numpy()
    has_second = is_randomized & np.isfinite(again)
    week = (np.where(has_second, again - zero, 1.0).astype(np.int64) - 1) // _DAYS_IN_WEEK + 1
    return (
        zero.astype(np.int64),
        (last - zero + 1).astype(np.int64),
        is_randomized,
        np.where(is_randomized, group, ""),
        [str(number) if known else "" for number, known in zip(week.tolist(), has_second.tolist(), strict=True)],
    )


def _check(path: Path, column: str, cells: np.ndarray, good: np.ndarray, allowed: str) -> None:
    """Refuse a column with a cell that has no meaning; the first such cell is named."""
    if not good.all():
        got = cells[int(np.argmin(good))]
        raise SpecError(
            where=f"{path}, column {column}",
            got=got.item() if isinstance(got, np.generic) else got,
            allowed=allowed,
            remedy="Write the tables from the R package public.ctn0094data, unchanged.",
        )


def _counted(
    uds: pd.DataFrame,
    who: np.ndarray,
    group: np.ndarray,
    is_randomized: np.ndarray,
    substance: str,
    rules: dict[str, Any],
) -> "pd.Series[bool]":
    """Rows of the table of screens that count as use."""
    if substance != OPIOIDS:
        return uds["what"] == substance
    names = pd.Series(group, index=who)
    kind = np.select(
        [names.str.contains("BUP") & is_randomized, names.eq("Methadone") & is_randomized],
        ["buprenorphine", "methadone"],
        "other",
    )
    of_row = pd.Series(kind, index=who).reindex(uds["who"]).to_numpy()
    counted = np.zeros(len(uds), dtype=np.bool_)
    for name in ("buprenorphine", "methadone", "other"):
        counted |= (of_row == name) & uds["what"].isin(rules["opioids"][name]).to_numpy()
    return pd.Series(counted, index=uds.index)


def _is_screened(folder: Path, project: np.ndarray, substance: str) -> Bool[np.ndarray, " subject"]:
    """Whether the person's trial screened for the substance; trials that the table does not name are taken to."""
    if substance == OPIOIDS:
        return np.ones(project.size, dtype=np.bool_)
    groups = read_ctn0094_table(folder, "meta_substance_groups_uds")
    found = np.zeros(project.size, dtype=np.bool_)
    for name in np.unique(project):
        column = f"CTN-00{name}"
        labels = set() if column not in groups.columns else {str(label).lower() for label in groups[column]}
        found |= (project == name) & (substance.lower() in labels)
    return found


def _grid(rows: pd.DataFrame, who: np.ndarray, zero: np.ndarray, n_days: int) -> Bool[np.ndarray, "subject day"]:
    """Days from day 0 on which a person has a row."""
    place = np.searchsorted(who, rows["who"].to_numpy(np.int64))
    known = (place < who.size) & (who[np.minimum(place, who.size - 1)] == rows["who"].to_numpy(np.int64))
    place, when = place[known], rows["when"].to_numpy(np.int64)[known]
    day = when - zero[place]
    inside = (day >= 0) & (day < n_days)
    grid = np.zeros((who.size, n_days), dtype=np.bool_)
    grid[place[inside], day[inside]] = True
    return grid


def _weeks_without(kept: Bool[np.ndarray, "subject day"], end: Int[np.ndarray, " subject"]) -> np.ndarray:
    """A test due on the last planned day of each week, from day 1, in which none was given."""
    due = np.zeros_like(kept)
    people = np.arange(kept.shape[0])
    for start in range(1, kept.shape[1], _DAYS_IN_WEEK):
        none = ~kept[:, start : start + _DAYS_IN_WEEK].any(axis=1) & (start < end)
        last = np.minimum(start + _DAYS_IN_WEEK, end) - 1
        due[people[none], last[none]] = True
    return due


def _diaries(
    folder: Path, who: np.ndarray, zero: np.ndarray, n_days: int, substance: str, rules: dict[str, Any]
) -> tuple[Bool[np.ndarray, "subject day"], Bool[np.ndarray, "subject day"], int]:
    """Reported use and days asked about, from the first day of any to the last planned one."""
    found = read_ctn0094(folder)
    names = rules["diary"]["opioids"] if substance == OPIOIDS else [substance]
    chosen = [one for one in found if one.substance.lower() in {name.lower() for name in names}]
    uds_names = {str(name) for name in read_ctn0094_table(folder, "uds")["what"].dropna().unique()}
    if not chosen and substance not in uds_names:
        allowed = sorted({OPIOIDS, *(one.substance for one in found), *uds_names})
        raise SpecError(
            where="--substance",
            got=substance,
            allowed=", ".join(allowed),
            remedy=did_you_mean(substance, allowed),
        )
    base = found[0]
    reporting = np.array([int(name) for name in base.person])
    known = np.isin(reporting, who)
    place = np.searchsorted(who, reporting[known])
    used_source = (
        np.logical_or.reduce([one.used for one in chosen])[known] if chosen else np.zeros_like(base.used[known])
    )
    seen_source = base.assessed[known] if chosen else np.zeros_like(base.assessed[known])
    first_day = min(0, base.first_day - int(zero.max(initial=0)))
    used = np.zeros((who.size, n_days - first_day), dtype=np.bool_)
    seen = np.zeros_like(used)
    column = base.study_day[None, :] - zero[place][:, None] - first_day
    inside = (column >= 0) & (column < used.shape[1])
    row = np.broadcast_to(place[:, None], column.shape)
    seen[row[inside], column[inside]] = seen_source[inside]
    used[row[inside], column[inside]] = used_source[inside]
    return used, seen, first_day


def _days_in_study(attended: Bool[np.ndarray, "subject day"], end: Int[np.ndarray, " subject"]) -> np.ndarray:
    n_days = attended.shape[1]
    last = np.where(attended.any(axis=1), n_days - attended[:, ::-1].argmax(axis=1), 0)
    return np.where(last > end - 1 - _DAYS_IN_WEEK, end, last)
