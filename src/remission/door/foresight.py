"""What is expected of a trial without a result, and why."""

from remission.door.arguments import opened
from remission.foresight import explain, forecast, score

__all__ = ["explain_trial", "forecast_trial", "score_forecast"]

explain_trial = opened(explain.explain_trial)
forecast_trial = opened(forecast.forecast_trial)
score_forecast = opened(score.score_forecast)
