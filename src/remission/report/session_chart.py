"""One dosing session: concentrations by analyte and site, the experience, blood pressure, over simulated people."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.receptor import OccupancyBand
from remission.records.parameter import ParameterSet
from remission.records.treatment import Infusion
from remission.report.chart import Chart, Table, told
from remission.report.look import DASHES, INK, QUIET, RULE, drawing, finish
from remission.session.curves import sample_session_curves
from remission.shapes import Float
from remission.units import hours_to_minutes

_N_PEOPLE = 400
_HOURS = 4.0
_SHOWN = (
    ("ket", "arterial", "ketamine, arterial plasma", "#3d35a0", "-"),
    ("ket", "effect", "ketamine, effect site", "#2a78b8", DASHES["long"]),
    ("ket", "venous", "ketamine, venous (link fitted here)", "#6a6f7a", DASHES["short"]),
    ("s_nk", "arterial", "S-norketamine, arterial plasma", "#9a6a10", DASHES["mixed"]),
)


class _Band(NamedTuple):
    low: Float[np.ndarray, " time"]
    middle: Float[np.ndarray, " time"]
    high: Float[np.ndarray, " time"]


def _band(values: Float[np.ndarray, "subject time"]) -> _Band:
    return _Band(*np.quantile(values, [0.05, 0.5, 0.95], axis=0))


PANELS = ("concentration", "occupancy", "experience", "pressure")
"""What can be drawn of a session."""


def session_chart(protocol: Protocol, *, seed: int, panels: Sequence[str] = PANELS) -> Chart | None:
    """The first ketamine infusion of the protocol in 400 of its people; None where no dose is one infusion.

    ``panels``: which of :data:`PANELS` to draw, two in a row.
    """
    found = _first_infusion(protocol)
    if found is None:
        return None
    pharmacology = pharmacology_of(protocol)
    # Steps of 1/32 h are exact in binary: equal steps share one matrix exponential.
    t_h = np.union1d(np.arange(0.0, _HOURS + 1e-9, 1.0 / 32.0), [found.duration_h])
    curves = sample_session_curves(
        found, protocol.population, n_people=_N_PEOPLE, seed=seed, t_h=t_h, pharmacology=pharmacology
    )
    # A model of the reader's own may have no metabolite.
    found_series = {(one.analyte, one.sampling_site) for one in curves.concentrations.series}
    bands = {(a, s): _band(curves.concentrations.select(a, site=s)) for a, s, *_ in _SHOWN if (a, s) in found_series}
    vas, sbp, dbp = _band(curves.vas), _band(curves.sbp_mmhg), _band(curves.dbp_mmhg)
    minutes = hours_to_minutes(curves.t_h)
    length = hours_to_minutes(found.duration_h)
    dose = f"{found.amount_text} over {length:g} min"
    n_columns = min(2, len(panels))
    n_rows = -(-len(panels) // n_columns)
    with drawing():
        figure = Figure(figsize=(5.1 * max(n_columns, 2), 3.3 * n_rows), layout="constrained")
        places = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for axes in places[len(panels) :]:
            axes.remove()
        for axes, panel in zip(places, panels, strict=False):
            if panel == "concentration":
                _draw_concentrations(axes, minutes, bands)
            elif panel == "occupancy":
                _draw_occupancy(axes, minutes, curves.occupancy, pharmacology.binding)
            elif panel == "experience":
                _draw(axes, minutes, vas, "drug high", "#8a3b74", "-")
                finish(axes, x="minutes from the start", y="VAS, 0 to 100", title="Experience")
                axes.set_ylim(0.0, 100.0)
            else:
                _draw(axes, minutes, sbp, "systolic", "#a33b2e", "-")
                _draw(axes, minutes, dbp, "diastolic", "#6a6f7a", (0, (4, 1.5)))
                finish(axes, x="minutes from the start", y="rise, mmHg (interim model)", title="Blood pressure")
                axes.legend(loc="upper right")
            axes.axvspan(0.0, length, color=INK, alpha=0.05, linewidth=0.0)
            axes.set_xlim(0.0, hours_to_minutes(_HOURS))
            axes.set_xticks(np.arange(0.0, hours_to_minutes(_HOURS) + 1.0, 60.0))
            axes.set_ylim(bottom=0.0)
            if axes is figure.axes[0]:
                axes.annotate(
                    "infusion", (length / 2.0, 1.0), (0, -10), xycoords=("data", "axes fraction"),
                    textcoords="offset points", ha="center", color=QUIET, fontsize=7.5,
                )  # fmt: skip
    at_end = int(np.searchsorted(curves.t_h, found.duration_h))
    end = bands["ket", "arterial"].middle[at_end]
    venous = bands["ket", "venous"].middle[at_end]
    # A dose can be so small that no number holds what is left of it.
    above = f"{100.0 * (end / venous - 1.0):.0f}% more" if venous > 0.0 else "no more"
    return Chart(
        name="session",
        title=f"One session of {dose}: half of the simulated people pass {end:.0f} ng/mL in arterial plasma at its end",
        **told("session", n_people=_N_PEOPLE, above=above),
        figure=figure,
        table=_table(minutes, bands, vas, sbp, dbp),
    )


def _table(
    minutes: Float[np.ndarray, " time"], bands: dict[tuple[str, str], _Band], vas: _Band, sbp: _Band, dbp: _Band
) -> Table:
    """Median, and the 5th and 95th percentile of people, every tenth time."""

    def cell(band: _Band, i: int) -> str:
        return f"{band.middle[i]:z.0f} ({band.low[i]:z.0f} to {band.high[i]:z.0f})"

    return Table(
        columns=(
            "minutes",
            *(f"{label} (ng/mL), median (90% of people)" for a, s, label, *_ in _SHOWN if (a, s) in bands),
            "drug high (VAS)",
            "systolic rise (mmHg)",
            "diastolic rise (mmHg)",
        ),
        rows=[
            [
                f"{minutes[i]:.0f}",
                *(cell(band, i) for band in bands.values()),
                *(cell(band, i) for band in (vas, sbp, dbp)),
            ]
            for i in range(0, minutes.size, 10)
        ],
    )


def _draw_concentrations(axes: Axes, minutes: Float[np.ndarray, " time"], bands: dict[tuple[str, str], _Band]) -> None:
    for analyte, site, label, color, dash in _SHOWN:
        if (analyte, site) in bands:
            _draw(axes, minutes, bands[analyte, site], label, color, dash)
    finish(axes, x="minutes from the start", y="ng/mL", title="Concentration")
    axes.legend(loc="upper right")


def _draw_occupancy(
    axes: Axes, minutes: Float[np.ndarray, " time"], band: OccupancyBand, binding: ParameterSet
) -> None:
    """The envelope over published affinities and unbound fractions, for the median person: hatched, never one line."""
    low, high = (100.0 * np.median(edge, axis=0) for edge in (band.low, band.high))
    axes.fill_between(minutes, low, high, facecolor="none", edgecolor=RULE, hatch="////", linewidth=0.6)
    note_at = int(np.searchsorted(minutes, 150.0))
    for constant, occupancy in zip(band.constants, band.occupancy, strict=True):
        middle = 100.0 * np.median(occupancy, axis=0)
        axes.plot(minutes, middle, color=QUIET, linewidth=1.0)
        note = f"K = {binding.value(constant):g} {binding[constant].unit}"
        place = (150.0, float(middle[note_at]))
        axes.annotate(note, place, (0, 3), textcoords="offset points", fontsize=7.5, color=INK)
    axes.set_ylim(0.0, 100.0)
    finish(axes, x="minutes from the start", y="% of NMDA receptors", title="Occupancy: a band, constants disagree")


def _first_infusion(protocol: Protocol) -> Infusion | None:
    used = [arm.drug for arm in protocol.arms if arm.drug is not None]
    courses = [protocol.drugs[name] for name in used if protocol.drugs[name].drug == "racemic-ketamine"]
    plain = [one for course in courses for one in course.infusions if one.is_plain]
    return plain[0] if plain else None


def _draw(axes: Axes, minutes: Float[np.ndarray, " time"], band: _Band, label: str, color: str, dash: object) -> None:
    axes.fill_between(minutes, band.low, band.high, color=color, alpha=0.13, linewidth=0.0)
    axes.plot(minutes, band.middle, color=color, linestyle=dash, label=label)
