"""The harness itself: a law that is not tried proves nothing."""

import numpy as np
import pytest
from law_cases import law


def test_every_case_is_tried_with_its_own_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty cases that are one case would prove fifty times less than they say."""
    monkeypatch.delenv("REMISSION_LAWS", raising=False)
    monkeypatch.delenv("REMISSION_LAW_CASE", raising=False)
    seen = []

    @law(seed=1)
    def collect(rng: np.random.Generator) -> None:
        seen.append(rng.random())

    collect()
    assert len(set(seen)) == 50


def test_a_failure_names_its_case() -> None:
    """A law that fails once in a thousand cases is mended from that case alone."""

    @law(seed=2)
    def fail(rng: np.random.Generator) -> None:
        assert rng.random() < 0

    with pytest.raises(AssertionError) as caught:
        fail()
    assert "seed 2: REMISSION_LAW_CASE=0" in caught.value.__notes__[0]
