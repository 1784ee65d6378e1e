"""Your clinic: a sum that never takes unknown for zero, and diaries that are read by choosing columns and not kept."""

import base64
import re
import tempfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from remission.errors import SpecError
from remission.web.app import create_app
from remission.web.pages.your_clinic import course_cost
from remission.web.settings import WebSettings

COST = {"sessions": "3", "drug": "12.50", "nurse_hours": "2", "nurse_wage": "40", "assessment": "200"}
TABLE = "Patient;Visit;Drinks;Note\n" + "".join(
    f"A{person};{day:02d}.03.2026;{'k.A.' if day == 4 else (person + day) % 4},0;text, with comma\n"
    for person in range(1, 4)
    for day in range(1, 29)
)
MAPPED = {
    "m_person": "Patient", "m_when": "Visit", "m_when_is": "day.month.year", "m_one_substance": "alcohol",
    "m_amount": "Drinks", "m_amount_unit": "standard drinks", "m_missing": "k.A.", "m_decimal": "comma",
}  # fmt: skip


@pytest.fixture(scope="module")
def own() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",), is_clinician=True)))


def carried(text: str | bytes, name: str = "diary.csv") -> dict[str, str]:
    content = text.encode() if isinstance(text, str) else text
    return {"name": name, "content": base64.b64encode(content).decode()}


def sent(client: TestClient, fields: dict[str, str]) -> tuple[int, str]:
    """The second step: a form with several parts."""
    answer = client.post("/planner/clinic", files={key: (None, value) for key, value in fields.items()})
    return answer.status_code, answer.text


@given(numbers=st.lists(st.integers(0, 9999), min_size=5, max_size=5))
def test_the_sum_is_that_of_its_lines(numbers: list[int]) -> None:
    """A table whose total is another number would be believed for its total."""
    found = course_cost(dict(zip(COST, map(str, numbers), strict=True)))
    sessions, drug, hours, wage, once = numbers
    assert found.total == sessions * drug + sessions * hours * wage + once
    assert found.total == sum(line.cost for line in found.lines if line.cost is not None)


def test_what_is_not_given_is_named_and_never_zero() -> None:
    """An hour without its price costs something; how much is not known."""
    found = course_cost({**COST, "doctor_hours": "1"})
    assert found.total == 3 * 12.5 + 3 * 2 * 40 + 200
    assert "Doctor (a part of it is missing)" in found.missing
    assert {"Room", "Therapist"} <= set(found.missing)
    assert [line.cost for line in found.lines if line.label == "Doctor"] == [None]
    assert course_cost({"sessions": "3"}).lines == ()
    assert course_cost({**COST, "doctor_hours": "0", "doctor_wage": "90"}).total == found.total


@pytest.mark.parametrize("text", ["-5", "1,200", "twelve", "1e9", "12 - 14", "=1+1", "nan", "inf", "<b>"])
def test_a_wrong_number_is_named_at_its_box(own: TestClient, text: str) -> None:
    """A thousand read as one, or a word as nothing, would be a wrong sum."""
    with pytest.raises(SpecError, match="a number of 0 or more"):
        course_cost({"drug": text})
    answer = own.get("/planner/clinic", params={**COST, "drug": text})
    assert answer.status_code == 422
    assert 'id="drug-fault"' in answer.text
    assert 'value="40"' in answer.text, "what was typed elsewhere stays"
    assert "got “<b>”" not in answer.text


def test_a_messy_file_becomes_its_page(own: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Semicolons, decimal commas, another order of dates, a code for not known; and nothing of it stays."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first = own.post("/planner/clinic", files={"file": ("diary.csv", TABLE)})
    assert first.status_code == 200
    assert re.search(r"<option selected>Patient", first.text)
    assert "k.A." in first.text
    status, page = sent(own, {**carried(TABLE), **MAPPED})
    assert status == 200, page
    assert "3 people, 81 days asked about" in page
    assert page.count("<figure") >= 3
    assert "No row was set aside" in page or "rows were set aside" in page
    assert list(tmp_path.iterdir()) == []


def test_a_day_without_a_row_is_not_known_unless_the_reader_says_so(own: TestClient) -> None:
    """The first choice of the form is the one that flatters nobody."""
    few = "\n".join(line for line in TABLE.splitlines() if ";02.03.2026;" not in line)
    form = own.post("/planner/clinic", files={"file": ("diary.csv", few)}).text
    first = re.findall(r'name="m_assessed"><option value="(\w+)"', form)
    assert first == ["rows"]
    for assessed, days in (("rows", 78), ("span", 81)):
        _, page = sent(own, {**carried(few), **MAPPED, "m_assessed": assessed})
        assert f"3 people, {days} days asked about" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "a file of diaries"),
        (carried(b""), "a file of diaries"),
        ({**carried(b"\x00\x01\x02" * 50), "m_person": "x"}, "expected"),
        ({**carried(TABLE), **MAPPED, "m_when_is": "day"}, "expected"),
        ({**carried(TABLE), **MAPPED, "m_when": "Nowhere"}, "expected"),
        ({**carried(TABLE), **MAPPED, "m_person": "Visit"}, "expected"),
        ({**carried(TABLE), **MAPPED, "m_decimal": "point"}, "Drinks"),
        ({**carried(TABLE, "../../etc/passwd"), **MAPPED}, "days asked about"),
        ({"name": "a.csv", "content": "not base64!"}, "a file of diaries"),
    ],
)
def test_a_wrong_file_or_choice_is_shown_at_the_place(own: TestClient, fields: dict[str, str], said: str) -> None:
    """The reader chooses again; no traceback, no path of the server, no wrong number."""
    status, page = sent(own, fields) if fields else sent(own, {"name": "x"})
    assert status in {200, 422}
    assert said in page
    assert "/tmp" not in page
    assert "Traceback" not in page


def test_no_file_is_taken_on_the_server_of_somebody_else(own: TestClient) -> None:
    """Diaries of patients belong on one's own machine."""
    other = TestClient(create_app(WebSettings(hosts=("testserver",))))
    assert "takes no file" in other.get("/planner/clinic").text
    assert other.post("/planner/clinic", files={"file": ("a.csv", TABLE)}).status_code in {404, 405}
    assert own.post("/planner/clinic", content=b"x").status_code == 422
    assert own.post("/planner/clinic", files={"file": ("a.csv", b"x" * 3_000_000)}).status_code == 422
