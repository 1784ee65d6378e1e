"""What is measured and where: the two labels no concentration goes without."""

from enum import StrEnum
from typing import Self

from remission.errors import check_known


class _Label(StrEnum):
    @classmethod
    def parse(cls, text: str) -> Self:
        """The member with that text.

        Raises SpecError: there is none; the message names the nearest.
        """
        check_known(text, [member.value for member in cls], where=cls._where())
        return cls(text)

    @classmethod
    def _where(cls) -> str:
        return cls.__name__.lower()


class Analyte(_Label):
    """A substance in blood."""

    S_KET = "s_ket"
    """S-ketamine."""
    R_KET = "r_ket"
    """R-ketamine."""
    KET = "ket"
    """S- and R-ketamine together, whatever was given."""
    S_NK = "s_nk"
    """S-norketamine."""
    S_HNK = "s_hnk"
    """S-hydroxynorketamine, all its forms."""


class SamplingSite(_Label):
    """Where a concentration is, because arterial and venous differ by a third during an infusion."""

    ARTERIAL = "arterial"
    """Arterial plasma."""
    VENOUS = "venous"
    """Plasma of an arm vein."""
    EFFECT = "effect"
    """The effect site: a lagged copy of arterial plasma, not a place in the body."""
    UNSTATED = "unstated"
    """Plasma of a model whose source does not say where it was sampled."""

    @classmethod
    def _where(cls) -> str:
        return "sampling_site"
