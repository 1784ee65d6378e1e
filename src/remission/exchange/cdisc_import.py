"""A folder of CDISC data sets, XPT or Dataset-JSON: what it holds, and the days of its SU domain as diaries.

Where a data set is there in both forms, their cells must be equal; where ``define.json`` of this program lies beside
them, so must the number of records, because an XPT file that was cut between two rows does not show it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remission.errors import RunError, SpecError
from remission.exchange.cdisc import DEFINE, SIMULATED
from remission.exchange.dataset import Cell, Dataset, is_dataset_json, read_dataset_json, read_xpt
from remission.exchange.quality import Imported
from remission.exchange.rows import RowSource, diaries_of_rows
from remission.exchange.tables import table_of
from remission.exchange.tlfb import cdisc_mapping
from remission.files import read_json
from remission.records.diaries import Diaries

_MOST_FAULTS = 20


@dataclass(frozen=True)
class CdiscFolder:
    """The data sets of a folder by name. ``notes``: what a reader should know. ``origin``: whether people live."""

    datasets: dict[str, Dataset]
    origin: str
    notes: tuple[str, ...]


def read_cdisc(folder: Path) -> CdiscFolder:
    """The data sets of a folder, every file checked.

    Raises ``SpecError``: no such folder, no data set in it, a file that is damaged or not what it says, two forms of a
    data set that differ, or rows that are missing.
    """
    if not folder.is_dir():
        raise SpecError(where=str(folder), got="no folder", allowed="a folder with .xpt or Dataset-JSON files")
    found: dict[str, Dataset] = {}
    notes: list[str] = []
    faults: list[SpecError] = []
    for path in sorted(folder.iterdir(), key=lambda one: (one.stem.lower(), one.suffix.lower())):
        is_json = path.suffix.lower() == ".json" and path.name != DEFINE and is_dataset_json(path)
        if not is_json and path.suffix.lower() != ".xpt":
            if path.is_file() and path.name != DEFINE and not path.name.startswith("."):
                notes.append(f"Not read, because it is no data set: {path.name}.")
            continue
        try:
            data = read_dataset_json(path) if is_json else read_xpt(path)
            name = path.stem.upper()
            if name in found:
                _compare(found[name], data, path)
            else:
                found[name] = data
        except SpecError as error:
            faults += error.faults
    if not found and not faults:
        below = sorted({one.parent.name for one in folder.glob("*/*.xpt")} | {
            one.parent.name for one in folder.glob("*/*.json")})  # fmt: skip
        raise SpecError(
            where=str(folder), got="no data set", allowed="a folder with .xpt or Dataset-JSON files",
            remedy=f"There are some in its folders: {', '.join(below)}." if below else "",
        )  # fmt: skip
    origin, records = _defined(folder)
    faults += [
        SpecError(
            where=f"{folder.name}, {name}", got=f"{len(found[name].rows)} records",
            allowed=f"{count}, as {DEFINE} says", remedy="The file was cut between two rows, or changed.",
        )
        for name, count in records.items()
        if name in found and len(found[name].rows) != count
    ]  # fmt: skip
    SpecError.check(faults[:_MOST_FAULTS])
    if any(_is_simulated(data) for data in found.values()):
        origin = "simulated"
    return CdiscFolder(found, origin, tuple(notes))


def import_cdisc(folder: Path) -> Imported:
    """The days of substance use of a folder's SU data set as diaries, with arms of DM.

    Raises ``SpecError``: as :func:`read_cdisc`; or there is no SU, or none of its rows is a day of a person.
    """
    read = read_cdisc(folder)
    if "SU" not in read.datasets:
        raise SpecError(
            where=str(folder), got=f"no SU among {', '.join(read.datasets)}",
            allowed="the data set SU, with days of use",
            remedy="A table with a row a person, such as ADSL, is read by remission analyze --plan.",
        )  # fmt: skip
    uses, notes = read.datasets["SU"], list(read.notes)
    mapping, people, arms = cdisc_mapping(uses.names), [], {}
    if "DM" in read.datasets:
        dm = read.datasets["DM"]
        people = [str(one) for one in dm["USUBJID"]] if "USUBJID" in dm else []
        if "ARM" in dm:
            arms = {who: str(arm) for who, arm in zip(people, dm["ARM"], strict=True) if arm}
    table = table_of(uses)
    table, spans = _single_days(table, notes)
    silent = "SUSTAT" in uses
    source = RowSource(
        name=f"{folder.name}, SU", place=pd.DataFrame({"row": table.index + 2}), columns=uses.names, is_typed=True,
        may_be_silent=silent, people=people, arms=arms or None,
    )  # fmt: skip
    table = table.reset_index(drop=True)
    imported = diaries_of_rows(table, mapping, source)
    others = [name for name in read.datasets if name not in {"SU", "DM"}]
    if others:
        notes.append(f"Read and checked, and no part of diaries: {', '.join(others)}.")
    subject = _subjects(read.datasets)
    made = tuple(_finished(one, read.origin, subject, spans.get(one.substance.casefold())) for one in imported.diaries)
    report = replace(imported.report, cautions=(*imported.report.cautions, *notes))
    return Imported(made, report)


def describe_folder(read: CdiscFolder) -> list[dict[str, Any]]:
    """Name, label, records and columns of each data set."""
    return [
        {"name": name, "label": data.label, "records": len(data.rows), "columns": data.names}
        for name, data in read.datasets.items()
    ]


def _compare(one: Dataset, other: Dataset, path: Path) -> None:
    if one.names != other.names or len(one.rows) != len(other.rows):
        raise SpecError(
            where=path.name, got=f"{len(other.rows)} rows of {len(other.names)} columns",
            allowed=f"as the same data set in its other form: {len(one.rows)} rows of {len(one.names)} columns",
            remedy="One of the two was cut or changed.",
        )  # fmt: skip
    for number, (row, twin) in enumerate(zip(one.rows, other.rows, strict=True)):
        for name, cell, again in zip(one.names, row, twin, strict=True):
            if _plain(cell) != _plain(again):
                raise SpecError(
                    where=f"{path.name}, row {number + 1}, {name}", got=again,
                    allowed=f"{cell!r}, as in its other form", remedy="One of the two was changed.",
                )  # fmt: skip


def _plain(cell: Cell) -> Cell:
    return None if cell == "" else cell


def _defined(folder: Path) -> tuple[str, dict[str, int]]:
    """What ``define.json`` says: whether people live, and how many records there are of each data set."""
    if not (folder / DEFINE).is_file():
        return "observed", {}
    try:
        content = read_json(folder / DEFINE, allowed="what the program wrote beside the data sets")
        records = {str(one["name"]): int(one["records"]) for one in content["datasets"]}
    except (RunError, KeyError, TypeError, ValueError) as error:
        got = str(error.got) if isinstance(error, RunError) else "another kind of content"
        raise SpecError(
            where=f"{folder.name}, {DEFINE}", got=got, allowed="what the program wrote beside the data sets",
            remedy="Take the file away to read the data sets without it.",
        ) from None  # fmt: skip
    return ("simulated" if content.get("origin") == "simulated" else "observed"), records


def _is_simulated(data: Dataset) -> bool:
    study = data["STUDYID"][0] if "STUDYID" in data and data.rows else ""
    said = f"{data.label} {data.about.get('originator', '')}".lower()
    return str(study).startswith(f"{SIMULATED}-") or "simulated" in said


def _single_days(table: pd.DataFrame, notes: list[str]) -> tuple[pd.DataFrame, dict[str, tuple[int, int]]]:
    """Rows of one day each, and the first and last study day of each substance, days not done included."""
    if "SUENDY" in table and "SUSTDY" in table:
        longer = (table["SUENDY"] != "") & (table["SUENDY"] != table["SUSTDY"])
        if longer.any():
            notes.append(f"{int(longer.sum())} rows of SU are of more than one day and say nothing of single days.")
            table = table[~longer]
    spans: dict[str, tuple[int, int]] = {}
    if "SUSTDY" in table:
        days = pd.to_numeric(table["SUSTDY"], errors="coerce")
        for name, found in days.groupby(table["SUTRT"]):
            whole = found.dropna()
            if len(whole):
                spans[str(name).casefold()] = (_our_day(int(whole.min())), _our_day(int(whole.max())))
    return table, spans


def _our_day(day: int) -> int:
    return day - 1 if day > 0 else day


def _subjects(datasets: dict[str, Dataset]) -> dict[str, str]:
    """SUBJID of each USUBJID, where each has one and no two have the same."""
    dm = datasets.get("DM")
    if dm is None or "SUBJID" not in dm or "USUBJID" not in dm:
        return {}
    found = {str(who): str(name) for who, name in zip(dm["USUBJID"], dm["SUBJID"], strict=True)}
    return found if all(found.values()) and len(set(found.values())) == len(found) else {}


def _finished(one: Diaries, origin: str, subject: dict[str, str], span: tuple[int, int] | None) -> Diaries:
    """Diaries under the people's own numbers, with the days that nobody was asked about at both ends."""
    before = max(one.first_day - span[0], 0) if span else 0
    after = max(span[1] - (one.first_day + one.assessed.shape[1] - 1), 0) if span else 0
    widths = ((0, 0), (before, after))
    weekday = np.where(one.weekday_of_first_day < 0, -1, (one.weekday_of_first_day - before) % 7)
    return replace(
        one,
        person=tuple(subject.get(name, name) for name in one.person),
        first_day=one.first_day - before,
        assessed=np.pad(one.assessed, widths), used=np.pad(one.used, widths),
        amount=None if one.amount is None else np.pad(one.amount, widths, constant_values=np.nan),
        weekday_of_first_day=weekday,
        origin="simulated" if origin == "simulated" else "observed",
        day_zero="study day 1 of the file",
    )  # fmt: skip
