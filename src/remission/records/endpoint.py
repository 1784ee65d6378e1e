"""Endpoints: one outcome per person."""

from typing import Literal, Self

from pydantic import model_validator

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.population import DayRange
from remission.records.text import Note, Sentence, Slug

__all__ = ["Endpoint"]


class Endpoint(Record):
    """One outcome per person, computed from the diary, the tests and the visits.

    kind
        ``percent_days_abstinent``, ``percent_heavy_days``: share of the window's days, 0 to 100.
        ``any_use``: 1 if the diary has a use day in the window.
        ``confirmed_relapse``: 1 if the diary has a use day or a test is positive in the window.
        ``abstinent_window``: 1 if no use day and no positive test in the window.
        ``days_to_relapse_or_dropout``: days from the window's first day to the first use day or to dropout.
        ``mean_craving``: mean of the reported craving (VAS, 0 to 100) over the visits of the window.
    missing
        ``observed``: days or visits not observed are left out. ``use``: a day not observed counts as use, a missed
        test as positive. For ``days_to_relapse_or_dropout`` dropout is an event and the rule must be ``use``.
    """

    id: Slug
    label: Sentence
    kind: Literal[
        "percent_days_abstinent",
        "percent_heavy_days",
        "any_use",
        "confirmed_relapse",
        "abstinent_window",
        "days_to_relapse_or_dropout",
        "mean_craving",
    ]
    window: DayRange
    missing: Literal["observed", "use"]
    note: Note = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "days_to_relapse_or_dropout" and self.missing != "use":
            raise SpecError(where="missing", got=self.missing, allowed="use: dropout is an event of this endpoint")
        return self

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is the wished one."""
        return self.kind in {"percent_days_abstinent", "abstinent_window", "days_to_relapse_or_dropout"}

    @property
    def unit(self) -> str:
        """Unit of one person's value."""
        return {
            "percent_days_abstinent": "% of days",
            "percent_heavy_days": "% of days",
            "days_to_relapse_or_dropout": "day",
            "mean_craving": "VAS 0-100",
        }.get(self.kind, "share of people")
