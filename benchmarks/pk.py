"""The session's exposure e in closed form, against ODE solvers that integrate the same compartments.

Ours also gives each person's peak; the solvers are spared that, so the ratios are a lower bound. Tolerances of the
solvers are the loosest (of powers of ten) whose error stays below the limit on people of another seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import odeint

from benchmarks.measure import pin_to_one_core, times_faster, write_results
from benchmarks.peers.lsoda_pk import rate_of_change
from benchmarks.problem import TIMED_SEED, UNSEEN_SEED
from remission.patient.pharmacology import load_pharmacology
from remission.pk import individual_parameters
from remission.session.effects import simulate_session_effects

DOSE_MG_PER_KG, DURATION_H, HORIZON_H = 0.8, 2 / 3, 24.0
ERROR_LIMIT = 1e-6
"""Largest relative error of e; ours stays below it too."""
TOLERANCES = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
PHARMACOLOGY = load_pharmacology()
REFERENCE_H = PHARMACOLOGY.exposure.value("exposure_reference_h")
C50 = PHARMACOLOGY.exposure.value("c50_exposure_ng_per_ml")


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """People, and one row of 10 numbers for each: what the compartments need."""

    weight_kg: np.ndarray
    z_iiv: np.ndarray
    rows: np.ndarray


def bodies(n_people: int, *, seed: int) -> Bodies:
    """Adults with the population's variability."""
    rng = np.random.default_rng(seed)
    weight_kg = rng.uniform(50.0, 110.0, n_people)
    z_iiv = rng.standard_normal((n_people, PHARMACOLOGY.n_iiv))
    found = individual_parameters(PHARMACOLOGY.pk, weight_kg=weight_kg, z_iiv=z_iiv)
    dose_rate_ug_per_h = DOSE_MG_PER_KG * weight_kg * 1000.0 / DURATION_H / 2.0  # half of it S, half R
    rows = np.stack([*found.cl_l_per_h, found.v1_l, *found.v_l, *found.q_l_per_h, found.ke0_per_h, dose_rate_ug_per_h])
    return Bodies(weight_kg=weight_kg, z_iiv=z_iiv, rows=np.ascontiguousarray(rows.T))


def closed_form(people: Bodies) -> np.ndarray:
    """Exposure e as the package computes it, peaks included."""
    effects = simulate_session_effects(
        dose_mg_per_kg=DOSE_MG_PER_KG,
        duration_h=DURATION_H,
        weight_kg=people.weight_kg,
        z_iiv=people.z_iiv,
        pharmacology=PHARMACOLOGY,
    )
    return effects.exposure


def lsoda(people: Bodies, *, tolerance: float) -> np.ndarray:
    """Exposure e by LSODA, two legs a person: during the infusion and after it."""
    found = np.empty(len(people.rows))
    for index, row in enumerate(people.rows):
        state = np.zeros(9)
        for start_h, end_h, is_on in ((0.0, DURATION_H, 1.0), (DURATION_H, HORIZON_H, 0.0)):
            state = odeint(
                rate_of_change, state, (start_h, end_h), args=(row, is_on, C50),
                rtol=tolerance, atol=tolerance * 1e-2, tfirst=True, mxstep=10_000,
            )[-1]  # fmt: skip
        found[index] = state[8]
    return found / REFERENCE_H


def loosest(solver: Callable[[Bodies, float], np.ndarray], people: Bodies, exact: np.ndarray) -> tuple[float, float]:
    """The loosest tolerance that keeps to the error limit, and its error."""
    for tolerance in TOLERANCES:
        error = float(np.max(np.abs(solver(people, tolerance) / exact - 1.0)))
        if error <= ERROR_LIMIT:
            return tolerance, error
    message = "no tolerance keeps to the error limit"
    raise RuntimeError(message)


def main() -> None:
    """Measure, print, write."""
    pin_to_one_core()
    from benchmarks.peers import diffrax_pk  # after pinning: its threads take over the set of cores

    unseen, many = bodies(200, seed=UNSEEN_SEED), bodies(20_000, seed=TIMED_SEED)
    few, some = bodies(200, seed=TIMED_SEED), bodies(2_000, seed=TIMED_SEED)
    exact = lsoda(unseen, tolerance=1e-12)
    own_error = float(np.max(np.abs(closed_form(unseen) / exact - 1.0)))
    print(f"closed form: error {own_error:.1e}")

    tolerance, error = loosest(lambda people, tol: lsoda(people, tolerance=tol), unseen, exact)
    print(f"LSODA: tolerance {tolerance:g}, error {error:.1e}")
    vs_lsoda, own, theirs = times_faster(
        lambda: closed_form(many), lambda: lsoda(few, tolerance=tolerance), repeats=5, work_of_ours=100.0
    )
    print(f"people/s: closed form {20_000 / own:.0f}, LSODA {200 / theirs:.0f}")

    def diffrax(people: Bodies, tol: float) -> np.ndarray:
        legs = (0.0, DURATION_H, HORIZON_H)
        return diffrax_pk.exposure_hours(people.rows, C50, tol, legs) / REFERENCE_H

    tolerance, error = loosest(diffrax, unseen, exact)
    print(f"diffrax: tolerance {tolerance:g}, error {error:.1e}")
    vs_diffrax, own, theirs = times_faster(
        lambda: closed_form(many), lambda: diffrax(some, tolerance), repeats=5, work_of_ours=10.0
    )
    print(f"people/s: closed form {20_000 / own:.0f}, diffrax {2_000 / theirs:.0f}")
    write_results(pk_vs_lsoda=vs_lsoda, pk_vs_diffrax=vs_diffrax, pk_error=own_error, pk_people_per_second=20_000 / own)


if __name__ == "__main__":
    main()
