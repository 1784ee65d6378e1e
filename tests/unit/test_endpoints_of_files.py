"""Endpoints of imported diaries and of a run's simulated people, from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from seen_days import endpoint, seen_days
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.endpoints.repairs import repaired_words
from remission.endpoints.values import times_of, values_of
from remission.endpoints.weeks import week_values_of_words
from remission.endpoints.words import parse_words, spell_words
from remission.protocol.file import write_protocol
from remission.records.endpoint_kinds import MissingRule
from remission.records.weekly import WeeklyRule
from remission.trial.endpoints import endpoint_data
from remission.trial.observation import Observation
from remission.trial.periods import day_counts

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    """Two people, two substances, amounts in grams; person 2 does not say how much on the last day."""
    (tmp_path / "use.csv").write_text(
        "id,drug,day,amount\n"
        "1,Alcohol,-1,90\n1,Alcohol,0,50\n1,Alcohol,1,0\n1,Alcohol,2,70\n2,Alcohol,0,0\n2,Alcohol,1,80\n2,Alcohol,2,\n"
        "1,Cocaine,0,1\n"
    )
    (tmp_path / "mapping.yaml").write_text(
        "person: id\nsubstance: drug\nwhen: day\namount: amount\namount_unit: g\nempty_amount: use\n"
    )
    command = ["import", "tlfb", str(tmp_path / "use.csv"), "--mapping", str(tmp_path / "mapping.yaml")]
    assert run_app([*command, "--out", str(tmp_path / "diary.parquet")]) == 0
    return tmp_path / "diary.parquet"


def test_imported_diaries_have_the_endpoints_that_they_can_feed(
    diary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A use day of unknown amount is neither heavy nor light; tests and craving are named as lacking."""
    capsys.readouterr()
    out = tmp_path / "e.parquet"
    asked = ["endpoints", "run", str(diary), "--substance", "Alcohol"]
    assert run_app([*asked, "--heavy-amount", "60", "--out", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["window"] == [0, 2]
    table = pd.read_parquet(out)
    assert table["use-days"].tolist() == [2.0, 2.0]  # a report without an amount is a report of use
    assert table["percent-heavy-days"].tolist() == [pytest.approx(100.0 / 3.0), 50.0]
    assert table["days-to-use_event"].tolist() == [1, 1]
    assert "word" not in table
    left = {item["id"]: item["reason"] for item in content["left_out"]}
    assert "no biological test" in left["treatment-effectiveness-score"]
    assert "no mark of craving" in left["mean-craving"]
    assert run_app(["endpoints", "run", str(diary)]) == 2
    assert "choose one" in capsys.readouterr().err
    assert run_app(["endpoints", "words", str(diary), "--substance", "Alcohol"]) == 2
    assert "no test of any person" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "days", "use_days"),
    [
        (["--window", "-1:0"], [-1, 0], 1.0),
        (["--window=-1:-1"], [-1, -1], 1.0),
        (["--window", " -1 : 2"], [-1, 2], 2.5),
    ],
)
def test_a_window_may_lie_before_day_0(
    words: list[str], days: list[int], use_days: float, diary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A baseline is before the first dose; nobody has left by then, so staying is not told."""
    capsys.readouterr()
    assert run_app(["endpoints", "run", str(diary), "--substance", "Alcohol", *words, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["window"] == days
    rows = {row["id"]: row for row in content["endpoints"]}
    assert rows["use-days"]["mean"] == use_days
    left = {item["id"]: item["reason"] for item in content["left_out"]}
    assert left["days-in-study"].startswith("a window from day -1; expected one from day 0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2:1", "got 2:1; expected the first day first. Write 1:2."),
        ("-1:-9", "Write -9:-1."),
        ("--1:2", "expected two days"),
        ("-9:0", "got days -9 to 0; expected days -1 to 2"),
        ("-2000:0", "got -2000:0; expected at least -1825"),
    ],
)
def test_a_window_that_is_none_is_refused(
    text: str, said: str, diary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the option, with what came."""
    assert run_app(["endpoints", "run", str(diary), "--substance", "Alcohol", f"--window={text}"]) == 2
    assert f"remission: --window: {'' if said.startswith('got') else 'got'}" in (shown := capsys.readouterr().err)
    assert said in shown


def test_a_run_gives_the_endpoints_of_its_simulated_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real and simulated people through the same command."""
    file = tmp_path / "small.yaml"
    file.write_text(write_protocol(small_protocol()), encoding="utf-8")
    arguments = ["run", str(file), "--replicates", "2", "--seed", "3", "--diaries", "--out", str(tmp_path / "runs")]
    assert run_app(arguments) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    capsys.readouterr()
    assert run_app(["endpoints", "run", str(folder), "--replicate", "1", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["n_people"], content["substance"], content["window"]) == (24, "alcohol", [0, 27])
    rows = {row["id"]: row for row in content["endpoints"]}
    assert 0.0 < rows["percent-days-abstinent"]["mean"] < 100.0
    # A table in a pipe or a narrow window must lose no digit.
    assert run_app(["endpoints", "run", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "\u2026" not in shown
    assert all(row["id"] in shown and row["unit"] + ":" in shown for row in content["endpoints"])
    assert run_app(["endpoints", "run", str(folder), "--replicate", "9"]) == 2
    assert run_app(["endpoints", "run", str(folder), "--substance", "cocaine"]) == 2
    assert "alcohol" in capsys.readouterr().err


def test_a_carried_weekly_result_stands_until_the_next() -> None:
    """Leading missed weeks have none before them and are left out."""
    carried = endpoint("percent_negative_weeks", 1, 56, "carried", weekly={"mixed": "half"})
    assert carried.scale != "count"
    found = week_values_of_words(carried, parse_words(["oo-o+o", "oooooo", "-oo*oo"]))
    assert found[[0, 2]].tolist() == [50.0, 75.0]
    assert np.isnan(found[1])


def test_index_without_penalty_is_a_share() -> None:
    """Two of four weeks positive, one missed at a quarter: 120 * (1 - 2.25 / 4)."""
    index = endpoint("weekly_use_index", 1, 28, "weighted", missing_weight=0.25, weekly={"positive_weight": 1.0})
    assert week_values_of_words(index, parse_words(["++o-", "____"]))[0] == 120.0 * (1.0 - 2.25 / 4.0)
    assert np.isnan(week_values_of_words(index, parse_words(["____"]))[0])


def test_an_unseen_drinker_has_not_come_down_under_the_strict_rule() -> None:
    """Left out, the seen days decide; without any baseline there is no answer."""
    known: dict[str, Any] = {
        "amount": np.array([[16.0, 16.0, 0.0, 0.0], [16.0, 16.0, 0.0, 0.0]]),
        "ethanol_g_per_amount": 8.0,
        "female": np.array([False, True]),
    }
    data = seen_days("xx.?", "??..", **known)
    fields: dict[str, Any] = {"baseline": {"first": 0, "last": 1}, "risk_levels": 2}
    strict = values_of(endpoint("drinking_risk_reduction", 2, 3, "use", **fields), data)
    lenient = values_of(endpoint("drinking_risk_reduction", 2, 3, **fields), data)
    assert (strict[0], lenient[0]) == (0.0, 1.0)
    assert np.isnan([strict[1], lenient[1]]).all()


def test_days_that_lie_ahead_censor_a_time() -> None:
    """At a look, a person followed for three days has been abstinent for three days, not for ten."""
    data = seen_days("..........", "..........", until_day=np.array([3, 0]))
    time, event = times_of(endpoint("days_to_use", 0, 9, "use"), data)
    assert (time[0], event[0]) == (3.0, False)
    assert not event[1]
    assert times_of(endpoint("days_in_study", 0, 9), data.of(np.array([0])))[0].tolist() == [3.0]


@pytest.mark.parametrize(
    ("rule", "word", "repaired"),
    [
        ("use", "-o*+", "-+*+"),
        ("abstinent", "-o*+", "--*+"),
        ("observed", "-o*o+", "-*+"),
        ("carried", "o-oo*o", "---**"),
        ("usual", "-o-*o", "---*-"),
        ("usual", "-o*", "-+*"),
        ("usual", "ooo", "ooo"),
        ("neighbors", "-o*", "-**"),
        ("neighbors", "+o*", "++*"),
        ("neighbors", "+o-oo-o", "+*-oo-o"),
        ("kept", "-o_+", "-o+"),
    ],
)
def test_what_stands_for_a_missed_week(rule: MissingRule, word: str, repaired: str) -> None:
    """Between two values the neighbors round up, to mixed and to use; a tie is use; what is not due is left out."""
    found = repaired_words(parse_words([word]), rule, WeeklyRule(mixed="half"))
    assert spell_words(found)[0] == repaired


def test_days_among_which_an_endpoint_counts_follow_its_rule() -> None:
    """A rate or an odds of days has the days of the rule below it, not the days that were seen."""
    observation = Observation(
        diary=np.array([[0, 1, 0, 0, 0, 0]], dtype=np.int8),
        amount=np.zeros((1, 6)),
        seen=np.array([[False, True, True, False, False, False]]),
        test_day=np.zeros(0, dtype=np.int64),
        test_kept=np.zeros((1, 0), dtype=bool),
        test_positive=np.zeros((1, 0), dtype=bool),
        craving_day=np.zeros(0, dtype=np.int64),
        craving_vas=np.zeros((1, 0)),
        days_in_study=np.array([6]),
    )
    found = {}
    rules: dict[str, dict[str, float]] = {"observed": {}, "use": {}, "carried": {}, "weighted": {"missing_weight": 0.5}}
    for rule, fields in rules.items():
        item = endpoint("percent_days_abstinent", 0, 5, rule, **fields)
        values = values_of(item, endpoint_data(observation, heavy_amount=0.0))
        found[rule] = tuple(float(part[0]) for part in day_counts(item, observation, values))
    assert found == {"observed": (1.0, 2.0), "use": (1.0, 6.0), "carried": (4.0, 5.0), "weighted": (3.0, 6.0)}


@pytest.mark.parametrize(
    ("words", "baseline", "change"),
    [([], [-1, -1], [2.0 / 3.0 - 1.0, np.nan]), (["--window", "1:2", "--baseline", "-1:0"], [-1, 0], [-0.5, 1.0])],
)
def test_imported_diaries_are_compared_with_their_own_days_before(
    words: list[str], baseline: list[int], change: list[float], diary: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Person 2 was never asked before day 0: no value, and never a baseline of zero."""
    capsys.readouterr()
    out = tmp_path / "e.parquet"
    asked = ["endpoints", "run", str(diary), "--substance", "Alcohol", *words, "--endpoint", "change-in-use-days"]
    assert run_app([*asked, "--endpoint", "use-days-halved", "--out", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["baseline"] == baseline
    np.testing.assert_allclose(pd.read_parquet(out)["change-in-use-days"], 100.0 * np.array(change))
    row = next(one for one in content["endpoints"] if one["id"] == "change-in-use-days")
    assert (row["unit"], row["n_valued"]) == ("percentage points", int(np.isfinite(change).sum()))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "-9:-1"], "--baseline: got days -9 to -1; expected days -1 to 2"),
        (["--baseline", "0:1", "--window", "1:2"], "expected a day before the window, which begins on day 1"),
        (["--baseline", "-1"], "--baseline"),
        (["--window", "-1:2"], "got no baseline; expected days before the window"),
    ],
)
def test_a_baseline_that_the_data_do_not_have_is_refused(
    words: list[str], said: str, diary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the option, with what came and what to do."""
    capsys.readouterr()
    command = ["endpoints", "run", str(diary), "--substance", "Alcohol", "--endpoint", "change-in-use-days", *words]
    assert run_app(command) == 2
    assert said in capsys.readouterr().err


def test_a_fall_of_drinking_risk_of_real_people_needs_their_sexes(
    diary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """90 g to 60 and 0 g: very high or high risk falls by its own bounds; who has no known sex has no value."""
    table, out = tmp_path / "sexes.csv", tmp_path / "e.parquet"
    command = ["endpoints", "run", str(diary), "--substance", "Alcohol", "--endpoint", "drinking-risk-one-level"]
    command += ["--window", "0:1", "--sexes", str(table)]
    for text, value in (
        ("person,sex\n1,female\n2,male\n", 1.0),
        ("person,sex\n1,m\n2,\n", 1.0),
        ("person,sex\n2,f\n", None),
    ):
        table.write_text(text, encoding="utf-8")
        out.unlink(missing_ok=True)
        assert run_app([*command, "--out", str(out)]) == 0, capsys.readouterr().err
        found = pd.read_parquet(out)["drinking-risk-one-level"].tolist()
        assert np.isnan(found[1])  # never asked before day 0
        assert (value is None and np.isnan(found[0])) or found[0] == value
    capsys.readouterr()
    for text, said in (
        ("person,sex\n1,other\n", "sexes.csv, row 2, sex: got other; expected female or male"),
        ("person,sex\n1,f\n1,m\n", "row 3, person: got 1 again"),
        ("person,sex\n9,f\n", "no sex of these people"),
        ("who,sex\n1,f\n", "person"),
    ):
        table.write_text(text, encoding="utf-8")
        assert run_app(command) == 2
        assert said in capsys.readouterr().err
