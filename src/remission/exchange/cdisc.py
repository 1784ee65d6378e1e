"""A trial as data sets of CDISC: SDTM (DM, SU, EX, QS, DS) and ADaM (ADSL, ADTTE, ADUSE by week, ADEFF).

Columns, labels and terms, with where each was read, stand in ``library/exchange/cdisc.toml``. Simulated people stay
simulated: the study's name, the labels of the files and ``define.json`` say so.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remission.endpoints.data import EndpointData
from remission.endpoints.values import times_of
from remission.errors import WorkError
from remission.exchange.dataset import Cell, Column, Dataset, write_dataset_json, write_xpt
from remission.exchange.endpoint_tables import data_of_diaries
from remission.files import check_free, move, staged_folder, write_text
from remission.provenance import package_version
from remission.records.diaries import Diaries
from remission.records.endpoint import Endpoint
from remission.records.packaged import packaged_toml
from remission.records.result import Result
from remission.runs.people import check_replicate, data_of, outcomes_of, plan_of_run
from remission.trial.batch import TrialBatch
from remission.trial.chunk import Chunk
from remission.trial.endpoints import amount_unit_of
from remission.trial.simulate import TrialPlan

SIMULATED = "SIMULATED"
DEFINE = "define.json"
_SAYS = packaged_toml("exchange", "cdisc.toml")["says"]
_TERMS = packaged_toml("exchange", "cdisc.toml")["terms"]
_DATA = packaged_toml("exchange", "cdisc.toml")["data"]
_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class CdiscTrial(Result):
    """A trial as data sets. ``origin``: whether its people live. ``says``: what the files say of themselves."""

    study: str
    origin: str
    datasets: tuple[Dataset, ...]
    says: tuple[str, ...] = field(default=())

    def columns(self) -> dict[str, Any]:
        """One row a column of a data set."""
        rows = [(data, column) for data in self.datasets for column in data.columns]
        return {
            "dataset": [data.name for data, _ in rows], "records": [len(data.rows) for data, _ in rows],
            "column": [column.name for _, column in rows], "label": [column.label for _, column in rows],
            "type": [column.type for _, column in rows],
        }  # fmt: skip


@dataclass(frozen=True)
class _People:
    """Who the rows are about: identifiers, place of the arm, and what endpoints read of them."""

    study: str
    subject: tuple[str, ...]
    arm: tuple[int, ...]
    arms: tuple[tuple[str, str], ...]
    data: EndpointData
    substance: str
    more: dict[str, list[Cell]] = field(default_factory=dict)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"{self.study}-{one}" for one in self.subject)

    def base(self, domain: str, k: int) -> dict[str, Cell]:
        return {"STUDYID": self.study, "DOMAIN": domain, "USUBJID": self.ids[k], f"{domain}SEQ": None}

    def treated(self, k: int) -> dict[str, Cell]:
        label = self.arms[self.arm[k]][1] if self.arm[k] >= 0 else ""
        number = self.arm[k] + 1 if self.arm[k] >= 0 else None
        return {"STUDYID": self.study, "USUBJID": self.ids[k], "TRTP": label, "TRTPN": number}

    def known(self, name: str, k: int) -> Cell:
        return self.more[name][k] if name in self.more else None


def cdisc_of_run(folder: Path, *, replicate: int = 0) -> CdiscTrial:
    """One replicate of a finished run as data sets.

    Raises ``RunError``: no finished run, or one of other code; ``ProvenanceError``: a file of it was changed;
    ``SpecError``: no such replicate.
    """
    plan = plan_of_run(folder)
    check_replicate(plan, replicate)
    batch = plan.simulate(Chunk(first=replicate, count=1))
    protocol, about, n = plan.protocol, batch.covariates, len(batch.people)
    left = batch.observation.days_in_study < protocol.follow_up_days
    people = _People(
        study=f"{SIMULATED}-{protocol.id.upper()}",
        subject=tuple(f"{replicate}-{k}" for k in range(n)),
        arm=tuple(int(one) for one in batch.arm),
        arms=tuple((_code(arm.id, number), arm.label) for number, arm in enumerate(protocol.arms)),
        data=data_of(plan, batch),
        substance=protocol.substance.value,
        more={
            "SITEID": [f"{int(one) + 1:02d}" for one in batch.site],
            "AGE": [int(one) for one in about.age_y], "AGEU": ["YEARS"] * n,
            "SEX": ["F" if one else "M" for one in about.female],
            "WEIGHTBL": [round(float(one), 6) for one in about.weight_kg],
            "EOSSTT": ["DISCONTINUED" if one else "COMPLETED" for one in left],
        },
    )  # fmt: skip
    unit = amount_unit_of(protocol)
    rows = {
        "DM": _dm(people), "SU": _su(people, unit), "EX": _ex(people, plan, batch), "QS": _qs(people, batch),
        "DS": _ds(people, batch), "ADSL": _adsl(people), "ADTTE": _adtte(people, _times(plan, batch, people)),
        "ADUSE": _aduse(people, unit), "ADEFF": _adeff(people, plan, batch),
    }  # fmt: skip
    says = (_SAYS["simulated"], _SAYS["days"], _SAYS["dates"], *_SAYS["run_leaves_out"],
            f"Made from {folder.name}, replicate {replicate}, seed {plan.seed}.")  # fmt: skip
    return _trial(people.study, "simulated", rows, says)


def cdisc_of_diaries(several: Sequence[Diaries]) -> CdiscTrial:
    """Imported diaries, of one trial or other source, as data sets: people, days, and what follows from these."""
    first = several[0]
    source = re.sub(r"[^A-Za-z0-9]+", "-", Path(first.source).stem).strip("-").upper()[:40] or "DIARIES"
    study = f"{SIMULATED}-{source.removeprefix(f'{SIMULATED}-')}" if first.origin == "simulated" else source
    groups = sorted({group for one in several for group in one.group if group})
    rows: dict[str, list[dict[str, Cell]]] = {}
    seen: set[str] = set()
    for number, one in enumerate(several, 1):
        people = _People(
            study=study, subject=one.person,
            arm=tuple(groups.index(group) if group else -1 for group in one.group),
            arms=tuple((_code(group, number), group) for number, group in enumerate(groups)),
            data=data_of_diaries(one), substance=one.substance,
        )  # fmt: skip
        fresh = [k for k, name in enumerate(one.person) if name not in seen]
        seen |= set(one.person)
        rows.setdefault("DM", []).extend(np.array(_dm(people), dtype=object)[fresh])
        rows.setdefault("ADSL", []).extend(np.array(_adsl(people), dtype=object)[fresh])
        suffix = str(number) if len(several) > 1 else ""
        words = f"Days to First Reported Use of {one.substance} (days)"
        rows.setdefault("SU", []).extend(_su(people, one.amount_unit))
        rows.setdefault("ADTTE", []).extend(_adtte(people, [(f"TTUSE{suffix}"[:8], words, *_first_use(people.data))]))
        rows.setdefault("ADUSE", []).extend(_aduse(people, one.amount_unit, suffix=suffix, of=f" of {one.substance}"))
    says = [_SAYS[first.origin], _SAYS["days"], _SAYS["dates"], *_SAYS["diaries_leave_out"]]
    says += [f"Day 0 of {one.substance}: {one.day_zero}. Source: {one.source}." for one in several]
    says += [
        f"Marks of {', '.join(one.scores)} are not written: no domain is for them." for one in several if one.scores
    ]
    return _trial(study, first.origin, rows, tuple(says))


def write_cdisc(trial: CdiscTrial, out: Path) -> None:
    """Write every data set as ``name.json`` and ``name.xpt`` with ``define.json`` into a new folder, whole or not.

    Raises ``SpecError``: the folder is there, or a cell fits into no such file; ``RunError``: it cannot be written.
    """
    check_free(out, "OUT")
    who = ", simulated people" if trial.origin == "simulated" else ""
    about = {"originator": f"remission {package_version()}{who}", "studyOID": trial.study, "metaDataRef": DEFINE}
    try:
        with staged_folder(out.parent) as staged:
            for data in trial.datasets:
                write_dataset_json(_with(data, about), staged / f"{data.name.lower()}.json")
                write_xpt(data, staged / f"{data.name.lower()}.xpt")
            text = json.dumps(_define(trial), indent=1, ensure_ascii=False)
            write_text(staged / DEFINE, text + "\n")
            move(staged, out)
    except OSError as error:
        raise WorkError(
            where=str(error.filename or out), got=error.strerror or str(error),
            allowed="a place with space that can be written to", remedy="Nothing stands under the name.",
        ) from None  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- shapes


def _trial(study: str, origin: str, rows: dict[str, list[dict[str, Cell]]], says: tuple[str, ...]) -> CdiscTrial:
    datasets = tuple(_dataset(name, rows[name], origin) for name in _DATA if rows.get(name))
    return CdiscTrial(study=study, origin=origin, datasets=datasets, says=says)


def _dataset(name: str, records: list[dict[str, Cell]], origin: str) -> Dataset:
    said = _DATA[name]
    number: dict[Cell, int] = {}
    if f"{name}SEQ" in {column[0] for column in said["columns"]}:
        for one in records:
            number[one["USUBJID"]] = one[f"{name}SEQ"] = number.get(one["USUBJID"], 0) + 1
    columns = []
    for column, label, kind, *_ in said["columns"]:
        longest = max((len(str(one.get(column) or "").encode()) for one in records), default=1)
        key = said["keys"].index(column) + 1 if column in said["keys"] else None
        columns.append(Column(
            name=column, label=label, type=kind, length=max(longest, 1) if kind == "string" else None, key=key,
        ))  # fmt: skip
    empty = {column.name: "" if column.type == "string" else None for column in columns}
    rows = [[empty[c.name] if (cell := one.get(c.name)) is None else cell for c in columns] for one in records]
    label = said["label"] + (" (simulated)" if origin == "simulated" else "")
    return Dataset(name=name, label=label, columns=tuple(columns), rows=rows)


def _with(data: Dataset, about: dict[str, Any]) -> Dataset:
    return Dataset(
        name=data.name, label=data.label, columns=data.columns, rows=data.rows,
        about={**about, "fileOID": f"{about['studyOID']}.{data.name}"},
    )  # fmt: skip


def _define(trial: CdiscTrial) -> dict[str, Any]:
    """What Define-XML would say of the data sets, in the words of this program; it is no Define-XML."""
    names = packaged_toml("exchange", "cdisc.toml")["names"]
    sets = []
    for data in trial.datasets:
        said = _DATA[data.name]
        lists = {column[0]: column[3] for column in said["columns"] if len(column) > 3}
        columns = [
            {**column.described(data.name), **({"codeList": lists[column.name]} if column.name in lists else {})}
            for column in data.columns
        ]
        standard = names["adam" if data.name.startswith("AD") else "sdtm"]
        sets.append({
            "name": data.name, "label": data.label, "standard": standard, "class": said["class"],
            "structure": said["structure"], "keys": said["keys"], "records": len(data.rows), "columns": columns,
        })  # fmt: skip
    return {
        "study": trial.study, "origin": trial.origin, "says": list(trial.says),
        "terms": "Code lists by NCI code, read in SEND CT and ADaM CT 2025-09-26, which share them with SDTM.",
        "made_by": f"remission {package_version()}", "datasets": sets,
    }  # fmt: skip


def _code(name: str, number: int) -> str:
    """A code of an arm, of up to 20 signs."""
    return name.upper() if len(name) <= 20 else f"ARM{number + 1}"


def study_day(day: int) -> int:
    """The study day of SDTM, which has no 0."""
    return day + 1 if day >= 0 else day


# ----------------------------------------------------------------------------------------------------------------- SDTM


def _dm(people: _People) -> list[dict[str, Cell]]:
    rows = []
    for k, subject in enumerate(people.subject):
        code, label = people.arms[people.arm[k]] if people.arm[k] >= 0 else ("", "")
        rows.append({
            "STUDYID": people.study, "DOMAIN": "DM", "USUBJID": people.ids[k], "SUBJID": subject, "ARMCD": code,
            "ARM": label, "ACTARMCD": code, "ACTARM": label,
            **{name: people.known(name, k) for name in ("SITEID", "AGE", "AGEU", "SEX")},
        })  # fmt: skip
    return rows


def _su(people: _People, unit: str | None) -> list[dict[str, Cell]]:
    data, rows = people.data, []
    n, n_days = data.seen.shape
    days = [study_day(data.first_day + column) for column in range(n_days)]
    for k in range(n):
        start = {**people.base("SU", k), "SUTRT": people.substance, "SUPRESP": "Y"}
        for column, day in enumerate(days):
            row: dict[str, Cell] = {**start, "SUSTDY": day, "SUENDY": day}
            if not data.seen[k, column]:
                row["SUSTAT"] = "NOT DONE"
            else:
                row["SUOCCUR"] = "Y" if data.used[k, column] else "N"
                amount = None if data.amount is None or unit is None else float(data.amount[k, column])
                if amount is not None and np.isfinite(amount):
                    row |= {"SUDOSE": amount, "SUDOSU": unit}
            rows.append(row)
    return rows


def _ex(people: _People, plan: TrialPlan, batch: TrialBatch) -> list[dict[str, Cell]]:
    if batch.schedule is None:
        return []
    rows, route_of = [], _TERMS["route"]
    for k in range(len(people.subject)):
        arm = int(batch.arm[k])
        planned = [(course, session) for _, name in plan.protocol.arms[arm].drug_starts
                   for course in [plan.protocol.drugs[name]] for session in course.infusions]  # fmt: skip
        for slot, (course, infusion) in enumerate(planned):
            day = int(batch.schedule.infusion_day[k, slot])
            custody = batch.happenings.in_custody
            if day < 0 or day >= batch.course.days_in_study[k] or (custody is not None and custody[k, day]):
                continue
            other = batch.adapted.get((arm, slot))
            session = infusion.adapt if other is not None and other[k] and infusion.adapt is not None else infusion
            for _, dose in session.parts:
                amount = dose.dose_mg_per_kg if dose.dose_mg is None else dose.dose_mg
                minutes = dose.duration_min
                rows.append({
                    **people.base("EX", k), "EXTRT": course.drug.replace("-", " ").upper(), "EXDOSE": amount,
                    "EXDOSU": "mg/kg" if dose.dose_mg is None else "mg",
                    "EXROUTE": route_of.get(str(getattr(dose.route, "value", dose.route)), ""),
                    "EXSTDY": study_day(day), "EXENDY": study_day(day),
                    "EXDUR": f"PT{minutes:g}M" if minutes else "",
                })  # fmt: skip
    return rows


def _qs(people: _People, batch: TrialBatch) -> list[dict[str, Cell]]:
    seen = batch.observation
    marks = [("CRAVING", "Craving, Visual Analogue Scale", seen.craving_day, seen.craving_vas)]
    marks += [
        (re.sub(r"[^A-Z0-9]", "", name.upper())[:6] + str(number + 1), name[:40], one.day, one.value)
        for number, (name, one) in enumerate(sorted(seen.marks.items()))
    ]
    visits = {
        int(day): number for number, day in enumerate(sorted({int(d) for _, _, days, _ in marks for d in days}), 1)
    }
    rows = []
    for k in range(len(people.subject)):
        for code, words, days, values in marks:
            for column, day in enumerate(int(one) for one in days):
                row: dict[str, Cell] = {
                    **people.base("QS", k), "QSTESTCD": code, "QSTEST": words, "QSCAT": words.upper(),
                    "VISITNUM": visits[day], "VISIT": f"DAY {study_day(day)}", "QSDY": study_day(day),
                }  # fmt: skip
                value = float(values[k, column])
                text = repr(value)
                row |= (
                    {"QSORRES": text, "QSSTRESC": text, "QSSTRESN": value} if np.isfinite(value)
                    else {"QSSTAT": "NOT DONE"}
                )  # fmt: skip
                rows.append(row)
    return rows


def _ds(people: _People, batch: TrialBatch) -> list[dict[str, Cell]]:
    rows = []
    for k, status in enumerate(people.more["EOSSTT"]):
        left = status == "DISCONTINUED"
        day = int(batch.observation.days_in_study[k])
        rows.append({
            **people.base("DS", k), "DSTERM": "LEFT THE STUDY, REASON NOT SIMULATED" if left else "COMPLETED",
            "DSDECOD": "LEFT STUDY" if left else "COMPLETED", "DSCAT": "DISPOSITION EVENT",
            "DSSCAT": "STUDY PARTICIPATION", "DSSTDY": study_day(day if left else day - 1),
        })  # fmt: skip
    return rows


# ----------------------------------------------------------------------------------------------------------------- ADaM


def _adsl(people: _People) -> list[dict[str, Cell]]:
    rows = []
    for k, subject in enumerate(people.subject):
        treated = people.treated(k)
        rows.append({
            "STUDYID": people.study, "USUBJID": people.ids[k], "SUBJID": subject, "ARM": treated["TRTP"],
            "TRT01P": treated["TRTP"], "TRT01PN": treated["TRTPN"], "ITTFL": "Y" if people.arm[k] >= 0 else "N",
            **{name: people.known(name, k) for name in ("SITEID", "AGE", "AGEU", "SEX", "WEIGHTBL", "EOSSTT")},
        })  # fmt: skip
    return rows


_Times = tuple[str, str, np.ndarray, np.ndarray]


def _first_use(data: EndpointData) -> tuple[np.ndarray, np.ndarray]:
    window = {"first": 0, "last": max(data.last_day, 0)}
    one = Endpoint.create(id="first-use", label="First use", kind="days_to_use", window=window, missing="observed")
    return times_of(one, data)


def _times(plan: TrialPlan, batch: TrialBatch, people: _People) -> list[_Times]:
    found = outcomes_of(plan, batch)
    times: list[_Times] = [
        (f"TTE{number:02d}", f"{one.label} ({one.unit})", found[one.id].value, event)
        for number, one in enumerate(plan.protocol.endpoints, 1)
        if (event := found[one.id].event) is not None
    ]
    return [*times, ("TTUSE", "Days to First Reported Use (days)", *_first_use(people.data))]


def _adtte(people: _People, times: list[_Times]) -> list[dict[str, Cell]]:
    rows = []
    for k in range(len(people.subject)):
        for number, (code, words, value, event) in enumerate(times, 1):
            there = bool(np.isfinite(value[k]))
            words_of = "" if not there else "Event" if event[k] else "Censored: no event among the days that were seen"
            rows.append({
                **people.treated(k), "PARAM": words, "PARAMCD": code, "PARAMN": number,
                "AVAL": float(value[k]) if there else None, "CNSR": (0 if event[k] else 1) if there else None,
                "EVNTDESC": words_of,
            })  # fmt: skip
    return rows


def _aduse(people: _People, unit: str | None, *, suffix: str = "", of: str = "") -> list[dict[str, Cell]]:
    data, rows = people.data, []
    amounts = data.amount if unit is not None else None
    spans = list(_spans(data))
    for k in range(len(people.subject)):
        for number, columns, first, last in spans:
            seen, used = data.seen[k, columns], data.used[k, columns]
            days = float(used[seen].sum()) if seen.any() else None
            values: list[tuple[str, str, float | None]] = [
                ("USEDAYS", f"Days with Reported Use{of}", days),
                ("ASKDAYS", f"Days Covered by a Diary{of}", float(seen.sum())),
            ]
            if amounts is not None:
                total = float(amounts[k, columns][seen].sum()) if seen.any() else np.nan
                values.append(("AMOUNT", f"Amount Reported{of} ({unit})", total if np.isfinite(total) else None))
            for code, words, value in values:
                rows.append({
                    **people.treated(k), "PARAM": words, "PARAMCD": code + suffix, "AVISITN": number,
                    "AVISIT": f"Week {number}" if number else "Baseline", "AVAL": value,
                    "ABLFL": "" if number else "Y", "AWLO": study_day(first), "AWHI": study_day(last), "AWU": "DAYS",
                })  # fmt: skip
    return rows


def _spans(data: EndpointData) -> Iterator[tuple[int, slice, int, int]]:
    """Number, columns, first and last day of the days before day 0, then of each week; the last may be shorter."""
    n_days, before = data.seen.shape[1], max(-data.first_day, 0)
    if before:
        yield 0, slice(0, min(before, n_days)), data.first_day, min(-1, data.last_day)
    for number, start in enumerate(range(before, n_days, _WEEK), 1):
        end = min(start + _WEEK, n_days)
        yield number, slice(start, end), data.first_day + start, data.first_day + end - 1


def _adeff(people: _People, plan: TrialPlan, batch: TrialBatch) -> list[dict[str, Cell]]:
    found, rows = outcomes_of(plan, batch), []
    for k in range(len(people.subject)):
        for number, one in enumerate(plan.protocol.endpoints, 1):
            value = found[one.id].value[k]
            rows.append({
                **people.treated(k), "PARAM": f"{one.label} ({one.unit})", "PARAMCD": f"EP{number:02d}",
                "PARAMN": number, "AVAL": float(value) if np.isfinite(value) else None,
                "AWLO": study_day(one.window.first), "AWHI": study_day(one.window.last), "AWU": "DAYS",
            })  # fmt: skip
    return rows
