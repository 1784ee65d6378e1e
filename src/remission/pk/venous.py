"""The arm vein as a site of its own: what is drawn there when the artery carries a known concentration, and how sure.

Equations, with C arterial plasma::

    Cven = f C + (1 - f) Cd,    dCd/dt = k2 (C - Cd)

A share f of venous blood follows arterial blood at once, the rest comes out of tissue that lags at rate k2: below C
while it rises, above it afterwards, and of equal area. f and k2 are this project's own fit, not published: eight venous
values of two studies, with the clearance of one study's own people (``validation.venous_link``). Published models of
the vein exist (two delay compartments, Kamp 2020; mixing and an arm, Henthorn 2018); their parameters were not reached.

Uncertainty: logit f and log k2 are taken as normal with the covariance of that fit, whose error of a point, 15%, is
assumed and twice what the residuals show. How much people differ in the link is not known. A simulated person gets a
draw of its own, so a band over people holds kinetics and the doubt about the link together.

One number was published that needs no fit: dose enters upstream of the artery and is diluted by the total flow Q, so
while it runs arterial plasma is above mixed venous plasma by ``rate / Q``; ``validation.pharmacology_rows`` holds it to
the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from remission.errors import SpecError
from remission.numerics.elementary import exp
from remission.pk.concentrations import Concentrations, Series
from remission.pk.individuals import PkIndividuals
from remission.pk.simulate import simulate_concentrations
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.records.parameter import ParameterSet
from remission.shapes import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class VenousLinks:
    """The link of each person.

    ``fast_fraction``: f. [dimensionless, 0 to 1] ``rate_per_h``: k2. [1/h]
    """

    fast_fraction: Float[np.ndarray, " subject"]
    rate_per_h: Float[np.ndarray, " subject"]


def draw_venous_links(z: Float[np.ndarray, "subject 2"], *, links: ParameterSet) -> VenousLinks:
    """Links inside the uncertainty of the fit; zeros give the default link for everybody.

    ``z``: two independent standard normals of each person. [dimensionless] ``links``: the library's ``sampling-links``
    or a changed copy. Raises SpecError: a number is not finite, or the library's spread is no covariance.
    """
    rho = links.value("venous_correlation")
    spread = (links.value("venous_fast_logit_sd"), links.value("venous_rate_log_sd"))
    if not (-1.0 <= rho <= 1.0 and min(spread) >= 0.0):
        raise SpecError(where="venous_correlation", got=(rho, *spread), allowed="a correlation and two SDs >= 0")
    if not np.all(np.isfinite(z)):
        raise SpecError(where="z", got="a number that is not finite", allowed="standard normals")
    f, k2 = links.value("venous_fast_fraction"), links.value("venous_rate_per_h")
    odds = f / (1.0 - f) * exp(spread[0] * z[:, 0])
    other = rho * z[:, 0] + np.sqrt(1.0 - rho * rho) * z[:, 1]
    return VenousLinks(fast_fraction=odds / (1.0 + odds), rate_per_h=k2 * exp(spread[1] * other))


def simulate_venous_concentrations(
    individuals: PkIndividuals,
    events: InfusionEvents,
    *,
    t_h: Float[np.ndarray, " time"],
    venous: VenousLinks,
    analytes: Sequence[Analyte | str] = ("ket",),
) -> Concentrations:
    """Concentrations in the arm vein with a link of each person's own.

    ``individuals``, ``events``, ``t_h``, ``analytes``: as in :func:`~remission.pk.simulate.simulate_concentrations`; no
    metabolites. ``venous``: from :func:`draw_venous_links`. Raises SpecError: the model has no vein fed by arterial
    plasma, or links and people differ in number.
    """
    if individuals.model.plasma_site is not SamplingSite.ARTERIAL:
        raise SpecError(
            where="individuals.model",
            got=f"{individuals.model.id}, sampled {individuals.model.plasma_site}",
            allowed="a model of arterial plasma",
            remedy="A model of venous plasma gives the vein without a link.",
        )
    if venous.fast_fraction.shape != (individuals.n_subject,):
        raise SpecError(
            where="venous",
            got=f"{venous.fast_fraction.size} people",
            allowed=f"{individuals.n_subject}, as individuals",
        )
    slow_only = replace(individuals, venous_fast_fraction=0.0, venous_rate_per_h=venous.rate_per_h)
    both = simulate_concentrations(
        slow_only, events, t_h=t_h, analytes=analytes, sites=(SamplingSite.ARTERIAL, SamplingSite.VENOUS)
    )
    asked = tuple(dict.fromkeys(Analyte.parse(one) for one in analytes))
    f = venous.fast_fraction[:, np.newaxis]
    columns = [
        f * both.select(one, site=SamplingSite.ARTERIAL) + (1.0 - f) * both.select(one, site=SamplingSite.VENOUS)
        for one in asked
    ]
    return Concentrations(
        t_h=t_h,
        series=tuple(Series(one, SamplingSite.VENOUS) for one in asked),
        conc_ng_per_ml=np.stack(columns, axis=1),
    )
