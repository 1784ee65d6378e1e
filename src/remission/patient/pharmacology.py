"""The pharmacology of a patient as one value: kinetics, binding, acute effects, and what a session hands on."""

from dataclasses import dataclass, replace

from remission.errors import LibraryError, did_you_mean, known_names
from remission.library.loader import load_parameter_set
from remission.pk import DEFAULT_PK_MODEL, PkModel, list_pk_models, load_pk_model, with_both_forms
from remission.records.analyte import Analyte, SamplingSite
from remission.records.parameter import ParameterSet

__all__ = ["Pharmacology", "load_pharmacology"]

_OWN = ("effects", "binding", "exposure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pharmacology:
    """Every number behind a session.

    pk
        Kinetic model with its links.
    effects, binding, exposure
        Acute effects, NMDA binding, and the exposure handed to the clock of days.
    """

    pk: PkModel
    effects: ParameterSet
    binding: ParameterSet
    exposure: ParameterSet

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

        Raises
        ------
        LibraryError
            No parameter has that name.
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
    if pk_model not in list_pk_models():
        # A name may come from a page; a path that came from there would be read.
        raise LibraryError(
            where="pharmacokinetic model",
            got=pk_model,
            allowed=f"one of {', '.join(list_pk_models())}",
            remedy="A model file is added by add_pk_model(load_pk_model(path)).",
        )
    pk = load_pk_model(pk_model)
    if SamplingSite.EFFECT in pk.sites:
        pk = with_both_forms(pk)
    if Analyte.KET not in pk.analytes or Analyte.S_KET not in pk.species or SamplingSite.EFFECT not in pk.sites:
        raise LibraryError(
            where="pharmacology",
            got=pk_model,
            allowed="a kinetic model with an effect site, such as pk-2026: a model of venous plasma has none",
            remedy="Other models of the library can be run with simulate_concentrations().",
        )
    return Pharmacology(
        pk=pk,
        effects=load_parameter_set("acute-effects"),
        binding=load_parameter_set("nmda-binding"),
        exposure=load_parameter_set("session-exposure"),
    )
