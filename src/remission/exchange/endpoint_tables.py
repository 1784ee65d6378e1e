"""Endpoints of many people as a table: a row a person, a column an endpoint, and what these data cannot give.

What the people are (tables of CTN-0094, a run, imported diaries) decides what can be computed; nothing is guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remission.endpoints.data import EndpointData
from remission.endpoints.values import times_of, values_of
from remission.endpoints.words import spell_words, weekly_words
from remission.errors import SpecError
from remission.exchange.canonical import read_diaries
from remission.exchange.ctn0094_words import OPIOIDS, read_ctn0094_people
from remission.exchange.simulated import diaries_of_run
from remission.exchange.tables import read_table
from remission.files import new_bytes, spreadsheet_safe
from remission.library.drinking import ethanol_g_per_unit
from remission.library.endpoints import NamedEndpoint
from remission.records.diaries import Diaries
from remission.records.endpoint import Endpoint
from remission.records.population import DayRange, ObservedDays
from remission.records.result import Result
from remission.shapes import Bool, Float

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """People with what was seen of them.

    columns
        What is known of each person: number, trial, group.
    origin
        Where they come from, in words.
    first_day
        The day on which windows begin unless asked otherwise.
    """

    columns: dict[str, tuple[str, ...]]
    data: EndpointData
    origin: str
    substance: str
    first_day: int

    @property
    def window(self) -> DayRange:
        """From the first day to the last that anybody was followed."""
        return DayRange(first=self.first_day, last=self.data.last_day)

    def before(self, window: DayRange) -> DayRange | None:
        """The days of the data before day 0 and a window, or none."""
        last = min(window.first, 0) - 1
        return ObservedDays(first=self.data.first_day, last=last) if self.data.first_day <= last else None

    def words(self, window: DayRange) -> tuple[str, ...] | None:
        """The weekly words of tests, or ``None`` where no test is known."""
        if not self.data.test_due.any():
            return None
        return spell_words(weekly_words(self.data, first=window.first, last=window.last))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTable(Result):
    """Endpoints of everybody, and those that these data cannot give, with the reason."""

    people: People
    window: DayRange
    baseline: DayRange | None
    endpoints: dict[str, Endpoint]
    values: dict[str, Float[np.ndarray, " subject"]]
    events: dict[str, Bool[np.ndarray, " subject"]]
    left_out: dict[str, str]

    def columns(self) -> dict[str, Any]:
        """A row a person: who, the word of tests where there is one, each endpoint, and the event of each time."""
        columns: dict[str, Any] = {name: list(values) for name, values in self.people.columns.items()}
        words = self.people.words(self.window)
        if words is not None:
            columns["word"] = list(words)
        for name, values in self.values.items():
            columns[name] = values
            if name in self.events:
                columns[f"{name}_event"] = self.events[name].astype(np.int64)
        return columns

    def summary(self) -> list[dict[str, Any]]:
        """One entry an endpoint: what it is, people with a value, mean, standard deviation, share of events."""
        return [self._line(name, endpoint) for name, endpoint in self.endpoints.items()]

    def _unit(self, unit: str) -> str:
        """Amounts in the unit of the data."""
        return unit.replace("amount", self.people.data.amount_unit or "amount")

    def _line(self, name: str, endpoint: Endpoint) -> dict[str, Any]:
        values = self.values[name]
        known = values[np.isfinite(values)]
        event = self.events.get(name)
        return {
            "id": name,
            "label": endpoint.label,
            "kind": endpoint.kind,
            "unit": endpoint.unit if endpoint.amount_unit else self._unit(endpoint.unit),
            "missing": endpoint.missing,
            "n_valued": int(known.size),
            "mean": float(known.mean()) if known.size else None,
            "sd": float(known.std(ddof=1)) if known.size > 1 else None,
            "event_share": None if event is None or not known.size else float(event[np.isfinite(values)].mean()),
        }


def read_people(
    path: Path, *, substance: str | None = None, replicate: int = 0, heavy_amount: float | None = None
) -> People:
    """The people of a folder of CTN-0094 tables, of a run, or of a Parquet file of diaries.

    ``substance``: what counts as use; for diaries of one substance it can be left out. ``replicate``: which replicate
    of a run, from 0. ``heavy_amount``: an amount above which a day counts as heavy. [unit of the substance]
    Raises SpecError: no such data, an unknown substance, or one of several that was not chosen.
    """
    if path.is_dir() and (path / "everybody.csv.gz").exists():
        found = read_ctn0094_people(path, substance=substance or OPIOIDS)
        columns = {
            "person": found.person,
            "project": found.project,
            "group": found.group,
            "second_phase_week": found.second_week,
        }
        return People(columns=columns, data=found.data, origin="CTN-0094", substance=substance or OPIOIDS, first_day=1)
    if path.is_dir():
        return people_of_diaries(
            (diaries_of_run(path, replicate=replicate),), substance=substance, heavy_amount=heavy_amount
        )
    return people_of_diaries(read_diaries(path, substance=substance), substance=substance, heavy_amount=heavy_amount)


def people_of_diaries(
    several: Sequence[Diaries], *, substance: str | None = None, heavy_amount: float | None = None
) -> People:
    """The people of diaries; parameters and errors as :func:`read_people`."""
    chosen = [one for one in several if substance in {None, one.substance}]
    names = ", ".join(one.substance for one in several) or "a substance"
    if not chosen:
        raise SpecError(where="--substance", got=substance or "nothing", allowed=names)
    if len(chosen) > 1:
        raise SpecError(
            where="--substance", got="nothing", allowed=names, remedy="The file holds several substances; choose one."
        )
    (diaries,) = chosen
    data = data_of_diaries(diaries, heavy_amount=heavy_amount)
    if data.last_day < 0:
        raise SpecError(where=diaries.source, got="no day from day 0 on", allowed="days from day 0 on")
    columns = {"person": diaries.person, "group": diaries.group}
    return People(
        columns=columns, data=data, origin=diaries.source, substance=diaries.substance, first_day=max(0, data.first_day)
    )


def data_of_diaries(diaries: Diaries, *, heavy_amount: float | None = None) -> EndpointData:
    """Diaries as endpoints read them: no tests, no craving; days in the study end with the last day asked about.

    ``heavy_amount``: an amount above which a day counts as heavy. [unit of the diaries]
    """
    n, n_days = diaries.assessed.shape
    asked = diaries.assessed.any(axis=1)
    last = diaries.first_day + n_days - diaries.assessed[:, ::-1].argmax(axis=1)
    return EndpointData(
        used=diaries.used,
        seen=diaries.assessed,
        amount=diaries.amount,
        first_day=diaries.first_day,
        end_day=np.full(n, diaries.first_day + n_days),
        test_day=np.zeros(0, dtype=np.int64),
        test_due=np.zeros((n, 0), dtype=np.bool_),
        test_kept=np.zeros((n, 0), dtype=np.bool_),
        test_positive=np.zeros((n, 0), dtype=np.bool_),
        craving_day=np.zeros(0, dtype=np.int64),
        craving_vas=np.zeros((n, 0)),
        days_in_study=np.where(asked, np.maximum(last, 0), 0),
        amount_unit=diaries.amount_unit,
        heavy_amount=heavy_amount,
        ethanol_g_per_amount=ethanol_g_per_unit(diaries.amount_unit),
    )


def compute_endpoints(
    people: People,
    named: Sequence[NamedEndpoint],
    *,
    window: DayRange | None = None,
    baseline: DayRange | None = None,
    is_asked: bool = False,
) -> EndpointTable:
    """Endpoints of everybody.

    ``window``: days that count; the whole planned follow-up when left out. ``baseline``: days that they are compared
    with; those of the data before day 0 and the window when left out. ``is_asked``: whether each endpoint was
    asked for by name: then one that cannot be computed is an error.
    Raises SpecError: the window lies outside of the days, or an endpoint that was asked for cannot be computed.
    """
    chosen = window or people.window
    people.data.columns(chosen.first, chosen.last)
    before = baseline or people.before(chosen)
    if before is not None:
        people.data.columns(before.first, before.last, where="baseline")
    endpoints: dict[str, Endpoint] = {}
    values, events, left_out = {}, {}, {}
    for one in named:
        try:
            endpoint = _over(one, chosen, before)
            if endpoint.is_time_to_event:
                values[one.id], events[one.id] = times_of(endpoint, people.data)
            else:
                values[one.id] = values_of(endpoint, people.data)
            endpoints[one.id] = endpoint
        except SpecError as error:
            if is_asked:
                raise
            left_out[one.id] = f"{error.faults[0].got}; expected {error.faults[0].allowed}"
    return EndpointTable(
        people=people,
        window=chosen,
        baseline=before if any(one.baseline for one in endpoints.values()) else None,
        endpoints=endpoints,
        values=values,
        events=events,
        left_out=left_out,
    )


def _over(one: NamedEndpoint, window: DayRange, before: DayRange | None) -> Endpoint:
    """The definition over the window, refused where the window or the days before cannot feed it."""
    if one.facts.simulated_only:
        raise SpecError(
            where=f"endpoint {one.id}", got="diaries", allowed="a trial that is simulated: no diary says it",
            remedy="State it in a protocol.",
        )  # fmt: skip
    if one.needs_baseline and before is None:
        raise SpecError(
            where=f"endpoint {one.id}",
            got="no baseline",
            allowed="days before the window to compare with",
            remedy="Name them with --baseline, such as -28:-1; the data must have them.",
        )
    if window.first < 0 and one.facts.leaving:
        raise SpecError(
            where=f"endpoint {one.id}", got=f"a window from day {window.first}",
            allowed="one from day 0: nobody can leave a study before it begins",
        )  # fmt: skip
    endpoint = one.endpoint(window, baseline=before if one.needs_baseline else None)
    n_weeks = -(-len(endpoint.window) // 7)
    if endpoint.weekly is not None and endpoint.weekly.last_week_named > n_weeks:
        raise SpecError(
            where=f"endpoint {endpoint.id}",
            got=f"{n_weeks} weeks",
            allowed=f"at least {endpoint.weekly.last_week_named} weeks, which the definition names",
            remedy="Widen the window.",
        )
    return endpoint


def read_sexes(path: Path, person: Sequence[str]) -> tuple[Bool[np.ndarray, " subject"], Bool[np.ndarray, " subject"]]:
    """Who is female, and of whom the sex is known, from a table with the columns person and sex.

    Raises SpecError: no such columns, another word for a sex, a person twice, or none of these people.
    """
    cells = read_table(path, needed=["person", "sex"])
    found: dict[str, bool] = {}
    for row, (name, sex) in enumerate(zip(cells["person"], cells["sex"], strict=True), start=2):
        word = str(sex).strip().casefold()
        if word in {"", "na", "unknown"}:
            continue
        if word not in _SEXES:
            raise SpecError(
                where=f"{path.name}, row {row}, sex", got=str(sex)[:40], allowed="female or male",
                remedy="Leave the cell empty where the sex is not known.",
            )  # fmt: skip
        if str(name) in found:
            allowed = "each person once"
            raise SpecError(where=f"{path.name}, row {row}, person", got=f"{str(name)[:40]} again", allowed=allowed)
        found[str(name)] = _SEXES[word]
    known = np.array([name in found for name in person], dtype=np.bool_)
    if not known.any():
        raise SpecError(
            where=path.name, got="no sex of these people", allowed=f"rows for persons such as {person[0]}",
            remedy="Write the persons as the diaries name them.",
        )  # fmt: skip
    return np.array([found.get(name, False) for name in person], dtype=np.bool_), known


_SEXES = {"female": True, "f": True, "woman": True, "male": False, "m": False, "man": False}


def write_endpoint_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table as CSV or Parquet, by the file's ending; a file that exists is never overwritten.

    Raises SpecError: another ending, or the file exists. Raises RunError: the file cannot be written.
    """
    if path.suffix not in {".csv", ".parquet"}:
        raise SpecError(where="--out", got=path.name, allowed="a name that ends in .csv or .parquet")
    with new_bytes(path, where="--out") as file:
        if path.suffix == ".csv":
            # People and arms are named by whoever made the file; a word is made here, of signs of tests alone.
            safe = table.assign(
                **{
                    str(name): column.map(lambda cell: spreadsheet_safe(cell) if isinstance(cell, str) else cell)
                    for name, column in table.items()
                    if name != "word"
                }
            )
            file.write(safe.to_csv(index=False, lineterminator="\n").encode())
        else:
            table.to_parquet(file, index=False)
