"""Endpoints: one outcome per person."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from remission.errors import SpecError, check_known
from remission.records.endpoint_kinds import KINDS, EndpointKind, MissingRule, Scale
from remission.records.grown import GrownRecord
from remission.records.named_endpoints import named_endpoint_fields, named_endpoint_ids
from remission.records.population import DayRange, ObservedDays
from remission.records.session_rule import SessionRule
from remission.records.text import Label, Note, Sentence, Slug
from remission.records.weekly import WeeklyRule

_Span = Annotated[
    ObservedDays, BeforeValidator(lambda value: value.to_dict() if isinstance(value, DayRange) else value)
]
"""Days from day 0 on are days too."""

_Days = Annotated[int, Field(strict=True, ge=1, le=365)]
_OWN = ("id", "label", "window", "note", "definition", "baseline", "amount_unit", "cue_sd")
"""Fields that an endpoint with a named definition says itself."""


class FailureRule(GrownRecord):
    """What ends an abstinence: any one of the rules that are given.

    consecutive_days
        So many days of use in a row.
    consecutive_weeks
        At least one day of use in each of so many weeks in a row; weeks are counted from the day on which use counts.
    use_days, within_days
        So many days of use within so many days in a row.
    dated
        The day of the event: the ``first-day`` of the use that meets the rule, or the day on which it is ``met``.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {"consecutive_days", "consecutive_weeks", "use_days", "within_days", "dated"}
    )

    consecutive_days: _Days | None = None
    consecutive_weeks: _Days | None = None
    use_days: _Days | None = None
    within_days: _Days | None = None
    dated: Literal["first-day", "met"] = "met"

    def _faults(self) -> Iterator[SpecError]:
        if (self.use_days is None) != (self.within_days is None):
            yield SpecError(where="within_days", got=self.within_days, allowed="use_days and within_days, or neither")
        elif self.use_days is not None and self.within_days is not None and self.use_days > self.within_days:
            yield SpecError(where="use_days", got=self.use_days, allowed=f"at most within_days ({self.within_days})")
        elif self.consecutive_days is None and self.consecutive_weeks is None and self.use_days is None:
            allowed = "consecutive_days, consecutive_weeks, or use_days with within_days"
            yield SpecError(where="value", got="nothing", allowed=allowed)


def _either_named_or_spelled_out(schema: dict[str, Any]) -> None:
    """What a file must say: a definition gives the fields that are required otherwise."""
    schema["required"] = [name for name in schema["required"] if name != "missing"]
    given = [name for name in schema["required"] if name in {"label", "kind"}]
    schema["required"] = [name for name in schema["required"] if name not in given]
    schema["anyOf"] = [{"required": ["definition"]}, {"required": given}]


class Endpoint(GrownRecord):
    """One outcome per person, computed from the diary, the tests and the visits.

    definition
        Id of a named endpoint of the catalogue (``remission endpoints list``), which gives everything but ``id``,
        ``window`` and, if wished, ``label``, ``note`` and ``baseline``.
    kind
        What is computed; docs/reference/protocol-file.md has the table.
    window, baseline
        Days that count, and days that they are compared with; days before day 0 are negative.
    reduction_percent
        How much less than in the baseline there must be of what is counted. [%]
    amount_unit
        Unit of an amount, such as ``US drinks`` or ``cigarettes``.
    cue_sd
        Size of the cue under which craving is asked, in standard deviations of a day's cues. [dimensionless]
    session
        What in a dosing session counts.
    missing
        ``observed``: days, tests or visits not observed are left out. ``use``: a day not observed counts as use, a
        missed test as positive. ``carried``: the last one seen stands for it. ``weighted``: it counts as
        ``missing_weight`` of a day of use. Left out: ``use`` where the kind takes it, which never rewards leaving, else
        what rewards it least. ``complete``: who was not seen on every day has no value. For weekly words
        also ``abstinent``, ``usual`` (the person's most frequent result, use on a tie), ``neighbors`` (mean of the
        weeks before and after, where both are known) and ``kept`` (neither).
        For ``days_to_relapse_or_dropout`` dropout is an event and the rule must be ``use``.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "definition", "missing_weight", "grace_days", "length_days", "failure", "verification", "baseline",
            "risk_levels", "weekly", "reduction_percent", "amount_unit", "cue_sd", "session",
        }
    )  # fmt: skip

    model_config = ConfigDict(json_schema_extra=_either_named_or_spelled_out)

    id: Slug
    label: Sentence
    definition: Slug | None = None
    kind: EndpointKind
    window: _Span
    missing: MissingRule
    missing_weight: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    grace_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 0
    length_days: _Days | None = None
    failure: FailureRule | None = None
    verification: Literal["none", "test"] = "none"
    baseline: _Span | None = None
    risk_levels: Literal[1, 2] | None = None
    reduction_percent: Annotated[float, Field(gt=0.0, le=100.0)] | None = None
    amount_unit: Label | None = None
    cue_sd: Annotated[float, Field(gt=0.0, le=10.0)] | None = None
    session: SessionRule | None = None
    weekly: WeeklyRule | None = None
    note: Note = ""

    @model_validator(mode="before")
    @classmethod
    def _defined(cls, data: Any) -> Any:
        """The fields of a named definition beside those that the file says itself; the default rule of a kind."""
        name = data.get("definition") if isinstance(data, dict) else None
        if not isinstance(name, str):
            if isinstance(data, dict) and "missing" not in data:
                # A kind that does not exist, or is no text, is a fault of its own.
                kind = data.get("kind")
                facts = KINDS.get(kind) if isinstance(kind, str) else None
                return {**data, "missing": "use" if facts is None else facts.default_missing}
            return data
        known = named_endpoint_ids()
        check_known(
            name, known, where="definition", names="endpoints of the catalogue", more="See remission endpoints list."
        )
        fixed = {key: value for key, value in named_endpoint_fields(name).items() if key not in _OWN}
        return {"label": named_endpoint_fields(name)["label"], **fixed, **data}

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        # Files that the program itself stored before it was refused hold this rule, which never had an effect.
        is_old = self.kind == "mean_craving" and self.missing == "use" and (info.context or {}).get("stored")
        fields = sorted([*self._field_faults(), *self._failure_faults(), *self._weekly_faults()], key=_where)
        SpecError.check([*([] if is_old else self._rule_faults()), *fields, *self._definition_faults()])
        return self

    def _rule_faults(self) -> Iterator[SpecError]:
        facts = KINDS[self.kind]
        if self.missing not in facts.missing:
            of_leaving = facts.missing == ("use",) and facts.leaving
            allowed = "use: dropout is an event of this endpoint" if of_leaving else None
            allowed = allowed or f"{', '.join(facts.missing)} for {self.kind}"
            yield SpecError(where="missing", got=self.missing, allowed=allowed)
        elif (self.missing == "weighted") != (self.missing_weight is not None):
            allowed = (
                "a number from 0 to 1" if self.missing == "weighted" else "nothing: only 'missing: weighted' reads it"
            )
            yield SpecError(where="missing_weight", got=self.missing_weight, allowed=allowed)

    def _field_faults(self) -> Iterator[SpecError]:
        """Fields that the kind needs and lacks, or has and never reads."""
        facts = KINDS[self.kind]
        for name in self.added_fields - {"definition", "missing_weight"}:
            value, default = getattr(self, name), type(self).model_fields[name].default
            if name in facts.required and value == default:
                yield _lacking(name, self.kind)
            elif name not in facts.takes and value != default:
                yield SpecError(where=name, got=value, allowed=f"nothing here: {self.kind} does not read it")
        if facts.baseline_apart and self.baseline is not None and self.baseline.last >= self.window.first:
            yield SpecError(
                where="baseline.last",
                got=f"day {self.baseline.last}",
                allowed=f"a day before the window, which begins on day {self.window.first}",
                remedy="What the window counts is no baseline of it.",
            )
        length = len(self.window)
        if self.grace_days >= length:
            allowed = f"fewer than the {length} days of the window"
            yield SpecError(where="grace_days", got=self.grace_days, allowed=allowed)
        if self.length_days is not None and self.length_days > length:
            allowed = f"at most the {length} days of the window"
            yield SpecError(where="length_days", got=self.length_days, allowed=allowed)

    def _failure_faults(self) -> Iterator[SpecError]:
        """Rules of failure that no use in the window can meet: everyone would pass them."""
        rule, length = self.failure, max(len(self.window) - self.grace_days, 0)
        if rule is None or "failure" not in KINDS[self.kind].takes:
            return
        # Of weeks one day in the first and one in the last are enough.
        weeks = None if rule.consecutive_weeks is None else 7 * (rule.consecutive_weeks - 1) + 1
        for name, days in (
            ("consecutive_days", rule.consecutive_days), ("consecutive_weeks", weeks), ("use_days", rule.use_days)
        ):  # fmt: skip
            if days is not None and days > length:
                yield SpecError(
                    where=f"failure.{name}",
                    got=getattr(rule, name),
                    allowed=f"a rule that use can meet in the {len(self.window) - self.grace_days} days on which it "
                    f"counts; this one needs {days}",
                    remedy="Everyone would pass. Shorten the rule, or lengthen the window.",
                )

    def _weekly_faults(self) -> Iterator[SpecError]:
        needs = KINDS[self.kind].weekly_field
        if self.weekly is not None and needs and not getattr(self.weekly, needs):
            yield _lacking(f"weekly.{needs}", self.kind)

    def _definition_faults(self) -> Iterator[SpecError]:
        """A field that contradicts the definition whose name the endpoint bears."""
        if self.definition is None:
            return
        fields = {**named_endpoint_fields(self.definition), "id": self.id, "window": self.window}
        own = {name: getattr(self, name) for name in ("baseline", "amount_unit", "cue_sd")}
        named = type(self).from_dict({**fields, **own})
        for name in type(self).model_fields:
            if name not in _OWN and getattr(self, name) != getattr(named, name):
                yield SpecError(
                    where=name,
                    got=getattr(self, name),
                    allowed=f"what {self.definition} says: {getattr(named, name)}",
                    remedy="Remove this field, or remove definition and spell the endpoint out.",
                )

    @property
    def scale(self) -> Scale:
        """What one person's number is."""
        return KINDS[self.kind].scale

    @property
    def is_time_to_event(self) -> bool:
        """Whether a person's number is a time that an event ends or the end of observation cuts."""
        return self.scale == "time"

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is the wished one."""
        return KINDS[self.kind].higher_is_better

    @property
    def unit(self) -> str:
        """Unit of one person's value."""
        return KINDS[self.kind].unit.replace("amount", self.amount_unit or "amount")


def _lacking(where: str, kind: str) -> SpecError:
    return SpecError(where=where, got="nothing", allowed=f"a value: {kind} needs it", remedy="Add it.")


def _where(fault: SpecError) -> str:
    return fault.where
