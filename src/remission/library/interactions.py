"""Drugs, conditions and genes that change what ketamine does: ratios with their grade, and texts for people.

``pharmacology/interactions.toml`` holds the texts; the numbers are parameters of ``interaction-ratios``. Kinetic ones
change concentrations and can be simulated (:mod:`remission.pk.interactions`); dynamic ones are text only, because no
number of theirs is sourced.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from remission.errors import LibraryError, check_known
from remission.library.loader import load_parameter_set, read_library_toml
from remission.records.parameter import Parameter

__all__ = ["Interaction", "load_interaction", "load_interactions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One interaction.

    kind
        ``kinetic`` changes concentrations, ``dynamic`` changes effects.
    effect
        What was found, without a full stop.
    sources
        Keys of the references.
    is_contested
        Sources disagree or nobody was randomized; left out of a simulation unless asked for.
    is_refused
        Nothing that could be simulated is sourced.
    advice
        What to do about it, for the planner.
    is_depressant
        Adds to sedation and to slow breathing.
    """

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
        numbers, name = load_parameter_set("interaction-ratios"), f"{kind}.{self.id}"
        if name not in numbers:
            return None
        return numbers[name]


def load_interactions() -> tuple[Interaction, ...]:
    """All interactions, kinetic ones first.

    Examples
    --------
    >>> [one.id for one in load_interactions() if one.kind == "kinetic" and one.auc_iv is not None]
    ['rifampicin']
    """
    return _interactions()


def load_interaction(name: str) -> Interaction:
    """The interaction of that name.

    Raises
    ------
    LibraryError
        There is none; the message names those there are.
    """
    known = {one.id: one for one in _interactions()}
    check_known(name, known, where="interaction", error=LibraryError)
    return known[name]


@cache
def _interactions() -> tuple[Interaction, ...]:
    rows = read_library_toml(files("remission.library") / "pharmacology" / "interactions.toml")["interaction"]
    return tuple(
        Interaction(
            id=row["id"],
            title=row["title"],
            kind=row["kind"],
            effect=row["effect"],
            sources=tuple(row["sources"]),
            is_contested=row.get("contested", False),
            is_refused=row.get("refused", False),
            advice=row.get("advice", ""),
            is_depressant=row.get("depressant", False),
        )
        for row in rows
    )
