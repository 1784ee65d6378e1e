"""Laws of mixed models: what must not depend on how the same data are written down."""

from itertools import pairwise
from typing import Any

import numpy as np
from law_cases import law

from remission.analyses.estimate import Status
from remission.analyses.mmrm import FREEDOMS, STRUCTURES, VisitMmrm, fit_mmrm, fit_visits
from remission.records.regression import Structure


def trial_of(rng: np.random.Generator) -> dict[str, Any]:
    """A few people at a few visits, some missed, at times with terms and with strong correlation."""
    n, m = int(rng.integers(12, 40)), int(rng.integers(2, 5))
    values = rng.normal(size=(n, m)) * rng.uniform(0.5, 3.0, m) + rng.normal(size=(n, 1)) * rng.uniform(0.0, 4.0)
    values[rng.random((n, m)) < rng.choice([0.0, 0.1, 0.3])] = np.nan
    return {
        "values": values,
        "treated": rng.permutation(n) % 2 == 0,
        "adjust": rng.normal(45.0, 9.0, (n, int(rng.integers(0, 2)))),
        "by_visit": rng.normal(size=(n, int(rng.integers(0, 2)))),
    }


def structure_of(rng: np.random.Generator) -> Structure:
    return STRUCTURES[int(rng.integers(len(STRUCTURES)))]


def same(one: VisitMmrm, other: VisitMmrm, *, scale: float = 1.0, sign: float = 1.0) -> None:
    """The same fit: status, and where there is one its numbers within a hundred-thousandth of an error."""
    assert one.fit.status is other.fit.status
    if one.fit.status is not Status.OK:
        return
    first, second = one.differences(), other.differences()
    allowed = 1e-5 * np.nanmax(first.standard_error) * scale
    np.testing.assert_allclose(second.estimate, sign * scale * first.estimate, rtol=1e-6, atol=allowed)
    np.testing.assert_allclose(second.standard_error, scale * first.standard_error, rtol=1e-5)
    np.testing.assert_allclose(second.degrees_of_freedom, first.degrees_of_freedom, rtol=1e-4)


@law(seed=2001)
def test_the_order_of_people_and_their_names_say_nothing(rng: np.random.Generator) -> None:
    """Rows come from files in any order."""
    trial, structure = trial_of(rng), structure_of(rng)
    order = rng.permutation(len(trial["values"]))
    same(
        fit_visits(**trial, structure=structure),
        fit_visits(**{name: column[order] for name, column in trial.items()}, structure=structure),
    )


@law(seed=2002)
def test_the_unit_and_the_zero_of_the_outcome_say_nothing(rng: np.random.Generator) -> None:
    """Millimeters or percent, from 0 or from 1,000."""
    trial, structure, scale = trial_of(rng), structure_of(rng), float(rng.choice([1e-6, 0.1, 1e6]))
    moved = {**trial, "values": scale * (trial["values"] + 1000.0)}
    same(fit_visits(**trial, structure=structure), fit_visits(**moved, structure=structure), scale=scale)


@law(seed=2003)
def test_the_other_side_first_turns_the_sign(rng: np.random.Generator) -> None:
    """Which arm is called treated is a word."""
    trial, structure = trial_of(rng), structure_of(rng)
    turned = {**trial, "treated": ~trial["treated"]}
    same(fit_visits(**trial, structure=structure), fit_visits(**turned, structure=structure), sign=-1.0)


@law(seed=2004)
def test_another_parametrization_of_the_mean_is_the_same_model(rng: np.random.Generator) -> None:
    """Levels and differences, or an intercept with contrasts: likelihood and the last difference are one."""
    trial, structure = trial_of(rng), structure_of(rng)
    person, visit = np.nonzero(np.isfinite(trial["values"]))
    m, side = trial["values"].shape[1], trial["treated"][person] * 1.0
    at = (visit[:, None] == np.arange(m)) * 1.0
    by_cell = np.concatenate([at, at * side[:, None]], axis=1)
    by_contrast = np.concatenate(
        [np.ones((visit.size, 1)), at[:, :-1], side[:, None], at[:, :-1] * side[:, None]], axis=1
    )
    outcome = trial["values"][person, visit]
    fits = [fit_mmrm(outcome, design, person, visit, structure=structure) for design in (by_cell, by_contrast)]
    assert fits[0].status is fits[1].status
    if fits[0].status is Status.OK:
        first, second = fits[0].coefficients(), fits[1].coefficients()
        np.testing.assert_allclose(second.estimate[m], first.estimate[-1], atol=1e-5 * first.standard_error[-1])
        np.testing.assert_allclose(second.p_value[m], first.p_value[-1], rtol=1e-4, atol=1e-9)
        if not fits[0].mixed.kept.all():
            return
        known = np.linalg.slogdet(by_cell.T @ by_cell)[1] - np.linalg.slogdet(by_contrast.T @ by_contrast)[1]
        np.testing.assert_allclose(fits[0].criterion - fits[1].criterion, known, atol=1e-5)


@law(seed=2005)
def test_a_wider_structure_fits_no_worse(rng: np.random.Generator) -> None:
    """Each of them holds the ones before it, so its likelihood is at least theirs; a lower one is a false summit.

    Nobody misses more than a visit here and there: with many missed the likelihood itself may have several summits.
    """
    trial = trial_of(rng)
    if np.isnan(trial["values"]).mean() > 0.15:
        return
    chain: tuple[Structure, ...] = (
        "compound-symmetry", "heterogeneous-compound-symmetry", "heterogeneous-toeplitz", "unstructured"
    )  # fmt: skip
    fits = [fit_visits(**trial, structure=one, likelihood="ml").fit for one in chain]
    levels = [fit.criterion for fit in fits if fit.status is Status.OK]
    assert all(after <= before + 1e-6 for before, after in pairwise(levels))


@law(seed=2006)
def test_a_number_has_its_error_and_a_fit_without_one_says_why(rng: np.random.Generator) -> None:
    """Never a number without its warning, in any corner."""
    trial, structure = trial_of(rng), structure_of(rng)
    few = int(rng.integers(2, 9))
    trial = {name: column[:few] for name, column in trial.items()}
    found = fit_visits(**trial, structure=structure, by_side=bool(rng.random() < 0.3))
    assert bool(found.fit.message) == (found.fit.status is not Status.OK)
    for freedom in FREEDOMS:
        rows = found.differences(freedom=freedom)
        told = np.isfinite(rows.estimate)
        assert (told == np.isfinite(rows.p_value)).all()
        assert (rows.standard_error[told] > 0.0).all()
        assert (rows.low[told] < rows.high[told]).all()
        assert not told.any() or found.fit.status is Status.OK
