"""The equations on the page of pharmacology are those of the code."""

import re
from pathlib import Path

import numpy as np
import pytest
import sympy
from scipy import linalg

from remission.dosing import make_infusions
from remission.library.loader import load_parameter_set
from remission.library.molecules import molar_mass_g_per_mol
from remission.patient.pharmacology import load_pharmacology
from remission.pk import individual_parameters, load_pk_model, simulate_concentrations
from remission.pk.metabolites import STATES, rate_matrix
from remission.receptor import (
    PressureLaw,
    correlated_pressure_z,
    simulate_cadss,
    simulate_heart_rate_rise,
    simulate_occupancy,
    simulate_pressure_rise,
    simulate_vas,
)
from remission.session.effects import simulate_session_effects

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "pharmacology.md"
BLOCK = re.compile(r"^Code: `(?P<function>[\w.]+)`\n\n```text\n(?P<text>.*?)```", re.DOTALL | re.MULTILINE)
BLOCKS = {match["function"]: match["text"] for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}

Z = np.array([[0.3, -0.7, 1.1, 0.4, -1.2, 0.6, -0.2, 0.9]])
WEIGHT = np.array([85.0])
PEOPLE = individual_parameters(load_pk_model(), weight_kg=WEIGHT, z_iiv=Z)
EFFECTS = load_parameter_set("acute-effects")
CONC = np.array([[0.0, 12.0, 90.0, 300.0]])


def _lines(name: str) -> dict[str, sympy.Expr]:
    found = {}
    for line in BLOCKS[f"remission.{name}"].strip().splitlines():
        left, right = line.split("=", 1)
        names = {symbol: sympy.Symbol(symbol) for symbol in re.findall(r"[A-Za-z_]\w*", right)}
        local = {**names, "exp": sympy.exp, "sqrt": sympy.sqrt, "log": sympy.log, "Min": sympy.Min}
        found[left.strip()] = sympy.parse_expr(right, local_dict=local)
    return found


def _evaluate(expression: sympy.Expr, **values: object) -> np.ndarray:
    symbols = sorted(expression.free_symbols, key=str)
    return sympy.lambdify(symbols, expression, "numpy")(*(values[str(symbol)] for symbol in symbols))


def test_every_block_is_checked() -> None:
    """A block that no test reads could say anything."""
    source = Path(__file__).read_text(encoding="utf-8")
    for function in BLOCKS:
        assert f'"{function.removeprefix("remission.")}"' in source
    assert len(BLOCKS) == 10


def test_the_differential_equations_are_the_matrix() -> None:
    """Twelve equations, 31 terms: one wrong sign or share would hide in a plausible curve."""
    lines = _lines("pk.metabolites.rate_matrix")
    metabolites = PEOPLE.metabolites
    assert metabolites is not None
    names = {
        "CL": PEOPLE.cl_l_per_h[0], "Q2": PEOPLE.q_l_per_h[0], "Q3": PEOPLE.q_l_per_h[1], "V1": PEOPLE.v1_l,
        "V2": PEOPLE.v_l[0], "V3": PEOPLE.v_l[1], "MTT_NK": metabolites.nk_mtt_h, "F_NK": metabolites.nk_fraction,
        "V2_NK": metabolites.nk_v2_l, "CL_NK": metabolites.nk_cl_l_per_h, "Q_NK": metabolites.nk_q_l_per_h,
        "MTT_HNK": metabolites.hnk_mtt_h, "F_HNK": metabolites.hnk_fraction, "V1_HNK": metabolites.hnk_v1_l,
        "V2_HNK": metabolites.hnk_v2_l, "CL_HNK": metabolites.hnk_cl_l_per_h, "Q_HNK": metabolites.hnk_q_l_per_h,
    }  # fmt: skip
    assert tuple(left.rstrip("'") for left in lines) == STATES
    matrix = rate_matrix(PEOPLE)[0]
    for row, expression in enumerate(lines.values()):
        for column, state in enumerate(STATES):
            slope = sympy.diff(expression, sympy.Symbol(state))
            expected = float(slope.subs({name: float(value[0]) for name, value in names.items()}))
            assert matrix[row, column] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_the_law_of_individuals() -> None:
    """Weight and z act as written, with the exponent of each kind."""
    (law,) = _lines("pk.individuals.individual_parameters").values()
    values = load_parameter_set("simons2022")
    columns = dict(zip(load_pk_model().iiv_names, Z[0], strict=True))
    metabolites = PEOPLE.metabolites
    assert metabolites is not None
    for name, exponent, parameter_id, actual in (
        ("cl", 0.75, "cl_l_per_h", PEOPLE.cl_l_per_h[0]),
        ("v1", 1.0, "v1_l", PEOPLE.v1_l),
        ("q3", 0.75, "q3_l_per_h", PEOPLE.q_l_per_h[1]),
        ("nk_mtt", 0.0, "nk_mtt_h", metabolites.nk_mtt_h),
        ("hnk_v1", 1.0, "hnk_v1_l", metabolites.hnk_v1_l),
    ):
        expected = _evaluate(
            law, typical=values.value(parameter_id), WT=85.0, WT_ref=values.value("reference_weight_kg"), a=exponent,
            omega2=values.value(f"omega2_{name}"), z=columns[name],
        )  # fmt: skip
        assert actual[0] == pytest.approx(float(expected), rel=1e-13)


def test_the_links_between_sites() -> None:
    """Effect site and vein, from the equations of the page by a matrix exponential."""
    lines = _lines("pk.simulate.simulate_concentrations")
    c, ce, cd = sympy.symbols("C Ce Cd")
    links = load_parameter_set("sampling-links")
    rates = {
        "ke0": float(np.log(2.0)) / links.value("effect_half_life_h"),
        "k2": links.value("venous_rate_per_h"),
        "f": links.value("venous_fast_fraction"),
    }
    cl, v1, q, v = PEOPLE.cl_l_per_h[0, 0], PEOPLE.v1_l[0], PEOPLE.q_l_per_h[:, 0], PEOPLE.v_l[:, 0]
    duration, rate = 0.5, 20_000.0
    matrix = np.zeros((6, 6))
    matrix[0, :3] = [-(cl + q.sum()) / v1, q[0] / v[0], q[1] / v[1]]
    matrix[1, :2] = [q[0] / v1, -q[0] / v[0]]
    matrix[2, [0, 2]] = [q[1] / v1, -q[1] / v[1]]
    for row, left, own in ((3, "Ce'", ce), (4, "Cd'", cd)):
        expression = lines[left].subs(rates)
        matrix[row, 0] = float(sympy.diff(expression, c)) / v1
        matrix[row, row] = float(sympy.diff(expression, own))
    matrix[0, 5] = rate
    state = linalg.expm(matrix * duration) @ np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    state[5] = 0.0
    state = linalg.expm(matrix * 0.7) @ state
    events = make_infusions(np.array([[20.0]]), start_h=[0.0], duration_h=[duration])
    result = simulate_concentrations(
        PEOPLE, events, t_h=np.array([1.2]), analytes=("s_ket",), sites=("arterial", "effect", "venous")
    )
    arterial = state[0] / v1
    expected = [arterial, state[3], float(lines["Cven"].subs({**rates, "C": arterial, "Cd": state[4]}))]
    # 20 mg of racemate is 10 mg of S in half an hour: the rate above.
    assert result.conc_ng_per_ml[0, :, 0] == pytest.approx(expected, rel=1e-10)


def test_the_law_of_occupancy() -> None:
    """Unbound concentration against affinity, in molar units."""
    lines = _lines("receptor.occupancy.simulate_occupancy")
    binding = load_parameter_set("nmda-binding")
    band = simulate_occupancy(CONC)
    for name, curve in zip(band.constants, band.occupancy, strict=True):
        free = _evaluate(lines["free"], fu=binding.value("fu"), C=CONC, M=molar_mass_g_per_mol("ket"))
        assert curve == pytest.approx(_evaluate(lines["occupancy"], free=free, K=binding.value(name)), rel=1e-13)


@pytest.mark.parametrize("hill", [1.0, 2.5])
def test_the_law_of_the_drug_high(hill: float) -> None:
    """Emax law with gain."""
    (law,) = _lines("receptor.dissociation.simulate_vas").values()
    effects = EFFECTS.replace_values(hill_high=hill)
    expected = _evaluate(law, gain=0.6, Emax=100.0, Cs=CONC, C50=71.0, n=hill)
    assert simulate_vas(CONC, effects=effects, gain=0.6) == pytest.approx(expected, rel=1e-13)


def test_the_law_of_the_score() -> None:
    """Mean, spread and one normal a person."""
    lines = _lines("receptor.dissociation.simulate_cadss")
    s2 = _evaluate(lines["s2"], SD=9.2, mean=7.7)
    vas, top = (simulate_vas(conc, effects=EFFECTS) for conc in (CONC, np.array([132.0])))
    expected = _evaluate(lines["CADSS"], mean=7.7, VAS=vas, VASref=top[0], s2=s2, z=0.8)
    actual = simulate_cadss(CONC, z=np.array([0.8]), reference_peak_ng_per_ml=132.0, effects=EFFECTS)
    assert actual == pytest.approx(expected, rel=1e-13)


def test_the_laws_of_blood_pressure() -> None:
    """A size for each person, and three shapes."""
    lines = _lines("receptor.pressure.simulate_pressure_rise")
    values = {"mean": 16.0, "SD": 11.2, "z": 0.7, "C_ref": 267.0, "C": CONC, "K": 302.0}
    # 27% of a resting mean pressure of 93.3 mmHg, by the mean rise of 38/3 mmHg at the reference.
    values["C_max"] = np.full_like(CONC, 267.0 * 0.27 * 93.3 / ((16.0 + 2.0 * 11.0) / 3.0))
    shapes = (("rise", PressureLaw.PROPORTIONAL), ("held", PressureLaw.HELD), ("plateau", PressureLaw.PLATEAU))
    for name, law in shapes:
        actual = simulate_pressure_rise(CONC, z=np.array([0.7]), which="sbp", effects=EFFECTS, law=law)
        assert actual == pytest.approx(_evaluate(lines[name], **values), rel=1e-13)
    (correlation,) = _lines("receptor.pressure.correlated_pressure_z").values()
    expected = _evaluate(correlation, rho=0.7, z_sbp=0.4, z_other=-1.1)
    assert correlated_pressure_z(np.array([0.4]), np.array([-1.1]))[0] == pytest.approx(float(expected), rel=1e-14)


def test_the_law_of_heart_rate() -> None:
    """One measured point and an assumed shape."""
    (law,) = _lines("receptor.heart_rate.simulate_heart_rate_rise").values()
    expected = _evaluate(law, CV=0.7, z=-0.6, h_a=0.435, Cs=CONC, K=151.0, C_a=1959.0)
    assert simulate_heart_rate_rise(CONC, z=np.array([-0.6])) == pytest.approx(expected, rel=1e-13)


def test_what_is_handed_on() -> None:
    """Exposure as an integral of the page's rate, and the score at the peak."""
    lines = _lines("session.effects.simulate_session_effects")
    exposure = load_parameter_set("session-exposure")
    duration = 2.0 / 3.0
    x, w = np.polynomial.legendre.leggauss(16)
    edges = np.concatenate(
        [np.linspace(0.0, duration, 21)[:-1], duration + (24.0 - duration) * np.linspace(0, 1, 61) ** 3]
    )
    half = np.diff(edges)[:, np.newaxis] / 2.0
    t_h = (edges[:-1, np.newaxis] + half * (1.0 + x)).ravel()
    events = make_infusions(0.8 * WEIGHT[:, np.newaxis], start_h=[0.0], duration_h=[duration])
    conc = simulate_concentrations(PEOPLE, events, t_h=t_h, sites=("effect",)).select("ket", site="effect")[0]
    rate = _evaluate(
        lines["e_rate"],
        C=conc,
        C50_e=exposure.value("c50_exposure_ng_per_ml"),
        E_ref=exposure.value("exposure_reference_h"),
    )
    effects = simulate_session_effects(
        dose_mg_per_kg=0.8, duration_h=duration, weight_kg=WEIGHT, z_iiv=Z, pharmacology=load_pharmacology()
    )
    assert effects.exposure[0] == pytest.approx(float(rate @ (half * w).ravel()), rel=1e-8)
    score = _evaluate(lines["m"], Cpeak=effects.peak_s_ket_ng_per_ml[0], n=1.0, C50=71.0)
    assert effects.psychoactive[0] == pytest.approx(float(score), rel=1e-13)
