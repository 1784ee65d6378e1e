"""What an infusion does to simulated people of one weight. Research simulation, not for patient care."""

from remission.planner.plan import Curve, Plan, Probability, plan_infusion
from remission.planner.request import PlannedInfusion, PlanRequest, list_presets, preset_infusions

__all__ = [
    "Curve",
    "Plan",
    "PlanRequest",
    "PlannedInfusion",
    "Probability",
    "list_presets",
    "plan_infusion",
    "preset_infusions",
]
