"""Who gets which arm: permuted blocks within strata.

Each slot of each block has its own addressed draw, so that adding people changes no earlier allocation.
"""

import numpy as np
from jaxtyping import Float, Int

from remission.records.protocol import Protocol
from remission.streams import People, Stream, draw_uniforms

__all__ = ["allocate", "assign_sites", "strata_of"]


def assign_sites(people: People, n_sites: int) -> Int[np.ndarray, " subject"]:
    """Site of each person, 0 to ``n_sites - 1``, all equally likely."""
    chance = draw_uniforms(people, Stream.COVARIATES, 1)[0]
    return np.floor(chance * n_sites).astype(np.int64)


def strata_of(
    protocol: Protocol, *, female: Int[np.ndarray, " subject"], site: Int[np.ndarray, " subject"]
) -> Int[np.ndarray, " subject"]:
    """Stratum number of each person from the factors the protocol stratifies by."""
    stratum = np.zeros(female.shape, dtype=np.int64)
    for factor in protocol.randomization.stratify_by:
        level, n_levels = (female, 2) if factor == "sex" else (site, protocol.setting.n_sites)
        stratum = stratum * n_levels + level
    return stratum


def allocate(
    people: People, protocol: Protocol, *, stratum: Int[np.ndarray, "replicate subject"]
) -> Int[np.ndarray, "replicate subject"]:
    """Arm index of each person, by permuted blocks in order of enrolment within each stratum.

    Parameters
    ----------
    people
        Addresses of the replicates' people, subject fastest.
    stratum
        Stratum of each person in order of enrolment.
    """
    n_replicates, n_subjects = stratum.shape
    size = protocol.randomization.block_size
    allocation = [arm.allocation for arm in protocol.arms]
    block = np.repeat(np.arange(len(allocation)), np.array(allocation) * (size // sum(allocation)))
    n_slots = -(-n_subjects // size) * size
    first = int(people.replicate[0])
    slots = People.of_replicates(seed=people.seed, first=first, count=n_replicates, n_subjects=n_slots)
    arm = np.zeros((n_replicates, n_subjects), dtype=np.int64)
    for number in np.unique(stratum):
        keys: Float[np.ndarray, "replicate block slot"] = draw_uniforms(slots, Stream.ALLOCATION, int(number))[
            0
        ].reshape(n_replicates, -1, size)
        order = np.argsort(keys, axis=2, kind="stable")
        sequence = block[order].reshape(n_replicates, n_slots)
        inside = stratum == number
        turn = np.cumsum(inside, axis=1) - 1
        arm = np.where(inside, np.take_along_axis(sequence, np.maximum(turn, 0), axis=1), arm)
    return arm
