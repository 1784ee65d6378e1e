"""The states behind a trial, by arm and day, over the first people of its first replicates."""

import numpy as np

from remission.numerics.quantiles import quantiles_over_people
from remission.patient.course import STATES
from remission.patient.drawn import Drawing
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import Pharmacology
from remission.protocol.record import Protocol
from remission.trial.batch import simulate_with_states
from remission.trial.result import StateCourses

_PEOPLE = 4000


def simulate_states(
    protocol: Protocol,
    *,
    seed: int,
    n_replicates: int,
    parameters: CourseParameters,
    pharmacology: Pharmacology,
    drawing: Drawing | None = None,
) -> StateCourses:
    """Mean and 10th and 90th percentile of about four thousand people, by arm and day.

    ``n_replicates``: replicates of the run; only as many as are needed are used.
    """
    arm, course = simulate_with_states(
        protocol,
        seed=seed,
        n_replicates=min(n_replicates, -(-_PEOPLE // protocol.population.n_subjects)),
        n_people=_PEOPLE,
        parameters=parameters,
        pharmacology=pharmacology,
        drawing=drawing,
    )
    groups = [np.flatnonzero(arm == index) for index in range(len(protocol.arms))]
    empty = np.full(protocol.follow_up_days, np.nan)
    mean, low, high = {}, {}, {}
    for name in STATES:
        # Days lie one after the other, each with its people, so that quantiles are taken of neighbors.
        parts = [course.states[name].T[:, group] for group in groups]
        # A sum over people in their order, whatever lies beside what.
        mean[name] = np.stack([np.ascontiguousarray(one.T).mean(axis=0) if one.size else empty for one in parts])
        bands = [quantiles_over_people(one.T, (0.1, 0.9)) if one.size else np.stack([empty, empty]) for one in parts]
        low[name] = np.stack([band[0] for band in bands])
        high[name] = np.stack([band[1] for band in bands])
    return StateCourses(n_people=np.array([group.size for group in groups]), mean=mean, low=low, high=high)
