"""The facts that a calibrated model must reproduce, as they were registered before work on its equations."""

import hashlib
import json
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from remission.errors import LibraryError, SpecError, check_known
from remission.library.published import list_trials
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.parameter import Grade

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=60)]
_Words = Annotated[str, StringConstraints(min_length=1, max_length=600)]
_Day = Annotated[int, Field(ge=0)]
ReadAs = Literal["abstract or registry", "secondary", "press", "memory", "derived", "diaries", "assumed"]
_NEVER_SCORES = ("press", "memory", "assumed")


class Tolerance(Record):
    """What counts as reached, both limits inside, in the unit of the measure; None is open."""

    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.low is None and self.high is None:
            raise SpecError(where="tolerance", got="no limit", allowed="low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SpecError(
                where="tolerance", got=f"{self.low:g} to {self.high:g}", allowed="low at most high",
                remedy="Exchange the two limits.",
            )  # fmt: skip
        return self


class FactArm(Record):
    """What an arm of a scenario gets; nothing where nothing is named."""

    id: _Id
    dose_mg_per_kg: Annotated[float, Field(gt=0.0)] | None = None
    duration_min: Annotated[float, Field(gt=0.0)] = 40.0
    infusion_days: tuple[_Day, ...] = ()
    session_days: tuple[_Day, ...] = ()
    quality: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    medicine: str | None = None


class FactScenario(Record):
    """Who is simulated: the people of a built-in protocol, their entry, and their arms.

    With ``trial`` the protocol is run as it stands; with ``closed`` nobody can use on any day. ``baseline_days``,
    ``quit_day`` (-1 for none) and ``goal`` are those of people who still use.
    """

    id: _Id
    protocol: str
    days: Annotated[int, Field(ge=1, le=730)]
    clean_days: _Day = 0
    self_quit: bool = False
    baseline_days: _Day = 0
    quit_day: Annotated[int, Field(ge=-1, le=729)] = 0
    goal: Literal["stop", "reduce", "none"] = "stop"
    closed: bool = False
    trial: bool = False
    arms: tuple[FactArm, ...] = ()
    note: _Words


class Rerun(Record):
    """A number of a trial that no value was tuned on, shown beside the published one without a verdict."""

    id: _Id
    trial: _Words
    definition: _Words
    unit: _Words
    compute: str
    args: dict[str, Any]
    published: _Words
    read_as: ReadAs
    record: str


class Measure(Record):
    """One number of a fact: what is computed, what was read, what counts as reached.

    Notes
    -----
    ``compute`` and ``args`` name the computation of :mod:`remission.facts.measures`; ``published`` is in the source's
    words. ``not_computable`` says why the fact cannot be expressed today; what is computed then is the nearest course.
    """

    id: _Id
    definition: _Words
    unit: _Words
    compute: str
    args: dict[str, Any]
    tolerance: Tolerance | None = None
    why: _Words
    published: _Words | None = None
    source: _Words
    record: str | None = None
    read_as: ReadAs
    grade: Grade
    pools_units: bool = False
    role: Literal["fit", "check"]
    not_computable: _Words | None = None

    @property
    def scores(self) -> bool:
        """Whether a verdict counts: a number was read, in better than press or memory, and can be computed."""
        return self.tolerance is not None and self.read_as not in _NEVER_SCORES and self.not_computable is None


class Fact(Record):
    """A sentence and its measures; ``number`` is its place in the list of twenty."""

    id: _Id
    number: Annotated[int, Field(ge=1, le=20)] | None = None
    sentence: _Words
    note: str = ""
    measure: Annotated[tuple[Measure, ...], Field(min_length=1)]


class Facts(Record):
    """All facts, the scenarios that they are computed in, and the trials run again."""

    version: Literal[1]
    form: _Id
    seed: Annotated[int, Field(ge=0)]
    scenario: tuple[FactScenario, ...]
    fact: Annotated[tuple[Fact, ...], Field(min_length=1)]
    rerun: tuple[Rerun, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults = []
        measures: list[Measure | Rerun] = [*self.rerun, *(one for fact in self.fact for one in fact.measure)]
        for kind, ids in (
            ("scenario", [one.id for one in self.scenario]),
            ("fact", [one.id for one in self.fact]),
            ("measure", [one.id for one in measures]),
        ):
            doubles = sorted({one for one in ids if ids.count(one) > 1})
            faults += [
                SpecError(where=f"{kind} {one}", got="the id twice", allowed="an id used once") for one in doubles
            ]
        known, trials = {one.id for one in self.scenario}, set(list_trials())
        for one in measures:
            named = one.args.get("scenario")
            if (named is not None or one.compute != "none") and named not in known:
                faults.append(SpecError(where=f"{one.id}.args.scenario", got=named, allowed="the id of a scenario"))
            if one.record is not None and one.record not in trials:
                faults.append(SpecError(where=f"{one.id}.record", got=one.record, allowed="a record of the evidence"))
        if faults:
            raise SpecError.from_faults(faults)
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 of the content, without comments and layout of the file."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def find(self, fact_id: str) -> Fact:
        """The fact of that id, or the one that a measure of that id belongs to.

        Raises
        ------
        SpecError
            There is none.
        """
        by_id = {name: fact for fact in self.fact for name in (fact.id, *(one.id for one in fact.measure))}
        check_known(fact_id, by_id, where="fact", names="facts")
        return by_id[fact_id]


def read_facts(content: dict[str, Any], *, name: str) -> Facts:
    """Facts from the content of a TOML file.

    Raises
    ------
    LibraryError
        The content is no valid list of facts; every fault is named.
    """
    try:
        return Facts.from_dict(content)
    except SpecError as error:
        raise LibraryError(
            where=f"library/{name}", got=str(error), allowed="valid facts", remedy="Correct the file."
        ) from error


@cache
def load_facts() -> Facts:
    """The registered facts.

    Raises
    ------
    LibraryError
        The file is damaged.

    Examples
    --------
    >>> load_facts().find("one-lapse").number
    7
    """
    return read_facts(packaged_toml("facts.toml"), name="facts.toml")
