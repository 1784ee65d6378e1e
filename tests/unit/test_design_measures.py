"""Running sums against whole arrays, digits against their error, and work in order."""

import numpy as np
import pytest

from remission.errors import SpecError
from remission.numerics.tallies import Count, Mean, Measure
from remission.runs.crew import Crew, crew_of


def test_parts_put_together_are_the_whole() -> None:
    """A mean far from zero loses its spread when squares are summed plainly; parts in any cut must not."""
    values = 1e6 + np.random.default_rng(1).standard_normal(1000)
    values[::97] = np.nan
    total = Mean()
    for part in np.split(values, [3, 3, 500, 501]):
        total.merge(Mean().add(part))
    good = values[np.isfinite(values)]
    assert total.n == good.size
    assert total.measure.value == pytest.approx(good.mean(), rel=1e-14)
    assert total.variance == pytest.approx(good.var(ddof=1), rel=1e-9)
    assert total.measure.mcse == pytest.approx(good.std(ddof=1) / np.sqrt(good.size), rel=1e-9)


def test_none_of_many_is_not_taken_for_certain() -> None:
    """An error of 0 would stop a simulation after its first hundred trials."""
    none = Count().add(np.zeros(100, dtype=np.bool_)).measure
    assert none.value == 0.0
    assert none.mcse == pytest.approx(np.sqrt((0.5 / 101) * (100.5 / 101) / 100))
    assert not np.isfinite(Count().measure.value)
    assert not np.isfinite(Mean().measure.value)


@pytest.mark.parametrize(
    ("value", "mcse", "text"),
    [
        (0.1234, 0.012, "0.12 (± 0.01)"),
        (0.1234, 0.0012, "0.123 (± 0.001)"),
        (123.4, 12.0, "123 (± 12)"),
        (96.0, 0.0, "96"),
        (float("nan"), 0.1, "not available"),
        (0.5, float("nan"), "0.5"),
    ],
)
def test_no_more_digits_than_the_error_supports(value: float, mcse: float, text: str) -> None:
    """Digits that the simulation does not know would be read as knowledge."""
    assert Measure(value=value, mcse=mcse).text == text


def test_one_worker_does_the_work_here_and_in_order() -> None:
    """A crew of one starts no process and does nothing that nobody asked for."""
    done: list[int] = []

    def work(item: int) -> int:
        done.append(item)
        return item * item

    with Crew() as crew:
        results = crew.in_order(work, range(10))
        assert [next(results), next(results)] == [0, 1]
        assert done == [0, 1]


@pytest.mark.parametrize("workers", [0, -1, 257, True])
def test_a_crew_that_cannot_be_is_refused(workers: int) -> None:
    """No workers would wait for ever; thousands would end the machine."""
    with pytest.raises(SpecError, match="--workers"):
        crew_of(workers)
