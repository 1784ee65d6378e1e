"""Structures of kinetic models, and the one contract by which a new one is added.

A structure says how compartments hang together. Two are built in: ``mammillary`` (compartments around a central one,
with links to the vein and the effect site) and ``hepatoportal``. Another one is an object with four methods, given to
:func:`register_structure` under a name; a model file then names it, and ``simulate_doses()`` runs it::

    class OneCompartment:
        def units(self):
            return {"v1_l": "L", "cl_l_per_h": "L/h"}

        def people(self, model, *, weight_kg, z_iiv): ...  # parameters of each person
        def system(self, people, given, *, model): ...  # Compartments with everything that enters
        def read(self, people, states, analyte): ...  # ng/mL out of the states

A system is linear; what enters it is in ug, rates are 1/h, times h.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from remission.errors import SpecError, did_you_mean
from remission.pk.compartments import Compartments
from remission.pk.given import AbsorbedDose
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.shapes import Float

BUILT_IN: Final = ("mammillary", "hepatoportal")
"""Structures with code of their own in this package."""


class Structure(Protocol):
    """The contract of a structure."""

    def units(self) -> Mapping[str, str]:
        """Parameters that a model of this structure must state, each with its unit."""

    def people(
        self, model: PkModel, *, weight_kg: Float[np.ndarray, " subject"], z_iiv: Float[np.ndarray, "subject iiv"]
    ) -> Any:
        """Parameters of each person, as :meth:`system` and :meth:`read` take them."""

    def system(self, people: Any, given: Sequence[AbsorbedDose], *, model: PkModel) -> Compartments:
        """The compartments of each person with everything that enters them."""

    def read(
        self, people: Any, states: Mapping[str, Float[np.ndarray, "subject time"]], analyte: Analyte
    ) -> Float[np.ndarray, "subject time"]:
        """The plasma concentration of one analyte at the model's site. [ng/mL]"""


_REGISTERED: dict[str, Structure] = {}


def register_structure(name: str, structure: Structure) -> None:
    """Add a structure under a name; the same name again replaces it.

    Raises SpecError: the name is a built-in one, or the object lacks a method of the contract.
    """
    missing = [one for one in ("units", "people", "system", "read") if not callable(getattr(structure, one, None))]
    if name in BUILT_IN or not name.isidentifier() or missing:
        raise SpecError(
            where="structure",
            got=name if not missing else f"{name} without {', '.join(missing)}",
            allowed=f"a new name other than {', '.join(BUILT_IN)}, and an object with units, people, system and read",
        )
    _REGISTERED[name] = structure


def find_structure(name: str) -> Structure:
    """The registered structure of that name.

    Raises SpecError: there is none; the message names the nearest.
    """
    if name not in _REGISTERED:
        known = structure_names()
        raise SpecError(
            where="structure",
            got=name,
            allowed=f"one of {', '.join(known)}",
            remedy=did_you_mean(name, known, otherwise="A new one is added by register_structure()."),
        )
    return _REGISTERED[name]


def structure_names() -> tuple[str, ...]:
    """Names of all structures, built in and registered."""
    return (*BUILT_IN, *_REGISTERED)
