"""How weekly test results become one number: the parts of published definitions, each a field.

A word has one sign a week: ``+`` positive, ``-`` negative, ``*`` both, ``o`` a test was due and none came, ``_`` no
test was due. Weeks are blocks of seven days from the window's first day; the first is week 1.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from remission.errors import SpecError
from remission.records.grown import GrownRecord

_Week = Annotated[int, Field(strict=True, ge=1, le=261)]
_Place = Annotated[int, Field(strict=True, ge=-261, le=261)]


class WeekCriterion(GrownRecord):
    """What weeks ``first`` to ``last`` must show; a negative number counts from the end of the word, -1 is the last.

    whole
        The word must reach over all these weeks.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {"least_negative", "least_negative_share", "most_positive", "most_missing", "whole"}
    )

    first: _Place
    last: _Place
    least_negative: Annotated[int, Field(strict=True, ge=0)] | None = None
    least_negative_share: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    most_positive: Annotated[int, Field(strict=True, ge=0)] | None = None
    most_missing: Annotated[int, Field(strict=True, ge=0)] | None = None
    whole: Literal["required", "not-required"] = "not-required"

    def _faults(self) -> Iterator[SpecError]:
        if 0 in {self.first, self.last}:
            yield SpecError(where="first", got=0, allowed="a week from 1, or from -1 counted from the end")
        elif self.first * self.last > 0 and self.last < self.first:
            yield SpecError(where="last", got=self.last, allowed=f"not before first ({self.first})")


class WeeklyRule(GrownRecord):
    """How a word is read.

    from_week, to_week
        Weeks that count; to the end of the word when ``to_week`` is left out.
    mixed
        A week with both results counts as ``use``, or as ``half`` a week of it.
    extent
        ``planned``: to the planned end; ``attended``: to the last week with a result.
    run_weeks
        Weeks in a row that are looked for.
    use_weeks, within_weeks
        The event: so many weeks of use (or missing) within so many. It is dated as CTNote does, at the first week of
        the span plus the weeks that need not be use.
    least_weeks
        People whose last result came before this week have the worst value.
    schedule
        Weeks on which a result counts; those between carry the last one (``between``) or are left out.
    if_unseen
        The value of people without a week that counts: ``none``, or the ``worst`` or ``best`` there is.
    positive_weight, mixed_weight, penalty
        Of ``weekly_use_index``: weights, and the factor of each week's use.
    short_word
        When ``penalty`` has more weeks than the word: ``cut`` it, or let the word begin ``again``.
    criteria
        What must hold, all of it.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "from_week", "to_week", "mixed", "extent", "run_weeks", "use_weeks", "within_weeks", "least_weeks",
            "schedule", "between", "if_unseen", "positive_weight", "mixed_weight", "penalty",
            "short_word", "criteria",
        }
    )  # fmt: skip

    from_week: _Week = 1
    to_week: _Week | None = None
    mixed: Literal["use", "half"] = "use"
    extent: Literal["planned", "attended"] = "planned"
    run_weeks: _Week | None = None
    use_weeks: _Week | None = None
    within_weeks: _Week | None = None
    least_weeks: _Week | None = None
    schedule: tuple[_Week, ...] = ()
    between: Literal["carried", "left-out"] = "carried"
    if_unseen: Literal["none", "worst", "best"] = "none"
    positive_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    mixed_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    penalty: tuple[Annotated[float, Field(ge=0.0, le=100.0)], ...] | Literal["rising-1-to-5"] = ()
    short_word: Literal["cut", "again"] = "cut"
    criteria: tuple[WeekCriterion, ...] = ()

    def _faults(self) -> Iterator[SpecError]:
        if self.to_week is not None and self.to_week < self.from_week:
            yield SpecError(where="to_week", got=self.to_week, allowed=f"not before from_week ({self.from_week})")
        if (self.use_weeks is None) != (self.within_weeks is None):
            allowed = "use_weeks and within_weeks, or neither"
            yield SpecError(where="within_weeks", got=self.within_weeks, allowed=allowed)
        elif self.use_weeks is not None and self.within_weeks is not None and self.use_weeks > self.within_weeks:
            yield SpecError(where="use_weeks", got=self.use_weeks, allowed=f"at most {self.within_weeks}")
        if list(self.schedule) != sorted(set(self.schedule)):
            allowed = "weeks in rising order, each once"
            yield SpecError(where="schedule", got=list(self.schedule), allowed=allowed)

    @property
    def last_week_named(self) -> int:
        """The last week that the rule names: a shorter window cannot feed it."""
        places = [place for item in self.criteria for place in (item.first, item.last) if place > 0]
        return max(
            [1, self.from_week, self.to_week or 1, *self.schedule, *places, self.run_weeks or 1, self.within_weeks or 1]
        )
