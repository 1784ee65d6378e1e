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

from remission.analyses.basis import Basis, independent_terms, orthonormal_basis
from remission.analyses.estimate import Estimate, Status, failed_estimate, interval_estimate, is_too_small
from remission.analyses.means import analyze_differences, project
from remission.numerics.addressed import addressed_draws
from remission.numerics.distributions import gamma_quantile, normal_quantile, t_quantile
from remission.numerics.loops import loop
from remission.numerics.small_systems import factor, inverse, solve, sum_of_products
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_series

__all__ = ["Assumption", "Chain", "analyze_imputed", "assumed_means", "impute_periods", "pool_estimates"]

Assumption = Literal["missing-at-random", "jump-to-reference", "copy-reference", "copy-increments"]

_Table = Float[np.ndarray, "subject period"]
_Flags = Bool[np.ndarray, " subject"]
_BURN_IN = 50
_BETWEEN = 10
_AHEAD = 16
"""Rounds whose parameters are drawn at once."""
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
    delta: float = 0.0,
    null: float = 0.0,
) -> Estimate:
    """Adjusted difference of the weighted mean over periods, treated minus control, over imputations of what is
    missing.

    ``values``: NaN where missing; people without any value are imputed as well. ``people``: their addresses, all of one
    replicate. ``weight``: of each period in the mean; their sum is 1. ``delta``: added to what is imputed of the
    treatment side after a person's last seen period. ``null``: the difference that the test is of; the estimate is what
    is beside it.
    """
    if is_too_small(values[:, 0], treated):
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    if not is_estimable:
        return failed_estimate(Status.NOT_ESTIMABLE)
    completed = impute_periods(values, treated, terms, people, assumption=assumption, n_imputations=n_imputations)
    if isinstance(completed, Status):
        return failed_estimate(completed)
    if delta:
        known = np.isfinite(values)
        last = np.where(known.any(axis=1), known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), -1)
        completed = completed + delta * (treated[:, None] & (np.arange(known.shape[1]) > last[:, None]))
    shape = (len(completed), treated.size)
    singles = analyze_differences(
        (completed * weight).sum(axis=2),
        np.ones(shape, dtype=np.bool_),
        np.broadcast_to(treated, shape),
        np.broadcast_to(np.ascontiguousarray(terms.T), (len(completed), *terms.T.shape)),
    )
    failed = next((status for status in singles.status if status is not Status.OK), None)
    if failed is not None:
        return failed_estimate(failed)
    freedom = treated.size - 2 - terms.shape[1]
    errors = (singles.high - singles.low) / (2.0 * t_quantile(freedom, 0.975))
    return pool_estimates(singles.estimate - null, errors, freedom=freedom)


def pool_estimates(
    estimates: Float[np.ndarray, " imputation"], errors: Float[np.ndarray, " imputation"], *, freedom: int | None
) -> Estimate:
    """One estimate from those of the imputations, by Rubin's rules.

    ``estimates``, ``errors``: of each imputation, and its standard error. ``freedom``: degrees of freedom of an
    analysis of complete data; ``None``: a normal distribution.
    """
    count = estimates.size
    within = float((errors * errors).mean())
    between = float(estimates.var(ddof=1)) if count > 1 else 0.0
    total = within + (1.0 + 1.0 / count) * between
    if total <= 0.0:
        return failed_estimate(Status.NO_VARIATION)
    share = (1.0 + 1.0 / count) * between / total
    if freedom is None:
        mean, error = float(estimates.mean()), float(np.sqrt(total))
        return interval_estimate(mean, error, (count - 1) / (share * share) if share > 0.0 else None)
    seen = (freedom + 1.0) / (freedom + 3.0) * freedom * (1.0 - share)
    df = seen if share == 0.0 else 1.0 / (share * share / (count - 1) + 1.0 / seen)
    return interval_estimate(float(estimates.mean()), float(np.sqrt(total)), df)


def impute_periods(
    values: _Table,
    treated: _Flags,
    terms: Float[np.ndarray, "subject term"],
    people: People,
    *,
    assumption: Assumption,
    n_imputations: int,
) -> Float[np.ndarray, "imputation subject period"] | Status:
    """The table, completed so many times; or a status where the data cannot carry the model.

    Each period and each two of them must have been seen in as many people as there are columns (one for each side, and
    the terms), periods, and two more; and each period on each side.

    ``values``: NaN where missing. ``terms``: further columns of the means; independent of each other and of an
    intercept. ``people``: their addresses, all of one replicate.
    """
    n_periods = values.shape[1]
    # Centered terms, so that an arm's intercept is its mean.
    design = np.column_stack([~treated, treated, terms - terms.mean(axis=0)]).astype(np.float64)
    known = np.isfinite(values)
    # With fewer the posterior of the covariance has no mean, or none at all: chains would end under some draws.
    together = known[:, :, None] & known[:, None, :]
    if together.sum(axis=0).min() < design.shape[1] + n_periods + 2 or any(
        not known[side].any(axis=0).all() for side in (treated, ~treated)
    ):
        return Status.NOT_ESTIMABLE
    if (fault := _rank_fault(values, treated, terms)) is not None:
        return fault
    try:
        return _completed(values, treated, design, people, assumption=assumption, n_imputations=n_imputations)
    except _NoRankError:
        return Status.NOT_ESTIMABLE


class _NoRankError(Exception):
    """A covariance without its full rank: a period is a function of others."""


_OWN_SHARE = 1e-10
"""Share of its variance that a period must keep beside others. A near copy keeps its rounding, or noise of that size,
and values imputed from the difference of the two would have no bound."""
_NO_SPREAD = 1e-20
"""Share of its sum of squares below which the residuals of a period are rounding."""


def _rank_fault(values: _Table, treated: _Flags, terms: Float[np.ndarray, "subject term"]) -> Status | None:
    """Whether a period does not vary within the arms, or is a function of another, where both were seen.

    What depends on more than one other period shows in the residual products of the chain, which are held to the same
    share.
    """
    known = np.isfinite(values)
    pairs = [(a, b) for a in range(values.shape[1]) for b in range(a, values.shape[1])]
    both = np.stack([known[:, a] & known[:, b] for a, b in pairs])
    columns = np.broadcast_to(np.ascontiguousarray(terms.T), (len(pairs), *terms.T.shape))
    basis = orthonormal_basis(both, np.broadcast_to(treated, both.shape), columns)
    one, other = (np.where(both, values.T[[pair[side] for pair in pairs]], 0.0) for side in (0, 1))
    squares, others = project(one, basis)[1], project(other, basis)[1]
    total, totals = (one * one).sum(axis=1), (other * other).sum(axis=1)
    fault = None
    for number, (a, b) in enumerate(pairs):
        if squares[number] <= _NO_SPREAD * total[number] or others[number] <= _NO_SPREAD * totals[number]:
            # Few may be seen in both; that one period alone does not vary is a fault of the table.
            if a == b:
                return Status.NO_VARIATION
            continue
        if a != b:
            # Brought to one length: what their sum or their difference lacks is what neither has of its own.
            scale = float(np.sqrt(squares[number] / others[number]))
            single = Basis(*(part[[number]] for part in (basis.columns, basis.is_kept, basis.left)))
            apart = min(
                float(project(one[[number]] + sign * scale * other[[number]], single)[1][0]) for sign in (-1.0, 1.0)
            )
            if apart <= 2.0 * _OWN_SHARE * squares[number]:
                fault = Status.NOT_ESTIMABLE
    return fault


def _completed(
    values: _Table,
    treated: _Flags,
    design: Float[np.ndarray, "subject column"],
    people: People,
    *,
    assumption: Assumption,
    n_imputations: int,
) -> Float[np.ndarray, "imputation subject period"]:
    """The completed tables."""
    known, n_periods = np.isfinite(values), values.shape[1]
    design = np.asfortranarray(design)
    holes, chain = _Holes.of(known), Chain(people, n_periods, design.shape[1])
    start = np.array([np.nanmean(values[treated == side], axis=0) for side in (False, True)])
    table = np.where(known, values, start[treated.astype(np.int64)])
    completed = []
    for round_ in range(_BURN_IN + _BETWEEN * (n_imputations - 1) + 1):
        means, covariance = chain.parameters(table, design)
        own = _products(design, means)
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

    ``own``, ``control``: means under the person's own arm and under the control arm. ``last``: last seen period, -1
    where none was.
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
    """People by what is missing of them; ``which`` is the number of each person's pattern."""

    patterns: Bool[np.ndarray, "pattern period"]
    which: Int[np.ndarray, " subject"]
    last: Int[np.ndarray, " subject"]

    @classmethod
    def of(cls, known: Bool[np.ndarray, "subject period"]) -> "_Holes":
        patterns, which = np.unique(known, axis=0, return_inverse=True)
        n_periods = known.shape[1]
        last = np.where(known.any(axis=1), n_periods - 1 - np.argmax(known[:, ::-1], axis=1), -1)
        return cls(patterns=patterns, which=which.reshape(-1), last=last)

    def fill(self, values: _Table, means: _Table, covariance: Float[np.ndarray, "p p"], normals: _Table) -> _Table:
        """What is missing, drawn given what is known. Raises _NoRankError: the covariance has not its full rank."""
        table = values.copy()
        if not _fill(table, means, covariance, normals, self.patterns, self.which):
            raise _NoRankError
        return table


@loop
def _fill(table, means, covariance, normals, patterns, which):
    for number in range(patterns.shape[0]):
        seen, gone = np.flatnonzero(patterns[number]), np.flatnonzero(~patterns[number])
        if gone.size == 0:
            continue
        # In the order seen, missing the lower factor holds both the slopes and the spread that is left.
        order = np.concatenate((seen, gone))
        lower = np.empty((order.size, order.size))
        for i in range(order.size):
            for j in range(order.size):
                lower[i, j] = covariance[order[i], order[j]]
        if not factor(lower, _OWN_SHARE):
            return False
        scaled = np.zeros(order.size)
        for who in range(which.size):
            if which[who] != number:
                continue
            for i in range(order.size):
                if i < seen.size:
                    total = table[who, order[i]] - means[who, order[i]]
                    for k in range(i):
                        total -= lower[i, k] * scaled[k]
                    scaled[i] = total / lower[i, i]
                else:
                    scaled[i] = normals[who, order[i]]
                    total = means[who, order[i]]
                    for k in range(i + 1):
                        total += lower[i, k] * scaled[k]
                    table[who, order[i]] = total
    return True


@loop
def _products(left, right):
    """Product of two tables, each sum in the order of the columns."""
    found = np.zeros((left.shape[0], right.shape[1]))
    for i in range(left.shape[0]):
        for k in range(left.shape[1]):
            for j in range(right.shape[1]):
                found[i, j] += left[i, k] * right[k, j]
    return found


@loop
def _posterior(table, design, bartlett, noise):
    """Means and covariance from their draws given complete data; whether the residuals have their full rank."""
    n, q = design.shape
    t = table.shape[1]
    inner, fitted, rest = np.zeros((q, q)), np.zeros((q, t)), table.copy()
    for a in range(q):
        for b in range(a + 1):
            inner[a, b] = sum_of_products(design[:, a], design[:, b])
    covariance, means = np.zeros((t, t)), np.zeros((q, t))
    if not factor(inner, 1e-12):
        return False, means, covariance
    column = np.empty(q)
    for j in range(t):
        for a in range(q):
            column[a] = sum_of_products(design[:, a], table[:, j])
        solve(inner, column)
        fitted[:, j] = column
        for i in range(n):
            for a in range(q):
                rest[i, j] -= design[i, a] * column[a]
    root = np.zeros((t, t))
    for a in range(t):
        for b in range(a + 1):
            root[a, b] = sum_of_products(rest[:, a], rest[:, b])
    if not factor(root, _OWN_SHARE):
        return False, means, covariance
    # Inverse Wishart: with the residual products L L', the covariance is (L A'^-1)(L A'^-1)'.
    spread = np.zeros((t, t))
    for row in range(t):
        for a in range(t):
            total = root[row, a]
            for k in range(a):
                total -= bartlett[a, k] * spread[row, k]
            spread[row, a] = total / bartlett[a, a]
    for a in range(t):
        for b in range(t):
            total = 0.0
            for k in range(t):
                total += spread[a, k] * spread[b, k]
            covariance[a, b] = total
    # The scatter of the means has the covariance's factor on one side and that of (Z'Z)^-1 on the other.
    side = inverse(inner)
    factor(side, 0.0)
    for a in range(q):
        for j in range(t):
            total = fitted[a, j]
            for b in range(a + 1):
                for k in range(t):
                    total += side[a, b] * noise[b, k] * spread[j, k]
            means[a, j] = total
    return True, means, covariance


class Chain:
    """Draws of parameters and of people, each at an address of its own: the number of the draw is its index."""

    def __init__(self, people: People, n_periods: int, n_columns: int) -> None:
        self.people = people
        self._ahead: list[tuple[np.ndarray, np.ndarray]] = []
        replicate = people.replicate[:1]
        self.parameter = People(seed=people.seed, replicate=replicate, subject=np.full(1, _PARAMETERS, dtype=np.uint64))
        self.n_periods, self.n_columns = n_periods, n_columns
        self.person_index = self.parameter_index = 0

    def normals(self, count: int) -> _Table:
        """So many standard normals of each person."""
        blocks = []
        for _ in range(-(-count // 4)):
            blocks.append(
                addressed_draws(
                    self.people.subject, self.people.replicate, index=self.person_index,
                    stream=int(Stream.IMPUTATION), seed=self.people.seed, normal=True,
                )
            )  # fmt: skip
            self.person_index += 1
        return np.ascontiguousarray(np.concatenate(blocks)[:count].T)

    def uniforms(self, count: int) -> Float[np.ndarray, " draw"]:
        """So many uniforms of the parameters."""
        n_blocks = -(-count // 4)
        found = draw_series(self.parameter, Stream.IMPUTATION, self.parameter_index, n_blocks)
        self.parameter_index += n_blocks
        return found[:count]

    def _draw_ahead(self) -> None:
        """Bartlett's triangles and the normals of the means of several rounds: at once, for the calls cost most."""
        t, q = self.n_periods, self.n_columns
        n = len(self.people)
        n_blocks = -(-(t + t * (t - 1) // 2 + t * q) // 4)
        draws = draw_series(self.parameter, Stream.IMPUTATION, self.parameter_index, _AHEAD * n_blocks)
        self.parameter_index += _AHEAD * n_blocks
        # A Wishart draw is A A' with chi's on the diagonal of A and normals below it.
        table = draws.reshape(_AHEAD, 4 * n_blocks)
        chis = np.sqrt(2.0 * gamma_quantile(np.tile((n - q - np.arange(t)) / 2.0, (_AHEAD, 1)), table[:, :t]))
        normals = normal_quantile(table[:, t : t + t * (t - 1) // 2 + t * q])
        below = np.tril_indices(t, -1)
        for chi, row in zip(chis, normals, strict=True):
            bartlett = np.diag(chi)
            bartlett[below] = row[: t * (t - 1) // 2]
            self._ahead.append((bartlett, row[t * (t - 1) // 2 :].reshape(q, t)))
        self._ahead.reverse()

    def parameters(
        self, table: _Table, design: Float[np.ndarray, "subject column"]
    ) -> tuple[Float[np.ndarray, "column period"], Float[np.ndarray, "period period"]]:
        """Means and covariance from their posterior given complete data.

        Raises _NoRankError: a period is a function of others.
        """
        if not self._ahead:
            self._draw_ahead()
        bartlett, normals = self._ahead.pop()
        is_full, means, covariance = _posterior(np.asfortranarray(table), np.asfortranarray(design), bartlett, normals)
        if not is_full:
            raise _NoRankError
        return means, covariance
