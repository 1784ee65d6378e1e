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
    from remission.door.blinding import *
    from remission.door.design import *
    from remission.door.diaries import *
    from remission.door.evidence import *
    from remission.door.exports import *
    from remission.door.facts import *
    from remission.door.foresight import *
    from remission.door.plan import *
    from remission.door.protocols import *
    from remission.door.runs import *
    from remission.door.simulate import *
    from remission.door.study import *
    from remission.errors import RemissionError as RemissionError
    from remission.errors import SpecError as SpecError
    from remission.protocol.record import Protocol as Protocol
    from remission.records.dose import Dose as Dose
    from remission.records.regimen import Regimen as Regimen
    from remission.records.subject import Subject as Subject
    from remission.records.substance import Substance as Substance
    from remission.trial.result import TrialResult as TrialResult
    from remission.trial.summary import TrialSummary as TrialSummary

__version__ = "0.1.0"

_NAMES = {
    "remission.records.dose": ["Dose"],
    "remission.protocol.record": ["Protocol"],
    "remission.records.regimen": ["Regimen"],
    "remission.errors": ["RemissionError", "SpecError"],
    "remission.records.subject": ["Subject"],
    "remission.records.substance": ["Substance"],
    "remission.trial.result": ["TrialResult"],
    "remission.trial.summary": ["TrialSummary"],
    "remission.door.diaries": [
        "compute_endpoints", "describe_diaries", "export_diaries", "import_diaries", "list_endpoints",
        "load_endpoint", "read_diaries",
    ],
    "remission.door.design": ["design_effect", "design_trial", "tabulate_scenarios"],
    "remission.door.simulate": [
        "estimand_truth", "exposure_of_doses", "replace_link", "simulate_concentrations", "simulate_doses",
        "simulate_person", "simulate_session_curves", "simulate_session_effects", "simulate_trial",
        "summarize_trial",
    ],
    "remission.door.evidence": ["find_evidence", "load_evidence", "pool_evidence"],
    "remission.door.protocols": [
        "list_parameter_sets", "list_pk_models", "list_protocols", "load_course_parameters",
        "load_parameter_set", "load_pharmacology", "load_pk_model", "load_protocol", "parse_protocol",
        "read_protocol", "write_protocol",
    ],
    "remission.door.plan": ["compare_regimens", "place_levels", "plan_infusion", "search_regimen"],
    "remission.door.exports": ["export_cdisc", "export_people", "export_usdm", "simulate_people"],
    "remission.door.facts": ["validate"],
    "remission.door.foresight": ["explain_trial", "forecast_trial", "score_forecast"],
    "remission.door.blinding": ["analyze_guesses", "bench_blinding"],
    "remission.door.study": ["analyze"],
    "remission.door.runs": ["rebuild", "run_trial"],
}  # fmt: skip
"""Public names by the module that owns them, which is imported when the first of its names is used."""
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [*sorted([*_HOMES, "__version__"])]


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
    return list(__all__)
