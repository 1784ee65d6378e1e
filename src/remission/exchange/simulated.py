"""The diaries of a run's simulated people, as a trial would have collected them.

A day counts as assessed where a diary came in, and use is what was reported, not what happened. The weekday of the
first dose is not kept with a run and stays unknown.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from remission.errors import ProvenanceError, RemissionError, RunError, SpecError
from remission.protocol.file import read_protocol
from remission.records.diaries import Diaries
from remission.runs.diaries import NO_AMOUNT
from remission.runs.folder import DIARIES, read_run


def diaries_of_run(folder: Path, *, replicate: int = 0) -> Diaries:
    """The diaries of one replicate of a run, marked as simulated.

    ``folder``: a finished run; its files are checked against their hashes. ``replicate``: which replicate, from 0.
    Raises RunError: no finished run, or one without diaries. Raises ProvenanceError: a file of the run was changed.
    Raises SpecError: the run has no such replicate.
    """
    read_run(folder)
    try:
        return _read(folder, replicate)
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, RemissionError):
            raise
        raise ProvenanceError(
            where=str(folder / DIARIES), got=f"a table that cannot be read ({str(error)[:120]})",
            allowed="the diaries that the run wrote",
            remedy="The file was changed, and its hash with it; run it again.",
        ) from None  # fmt: skip


def _read(folder: Path, replicate: int) -> Diaries:
    path = folder / DIARIES
    if not path.exists():
        raise RunError(
            where=str(folder), got="a run without diaries", allowed="a run with them",
            remedy="Run it again with --diaries.",
        )  # fmt: skip
    protocol = read_protocol(folder / "protocol.yaml", is_stored=True)
    table = pq.read_table(path, filters=[("replicate", "=", replicate)])
    if table.num_rows == 0:
        n_replicates = int(pc.max(pq.read_table(path, columns=["replicate"])["replicate"]).as_py()) + 1
        raise SpecError(where="--replicate", got=replicate, allowed=f"0 to {n_replicates - 1}")
    n_people = int(table["subject"][-1].as_py()) + 1
    shape = (n_people, table.num_rows // n_people)
    grid = {name: table[name].to_numpy().reshape(shape) for name in ("day", "use", "amount", "observed")}
    reported = table["reported_use"].fill_null(0).to_numpy().reshape(shape) == 1
    seen = grid["observed"].astype(bool)
    # The amount of a day that was reported as clean is not reported either; where use was only said, none is known.
    amount = np.where(reported, np.where(grid["use"] == 1, grid["amount"], np.nan), 0.0)
    arms = table["arm"].cast(pa.string()).to_pylist()[:: shape[1]]
    unit = table.schema.field("amount").metadata[b"unit"].decode()
    has_amounts = unit != NO_AMOUNT
    return Diaries(
        substance=protocol.substance.value,
        person=tuple(f"{replicate}-{number}" for number in range(n_people)),
        first_day=int(grid["day"][0, 0]),
        assessed=seen,
        used=reported & seen,
        amount=np.where(seen, amount, np.nan) if has_amounts else None,
        amount_unit=unit if has_amounts else None,
        weekday_of_first_day=np.full(n_people, -1),
        group=tuple(arms),
        origin="simulated",
        source=f"simulated by remission: {folder.name}, replicate {replicate}",
        day_zero="the day of the first dose",
    )
