"""What readers see of a record explains itself, holds no note of ours, and says what it cannot tell."""

import html
import re

import pytest
from fastapi.testclient import TestClient

from remission.evidence.classes import endpoint_of
from remission.evidence.matrix import interval_holds_no_difference
from remission.evidence.registry import TOPICS, citation_of, load_evidence
from remission.evidence.therapies import kinds_with_readings
from remission.records.evidence import CareRecord, StudyRecord
from remission.records.packaged import packaged_toml
from remission.records.substance import Substance
from remission.records.therapy_kinds import therapy_worth
from remission.report.evidence_words import ZERO, cautions, cited, readable, texts_of
from remission.web.app import create_app
from remission.web.settings import WebSettings

REGISTRY = load_evidence()
NUMBERS = tuple(record for topic in TOPICS for record in REGISTRY.about(topic))
RECORDS: tuple[StudyRecord | CareRecord, ...] = (*REGISTRY.studies, *NUMBERS)
WORDS = packaged_toml("words", "evidence.toml")

# Notes that were written for who works on the program, not for who reads the page.
OURS = re.compile(
    r"SURPRISE|\bNULL\b|never draw|recheck|use this one|do not use|verify before|do not wait|obtain from|ideal target|"
    r"directly usable|enter it|in the store|stored record|double count|useful for|form to adopt|as the prior|anchor|"
    r"non-responder|drug user|\baddicts?\b|abuser|\bclean\b|\bhas_|_dx\b|P\(",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",))))


def words_of(page: str) -> str:
    main = page.split("<main", 1)[1].split("</main>", 1)[0]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def test_every_abbreviation_is_explained() -> None:
    """Somebody who is ill looks nothing up."""
    known = {*WORDS["means"], *WORDS["names"]["words"], *WORDS["names"]["loud"]}
    shown = {
        token: record.id
        for record in RECORDS
        for text in texts_of(readable(record))
        for token in re.findall(r"\b[A-Za-z0-9]*[A-Z]{2,}[A-Za-z0-9]*\b", text)
        if not re.fullmatch(r"(?:CD|NCT|PMC)\d+|[A-Z]{2,}", token) or token not in known
    }
    unknown = {token for token in shown if token not in known and not re.fullmatch(r"(?:CD|NCT|PMC)\d+", token)}
    assert not unknown, {token: shown[token] for token in unknown}


def test_no_note_of_ours_reaches_a_reader() -> None:
    for record in RECORDS:
        for text in texts_of(readable(record)):
            assert not OURS.search(text), (record.id, text)
            assert text.strip() not in {"same", "-."}, record.id


def test_words_for_readers_are_used() -> None:
    """A phrase that stands in no record any more is one that somebody believes to be mended."""
    texts = [text for record in RECORDS for text in texts_of(record)]
    kinds = [(kind, one.value) for kind in kinds_with_readings() for one in Substance]
    texts += [therapy_worth(kind, substance=substance).note for kind, substance in kinds]
    for phrase in WORDS["instead"]:
        assert any(phrase in text for text in texts), phrase
    for name, fields in WORDS["fields"].items():
        for field, words in fields.items():
            assert getattr(REGISTRY[name], field) != words, (name, field)
    assert all(REGISTRY[name] for name in WORDS["counts"])
    for phrase in WORDS["citation"]:
        assert any(phrase in record.citation for record in RECORDS), phrase


def test_readable_moves_no_number() -> None:
    for record in RECORDS:
        before, after = record.to_dict(), readable(record).to_dict()
        parts = [(before, after), *zip(before.get("outcomes", ()), after.get("outcomes", ()), strict=True)]
        parts += zip(before.get("arms", ()), after.get("arms", ()), strict=True)
        for one, other in parts:
            assert {key: value for key, value in one.items() if not isinstance(value, str | list | tuple)} == {
                key: value for key, value in other.items() if not isinstance(value, str | list | tuple)
            }


def test_titles_stay_as_they_were_printed() -> None:
    """Who looks a paper up needs its own words, whatever we would rather say."""
    for record in RECORDS:
        text = cited(record)
        assert "stored record" not in text
        assert not text.startswith("same "), record.id
        if not {"citation"} & set(WORDS["fields"].get(record.id, {})):
            ours = r" \((?:volume (?:from )?unverified|authors not in stored record)\)"
            assert re.sub(ours, "", text) == re.sub(ours, "", citation_of(record)), record.id
    assert "illicit drug users" in cited(REGISTRY["cbt_magill_all"])


def test_a_record_says_what_it_cannot_tell() -> None:
    for record in NUMBERS:
        said = " ".join(cautions(record))
        if record.comparator in {None, "-"}:
            assert "one group" in said or "counts people as they were" in said, record.id
        elif interval_holds_no_difference(record) or record.statistic == "direction: no difference":
            assert "not the same as none" in said, record.id
        elif not record.has_interval and not record.statistic.startswith("direction"):
            assert "No interval was read" in said, record.id
        if record.comparator not in {None, "-"} and re.search("acamprosate|disulfiram|topiramate", record.treatment):
            assert ("nothing of harms" in said) != ("(harm)" in record.endpoint), record.id
        if "depress" in record.treatment:
            assert "harms" not in said, record.id
    for study in REGISTRY.studies:
        said = " ".join(cautions(study))
        harms = [item for item in study.outcomes if endpoint_of(item.endpoint).id == "harm"]
        if any(item.value == 0 for item in harms):
            assert ZERO in said, study.id
        if not harms and any(arm.drug and "ketamine" in arm.drug for arm in study.arms):
            assert re.search("No harm was read|No result of|withdrawn", said), study.id


def test_cohorts_are_told_from_trials() -> None:
    """Who stays in treatment differs from who leaves: beside a ratio of deaths that must be said."""
    mixed = re.compile(r"cohorts?|observational|prisoners|primary care, |primary care 19")
    for record in REGISTRY.care:
        said = any("Chance did not decide" in text for text in cautions(record))
        if mixed.search(f"{record.population} {record.citation}") and record.comparator not in {None, "-"}:
            assert said != bool(re.search("psychiatric cohort|^brief", record.population)), record.id
        if "RCT" in record.population or "randomi" in record.population:
            assert not said, record.id


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nct05661669_ed", "Nobody took part"),
        ("nct06538285_meth", "No result of this study"),
        ("krupitsky_2012_implant", "Numbers of several groups"),
        ("krupitsky_2007_heroin", "Numbers of several groups"),
        ("kolp_2006", "no comparison between groups"),
        ("dakwar_2014_lab", "without an interval"),
        ("grabski_2022_kare", "two things at once"),
        ("alc_naltrexone_cochrane_any", "holds no difference"),
        ("opi_sordo_bup", "Chance did not decide"),
        ("opi_kakko_death", "A 0 is not never"),
        ("sr_rathore_2025", "not one more trial"),
        ("pizon_2018_aws", "Chance did not decide"),
        ("nesarc_lopezquintero_2011", "no reason to wait"),
    ],
)
def test_kinds_of_records(name: str, says: str) -> None:
    assert says in " ".join(cautions(REGISTRY[name])), name


def test_every_page_of_a_record(client: TestClient) -> None:
    """Each leads to help, holds no dose twice or without a unit, and no sides that are not its own."""
    for record in RECORDS:
        page = client.get(f"/evidence/{record.id}").text
        main, words = page.split("<main", 1)[1], words_of(page)
        assert 'href="/safety"' in main.split("</main>")[0], record.id
        assert "Do not start, stop or change" in words, record.id
        assert not re.search(r"nothing named|\d treated\b|\d control\b|\u2013 direction|, None|[^0-9]1 days", words), (
            record.id
        )
        assert not re.search(r"\b(\d[\d.]* mg)\b[^,]*, \1,", words), record.id
        for caution in cautions(record):
            assert caution in words, record.id
        body = re.sub(r"doi:\S+", " ", words)
        ids = {one.id for one in RECORDS}
        assert set(re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b", body)) <= ids, record.id


def test_a_review_counts_studies(client: TestClient) -> None:
    """The 8 of a review are studies, not people."""
    assert "8 studies" in words_of(client.get("/evidence/sr_garel_2022").text)
    assert "8402 drinking days" in words_of(client.get("/evidence/ctn_alc_heavy_share_27").text)


def test_a_picture_of_one_substance_holds_no_other(client: TestClient) -> None:
    rows = client.get("/evidence/forest.json?substance=alcohol&endpoint=remission").json()["figure"]["table"]["rows"]
    assert {row[1] for row in rows} == {"all", "alcohol"}


def test_a_result_in_words_says_which(client: TestClient) -> None:
    assert "not sustained after several days" in words_of(client.get("/evidence/dakwar_2017_lab").text)
    assert "Found: a result in words: which way is not on file" in words_of(
        client.get("/evidence/das_2019_reconsolidation").text
    )
    assert "several groups" not in " ".join(cautions(REGISTRY["project_match"]))


def test_the_list_says_the_same(client: TestClient) -> None:
    """What a row of the list says is what its page says."""
    page = client.get("/evidence").text
    words = words_of(page)
    rows = client.get("/evidence.json").json()
    notes = [row["risk_of_bias"] for row in rows["studies"]]
    notes += [row["note"] for part in (rows["care"], *(one["rows"] for one in rows["beside"])) for row in part]
    assert not [note for note in notes if OURS.search(note)]
    assert "8402 drinking days" in words
    assert "NNT how many people" in words
    assert 'href="/es/safety"' in page


def test_pictures_explain_their_words(client: TestClient) -> None:
    page = words_of(client.get("/evidence/forest?substance=alcohol&endpoint=abstinence").text)
    assert "MADRS a scale of depression" in page
    assert "press texts speak of 2.5 to 2.7 times" in page
    therapy = words_of(client.get("/evidence/therapy/contingency-management").text)
    assert "clean" not in therapy
    assert "odds ratio of abstinence" in therapy
