"""Group-sequential boundaries of a two-sided test, by recursive integration of the score process.

A boundary spends the error as a function says (Lan and DeMets), or has a fixed shape (O'Brien and Fleming: falling
with the root of the information; Pocock: level) with the constant that makes the whole error right.
Under information fractions t_1 < ... < t_K the score B(t) is normal with mean drift * t, variance t and independent
steps. The density of B among trials that go on is carried from look to look by Gauss-Legendre quadrature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from remission.errors import SpecError

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_WIDEST_Z = 38.0


def _obrien_fleming(fraction: float, alpha: float) -> float:
    return float(4.0 * ndtr(-ndtri(1.0 - alpha / 4.0) / np.sqrt(fraction)))


def _pocock(fraction: float, alpha: float) -> float:
    return float(alpha * np.log1p((np.e - 1.0) * fraction))


SPENDING: dict[str, Callable[[float, float], float]] = {"obrien-fleming": _obrien_fleming, "pocock": _pocock}
"""Error spent up to an information fraction, two-sided: the two functions of Lan and DeMets."""

SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "classical-obrien-fleming": lambda fractions: 1.0 / np.sqrt(fractions),
    "classical-pocock": np.ones_like,
}
"""Boundaries of a fixed shape, up to one constant."""

BOUNDARIES = (*SPENDING, *SHAPES)
"""Names that :func:`plan_looks` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Boundaries of a plan of looks.

    ``fractions`` of the information, ``z`` the boundary of the absolute standardized statistic, ``spent`` the
    two-sided error spent up to each look.
    """

    fractions: tuple[float, ...]
    z: tuple[float, ...]
    spent: tuple[float, ...]


def plan_looks(fractions: Sequence[float], *, spending: str = "obrien-fleming", alpha: float = 0.05) -> Looks:
    """Boundaries whose error is ``alpha`` in all, spent as a function says or with a fixed shape.

    ``fractions``: of the information, rising, the last one 1. ``spending``: a name in ``BOUNDARIES``. ``alpha``:
    two-sided error of the whole test. Raises ``SpecError``: a fraction, the name or the error is not possible.
    """
    check_fractions(fractions)
    if spending not in BOUNDARIES:
        raise SpecError(where="spending", got=spending, allowed=f"one of {', '.join(BOUNDARIES)}")
    if not 0.0 < alpha < 1.0:
        raise SpecError(where="alpha", got=alpha, allowed="a number between 0 and 1, for example 0.05")
    z = _shaped(fractions, spending, alpha) if spending in SHAPES else _spending(fractions, spending, alpha)
    spent = np.cumsum(np.add(*crossing_probabilities(z, fractions)))
    return Looks(fractions=tuple(fractions), z=tuple(z), spent=tuple(spent.tolist()))


def _spending(fractions: Sequence[float], spending: str, alpha: float) -> list[float]:
    z: list[float] = []
    spent = 0.0
    for look, fraction in enumerate(fractions):
        due = SPENDING[spending](fraction, alpha) - spent

        def excess(bound: float, look: int = look, due: float = due) -> float:
            upper, lower = crossing_probabilities([*z, bound], fractions[: look + 1])
            return float(upper[-1] + lower[-1]) - due

        z.append(_WIDEST_Z if excess(_WIDEST_Z) >= 0.0 else float(brentq(excess, 1e-3, _WIDEST_Z, xtol=1e-10)))
        spent += due
    return z


def _shaped(fractions: Sequence[float], shape: str, alpha: float) -> list[float]:
    form = SHAPES[shape](np.array(fractions))

    def excess(constant: float) -> float:
        return float(np.sum(crossing_probabilities(list(constant * form), fractions))) - alpha

    return list(float(brentq(excess, 1e-3, 10.0, xtol=1e-10)) * form)


def crossing_probabilities(
    z: Sequence[float],
    fractions: Sequence[float],
    *,
    drift: float = 0.0,
    futility_look: int | None = None,
    futility_z: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Chance to cross the upper and the lower boundary first at each look.

    ``z``: boundary of the absolute statistic at each look. ``fractions``: of the information, rising. ``drift``: mean
    of the statistic at full information. ``futility_look``: index of one look, at which a statistic below
    ``futility_z`` stops the trial without success; ``None``: none. Boundaries that ignore it keep their error: it is
    not binding. ``futility_z``: the statistic below which the trial stops at that look.
    """
    upper, lower = np.empty(len(z)), np.empty(len(z))
    at, mass, before = np.zeros(1), np.ones(1), 0.0
    for look, (bound, fraction) in enumerate(zip(z, fractions, strict=True)):
        root, step = np.sqrt(fraction), fraction - before
        middle, spread = at + drift * step, np.sqrt(step)
        upper[look] = mass @ ndtr((middle - bound * root) / spread)
        lower[look] = mass @ ndtr((-bound * root - middle) / spread)
        low, high = -bound * root, bound * root
        if look == futility_look:
            low = max(low, min(futility_z * root, high))
        # Nodes far out in the tails would leave too few where the mass lies.
        center = drift * fraction
        low, high = max(low, min(center - 9.0 * root, high)), min(high, max(center + 9.0 * root, low))
        nodes = low + (high - low) * (_NODES + 1.0) / 2.0
        gap = (nodes[:, None] - middle[None, :]) / spread
        density = np.exp(-0.5 * gap**2) @ mass / (spread * np.sqrt(2.0 * np.pi))
        at, mass, before = nodes, density * _WEIGHTS * (high - low) / 2.0, fraction
    return upper, lower


def check_fractions(fractions: Sequence[float]) -> None:
    """Refuse looks that do not rise to the whole information.

    Raises ``SpecError``: they do not.
    """
    steps = np.diff([0.0, *fractions])
    if not len(fractions) or not np.all(steps > 0.0) or fractions[-1] != 1.0:
        raise SpecError(
            where="fractions", got=list(fractions), allowed="rising numbers above 0, the last one 1",
            remedy="For example 0.5 and 1.",
        )  # fmt: skip
