"""Group-sequential boundaries of a two-sided test, by recursive integration of the score process.

A boundary spends the error as a function says (Lan and DeMets), or has a fixed shape (O'Brien and Fleming: falling
with the root of the information; Pocock: level) with the constant that makes the whole error right.
Under information fractions t_1 < ... < t_K the score B(t) is normal with mean drift * t, variance t and independent
steps. The density of B among trials that go on is carried from look to look by Gauss-Legendre quadrature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from remission.errors import SpecError
from remission.numerics.special_functions import ndtr, ndtri

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_WIDEST_Z = 38.0


def _obrien_fleming(fraction: float, alpha: float) -> float:
    return float(4.0 * ndtr(-ndtri(1.0 - alpha / 4.0) / np.sqrt(fraction)))


def _pocock(fraction: float, alpha: float) -> float:
    return float(alpha * np.log1p((np.e - 1.0) * fraction))


SPENDING: dict[str, Callable[[float, float], float]] = {"obrien-fleming": _obrien_fleming, "pocock": _pocock}
"""Error spent up to an information fraction, two-sided: the two functions of Lan and DeMets."""

HSD = "hwang-shih-decani"
"""A family of spending functions: ``hwang-shih-decani:-4``, its parameter after the colon. Toward minus infinity it
spends ever later, 0 spends evenly."""


def spending_of(name: str) -> Callable[[float, float], float]:
    """The spending function of a name: error spent up to an information fraction, of the whole error.

    Raises ``SpecError``: no such name, or a parameter that is no number from -40 to 40.
    """
    if name in SPENDING:
        return SPENDING[name]
    family, _, text = name.partition(":")
    try:
        gamma = float(text)
    except ValueError:
        gamma = np.nan
    if family != HSD or not abs(gamma) <= 40.0:
        raise SpecError(
            where="spending",
            got=name,
            allowed=f"one of {', '.join(SPENDING)}, or {HSD}:-4 with a number from -40 to 40",
        )
    if gamma == 0.0:
        return lambda fraction, alpha: alpha * fraction
    return lambda fraction, alpha: float(alpha * np.expm1(-gamma * fraction) / np.expm1(-gamma))


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
    check_boundary(spending)
    if not 0.0 < alpha < 1.0:
        raise SpecError(where="alpha", got=alpha, allowed="a number between 0 and 1, for example 0.05")
    if spending in SHAPES:
        z = _shaped(fractions, spending, alpha)
    else:
        function = spending_of(spending)
        z = bounds_spending(fractions, [function(fraction, alpha) for fraction in fractions])
    spent = np.cumsum(np.add(*crossing_probabilities(z, fractions)))
    return Looks(fractions=tuple(fractions), z=tuple(z), spent=tuple(spent.tolist()))


def check_boundary(name: str) -> None:
    """Refuse a name that is no boundary.

    Raises ``SpecError``: it is none.
    """
    if name not in BOUNDARIES and not name.startswith(f"{HSD}:"):
        raise SpecError(where="spending", got=name, allowed=f"one of {', '.join(BOUNDARIES)}, or {HSD}:-4")
    if name not in SHAPES:
        spending_of(name)


def bounds_spending(information: Sequence[float], spent: Sequence[float]) -> list[float]:
    """Boundaries of the absolute statistic that spend so much of the two-sided error up to each look.

    ``information``: in any unit, rising; the boundaries depend on its ratios only, so that looks may come at whatever
    information there is. ``spent``: rising.
    """
    z: list[float] = []
    for look in range(len(information)):
        due = spent[look] - (spent[look - 1] if look else 0.0)

        def excess(bound: float, look: int = look, due: float = due) -> float:
            upper, lower = crossing_probabilities([*z, bound], information[: look + 1])
            return float(upper[-1] + lower[-1]) - due

        z.append(
            _WIDEST_Z if excess(_WIDEST_Z) >= 0.0 else float(scipy.optimize.brentq(excess, 1e-3, _WIDEST_Z, xtol=1e-10))
        )
    return z


def _shaped(fractions: Sequence[float], shape: str, alpha: float) -> list[float]:
    form = SHAPES[shape](np.array(fractions))

    def excess(constant: float) -> float:
        return float(np.sum(crossing_probabilities(list(constant * form), fractions))) - alpha

    return list(float(scipy.optimize.brentq(excess, 1e-3, 10.0, xtol=1e-10)) * form)


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
    floors = [futility_z if look == futility_look else -np.inf for look in range(len(z))]
    upper, lower, _ = first_stops(z, [-bound for bound in z], fractions, drift=drift, floors=floors)
    return upper, lower


def first_stops(
    upper: Sequence[float],
    lower: Sequence[float],
    information: Sequence[float],
    *,
    drift: float = 0.0,
    floors: Sequence[float] | None = None,
    start: tuple[float, float] = (0.0, 0.0),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chance that a statistic first lies above ``upper``, below ``lower``, or below a floor of futility, at each look.

    ``upper``, ``lower``, ``floors``: of the standardized statistic; a floor below ``lower`` says nothing. The lowest of
    the three that is crossed counts. ``information``: rising. ``drift``: mean of the score for each unit of it.
    ``start``: information and score at which the process is known to be; (0, 0): at its beginning.
    """
    n = len(upper)
    above, below, futile = np.empty(n), np.empty(n), np.zeros(n)
    before, score = start
    at, mass = np.array([score]), np.ones(1)
    for look, (high_z, low_z, now) in enumerate(zip(upper, lower, information, strict=True)):
        root, step = np.sqrt(now), now - before
        middle, spread = at + drift * step, np.sqrt(step)
        above[look] = mass @ ndtr((middle - high_z * root) / spread)
        below[look] = mass @ ndtr((low_z * root - middle) / spread)
        low, high = low_z * root, high_z * root
        floor = -np.inf if floors is None else floors[look]
        if floor > low_z:
            low = min(floor * root, high)
            futile[look] = mass @ ndtr((low - middle) / spread) - below[look]
        at, mass = _carried(middle, mass, spread, low, high, score + drift * (now - start[0]), np.sqrt(now - start[0]))
        before = now
    return above, below, futile


def _carried(
    middle: np.ndarray, mass: np.ndarray, spread: float, low: float, high: float, center: float, whole: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places and masses of the score among trials that go on, between ``low`` and ``high``."""
    # Nodes far out in the tails would leave too few where the mass lies.
    low, high = max(low, min(center - 9.0 * whole, high)), min(high, max(center + 9.0 * whole, low))
    nodes = low + (high - low) * (_NODES + 1.0) / 2.0
    gap = (nodes[:, None] - middle[None, :]) / spread
    density = np.exp(-0.5 * gap**2) @ mass / (spread * np.sqrt(2.0 * np.pi))
    return nodes, density * _WEIGHTS * (high - low) / 2.0


def beta_floors(
    z: Sequence[float], information: Sequence[float], *, beta: float, spending: str
) -> tuple[tuple[float, ...], float]:
    """Floors of futility that spend the error of the second kind, and the drift at which the power is ``1 - beta``.

    ``z``: boundary of success at each look, which does not count on the floors. ``information``: as fractions of the
    last. ``beta``: spent in all, as the function of that name says. The last floor is the last boundary. Raises
    ``SpecError``: so much would be spent early that a floor would pass a boundary.
    """
    function = spending_of(spending)
    spent = [function(fraction, beta) for fraction in information]

    def floors_at(drift: float) -> list[float]:
        found: list[float] = []
        at, mass, before = np.zeros(1), np.ones(1), 0.0
        for look, (bound, now) in enumerate(zip(z, information, strict=True)):
            root, spread = np.sqrt(now), np.sqrt(now - before)
            middle, due = at + drift * (now - before), spent[look] - (spent[look - 1] if look else 0.0)

            def excess(
                floor: float, middle: np.ndarray = middle, mass: np.ndarray = mass, root: float = root,
                spread: float = spread, due: float = due,
            ) -> float:  # fmt: skip
                return float(mass @ ndtr((floor * root - middle) / spread)) - due

            floor = (
                float(scipy.optimize.brentq(excess, -_WIDEST_Z, _WIDEST_Z, xtol=1e-9))
                if excess(_WIDEST_Z) > 0.0
                else _WIDEST_Z
            )
            found.append(floor)
            low = min(floor, bound) * root
            at, mass = _carried(middle, mass, spread, low, bound * root, drift * now, root)
            before = now
        return found

    drift = float(scipy.optimize.brentq(lambda drift: floors_at(drift)[-1] - z[-1], 0.01, 12.0, xtol=1e-8))
    floors = floors_at(drift)
    floors[-1] = z[-1]
    passed = next((k for k in range(len(z) - 1) if floors[k] >= z[k]), None)
    if passed is not None:
        raise SpecError(
            where="beta_spending", got=f"{spending}, whose floor at look {passed + 1} is {floors[passed]:.2f}",
            allowed=f"a floor below the boundary of success there, {z[passed]:.2f}",
            remedy="Spend beta later, such as hwang-shih-decani:-6.",
        )  # fmt: skip
    return tuple(floors), drift


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
