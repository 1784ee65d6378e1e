"""Dissociation during a session: drug high on a visual scale, and the clinician's CADSS.

Equations, with C the concentration of S-ketamine at the effect site::

    VAS   = Emax C^n / (C^n + C50_i^n)                 0 to 100
    CADSS = a g_i VAS(C50),   a = mean CADSS at the reference session / VAS of the typical adult at its peak

C50 is measured in the subjects of the default kinetic model; n is an assumption with a range for sensitivity
analysis; norketamine has no weight (the source found none).

People differ by one standard normal z each, and who feels more scores more::

    C50_i = C50 exp(-sd z)                             sd assumed
    g_i   = exp(s z - s^2 / 2),   s^2 = ln(1 + (SD / mean)^2)

g is log-normal with mean 1, so the mean score is the published one and the SD is too; the published SD is larger than
the mean, which no normal law of a score from 0 upward can be. Half of the people score below 0.64 of the mean. The law
has no upper end: a score in the far tail is not to be believed.

``gain`` multiplies both for people who respond less: detoxified alcohol patients report less, by how much is not known,
so the library's value is a placeholder and is off unless asked for.
"""

from enum import StrEnum

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.numerics.elementary import exp, log
from remission.receptor.saturation import saturation
from remission.records.parameter import ParameterSet
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]


class Responder(StrEnum):
    """Whose dissociation is meant."""

    USUAL = "usual"
    """The people in whom the mean was measured: patients with mood disorders."""
    DETOXIFIED_ALCOHOL = "detoxified-alcohol"
    """Detoxified patients with alcohol dependence, who report less; by how much is a placeholder."""


def dissociation_gain(responder: Responder, *, effects: ParameterSet) -> float:
    """Factor on drug high and CADSS of these people. [dimensionless, 0 to 1]"""
    return 1.0 if responder is Responder.USUAL else effects.value("dissociation_gain_alcohol")


def simulate_vas(
    conc_ng_per_ml: Float[np.ndarray, "..."],
    *,
    effects: ParameterSet,
    gain: float = 1.0,
    z: _Subject | None = None,
    response: ParameterSet | None = None,
) -> Float[np.ndarray, "..."]:
    """Drug high at given effect-site concentrations of S-ketamine. [VAS, 0 to 100]

    ``conc_ng_per_ml``: S-ketamine at the effect site, >= 0; one row a person where ``z`` is given. [ng/mL] ``effects``:
    the library's ``acute-effects`` or a changed copy. ``gain``: factor on the effect, in [0, 1]. [dimensionless] ``z``:
    standard normal of each person; more is more sensitive, 0 and None are the typical C50. [dimensionless]
    ``response``: the library's ``acute-response`` by default. Raises SpecError: ``gain`` is outside [0, 1], or ``z`` is
    not one finite number a row.
    """
    _check_gain(gain)
    c50 = effects.value("c50_high_ng_per_ml")
    hill = effects.value("hill_high")
    if z is not None:
        sd = (response or load_parameter_set("acute-response")).value("c50_high_log_sd")
        # A personal C50 is the typical one at a concentration scaled the other way.
        conc_ng_per_ml = _rows(conc_ng_per_ml, exp(sd * _checked(z, conc_ng_per_ml))) * conc_ng_per_ml
    effect = saturation(conc_ng_per_ml, c50_ng_per_ml=c50, hill=hill)
    return gain * effects.value("emax_high_vas") * effect


def simulate_cadss(
    conc_ng_per_ml: Float[np.ndarray, "subject time"],
    *,
    z: _Subject | None,
    reference_peak_ng_per_ml: float,
    effects: ParameterSet,
    response: ParameterSet | None = None,
    gain: float = 1.0,
) -> Float[np.ndarray, "subject time"]:
    """CADSS total score of each person at given effect-site concentrations of S-ketamine. [score, >= 0]

    ``conc_ng_per_ml``: S-ketamine at the effect site, >= 0. [ng/mL] ``z``: standard normal of each person; None gives
    everybody the mean. Zero is the median person, who scores 0.64 of the mean. [dimensionless]
    ``reference_peak_ng_per_ml``: peak effect-site S-ketamine of the typical adult in the session at which the mean was
    measured. [ng/mL] ``effects``: the library's ``acute-effects`` or a changed copy. ``response``: the library's
    ``acute-response`` by default. ``gain``: from :func:`dissociation_gain`. [dimensionless, 0 to 1] Raises SpecError:
    ``gain`` is outside [0, 1], the reference is not positive, or ``z`` is not one finite number a row.
    """
    typical = cadss_per_vas(reference_peak_ng_per_ml, effects=effects) * simulate_vas(
        conc_ng_per_ml, effects=effects, gain=gain
    )
    if z is None:
        return typical
    values = response or load_parameter_set("acute-response")
    ratio = values.value("cadss_sd") / effects.value("cadss_mean")
    log_variance = log(np.array([1.0 + ratio * ratio]))
    factor = exp(np.sqrt(log_variance) * _checked(z, conc_ng_per_ml) - 0.5 * log_variance)
    return _rows(conc_ng_per_ml, factor) * typical


def cadss_per_vas(reference_peak_ng_per_ml: float, *, effects: ParameterSet) -> float:
    """The factor a: CADSS points for a point of VAS. [dimensionless]

    ``reference_peak_ng_per_ml``: peak effect-site S-ketamine of the typical adult in the session at which the mean
    CADSS was measured. [ng/mL] ``effects``: the library's ``acute-effects`` or a changed copy. Raises SpecError: the
    peak is not a positive number: a score tied to no drug would be infinite.
    """
    if not (np.isfinite(reference_peak_ng_per_ml) and reference_peak_ng_per_ml > 0.0):
        raise SpecError(
            where="reference_peak_ng_per_ml",
            got=reference_peak_ng_per_ml,
            allowed="a concentration above 0",
            remedy="Take it from reference_peak_s_ket().",
        )
    peak_vas = simulate_vas(np.array([reference_peak_ng_per_ml]), effects=effects)[0]
    return float(effects.value("cadss_mean") / peak_vas)


def _check_gain(gain: float) -> None:
    if not 0.0 <= gain <= 1.0:
        raise SpecError(where="gain", got=gain, allowed="a factor between 0 and 1")


def _checked(z: _Subject, conc_ng_per_ml: Float[np.ndarray, "..."]) -> _Subject:
    if z.shape != conc_ng_per_ml.shape[:1] or not np.all(np.isfinite(z)):
        raise SpecError(where="z", got=f"shape {z.shape}", allowed=f"{conc_ng_per_ml.shape[0]} finite numbers")
    return z


def _rows(conc_ng_per_ml: Float[np.ndarray, "..."], factor: _Subject) -> Float[np.ndarray, "..."]:
    """A factor of each person, shaped to multiply the rows."""
    return factor.reshape(factor.shape + (1,) * (conc_ng_per_ml.ndim - 1))
