"""Fast numbers of one session for many people: the effect site at quadrature nodes, and its peak.

Purpose: the clock of days needs an integral over effect-site concentration and its peak for every person of every
simulated trial. Concentrations are computed on panels that double in length (:mod:`remission.numerics.quadrature`),
where the response at twice the time follows from the response at the time without a new exponential. For a mode of
rate r and a link of rate k::

    E(t) = exp(-r t)                    E(2t) = E^2
    K(t) = exp(-k t)                    K(2t) = K^2
    W(t) = (1 - K) / k                  W(2t) = W (1 + K)
    D(t) = (E - K) / (k - r)            D(2t) = D (E + K)
    G(t) = integral of D from 0 to t    G(2t) = G (1 + E) + D W

All terms are positive: nothing cancels, ``r = k`` included. During an infusion of rate 1 into 1 L the effect site is
``k sum_i w_i G_i(t)``; after it, with p_i the plasma mode and c the effect site at its end, it is ``c K + k sum_i w_i
p_i D_i``.

The peak is where plasma meets the effect site after the end of the infusion; there is one, because plasma falls from
then on.

Everything is element by element, with operations that round in one way on every machine. Trials use the compiled twins
of :mod:`remission.numerics.linked_modes`; the functions on panels here are their specification.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from remission.numerics.divided_differences import (
    cumulative_decay_difference,
    decay_difference,
    decay_differences,
    mean_decay,
)
from remission.numerics.elementary import exp
from remission.numerics.linked_modes import linked_peak, saturated_integral
from remission.numerics.quadrature import DoublingPanels, doubling_panels
from remission.pk.individuals import UG_PER_MG, PkIndividuals
from remission.pk.mammillary import mammillary_modes
from remission.records.analyte import Analyte

__all__ = [
    "EffectSiteQuadrature",
    "effect_site_peak",
    "effect_site_quadrature",
    "reference_peak",
    "saturated_hours",
]

_Subject = Float[np.ndarray, " subject"]
_Nodes = Float[np.ndarray, "node subject"]

# Chosen by measurement, docs/validation/pharmacology.md: error of the exposure at most 5e-7, about 1e-9 at studied
# doses.
_FIRST_PANEL_H = 0.05
_N_NODES = 6

_MOST_STEPS = 200
_PEAK_TOLERANCE = 1e-9


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parents:
    """Modes of some species in one list; the strength of a mode is infusion rate over V1 times its weight."""

    rate_per_h: Float[np.ndarray, "mode subject"]
    strength_ng_per_ml_per_h: Float[np.ndarray, "mode subject"]


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
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, species=individuals.model.species)
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


def saturated_hours(
    individuals: PkIndividuals,
    *,
    dose_mg: _Subject,
    duration_h: float,
    s_fraction: float,
    horizon_h: float,
    c50_ng_per_ml: float,
) -> _Subject:
    """Integral of ``C / (C + C50)`` over the effect site from 0 to ``horizon_h``. [h]

    The sum over the nodes of :func:`effect_site_quadrature`, compiled: the same bits, many times faster.

    Parameters
    ----------
    dose_mg, duration_h, s_fraction, horizon_h
        As for :func:`effect_site_quadrature`.
    c50_ng_per_ml
        Concentration of half saturation, > 0. [ng/mL]
    """
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, species=individuals.model.species)
    rate, k = parents.rate_per_h, individuals.ke0_per_h
    total = np.zeros_like(k)
    saturated_integral(
        rate,
        k * parents.strength_ng_per_ml_per_h,
        start=np.zeros_like(k),
        link_rate=k,
        panels=doubling_panels(min(duration_h, horizon_h), longest_first=_FIRST_PANEL_H, n_nodes=_N_NODES),
        half=c50_ng_per_ml,
        builds=True,
        total=total,
    )
    if horizon_h > duration_h:
        end = _end_of_infusion(parents, k, duration_h)
        saturated_integral(
            rate,
            k * end.plasma_ng_per_ml,
            start=end.effect_ng_per_ml,
            link_rate=k,
            panels=doubling_panels(horizon_h - duration_h, longest_first=_FIRST_PANEL_H, n_nodes=_N_NODES),
            half=c50_ng_per_ml,
            builds=False,
            total=total,
        )
    return total


def effect_site_peak(
    individuals: PkIndividuals, *, dose_mg: _Subject, duration_h: float, s_fraction: float, analyte: Analyte
) -> _Subject:
    """Largest effect-site concentration of one species after one infusion. [ng/mL]

    :func:`reference_peak`, compiled: the same bits, many times faster.
    """
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, species=(analyte,))
    end = _end_of_infusion(parents, individuals.ke0_per_h, duration_h)
    return linked_peak(
        parents.rate_per_h, end.plasma_ng_per_ml, start=end.effect_ng_per_ml, link_rate=individuals.ke0_per_h
    )


def reference_peak(
    individuals: PkIndividuals, *, dose_mg: _Subject, duration_h: float, s_fraction: float, analyte: Analyte
) -> _Subject:
    """The specification of :func:`effect_site_peak`.

    Newton's method on plasma minus effect site, kept inside a bracket; at the peak the effect site is flat, so its
    value is far more accurate than its time.
    """
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, species=(analyte,))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Plasma, mode by mode, and effect site at the end of the infusion. [ng/mL]"""

    plasma_ng_per_ml: Float[np.ndarray, "mode subject"]
    effect_ng_per_ml: _Subject


def _end_of_infusion(parents: _Parents, k: _Subject, duration_h: float) -> _End:
    rate, strength = parents.rate_per_h, parents.strength_ng_per_ml_per_h
    built = cumulative_decay_difference(rate * duration_h, np.broadcast_to(k * duration_h, rate.shape))
    return _End(
        plasma_ng_per_ml=strength * (duration_h * mean_decay(rate * duration_h)),
        effect_ng_per_ml=k * (duration_h * duration_h) * _sum(strength * built),
    )


def _parents(
    individuals: PkIndividuals,
    dose_mg: _Subject,
    duration_h: float,
    s_fraction: float,
    *,
    species: tuple[Analyte, ...],
) -> _Parents:
    shares = {Analyte.S_KET: s_fraction, Analyte.R_KET: 1.0 - s_fraction, Analyte.KET: 1.0}
    rates, strengths = [], []
    for one in species:
        modes = mammillary_modes(
            cl_l_per_h=individuals.cl_l_per_h[individuals.species_index(one)],
            v1_l=individuals.v1_l,
            q_l_per_h=individuals.q_l_per_h,
            v_l=individuals.v_l,
        )
        rate_ug_per_h = dose_mg * (UG_PER_MG * shares[one] / duration_h)
        rates.append(modes.rate_per_h)
        strengths.append(rate_ug_per_h / individuals.v1_l * modes.weight)
    return _Parents(rate_per_h=np.concatenate(rates), strength_ng_per_ml_per_h=np.concatenate(strengths))


def _sum(terms: Float[np.ndarray, "mode ..."]) -> Float[np.ndarray, "..."]:
    # Written out: a summing call may change its order with the size of the array.
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
