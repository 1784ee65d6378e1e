"""Concentrations that say what and where they are."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from remission.errors import SpecError
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import EvidenceFlag
from remission.records.parameter import Grade
from remission.records.result import Result
from remission.shapes import Float


class Series(NamedTuple):
    """The two labels of one series."""

    analyte: Analyte
    sampling_site: SamplingSite


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentrations(Result):
    """Concentrations of a batch of people over time.

    ``t_h``: times of the session clock. [h] ``series``: analyte and sampling site of each series. ``conc_ng_per_ml``:
    one row a person, one column a series. [ng/mL] ``flags``: what of it lies outside the evidence, or rests on an
    assumption of the caller. ``grades``: the weakest grade behind each series; empty where none was worked out.
    """

    t_h: Float[np.ndarray, " time"]
    series: tuple[Series, ...]
    conc_ng_per_ml: Float[np.ndarray, "subject series time"]
    flags: tuple[EvidenceFlag, ...] = ()
    grades: tuple[Grade, ...] = ()

    def columns(self) -> dict[str, Any]:
        """One row a person, series and time."""
        n, n_series, n_times = self.conc_ng_per_ml.shape
        subject, series, time = (part.ravel() for part in np.indices((n, n_series, n_times)))
        return {
            "subject": subject,
            "analyte": [self.series[k].analyte.value for k in series],
            "sampling_site": [self.series[k].sampling_site.value for k in series],
            "t_h": self.t_h[time],
            "conc_ng_per_ml": self.conc_ng_per_ml.ravel(),
        }

    @property
    def units(self) -> str:
        """Unit of the values."""
        return "ng/mL"

    @property
    def analytes(self) -> tuple[Analyte, ...]:
        """Analytes, each once."""
        return tuple(dict.fromkeys(one.analyte for one in self.series))

    @property
    def sampling_sites(self) -> tuple[SamplingSite, ...]:
        """Sites, each once."""
        return tuple(dict.fromkeys(one.sampling_site for one in self.series))

    def select(
        self, analyte: Analyte | str, *, site: SamplingSite | str | None = None
    ) -> Float[np.ndarray, "subject time"]:
        """One series. [ng/mL]

        Raises SpecError: no site is named (arterial and venous are different quantities), or the series was not
        simulated.
        """
        if site is None:
            raise SpecError(
                where="site",
                got="nothing",
                allowed=f"one of {', '.join(self.sampling_sites)}",
                remedy="Say where: arterial and venous concentrations differ by a third during an infusion.",
            )
        wanted = Series(Analyte.parse(analyte), SamplingSite.parse(site))
        if wanted not in self.series:
            raise SpecError(
                where="series",
                got=f"{wanted.analyte} at {wanted.sampling_site}",
                allowed="one of " + "; ".join(f"{one.analyte} at {one.sampling_site}" for one in self.series),
                remedy="Ask for it in simulate_concentrations().",
            )
        return self.conc_ng_per_ml[:, self.series.index(wanted), :]
