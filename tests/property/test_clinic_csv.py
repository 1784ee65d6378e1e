"""Clinic files of any content: what is written reads back equal, and damage gives a typed error."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remission.clinics.clinic import CARE_TYPES, MEDICATIONS, MONITORING, THERAPY, Clinic
from remission.clinics.files import load_demonstration, read_clinics
from remission.clinics.operator_csv import read_operator_csv, write_operator_csv
from remission.errors import RemissionError

TODAY = date(2026, 11, 1)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=60).filter(
    lambda text: text == text.strip() and not text.startswith("'")
)


@st.composite
def clinics(draw: st.DrawFn) -> Clinic:
    lat = draw(st.integers(-89_999_999, 89_999_999).filter(bool)) / 1e6
    is_ketamine = draw(st.booleans())
    return Clinic(
        id=draw(st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True).filter(lambda text: text[0] != "-")),
        name=draw(TEXT),
        country="DE",
        street=draw(TEXT),
        city=draw(TEXT),
        region=draw(TEXT),
        postal_code="10115",
        lat_deg=lat,
        lon_deg=draw(st.integers(-179_999_999, 179_999_999)) / 1e6,
        phone="+49 30 5550100",
        care_types=tuple(draw(st.lists(st.sampled_from(CARE_TYPES), min_size=1, unique=True))),
        medications=tuple(draw(st.lists(st.sampled_from(MEDICATIONS), unique=True))),
        ketamine="self_declared" if is_ketamine else "no",
        ketamine_route=("iv",) if is_ketamine else (),
        therapy_included=draw(st.sampled_from(THERAPY)),
        medical_monitoring=draw(st.sampled_from(MONITORING)),
        last_verified=draw(st.dates(date(2000, 1, 1), TODAY)),
        source=draw(TEXT),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clinics")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(clinics(), min_size=1, max_size=3, unique_by=lambda clinic: clinic.id))
def test_what_is_exported_reads_back_equal(folder: Path, rows: list[Clinic]) -> None:
    """An export that loses or changes a cell is no backup."""
    path = folder / "round.csv"
    path.write_text(write_operator_csv(rows), "utf-8", newline="")
    reading = read_operator_csv(path, today=TODAY)
    assert reading.errors == ()
    assert list(reading.clinics) == rows


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_file_gives_a_typed_error_or_named_rows(folder: Path, data: st.DataObject) -> None:
    """Files come cut off, mixed up, from other programs: never a traceback, never an unnamed loss."""
    content = bytearray(write_operator_csv(load_demonstration()[:3]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        end = at + data.draw(st.integers(0, 30))
        content[at:end] = data.draw(st.binary(max_size=12))
        if not content:
            break
    path = folder / "damaged.csv"
    path.write_bytes(bytes(content))
    try:
        reading = read_clinics(path, today=TODAY)
    except RemissionError:
        return
    assert len(reading.clinics) + reading.n_bad >= reading.n_rows or reading.format != "csv"
