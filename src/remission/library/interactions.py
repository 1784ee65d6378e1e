"""Drugs, conditions and genes that change what ketamine does: ratios with their grade, and texts for people.

``pharmacology/interactions.toml`` holds the texts; the numbers are parameters of ``interaction-ratios``. Kinetic ones
change concentrations and can be simulated (:mod:`remission.pk.interactions`); dynamic ones are text only, because no
number of theirs is sourced.
"""

from functools import cache
from typing import Literal

from remission.errors import LibraryError, check_known
from remission.library.loader import load_parameter_set
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.parameter import Parameter


class Interaction(Record):
    """One interaction; ``interactions.toml`` says at its head what the fields mean."""

    id: str
    title: str
    kind: Literal["kinetic", "dynamic"]
    effect: str
    sources: tuple[str, ...]
    is_contested: bool = False
    is_refused: bool = False
    advice: str = ""
    is_depressant: bool = False

    @property
    def can_be_taken(self) -> bool:
        """Whether it is a medicine, food, drug or gene of the person, and not an illness."""
        return self.id not in {"alcohol-dependence", "cirrhosis"}

    @property
    def auc_iv(self) -> Parameter | None:
        """Ratio of areas after a dose into a vein, if one was measured. [dimensionless]"""
        return self._ratio("auc_iv")

    @property
    def auc_oral(self) -> Parameter | None:
        """Ratio of areas after a swallowed dose, if one was measured. [dimensionless]"""
        return self._ratio("auc_oral")

    @property
    def cl_ratio(self) -> Parameter | None:
        """Ratio of clearances, if one was estimated. [dimensionless]"""
        return self._ratio("cl_ratio")

    def _ratio(self, kind: str) -> Parameter | None:
        return load_parameter_set("interaction-ratios").get(f"{kind}.{self.id}")


@cache
def load_interactions() -> tuple[Interaction, ...]:
    """All interactions, kinetic ones first.

    Examples
    --------
    >>> [one.id for one in load_interactions() if one.kind == "kinetic" and one.auc_iv is not None]
    ['rifampicin']
    """
    return tuple(
        Interaction.from_dict(row) for row in packaged_toml("pharmacology", "interactions.toml")["interaction"]
    )


def load_interaction(name: str) -> Interaction:
    """The interaction of that name; a LibraryError that names those there are where there is none."""
    known = {one.id: one for one in load_interactions()}
    check_known(name, known, where="interaction", error=LibraryError)
    return known[name]
