"""Interactions: the rule meets the printed ratios, and nothing contested or unknown acts in silence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from remission.errors import LibraryError, SpecError
from remission.library.interactions import load_interaction, load_interactions
from remission.library.references import load_reference
from remission.pk import (
    Acting,
    Contested,
    InteractionEffect,
    PkModel,
    exposure_of_doses,
    interaction_effect,
    load_pk_model,
    simulate_doses,
)
from remission.records.dose import Dose

SIMONS, NASAL = load_pk_model(), load_pk_model("perezruixo2021")
VEIN = Dose.create(route="iv_infusion", dose="0.5 mg/kg", duration="40 min", form="esketamine")
SWALLOWED = {
    SIMONS.id: Dose.create(route="oral", dose="30 mg", form="esketamine"),
    NASAL.id: Dose.create(route="oral", dose="30 mg", form="esketamine"),
}
PRINTED = [one.id for one in load_interactions() if one.auc_oral is not None]


def area(model: PkModel, dose: Dose, effect: InteractionEffect | None = None) -> float:
    found = exposure_of_doses(
        model, [dose], weight_kg=np.array([70.0]), z_iiv=np.zeros((1, model.n_iiv)), interactions=effect
    )
    return float(found.select("s_ket")[0])


@pytest.mark.parametrize("model", [SIMONS, NASAL], ids=lambda model: model.id)
@pytest.mark.parametrize("acting", list(Acting))
@pytest.mark.parametrize("name", PRINTED)
def test_the_printed_ratio_of_a_swallowed_dose_is_met(name: str, acting: Acting, model: PkModel) -> None:
    """The rule is ours, the ratio is theirs: under each structure and each reading the area must be the printed one."""
    effect = interaction_effect(model, [name], acting=acting)
    printed = load_interaction(name).auc_oral
    assert printed is not None
    found = area(model, SWALLOWED[model.id], effect) / area(model, SWALLOWED[model.id])
    assert found == pytest.approx(printed.value, rel=1e-9)
    assert effect.auc_oral_ratio == pytest.approx(printed.value, rel=1e-9)


@pytest.mark.parametrize("name", ["simons2022", "perezruixo2021", "noppers2011", "clements1981", "domino1984"])
def test_rifampicin_meets_both_printed_ratios(name: str) -> None:
    """14% less into a vein and 86% less swallowed: the one agent for which both are known."""
    effect = interaction_effect(load_pk_model(name), ["rifampicin"])
    assert effect.auc_iv_ratio == pytest.approx(0.86, rel=1e-12)
    assert effect.auc_oral_ratio == pytest.approx(0.14, rel=1e-12)
    assert effect.grade.value == "derived"


def test_a_dose_into_a_vein_is_far_less_sensitive_than_a_swallowed_one() -> None:
    """The rule of high extraction; a factor on the wrong side of the liver would turn it round."""
    for name in PRINTED:
        for acting in Acting:
            effect = interaction_effect(SIMONS, [name], acting=acting)
            assert abs(np.log(effect.auc_iv_ratio)) <= abs(np.log(effect.auc_oral_ratio)) * 0.7 + 1e-12


def test_the_two_readings_bound_the_effect_on_a_vein() -> None:
    """What was not studied is a range, and the flag says it."""
    least, most = (interaction_effect(SIMONS, ["grapefruit"], acting=acting) for acting in Acting)
    assert 1.0 < least.auc_iv_ratio < most.auc_iv_ratio
    assert f"{least.auc_iv_ratio:.2f} to {most.auc_iv_ratio:.2f}" in least.flags[0].text
    calm, fast = (interaction_effect(SIMONS, ["st-johns-wort"], acting=acting) for acting in Acting)
    assert calm.auc_iv_ratio == 1.0 > fast.auc_iv_ratio


@pytest.mark.parametrize("model", [SIMONS, NASAL], ids=lambda model: model.id)
def test_a_curve_changes_as_its_area_does(model: PkModel) -> None:
    """Exposure and simulation take the same factors by two ways."""
    effect = interaction_effect(model, ["rifampicin"])
    t_h = np.linspace(0.0, 100.0, 2001)
    asked: dict[str, Any] = {
        "weight_kg": np.array([70.0]),
        "z_iiv": np.zeros((1, model.n_iiv)),
        "t_h": t_h,
        "analytes": ["s_ket"],
        "sites": [model.plasma_site],
    }
    curves = [simulate_doses(model, [VEIN], **asked, interactions=one).conc_ng_per_ml for one in (None, effect)]
    areas = [float(np.trapezoid(curve[0, 0], t_h)) for curve in curves]
    # Tolerance: straight lines between points of 3 min; both curves have the same corner.
    assert areas[1] / areas[0] == pytest.approx(0.86, rel=2e-3)


def simulate(doses: Sequence[Dose], effect: InteractionEffect, model: PkModel = SIMONS, **more: Any) -> Any:
    asked = {"analytes": ["s_ket"], "sites": [model.plasma_site], **more}
    return simulate_doses(
        model,
        doses,
        weight_kg=np.array([70.0]),
        z_iiv=np.zeros((1, model.n_iiv)),
        t_h=np.array([1.0]),
        interactions=effect,
        **asked,
    )


def test_contested_ones_act_only_when_asked() -> None:
    """A genotype whose effect two studies deny each other must not double anybody's concentration in silence."""
    left = interaction_effect(SIMONS, ["cyp2b6-6-two"])
    assert (left.cl_factor, left.changes_anything) == (1.0, False)
    assert "contested and left out" in left.flags[0].text
    applied = interaction_effect(SIMONS, ["cyp2b6-6-two"], contested=Contested.APPLY)
    assert applied.cl_factor == pytest.approx(21.6 / 68.1)
    assert "no effect on a single swallowed dose" in applied.flags[0].text


def test_dynamic_ones_are_words_beside_an_unchanged_curve() -> None:
    """No number of theirs is sourced, so no number moves; the words must arrive."""
    effect = interaction_effect(SIMONS, ["benzodiazepines", "lithium"])
    plain = simulate([VEIN], interaction_effect(SIMONS, []))
    told = simulate([VEIN], effect)
    assert np.array_equal(told.conc_ng_per_ml, plain.conc_ng_per_ml)
    assert told.grades == plain.grades
    assert any("withdrawal can kill" in flag.text for flag in told.flags)


def test_what_cannot_be_said_is_refused() -> None:
    """Cirrhosis has no number, a wafer has no sourced split, and a model may clear more than a liver can."""
    with pytest.raises(SpecError) as caught:
        interaction_effect(SIMONS, ["lithium", "cirrhosis"])
    assert caught.value.where == "interactions[1]"
    with pytest.raises(SpecError):
        interaction_effect(load_pk_model("hijazi2003"), ["rifampicin"])
    fast = SIMONS.replace_values(cl_l_per_h=140.0)
    with pytest.raises(SpecError):
        interaction_effect(fast, ["rifampicin"])
    with pytest.raises(LibraryError) as missing:
        interaction_effect(SIMONS, ["rifampin"])
    assert "rifampicin" in str(missing.value)
    effect = interaction_effect(SIMONS, ["rifampicin"])
    wafer = Dose.create(route="sublingual", dose="25 mg", absorption={"basis": "tmax", "reason": "x"})
    with pytest.raises(SpecError) as caught:
        simulate([wafer], effect)
    assert caught.value.where == "doses[0].route"
    with pytest.raises(SpecError) as caught:
        simulate([VEIN], effect, NASAL)
    assert caught.value.where == "interactions"
    most = Dose.create(route="oral", dose="25 mg", absorption={"ka_per_h": 1.0, "f": 0.9, "reason": "x"})
    with pytest.raises(SpecError) as caught:
        simulate([most], interaction_effect(SIMONS, ["grapefruit"]))
    assert caught.value.where == "doses[0].absorption.f"


def test_muscle_and_film_change_as_a_vein_does() -> None:
    """What does not pass the gut cannot be changed there."""
    effect = interaction_effect(SIMONS, ["st-johns-wort"])
    muscle = Dose.create(route="im", dose="25 mg", absorption={"ka_per_h": 2.0, "reason": "x"})
    film = Dose.create(route="film", dose="50 mg", form="esketamine")
    for dose in (muscle, film):
        assert np.array_equal(
            simulate([dose], effect).conc_ng_per_ml, simulate([dose], interaction_effect(SIMONS, [])).conc_ng_per_ml
        )
    found = simulate([film], interaction_effect(SIMONS, ["rifampicin"]), analytes=["s_nk"])
    assert any("What the interaction does to metabolites" in flag.text for flag in found.flags)


def test_several_multiply_and_the_gut_has_an_end() -> None:
    """Two inhibitors of the gut cannot open it by more than all."""
    both = interaction_effect(SIMONS, ["grapefruit", "clarithromycin"])
    single = [interaction_effect(SIMONS, [name]) for name in ("grapefruit", "clarithromycin")]
    assert both.intrinsic_factor == pytest.approx(single[0].intrinsic_factor * single[1].intrinsic_factor)
    assert both.gut_factor == pytest.approx(1 / 0.64)


def test_every_interaction_has_sources_and_a_number_or_a_reason() -> None:
    """A row without a source is a rumor; a kinetic one without a number would act as none."""
    known = load_interactions()
    assert len({one.id for one in known}) == len(known)
    for one in known:
        assert all(load_reference(key).title for key in one.sources), one.id
        has_number = any(found is not None for found in (one.auc_iv, one.auc_oral, one.cl_ratio))
        assert has_number == (one.kind == "kinetic" and not one.is_refused), one.id
    assert {one.id for one in known if one.is_refused} == {
        "cirrhosis", "cyp3a4-inhibitors", "cyp2b6-inhibitors", "cyp-inducers",
    }  # fmt: skip
