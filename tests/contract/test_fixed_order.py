"""No number of a run comes from a function that a library picks by processor."""

import ast
from pathlib import Path

import pytest
from source_tree import PACKAGE

FOLDERS = (
    "analyses", "circuit", "dosing", "endpoints", "patient", "plasticity", "receptor", "records", "runs", "trial",
    "use",
)  # fmt: skip
MODULES = sorted(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py"))
# NumPy has several versions of these by instruction set, the system's library of `math`'s, OpenBLAS of every product.
FUNCTIONS = {
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "acos", "asin", "atan", "atan2", "cbrt",
    "convolve", "corrcoef", "correlate", "cos", "cosh", "cov", "dot", "einsum", "erf", "erfc", "exp", "exp2", "expm1",
    "float_power", "gamma", "hypot", "inner", "lgamma", "linalg", "log", "log10", "log1p", "log2", "logaddexp",
    "matmul", "polyfit", "pow", "power", "sin", "sinh", "tan", "tanh", "tensordot", "vdot",
}  # fmt: skip
NUMERICAL = {"np", "numpy", "math", "cmath"}
LIBRARIES = {"scipy", "statsmodels"}


def _fault(node: ast.AST) -> str:
    match node:
        case ast.Import(names=names):
            return ", ".join(one.name for one in names if one.name.split(".")[0] in LIBRARIES)
        case ast.ImportFrom(module=str(module), names=names):
            root = module.split(".")[0]
            taken = {one.name for one in names} & FUNCTIONS if root in NUMERICAL else set()
            return f"from {module}" if taken or root in LIBRARIES else ""
        case ast.Attribute(value=ast.Name(id=name), attr=function) if name in NUMERICAL and function in FUNCTIONS:
            return f"{name}.{function}"
        case ast.Attribute(attr="dot") | ast.Name(id="pow"):
            return "dot, pow"
        case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()):
            return "@"
        # Of a number that is not written out it goes through the system's `pow`, as squares of Python's floats do.
        case ast.BinOp(op=ast.Pow(), left=ast.Constant()):
            return ""
        case ast.BinOp(op=ast.Pow()) | ast.AugAssign(op=ast.Pow()):
            return "**"
        case _:
            return ""


def faults_of(source: str) -> list[str]:
    """Lines that a processor could show through."""
    found = [(node, _fault(node)) for node in ast.walk(ast.parse(source))]
    return [f"line {getattr(node, 'lineno', 0)}: {words}" for node, words in found if words]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_picked_by_processor(module: Path) -> None:
    """Use numerics/elementary, numerics/small_systems and numerics/distributions; write a square as a product."""
    assert faults_of(module.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "x = np.exp(y)", "x = y @ z", "y @= z", "x = y.dot(z)", "x = np.linalg.solve(y, z)", "x = y ** 2",
        "from math import log", "from scipy import stats", "import statsmodels.api as sm", "x **= 2",
        "x = y ** -0.5", "x = pow(y, 2)", "x = math.log10(y)",
    ],
)  # fmt: skip
def test_the_rule_sees(line: str) -> None:
    """A rule that overlooks a spelling is passed by it."""
    assert faults_of(line)


@pytest.mark.parametrize("line", ["x = 2.0**-51", "x = y * y", "x = np.sqrt(y)", "f(**y)", "x = exp(y)"])
def test_the_rule_lets_pass(line: str) -> None:
    """Powers of two are exact, roots are rounded right everywhere."""
    assert not faults_of(line)


def _adds_by_python(node: ast.AST) -> bool:
    """The built-in sum of a list: of floats it has another last bit from Python 3.12 on; whole numbers are counts."""
    match node:
        case ast.Call(func=ast.Name(id="sum"), args=[ast.Name(id=name), *_]):
            return name != "counts"
        case _:
            return False


@pytest.mark.parametrize("module", sorted((PACKAGE / "report").glob("*.py")), ids=lambda path: path.stem)
def test_no_drawing_shows_which_python_drew_it(module: Path) -> None:
    """A report is hashed: heights of a figure are added by fsum."""
    assert [
        getattr(node, "lineno", 0) for node in ast.walk(ast.parse(module.read_text("utf-8"))) if _adds_by_python(node)
    ] == []
