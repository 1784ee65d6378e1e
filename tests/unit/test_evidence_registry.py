"""The registry: nothing lost, nothing invented, kinds and conflicts kept, no address shown."""

import json
from importlib.resources import files
from typing import Any

import pytest

from remission.errors import LibraryError, SpecError
from remission.evidence.classes import (
    comparison_of,
    declared_conflicts,
    design_of,
    endpoint_classes,
    endpoint_of,
    role_of,
    substances_of,
    time_band_of,
)
from remission.evidence.records import CareRecord, StudyOutcome, StudyRecord
from remission.evidence.registry import citation_of, load_evidence, public_record
from remission.library.published import list_trials

REGISTRY = load_evidence()
KARE = "grabski_2022_kare"


def read(name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(files("remission.library").joinpath(name).read_bytes())
    return content


@pytest.mark.parametrize(("name", "kind"), [("evidence.json", StudyRecord), ("standard-care.json", CareRecord)])
def test_every_record_comes_back_as_it_was_read(name: str, kind: type[StudyRecord] | type[CareRecord]) -> None:
    """A record that changes on its way is a number that nobody published; 2 and 2.0 differ here on purpose."""
    for item in read(name):
        expected = json.dumps(item, sort_keys=True)
        assert expected == json.dumps(kind.from_dict(item).to_dict(), sort_keys=True), item["id"]


def test_no_record_is_left_out_and_ids_are_unique() -> None:
    """A record dropped on reading is evidence hidden."""
    assert [item["id"] for item in read("evidence.json")] == [study.id for study in REGISTRY.studies]
    assert tuple(study.id for study in REGISTRY.studies) == list_trials()
    assert [item["id"] for item in read("standard-care.json")] == [record.id for record in REGISTRY.care]
    assert len({record.id for record in REGISTRY}) == len(REGISTRY)


@pytest.mark.parametrize(
    ("field", "value"), [("source_kind", "rumor"), ("value", "many"), ("n", -1), ("surprise", 1), ("ci_low", True)]
)
def test_an_outcome_that_does_not_fit_is_refused(field: str, value: object) -> None:
    """A field nobody knows, or a kind nobody defined, must stop the reading, not slip through."""
    item = {**read("evidence.json")[0]["outcomes"][0], field: value}
    with pytest.raises(SpecError) as caught:
        StudyOutcome.from_dict(item)
    assert field in str(caught.value)


def test_every_text_of_the_registry_is_grouped_once() -> None:
    """A text without a group would fall out of filters and forest plots without a word."""
    for record in REGISTRY:
        assert substances_of(record.substance)
    for study in REGISTRY.studies:
        assert role_of(study.role)
        assert design_of(study.id)
        for item in study.outcomes:
            assert item.endpoint in endpoint_of(item.endpoint).texts
            assert (" vs " in item.arm_or_contrast) == (comparison_of(item.arm_or_contrast) is not None), item
    texts = [text for found in endpoint_classes().values() for text in found.texts]
    assert sorted(texts) == sorted({item.endpoint for study in REGISTRY.studies for item in study.outcomes})


def test_a_text_that_is_not_grouped_is_an_error() -> None:
    """A new record asks for a decision; a silent "other" would be one nobody made."""
    for look_up in (substances_of, role_of, design_of, endpoint_of):
        with pytest.raises(LibraryError, match="hopscotch"):
            look_up("hopscotch")


def test_bands_of_follow_up() -> None:
    """The last day of a band belongs to it; a contrast without a day belongs to none."""
    days = [0, 45, 46, 135, 270, 271, 1170]
    assert [time_band_of(day) for day in days] == [
        "up to 6 weeks", "up to 6 weeks", "2 to 4 months", "2 to 4 months", "5 to 9 months", "10 months or later",
        "10 months or later",
    ]  # fmt: skip
    assert time_band_of(None) is None


def test_filters_narrow_and_leave_records_unchanged() -> None:
    """Each filter against a plain loop over the file."""
    studies = read("evidence.json")
    press = [item["id"] for item in studies if any(o["source_kind"] == "press" for o in item["outcomes"])]
    assert press == [study.id for study in REGISTRY.filter(source_kind="press").studies]
    targets = [item["id"] for item in studies if item["role"] == "prospective prediction target"]
    assert targets == [study.id for study in REGISTRY.filter(role="prospective prediction target").studies]
    assert KARE in {study.id for study in REGISTRY.filter(substance="alcohol", design="randomized").studies}
    guided = [item["id"] for item in read("standard-care.json") if item["source_kind"] == "guideline"]
    assert guided == [record.id for record in REGISTRY.filter(source_kind="guideline").care]
    assert not REGISTRY.filter(role="comparator").care
    both = REGISTRY.filter(source_kind="press", has_interval=True)
    expected = [
        s["id"] for s in studies if any(o["source_kind"] == "press" and o["ci_low"] is not None for o in s["outcomes"])
    ]
    assert expected == [study.id for study in both.studies]
    assert all(study is REGISTRY[study.id] for study in both.studies)


@pytest.mark.parametrize(
    ("condition", "near"),
    [({"substance": "alkohol"}, "alcohol"), ({"role": "calibrations"}, "calibration"),
     ({"design": "randomised"}, "randomized"), ({"source_kind": "presss"}, "press")],
)  # fmt: skip
def test_an_unknown_filter_says_what_there_is(condition: dict[str, str], near: str) -> None:
    """An empty list for a slip of the pen looks like "no evidence"."""
    with pytest.raises(SpecError) as caught:
        REGISTRY.filter(**condition)  # type: ignore[arg-type] # text for every condition
    assert f"Did you mean {near}" in caught.value.remedy


def test_an_unknown_id_lists_the_nearest() -> None:
    """Ids are long; nobody types them right at once."""
    with pytest.raises(SpecError) as caught:
        REGISTRY["grabski_2022_care"]
    assert KARE in caught.value.remedy


def test_paper_and_press_stand_side_by_side() -> None:
    """The relapse endpoint of the alcohol trial showed no difference; press texts say otherwise. Both are shown."""
    relapse = REGISTRY.conflicts(KARE)[0]
    kinds = [(item.outcome.value, item.outcome.source_kind) for item in relapse.statements]
    assert kinds == [(0.8, "secondary"), (2.5, "press"), (2.7, "secondary")]
    assert (relapse.statements[0].outcome.ci_low, relapse.statements[0].outcome.ci_high) == (0.31, 2.1)


def test_every_note_of_a_conflict_is_in_the_list_of_conflicts() -> None:
    """A conflict that only stands in a note is a conflict that nobody sees."""
    declared = {tuple(words) for entry in declared_conflicts() for words in entry["statements"]}
    for study in REGISTRY.studies:
        for item in study.outcomes:
            if any(word in (item.note or "") for word in ("CONFLICT", "DIFFERS", "CRITIQUE", "differs")):
                assert (study.id, item.arm_or_contrast, item.endpoint, item.statistic) in declared
    for study in REGISTRY.studies:
        REGISTRY.conflicts(study.id)


def test_nothing_shown_has_an_address_and_kinds_stay() -> None:
    """Readers get DOI, PMID or registry number; where a number was read is for checking only."""
    for record in REGISTRY:
        text = json.dumps(public_record(record))
        assert "http" not in text
        assert "www." not in text
        assert "source_url" not in text
        assert text.count('"source_kind"') == (len(record.outcomes) if isinstance(record, StudyRecord) else 1)


def test_citations_name_verified_identifiers_only() -> None:
    """An identifier that nobody verified may lead to another paper."""
    assert "doi:10.1176/appi.ajp.2021.21030277" in citation_of(REGISTRY[KARE])
    for study in REGISTRY.studies:
        if study.pmid is not None and "unverified" in study.pmid:
            assert study.pmid.split()[0] not in citation_of(study)
            assert study.pmid.split()[0] not in json.dumps(public_record(study))
    for record in REGISTRY.care:
        assert (record.doi_or_pmid or "") in citation_of(record)
    assert "PMID 16670409." in citation_of(next(r for r in REGISTRY.care if r.doi_or_pmid == "16670409"))


def test_an_interval_needs_both_ends() -> None:
    """Half an interval must never be drawn as a whole one."""
    assert sum(item.has_interval for study in REGISTRY.studies for item in study.outcomes) == sum(
        None not in {o["value"], o["ci_low"], o["ci_high"]} for s in read("evidence.json") for o in s["outcomes"]
    )
