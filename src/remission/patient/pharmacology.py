"""The pharmacology of a patient as one value: kinetics, binding, acute effects, and what a session hands on."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from remission.errors import LibraryError, SpecError, did_you_mean, known_names
from remission.library.loader import load_parameter_set
from remission.pk import (
    DEFAULT_PK_MODEL,
    PkModel,
    list_library_models,
    list_pk_models,
    load_pk_model,
    parse_pk_model,
    with_both_forms,
)
from remission.pk.model import is_pk_model
from remission.records.analyte import Analyte, SamplingSite
from remission.records.parameter import ParameterSet, columns_of_parameters
from remission.records.result import Result

if TYPE_CHECKING:
    from remission.protocol.fields import ProtocolFields

__all__ = ["Pharmacology", "load_pharmacology", "pharmacology_of"]

_OWN = ("effects", "binding", "exposure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pharmacology(Result):
    """Every number behind a session.

    ``pk``: kinetic model with its links. ``effects``, ``binding``, ``exposure``: acute effects, NMDA binding, and the
    exposure handed to the clock of days.
    """

    pk: PkModel
    effects: ParameterSet
    binding: ParameterSet
    exposure: ParameterSet

    def columns(self) -> dict[str, Any]:
        """One row a number."""
        return columns_of_parameters(*self.parameter_sets)

    @property
    def n_iiv(self) -> int:
        """Columns of ``z_iiv``."""
        return self.pk.n_iiv

    @property
    def parameter_sets(self) -> tuple[ParameterSet, ...]:
        """All sets, for the record of a run and its list of sources."""
        return (self.pk.parameter_set, self.pk.links, self.effects, self.binding, self.exposure)

    def replace_values(self, **values: float) -> "Pharmacology":
        """A copy with some values changed, wherever they live; for sensitivity analyses.

        Raises LibraryError: no parameter has that name.
        """
        ids = [name for found in self.parameter_sets for name in found.ids]
        for name in values:
            if name not in ids:
                raise LibraryError(
                    where="pharmacology",
                    got=name,
                    allowed="one of its parameters",
                    remedy=did_you_mean(name, ids, otherwise=known_names(ids)),
                )
        changed = {
            own: getattr(self, own).replace_values(**{k: v for k, v in values.items() if k in getattr(self, own)})
            for own in _OWN
        }
        kinetic = {k: v for k, v in values.items() if k in self.pk.parameter_set or k in self.pk.links}
        return replace(self, pk=self.pk.replace_values(**kinetic), **changed)


def load_pharmacology(pk_model: str = DEFAULT_PK_MODEL) -> Pharmacology:
    """The library's pharmacology around one kinetic model; one that follows a single form gives both by its one law.

    Raises
    ------
    LibraryError
        No such model, or one without an effect site, which the acute effects need.
    """
    if not is_pk_model(pk_model):
        # A name may come from a page; a path that came from there would be read.
        raise LibraryError(
            where="pharmacokinetic model",
            got=pk_model,
            allowed=f"one of {', '.join(list_pk_models())}",
            remedy="A model file is added by add_pk_model(load_pk_model(path)).",
        )
    return _around(load_pk_model(pk_model), where="pharmacology", got=pk_model)


def pharmacology_of(protocol: "ProtocolFields") -> Pharmacology:
    """The pharmacology of a trial: around the kinetic model that its protocol carries, else the library's.

    Raises SpecError: the text of the model is wrong (each fault has its line), its id is one of the library, or it has
    no effect site.
    """
    return (
        load_pharmacology() if protocol.pk_model is None else _of_file(protocol.pk_model.file, protocol.pk_model.text)
    )


@lru_cache(maxsize=8)
def _of_file(file: str, text: str) -> Pharmacology:
    pk = parse_pk_model(text, name=file)
    known = list_library_models()
    if pk.id in known:
        raise SpecError(
            where=f"{file}: id", got=pk.id, allowed=f"an id that the library does not have: {', '.join(known)}",
            remedy="Write another id into the file.",
        )  # fmt: skip
    try:
        return _around(pk, where=f"{file}: site", got=pk.plasma_site.value)
    except LibraryError as error:
        raise SpecError(where=error.where, got=error.got, allowed=error.allowed, remedy=_NO_EFFECT_SITE) from None


_NO_EFFECT_SITE = (
    "A trial needs the effect site, which arterial plasma of a mammillary model feeds; simulate_doses() takes other "
    "models."
)


def _around(pk: PkModel, *, where: str, got: str) -> Pharmacology:
    if SamplingSite.EFFECT in pk.sites:
        pk = with_both_forms(pk)
    if Analyte.KET not in pk.analytes or Analyte.S_KET not in pk.species or SamplingSite.EFFECT not in pk.sites:
        raise LibraryError(
            where=where,
            got=got,
            allowed="a kinetic model with an effect site, such as pk-2026: a model of venous plasma has none",
            remedy="Other models of the library can be run with simulate_concentrations().",
        )
    return Pharmacology(
        pk=pk,
        effects=load_parameter_set("acute-effects"),
        binding=load_parameter_set("nmda-binding"),
        exposure=load_parameter_set("session-exposure"),
    )
