"""One outcome a person, imputed where it is missing: events and counts.

Each side has a regression of its own on the adjustment, fitted to the people whose outcome is known. For each
imputation its coefficients are drawn from the normal distribution that the likelihood leaves, then the outcomes of
those who have none. A treated person without an outcome follows the own side (``missing-at-random``) or, under an
assumption by reference, the control's: with one outcome a person, to jump to the reference and to copy it are the
same. ``delta`` is added to the log odds, or the log rate, of what is imputed of the treatment side.

Counts are drawn with the spread that was found: phi is Pearson's statistic by its degrees of freedom, at least 1; with
phi above 1 a rate is drawn from a gamma distribution whose counts have variance phi times their mean.

The completed outcomes are analyzed as odds ratios (Wald) or as rate ratios with a sandwich, and pooled on the scale of
logarithms by Rubin's rules.
"""

from collections.abc import Callable

import numpy as np

from remission.analyses.basis import orthonormal_basis
from remission.analyses.counts import CountFit, fit_counts, robust_log_rate
from remission.analyses.estimate import Estimate, Status, failed_estimate, is_too_small, log_of
from remission.analyses.imputation import Assumption, Chain, pool_estimates
from remission.analyses.odds import LARGEST_ERROR, analyze_odds
from remission.errors import SpecError
from remission.numerics.distributions import gamma_quantile, normal_cdf, normal_quantile
from remission.numerics.elementary import exp
from remission.numerics.intervals import Z95
from remission.numerics.lanes import exp_lane
from remission.numerics.loops import loop
from remission.numerics.small_systems import factor
from remission.shapes import Bool, Float
from remission.streams import People

_Values = Float[np.ndarray, " subject"]
_Flags = Bool[np.ndarray, " subject"]
_Terms = Float[np.ndarray, "subject term"]
_WIDE = 1e8
"""From this shape on a gamma number is its mean to four digits, and taken for it."""
_KNOWN = 2.0
"""Largest standard error of the log rate of somebody who is drawn: a factor of 50 to either side."""
_MANY = 500.0
"""Above this mean a Poisson count is drawn as a rounded normal number."""


def analyze_imputed_events(
    events: _Values,
    treated: _Flags,
    adjust: _Terms,
    people: People,
    *,
    assumption: Assumption,
    n_imputations: int,
    delta: float = 0.0,
    null: float = 0.0,
) -> Estimate:
    """Odds ratio of the event, treated against control, over imputations of who has no answer.

    ``events``: 1, 0, or NaN where missing. ``delta``: added to the log odds of imputed events of the treatment side.
    ``null``: the log odds ratio that the test is of; the estimate is what is beside it.
    """

    def draw(line: _Values, chain: Chain, _: _Values) -> _Values:
        uniform = normal_cdf(chain.normals(1)[:, 0])
        return (uniform < 1.0 / (1.0 + exp(np.clip(-line, -600.0, 600.0)))).astype(np.float64)

    def one(whole: _Values) -> tuple[float, float, int | None] | Status:
        found = analyze_odds(whole, treated, adjust)
        if found.status is not Status.OK:
            return found.status
        return log_of(found.estimate), log_of(found.high / found.low) / (2.0 * Z95), None

    return _pooled(
        events,
        np.ones(events.size),
        treated,
        adjust,
        people,
        draw,
        one,
        assumption=assumption,
        n_imputations=n_imputations,
        delta=delta,
        null=null,
        is_odds=True,
    )


def analyze_imputed_counts(
    counts: _Values,
    exposure: _Values,
    treated: _Flags,
    adjust: _Terms,
    people: People,
    *,
    assumption: Assumption,
    n_imputations: int,
    delta: float = 0.0,
    null: float = 0.0,
) -> Estimate:
    """Ratio of rates, treated against control, over imputations of counts that are missing.

    ``counts``: 0 or more, NaN where missing; they must have no upper end. ``exposure``: of everybody, planned where the
    count is missing. ``delta``: added to the log rate of imputed counts of the treatment side.
    ``null``: the log ratio that the test is of; the estimate is what is beside it.
    """

    def draw(line: _Values, chain: Chain, phi: _Values) -> _Values:
        mean = np.maximum(exposure * exp(np.clip(line, -600.0, 600.0)), 1e-12)
        normals, scale = chain.normals(2), np.where(phi > 1.0, phi - 1.0, 1.0)
        # A quantile of a very large shape takes ever longer, and its distribution has no width.
        is_spread = (phi > 1.0) & (mean / scale < _WIDE)
        rate = gamma_quantile(np.where(is_spread, mean / scale, 1.0), normal_cdf(normals[:, 0])) * scale
        mean = np.where(is_spread, rate, mean)
        return _poisson_counts(mean, normal_cdf(normals[:, 1]), normals[:, 1])

    def one(whole: _Values) -> tuple[float, float, int | None] | Status:
        return robust_log_rate(whole, exposure, treated, adjust)

    return _pooled(
        counts,
        exposure,
        treated,
        adjust,
        people,
        draw,
        one,
        assumption=assumption,
        n_imputations=n_imputations,
        delta=delta,
        null=null,
        is_odds=False,
    )


_Drawn = Callable[[_Values, Chain, _Values], _Values]
_Fit = tuple[CountFit, float, Float[np.ndarray, "term term"], Bool[np.ndarray, " term"]]
_Analyzed = Callable[[_Values], tuple[float, float, int | None] | Status]


def _pooled(
    values: _Values,
    exposure: _Values,
    treated: _Flags,
    adjust: _Terms,
    people: People,
    draw: _Drawn,
    one: _Analyzed,
    *,
    assumption: Assumption,
    n_imputations: int,
    delta: float,
    null: float,
    is_odds: bool,
) -> Estimate:
    if assumption == "copy-increments":
        raise SpecError(
            where="imputation.assumption",
            got=assumption,
            allowed="missing-at-random or copy-reference",
            remedy="One outcome a person has no increments; give visits to impute them.",
        )
    if is_too_small(values, treated):
        return failed_estimate(Status.NO_VARIATION)
    design = _design(adjust)
    known, is_own = np.isfinite(values), assumption == "missing-at-random"
    sides = (~treated, treated)
    if not all((known & side).any() for side in sides):
        return failed_estimate(Status.NOT_ESTIMABLE)
    if not values[known].any() or (is_odds and values[known].all()):
        return failed_estimate(Status.NO_VARIATION)
    # What is drawn is added to the known: where these are separated by nothing, no draw is.
    needs_both = is_odds and adjust.shape[1] > 0
    if not all(_has_what_it_needs(values[known & side], needs_both=needs_both, is_odds=is_odds) for side in sides):
        return failed_estimate(Status.SEPARATION)
    lacking = [~known & ~treated, ~known & treated] if is_own else [~known, np.zeros_like(known)]
    fits: list[_Fit | None] = []
    for side, drawn in zip(sides, lacking, strict=True):
        model = _side(design, values, exposure, known & side, drawn, is_odds=is_odds) if drawn.any() else None
        if isinstance(model, Status):
            return failed_estimate(model)
        fits.append(model)
    sources = (fits[0], fits[1] if is_own else fits[0])
    spread = np.where(treated, *(1.0 if one is None else one[1] for one in reversed(sources)))
    chain = Chain(people, 1, design.shape[0])
    estimates, errors, freedom = [], [], None
    for _ in range(n_imputations):
        lines = []
        for model in fits:
            # Addresses are the same whether a side is drawn from or not.
            normals = normal_quantile(chain.uniforms(design.shape[0]))
            lines.append(np.zeros(treated.size) if model is None else _drawn_line(design, model, normals))
        line = np.where(treated, (lines[1] if is_own else lines[0]) + delta, lines[0])
        found = one(np.where(known, values, draw(line, chain, spread)))
        if isinstance(found, Status):
            return failed_estimate(found)
        estimates.append(found[0])
        errors.append(found[1])
        freedom = found[2]
    pooled = pool_estimates(np.array(estimates) - null, np.array(errors), freedom=freedom)
    if pooled.status is not Status.OK:
        return pooled
    low, middle, high = exp(np.array([pooled.low, pooled.estimate, pooled.high]))
    return Estimate(estimate=float(middle), low=float(low), high=float(high), p_value=pooled.p_value, status=Status.OK)


def _design(adjust: _Terms) -> Float[np.ndarray, "term subject"]:
    """Intercept and terms, each around its mean and in its own reach, so that tolerances have a scale."""
    away = adjust - adjust.mean(axis=0)
    reach = np.abs(away).max(axis=0, initial=0.0)
    return np.ascontiguousarray(np.vstack([np.ones(len(adjust)), (away / np.where(reach > 0.0, reach, 1.0)).T]))


def _has_what_it_needs(values: _Values, *, needs_both: bool, is_odds: bool) -> bool:
    """Whether the known outcomes of a side leave any completed ones a number."""
    if is_odds:
        return not needs_both or (bool(values.any()) and not values.all())
    return bool(values.any())


def _drawn_line(design: Float[np.ndarray, "term subject"], model: _Fit, normals: _Values) -> _Values:
    """Linear predictors of everybody, from one draw of the coefficients."""
    fit, phi, root, kept = model
    columns, some = (design, normals) if kept.all() else (design[kept], normals[: root.shape[0]])
    drawn = fit.coefficients + np.sqrt(phi) * (root * some).sum(axis=1)
    line: _Values = (columns * drawn[:, None]).sum(axis=0)
    return line


def _side(
    design: Float[np.ndarray, "term subject"],
    values: _Values,
    exposure: _Values,
    known: _Flags,
    drawn: _Flags,
    *,
    is_odds: bool,
) -> _Fit | Status:
    """The model of a side, the factor of its spread, the root of its covariance, and which terms it has; or why there
    is none. ``known``: whom it is fitted to. ``drawn``: who is drawn from it.
    """
    who = np.stack([known, known | drawn])
    nobody, terms = np.zeros(who.shape, dtype=np.bool_), np.broadcast_to(design[1:], (2, *design[1:].shape))
    # Without the treatment, which is in neither.
    kept, needed = orthonormal_basis(who, nobody, terms).is_kept[:, :-1]
    freedom = int(known.sum()) - int(kept.sum())
    if freedom < 1 or needed.sum() > kept.sum():
        return Status.NOT_ESTIMABLE
    columns, values, exposure = design[np.ix_(kept, known)], values[known], exposure[known]
    if not values.any() or (is_odds and values.all()):
        return Status.SEPARATION
    fit = fit_counts(columns, values, exposure, is_odds=is_odds)
    # Its terms are independent, so where there is no end to the search there is none to the likelihood.
    if fit is None or not float(np.sqrt(fit.covariance.diagonal().max())) < LARGEST_ERROR:
        return Status.SEPARATION
    phi = 1.0
    if not is_odds:
        away = values - fit.mean
        phi = max(1.0, float((away * away / np.maximum(fit.mean, 1e-300)).sum()) / freedom)
        mine = design[np.ix_(kept, drawn)]
        if not np.sqrt(phi * (mine * (fit.covariance[:, :, None] * mine[None]).sum(axis=1)).sum(axis=0)).max() < _KNOWN:
            return Status.NOT_ESTIMABLE
    root = fit.covariance.copy()
    return (fit, phi, root, kept) if _factored(root) else Status.NOT_ESTIMABLE


@loop
def _factored(matrix):
    return factor(matrix, 1e-12)


@loop
def _poisson_counts(mean, uniform, normal):
    """The count at which the distribution passes a uniform number."""
    found = np.zeros(mean.size)
    for i in range(mean.size):
        if mean[i] > _MANY:
            found[i] = max(0.0, np.floor(mean[i] + np.sqrt(mean[i]) * normal[i] + 0.5))
            continue
        term = exp_lane(-mean[i])
        total, count = term, 0
        while total < uniform[i] and count < 10_000:
            count += 1
            term *= mean[i] / count
            total += term
        found[i] = count
    return found
