"""A registered calibration: priors, data, judges, as the library has them."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field

from remission.errors import SpecError, check_known
from remission.library.facts import FactScenario, ReadAs, load_facts
from remission.library.loader import damaged
from remission.library.published import list_trials, published_outcome
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.parameter import DEFAULT_POSTERIOR, Text

Says = Literal["no difference", "favors ketamine", "favors control"]
_Count = Annotated[int, Field(ge=2, le=100_000)]
_Share = Annotated[float, Field(gt=0.0, le=1.0)]
_Spread = Annotated[float, Field(gt=0.0)]


class Wave(Record):
    """How many points of the box are simulated, how many judge, and trials at each."""

    draws: _Count
    judged: _Count
    replicates: _Count


class BoxValue(Record):
    """A value of the model in the box: its ends, and the normal prior on its scale where it has one of its own."""

    name: str
    scale: Literal["plain", "log"]
    low: float
    high: float
    center: float | None = None
    sd: float | None = None
    per_trial: bool = False
    note: Text = ""


class Hierarchy(Record):
    """How effects of trials hang together. [log odds]"""

    mean_sd: _Spread
    substance_sd: _Spread
    tau_half_normal: _Spread
    craving_tau_half_normal: _Spread
    note: Text = ""


class Signal(Record):
    """The analysis that says whether a trial was significant, and in which direction a benefit lies."""

    analysis: str
    benefit: Literal[-1, 1]


class Number(Record):
    """A published number: an analysis, or an endpoint in an arm."""

    analysis: str | None = None
    endpoint: str | None = None
    arm: str | None = None


class Verdict(Record):
    """A published result in words."""

    analysis: str
    says: Says


class TrialEntry(Record):
    """What a trial enters with."""

    protocol: str
    z: Signal
    seen: Literal["selected", "stopped early", "always"]
    numbers: tuple[Number, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def sign_of(self, verdict: Verdict) -> int:
        """The sign of z that a verdict states: 0 for no difference."""
        return {"no difference": 0, "favors ketamine": 1, "favors control": -1}[verdict.says] * self.z.benefit


class Selection(Record):
    """How surely a trial without a difference is on file, for each with one."""

    null_seen_low: _Share
    null_seen_high: _Share
    alpha: _Share


class Tolerance(Record):
    """What the fit must reach."""

    r_hat: float
    effective_draws: int
    divergent_share: float
    emulator_rms_share: float
    exact_points: _Count
    psis_k: float
    note: Text = ""


class Scores(Record):
    """How a trial left out is scored."""

    names: tuple[str, ...]
    baselines: tuple[str, ...]
    none_below_errors: float


class Beside(Record):
    """A rule shown beside the main one."""

    name: Literal["no selection", "verdicts in favor left out", "wider prior"]


class Row(Record):
    """One result of a group of people: what is computed of them, what was read, and how surely.

    ``kind``: ``count`` (``events`` of ``n``, binomial; ``given``: beside those of that row of the same people),
    ``number`` (``value`` with its standard ``error``), ``bound`` (a result in words between ``low`` and ``high``;
    ``error`` is how soft they are), ``diaries`` (the statistics of the substance's diaries together, their covariance
    times ``inflation``). ``fact`` or ``compute`` with ``args`` says what is computed; ``outcome`` are the words of the
    ``record`` whose value is taken. ``why``: the reason for the error.
    """

    id: str
    kind: Literal["count", "number", "bound", "diaries"]
    source_kind: ReadAs
    why: Text
    fact: str | None = None
    compute: str | None = None
    args: dict[str, Any] = Field(default_factory=dict)
    record: str | None = None
    outcome: tuple[str, str, str] | None = None
    arm: str | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    events: Annotated[int, Field(ge=0)] | None = None
    given: str | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    error: _Spread | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    inflation: Annotated[float, Field(ge=1.0)] = 1.0

    def _faults(self) -> Iterable[SpecError]:
        def fault(field: str, got: object, allowed: str, remedy: str = "") -> SpecError:
            return SpecError(
                where=f"{self.record or self.id}: {self.id}.{field}", got=got, allowed=allowed, remedy=remedy
            )

        wanted = "diaries" if self.kind == "diaries" else "abstract or registry"
        if self.source_kind != wanted:
            yield fault("source_kind", self.source_kind, wanted, "What was read elsewhere is no number here.")
        needed = {
            "count": ("events", "n", "unit"), "number": ("error", "unit"), "bound": ("error", "unit"), "diaries": (),
        }[self.kind]  # fmt: skip
        for field in needed:
            if getattr(self, field) is None:
                yield fault(field, "nothing", f"the {field} of the result")
        if self.kind == "number" and self.value is None and self.outcome is None:
            yield fault("value", "nothing", "a number, or the words of the outcome in the record")
        if self.kind == "bound" and self.low is None and self.high is None:
            yield fault("high", "nothing", "low, high or both")
        if self.kind != "diaries" and (self.fact is None) == (self.compute is None):
            yield fault("fact", "both" if self.fact else "nothing", "a measure of the facts, or what is computed")
        if self.events is not None and self.n is not None and self.events > self.n:
            yield fault("events", self.events, f"no more than the {self.n} people of the row")
        if (
            self.interval is not None
            and self.value is not None
            and not self.interval[0] < self.value < self.interval[1]
        ):
            yield fault(
                "interval", f"{self.interval[0]:g} to {self.interval[1]:g} around {self.value:g}", "ends around it"
            )

    @property
    def in_percent(self) -> bool:
        """Whether the row is a share in percent, which is emulated as log odds."""
        return (self.unit or "").startswith("%")

    def computed(self) -> tuple[str, dict[str, Any]]:
        """The computation of the facts and its arguments."""
        if self.compute is not None:
            return self.compute, dict(self.args)
        one = next(m for fact in load_facts().fact for m in fact.measure if m.id == self.fact)
        return one.compute, {name: value for name, value in one.args.items() if name != "scenario"}

    def read(self) -> float:
        """What was read of a ``number``, in its unit."""
        if self.outcome is None:
            assert self.value is not None, self.id
            return self.value
        arm, endpoint, statistic = self.outcome
        assert self.record is not None, self.id
        return published_outcome(self.record, arm_or_contrast=arm, endpoint=endpoint, statistic=statistic).value


class Group(Record):
    """A group of people with rows: their scenario, what moves it, the ``level`` of their own (low, high, sd).

    ``n``: how many there were in all; ``medicine``: the value that stands in the place of their medicine's effect.
    ``draws``, ``judged``, ``people``: in the place of those of the plan.
    """

    id: str
    substance: str
    scenario: str | None = None
    own_scenario: dict[str, Any] | None = None
    moves: tuple[str, ...]
    level: tuple[float, float, float] | None = None
    n: int | None = None
    medicine: str | None = None
    draws: _Count | None = None
    judged: _Count | None = None
    people: _Count | None = None
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]

    def _faults(self) -> Iterable[SpecError]:
        arms = {row.arm: row.n or 0 for row in self.rows if row.arm is not None}
        if self.n is not None and sum(arms.values()) > self.n:
            yield SpecError(
                where=f"{self.rows[0].record or self.id}: {self.id}.n", got=f"{sum(arms.values())} people in arms",
                allowed=f"no more than the {self.n} there were",
            )  # fmt: skip
        facts = load_facts()
        measures = {one.id: one for fact in facts.fact for one in fact.measure}
        if (self.scenario is None) == (self.own_scenario is None) or (
            self.scenario is not None and self.scenario not in {one.id for one in facts.scenario}
        ):
            yield SpecError(
                where=f"{self.id}.scenario", got=self.scenario, allowed="a scenario of the facts, or its own"
            )
        for row in self.rows:
            where = f"{row.record or self.id}: {row.id}"
            if row.record is not None and row.record not in list_trials():
                yield SpecError(where=f"{where}.record", got=row.record, allowed="a record of the evidence")
            if row.given is not None and row.given not in {one.id for one in self.rows if one.events is not None}:
                yield SpecError(where=f"{where}.given", got=row.given, allowed="a row of the same people with events")
            if row.fact is None:
                continue
            fact = measures.get(row.fact)
            if fact is None or fact.role != "fit":
                yield SpecError(
                    where=f"{where}.fact", got=f"{row.fact}, {'no fact' if fact is None else 'a check fact'}",
                    allowed="a fit fact", remedy="Check facts are never fitted.",
                )  # fmt: skip
            elif (fact.read_as, fact.unit) != (row.source_kind, row.unit):
                yield SpecError(
                    where=f"{where}.unit", got=f"{row.unit}, {row.source_kind}",
                    allowed=f"{fact.unit}, {fact.read_as}, as the fact",
                )  # fmt: skip
            elif fact.args["scenario"] != self.scenario:
                yield SpecError(
                    where=f"{where}.fact", got=f"people of {fact.args['scenario']}", allowed=str(self.scenario)
                )

    def lived(self) -> FactScenario:
        """The scenario, no longer than the rows look."""
        if self.own_scenario is not None:
            return FactScenario.from_dict({"id": self.id, **self.own_scenario})
        return next(one for one in load_facts().scenario if one.id == self.scenario)


class NearRows(Record):
    """A wave of points where the rows alone put all values of their people together.

    ``power``: of the rows' likelihood there; below 1 it lies wider than what they leave open. ``diary_people``: at each
    point of a group with diaries, in the place of those of the plan.
    """

    draws: _Count
    judged: _Count
    power: _Share
    diary_people: _Count | None = None


class Chains(Record):
    """How long is sampled."""

    number: _Count
    warmup: _Count
    draws: _Count


class Wide(Record):
    """What a fit frees beside the trials: the shape of use in each substance, by rows of groups of people.

    ``fits``: substances whose rows are in the fit; ``shape``: values that each of them has of its own; ``value``: those
    that one group moves. ``within``, ``candidates``, ``least``: which shapes the second wave simulates. ``third``,
    ``fourth``: further waves near the rows, if any. ``chains``: how long each part is sampled. ``errors``: ``together``
    where the errors of a group's emulators enter with how they hang together; without it as independent. ``facts_at``:
    ``own people`` where a fact is computed at the level of the people it was read of.
    """

    fits: tuple[str, ...]
    draws: _Count
    judged: _Count
    people: _Count
    within: _Spread
    candidates: _Count
    least: _Count
    accepted: tuple[str, ...]
    shape: tuple[BoxValue, ...]
    value: tuple[BoxValue, ...] = ()
    group: tuple[Group, ...]
    left_out: dict[str, str]
    third: NearRows | None = None
    fourth: NearRows | None = None
    chains: Chains = Chains(number=4, warmup=400, draws=700)
    errors: Literal["together"] | None = None
    facts_at: Literal["own people"] | None = None


class CalibrationPlan(Record):
    """All of it. ``value``: the box; ``left_out``: protocols that do not enter, with the reason.

    ``over``: the plan that says what this one does not; ``wide``: what is freed beside the trials. ``shares``:
    ``counts`` where shares of people enter as counts of people; without it as logits with a normal error.
    """

    id: str
    form: str
    seed: int
    wave: Wave
    value: tuple[BoxValue, ...]
    hierarchy: Hierarchy
    trial: tuple[TrialEntry, ...]
    left_out: dict[str, str]
    selection: Selection
    tolerance: Tolerance
    scores: Scores
    beside: tuple[Beside, ...]
    over: str | None = None
    wide: Wide | None = None
    shares: Literal["counts"] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data; what a plan of trials alone does not have is not in it, so that its hash stays."""
        later = {"over", "wide", "shares"}
        told = {name: one for name, one in super().to_dict().items() if name not in later or one is not None}
        if self.wide is not None:
            wide, usual = told["wide"], Wide.model_fields
            for name in ("third", "fourth", "errors", "facts_at", "chains"):
                if getattr(self.wide, name) == usual[name].default:
                    del wide[name]
            for name in ("third", "fourth"):
                if name in wide and wide[name]["diary_people"] is None:
                    del wide[name]["diary_people"]
        return told


def list_calibration_plans() -> tuple[str, ...]:
    """Names of the registered plans, sorted.

    Examples
    --------
    >>> DEFAULT_POSTERIOR in list_calibration_plans()
    True
    """
    folder = files("remission.library").joinpath("calibration")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def load_calibration_plan(name: str = DEFAULT_POSTERIOR) -> CalibrationPlan:
    """The registered plan of a posterior; a file that stands ``over`` another says what differs from it.

    Raises SpecError: there is none of that name. LibraryError: its file is damaged.

    Examples
    --------
    >>> plan = load_calibration_plan()
    >>> plan.form, len(plan.trial)
    ('model-form-2026', 7)
    """
    check_known(name, list_calibration_plans(), where="plan", names="registered plans")
    try:
        return CalibrationPlan.from_dict(_whole(name))
    except SpecError as error:
        raise damaged(f"calibration/{name}.toml", error, "a registered calibration", "") from None


def _whole(name: str) -> dict[str, Any]:
    """A plan's file, with what it says nothing of from the plan that it stands over."""
    told = packaged_toml("calibration", f"{name}.toml")
    if "over" not in told:
        return told
    below = _whole(told["over"])
    whole = {**below, **told}  # a new table: what the library has read is shared
    if "wide" in told and "wide" in below:
        reasons = {**below["wide"]["left_out"], **told["wide"].get("left_out", {})}
        whole["wide"] = {**below["wide"], **told["wide"], "left_out": reasons}
    for part, key in (("value", "name"), ("trial", "protocol")):
        own = {one[key]: one for one in told.get(part, ())}
        whole[part] = [own.pop(one[key], one) for one in below[part]] + list(own.values())
    return whole
