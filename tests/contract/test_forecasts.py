"""Forecasts on the record: the weighted one is the program's own assurance, and what was written stays as it is."""

from pathlib import Path

import numpy as np
from validation.forecast import draw_trials, mixture, no_effect, other_trials

from remission.design.assurance import estimate_assurance
from remission.design.evidence import evidence_trials, log_likelihoods
from remission.records.protocol_file import read_protocol

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
