"""Mixed models for repeated measures: exact limits, a dense second computation, what cannot be told."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats

from remission.analyses.covariance import STRUCTURES
from remission.analyses.estimate import Status
from remission.analyses.means import analyze_difference
from remission.analyses.mixed import Table, _Search
from remission.analyses.mmrm import FREEDOMS, Mmrm, analyze_mmrms, fit_mmrm, fit_visits
from remission.errors import SpecError
from remission.records.regression import Structure


def panel(
    seed: int, n: int = 40, m: int = 4, missing: float = 0.2, correlation: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Values of people at visits, some missed, and who is treated."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, m)) * np.linspace(1.0, 2.0, m) * np.sqrt(1.0 - correlation)
    values += rng.normal(size=(n, 1)) * np.sqrt(correlation)
    values[rng.random((n, m)) < missing] = np.nan
    return values, np.arange(n) % 2 == 1


def long_rows(values: np.ndarray, treated: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, design (visit and visit by side), person and visit of the rows that were seen."""
    person, visit = np.nonzero(np.isfinite(values))
    at = (visit[:, None] == np.arange(values.shape[1])) * 1.0
    return values[person, visit], np.concatenate([at, at * treated[person][:, None]], axis=1), person, visit


def search_of(structure: Structure, *, is_restricted: bool = True, by_side: bool = False, seed: int = 5) -> _Search:
    values, treated = panel(seed)
    outcome, design, person, visit = long_rows(values, treated)
    people, who = np.unique(person, return_inverse=True)
    basis = np.linalg.qr(design)[0]
    rows = np.column_stack([basis, outcome - basis @ (basis.T @ outcome)])
    table = Table(
        outcome=outcome,
        design=design,
        starts=np.searchsorted(who, np.arange(people.size + 1)),
        visit=visit,
        position=np.arange(4),
        group=treated[people].astype(np.int64) if by_side else np.zeros(people.size, dtype=np.int64),
        points=visit[:, None] * 1.0,
    )
    return _Search(table, structure, np.ascontiguousarray(rows), is_restricted)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize(("is_restricted", "by_side"), [(True, False), (False, False), (True, True)])
def test_slopes_and_second_derivatives_are_those_of_the_criterion(
    structure: Structure, is_restricted: bool, by_side: bool
) -> None:
    """Degrees of freedom and corrections are made of them; a wrong one would only bend the numbers a little."""
    search = search_of(structure, is_restricted=is_restricted, by_side=by_side)
    rng = np.random.default_rng(1)
    theta = search.theta * (1.0 + 0.05 * rng.random(search.theta.size))
    assert search.at(theta)
    search.find_slopes()
    slope, exact = search.slope.copy(), search.exact.copy()
    step = 1e-5 * np.maximum(np.abs(theta), 0.1)
    for p in range(theta.size):
        ends = []
        for sign in (1.0, -1.0):
            moved = theta.copy()
            moved[p] += sign * step[p]
            assert search.at(moved)
            search.find_slopes()
            ends.append((search.level, search.slope.copy()))
        np.testing.assert_allclose((ends[0][0] - ends[1][0]) / (2.0 * step[p]), slope[p], rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose((ends[0][1] - ends[1][1]) / (2.0 * step[p]), exact[p], rtol=1e-4, atol=1e-2)


def dense(fit: Mmrm, structure: Structure, values: np.ndarray, treated: np.ndarray, **given: Any) -> dict[str, Any]:
    """The same model with one matrix over all rows: criterion, coefficients, covariances, degrees of freedom.

    Derivatives of V are central differences of a covariance written out here, so that nothing is shared.
    """
    outcome, design, person, visit = long_rows(values, treated)
    m, theta = values.shape[1], np.array(list(fit.parameters.values()))

    def v_of(theta: np.ndarray) -> np.ndarray:
        return written_out(structure, theta, m)[np.ix_(visit, visit)] * (person[:, None] == person)

    k, size = theta.size, 1e-4 * np.maximum(np.abs(theta), 0.1)

    def moved(*places: tuple[int, float]) -> np.ndarray:
        there = theta.copy()
        for place, sign in places:
            there[place] += sign * size[place]
        return v_of(there)

    v = v_of(theta)
    w = np.linalg.inv(v)
    phi = np.linalg.inv(design.T @ w @ design)
    weights = phi @ design.T @ w @ outcome
    rest = outcome - design @ weights
    n, q = design.shape
    level = np.linalg.slogdet(v)[1] + rest @ w @ rest + (n - q) * np.log(2.0 * np.pi) - np.linalg.slogdet(phi)[1]
    first = [(moved((p, 1.0)) - moved((p, -1.0))) / (2.0 * size[p]) for p in range(k)]
    second = [
        [
            (moved((p, 1), (r, 1)) - moved((p, 1), (r, -1)) - moved((p, -1), (r, 1)) + moved((p, -1), (r, -1)))
            / (4.0 * size[p] * size[r])
            for r in range(k)
        ]
        for p in range(k)
    ]
    projection = w - w @ design @ phi @ design.T @ w
    lean = projection @ outcome
    hessian = np.array(
        [
            [
                -np.trace(projection @ one @ projection @ other)
                + 2.0 * lean @ one @ projection @ other @ lean
                + np.trace(projection @ second[p][r])
                - lean @ second[p][r] @ lean
                for r, other in enumerate(first)
            ]
            for p, one in enumerate(first)
        ]
    )
    spreads = 2.0 * np.linalg.inv(hessian)
    x = w @ design
    p_of = [-x.T @ one @ x for one in first]
    middle, bent = np.zeros((q, q)), np.zeros((q, q))
    for p in range(k):
        for r in range(k):
            q_of = x.T @ first[p] @ w @ first[r] @ x
            middle += spreads[p, r] * (q_of - p_of[p] @ phi @ p_of[r])
            bent += spreads[p, r] * (x.T @ second[p][r] @ x)
    slopes = np.array([phi @ one @ phi for one in p_of])
    lost = np.einsum("pii,pr,rii->i", slopes, spreads, slopes)
    return {
        "criterion": level,
        "weights": weights,
        "satterthwaite": phi,
        "kenward-roger-linear": phi + 2.0 * phi @ middle @ phi,
        "kenward-roger": phi + 2.0 * phi @ (middle - 0.25 * bent) @ phi,
        "freedom": 2.0 * phi.diagonal() ** 2 / lost,
    }


def written_out(structure: Structure, theta: np.ndarray, m: int) -> np.ndarray:
    """The covariance of all visits, from the definitions."""
    found = np.zeros((m, m))
    lag = np.abs(np.subtract.outer(np.arange(m), np.arange(m)))
    if structure == "unstructured":
        found[np.tril_indices(m)] = theta
        return found + found.T - np.diag(found.diagonal())
    if structure == "compound-symmetry":
        return np.where(lag == 0, theta[0], theta[1])
    if structure == "toeplitz":
        return theta[lag]
    n_variances = m if structure.startswith("heterogeneous") else 1
    variances, rho = theta[:n_variances] * np.ones(m), theta[n_variances:]
    name = structure.removeprefix("heterogeneous-")
    correlation: dict[str, Callable[[], np.ndarray]] = {
        "compound-symmetry": lambda: np.where(lag == 0, 1.0, rho[0]),
        "autoregressive": lambda: rho[0] ** lag,
        "toeplitz": lambda: np.append(1.0, rho)[lag],
        "ante-dependence": lambda: np.array(
            [[np.prod(rho[min(i, j) : max(i, j)]) for j in range(m)] for i in range(m)]
        ),
        "spatial-exponential": lambda: np.exp(-lag / rho[0]),
        "spatial-gaussian": lambda: np.exp(-((lag / rho[0]) ** 2)),
    }
    return np.sqrt(np.outer(variances, variances)) * correlation[name]()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_dense_second_computation_finds_the_same(structure: Structure) -> None:
    """Every number of a fit, from one matrix over all rows and the formulas of the paper."""
    values, treated = panel(7, n=24, m=3)
    none = np.zeros((24, 0))
    fit = fit_visits(values, treated, none, none, structure=structure).fit
    assert fit.status is Status.OK
    second = dense(fit, structure, values, treated)
    assert fit.criterion == pytest.approx(second["criterion"], rel=1e-10)
    for freedom in FREEDOMS:
        found = fit.coefficients(freedom=freedom)
        np.testing.assert_allclose(found.estimate, second["weights"], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.standard_error, np.sqrt(second[freedom].diagonal()), rtol=1e-5)
        np.testing.assert_allclose(found.degrees_of_freedom, second["freedom"], rtol=1e-4)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_with_all_visits_a_difference_is_the_t_test_of_its_visit(freedom: Any) -> None:
    """The exact limit: without missing values the other visits say nothing of this one, and the test is Student's."""
    values, treated = panel(2, n=20, missing=0.0)
    found = fit_visits(values, treated, np.zeros((20, 0)), np.zeros((20, 0))).differences(freedom=freedom)
    for visit in range(4):
        exact = scipy.stats.ttest_ind(values[treated, visit], values[~treated, visit])
        assert found.p_value[visit] == pytest.approx(exact.pvalue, rel=1e-9)
        assert found.degrees_of_freedom[visit] == pytest.approx(18.0, rel=1e-9)


def test_one_visit_with_a_baseline_is_the_analysis_of_covariance() -> None:
    """The other exact limit; its degrees of freedom are those of least squares."""
    values, treated = panel(3, n=30, m=1, missing=0.1)
    before = np.random.default_rng(4).normal(size=(30, 1))
    seen = np.isfinite(values[:, 0])
    exact = analyze_difference(values[seen, 0], treated[seen], before[seen])
    for structure in STRUCTURES:
        found = fit_visits(values, treated, np.zeros((30, 0)), before, structure=structure).differences().one(0)
        assert (found.estimate, found.p_value) == pytest.approx((exact.estimate, exact.p_value), rel=1e-8)


def test_kenward_roger_and_satterthwaite_differ_among_few_people_and_agree_among_many() -> None:
    """At 20 people with missed visits the plain error is too small; the correction must be there, and fade."""
    widths = {}
    for n in (20, 2000):
        values, treated = panel(11, n=n)
        fit = fit_visits(values, treated, np.zeros((n, 0)), np.zeros((n, 0)))
        widths[n] = [fit.differences(freedom=freedom).standard_error for freedom in ("kenward-roger", "satterthwaite")]
    assert (widths[20][0] > 1.005 * widths[20][1]).all()
    np.testing.assert_allclose(widths[2000][0], widths[2000][1], rtol=1e-3)


def test_a_compound_symmetric_test_of_the_course_is_that_of_the_analysis_of_variance() -> None:
    """F tests of several contrasts: with all visits both kinds of degrees of freedom are the exact ones."""
    values, treated = panel(6, n=16, m=3, missing=0.0)
    none = np.zeros((16, 0))
    fit = fit_visits(values, treated, none, none, structure="compound-symmetry").fit
    wanted = np.array([[0, 0, 0, -1.0, 1.0, 0], [0, 0, 0, -1.0, 0, 1.0]])
    centered = values - values.mean(axis=1, keepdims=True)
    sides = [centered[treated], centered[~treated]]
    rest = sum(((side - side.mean(axis=0)) ** 2).sum() for side in sides) / 28.0
    gap = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    exact = (gap @ gap) * 4.0 / 2.0 / rest
    for freedom in FREEDOMS:
        found = fit.test(wanted, freedom=freedom)
        assert (found.f, found.numerator) == pytest.approx((exact, 2), rel=1e-8)
        assert found.denominator == pytest.approx(28.0, rel=1e-6)
        assert found.p_value == pytest.approx(scipy.stats.f.sf(exact, 2, 28), rel=1e-7)


def test_an_f_test_of_one_contrast_is_its_t_test() -> None:
    """Two roads to one number."""
    values, treated = panel(8)
    fit = fit_visits(values, treated, np.zeros((40, 0)), np.zeros((40, 0)))
    wanted = np.zeros((1, 8))
    wanted[0, -1] = 1.0
    for freedom in FREEDOMS:
        one, joint = fit.fit.contrasts(wanted, freedom=freedom), fit.fit.test(wanted, freedom=freedom)
        assert joint.denominator == pytest.approx(one.degrees_of_freedom[0], rel=1e-9)
        assert joint.p_value == pytest.approx(one.p_value[0], rel=1e-8)


def test_an_f_test_of_all_visits_without_missing_values_is_hotellings() -> None:
    """The exact law that Kenward and Roger's scale and degrees of freedom were made to reach."""
    values, treated = panel(9, n=18, m=3, missing=0.0)
    fit = fit_visits(values, treated, np.zeros((18, 0)), np.zeros((18, 0))).fit
    wanted = np.concatenate([np.zeros((3, 3)), np.eye(3)], axis=1)
    sides = [values[treated], values[~treated]]
    gap = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    pooled = sum((side - side.mean(axis=0)).T @ (side - side.mean(axis=0)) for side in sides) / 16.0
    t2 = 4.5 * gap @ np.linalg.solve(pooled, gap)
    found = fit.test(wanted)
    assert found.denominator == pytest.approx(14.0, rel=1e-6)
    assert found.f == pytest.approx(t2 * 14.0 / (16.0 * 3.0), rel=1e-6)


def test_each_side_with_its_own_covariance_is_two_fits() -> None:
    """Without terms that they share, sides do not see each other: likelihoods add up."""
    values, treated = panel(10)
    none = np.zeros((40, 0))
    both = fit_visits(values, treated, none, none, by_side=True).fit
    apart = []
    for side in (treated, ~treated):
        outcome, design, person, visit = long_rows(values[side], np.zeros(20, dtype=np.bool_))
        apart.append(fit_mmrm(outcome, design[:, :4], person, visit))
    assert both.criterion == pytest.approx(sum(one.criterion for one in apart), rel=1e-10)
    for group, one in enumerate(reversed(apart)):
        np.testing.assert_allclose(both.covariances[group], one.covariances[0], rtol=1e-6)


@pytest.mark.parametrize("structure", ["autoregressive", "heterogeneous-autoregressive", "toeplitz"])
def test_a_gap_between_visits_is_a_longer_lag(structure: Structure) -> None:
    """A visit that nobody attended still lies between its neighbors."""
    values, treated = panel(12, m=3, missing=0.1)
    none = np.zeros((40, 0))
    wide = np.stack([values[:, 0], np.full(40, np.nan), values[:, 1], values[:, 2]], axis=1)
    fit = fit_visits(wide, treated, none, none, structure=structure)
    same = fit_visits(values, treated, none, none, structure=structure, position=np.array([0, 2, 3]))
    assert fit.fit.criterion == pytest.approx(same.fit.criterion, rel=1e-12)
    closed = fit_visits(values, treated, none, none, structure=structure)
    assert abs(fit.fit.criterion - closed.fit.criterion) > 1e-3
    assert np.isnan(fit.differences().estimate[1])
    np.testing.assert_allclose(fit.differences().estimate[[0, 2, 3]], same.differences().estimate)


def cases_without_a_fit() -> dict[str, tuple[dict[str, Any], Status, str]]:
    values, treated = panel(13, n=20, missing=0.0)
    twin, flat, apart = values.copy(), values.copy(), values.copy()
    twin[:, 2] = 2.0 * twin[:, 1] + 3.0
    flat[:, 2] = 5.0
    apart[:10, 3], apart[10:, 0] = np.nan, np.nan
    reversed_pairs = np.random.default_rng(1).normal(size=(20, 4))
    reversed_pairs -= 0.99 * reversed_pairs.mean(axis=1, keepdims=True)
    given = {"treated": treated}
    return {
        "constant": ({**given, "values": np.full((20, 4), 5.0)}, Status.NO_VARIATION, "constant"),
        "one visit is a line of another": ({**given, "values": twin}, Status.SINGULAR, "visit"),
        "a visit without spread": ({**given, "values": flat}, Status.SINGULAR, "visit 2"),
        "never together": ({**given, "values": apart}, Status.NOT_ESTIMABLE, "covariance(4,1)"),
        "lag never seen": ({**given, "values": apart, "structure": "toeplitz"}, Status.NOT_ESTIMABLE, "lag 3"),
        "too few people": ({"values": values[:5], "treated": treated[:5]}, Status.SINGULAR, "visit"),
        "fewer rows than terms": ({"values": values[:2], "treated": treated[:2]}, Status.NOT_ESTIMABLE, "terms"),
        "near visits are no nearer": (
            {**given, "values": reversed_pairs, "structure": "spatial-exponential"}, Status.NOT_CONVERGED, "range"
        ),
        "nobody": ({**given, "values": np.full((20, 4), np.nan)}, Status.NOT_ESTIMABLE, "rows"),
    }  # fmt: skip


@pytest.mark.parametrize("name", cases_without_a_fit())
def test_what_cannot_be_told_has_a_status_a_place_and_no_number(name: str) -> None:
    """Never a number without its warning."""
    given, status, place = cases_without_a_fit()[name]
    values, treated = given.pop("values"), given.pop("treated")
    none = np.zeros((len(values), 0))
    found = fit_visits(values, treated, none, none, **given)
    assert found.fit.status is status
    assert place in found.fit.message
    assert np.isnan(found.differences().p_value).all()
    assert not found.fit.parameters
    assert np.isnan(found.fit.test(np.eye(8)[-2:]).p_value)


def test_a_visit_that_one_side_missed_has_no_difference_and_the_others_have() -> None:
    """One empty cell must not cost the whole analysis, nor be filled by the other arm."""
    values, treated = panel(14)
    values[treated, 3] = np.nan
    found = fit_visits(values, treated, np.zeros((40, 0)), np.zeros((40, 0))).differences()
    assert np.isnan(found.estimate[3])
    assert np.isfinite(found.estimate[:3]).all()


def test_a_variance_that_is_not_known_gives_no_number() -> None:
    """Two people of one side agree by chance: its variance is nearly nothing, and so are the degrees of freedom."""
    rng = np.random.default_rng((2006, 490))
    values = np.round(rng.normal(size=(6, 3)), 1)
    values[1] = values[0] + np.array([1e-4, -1e-4, 1e-4])
    treated = np.array([True, True, False, False, False, False])
    none = np.zeros((6, 0))
    found = fit_visits(values, treated, none, none, structure="autoregressive", by_side=True).differences()
    told = np.isfinite(found.estimate)
    assert np.isfinite(found.low[told]).all()
    assert (found.degrees_of_freedom[told] > 0.5).all()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"structure": "diagonal"}, "structure"),
        ({"likelihood": "pql"}, "likelihood"),
        ({"visit": np.array([0, 0, 1, 0, 1, 0])}, "visit"),
        ({"group": np.array([0, 1, 0, 0, 0, 0])}, "group"),
        ({"design": np.ones((5, 1))}, "design"),
        ({"design": np.array([[1.0], [np.nan], [1.0], [1.0], [1.0], [1.0]])}, "design, row 1"),
        ({"outcome": np.array([1.0, np.inf, 2.0, 3.0, 1.0, 2.0])}, "outcome"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(change: dict[str, Any], where: str) -> None:
    """A person twice at a visit or in two groups is an error of the file, which a model would hide."""
    given: dict[str, Any] = {
        "outcome": np.array([1.0, 2.0, 2.5, 3.0, 1.0, 2.0]),
        "design": np.ones((6, 1)),
        "person": np.array([0, 0, 1, 1, 2, 2]),
        "visit": np.array([0, 1, 0, 1, 0, 1]),
        **change,
    }
    with pytest.raises(SpecError) as caught:
        fit_mmrm(**given)
    assert caught.value.where == where


def test_batched_estimates_are_those_of_single_fits() -> None:
    """A trial's replicates go through another door."""
    many = [panel(seed, n=30, m=3, correlation=0.8) for seed in range(4)]
    values, treated = np.stack([one[0] for one in many]), np.stack([one[1] for one in many])
    rng = np.random.default_rng(1)
    adjust, inside = rng.normal(size=(4, 2, 30)), rng.random((4, 30)) < 0.9
    options: list[tuple[Structure, bool]] = [("unstructured", False), ("spatial-exponential", True)]
    weights, position = np.array([0.0, 0.5, 0.5]), np.array([7, 14, 28])
    for structure, by_side in options:
        found = analyze_mmrms(
            values, inside, treated, adjust, n_by_visit=1, weights=weights, position=position, structure=structure,
            by_side=by_side,
        )  # fmt: skip
        for number, who in enumerate(inside):
            terms = adjust[number][:, who].T
            single = fit_visits(
                values[number][who], treated[number][who], terms[:, :1], terms[:, 1:], position=position,
                structure=structure, by_side=by_side,
            )  # fmt: skip
            assert repr(found.one(number)) == repr(single.differences(weights[None]).one(0))
        assert Status.OK in found.status


def test_adjusted_means_differ_by_the_difference() -> None:
    """Least-squares means stand at one value of the adjustment for both sides."""
    values, treated = panel(15)
    rng = np.random.default_rng(2)
    found = fit_visits(values, treated, rng.normal(size=(40, 1)), rng.normal(size=(40, 1)))
    gap = found.means(is_treated=True).estimate - found.means(is_treated=False).estimate
    np.testing.assert_allclose(gap, found.differences().estimate, rtol=1e-9)
