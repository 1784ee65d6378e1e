"""Mixed models for repeated measures: fits, contrasts with their degrees of freedom, and differences by visit.

A fit that is no fit has a status and a sentence with place and remedy, and no number. Parameters of covariances, and so
the Kenward-Roger correction of structures that are not linear in them, are those of SAS; of an unstructured covariance
the correction with second derivatives is the one without, for they are zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from remission.analyses.covariance import SPATIAL, STRUCTURES, parameter_names
from remission.analyses.estimate import Estimate, Estimates, Status, failed_estimate
from remission.analyses.mixed import Ending, MixedFit, Table, contrasts_of, fit_table, solve_system
from remission.errors import SpecError
from remission.numerics.distributions import f_tail, t_cdf, t_quantile
from remission.records.regression import Freedom, Structure
from remission.shapes import Bool, Float, Int

__all__ = [
    "FREEDOMS",
    "STRUCTURES",
    "Contrasts",
    "JointTest",
    "Mmrm",
    "VisitMmrm",
    "analyze_mmrms",
    "fit_mmrm",
    "fit_visits",
]

FREEDOMS: Final[tuple[Freedom, ...]] = get_args(Freedom)
_STATUS: Final = {
    Ending.FOUND: Status.OK, Ending.NO_SPREAD: Status.NO_VARIATION, Ending.UNKNOWN: Status.NOT_ESTIMABLE,
    Ending.SINGULAR: Status.SINGULAR, Ending.STOPPED: Status.NOT_CONVERGED, Ending.NO_REACH: Status.NOT_CONVERGED,
    Ending.SEVERAL: Status.NOT_CONVERGED,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasts:
    """Combinations of coefficients, one beside the other; NaN where the data do not tell one.

    ``status``: of the fit. ``low``, ``high``: 95% intervals by Student's t. ``p_value``: two-sided.
    """

    estimate: Float[np.ndarray, " contrast"]
    standard_error: Float[np.ndarray, " contrast"]
    degrees_of_freedom: Float[np.ndarray, " contrast"]
    low: Float[np.ndarray, " contrast"]
    high: Float[np.ndarray, " contrast"]
    p_value: Float[np.ndarray, " contrast"]
    status: Status = Status.OK

    def one(self, number: int) -> Estimate:
        """As the estimate of an analysis."""
        if not np.isfinite(self.p_value[number]):
            return failed_estimate(Status.NOT_ESTIMABLE if self.status is Status.OK else self.status)
        found = {name: float(getattr(self, name)[number]) for name in ("estimate", "low", "high", "p_value")}
        return Estimate(**found, status=Status.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """Whether several combinations are all nothing: F, its degrees of freedom and p value; NaN where it cannot tell."""

    f: float
    numerator: int
    denominator: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mmrm:
    """A mixed model for repeated measures, or why there is none.

    ``status``, ``message``: how it ended; where it failed and what to do, empty when ok. ``criterion``: -2 log
    (restricted) likelihood with its constants. ``parameters``, ``parameter_errors``: those of the covariance, by name.
    ``covariances``: over all visits, one for each group; of a spatial structure its variance alone. ``n_people``,
    ``n_rows``: that were analyzed. ``n_left_out``: rows without an outcome. ``n_steps``: of the search.
    """

    status: Status
    message: str
    criterion: float
    parameters: dict[str, float]
    parameter_errors: dict[str, float]
    covariances: Float[np.ndarray, "group visit visit"]
    n_people: int
    n_rows: int
    n_left_out: int
    n_steps: int
    mixed: MixedFit

    def contrasts(self, wanted: Float[np.ndarray, "contrast term"], *, freedom: Freedom = "kenward-roger") -> Contrasts:
        """Combinations of the coefficients. ``wanted``: their weights, a row a combination."""
        _known(freedom, FREEDOMS, "freedom")
        if self.status is not Status.OK:
            nothing = {name: np.full(len(wanted), np.nan) for name in Contrasts.__slots__ if name != "status"}
            return Contrasts(**nothing, status=self.status)
        estimates, _ = self._contrasts(wanted, freedom)
        with np.errstate(invalid="ignore"):
            error, degrees = np.sqrt(estimates[:, 1]), estimates[:, 2]
        usable = np.isfinite(estimates[:, 0]) & (error > 0.0) & (degrees > _FEWEST)
        estimate = np.where(usable, estimates[:, 0], np.nan)
        held, safe = np.where(usable, np.minimum(degrees, _MANY), 1.0), np.where(usable, error, 1.0)
        half = np.where(usable, t_quantile(held, 0.975) * safe, np.nan)
        p_value = 2.0 * t_cdf(held, -np.abs(np.where(usable, estimate, 0.0) / safe))
        return Contrasts(
            estimate=estimate,
            standard_error=np.where(usable, error, np.nan),
            degrees_of_freedom=np.where(usable, degrees, np.nan),
            low=estimate - half,
            high=estimate + half,
            p_value=np.where(usable, p_value, np.nan),
        )

    def _contrasts(self, wanted: np.ndarray, freedom: Freedom) -> tuple[np.ndarray, np.ndarray]:
        fit = self.mixed
        estimates: tuple[np.ndarray, np.ndarray] = contrasts_of(
            np.ascontiguousarray(wanted, dtype=np.float64), fit.turn, fit.kept, fit.weights, fit.phi,
            self._correction(freedom), fit.slopes, fit.theta_covariance,
        )  # fmt: skip
        return estimates

    def _correction(self, freedom: Freedom) -> np.ndarray:
        fit = self.mixed
        of = {"kenward-roger": fit.full, "kenward-roger-linear": fit.linear, "satterthwaite": np.zeros_like(fit.phi)}
        return of[freedom]

    def coefficients(self, *, freedom: Freedom = "kenward-roger") -> Contrasts:
        """Each coefficient; NaN for a column that depends on those before it, or on which others depend."""
        return self.contrasts(np.eye(self.mixed.kept.size), freedom=freedom)

    def test(self, wanted: Float[np.ndarray, "contrast term"], *, freedom: Freedom = "kenward-roger") -> JointTest:
        """F test that all combinations are nothing: of Kenward and Roger, or of Fai and Cornelius (Satterthwaite)."""
        _known(freedom, FREEDOMS, "freedom")
        size = len(wanted)
        nothing = JointTest(f=float("nan"), numerator=size, denominator=float("nan"), p_value=float("nan"))
        if self.status is not Status.OK:
            return nothing
        estimates, z = self._contrasts(wanted, freedom)
        fit, estimate = self.mixed, estimates[:, 0]
        plain = _around(z, fit.phi)
        whole = plain + _around(z, self._correction(freedom))
        back, of_estimate = np.eye(size), estimate.copy()
        if not np.isfinite(estimate).all() or not solve_system(whole, of_estimate):
            return nothing
        f = float((estimate * of_estimate).sum()) / size
        for row in back:
            if not solve_system(plain, row):
                return nothing
        sides = np.stack([_around(z, slope) for slope in fit.slopes])
        if freedom == "satterthwaite":
            denominator = _freedom_of_axes(plain, sides, fit.theta_covariance)
        else:
            shares = [_times(back, side) for side in sides]
            traces = np.array([share.trace() for share in shares])
            pairs = np.array([[(one * other.T).sum() for other in shares] for one in shares])
            first = float((fit.theta_covariance * traces[:, None] * traces).sum())
            second = float((fit.theta_covariance * pairs).sum())
            scale, denominator = _kenward_roger(size, first, second)
            f *= scale
        if not (f >= 0.0 and denominator > _FEWEST):
            return nothing
        p_value = float(f_tail(f, float(size), min(denominator, _MANY)))
        return JointTest(f=f, numerator=size, denominator=denominator, p_value=p_value)


_FEWEST = 0.5
"""With fewer degrees of freedom the variance behind a contrast is not known, and an interval has no end to speak of."""
_MANY = 1e10
"""More degrees of freedom are a normal distribution, to the last digit."""


def _kenward_roger(size: int, first: float, second: float) -> tuple[float, float]:
    """Scale of F and its denominator's degrees of freedom, from A1 and A2 of Kenward and Roger (1997)."""
    if second <= 0.0:
        return 1.0, np.inf
    b = (first + 6.0 * second) / (2.0 * size)
    g = ((size + 1.0) * first - (size + 4.0) * second) / ((size + 2.0) * second)
    under = 3.0 * size + 2.0 * (1.0 - g)
    c1, c2, c3 = g / under, (size - g) / under, (size + 2.0 - g) / under
    mean = 1.0 / (1.0 - second / size)
    inner = 1.0 - c2 * b
    variance = 2.0 / size * (1.0 + c1 * b) / (inner * inner * (1.0 - c3 * b))
    rho = variance / (2.0 * mean * mean)
    denominator = 4.0 + (size + 2.0) / (size * rho - 1.0)
    return denominator / (mean * (denominator - 2.0)), denominator


def _freedom_of_axes(plain: np.ndarray, sides: np.ndarray, spreads: np.ndarray) -> float:
    """Fai and Cornelius: degrees of freedom of each principal axis, and of the sum of their squares."""
    sizes, axes = _principal_axes(plain)
    total, own = 0.0, np.inf
    for size, axis in zip(sizes, axes.T, strict=True):
        slope = (sides * axis[:, None] * axis).sum(axis=(1, 2))
        lost = float((spreads * slope[:, None] * slope).sum())
        own = 2.0 * size * size / lost if lost > 0.0 else np.inf
        if own > 2.0:
            total += own / (own - 2.0) if np.isfinite(own) else 1.0
    if len(sizes) == 1:
        return float(own)
    return float(2.0 * total / (total - len(sizes))) if total > len(sizes) else float("nan")


def _principal_axes(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors (columns) of a small symmetric matrix by Jacobi's turns, in a fixed order."""
    a, axes, n = matrix.copy(), np.eye(len(matrix)), len(matrix)
    for _ in range(60):
        if (np.abs(a) - np.diag(np.abs(a.diagonal()))).max(initial=0.0) <= 1e-15 * np.abs(a).max():
            break
        for i in range(n - 1):
            for j in range(i + 1, n):
                if a[i, j] == 0.0:
                    continue
                tilt = (a[j, j] - a[i, i]) / (2.0 * a[i, j])
                tangent = (1.0 if tilt >= 0.0 else -1.0) / (abs(tilt) + np.sqrt(tilt * tilt + 1.0))
                cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
                sine = tangent * cosine
                for table in (a, a.T, axes):
                    one, other = table[:, i].copy(), table[:, j].copy()
                    table[:, i], table[:, j] = cosine * one - sine * other, sine * one + cosine * other
    return a.diagonal().copy(), axes


def _times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A product of small matrices, its sums in a fixed order."""
    return np.asarray((left[:, :, None] * right).sum(axis=1))


def _around(z: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return _times(_times(z, matrix), z.T)


def fit_mmrm(
    outcome: Float[np.ndarray, " row"],
    design: Float[np.ndarray, "row term"],
    person: Int[np.ndarray, " row"],
    visit: Int[np.ndarray, " row"],
    *,
    structure: Structure = "unstructured",
    group: Int[np.ndarray, " row"] | None = None,
    points: Float[np.ndarray, "row coordinate"] | None = None,
    likelihood: Literal["reml", "ml"] = "reml",
) -> Mmrm:
    """A linear model whose errors covary within a person, fitted to rows in any order.

    Parameters
    ----------
    outcome
        NaN where a visit was missed; such rows are left out and counted.
    design
        Columns of the mean, an intercept among them if wished; those that depend on earlier ones are left out.
    person, visit
        Whose row it is and at which visit, each at most once a person. A gap between visits is a longer lag.
    structure
        Of a person's covariance.
    group
        Each group has a covariance of its own; the same on all rows of a person.
    points
        Where rows lie, for spatial structures; the visits' numbers if left out.
    likelihood
        Restricted, or full.

    Raises
    ------
    SpecError
        Lengths differ, a person has a visit twice or two groups, a number is missing beside an outcome, or a word is
        not known.
    """
    _known(structure, STRUCTURES, "structure")
    _known(likelihood, ("reml", "ml"), "likelihood")
    table, n_left_out = _table(outcome, design, person, visit, group, points)
    mixed = fit_table(table, structure, is_restricted=likelihood == "reml")
    return _described(mixed, _names(table, structure), table, n_left_out)


def _names(table: Table, structure: Structure) -> list[str]:
    position = table.position if structure not in SPATIAL else np.arange(min(2, _longest(table)))
    own, n_groups = parameter_names(structure, position), int(table.group.max(initial=0)) + 1
    return [name if n_groups == 1 else f"group {g + 1}: {name}" for g in range(n_groups) for name in own]


def _longest(table: Table) -> int:
    return int(np.diff(table.starts).max(initial=1))


def _described(mixed: MixedFit, names: Sequence[str], table: Table, n_left_out: int) -> Mmrm:
    status = _STATUS[mixed.ending]
    is_ok = status is Status.OK
    errors = np.sqrt(mixed.theta_covariance.diagonal())
    return Mmrm(
        status=status,
        message=_message(mixed, names, table),
        criterion=mixed.criterion,
        parameters=dict(zip(names, mixed.theta.tolist(), strict=True)) if is_ok else {},
        parameter_errors=dict(zip(names, errors.tolist(), strict=True)) if is_ok else {},
        covariances=mixed.matrices,
        n_people=table.starts.size - 1,
        n_rows=table.outcome.size,
        n_left_out=n_left_out,
        n_steps=mixed.n_steps,
        mixed=mixed,
    )


def _message(mixed: MixedFit, names: Sequence[str], table: Table) -> str:
    fewer = "Take a structure with fewer parameters, or leave a visit out."
    match mixed.ending:
        case Ending.FOUND:
            return ""
        case Ending.NO_SPREAD:
            lost = "nothing of it is left beside the terms, so there is no error to judge by"
            return f"Outcome: {lost}. Look whether it is constant."
        case Ending.UNKNOWN if mixed.place < 0:
            n_terms, n_rows = int(mixed.kept.sum()), table.outcome.size
            return f"Design: {n_terms} terms on {n_rows} rows leave nothing for an error. Take fewer terms."
        case Ending.UNKNOWN:
            name = names[mixed.place]
            return f"Covariance: the data say nothing of {name}, as where nobody was seen at both visits. {fewer}"
        case Ending.SINGULAR:
            place = int(table.position[mixed.place]) if mixed.place < table.position.size else mixed.place
            return f"Covariance: visit {place} is foretold by others or does not vary, so it has no inverse. {fewer}"
        case Ending.NO_REACH:
            return "Covariance: its range went to nothing, for near visits do not covary more. Take another structure."
        case Ending.SEVERAL:
            peaks = "two covariances that differ fit about equally well, and the errors would be those of one of them"
            return f"Covariance: {peaks}. {fewer}"
        case Ending.STOPPED:
            return f"Covariance: after {mixed.n_steps} steps there was no maximum of the likelihood. {fewer}"


def _known(word: str, words: Sequence[str], where: str) -> None:
    if word not in words:
        raise SpecError(where=where, got=word, allowed=f"one of {', '.join(words)}")


def _table(
    outcome: np.ndarray,
    design: np.ndarray,
    person: np.ndarray,
    visit: np.ndarray,
    group: np.ndarray | None,
    points: np.ndarray | None,
) -> tuple[Table, int]:
    """Rows with an outcome in the order of people and visits, and how many have none."""
    n = len(outcome)
    group = np.zeros(n, dtype=np.int64) if group is None else np.asarray(group)
    points = np.asarray(visit, dtype=np.float64)[:, None] if points is None else np.asarray(points, dtype=np.float64)
    given = {"design": design, "person": person, "visit": visit, "group": group, "points": points}
    SpecError.check(
        SpecError(where=name, got=f"{len(column)} rows", allowed=f"{n} rows, one for each outcome")
        for name, column in given.items()
        if len(column) != n
    )
    outcome, design = np.asarray(outcome, dtype=np.float64), np.asarray(design, dtype=np.float64)
    if np.isinf(outcome).any():
        raise SpecError(where="outcome", got="an infinite number", allowed="numbers, or NaN where a visit was missed")
    known = np.isfinite(outcome)
    for name, column in (("design", design), ("points", points)):
        gaps = np.nonzero(known & ~np.isfinite(column).all(axis=1))[0]
        if gaps.size:
            raise SpecError(
                where=f"{name}, row {int(gaps[0])}",
                got="no number",
                allowed="a number on every row that has an outcome",
                remedy="Leave the row out, or give its outcome as missing.",
            )
    people, who = np.unique(np.asarray(person)[known], return_inverse=True)
    position, at = np.unique(np.asarray(visit)[known], return_inverse=True)
    _, of_group = np.unique(group[known], return_inverse=True)
    order = np.lexsort((at, who))
    who, at, of_group = who[order], at[order], of_group[order]
    same = (who[1:] == who[:-1]) & (at[1:] == at[:-1])
    if same.any():
        place = int(np.nonzero(same)[0][0])
        raise SpecError(
            where="visit",
            got=f"visit {position[at[place]]} twice for person {people[who[place]]}",
            allowed="each visit at most once a person",
        )
    starts = np.searchsorted(who, np.arange(people.size + 1)).astype(np.int64)
    own = of_group[starts[:-1]]
    if (own[who] != of_group).any():
        place = int(np.nonzero(own[who] != of_group)[0][0])
        raise SpecError(
            where="group", got=f"two groups of person {people[who[place]]}", allowed="one group for each person"
        )
    table = Table(
        outcome=outcome[known][order],
        design=design[known][order],
        starts=starts,
        visit=at.astype(np.int64),
        position=position.astype(np.int64),
        group=own.astype(np.int64),
        points=points[known][order],
    )
    return table, int(n - known.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitMmrm:
    """A trial of two sides over visits: its fit, and what it says of each visit.

    ``adjust_means``: of the adjustment's columns over the people analyzed, at which adjusted means stand.
    """

    fit: Mmrm
    n_visits: int
    adjust_means: Float[np.ndarray, " term"]
    by_visit_means: Float[np.ndarray, " term"]

    def differences(
        self, weights: Float[np.ndarray, "contrast visit"] | None = None, *, freedom: Freedom = "kenward-roger"
    ) -> Contrasts:
        """Treated minus control at each visit, or of means over visits with these weights."""
        weights = np.eye(self.n_visits) if weights is None else weights
        return self.fit.contrasts(_side_by_side(self._n_terms, weights), freedom=freedom)

    def means(self, *, is_treated: bool, freedom: Freedom = "kenward-roger") -> Contrasts:
        """Adjusted (least-squares) means of one side at each visit."""
        m = self.n_visits
        wanted = np.zeros((m, self._n_terms))
        wanted[:, :m] = np.eye(m)
        wanted[:, m : m + self.adjust_means.size] = self.adjust_means
        for number, mean in enumerate(self.by_visit_means.tolist()):
            first = m + self.adjust_means.size + number * m
            wanted[:, first : first + m] = np.eye(m) * mean
        if is_treated:
            wanted[:, -m:] = np.eye(m)
        return self.fit.contrasts(wanted, freedom=freedom)

    @property
    def _n_terms(self) -> int:
        return self.n_visits * (2 + self.by_visit_means.size) + self.adjust_means.size


def _side_by_side(n_terms: int, weights: Float[np.ndarray, "contrast visit"]) -> Float[np.ndarray, "contrast term"]:
    """Weights on the columns of the treated side, which are the last."""
    return np.concatenate([np.zeros((len(weights), n_terms - weights.shape[1])), weights], axis=1)


def fit_visits(
    values: Float[np.ndarray, "subject visit"],
    treated: Bool[np.ndarray, " subject"],
    adjust: Float[np.ndarray, "subject term"],
    by_visit: Float[np.ndarray, "subject term"],
    *,
    position: Int[np.ndarray, " visit"] | None = None,
    structure: Structure = "unstructured",
    by_side: bool = False,
    likelihood: Literal["reml", "ml"] = "reml",
) -> VisitMmrm:
    """A level and a difference for each visit, the adjustment, and terms with a slope for each visit.

    ``values``: NaN where a visit was missed; people without any are left out. ``by_visit``: as a rule the measure
    before treatment. ``position``: places of the visits, for structures with lags or distances; 0, 1, 2 if left out.
    ``by_side``: whether each side has a covariance of its own. Raises ``SpecError`` as :func:`fit_mmrm`.
    """
    m = values.shape[1]
    position = np.arange(m) if position is None else position
    subject, visit = np.nonzero(np.isfinite(values))
    used = np.unique(subject)
    fit = fit_mmrm(
        values[subject, visit],
        _visit_design(subject, visit, m, treated, adjust, by_visit),
        subject,
        position[visit],
        structure=structure,
        group=treated[subject].astype(np.int64) if by_side else None,
        likelihood=likelihood,
    )
    means = [np.asarray(one[used].sum(axis=0) / max(used.size, 1)) for one in (adjust, by_visit)]
    return VisitMmrm(fit=fit, n_visits=m, adjust_means=means[0], by_visit_means=means[1])


def _visit_design(
    subject: np.ndarray, visit: np.ndarray, m: int, treated: np.ndarray, adjust: np.ndarray, by_visit: np.ndarray
) -> Float[np.ndarray, "row term"]:
    at = (visit[:, None] == np.arange(m)).astype(np.float64)
    slopes = [at * column[subject][:, None] for column in by_visit.T]
    return np.concatenate([at, adjust[subject], *slopes, at * treated[subject][:, None]], axis=1)


def analyze_mmrms(
    values: Float[np.ndarray, "replicate subject visit"],
    inside: Bool[np.ndarray, "replicate subject"],
    treated: Bool[np.ndarray, "replicate subject"],
    adjust: Float[np.ndarray, "replicate term subject"],
    *,
    n_by_visit: int = 0,
    weights: Float[np.ndarray, " visit"],
    position: Int[np.ndarray, " visit"],
    structure: Structure = "unstructured",
    by_side: bool = False,
    freedom: Freedom = "kenward-roger",
) -> Estimates:
    """Differences of means at a visit, or over visits with weights that add up to one, treated minus control.

    ``values``: NaN where a visit was missed; any number where not ``inside``; people without one of the terms are left
    out. ``n_by_visit``: so many of the last terms
    of ``adjust`` have a slope for each visit. ``weights``, ``position``: of the visits.
    """
    m, n_common = values.shape[2], adjust.shape[1] - n_by_visit
    found = []
    for number, who in enumerate(inside):
        seen = np.isfinite(values[number]) & (who & np.isfinite(adjust[number]).all(axis=0))[:, None]
        subject, visit = np.nonzero(seen)
        used = seen.any(axis=1)
        if used.sum() < 4 or not (used & treated[number]).any() or not (used & ~treated[number]).any():
            found.append(failed_estimate(Status.NO_VARIATION))
            continue
        terms = adjust[number].T
        at, places = np.unique(visit, return_inverse=True)
        people = np.nonzero(used)[0]
        table = Table(
            outcome=values[number][subject, visit],
            design=_visit_design(subject, visit, m, treated[number], terms[:, :n_common], terms[:, n_common:]),
            starts=np.searchsorted(subject, np.append(people, values.shape[1])).astype(np.int64),
            visit=places.astype(np.int64),
            position=position[at].astype(np.int64),
            group=treated[number][people].astype(np.int64) if by_side else np.zeros(people.size, dtype=np.int64),
            points=position[visit].astype(np.float64)[:, None],
        )
        fit = _described(fit_table(table, structure), _names(table, structure), table, 0)
        wanted = _side_by_side(table.design.shape[1], weights[None])
        found.append(fit.contrasts(wanted, freedom=freedom).one(0))
    return Estimates.of(found)
