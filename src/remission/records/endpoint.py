"""Endpoints: one outcome per person."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from remission.errors import SpecError, check_known
from remission.records.endpoint_kinds import KINDS, EndpointKind, MissingRule, Scale
from remission.records.grown import GrownRecord
from remission.records.named_endpoints import named_endpoint_fields, named_endpoint_ids
from remission.records.population import DayRange
from remission.records.text import Note, Sentence, Slug
from remission.records.weekly import WeeklyRule

__all__ = ["Endpoint", "FailureRule"]

_Days = Annotated[int, Field(strict=True, ge=1, le=365)]
_OWN = ("id", "label", "window", "note", "definition", "baseline")
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

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.use_days is None) != (self.within_days is None):
            raise SpecError(where="within_days", got=self.within_days, allowed="use_days and within_days, or neither")
        if self.use_days is not None and self.within_days is not None and self.use_days > self.within_days:
            raise SpecError(where="use_days", got=self.use_days, allowed=f"at most within_days ({self.within_days})")
        if self.consecutive_days is None and self.consecutive_weeks is None and self.use_days is None:
            raise SpecError(
                where="value",
                got="nothing",
                allowed="consecutive_days, consecutive_weeks, or use_days with within_days",
            )
        return self


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
            "risk_levels", "weekly",
        }
    )  # fmt: skip

    model_config = ConfigDict(json_schema_extra=_either_named_or_spelled_out)

    id: Slug
    label: Sentence
    definition: Slug | None = None
    kind: EndpointKind
    window: DayRange
    missing: MissingRule
    missing_weight: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    grace_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 0
    length_days: _Days | None = None
    failure: FailureRule | None = None
    verification: Literal["none", "test"] = "none"
    baseline: DayRange | None = None
    risk_levels: Literal[1, 2] | None = None
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
                facts = KINDS.get(kind) if isinstance(kind, str) else None  # type: ignore[call-overload]
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
        context = info.context or {}
        is_said = bool(context.get("units_required")) and not context.get("stored")
        is_old = self.kind == "mean_craving" and self.missing == "use" and not is_said
        faults = [*([] if is_old else self._rule_faults()), *self._field_faults(), *self._definition_faults()]
        if faults:
            raise SpecError.from_faults(faults)
        return self

    def _rule_faults(self) -> list[SpecError]:
        facts = KINDS[self.kind]
        if self.kind == "days_to_relapse_or_dropout" and self.missing != "use":
            return [SpecError(where="missing", got=self.missing, allowed="use: dropout is an event of this endpoint")]
        if self.missing not in facts.missing:
            return [SpecError(where="missing", got=self.missing, allowed=f"{', '.join(facts.missing)} for {self.kind}")]
        if (self.missing == "weighted") != (self.missing_weight is not None):
            wanted = (
                "a number from 0 to 1" if self.missing == "weighted" else "nothing: only 'missing: weighted' reads it"
            )
            return [SpecError(where="missing_weight", got=self.missing_weight, allowed=wanted)]
        return []

    def _field_faults(self) -> list[SpecError]:
        """Fields that the kind needs and lacks, or has and never reads."""
        facts, faults = KINDS[self.kind], []
        for name in self.added_fields - {"definition", "missing_weight"}:
            value, default = getattr(self, name), type(self).model_fields[name].default
            if name in facts.required and value == default:
                faults.append(
                    SpecError(where=name, got="nothing", allowed=f"a value: {self.kind} needs it", remedy="Add it.")
                )
            elif name not in facts.takes and value != default:
                faults.append(SpecError(where=name, got=value, allowed=f"nothing here: {self.kind} does not read it"))
        length = len(self.window)
        if self.grace_days >= length:
            faults.append(
                SpecError(
                    where="grace_days", got=self.grace_days, allowed=f"fewer than the {length} days of the window"
                )
            )
        if self.length_days is not None and self.length_days > length:
            faults.append(
                SpecError(where="length_days", got=self.length_days, allowed=f"at most the {length} days of the window")
            )
        return sorted([*faults, *self._failure_faults(), *self._weekly_faults()], key=lambda fault: fault.where)

    def _failure_faults(self) -> list[SpecError]:
        """Rules of failure that no use in the window can meet: everyone would pass them."""
        if self.failure is None or "failure" not in KINDS[self.kind].takes:
            return []
        length = len(self.window) - self.grace_days
        rule = self.failure
        needed = {
            "consecutive_days": rule.consecutive_days,
            # One day in the first week and one in the last are enough.
            "consecutive_weeks": None if rule.consecutive_weeks is None else 7 * (rule.consecutive_weeks - 1) + 1,
            "use_days": rule.use_days,
        }
        return [
            SpecError(
                where=f"failure.{name}",
                got=getattr(rule, name),
                allowed=f"a rule that use can meet in the {length} days on which it counts; this one needs {days}",
                remedy="Everyone would pass. Shorten the rule, or lengthen the window.",
            )
            for name, days in needed.items()
            if days is not None and days > max(length, 0)
        ]

    def _weekly_faults(self) -> list[SpecError]:
        rule = self.weekly
        if rule is None:
            return []
        needs = {
            "negative_weeks_in_a_row": "run_weeks", "positive_weeks_in_a_row": "run_weeks",
            "weeks_to_positive": "use_weeks", "weeks_to_missing": "use_weeks", "weekly_criteria": "criteria",
        }.get(self.kind)  # fmt: skip
        if needs and not getattr(rule, needs):
            return [
                SpecError(
                    where=f"weekly.{needs}", got="nothing", allowed=f"a value: {self.kind} needs it", remedy="Add it."
                )
            ]
        return []

    def _definition_faults(self) -> list[SpecError]:
        """A field that contradicts the definition whose name the endpoint bears."""
        if self.definition is None:
            return []
        fields = {**named_endpoint_fields(self.definition), "id": self.id, "window": self.window}
        named = type(self).from_dict({**fields, "baseline": self.baseline})
        return [
            SpecError(
                where=name,
                got=getattr(self, name),
                allowed=f"what {self.definition} says: {getattr(named, name)}",
                remedy="Remove this field, or remove definition and spell the endpoint out.",
            )
            for name in type(self).model_fields
            if name not in _OWN and getattr(self, name) != getattr(named, name)
        ]

    @property
    def scale(self) -> Scale:
        """What one person's number is."""
        return KINDS[self.kind].scale

    @property
    def is_time_to_event(self) -> bool:
        """Whether a person's number is a time that an event ends or the end of observation cuts."""
        return self.scale == "time"

    @property
    def is_binary(self) -> bool:
        """Whether a person's number is 0 or 1."""
        return self.scale == "binary"

    @property
    def is_count(self) -> bool:
        """Whether a person's number is a count."""
        return self.scale == "count"

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is the wished one."""
        return KINDS[self.kind].higher_is_better

    @property
    def unit(self) -> str:
        """Unit of one person's value."""
        return KINDS[self.kind].unit
