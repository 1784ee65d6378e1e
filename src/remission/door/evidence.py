"""Published trials and numbers on established treatments."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remission.door.arguments import opened
from remission.evidence import registry
from remission.evidence.contrasts import ContrastGroup, group_contrasts
from remission.extras import telling_extras
from remission.records.result import Result

__all__ = ["PooledEvidence", "find_evidence", "load_evidence", "pool_evidence"]

load_evidence = opened(registry.load_evidence)


@opened
def find_evidence(
    *,
    substance: str | None = None,
    role: str | None = None,
    design: str | None = None,
    source_kind: str | None = None,
    has_interval: bool | None = None,
) -> registry.EvidenceRegistry:
    """The records of the evidence that fit every condition; each argument left out lets all through.

    Parameters
    ----------
    substance, role, design, source_kind, has_interval
        As :meth:`~remission.evidence.registry.EvidenceRegistry.filter`.

    Raises
    ------
    SpecError
        A name that no record has; the message lists those there are.
    """
    return registry.load_evidence().filter(
        substance=substance, role=role, design=design, source_kind=source_kind, has_interval=has_interval
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEvidence(Result):
    """What :func:`pool_evidence` found: groups of comparable contrasts, each pooled or refused with the reason."""

    substance: str
    endpoint: str
    groups: tuple[ContrastGroup, ...]

    def columns(self) -> Mapping[str, Any]:
        """One row a group; the pooled numbers are on its ``scale`` and empty where pooling is refused."""
        names = ("comparison", "measure", "time_band", "scale", "refusal")
        found: dict[str, Any] = {name: [getattr(one, name) for one in self.groups] for name in names}
        found["n_contrasts"] = [len(one.used) for one in self.groups]
        for name in ("estimate", "low", "high", "tau2"):
            found[name] = [None if one.pooled is None else getattr(one.pooled, name) for one in self.groups]
        return found

    def plot(self) -> Any:
        """The forest plot: every number and every result in words, pooled only where that is allowed."""
        with telling_extras("plot"):
            from remission.report.forest import forest_chart
        return forest_chart(registry.load_evidence(), substance=self.substance, endpoint=self.endpoint).figure


@opened
def pool_evidence(substance: str, endpoint: str, *, out: Path | None = None) -> PooledEvidence:
    """Published contrasts on one endpoint, pooled only where three comparable ones exist; others with the reason.

    Parameters
    ----------
    substance
        As in the evidence, such as ``"alcohol"``.
    endpoint
        A class of endpoints, such as ``"abstinence"``; a wrong name lists them.
    out
        A file for the forest plot, ``.svg`` or ``.png``; it must not exist yet.

    Raises
    ------
    SpecError
        An unknown substance or endpoint, or no result for a plot.
    """
    evidence = registry.load_evidence()
    groups = group_contrasts(evidence, substance=substance, endpoint=endpoint)
    if out is not None:
        from remission.report.forest import forest_chart, save_forest

        save_forest(forest_chart(evidence, substance=substance, endpoint=endpoint), out)
    return PooledEvidence(substance=substance, endpoint=endpoint, groups=groups)
