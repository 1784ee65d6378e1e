"""Diaries in REDCap exports."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.exchange.canonical import write_diaries
from remission.exchange.redcap import FIELDS as FIELDS_OUT
from remission.exchange.redcap import read_redcap, write_redcap
from remission.exchange.rows import Mapping
from remission.records.diaries import Diaries

DICTIONARY = """"Variable / Field Name","Form Name","Field Type","Field Label",\
"Choices, Calculations, OR Slider Labels","Text Validation Type OR Show Slider Number","Identifier?"
record_id,entry,text,Record,,,
family_name,entry,text,Name,,,y
tlfb_date,tlfb,text,Day,,date_mdy,
tlfb_substance,tlfb,radio,Substance,"1, Alcohol | 2, Cocaine, smoked | 3, None",,
tlfb_drinks,tlfb,text,Drinks,,number,
tlfb_signs,tlfb,checkbox,Signs,"1, a | 2, b",,
"""
EXPORT = """record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,family_name,\
tlfb_date,tlfb_substance,tlfb_drinks
7,baseline_arm_1,,,Someone,,,
7,week_1_arm_1,tlfb,1,,2024-03-01,1,4
7,week_1_arm_1,tlfb,2,,2024-03-03,1,2
7,week_1_arm_1,tlfb,3,,2024-03-02,2,1
7,week_1_arm_1,tlfb,4,,2024-03-03,1,5
8,week_1_arm_1,tlfb,1,,03/04/2024,1,1
8,week_1_arm_1,tlfb,2,,2024-03-04,1,0
"""
FIELDS = Mapping(
    when="tlfb_date", when_is="date", substance="tlfb_substance", amount="tlfb_drinks", amount_unit="drink"
)


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, Path]:
    export, dictionary = tmp_path / "export.csv", tmp_path / "dictionary.csv"
    export.write_text(EXPORT, encoding="utf-8")
    dictionary.write_text(DICTIONARY, encoding="utf-8")
    return export, dictionary


def test_a_longitudinal_export_with_a_repeating_instrument(project: tuple[Path, Path]) -> None:
    """Codes become substances, other instruments are counted, and what cannot be used has its row and reason."""
    got = read_redcap(*project, FIELDS)
    assert [(one.row, one.field) for one in got.report.set_aside] == [(6, "tlfb_date"), (7, "tlfb_date")]
    alcohol, cocaine = got.diaries
    assert (alcohol.substance, cocaine.substance) == ("Alcohol", "Cocaine, smoked")
    assert alcohol.person == ("7", "8")
    assert alcohol.used.tolist() == [[True, False, True], [False, False, False]]
    assert alcohol.amount is not None
    # Two entries, 2 and 5 drinks, and no rule for them: the day has use, and how much is not known.
    assert np.isnan(alcohol.amount[0, 2])
    first = read_redcap(*project, replace(FIELDS, same_day="first")).diaries[0].amount
    assert first is not None
    assert first[0, 2] == 2.0
    assert cocaine.used[0].tolist() == [False, True, False]
    assert any("1 rows belong to other instruments" in note for note in got.report.cautions)
    assert any("family_name is marked as an identifier" in note for note in got.report.cautions)


def test_one_substance_and_machine_names(project: tuple[Path, Path]) -> None:
    """A project about one substance has no field for it; the interface for programs names the columns otherwise."""
    export, dictionary = project
    for printed, machine in (
        ("Variable / Field Name", "field_name"),
        ("Field Type", "field_type"),
        ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
        ("Text Validation Type OR Show Slider Number", "text_validation_type_or_show_slider_number"),
        ("Identifier?", "identifier"),
    ):
        dictionary.write_text(dictionary.read_text().replace(printed, machine))
    got = read_redcap(export, dictionary, Mapping(when="tlfb_date", when_is="date", one_substance="Alcohol"))
    assert [one.substance for one in got.diaries] == ["Alcohol"]
    assert got.diaries[0].used.sum() == 4


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (Mapping(when="tlfb_dat", when_is="date", one_substance="a"), "tlfb_date"),
        (Mapping(when="tlfb_date", when_is="date", substance="family_name"), "identifier"),
        (Mapping(when="tlfb_date", when_is="date", substance="tlfb_substance", use="tlfb_signs"), "checkbox"),
        (Mapping(when="tlfb_date", when_is="date", one_substance="a", person="family_name"), "record_id"),
        (Mapping(layout="calendar", one_substance="a"), "layout"),
        (Mapping(when="tlfb_date", one_substance="a", amount="tlfb_drinks"), "amount_unit"),
    ],
)
def test_wrong_mappings(mapping: Mapping, words: str, project: tuple[Path, Path]) -> None:
    """A mapping against the dictionary: the slip is named with what the dictionary has."""
    with pytest.raises(SpecError, match=words):
        read_redcap(*project, mapping)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",1,4\n", ",Alcohol,4\n", "row 3, tlfb_substance"),
        ("tlfb_date,tlfb_substance", "other,tlfb_substance", "no column tlfb_date"),
    ],
)
def test_wrong_exports(old: str, new: str, words: str, project: tuple[Path, Path]) -> None:
    """Labels in the place of codes would make a substance of every spelling."""
    export, dictionary = project
    export.write_text(EXPORT.replace(old, new), encoding="utf-8")
    with pytest.raises(SpecError, match=words):
        read_redcap(export, dictionary, FIELDS)
    with pytest.raises(SpecError, match="data dictionary"):
        read_redcap(export, export, FIELDS)


def test_the_command(project: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the project's two files to diaries, without a change of either."""
    export, dictionary = project
    mapping = tmp_path / "fields.yaml"
    mapping.write_text("when: tlfb_date\nwhen_is: date\none_substance: Alcohol\n")
    command = ["import", "redcap", str(export), "--dictionary", str(dictionary), "--mapping", str(mapping)]
    assert run_app([*command, "--out", str(tmp_path / "d.parquet")]) == 0
    assert "4 with use" in capsys.readouterr().out
    assert (export.read_text("utf-8"), dictionary.read_text("utf-8")) == (EXPORT, DICTIONARY)


@pytest.mark.parametrize("with_amounts", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_written_as_a_project_is_read_again(seed: int, with_amounts: bool, tmp_path: Path) -> None:
    """Out and in again must give the same asked days, use and amounts, whatever the names look like."""
    rng = np.random.default_rng(seed)
    several = []
    for substance in ("Alcohol", "Cocaine, smoked; crack", "=SUM(A1)"):
        assessed = rng.random((4, 9)) < 0.7
        # The first and last column are asked about in somebody, so that the grid keeps its ends.
        assessed[0, [0, -1]] = True
        assessed[:, 4] = True
        used = assessed & (rng.random((4, 9)) < 0.5)
        several.append(
            Diaries(
                substance=substance,
                person=("007", "-1", "=A1", "anna"),
                first_day=int(rng.integers(-20, 20)),
                assessed=assessed,
                used=used,
                amount=np.where(used, rng.random((4, 9)), np.where(assessed, 0.0, np.nan)) if with_amounts else None,
                amount_unit="gram" if with_amounts else None,
                weekday_of_first_day=np.full(4, -1),
                group=("",) * 4,
                origin="simulated",
                source="a test",
                day_zero="the first dose",
            )
        )
    out, dictionary = tmp_path / "out.csv", tmp_path / "out-dictionary.csv"
    write_redcap(several, out, dictionary)
    fields = replace(FIELDS_OUT, assessed="rows")
    fields = replace(fields, amount_unit="gram") if with_amounts else replace(fields, amount=None)
    back = {one.substance: one for one in read_redcap(out, dictionary, fields).diaries}
    for one in several:
        found = back[one.substance]
        order = [found.person.index(name) for name in one.person]
        days = slice(one.first_day - found.first_day, one.first_day - found.first_day + 9)
        np.testing.assert_array_equal(found.assessed[order][:, days], one.assessed)
        np.testing.assert_array_equal(found.used[order][:, days], one.used)
        if one.amount is not None and found.amount is not None:
            np.testing.assert_array_equal(found.amount[order][:, days][one.assessed], one.amount[one.assessed])
    with pytest.raises(SpecError, match="exists"):
        write_redcap(several, out, tmp_path / "other.csv")
    text = out.read_text("utf-8")
    assert text.count("synthetic") == sum(int(one.assessed.sum()) for one in several)
    assert "\n=A1" not in text


def test_a_project_out_and_described(project: tuple[Path, Path], tmp_path: Path) -> None:
    """The command writes both files, never over others, and what it wrote is imported by the command."""
    data, out = tmp_path / "d.parquet", tmp_path / "again.csv"
    write_diaries(read_redcap(*project, FIELDS).diaries, data)
    assert run_app(["export", str(data), str(out), "--layout", "redcap"]) == 0
    assert (tmp_path / "again-dictionary.csv").exists()
    out.unlink()
    assert run_app(["export", str(data), str(out), "--layout", "redcap"]) != 0
    assert not out.exists()


BOXES = """"Variable / Field Name","Form Name","Field Type","Field Label",\
"Choices, Calculations, OR Slider Labels","Text Validation Type OR Show Slider Number","Identifier?"
record_id,entry,text,Record,,,
day,diary,text,Day,,integer,
any_use,diary,yesno,Any use?,,,
which,diary,checkbox,Which,"1, Alcohol | B, Cannabis, smoked | -9, None | 98, Don't know",,
drinks,diary,text,Drinks,,number,
"""
BOX_ROWS = """record_id,day,any_use,which___1,which___b,which____9,which___98,drinks
7,0,1,1,0,0,0,4
7,1,,0,0,1,0,
7,2,,0,0,0,0,
7,3,0,0,0,0,0,
7,4,,0,1,1,0,
7,5,,1,0,0,1,
7,6,0,1,0,0,0,
7,7,1,0,0,0,0,
8,,,0,0,0,0,
"""


@pytest.mark.parametrize(
    ("use", "alcohol", "cannabis"),
    [(None, "10???11?", "00??1?0?"), ("any_use", "10?0?1??", "00?01???")],
    ids=["boxes alone", "beside an answer"],
)
def test_a_box_is_a_substance(use: str | None, alcohol: str, cannabis: str, tmp_path: Path) -> None:
    """An export writes 0 in every box of a form that nobody filled in: nothing ticked is no clean day."""
    export, dictionary = tmp_path / "export.csv", tmp_path / "dictionary.csv"
    export.write_text(BOX_ROWS, encoding="utf-8")
    dictionary.write_text(BOXES, encoding="utf-8")
    got = read_redcap(export, dictionary, Mapping(when="day", substance="which", use=use))
    assert [one.substance for one in got.diaries] == ["Alcohol", "Cannabis, smoked"]
    found = []
    for one in got.diaries:
        assert one.person == ("7",)
        known = np.where(one.assessed, np.where(one.used, "1", "0"), "?")
        found.append("".join(known[0]).ljust(8, "?"))
    assert found == [alcohol, cannabis]


@pytest.mark.parametrize(
    ("changes", "old", "new", "words"),
    [
        ({"amount": "drinks", "amount_unit": "drink"}, "", "", "Leave amount out"),
        ({"substance": "which___1"}, "", "", "Write substance: which"),
        ({"use": "which", "substance": "any_use"}, "", "", "name their field as substance"),
        ({}, "7,1,,0,0,1,0,", "7,1,,Checked,0,1,0,", "row 3, which___1: got Checked"),
        ({}, "which___b", "which_b", "which___b"),
    ],
)
def test_boxes_that_say_too_little(changes: dict[str, Any], old: str, new: str, words: str, tmp_path: Path) -> None:
    """Whose amount it is, or what a label in a box means, is not guessed; the remedy is named."""
    export, dictionary = tmp_path / "export.csv", tmp_path / "dictionary.csv"
    export.write_text(BOX_ROWS.replace(old, new), encoding="utf-8")
    dictionary.write_text(BOXES, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_redcap(export, dictionary, replace(Mapping(when="day", substance="which"), **changes))
    assert words in str(caught.value), str(caught.value)
