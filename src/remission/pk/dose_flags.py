"""What a result of :func:`~remission.pk.simulate_doses` must say about itself."""

from collections.abc import Sequence

import numpy as np

from remission.library.dosing_limits import flags_of_length
from remission.library.loader import load_parameter_set
from remission.numerics.distinct import distinct
from remission.pk.concentrations import Series
from remission.pk.given import AbsorbedDose
from remission.pk.hepatoportal_people import PersonFactors
from remission.pk.interactions import InteractionEffect
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.records.dose import Route
from remission.records.infusions import EvidenceFlag
from remission.records.parameter import Parameter
from remission.shapes import Float

_IV = frozenset({Route.IV_INFUSION, Route.IV_BOLUS})
_METABOLITES = frozenset({Analyte.S_NK, Analyte.S_HNK})
_TOGETHER_H = 2.0


def flags_of(
    model: PkModel,
    given: Sequence[AbsorbedDose],
    *,
    weight_kg: Float[np.ndarray, " subject"],
    series: Sequence[Series],
    interactions: InteractionEffect | None = None,
    factors: PersonFactors | None = None,
) -> tuple[EvidenceFlag, ...]:
    """Everything a reader must see beside the concentrations."""
    flags = _of_model(model, given, weight_kg, series)
    if factors is not None and factors.age_y is not None and "population_age_y" in model.parameter_set:
        flags += _of_people(model, "factors.age_y", factors.age_y, model.parameter_set["population_age_y"])
    for index, one in enumerate(given):
        where = f"doses[{index}]"
        flags += [*_of_dose(where, one, weight_kg), *_of_amount(where, one, given), *_of_peak(where, one)]
    flags += _of_length(given)
    wants_metabolite = any(one.analyte in _METABOLITES for one in series)
    if wants_metabolite and any(one.dose.route is Route.FILM for one in given):
        flags.append(
            EvidenceFlag(
                where="analytes",
                got="metabolites after a film",
                evidence="the source's shares, 26% absorbed and 116% swallowed, more than the dose",
                consequence="Metabolites come out of more ketamine than was given, as printed.",
            )
        )
    if interactions is not None:
        flags += interactions.flags
        if wants_metabolite and interactions.changes_anything:
            flags.append(
                EvidenceFlag(
                    where="analytes",
                    got="metabolites with an interaction",
                    evidence="ketamine itself",
                    consequence="What the interaction does to metabolites is not sourced and is left out.",
                )
            )
    return tuple(flags)


def _of_model(
    model: PkModel, given: Sequence[AbsorbedDose], weight_kg: Float[np.ndarray, " subject"], series: Sequence[Series]
) -> list[EvidenceFlag]:
    words = model.parameter_set.attributes
    asked = {one.analyte.value for one in series}
    named = ["caution"] if "caution" in words else []
    named += ["caution_iv"] if "caution_iv" in words and any(one.dose.route in _IV for one in given) else []
    named += [name for name in (f"caution_{analyte}" for analyte in sorted(asked)) if name in words]
    flags = [
        EvidenceFlag(
            where=f"model {model.id}",
            got=f"{words['population']}",
            evidence="the people and uses it was fitted to",
            consequence=f"{words[name]}.",
        )
        for name in named
    ]
    if "population_weight_kg" in model.parameter_set:
        flags += _of_people(model, "weight_kg", weight_kg, model.parameter_set["population_weight_kg"])
    if model.species == (Analyte.S_KET,) and any(one.dose.form.value == "racemate" for one in given):
        flags.append(
            EvidenceFlag(
                where="doses",
                got="racemate in a model of S-ketamine",
                evidence="S-ketamine",
                consequence="Only the S half of the dose is followed.",
            )
        )
    return flags


def _of_people(
    model: PkModel, where: str, values: Float[np.ndarray, " subject"], known: Parameter
) -> list[EvidenceFlag]:
    low, high = known.low or 0.0, known.high or np.inf
    outside = (values < low) | (values > high)
    if not np.any(outside):
        return []
    first = float(values[int(np.argmax(outside))])
    return [
        EvidenceFlag(
            where=where,
            got=f"{int(np.sum(outside))} of {values.size} people, such as {first:g} {known.unit}",
            evidence=f"{low:g} to {high:g} {known.unit} in model {model.id}",
            consequence="Their concentrations are extrapolated.",
        )
    ]


def _of_dose(where: str, one: AbsorbedDose, weight_kg: Float[np.ndarray, " subject"]) -> list[EvidenceFlag]:
    flags = []
    limits = load_parameter_set("routes")
    per_kg = one.dose_mg / weight_kg
    low, high = limits.value("min_plausible_mg_per_kg"), limits.value("anesthetic_mg_per_kg")
    slips = (per_kg > 0.0) & (per_kg < low)
    if one.dose.dose_mg is not None and np.any(slips):
        flags.append(
            EvidenceFlag(
                where=f"{where}.dose_mg",
                got=f"{one.dose.dose_mg:g} mg, {per_kg[int(np.argmax(slips))]:.2g} mg/kg",
                evidence=f"{low:g} mg/kg, below which nothing was studied",
                consequence=f"Is {one.dose.dose_mg:g} mg/kg what is meant? It was taken as mg.",
            )
        )
    if one.dose.route in _IV and np.any(per_kg > high):
        flags.append(
            EvidenceFlag(
                where=f"{where}.dose",
                got=f"{float(np.max(per_kg)):.3g} mg/kg into a vein",
                evidence=f"{high:g} mg/kg, the highest studied for depression",
                consequence="Induction of anesthesia is 1 to 2 mg/kg; is a dose per body weight what is meant?",
            )
        )
    if one.product is not None and one.ka_per_h is not None:
        flags += _of_absorption(where, one)
    return flags


def _of_amount(where: str, one: AbsorbedDose, given: Sequence[AbsorbedDose]) -> list[EvidenceFlag]:
    studied = None if one.product is None else one.product.studied_dose
    if studied is None or studied.low is None or studied.high is None:
        return []
    # A single studied dose is stretched to half and double; a range is taken as it is.
    single = studied.low == studied.high
    low, high = (0.5 * studied.low, 2.0 * studied.high) if single else (studied.low, studied.high)
    near = [
        other
        for other in given
        if other.product == one.product and 0.0 <= one.dose.start_h - other.dose.start_h < _TOGETHER_H
    ]
    total = sum((other.dose_mg for other in near), np.zeros_like(one.dose_mg))
    outside = (total > 0.0) & ((total < low) | (total > high))
    if not np.any(outside):
        return []
    known = f"{studied.high:g} mg" if single else f"{studied.low:g} to {studied.high:g} mg"
    return [
        EvidenceFlag(
            where=f"{where}.dose",
            got=f"{total[int(np.argmax(outside))]:.3g} mg of {one.product.title if one.product else ''} within 2 h",
            evidence=known,
            consequence="Absorption of this amount is extrapolated.",
        )
    ]


def _of_peak(where: str, one: AbsorbedDose) -> list[EvidenceFlag]:
    """Peaks that were measured, in proportion to the dose: what a reader must hold the curve against."""
    product, doses_mg = one.product, distinct(one.dose_mg)
    peaks = () if product is None else product.measured_peaks
    if product is None or not peaks or doses_mg[-1] <= 0.0:
        return []
    # Of one study the dose nearest to this one, so that a share that falls with the dose is not carried far.
    nearest = {
        source: min(
            (peak for peak in peaks if peak.source == source),
            key=lambda peak: abs(float(np.log(doses_mg[-1] / peak.doses[0].dose_mg))),
        )
        for source in dict.fromkeys(peak.source for peak in peaks)
    }
    texts = []
    for peak in sorted(nearest.values(), key=lambda found: (found.source not in product.sources, found.id)):
        scaled = doses_mg / peak.doses[0].dose_mg * peak.values[0]
        size = f"{scaled[0]:.0f}" if doses_mg.size == 1 else f"{scaled[0]:.0f} to {scaled[-1]:.0f}"
        spread = f", SD {peak.high[0] - peak.values[0]:.3g}" if peak.interval == "SD" else ""
        people = f" in {peak.n_subjects} people" if peak.n_subjects else ""
        read = f"{peak.values[0]:g}{spread} after {peak.doses[0].dose_mg:g} mg{people}, {peak.source}"
        texts.append(f"measured: about {size} ng/mL for this dose ({read})")
    return [
        EvidenceFlag(
            where=f"{where}.peak",
            got="; ".join(texts),
            evidence="the doses that were measured; this one is in proportion",
            consequence="Where the curve and what was measured differ, believe what was measured.",
        )
    ]


def _of_absorption(where: str, one: AbsorbedDose) -> list[EvidenceFlag]:
    assumption, product = one.dose.absorption, one.product
    assert assumption is not None
    assert product is not None
    if assumption.basis == "tmax":
        assert product.tmax is not None
        how = (
            f"ka {one.ka_per_h:.3g} 1/h, derived from a peak at {product.tmax.value:.2g} h in "
            f"{product.tmax_site.value} blood (no source states the site) and assumed first-order"
        )
    elif assumption.basis == "library":
        assert product.ka is not None
        how = (
            f"ka {product.ka.value:g} 1/h, 90% of people {product.ka.low:g} to {product.ka.high:g}, "
            f"{product.ka.grade.value}: a distribution that the library states, no measurement"
        )
    else:
        how = f"ka {one.ka_per_h:g} 1/h, assumed"
    if assumption.f is not None:
        how += f"; F {assumption.f:g}, assumed"
    why = product.why_no_rate[:1].upper() + product.why_no_rate[1:]
    flags = [
        EvidenceFlag(
            where=f"{where}.absorption",
            got=how,
            evidence="how much arrives at most, not how fast",
            consequence=f"{why}: the shape is that of the assumption. Reason given: {assumption.reason}",
        )
    ]
    if product.is_contested and assumption.f is None:
        flags.append(
            EvidenceFlag(
                where=f"{where}.product",
                got=product.id,
                evidence="sources that disagree, from 11 to 45%",
                consequence="It depends on the device: look at the other product as well.",
            )
        )
    return flags


def _of_length(given: Sequence[AbsorbedDose]) -> tuple[EvidenceFlag, ...]:
    infused = [(number, one.dose) for number, one in enumerate(given) if one.dose.route is Route.IV_INFUSION]
    return flags_of_length(
        [(dose.start_h, dose.end_h) for _, dose in infused],
        where=[f"doses[{number}].duration_min" for number, _ in infused],
    )
