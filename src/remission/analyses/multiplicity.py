"""Several analyses, one error rate: Holm, Hochberg and Bonferroni, and gates in a row.

Families are adjusted over all replicates at once; a test holds them to statsmodels, which takes one replicate at a time
and collects garbage in each.

A gate's hypotheses are tested at the alpha that the gate before hands on: all of it once all hypotheses there are
rejected (serial), or the share of them that are rejected (parallel; the gate before is then Bonferroni's, which is what
makes handing on shares right). An adjusted p value is the smallest alpha at which a hypothesis is rejected, so at any
alpha the rejections are those with an adjusted p value at most that. The chance of any false rejection is at most
alpha whatever the correlation of the analyses, but for Hochberg, which asks for positive dependence.

References
----------
dmitrienko2008
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from remission.analyses.estimate import Estimates
from remission.protocol.record import Protocol
from remission.records.multiplicity import FamilyTest

__all__ = ["adjust_family", "adjusted_p_values"]

_Table = Float[np.ndarray, "replicate hypothesis"]


def adjusted_p_values(
    protocol: Protocol, estimates: Mapping[str, Estimates]
) -> dict[str, Float[np.ndarray, " replicate"]]:
    """Adjusted p values by analysis, replicate by replicate; of those that the protocol adjusts, no others.

    A failed analysis has none (NaN) and counts as not rejected for the others.

    ``estimates``: of the protocol's analyses.
    """
    rule = protocol.multiplicity
    if rule is None:
        return {}
    found: dict[str, np.ndarray] = {}
    share = _Share(before=None, adjusted=None, needs_all=True)
    for gate in rule.in_order:
        raw = np.stack([estimates[name].p_value for name in gate.analyses], axis=1)
        adjusted = _adjust_behind(share, adjust_family(raw, gate.test))
        found |= dict(zip(gate.analyses, np.where(np.isnan(raw), np.nan, adjusted).T, strict=True))
        share = _Share(before=share, adjusted=adjusted, needs_all=gate.hands_on == "all")
    return found


def adjust_family(p_values: _Table, test: FamilyTest) -> _Table:
    """Adjusted p values within each row; NaN counts as 1.

    ``test``: by which rule.
    """
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """The part of alpha that a gate hands on: no more than it got, and more wherever its hypotheses are rejected."""

    before: "_Share | None"
    adjusted: _Table | None
    needs_all: bool

    def steps(self, n_replicates: int) -> Float[np.ndarray, "replicate step"]:
        """Alphas at which the part can rise; it is the same between them."""
        if self.before is None or self.adjusted is None:
            return np.zeros((n_replicates, 1))
        return np.concatenate([self.before.steps(n_replicates), self.adjusted], axis=1)

    def at(self, alphas: Float[np.ndarray, "replicate step"]) -> Float[np.ndarray, "replicate step"]:
        """The part at some alphas of each replicate, 0 to 1."""
        if self.before is None or self.adjusted is None:
            return np.ones_like(alphas)
        rejected = self.adjusted[:, :, None] <= alphas[:, None, :]
        passed = rejected.all(axis=1) * 1.0 if self.needs_all else rejected.mean(axis=1)
        return self.before.at(alphas) * passed


def _adjust_behind(share: _Share, inside: _Table) -> _Table:
    """The smallest alpha at which each is rejected, when only that share of alpha arrives here."""
    steps = share.steps(inside.shape[0])
    parts = share.at(steps)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(parts[:, None, :] > 0.0, inside[:, :, None] / parts[:, None, :], np.inf)
    return np.minimum(np.maximum(needed, steps[:, None, :]).min(axis=2), 1.0)
