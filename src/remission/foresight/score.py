"""A forecast held against the result: scores of each model, and what was refused as a result.

A number is scored by the log density and the CRPS of the estimate's law, on the scale of the analysis (log for
ratios); a verdict by its probability. For a mixture of normals with weights w, centers m and spreads s::

    CRPS = sum_i w_i A(m_i - y, s_i) - 1/2 sum_ij w_i w_j A(m_i - m_j, hypot(s_i, s_j))
    A(m, s) = 2 s phi(m/s) + m (2 Phi(m/s) - 1)
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remission.analyses.estimate import Z95
from remission.errors import RunError, SpecError
from remission.evidence.standardized import Law
from remission.files import read_json
from remission.foresight.forecast import FORMAT, VERDICTS, law_of_file
from remission.numerics.special_functions import ndtr
from remission.records.result import Result
from remission.shapes import Float

_FIRST_FORMAT = "remission/forecast/1"
_MODELS = ("chain", "baseline", "no effect")
_MAKE = "Make one with: remission forecast PROTOCOL --register."
_Z90 = 1.6448536269514722
_KEYS = ("estimate", "low", "high", "unit", "verdict", "n", "source")
_NUMBERS = ("estimate", "low", "high")
_SOURCE = re.compile(r"\b(10\.\d{4,9}/\S+|PMID:? ?\d{6,9}|NCT\d{8}|ISRCTN\d{8}|ACTRN\d{14})\b", re.IGNORECASE)
_SLACK = 0.02
"""How far, in standard errors, a rounded interval may lie beyond no effect before it contradicts a verdict."""
_CURE = "Give it as --result estimate=-4.1 --result low=-8.0 --result high=-0.2, or --result verdict=helps."


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """The result of a trial as it was published: a number with its interval, a verdict, or both."""

    estimate: float | None
    low: float | None
    high: float | None
    verdict: str
    n: int | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScores(Result):
    """Scores by model: ``log_score`` and ``crps`` of the estimate (None without one), ``probability`` of the verdict.

    ``is_inside``: whether the estimate lies in the 90% of new trials. A log score nearer to 0 is better, a CRPS nearer
    to 0 too.
    """

    forecast: str
    outcome: TrialOutcome
    log_score: dict[str, float | None]
    crps: dict[str, float | None]
    probability: dict[str, float]
    is_inside: dict[str, bool | None]
    says: tuple[str, ...]

    def columns(self) -> dict[str, Any]:
        """One row a model."""
        names = list(self.probability)
        return {
            "model": names,
            **{key: [getattr(self, key)[name] for name in names]
               for key in ("log_score", "crps", "probability", "is_inside")},
        }  # fmt: skip


def read_forecast(path: Path) -> dict[str, Any]:
    """The content of a forecast's file. Raises SpecError: it is none, or of another format."""
    try:
        found = read_json(path, allowed="a forecast")
    except RunError as error:
        raise SpecError(where=error.where, got=error.got, allowed=error.allowed, remedy=_MAKE) from None
    try:
        if found["format"] == _FIRST_FORMAT:
            return _of_first_format(found)
        if found["format"] == FORMAT and set(_MODELS) <= set(found["models"]):
            return found
    except (KeyError, TypeError, AttributeError, ValueError):
        pass
    got = str(found.get("format", "a file without a format"))
    raise SpecError(where=str(path), got=got, allowed=f"a forecast, {FORMAT}, whole", remedy=_MAKE)


def _of_first_format(found: Mapping[str, Any]) -> dict[str, Any]:
    """The two forecasts of November 2026, whose files hold moments and quantiles: normal laws with these moments."""
    primary, beside = found["forecast"]["contrasts"]["hdd-dose"], found["baselines"]
    others = beside["other_trials"]
    wide = (others["quantiles"]["95%"] - others["quantiles"]["5%"]) / (2.0 * _Z90)
    rows = {
        "chain": (primary["mean"]["value"], primary["standard_deviation"], primary["quantiles"],
                  primary["probability_p_below_alpha"]["value"],
                  primary["probability_p_below_alpha_favoring_high"]["value"]),
        "baseline": (others["mean"], wide, others["quantiles"], others["probability_p_below_alpha"],
                     others["probability_p_below_alpha_favoring_high"]),
        "no effect": (0.0, beside["no_effect"]["standard_deviation"], beside["no_effect"]["quantiles"], 0.05, 0.025),
    }  # fmt: skip
    models = {
        name: {
            "mean": mean, "sd": sd, "quantiles": ends, "law": {"center": [mean], "spread": sd},
            "verdict": {"helps": helps, "no difference": 1.0 - said, "harms": said - helps},
        }
        for name, (mean, sd, ends, said, helps) in rows.items()
    }  # fmt: skip
    analysis = {"unit": found["unit"], "is_log": False, "favors_treatment": "smaller", "label": found["contrast"]}
    return {**found, "analysis": analysis, "models": models}


def score_forecast(path: Path, published: Mapping[str, Any] | Sequence[str]) -> ForecastScores:
    """The scores of a forecast, once its trial has a result.

    Parameters
    ----------
    path
        The forecast's file.
    published
        The result, as a mapping or as texts ``name=value``: ``estimate``, ``low`` and ``high`` (95%) in the
        ``unit`` of the forecast, or a ``verdict`` (helps, no difference, harms) with ``n``; always the ``source``, a
        DOI, PMID or registry number.

    Raises
    ------
    SpecError
        The file is no forecast, or the result contradicts itself or lacks something.
    """
    forecast = read_forecast(path)
    analysis = forecast["analysis"]
    outcome = read_outcome(published, analysis, planned=int(forecast["n"]))
    log_score: dict[str, float | None] = {}
    crps: dict[str, float | None] = {}
    inside: dict[str, bool | None] = {}
    probability = {}
    for name, model in forecast["models"].items():
        probability[name] = float(model["verdict"][outcome.verdict])
        if outcome.estimate is None:
            log_score[name], crps[name], inside[name] = None, None, None
            continue
        value = float(np.log(outcome.estimate)) if analysis["is_log"] else outcome.estimate
        law = law_of_file(model["law"])
        log_score[name], crps[name] = law.log_density(value), crps_of(law, value)
        ends = model["quantiles"]
        inside[name] = bool(ends["5%"] <= outcome.estimate <= ends["95%"])
    return ForecastScores(
        forecast=path.name, outcome=outcome, log_score=log_score, crps=crps, probability=probability, is_inside=inside,
        says=tuple(_says(log_score if outcome.estimate is not None else
                         {name: float(np.log(max(one, 1e-12))) for name, one in probability.items()})),
    )  # fmt: skip


def crps_of(law: Law, value: float) -> float:
    """The continuous ranked probability score of a law at a value."""
    own = law.weight @ _absolute(law.center - value, law.spread)
    apart = _absolute(law.center[:, None] - law.center, np.hypot(law.spread[:, None], law.spread))
    return float(own - 0.5 * law.weight @ apart @ law.weight)


def _absolute(mean: Float[np.ndarray, "*shape"], spread: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Mean of the absolute value of a normal."""
    z = mean / spread
    return 2.0 * spread * np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) + mean * (2.0 * ndtr(z) - 1.0)


def read_outcome(
    result: Mapping[str, Any] | Sequence[str], analysis: Mapping[str, Any], *, planned: int
) -> TrialOutcome:
    """A published result, checked against the analysis that was forecast.

    ``planned``: people of the forecast. Raises SpecError: it contradicts itself, or lacks something.
    """
    given = _named(result)
    numbers = {name: _number(name, given[name]) for name in _NUMBERS if name in given}
    n = _people(given.get("n"), planned)
    source = str(given.get("source", "")).strip()
    if not _SOURCE.search(source):
        raise _wrong("source", source or "nothing", "the DOI, PMID or registry number where the result stands",
                     "A press text or a memory is never scored.")  # fmt: skip
    verdict = given.get("verdict")
    if verdict is not None and verdict not in VERDICTS:
        raise _wrong("verdict", verdict, f"one of {', '.join(VERDICTS)}")
    if not numbers:
        if verdict is None:
            raise _wrong("result", ", ".join(given), "an estimate with its interval, or a verdict", _CURE)
        if n is None:
            raise _wrong("n", "nothing", "the people analyzed: a verdict without a number needs them")
        return TrialOutcome(estimate=None, low=None, high=None, verdict=str(verdict), n=n, source=source)
    _check_interval(numbers, given.get("unit"), analysis)
    found = _verdict_of(numbers, analysis)
    if verdict is not None and verdict not in found:
        raise _wrong(
            "verdict", verdict, f"{found[0]}, as the interval from {numbers['low']:g} to {numbers['high']:g} says",
            "Correct the one that was read wrongly, or leave the verdict out.",
        )  # fmt: skip
    return TrialOutcome(verdict=str(verdict or found[0]), n=n, source=source, **numbers)


def _named(result: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    if isinstance(result, Mapping):
        given = dict(result)
    else:
        given = {}
        for text in [result] if isinstance(result, str) else result:
            name, sign, value = (part.strip() for part in text.partition("="))
            if not sign or not value:
                raise _wrong("result", text, "name=value", _CURE)
            if name in given:
                raise _wrong("result", f"{name} twice", "each name once")
            given[name] = value
    if not given:
        raise _wrong("result", "nothing", "what was published", _CURE)
    for name in given:
        if name not in _KEYS:
            raise _wrong("result", name, f"one of {', '.join(_KEYS)}")
    return given


def _number(name: str, text: Any) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = np.nan
    if isinstance(text, bool) or not np.isfinite(value) or (isinstance(text, str) and "_" in text):
        raise _wrong(name, text, "a number, its unit apart: --result unit=...")
    return float(value)


def _people(text: Any, planned: int) -> int | None:
    if text is None:
        return None
    value = _number("n", text)
    if value != int(value) or not 2 <= value <= 10 * planned:
        raise _wrong("n", text, f"a whole number of people from 2; the forecast was of {planned}")
    return int(value)


def _check_interval(numbers: Mapping[str, float], unit: Any, analysis: Mapping[str, Any]) -> None:
    lacking = [name for name in _NUMBERS if name not in numbers]
    if lacking:
        raise _wrong(lacking[0], "nothing", "the estimate and both ends of its 95% interval")
    if unit != analysis["unit"]:
        raise _wrong("unit", unit or "nothing", f"{analysis['unit']}, the unit of the forecast",
                     f"Add --result unit='{analysis['unit']}' when the numbers are in it.")  # fmt: skip
    if analysis["is_log"] and numbers["low"] <= 0.0:
        raise _wrong("low", numbers["low"], "above 0: it is a ratio")
    if not numbers["low"] <= numbers["estimate"] <= numbers["high"] or numbers["low"] == numbers["high"]:
        raise _wrong("estimate", f"{numbers['estimate']:g}, with the interval from {numbers['low']:g} to "
                     f"{numbers['high']:g}", "an estimate inside of its interval")  # fmt: skip


def _verdict_of(numbers: Mapping[str, float], analysis: Mapping[str, Any]) -> list[str]:
    """The verdicts that an interval allows, the likeliest first: rounding may move an end across no effect."""
    low, high = (np.log(numbers[name]) if analysis["is_log"] else numbers[name] for name in ("low", "high"))
    sign = 1.0 if analysis["favors_treatment"] == "larger" else -1.0
    slack = _SLACK * (high - low) / (2.0 * Z95)
    low, high = sorted((sign * low, sign * high))
    found = ["helps"] if low > 0.0 else ["harms"] if high < 0.0 else ["no difference"]
    near = [("helps", low), ("harms", -high)]
    found += [name for name, end in near if abs(end) <= slack and name not in found]
    if any(abs(end) <= slack for _, end in near) and "no difference" not in found:
        found.append("no difference")
    return found


def _says(scores: Mapping[str, float | None]) -> list[str]:
    known = {name: float(one) for name, one in scores.items() if one is not None}
    best = max(known, key=lambda name: known[name])
    lines = [f"Best by log score: {best}."]
    for name in ("baseline", "no effect"):
        off = known["chain"] - known[name]
        lines.append(f"Chain less {name}: {off:+.2f}; one trial, so no difference between them can be told.")
    return lines


def _wrong(where: str, got: object, allowed: str, remedy: str = "") -> SpecError:
    return SpecError(where=f"result: {where}" if where != "result" else where, got=got, allowed=allowed, remedy=remedy)
