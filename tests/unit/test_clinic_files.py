"""Clinic files: each rule of the operators' CSV, the traps of the public files, limits, the store."""

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from remission.cli.app import run_app
from remission.clinics.clinic import echo
from remission.clinics.columns import parse_row
from remission.clinics.files import load_demonstration, read_clinics
from remission.clinics.nppes import read_nppes
from remission.clinics.operator_csv import read_operator_csv, write_operator_csv
from remission.clinics.reading import Reading
from remission.clinics.samhsa import read_findtreatment
from remission.clinics.store import ClinicStore
from remission.errors import RunError, SpecError
from remission.web.app import create_app
from remission.web.settings import WebSettings

TODAY = date(2026, 11, 1)
GOOD = {
    "id": "ex-001", "name": "Example Harbor Clinic", "country": "US", "street": "1 Sample Way", "city": "Menlo Park",
    "region": "CA", "postal_code": "94025", "lat": "37.4510", "lon": "-122.1800", "phone": "+1-650-555-0100",
    "website": "https://clinic.example", "care_types": "outpatient;telehealth", "medications": "naltrexone",
    "ketamine_offered": "yes", "ketamine_route": "iv;im", "therapy_included": "required",
    "medical_monitoring": "physician", "addiction_experience": "yes", "payment": "medicaid;self_pay",
    "languages": "en;es", "npi": "1234567893", "licence_number": "EX-0000", "licence_board": "Example State Board",
    "last_verified": "2026-01-15", "source": "operator phone call", "source_url": "",
}  # fmt: skip


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_good_row_is_read_without_a_word() -> None:
    """A reader that complains about the documented example would be switched off."""
    clinic, faults = parse_row(GOOD, row=2, today=TODAY)
    assert faults == ()
    assert clinic is not None
    assert (clinic.ketamine, clinic.is_approximate, clinic.lat_deg) == ("self_declared", False, 37.451)


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("id", "a b"), ("id", "x" * 65), ("name", ""), ("name", "n" * 201), ("country", "USA"), ("region", "XX"),
        ("city", ""), ("street", "s" * 121), ("postal_code", "9402"), ("postal_code", "SW1A 2AA"), ("lat", "91"),
        ("lat", "nan"), ("lon", ""), ("lon", "1e3"), ("website", "javascript:alert(1)"), ("website", "ftp://x.example"),
        ("care_types", "spa"), ("medications", "ketamine"), ("ketamine_offered", "maybe"), ("ketamine_route", ""),
        ("ketamine_route", "smoke"), ("therapy_included", "some"), ("medical_monitoring", "dog"),
        ("addiction_experience", "much"), ("languages", "english language"), ("npi", "1234567890"),
        ("licence_board", ""), ("last_verified", "2026-11-02"), ("last_verified", "15/01/2026"), ("source", ""),
        ("source_url", "www.example"), ("phone", "<b>call</b>"),
    ],
)  # fmt: skip
def test_each_rule_names_its_field(field: str, cell: str) -> None:
    """A rule that is not enforced lets a wrong address or an invented license reach a patient."""
    clinic, faults = parse_row({**GOOD, field: cell}, row=7, today=TODAY)
    assert clinic is None
    assert field in {fault.field for fault in faults}
    assert all(fault.row == 7 and len(fault.got) <= 80 for fault in faults)


def test_a_far_position_is_a_warning() -> None:
    """A swapped or mistyped coordinate sends people to another town; a real border case must not be lost."""
    clinic, faults = parse_row({**GOOD, "lat": "40.75", "lon": "-73.99"}, row=2, today=TODAY)
    assert clinic is not None
    assert [(fault.field, fault.is_warning) for fault in faults] == [("lat", True)]


def test_phone_or_website_is_enough_and_neither_is_not() -> None:
    """A place that nobody can reach helps nobody."""
    assert parse_row({**GOOD, "phone": ""}, row=2, today=TODAY)[0] is not None
    assert parse_row({**GOOD, "phone": "", "website": ""}, row=2, today=TODAY)[0] is None


def test_a_row_without_position_stands_at_its_zip_area_and_says_so() -> None:
    """Otherwise it would be in no search near a ZIP code, or look more exact than it is."""
    clinic, _ = parse_row({**GOOD, "lat": "", "lon": ""}, row=2, today=TODAY)
    assert clinic is not None
    assert (clinic.lat_deg, clinic.lon_deg, clinic.is_approximate) == (37.45, -122.18, True)


def test_a_file_is_judged_as_a_whole(tmp_path: Path) -> None:
    """Missing columns come in one list; duplicates are named with the first line; unknown columns are a warning."""
    bad = {name: cell for name, cell in GOOD.items() if name not in {"source", "city"}}
    with pytest.raises(SpecError) as caught:
        read_operator_csv(write(tmp_path / "a.csv", bad), today=TODAY)
    assert {fault.got for fault in caught.value.faults} == {"no column city", "no column source"}
    reading = read_operator_csv(write(tmp_path / "b.csv", {**GOOD, "x": ""}, {**GOOD, "x": ""}), today=TODAY)
    assert [(fault.field, fault.is_warning) for fault in reading.faults] == [("x", True), ("id", False)]
    twin = {**GOOD, "id": "ex-002"}
    assert read_operator_csv(write(tmp_path / "c.csv", GOOD, twin), today=TODAY).faults[0].is_warning


@pytest.mark.parametrize(
    "content",
    [b"", b"id;name;city\n1;2;3\n", b"\xff\xfei\0d\0", b"id,name\n\xe9,x\n", b'id,"name\n1,2\n', b"id\0,name\n"],
)
def test_a_file_that_is_no_csv_says_why(tmp_path: Path, content: bytes) -> None:
    """A traceback is the end of an operator's patience."""
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(SpecError):
        read_clinics(path, today=TODAY)


def test_an_export_is_no_formula(tmp_path: Path) -> None:
    """A name that begins with = would run in the spreadsheet of whoever opens the export."""
    clinic, _ = parse_row({**GOOD, "name": "=HYPERLINK(1)"}, row=2, today=TODAY)
    assert clinic is not None
    text = write_operator_csv([clinic])
    cells = next(iter(csv.DictReader(io.StringIO(text))))
    assert cells["name"] == "'=HYPERLINK(1)"
    path = tmp_path / "x.csv"
    path.write_text(text, "utf-8-sig", newline="")
    assert read_operator_csv(path, today=TODAY).clinics == (clinic,)


ROW = {
    "_irow": 1, "name1": "Example Harbor Clinic", "name2": "", "street1": "1 Sample Way", "street2": None,
    "city": "Menlo Park", "state": "CA", "zip": "94025", "phone": "650-555-0100", "website": "clinic.example",
    "latitude": "37.4510", "longitude": "-122.1800", "typeFacility": "SA",
    "services": [
        {"f1": "Type of Care", "f2": "TC", "f3": "Substance use treatment; Detoxification"},
        {"f1": "Payment/Insurance/Funding Accepted", "f2": "PAY", "f3": "Medicaid; Cash or self-payment"},
        {"f1": "Other Languages", "f2": "OL", "f3": "Spanish"},
    ],
}  # fmt: skip


def test_findtreatment_json_in_each_shape(tmp_path: Path) -> None:
    """Operators save what they get: an envelope, a bare list, or several pages in one file."""
    envelope = json.dumps({"page": 1, "totalPages": 1, "recordCount": 1, "rows": [ROW]})
    second = json.dumps({"rows": [{**ROW, "name1": "Other", "type_facility": "MH"}]})
    path = tmp_path / "x.json"
    for text, names in ((envelope, 1), (json.dumps([ROW]), 1), (envelope + "\n" + second, 2)):
        path.write_text(text, "utf-8")
        assert len(read_clinics(path, today=TODAY, source_date=TODAY).clinics) == names
    clinic = read_findtreatment(path, source_date=TODAY).clinics[0]
    assert (clinic.care_types, clinic.payment, clinic.languages) == (("detox",), ("medicaid", "self_pay"), ("es",))
    assert (clinic.website, clinic.ketamine, clinic.dataset) == ("https://clinic.example", "unknown", "samhsa")


def test_one_site_with_two_rows_is_one_place_and_ketamine_is_only_reported(tmp_path: Path) -> None:
    """Substance-use and mental-health rows of one site must not look like two clinics, nor a survey like a check."""
    other = {**ROW, "typeFacility": "MH", "name1": "EXAMPLE HARBOR CLINIC.", "latitude": "0", "longitude": "0"}
    other["services"] = [{"f1": "Approaches", "f2": "TAP", "f3": "Ketamine Infusion Therapy (KIT)"}]
    person = {**ROW, "name1": "Doe, Jane, M.D.", "street1": "9 Home Lane", "services": []}
    path = tmp_path / "x.json"
    path.write_text(json.dumps([ROW, other, person, {**ROW, "zip": "?"}]), "utf-8")
    reading = read_findtreatment(path, source_date=TODAY)
    assert [(c.ketamine, c.is_person) for c in reading.clinics] == [("samhsa_survey", False), ("unknown", True)]
    assert [(f.row, f.field, f.is_warning) for f in reading.faults] == [(2, "latitude", True), (4, "zip", False)]


def test_codes_that_are_easily_confused(tmp_path: Path) -> None:
    """MD is Medicaid, MC is Medicare, SF is self-pay: public importers got these wrong, and people were turned away."""
    base = {name: str(value or "") for name, value in ROW.items() if name != "services"}
    for code, meaning in (("md", "medicaid"), ("mc", "medicare"), ("sf", "self_pay"), ("ss", "sliding_fee")):
        path = write(tmp_path / "FindTreament_Facility_listing_2026_10_02_101010.csv", {**base, code: "1"})
        reading = read_clinics(path, today=TODAY)
        assert reading.clinics[0].payment == (meaning,)
        assert reading.source_date == date(2026, 10, 2)


def nppes_rows(*changes: dict[str, str]) -> str:
    from remission.clinics.nppes import _columns

    start = {
        "npi": "1234567893", "entity": "2", "name": "EXAMPLE REHAB LLC", "street1": "1 SAMPLE WAY",
        "city": "MENLO PARK", "state": "CA", "postal": "940251234", "phone": "6505550100", "code3": "261QR0405X",
    }  # fmt: skip
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_ALL)
    writer.writerow(_columns().values())
    for change in changes:
        row = {**start, **change}
        writer.writerow([row.get(field, "") for field in _columns()])
    return target.getvalue()


def test_nppes_keeps_open_organizations_only(tmp_path: Path) -> None:
    """A closed or replaced number, a person's home, an anesthesiology group: none is a place for addiction care."""
    text = nppes_rows(
        {},
        {"npi": "1245319599", "entity": "", "deactivated": "01/02/2024"},
        {"npi": "1003000126", "entity": "1", "code3": "207QA0401X"},
        {"npi": "1679576722", "code3": "207L00000X"},
        {"npi": "1234567890"},
    )
    path = tmp_path / "npidata_pfile_20260101-20260131.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("npidata_pfile_20260101-20260131.csv", text)
        archive.writestr("npidata_pfile_20260101-20260131_fileheader.csv", "NPI")
    reading = read_clinics(path, today=TODAY)
    assert [(c.npi, c.ketamine, c.is_approximate, c.postal_code) for c in reading.clinics] == [
        ("1234567893", "unknown", True, "94025-1234")
    ]
    assert reading.gone == ("npi-1245319599",)
    assert [fault.field for fault in reading.errors] == ["NPI"]
    assert any("prove neither license" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("latitude", "3" * 5000), ("latitude", "37." + "4" * 5000), ("latitude", "137.2"), ("latitude", "1e400"),
        ("latitude", "nan"), ("latitude", "north"), ("latitude", "3_7.4"), ("longitude", "-222"),
        ("longitude", "-122." + "1" * 5000), ("phone", "6" * 5000), ("zip", "9" * 5000), ("name1", " "),
        ("name1", "x" * 5000), ("city", "x" * 5000), ("street1", "x" * 5000), ("website", "https://a.example/" * 300),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["json", "number", "csv"])
def test_a_cell_out_of_range_or_of_absurd_length_is_refused_where_it_stands(
    tmp_path: Path, kind: str, field: str, cell: str
) -> None:
    """Cut to a length or read as infinity it would be another place, another telephone, or none."""
    row = {name: text for name, text in ROW.items() if name not in {"services", "_irow"}} | {field: cell}
    path = tmp_path / f"places.{'csv' if kind == 'csv' else 'json'}"
    if kind == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([row.keys(), row.values()])
    else:
        text = json.dumps({"rows": [row]})
        is_number = cell.removeprefix("-").replace(".", "").isdigit()
        path.write_text(text.replace(f'"{cell}"', cell) if kind == "number" and is_number else text, "utf-8")
    reading = read_clinics(path, file_format="findtreatment", source_date=TODAY, today=TODAY)
    assert reading.clinics == ()
    assert [(fault.row, fault.field) for fault in reading.errors] == [(2 if kind == "csv" else 1, field)]
    assert reading.errors[0].got == echo(row[field])
    assert reading.errors[0].reason.startswith("must ")


def test_cells_beyond_the_header_and_a_long_telephone_are_refused(tmp_path: Path) -> None:
    """A comma without quotes moves every cell after it; a cut telephone number rings somewhere else."""
    path = tmp_path / "places.csv"
    path.write_text("name1,city,state,zip\nHarbor,Menlo Park,CA,94025,650-555-0100\n", "utf-8")
    (fault,) = read_clinics(path, source_date=TODAY, today=TODAY).errors
    assert (fault.row, fault.got) == (2, "650-555-0100")
    path = tmp_path / "npidata_pfile_20260101-20260131.csv"
    path.write_text(nppes_rows({}, {"npi": "1245319599", "phone": "6" * 5000}), "utf-8")
    reading = read_clinics(path, today=TODAY)
    assert [(fault.row, fault.field) for fault in reading.errors] == [(3, "phone")]


def test_a_zip_bomb_and_a_wrong_file_are_refused(tmp_path: Path) -> None:
    """A small upload must not fill the memory or the disk."""
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("npidata_pfile_1.csv", b"0" * 3_000_000)
    with pytest.raises(SpecError, match="unpack"):
        read_nppes(bomb, source_date=TODAY)
    wrong = tmp_path / "othername.csv"
    wrong.write_text('"NPI","Entity Type Code"\n', "utf-8")
    with pytest.raises(SpecError, match="Replacement NPI"):
        read_nppes(wrong, source_date=TODAY)


def test_the_store_changes_wholly_or_not_at_all(tmp_path: Path) -> None:
    """Half a list is worse than the old one; a database of another program must stay as it is."""
    store = ClinicStore(tmp_path / "s" / "clinics.sqlite")
    assert store.read() == ()
    path = write(tmp_path / "a.csv", GOOD, {**GOOD, "id": "ex-002", "name": "Other"})
    assert store.save(read_operator_csv(path, today=TODAY)).added == 2
    again = read_operator_csv(write(tmp_path / "b.csv", GOOD), today=TODAY)
    assert store.save(again, replace=True).to_dict() == {"added": 0, "updated": 1, "removed": 1}
    assert [clinic.id for clinic in store.read("CA")] == ["ex-001"]
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(RunError):
        ClinicStore(other).save(again)


def test_the_demonstration_is_plainly_invented() -> None:
    """Nobody may call a number or drive to a place of the demonstration: reserved numbers and names only."""
    for clinic in load_demonstration():
        assert clinic.dataset == "demonstration"
        assert "-555-01" in clinic.phone
        assert not clinic.website or clinic.website.endswith(".example")
        assert clinic.source == "invented for demonstration"


@pytest.mark.parametrize(
    ("code", "state", "read"),
    [
        ("2118", "MA", "02118"),
        ("901", "PR", "00901"),
        ("6610.0", "CT", "06610"),
        ("2118-1234", "MA", "02118-1234"),
        ("21181234", "MA", "02118-1234"),
        ("94025.0", "CA", "94025"),
        ("9402", "CA", None),
        ("2118", "CA", None),
    ],
)
def test_zeros_that_a_spreadsheet_took_come_back_where_the_state_tells(
    tmp_path: Path, code: str, state: str, read: str | None
) -> None:
    """Every place of New England would be lost, or a place of another state invented."""
    base = {name: str(value or "") for name, value in ROW.items() if name != "services"}
    reading = read_clinics(
        write(tmp_path / "x.csv", {**base, "zip": code, "state": state}), today=TODAY, source_date=TODAY
    )
    assert [one.postal_code for one in reading.clinics] == ([] if read is None else [read])
    assert all(fault.is_warning for fault in reading.faults) == (read is not None)
    own = write(tmp_path / "own.csv", {**GOOD, "postal_code": code.removesuffix(".0"), "region": state})
    assert [one.postal_code for one in read_operator_csv(own, today=TODAY).clinics] == ([] if read is None else [read])


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("service_code_info", "SA DT OP METH MD SP"),
        ("service_code_info", "* SA * DT * OP * METH * MD * SP"),
        ("Keys", "SAF/SA/DT/OP/METH/MD/SP/"),
        ("offered", "DT;OP;METH;MD;SP;ZZ"),
    ],
)
def test_codes_in_one_cell_are_read(tmp_path: Path, column: str, cell: str) -> None:
    """The National Directory writes all codes into one cell: a list without any care would answer no filter."""
    base = {name: str(value or "") for name, value in ROW.items() if name != "services"}
    reading = read_clinics(write(tmp_path / "x.csv", {**base, column: cell}), today=TODAY, source_date=TODAY)
    found = reading.clinics[0]
    assert (found.care_types, found.medications) == (("detox", "outpatient"), ("methadone",))
    assert (found.payment, found.languages) == (("medicaid",), ("es",))
    assert reading.cautions == ()


def test_the_directory_of_2017_is_a_file_of_the_site(tmp_path: Path) -> None:
    """Its columns have other names (Address1, ZIP_Code); it was taken for an operator's own list and refused."""
    row = {"Name1": "Example", "Name2": "", "Address1": "1 Way", "City": "Boston", "State": "MA", "ZIP_Code": "2118"}
    reading = read_clinics(write(tmp_path / "x.csv", {**row, "Keys": "OP/METH"}), today=TODAY, source_date=TODAY)
    assert reading.format == "findtreatment"
    assert (reading.clinics[0].street, reading.clinics[0].medications) == ("1 Way", ("methadone",))


def test_nothing_understood_is_not_nothing_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The words "no bad rows" over a list without any care read as "all is well"."""
    base = {name: str(value or "") for name, value in ROW.items() if name != "services"}
    path = write(tmp_path / "x.csv", {**base, "what_they_do": "detox and more"})
    assert run_app(["clinics", "check", str(path), "--source-date", "2026-01-01"]) == 0
    said = capsys.readouterr().out
    assert "no bad rows" not in said
    assert "nothing about care" in said
    assert "what_they_do" in said
    part = tmp_path / "x.json"
    part.write_text(json.dumps({"page": 1, "totalPages": 9, "recordCount": 270, "rows": [ROW]}), "utf-8")
    assert any("1 of 9 pages" in one for one in read_findtreatment(part, source_date=TODAY).cautions)


def test_a_row_without_an_end_never_fills_the_memory(tmp_path: Path) -> None:
    """A zip of 7 MB held one line of 1.3 GB; cells with line breaks make such a row as well."""
    header = nppes_rows().splitlines()[0]
    for name, tail in (("line", "a" * 1_200_000), ("cells", '"a\n",' * 300_000)):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"{header}\n{tail}", "utf-8")
        with pytest.raises(SpecError, match="a row of more than"):
            read_nppes(path, source_date=TODAY)
        own = tmp_path / f"own-{name}.csv"
        own.write_text(f"id,name\n{tail}", "utf-8")
        with pytest.raises(SpecError, match=r"a row of more than|no column"):
            read_operator_csv(own, today=TODAY)


def test_zips_that_are_built_to_fill_the_memory_are_refused(tmp_path: Path) -> None:
    """Lists of members are read whole, and some compressions unpack without measure."""
    many, other, sheet = tmp_path / "many.zip", tmp_path / "lzma.zip", tmp_path / "x.xlsx"
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(12_000):
            archive.writestr(f"{number:040d}", "")
        archive.writestr("npidata_pfile_1.csv", "x")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("npidata_pfile_1.csv", "NPI\n")
    with zipfile.ZipFile(sheet, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    for path, says in ((many, "tens of thousands"), (other, "compression"), (sheet, "spreadsheet")):
        with pytest.raises(SpecError, match=says):
            read_nppes(path, source_date=TODAY)


def test_names_cannot_steer_a_terminal_or_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name with a bell, a line break, a color or a turned direction would forge other rows."""
    name = "Clinic\a\x1b[31m\u202eevil\nsecond\x9b2J"
    clinic, _ = parse_row({**GOOD, "name": name}, row=2, today=TODAY)
    assert clinic is not None
    store = tmp_path / "s.sqlite"
    ClinicStore(store).save(Reading(format="csv", n_rows=1, clinics=(clinic,)))
    assert run_app(["clinics", "list", "--store", str(store)]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert not set("\a\x1b\u202e\x9b") & set(out)
    assert "\\u0007" in out
    assert run_app(["clinics", "list", "--store", str(store), "--json"]) == 0
    out = capsys.readouterr().out
    assert not set("\a\x1b\u202e\x9b") & set(out)
    assert json.loads(out)["clinics"][0]["name"] == clinic.name
    assert run_app(["clinics", "check", str(tmp_path / "no\x1b[2J\a.csv")]) == 2
    assert not set("\a\x1b") & set(capsys.readouterr().err)
    client = TestClient(create_app(WebSettings(hosts=("testserver",), clinics_store=store)))
    page = client.get("/clinics/state/CA").text
    assert "evil" in page
    assert not set("\a\x1b\u202e\x9b") & set(page)
