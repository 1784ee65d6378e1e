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

Everything is element by element, with operations that round in one way on every machine. Integral and search are
compiled (:mod:`remission.numerics.linked_modes`); tests hold them to plain NumPy, bit for bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from remission.numerics.linked_modes import built_up, linked_peak, saturated_integral
from remission.numerics.quadrature import doubling_panels
from remission.pk.individuals import UG_PER_MG, PkIndividuals
from remission.pk.mammillary import Modes, mammillary_modes
from remission.records.analyte import Analyte
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]
# Chosen by measurement, docs/validation/pharmacology.md: error of the exposure at most 5e-7, about 1e-9 at studied
# doses.
_FIRST_PANEL_H = 0.05
_N_NODES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parents:
    """Modes of some species in one list; the strength of a mode is infusion rate over V1 times its weight."""

    rate_per_h: Float[np.ndarray, "mode subject"]
    strength_ng_per_ml_per_h: Float[np.ndarray, "mode subject"]


def saturated_hours(
    individuals: PkIndividuals,
    *,
    dose_mg: _Subject,
    duration_h: float,
    s_fraction: float,
    horizon_h: float,
    c50_ng_per_ml: float,
    modes: Mapping[Analyte, Modes] | None = None,
) -> _Subject:
    """Integral of ``C / (C + C50)`` over the effect site from 0 to ``horizon_h``. [h]

    ``dose_mg``: one infusion that starts at 0, free base. [mg] ``duration_h``: its length, > 0. [h] ``s_fraction``:
    share of S-ketamine in the dose. [dimensionless] ``horizon_h``: end of the integral; the part of the infusion beyond
    it does not count. [h] ``c50_ng_per_ml``: concentration of half saturation, > 0. [ng/mL] ``modes``: from
    :func:`species_modes`, where they are there already.
    """
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, modes or species_modes(individuals))
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
    individuals: PkIndividuals,
    *,
    dose_mg: _Subject,
    duration_h: float,
    s_fraction: float,
    analyte: Analyte,
    modes: Mapping[Analyte, Modes] | None = None,
) -> _Subject:
    """Largest effect-site concentration of one species after one infusion. [ng/mL]

    Newton's method on plasma minus effect site; at the peak the effect site is flat, so its value is far more accurate
    than its time. ``modes``: as for :func:`saturated_hours`.
    """
    known = species_modes(individuals, (analyte,)) if modes is None else modes
    parents = _parents(individuals, dose_mg, duration_h, s_fraction, {analyte: known[analyte]})
    end = _end_of_infusion(parents, individuals.ke0_per_h, duration_h)
    return linked_peak(
        parents.rate_per_h, end.plasma_ng_per_ml, start=end.effect_ng_per_ml, link_rate=individuals.ke0_per_h
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Plasma, mode by mode, and effect site at the end of the infusion. [ng/mL]"""

    plasma_ng_per_ml: Float[np.ndarray, "mode subject"]
    effect_ng_per_ml: _Subject


def _end_of_infusion(parents: _Parents, k: _Subject, duration_h: float) -> _End:
    rate, strength = parents.rate_per_h, parents.strength_ng_per_ml_per_h
    plasma, passed = built_up(rate, k, duration=duration_h)
    return _End(
        plasma_ng_per_ml=strength * (duration_h * plasma),
        effect_ng_per_ml=k * (duration_h * duration_h) * _sum(strength * passed),
    )


def species_modes(individuals: PkIndividuals, species: Sequence[Analyte] | None = None) -> dict[Analyte, Modes]:
    """The modes of plasma of some species; ``None``: of all that the model has."""
    return {
        one: mammillary_modes(
            cl_l_per_h=individuals.cl_l_per_h[individuals.species_index(one)],
            v1_l=individuals.v1_l,
            q_l_per_h=individuals.q_l_per_h,
            v_l=individuals.v_l,
        )
        for one in (individuals.model.species if species is None else species)
    }


def _parents(
    individuals: PkIndividuals,
    dose_mg: _Subject,
    duration_h: float,
    s_fraction: float,
    modes: Mapping[Analyte, Modes],
) -> _Parents:
    shares = {Analyte.S_KET: s_fraction, Analyte.R_KET: 1.0 - s_fraction, Analyte.KET: 1.0}
    strengths = [
        dose_mg * (UG_PER_MG * shares[one] / duration_h) / individuals.v1_l * own.weight for one, own in modes.items()
    ]
    return _Parents(
        rate_per_h=np.concatenate([own.rate_per_h for own in modes.values()]),
        strength_ng_per_ml_per_h=np.concatenate(strengths),
    )


def _sum(terms: Float[np.ndarray, "mode ..."]) -> Float[np.ndarray, "..."]:
    # Written out: a summing call may change its order with the size of the array.
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
