"""The script of curves in the browser gives what Python gives, in Chromium under the site's own rules and in Node."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kinetic_cases import Case, concentrations_of, draw_cases
from playwright.sync_api import Error, Page

from remission.dosing import make_infusions
from remission.library.loader import load_parameter_set
from remission.pk import individual_parameters, load_pk_model, simulate_concentrations, typical_parameters
from remission.receptor import PressureLaw, held_from_ng_per_ml, simulate_pressure_rise, simulate_vas
from remission.web.assets import asset_address

SCRIPT = Path(__file__).parents[2] / "src" / "remission" / "web" / "static" / "kinetics.js"
TOLERANCE = 1e-10
# Below it the kernel counts a concentration as nothing.
NOTHING = 1e-130

Runner = Callable[[str, Any], Any]


@pytest.fixture
def in_chromium(page: Page, site: str) -> Runner:
    """Calls a function of the script with arguments, on a page of the site."""
    page.goto(site)
    page.add_script_tag(url=asset_address("kinetics.js"))
    return lambda code, argument: page.evaluate(code, argument)


@pytest.fixture
def in_node() -> Runner:
    """The same without a browser."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node on this machine; Chromium runs the same vectors")

    def run(code: str, argument: Any) -> Any:
        program = f"{SCRIPT.read_text('utf-8')}\nconst given = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        program += f"\nprocess.stdout.write(JSON.stringify(({code})(given)));"
        done = subprocess.run(
            [node, "-e", program], input=json.dumps(argument), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    return run


@pytest.fixture(params=["in_chromium", "in_node"])
def run(request: pytest.FixtureRequest) -> Runner:
    runner: Runner = request.getfixturevalue(request.param)
    return runner


def _body(case: Case) -> dict[str, Any]:
    return {
        "species": ["ket"], "share": [1.0], "sites": ["unstated", "effect"], "plasma_site": "unstated",
        "cl_l_per_h": [case.cl_l_per_h], "v1_l": case.v1_l, "q_l_per_h": case.q_l_per_h, "v_l": case.v_l,
        "ke0_per_h": case.ke0_per_h, "venous_fast_fraction": 0.0, "venous_rate_per_h": 1.0,
    }  # fmt: skip


def _infusions(case: Case) -> list[dict[str, float]]:
    return [dict(zip(("dose_mg", "start_h", "duration_h"), one, strict=True)) for one in case.infusions]


def _worst(found: np.ndarray, expected: np.ndarray) -> float:
    present = expected > NOTHING
    return float(np.max(np.abs(found[present] / expected[present] - 1.0), initial=0.0))


CURVES = """(cases) => cases.map(({ body, infusions, t_h }) => {
  const found = kinetics.concentrations(body, infusions, t_h).ket;
  return [Array.from(found.unstated), Array.from(found.effect)];
})"""


@pytest.mark.browser
def test_curves_of_random_people_agree(run: Runner) -> None:
    """A page must not show another curve than the one the program would compute, however odd the numbers."""
    cases = draw_cases(300, seed=7)
    given = [{"body": _body(case), "infusions": _infusions(case), "t_h": case.t_h} for case in cases]
    found = run(CURVES, given)
    gaps = [_worst(np.array(one), concentrations_of(case)) for one, case in zip(found, cases, strict=True)]
    assert max(gaps) < TOLERANCE, cases[int(np.argmax(gaps))]


TYPICAL = """(asked) => asked.map(({ model, weight_kg, infusions, t_h }) => {
  const found = kinetics.concentrations(kinetics.typicalPerson(model, weight_kg), infusions, t_h);
  const plain = (sites) => Object.fromEntries(Object.entries(sites).map(([site, conc]) => [site, Array.from(conc)]));
  return Object.fromEntries(Object.entries(found).map(([analyte, sites]) => [analyte, plain(sites)]));
})"""


@pytest.mark.browser
def test_the_typical_person_of_every_model_agrees(run: Runner) -> None:
    """Scaling by weight, the vein's two shares and both forms of ketamine are written a second time in the script."""
    generator = np.random.default_rng(3)
    asked, expected = [], []
    for name in (
        "simons2022", "noppers2011", "domino1984", "clements1981", "kamp2020", "kamp2020-linear", "fanta2015",
    ):  # fmt: skip
        model = load_pk_model(name)
        for _ in range(6):
            weight, dose = float(generator.uniform(45.0, 130.0)), generator.uniform(1.0, 80.0, 3)
            start, t_h = np.array([0.0, 1.5, 30.0]), np.sort(generator.uniform(0.0, 40.0, 12))
            duration = generator.uniform(0.05, 1.4, 3)
            infusions = np.stack([dose, start, duration]).T.tolist()
            asked.append({
                "model": typical_parameters(model), "weight_kg": weight, "t_h": t_h.tolist(),
                "infusions": [dict(zip(("dose_mg", "start_h", "duration_h"), one, strict=True)) for one in infusions],
            })  # fmt: skip
            person = individual_parameters(model, weight_kg=np.array([weight]), z_iiv=np.zeros((1, model.n_iiv)))
            # A model of S-ketamine is asked for its share of racemate, as the script computes it.
            events = make_infusions(dose[np.newaxis], start_h=start, duration_h=duration)
            analytes = [one for one in model.analytes if one.value in {"s_ket", "r_ket", "ket"}]
            expected.append(simulate_concentrations(person, events, t_h=t_h, analytes=analytes, sites=model.sites))
    for found, reference in zip(run(TYPICAL, asked), expected, strict=True):
        assert sum(len(sites) for sites in found.values()) == len(reference.series)
        for series in reference.series:
            curve = np.array(found[series.analyte.value][series.sampling_site.value])
            assert _worst(curve, reference.select(*series[:1], site=series[1])[0]) < TOLERANCE, series


LAWS = """({ conc, high, pressures }) => [
  conc.map((one) => kinetics.drugHigh(one, high)),
  ...pressures.map((law) => conc.map((one) => kinetics.pressureRise(one, law))),
]"""


@pytest.mark.browser
def test_the_acute_laws_agree(run: Runner) -> None:
    """A pressure law with another ceiling than the program's would be a wrong warning."""
    effects, response = load_parameter_set("acute-effects"), load_parameter_set("acute-response")
    conc = np.concatenate([[0.0], np.geomspace(1e-3, 5_000.0, 40)])
    for hill in (1.0, 2.2):
        changed = effects.replace_values(hill_high=hill)
        law = {
            "rise_mmhg": effects.value("sbp_rise_mmhg"),
            "reference_ng_per_ml": effects.value("bp_reference_ng_per_ml"),
        }
        high = {
            "emax_vas": effects.value("emax_high_vas"), "c50_ng_per_ml": effects.value("c50_high_ng_per_ml"),
            "hill": hill,
        }  # fmt: skip
        plateau = law | {"c50_ng_per_ml": response.value("pressure_c50_ng_per_ml")}
        line = law | {"c50_ng_per_ml": None}
        held = line | {"most_ng_per_ml": held_from_ng_per_ml(effects=effects, response=response)}
        found = run(LAWS, {"conc": conc.tolist(), "high": high, "pressures": [line, held, plateau]})
        assert found[0] == pytest.approx(simulate_vas(conc, effects=changed), rel=TOLERANCE)
        for rises, kind in zip(
            found[1:], (PressureLaw.PROPORTIONAL, PressureLaw.HELD, PressureLaw.PLATEAU), strict=True
        ):
            expected = simulate_pressure_rise(
                conc[np.newaxis], z=np.zeros(1), which="sbp", effects=effects, law=kind, response=response
            )
            assert rises == pytest.approx(expected[0], rel=TOLERANCE)


@pytest.mark.browser
@pytest.mark.parametrize(
    "changes",
    [{"v1_l": 0.0}, {"cl_l_per_h": [-1.0]}, {"q_l_per_h": [float("inf")]}, {"v_l": [1.0, 2.0, 3.0]}],
    ids=["no volume", "clearance below zero", "infinite flow", "three peripheral volumes"],
)
def test_a_body_that_cannot_be_is_refused(in_chromium: Runner, changes: dict[str, Any]) -> None:
    """A curve from a division by zero would be drawn like any other."""
    (case,) = draw_cases(1, seed=1)
    given = [{"body": _body(case) | changes, "infusions": _infusions(case), "t_h": case.t_h}]
    with pytest.raises(Error, match="RangeError"):
        in_chromium(CURVES, given)
