"""From doses to concentrations, by analyte, sampling site and time."""

from remission.pk.bands import BandDraws, MeasuredBand, measured_band, with_band_spread
from remission.pk.concentrations import Concentrations, Series
from remission.pk.doses import simulate_doses, simulate_effect_site
from remission.pk.effect_site import effect_site_peak, saturated_hours, species_modes
from remission.pk.exposure import Exposure, exposure_of_doses
from remission.pk.hepatoportal_people import PersonFactors
from remission.pk.individuals import MetaboliteIndividuals, PkIndividuals, individual_parameters
from remission.pk.interactions import Acting, Contested, InteractionEffect, interaction_effect
from remission.pk.model import (
    DEFAULT_PK_MODEL,
    PkModel,
    add_pk_model,
    list_library_models,
    list_pk_models,
    load_pk_model,
    model_argument,
    with_both_forms,
    with_slow_norketamine,
)
from remission.pk.own_model import parse_pk_model, read_pk_model
from remission.pk.routes import choose_product
from remission.pk.simulate import simulate_concentrations
from remission.pk.spread import (
    AveragedCurve,
    ModelSpread,
    average_models,
    model_spread,
    models_for_infusions,
    published_models,
)
from remission.pk.structures import Structure, register_structure
from remission.pk.summaries import PopulationSummary, summarize_population
from remission.pk.typical import TypicalParameters, typical_parameters
from remission.pk.venous import VenousLinks, draw_venous_links, simulate_venous_concentrations

__all__ = [
    "DEFAULT_PK_MODEL",
    "Acting",
    "AveragedCurve",
    "BandDraws",
    "Concentrations",
    "Contested",
    "Exposure",
    "InteractionEffect",
    "MeasuredBand",
    "MetaboliteIndividuals",
    "ModelSpread",
    "PersonFactors",
    "PkIndividuals",
    "PkModel",
    "PopulationSummary",
    "Series",
    "Structure",
    "TypicalParameters",
    "VenousLinks",
    "add_pk_model",
    "average_models",
    "choose_product",
    "draw_venous_links",
    "effect_site_peak",
    "exposure_of_doses",
    "individual_parameters",
    "interaction_effect",
    "list_library_models",
    "list_pk_models",
    "load_pk_model",
    "measured_band",
    "model_argument",
    "model_spread",
    "models_for_infusions",
    "parse_pk_model",
    "published_models",
    "read_pk_model",
    "register_structure",
    "saturated_hours",
    "species_modes",
    "simulate_concentrations",
    "simulate_doses",
    "simulate_effect_site",
    "simulate_venous_concentrations",
    "summarize_population",
    "typical_parameters",
    "with_band_spread",
    "with_both_forms",
    "with_slow_norketamine",
]
