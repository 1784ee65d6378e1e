"""Diaries in REDCap exports."""

from pathlib import Path

import pytest

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.exchange.redcap import read_redcap
from remission.exchange.rows import Mapping

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
    assert alcohol.amount[0, 2] == 2.0
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
        (Mapping(when="tlfb_date", when_is="date", substance="tlfb_signs"), "checkbox"),
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
