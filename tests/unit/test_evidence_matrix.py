"""Treatment by substance: one rule for every treatment, and ketamine gets no easier one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remission.errors import LibraryError
from remission.evidence.matrix import COLUMNS, READINGS, evidence_matrix, reading_of, row_names, row_of
from remission.evidence.registry import EvidenceRegistry, load_evidence
from remission.records.evidence import CareRecord, StudyRecord
from remission.report.evidence_text import study_name, study_title

EVIDENCE = load_evidence()
NUMBERS = (*EVIDENCE.care, *EVIDENCE.about("way-of-life"))
PLAIN = next(one for one in NUMBERS if one.id == "alc_acamprosate_any_drinking")
STUDIES: tuple[StudyRecord | CareRecord, ...] = EVIDENCE.studies


def test_every_record_has_a_row_and_a_reading() -> None:
    """A treatment that is forgotten would be missing from the first thing a reader sees."""
    for record in (*STUDIES, *NUMBERS):
        assert row_of(record) in row_names()
        assert reading_of(record) in READINGS
    with pytest.raises(LibraryError, match="a new drug"):
        row_of(PLAIN.model_copy(update={"treatment": "a new drug"}))
    with pytest.raises(LibraryError, match="a new endpoint"):
        reading_of(PLAIN.model_copy(update={"endpoint": "a new endpoint"}))


def test_each_record_is_counted_once_in_each_substance() -> None:
    """The counts of a cell are its records, no more and no less."""
    found = evidence_matrix(EVIDENCE)
    for row in found:
        assert len(row.cells) == len(COLUMNS)
        for cell in row.cells:
            if cell is not None:
                assert sum(cell.counts.values()) == len(cell.records) == len(set(cell.records))
                assert {row_of(EVIDENCE[name]) for name in cell.records} == {row.id}


@given(low=st.floats(0.05, 5.0), width=st.floats(0.0, 4.0))
def test_only_an_interval_that_excludes_no_effect_speaks(low: float, width: float) -> None:
    """Ratios of drinking: below 1 is good, above 1 is worse, and what holds 1 says nothing."""
    record = PLAIN.model_copy(update={"ci_low": low, "ci_high": low + width, "value": low + width / 2})
    expected = "favors" if low + width < 1.0 else "worse" if low > 1.0 else "none"
    assert reading_of(record) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source_kind": "secondary"}, "indirect"),
        ({"source_kind": "guideline"}, "indirect"),
        ({"ci_high": None}, "words"),
        ({"comparator": None}, "alone"),
        ({"comparator": "nicotine patch"}, "beside"),
        ({"endpoint": "nausea (harm)"}, "harm"),
        ({"statistic": "mean"}, "words"),
        ({"endpoint": "continuous abstinence"}, "worse"),
        ({"statistic": "direction: no difference", "value": None, "ci_low": None, "ci_high": None}, "none"),
    ],
)
def test_what_was_read_elsewhere_never_speaks_in_favor(change: dict[str, object], said: str) -> None:
    """The default is never the flattering one."""
    assert reading_of(PLAIN) == "favors"
    assert reading_of(PLAIN.model_copy(update=change)) == said


def test_a_cell_is_in_favor_only_where_nothing_says_otherwise() -> None:
    """One null among many good numbers must be seen."""
    good = EvidenceRegistry(studies=(), care=(PLAIN,))
    null = PLAIN.model_copy(update={"id": "x", "ci_high": 1.2})
    both = EvidenceRegistry(studies=(), care=(PLAIN, null))
    says = [evidence_matrix(one)[0].cells[0] for one in (good, both)]
    assert [cell and cell.says for cell in says] == ["favors", "disagree"]


def test_a_study_has_a_title_that_people_read() -> None:
    """An id is a name for programs; two studies with one title could not be told apart."""
    titles = Counter(study_title(one) for one in EVIDENCE.studies)
    assert [title for title, count in titles.items() if count > 1] == []
    for study in EVIDENCE.studies:
        assert "_" not in study_title(study)
        assert len(study_title(study)) > 5
    kare = EVIDENCE["grabski_2022_kare"]
    assert isinstance(kare, StudyRecord)
    assert study_name(kare) == "Grabski 2022"
    assert study_title(kare).startswith("Adjunctive ketamine with relapse prevention-based")
