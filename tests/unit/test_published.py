"""Published results: found by the record's own words, cited by identifiers, never by a copy's address."""

import re

import pytest

from remission.errors import LibraryError
from remission.library import published
from remission.library.published import (
    list_trials,
    published_outcome,
    published_outcomes,
    trial_citation,
    trial_record,
)
from remission.records import packaged

PDA = "percentage days abstinent over 6 months"


def test_an_outcome_is_found_with_its_interval_and_kind() -> None:
    """The number beside the simulated one, with what it is worth."""
    found = published_outcome(
        "grabski_2022_kare",
        arm_or_contrast="K pooled (48) vs saline pooled (48)",
        endpoint=PDA,
        statistic="mean difference (percentage points)",
    )
    assert (found.value, found.ci_low, found.ci_high, found.n) == (10.1, 1.1, 19.0, 96)
    assert (found.source_kind, found.time_days, found.doi) == (
        "abstract or registry",
        180,
        "10.1176/appi.ajp.2021.21030277",
    )
    derived = published_outcome(
        "grabski_2022_kare", arm_or_contrast="PE", endpoint=PDA, statistic="mean percent (DERIVED)"
    )
    assert derived.source_kind == "derived"
    assert "86 - 15.9" in str(derived.derivation)
    assert derived.ci_low is None


def test_words_that_match_nothing_are_refused_with_the_nearest() -> None:
    """A comparison with nothing would leave an empty cell that looks like an unpublished number."""
    with pytest.raises(LibraryError) as caught:
        published_outcome("grabski_2022_kare", arm_or_contrast="KT v PE", endpoint=PDA, statistic="mean percent")
    assert caught.value.where == "evidence.grabski_2022_kare"
    assert "KT | percentage days abstinent" in caught.value.remedy
    with pytest.raises(LibraryError, match="no outcome with a value"):
        published_outcome("kirshenbaum_2009", arm_or_contrast="all", endpoint="x", statistic="y")


def test_words_that_match_twice_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of two would be a choice nobody made."""
    known = published_outcomes("dakwar_2019_cocaine")
    monkeypatch.setattr(published, "published_outcomes", lambda _: (*known, known[0]))
    first = known[0]
    with pytest.raises(LibraryError, match="2 have these"):
        published_outcome(
            "dakwar_2019_cocaine",
            arm_or_contrast=first.arm_or_contrast,
            endpoint=first.endpoint,
            statistic=first.statistic,
        )


def test_an_unknown_record_is_refused_with_the_nearest() -> None:
    """A misspelt evidence id must not pass as a trial without results."""
    with pytest.raises(LibraryError, match="grabski_2022_kare"):
        trial_record("grabski_2022")


def test_a_damaged_registry_is_a_library_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation can lose a file."""

    class Broken:
        def joinpath(self, *_: str) -> "Broken":
            return self

        def read_bytes(self) -> bytes:
            return b"{"

    monkeypatch.setattr(packaged, "files", lambda _: Broken())
    with pytest.raises(LibraryError, match="Install the package again"):
        packaged.evidence_records.__wrapped__()


def test_citations_hold_verified_identifiers_and_no_address() -> None:
    """Readers get the DOI, PMID or registry number; where a copy was read is not a citation."""
    assert "doi:10.1176/appi.ajp.2019.18101123. PMID 31230464. NCT01535937." in str(
        trial_citation("dakwar_2019_cocaine")
    )
    kare = trial_citation("grabski_2022_kare")
    assert kare.pmid is None
    assert kare.registrations == ("NCT02649231", "EudraCT 2015-000222-11")
    assert trial_citation("das_2019_reconsolidation").pmid == "31772157"
    assert trial_citation("u01_cocaine_outpatient").registrations == ()
    assert trial_citation("combine_2006").registrations == ()
    assert trial_citation("adapt2_2021").doi is None
    for name in list_trials():
        text = str(trial_citation(name))
        assert re.search(r"https?:|www\.", text) is None, text


def test_every_outcome_of_the_registry_can_be_looked_up() -> None:
    """Words must be unique within a record, or a comparison could not name its number."""
    for name in list_trials():
        for item in published_outcomes(name):
            found = published_outcome(
                name, arm_or_contrast=item.arm_or_contrast, endpoint=item.endpoint, statistic=item.statistic
            )
            assert found == item
            assert item.ci_low is None or item.ci_high is None or item.ci_low <= item.value <= item.ci_high
