"""What published models say of one regimen, side by side: the spread between models beside the spread of people.

Every model of the library that offers a site gives the curve of its typical person of a weight. Models of arterial
plasma reach the vein through the link of this project, models of venous plasma are there themselves. A model that
follows one form gives both by its one law, which is assumed and said.

An average with stated weights is an option and no default: it hides that models disagree.

Equation of the average, with weights w of sum 1::

    C(t) = sum_m w_m C_m(t)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError, did_you_mean
from remission.library.loader import parameter_sets_with
from remission.pk.doses import simulate_doses
from remission.pk.model import PkModel, load_pk_model, with_both_forms
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Dose, DrugForm
from remission.shapes import Float

_NOT_FOR_INFUSIONS = {
    "hijazi2003": "fitted to critically ill people, and apart from the others on the rows",
    "perezruixo2021": "fitted to a nasal spray: never for peaks of a dose into a vein",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpread:
    """Typical curves of several models after one regimen, at one site.

    ``models``: their names; ``kamp2020-linear`` stands beside ``kamp2020`` because its transcriptions disagree on
    weight. ``conc_ng_per_ml``: one row a model. [ng/mL] ``rests_on``: what each rests on beyond its own source, such as
    the link to the vein; one a model. ``left_out``: models that do not stand here, with the reason.
    """

    analyte: Analyte
    site: SamplingSite
    t_h: Float[np.ndarray, " time"]
    models: tuple[str, ...]
    conc_ng_per_ml: Float[np.ndarray, "model time"]
    rests_on: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def peak_ng_per_ml(self) -> Float[np.ndarray, " model"]:
        """The largest value of each model at the given times. [ng/mL]"""
        return self.conc_ng_per_ml.max(axis=1)

    @property
    def peak_h(self) -> Float[np.ndarray, " model"]:
        """When it comes. [h]"""
        return self.t_h[self.conc_ng_per_ml.argmax(axis=1)]

    @property
    def low_ng_per_ml(self) -> Float[np.ndarray, " time"]:
        """The lowest model at each time. [ng/mL]"""
        return self.conc_ng_per_ml.min(axis=0)

    @property
    def high_ng_per_ml(self) -> Float[np.ndarray, " time"]:
        """The highest model at each time. [ng/mL]"""
        return self.conc_ng_per_ml.max(axis=0)

    @property
    def text(self) -> str:
        """One line for a reader: from which to which, and who says so."""
        order = np.argsort(self.peak_ng_per_ml)
        named = ", ".join(f"{self.models[index]} {self.peak_ng_per_ml[index]:.0f}" for index in order)
        return (
            f"{len(self.models)} published models put the highest value of a typical person at "
            f"{self.peak_ng_per_ml.min():.0f} to {self.peak_ng_per_ml.max():.0f} ng/mL ({named})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragedCurve:
    """The weighted average of a spread.

    ``weights``: of each model, sum 1; stated by the caller, or equal.
    """

    t_h: Float[np.ndarray, " time"]
    conc_ng_per_ml: Float[np.ndarray, " time"]
    weights: Mapping[str, float]
    weights_are_equal: bool


def published_models() -> tuple[str, ...]:
    """Names of the published models of the library."""
    return parameter_sets_with("species")


def models_for_infusions() -> tuple[str, ...]:
    """Published models that stand beside each other for a dose into a vein."""
    return tuple(name for name in published_models() if name not in _NOT_FOR_INFUSIONS)


def model_spread(
    doses: Sequence[Dose],
    *,
    weight_kg: float,
    t_h: Float[np.ndarray, " time"],
    site: SamplingSite | str = "arterial",
    analyte: Analyte | str = "ket",
    models: Sequence[str] | None = None,
) -> ModelSpread:
    """The typical curve of every published model after a regimen, at one site.

    ``doses``: in order of time; infusions, boluses, or doses with an assumption about absorption. ``t_h``: times of the
    session clock, not falling; put the ends of infusions among them, where the peaks are. [h] ``site``: ``arterial`` or
    ``venous``. ``analyte``: ``ket``, ``s_ket`` or ``r_ket``. ``models``: which; all published ones that are for this
    use by default. Raises SpecError: a model is not known, none can give this, or doses and times are not valid.
    """
    wanted, what = SamplingSite.parse(site), Analyte.parse(analyte)
    if wanted not in {SamplingSite.ARTERIAL, SamplingSite.VENOUS} or what in {Analyte.S_NK, Analyte.S_HNK}:
        raise SpecError(
            where="site", got=f"{what} at {wanted}", allowed="ketamine in arterial or venous plasma, which models share"
        )
    known = published_models()
    for name in models or ():
        if name not in known:
            raise SpecError(
                where="models", got=name, allowed=f"one of {', '.join(known)}", remedy=did_you_mean(name, known)
            )
    names = known if models is None else tuple(dict.fromkeys(models))
    curves: list[Float[np.ndarray, " time"]] = []
    notes: list[str] = []
    kept: list[str] = []
    left_out: dict[str, str] = {}
    for name in names:
        if models is None and name in _NOT_FOR_INFUSIONS:
            left_out[name] = _NOT_FOR_INFUSIONS[name]
            continue
        try:
            curve, note = _one(load_pk_model(name), doses, weight_kg, t_h, wanted, what)
        except _NoSuchCurveError as reason:
            left_out[name] = str(reason)
            continue
        except SpecError as error:
            # A fault of the doses is everybody's; what one model cannot take is its own.
            if name == names[-1] and not kept:
                raise
            left_out[name] = f"refused: {error.got}; expected {error.allowed}"
            continue
        kept.append(name)
        curves.append(curve)
        notes.append(note)
    if not kept:
        raise SpecError(
            where="models",
            got=", ".join(f"{name} ({why})" for name, why in left_out.items()),
            allowed=f"at least one model that gives {what} at the {wanted} site",
        )
    return ModelSpread(
        analyte=what,
        site=wanted,
        t_h=t_h,
        models=tuple(kept),
        conc_ng_per_ml=np.stack(curves),
        rests_on=tuple(notes),
        left_out=left_out,
    )


class _NoSuchCurveError(Exception):
    """A reason, in words."""


def _one(
    model: PkModel,
    doses: Sequence[Dose],
    weight_kg: float,
    t_h: Float[np.ndarray, " time"],
    site: SamplingSite,
    analyte: Analyte,
) -> tuple[Float[np.ndarray, " time"], str]:
    own = model.plasma_site
    if own is SamplingSite.VENOUS and site is SamplingSite.ARTERIAL:
        raise _NoSuchCurveError("a model of venous plasma")
    if own is SamplingSite.UNSTATED and site is SamplingSite.VENOUS:
        raise _NoSuchCurveError("its site is not stated; it stands with the arterial models, whose height it has")
    notes = []
    if model.parameter_set.attribute("structure") == "mammillary":
        if len(model.species) == 1 and any(one.form is DrugForm.ESKETAMINE for one in doses):
            notes.append("" if model.species == (Analyte.S_KET,) else "the law of the racemate taken for S-ketamine")
        elif len(model.species) == 1:
            notes.append("both forms by its one law")
        model = with_both_forms(model)
    there = own if own is SamplingSite.UNSTATED else site
    if there is SamplingSite.UNSTATED:
        notes.append("its site is not stated")
    if there is SamplingSite.VENOUS and own is SamplingSite.ARTERIAL:
        notes.append("in the vein by the link of this project")
    asked = analyte if analyte in model.analytes else Analyte.S_KET
    if asked is not analyte and any(one.form is DrugForm.RACEMATE for one in doses):
        raise _NoSuchCurveError(f"it follows {', '.join(model.species)} only")
    found = simulate_doses(
        model,
        doses,
        weight_kg=np.array([weight_kg]),
        z_iiv=np.zeros((1, model.n_iiv)),
        t_h=t_h,
        analytes=(asked,),
        sites=(there,),
    )
    return found.select(asked, site=there)[0], "; ".join(note for note in notes if note)


def average_models(spread: ModelSpread, *, weights: Mapping[str, float] | None = None) -> AveragedCurve:
    """The weighted average of the curves of a spread.

    ``weights``: of each model of the spread, >= 0, in any scale; equal where none are given. ``kamp2020`` and
    ``kamp2020-linear`` are two readings of one model: together they then weigh as one. Raises SpecError: a weight names
    another model, is below 0 or not finite, or all are 0.
    """
    if weights is None:
        kamps = sum(name.startswith("kamp2020") for name in spread.models)
        raw = {name: 1.0 / kamps if name.startswith("kamp2020") else 1.0 for name in spread.models}
    else:
        unknown = [name for name in weights if name not in spread.models]
        wrong = [name for name, one in weights.items() if not (np.isfinite(one) and one >= 0.0)]
        if unknown or wrong or not sum(weights.values()) > 0.0:
            raise SpecError(
                where="weights",
                got=", ".join(f"{name} {weights[name]}" for name in (unknown or wrong or weights)),
                allowed=f"finite weights of 0 or more, not all 0, for {', '.join(spread.models)}",
            )
        raw = {name: float(weights.get(name, 0.0)) for name in spread.models}
    total = sum(raw.values())
    shares = {name: one / total for name, one in raw.items()}
    curve = np.zeros_like(spread.t_h)
    for name, row in zip(spread.models, spread.conc_ng_per_ml, strict=True):
        curve = curve + shares[name] * row
    return AveragedCurve(t_h=spread.t_h, conc_ng_per_ml=curve, weights=shares, weights_are_equal=weights is None)
