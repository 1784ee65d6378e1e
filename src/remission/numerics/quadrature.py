"""Gauss-Legendre rules, and panels that double in length.

Purpose: integrate a smooth function that changes fast at first and slowly later. The interval is cut as
``[0, h], [h, 2h], [2h, 4h], ...``; nodes of a doubled panel are twice the nodes of the panel before, so a decaying
exponential at the new nodes is the square of its values at the old ones and needs no new evaluation.

Nodes and weights are computed in decimal arithmetic of 50 digits and rounded once: the same bits on every machine.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache
from math import cos, pi

import numpy as np

from remission.errors import SpecError
from remission.shapes import Float


@cache
def gauss_legendre(n_nodes: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes and weights of the Gauss-Legendre rule on [0, 1], nodes rising.

    Exact for polynomials of degree ``2 n_nodes - 1``.
    """
    nodes, weights = [], []
    with localcontext() as context:
        context.prec = 50
        for index in range(n_nodes):
            x = Decimal(-cos(pi * (index + 0.75) / (n_nodes + 0.5)))
            # Newton doubles the digits each time: 6 steps from a guess good to 1e-2 pass 50 digits.
            for _ in range(8):
                value, slope = _legendre(n_nodes, x)
                x -= value / slope
            _, slope = _legendre(n_nodes, x)
            nodes.append(float((x + 1) / 2))
            weights.append(float(1 / ((1 - x * x) * slope * slope)))
    return tuple(nodes), tuple(weights)


def _legendre(degree: int, x: Decimal) -> tuple[Decimal, Decimal]:
    before, value = Decimal(1), x
    for k in range(2, degree + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, degree * (x * value - before) / (x * x - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoublingPanels:
    """Panels ``[0, h], [h, 2h], [2h, 4h], ...`` up to ``h * 2**n_doublings``, with one rule on each.

    ``first``: h, in the unit of the integration variable. ``n_doublings``: panels after the first. ``nodes``,
    ``weights``: the rule on [0, 1].
    """

    first: float
    n_doublings: int
    nodes: tuple[float, ...]
    weights: tuple[float, ...]

    @property
    def n_panels(self) -> int:
        """Panels in all."""
        return self.n_doublings + 1

    def panel_nodes(self, panel: int) -> Float[np.ndarray, " node"]:
        """Nodes of one panel, in the unit of the integration variable."""
        start = 0.0 if panel == 0 else self.first * 2.0 ** (panel - 1)
        return start + np.array(self.nodes) * self.panel_length(panel)

    def panel_length(self, panel: int) -> float:
        """Length of one panel, in the unit of the integration variable."""
        return self.first if panel == 0 else self.first * 2.0 ** (panel - 1)


def doubling_panels(length: float, *, longest_first: float, n_nodes: int) -> DoublingPanels:
    """Panels over [0, ``length``] whose first is the longest that is at most ``longest_first``.

    Raises SpecError: a length is not positive.
    """
    if not (0.0 < length < np.inf and longest_first > 0.0):
        raise SpecError(where="length", got=(length, longest_first), allowed="two positive, finite lengths")
    n_doublings = 0
    while length > longest_first * 2.0**n_doublings:
        n_doublings += 1
    nodes, weights = gauss_legendre(n_nodes)
    return DoublingPanels(first=length / 2.0**n_doublings, n_doublings=n_doublings, nodes=nodes, weights=weights)
