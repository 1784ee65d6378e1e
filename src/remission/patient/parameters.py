"""The parameters of a course as plain floats: one substance's view of a named parameter set.

The set itself (value, unit, source, grade of each number) is data in ``library/behavior``; this record is what the
kernels read. Symbols are those of ``docs/explanation/model.md``.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from math import isfinite, sqrt
from typing import Any, Self

import numpy as np

from remission.errors import SpecError, did_you_mean, known_names
from remission.library.loader import load_parameter_set
from remission.numerics.elementary import exp
from remission.records.parameter import DEFAULT_POSTERIOR, MODEL_FORM, ParameterSet
from remission.records.result import Result
from remission.records.substance import Substance

__all__ = [
    "DEFAULT_PARAMETER_SET",
    "MODEL_FORM",
    "CourseParameters",
    "load_course_parameters",
    "meaningful_range",
    "read_parameters",
    "shifted",
]

DEFAULT_PARAMETER_SET = DEFAULT_POSTERIOR


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseParameters(Result):
    """Every number of the day clock.

    Times are in days and carry the suffix ``_day``; hazards are per day; all others are dimensionless (logit weights,
    rates per update, shares).
    """

    # the drug, in pieces
    rho: float
    s_log_sd: float
    slope: float
    e_half: float
    k_g: float
    g_b: float
    use_effect: float
    half_use_day: float
    craving_share: float
    k_c: float
    half_craving_day: float
    k_n: float
    half_mood_day: float
    gamma: float
    tau_p_day: float
    k_s: float
    tau_s_day: float
    k_m: float
    # basal ganglia
    a_h: float
    d_h: float
    tau_r_day: float
    k_r: float
    h0: float
    r_deficit0: float
    # extended amygdala
    tau_a_day: float
    tau_f_day: float
    use0: float
    w_w: float
    c_a: float
    c_x: float
    # prefrontal
    eta: float
    tau_l_day: float
    c_l: float
    w_m: float
    l_m: float
    tau_m_day: float
    k_a: float
    q0_mean: float
    q0_sd: float
    engagement_mean: float
    engagement_sd: float
    engagement_low: float
    engagement_high: float
    # cues
    phi: float
    sigma_x: float
    wk: float
    # craving and its report
    z_habit: float
    z_affect: float
    z_skill: float
    z_constant: float
    c_r: float
    i_max: float
    tau_i_day: float
    lambda_v: float
    z_v: float
    sigma_v: float
    w_report: float
    # use in three regimes
    beta_c: float
    l0: float
    l1: float
    l2: float
    sigma_l: float
    chi: float
    w7: float
    sm: float
    onset_per_day: float
    growth_per_day: float
    recovery_per_day: float
    easing_per_day: float
    sigma_k: float
    sigma_t: float
    omega: float
    nu: float
    kappa: float
    # before and at the stop
    daily0: float
    success: float
    attempt_per_day: float
    hold: float
    # amount, report, leaving
    mu_a: float
    gamma_a: float
    sigma_a: float
    # a set that does not name them has days of independent amounts
    sigma_heavy: float = 0.0
    k_heavy: float = 0.0
    k_light: float = 0.0
    heavy_amount: float
    p_hide: float
    leave_hazard_per_day: float
    miss_hazard_per_day: float
    leave_use_factor: float

    def columns(self) -> dict[str, Any]:
        """One row a number; its unit stands in its name."""
        names = [field.name for field in fields(self)]
        return {"parameter": names, "value": [getattr(self, name) for name in names]}

    def replace(self, **changes: float) -> Self:
        """A copy with some values changed.

        Raises SpecError: a name is not a parameter of the course, or a value lies where the equations have no meaning.
        """
        known = [field.name for field in fields(self)]
        for name, value in changes.items():
            if name not in known:
                raise SpecError(
                    where=f"parameters.{name}",
                    got=value,
                    allowed="the name of a course parameter",
                    remedy=did_you_mean(name, known, otherwise=known_names(known)),
                )
            low, high = meaningful_range(name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (is_number and isfinite(value) and low <= value <= high):
                raise SpecError(where=f"parameters.{name}", got=value, allowed=f"a number from {low:g} to {high:g}")
        found = replace(self, **changes)
        most_sd = sqrt(found.q0_mean * (1.0 - found.q0_mean))
        if found.q0_sd >= most_sd and {"q0_mean", "q0_sd"} & set(changes):
            raise SpecError(
                where="parameters.q0_sd", got=found.q0_sd,
                allowed=f"less than {most_sd:.3g}, the most a mean of {found.q0_mean} allows",
            )  # fmt: skip
        if found.engagement_low > found.engagement_high:
            raise SpecError(
                where="parameters.engagement_low", got=found.engagement_low,
                allowed=f"at most engagement_high ({found.engagement_high:g})",
            )  # fmt: skip
        return found


def read_parameters(values: Mapping[str, object]) -> CourseParameters:
    """Course parameters from plain data, as a run keeps them: all of them, nothing else, each in its range.

    Raises SpecError: one is missing, unknown, no number, or outside its range.
    """
    needed = {field.name for field in fields(CourseParameters) if field.default is MISSING}
    missing = sorted(needed - set(values))
    if missing:
        raise SpecError(where="parameters", got=f"no {missing[0]}", allowed="every parameter of the course")
    known = {field.name: field.default for field in fields(CourseParameters)}
    whole = {name: 0.0 if default is MISSING else default for name, default in known.items()}
    return CourseParameters(**whole).replace(**values)  # type: ignore[arg-type]  # checked there


def shifted(parameters: CourseParameters, level: float) -> CourseParameters:
    """The parameters when everybody's log odds of use are ``level`` higher: the same as a tendency of that size."""
    p = parameters

    def moved(chance: float, by: float) -> float:
        return 1.0 / (1.0 + (1.0 - chance) / chance * float(exp(np.array([-by]))[0]))

    return p.replace(
        l0=p.l0 + level, l1=p.l1 + level, l2=p.l2 + p.chi * level,
        onset_per_day=moved(p.onset_per_day, p.omega * level), growth_per_day=moved(p.growth_per_day, p.nu * level),
        recovery_per_day=moved(p.recovery_per_day, -p.nu * level),
        easing_per_day=moved(p.easing_per_day, -p.nu * level),
    )  # fmt: skip


_SHARES = {
    "g_b", "h0", "r_deficit0", "use0", "q0_mean", "l_m", "k_r", "chi", "sm", "craving_share", "daily0", "success",
    "p_hide", "w_report",
}  # fmt: skip
_SIGNED = {
    "use_effect", "k_c", "k_n", "k_s", "gamma", "beta_c", "c_r", "c_a", "wk", "z_constant", "z_v", "l0", "l1", "l2",
    "kappa", "hold", "mu_a", "gamma_a",
}  # fmt: skip
"""Levels, and gains to which their prior gives both signs; every other value has the sign that its equation gives."""
_CHANCES = {"onset_per_day", "growth_per_day", "recovery_per_day", "easing_per_day"}
_RANGES = {
    "phi": (-0.999, 0.999),
    # A gain of 0 has no rise to count in, and exp(gamma*P) has to stay a number.
    "k_g": (0.01, 10.0),
    "gamma": (-10.0, 10.0),
    "e_half": (0.01, 10.0),
    "slope": (0.1, 10.0),
    "attempt_per_day": (0.0, 1.0),
    # The commitment of day 0 is a Beta distribution, which has a mean inside (0, 1) and a spread.
    "q0_mean": (0.001, 0.999),
    "q0_sd": (0.001, 0.499),
}


def meaningful_range(name: str) -> tuple[float, float]:
    """Where the equations have a meaning: shares, weights, rates and spreads, times; levels are bounded generously."""
    if name in _RANGES:
        return _RANGES[name]
    if name in _SHARES:
        return 0.0, 1.0
    if name in _CHANCES:
        return 1e-6, 1.0 - 1e-6
    if name.endswith("_day") and not name.endswith("_per_day"):
        return 0.1, 1e6
    return (-1e3 if name in _SIGNED else 0.0), 1e3


def load_course_parameters(
    substance: Substance, *, parameter_set: str | ParameterSet = DEFAULT_PARAMETER_SET
) -> CourseParameters:
    """The course parameters of one substance.

    A value that differs by substance has the id ``name.substance`` in the set and wins over plain ``name``.

    Raises
    ------
    LibraryError
        The set does not exist or lacks a parameter.
    """
    found = load_parameter_set(parameter_set) if isinstance(parameter_set, str) else parameter_set
    ids = {parameter.id for parameter in found.parameters}
    values = {}
    for field in fields(CourseParameters):
        special = f"{field.name}.{Substance(substance).value}"
        if field.default is not MISSING and special not in ids and field.name not in ids:
            continue
        values[field.name] = found[special if special in ids else field.name].value
    return CourseParameters(**values)
