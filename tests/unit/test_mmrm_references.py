"""Fits beside printed output of SAS PROC MIXED, where the reference files are at hand."""

import pytest
from validation.mmrm_references import FOLDER, compare

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the reference files are not at hand")


def test_every_printed_number_is_met() -> None:
    """Estimates, errors, degrees of freedom, covariances, likelihoods and F tests, in the digits that are printed."""
    rows = list(compare())
    assert len(rows) > 100
    assert [row for row in rows if not row.agrees] == []
