"""Weekly words and endpoints of the CTN-0094 tables, on small tables whose answers can be counted."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remission.cli.app import run_app
from remission.endpoints.words import spell_words, weekly_words
from remission.errors import SpecError
from remission.exchange.ctn0094_words import read_ctn0094_people

EMPTY = {
    "everybody": ["who", "project"],
    "randomization": ["who", "treatment", "which", "when"],
    "uds": ["who", "what", "when"],
    "visit": ["who", "visit", "what", "when"],
    "tlfb": ["who", "what", "when"],
    "meta_substance_groups_uds": ["Substance", "CTN-0027", "CTN-0030", "CTN-0051"],
}
TABLES: dict[str, list[tuple[object, ...]]] = {
    "everybody": [(1, 27), (2, 30), (3, 51), (4, 30)],
    "randomization": [
        (1, "Methadone", 1, 3), (1, "Methadone", 2, 3),
        (3, "Inpatient NR-NTX", 1, 0),
        (4, "Outpatient BUP + SMM", 1, 10), (4, "Outpatient BUP + SMM", 2, 31),
    ],
    # Methadone is the study's own medicine for 1 and none for 3; day 3 of person 1 is randomization itself.
    "uds": [
        (1, "Methadone", 4), (1, "Opioid", 3), (1, "Opioid", 11), (1, "Cocaine", 12), (1, "Opioid", 17),
        (2, "Buprenorphine", 0), (2, "Opioid", 20),
        (3, "Methadone", 1), (3, "Methadone", 169),
        (4, "Buprenorphine", 12), (4, "Methadone", 19),
    ],
    "visit": [
        (1, "WK1", "visit", 4), (1, "WK2", "visit", 12), (1, "WK3", "visit", 17), (1, "WK4", "MISSING", 25),
        (1, "WK5", "final", 32),
        (2, "BASELINE", "visit", 5),
        (4, "P1Wk1", "visit", 12), (4, "P1Wk1", "visit", 12), (4, "P2Wk1", "visit", 33),
    ],
    "tlfb": [(1, "Heroin", -20), (1, "Heroin", 5), (1, "Cocaine", 6), (4, "Opioid", 11)],
    "meta_substance_groups_uds": [("Cocaine", "Cocaine", "Cocaine", "NO"), ("Oxycodone", "Opioid", "Opioid", "Opioid")],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, columns in EMPTY.items():
        with gzip.open(tmp_path / f"{name}.csv.gz", "wt") as file:
            pd.DataFrame(TABLES[name], columns=columns).to_csv(file, index=False)
    return tmp_path


def words(folder: Path, substance: str = "opioids") -> dict[str, str]:
    people = read_ctn0094_people(folder, substance=substance)
    spelled = spell_words(weekly_words(people.data, first=1, last=people.data.last_day))
    return dict(zip(people.person, spelled, strict=True))


def test_words_follow_the_published_rules(folder: Path) -> None:
    """Own medicine, mixed weeks, missed visits, people never randomized and second phases each have a rule.

    1: day 4 (week 1) attended, methadone is the study's own; week 2 positive on day 11 and attended clean on day 12;
    week 3 (days 18-24) nothing, for day 17 is the last of week 2; week 4 a missed visit; week 5 the final visit.
    165 days from day 4 to day 168 are 24 weeks. 2: never randomized, weeks from consent, no negative ones; 15 weeks.
    3: every opioid counts; day 169 is after the end. 4: weeks to 24 after the second randomization, day 199.
    """
    found = words(folder)
    assert found["1"] == "-*oo-" + "o" * 19
    assert found["2"] == "+o+" + "o" * 12
    assert found["3"] == "+" + "o" * 23
    assert found["4"] == "-+o-" + "o" * 23


def test_another_substance_counts_alone_and_only_where_it_was_screened(folder: Path) -> None:
    """A trial without that screen has no result at all, neither negative nor missed."""
    found = words(folder, "Cocaine")
    assert found["1"] == "-*oo-" + "o" * 19
    assert set(found["3"]) == {"_"}
    with pytest.raises(SpecError, match="Cocaine"):
        read_ctn0094_people(folder, substance="Cocain")


def test_diaries_are_counted_from_randomization(folder: Path) -> None:
    """Day 5 of consent is day 2 of a person randomized on day 3; who never reported was never seen."""
    people = read_ctn0094_people(folder)
    data = people.data
    day = np.arange(data.first_day, data.last_day + 1)
    assert day[data.used[0]].tolist() == [-23, 2]
    assert day[data.seen[0]][[0, -1]].tolist() == [-33, 29]
    assert not data.seen[1].any()
    assert data.days_in_study.tolist() == [30, 7, 0, 24]
    assert (people.group[0], people.group[1], people.project[3]) == ("Methadone", "", "30")
    assert people.second_week == ("", "", "", "3")


def test_the_command_writes_a_row_a_person(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is what others compare with published values: everybody, times with their events, the word."""
    out = tmp_path / "e.csv"
    asked = ["--endpoint", "ctn0094-relapse", "--endpoint", "fiellin-2006-abstinent-weeks"]
    assert run_app(["endpoints", "run", str(folder), *asked, "--out", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["n_people"], content["window"][0], content["substance"]) == (4, 1, "opioids")
    assert [row["n_valued"] for row in content["endpoints"]] == [4, 4]
    table = pd.read_csv(out)
    assert table["ctn0094-relapse"].tolist() == [6.0, 1.0, 1.0, 5.0]
    assert table["ctn0094-relapse_event"].tolist() == [1, 1, 1, 1]
    assert table["fiellin-2006-abstinent-weeks"].tolist() == [2.0, 0.0, 0.0, 2.0]
    assert table["word"].str.len().tolist() == [24, 15, 24, 27]
    before = out.read_bytes()
    assert run_app(["endpoints", "run", str(folder), *asked, "--out", str(out)]) == 2
    assert out.read_bytes() == before


def test_everything_that_can_be_computed_is_and_the_rest_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An endpoint that silently fails to appear looks like one that does not exist."""
    assert run_app(["endpoints", "run", str(folder), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    left = {item["id"]: item["reason"] for item in content["left_out"]}
    assert {name for name, why in left.items() if "without amounts" in why} == {
        "percent-heavy-days", "drinking-risk-one-level", "drinking-risk-two-levels", "days-to-heavy-day",
        "any-heavy-day", "amount-per-day", "amount-per-use-day", "change-in-heavy-days", "change-in-amount",
        "heavy-days-halved", "amount-halved",
    }  # fmt: skip
    assert {name for name, why in left.items() if "craving is asked" in why} == {
        "mean-craving", "last-craving", "craving-change",
    }  # fmt: skip
    simulated = {name for name, why in left.items() if "a trial that is simulated" in why}
    assert {"readmission", "tonic-craving", "depression-score", "session-stopped"} <= simulated
    assert len(left) == 11 + 3 + len(simulated)
    assert len(content["endpoints"]) + len(left) == 100
    assert run_app(["endpoints", "run", str(folder)]) == 0
    assert "Not computed from these data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--endpoint", "mean-craving"], "no mark of craving"),
        (["--endpoint", "craving-change"], "no mark of craving"),
        (["--endpoint", "percent-heavy-days"], "days without amounts"),
        (["--endpoint", "ctn0094-relaps"], "Did you mean"),
        (["--window", "1:999"], "days 1 to 999"),
        (["--window", "1:9999"], "at most 1825"),
        (["--window", "9:1"], "expected the first day first"),
        (["--window", "abc"], "two days"),
        (["--endpoint", "ling-1976-index", "--window", "1:28"], "4 weeks"),
        (["--substance", "tea"], "opioids"),
        (["--out", "x.txt"], ".csv or .parquet"),
        (["--out", "nowhere/x.csv"], "a folder that exists"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, no half file, and the reason."""
    monkeypatch.chdir(folder)
    assert run_app(["endpoints", "run", str(folder), *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        ("everybody", (9, 99), "column project: got 99; expected 27, 30, 51"),
        ("randomization", (2, "Outpatient BUP + EMM", "first", 3), "got first; expected 1 or 2"),
        ("randomization", (2, "Outpatient BUP + EMM", 1, 3600), "by day 1825"),
        ("uds", (1, "Opioid", "abc"), "text in the column when"),
    ],
)
def test_tables_with_a_slip_are_refused_at_their_column(
    folder: Path, table: str, row: tuple[object, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong day is a wrong word of everybody after it, and nobody would see it."""
    rows = pd.DataFrame([*TABLES[table], row], columns=EMPTY[table])
    rows.to_csv(folder / f"{table}.csv.gz", index=False)
    assert run_app(["endpoints", "words", str(folder)]) == 2
    assert words in capsys.readouterr().err


def test_rows_of_strangers_and_empty_cells_change_nobody(folder: Path) -> None:
    """Tables of a part of the people are still theirs."""
    before = words(folder)
    for name, row in (("uds", (99, "Opioid", 4)), ("tlfb", (99, "Opioid", 4)), ("visit", (1, "WK9", "visit", None))):
        pd.DataFrame([*TABLES[name], row], columns=EMPTY[name]).to_csv(folder / f"{name}.csv.gz", index=False)
    assert words(folder) == before


def test_words_are_an_output_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Others compute their own endpoints from them."""
    assert run_app(["endpoints", "words", str(folder), "--window", "1:28"]) == 0
    assert capsys.readouterr().out.splitlines() == ["1 -*oo", "2 +o+o", "3 +ooo", "4 -+o-"]
    assert run_app(["endpoints", "words", str(folder), "--window", "1:28", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["people"][0]["word"] == "-*oo"
    assert run_app(["endpoints", "words", str(folder), "--out", str(folder / "w.parquet")]) == 0
    assert pd.read_parquet(folder / "w.parquet")["word"].str.len().tolist() == [24, 15, 24, 27]


def test_the_catalogue_is_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A definition is found by its name, with its source and how far it was read."""
    assert run_app(["endpoints", "list", "--group", "weekly"]) == 0
    assert "lee-2018-relapse" in capsys.readouterr().out
    assert run_app(["endpoints", "list", "--all", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["endpoints"]) == 100
    assert run_app(["endpoints", "show", "lee-2018-relapse"]) == 0
    shown = capsys.readouterr().out
    assert "source (derived)" in shown
    assert "from_week" in shown
    assert run_app(["endpoints", "show", "lee-2018-relapse", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["endpoint"]["fields"]["missing"] == "use"
    assert run_app(["endpoints", "list", "--group", "week"]) == 2
    assert run_app(["endpoints", "show", "lee"]) == 2


@pytest.mark.skipif("REMISSION_CTN0094" not in os.environ, reason="names no folder of the CTN-0094 tables")
def test_all_people_of_the_real_tables_have_every_endpoint() -> None:
    """3,560 people in seconds; a word ends where the trial's plan ends."""
    found = words(Path(os.environ["REMISSION_CTN0094"]))
    assert len(found) == 3560
    assert all(set(word) <= set("+-*o") for word in found.values())
