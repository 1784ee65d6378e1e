"""Prefrontal cortex: L, skill from therapy; M, commitment and self-efficacy; K, control.

Equations::

    contact:  L = L + (1 - L)*(1 - exp(-eta*q*att*g))
    decay:    L' = L*(1 - 1/tau_L)
    dose:     M = M + (1 - M)*(1 - exp(-k_M*s*m))
    day:      M' = M + (1 - y)*(1 - M)/tau_M - l_M*y*M
    K = w_K*h_K + c_L*L + w_M*M - k_A*A

States: L and M in [0, 1]; K on the logit scale. [dimensionless]
Assumptions: sessions add with saturation; the gate g multiplies what a session teaches; a psychoactive session can
raise
commitment (belief, not pharmacology: rho does not scale it). Evidence: no direct human measure of control after
ketamine;
eta and c_L are seen only as a product.
"""

import numpy as np

from remission.numerics.elementary import exp
from remission.shapes import Float

__all__ = ["attend_session", "control", "decay_skill", "experience_session", "update_commitment"]

_Column = Float[np.ndarray, " subject"]


def attend_session(skill: _Column, contact: _Column, gate: _Column, *, eta: float) -> _Column:
    """L after a contact of worth ``contact`` = q times attendance; 0 changes nothing, bit for bit. [dimensionless]"""
    return skill + (1.0 - skill) * (1.0 - exp(-eta * contact * gate))


def decay_skill(skill: _Column, *, tau_l: float) -> _Column:
    """L one day later. [dimensionless]"""
    return skill * (1.0 - 1.0 / tau_l)


def experience_session(commitment: _Column, responsiveness: _Column, psychoactive: _Column, *, k_m: float) -> _Column:
    """M after a drug session of psychoactive score ``psychoactive``; 0 changes nothing, bit for bit. [dimensionless]"""
    return commitment + (1.0 - commitment) * (1.0 - exp(-k_m * responsiveness * psychoactive))


def update_commitment(commitment: _Column, use: _Column, *, tau_m: float, l_m: float) -> _Column:
    """M one day later: it grows on clean days and loses a share on a use day. [dimensionless]"""
    return commitment + (1.0 - use) * (1.0 - commitment) * (1.0 / tau_m) - l_m * use * commitment


def control(
    raised: _Column,
    skill: _Column,
    commitment: _Column,
    load: _Column,
    *,
    w_k: float | _Column,
    c_l: float | _Column,
    w_m: float,
    k_a: float,
) -> _Column:
    """K of the day, on the logit scale. [dimensionless]"""
    return w_k * raised + c_l * skill + w_m * commitment - k_a * load
