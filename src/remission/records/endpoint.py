"""Endpoints, analyses, and the published results they are shown beside."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.population import DayRange
from remission.records.text import Note, Sentence, Slug

__all__ = ["Analysis", "Comparison", "Contrast", "Endpoint"]


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


class Contrast(Record):
    """Which arms are compared: arms whose factors match ``treatment`` against those that match ``control``."""

    treatment: Annotated[dict[Slug, Slug], Field(min_length=1)]
    control: Annotated[dict[Slug, Slug], Field(min_length=1)]


class Analysis(Record):
    """One analysis of one endpoint.

    method
        ``mean_difference``: least-squares difference with adjustment (treatment minus control).
        ``odds_ratio``: logistic regression. ``hazard_ratio``: Cox regression.
        ``percent_lower``: 100 times one minus the ratio of means.
    adjust
        Factors, ``sex`` or ``site`` that enter the regression beside the contrast.
    """

    id: Slug
    label: Sentence
    endpoint: Slug
    method: Literal["mean_difference", "odds_ratio", "hazard_ratio", "percent_lower"]
    contrast: Contrast
    adjust: tuple[Slug, ...] = ()


class Comparison(Record):
    """Which published outcome a simulated number is shown beside.

    Either ``analysis`` (a contrast) or ``endpoint`` with ``arm`` (an arm's mean) names the simulated number. The
    published one is found in the trial's evidence record by its own words.
    """

    analysis: Slug | None = None
    endpoint: Slug | None = None
    arm: Slug | None = None
    arm_or_contrast: Sentence
    outcome: Sentence
    statistic: Sentence

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.analysis is None) == (self.endpoint is None) or (self.endpoint is None) != (self.arm is None):
            raise SpecError(
                where="analysis", got=self.analysis, allowed="either analysis alone, or endpoint together with arm"
            )
        return self
