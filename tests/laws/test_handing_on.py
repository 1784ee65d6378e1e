"""Laws of what is handed on: shares of a run, and the files of other programs."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from law_cases import law
from validation.small_trials import small_protocol

from remission.errors import ProvenanceError, RunError
from remission.runs import shares
from remission.runs.shares import Share, check_shares, do_share
from remission.runs.work import open_work, read_work
from remission.trial.simulate import plan_trial


@pytest.fixture(scope="module")
def share_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share of four pieces, done."""
    plan = plan_trial(small_protocol(), n_replicates=4, seed=3, chunk_replicates=1)
    folder = open_work(tmp_path_factory.mktemp("runs"), plan, "x")
    do_share(folder, read_work(folder)[0], Share(1, 1))
    return next((folder / "shares").iterdir())


@law(seed=2301)
def test_a_share_cut_anywhere_is_a_shorter_one(rng: np.random.Generator, share_file: Path) -> None:
    """Whatever byte a job died at, what is whole is kept, nothing else is taken, and a changed byte is never taken."""
    whole = share_file.read_bytes()
    was = {kept.chunk.first: kept.read() for kept in shares._kept(share_file.parents[1])}
    end = int(rng.integers(len(whole)))
    changed = bytearray(whole)
    changed[end] ^= 1 << int(rng.integers(8))
    try:
        share_file.write_bytes(whole[:end])
        kept = check_shares(share_file.parents[1])
        assert kept == set(range(len(kept)))
        assert len(kept) < 4
        share_file.write_bytes(changed)
        with suppress(ProvenanceError, RunError):
            for kept_piece in shares._kept(share_file.parents[1]):
                assert kept_piece.read() == was[kept_piece.chunk.first]
    finally:
        share_file.write_bytes(whole)
