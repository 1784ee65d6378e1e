"""The infusion planner: totals, probabilities, presets, wrong input."""

import numpy as np
import pytest

from remission.errors import SpecError
from remission.planner import PlanRequest, list_presets, plan_infusion, preset_infusions


def _request(**changes: object) -> PlanRequest:
    given: dict[str, object] = {
        "age_y": 45.0, "weight_kg": 82.0, "sex": "male", "substance": "alcohol", "n_people": 400,
        "infusions": [{"dose": "0.5 mg/kg", "duration": "40 min"}],
    }  # fmt: skip
    return PlanRequest.create(**{**given, **changes})


def test_totals_and_quantiles() -> None:
    """A wrong total is a wrong dose on paper."""
    plan = plan_infusion(_request())
    assert plan.total_mg == pytest.approx(41.0)
    assert all((np.diff(curve.quantiles, axis=0) >= 0.0).all() for curve in plan.curves)


def test_pressure_is_not_made_up() -> None:
    """Without a pressure before the session nothing can be said of 180 mmHg; with a higher one more people pass it."""
    assert plan_infusion(_request()).p_sbp_above_limit is None
    low, high = (plan_infusion(_request(sbp0_mmhg=sbp)).p_sbp_above_limit for sbp in (120.0, 165.0))
    assert low is not None
    assert high is not None
    assert high.share > low.share


def test_presets_come_from_the_protocols() -> None:
    """The preset must be the published dose."""
    assert "kare" in list_presets()
    assert preset_infusions("kare")[0].dose_mg_per_kg == 0.8
    with pytest.raises(SpecError, match="kare"):
        preset_infusions("kair")


@pytest.mark.parametrize(
    "infusions",
    [
        [{"dose": "-0.5 mg/kg", "duration": "40 min"}],
        [{"dose": "0.5 mg/kg", "duration": "0 min"}],
        [{"dose": "40 mg/kg", "duration": "40 min"}],
        [{"dose": "0.5 mg/kg", "duration": "40 min"}, {"dose": "0.5 mg/kg", "duration": "40 min", "start_h": 0.5}],
    ],
)
def test_wrong_infusions_are_refused(infusions: list[dict[str, object]]) -> None:
    """Negative, without duration, mg for mg/kg, overlapping: a message, never a curve."""
    with pytest.raises(SpecError):
        plan_infusion(_request(infusions=infusions))


def test_what_the_model_does_not_know_is_flagged() -> None:
    """A weight outside the model's people and hypertension change no curve, so they must be seen."""
    assert plan_infusion(_request()).flags == ()
    flagged = plan_infusion(_request(weight_kg=200.0, hypertension=True)).flags
    assert [flag.where for flag in flagged] == ["weight", "hypertension"]


def test_time_does_not_go_backwards() -> None:
    """Infusions out of order are more likely a slip than a plan; sorted in silence they would hide it."""
    late, early = ({"dose": "0.2 mg/kg", "duration": "40 min", "start_h": start} for start in (3.0, 0.0))
    assert plan_infusion(_request(infusions=[early, late], n_people=20)).total_mg == pytest.approx(32.8)
    with pytest.raises(SpecError, match="order of time"):
        plan_infusion(_request(infusions=[late, early], n_people=20))
