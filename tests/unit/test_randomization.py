"""Permuted blocks within strata."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from validation.small_trials import small_protocol

from remission.streams import People
from remission.trial.randomization import allocate, assign_sites, strata_of


def people_of(n_replicates: int, n_subjects: int, seed: int = 3) -> People:
    return People.of_replicates(seed=seed, first=0, count=n_replicates, n_subjects=n_subjects)


@given(
    seed=st.integers(min_value=0, max_value=2**32),
    n_subjects=st.integers(min_value=1, max_value=60),
    n_strata=st.integers(min_value=1, max_value=4),
)
def test_every_full_block_of_a_stratum_is_balanced(seed: int, n_subjects: int, n_strata: int) -> None:
    """Balance within blocks and strata is what the method promises."""
    protocol = small_protocol()
    stratum = np.random.default_rng(seed).integers(0, n_strata, size=(2, n_subjects))
    arm = allocate(people_of(2, n_subjects, seed), protocol, stratum=stratum)
    for replicate in range(2):
        for number in range(n_strata):
            sequence = arm[replicate, stratum[replicate] == number]
            for block in range(sequence.size // 4):
                counts = np.bincount(sequence[4 * block : 4 * block + 4], minlength=2)
                assert counts.tolist() == [2, 2]


def test_allocation_follows_unequal_shares() -> None:
    """2:1 must be two to one within each block, not on average."""
    arms = [arm.replace(allocation=share) for arm, share in zip(small_protocol().arms, (2, 1), strict=True)]
    protocol = small_protocol(arms=arms, randomization={"block_size": 6})
    arm = allocate(people_of(50, 24), protocol, stratum=np.zeros((50, 24), dtype=np.int64))
    assert np.all((arm == 0).sum(axis=1) == 16)


def test_a_block_is_a_uniform_permutation() -> None:
    """Each of the six orders of a block of four appears as often as the others (chi-square, 3 replicates in 10,000
    fail).
    """
    from scipy.stats import chisquare

    arm = allocate(people_of(6000, 4), small_protocol(), stratum=np.zeros((6000, 4), dtype=np.int64))
    codes = arm @ np.array([8, 4, 2, 1])
    _, counts = np.unique(codes, return_counts=True)
    assert counts.size == 6
    assert chisquare(counts).pvalue > 3e-4


def test_adding_people_changes_no_earlier_allocation() -> None:
    """A trial that enrols one more must not reshuffle the others."""
    protocol = small_protocol()
    few = allocate(people_of(3, 10), protocol, stratum=np.zeros((3, 10), dtype=np.int64))
    more = allocate(people_of(3, 11), protocol, stratum=np.zeros((3, 11), dtype=np.int64))
    np.testing.assert_array_equal(few, more[:, :10])


def test_strata_cross_sex_and_site() -> None:
    """Each combination of the stratification factors is its own list."""
    protocol = small_protocol(setting={"n_sites": 3}, randomization={"block_size": 4, "stratify_by": ["sex", "site"]})
    female = np.array([0, 0, 1, 1])
    site = np.array([0, 2, 0, 2])
    assert strata_of(protocol, levels={"sex": female, "site": site}).tolist() == [0, 2, 3, 5]
    sites = assign_sites(people_of(1, 3000), 3)
    assert np.bincount(sites).min() > 900
