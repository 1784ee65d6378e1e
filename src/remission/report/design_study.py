"""What a design report is made of: the protocol, its designs with their trials, and the numbers found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never

import numpy as np

from remission.design.flow import ParticipantFlow
from remission.library.published import PublishedOutcome, published_outcome, published_verdict
from remission.protocol.record import Protocol
from remission.records.analysis import Analysis
from remission.records.endpoint import Endpoint
from remission.shapes import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDesign:
    """A design that was simulated, as ``remission design`` found it.

    protocol
        As it was asked for; ``designs`` are the trials simulated, the same with other numbers of people or, under the
        null, with the control in place of the treatment.
    estimates
        Of the analysis that decides, trial by trial for each design, on the scale people read; NaN where it failed.
    content
        What ``remission design --json`` prints. Parts that were not asked for are absent.
    words
        The command line, option by option, with files of the folder in place of files elsewhere.
    seed, max_replicates, mcse
        As asked.
    files
        Files that the command reads beside the protocol, by the name that they get in the folder.
    flow
        How people pass through the trials of the last design.
    changes
        Values of the model that are not the library's.
    """

    protocol: Protocol
    designs: tuple[Protocol, ...]
    estimates: tuple[Float[np.ndarray, " replicate"], ...]
    content: Mapping[str, Any]
    words: tuple[str, ...]
    seed: int
    max_replicates: int
    mcse: float
    flow: ParticipantFlow
    files: Mapping[str, Path] = field(default_factory=dict)
    changes: Mapping[str, float] = field(default_factory=dict)

    @property
    def analysis(self) -> Analysis:
        """The analysis that decides."""
        return self.protocol.analysis(self.content["analysis"])

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint of that analysis."""
        return self.protocol.endpoint(self.analysis.endpoint)

    @property
    def alpha(self) -> float:
        """Two-sided error of a test."""
        return float(self.content["alpha"])

    @property
    def is_null(self) -> bool:
        """Whether treatment and control were made the same."""
        return bool(self.content["is_null"])

    @property
    def main_rows(self) -> list[dict[str, Any]]:
        """Characteristics of the analysis that decides, a design each."""
        return [row for row in self.content["characteristics"] if row["analysis"] == self.analysis.id]

    @property
    def truth(self) -> float | None:
        """The true value on the scale people read; ``None`` when it was not asked for."""
        return self.content.get("truths", {}).get(self.analysis.id)

    @property
    def published(self) -> PublishedOutcome | None:
        """The published result of the analysis, where the protocol is of a published trial."""
        return published_of(self.protocol, self.analysis.id)

    @property
    def effect_unit(self) -> str:
        """What the effect is counted in."""
        return effect_unit_of(self.protocol, self.analysis)


def published_of(protocol: Protocol, analysis: str) -> PublishedOutcome | None:
    """The published result of an analysis, where the protocol is of a published trial."""
    for one in protocol.comparisons:
        if one.analysis == analysis and protocol.evidence is not None:
            if published_verdict(protocol.evidence, **one.words) is not None:
                return None
            return published_outcome(protocol.evidence, **one.words)
    return None


def effect_unit_of(protocol: Protocol, analysis: Analysis) -> str:
    """What the effect of an analysis is counted in."""
    endpoint = protocol.endpoint(analysis.endpoint)
    match analysis.facts.scale:
        case "ratio":
            return "ratio"
        case "percent_lower":
            return "% lower"
        case "difference":
            in_points = endpoint.scale == "percent" or analysis.facts.in_points
            return "percentage points" if in_points else endpoint.unit
        case scale:
            assert_never(scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStudy:
    """A table that was simulated, as ``remission design --scenarios`` found it.

    ``content`` is what ``--json`` prints; ``words`` the command with files of the folder, ``files`` those files.
    """

    protocol: Protocol
    content: Mapping[str, Any]
    words: tuple[str, ...]
    seed: int
    files: Mapping[str, Path]
    scenario_file: str


def rejected_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The share of trials that reject: at any look where there are looks, else at the end."""
    found: Mapping[str, Any] = (row.get("sequential") or row)["rejected"]
    return found
