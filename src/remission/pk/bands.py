"""Bands of measured values: how far a laboratory's number may lie from the curve of a typical person.

A band over people holds how people differ, as a model prints it. A measured value holds more: the study's own people
and occasion, the doubt about the link to the vein, how absorption differs, and the error of one value. Equations, with
standard normals z::

    CL_i      = CL (w/w_ref)^a exp(sqrt(omega2) z)        omega2 at least that of the measured area
    F_i       = expit(logit F + sd_F z),   ka_i = ka exp(sd_ka z)
    f_i, k2_i   a link inside the doubt of its fit
    measured  = C_i(t) exp(sigma z - sigma^2/2) exp(sigma_study z')

sigma_study is how far whole studies lie from the model, from its own errors on studies it was not fitted to.
One z of error serves all times of a person: quantiles at each time are the same as with errors drawn apart, and a peak
is that of the curve with one error, not the largest of many errors.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.numerics.elementary import exp
from remission.numerics.quantiles import quantiles_over_people
from remission.pk.doses import simulate_doses
from remission.pk.interactions import InteractionEffect
from remission.pk.model import PkModel
from remission.pk.venous import draw_venous_links
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Dose
from remission.records.parameter import Grade
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class BandDraws:
    """Standard normals of simulated people. [dimensionless]

    ``z_iiv``: columns as ``iiv_names`` of :func:`with_band_spread`. ``z_link``, ``z_absorption``: two for the link to
    the vein, two for absorption. ``z_residual``, ``z_study``: the error of one value, and that of the model for the
    study it comes from.
    """

    z_iiv: Float[np.ndarray, "subject iiv"]
    z_link: Float[np.ndarray, "subject 2"]
    z_absorption: Float[np.ndarray, "subject 2"]
    z_residual: _Subject
    z_study: _Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredBand:
    """What one measured value may be, over people.

    ``quantiles_ng_per_ml``: of measured values at each time. [ng/mL] ``peak_ng_per_ml``: each person's measured peak.
    [ng/mL] ``sd_residual``, ``sd_study``: the error of one value and of the model for a study that went in.
    [dimensionless]
    """

    t_h: Float[np.ndarray, " time"]
    p_quantiles: tuple[float, ...]
    quantiles_ng_per_ml: Float[np.ndarray, "quantile time"]
    peak_ng_per_ml: _Subject
    sd_residual: float
    sd_study: float

    @property
    def peak_cv(self) -> float:
        """Coefficient of variation of the peaks. [dimensionless]"""
        return float(self.peak_ng_per_ml.std() / self.peak_ng_per_ml.mean())


def with_band_spread(model: PkModel) -> PkModel:
    """The model with variances of clearance and central volume that are at least those of measured spreads."""
    values, known = model.parameter_set, load_parameter_set("band-spread")
    if values.attribute("structure") != "mammillary":
        return model
    added = []
    changed: dict[str, float] = {}
    for name in ("omega2_cl", "omega2_v1"):
        if name not in values:
            added.append(known[name].replace(grade=Grade.ASSUMED))
        elif name == "omega2_cl" and values.value(name) < known.value(name):
            changed[name] = known.value(name)
            for other in values.ids:
                # A correlation keeps its size when a variance grows.
                if other.startswith("cov.") and "cl" in other.split(".")[1:]:
                    changed[other] = values.value(other) * math.sqrt(known.value(name) / values.value(name))
    wider = values.replace_values(**changed)
    return replace(model, parameter_set=wider.replace(parameters=(*wider.parameters, *added)), choice="")


def residual_sd(model: PkModel, site: SamplingSite) -> float:
    """The error of one measured value at a site: the model file's own, else that of the site. [dimensionless]"""
    own = model.parameter_set.attributes.get("residual_sd")
    if own is not None:
        return float(own)
    known = load_parameter_set("band-spread")
    return known.value("sd_venous" if site is SamplingSite.VENOUS else "sd_arterial")


def measured_band(
    model: PkModel,
    doses: Sequence[Dose],
    *,
    weight_kg: float,
    t_h: Float[np.ndarray, " time"],
    draws: BandDraws,
    site: SamplingSite | str = "venous",
    analyte: Analyte | str = "ket",
    p_quantiles: Sequence[float] = _QUANTILES,
    interactions: InteractionEffect | None = None,
) -> MeasuredBand:
    """The band of one measured value after a regimen, for people of one weight.

    ``model``: from :func:`~remission.pk.load_pk_model`; its variances are widened here. ``doses``, ``t_h``,
    ``interactions``: as for :func:`~remission.pk.simulate_doses`. ``draws``: from
    :func:`remission.patient.sampling.sample_band_draws`, or any standard normals. Raises SpecError: as
    :func:`~remission.pk.simulate_doses`; the site is no place where blood is drawn.
    """
    where, what = SamplingSite.parse(site), Analyte.parse(analyte)
    if where is SamplingSite.EFFECT:
        raise SpecError(where="site", got="effect", allowed="a site where blood is drawn: arterial or venous")
    wide = with_band_spread(model)
    n = draws.z_residual.size
    needs_link = where is SamplingSite.VENOUS and model.plasma_site is SamplingSite.ARTERIAL
    found = simulate_doses(
        wide,
        doses,
        weight_kg=np.full(n, weight_kg),
        z_iiv=draws.z_iiv,
        t_h=t_h,
        analytes=(what,),
        sites=(where,),
        z_absorption=draws.z_absorption,
        venous=draw_venous_links(draws.z_link, links=model.links) if needs_link else None,
        interactions=interactions,
    )
    sd = residual_sd(model, where)
    known = load_parameter_set("band-spread")
    sd_study = known.value("sd_study_venous" if where is SamplingSite.VENOUS else "sd_study_arterial")
    error = exp(sd * draws.z_residual - 0.5 * sd * sd + sd_study * draws.z_study)
    measured = found.conc_ng_per_ml[:, 0, :] * error[:, np.newaxis]
    return MeasuredBand(
        t_h=t_h,
        p_quantiles=tuple(p_quantiles),
        quantiles_ng_per_ml=quantiles_over_people(measured, p_quantiles),
        peak_ng_per_ml=measured.max(axis=1),
        sd_residual=sd,
        sd_study=sd_study,
    )
