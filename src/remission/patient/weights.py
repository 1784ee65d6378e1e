"""What the kernels need beside the parameters: decays for one day, logits, and the drug's pieces as weights of states.

A piece is something that a trial could measure after one reference dose (0.5 mg/kg over 40 minutes, typical person):

- ``use_effect``: fall in the log odds of a use day, mean over days 1 to 14; ``half_use_day``: how fast it is lost;
- ``craving_share``: the part of ``use_effect`` that is there only while craving is eased;
- ``k_c``, ``half_craving_day``: craving at 24 h and how fast it comes back; ``k_n``, ``half_mood_day``: mood likewise.

Weights: w_C = craving_share*use_effect*a_C and w_K = (1 - craving_share)*use_effect*a_K, where a
makes the mean of h over days 1 to 14 one: 14/(1 + keep + ... + keep**13).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, overload

import numpy as np

from remission.numerics.elementary import exp, log
from remission.patient.course import DrawnValues
from remission.patient.parameters import CourseParameters
from remission.plasticity.glutamate import doses_per_rise
from remission.shapes import Float

__all__ = ["CourseWeights", "Pieces", "course_weights", "keep_share", "pieces_of", "starting_states"]

_Each: TypeAlias = float | Float[np.ndarray, " subject"]
"""One number for everybody, or each person's own."""

_PIECE_DAYS = 14
# A run asks for each chunk of people, with one set of parameters.
_remembered = lru_cache(maxsize=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseWeights:
    """Derived once for a call; ``keep_*`` are the shares left after a day, names otherwise as in the equations."""

    keep_p: float
    keep_s: float
    keep_f: float
    keep_gn: float
    u_rest: float
    onset: float
    growth: float
    recovery: float
    easing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What the drug's pieces and the skill of therapy weigh: one number for everybody, or a column of people.

    ``k_c``, ``k_g``, ``c_l``: as in the parameters; the others are weights of states and shares left after a day.
    """

    keep_gc: _Each
    keep_gk: _Each
    per_rise: _Each
    w_eased: _Each
    w_k: _Each
    k_c: _Each
    k_g: _Each
    c_l: _Each


def pieces_of(p: CourseParameters, drawn: DrawnValues | None = None) -> Pieces:
    """The weights of the pieces, of one set of parameters or of values drawn for each person."""
    return _pieces_of_everybody(p) if drawn is None else _pieces(p, drawn)


@_remembered
def _pieces_of_everybody(p: CourseParameters) -> Pieces:
    return _pieces(p, p)


def _pieces(p: CourseParameters, v: CourseParameters | DrawnValues) -> Pieces:
    keep_gc, keep_gk = keep_share(v.half_craving_day / _ln2()), keep_share(v.half_use_day / _ln2())
    through = v.craving_share * v.use_effect
    return Pieces(
        keep_gc=keep_gc,
        keep_gk=keep_gk,
        per_rise=doses_per_rise(g_b=p.g_b, k_g=v.k_g),
        w_eased=through * _peak_over_mean(keep_gc),
        w_k=(v.use_effect - through) * _peak_over_mean(keep_gk),
        k_c=v.k_c,
        k_g=v.k_g,
        c_l=v.c_l,
    )


@_remembered
def course_weights(p: CourseParameters) -> CourseWeights:
    """The weights of one set of parameters."""
    return CourseWeights(
        keep_p=keep_share(p.tau_p_day),
        keep_s=keep_share(p.tau_s_day),
        keep_f=keep_share(p.tau_f_day),
        keep_gn=keep_share(p.half_mood_day / _ln2()),
        u_rest=p.beta_c * (p.z_habit * p.h0 - 0.5 * p.c_r - p.z_constant) - p.w_m * p.q0_mean,
        onset=_logit(p.onset_per_day),
        growth=_logit(p.growth_per_day),
        recovery=_logit(p.recovery_per_day),
        easing=_logit(p.easing_per_day),
    )


@_remembered
def starting_states(p: CourseParameters, clean_days: int) -> tuple[float, float, float, float]:
    """H, A, F and R on day 0 after ``clean_days`` without use."""
    since = np.array([-clean_days / p.tau_a_day, -clean_days / p.tau_f_day, -clean_days / p.tau_r_day])
    left = exp(since)
    return p.h0, p.use0 * float(left[0]), p.use0 * float(left[1]), 1.0 - p.r_deficit0 * float(left[2])


@overload
def keep_share(tau_day: float) -> float: ...
@overload
def keep_share(tau_day: Float[np.ndarray, " subject"]) -> Float[np.ndarray, " subject"]: ...
def keep_share(tau_day: _Each) -> _Each:
    """The share of a decaying trace left after one day."""
    if isinstance(tau_day, np.ndarray):
        return exp(-1.0 / tau_day)
    return float(exp(np.array([-1.0 / tau_day]))[0])


def _ln2() -> float:
    return float(log(np.array([2.0]))[0])


def _logit(chance: float) -> float:
    return float(log(np.array([chance / (1.0 - chance)]))[0])


def _peak_over_mean(keep: _Each) -> _Each:
    total: _Each = 0.0
    power: _Each = 1.0
    for _ in range(_PIECE_DAYS):
        total = total + power
        power = power * keep
    return _PIECE_DAYS / total
