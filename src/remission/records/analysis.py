"""Analyses of endpoints, and the published results they are shown beside."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from remission.errors import SpecError
from remission.records.analysis_methods import METHODS, NEEDED_OPTIONS, Method, MethodFacts
from remission.records.base import Record
from remission.records.grown import GrownRecord
from remission.records.parameter import Grade
from remission.records.population import Stratum
from remission.records.quantity import Flag
from remission.records.regression import Errors, Freedom, Structure
from remission.records.text import EachOnce, Sentence, Slug

BASELINE_COVARIATES = ("baseline-use", "baseline-amount", "baseline-craving", "baseline-severity")
"""What an analysis can be adjusted for of the days before day 0."""

PRIOR_NUMBERS = ("center", "worth_people", "sd", "events", "others")


class Contrast(Record):
    """Which arms are compared: arms whose factors match ``treatment`` against those that match ``control``."""

    treatment: Annotated[dict[Slug, Slug], Field(min_length=1)]
    control: Annotated[dict[Slug, Slug], Field(min_length=1)]


class Imputation(Record):
    """How values of periods are imputed where they are missing.

    assumption
        ``missing-at-random``: as in the person's own arm. What comes after the last seen period of a person on the
        treatment side may instead follow the control side: ``jump-to-reference`` (its level from then on),
        ``copy-reference`` (its level throughout), ``copy-increments`` (its changes from then on).
    """

    assumption: Literal["missing-at-random", "jump-to-reference", "copy-reference", "copy-increments"]
    n_imputations: Annotated[int, Field(strict=True, ge=2, le=1000)] = 20


class Prior(Record):
    """What is believed of an effect before the trial, how that is known and where it is from.

    center, worth_people
        Of ``posterior_difference``: the difference expected, in the endpoint's unit, and how many people it counts
        for, half of them in each arm; 0 is a flat prior.
    center, sd
        Of ``posterior_odds_ratio``: mean and standard deviation of the log odds ratio.
    events, others
        Of ``posterior_share_difference``: people with and without the event in each arm, as many as it counts for.
    """

    center: Annotated[float, Field(ge=-1000.0, le=1000.0)] | None = None
    worth_people: Annotated[float, Field(ge=0.0, le=100_000.0)] | None = None
    sd: Annotated[float, Field(gt=0.0, le=100.0)] | None = None
    events: Annotated[float, Field(gt=0.0, le=100_000.0)] | None = None
    others: Annotated[float, Field(gt=0.0, le=100_000.0)] | None = None
    grade: Grade
    source: Sentence


class Analysis(GrownRecord):
    """One analysis of one endpoint; docs/explanation/analyses.md says what each method assumes.

    adjust
        Factors, ``sex``, ``site``, ``age``, ``weight``, conditions and, of people with a baseline, ``baseline-use``,
        ``baseline-amount``, ``baseline-craving`` and ``baseline-severity`` that enter the regression beside the
        contrast.
    baseline
        An endpoint of the time before treatment that enters the regression as well.
    test
        Which test the p value of an odds ratio is of.
    errors
        Of a difference of means: from one variance for everybody, or robust to unequal ones (HC3).
    stratify_by
        Strata of the log-rank test and of Cox regression.
    tau_day
        Days up to which a mean survival time is taken, counted as the endpoint counts them. [day]
    period_days
        Length of the periods into which the endpoint's window is cut. [day]
    visit_day, mean_over_visits
        The visit (or a day of the period) whose difference is estimated, the last one when left out; or the mean of
        all, each by its days. [day]
    covariance, covariance_by_side, degrees_of_freedom
        Structure of a person's covariance, whether each side of the contrast has one of its own, and the correction
        for few people.
    correlation, small_sample
        Working correlation of a person's periods, and whether standard errors are corrected for few people.
    imputation, prior
        How what is missing is imputed; what is believed beforehand.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "baseline", "test", "stratify_by", "tau_day", "period_days", "correlation", "small_sample", "imputation",
            "prior", "visit_day", "mean_over_visits", "covariance", "covariance_by_side", "degrees_of_freedom",
            "errors",
        }
    )  # fmt: skip

    id: Slug
    label: Sentence
    endpoint: Slug
    method: Method
    contrast: Contrast
    adjust: Annotated[tuple[Slug, ...], EachOnce] = ()
    baseline: Slug | None = None
    test: Literal["wald", "likelihood-ratio", "score"] = "wald"
    errors: Errors = "equal-variance"
    stratify_by: Annotated[tuple[Stratum, ...], EachOnce] = ()
    tau_day: Annotated[int, Field(strict=True, ge=1, le=1826)] | None = None
    period_days: Annotated[int, Field(strict=True, ge=1, le=1825)] | None = None
    visit_day: Annotated[int, Field(strict=True, ge=0, le=1826)] | None = None
    mean_over_visits: Flag = False
    covariance: Structure = "unstructured"
    covariance_by_side: Flag = False
    degrees_of_freedom: Freedom = "kenward-roger"
    correlation: Literal["independence", "exchangeable", "autoregressive"] = "exchangeable"
    small_sample: Flag = True
    imputation: Imputation | None = None
    prior: Prior | None = None

    @model_validator(mode="after")
    def _options_fit(self, info: ValidationInfo) -> Self:
        # In a file an option that is not read was believed to act, even where it says the default.
        said = self.model_fields_set if (info.context or {}).get("units_required") else set()
        SpecError.check(self._option_faults(said))
        return self

    def _option_faults(self, said: set[str]) -> Iterator[SpecError]:
        reads = self.read_options
        for name in sorted(self.added_fields):
            value, default = getattr(self, name), type(self).model_fields[name].default
            if name in (reads & NEEDED_OPTIONS) - self._may_lack and value is None:
                yield _lacking(name, f"a value: {self.method} needs it")
            elif name not in reads and (value != default or name in said):
                allowed = f"no such line: {self.method} does not read it"
                got = "nothing" if value is None else value
                yield SpecError(where=name, got=got, allowed=allowed, remedy="Remove it.")
        if self.visit_day is not None and self.mean_over_visits:
            allowed = "no such line beside mean_over_visits, which takes all visits"
            yield SpecError(where="visit_day", got=self.visit_day, allowed=allowed, remedy="Remove one of the two.")
        if self.adjust and not self.facts.has_regression:
            allowed = f"nothing: {self.method} has no regression"
            yield SpecError(where="adjust", got=list(self.adjust), allowed=allowed)
        wanted = self.facts.prior
        for name in PRIOR_NUMBERS if self.prior is not None and wanted else ():
            value = getattr(self.prior, name)
            if name in wanted and value is None:
                yield _lacking(f"prior.{name}", f"a number: {self.method} needs it")
            elif name not in wanted and value is not None:
                allowed = f"nothing here: {self.method} does not read it"
                yield SpecError(where=f"prior.{name}", got=value, allowed=allowed)

    @property
    def read_options(self) -> frozenset[str]:
        """Options that act on it."""
        return self.facts.options

    @property
    def _may_lack(self) -> frozenset[str]:
        return self.facts.may_lack

    @property
    def facts(self) -> MethodFacts:
        """What is true of every analysis of this method."""
        return METHODS[self.method]

    @property
    def is_ratio(self) -> bool:
        """Whether the estimate is a ratio, so that 1 is no effect."""
        return self.facts.scale == "ratio"


def _lacking(where: str, allowed: str) -> SpecError:
    return SpecError(where=where, got="nothing", allowed=allowed, remedy="Add it.")


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

    @property
    def words(self) -> dict[str, str]:
        """What the published outcome is found by in its record."""
        return {"arm_or_contrast": self.arm_or_contrast, "endpoint": self.outcome, "statistic": self.statistic}

    def _faults(self) -> Iterator[SpecError]:
        if (self.analysis is None) == (self.endpoint is None) or (self.endpoint is None) != (self.arm is None):
            allowed = "either analysis alone, or endpoint together with arm"
            yield SpecError(where="analysis", got=self.analysis, allowed=allowed)
