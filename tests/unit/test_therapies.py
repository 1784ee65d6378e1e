"""Therapy with a kind, rewards, and way of life: what was read sets what acts, and the rest says that it is assumed."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from source_tree import ROOT
from typer.testing import CliRunner
from validation.small_trials import course_schedule, small_protocol

from remission.cli.app import app_of
from remission.errors import SpecError
from remission.evidence.registry import load_evidence
from remission.evidence.therapies import kinds_with_readings, therapy_readings
from remission.patient.course import Entry
from remission.patient.kernels.reference import simulate_course
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_traits
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.evidence import CareRecord, StudyRecord
from remission.records.packaged import packaged_toml
from remission.records.therapy_kinds import (
    EDUCATION_QUALITY,
    THERAPIES,
    WAYS_OF_LIFE,
    readings_of,
    therapy_worth,
    way_contrast,
)
from remission.report.therapy_forest import THERAPY_COLUMNS, therapy_forest
from remission.streams import People
from remission.trial.batch import simulate_batch
from remission.trial.contrasts import clean_share, shown_contrast, spread_of_people
from remission.trial.package import check_package, therapy_effect
from remission.trial.simulate import plan_trial
from remission.web.app import create_app
from remission.web.settings import WebSettings

TABLE = packaged_toml("package", "therapies.toml")
WEEKLY = [{"day": 7 * week} for week in range(12)]
TWICE = [{"day": int(3.5 * visit)} for visit in range(24)]


def with_courses(courses: dict[str, Any], arms: list[dict[str, Any]], **changes: Any) -> Any:
    """A trial of two arms without a drug that have some courses."""
    sides = [
        {"id": name, "label": name.title(), "factors": {"drug": level}, **arm}
        for (name, level), arm in zip((("one", "ketamine"), ("other", "saline")), arms, strict=True)
    ]
    courses = {name: {"session_min": 60.0, **course} for name, course in courses.items()}
    return small_protocol(arms=sides, therapies=courses, **changes)


def uses_of(protocol: Any, parameters: CourseParameters | None = None) -> list[np.ndarray]:
    """Use of the same people under each arm."""
    return [
        simulate_batch(
            protocol, under=arm, without=(), seed=99, first_replicate=0, n_replicates=1,
            parameters=parameters or load_course_parameters(protocol.substance), pharmacology=load_pharmacology(),
        ).course.use
        for arm in range(2)
    ]  # fmt: skip


def people(n: int, **changes: Any) -> dict[str, Any]:
    """The small trial's population with other numbers."""
    return {**small_protocol().population.to_dict(), "n_subjects": n, "clean_days": 0, "self_quit": True, **changes}


@pytest.mark.parametrize(
    "row", TABLE["worth"] + [packaged_toml("package", "way-of-life.toml")["kind"]["exercise"]["contrast"]]
)
def test_every_number_is_the_record_s(row: dict[str, Any]) -> None:
    """A number typed wrong here would be shown as published; the conversion from d is done again."""
    record = load_evidence()[row["record"]]
    if "as" in row or isinstance(record, StudyRecord):
        return
    assert isinstance(record, CareRecord)
    given = (row["contrast"], row.get("low"), row.get("high"))
    read: tuple[Any, ...] = (record.value, record.ci_low, record.ci_high)
    if "minus" in row:
        read = (round(float(record.value or 0.0) - row["minus"], 1), None, None)
        assert f"{row['minus']:g}" in str(record.note)
    if "pi/sqrt(3)" in row["note"]:
        read = tuple(round(math.exp(float(one or 0.0) * math.pi / math.sqrt(3.0)), 3) for one in read)
    assert given == pytest.approx(read) if None not in read else given == read


def test_every_record_named_is_of_the_registry_and_every_reading_of_a_kind() -> None:
    """A reader follows the id."""
    registry = load_evidence()
    for name in THERAPIES:
        for one in readings_of(name):
            record = registry[one.record]
            if one.statement is not None:
                assert isinstance(record, StudyRecord)
                assert one.statement in [(o.arm_or_contrast, o.endpoint, o.statistic) for o in record.outcomes]
    for row in TABLE["worth"]:
        assert row["record"] in {one.id for one in registry}
        assert set(row["substances"]) <= {"alcohol", "cocaine", "opioid", "nicotine", "cannabis", "methamphetamine"}
    for way in WAYS_OF_LIFE.values():
        assert all(registry[one] for one in way.shown)


def test_rewards_let_go_sooner_than_their_whole_effect_fades() -> None:
    """The note says 70 and 126 days for the effect, done again here; the model carries a part of it by itself."""
    registry = load_evidence()
    end, later, last = (registry[f"stim_prize_cm_{name}"] for name in ("end", "3m", "6m"))

    def misfit(tau: float) -> float:
        terms = []
        for one, day in ((later, 45.0), (last, 180.0)):
            width = (one.ci_high - one.ci_low) / (2.0 * 1.96)  # type: ignore[union-attr,operator]
            terms.append(((one.value - end.value * math.exp(-day / tau)) / width) ** 2)  # type: ignore[union-attr,operator]
        return sum(terms)

    best = min(np.arange(20.0, 200.0, 0.5), key=misfit)
    assert best == pytest.approx(70.0, abs=1.0)
    assert 168.0 / math.log(math.log(2.13) / math.log(1.22)) == pytest.approx(126.0, abs=1.0)
    assert (THERAPIES["contingency-management"].tau_incentive_day or 0.0) < best


def test_cbt_left_to_its_kind_shows_its_contrast_in_other_people() -> None:
    """People on whom the worth was not set: g of 0.154; .05 is 4 standard errors of both simulations."""
    protocol = with_courses(
        {"cbt": {"kind": "cbt", "sessions": WEEKLY}, "talk": {"kind": "education", "sessions": WEEKLY}},
        [{"therapy": "cbt"}, {"therapy": "talk"}],
        substance="cocaine", follow_up_days=180, population=people(6000), setting={"retention": "complete"},
    )  # fmt: skip
    contrast = therapy_worth("cbt", substance="cocaine").contrast
    assert contrast is not None
    one, other = uses_of(protocol)
    shown = shown_contrast(
        contrast.measure, clean_share(contrast, one), clean_share(contrast, other),
        spread=spread_of_people(contrast, one, other),
    )  # fmt: skip
    assert shown == pytest.approx(0.154, abs=0.05)


def test_rewards_show_their_odds_while_given_and_less_later() -> None:
    """2.13 at the end of twelve weeks in other people; half a year after the last reward most of it is gone."""
    protocol = with_courses(
        {"prizes": {"kind": "contingency-management", "sessions": TWICE}},
        [{"incentives": "prizes"}, {}],
        substance="cocaine", follow_up_days=270, population=people(6000), setting={"retention": "complete"},
    )  # fmt: skip
    contrast = therapy_worth("contingency-management", substance="cocaine").contrast
    assert contrast is not None
    one, other = uses_of(protocol)
    assert shown_contrast(contrast.measure, clean_share(contrast, one), clean_share(contrast, other)) == pytest.approx(
        2.13, abs=0.3
    )
    during, late = (
        float((other[:, days] > 0).mean() - (one[:, days] > 0).mean()) for days in (slice(60, 84), slice(245, 270))
    )
    assert late < 0.5 * during


def test_a_quality_in_the_file_wins_and_is_said_to_be_given() -> None:
    """Old files run as they ran: nothing that was read since moves them, and nobody takes their number for measured."""
    parameters = load_course_parameters(small_protocol().substance)
    given = with_courses({"c": {"kind": "cbt", "quality": 0.7, "sessions": WEEKLY[:3]}}, [{"therapy": "c"}, {}])
    assert therapy_effect(given.therapies["c"], substance="alcohol", parameters=parameters).quality == 0.7
    text = " ".join(given.explain().split())
    assert "quality 0.7, given in this file, assumed (read of its kind: standardized difference of use 0.154" in text
    old = with_courses({"c": {"kind": "mbrp", "quality": 1.0, "sessions": WEEKLY[:3]}}, [{"therapy": "c"}, {}])
    assert "quality" in old.to_dict()["therapies"]["c"]
    assert (
        "quality"
        not in with_courses({"c": {"kind": "mbrp", "sessions": WEEKLY[:3]}}, [{"therapy": "c"}, {}]).to_dict()[
            "therapies"
        ]["c"]
    )


def test_a_longer_course_is_worth_no_more_in_all() -> None:
    """More sessions went with a smaller effect; a course of fifty must not be read as four courses."""
    parameters = load_course_parameters(small_protocol().substance)
    courses = {
        name: {"kind": "cbt", "sessions": [{"day": day} for day in range(n)]}
        for name, n in (("a", 6), ("b", 12), ("c", 24))
    }
    protocol = with_courses(courses, [{"therapy": "a"}, {"therapy": "b"}])
    six, twelve, many = (
        therapy_effect(protocol.therapies[name], substance="alcohol", parameters=parameters).quality for name in "abc"
    )
    assert six == twelve
    assert many == pytest.approx(0.5 * twelve)


@pytest.mark.parametrize("kind", sorted(THERAPIES))
@pytest.mark.parametrize("substance", ["alcohol", "opioid", "nicotine"])
def test_every_kind_says_what_it_rests_on(kind: str, substance: str) -> None:
    """A worth without a record must say that it is assumed, in the words people read before a run."""
    protocol = with_courses({"c": {"kind": kind, "sessions": WEEKLY[:3]}}, [{"therapy": "c"}, {}], substance=substance)
    text = " ".join(protocol.explain().split())
    worth = therapy_worth(kind, substance=substance)
    if worth.record:
        assert worth.record in text
        assert worth.grade in text
    else:
        assert worth.quality == EDUCATION_QUALITY
        assert "quality 0.15, assumed" in text
        assert any("nothing was read that the days of the model" in one for one in protocol.cautions())
    assert parse_protocol(write_protocol(protocol), name="again.yaml") == protocol


def test_incentives_name_a_course_of_rewards_and_only_one() -> None:
    """A lesson named as a reward would act as one."""
    courses = {
        "cbt": {"kind": "cbt", "sessions": WEEKLY[:2]},
        "prizes": {"kind": "contingency-management", "sessions": TWICE[:4]},
    }
    for arm, said in (
        ({"incentives": "cbt"}, "kind contingency-management"),
        ({"incentives": "prize"}, "prizes"),
        ({"therapy": "prizes", "incentives": "prizes"}, "gives rewards already"),
    ):
        with pytest.raises(SpecError, match=said) as caught:
            with_courses(courses, [arm, {}])
        assert caught.value.faults[0].where == "protocol.arms[0].incentives"
    protocol = with_courses(courses, [{"therapy": "cbt", "incentives": "prizes"}, {"therapy": "cbt"}])
    one, other = uses_of(protocol)
    assert one.sum() < other.sum()


def test_rewards_of_contested_worth_do_nothing_unless_a_file_says_so() -> None:
    """The interval of cannabis holds no effect: the default must not be the flattering one."""
    silent, said = (
        with_courses(
            {"p": {"kind": "contingency-management", "sessions": TWICE[:8], **more}}, [{"therapy": "p"}, {}],
            substance="cannabis", population=people(300),
        )
        for more in ({}, {"quality": 1.0})
    )  # fmt: skip
    one, other = uses_of(silent)
    np.testing.assert_array_equal(one, other)
    assert "none of the effect that was read" in silent.explain().replace("\n    ", " ")
    one, other = uses_of(said)
    assert one.sum() < other.sum()


def test_way_of_life_moves_no_use_by_default() -> None:
    """Exercise that lowered use by itself would be an effect that was looked for and not found."""
    plain = small_protocol(therapies={}, arms=[{**arm.to_dict(), "therapy": None} for arm in small_protocol().arms])
    arms = [{**arm.to_dict(), "way_of_life": ["run", "sleep"]} for arm in plain.arms]
    active = plain.replace(way_of_life={"run": {"kind": "exercise"}, "sleep": {"kind": "sleep"}}, arms=arms)
    parameters = load_course_parameters(plain.substance)
    courses = [
        simulate_batch(one, seed=3, first_replicate=0, n_replicates=2, parameters=parameters,
                       pharmacology=load_pharmacology()).course
        for one in (plain, active)
    ]  # fmt: skip
    np.testing.assert_array_equal(courses[0].use, courses[1].use)
    text = " ".join(active.explain().split())
    assert "Exercise from day 0 to the end: no effect on use by default" in text
    assert "ex_wang_dep" in text
    assert "cbti_miller_2025" in text


def test_a_share_of_exercise_acts_and_of_what_was_not_read_is_refused() -> None:
    """A switch for the contested contrast; for insomnia and groups there is no number to take a share of."""
    protocol = small_protocol(way_of_life={"run": {"kind": "exercise", "effect_share": 1.0}})
    arms = [{**protocol.arms[0].to_dict(), "drug": None, "therapy": None, "way_of_life": ["run"]},
            {**protocol.arms[1].to_dict(), "drug": None, "therapy": None}]  # fmt: skip
    acting = protocol.replace(arms=arms, therapies={}, drugs={}, population=people(2000))
    one, other = uses_of(acting)
    assert one.sum() < other.sum()
    assert any("not replicated" in said for said in acting.cautions())
    assert way_contrast("sleep", substance="alcohol") is None
    wrong = protocol.replace(way_of_life={"bed": {"kind": "sleep", "effect_share": 0.5}})
    with pytest.raises(SpecError, match="cbti_miller_2023") as caught:
        check_package(wrong)
    assert caught.value.faults[0].where == "way_of_life.bed.effect_share"
    with pytest.raises(SpecError, match="way_of_life"):
        plan_trial(wrong, n_replicates=1, seed=1)


def test_unknown_kinds_and_shares_above_one_are_refused_at_their_place() -> None:
    """The four words of an error, at the field that is wrong."""
    base = {"session_min": 60.0, "sessions": [{"day": 1}]}
    for courses, where in (
        ({"c": {**base, "kind": "hypnosis"}}, "protocol.therapies.c.kind"),
        ({"c": {**base, "kind": "cbt", "quality": 1.2}}, "protocol.therapies.c.quality"),
    ):
        with pytest.raises(SpecError) as caught:
            small_protocol(therapies=courses)
        assert where in [fault.where for fault in caught.value.faults]
    with pytest.raises(SpecError) as caught:
        small_protocol(way_of_life={"x": {"kind": "exercise", "effect_share": 1.5}})
    assert caught.value.faults[0].where == "protocol.way_of_life.x.effect_share"


def test_the_schema_offers_every_kind() -> None:
    """An editor offers what the schema has."""
    schema = json.loads((ROOT / "docs" / "reference" / "protocol.schema.json").read_text("utf-8"))
    assert schema["$defs"]["TherapyCourse"]["properties"]["kind"]["enum"] == list(THERAPIES)


@pytest.mark.parametrize("kind", kinds_with_readings())
def test_the_forest_of_a_kind_has_every_reading_and_says_what_is_done_with_it(kind: str) -> None:
    """Nulls stand first, and no number stands there without what the program does with it."""
    registry = load_evidence()
    rows = [dict(zip(THERAPY_COLUMNS, row, strict=True)) for row in therapy_forest(registry, kind=kind).table.rows]
    expected = {one.record for one in readings_of(kind)}
    expected |= {row["record"] for row in TABLE["worth"] if row["kind"] == kind and "as" not in row}
    assert {row["record"] for row in rows} == expected
    assert all(row["used here"].startswith(("sets the worth: ", "sets no worth: ")) for row in rows)
    nulls = [row["finds"] == "no difference" for row in rows]
    assert nulls == sorted(nulls, reverse=True)
    for row, one in zip(rows, therapy_readings(registry, kind=kind), strict=True):
        if one.value is not None:
            assert f"{one.value:g}" in row["value (interval)"]


def test_a_reading_goes_the_way_of_its_endpoint() -> None:
    """Fewer relapses favor the therapy although the ratio is below one; an interval with no effect favors nothing."""
    by_words = {(one.record, one.endpoint): one.finds for one in therapy_readings(load_evidence(), kind="mbrp")}
    assert by_words["ma_mbrp_grant", "withdrawal/craving"] == "favors the therapy"
    assert by_words["ma_mbrp_grant", "relapse"] == "no difference"
    rewards = {one.record: one.finds for one in therapy_readings(load_evidence(), kind="contingency-management")}
    assert rewards["stim_prize_cm_6m"] == "no difference"
    assert rewards["coc_cm"] == "favors the therapy"


def test_the_forest_of_a_kind_on_the_command_line_and_on_its_page(tmp_path: Path) -> None:
    """Both doors show the same rows; a kind of which nothing was read is refused with those there are."""
    out = tmp_path / "cm.svg"
    words = ["evidence", "forest", "--therapy", "contingency-management", "--json", "--out", str(out)]
    told = CliRunner().invoke(app_of(), words)
    rows = json.loads(told.stdout)["rows"]
    assert out.stat().st_size > 10_000
    client = TestClient(create_app(WebSettings(hosts=("testserver",), n_replicates=6)))
    page = client.get("/evidence/therapy/contingency-management.json").json()
    assert page["figure"]["table"]["rows"] == [list(row.values()) for row in rows]
    assert len(page["worths"]) == 6
    assert client.get("/evidence/therapy/hypnosis").status_code == 404
    assert "/evidence/therapy/cbt" in client.get("/evidence").text


def test_sessions_before_the_quit_day_teach_and_those_before_day_0_are_refused() -> None:
    """Preparation is therapy: people who still use learn before they stop; the clock begins at the first contact."""
    parameters = load_course_parameters(small_protocol().substance).replace(miss_hazard_per_day=0.0)
    entry = Entry(n_baseline=14, quit_day=14)
    who = People.of_replicates(seed=3, first=0, count=1, n_subjects=50)
    traits = sample_traits(who, parameters, entry=entry)
    schedule = course_schedule(50, 30, session_days=tuple(range(0, 14, 2)), entry=entry)
    skill = simulate_course(who, traits, schedule, parameters, record_states=True).states["L"]
    assert (skill[:, -16] > 0.1).all(), "learned by the quit day"
    with pytest.raises(SpecError, match="quit_day after them") as caught:
        with_courses({"c": {"kind": "cbt", "sessions": [{"day": -7}]}}, [{"therapy": "c"}, {}])
    assert caught.value.faults[0].where == "protocol.therapies.c.sessions[0].day"
