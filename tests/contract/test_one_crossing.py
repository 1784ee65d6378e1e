"""Minutes and hours cross in one place, so that no step of the chain can do it the wrong way round."""

import ast

from source_tree import PACKAGE

# Seconds to minutes, a clock, ticks on an axis, time left: what people type and see, no step of the chain.
_ALLOWED = {"numerics/digits.py", "units.py", "records/typed.py", "report/planner_chart.py"}


def crossings(tree: ast.AST) -> list[int]:
    """Lines that multiply or divide by 60."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult | ast.Div)
        and any(isinstance(side, ast.Constant) and side.value == 60 for side in (node.left, node.right))
    ]


def test_nobody_converts_minutes_by_hand() -> None:
    """Twenty-eight places did, and each could have been the one that multiplies."""
    found = {
        path.relative_to(PACKAGE).as_posix(): lines
        for path in PACKAGE.rglob("*.py")
        if (lines := crossings(ast.parse(path.read_text("utf-8"))))
    }
    assert {name: lines for name, lines in found.items() if name not in _ALLOWED} == {}


def test_the_search_sees_a_crossing() -> None:
    """The search itself must not be blind."""
    assert crossings(ast.parse("a = b / 60.0\nc = 60 * d\ne = f / 24.0")) == [1, 2]
