"""The CTN-0094 tables as diaries: reported use with the days that somebody was asked about.

The table of use holds days with use only. A day without a row counts as a day without use inside the assessed window
of the person, which begins a recall before day 0 and ends at the last attended visit, or at the last reported day of
any substance where that is later. Outside of it nothing is known.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from remission.errors import SpecError
from remission.exchange.quality import Imported, QualityReport, SetAside
from remission.exchange.tables import limit
from remission.records.diaries import Diaries
from remission.records.packaged import packaged_toml

_COLUMNS = {
    "tlfb": ("who", "what", "when"),
    "visit": ("who", "what", "when"),
    "randomization": ("who", "treatment", "which", "when"),
    "everybody": ("who", "project"),
    "uds": ("who", "what", "when"),
    "meta_substance_groups_uds": ("Substance",),
}


_MOST_WHO = 10**12


def read_ctn0094(folder: Path) -> list[Diaries]:
    """One record for each substance of the table of use, the most reported first.

    ``folder``: holds ``tlfb.csv.gz``, ``visit.csv.gz`` and ``randomization.csv.gz``.
    Raises SpecError: a table or a column is missing, or a table cannot be read.

    Notes
    -----
    People without any row in the table of use are left out: whether they were asked is not recorded. The group is
    the first randomized treatment, as the source names it.
    """
    rules = packaged_toml("exchange", "ctn0094.toml")
    recall_day = int(rules["recall"]["value"])
    use = read_ctn0094_table(folder, "tlfb").dropna()
    if use.empty:
        raise _unreadable(folder / "tlfb.csv.gz", "no row with a person, a substance and a day")
    visit = read_ctn0094_table(folder, "visit")
    attended = visit[_is_attended(visit, not_held=rules["visit"]["not_held"])]
    people = np.sort(use["who"].unique())
    report = use.groupby("who")["when"]
    first = np.minimum(report.min().reindex(people).to_numpy(), -recall_day).astype(np.int64)
    last = report.max().reindex(people)
    visited = attended.groupby("who")["when"].max().reindex(people)
    end = np.fmax(last.to_numpy(), visited.to_numpy()).astype(np.int64)
    first_day = int(first.min())
    day = np.arange(first_day, int(end.max()) + 1)
    assessed = (day >= first[:, None]) & (day <= end[:, None])
    arms = read_ctn0094_table(folder, "randomization").sort_values(["who", "which"]).drop_duplicates("who")
    group = arms.set_index("who")["treatment"].reindex(people).fillna("").astype(str)
    names = tuple(str(who) for who in people)
    found = []
    for substance in use["what"].value_counts().index:
        rows = use[use["what"] == substance]
        used = np.zeros(assessed.shape, dtype=bool)
        used[np.searchsorted(people, rows["who"]), rows["when"].to_numpy(np.int64) - first_day] = True
        found.append(
            Diaries(
                substance=str(substance),
                person=names,
                first_day=first_day,
                assessed=assessed,
                used=used,
                amount=None,
                amount_unit=None,
                weekday_of_first_day=np.full(len(names), -1),
                group=tuple(group),
                origin="observed",
                source=rules["source"],
                day_zero=rules["day_zero"],
            )
        )
    return found


def import_tables(folder: Path) -> Imported:
    """The same diaries with a report of the rows of the table of use that were not used.

    Raises SpecError: as :func:`read_ctn0094`.
    """
    use = read_ctn0094_table(folder, "tlfb")
    lacking = use[["who", "what", "when"]].isna()
    bad = lacking.any(axis=1)
    again = use.duplicated(["who", "what", "when"]) & ~bad
    aside = [
        SetAside(
            row=int(at) + 2,
            field=str(lacking.columns[lacking.loc[at].to_numpy()][0]) if bad[at] else "when",
            got="" if bad[at] else str(use.loc[at, "when"]),
            reason="an empty cell" if bad[at] else "the same person, substance and day again",
        )
        for at in use.index[bad | again]
    ]
    diaries = tuple(read_ctn0094(folder))
    ends = sum(int(one.used[np.arange(len(one.person)), _last_day(one)].sum()) for one in diaries[:1])
    report = QualityReport(
        n_rows=len(use),
        n_kept=len(use) - len(aside),
        set_aside=tuple(aside),
        cautions=(
            "A day without a row counts as asked about inside a window that is argued, not recorded; see the how-to.",
            (
                f"{ends} windows end on a day with use of {diaries[0].substance}: where reports reach beyond the last "
                "visit, the last report ends the window."
            ),
        ),
    )
    return Imported(diaries, report)


def _last_day(diaries: Diaries) -> np.ndarray:
    return diaries.assessed.shape[1] - 1 - np.argmax(diaries.assessed[:, ::-1], axis=1)


def _is_attended(visit: pd.DataFrame, *, not_held: list[str]) -> "pd.Series[bool]":
    """Visits that have a day, no word that they were missed and no reason why."""
    reasons = [name for name in visit.columns if str(name).startswith("is_")]
    is_held = visit["when"].notna() & ~visit["what"].isin(not_held)
    return is_held & ~visit[reasons].fillna(0).astype(bool).any(axis=1)


def read_ctn0094_table(folder: Path, name: str) -> pd.DataFrame:
    """One table of the folder, its people and days checked to be whole numbers.

    Raises SpecError: no such table, a column is missing, or a cell is no whole number.
    """
    path = folder / f"{name}.csv.gz"
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise _unreadable(path, "no such file") from None
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, f"an unreadable table ({type(error).__name__})") from None
    missing = [column for column in _COLUMNS[name] if column not in table.columns]
    if missing:
        raise _unreadable(path, f"no column {', '.join(missing)}")
    for column in [name for name in ("who", "when") if name in table.columns]:
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise _unreadable(path, f"text in the column {column}")
        # People and days are whole numbers; a day far out would ask for a table of a million columns.
        known = table[column].dropna()
        strange = known[(known % 1 != 0) | (known.abs() > (limit("day") if column == "when" else _MOST_WHO))]
        if len(strange):
            raise _unreadable(path, f"{strange.iloc[0]:g} in the column {column}, row {int(strange.index[0]) + 2}")
    return table


def _unreadable(path: Path, got: str) -> SpecError:
    return SpecError(
        where=str(path),
        got=got,
        allowed="the tables of public.ctn0094data as CSV with gzip",
        remedy="Write them from the R package public.ctn0094data, unchanged.",
    )
