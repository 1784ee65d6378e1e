"""Multiple imputation of period values, at random or by reference, from a multivariate normal model.

Model: y = Z B + e, e normal with covariance S, over the periods; Z has an intercept for each arm and the adjustment.
Under the prior p(B, S) ~ det(S)^(-(t+1)/2) the posterior given complete data is S ~ inverse Wishart(n - q, residual
products), B given S ~ matrix normal. Where data are missing, draws alternate between them and the parameters (data
augmentation); after a burn-in, every so many rounds give one imputation.

Values missing before a person's last seen period are at random under the person's own arm. What comes after it has,
for the treatment side, the mean of the assumption::

    missing-at-random          own arm
    jump-to-reference          own arm up to the last seen period, control after it
    copy-reference             control from the beginning
    copy-increments            own arm up to the last seen period, then its level there plus the control's increments

and is drawn given all that was seen. A person without any value is drawn from that mean. Analyses of the completed
data are pooled by Rubin's rules with the degrees of freedom of Barnard and Rubin.

References
----------
carpenter2013, barnard1999, rubin1987
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cholesky, solve_triangular
from scipy.special import gammaincinv, ndtri, stdtr, stdtrit

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Estimate, Status, failed_estimate
from remission.analyses.means import analyze_difference
from remission.analyses.terms import is_too_small
from remission.streams import People, Stream, draw_normals, draw_uniforms

__all__ = ["Assumption", "analyze_imputed", "assumed_means", "impute_periods", "pool_estimates"]

Assumption = Literal["missing-at-random", "jump-to-reference", "copy-reference", "copy-increments"]

_Table = Float[np.ndarray, "subject period"]
_Flags = Bool[np.ndarray, " subject"]
_BURN_IN = 50
_BETWEEN = 10
_PARAMETERS = 2**32 - 1
"""The subject number whose draws are those of the parameters; no trial has so many people."""


def analyze_imputed(
    values: _Table,
    treated: _Flags,
    adjust: Float[np.ndarray, "subject term"],
    people: People,
    *,
    assumption: Assumption,
    n_imputations: int,
    weight: Float[np.ndarray, " period"],
) -> Estimate:
    """Adjusted difference of the weighted mean over periods, treated minus control, over imputations of what is
    missing.

    Parameters
    ----------
    values
        NaN where missing; people without any value are imputed as well.
    people
        Their addresses, all of one replicate.
    weight
        Of each period in the mean; their sum is 1.
    """
    if is_too_small(values[:, 0], treated):
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    if not is_estimable:
        return failed_estimate(Status.NOT_ESTIMABLE)
    completed = impute_periods(values, treated, terms, people, assumption=assumption, n_imputations=n_imputations)
    if isinstance(completed, Status):
        return failed_estimate(completed)
    singles = [analyze_difference(table @ weight, treated, terms) for table in completed]
    failed = next((one for one in singles if one.status is not Status.OK), None)
    if failed is not None:
        return failed
    freedom = treated.size - 2 - terms.shape[1]
    half = float(stdtrit(freedom, 0.975))
    errors = [(one.high - one.low) / (2.0 * half) for one in singles]
    return pool_estimates(np.array([one.estimate for one in singles]), np.array(errors), freedom=freedom)


def pool_estimates(
    estimates: Float[np.ndarray, " imputation"], errors: Float[np.ndarray, " imputation"], *, freedom: int
) -> Estimate:
    """One estimate from those of the imputations, by Rubin's rules.

    Parameters
    ----------
    estimates, errors
        Of each imputation, and its standard error.
    freedom
        Degrees of freedom of an analysis of complete data.
    """
    count = estimates.size
    within = float(np.mean(errors**2))
    between = float(estimates.var(ddof=1)) if count > 1 else 0.0
    total = within + (1.0 + 1.0 / count) * between
    if total <= 0.0:
        return failed_estimate(Status.NO_VARIATION)
    share = (1.0 + 1.0 / count) * between / total
    seen = (freedom + 1.0) / (freedom + 3.0) * freedom * (1.0 - share)
    df = seen if share == 0.0 else 1.0 / (share**2 / (count - 1) + 1.0 / seen)
    middle, error = float(estimates.mean()), float(np.sqrt(total))
    half = float(stdtrit(df, 0.975)) * error
    return Estimate(
        estimate=middle,
        low=middle - half,
        high=middle + half,
        p_value=2.0 * float(stdtr(df, -abs(middle / error))),
        status=Status.OK,
    )


def impute_periods(
    values: _Table,
    treated: _Flags,
    terms: Float[np.ndarray, "subject term"],
    people: People,
    *,
    assumption: Assumption,
    n_imputations: int,
) -> Float[np.ndarray, "imputation subject period"] | Status:
    """The table, completed so many times; or a status where the model cannot be fitted.

    Parameters
    ----------
    values
        NaN where missing.
    terms
        Further columns of the means; independent of each other and of an intercept.
    people
        Their addresses, all of one replicate.
    """
    n, n_periods = values.shape
    # Centered terms, so that an arm's intercept is its mean.
    design = np.column_stack([~treated, treated, terms - terms.mean(axis=0)]).astype(np.float64)
    known = np.isfinite(values)
    if n - design.shape[1] < n_periods + 2 or any(
        not known[side].any(axis=0).all() or known[side].sum() <= n_periods for side in (treated, ~treated)
    ):
        return Status.NOT_ESTIMABLE
    try:
        return _completed(values, treated, design, people, assumption=assumption, n_imputations=n_imputations)
    except np.linalg.LinAlgError:
        # One period is a function of others, exactly or to rounding.
        return Status.NO_VARIATION


def _completed(
    values: _Table,
    treated: _Flags,
    design: Float[np.ndarray, "subject column"],
    people: People,
    *,
    assumption: Assumption,
    n_imputations: int,
) -> Float[np.ndarray, "imputation subject period"]:
    known, n_periods = np.isfinite(values), values.shape[1]
    holes, chain = _Holes.of(known), _Chain(people, n_periods, design.shape[1])
    start = np.array([np.nanmean(values[treated == side], axis=0) for side in (False, True)])
    table = np.where(known, values, start[treated.astype(np.int64)])
    completed = []
    for round_ in range(_BURN_IN + _BETWEEN * (n_imputations - 1) + 1):
        means, covariance = chain.parameters(table, design)
        own = design @ means
        # Everything is at random while parameters are found: what is assumed of the unseen must not inform them.
        table = holes.fill(values, own, covariance, chain.normals(n_periods))
        if round_ >= _BURN_IN and (round_ - _BURN_IN) % _BETWEEN == 0:
            if assumption == "missing-at-random":
                completed.append(table)
                continue
            control = own + treated[:, None] * (means[0] - means[1])
            aim = assumed_means(own, control, treated, holes.last, assumption=assumption)
            seen = np.where(np.arange(n_periods) <= holes.last[:, None], table, np.nan)
            after = _Holes.of(np.isfinite(seen))
            completed.append(after.fill(seen, aim, covariance, chain.normals(n_periods)))
    return np.stack(completed)


def assumed_means(
    own: _Table, control: _Table, treated: _Flags, last: Int[np.ndarray, " subject"], *, assumption: Assumption
) -> _Table:
    """Means of each person under an assumption about what was not seen.

    Parameters
    ----------
    own, control
        Means under the person's own arm and under the control arm.
    last
        Last seen period, -1 where none was.
    """
    period = np.arange(own.shape[1])
    is_after = period > last[:, None]
    if assumption == "missing-at-random":
        aim = own
    elif assumption == "copy-reference":
        aim = control
    elif assumption == "jump-to-reference":
        aim = np.where(is_after, control, own)
    else:
        place = np.maximum(last, 0)[:, None]
        lift = np.take_along_axis(own - control, place, axis=1)
        # Without any period seen there is no level to start from, and the control's course is copied.
        aim = np.where(is_after, control + np.where(last[:, None] >= 0, lift, 0.0), own)
    return np.where(treated[:, None], aim, own)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holes:
    """People by what is missing of them."""

    patterns: tuple[tuple[Int[np.ndarray, " _"], Bool[np.ndarray, " period"]], ...]
    last: Int[np.ndarray, " subject"]

    @classmethod
    def of(cls, known: Bool[np.ndarray, "subject period"]) -> "_Holes":
        shapes, which = np.unique(known, axis=0, return_inverse=True)
        n_periods = known.shape[1]
        last = np.where(known.any(axis=1), n_periods - 1 - np.argmax(known[:, ::-1], axis=1), -1)
        found = tuple((np.flatnonzero(which == number), shape) for number, shape in enumerate(shapes))
        return cls(patterns=found, last=last)

    def fill(self, values: _Table, means: _Table, covariance: Float[np.ndarray, "p p"], normals: _Table) -> _Table:
        """What is missing, drawn given what is known."""
        table = values.copy()
        for who, known in self.patterns:
            if known.all():
                continue
            inner, cross = covariance[np.ix_(known, known)], covariance[np.ix_(~known, known)]
            slope = np.linalg.solve(inner, cross.T).T
            rest = covariance[np.ix_(~known, ~known)] - slope @ cross.T
            root = cholesky((rest + rest.T) / 2.0, lower=True)
            away = values[np.ix_(who, known)] - means[np.ix_(who, known)]
            table[np.ix_(who, ~known)] = (
                means[np.ix_(who, ~known)] + away @ slope.T + normals[np.ix_(who, ~known)] @ root.T
            )
        return table


class _Chain:
    """Draws of parameters and of people, each at an address of its own: the number of the draw is its index."""

    def __init__(self, people: People, n_periods: int, n_columns: int) -> None:
        self.people = people
        replicate = people.replicate[:1]
        self.parameter = People(seed=people.seed, replicate=replicate, subject=np.full(1, _PARAMETERS, dtype=np.uint64))
        self.n_periods, self.n_columns = n_periods, n_columns
        self.person_index = self.parameter_index = 0

    def normals(self, count: int) -> _Table:
        """So many standard normals of each person."""
        blocks: list[np.ndarray] = []
        for _ in range(-(-count // 4)):
            blocks += draw_normals(self.people, Stream.IMPUTATION, self.person_index)
            self.person_index += 1
        return np.stack(blocks[:count], axis=1)

    def _uniforms(self, count: int) -> Float[np.ndarray, " draw"]:
        blocks: list[np.ndarray] = []
        for _ in range(-(-count // 4)):
            blocks += draw_uniforms(self.parameter, Stream.IMPUTATION, self.parameter_index)
            self.parameter_index += 1
        return np.concatenate(blocks)[:count]

    def parameters(
        self, table: _Table, design: Float[np.ndarray, "subject column"]
    ) -> tuple[Float[np.ndarray, "column period"], Float[np.ndarray, "period period"]]:
        """Means and covariance from their posterior given complete data."""
        n, t, q = table.shape[0], self.n_periods, self.n_columns
        inner = np.linalg.inv(design.T @ design)
        fitted = inner @ design.T @ table
        rest = table - design @ fitted
        root = cholesky(rest.T @ rest, lower=True)
        # Bartlett: a Wishart draw is A A' with chi's on the diagonal of A and normals below it.
        draws = self._uniforms(t + t * (t - 1) // 2 + t * q)
        bartlett = np.diag(np.sqrt(2.0 * gammaincinv((n - q - np.arange(t)) / 2.0, draws[:t])))
        bartlett[np.tril_indices(t, -1)] = ndtri(draws[t : t + t * (t - 1) // 2])
        # Inverse Wishart: with the residual products L L', the covariance is (L A'^-1)(L A'^-1)'.
        factor = solve_triangular(bartlett, root.T, lower=True).T
        covariance = factor @ factor.T
        noise = ndtri(draws[-t * q :]).reshape(q, t)
        return fitted + cholesky(inner, lower=True) @ noise @ factor.T, covariance
