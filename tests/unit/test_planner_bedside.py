"""A session as it ran, a pump's rate from a dilution, and a person's own measured levels."""

import json
from pathlib import Path

import numpy as np
import pytest

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.planner import PlanRequest, change_rates, place_levels, read_change, read_levels, read_request
from remission.planner.session import concentrations_at, simulate_session
from remission.records.analyte import Analyte, SamplingSite
from remission.report.clinic_sheet import clinic_sheet, read_dilution, read_strength

PERSON = {"weight": ["82"], "age": ["45"], "people": ["60"]}
COMMAND = ["plan", "--weight", "82", "--age", "45", "--people", "60", "--dose", "0.5mg/kg/40min"]


def _request(dose: str = "0.5mg/kg/40min") -> PlanRequest:
    return read_request({**PERSON, "dose": dose.split("+")})


def _ran(changes: list[str], dose: str = "0.5mg/kg/40min") -> list[tuple[float, float, float]]:
    request = _request(dose)
    found = change_rates(request, [read_change(one, weight_kg=request.weight_kg) for one in changes])
    return [
        (round(one.start_h * 60.0, 6), round(one.duration_min or 0.0, 6), round(one.dose_mg_per_kg, 9))
        for one in found.infusions
    ]


@pytest.mark.parametrize(
    ("changes", "ran"),
    [
        (["stop at 20 min"], [(0, 20, 0.25)]),
        (["pause 10 min at 20 min"], [(0, 20, 0.25), (30, 20, 0.25)]),
        (["50% at 20"], [(0, 20, 0.25), (20, 40, 0.25)]),
        (["50% at 0:20 to the end"], [(0, 20, 0.25), (20, 20, 0.125)]),
        (["0,375 mg/kg/h at 20 min"], [(0, 20, 0.25), (20, 40, 0.25)]),
        (["30.75 mg/h at 20 min"], [(0, 20, 0.25), (20, 40, 0.25)]),
        (["200% at 20 min"], [(0, 20, 0.25), (20, 10, 0.25)]),
        (["pause 5 min at 0 min"], [(5, 40, 0.5)]),
        (["pause 10 min at 10 min", "stop at 30 min"], [(0, 10, 0.125), (20, 10, 0.125)]),
    ],
)
def test_what_ran_is_what_was_changed(changes: list[str], ran: list[tuple[float, float, float]]) -> None:
    """A pause keeps the dose, a stop cuts it, a rate changes its length: worked out by hand."""
    np.testing.assert_allclose(_ran(changes), ran, rtol=1e-9, atol=1e-9)


def test_later_steps_wait_for_a_pause_and_stop_with_a_stop() -> None:
    """Two infusions into one vein never overlap, and a stopped session gives nothing more."""
    two = "0.11mg/kg/2min+0.6mg/kg/50min"
    np.testing.assert_allclose(
        _ran(["pause 3 min at 1 min"], two), [(0, 1, 0.055), (4, 1, 0.055), (5, 50, 0.6)], rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(_ran(["stop at 1 min"], two), [(0, 1, 0.055)], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "got", "allowed"),
    [
        (["stop at -5 min"], "-5 min", "0 to 40 min"),
        (["stop at 50 min"], "50 min", "0 to 40 min"),
        (["pause 10 min at 20 min", "50% at 25 min"], "25 min", "0 to 20 min, 30 to 50 min"),
        (["50% at 20 min", "stop at 10 min"], "10 min", "order of time"),
        (["faster"], "faster", "pause 10 min at 20 min"),
        (["0% at 20 min"], "0%", "stop"),
        (["pause 0 min at 20 min"], "pause 0", "more than 0"),
        (["0.5 mg/kg at 20 min"], "mg/kg at", "mg/kg/h"),
        (["stop at 0 min"], "stop at 0", "after something"),
    ],
)
def test_a_change_at_a_wrong_time_is_refused_with_the_right_ones(changes: list[str], got: str, allowed: str) -> None:
    """A rate change before the start or in a pause has no meaning, and silence would draw another session."""
    with pytest.raises(SpecError) as caught:
        _ran(changes)
    fault = caught.value.faults[0]
    assert fault.where == "change"
    assert got in str(fault.got)
    assert allowed in fault.allowed


def test_rates_of_a_pump_from_a_dilution() -> None:
    """41 mg over 40 min of 1 mg/mL are 61.5 mL/h; what is drawn and what is added make the bag."""
    request = _request()
    sheet = clinic_sheet(
        request, strength_mg_per_ml=50.0, dilution=read_dilution("100 mg in 100 ml", strength_mg_per_ml=50.0)
    )
    (step,) = sheet.steps
    assert (step.mg, step.ml, step.ml_per_h, step.given) == ("41.0", "41.00", "61.5", "")
    assert "2.00 mL of the vial (100 mg) and 98.00 mL of diluent make 100 mL of 1 mg/mL" in sheet.mixture
    assert any("more than twice" in line for line in sheet.cautions)
    strong = clinic_sheet(
        request, strength_mg_per_ml=50.0, dilution=read_dilution("50 mg/mL in 2 mL", strength_mg_per_ml=50)
    )
    assert strong.steps[0].ml_per_h == "1.2"
    assert strong.steps[0].given == "gives 40.0 mg"
    assert any("off by more than 2%" in line for line in strong.cautions)
    # Milliliters alone are of the vial, as they were.
    assert clinic_sheet(request, strength_mg_per_ml=50.0).steps[0].ml == "0.82"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("200 mg in 2 mL", "at most the 50 mg/mL"),
        ("20 mg in 50 mL", "at least the 41.0 mg"),
        ("a lot", "100 mg in 100 mL"),
        ("1,000 mg in 100 mL", "one way only"),
        ("0 mg in 50 mL", "above 0"),
    ],
)
def test_a_wrong_dilution_gives_no_rate(text: str, said: str) -> None:
    """A mixture stronger than its vial, or one that ends before the session, is a slip."""
    with pytest.raises(SpecError, match=said):
        clinic_sheet(
            _request(), strength_mg_per_ml=50.0, dilution=read_dilution(text, strength_mg_per_ml=read_strength("5%"))
        )


def test_levels_are_placed_among_the_people_of_their_site_and_time() -> None:
    """The share below is counted among the same simulated people as the band, at the very minute of the sample."""
    request = _request()
    levels = read_levels(
        "40 min, ketamine, venous, 205 ng/mL\n90, S-ketamine, arterial, 0.1 umol/L\n240,ketamine,venous,<30 ng/mL"
    )
    placed = place_levels(request, levels)
    session = simulate_session(request)
    at_end = session.of("ket", "venous")[:, int(np.abs(session.t_h - 40.0 / 60.0).argmin())]
    assert placed[0].n_below == int(np.count_nonzero(at_end < 205.0))
    assert placed[0].median_ng_per_ml == pytest.approx(float(np.median(at_end)), rel=1e-9)
    assert placed[1].level.value_ng_per_ml == pytest.approx(23.773)
    exact = concentrations_at(request, np.array([1.5]), series=[(Analyte.S_KET, SamplingSite.ARTERIAL)])
    people = exact[Analyte.S_KET, SamplingSite.ARTERIAL][:, 0]
    assert placed[1].n_below == int(np.count_nonzero(people < 23.773))
    assert placed[2].words.startswith("below quantification, as ")
    assert placed[2].level.is_below


def test_another_unit_is_doubted_and_converted_by_its_name() -> None:
    """85 ug/mL in a table of ng/mL is a thousand times too high: said beside the level, never corrected."""
    request = _request()
    odd, same = place_levels(request, read_levels("90,ketamine,venous,85 ug/mL\n90,ketamine,venous,0.085 ug/mL"))
    assert "is the unit right?" in odd.note
    assert same.note == ""
    assert same.level.value_ng_per_ml == pytest.approx(85.0)


@pytest.mark.parametrize(
    ("text", "line", "got", "said"),
    [
        (
            "time,analyte,site,value,unit\n90,ketamine,venous,85,ng/mL\n-10,ketamine,venous,5,ng/mL",
            3,
            "-10",
            "first dose",
        ),
        ("0 min, ketamine, venous, 5 ng/mL", 1, "0 min", "earlier dose"),
        ("90, ketamine, venous, 85", 1, "85", "with its unit"),
        ("90, ketamine, venous, 85 mg/kg", 1, "85 mg/kg", "85 ng/mL"),
        ("90, ketamine, venous, 85 furlongs", 1, "furlongs", "85 ng/mL"),
        ("90, ketamine, venous, -5 ng/mL", 1, "-5", "above 0"),
        ("90, ketamine, venous, 0 ng/mL", 1, "0", "limit of quantification"),
        ("90, ketamine, venous, <LLOQ", 1, "<LLOQ", "limit of quantification"),
        ("90, ketamine, blood, 85 ng/mL", 1, "blood", "venous or arterial"),
        ("90, midazolam, venous, 85 ng/mL", 1, "midazolam", "ketamine"),
        ("90, S-norketamine, venous, 85 ng/mL", 1, "S-norketamine, venous", "one of:"),
        ("90, ketamine, venous, 8,5 ng/mL", 1, "ng/mL", "semicolons"),
        ("40 h, ketamine, venous, 8 ng/mL", 1, "40 h", "24 h"),
        ("soon, ketamine, venous, 8 ng/mL", 1, "soon", "length of time"),
    ],
)
def test_a_wrong_level_names_its_line(text: str, line: int, got: str, said: str) -> None:
    """Line, value, what is expected and what to do: a lab's table is long and one cell of it is wrong."""
    with pytest.raises(SpecError) as caught:
        place_levels(_request(), read_levels(text))
    fault = caught.value.faults[0]
    assert fault.where.endswith(f"line {line}")
    assert got in str(fault.got)
    assert said in f"{fault.allowed} {fault.remedy}"


def test_every_wrong_line_is_named_at_once() -> None:
    """Mending one line at a time is how the last one stays wrong."""
    with pytest.raises(SpecError) as caught:
        read_levels("90,ketamine,venous,85\n95,ketamine,nowhere,85 ng/mL\n# a remark\n\n99,ketamine,venous,85 ng/mL")
    assert [one.where for one in caught.value.faults] == ["levels, line 1", "levels, line 2"]


def test_a_table_of_a_spreadsheet_is_read() -> None:
    """Semicolons with decimal commas, a mark at the start of the file, hours in the header."""
    table = "\ufefftime (h);analyte;site;value;unit\r\n0,5;Ketamine;Venous plasma;150,5;ng/mL\r\n"
    table += "1;esketamine;arterial;<5;ug/L\r\n"
    first, second = read_levels(table)
    assert (first.t_h, first.value_ng_per_ml, first.line) == (0.5, 150.5, 2)
    assert (second.analyte, second.is_below, second.value_ng_per_ml) == (Analyte.S_KET, True, 5.0)


def test_the_command_draws_lists_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Levels stand in text, in JSON and on paper; a broken table leaves no page."""
    table = tmp_path / "levels.csv"
    table.write_text("time,analyte,site,value,unit\n40,ketamine,venous,205,ng/mL\n", encoding="utf-8")
    page = tmp_path / "plan.html"
    assert run_app([*COMMAND, "--levels", str(table), "--change", "pause 10 min at 20 min", "--out", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "As it ran; planned was 0.5 mg/kg over 40 min: 41.0 mg, ending at 40 min." in shown
    assert "Measured levels: value" in shown
    assert "nothing of what to give" in shown
    assert "Measured levels beside the simulated people" in page.read_text("utf-8")
    assert run_app([*COMMAND, "--levels", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["levels"][0]["value"] == "205"
    table.write_bytes(b"\xff\xfe\x00")
    other = tmp_path / "other.html"
    for wrong in (
        [*COMMAND, "--levels", str(table), "--out", str(other)],
        [*COMMAND, "--levels", str(tmp_path / "missing.csv")],
        [*COMMAND, "--levels", str(tmp_path)],
        [*COMMAND, "--dilution", "100 mg in 100 mL"],
        [*COMMAND, "--find", "dose", "--limit", "sbp-rise=20", "--change", "stop at 10 min"],
    ):
        assert run_app(wrong) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not other.exists()
