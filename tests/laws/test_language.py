"""Laws of the drug side of a protocol: what a file says is what is read, told and given, by whatever route."""

from typing import Any

import numpy as np
from law_cases import law
from validation.small_trials import small_protocol

from remission.patient.pharmacology import load_pharmacology
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.dose import Dose
from remission.session.effects import session_model, simulate_effects_of_doses

PHARMACOLOGY = load_pharmacology()
REASON = "Nothing better is known."


def some_dose(rng: np.random.Generator, form: str) -> dict[str, Any]:
    """A dose by some route that the form has, with what it needs."""
    mg_per_kg = float(np.round(rng.uniform(0.05, 1.2), 3))
    amount = f"{mg_per_kg:g} mg/kg" if rng.uniform() < 0.5 else f"{70.0 * mg_per_kg:g} mg"
    rate = {"ka_per_h": float(np.round(rng.uniform(0.5, 8.0), 2)), "f": 0.7, "reason": REASON}
    ways: list[dict[str, Any]] = [
        {"dose": amount, "duration": f"{rng.integers(2, 90)} min"}, {"dose": amount, "route": "iv_bolus"},
        {"dose": amount, "route": "im", "absorption": rate}, {"dose": amount, "route": "intranasal"},
    ]  # fmt: skip
    if form == "racemic-ketamine":
        ways[3]["product"] = "nasal-pmc9118341"
        ways += [
            {"dose": amount, "route": "im", "absorption": {"basis": "library", "reason": REASON}},
            {"dose": amount, "route": "oral"}, {"dose": amount, "route": "sublingual"},
            {"dose": amount, "route": "rectal", "absorption": {"ka_per_h": 1.5, "reason": REASON}},
        ]  # fmt: skip
    return ways[rng.integers(len(ways))]


@law(seed=1801)
def test_what_a_drug_course_says_is_read_written_and_told(rng: np.random.Generator) -> None:
    """A run keeps its protocol as a file, and a reader checks it by its explanation."""
    form = ("racemic-ketamine", "esketamine")[rng.integers(2)]
    first, second = some_dose(rng, form), some_dose(rng, form)
    later = {"day": 9, **second}
    if rng.uniform() < 0.5:
        later["adapt"] = {"visit": 6, "within_days": int(rng.integers(1, 8)), **some_dose(rng, form)}
    if rng.uniform() < 0.3:
        later["under_anesthesia"] = True
    saline = {"drug": "saline", "infusions": [{"day": 0, "dose": "0 mg", "route": "im"}]}
    course = {"drug": form, "infusions": [{"day": 0, **first}, later]}
    protocol = small_protocol(drugs={"ketamine": course, "saline": saline})
    again = parse_protocol(write_protocol(protocol), name="again.yaml")
    assert again == protocol
    assert again.content_hash == protocol.content_hash
    told = " ".join(protocol.explain().split())
    for infusion in protocol.drugs["ketamine"].infusions:
        for _, session in infusion.sessions:
            assert all(part.amount_text in told for _, part in session.parts)


def given(doses: list[dict[str, Any]], form: str, weight_kg: np.ndarray, z: np.ndarray) -> np.ndarray:
    """e and m of people for doses of one session."""
    made = tuple(Dose.create(**{"route": "iv", "form": form, **dose}) for dose in doses)
    model = session_model(made, PHARMACOLOGY)
    found = simulate_effects_of_doses(
        made, weight_kg=weight_kg, z_iiv=z[:, : model.n_iiv], z_absorption=z[:, -2:], pharmacology=PHARMACOLOGY
    )
    return np.stack([found.exposure, found.psychoactive])


@law(seed=1802, one_in=5)
def test_more_of_it_does_more_and_nobody_depends_on_who_else_is_there(rng: np.random.Generator) -> None:
    """By any route: e and m grow with the dose, stay in their range, and belong to the person alone."""
    form = ("racemic-ketamine", "esketamine")[rng.integers(2)]
    dose = some_dose(rng, form)
    number, unit = dose["dose"].split(" ")
    weight_kg, z = rng.uniform(50.0, 120.0, 3), rng.standard_normal((3, 14))
    less = given([dose], form, weight_kg, z)
    more = given([{**dose, "dose": f"{1.5 * float(number):g} {unit}"}], form, weight_kg, z)
    assert np.all(less > 0.0)
    assert np.all(more > less)
    assert np.all(more[1] < 1.0)
    # Saturation: never more than in proportion.
    assert np.all(more[0] < 1.5 * less[0] * (1.0 + 1e-9))
    np.testing.assert_array_equal(given([dose], form, weight_kg[1:2], z[1:2])[:, 0], less[:, 1])
