"""Did numbers move? One small file a layer; ``make golden`` rewrites them and asks for a changelog fragment."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.library.protocols import load_protocol
from remission.patient.parameters import load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_iiv
from remission.records.substance import Substance
from remission.session.effects import simulate_session_effects
from remission.streams import People
from remission.trial.batch import simulate_batch
from remission.trial.simulate import simulate_trial

HERE = Path(__file__).parent
Numbers = dict[str, list[float]]


def session() -> Numbers:
    """e and m of four people at the trials' doses."""
    people = People.of_replicates(seed=1, first=0, count=1, n_subjects=4)
    pharmacology = load_pharmacology()
    out = {}
    for dose_mg_per_kg in (0.05, 0.5, 0.8):
        found = simulate_session_effects(
            dose_mg_per_kg=dose_mg_per_kg,
            duration_h=2.0 / 3.0,
            weight_kg=np.array([50.0, 70.0, 90.0, 120.0]),
            z_iiv=sample_iiv(people, n_iiv=pharmacology.n_iiv),
            pharmacology=pharmacology,
        )
        out[f"e at {dose_mg_per_kg} mg/kg"] = found.exposure.tolist()
        out[f"m at {dose_mg_per_kg} mg/kg"] = found.psychoactive.tolist()
    return out


def course() -> Numbers:
    """Use days of the first people of each untreated course: exact."""
    out = {}
    for substance in Substance:
        protocol = load_protocol(f"cold-turkey-{substance.value}")
        batch = simulate_batch(
            protocol.replace(population=protocol.population.replace(n_subjects=8)),
            seed=1,
            first_replicate=0,
            n_replicates=1,
            parameters=load_course_parameters(substance),
            pharmacology=load_pharmacology(),
        )
        out[substance.value] = batch.course.use.sum(axis=1).astype(float).tolist()
    return out


def trial() -> Numbers:
    """Arms and analyses of three replicates of a small trial."""
    result = simulate_trial(small_protocol(), n_replicates=3, seed=1)
    arms = {f"arm {name}": values.mean.ravel().tolist() for name, values in result.arms.items()}
    estimates = {f"analysis {name}": found.estimate.tolist() for name, found in result.estimates.items()}
    return {**arms, **estimates}


@pytest.mark.parametrize("layer", [session, course, trial], ids=lambda layer: layer.__name__)
def test_numbers_have_not_moved(layer: Callable[[], Numbers]) -> None:
    """A change that moves numbers must be meant: relative 1e-12, use days exactly."""
    path = HERE / f"{layer.__name__}.json"
    found = layer()
    if os.environ.get("REMISSION_GOLDEN") == "rewrite":
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    expected = json.loads(path.read_text(encoding="utf-8"))
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)
