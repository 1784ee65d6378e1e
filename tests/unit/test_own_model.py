"""A model of the reader's own: it gives what the library would give, and every slip is an error with its line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remission.cli.app import run_app
from remission.errors import LibraryError, SpecError
from remission.patient.pharmacology import load_pharmacology
from remission.pk import (
    PkModel,
    add_pk_model,
    individual_parameters,
    load_pk_model,
    register_structure,
    simulate_doses,
)
from remission.pk import model as model_module
from remission.pk.compartments import Compartments
from remission.pk.given import AbsorbedDose
from remission.records.analyte import Analyte
from remission.records.dose import Dose

GOOD = """id = "our-ward"
title = "Racemic ketamine on our ward"
source = "report 12, 14 people, 2026"
structure = "mammillary"
species = "ket"
site = "arterial"
[values]
v1 = "25 L"
cl = "1.4 L/min"
q2 = "161 L/h"
v2 = "56 L"
q3 = "79 L/h"
v3 = "157 L"
[variances]
v1 = 0.06
cl = 0.03
[covariances]
"v1 cl" = 0.01
[weight]
reference = "70 kg"
exponents = { cl = 0.75, q2 = 0.75, q3 = 0.75 }
[residual]
proportional = 0.2
"""
INFUSION = Dose.create(route="iv_infusion", dose="0.5 mg/kg", duration="40 min")
T_H = np.array([0.1, 0.5, 2 / 3, 1.0, 4.0])


def written(folder: Path, text: str) -> Path:
    path = folder / "model.toml"
    path.write_text(text, encoding="utf-8")
    return path


def curve(model: PkModel, weight_kg: float = 82.0) -> np.ndarray:
    found = simulate_doses(
        model, [INFUSION], weight_kg=np.array([weight_kg]), z_iiv=np.zeros((1, model.n_iiv)), t_h=T_H
    )
    return found.conc_ng_per_ml[0, 0]


def test_a_file_with_the_values_of_the_library_gives_its_curve(tmp_path: Path) -> None:
    """Units, weights and structure must all arrive; the grade must say whose numbers they are."""
    model = load_pk_model(written(tmp_path, GOOD))
    assert curve(model) == pytest.approx(curve(load_pk_model("kamp2020")), rel=1e-12)
    found = simulate_doses(model, [INFUSION], weight_kg=np.array([82.0]), z_iiv=np.zeros((1, 2)), t_h=T_H)
    assert found.grades[0].value == "yours"
    assert "report 12" in found.flags[0].text
    z = np.random.default_rng(2).normal(size=(30_000, 2))
    people = individual_parameters(model, weight_kg=np.full(30_000, 70.0), z_iiv=z)
    spread = np.cov(np.log(people.v1_l), np.log(people.cl_l_per_h[0]))
    assert spread == pytest.approx(np.array([[0.06, 0.01], [0.01, 0.03]]), rel=0.05)


def test_weight_goes_as_the_file_says(tmp_path: Path) -> None:
    """An exponent of 0 is no effect of weight; left out it is the usual one."""
    flat = GOOD.replace("exponents = { cl = 0.75, q2 = 0.75, q3 = 0.75 }", "exponents = { cl = 0.0, v1 = 0.5 }")
    model = load_pk_model(written(tmp_path, flat))
    people = individual_parameters(model, weight_kg=np.array([140.0]), z_iiv=np.zeros((1, 2)))
    assert people.cl_l_per_h[0, 0] == pytest.approx(84.0)
    assert people.v1_l[0] == pytest.approx(25.0 * 2.0**0.5)
    assert people.q_l_per_h[0, 0] == pytest.approx(161.0 * 2.0**0.75)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("v1 = 0.06", "v1 = -0.06", 15, ["variances.v1", "-0.06", "0 to 4"]),
        ("cl = 0.03", 'cl = "30%"', 16, ["variances.cl", "plain number"]),
        ("cl = 0.03", "cl = nan", 16, ["variances.cl"]),
        ("cl = 0.03", "cl = true", 16, ["variances.cl"]),
        ("cl = 0.03", "q9 = 0.03", 16, ["variances.q9"]),
        ('v1 = "25 L"', "v1 = 25", 8, ["values.v1", "with its unit", '"60 L"']),
        ('v1 = "25 L"', 'v1 = "25"', 8, ["values.v1", "unit"]),
        ('v1 = "25 L"', 'v1 = "25 L/h"', 8, ["values.v1", "something else"]),
        ('v1 = "25 L"', 'v1 = "-25 L"', 8, ["values.v1", "more than 0"]),
        ('v1 = "25 L"', 'v11 = "25 L"', 8, ["values.v11", "one of v1, v2"]),
        ('q3 = "79 L/h"\n', "", 7, ["no q3"]),
        ('site = "arterial"', 'site = "venus"', 6, ["site", "Did you mean venous?"]),
        ('site = "arterial"', 'site = "effect"', 6, ["arterial or venous"]),
        ('site = "arterial"', 'sites = "arterial"', 6, ["sites", "Did you mean site?"]),
        ('species = "ket"', 'species = "s_ket r_ket"', 7, ["no cl_ratio_r_ket"]),
        ('structure = "mammillary"', 'structure = "mamillary"', 4, ["Did you mean mammillary?"]),
        ('structure = "mammillary"', 'structure = "hepatoportal"', 4, ["perezruixo2021"]),
        ('source = "report 12, 14 people, 2026"', 'source = ""', 3, ["source"]),
        ('"v1 cl" = 0.01', '"v1 cl" = 0.9', 18, ["as the two variances allow"]),
        ('"v1 cl" = 0.01', '"v1 q2" = 0.01', 18, ["two names of [variances]"]),
        ('reference = "70 kg"\n', "", 19, ["no reference"]),
        ('reference = "70 kg"', 'reference = "70"', 20, ["weight.reference", "unit"]),
        ("cl = 0.75, q2", "cl = 30.0, q2", 21, ["weight.exponents.cl", "-3 to 3"]),
        ("proportional = 0.2", "proportional = -0.2", 23, ["residual.proportional"]),
        ('id = "our-ward"', 'id = "Our Ward"', 1, ["small letters"]),
    ],
)
def test_a_slip_is_an_error_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: Sequence[str]) -> None:
    """A wrong number in a model file would look like a result; place, value, what is allowed and what to do."""
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(SpecError) as caught:
        load_pk_model(path)
    text = " ".join(str(one) for one in caught.value.faults)
    assert f"line {line}:" in text, text
    for word in words:
        assert word in text, text


@pytest.mark.parametrize("text", ["a = ", 'a = "\\UFFFFFFFF"', "[" * 3000, "a = 1\na = 2", "\x00"])
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    """A file of anything must end in a sentence and never in a traceback."""
    with pytest.raises(SpecError):
        load_pk_model(written(tmp_path, text))
    with pytest.raises(SpecError):
        load_pk_model(tmp_path / "none.toml")
    with pytest.raises(SpecError):
        load_pk_model(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError):
        load_pk_model(str(tmp_path / "bytes.toml"))


def test_a_page_can_name_a_model_and_never_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name from a page that is read as a path would show a file of the server; by hand it is added under its id."""
    monkeypatch.setattr(model_module, "_ADDED", {})
    path = written(tmp_path, GOOD)
    with pytest.raises(LibraryError, match="add_pk_model"):
        load_pharmacology(str(path))
    assert add_pk_model(load_pk_model(path)) == "our-ward"
    assert load_pk_model("our-ward").id == "our-ward"
    assert [one.value for one in load_pharmacology("our-ward").pk.species] == ["s_ket", "r_ket"]
    taken = written(tmp_path, GOOD.replace("our-ward", "kamp2020"))
    with pytest.raises(LibraryError, match="another id"):
        add_pk_model(load_pk_model(taken))


def test_a_plan_is_made_with_a_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that makes the plan again must name the file, and a slip in it must end in words and code 2."""
    monkeypatch.setattr(model_module, "_ADDED", {})
    path = written(tmp_path, GOOD)
    asked = ["plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--minutes", "40", "--people", "50"]
    assert run_app([*asked, "--model", str(path)]) == 0
    assert f"--model {path}" in capsys.readouterr().out
    bad = written(tmp_path, GOOD.replace("v1 = 0.06", "v1 = -0.06"))
    assert run_app([*asked, "--model", str(bad)]) == 2
    assert "line 15" in capsys.readouterr().err


class OneCompartment:
    """The smallest structure: one volume, one clearance, all by the four methods of the contract."""

    def units(self) -> Mapping[str, str]:
        return {"v_l": "L", "cl_l_per_h": "L/h"}

    def people(self, model: PkModel, *, weight_kg: np.ndarray, z_iiv: np.ndarray) -> dict[str, np.ndarray]:
        values = model.parameter_set
        return {
            "v": np.full_like(weight_kg, values.value("v_l")),
            "cl": values.value("cl_l_per_h") * np.exp(np.sqrt(values.value("omega2_cl_l_per_h")) * z_iiv[:, 0]),
        }

    def system(self, people: Any, given: Sequence[AbsorbedDose], *, model: PkModel) -> Compartments:
        system = Compartments(["A"], people["v"].size)
        system.flow("A", None, people["cl"] / people["v"])
        for one in given:
            length = np.full_like(one.dose_mg, one.dose.duration_h)
            system.give("A", start_h=one.dose.start_h, amount_ug=1000.0 * one.dose_mg, length_h=length)
        return system

    def read(self, people: Any, states: Mapping[str, np.ndarray], analyte: Analyte) -> np.ndarray:
        assert analyte is Analyte.KET
        return np.asarray(states["A"] / people["v"][:, np.newaxis])


TOY = """id = "toy"
title = "One compartment"
source = "a test"
structure = "one_compartment"
species = "ket"
site = "venous"
[values]
v_l = "100 L"
cl_l_per_h = "1 L/min"
[variances]
cl_l_per_h = 0.04
[weight]
reference = "70 kg"
"""


def test_a_structure_of_ones_own_runs_by_four_methods(tmp_path: Path) -> None:
    """The closed form of one compartment, through file, contract and the common door."""
    register_structure("one_compartment", OneCompartment())
    model = load_pk_model(written(tmp_path, TOY))
    z = np.array([[0.0], [1.0]])
    found = simulate_doses(
        model, [INFUSION], weight_kg=np.array([80.0, 80.0]), z_iiv=z, t_h=T_H, sites=["venous"]
    ).conc_ng_per_ml[:, 0]
    rate, end = 40.0 * 1000.0 / (2 / 3), 2 / 3
    for row, cl in zip(found, (60.0, 60.0 * np.exp(0.2)), strict=True):
        k = cl / 100.0
        rising = rate / cl * (1.0 - np.exp(-k * np.minimum(T_H, end)))
        assert row == pytest.approx(rising * np.exp(-k * np.maximum(T_H - end, 0.0)), rel=1e-10)
    with pytest.raises(SpecError) as caught:
        load_pk_model(written(tmp_path, TOY.replace("one_compartment", "two_compartments")))
    assert "line 4" in str(caught.value)


def test_a_structure_that_is_none_is_refused() -> None:
    """Half a contract fails in the middle of a run; a built-in name would change what others compute."""
    with pytest.raises(SpecError, match="without"):
        register_structure("half", object())  # type: ignore[arg-type]
    with pytest.raises(SpecError):
        register_structure("mammillary", OneCompartment())
