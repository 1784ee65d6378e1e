"""Analyses of endpoints, and the published results they are shown beside."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.text import Sentence, Slug

__all__ = ["Analysis", "Comparison", "Contrast"]


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
