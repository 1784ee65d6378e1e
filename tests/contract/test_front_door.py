"""What ``import remission`` offers, and what it costs."""

import subprocess
import sys

import remission

NAMES = [
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
    "analyze",
    "analyze_guesses",
    "bench_blinding",
    "compare_regimens",
    "compute_endpoints",
    "describe_diaries",
    "design_effect",
    "design_trial",
    "estimand_truth",
    "explain_trial",
    "export_cdisc",
    "export_diaries",
    "export_people",
    "export_usdm",
    "exposure_of_doses",
    "find_evidence",
    "forecast_trial",
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
    "place_levels",
    "plan_infusion",
    "pool_evidence",
    "read_diaries",
    "read_protocol",
    "rebuild",
    "replace_link",
    "run_trial",
    "score_forecast",
    "search_regimen",
    "simulate_concentrations",
    "simulate_doses",
    "simulate_people",
    "simulate_person",
    "simulate_session_curves",
    "simulate_session_effects",
    "simulate_trial",
    "summarize_trial",
    "tabulate_scenarios",
    "validate",
    "write_protocol",
]


def test_public_names_are_pinned() -> None:
    """A name that users import is a promise: it comes and goes by decision only."""
    assert remission.__all__ == NAMES
    assert dir(remission) == sorted(NAMES)


def test_every_public_name_loads() -> None:
    """Names are loaded late, so a moved function would be noticed by the first user only."""
    for name in NAMES:
        item = getattr(remission, name)
        assert name == getattr(item, "__name__", name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """hasattr and autocompletion depend on it."""
    assert not hasattr(remission, "simulate")


def test_the_import_is_light() -> None:
    """The command line answers --help in a fraction of a second only if nothing heavy comes with the package."""
    heavy = ("matplotlib", "numpy", "pandas", "pydantic")
    code = f"import remission, sys; print(*(name for name in {heavy} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
