"""The page of equations and the code say the same: each equation of the page is evaluated against its function."""

import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import sympy
from source_tree import public_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "model.md"
BLOCK = re.compile(r"^Code: `(?P<function>[\w.]+)`\n\n```text\n(?P<text>.*?)```", re.DOTALL | re.MULTILINE)
EQUATIONS = [(match["function"], match["text"]) for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]

# Symbol on the page -> argument of the functions. One symbol has one meaning everywhere.
ARGUMENTS = {
    "P": "window", "rho": "rho", "s": "responsiveness", "e": "exposure", "e_50": "e_half", "n": "slope", "fe": "effect",
    "gamma": "gamma", "keep_P": "keep_p", "G": "efficacy", "k_G": "k_g", "G_b": "g_b", "keep": "keep", "dose": "dose",
    "per_rise": "per_rise", "h": ("raised", "eased"), "S": "tone", "keep_S": "keep_s",
    "H": "habit", "y": "use", "g": "gate", "a_H": "a_h", "d_H": "d_h", "R": "reward", "tau_R": "tau_r", "k_R": "k_r",
    "A": "load", "tau_A": "tau_a", "F": "trace", "keep_F": "keep_f", "W": "withdrawn", "w_W": "w_w", "c_A": "c_a",
    "c_x": "c_x", "x": "cue", "k_N": "k_n", "k_S": "k_s", "L": "skill", "eta": "eta", "contact": "contact",
    "tau_L": "tau_l", "M": "commitment", "k_M": "k_m", "m": ("psychoactive", "felt"), "tau_M": "tau_m", "l_M": "l_m",
    "w_K": "w_k", "c_L": "c_l", "w_M": "w_m", "k_A": "k_a", "phi": "phi", "sigma_x": "sigma_x", "eps": "noise",
    "i_max": "i_max", "clean": "clean_days", "tau_i": "tau_i", "z_H": "z_habit", "i": "incubated", "z_N": "z_affect",
    "N_own": "affect", "c_R": "c_r", "k_C": "k_c", "z_L": "z_skill", "z_0": "z_constant", "lambda_V": "lambda_v",
    "z": "strength", "z_own": "strength", "z_V": "z_v", "beta_C": "beta_c", "w_C": "w_eased", "K": "held", "wk": "wk",
    "weekend": "weekend", "b": "push", "u": "push", "u_rest": "u_rest", "sm": "sm", "W_today": ("today", "trace"),
    "W_before": "before", "W_after": "after", "W_sum": "total", "E": "regime", "l_i": "level", "V": "usual",
    "access": "access", "l0": "l0", "l1": "l1", "l2": "l2", "w_7": "w7", "chi": "chi", "up_i": "up", "onset": "onset",
    "growth": "growth", "omega": "omega", "nu": "nu", "kappa": "kappa", "down_i": "down", "recovery": "recovery",
    "easing": "easing", "hold_1": "hold_1", "hold_2": "hold_2", "up": "rise", "down": "fall", "v": "chance",
    "attempt": "attempt", "success": "success", "mu_a": "mu_a", "gamma_a": "gamma_a", "sigma_a": "sigma_a",
    "d": "hazard_per_day", "f": "use_factor", "h_i": "heaviness", "recent": "recent", "I": "incentive",
    "given": "given", "rewarded": "rewarded", "keep_I": "keep_i", "k_heavy": "k_heavy", "k_light": "k_light",
    "heavy": "heavy_amount", "a": "amount", "better": "better", "guess": "guess", "g_0": "g_0",
    "g_felt": "g_felt", "g_better": "g_better", "k_E": "k_e", "VAS": "vas", "w_R": "w_report",
}  # fmt: skip
FUNCTIONS = {
    "exp": sympy.exp, "tanh": sympy.tanh, "sqrt": sympy.sqrt, "max": sympy.Max,
    "positive": lambda x: sympy.Heaviside(x, 0),
}  # fmt: skip


def evaluate(text: str, values: dict[str, np.ndarray]) -> np.ndarray:
    """The last left-hand side of a block of equations, each line using what the lines before defined."""
    known = dict(values)
    result = np.zeros(0)
    for line in text.strip().splitlines():
        left, right = line.split("=", 1)
        names = {name: sympy.Symbol(name) for name in re.findall(r"[A-Za-z_]\w*", right) if name not in FUNCTIONS}
        expression = sympy.parse_expr(right, local_dict={**names, **FUNCTIONS})
        symbols = sorted(expression.free_symbols, key=str)
        result = sympy.lambdify(symbols, expression, "numpy")(*(known[str(symbol)] for symbol in symbols))
        known[left.strip().rstrip("'")] = result
    return np.asarray(result)


def test_the_page_has_every_function_of_the_day() -> None:
    """A mechanism without an equation on the page would be a hidden assumption."""
    named = {function for function, _ in EQUATIONS}
    modules = ["plasticity.window", "plasticity.glutamate", "plasticity.serotonin", "plasticity.dose_response"]
    modules += ["circuit.cues"]
    modules += ["circuit.basal_ganglia", "circuit.extended_amygdala", "circuit.prefrontal"]
    modules += ["use.craving", "use.regime", "use.incentive", "use.belief", "use.amount", "use.leaving"]
    for module in modules:
        names = {name for name, _ in public_names(f"remission.{module}")}
        for name in names - {"daily_exposure"}:  # a sum over slots, no equation
            assert f"remission.{module}.{name}" in named, f"{module}.{name} has no equation on the page"


@pytest.mark.parametrize(("path", "text"), EQUATIONS, ids=[path.rsplit(".", 1)[1] for path, _ in EQUATIONS])
def test_equation_equals_code(path: str, text: str) -> None:
    """The function at 200 random points gives what the page's text gives, to rounding."""
    module, name = path.rsplit(".", 1)
    function = getattr(importlib.import_module(module), name)
    rng = np.random.default_rng(11)
    n = 200
    parameters = inspect.signature(function).parameters
    right = "\n".join(line.split("=", 1)[1] for line in text.strip().splitlines())
    arguments: dict[str, object] = {}
    values: dict[str, np.ndarray] = {}
    for argument, item in parameters.items():
        # One symbol may have two arguments and one argument two symbols: the block says which one it is about.
        fitting = [s for s, a in ARGUMENTS.items() if argument == a or (isinstance(a, tuple) and argument in a)]
        symbol = next((s for s in fitting if re.search(rf"\b{s}\b", right)), None)
        assert symbol is not None, f"{path}: argument {argument} has no symbol on the page"
        if item.kind is inspect.Parameter.KEYWORD_ONLY and item.annotation is float:
            small = argument in {"phi", "keep_d", "g_b", "keep"}
            number = float(rng.uniform(0.2, 0.95 if small else 3.0))
            arguments[argument], values[symbol] = number, np.full(n, number)
        else:
            whole = {"use": 2, "access": 2, "weekend": 2, "regime": 3}.get(argument)
            column = rng.uniform(0.02, 0.98, n) if whole is None else rng.integers(0, whole, n).astype(float)
            if argument == "recent":
                column = rng.integers(-7, 8, n).astype(float)
            arguments[argument], values[symbol] = column, column
    # The odds of a chance are computed to 1e-10, everything else to the last places.
    rtol = 1e-10 if "/(1 + exp(" in text else 1e-12
    np.testing.assert_allclose(function(**arguments), evaluate(text, values), rtol=rtol, atol=1e-13)
