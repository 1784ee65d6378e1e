"""A plan as plain data for programs: its words, and every curve and share as numbers."""

from dataclasses import asdict
from typing import Any

from remission.planner import Plan, Probability
from remission.planner.simulated import ModelsAtSite
from remission.report.plan_sheet import plan_sheet


def plan_numbers(plan: Plan) -> dict[str, Any]:
    """A plan as plain data: its words, and every curve and share as numbers."""
    return {
        **plan_sheet(plan).to_dict(),
        "request": plan.request.to_dict(),
        "total_mg": plan.total_mg,
        "is_printable": plan.is_printable,
        "t_h": plan.t_h.tolist(),
        "quantiles": [0.05, 0.25, 0.5, 0.75, 0.95],
        "curves": [
            {"name": one.name, "site": one.site, "unit": one.unit, "values": one.quantiles.tolist()}
            for one in plan.curves
        ],
        "models": [_models_dict(one) for one in plan.models],
        "measured": [
            {
                **asdict(one.quantity),
                "values": one.quantiles_ng_per_ml.tolist(),
                "peak": {end: getattr(one, f"peak_{end}_ng_per_ml") for end in ("low", "median", "high")},
            }
            for one in plan.measured
        ],
        "share_with_sbp_above_180_mmhg": _chance(plan.p_sbp_above_limit),
        "share_with_dbp_above_110_mmhg": _chance(plan.p_dbp_above_limit),
        "share_with_sbp_rise_above_30_mmhg": _chance(plan.p_sbp_rise_above_limit),
    }


def _models_dict(one: ModelsAtSite) -> dict[str, Any]:
    found = one.spread
    return {
        **asdict(one.quantity),
        "models": [
            {"model": name, "peak": peak, "peak_h": at_h, "rests_on": rests_on, "values": values}
            for name, peak, at_h, rests_on, values in zip(
                found.models, found.peak_ng_per_ml.tolist(), found.peak_h.tolist(), found.rests_on,
                found.conc_ng_per_ml.tolist(), strict=True,
            )
        ],
        "left_out": dict(found.left_out),
        "average": {"weights": dict(one.average.weights), "values": one.average.conc_ng_per_ml.tolist()},
    }  # fmt: skip


def _chance(chance: Probability | None) -> dict[str, float] | None:
    names = ("share", "standard_error", "low", "high")
    return None if chance is None else {name: getattr(chance, name) for name in names}
