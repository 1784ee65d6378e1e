"""My days: the file that a reader saves, read by the import without a mapping; and what the page carries."""

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from remission.errors import SpecError
from remission.exchange.tlfb import read_tlfb
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
    assert any("craving and mood" in one for one in found.report.cautions)


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
