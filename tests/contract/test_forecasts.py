"""Forecasts on the record: the weighted one is the program's own assurance, and what was written stays as it is."""

import hashlib
import json
from pathlib import Path

import numpy as np
from validation.forecast import draw_trials, mixture, no_effect, other_trials

from remission.design.assurance import estimate_assurance
from remission.design.evidence import evidence_trials, log_likelihoods
from remission.protocol.file import read_protocol

ON_RECORD = {
    "ket-neurofeedback-conditional.json": "5c7829b820d154805b40385c9d10e19d8d194bbe7a486ba04a078a3f0a339f34",
    "ket-neurofeedback-counts-conditional.json": "3f5fb5a035160356eef7617d6acdd77189547de50e3cba009dd0f28272bf59ea",
    "ket-neurofeedback.yaml": "1a8562f489d0979734b8995f200552c304c992f293f50fd0cdc7eb56b43223c9",
    "more-kare-counts.json": "81d2a1764ce7c482596aaff6750cd25934bbc7b4556936c96fe0004d6418ce4e",
    "more-kare-default.json": "c7f6bfe1ca9591cd5237a435700f3de8df3007e3a9f3acd79d1f8710759ec887",
    "more-kare-evidence.json": "e3c357a2af3d89d535ff7fb2b3dc51e86a59302149382c6f79575e8fef1b312e",
    "more-kare-posterior.json": "04d6c7afd89a96c245130d1fdd3dd133a6f2c358aa0c0b9318de09fa882b1bf0",
    "more-kare.md": "0dba2c7c1bb63d1a70323b94aa44b63c55f5d80f99acd5a2ab8738be935a4d34",
    "more-kare.yaml": "2814dd4e03e43fb39fdddb7eef2c56ff9773000ff21e75e63cb63b699983ce14",
    "u01-cocaine-conditional.json": "8a6e9987a99c7727684f230c9e8531701ffc4d39d2f0ad924ac672ab57e1acb2",
    "u01-cocaine-counts-conditional.json": "b1d8a234a722e3037917580078023918ce451a446aea2f98dec6d3152cf86814",
    "u01-cocaine.yaml": "9b927a3a2432b1ae2ea06327d34d1fde2bfbf152b06be35ad9eb98e0f52658b3",
}
"""SHA-256 of every file of a forecast. A line is added with a new forecast; none is ever changed."""

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "forecasts"


def test_the_weighted_forecast_is_the_assurance_of_the_program() -> None:
    """A second weighting, slightly different, would put a forecast on record that no command makes again."""
    protocol = read_protocol(FOLDER / "more-kare.yaml").replace(population={
        **read_protocol(FOLDER / "more-kare.yaml").population.to_dict(), "n_subjects": 40,
    })  # fmt: skip
    found = draw_trials(protocol, n_draws=4, n_trials=4, seed=7)
    logs = [
        log_likelihoods(trial, [one["evidence"][name] for one in found]) for name, trial in evidence_trials().items()
    ]
    given = estimate_assurance(protocol, n_draws=4, n_replicates=4, seed=7, evidence=[tuple(evidence_trials()), ()])
    weighted = mixture(protocol, found, np.sum(logs, axis=0))
    assert np.isclose(weighted["effective_draws"], given.given[0].n_effective)
    even = mixture(protocol, found, np.zeros(4))["contrasts"]["hdd-dose"]
    assert np.isclose(even["probability_p_below_alpha"]["value"], given.probability.value)
    assert np.isclose(even["probability_p_below_alpha"]["mcse"], given.probability.mcse)


def test_baselines_lie_where_they_must() -> None:
    """No effect is rejected at its size; results in words pull the baseline of other trials toward none."""
    assert np.isclose(no_effect(2.0)["quantiles"]["97.5%"], 2.0 * 1.959964)
    found = other_trials(280, 25.0)
    assert 0.0 < found["standardized_mean"] < found["without_the_results_in_words"]["standardized_mean"]
    assert {one["record"] for one in found["words"]} >= {"yoon_2025_rct", "jovaisa_2006", "tobacco_pilot_null"}


def test_a_forecast_that_was_written_stays_as_it_is() -> None:
    """A forecast that is touched after the result is none."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir()}
    assert {name: found.get(name) for name in ON_RECORD} == ON_RECORD


def test_a_forecast_says_what_made_it_and_what_would_count_against_it() -> None:
    """Without seed, commit, protocol and baselines it could be explained either way afterwards."""
    for name in ("default", "evidence"):
        found = json.loads((FOLDER / f"more-kare-{name}.json").read_text("utf-8"))
        protocol = FOLDER / found["protocol"]["file"]
        assert hashlib.sha256(protocol.read_bytes()).hexdigest() == found["protocol"]["sha256"]
        assert {"seed", "commit", "written", "baselines", "forecast"} <= found.keys()
        assert len(found["counts_against_it"]) >= 3
        primary = found["forecast"]["contrasts"]["hdd-dose"]
        assert 0.0 < primary["probability_p_below_alpha"]["value"] < 1.0
        assert primary["probability_p_below_alpha"]["mcse"] > 0.0
