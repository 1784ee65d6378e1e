"""Several analyses, one error rate: Holm, Hochberg and Bonferroni, and gates in a row.

A gate is tested at the alpha that the gate before hands on: all of it once all hypotheses there are rejected (serial),
or the share that are rejected (parallel, behind Bonferroni's test). An adjusted p value is the smallest alpha at which
a hypothesis is rejected. The chance of any false rejection is at most alpha whatever the correlation of the
analyses, but for Hochberg, which asks for positive dependence. statsmodels takes one replicate at a time; a test holds
families to it.

References
----------
dmitrienko2008
"""

from collections.abc import Mapping

import numpy as np

from remission.analyses.estimate import Estimates
from remission.protocol.record import Protocol
from remission.records.multiplicity import FamilyTest, Multiplicity
from remission.shapes import Float

__all__ = ["adjust_family", "adjusted_behind_gates", "adjusted_p_values"]

_Table = Float[np.ndarray, "replicate hypothesis"]


def adjusted_p_values(
    protocol: Protocol, estimates: Mapping[str, Estimates]
) -> dict[str, Float[np.ndarray, " replicate"]]:
    """Adjusted p values by analysis, replicate by replicate; of those that the protocol adjusts, no others.

    A failed analysis has none (NaN) and counts as not rejected for the others.

    ``estimates``: of the protocol's analyses.
    """
    return adjusted_behind_gates(protocol.multiplicity, estimates)


def adjusted_behind_gates(
    rule: Multiplicity | None, estimates: Mapping[str, Estimates]
) -> dict[str, Float[np.ndarray, " replicate"]]:
    """As :func:`adjusted_p_values`, by the rule alone; none gives none."""
    if rule is None:
        return {}
    found: dict[str, np.ndarray] = {}
    before: list[tuple[_Table, bool]] = []
    for gate in rule.in_order:
        raw = np.stack([estimates[name].p_value for name in gate.analyses], axis=1)
        adjusted = _adjust_behind(before, adjust_family(raw, gate.test))
        found |= dict(zip(gate.analyses, np.where(np.isnan(raw), np.nan, adjusted).T, strict=True))
        before.append((adjusted, gate.hands_on == "all"))
    return found


def adjust_family(p_values: _Table, test: FamilyTest) -> _Table:
    """Adjusted p values within each row; NaN counts as 1. ``test``: by which rule."""
    known = np.where(np.isnan(p_values), 1.0, p_values)
    order = np.argsort(known, axis=1, kind="stable")
    left = np.arange(known.shape[1], 0, -1)
    scaled = np.take_along_axis(known, order, axis=1) * (known.shape[1] if test == "bonferroni" else left)
    if test == "holm":
        scaled = np.maximum.accumulate(scaled, axis=1)
    elif test == "hochberg":
        scaled = np.minimum.accumulate(scaled[:, ::-1], axis=1)[:, ::-1]
    adjusted = np.empty_like(known)
    np.put_along_axis(adjusted, order, np.minimum(scaled, 1.0), axis=1)
    return adjusted


def _adjust_behind(before: list[tuple[_Table, bool]], inside: _Table) -> _Table:
    """The smallest alpha at which each is rejected, behind the gates before: their adjusted p values, and whether they
    hand on alpha only when all of theirs are rejected.
    """
    # What arrives can rise only at an adjusted p value of a gate before; it is the same between them.
    steps = np.concatenate([np.zeros((inside.shape[0], 1)), *(adjusted for adjusted, _ in before)], axis=1)
    parts = np.ones_like(steps)
    for adjusted, needs_all in before:
        rejected = adjusted[:, :, None] <= steps[:, None, :]
        parts = parts * (rejected.all(axis=1) * 1.0 if needs_all else rejected.mean(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(parts[:, None, :] > 0.0, inside[:, :, None] / parts[:, None, :], np.inf)
    return np.minimum(np.maximum(needed, steps[:, None, :]).min(axis=2), 1.0)
