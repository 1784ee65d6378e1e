"""From concentration to receptor occupancy and the acute effects of a session."""

from remission.receptor.dissociation import (
    Responder,
    cadss_per_vas,
    dissociation_gain,
    simulate_cadss,
    simulate_vas,
)
from remission.receptor.heart_rate import heart_rate_range, simulate_heart_rate_rise
from remission.receptor.occupancy import OccupancyBand, simulate_occupancy
from remission.receptor.pressure import (
    PRESSURES,
    PressureLaw,
    correlated_pressure_z,
    held_from_ng_per_ml,
    simulate_pressure_rise,
)
from remission.receptor.saturation import saturation

__all__ = [
    "PRESSURES",
    "OccupancyBand",
    "PressureLaw",
    "Responder",
    "cadss_per_vas",
    "correlated_pressure_z",
    "dissociation_gain",
    "heart_rate_range",
    "held_from_ng_per_ml",
    "saturation",
    "simulate_cadss",
    "simulate_heart_rate_rise",
    "simulate_occupancy",
    "simulate_pressure_rise",
    "simulate_vas",
]
