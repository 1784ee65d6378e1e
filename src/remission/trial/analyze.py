"""The analyses of a protocol on whole replicates: who is compared, adjusted for what, by which method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from remission.analyses.estimate import Estimates
from remission.analyses.fast_hazards import analyze_hazards
from remission.analyses.fast_means import analyze_differences
from remission.analyses.fast_odds import analyze_many_odds
from remission.analyses.means import analyze_percent_lower
from remission.records.analysis import Analysis, Contrast
from remission.records.protocol import Protocol
from remission.trial.batch import TrialBatch

__all__ = ["analyze_replicates", "sides_of"]

_Table = Float[np.ndarray, "replicate subject"]
_Flags = Bool[np.ndarray, "replicate subject"]
_Terms = Float[np.ndarray, "replicate term subject"]


def analyze_replicates(
    protocol: Protocol,
    analysis: Analysis,
    batch: TrialBatch,
    values: Float[np.ndarray, " subject"],
    events: Bool[np.ndarray, " subject"] | None,
) -> Estimates:
    """One analysis of the replicates of a batch.

    Parameters
    ----------
    values
        The endpoint; NaN for people without a value.
    events
        Whether a time ended in the event; ``None`` for endpoints that are no times.
    """
    shape = (batch.n_replicates, -1)
    arm, value = batch.arm.reshape(shape), values.reshape(shape)
    treatment, control = sides_of(protocol, analysis.contrast)
    compared = _Compared(
        values=value,
        events=np.zeros(value.shape, dtype=np.bool_) if events is None else events.reshape(shape),
        inside=np.isin(arm, treatment + control) & np.isfinite(value),
        treated=np.isin(arm, treatment),
        adjust=_adjustment(protocol, analysis.adjust, batch),
    )
    return _METHODS[analysis.method](compared)


def sides_of(protocol: Protocol, contrast: Contrast) -> tuple[list[int], list[int]]:
    """Indices of the arms on the treatment side and on the control side."""
    return _arms_of(protocol, contrast.treatment), _arms_of(protocol, contrast.control)


def _arms_of(protocol: Protocol, levels: dict[str, str]) -> list[int]:
    return [index for index, arm in enumerate(protocol.arms) if levels.items() <= arm.factors.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """The people of a contrast, replicate by replicate; those outside have no value or are in another arm."""

    values: _Table
    events: _Flags
    inside: _Flags
    treated: _Flags
    adjust: _Terms


def _adjustment(protocol: Protocol, names: Sequence[str], batch: TrialBatch) -> _Terms:
    shape = (batch.n_replicates, -1)
    columns = [np.zeros((*batch.arm.reshape(shape).shape, 0))]
    for name in names:
        if name == "sex":
            levels = batch.covariates.female.astype(np.int64)
        elif name == "site":
            levels = batch.site
        else:
            words = [arm.factors.get(name, "") for arm in protocol.arms]
            levels = np.array([sorted(set(words)).index(word) for word in words])[batch.arm]
        columns.append(_indicators(levels.reshape(shape)))
    return np.ascontiguousarray(np.concatenate(columns, axis=2).swapaxes(1, 2))


def _indicators(levels: Int[np.ndarray, "replicate subject"]) -> Float[np.ndarray, "replicate subject term"]:
    """Indicators of all levels but the first; those that a replicate lacks are zero there, and count for nothing."""
    return (levels[:, :, None] == np.unique(levels)[1:]).astype(np.float64)


def _percent_lower(compared: _Compared) -> Estimates:
    return Estimates.of(
        [
            analyze_percent_lower(value[inside], treated[inside])
            for value, inside, treated in zip(compared.values, compared.inside, compared.treated, strict=True)
        ]
    )


_METHODS: dict[str, Callable[[_Compared], Estimates]] = {
    "mean_difference": lambda one: analyze_differences(one.values, one.inside, one.treated, one.adjust),
    "odds_ratio": lambda one: analyze_many_odds(one.values, one.inside, one.treated, one.adjust),
    "hazard_ratio": lambda one: analyze_hazards(one.values, one.events, one.inside, one.treated, one.adjust),
    "percent_lower": _percent_lower,
}
