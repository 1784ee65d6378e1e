"""Everybody's days as one Parquet file: one row per person and day, in the order of replicate, subject and day.

A chunk's days wait in the chunk store as an Arrow stream; the file is written from there a chunk at a time, so memory
does not grow with the run. Row groups have one fixed size whatever the chunks were, and the writer's settings are
fixed: the same run gives the same bytes.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from remission.files import new_bytes
from remission.library.loader import load_parameter_set
from remission.trial.batch import TrialBatch
from remission.trial.chunk import Chunk
from remission.trial.simulate import TrialPlan

NO_AMOUNT = "1 on a use day"
"""Unit of the amounts where none are modeled."""

_ROWS_PER_GROUP = 1 << 18
_REPEATED = ["replicate", "subject", "arm", "day", "use", "reported_use"]
"""Columns with few values, which a dictionary makes small."""


def diary_schema(plan: TrialPlan) -> pa.Schema:
    """Columns of the diaries with long name, unit and origin of each."""
    unit = _amount_unit(plan)
    columns = [
        ("replicate", pa.int32(), "replicate of the trial, from 0", "1"),
        ("subject", pa.int32(), "person within the replicate, from 0", "1"),
        ("arm", pa.dictionary(pa.int8(), pa.string()), "arm of the trial", "1"),
        (
            "day",
            pa.int16(),
            "day of the course, 0 is the day of the first dose",
            "day",
        ),
        ("use", pa.int8(), "1 on a day with use, the true course", "1"),
        ("amount", pa.float64(), "amount used on the day, the true course", unit),
        ("craving_vas", pa.float64(), "craving of the day without report error", "VAS 0 to 100"),
        ("in_study", pa.bool_(), "whether the person is still in the study", "1"),
        ("observed", pa.bool_(), "whether a diary that came in covers the day", "1"),
        ("reported_use", pa.int8(), "1 on a day with reported use; null where no diary came in", "1"),
    ]
    fields = [
        pa.field(name, kind, metadata={"long_name": words, "unit": unit, "origin": "simulated"})
        for name, kind, words, unit in columns
    ]
    about = {
        "description": "one row per person and day",
        "origin": "simulated by remission",
        "protocol": plan.protocol.id,
        "protocol_sha256": plan.protocol.content_hash,
        "seed": str(plan.seed),
    }
    return pa.schema(fields, metadata=about)


def _amount_unit(plan: TrialPlan) -> str:
    """The unit of an amount as the parameter set gives it; where none is modeled an amount is 1 on a use day."""
    known = load_parameter_set(plan.parameter_set)
    name = f"mu_a.{plan.protocol.substance.value}"
    return known[name].unit.removeprefix("log ") if name in known else NO_AMOUNT


def diary_table(plan: TrialPlan, chunk: Chunk, batch: TrialBatch) -> pa.Table:
    """The days of a chunk's people as rows."""
    course, observed = batch.course, batch.observation
    before = (course.baseline_use, course.baseline_amount, course.baseline_vas)
    since = (course.use, course.amount, course.vas)
    use, amount, vas = (np.concatenate(pair, axis=1) for pair in zip(before, since, strict=True))
    seen, reported = observed.seen, observed.diary
    if observed.before is not None:
        seen = np.concatenate([observed.before.seen, seen], axis=1)
        reported = np.concatenate([observed.before.diary, reported], axis=1)
    n_people, n_days = use.shape
    n_subjects = plan.protocol.population.n_subjects
    person = np.arange(n_people, dtype=np.int32)
    day = np.arange(n_days, dtype=np.int16) - np.int16(course.baseline_use.shape[1])
    arms = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(batch.arm.astype(np.int8), n_days)), pa.array([arm.id for arm in plan.protocol.arms])
    )
    columns = [
        np.repeat(chunk.first + person // n_subjects, n_days).astype(np.int32),
        np.repeat(person % n_subjects, n_days),
        arms,
        np.tile(day, n_people),
        use.astype(np.int8).ravel(),
        amount.ravel(),
        vas.ravel(),
        (day < course.days_in_study[:, None]).ravel(),
        seen.ravel(),
        pa.array(reported.astype(np.int8).ravel(), mask=~seen.ravel()),
    ]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=diary_schema(plan))


def pack_table(table: pa.Table) -> bytes:
    """A table as one block of bytes."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def unpack_table(payload: bytes) -> pa.Table:
    """The table in a block of bytes."""
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_all()


def write_diaries(plan: TrialPlan, payloads: Iterable[bytes], path: Path) -> None:
    """Write the diaries of all chunks, given in the order of their replicates.

    Raises ``OSError``: the file cannot be written.
    """
    schema = diary_schema(plan)
    with (
        new_bytes(path) as file,
        pq.ParquetWriter(
            file,
            schema,
            version="2.6",
            compression="zstd",
            compression_level=3,
            use_dictionary=_REPEATED,
            data_page_size=1 << 20,
            write_batch_size=1024,
        ) as writer,
    ):
        waiting = schema.empty_table()
        for payload in payloads:
            waiting = pa.concat_tables([waiting, unpack_table(payload)])
            while waiting.num_rows >= _ROWS_PER_GROUP:
                _write_group(writer, waiting.slice(0, _ROWS_PER_GROUP))
                waiting = waiting.slice(_ROWS_PER_GROUP)
        if waiting.num_rows:
            _write_group(writer, waiting)


def _write_group(writer: pq.ParquetWriter, rows: pa.Table) -> None:
    # In one piece: the pages of a file follow the pieces that they come in.
    writer.write_table(rows.combine_chunks(), row_group_size=_ROWS_PER_GROUP)
