"""The grade of a result of :func:`~remission.pk.simulate_doses`: that of its weakest part."""

from collections.abc import Sequence

from remission.pk.concentrations import Series
from remission.pk.given import AbsorbedDose
from remission.pk.interactions import InteractionEffect
from remission.pk.model import PkModel
from remission.pk.routes import bioavailability_of, weakest
from remission.records.analyte import Analyte, SamplingSite
from remission.records.parameter import Grade

_STRUCTURE = ("v1_l", "v2_l", "v3_l", "vc_l", "vp1_l", "vp2_l", "vh_l", "v1_l_per_kg")


def grades_of(
    model: PkModel,
    given: Sequence[AbsorbedDose],
    *,
    series: Sequence[Series],
    interactions: InteractionEffect | None = None,
) -> tuple[Grade, ...]:
    """The weakest grade behind each series: disposition, R-ketamine, site and absorption.

    Exponents of body weight, which are assumed in every model that has them, are not counted: at the reference weight
    they change nothing, and elsewhere the flag on weight speaks.
    """
    values = model.parameter_set
    core = [values[name].grade for name in _STRUCTURE if name in values]
    # A structure of the caller's own has names of its own: all of its numbers count.
    core = core or [one.grade for one in values.parameters]
    absorbed = [interactions.grade] if interactions is not None and interactions.changes_anything else []
    for index, one in enumerate(given):
        if one.product is None or one.ka_per_h is None:
            continue
        assert one.dose.absorption is not None
        where = f"doses[{index}]"
        found = [bioavailability_of(one.dose, one.product, species, where=where).grade for species in model.species]
        tmax = one.product.tmax
        if one.dose.absorption.basis == "library" and one.product.ka is not None:
            absorbed += [*found, one.product.ka.grade]
            continue
        if one.dose.absorption.basis == "tmax" and tmax is not None:
            # Derived from the peak, in blood whose site no source states.
            absorbed += [*found, tmax.grade, Grade.ASSUMED]
        else:
            absorbed += [*found, Grade.ASSUMED]
    grades = []
    for analyte, site in series:
        parts = [*core, *absorbed]
        if analyte in {Analyte.R_KET, Analyte.KET} and "cl_ratio_r_ket" in values:
            parts.append(values["cl_ratio_r_ket"].grade)
        if site is SamplingSite.EFFECT:
            parts.append(model.links["effect_half_life_h"].grade)
        if site is SamplingSite.VENOUS and model.plasma_site is SamplingSite.ARTERIAL:
            parts.append(model.links["venous_fast_fraction"].grade)
        grades.append(weakest(*parts))
    return tuple(grades)
