"""Molar masses by analyte, and what a racemate is."""

from remission.library.loader import load_parameter_set
from remission.records.analyte import Analyte

_COMPOUND = {
    Analyte.S_KET: "ketamine_g_per_mol",
    Analyte.R_KET: "ketamine_g_per_mol",
    Analyte.KET: "ketamine_g_per_mol",
    Analyte.S_NK: "norketamine_g_per_mol",
    Analyte.S_HNK: "hydroxynorketamine_g_per_mol",
}


def molar_mass_g_per_mol(analyte: Analyte | str) -> float:
    """Molar mass of the free base. [g/mol]

    Raises SpecError: no such analyte.

    Examples
    --------
    >>> molar_mass_g_per_mol("s_ket")
    237.73
    """
    return load_parameter_set("molecules").value(_COMPOUND[Analyte.parse(analyte)])


def racemate_s_fraction() -> float:
    """Share of S-ketamine in racemic ketamine, by mass. [dimensionless, 0 to 1]"""
    return load_parameter_set("molecules").value("racemate_s_fraction")
