"""The compiled searches and integrals of kinetics in plain NumPy, slower and easier to read: what they must equal.

Modes of a mammillary model and their responses in closed form; nodes of the integral over the effect site; its peak.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from divided_differences import cumulative_decay_difference, decay_differences, mean_decay
from jaxtyping import Float
from scipy import linalg

from remission.numerics.elementary import exp
from remission.numerics.quadrature import DoublingPanels, doubling_panels
from remission.pk.effect_site import _FIRST_PANEL_H, _N_NODES, _end_of_infusion, _parents, _sum, species_modes
from remission.pk.individuals import PkIndividuals
from remission.pk.mammillary import Modes
from remission.pk.metabolites import rate_matrix
from remission.records.analyte import Analyte

__all__ = [
    "effect_site_quadrature", "linked_response", "plasma_response", "reference_modes", "reference_peak",
    "simulate_amounts",
]  # fmt: skip

_Subject = Float[np.ndarray, " subject"]
_Roots = Float[np.ndarray, "root subject"]
_Nodes = Float[np.ndarray, "node subject"]

# Laguerre's method converges in 5 to 8 steps; a root that merges with another takes up to about 60.
_MOST_STEPS = 200
_RELATIVE_STEP = 2.0**-51
_PEAK_TOLERANCE = 1e-9
_ALTERNATING = np.array([[1.0], [-1.0]])


def reference_modes(
    k10_per_h: _Subject,
    *,
    out_per_h: Float[np.ndarray, "peripheral subject"],
    back_per_h: Float[np.ndarray, "peripheral subject"],
) -> Modes:
    """The specification of :func:`remission.numerics.arrowheads.arrowhead_modes`, sixty times slower.

    Parameters
    ----------
    k10_per_h, out_per_h, back_per_h
        Rate constants, > 0: out of the body, and to and from peripheral compartments; no two rates back equal. [1/h]
    """
    k10, out, back = k10_per_h, out_per_h, back_per_h
    ends = np.concatenate([np.zeros((1, k10.size)), np.sort(back, axis=0)])
    middle = 0.5 * (ends[:-1] + ends[1:])
    at_middle = _characteristic(middle, k10 - middle, out, [k - middle for k in back])[0]
    # The polynomial is positive at 0 and changes sign at each root; the root is in the left half where it has changed
    # by the middle. The last root has one neighbor only.
    from_left = at_middle * _ALTERNATING[: len(middle)] <= 0.0
    pole = np.concatenate([np.where(from_left, ends[:-1], ends[1:]), ends[-1:]])
    side = np.concatenate([np.where(from_left, 1.0, -1.0), np.ones((1, k10.size))])
    offset = _offset(pole, side, k10, out, back)
    weight = _weight([(k - pole) - offset for k in back], out, back)
    return Modes(rate_per_h=pole + offset, weight=weight)


def _characteristic(
    rate: _Roots, lead: _Roots, out: Float[np.ndarray, "peripheral subject"], gaps: list[_Roots]
) -> tuple[_Roots, _Roots, _Roots]:
    """``f(r) prod_j (kj - r)`` with two derivatives; ``lead`` is ``k10 - r`` and ``gaps`` are ``kj - r``."""
    top, top1, top2 = lead, np.full_like(rate, -1.0), np.zeros_like(rate)
    base, base1, base2 = np.ones_like(rate), np.zeros_like(rate), np.zeros_like(rate)
    for flow, gap in zip(out, gaps, strict=True):
        top, top1, top2 = (
            top * gap - rate * flow * base,
            top1 * gap - top - flow * (base + rate * base1),
            top2 * gap - 2.0 * top1 - flow * (2.0 * base1 + rate * base2),
        )
        base, base1, base2 = base * gap, base1 * gap - base, base2 * gap - 2.0 * base1
    return top, top1, top2


def _offset(
    pole: _Roots,
    side: _Roots,
    k10: _Subject,
    out: Float[np.ndarray, "peripheral subject"],
    back: Float[np.ndarray, "peripheral subject"],
) -> _Roots:
    """Distance from ``pole`` to the first root on the given side, by Laguerre's method.

    For a polynomial whose roots are all real the method never steps over the next root, from any start between two
    roots.
    """
    degree = float(out.shape[0] + 1)
    # Differences of given numbers first: rounding of the sum pole + offset must not enter them.
    lead, apart = k10 - pole, [k - pole for k in back]
    offset = np.zeros_like(pole)
    open_ = np.ones(pole.shape, dtype=bool)
    begun = _characteristic(pole, lead, out, apart)[0]
    for _ in range(_MOST_STEPS):
        value, slope, bend = _characteristic(pole + offset, lead - offset, out, [gap - offset for gap in apart])
        root = np.sqrt(np.maximum((degree - 1.0) * ((degree - 1.0) * slope * slope - degree * value * bend), 0.0))
        # The step must point to `side`: its sign is minus that of value / denominator.
        denominator = slope - side * np.where(value < 0.0, -1.0, 1.0) * root
        step = -degree * value / np.where(denominator == 0.0, 1.0, denominator)
        # Another sign than at the start means that rounding has carried the last step just past the root: it is found.
        open_ = open_ & (value * begun > 0.0) & (step * side > 0.0)
        moved = np.where(open_, offset + step, offset)
        open_ = open_ & (np.abs(step) > _RELATIVE_STEP * np.abs(moved))
        offset = moved
        if not np.any(open_):
            break
    return offset


def _weight(
    gaps: list[_Roots], out: Float[np.ndarray, "peripheral subject"], back: Float[np.ndarray, "peripheral subject"]
) -> _Roots:
    """``1 / (1 + sum_j kj kjc / gap_j^2)`` without dividing by a gap that may be zero."""
    squares = [gap * gap for gap in gaps]
    numerator = np.ones_like(gaps[0])
    for square in squares:
        numerator = numerator * square
    denominator = numerator
    for index, square_of_flow in enumerate(out * back):
        others = np.broadcast_to(square_of_flow, numerator.shape)
        for other, square in enumerate(squares):
            if other != index:
                others = others * square
        denominator = denominator + others
    # Both vanish when two poles coincide on the root: the mode is invisible from the central compartment.
    return np.where(denominator > 0.0, numerator / np.where(denominator > 0.0, denominator, 1.0), 0.0)


def plasma_response(
    modes: Modes, *, elapsed_h: Float[np.ndarray, " time"], duration_h: float
) -> Float[np.ndarray, "subject time"]:
    """Plasma concentration from 1 ug/h into 1 L of central volume during ``duration_h``. [h]

    ``elapsed_h`` counts from the start of the infusion; before it the response is 0.
    """
    running, after = _phases(elapsed_h, duration_h)
    total = np.zeros((modes.rate_per_h.shape[1], elapsed_h.size))
    for rate, weight in zip(modes.rate_per_h[:, :, np.newaxis], modes.weight[:, :, np.newaxis], strict=True):
        total = total + weight * (running * mean_decay(rate * running) * exp(-rate * after))
    return total


def linked_response(
    modes: Modes, *, kappa_per_h: _Subject, elapsed_h: Float[np.ndarray, " time"], duration_h: float
) -> Float[np.ndarray, "subject time"]:
    """Concentration of a site that follows plasma at rate ``kappa_per_h``, for the same infusion. [h]"""
    running, after = _phases(elapsed_h, duration_h)
    kappa = kappa_per_h[:, np.newaxis]
    left = exp(-kappa * after)
    total = np.zeros((modes.rate_per_h.shape[1], elapsed_h.size))
    for rate, weight in zip(modes.rate_per_h[:, :, np.newaxis], modes.weight[:, :, np.newaxis], strict=True):
        built = running * running * cumulative_decay_difference(rate * running, kappa * running)
        passed_on = running * mean_decay(rate * running) * after * decay_difference(rate * after, kappa * after)
        total = total + weight * (built * left + passed_on)
    return kappa * total


def _phases(
    elapsed_h: Float[np.ndarray, " time"], duration_h: float
) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]]:
    since = np.maximum(elapsed_h, 0.0)
    return np.minimum(since, duration_h), np.maximum(since - duration_h, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSiteQuadrature:
    """Effect-site concentration at the nodes of one panel.

    conc_ng_per_ml
        S and R ketamine together. [ng/mL]
    weight_h
        Weight of each node in an integral over time. [h]
    """

    conc_ng_per_ml: _Nodes
    weight_h: Float[np.ndarray, " node"]


def effect_site_quadrature(
    individuals: PkIndividuals,
    *,
    dose_mg: _Subject,
    duration_h: float,
    s_fraction: float,
    horizon_h: float,
) -> Iterator[EffectSiteQuadrature]:
    """Nodes and weights of an integral over effect-site concentration from 0 to ``horizon_h``, panel by panel.

    Parameters
    ----------
    dose_mg
        One infusion that starts at 0, free base. [mg]
    duration_h
        Its length, > 0. [h]
    s_fraction
        Share of S-ketamine in the dose. [dimensionless]
    horizon_h
        End of the integral; the part of the infusion beyond it does not count. [h]
    """
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, species_modes(individuals))
    k = individuals.ke0_per_h
    running = doubling_panels(min(duration_h, horizon_h), longest_first=_FIRST_PANEL_H, n_nodes=_N_NODES)
    factor = k * parents.strength_ng_per_ml_per_h
    for weight_h, _, modes in _panels(parents.rate_per_h, k, running, build=True):
        yield EffectSiteQuadrature(conc_ng_per_ml=_sum(factor[:, np.newaxis] * modes.built), weight_h=weight_h)
    if horizon_h <= duration_h:
        return
    end = _end_of_infusion(parents, k, duration_h)
    after = doubling_panels(horizon_h - duration_h, longest_first=_FIRST_PANEL_H, n_nodes=_N_NODES)
    factor = k * end.plasma_ng_per_ml
    for weight_h, link, modes in _panels(parents.rate_per_h, k, after, build=False):
        conc = end.effect_ng_per_ml * link.decay + _sum(factor[:, np.newaxis] * modes.passed)
        yield EffectSiteQuadrature(conc_ng_per_ml=conc, weight_h=weight_h)


def reference_peak(
    individuals: PkIndividuals, *, dose_mg: _Subject, duration_h: float, s_fraction: float, analyte: Analyte
) -> _Subject:
    """The specification of :func:`effect_site_peak`.

    Newton's method on plasma minus effect site, kept inside a bracket; at the peak the effect site is flat, so its
    value is far more accurate than its time.
    """
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, species_modes(individuals, (analyte,)))
    rate, k = parents.rate_per_h, individuals.ke0_per_h
    end = _end_of_infusion(parents, k, duration_h)

    def at(after_h: _Subject) -> tuple[Float[np.ndarray, "mode subject"], _Subject]:
        """Plasma mode by mode, and the effect site, some time after the end."""
        decay, decay_link = exp(-rate * after_h), exp(-k * after_h)
        passed = decay_difference(rate * after_h, k * after_h, decay_a=decay, decay_b=decay_link)
        effect = end.effect_ng_per_ml * decay_link + k * after_h * _sum(end.plasma_ng_per_ml * passed)
        return end.plasma_ng_per_ml * decay, effect

    time, low, high = np.zeros_like(k), np.zeros_like(k), np.full_like(k, np.inf)
    open_ = np.ones(k.shape, dtype=bool)
    for _ in range(_MOST_STEPS):
        modes, effect = at(time)
        plasma = _sum(modes)
        gap = plasma - effect
        low, high = np.where(gap > 0.0, time, low), np.where(gap > 0.0, high, time)
        slope = -_sum(rate * modes) - k * gap
        newton = time - gap / np.where(slope == 0.0, -1.0, slope)
        furthest = 2.0 * low + 1.0 / k
        middle = np.where(np.isfinite(high), 0.5 * (low + high), furthest)
        usable = (slope < 0.0) & (newton > low) & (newton < high) & (newton <= furthest)
        following = np.where(usable, newton, middle)
        settled = (np.abs(gap) <= _PEAK_TOLERANCE * plasma) | (np.abs(following - time) <= _PEAK_TOLERANCE * following)
        open_ = open_ & ~settled
        if not np.any(open_):
            break
        time = np.where(open_, following, time)
    return at(time)[1]


@dataclass(slots=True)
class _Link:
    """K and W of the effect site at some times. Arrays are ``node subject`` or ``subject``."""

    decay: np.ndarray
    integral: np.ndarray

    @classmethod
    def at(cls, k: np.ndarray, t_h: np.ndarray) -> "_Link":
        return cls(exp(-k * t_h), t_h * mean_decay(k * t_h))

    def later(self, step: "_Link") -> "_Link":
        return _Link(self.decay * step.decay, step.integral + step.decay * self.integral)

    def doubled(self) -> "_Link":
        return _Link(self.decay * self.decay, self.integral * (1.0 + self.decay))


@dataclass(slots=True)
class _Modes:
    """E, D and G of all plasma modes at the same times. Arrays are ``mode node subject`` or ``mode subject``."""

    decay: np.ndarray
    passed: np.ndarray
    built: np.ndarray

    @classmethod
    def at(cls, rate: np.ndarray, k: np.ndarray, t_h: np.ndarray, link: _Link, *, build: bool) -> "_Modes":
        decay = exp(-rate * t_h)
        if not build:
            passed = t_h * decay_difference(rate * t_h, k * t_h, decay_a=decay, decay_b=link.decay)
            return cls(decay, passed, passed)
        passed, built = decay_differences(rate * t_h, k * t_h, decay_a=decay, decay_b=link.decay)
        return cls(decay, t_h * passed, t_h * t_h * built)

    def later(self, step: "_Modes", link: _Link, *, build: bool) -> "_Modes":
        decay, passed, built = (part[:, np.newaxis] for part in (step.decay, step.passed, step.built))
        further = decay * self.passed + passed * link.decay
        grown = built + decay * self.built + passed * link.integral if build else further
        return _Modes(self.decay * decay, further, grown)

    def doubled(self, link: _Link, *, build: bool) -> "_Modes":
        further = self.passed * (self.decay + link.decay)
        grown = self.built * (1.0 + self.decay) + self.passed * link.integral if build else further
        return _Modes(self.decay * self.decay, further, grown)


def _panels(
    rate: Float[np.ndarray, "mode subject"], k: _Subject, panels: DoublingPanels, *, build: bool
) -> Iterator[tuple[Float[np.ndarray, " node"], _Link, _Modes]]:
    """Weights and responses at the nodes of each panel; without ``build``, ``built`` means nothing."""
    weights = np.array(panels.weights)
    nodes = panels.panel_nodes(0)[:, np.newaxis]
    link = _Link.at(k, nodes)
    modes = _Modes.at(rate[:, np.newaxis], k, nodes, link, build=build)
    for panel in range(panels.n_panels):
        if panel == 1:
            step = np.full_like(k, panels.first)
            link_step = _Link.at(k, step)
            modes = modes.later(_Modes.at(rate, k, step, link_step, build=build), link, build=build)
            link = link.later(link_step)
        elif panel > 1:
            modes = modes.doubled(link, build=build)
            link = link.doubled()
        yield weights * panels.panel_length(panel), link, modes


def decay_difference(
    a: np.ndarray, b: np.ndarray, *, decay_a: np.ndarray | None = None, decay_b: np.ndarray | None = None
) -> np.ndarray:
    """``(exp(-a) - exp(-b)) / (b - a)``; ``exp(-a)`` where they are equal."""
    decay_a, decay_b = exp(-a) if decay_a is None else decay_a, exp(-b) if decay_b is None else decay_b
    return decay_differences(*np.broadcast_arrays(a, b), decay_a=decay_a, decay_b=decay_b)[0]


def simulate_amounts(
    individuals: PkIndividuals,
    *,
    breaks_h: Float[np.ndarray, " break"],
    rate_ug_per_h: Float[np.ndarray, "subject interval"],
    t_h: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "subject state time"]:
    """Amounts of all states after infusions of S-ketamine, by SciPy's exponential of the whole matrix. [ug]"""
    matrix = rate_matrix(individuals)
    n_subject, n_state, _ = matrix.shape
    amounts = np.zeros((n_subject, n_state, t_h.size))
    for person in range(n_subject):
        whole = np.zeros((n_state + 1, n_state + 1))
        whole[:-1, :-1], whole[0, -1] = matrix[person], 1.0
        for index, time in enumerate(t_h.tolist()):
            state = np.zeros(n_state)
            edges = np.minimum([*breaks_h, np.inf], time)
            for length, rate in zip(np.diff(edges), [*rate_ug_per_h[person], 0.0], strict=True):
                state = (linalg.expm(whole * length) @ [*state, rate])[:-1]
            amounts[person, :, index] = state
    return amounts
