"""Concentrations after doses by any route.

Infusions in a model whose compartments all hang on the central one are handed to
:func:`~remission.pk.simulate_concentrations`, so that a request of infusions alone has its very numbers; everything
else is a linear system of its own (:mod:`remission.pk.absorption`, :mod:`remission.pk.hepatoportal`), and the parts are
added. What is not sourced is refused with the reason, or computed under an assumption of the caller that is flagged.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from remission.errors import NumericalError, SpecError
from remission.library.loader import load_parameter_set
from remission.pk.absorption import FilmAbsorption, simulate_absorbed
from remission.pk.compartments import Compartments
from remission.pk.concentrations import Concentrations, Series
from remission.pk.dose_flags import flags_of
from remission.pk.dose_grades import grades_of
from remission.pk.given import AbsorbedDose, resolve_doses, share_of
from remission.pk.hepatoportal import hepatoportal_system
from remission.pk.hepatoportal_people import HepatoportalIndividuals, PersonFactors, hepatoportal_parameters
from remission.pk.individuals import PkIndividuals, check_people, individual_parameters
from remission.pk.interactions import InteractionEffect, factors_of
from remission.pk.model import PkModel
from remission.pk.occasions import Occasion, load_occasions
from remission.pk.simulate import named_series, simulate_concentrations
from remission.pk.structures import BUILT_IN, find_structure
from remission.pk.venous import VenousLinks
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Dose, DrugForm, Route
from remission.records.infusions import InfusionEvents
from remission.records.parameter import ParameterSet
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]
_LN2 = 0.6931471805599453
_METABOLITES = frozenset({Analyte.S_NK, Analyte.S_HNK})


def simulate_doses(
    model: PkModel,
    doses: Sequence[Dose],
    *,
    weight_kg: _Subject,
    z_iiv: Float[np.ndarray, "subject iiv"],
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte | str] = ("ket",),
    sites: Sequence[SamplingSite | str] = ("arterial",),
    factors: PersonFactors | None = None,
    z_iov: Float[np.ndarray, "subject iov"] | None = None,
    occasions: ParameterSet | None = None,
    interactions: InteractionEffect | None = None,
    dose_mg: Float[np.ndarray, "subject dose"] | None = None,
    overlap: bool = False,
    z_absorption: Float[np.ndarray, "subject 2"] | None = None,
    venous: VenousLinks | None = None,
) -> Concentrations:
    """Concentrations of each person, for every analyte at every site asked for, with flags and grades.

    Parameters
    ----------
    model
        From :func:`~remission.pk.load_pk_model`.
    doses
        In order of time; the same for everyone, per body weight or in mg.
    weight_kg
        Body weights. [kg]
    z_iiv
        Standard normals, columns as ``model.iiv_names``; zeros give the typical person. [dimensionless]
    t_h
        Times of the session clock, finite, >= 0, not falling. [h]
    analytes, sites
        What and where.

    Other Parameters
    ----------------
    factors
        Age and ancestry, for models that know an effect of them.
    z_iov
        Standard normals of this occasion, columns as :func:`~remission.pk.occasions.iov_names`; left out, everyone is
        at their own mean. [dimensionless]
    occasions
        Variances between occasions, changed for a sensitivity analysis; those of the model by default.
    interactions
        From :func:`~remission.pk.interactions.interaction_effect`, under the same model.
    dose_mg
        What each person gets of each dose, instead of the doses' own amounts; routes and times are those of the doses.
        [mg]
    overlap
        Whether infusions may run at the same time, through two lines; their rates add up.
    z_absorption
        Standard normals of each person for the share that is absorbed and for its rate, where the library states how
        people differ; left out, everyone is typical. [dimensionless]
    venous
        A link to the vein of each person, from :func:`~remission.pk.venous.draw_venous_links`; a model of venous plasma
        needs none and is left as it is.

    Raises
    ------
    SpecError
        A route, form, analyte or site is not offered by the model; the rate of absorption is not sourced and none is
        assumed; a dose, a weight or a time is out of range; infusions overlap.

    Notes
    -----
    A bolus is in the blood at its own moment. Sites and metabolites as in
    :func:`~remission.pk.simulate_concentrations`.

    Examples
    --------
    >>> from remission.pk.model import load_pk_model
    >>> model = load_pk_model("perezruixo2021")
    >>> spray = Dose.create(route="intranasal", dose="56 mg", form="esketamine")
    >>> typical = {"weight_kg": np.array([74.0]), "z_iiv": np.zeros((1, model.n_iiv))}
    >>> result = simulate_doses(
    ...     model, [spray], **typical, t_h=np.array([0.5, 1.0]), analytes=["s_ket"], sites=["venous"]
    ... )
    >>> result.select("s_ket", site="venous").round().tolist()
    [[71.0, 67.0]]
    """
    given = resolve_doses(
        model,
        doses,
        weight_kg=weight_kg,
        interactions=interactions,
        dose_mg=dose_mg,
        overlap=overlap,
        z_absorption=z_absorption,
    )
    if model.parameter_set.attribute("structure") == "hepatoportal":
        if z_iov is not None:
            raise SpecError(
                where="z_iov",
                got=f"shape {z_iov.shape}",
                allowed=f"none: no variability between occasions is printed for model {model.id}",
            )
        people = hepatoportal_parameters(
            model, weight_kg=weight_kg, z_iiv=z_iiv, factors=factors, **factors_of(interactions)
        )
        plain = _hepatoportal(model, people, given, t_h, analytes, sites)
    elif model.parameter_set.attribute("structure") not in BUILT_IN:
        plain = _of_structure(model, given, weight_kg, z_iiv, t_h, named_series(model, analytes, sites))
    else:
        own = individual_parameters(model, weight_kg=weight_kg, z_iiv=z_iiv)
        if interactions is not None and interactions.changes_anything:
            own = replace(own, cl_l_per_h=own.cl_l_per_h * interactions.cl_factor)
        occasion = Occasion(occasions or load_occasions(model), z_iov, n_subject=weight_kg.size)
        if venous is None or model.plasma_site is not SamplingSite.ARTERIAL:
            plain = _mammillary(occasion.of(own), given, occasion, t_h, analytes, sites)
        else:
            if venous.fast_fraction.shape != weight_kg.shape:
                raise SpecError(
                    where="venous", got=f"{venous.fast_fraction.size} people", allowed=f"{weight_kg.size}, as weight_kg"
                )
            own = replace(own, venous_fast_fraction=0.0, venous_rate_per_h=venous.rate_per_h)
            wider = tuple(dict.fromkeys((*sites, SamplingSite.ARTERIAL, SamplingSite.VENOUS)))
            plain = _mammillary(occasion.of(own), given, occasion, t_h, analytes, wider)
            plain = _with_links(plain, named_series(model, analytes, sites), venous)
    return Concentrations(
        t_h=t_h,
        series=plain.series,
        conc_ng_per_ml=plain.conc_ng_per_ml,
        flags=flags_of(
            model, given, weight_kg=weight_kg, series=plain.series, interactions=interactions, factors=factors
        ),
        grades=grades_of(model, given, series=plain.series, interactions=interactions),
    )


def simulate_effect_site(
    model: PkModel,
    doses: Sequence[Dose],
    *,
    weight_kg: _Subject,
    z_iiv: Float[np.ndarray, "subject iiv"],
    t_h: Float[np.ndarray, " time"],
    z_absorption: Float[np.ndarray, "subject 2"] | None = None,
) -> dict[Analyte, Float[np.ndarray, "subject time"]]:
    """Ketamine and S-ketamine at the effect site after doses by any route. [ng/mL]

    Arguments as for :func:`simulate_doses`. The model of the nasal spray has venous plasma only: there the effect site
    follows the vein by the same rate, which is assumed; vein and artery hardly differ while a dose comes in over
    minutes. Raises SpecError: as :func:`simulate_doses`, or the model has no effect site.
    """
    if model.parameter_set.attribute("structure") != "hepatoportal":
        found = simulate_doses(
            model, doses, weight_kg=weight_kg, z_iiv=z_iiv, t_h=t_h, analytes=(Analyte.KET, Analyte.S_KET),
            sites=(SamplingSite.EFFECT,), z_absorption=z_absorption,
        )  # fmt: skip
        return {one: found.select(one, site=SamplingSite.EFFECT) for one in (Analyte.KET, Analyte.S_KET)}
    given = resolve_doses(model, doses, weight_kg=weight_kg, z_absorption=z_absorption)
    people = hepatoportal_parameters(model, weight_kg=weight_kg, z_iiv=z_iiv)
    blood = hepatoportal_system(people, given, model=model)
    whole = Compartments([*blood.names, "E"], weight_kg.size)
    whole.matrix[:, : len(blood.names), : len(blood.names)] = blood.matrix
    whole.inputs = blood.inputs
    rate_per_h = np.full_like(weight_kg, _LN2 / model.links.value("effect_half_life_h"))
    whole.follow("E", "C", rate_per_h, people.vc_l)
    effect = whole.simulate(t_h=t_h)["E"]
    return {Analyte.KET: effect, Analyte.S_KET: effect}


def _with_links(plain: Concentrations, series: tuple[Series, ...], venous: VenousLinks) -> Concentrations:
    """Curves of the artery and of the slow share of the vein, put together with each person's own link."""
    f = venous.fast_fraction[:, np.newaxis]
    columns = []
    for one in series:
        curve = plain.select(one.analyte, site=one.sampling_site)
        if one.sampling_site is SamplingSite.VENOUS:
            curve = f * plain.select(one.analyte, site=SamplingSite.ARTERIAL) + (1.0 - f) * curve
        columns.append(curve)
    return Concentrations(t_h=plain.t_h, series=series, conc_ng_per_ml=np.stack(columns, axis=1))


def _of_structure(
    model: PkModel,
    given: Sequence[AbsorbedDose],
    weight_kg: _Subject,
    z_iiv: Float[np.ndarray, "subject iiv"],
    t_h: Float[np.ndarray, " time"],
    series: tuple[Series, ...],
) -> Concentrations:
    """A structure of the caller's own, through its contract."""
    check_people(model, weight_kg=weight_kg, z_iiv=z_iiv)
    _check_times(t_h)
    structure = find_structure(model.parameter_set.attribute("structure"))
    people = structure.people(model, weight_kg=weight_kg, z_iiv=z_iiv)
    states = structure.system(people, given, model=model).simulate(t_h=t_h)
    columns = [structure.read(people, states, one.analyte) for one in series]
    for column in columns:
        if column.shape != (weight_kg.size, t_h.size) or not np.all(np.isfinite(column)):
            raise NumericalError(
                where=f"structure of model {model.id}",
                got=f"shape {column.shape} or a number that is not finite",
                allowed=f"finite concentrations of shape ({weight_kg.size}, {t_h.size})",
                remedy="Check read() and the rates of system().",
            )
    return Concentrations(t_h=t_h, series=series, conc_ng_per_ml=np.stack(columns, axis=1))


def _check_times(t_h: Float[np.ndarray, " time"]) -> None:
    if t_h.size and not (np.all(np.isfinite(t_h)) and np.all(np.diff(t_h) >= 0.0) and t_h[0] >= 0.0):
        raise SpecError(where="t_h", got=t_h.tolist(), allowed="finite times of 0 h or later that do not run backwards")


def _mammillary(
    people: PkIndividuals,
    given: Sequence[AbsorbedDose],
    occasion: Occasion,
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte | str],
    sites: Sequence[SamplingSite | str],
) -> Concentrations:
    infused = [one for one in given if one.dose.route is Route.IV_INFUSION]
    others = [one for one in given if one.dose.route is not Route.IV_INFUSION]
    forms = list(dict.fromkeys(one.dose.form for one in infused)) or [DrugForm.RACEMATE]
    parts = [
        simulate_concentrations(
            people,
            _events([one for one in infused if one.dose.form is form], form, people.n_subject),
            t_h=t_h,
            analytes=analytes,
            sites=sites,
        )
        for form in forms
    ]
    series = parts[0].series
    total = parts[0].conc_ng_per_ml
    for part in parts[1:]:
        total = total + part.conc_ng_per_ml
    if others:
        _check_metabolites(others, series)
        added = simulate_absorbed(people, others, film=_film(people, others, occasion), t_h=t_h, series=series)
        total = total + np.stack([added[one] for one in series], axis=1)
    return Concentrations(t_h=t_h, series=series, conc_ng_per_ml=total)


def _events(infused: Sequence[AbsorbedDose], form: DrugForm, n_subject: int) -> InfusionEvents:
    return InfusionEvents(
        start_h=np.array([one.dose.start_h for one in infused], dtype=float),
        duration_h=np.array([one.dose.duration_h for one in infused], dtype=float),
        dose_mg=np.stack([one.dose_mg for one in infused], axis=1) if infused else np.zeros((n_subject, 0)),
        form=form,
        s_fraction=share_of(form, Analyte.S_KET),
        flags=(),
    )


def _check_metabolites(others: Sequence[AbsorbedDose], series: Sequence[Series]) -> None:
    asked = [one.analyte.value for one in series if one.analyte in _METABOLITES]
    for one in others:
        if asked and one.ka_per_h is not None and one.product is not None and not one.product.is_parenteral:
            raise SpecError(
                where="analytes",
                got=f"{asked[0]} after {one.product.title}",
                allowed="ketamine: how much of what is swallowed becomes a metabolite before it reaches blood is not "
                "sourced for this product",
                remedy="Metabolites are offered after doses into a vein or muscle, after the film, and in the model of "
                "the nasal spray.",
            )


def _film(people: PkIndividuals, others: Sequence[AbsorbedDose], occasion: Occasion) -> FilmAbsorption | None:
    if not any(one.dose.route is Route.FILM for one in others):
        return None
    values = load_parameter_set(f"{people.model.id}-film")
    ids = [one.name for one in fields(FilmAbsorption)]
    # The library names variances without the unit: omega2_iov_ka1 is that of ka1_per_h.
    factors = {name: occasion.factor(name.removesuffix("_per_h").removesuffix("_h")) for name in ids}
    return FilmAbsorption(**{name: values.value(name) * factors[name] for name in ids})


def _hepatoportal(
    model: PkModel,
    people: HepatoportalIndividuals,
    given: Sequence[AbsorbedDose],
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte | str],
    sites: Sequence[SamplingSite | str],
) -> Concentrations:
    series = named_series(model, analytes, sites)
    _check_times(t_h)
    states = hepatoportal_system(people, given, model=model).simulate(t_h=t_h)
    found = {
        Analyte.S_KET: states["C"] / people.vc_l[:, np.newaxis],
        Analyte.S_NK: states["N1"] / people.nk_v1_l[:, np.newaxis],
    }
    return Concentrations(
        t_h=t_h, series=series, conc_ng_per_ml=np.stack([found[one.analyte] for one in series], axis=1)
    )
