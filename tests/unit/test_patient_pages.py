"""What patients are told: every number from a record, people only where a trial counts them, plain words, no dose."""

import html
import re
import tomllib
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from page_strings import strings_of
from reading_grade import english_grade, english_syllables, spanish_ease, spanish_syllables

from remission.errors import LibraryError, SpecError
from remission.evidence.care import contacts_of, countries, fill, load_options, number_of, slots_of
from remission.evidence.registry import citation_of, load_evidence
from remission.evidence.verdicts import RESULTS, found_text, result_of
from remission.library.loader import load_parameter_set
from remission.library.protocols import load_protocol
from remission.library.published import trial_record
from remission.patient.standing import substances_without_trial
from remission.protocol.explanation import explain_arm
from remission.records.evidence import StudyOutcome, StudyRecord
from remission.records.packaged import packaged_toml
from remission.records.substance import Substance
from remission.report.document import report_content
from remission.report.words import ESTABLISHED
from remission.trial.simulate import simulate_trial
from remission.trial.summary import summarize_trial
from remission.web.app import create_app
from remission.web.language import LANGUAGES, load_text
from remission.web.pages.trials import published_rows, reading_notes, trials_with_page
from remission.web.retold import retold
from remission.web.settings import WebSettings

SUBSTANCES = ("alcohol", "opioid", "nicotine", "cocaine", "methamphetamine", "cannabis")
MUST_HAVE = {
    "alcohol": ("naltrexone", "acamprosate", "therapy"),
    "opioid": ("methadone", "buprenorphine", "naltrexone"),
    "nicotine": ("varenicline", "replacement", "bupropion"),
    "cocaine": ("incentives", "therapy"),
    "methamphetamine": ("incentives", "therapy"),
    "cannabis": ("incentives", "therapy"),
}
# Words that a page about these treatments cannot do without; a grade formula counts their syllables, readers meet them
# on every package.
NAMES = re.compile(
    r"(?i)\b(naltrexone|acamprosate|disulfiram|topiramate|gabapentin|buprenorphine|methadone|varenicline|bupropion|"
    r"cytisine|mirtazapine|ketamine|esketamine|naloxone|benzodiazepines?|contingency management|"
    r"cognitive behavioral therapy|methamphetamine|clinicaltrials|schizophrenia|audit|world health organization)\b"
)


def _text(language: str, name: str) -> dict[str, Any]:
    return tomllib.loads(files("remission.web").joinpath("text", language, f"{name}.toml").read_text("utf-8"))


PEOPLE = ("treated", "control", "treated_low", "treated_high", "control_low", "control_high")
PATIENT_TEXTS = ("journey", "safety", "diary", "family")


def _sentences(language: str, name: str) -> dict[str, Any]:
    """What a page says; words that a script puts together have places of their own and name keys and files."""
    return {key: value for key, value in _text(language, name).items() if key != "script"}


def _keys(content: Any, at: str = "") -> dict[str, tuple[str, ...]]:
    if isinstance(content, str):
        return {at: tuple(sorted(re.findall(r"\{[^}]*\}", content)))}
    if isinstance(content, bool | int):
        return {at: (str(content),)}
    items = content.items() if isinstance(content, dict) else enumerate(content)
    found: dict[str, tuple[str, ...]] = {}
    for key, value in items:
        found |= _keys(value, f"{at}.{key}")
    return found


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",))))


def _plain(page: str) -> str:
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main")])))


PAGES = [
    f"{prefix}/{page}" for prefix in ("", "/es") for page in (*(f"journey/{s}" for s in SUBSTANCES), "safety", "family")
]


@pytest.mark.parametrize("name", ["site", "home", "trial", "copy", "clinics", *PATIENT_TEXTS])
def test_languages_say_the_same(name: str) -> None:
    """A sentence that exists in one language only, or with another number, misinforms the readers of the other."""
    english = _keys(_text("en", name))
    for language in LANGUAGES:
        assert _keys(_text(language, name)) == english


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PATIENT_TEXTS)
def test_no_number_is_typed_into_a_text(name: str, language: str) -> None:
    """A typed number has no source; only the 100 of a count of people may stand in a sentence."""
    for text in strings_of(_sentences(language, name)):
        left = re.sub(r"\{[^}]*\}", "", text).replace("100", "")
        assert not re.search(r"\d", left), text


COUNTED = {
    "en": r"(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|half)",
    "es": r"(?:dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|cincuenta|medi[oa]|mitad)",
}
MEASURES = {
    "en": r"(?:minute|hour|day|week|month|year|people|patient|infusion|of (?:a )?hundred)",
    "es": r"(?:minuto|hora|día|semana|mes|año|persona|paciente|infusi)",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PATIENT_TEXTS)
def test_no_amount_is_spelled_out_in_a_text(name: str, language: str) -> None:
    """A number in letters escapes the check of digits and has no source either."""
    amount = re.compile(rf"(?i)\b{COUNTED[language]}\s+(?:\w+\s+)?{MEASURES[language]}")
    for text in strings_of(_sentences(language, name)):
        assert not amount.search(text), text
    assert amount.search({"en": "in the last two weeks", "es": "en las dos últimas semanas"}[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_signs_are_as_many_as_the_sentence_says(language: str) -> None:
    """The one number in letters that stays is the length of the list below it."""
    diagnosis = _text(language, "journey")["diagnosis"]
    assert {"en": "eleven", "es": "once"}[language] in diagnosis["lead"]
    assert len(diagnosis["signs"]) == 11


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_slot_is_filled(language: str) -> None:
    """A slot that names nothing would reach the reader in braces."""
    for name in PATIENT_TEXTS:
        for text in strings_of(_sentences(language, name)):
            # A word alone in braces is put in by the page itself; a record has a point in its name.
            assert "{" not in fill(re.sub(r"\{[a-z_0-9]+\}", "", text))


def counted_outcomes() -> list[tuple[dict[str, str], StudyOutcome]]:
    """What stands in the table of how sessions were borne, with its outcome in the registry."""
    table = packaged_toml("care", "tolerability.toml")
    found = []
    for entry in (one for name, entries in table.items() if name != "protocol" for one in entries):
        study = load_evidence()[entry["study"]]
        assert isinstance(study, StudyRecord)
        wanted = (entry["endpoint"], entry["contrast"])
        (outcome,) = (one for one in study.outcomes if (one.endpoint, one.arm_or_contrast) == wanted)
        found.append((entry, outcome))
    return found


@pytest.mark.parametrize("address", PAGES)
def test_every_number_on_a_page_stands_in_a_record(client: TestClient, address: str) -> None:
    """The page as the reader gets it: each group of digits is a part of a record, a citation or a telephone number."""
    answer = client.get(address)
    assert answer.status_code == 200
    known = {"100"}
    slots = {slot for language in LANGUAGES for t in PATIENT_TEXTS for slot in slots_of(repr(_text(language, t)))}
    icons = {name for option in load_options() for name in (*option.icons, *option.counts, option.alone) if name}
    for name in slots | icons:
        number = number_of(name)
        for part in ("value", "low", "high", "treated", "control", "n", "more", "months", "weeks", "days"):
            try:
                known |= set(re.findall(r"\d+", fill(f"{{{name}.{part}}}")))
            except LibraryError:
                continue
        ends = [getattr(number, name) for name in (*PEOPLE, "value")]
        known |= {str(round(share)) for end in ends if end is not None for share in (end, 100.0 - end)}
        known |= set(re.findall(r"\d+", f"{number.source} {number.n or ''}"))
    for country in countries():
        known |= set(re.findall(r"\d+", contacts_of(country).model_dump_json()))
    registry = load_evidence()
    for option in load_options():
        for source in option.sources:
            known |= set(re.findall(r"\d+", citation_of(registry[source])))
    for entry, outcome in counted_outcomes():
        ends = [outcome.value, outcome.ci_low, outcome.ci_high]
        known |= {str(round(end)) for end in ends if end is not None} | {str(outcome.n)}
        known |= set(re.findall(r"\d+", citation_of(registry[entry["study"]])))
    assert set(re.findall(r"\d+", _plain(answer.text))) <= known
    assert "object at" not in answer.text


@pytest.mark.parametrize("address", [*PAGES, "/journey", "/es/journey"])
def test_no_dose_stands_on_a_patient_page(client: TestClient, address: str) -> None:
    """A dose for a trial read as a dose for oneself can kill."""
    assert not re.search(r"\bmg\b|mg/kg|milligram|miligramo", _plain(client.get(address).text), re.IGNORECASE)


@pytest.mark.parametrize("substance", SUBSTANCES)
def test_established_treatments_stand_before_ketamine(client: TestClient, substance: str) -> None:
    """Who comes for ketamine must see what is known to help, first, and nothing as the last."""
    options = client.get(f"/journey/{substance}.json").json()["options"]
    ids = [option["id"].removeprefix(f"{substance}-") for option in options]
    assert set(MUST_HAVE[substance]) <= set(ids)
    kinds = [option["kind"] for option in options]
    assert kinds == sorted(kinds, key=["established", "research", "none"].index)
    assert kinds.count("none") == 1
    assert ids[kinds.index("none") - 1] == "ketamine", "whatever else is research stands before it too"


@pytest.mark.parametrize("substance", SUBSTANCES)
def test_a_medicine_without_approval_is_not_called_established(client: TestClient, substance: str) -> None:
    """The words "established; not approved" send somebody to ask for what nobody may promise."""
    for option in load_options():
        if option.substance == substance and option.approved == "no":
            assert option.kind == "research", option.id


def test_none_of_some_people_is_not_none_of_all(client: TestClient) -> None:
    """A bare "0 of 605" reads as a promise; every count of people carries the range that it leaves open."""
    said = [
        one["says"] for name in SUBSTANCES for one in client.get(f"/journey/{name}/sessions.json").json()["counted"]
    ]
    none = [one for one in said if one.startswith("0 of ")]
    assert none
    for one in said:
        assert "(range " in one or "studied)" in one, one
    for one in none:
        high = re.search(r"range 0 to ([0-9.]+) of 100", one)
        assert high is not None, one
        assert float(high[1]) > 0.0, one


@pytest.mark.parametrize("language", LANGUAGES)
def test_signs_after_sedatives_call_as_after_alcohol(language: str) -> None:
    words = load_text(language, "journey")["safety"]
    for key in ("call", "now"):
        assert ("sedative" if language == "en" else "sedante") in words[key]


def test_people_are_drawn_only_where_both_groups_were_counted() -> None:
    """A ratio or days drawn as people would invent patients."""
    for option in load_options():
        for name in (*option.icons, *option.counts):
            number = number_of(name)
            assert number.treated is not None, name
            assert number.control is not None, name
            assert (
                0
                <= min(number.treated or 0, number.control or 0)
                <= max(number.treated or 0, number.control or 0)
                <= 100
            )
            assert "per 100" in number.unit or number.unit in {"people per 100", "percent"}, (name, number.unit)


@pytest.mark.parametrize("substance", SUBSTANCES)
def test_pictures_of_one_substance_show_one_outcome(substance: str) -> None:
    """Beside each other they are read as one question; two outcomes would rank what cannot be ranked."""
    records = {one.id: one for one in load_evidence().care}
    asked: set[str] = set()
    for option in load_options():
        if option.substance == substance:
            assert not set(option.icons) & set(option.counts)
            assert option.kind == "none" or not option.alone
            asked |= {records[name].endpoint for name in option.icons if name in records}
    assert len(asked) <= 1, asked


def test_filled_is_hope_in_every_picture(client: TestClient) -> None:
    """The guide counts who went back to drinking; drawn as it is, the worse group would look the better."""
    options = {one["id"]: one for one in client.get("/journey/alcohol.json").json()["options"]}
    (icons,) = options["alcohol-naltrexone"]["icons"]
    number = number_of("alc_naltrexone_niaaa_relapse")
    assert number.treated is not None
    assert number.control is not None
    assert (icons["treated"], icons["control"]) == (100 - number.treated, 100 - number.control)
    assert "not" in icons["says"]
    (alone,) = options["alcohol-nothing"]["icons"]
    assert alone["treated"] is None
    assert alone["control"] == 100 - number_of("drinking_three_months").part("value")


def test_how_sessions_were_borne_is_counted_and_simulated(client: TestClient) -> None:
    """Published counts beside what the model gives; the larger dose raises pressure in more sessions."""
    pages = {name: client.get(f"/journey/{name}/sessions.json").json() for name in ("alcohol", "cocaine", "opioid")}
    for page in pages.values():
        assert "dissociation" in {one["kind"] for one in page["counted"]}
        assert all(one["note"] and one["says"] for one in page["counted"])
    assert pages["opioid"]["simulated"] == []
    # A review of alcohol studies says nothing of people who use opioids.
    assert "harm" not in {one["kind"] for one in pages["opioid"]["counted"]}
    rises = {}
    for name in ("alcohol", "cocaine"):
        told = {one["kind"]: one["says"] for one in pages[name]["simulated"]}
        assert set(told) == {"pressure", "dissociation", "stopped", "missed"}
        rises[name] = int(re.findall(r"\d+", told["pressure"])[0])
    assert 0 < rises["cocaine"] < rises["alcohol"] < 100
    page = client.get("/es/journey/cannabis/sessions").text
    assert "No simulamos" in page
    assert client.get("/journey/gold/sessions").status_code == 404


def test_what_has_no_result_claims_none(client: TestClient) -> None:
    """An option without a trial must say "not known", and one with a trial must not."""
    for substance in SUBSTANCES:
        for option in client.get(f"/journey/{substance}.json").json()["options"]:
            entry = next(one for one in load_options() if one.id == option["id"])
            records = [load_evidence()[key] for key in entry.sources]
            if entry.strength == "none":
                assert option["no_icons"].startswith("Not known")
                assert all(isinstance(record, StudyRecord) for record in records)
                outcomes = [one for record in records if isinstance(record, StudyRecord) for one in record.outcomes]
                assert all(one.endpoint == "planned enrolment" for one in outcomes)
            else:
                assert not option["no_icons"].startswith("Not known")
                assert option["sources"] or option["other_sources"]
            assert bool(option["icons"]) != bool(option["no_icons"])
            assert len({source["name"] for source in option["sources"]}) == len(option["sources"])


def test_amounts_keep_the_digits_that_matter() -> None:
    """An interval of 1.03 to 1.42 written as "1 to 1.4" would read as no effect; a year has no comma."""
    aa = "alc_aatsf_abstinent_12m"
    assert fill(f"{{{aa}.value}} ({{{aa}.low}} to {{{aa}.high}})") == "1.21 (1.03 to 1.42)"
    assert fill("{opi_sordo_bup.low}, {price_course.low}, {fda_warning_year.value}") == "1.3, 2,400, 2023"
    assert fill("{alc_acamprosate_diarrhoea.more} more, {stim_cm_long.weeks} weeks") == "11 more, 24 weeks"
    with pytest.raises(LibraryError, match="slot"):
        fill("{alc_naltrexone_jama_heavy.more}")


def test_facts_carry_how_they_were_read(client: TestClient) -> None:
    """Prices and law age fastest; each number shows where, how and when it was read and how firm it is."""
    facts = client.get("/journey/alcohol.json").json()["facts"]
    assert len(facts) > 25
    for fact in facts:
        assert fact["number"]
        assert fact["source"]
        assert fact["kind"]
        assert bool(fact["read"]) == bool(fact["grade"])
    assert {fact["grade"] for fact in facts} >= {"measured", "worked out", "not checked"}


def test_days_of_the_alcohol_trial_are_not_drawn_as_people(client: TestClient) -> None:
    """Its main result is a share of days; as icons it would read as people cured."""
    options = client.get("/journey/alcohol.json").json()["options"]
    ketamine = next(option for option in options if option["id"].endswith("-ketamine"))
    assert ketamine["icons"] == []
    assert "96" in ketamine["found"][0]


@pytest.mark.parametrize("address", [page for page in PAGES if "journey" in page])
def test_the_warning_comes_before_any_option(client: TestClient, address: str) -> None:
    """Who reads about stopping alone must have met the warning."""
    page = client.get(address).text
    assert 0 < page.index('id="safety"') < page.index('id="options"')
    words = _text("es" if address.startswith("/es") else "en", "journey")["safety"]
    plain = _plain(page)
    for key in ("stop", "tolerance", "naloxone"):
        assert words[key] in plain


@pytest.mark.parametrize("substance", SUBSTANCES)
def test_trials_without_a_difference_stand_on_the_card_of_ketamine(substance: str) -> None:
    """A card that names the trial in favor and leaves out those that found nothing says that ketamine is proven."""
    found = {
        one.id
        for one in load_evidence().studies
        if str(one.substance).startswith(substance) and "etamine" in str(one.to_dict())
        if any("no difference" in outcome.statistic for outcome in one.outcomes) and one.design.startswith("RCT")
    }
    (card,) = (one for one in load_options() if one.id == f"{substance}-ketamine")
    assert found <= set(card.sources)
    assert bool(found) == (substance in {"alcohol", "opioid", "nicotine"}), "the rule finds something"


def test_the_card_of_ketamine_says_that_trials_found_no_difference() -> None:
    """A source in a fold tells nobody: the words of the card say it too."""
    for language, said in (("en", "no difference"), ("es", "no halló diferencia|no se halló diferencia")):
        for substance in ("alcohol", "opioid", "nicotine"):
            card = _text(language, "journey")["option"][f"{substance}-ketamine"]
            assert re.search(said, " ".join(card["found"])), (language, substance)


@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize("substance", ["alcohol", "opioid", "nicotine"])
def test_the_printed_table_says_all_that_was_found_of_ketamine(client: TestClient, prefix: str, substance: str) -> None:
    """The first finding alone is the favorable one, and paper is what a doctor sees."""
    page = client.get(f"{prefix}/journey/{substance}").text
    row = html.unescape(page.split('<tr class="research">')[1].split("</tr>")[0])
    card = client.get(f"{prefix}/journey/{substance}.json").json()["options"]
    assert all(line in row for one in card if one["id"].endswith("-ketamine") for line in one["found"])


JUDGING = {
    "en": r"(?i)\bclean\b|\baddicts?\b|\balcoholics?\b|\babus(?:e|er|ers)\b|\bfor fun\b|\bjunkies?\b",
    "es": r"(?i)\blimpi[oa]s?\b|\badict[oa]s?\b|\balcohólic[oa]s?\b|\bdrogadict[oa]s?\b|\bpor diversión\b",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*PATIENT_TEXTS, "home", "learn", "clinics"])
def test_no_word_judges_a_person(name: str, language: str) -> None:
    """Who is not clean is dirty: tests are negative, days are without use, and people are not their illness."""
    for text in strings_of(_sentences(language, name)):
        assert not re.search(JUDGING[language], text), text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PATIENT_TEXTS)
def test_none_found_is_not_told_as_none(name: str, language: str) -> None:
    """A study that found no difference did not show that there is none."""
    flat = {
        "en": r"made no difference|there was no difference|is no difference\.|did not help\b",
        "es": r"no hubo diferencia|no marcó diferencia|no es ninguna diferencia|no ayudó\b|no cambió los días",
    }
    for text in strings_of(_sentences(language, name)):
        assert not re.search(flat[language], text), text


@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize("page", ["safety", "journey/alcohol", "journey/opioid", "journey/cocaine"])
def test_whoever_is_ill_already_reads_what_to_do(client: TestClient, prefix: str, page: str) -> None:
    """The way there says "shaking or ill after stopping"; the page told only of not stopping."""
    words = _text(prefix.strip("/") or "en", "journey")["safety"]
    plain = _plain(client.get(f"{prefix}/{page}").text)
    of = {"journey/alcohol": ["alcohol"], "journey/opioid": ["opioid"], "journey/cocaine": ["other"]}
    for kind in (*of.get(page, ["alcohol", "opioid", "other"]), "ketamine"):
        assert words[f"ill_{kind}"] in plain


@pytest.mark.parametrize("language", ["", "/es"])
@pytest.mark.parametrize("substance", ["alcohol", "opioid", "cocaine"])
def test_the_number_to_call_stands_before_the_long_text(client: TestClient, language: str, substance: str) -> None:
    """On a phone at night it was two screens down, below seven sentences."""
    page = client.get(f"{language}/journey/{substance}").text
    start, call = page.index('id="safety"'), page.index('class="call now"')
    assert start < call
    assert page[start:call].count("<p>") == 1


def test_the_safety_page_is_linked_from_every_page(client: TestClient) -> None:
    """Help must be one step away wherever a reader is."""
    for address in ("/", "/journey", "/journey/alcohol", "/evidence", "/about", "/limits", "/api", "/nowhere"):
        assert 'href="/safety"' in client.get(address).text
        assert 'href="/family"' in client.get(address).text
    assert 'href="/es/safety"' in client.get("/es/journey").text


def test_numbers_to_call_follow_the_country(client: TestClient) -> None:
    """An emergency number of another country reaches nobody."""
    assert "911" in client.get("/safety").text
    assert "999" in client.get("/safety?country=gb").text
    unknown = client.get("/safety?country=zz")
    assert unknown.status_code == 422
    for language, prefix in (("en", ""), ("es", "/es")):
        said = _text(language, "journey")["no_country"].format(got="ZZ", name=contacts_of("US", language).name)
        assert said in html.unescape(client.get(f"{prefix}/safety?country=zz").text)
    assert "911" in unknown.text
    with pytest.raises(SpecError, match="contacts"):
        contacts_of("ZZ")
    assert 'href="tel:18006624357"' in client.get("/journey/alcohol").text
    assert client.get("/journey/alcohol.json?country=ie").json()["contacts"]["emergency"] == "112 / 999"
    unknown = client.get("/journey/alcohol?country=zz")
    assert unknown.status_code == 422
    assert "911" in unknown.text


@pytest.mark.parametrize("address", ["/safety", "/family", "/clinics/check", "/journey/opioid", "/diary"])
def test_numbers_are_buttons_with_their_date(client: TestClient, address: str) -> None:
    """On a phone a number that cannot be pressed is copied wrongly; one without a date may be years old."""
    page = client.get(address).text
    assert '<a class="call" href="tel:988">' in page
    assert '<a class="call" href="sms:741741?body=HOME">' in page
    assert re.search(r'<time datetime="\d{4}-\d\d">', page)
    if address != "/diary":
        assert '<a class="call now" href="tel:911">' in page


def test_two_emergency_numbers_are_two_buttons(client: TestClient) -> None:
    """Pressed as one they would dial nobody."""
    page = client.get("/family?country=ie").text
    assert 'href="tel:112"' in page
    assert 'href="tel:999"' in page


def test_numbers_to_call_are_read_in_the_readers_language(client: TestClient) -> None:
    """Who reads Spanish must see when and how to call in Spanish."""
    contacts = client.get("/es/journey/alcohol.json?country=gb").json()["contacts"]
    assert contacts["name"] == "Reino Unido"
    assert contacts["lines"][0]["note"] == "opción 2"
    for country in countries():
        english, spanish = contacts_of(country), contacts_of(country, "es")
        for one, other in zip(english.lines, spanish.lines, strict=True):
            assert (one.number, bool(one.note)) == (other.number, bool(other.note))


def test_spanish_pages_say_that_nobody_reviewed_them(client: TestClient) -> None:
    """A translation of medical text without review must say so."""
    assert "no revisada" in client.get("/es/journey/alcohol").text
    assert "no revisada" not in client.get("/journey/alcohol").text


def _sections(language: str) -> dict[str, str]:
    journey, safety = _text(language, "journey"), _text(language, "safety")
    parts: dict[str, Any] = {
        name: journey[name] for name in ("safety", "diagnosis", "goal", "sessions", "risks", "cost", "questions")
    }
    parts |= {f"option {name}": option for name, option in journey["option"].items()}
    parts["page"] = [journey[name] for name in ("choose_lead", "lead", "not_advice", "no_ranking", "unknown", "few")]
    parts["safety page"] = safety
    parts |= {f"family {name}": part for name, part in _text(language, "family").items()}
    diary = _text(language, "diary")
    parts |= {f"diary {name}": diary[name] for name in ("signs", "audit", "kept_more", "file_lead", "means")}
    return {
        name: " ".join(fill(s) if s.endswith((".", "?")) else f"{fill(s)}." for s in strings_of(part))
        for name, part in parts.items()
    }


def test_english_asks_for_no_more_than_eight_years_of_school() -> None:
    """Half of adults read at this grade or below; measured section by section, names of medicines as plain words."""
    for name, text in _sections("en").items():
        assert english_grade(NAMES.sub("medicine", text)) <= 8.0, (name, english_grade(NAMES.sub("medicine", text)))


def test_spanish_is_plain() -> None:
    """60 and more on the scale of Fernandez-Huerta is plain language."""
    whole = " ".join(_sections("es").values())
    assert spanish_ease(whole) >= 60.0, spanish_ease(whole)


def test_the_grade_knows_hard_from_easy() -> None:
    """A formula that always passes would guard nothing."""
    assert english_grade("The cat sat on the mat. It was warm.") < 2.0
    hard = (
        "Pharmacological neuroplasticity facilitates subsequent psychotherapeutic consolidation of extinction learning."
    )
    assert english_grade(hard) > 15.0
    assert spanish_ease("El gato duerme en la cama. Hace sol.") > 80.0
    assert (
        spanish_ease("La neuroplasticidad farmacológica facilita la consolidación psicoterapéutica subsiguiente.")
        < 30.0
    )
    assert [english_syllables(w) for w in ("make", "table", "relapse", "medicine")] == [1, 2, 2, 3]
    assert [spanish_syllables(w) for w in ("agua", "país", "qué", "teoría")] == [2, 2, 1, 4]


def test_a_slot_without_a_record_is_refused() -> None:
    """A text that names a missing number must fail in the build, not on the page."""
    with pytest.raises(LibraryError, match="no record"):
        fill("{no_such_number.value}")
    with pytest.raises(LibraryError, match="slot"):
        fill("{alc_naltrexone_niaaa_relapse.low}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_group_stands_first_on_a_card_without_the_others(language: str) -> None:
    """One group's number alone reads as what the treatment did; where no other was read, the card says so."""
    words = _text(language, "trial")
    n_alone = n_groups = 0
    for name in trials_with_page():
        protocol = load_protocol(name)
        rows = protocol.comparisons
        if not rows or not rows[0].arm:
            continue
        notes = reading_notes(protocol, words)
        arms = {one.arm for one in rows if one.arm and one.endpoint == rows[0].endpoint}
        assert notes["n_first"] == len(arms)
        assert notes["first_note"].startswith(words["first_alone" if len(arms) == 1 else "first_groups"])
        n_alone, n_groups = n_alone + (len(arms) == 1), n_groups + (len(arms) > 1)
    assert n_alone
    assert n_groups


def test_a_picture_beside_a_trial_without_a_difference_says_so() -> None:
    """One simulated trial can show a gap where the real one found none."""
    words = _text("en", "trial")
    found = {name: trial_record(str(load_protocol(name).evidence)) for name in trials_with_page()}
    none = {name for name, record in found.items() if found_text(record).startswith("no difference")}
    assert len(none) >= 4
    for name in found:
        notes = reading_notes(load_protocol(name), words)
        assert (notes["people_note"] == words["people_none"]) == (name in none)


@pytest.mark.parametrize("language", LANGUAGES)
def test_harms_that_were_not_named_are_never_told_as_none(language: str) -> None:
    """What nobody wrote down is not the same as what did not happen."""
    named, not_none = {
        "en": (re.compile(r"(was named|names none)"), "does not mean"),
        "es": (re.compile(r"(no se nombró|no nombra) "), "no significa"),
    }[language]
    harms = [one["harm"] for one in _text(language, "journey")["option"].values()]
    silent = [harm for harm in harms if named.search(harm)]
    assert len(silent) > 5
    assert all(not_none in harm for harm in silent)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_to_tick_says_what_sudden_stopping_can_do(language: str) -> None:
    """Who reads "it may be severe" may stop tonight."""
    for part in ("signs", "audit"):
        assert {"en": "can kill", "es": "puede matar"}[language] in _text(language, "diary")[part]["not"]


def test_no_title_of_a_step_sets_an_arm_against_people_who_stop_alone(client: TestClient) -> None:
    """They are other people, so the gap between them is not what a treatment did."""
    page = client.get("/learn/craving.json").json()
    for figure in (page["figure"], page["day"]):
        assert "alone" not in figure["title"].lower()
        assert "saline with therapy" in figure["title"]
        assert "no comparison of treatments" in figure["cannot"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/es/learn?closed=x", "uno de: habit, affect, control"),
        ("/es/trial/kare?wait=abc", "un número"),
        ("/es/trial/kare?wait=77", "5 o menos"),
        ("/es/trial/nope", "uno de: kare"),
    ],
)
def test_an_error_in_spanish_is_spanish_to_the_end(client: TestClient, address: str, said: str) -> None:
    """Half a sentence in English tells nothing to whom it is for."""
    page = _plain(client.get(address).text)
    assert said in page
    for english in ("Input should", "one of", "or less", "number"):
        assert english not in page


def test_a_substance_is_prior_only_where_no_trial_of_it_was_learnt_from() -> None:
    """Two pages that say different things of one substance are believed in neither."""
    prior_only = {one.value for one in Substance if one.facts.prior_only}
    assert prior_only == set(substances_without_trial())


def test_no_word_calls_a_day_or_a_person_clean() -> None:
    """Who is not clean is dirty: a word that judges, on pages and in reports."""
    places = (("remission.web", "text"), ("remission.web", "templates"), ("remission.library", "words"))
    for package, folder in places:
        for path in Path(str(files(package).joinpath(folder))).rglob("*.*"):
            assert not re.search(r"(?<![-\w])[Cc]lean(?![-\w])", path.read_text("utf-8")), path.name
    for name in trials_with_page():
        assert "clean before day 0" not in load_protocol(name).explain()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_trial_that_found_something_bears_a_caution_as_one_that_did_not(language: str) -> None:
    """A caution beside results without a difference alone makes the others look sure."""
    words = _text(language, "trial")
    n_found = 0
    for name in trials_with_page():
        protocol = load_protocol(name)
        notes = reading_notes(protocol, words)
        assert notes["first_note"]
        assert protocol.population.n_subjects < 300 or "small" not in notes["first_note"]
        ratios = [one for one in protocol.comparisons if "ratio" in str(one.statistic)]
        assert bool(notes["evidence_note"]) == bool(ratios), "what an odds ratio is not stands beside each"
        result = result_of(trial_record(str(protocol.evidence)))
        if protocol.comparisons and not protocol.comparisons[0].arm and result in RESULTS[1:3]:
            n_found += 1
            assert notes["first_note"].startswith(words["first_found"])
            assert (words["found_some"] in notes["first_note"]) == (result == RESULTS[1])
    assert n_found >= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_published_numbers_have_a_unit_and_say_how_they_were_read(language: str) -> None:
    """A bare "secondary" reads as a second outcome, and "75.1, mean" as days."""
    for name in trials_with_page():
        for row in published_rows(load_protocol(name), partial(retold, language=language)):
            assert row.kind not in {"secondary", "press", "derived"}
            assert not re.search(r"DERIVED|n of|, (mean|media)$", row.text), row.text


def test_no_card_says_what_people_had_in_words_of_the_model() -> None:
    """A record's id or "quality 1, assumed" tells a reader nothing, "no drug" before a medicine a wrong thing."""
    for name in trials_with_page():
        protocol = load_protocol(name)
        for arm in protocol.arms:
            said = " ".join(explain_arm(protocol, arm, with_model=False)[1:])
            assert not re.search(r"[a-z]_[a-z]|quality|worth|library|pmc|[a-z]-injection", said), said
            assert arm.medicine is None or "No drug" not in said


@pytest.mark.parametrize(("prefix", "said"), [("", "say nothing of harm"), ("/es", "no dicen nada de daños")])
def test_harm_is_one_step_from_what_a_trial_found(client: TestClient, prefix: str, said: str) -> None:
    """Numbers in favor without a word of harm are half of what was counted."""
    page = client.get(f"{prefix}/trial/kare").text
    assert said in page
    assert f'href="{prefix}/journey/alcohol/sessions"' in page


@pytest.mark.parametrize("address", ["/learn", "/es/learn", "/learn/craving"])
def test_how_it_works_names_what_is_known_to_help(client: TestClient, address: str) -> None:
    """A page about ketamine alone makes it look like the way."""
    page = _plain(client.get(address).text)
    named = retold(ESTABLISHED["alcohol"], "es" if address.startswith("/es") else "en")
    assert named in page
    # First what is known to help: the question of the page comes after it.
    assert len(page[: page.index(named)].split()) < 250


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sign_of_danger_has_a_bracket(language: str) -> None:
    """At night a sign is read once: its words say what one sees."""
    signs = [*_text(language, "family")["signs"]["items"], *strings_of(_text(language, "safety"))]
    assert len(signs) > 8
    assert not [one for one in signs if "(" in one]


def test_how_far_constants_differ_is_told_as_it_is() -> None:
    """One page said tenfold above the sources of a forty-fold difference."""
    found = load_parameter_set("nmda-binding")
    constants = [found.value(name) for name in str(found.attributes["constants"]).split()]
    assert round(max(constants) / min(constants), -1) == 40.0
    said = [
        _text("en", "learn")["steps"][2]["plain"][1],
        packaged_toml("words", "report.toml")["charts"]["session"]["cannot"],
    ]
    assert all("forty-fold" in one for one in said)
    assert "por cuarenta" in _text("es", "learn")["steps"][2]["plain"][1]


def test_what_no_simulated_trial_can_vary_is_no_estimate() -> None:
    """A range without width reads as a sure number."""
    result = simulate_trial(load_protocol("nct04177706"), n_replicates=3, seed=1)
    content = report_content(result, summarize_trial(result), command="", versions={})
    assert "estimates nothing" in content["finding"]
    assert " to " not in content["finding"]
