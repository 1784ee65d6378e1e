"""Pharmacokinetic parameters of each person, from body weight and standard normals.

Equation, for a parameter with typical value ``tv`` at the reference weight::

    value_i = tv * (weight_i / reference_weight) ** exponent * exp(sqrt(omega2) * z_i)

with the clearance exponent for clearances and flows, the volume exponent for volumes, and none for transit times and
for what the model's attribute ``unscaled`` names. Where a covariance is printed, ``z`` is correlated by the Cholesky
factor of the variances.
R-ketamine has the clearance of S-ketamine times a fixed ratio and shares everything else.

Assumptions: log-normal variability, without correlation where none is printed; one ``z`` for both enantiomers; no
effect of age, sex, liver or substance on kinetics. There is no randomness here: the caller draws ``z``.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.numerics.elementary import exp, log
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.shapes import Bool, Float

UG_PER_MG = 1000.0
"""Doses come in mg; amounts inside the models are ug."""

_LN2 = 0.6931471805599453
_COVARIANCE = "cov."

_Subject = Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaboliteIndividuals:
    """Norketamine (``nk``) and hydroxynorketamine (``hnk``) of each person; the names are those of the library.

    A model without hydroxynorketamine has no delay either: its clearance forms norketamine at once, and the fields of
    both hold 0.
    """

    has_hydroxynorketamine: bool
    nk_mtt_h: _Subject
    nk_fraction: _Subject
    nk_v1_l: _Subject
    nk_v2_l: _Subject
    nk_cl_l_per_h: _Subject
    nk_q_l_per_h: _Subject
    hnk_mtt_h: _Subject
    hnk_fraction: _Subject
    hnk_v1_l: _Subject
    hnk_v2_l: _Subject
    hnk_cl_l_per_h: _Subject
    hnk_q_l_per_h: _Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class PkIndividuals:
    """Parameters of a batch of people under one model.

    ``cl_l_per_h``: clearance of each species of the model. [L/h] ``v1_l``, ``v_l``, ``q_l_per_h``: central volume,
    peripheral volumes [L] and the flows to them [L/h]. ``ke0_per_h``: rate of the effect site. [1/h]
    ``venous_fast_fraction``, ``venous_rate_per_h``: the provisional venous link. ``is_extrapolated``: the weight lies
    outside the people the model was fitted to. ``metabolites``: parameters of the metabolites, or none.
    """

    model: PkModel
    weight_kg: _Subject
    cl_l_per_h: Float[np.ndarray, "species subject"]
    v1_l: _Subject
    v_l: Float[np.ndarray, "peripheral subject"]
    q_l_per_h: Float[np.ndarray, "peripheral subject"]
    ke0_per_h: _Subject
    venous_fast_fraction: float
    venous_rate_per_h: _Subject
    is_extrapolated: Bool[np.ndarray, " subject"]
    metabolites: MetaboliteIndividuals | None

    @property
    def n_subject(self) -> int:
        """People in the batch."""
        return int(self.weight_kg.size)

    def species_index(self, analyte: Analyte) -> int:
        """Row of ``cl_l_per_h`` of a species."""
        return self.model.species.index(analyte)

    def take(self, rows: slice) -> "PkIndividuals":
        """The people of some rows."""
        metabolites = self.metabolites
        if metabolites is not None:
            metabolites = _take(metabolites, rows)
        return replace(_take(self, rows), metabolites=metabolites)


_Batch = TypeVar("_Batch", MetaboliteIndividuals, PkIndividuals)


def _take(batch: _Batch, rows: slice) -> _Batch:
    arrays = {field.name: getattr(batch, field.name) for field in fields(batch)}
    changes: dict[str, Any] = {name: a[..., rows] for name, a in arrays.items() if isinstance(a, np.ndarray)}
    return replace(batch, **changes)


class _Scaled:
    """Typical values of one parameter set, scaled to each person."""

    def __init__(self, model: PkModel, weight_kg: _Subject, z_iiv: Float[np.ndarray, "subject iiv"]) -> None:
        self.values = model.parameter_set
        self.log_ratio = log(weight_kg / self.values.value("reference_weight_kg"))
        self.by_clearance = exp(self.values.value("exponent_clearance") * self.log_ratio)
        self.by_volume = exp(self.values.value("exponent_volume") * self.log_ratio)
        self.ones = np.ones_like(weight_kg)
        self.z = correlated_normals(model, z_iiv)
        self.unscaled = frozenset(model.parameter_set.attributes.get("unscaled", "").split())

    def clearance(self, parameter_id: str) -> _Subject:
        return self._by_weight(parameter_id, self._varied(parameter_id, "_l_per_h"), self.by_clearance)

    def volume(self, parameter_id: str) -> _Subject:
        return self._by_weight(parameter_id, self._varied(parameter_id, "_l"), self.by_volume)

    def _by_weight(self, parameter_id: str, varied: _Subject, usual: _Subject) -> _Subject:
        own = f"exponent.{parameter_id}"
        if own in self.values:
            return varied * exp(self.values.value(own) * self.log_ratio)
        return varied if parameter_id in self.unscaled else varied * usual

    def transit(self, parameter_id: str) -> _Subject:
        return self._varied(parameter_id, "_h")

    def _varied(self, parameter_id: str, suffix: str) -> _Subject:
        name = parameter_id.removesuffix(suffix)
        typical = self.values.value(parameter_id) * self.ones
        if name not in self.z:
            return typical
        return typical * exp(np.sqrt(self.values.value(f"omega2_{name}")) * self.z[name])

    def constant(self, parameter_id: str) -> _Subject:
        return self.values.value(parameter_id) * self.ones


def correlated_normals(model: PkModel, z_iiv: Float[np.ndarray, "subject iiv"]) -> dict[str, _Subject]:
    """Standard normals of each varying parameter, correlated where the model states a covariance of the logs.

    A parameter named ``cov.A.B`` is the covariance of A and B. The factor is Cholesky's, row by row; a parameter
    without a covariance keeps its own normal.

    Raises SpecError: the covariances are no covariance matrix, or one names a parameter that does not vary.
    """
    names, values = model.iiv_names, model.parameter_set
    found: dict[str, _Subject] = {name: z_iiv[:, column] for column, name in enumerate(names)}
    stated = {}
    for name in values.ids:
        if name.startswith(_COVARIANCE):
            pair = tuple(name.removeprefix(_COVARIANCE).split("."))
            if len(pair) != 2 or not set(pair) <= set(names) or pair[0] == pair[1]:
                raise SpecError(
                    where=name, got=name, allowed=f"cov.A.B with A and B two of {', '.join(names)}, which vary"
                )
            scale = math.sqrt(values.value(f"omega2_{pair[0]}") * values.value(f"omega2_{pair[1]}"))
            stated[frozenset(pair)] = values.value(name) / scale if scale > 0.0 else math.inf
    if not stated:
        return found
    rows: list[list[float]] = []
    for index, name in enumerate(names):
        row: list[float] = []
        for column, other in enumerate(names[:index]):
            known = stated.get(frozenset((name, other)), 0.0)
            rest = known - sum(a * b for a, b in zip(row, rows[column], strict=False))
            row.append(rest / rows[column][column])
        left = 1.0 - sum(a * a for a in row)
        if not left > 0.0:
            raise SpecError(
                where=f"{model.id}: covariance of {name}",
                got=f"correlations {', '.join(f'{one:.3g}' for one in stated.values())}",
                allowed="a positive definite matrix: no covariance as large as the two standard deviations allow",
            )
        rows.append([*row, math.sqrt(left)])
    for index, name in enumerate(names):
        if any(rows[index][:index]):
            total = rows[index][index] * z_iiv[:, index]
            for column in range(index):
                total = total + rows[index][column] * z_iiv[:, column]
            found[name] = total
    return found


def individual_parameters(
    model: PkModel,
    *,
    weight_kg: Float[np.ndarray, " subject"],
    z_iiv: Float[np.ndarray, "subject iiv"],
    with_metabolites: bool = True,
) -> PkIndividuals:
    """Each person's parameters.

    ``model``: from :func:`~remission.pk.model.load_pk_model`. ``z_iiv``: standard normals, columns as
    ``model.iiv_names``; zeros give the typical person. [dimensionless] ``with_metabolites``: whether those of
    metabolites are worked out, where the model has them. Raises SpecError: a weight no adult model covers, or
    ``z_iiv`` of another shape or not finite.
    """
    _check(model, weight_kg, z_iiv)
    scaled = _Scaled(model, weight_kg, z_iiv)
    values = model.parameter_set
    v1, v, cl, q = _micro(scaled) if "v1_l_per_kg" in values else _macro(scaled)
    half_life = model.links.value("effect_half_life_h")
    if not half_life > 0.0:
        raise SpecError(
            where="effect_half_life_h",
            got=f"{half_life!r} h",
            allowed="more than 0 h",
            remedy="Use 0.001 h for no delay.",
        )
    ratios = [values.value("cl_ratio_r_ket") if species is Analyte.R_KET else 1.0 for species in model.species]
    if "population_weight_kg" in values:
        known = values["population_weight_kg"]
        outside = (weight_kg < (known.low or 0.0)) | (weight_kg > (known.high or np.inf))
    else:
        outside = np.zeros(weight_kg.shape, dtype=bool)
    return PkIndividuals(
        model=model,
        weight_kg=weight_kg,
        cl_l_per_h=np.stack([ratio * cl for ratio in ratios]),
        v1_l=v1,
        v_l=v,
        q_l_per_h=q,
        ke0_per_h=_LN2 / half_life * scaled.ones,
        venous_fast_fraction=model.links.value("venous_fast_fraction"),
        venous_rate_per_h=model.links.value("venous_rate_per_h") * scaled.ones,
        is_extrapolated=outside,
        metabolites=_metabolites(scaled, v1) if with_metabolites and "nk_cl_l_per_h" in values else None,
    )


def _check(model: PkModel, weight_kg: _Subject, z_iiv: Float[np.ndarray, "subject iiv"]) -> None:
    if model.parameter_set.attribute("structure") != "mammillary":
        raise SpecError(
            where="model",
            got=model.id,
            allowed="a model whose compartments all hang on the central one",
            remedy="Use simulate_doses(), which knows the structure of every model.",
        )
    check_people(model, weight_kg=weight_kg, z_iiv=z_iiv)


def check_people(model: PkModel, *, weight_kg: _Subject, z_iiv: Float[np.ndarray, "subject iiv"]) -> None:
    """Refuse weights of no adult, and normals that do not fit the model.

    Raises SpecError: a weight no adult model covers, or ``z_iiv`` of another shape or not finite.
    """
    limits = load_parameter_set("dosing-limits")
    low, high = limits.value("min_weight_kg"), limits.value("max_weight_kg")
    inside = (weight_kg >= low) & (weight_kg <= high)
    if not np.all(inside):
        first = int(np.argmin(inside))
        raise SpecError(
            where=f"weight_kg[{first}]",
            got=f"{weight_kg[first]!s} kg",
            allowed=f"an adult's weight, {low:g} to {high:g} kg",
        )
    if z_iiv.shape != (weight_kg.size, model.n_iiv) or not np.all(np.isfinite(z_iiv)):
        raise SpecError(
            where="z_iiv",
            got=f"shape {z_iiv.shape}",
            allowed=f"finite numbers of shape ({weight_kg.size}, {model.n_iiv}), columns {', '.join(model.iiv_names)}",
        )


def _macro(scaled: _Scaled) -> tuple[_Subject, np.ndarray, _Subject, np.ndarray]:
    numbers = [number for number in (2, 3) if f"v{number}_l" in scaled.values]
    return (
        scaled.volume("v1_l"),
        np.stack([scaled.volume(f"v{number}_l") for number in numbers]),
        scaled.clearance("cl_l_per_h"),
        np.stack([scaled.clearance(f"q{number}_l_per_h") for number in numbers]),
    )


def _micro(scaled: _Scaled) -> tuple[_Subject, np.ndarray, _Subject, np.ndarray]:
    # Constants are fixed and V1 is per kg: CL = k10 V1, Q = k1j V1, Vj = k1j V1 / kj1, all in proportion to weight.
    values = scaled.values
    v1_typical = values.value("v1_l_per_kg") * values.value("reference_weight_kg")
    numbers = [number for number in (2, 3) if f"k1{number}_per_h" in values]
    flows = [values.value(f"k1{number}_per_h") * v1_typical for number in numbers]
    volumes = [flow / values.value(f"k{number}1_per_h") for flow, number in zip(flows, numbers, strict=True)]
    return (
        v1_typical * scaled.by_volume,
        np.stack([volume * scaled.by_volume for volume in volumes]),
        values.value("k10_per_h") * v1_typical * scaled.by_clearance,
        np.stack([flow * scaled.by_clearance for flow in flows]),
    )


def _metabolites(scaled: _Scaled, v1: _Subject) -> MetaboliteIndividuals:
    has_hnk = "hnk_cl_l_per_h" in scaled.values
    nothing = np.zeros_like(v1)
    return MetaboliteIndividuals(
        has_hydroxynorketamine=has_hnk,
        nk_mtt_h=scaled.transit("nk_mtt_h") if has_hnk else nothing,
        nk_fraction=scaled.constant("nk_fraction"),
        # Without a volume of its own norketamine shares that of ketamine.
        nk_v1_l=scaled.volume("nk_v1_l") if "nk_v1_l" in scaled.values else v1,
        nk_v2_l=scaled.volume("nk_v2_l"),
        nk_cl_l_per_h=scaled.clearance("nk_cl_l_per_h"),
        nk_q_l_per_h=scaled.clearance("nk_q_l_per_h"),
        hnk_mtt_h=scaled.transit("hnk_mtt_h") if has_hnk else nothing,
        hnk_fraction=scaled.constant("hnk_fraction") if has_hnk else nothing,
        hnk_v1_l=scaled.volume("hnk_v1_l") if has_hnk else nothing,
        hnk_v2_l=scaled.volume("hnk_v2_l") if has_hnk else nothing,
        hnk_cl_l_per_h=scaled.clearance("hnk_cl_l_per_h") if has_hnk else nothing,
        hnk_q_l_per_h=scaled.clearance("hnk_q_l_per_h") if has_hnk else nothing,
    )
