"""Curves of a population: 100,000 people, three infusions, 200 times, ketamine in artery, vein and effect site.

Against the closed form taken infusion by infusion (tests/support/reference_kinetics.py, which the package used
before) and against SciPy's matrix exponential with NumPy; ratios on one core, seconds on all. Agreement is
checked first on people of another seed.
"""

import os
import resource
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.measure import pin_to_one_core, seconds_of, times_faster, write_results
from benchmarks.peers import scipy_curves
from benchmarks.problem import TIMED_SEED, UNSEEN_SEED
from remission.dosing import infusions_per_weight
from remission.pk import (
    PkIndividuals,
    individual_parameters,
    load_pk_model,
    simulate_concentrations,
    summarize_population,
)
from remission.pk.curves import breaks_and_rates
from remission.pk.mammillary import mammillary_modes
from remission.planner import PlanRequest, plan_infusion
from remission.records.infusions import InfusionEvents

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from reference_kinetics import linked_response, plasma_response

N_PEOPLE = 100_000
T_H = np.linspace(0.0, 12.0, 200)
SITES = ("arterial", "venous", "effect")
AGREEMENT = 1e-10
MODEL = load_pk_model()

Population = tuple[PkIndividuals, InfusionEvents]


def population(n_people: int, *, seed: int) -> Population:
    """People with the population's variability, and three infusions of 0.5 mg/kg over 40 min, 2 h apart."""
    rng = np.random.default_rng(seed)
    weight_kg = rng.uniform(50.0, 110.0, n_people)
    people = individual_parameters(MODEL, weight_kg=weight_kg, z_iiv=rng.standard_normal((n_people, MODEL.n_iiv)))
    events = infusions_per_weight([0.5] * 3, start_h=[0.0, 2.0, 4.0], duration_h=[2 / 3] * 3, weight_kg=weight_kg)
    return people, events


def ours(some: Population) -> np.ndarray:
    """As the package computes them; site, time, person."""
    return np.moveaxis(simulate_concentrations(*some, t_h=T_H, sites=SITES).conc_ng_per_ml, 0, -1)


def infusion_by_infusion(some: Population) -> np.ndarray:
    """The readable closed form: every person, infusion and time with exponentials of its own."""
    people, events = some
    total = np.zeros((3, people.n_subject, T_H.size))
    for cl in people.cl_l_per_h:
        modes = mammillary_modes(cl_l_per_h=cl, v1_l=people.v1_l, q_l_per_h=people.q_l_per_h, v_l=people.v_l)
        for dose_mg, start_h, duration_h in zip(events.dose_mg.T, events.start_h, events.duration_h, strict=True):
            strength = (dose_mg * 500.0 / duration_h / people.v1_l)[:, np.newaxis]
            plasma = plasma_response(modes, elapsed_h=T_H - start_h, duration_h=float(duration_h))
            slow, effect = (
                linked_response(modes, kappa_per_h=link, elapsed_h=T_H - start_h, duration_h=float(duration_h))
                for link in (people.venous_rate_per_h, people.ke0_per_h)
            )
            fast = people.venous_fast_fraction
            total += strength * np.stack([plasma, fast * plasma + (1.0 - fast) * slow, effect])
    return np.moveaxis(total, 1, -1)


def by_scipy(some: Population) -> np.ndarray:
    """The peer with matrix exponentials."""
    people, events = some
    breaks_h, rate_ug_per_h = breaks_and_rates(events)
    return scipy_curves.curves(people, t_h=T_H, breaks_h=breaks_h, rate_ug_per_h=rate_ug_per_h)


def gap(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest relative difference; at time 0 nothing is there yet."""
    return float(np.max(np.abs(found[:, 1:] / expected[:, 1:] - 1.0)))


def main() -> None:
    """Measure, print, write."""
    whole = population(N_PEOPLE, seed=TIMED_SEED)
    seconds, busy = timed(lambda: summarize_population(*whole, t_h=T_H, sites=SITES))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000.0
    write_results(summary_seconds=seconds, summary_processor_seconds=busy, summary_peak_mb=peak_mb)
    seconds, busy = timed(lambda: ours(whole))
    write_results(curves_seconds=seconds, curves_processor_seconds=busy)
    request = PlanRequest.create(
        age="45 years", weight="82 kg", sex="male", substance="alcohol",
        infusions=[{"dose": "0.5 mg/kg", "duration": "40 min"}],
    )  # fmt: skip
    seconds, busy = timed(lambda: plan_infusion(request))
    write_results(plan_seconds=seconds, plan_processor_seconds=busy)

    pin_to_one_core()
    unseen = population(200, seed=UNSEEN_SEED)
    gaps = [gap(ours(unseen), peer(unseen)) for peer in (infusion_by_infusion, by_scipy)]
    print(f"agreement: infusion by infusion {gaps[0]:.1e}, SciPy {gaps[1]:.1e}")
    if max(gaps) > AGREEMENT:
        message = "a peer does not agree; its time would mean nothing"
        raise RuntimeError(message)
    many, few = population(20_000, seed=TIMED_SEED), population(500, seed=TIMED_SEED)
    before, _, _ = times_faster(lambda: ours(many), lambda: infusion_by_infusion(few), repeats=5, work_of_ours=40.0)
    scipy, _, _ = times_faster(lambda: ours(many), lambda: by_scipy(few), repeats=5, work_of_ours=40.0)
    write_results(curves_vs_infusion_by_infusion=before, curves_vs_scipy=scipy, curves_error=gaps[0])


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of the clock and of the processor over all threads, after one call that is not counted.

    On a machine that others use, the processor's say more than the clock's.
    """
    work()
    clock, processor = [], []
    for _ in range(5):
        before = os.times()
        clock.append(seconds_of(work))
        after = os.times()
        processor.append(after.user + after.system - before.user - before.system)
    return statistics.median(clock), statistics.median(processor)


if __name__ == "__main__":
    main()
