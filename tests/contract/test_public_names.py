"""The names users import: pinned, loadable, and cheap until used."""

import subprocess
import sys

import remission

EXPECTED = {
    "Protocol", "RemissionError", "SpecError", "Substance", "TrialResult", "TrialSummary", "__version__",
    "list_parameter_sets", "list_protocols", "load_course_parameters", "load_parameter_set", "load_pharmacology",
    "load_pk_model", "load_protocol", "parse_protocol", "read_protocol", "simulate_concentrations",
    "simulate_session_curves", "simulate_session_effects", "simulate_trial", "summarize_trial", "write_protocol",
}  # fmt: skip


def test_public_names_are_pinned_and_load() -> None:
    """A name that vanishes breaks somebody's script; a name that does not load is a promise not kept."""
    assert set(remission.__all__) == EXPECTED
    assert list(remission.__all__) == sorted(remission.__all__)
    for name in remission.__all__:
        assert getattr(remission, name) is not None
    assert set(dir(remission)) == EXPECTED


def test_importing_the_package_is_light() -> None:
    """The command line and other programs must not pay for libraries they do not use."""
    heavy = ("pandas", "matplotlib", "numba", "scipy", "statsmodels", "pyarrow", "pint", "jax", "fastapi")
    code = f"import sys, remission, remission.cli.app; print([n for n in {heavy!r} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
