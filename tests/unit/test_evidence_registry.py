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
from remission.evidence.registry import TOPICS, citation_of, load_evidence, public_record
from remission.evidence.verdicts import (
    NO_DIFFERENCE,
    direction_of,
    direction_of_outcome,
    found_text,
    result_of,
    verdicts,
)
from remission.library.published import list_trials
from remission.records.evidence import CareRecord, StudyOutcome, StudyRecord

REGISTRY = load_evidence()
KARE = "grabski_2022_kare"
BESIDE = {topic: "standard-care.json" if topic == "care" else f"{topic}.json" for topic in TOPICS}


def read(name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(files("remission.library").joinpath(name).read_bytes())
    return content


@pytest.mark.parametrize(
    ("name", "kind"), [("evidence.json", StudyRecord), *((name, CareRecord) for name in BESIDE.values())]
)
def test_every_record_comes_back_as_it_was_read(name: str, kind: type[StudyRecord] | type[CareRecord]) -> None:
    """A record that changes on its way is a number that nobody published; 2 and 2.0 differ here on purpose."""
    for item in read(name):
        expected = json.dumps(item, sort_keys=True)
        assert expected == json.dumps(kind.from_dict(item).to_dict(), sort_keys=True), item["id"]


def test_no_record_is_left_out_and_ids_are_unique() -> None:
    """A record dropped on reading is evidence hidden."""
    assert [item["id"] for item in read("evidence.json")] == [study.id for study in REGISTRY.studies]
    assert tuple(study.id for study in REGISTRY.studies) == list_trials()
    for topic, name in BESIDE.items():
        assert [item["id"] for item in read(name)] == [record.id for record in REGISTRY.about(topic)]
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
            is_contrast = " vs " in item.arm_or_contrast or " v " in item.arm_or_contrast
            assert is_contrast == (comparison_of(item.arm_or_contrast) is not None), item
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
        if study.pmid is not None and ("unverified" in study.pmid or "memory" in study.pmid):
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


def test_a_row_with_an_unverified_author_or_journal_is_cited_by_its_numbers_alone() -> None:
    """A name that nobody checked may be another person's; the number leads to the paper all the same."""
    for record_id, expected in (
        ("ex_gimenez_craving", "PMC7277811."),
        ("ukatt_ddd", "PMC1200586."),
        ("cpd_ebbert_b", "doi:10.1001/jama.2013.283185. PMC3959999."),
        ("diet_ketogenic", "NCT03255031."),
    ):
        assert citation_of(REGISTRY[record_id]) == expected
    assert "Lardier" in citation_of(REGISTRY["ex_lardier_volume"])
    # A DOI that was remembered, and the number of a later trial, are no identifiers of a paper.
    assert "10.1080" not in citation_of(REGISTRY["azhari_2021_cannabis"])
    assert "NCT05505630" not in citation_of(REGISTRY["tobacco_pilot_null"])
    assert "ISRCTN85955128" in citation_of(REGISTRY["more_kare"])


def test_every_result_in_words_is_a_verdict() -> None:
    """A "no difference" that stands in a record only is a null that no picture shows."""
    known = {(one.study.id, one.contrast, one.endpoint) for one in verdicts(REGISTRY)}
    for study in REGISTRY.studies:
        for item in study.outcomes:
            if item.value is None and item.statistic.startswith("direction"):
                assert (study.id, item.arm_or_contrast, item.endpoint) in known
                if "no difference" in item.statistic:
                    one = next(one for one in verdicts(REGISTRY) if one.endpoint == item.endpoint)
                    assert one.says == NO_DIFFERENCE
                    assert one.endpoints


@pytest.mark.parametrize(
    ("record_id", "expected"),
    [
        ("yoon_2025_rct", "no difference"), ("jovaisa_2006", "no difference"), ("tobacco_pilot_null", "no difference"),
        ("lii_2023_masked", "no difference"), ("trivedi_2017_stride", "no difference"),
        ("terasaki_2022", "no difference"), (KARE, "some differences, some none"),
        ("krupitsky_2007_heroin", "some differences, some none"), ("dakwar_2020_aud", "a difference"),
        ("more_kare", "no result yet"), ("nct06496750_meth", "no result yet"),
        ("bowen_2014_mbrp", "some differences, some none"),
        ("azhari_2021_cannabis", "no comparison that can be judged"), ("das_2019_reconsolidation", "a result in words"),
    ],
)  # fmt: skip
def test_what_a_record_found(record_id: str, expected: str) -> None:
    """Derived from its own contrasts and words; an interval that holds no effect is a null, whatever its direction."""
    study = REGISTRY[record_id]
    assert isinstance(study, StudyRecord)
    assert result_of(study) == expected


@pytest.mark.parametrize(
    ("record_id", "expected"),
    [
        ("friedmann_2008_trazodone", "a difference: harm"),
        ("dakwar_2020_aud", "a difference: favors treatment"),
        ("pizon_2018_aws", "a difference: favors treatment"),
        ("cadth_2024", "a difference: favors treatment [secondary]"),
        # Its endpoint mixes abstinence with less use, so no better side is on file.
        ("ma_sicignano_2024", "a difference: direction unknown"),
        ("bowen_2014_mbrp", "some differences, some none: favors treatment [secondary]"),
        # A null in two endpoints in words, and numbers of single arms in another: no way is on file.
        ("krupitsky_2007_heroin", "some differences, some none: direction unknown"),
        ("terasaki_2022", "no difference"),
    ],
)
def test_a_difference_says_which_way(record_id: str, expected: str) -> None:
    """A harm that is listed as "a difference" reads as a success."""
    study = REGISTRY[record_id]
    assert isinstance(study, StudyRecord)
    assert found_text(study) == expected


@pytest.mark.parametrize(
    ("changes", "role", "result", "direction"),
    [
        ({"value": 0.12, "ci_low": 0.09, "ci_high": 0.15}, None, "a difference", "favors treatment"),
        ({}, "comparison (sleep)", "a difference", "favors control"),
        ({"statistic": "odds ratio", "value": 0.5, "ci_low": 0.3, "ci_high": 0.8}, None, "a difference", "harm"),
        (
            {"endpoint": "treatment dropout", "statistic": "odds ratio", "value": 0.5, "ci_low": 0.3, "ci_high": 0.8},
            None,
            "a difference",
            "favors treatment",
        ),
        (
            {"endpoint": "dissociation", "statistic": "risk ratio", "value": 3.0, "ci_low": 2.0, "ci_high": 4.0},
            "comparison",
            "a difference",
            "harm",
        ),
        ({"ci_low": -0.3, "ci_high": 0.1}, None, "no difference", "no difference"),
        # A bare number claims no difference; "percent lower" does, but not alone.
        ({"ci_low": None, "ci_high": None}, None, "no comparison that can be judged", ""),
    ],
)
def test_the_direction_follows_the_sign_and_the_better_side(
    changes: dict[str, Any], role: str | None, result: str, direction: str
) -> None:
    """Made-up neighbours of one harm: another sign, scale, endpoint or role turns the words round."""
    study = REGISTRY["friedmann_2008_trazodone"]
    assert isinstance(study, StudyRecord)
    item = study.outcomes[0].replace(**changes)
    changed = study.replace(outcomes=(item,), role=role or study.role)
    assert direction_of_outcome(changed, item) == direction
    assert result_of(changed) == result
    assert direction_of(changed) == (direction if result == "a difference" else "")


def test_a_null_in_words_never_hides_a_claim_in_numbers() -> None:
    """No difference at 3 months and a third fewer relapses at 12 are both on file, so both are said."""
    study = REGISTRY["bowen_2014_mbrp"]
    assert isinstance(study, StudyRecord)
    claim, null = study.outcomes[0], study.outcomes[2]
    assert result_of(study.replace(outcomes=(null,))) == "no difference"
    # A bare ratio beside a null is no claim: counting it would be the flattering reading.
    bare = claim.replace(statistic="odds ratio", value=0.9)
    assert result_of(study.replace(outcomes=(bare, null))) == "no difference"
    more = study.replace(outcomes=(claim.replace(statistic="percent higher"), null))
    assert found_text(more) == "some differences, some none: favors control [secondary]"


def test_known_conflicts_are_kept_for_new_records_too() -> None:
    """What two sources say differently must not be settled by which one was typed in."""
    for record_id in ("more_kare", "friedmann_2008_trazodone", "dakwar_2017_lab", "dep_moggi", "ex_thompson_alc"):
        assert REGISTRY.conflicts(record_id)
