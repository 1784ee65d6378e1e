"""Who gets which arm: permuted blocks within strata, or minimization.

Each slot of each block, and each person who is minimized, has its own addressed draw, so that adding people changes no
earlier allocation.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from remission.protocol.record import Protocol
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_uniforms


def assign_sites(people: People, n_sites: int) -> Int[np.ndarray, " subject"]:
    """Site of each person, 0 to ``n_sites - 1``, all equally likely."""
    chance = draw_uniforms(people, Stream.COVARIATES, 1)[0]
    return np.floor(chance * n_sites).astype(np.int64)


def strata_of(
    protocol: Protocol, *, levels: Mapping[str, Int[np.ndarray, " subject"]], n_levels: Mapping[str, int] | None = None
) -> Int[np.ndarray, " subject"]:
    """Stratum number of each person from the factors the protocol stratifies by.

    ``levels``: level of each person by factor, from 0. ``n_levels``: how many levels a factor has, where not two.
    """
    many = {"site": protocol.setting.n_sites, **(n_levels or {})}
    stratum = np.zeros_like(levels["site"])
    for factor in protocol.randomization.stratify_by:
        stratum = stratum * many.get(factor, 2) + levels[factor]
    return stratum


def in_arms(arm: Int[np.ndarray, "..."], arms: Sequence[int]) -> Bool[np.ndarray, "..."]:
    """Who is in one of some arms; NumPy's own question sorts everybody first."""
    found = np.zeros(arm.shape, dtype=np.bool_)
    for index in arms:
        found |= arm == index
    return found


def allocate(
    people: People, protocol: Protocol, *, stratum: Int[np.ndarray, "replicate subject"], again: int = 0
) -> Int[np.ndarray, "replicate subject"]:
    """Arm index of each person, by permuted blocks in order of enrolment within each stratum.

    ``people``: addresses of the replicates' people, subject fastest. ``stratum``: stratum of each person in order of
    enrolment. ``again``: 0 for the trial itself; another number for the same people randomized once more.
    """
    n_replicates, n_subjects = stratum.shape
    size = protocol.randomization.block_size
    assert size is not None, "permuted blocks have a size"
    allocation = [arm.allocation for arm in protocol.arms]
    block = np.repeat(np.arange(len(allocation)), np.array(allocation) * (size // sum(allocation)))
    n_slots = -(-n_subjects // size) * size
    first = int(people.replicate[0])
    slots = People.of_replicates(seed=people.seed, first=first, count=n_replicates, n_subjects=n_slots)
    arm = np.zeros((n_replicates, n_subjects), dtype=np.int64)
    for number in np.flatnonzero(np.bincount(stratum.ravel())):
        keys: Float[np.ndarray, "replicate block slot"] = draw_uniforms(
            slots, Stream.ALLOCATION, int(number) + again * _STRATA
        )[0].reshape(n_replicates, -1, size)
        order = np.argsort(keys, axis=2, kind="stable")
        sequence = block[order].reshape(n_replicates, n_slots)
        inside = stratum == number
        turn = np.cumsum(inside, axis=1) - 1
        arm = np.where(inside, np.take_along_axis(sequence, np.maximum(turn, 0), axis=1), arm)
    return arm


def minimize(
    people: People, protocol: Protocol, *, levels: Sequence[Int[np.ndarray, "replicate subject"]], again: int = 0
) -> Int[np.ndarray, "replicate subject"]:
    """Arm index of each person by minimization, in order of enrolment.

    For each arm that a person could get, the range over arms of people per share of allocation is summed over the
    whole trial and over the person's level of each factor (Pocock and Simon's method). With chance ``p_best_arm`` the
    person gets an arm of the smallest sum, else one of the others, in proportion to allocation.

    ``people``: addresses of the replicates' people, subject fastest. ``levels``: level of each person for each factor,
    from 0. ``again``: as in :func:`allocate`.
    """
    n_arms = len(protocol.arms)
    n_replicates = int(np.unique(people.replicate).size)
    n_subjects = len(people) // n_replicates
    whole = np.zeros((n_replicates, n_subjects), dtype=np.int64)
    factors = [whole, *levels]
    counts = [np.zeros((n_replicates, int(level.max(initial=0)) + 1, n_arms)) for level in factors]
    share = np.array([arm.allocation for arm in protocol.arms], dtype=np.float64)
    u_best, u_arm = (
        u.reshape(n_replicates, n_subjects) for u in draw_uniforms(people, Stream.ALLOCATION, again * _STRATA)[:2]
    )
    takes_best = u_best < (protocol.randomization.p_best_arm or 0.0)
    row = np.arange(n_replicates)
    arm = np.zeros((n_replicates, n_subjects), dtype=np.int64)
    for subject in range(n_subjects):
        imbalance = np.zeros((n_replicates, n_arms))
        for count, level in zip(counts, factors, strict=True):
            mine = count[row, level[:, subject]]
            imbalance += np.ptp((mine[:, None, :] + np.eye(n_arms)) / share, axis=2)
        best = imbalance <= imbalance.min(axis=1, keepdims=True) + _TIE
        pool = np.where(takes_best[:, subject, None] | best.all(axis=1, keepdims=True), best, ~best)
        reach = np.cumsum(pool * share, axis=1)
        chosen = np.sum(u_arm[:, subject, None] * reach[:, -1:] >= reach, axis=1)
        arm[:, subject] = chosen
        for count, level in zip(counts, factors, strict=True):
            count[row, level[:, subject], chosen] += 1.0
    return arm


_STRATA = 2**20
"""More than there are strata, so that no draw is used twice when people are randomized again."""
_TIE = 1e-9
"""Sums of ranges this close are equal; shares such as thirds are not exact."""
