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
    from remission.door.design import design_trial
    from remission.door.diaries import (
        compute_endpoints,
        describe_diaries,
        export_diaries,
        import_diaries,
        list_endpoints,
        load_endpoint,
        read_diaries,
    )
    from remission.door.evidence import find_evidence, load_evidence
    from remission.door.facts import validate
    from remission.door.plan import plan_infusion
    from remission.door.protocols import (
        list_parameter_sets,
        list_pk_models,
        list_protocols,
        load_course_parameters,
        load_parameter_set,
        load_pharmacology,
        load_pk_model,
        load_protocol,
        parse_protocol,
        read_protocol,
        write_protocol,
    )
    from remission.door.runs import rebuild, run_trial
    from remission.door.simulate import (
        estimand_truth,
        exposure_of_doses,
        replace_link,
        simulate_concentrations,
        simulate_doses,
        simulate_person,
        simulate_session_curves,
        simulate_session_effects,
        simulate_trial,
        summarize_trial,
    )
    from remission.errors import RemissionError, SpecError
    from remission.protocol.record import Protocol
    from remission.records.dose import Dose
    from remission.records.regimen import Regimen
    from remission.records.subject import Subject
    from remission.records.substance import Substance
    from remission.trial.result import TrialResult
    from remission.trial.summary import TrialSummary

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
    "compute_endpoints": "remission.door.diaries",
    "describe_diaries": "remission.door.diaries",
    "design_trial": "remission.door.design",
    "estimand_truth": "remission.door.simulate",
    "export_diaries": "remission.door.diaries",
    "exposure_of_doses": "remission.door.simulate",
    "find_evidence": "remission.door.evidence",
    "import_diaries": "remission.door.diaries",
    "list_endpoints": "remission.door.diaries",
    "list_parameter_sets": "remission.door.protocols",
    "list_pk_models": "remission.door.protocols",
    "list_protocols": "remission.door.protocols",
    "load_course_parameters": "remission.door.protocols",
    "load_endpoint": "remission.door.diaries",
    "load_evidence": "remission.door.evidence",
    "load_parameter_set": "remission.door.protocols",
    "load_pharmacology": "remission.door.protocols",
    "load_pk_model": "remission.door.protocols",
    "load_protocol": "remission.door.protocols",
    "parse_protocol": "remission.door.protocols",
    "plan_infusion": "remission.door.plan",
    "read_diaries": "remission.door.diaries",
    "read_protocol": "remission.door.protocols",
    "rebuild": "remission.door.runs",
    "replace_link": "remission.door.simulate",
    "run_trial": "remission.door.runs",
    "simulate_concentrations": "remission.door.simulate",
    "simulate_doses": "remission.door.simulate",
    "simulate_person": "remission.door.simulate",
    "simulate_session_curves": "remission.door.simulate",
    "simulate_session_effects": "remission.door.simulate",
    "simulate_trial": "remission.door.simulate",
    "summarize_trial": "remission.door.simulate",
    "validate": "remission.door.facts",
    "write_protocol": "remission.door.protocols",
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
    "compute_endpoints",
    "describe_diaries",
    "design_trial",
    "estimand_truth",
    "export_diaries",
    "exposure_of_doses",
    "find_evidence",
    "import_diaries",
    "list_endpoints",
    "list_parameter_sets",
    "list_pk_models",
    "list_protocols",
    "load_course_parameters",
    "load_endpoint",
    "load_evidence",
    "load_parameter_set",
    "load_pharmacology",
    "load_pk_model",
    "load_protocol",
    "parse_protocol",
    "plan_infusion",
    "read_diaries",
    "read_protocol",
    "rebuild",
    "replace_link",
    "run_trial",
    "simulate_concentrations",
    "simulate_doses",
    "simulate_person",
    "simulate_session_curves",
    "simulate_session_effects",
    "simulate_trial",
    "summarize_trial",
    "validate",
    "write_protocol",
]


def __getattr__(name: str) -> Any:
    """The public name, imported from the module that owns it."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module 'remission' has no attribute {name!r}"
        raise AttributeError(msg)
    from remission.extras import telling_extras

    with telling_extras(f"remission.{name}"):
        return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
