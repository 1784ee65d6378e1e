"""The pages on routes: tables are the library's, equations are the code's, figures are computed again."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import sympy

from remission.pk import Acting, individual_parameters, interaction_effect, load_pk_model, simulate_doses
from remission.pk.absorption import FilmAbsorption, absorption_system
from remission.pk.given import resolve_doses
from remission.pk.hepatoportal import STATES, hepatoportal_system
from remission.pk.hepatoportal_people import hepatoportal_parameters
from remission.records.analyte import Analyte
from remission.records.dose import Dose

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "explanation" / "routes.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^Code: `(?P<function>[\w.]+)`\n\n```text\n(?P<text>.*?)```", re.DOTALL | re.MULTILINE)
BLOCKS = {match["function"]: match["text"] for match in BLOCK.finditer(PAGE)}
MODEL, NASAL = load_pk_model(), load_pk_model("perezruixo2021")


def lines_of(function: str) -> dict[str, sympy.Expr]:
    found = {}
    for line in BLOCKS[f"remission.pk.{function}"].strip().splitlines():
        left, right = line.split("=", 1)
        names = {symbol: sympy.Symbol(symbol) for symbol in re.findall(r"[A-Za-z_]\w*", right)}
        found[left.strip().removesuffix("'")] = sympy.parse_expr(right, local_dict=names)
    return found


def test_the_page_of_routes_is_current() -> None:
    """What is offered changes with the library; a stale table would promise or hide a route."""
    spec = importlib.util.spec_from_file_location("routes_page", ROOT / "validation" / "routes_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    actual = (ROOT / "docs" / "reference" / "routes.md").read_text(encoding="utf-8")
    assert actual == module.page(), "run: make pages"


def test_every_block_is_checked() -> None:
    """A block that no test reads could say anything."""
    assert set(BLOCKS) == {
        f"remission.pk.{name}"
        for name in (
            "absorption.simulate_absorbed",
            "hepatoportal.hepatoportal_system",
            "interactions.interaction_effect",
        )
    }


def test_the_equations_of_the_nose_are_the_matrix() -> None:
    """Ten equations: a swapped volume would hide in a plausible curve."""
    p = hepatoportal_parameters(NASAL, weight_kg=np.array([70.0]), z_iiv=np.full((1, NASAL.n_iiv), 0.4))
    names = {
        "ka_n": p.ka_n_per_h, "ka_sw": p.ka_sw_per_h, "ka_po": p.ka_po_per_h, "Q1": p.q1_l_per_h, "Q2": p.q2_l_per_h,
        "Qh": p.qh_l_per_h, "Vc": p.vc_l, "Vp1": p.vp1_l, "Vp2": p.vp2_l, "Vh": p.vh_l, "kel": p.kel_per_h,
        "kmet": p.kmet_per_h, "CLn": p.nk_cl_l_per_h, "Q3": p.nk_q_l_per_h, "Vcn": p.nk_v1_l, "Vpn": p.nk_v2_l,
    }  # fmt: skip
    lines = lines_of("hepatoportal.hepatoportal_system")
    assert tuple(lines) == STATES
    matrix = hepatoportal_system(p, [], model=NASAL).matrix[0]
    for row, expression in enumerate(lines.values()):
        for column, state in enumerate(STATES):
            slope = float(sympy.diff(expression, sympy.Symbol(state)).subs({k: float(v[0]) for k, v in names.items()}))
            assert matrix[row, column] == pytest.approx(slope, rel=1e-12, abs=1e-12)


def test_the_equations_of_the_film_are_the_matrix() -> None:
    """As above; the rows that the film adds to or changes in the model of the page on pharmacology."""
    people = individual_parameters(MODEL, weight_kg=np.array([80.0]), z_iiv=np.full((1, 8), -0.3))
    given = {"f1": 0.3, "d1_h": 0.2, "ka1_per_h": 2.0, "f2": 1.1, "d2_h": 0.5, "ka2_per_h": 3.0, "mttg_h": 0.2}
    film = FilmAbsorption(**{name: np.array([value]) for name, value in given.items()})
    doses = resolve_doses(
        MODEL, [Dose.create(route="film", dose="50 mg", form="esketamine")], weight_kg=np.array([80.0])
    )
    system = absorption_system(people, Analyte.S_KET, doses, film, sites=set(), with_metabolites=True)
    assert people.metabolites is not None
    names = {
        "KA1": 2.0, "KA2": 3.0, "MTTG": 0.2, "CL": people.cl_l_per_h[0, 0], "Q2": people.q_l_per_h[0, 0],
        "Q3": people.q_l_per_h[1, 0], "V1": people.v1_l[0], "V2": people.v_l[0, 0], "V3": people.v_l[1, 0],
        "MTT_NK": people.metabolites.nk_mtt_h[0],
    }  # fmt: skip
    for state, expression in lines_of("absorption.simulate_absorbed").items():
        row = system.matrix[0, system.names.index(state)]
        for column, other in enumerate(system.names):
            slope = float(sympy.diff(expression, sympy.Symbol(other)).subs(names))
            assert row[column] == pytest.approx(slope, rel=1e-12, abs=1e-12)


def test_the_rule_of_interactions_is_the_code() -> None:
    """The printed rule, from the page's own symbols, for each agent and reading."""
    lines = lines_of("interactions.interaction_effect")
    cl, flow = 88.8, 151.0
    intrinsic = flow * cl / (flow - cl)
    for name in ("rifampicin", "ticlopidine", "st-johns-wort"):
        for acting in Acting:
            effect = interaction_effect(MODEL, [name], acting=acting)
            values = {"m": effect.intrinsic_factor, "g": effect.gut_factor, "Q": flow, "I": intrinsic}
            assert effect.auc_iv_ratio == pytest.approx(float(lines["auc_iv_ratio"].subs(values)), rel=1e-12)
            assert effect.auc_oral_ratio == pytest.approx(float(lines["auc_oral_ratio"].subs(values)), rel=1e-12)


def test_the_table_of_interactions_is_computed() -> None:
    """Ranges that a reader will quote."""
    for title, name in {
        "St John's wort": "st-johns-wort",
        "ticlopidine": "ticlopidine",
        "clarithromycin": "clarithromycin",
        "grapefruit juice": "grapefruit",
    }.items():
        ratios = sorted(interaction_effect(MODEL, [name], acting=acting).auc_iv_ratio for acting in Acting)
        assert f"| {title} | {ratios[0]:.2f} to {ratios[1]:.2f} |" in PAGE


def test_figures_in_the_text_are_computed() -> None:
    """A number in a sentence ages like one in a table."""
    swallowed = Dose.create(route="oral", dose="0.5 mg/kg", absorption={"basis": "tmax", "reason": "x"})
    t_h = np.arange(0.0, 3.0, 0.02)
    found = simulate_doses(
        MODEL, [swallowed], weight_kg=np.array([70.0]), t_h=t_h, z_iiv=np.zeros((1, 8)), sites=["venous"]
    )
    peak = found.conc_ng_per_ml.max()
    assert f"{peak:.0f} ng/mL in the vein of a swallowed dose of 0.5 mg/kg" in PAGE
    p = hepatoportal_parameters(NASAL, weight_kg=np.array([70.0]), z_iiv=np.zeros((1, NASAL.n_iiv)))
    assert f"a clearance of {p.cl_l_per_h[0]:.0f} L/h" in PAGE
