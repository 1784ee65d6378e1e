"""The parameters of a course as plain floats: one substance's view of a named parameter set.

The set itself (value, unit, source, grade of each number) is data in ``library/behavior``; this record is what the
kernels read. Symbols are those of ``docs/explanation/model.md``.
"""

from dataclasses import MISSING, dataclass, fields, replace
from math import isfinite
from typing import Self

from remission.errors import SpecError, did_you_mean, known_names
from remission.library.loader import load_parameter_set
from remission.records.parameter import ParameterSet
from remission.records.protocol import Substance

__all__ = ["DEFAULT_PARAMETER_SET", "CourseParameters", "load_course_parameters", "meaningful_range"]

DEFAULT_PARAMETER_SET = "rhythms-2026"


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseParameters:
    """Every number of the day clock.

    Times are in days and carry the suffix ``_day``; hazards are per day; all others are dimensionless (logit weights,
    rates per update, shares).
    """

    # plasticity
    rho: float
    s_log_sd: float
    gamma: float
    tau_p_day: float
    k_g: float
    g_b: float
    tau_g_day: float
    tau_s_day: float
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
    k_n: float
    k_s: float
    # prefrontal
    eta: float
    tau_l_day: float
    c_l: float
    w_m: float
    l_m: float
    tau_m_day: float
    k_m: float
    k_k: float
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
    k_c: float
    i_max: float
    tau_i_day: float
    lambda_v: float
    z_v: float
    sigma_v: float
    w_report: float
    # use in episodes
    beta_c: float
    b0: float
    sigma_b: float
    lam: float
    chi: float
    b_in: float
    pi_start: float
    om_end: float
    e0: float
    # drift and weekdays; a set that does not name them has them off
    sigma_d: float = 0.0
    tau_d_day: float = 30.0
    sigma_7: float = 0.0
    # amount, report, leaving
    mu_a: float
    gamma_a: float
    sigma_a: float
    heavy_amount: float
    p_hide: float
    leave_hazard_per_day: float
    miss_hazard_per_day: float
    leave_use_factor: float

    def replace(self, **changes: float) -> Self:
        """A copy with some values changed.

        Raises
        ------
        SpecError
            A name is not a parameter of the course, or a value lies where the equations have no meaning.
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
            if not (isfinite(value) and low <= value <= high):
                raise SpecError(where=f"parameters.{name}", got=value, allowed=f"a number from {low:g} to {high:g}")
        return replace(self, **changes)


_SHARES = {
    "g_b", "h0", "r_deficit0", "use0", "q0_mean", "l_m", "k_r", "lam", "chi", "pi_start", "om_end", "e0", "p_hide",
    "w_report",
}  # fmt: skip
_NOT_NEGATIVE = {
    "rho", "gamma", "k_g", "a_h", "d_h", "eta", "k_m", "sigma_x", "sigma_b", "sigma_v", "sigma_a", "s_log_sd", "q0_sd",
    "engagement_mean", "engagement_sd", "engagement_low", "engagement_high", "i_max", "heavy_amount",
    "sigma_d", "sigma_7", "leave_hazard_per_day", "miss_hazard_per_day", "leave_use_factor",
}  # fmt: skip


def meaningful_range(name: str) -> tuple[float, float]:
    """Where the equations have a meaning: shares, rates and spreads, times; everything else is bounded generously."""
    if name in _SHARES:
        return 0.0, 1.0
    if name == "phi":
        return -0.999, 0.999
    if name.endswith("_day") and name not in _NOT_NEGATIVE:
        return 0.1, 1e6
    return (0.0 if name in _NOT_NEGATIVE else -1e3), 1e3


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
