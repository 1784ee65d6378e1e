"""Gauss-Legendre rules and doubling panels."""

import numpy as np
import pytest
from scipy import special

from remission.errors import SpecError
from remission.numerics.quadrature import doubling_panels, gauss_legendre


@pytest.mark.parametrize("n_nodes", [1, 2, 3, 6, 7, 12])
def test_the_rule_is_exact_for_polynomials(n_nodes: int) -> None:
    """Degree 2n - 1 is what defines the rule."""
    nodes, weights = gauss_legendre(n_nodes)
    for degree in range(2 * n_nodes):
        integral = sum(w * x**degree for x, w in zip(nodes, weights, strict=True))
        # n terms, each rounded once.
        assert integral == pytest.approx(1.0 / (degree + 1), rel=1e-15 * n_nodes)


@pytest.mark.parametrize("n_nodes", [2, 6, 9])
def test_the_rule_agrees_with_scipy(n_nodes: int) -> None:
    """A second computation of the same numbers."""
    nodes, weights = gauss_legendre(n_nodes)
    x, w = special.roots_legendre(n_nodes)
    assert nodes == pytest.approx((x + 1.0) / 2.0, abs=1e-15)
    assert weights == pytest.approx(w / 2.0, rel=1e-13)


@pytest.mark.parametrize(("length", "first"), [(24.0, 0.05), (0.05, 0.05), (0.04, 0.05), (0.1, 0.05), (23.37, 0.05)])
def test_panels_cover_the_interval_once(length: float, first: float) -> None:
    """A gap or an overlap would bias every integral."""
    panels = doubling_panels(length, longest_first=first, n_nodes=3)
    lengths = [panels.panel_length(panel) for panel in range(panels.n_panels)]
    assert sum(lengths) == pytest.approx(length, rel=1e-15)
    assert first / 2.0 < panels.first <= first or panels.n_doublings == 0
    assert panels.first <= first
    nodes = np.concatenate([panels.panel_nodes(panel) for panel in range(panels.n_panels)])
    assert np.all(np.diff(nodes) > 0.0)
    assert nodes[0] > 0.0
    assert nodes[-1] < length


def test_nodes_of_a_panel_are_twice_those_before() -> None:
    """Squaring an exponential instead of computing it rests on this."""
    panels = doubling_panels(10.0, longest_first=0.1, n_nodes=5)
    for panel in range(2, panels.n_panels):
        assert panels.panel_nodes(panel) == pytest.approx(2.0 * panels.panel_nodes(panel - 1), rel=1e-15)


def test_panels_integrate_a_decaying_curve() -> None:
    """A curve that falls in minutes and has a tail of a day: the case they are made for."""
    panels = doubling_panels(24.0, longest_first=0.05, n_nodes=6)
    total = 0.0
    for panel in range(panels.n_panels):
        t = panels.panel_nodes(panel)
        total += panels.panel_length(panel) * float(
            np.dot(panels.weights, 3.0 * np.exp(-30.0 * t) + 0.2 * np.exp(-0.2 * t))
        )
    expected = 0.1 * (1.0 - np.exp(-720.0)) + (1.0 - np.exp(-4.8))
    assert total == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("length", "first"), [(0.0, 0.1), (-1.0, 0.1), (1.0, 0.0), (float("nan"), 0.1), (float("inf"), 0.1)]
)
def test_an_interval_without_length_is_refused(length: float, first: float) -> None:
    """Zero length has no first panel."""
    with pytest.raises(SpecError):
        doubling_panels(length, longest_first=first, n_nodes=3)
