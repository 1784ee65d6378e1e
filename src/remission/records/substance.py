"""The substances the program knows."""

from enum import StrEnum

__all__ = ["Substance"]


class Substance(StrEnum):
    """The six substances the program knows."""

    ALCOHOL = "alcohol"
    COCAINE = "cocaine"
    OPIOID = "opioid"
    NICOTINE = "nicotine"
    CANNABIS = "cannabis"
    METHAMPHETAMINE = "methamphetamine"
