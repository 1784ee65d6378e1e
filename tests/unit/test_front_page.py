"""The first page says what the numbers choose, and its picture is of the people in the file of worlds."""

import re
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from remission.errors import LibraryError
from remission.evidence.registry import load_evidence
from remission.library.article import load_article
from remission.library.closed_links import load_closed_links, runs_through
from remission.library.front_page import (
    Interval,
    choose_version,
    load_rule,
    load_sentences,
    load_worlds,
    published_interval,
    simulated_interval,
)
from remission.library.loader import load_parameter_set
from remission.library.published import published_outcome, trial_record
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.report.day_field import draw_days
from remission.web.app import create_app
from remission.web.language import LANGUAGES, load_text
from remission.web.pages import home, story
from remission.web.settings import WebSettings


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",))))


def between(low: float, high: float) -> Interval:
    return Interval(value=(low + high) / 2.0, low=low, high=high)


@pytest.mark.parametrize(
    ("published", "simulated", "version"),
    [
        (between(1, 9), between(2, 8), "helps"),
        (between(1, 9), between(-2, 8), "no_difference"),
        (between(-1, 9), between(2, 8), "no_difference"),
        (between(0, 9), between(2, 8), "no_difference"),
        (None, between(2, 8), "no_difference"),
        (between(1, 9), None, "no_difference"),
        (None, None, "no_difference"),
        (between(-9, -1), between(2, 8), "worse"),
        (between(1, 9), between(-8, -2), "worse"),
        (None, between(-8, -2), "worse"),
        (between(-9, -1), None, "worse"),
    ],
)
@pytest.mark.parametrize(("language", "address"), [("en", "/"), ("es", "/es")])
def test_the_numbers_choose_the_sentence(
    monkeypatch: pytest.MonkeyPatch,
    client: TestClient,
    published: Interval | None,
    simulated: Interval | None,
    version: str,
    language: str,
    address: str,
) -> None:
    """A page that can say only one thing says it whatever is found; all three must reach the page in each language."""
    assert choose_version(published, simulated, load_rule()) == version
    monkeypatch.setattr(home, "published_interval", lambda _: published)
    monkeypatch.setattr(home, "simulated_interval", lambda *_: simulated)
    home.page_of_world.cache_clear()
    try:
        page = client.get(address)
    finally:
        home.page_of_world.cache_clear()
    assert page.status_code == 200
    said, text = load_sentences(language), load_text(language, "home")
    answer = page.text.split('class="chosen">')[1].split("</span>")[0]
    assert answer == said["sentences"][version].format(trials=text["trials"])
    # Both intervals are told beside the answer: the published one alone would speak against "nobody can say".
    for one, told in ((published, text["why"]["published"]), (simulated, text["why"]["simulated"])):
        side = "missing" if one is None else "above" if one.low > 0 else "below" if one.high < 0 else "holds"
        ends = {} if one is None else {**home.rounded(one), "span": home.span_text(one.low, one.high, text["span"])}
        assert told[side].format(**ends, n_days=180, n_trials=len(load_worlds().evidence)) in page.text
    title = page.text.split('id="found">')[1].split("</h2>")[0]
    words = said["titles"]["unpublished" if published is None else version]
    days = "" if published is None else home.days_text(published, text["interval"])
    assert title == words.format(published=days, n_days=180, trials=text["trials"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_relapse_follow_their_interval(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """The second result of the trial is told by the same rule in both languages, whatever was published."""
    words = load_text(language, "home")
    found = home._relapse(words)
    outcome = published_outcome
    said = []
    for low, high in ((0.2, 0.9), (0.31, 2.1), (1.1, 4.0), (None, None)):
        monkeypatch.setattr(
            home,
            "published_outcome",
            lambda *args, low=low, high=high, **kw: outcome(*args, **kw).replace(ci_low=low, ci_high=high),
        )
        said.append(home._relapse(words).partition(":")[0])
    names = ("relapse_apart", "relapse_not", "relapse_worse", "relapse_not")
    assert said == [words["facts"][name].partition(":")[0] for name in names]
    assert len(set(said)) == 3
    assert found


def test_few_effective_draws_say_nothing() -> None:
    """A handful of draws would speak for all."""
    worlds, rule = load_worlds(), load_rule()
    few = worlds.replace(n_effective=rule.fewest_effective_draws - 1.0)
    assert simulated_interval(few, rule) is None
    assert simulated_interval(worlds.replace(n_effective=rule.fewest_effective_draws), rule) == worlds.effect


def test_the_published_difference_is_the_record_s() -> None:
    """The number of the first page is read from the registry, times the days of the trial."""
    found = next(
        one
        for one in trial_record("grabski_2022_kare").outcomes
        if one.statistic == "mean difference (percentage points)" and "pooled" in one.arm_or_contrast
    )
    there = published_interval(180)
    assert there is not None
    assert found.value is not None
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert there.value == pytest.approx(1.8 * found.value)
    assert (there.low, there.high) == pytest.approx((1.8 * found.ci_low, 1.8 * found.ci_high))


def test_the_worlds_are_whole_and_of_one_weight() -> None:
    """The file is made by a program and read by a page: what the page says of it must hold."""
    worlds = load_worlds()
    assert sorted(worlds.order) == list(range(len(worlds.worlds)))
    effects = [one.effect for one in worlds.worlds]
    assert effects == sorted(effects)
    # The page opens with the lower of the two middle worlds.
    assert worlds.order[0] == (len(effects) - 1) // 2
    assert worlds.effect.low <= effects[0] + 0.1
    assert worlds.effect.high >= effects[-1] - 0.1
    for number in range(1, len(effects) + 1):
        page = home.page_of_world(number)
        for place, group in enumerate(page.people.groups):
            days = (page.people.states(place) == 0).sum(axis=1).mean()
            kept = next(one for one in worlds.worlds[worlds.order[number - 1]].groups if one.id == group.id)
            assert days == pytest.approx(kept.days, abs=0.051)
    assert [group.kind for group in home.page_of_world(1).people.groups] == ["none", "therapy", "medicine", "both"]


def test_closed_links_are_all_there() -> None:
    """Each set of switches needs its days; with nothing closed nothing is lost."""
    found = load_closed_links()
    assert len({one.closed for one in found.closings}) == 8
    assert runs_through(found, ()) == (0.0, 0.0)
    low, high = runs_through(found, ("habit", "affect", "control"))
    everything = np.array(found.of(()).gained) - np.array(found.of(("control", "affect", "habit")).gained)
    assert [low, high] == pytest.approx([everything.min(), everything.max()])


def test_a_page_says_that_its_worlds_are_of_an_earlier_model() -> None:
    """Numbers of an older model must not pass as those of the present one."""
    worlds, words = load_worlds(), load_text("en", "home")["sure"]
    assert home.made_text(worlds.replace(parameter_hash="0" * 64), words).endswith(words["changed"])
    assert home.made_text(worlds.replace(protocol_hash="0" * 64), words).endswith(words["changed"])
    current = worlds.replace(parameter_hash=load_parameter_set(DEFAULT_PARAMETER_SET).content_hash)
    assert words["changed"] not in home.made_text(current, words)


STEPS = load_text("en", "learn")["steps"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["id"])
def test_the_word_of_a_step_follows_from_records(step: dict[str, Any]) -> None:
    """A word typed beside a step outlives the record that it stood on; a record that comes must change the word."""
    word = story.verdict_of(step)
    claims = {one.id: one for one in load_article().claim}
    said = [claims[name] for name in step.get("claims", ())]
    assert all(one.step == step["id"] for one in said)
    order = ("unknown", "contested", "measured", "practice")
    assert all(order.index(word) <= order.index(one.verdict) for one in said), "never surer than a claim on it"
    # Only what the registry has in people with the disorder, with no word against it, is measured.
    assert word != "measured" or (step.get("seen") and not step.get("against"))
    assert word != "practice" or not step["states"]
    page = TestClient(create_app(WebSettings(hosts=("testserver",)))).get("/learn.json").json()
    assert next(one["sure"] for one in page["steps"] if one["id"] == step["id"]) == word
    nobody = step.get("nobody")
    if nobody:
        studied = [
            f"{study.id}: {one.endpoint}"
            for study in load_evidence().studies
            if any("ketamine" in (arm.drug or "").lower() for arm in study.arms)
            for one in study.outcomes
            if re.search(nobody, one.endpoint, re.IGNORECASE)
        ]
        assert studied == [], "somebody measured it: read it and give the step its claims or records"
    assert (word == "unknown") == bool(nobody)


@pytest.mark.parametrize(
    "change",
    [
        {"seen": [["grabski_2022_kare", "an endpoint that nobody read"]]},
        {"against": [["dakwar_2019_cocaine", "praised by all"]]},
    ],
)
def test_a_step_cannot_stand_on_what_no_record_says(change: dict[str, Any]) -> None:
    """A record that is corrected must not leave its old word on the page."""
    with pytest.raises(LibraryError, match="what a record says"):
        story.verdict_of({"id": "day", **change})


@pytest.mark.parametrize(
    ("low", "high", "en", "es"),
    [
        (2.0, 34.4, "2 to 34 more days", "de 2 a 34 días más"),
        (-0.4, 3.0, "0 to 3 more days", "de 0 a 3 días más"),
        (-17.2, 24.0, "from 17 fewer to 24 more days", "de 17 días menos a 24 días más"),
        (-9.0, -2.0, "2 to 9 fewer days", "de 2 a 9 días menos"),
        (-9.0, 0.3, "0 to 9 fewer days", "de 0 a 9 días menos"),
    ],
)
def test_a_range_below_nothing_says_fewer(low: float, high: float, en: str, es: str) -> None:
    """Read by six people, "-17 to 24 more days" was hard to read, and a sign is overlooked."""
    for language, said in (("en", en), ("es", es)):
        assert home.span_text(low, high, load_text(language, "home")["span"]) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_says_that_its_order_is_of_one_world(language: str) -> None:
    """Four groups of which ketamine's does best look like the answer, which is that nobody can say."""
    page, words = home.page_of_world(1, language), load_text(language, "home")
    effects = [one.effect for one in load_worlds().worlds]
    assert home.span_text(min(effects), max(effects), words["span"]) in page.no_race


def test_simulated_means_carry_the_range_of_the_worlds() -> None:
    """A mean of one world alone looks like a result."""
    page = home.page_of_world(1)
    for group in page.people.groups:
        days = [one.days for world in load_worlds().worlds for one in world.groups if one.id == group.id]
        assert group.mean_range == (min(days), max(days))
        assert f"of {page.n_days} days; in all worlds {min(days):.0f}\u00a0to\u00a0{max(days):.0f}" in draw_days(
            page.people, name="w"
        )
    assert f"of {len(page.people.groups[0].rows)} simulated without use" in draw_days(page.people, name="w")
    assert page.world.startswith("Simulated: ")


@pytest.mark.parametrize(
    ("language", "home", "learn"), [("", "that trial", "a new trial"), ("/es", "ese ensayo", "un ensayo nuevo")]
)
def test_two_ranges_of_one_effect_say_of_whom_they_are(language: str, home: str, learn: str) -> None:
    """The first page gives days of people like those of one trial, the story points of a new trial: two ranges."""
    client = TestClient(create_app(WebSettings(hosts=("testserver",))))
    assert home in re.findall(r'<p class="lead">(.*?)</p>', client.get(f"{language}/").text)[0]
    page = client.get(f"{language}/learn").text
    told = page[page.index('id="carries"') :].partition("<figure")[0]
    assert learn in told
    assert not re.search(r">[^<]*(?<!\w)-\d[^<]*</p>", told), "a minus is one"
    assert "(i)" not in told
