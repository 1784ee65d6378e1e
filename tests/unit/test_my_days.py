"""My days: the file that a reader saves, read by the import without a mapping; and what the page carries."""

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.exchange.canonical import read_diaries, write_diaries
from remission.exchange.redcap import read_redcap, write_redcap
from remission.exchange.tlfb import read_tlfb, write_tlfb
from remission.records.diaries import Diaries
from remission.records.packaged import packaged_toml
from remission.web.app import create_app
from remission.web.language import LANGUAGES
from remission.web.settings import WebSettings

HEAD = "who,what,when,use,amount,craving,mood"
DAYS = f"""{HEAD}
me,alcohol,2026-11-01,1,4,6,4
me,alcohol,2026-11-02,0,0,,8
me,alcohol,2026-11-03,1,,7,
me,alcohol,2026-11-04,,,5,5
me,alcohol,2026-11-06,0,0,0,10
me,nicotine,2026-11-02,1,12,,
me,opioids,2026-11-06,0,0,,
"""


def saved(folder: Path, text: str, name: str = "my-days.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_saved_diary_needs_no_mapping(tmp_path: Path) -> None:
    """A clinic that gets the file must have the same days; a blank day or answer is not known, never clean."""
    found = read_tlfb(saved(tmp_path, DAYS))
    assert (found.report.n_rows, found.report.n_kept, found.report.set_aside) == (7, 7, ())
    alcohol, nicotine, opioids = found.diaries
    assert [one.substance for one in found.diaries] == ["alcohol", "nicotine", "opioids"]
    assert alcohol.assessed.tolist() == [[True, True, True, False, False, True]]
    assert alcohol.used.tolist() == [[True, False, True, False, False, False]]
    np.testing.assert_array_equal(alcohol.amount, [[4.0, 0.0, np.nan, np.nan, np.nan, 0.0]])
    # 1 November 2026 is a Sunday.
    assert alcohol.weekday_of_first_day.tolist() == [6]
    assert [one.amount_unit for one in found.diaries] == ["drink", "cigarette", "time"]
    assert nicotine.assessed.sum() == opioids.assessed.sum() == 1
    nan = np.nan
    np.testing.assert_array_equal(alcohol.scores["craving"], [[6.0, nan, 7.0, 5.0, nan, 0.0]])
    np.testing.assert_array_equal(alcohol.scores["mood"], [[4.0, 8.0, nan, 5.0, nan, 10.0]])
    assert nicotine.scores == opioids.scores == {}
    assert found.report.cautions == ()


def same(one: Diaries, other: Diaries) -> bool:
    """Whether two diaries hold the same days, amounts and marks."""
    arrays = [(one.assessed, other.assessed), (one.used, other.used), (one.amount, other.amount)]
    arrays += [(one.scores.get(name), other.scores.get(name)) for name in {*one.scores, *other.scores}]
    return (one.substance, one.person, one.first_day, one.amount_unit) == (
        other.substance, other.person, other.first_day, other.amount_unit
    ) and all(
        a is not None and b is not None and np.array_equal(a, b, equal_nan=True) for a, b in arrays
    )  # fmt: skip


def test_marks_of_craving_and_mood_survive_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a person marked is lost by nobody's export; a calendar has no place for it and says so."""
    before = read_tlfb(saved(tmp_path, DAYS)).diaries
    write_diaries(before, tmp_path / "days.parquet")
    write_tlfb(before, tmp_path / "rows.csv")
    write_redcap(before, tmp_path / "redcap.csv", tmp_path / "dictionary.csv")
    for after in (
        read_diaries(tmp_path / "days.parquet"),
        read_tlfb(tmp_path / "rows.csv").diaries,
        read_redcap(tmp_path / "redcap.csv", tmp_path / "dictionary.csv").diaries,
    ):
        by_name = {one.substance: one for one in after}
        assert all(same(one, by_name[one.substance]) for one in before)
    (alone,) = read_diaries(tmp_path / "days.parquet", substance="nicotine")
    assert alone.scores == {}
    write_diaries(
        read_tlfb(saved(tmp_path, f"{HEAD}\nme,alcohol,2026-11-01,1,4,6,4\n")).diaries, tmp_path / "one.parquet"
    )
    export = ["export", str(tmp_path / "one.parquet"), str(tmp_path / "calendar.csv")]
    assert run_app([*export, "--layout", "calendar"]) == 0
    assert "no place in a calendar" in capsys.readouterr().err


def test_a_mark_that_is_none_is_named_and_its_day_stays(tmp_path: Path) -> None:
    """11 of 10, a word, a negative: left open by name, and neither the day nor the other mark is lost."""
    text = f"{HEAD}\nme,alcohol,2026-11-01,1,4,11,4\nme,alcohol,2026-11-02,0,0,low,-1\nme,alcohol,2026-11-03,0,0,2,10\n"
    found = read_tlfb(saved(tmp_path, text))
    (one,) = found.diaries
    assert found.report.n_kept == one.assessed.sum() == 3
    np.testing.assert_array_equal(one.scores["craving"], [[np.nan, np.nan, 2.0]])
    np.testing.assert_array_equal(one.scores["mood"], [[4.0, np.nan, 10.0]])
    assert any("2 marks of craving" in note and "row 2" in note for note in found.report.cautions)
    assert any("1 marks of mood" in note and "-1" in note for note in found.report.cautions)


@pytest.mark.parametrize(
    ("row", "is_use"),
    [
        ("me,alcohol,2026-11-03,1,two,6,", True),  # the use was read, the amount was not
        ("me,alcohol,2026-11-03,,3,6,", False),
        ("me,alcohol,2026-11-03,0,3,6,", False),
        ("me,alcohol,2026-11-03,perhaps,,6,", False),
    ],
)
def test_a_row_that_contradicts_itself_is_no_clean_day(tmp_path: Path, row: str, is_use: bool) -> None:
    """A file changed by hand must lose its slip by name, and a day must not become one without use."""
    found = read_tlfb(saved(tmp_path, f"{HEAD}\nme,alcohol,2026-11-01,0,0,,\n{row}\n"))
    (one,) = found.diaries
    assert len(found.report.set_aside) == 1
    assert found.report.set_aside[0].row == 3
    at = one.assessed.shape[1] - 1 if is_use else None
    assert one.used.sum() == int(is_use)
    assert one.assessed.sum() == 1 + int(is_use)
    if at is not None:
        assert one.amount is not None
        assert np.isnan(one.amount[0, at])


def test_other_spreadsheets_write_the_same_file_otherwise(tmp_path: Path) -> None:
    """Columns moved, a column added, semicolons, a mark before the first letter, capitals: still the same diary."""
    text = "\ufeffmood;who;note;what;when;use;amount;craving\n"
    text += "4;me;x;Alcohol;2026-11-01;1;4;6\n;me;;ALCOHOL;2026-11-02;0;0;\n"
    (one,) = read_tlfb(saved(tmp_path, text)).diaries
    assert one.used.tolist() == [[True, False]]
    assert one.amount_unit == "drink"


def test_a_date_in_another_form_is_refused_with_the_words_for_it(tmp_path: Path) -> None:
    """A spreadsheet turns dates round; 03/11/2026 is two days, so nobody may guess."""
    with pytest.raises(SpecError, match="month/day/year"):
        read_tlfb(saved(tmp_path, f"{HEAD}\nme,alcohol,03/11/2026,1,4,6,4\n"))


def test_a_substance_of_ones_own_has_a_unit_of_its_own(tmp_path: Path) -> None:
    """An amount of something that My days does not offer must not pass for drinks."""
    (one,) = read_tlfb(saved(tmp_path, f"{HEAD}\nme,kratom,2026-11-01,1,4,,\n")).diaries
    assert one.amount_unit == "amount"


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",))))


@pytest.mark.parametrize("prefix", ["", "/es"])
def test_the_page_keeps_nothing_and_sends_nothing(client: TestClient, prefix: str) -> None:
    """A diary of use is the most private thing here: no store, no form that is sent, no field with a name to send."""
    answer = client.get(f"{prefix}/diary")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    assert "action=" not in main
    assert "method=" not in main
    script = client.get("/static/diary.js").text
    for word in (
        "Storage",
        "indexedDB",
        "cookie",
        "fetch(",
        "XMLHttpRequest",
        "sendBeacon",
        "history.",
        "location.hash",
    ):
        assert word not in script, word


@pytest.mark.parametrize("language", LANGUAGES)
def test_scores_have_words_for_every_score(client: TestClient, language: str) -> None:
    """A score without words frightens or reassures; each has what it can mean and a next step with a person."""
    page = client.get("/diary.json" if language == "en" else f"/{language}/diary.json").json()
    assert len(page["signs"]) == 11
    assert [one["low"] for one in page["sign_levels"]] == [0, 2, 4, 6]
    assert len(page["questions"]) == 10
    assert sum(max(answer["points"] for answer in one["answers"]) for one in page["questions"]) == 40
    assert [one["name"] for one in page["zones"]] == ["0–7", "8–15", "16–19", "20–40"]
    assert all(one["means"] and one["step"] for one in [*page["sign_levels"], *page["zones"]])
    assert page["columns"] == HEAD.split(",")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_questions_of_the_audit_are_whole_in_each_language(language: str) -> None:
    """A missing answer would move the points of all that follow."""
    audit = packaged_toml("care", "audit.toml")
    for scale in audit["answers"].values():
        assert len(scale[language]) == len(scale["points"])
    assert all(one[language] for one in audit["question"])
