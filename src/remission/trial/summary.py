"""The table of a simulated trial: simulated beside published, each with its uncertainty and its kind."""

import re
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, assert_never

import numpy as np

from remission.analyses.estimate import Z95, Estimates
from remission.library.published import PublishedOutcome, PublishedVerdict, published_outcome, published_verdict
from remission.numerics.elementary import exp, log
from remission.patient.drawn import TrialDraws
from remission.protocol.record import Protocol
from remission.records.analysis import Analysis, Comparison
from remission.records.endpoint import Endpoint
from remission.records.result import Result
from remission.shapes import Float
from remission.trial.intervals import split_spread
from remission.trial.result import TrialResult

_ENDLESS: Final = (float("-inf"), float("inf"))
# What an arm's number can be, by the scale of its endpoint.
_ENDS: Final = {
    "binary": (0.0, 100.0),
    "percent": (0.0, 100.0),
    "count": (0.0, float("inf")),
    "time": (0.0, float("inf")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """One number of the trial.

    ``simulated_mean`` is the mean over replicates (geometric for ratios), ``simulated_low`` and ``simulated_high``
    the 2.5th
    and 97.5th percentile of replicates: where the result of one such trial would fall. ``mcse`` is the Monte Carlo
    standard
    error of ``simulated_mean``. ``sampling``: what another trial would give at one set of values; ``parameters``: what
    is not known of the mean trial; both 95%, None for a run without draws, ``parameters`` where there are too few
    replicates as well. ``inside_interval`` says whether ``simulated_mean`` lies in the published interval.
    ``share_better``, ``share_worse``: of replicates of an analysis, those in which the treatment does better or worse
    with p below .05; a replicate without a p value is neither. ``verdict``: what was published in words.
    """

    kind: Literal["analysis", "arm"]
    id: str
    label: str
    arm: str | None
    unit: str
    statistic: str
    simulated_mean: float
    simulated_low: float
    simulated_high: float
    mcse: float
    n_failed: int
    n_replicates: int
    published: PublishedOutcome | None
    inside_interval: bool | None
    sampling: tuple[float, float] | None = None
    parameters: tuple[float, float] | None = None
    share_better: float | None = None
    share_worse: float | None = None
    verdict: PublishedVerdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSummary(Result):
    """The rows of the table, analyses first, then arms."""

    rows: tuple[SummaryRow, ...]

    def _facts(self) -> list[tuple[str, Any]]:
        """One line a number."""
        return [(f"{row.id} {row.arm or ''}".rstrip(), _line(row)) for row in self.rows]

    def columns(self) -> dict[str, Any]:
        """One row a number, with the published one beside it."""
        names = [
            one.name for one in fields(SummaryRow) if one.name not in {"published", "verdict", "sampling", "parameters"}
        ]
        published = [None if row.published is None else row.published.value for row in self.rows]
        return {
            **{name: [getattr(row, name) for row in self.rows] for name in names},
            **{
                f"{name}_{end}": [None if (pair := getattr(row, name)) is None else pair[place] for row in self.rows]
                for name in ("sampling", "parameters")
                for place, end in enumerate(("low", "high"))
            },
            "published": published,
            "verdict": [row.verdict and row.verdict.says for row in self.rows],
        }

    def row(self, id: str, arm: str | None = None) -> SummaryRow:
        """The row of an analysis, or of an endpoint in an arm.

        Raises ``KeyError``: there is none.
        """
        for row in self.rows:
            if (row.id, row.arm) == (id, arm):
                return row
        raise KeyError((id, arm))


def _line(row: SummaryRow) -> str:
    words = f"{row.simulated_mean:.3g} ({row.simulated_low:.3g} to {row.simulated_high:.3g}) {row.unit}"
    if row.verdict is not None:
        return f"{words}, published: {row.verdict.says}"
    return words if row.published is None else f"{words}, published {row.published.value:g}"


def summarize_trial(result: TrialResult) -> TrialSummary:
    """The table of a result.

    Raises
    ------
    LibraryError
        A comparison of the protocol names a published outcome that the evidence does not hold.
    """
    protocol = result.protocol
    draws = result.draws
    rows = []
    for analysis in protocol.analyses:
        found = result.estimates[analysis.id]
        endpoint = protocol.endpoint(analysis.endpoint)
        better, worse = _shares(found, analysis, endpoint)
        row = _row(
            found.estimate,
            kind="analysis",
            id=analysis.id,
            label=analysis.label,
            arm=None,
            unit=unit_of(analysis, endpoint),
            statistic=analysis.method.replace("_", " "),
            is_ratio=analysis.is_ratio,
            published=_published(protocol, analysis=analysis.id),
            errors=_errors(found, is_ratio=analysis.is_ratio),
            draws=draws,
        )
        rows.append(replace(row, share_better=better, share_worse=worse, verdict=_verdict(protocol, analysis.id)))
    for endpoint in protocol.endpoints:
        shares = endpoint.scale == "binary"
        for index, arm in enumerate(protocol.arms):
            found_arm, unit = result.arms[endpoint.id], 100.0 if shares else 1.0
            column = found_arm.mean[:, index] * unit
            rows.append(
                _row(
                    column,
                    kind="arm",
                    id=endpoint.id,
                    label=endpoint.label,
                    arm=arm.id,
                    unit="% of people" if shares else endpoint.unit,
                    statistic="share" if shares else "mean",
                    is_ratio=False,
                    published=_published(protocol, endpoint=endpoint.id, arm=arm.id),
                    errors=unit * found_arm.sd[:, index] / np.sqrt(np.maximum(found_arm.n[:, index], 1)),
                    draws=draws,
                    ends=_ENDS.get(endpoint.scale, _ENDLESS),
                )
            )
    return TrialSummary(rows=tuple(rows))


def unit_of(analysis: Analysis, endpoint: Endpoint) -> str:
    """The unit of an estimate."""
    match analysis.facts.scale:
        case "ratio":
            return "ratio"
        case "percent_lower":
            return "%"
        case "difference":
            return "percentage points" if endpoint.scale == "percent" or analysis.facts.in_points else endpoint.unit
        case scale:
            assert_never(scale)


def _shares(found: Estimates, analysis: Analysis, endpoint: Endpoint) -> tuple[float, float]:
    """Shares of replicates in which the treatment does better, and worse, with p below .05."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = log(np.maximum(found.estimate, 1e-300)) if analysis.is_ratio else found.estimate
        # A lower hazard of an event is better where a longer time is; "percent lower" counts downward.
        size = size if endpoint.higher_is_better != analysis.facts.is_turned else -size
        said = found.p_value < _ALPHA
        return float(np.mean(said & (size > 0.0))), float(np.mean(said & (size < 0.0)))


_ALPHA = 0.05


def _verdict(protocol: Protocol, analysis: str) -> PublishedVerdict | None:
    for one in protocol.comparisons:
        if one.analysis == analysis and protocol.evidence is not None:
            return published_verdict(protocol.evidence, **one.words)
    return None


def _published(
    protocol: Protocol, *, analysis: str | None = None, endpoint: str | None = None, arm: str | None = None
) -> PublishedOutcome | None:
    wanted = (analysis, endpoint, arm)
    matches: list[Comparison] = [c for c in protocol.comparisons if (c.analysis, c.endpoint, c.arm) == wanted]
    if not matches or protocol.evidence is None:
        return None
    first = matches[0]
    if analysis is not None and _verdict(protocol, analysis) is not None:
        return None
    found = published_outcome(protocol.evidence, **first.words)
    # A count of people is a share here, as the simulated number is.
    counted = re.fullmatch(r"n of (\d+)", found.statistic)
    if counted is None:
        return found
    return found.model_copy(update={"value": 100.0 * found.value / int(counted.group(1))})


def _row(
    values: Float[np.ndarray, " replicate"],
    *,
    kind: Literal["analysis", "arm"],
    id: str,
    label: str,
    arm: str | None,
    unit: str,
    statistic: str,
    is_ratio: bool,
    published: PublishedOutcome | None,
    errors: Float[np.ndarray, " replicate"],
    draws: TrialDraws | None,
    ends: tuple[float, float] = _ENDLESS,
) -> SummaryRow:
    """A row; ``ends``: the least and the greatest that its number can be, where its intervals stop too."""
    spread_of = None
    if draws is not None:
        spread_of = split_spread(_log(values) if is_ratio else values, errors, draws)
    good = values[np.isfinite(values)]
    scale = log(good) if is_ratio else good
    mean = low = high = mcse = float("nan")
    if good.size:
        center = float(scale.mean())
        spread = float(scale.std(ddof=1) / np.sqrt(good.size)) if good.size > 1 else float("nan")
        mean = float(exp(np.array([center]))[0]) if is_ratio else center
        mcse = mean * spread if is_ratio else spread
        low, high = (float(bound) for bound in np.quantile(good, [0.025, 0.975]))
    inside = None
    if published is not None and published.ci_low is not None and published.ci_high is not None and good.size:
        inside = published.ci_low <= mean <= published.ci_high
    return SummaryRow(
        kind=kind,
        id=id,
        label=label,
        arm=arm,
        unit=unit,
        statistic=statistic,
        simulated_mean=mean,
        simulated_low=low,
        simulated_high=high,
        mcse=mcse,
        n_failed=int(values.size - good.size),
        n_replicates=int(values.size),
        published=published,
        inside_interval=inside,
        sampling=None if spread_of is None else _read(spread_of.sampling, is_ratio=is_ratio, ends=ends),
        parameters=None
        if spread_of is None or spread_of.parameters is None
        else _read(spread_of.parameters, is_ratio=is_ratio, ends=ends),
    )


def _read(interval: tuple[float, float], *, is_ratio: bool, ends: tuple[float, float]) -> tuple[float, float]:
    """An interval on the scale that people read."""
    low, high = np.clip(exp(np.array(interval)) if is_ratio else np.array(interval), *ends).tolist()
    return low, high


def _errors(found: Estimates, *, is_ratio: bool) -> Float[np.ndarray, " replicate"]:
    """Standard errors of the replicates' estimates, from their 95% intervals."""
    if not is_ratio:
        return (found.high - found.low) / (2.0 * Z95)
    return (_log(found.high) - _log(found.low)) / (2.0 * Z95)


def _log(values: Float[np.ndarray, " replicate"]) -> Float[np.ndarray, " replicate"]:
    """Logarithms; NaN where there is none, which our own logarithm would not say."""
    is_good = (values > 0.0) & np.isfinite(values)
    return np.where(is_good, log(np.where(is_good, values, 1.0)), np.nan)
