"""Simulated trials, people and sessions."""

from remission import pk
from remission.door.arguments import opened
from remission.patient.kernels import links
from remission.session import curves, effects, person
from remission.trial import simulate, summary, truth

__all__ = [
    "estimand_truth", "exposure_of_doses", "simulate_concentrations", "simulate_doses", "simulate_person",
    "replace_link", "simulate_session_curves", "simulate_session_effects", "simulate_trial", "summarize_trial",
]  # fmt: skip

estimand_truth = opened(truth.estimand_truth)
exposure_of_doses = opened(pk.exposure_of_doses, optional=["z_iiv"])
simulate_concentrations = opened(pk.simulate_concentrations)
simulate_doses = opened(pk.simulate_doses, optional=["z_iiv"])
simulate_person = opened(person.simulate_person)
simulate_session_curves = opened(curves.simulate_session_curves, optional=["pharmacology", "z_iiv", "z_pressure"])
simulate_session_effects = opened(effects.simulate_session_effects, optional=["pharmacology", "z_iiv"])
replace_link = opened(links.replace_link)
simulate_trial = opened(simulate.simulate_trial)
summarize_trial = opened(summary.summarize_trial)
