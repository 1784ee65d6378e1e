"""What a session does to simulated people of one weight. Research simulation, not for patient care."""

from remission.planner.bedside import RateChange, change_rates, read_change
from remission.planner.checks import Finding
from remission.planner.compare import Comparison, Difference, RegimenDifferences, compare_regimens
from remission.planner.levels import MeasuredLevel, PlacedLevel, place_levels, read_levels
from remission.planner.plan import NOTICE, Curve, Peak, Plan, PressureLimits, plan_infusion
from remission.planner.reading import read_regimen, read_request, read_search, read_share_inside
from remission.planner.request import PlannedInfusion, PlanRequest, list_presets, preset_infusions, preset_regimen
from remission.planner.search import FoundRegimen, Limit, read_limit, search_regimen
from remission.planner.shares import Probability, ShareDifference

__all__ = [
    "NOTICE",
    "Comparison",
    "Curve",
    "Difference",
    "Finding",
    "FoundRegimen",
    "Limit",
    "MeasuredLevel",
    "Peak",
    "PlacedLevel",
    "Plan",
    "PlanRequest",
    "PlannedInfusion",
    "PressureLimits",
    "Probability",
    "RateChange",
    "RegimenDifferences",
    "ShareDifference",
    "change_rates",
    "compare_regimens",
    "list_presets",
    "place_levels",
    "plan_infusion",
    "preset_infusions",
    "preset_regimen",
    "read_change",
    "read_levels",
    "read_limit",
    "read_regimen",
    "read_request",
    "read_search",
    "read_share_inside",
    "search_regimen",
]
