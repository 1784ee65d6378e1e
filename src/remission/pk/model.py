"""A pharmacokinetic model as the library states it.

A model is a parameter set with attributes: which species it follows (``s_ket``, ``r_ket`` or racemic ``ket``), where
its plasma was sampled, whether it has metabolites. Typical values and variances are read from it; nothing is typed
here.
"""

from dataclasses import dataclass, replace

from remission.errors import LibraryError, did_you_mean, known_names
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.records.analyte import Analyte, SamplingSite
from remission.records.parameter import ParameterSet

__all__ = ["PkModel", "load_pk_model"]

_OMEGA = "omega2_"
_LINKS = "sampling-links"


@dataclass(frozen=True, slots=True, kw_only=True)
class PkModel:
    """A linear model with its links to other sampling sites.

    parameter_set
        Disposition: volumes, clearances, variances.
    links
        Effect-site delay and venous link.
    """

    parameter_set: ParameterSet
    links: ParameterSet

    @property
    def id(self) -> str:
        """Name of the model in the library."""
        return self.parameter_set.id

    @property
    def iiv_names(self) -> tuple[str, ...]:
        """Parameters that vary between people, in the order of the columns of ``z_iiv``."""
        return tuple(name.removeprefix(_OMEGA) for name in self.parameter_set.ids if name.startswith(_OMEGA))

    @property
    def n_iiv(self) -> int:
        """Columns of ``z_iiv``: parameters that vary between people."""
        return len(self.iiv_names)

    @property
    def species(self) -> tuple[Analyte, ...]:
        """What is followed on its own: the enantiomers, or the racemate as one."""
        return tuple(Analyte.parse(name) for name in self.parameter_set.attribute("species").split())

    @property
    def analytes(self) -> tuple[Analyte, ...]:
        """What can be asked for."""
        parents = self.species
        if {Analyte.S_KET, Analyte.R_KET} <= set(parents):
            parents = (*parents, Analyte.KET)
        metabolites = self.parameter_set.attribute("metabolites").split()
        return (*parents, *(Analyte.parse(name) for name in metabolites))

    @property
    def plasma_site(self) -> SamplingSite:
        """Where the plasma of the source was sampled."""
        return SamplingSite.parse(self.parameter_set.attribute("sampling_site"))

    @property
    def sites(self) -> tuple[SamplingSite, ...]:
        """Sites that can be asked for.

        The effect site and the vein are fed by arterial plasma, so a model of venous plasma has neither.
        """
        plasma = self.plasma_site
        if plasma is SamplingSite.ARTERIAL:
            return (plasma, SamplingSite.VENOUS, SamplingSite.EFFECT)
        return (plasma, SamplingSite.EFFECT) if plasma is SamplingSite.UNSTATED else (plasma,)

    def replace_values(self, **values: float) -> "PkModel":
        """A copy with some values changed, of the disposition or of the links.

        Raises
        ------
        LibraryError
            No parameter has that name.
        """
        for name in values:
            if name not in self.parameter_set and name not in self.links:
                known = [*self.parameter_set.ids, *self.links.ids]
                raise LibraryError(
                    where=f"model '{self.id}'",
                    got=name,
                    allowed="one of its parameters",
                    remedy=did_you_mean(name, known, otherwise=known_names(known)),
                )
        own = {name: value for name, value in values.items() if name in self.parameter_set}
        linked = {name: value for name, value in values.items() if name in self.links}
        return replace(
            self, parameter_set=self.parameter_set.replace_values(**own), links=self.links.replace_values(**linked)
        )


def load_pk_model(name: str = "simons2022") -> PkModel:
    """The pharmacokinetic model of that name.

    Raises
    ------
    LibraryError
        No such model; the message names the nearest.

    Examples
    --------
    >>> model = load_pk_model()
    >>> model.plasma_site.value, model.n_iiv
    ('arterial', 8)
    """
    known = [known for known in list_parameter_sets() if "species" in load_parameter_set(known).attributes]
    if name not in known:
        raise LibraryError(
            where="pharmacokinetic model",
            got=name,
            allowed=f"one of {', '.join(known)}",
            remedy=did_you_mean(name, known),
        )
    return PkModel(parameter_set=load_parameter_set(name), links=load_parameter_set(_LINKS))
