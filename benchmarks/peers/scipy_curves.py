"""Curves of a population by SciPy's matrix exponential and NumPy: one exponential a person for each length of step.

States of one species: central, two peripheral, effect site, slow venous share, all as concentrations or over V1. The
sixth row and column carry the input. Between times and changes of the infusion rate the state is multiplied.
"""

import numpy as np
from scipy import linalg

from remission.pk import PkIndividuals

__all__ = ["curves"]


def curves(people: PkIndividuals, *, t_h: np.ndarray, breaks_h: np.ndarray, rate_ug_per_h: np.ndarray) -> np.ndarray:
    """Ketamine at the arterial, venous and effect sites, both enantiomers together; site, time, person."""
    total = np.zeros((3, t_h.size, people.n_subject))
    for cl in people.cl_l_per_h:
        total += _one(people, cl, t_h, breaks_h, 0.5 * rate_ug_per_h)
    return total


def _one(
    people: PkIndividuals, cl: np.ndarray, t_h: np.ndarray, breaks_h: np.ndarray, rate_ug_per_h: np.ndarray
) -> np.ndarray:
    v1, n = people.v1_l, people.n_subject
    matrix = np.zeros((n, 6, 6))
    matrix[:, 0, 0] = -cl / v1
    for j, (q, v) in enumerate(zip(people.q_l_per_h, people.v_l, strict=True), start=1):
        matrix[:, 0, 0] -= q / v1
        matrix[:, 0, j] = q / v
        matrix[:, j, 0], matrix[:, j, j] = q / v1, -q / v
    for row, link in ((3, people.ke0_per_h), (4, people.venous_rate_per_h)):
        matrix[:, row, 0], matrix[:, row, row] = link, -link
    matrix[:, 0, 5] = 1.0 / v1
    known: dict[float, np.ndarray] = {}
    state, found, now = np.zeros((n, 6)), np.zeros((3, t_h.size, n)), 0.0
    stops = sorted({*t_h.tolist(), *(one for one in breaks_h.tolist() if one < t_h[-1])})
    at = {time: index for index, time in enumerate(t_h.tolist())}
    for stop in stops:
        interval = int(np.searchsorted(breaks_h, now, side="right")) - 1
        state[:, 5] = rate_ug_per_h[interval] if interval < len(rate_ug_per_h) else 0.0
        step = stop - now
        if step not in known:
            known[step] = linalg.expm(matrix * step)
        state = np.matmul(known[step], state[:, :, np.newaxis])[:, :, 0]
        now = stop
        if stop in at:
            fast = people.venous_fast_fraction
            found[:, at[stop]] = state[:, 0], fast * state[:, 0] + (1.0 - fast) * state[:, 4], state[:, 3]
    return found
