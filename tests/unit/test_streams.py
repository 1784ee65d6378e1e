"""Addressed draws: the published generator, its addresses, its law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from remission.errors import SpecError
from remission.numerics.elementary import cos_sin_turns, log
from remission.streams import (
    People,
    Stream,
    check_seed,
    draw_firsts,
    draw_normal_pair,
    draw_normals,
    draw_series,
    draw_uniforms,
    draw_words,
)

# Known answers of Philox4x32-10 printed with its reference implementation (Random123, kat_vectors): counter, key,
# output.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_its_published_answers(
    counter: tuple[int, int, int, int], key: tuple[int, int], answer: tuple[int, int, int, int]
) -> None:
    """A wrong round constant still looks random; only the known answers tell."""
    subject, replicate, index, stream = counter
    person = People(
        seed=key[0] | (key[1] << 32),
        replicate=np.array([replicate], dtype=np.uint64),
        subject=np.array([subject], dtype=np.uint64),
    )
    words = draw_words(person, stream, index)  # type: ignore[arg-type]
    assert tuple(int(word[0]) for word in words) == answer


def test_adding_people_changes_nobodys_draws() -> None:
    """The one-more-person test: a person's luck belongs to the person."""
    few = People.of_replicates(seed=5, first=3, count=2, n_subjects=4)
    more = People.of_replicates(seed=5, first=3, count=2, n_subjects=5)
    kept = more.subject < 4
    for one, other in zip(draw_normals(few, Stream.CUE, 17), draw_normals(more, Stream.CUE, 17), strict=True):
        np.testing.assert_array_equal(one, other[kept])


@given(st.integers(min_value=0, max_value=2**64 - 1), st.integers(min_value=0, max_value=2**32 - 1))
def test_uniforms_never_touch_the_ends(seed: int, index: int) -> None:
    """A 0 or a 1 would make a logarithm infinite or an impossible event certain."""
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=8)
    for column in draw_uniforms(people, Stream.DAY, index):
        assert np.all((column > 0.0) & (column < 1.0))


def test_draws_follow_their_laws() -> None:
    """Uniform and normal by Kolmogorov-Smirnov, columns uncorrelated; fixed seed, so no false alarm once it passes."""
    people = People.of_replicates(seed=123456789, first=0, count=1, n_subjects=40_000)
    uniforms, normals = draw_uniforms(people, Stream.DAY, 3), draw_normals(people, Stream.BEHAVIOR, 0)
    for column in uniforms:
        assert stats.kstest(column, "uniform").pvalue > 1e-3
    for column in normals:
        assert stats.kstest(column, "norm").pvalue > 1e-3
    correlation = np.corrcoef(np.stack([*uniforms, *normals]))
    assert np.abs(correlation - np.eye(8)).max() < 5.0 / np.sqrt(40_000)


@pytest.mark.parametrize("axis", ["seed", "replicate", "stream", "index"])
def test_every_part_of_the_address_matters(axis: str) -> None:
    """Two addresses that share draws would tie what must be independent."""
    base = {"seed": 1, "replicate": 0, "stream": Stream.DAY, "index": 0}
    other = {**base, axis: {"seed": 2, "replicate": 1, "stream": Stream.CUE, "index": 1}[axis]}
    columns = []
    for address in (base, other):
        people = People.of_replicates(seed=address["seed"], first=address["replicate"], count=1, n_subjects=5000)
        columns.append(draw_uniforms(people, address["stream"], address["index"])[0])  # type: ignore[arg-type]
    assert abs(np.corrcoef(np.stack(columns))[0, 1]) < 5.0 / np.sqrt(5000)
    assert not np.any(columns[0] == columns[1])


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True, "7"])
def test_a_wrong_seed_is_refused(seed: object) -> None:
    """A seed that wraps round silently would repeat another run."""
    with pytest.raises(SpecError, match="seed"):
        check_seed(seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(("first", "count", "n_subjects"), [(-1, 2, 3), (2**32 - 1, 2, 3), (0, 1, 2**32 + 1)])
def test_addresses_that_do_not_fit_are_refused(first: int, count: int, n_subjects: int) -> None:
    """A number cut to 32 bits would give two people the same luck."""
    with pytest.raises(SpecError, match="replicates"):
        People.of_replicates(seed=1, first=first, count=count, n_subjects=n_subjects)


def test_compiled_draws_are_those_of_the_words() -> None:
    """Draws come from a compiled loop where it is loaded: one bit of difference, and a run would depend on what else
    the program did.
    """
    crowd = People.of_replicates(seed=2**63 + 12345, first=7, count=3, n_subjects=401)
    words = draw_words(crowd, Stream.REPORT, 2**31 + 5)
    uniforms = [(word.astype(np.float64) + 0.5) * 2.0**-32 for word in words]
    normals = []
    for radius, turn in (uniforms[:2], uniforms[2:]):
        length, (cosine, sine) = np.sqrt(-2.0 * log(radius)), cos_sin_turns(turn)
        normals += [length * cosine, length * sine]
    at = (crowd, Stream.REPORT, 2**31 + 5)
    for found, expected in (
        (draw_uniforms(*at), uniforms), (draw_normals(*at), normals), (draw_normal_pair(*at), normals[:2]),
        (draw_firsts(crowd, Stream.REPORT, [2**31 + 5]), uniforms[:1]),
    ):  # fmt: skip
        np.testing.assert_array_equal(np.array(found).view(np.int64), np.array(expected).view(np.int64))


def test_the_first_person_alone_has_the_draws_of_the_crowd() -> None:
    """A trial's size must not move anybody's luck."""
    crowd = People.of_replicates(seed=3, first=7, count=1, n_subjects=600)
    one = People(seed=3, replicate=crowd.replicate[:1], subject=crowd.subject[:1])
    for found, expected in zip(draw_normals(one, Stream.CUE, 4), draw_normals(crowd, Stream.CUE, 4), strict=True):
        assert found[0] == expected[0]


def test_a_series_holds_the_uniforms_at_each_of_its_addresses() -> None:
    """One call for many addresses of one person; its bits are those of the calls that it stands for."""
    person = People(seed=2**40 + 3, replicate=np.full(1, 7, dtype=np.uint64), subject=np.full(1, 2**32 - 1, np.uint64))
    one_by_one = [draw_uniforms(person, Stream.IMPUTATION, index) for index in range(5, 9)]
    np.testing.assert_array_equal(draw_series(person, Stream.IMPUTATION, 5, 4), np.concatenate(one_by_one, axis=None))
