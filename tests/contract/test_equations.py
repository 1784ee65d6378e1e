"""The page of equations and the code say the same: each equation of the page is evaluated against its function."""

import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import sympy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "model.md"
BLOCK = re.compile(r"^Code: `(?P<function>[\w.]+)`\n\n```text\n(?P<text>.*?)```", re.DOTALL | re.MULTILINE)
EQUATIONS = [(match["function"], match["text"]) for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]

# Symbol on the page -> argument of the functions. One symbol has one meaning everywhere.
ARGUMENTS = {
    "P": ("state", "window"), "rho": "rho", "s": "responsiveness", "e": "exposure", "gamma": "gamma", "keep_P":
    "keep_p",
    "G": "efficacy", "k_G": "k_g", "G_b": "g_b", "tau_G": "tau_g", "S": "tone", "keep_S": "keep_s",
    "H": "habit", "y": "use", "g": "gate", "a_H": "a_h", "d_H": "d_h", "R": "reward", "tau_R": "tau_r", "k_R": "k_r",
    "A": "load", "tau_A": "tau_a", "F": "trace", "keep_F": "keep_f", "W": "withdrawn", "w_W": "w_w", "c_A": "c_a",
    "c_x": "c_x", "x": "cue", "k_N": "k_n", "k_S": "k_s", "L": "skill", "eta": "eta", "contact": "contact",
    "tau_L": "tau_l", "M": "commitment", "k_M": "k_m", "m": "psychoactive", "tau_M": "tau_m", "l_M": "l_m",
    "k_K": "k_k", "c_L": "c_l", "w_M": "w_m", "k_A": "k_a", "phi": "phi", "sigma_x": "sigma_x", "eps": "noise",
    "i_max": "i_max", "clean": "clean_days", "tau_i": "tau_i", "z_H": "z_habit", "i": "incubated", "z_N": "z_affect",
    "N": "affect", "c_R": "c_r", "k_C": "k_c", "z_L": "z_skill", "z_0": "z_constant", "lambda_V": "lambda_v",
    "z": "strength", "z_V": "z_v", "beta_C": "beta_c", "K": "held", "wk": "wk", "weekend": "weekend",
    "b_i": "tendency", "u": "push", "lam": "lam", "b0": "b0", "chi": "chi", "B": "b_in", "access": "access",
    "E": "episode", "mu_a": "mu_a", "gamma_a": "gamma_a", "sigma_a": "sigma_a", "d": "hazard_per_day",
    "f": "use_factor", "starts": "starts", "ends": "ends", "c": "circumstance", "D": "drift", "r": "usual",
    "sigma_D": "sigma_d", "k_D": "keep_d", "step": "step", "v": "chance", "h_i": "heaviness", "recent": "recent",
    "I": "incentive", "given": "given", "rewarded": "rewarded", "keep_I": "keep_i",
    "k_heavy": "k_heavy", "k_light": "k_light", "heavy": "heavy_amount", "a": "amount",
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
    modules = ["plasticity.window", "plasticity.glutamate", "plasticity.serotonin", "circuit.cues"]
    modules += ["circuit.basal_ganglia", "circuit.extended_amygdala", "circuit.prefrontal"]
    modules += ["use.craving", "use.episode", "use.rhythm", "use.incentive", "use.amount", "use.leaving"]
    for module in modules:
        owner = importlib.import_module(f"remission.{module}")
        for name in owner.__all__:
            assert f"remission.{module}.{name}" in named, f"{module}.{name} has no equation on the page"


@pytest.mark.parametrize(("path", "text"), EQUATIONS, ids=[path.rsplit(".", 1)[1] for path, _ in EQUATIONS])
def test_equation_equals_code(path: str, text: str) -> None:
    """The function at 200 random points gives what the page's text gives, to rounding."""
    module, name = path.rsplit(".", 1)
    function = getattr(importlib.import_module(module), name)
    rng = np.random.default_rng(11)
    n = 200
    parameters = inspect.signature(function).parameters
    arguments: dict[str, object] = {}
    values: dict[str, np.ndarray] = {}
    for argument, item in parameters.items():
        symbol = next(
            (s for s, a in ARGUMENTS.items() if argument == a or (isinstance(a, tuple) and argument in a)), None
        )
        if name == "update_episode" and argument in {"chance", "pi_start", "om_end"}:
            continue
        assert symbol is not None, f"{path}: argument {argument} has no symbol on the page"
        if item.kind is inspect.Parameter.KEYWORD_ONLY and item.annotation is float:
            number = float(rng.uniform(0.2, 0.95 if argument in {"phi", "keep_d"} else 3.0))
            arguments[argument], values[symbol] = number, np.full(n, number)
        else:
            binary = argument in {"use", "episode", "access", "weekend"}
            column = rng.integers(0, 2, n).astype(float) if binary else rng.uniform(0.02, 0.98, n)
            if argument == "recent":
                column = rng.integers(-7, 8, n).astype(float)
            arguments[argument], values[symbol] = column, column
    if name == "update_episode":
        chance = rng.uniform(size=n)
        arguments |= {"chance": chance, "pi_start": 0.7, "om_end": 0.2}
        values |= {"starts": (chance < 0.7) * 1.0, "ends": (chance < 0.2) * 1.0}
    np.testing.assert_allclose(function(**arguments), evaluate(text, values), rtol=1e-12, atol=1e-13)
