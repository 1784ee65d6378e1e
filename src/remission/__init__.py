"""In-silico trials of ketamine with psychotherapy for substance use disorders.

The chain of the program, link by link: a dose becomes concentrations (``dosing``, ``pk``), concentrations become
receptor effects (``receptor``), these open a window of plasticity (``plasticity``), in which circuits change
(``circuit``), and the circuits drive craving and use, day by day (``use``). A ``patient`` is one such course; a
``trial`` is many patients with arms, visits and endpoints.

Public names are loaded when first used, so that importing the package is quick.

Research software: nothing here predicts an individual, and none of it is medical advice.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remission.errors import RemissionError, SpecError
    from remission.library.loader import list_parameter_sets, load_parameter_set
    from remission.library.protocols import list_protocols, load_protocol
    from remission.patient.parameters import load_course_parameters
    from remission.patient.person import simulate_person
    from remission.patient.pharmacology import load_pharmacology
    from remission.patient.session import simulate_session_curves, simulate_session_effects
    from remission.pk import exposure_of_doses, load_pk_model, simulate_concentrations, simulate_doses
    from remission.protocol.file import parse_protocol, read_protocol, write_protocol
    from remission.protocol.record import Protocol
    from remission.records.dose import Dose
    from remission.records.regimen import Regimen
    from remission.records.subject import Subject
    from remission.records.substance import Substance
    from remission.report.rebuild import rebuild
    from remission.report.run import run_trial
    from remission.trial.result import TrialResult
    from remission.trial.simulate import simulate_trial
    from remission.trial.summary import TrialSummary, summarize_trial

__version__ = "0.1.0"

_HOMES = {
    "Dose": "remission.records.dose",
    "Protocol": "remission.protocol.record",
    "Regimen": "remission.records.regimen",
    "RemissionError": "remission.errors",
    "SpecError": "remission.errors",
    "Subject": "remission.records.subject",
    "Substance": "remission.records.substance",
    "TrialResult": "remission.trial.result",
    "TrialSummary": "remission.trial.summary",
    "exposure_of_doses": "remission.pk",
    "list_parameter_sets": "remission.library.loader",
    "list_protocols": "remission.library.protocols",
    "load_course_parameters": "remission.patient.parameters",
    "load_parameter_set": "remission.library.loader",
    "load_pharmacology": "remission.patient.pharmacology",
    "load_pk_model": "remission.pk",
    "load_protocol": "remission.library.protocols",
    "parse_protocol": "remission.protocol.file",
    "read_protocol": "remission.protocol.file",
    "rebuild": "remission.report.rebuild",
    "run_trial": "remission.report.run",
    "simulate_concentrations": "remission.pk",
    "simulate_doses": "remission.pk",
    "simulate_person": "remission.patient.person",
    "simulate_session_curves": "remission.patient.session",
    "simulate_session_effects": "remission.patient.session",
    "simulate_trial": "remission.trial.simulate",
    "summarize_trial": "remission.trial.summary",
    "write_protocol": "remission.protocol.file",
}

__all__ = [
    "Dose",
    "Protocol",
    "Regimen",
    "RemissionError",
    "SpecError",
    "Subject",
    "Substance",
    "TrialResult",
    "TrialSummary",
    "__version__",
    "exposure_of_doses",
    "list_parameter_sets",
    "list_protocols",
    "load_course_parameters",
    "load_parameter_set",
    "load_pharmacology",
    "load_pk_model",
    "load_protocol",
    "parse_protocol",
    "read_protocol",
    "rebuild",
    "run_trial",
    "simulate_concentrations",
    "simulate_doses",
    "simulate_person",
    "simulate_session_curves",
    "simulate_session_effects",
    "simulate_trial",
    "summarize_trial",
    "write_protocol",
]


def __getattr__(name: str) -> Any:
    """The public name, imported from the module that owns it."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module 'remission' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
