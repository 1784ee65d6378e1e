"""Everybody's days as a file: what stands in it, and that neither chunks nor workers move a byte of it."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from validation.small_trials import small_protocol

from remission.errors import ProvenanceError, SpecError
from remission.runs import diaries
from remission.runs.crew import Crew, Processes
from remission.runs.diaries import diary_table, pack_table, unpack_table, write_diaries
from remission.runs.piece import do_piece
from remission.runs.store import ChunkStore
from remission.runs.work import open_work, read_work, run_chunks, write_work_diaries
from remission.trial.chunk import Chunk
from remission.trial.result import TrialResult
from remission.trial.simulate import TrialPlan, plan_trial

N_REPLICATES = 30


def plan_of(chunk_replicates: int | None = None) -> TrialPlan:
    return plan_trial(
        small_protocol(), n_replicates=N_REPLICATES, seed=3, with_diaries=True, chunk_replicates=chunk_replicates
    )


def made(root: Path, plan: TrialPlan, crew: Crew | None = None) -> tuple[bytes, list[bytes]]:
    """Bytes of the diaries and of the numbers."""
    root.mkdir(exist_ok=True)
    folder = open_work(root, plan, "x")
    with crew or Crew() as who:
        result = run_chunks(folder, plan, crew=who)
    write_work_diaries(folder, plan, root / "diaries.parquet")
    return (root / "diaries.parquet").read_bytes(), numbers(result)


def numbers(result: TrialResult) -> list[bytes]:
    arms = [getattr(v, f).tobytes() for v in result.arms.values() for f in ("mean", "sd", "n", "event_share")]
    estimates = [getattr(v, f).tobytes() for v in result.estimates.values() for f in ("estimate", "low", "high")]
    return [*arms, *estimates, result.counts.using.tobytes()]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, _small_groups: None) -> tuple[bytes, list[bytes]]:
    return made(tmp_path_factory.mktemp("diaries") / "calm", plan_of())


class Backwards(Crew):
    """Begins with the last piece."""

    def as_done(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Generator[Any, None, None]:
        return super().as_done(work, list(items)[::-1])


@pytest.fixture(scope="module", autouse=True)
def _small_groups() -> object:
    """Several row groups also in a small run, none of them the size of a chunk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diaries, "_ROWS_PER_GROUP", 5000)
        yield


@pytest.mark.parametrize("chunk_replicates", [1, 7, 100, 4096])
def test_chunks_of_any_size_give_the_same_bytes(
    chunk_replicates: int, expected: tuple[bytes, list[bytes]], tmp_path: Path
) -> None:
    """The size of a piece of work is chosen for a machine's memory; a result that knew it could not be repeated."""
    assert made(tmp_path / "a", plan_of(chunk_replicates)) == expected


def test_any_order_gives_the_same_bytes(expected: tuple[bytes, list[bytes]], tmp_path: Path) -> None:
    """Workers finish when they finish."""
    assert made(tmp_path / "a", plan_of(4), Backwards()) == expected


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [2, 4])
def test_processes_give_the_same_bytes(n_workers: int, expected: tuple[bytes, list[bytes]], tmp_path: Path) -> None:
    """A run on a laptop and one on a server are one run."""
    assert made(tmp_path / "a", plan_of(4), Processes(n_workers)) == expected


def test_a_run_in_pieces_of_one_size_is_taken_up_in_them(expected: tuple[bytes, list[bytes]], tmp_path: Path) -> None:
    """Begun with chunks of 7, taken up by someone who asks for others: the begun ones stay."""
    folder = open_work(tmp_path, plan_of(7), "x")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_chunks(folder, plan_of(7), on_progress=stop)
    plan, _ = read_work(open_work(tmp_path, plan_of(100), "y"))
    assert plan.chunk_replicates == 7
    assert made(tmp_path, plan) == expected


def test_each_row_is_a_day_of_the_person(tmp_path: Path) -> None:
    """A shifted or transposed column would still look like a diary."""
    plan = plan_of()
    made(tmp_path / "a", plan)
    table = pq.read_table(tmp_path / "a" / "diaries.parquet").to_pandas()
    batch = plan.simulate(Chunk(first=0, count=N_REPLICATES))
    n_subjects, n_days = plan.protocol.population.n_subjects, plan.protocol.follow_up_days
    shape = (N_REPLICATES * n_subjects, n_days)
    assert len(table) == shape[0] * n_days
    keys = table[["replicate", "subject", "day"]].to_numpy().reshape(*shape, 3)
    assert np.array_equal(keys[:, 0, 0], np.repeat(np.arange(N_REPLICATES), n_subjects))
    assert np.array_equal(keys[:, 0, 1], np.tile(np.arange(n_subjects), N_REPLICATES))
    assert np.array_equal(keys[0, :, 2], np.arange(n_days))
    assert np.array_equal(table["use"].to_numpy().reshape(shape), batch.course.use)
    assert np.array_equal(table["amount"].to_numpy().reshape(shape), batch.course.amount)
    assert np.array_equal(table["craving_vas"].to_numpy().reshape(shape), batch.course.vas)
    assert np.array_equal(table["in_study"].to_numpy().reshape(shape).sum(axis=1), batch.course.days_in_study)
    assert np.array_equal(table["observed"].to_numpy().reshape(shape), batch.observation.seen)
    names = [arm.id for arm in plan.protocol.arms]
    assert [names[code] for code in batch.arm] == table["arm"].to_numpy().reshape(shape)[:, 0].tolist()
    reported = table["reported_use"].to_numpy().reshape(shape)
    assert np.array_equal(np.isnan(reported), ~batch.observation.seen)
    assert np.array_equal(reported[batch.observation.seen], batch.observation.diary[batch.observation.seen])


def test_columns_say_what_they_are(tmp_path: Path) -> None:
    """A file on its own, years later: simulated, with unit and long name of each column; groups of one fixed size."""
    made(tmp_path / "a", plan_of())
    with pq.ParquetFile(tmp_path / "a" / "diaries.parquet") as file:
        for field in file.schema_arrow:
            assert field.metadata[b"origin"] == b"simulated"
            assert field.metadata[b"unit"]
            assert field.metadata[b"long_name"]
        assert file.schema_arrow.field("amount").metadata[b"unit"] == b"UK units"
        assert b"simulated" in file.schema_arrow.metadata[b"origin"]
        sizes = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
    assert sizes[:-1] == [5000] * (len(sizes) - 1)
    assert len(sizes) > 2


def test_a_substance_without_amounts_says_so() -> None:
    """A one that reads like one unit of the substance would be an invented number."""
    plan = plan_trial(small_protocol(substance="opioid"), n_replicates=1, seed=3, with_diaries=True)
    assert diaries.diary_schema(plan).field("amount").metadata[b"unit"] == b"1 on a use day"


def test_memory_holds_a_group_and_a_chunk_at_most(tmp_path: Path) -> None:
    """Chunks are asked for one by one while the file is written."""
    plan = plan_of(1)
    payload = pack_table(diary_table(plan, plan.chunks[0], plan.simulate(plan.chunks[0])))
    rows = unpack_table(payload).num_rows
    sizes: list[int] = []

    def chunks() -> object:
        for _ in range(40):
            sizes.append(next(tmp_path.iterdir()).stat().st_size)  # under its hidden name
            yield payload

    write_diaries(plan, chunks(), tmp_path / "d.parquet")  # type: ignore[arg-type] # an iterator of bytes
    assert 40 * rows > 3 * 5000
    assert sizes[-1] > sizes[0]


def test_damaged_diaries_are_named(tmp_path: Path) -> None:
    """They are as much a result as the table."""
    plan = plan_of()
    with ChunkStore(tmp_path / "chunks.sqlite") as store:
        piece = do_piece(plan, plan.chunks[0])
        store.save(replace(piece, diary=None))
        with pytest.raises(ProvenanceError, match="diary 0"):
            store.load_diary(plan.chunks[0])


def test_a_piece_too_large_for_memory_is_refused() -> None:
    """Better a sentence than a process that the system kills."""
    with pytest.raises(SpecError, match="person-days"):
        plan_trial(small_protocol(), n_replicates=100_000, seed=3, chunk_replicates=100_000)
    with pytest.raises(SpecError, match="chunk_replicates"):
        plan_trial(small_protocol(), n_replicates=10, seed=3, chunk_replicates=0)
