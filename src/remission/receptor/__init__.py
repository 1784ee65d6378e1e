"""From concentration to receptor occupancy and the acute effects of a session."""

from remission.receptor.dissociation import cadss_per_vas, simulate_vas
from remission.receptor.occupancy import OccupancyBand, simulate_occupancy
from remission.receptor.pressure import PRESSURES, simulate_pressure_rise
from remission.receptor.saturation import saturation

__all__ = [
    "PRESSURES",
    "OccupancyBand",
    "cadss_per_vas",
    "saturation",
    "simulate_occupancy",
    "simulate_pressure_rise",
    "simulate_vas",
]
