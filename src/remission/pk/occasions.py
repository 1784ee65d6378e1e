"""One person on another day: variability between occasions.

Equation, for a parameter of one person: ``value = own value * exp(sqrt(omega2_iov) z)``, with a new ``z`` for each
occasion; an occasion is one request, that is one session.

Variances are printed for the film and for metabolites (Simons 2022), and for nothing else. For the clearance of
ketamine the library holds 0, so that a sensitivity analysis has a place::

    load_occasions(model).replace_values(omega2_iov_cl=0.02)
"""

from dataclasses import replace

import numpy as np

from remission.errors import SpecError
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.numerics.elementary import exp
from remission.pk.individuals import PkIndividuals
from remission.pk.model import PkModel
from remission.records.parameter import ParameterSet
from remission.shapes import Float

_OMEGA = "omega2_iov_"
_METABOLITES = {"nk_mtt": "nk_mtt_h", "hnk_v2": "hnk_v2_l", "hnk_cl": "hnk_cl_l_per_h"}


def load_occasions(model: PkModel) -> ParameterSet:
    """The variances between occasions of a model: its own, or one of clearance that is 0."""
    own = f"{model.id}-occasions"
    return load_parameter_set(own if own in list_parameter_sets() else "occasions")


def iov_names(occasions: ParameterSet) -> tuple[str, ...]:
    """What varies between occasions, in the order of the columns of ``z_iov``."""
    return tuple(name.removeprefix(_OMEGA) for name in occasions.ids if name.startswith(_OMEGA))


class Occasion:
    """The factors of one occasion for a batch of people.

    ``occasions``: variances, from :func:`load_occasions`. ``z_iov``: standard normals, columns as :func:`iov_names`;
    None for the person's own mean. [dimensionless] ``n_subject``: people. Raises SpecError: ``z_iov`` has another shape
    or is not finite.
    """

    def __init__(
        self, occasions: ParameterSet, z_iov: Float[np.ndarray, "subject iov"] | None, *, n_subject: int
    ) -> None:
        names = iov_names(occasions)
        if z_iov is not None and (z_iov.shape != (n_subject, len(names)) or not np.all(np.isfinite(z_iov))):
            raise SpecError(
                where="z_iov",
                got=f"shape {z_iov.shape}",
                allowed=f"finite numbers of shape ({n_subject}, {len(names)}), columns {', '.join(names)}",
            )
        self._ones = np.ones(n_subject)
        self._factors = {
            name: exp(np.sqrt(occasions.value(f"{_OMEGA}{name}")) * z_iov[:, column])
            for column, name in enumerate(names)
            if z_iov is not None
        }

    def factor(self, name: str) -> Float[np.ndarray, " subject"]:
        """What this occasion does to one parameter; 1 for one that does not vary. [dimensionless]"""
        return self._factors.get(name, self._ones)

    def of(self, individuals: PkIndividuals) -> PkIndividuals:
        """The people on this occasion; the very same ones when nothing varies."""
        if not self._factors:
            return individuals
        metabolites = individuals.metabolites
        if metabolites is not None:
            changed = {own: getattr(metabolites, own) * self.factor(name) for name, own in _METABOLITES.items()}
            metabolites = replace(metabolites, **changed)
        return replace(individuals, cl_l_per_h=individuals.cl_l_per_h * self.factor("cl"), metabolites=metabolites)
