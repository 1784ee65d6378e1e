"""Operating characteristics of a design: how often it succeeds and how well it estimates, by simulation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from remission.analyses.estimate import Estimates
from remission.errors import SpecError
from remission.patient.parameters import CourseParameters
from remission.records.protocol import Protocol
from remission.trial.chunk import ChunkResult, merge_chunks
from remission.trial.simulate import plan_trial

__all__ = [
    "Characteristics",
    "Measure",
    "characterize",
    "check_share",
    "choose_analysis",
    "null_protocol",
    "resize_protocol",
    "simulate_design",
    "sizes_of",
]

_RATIOS = {"odds_ratio", "hazard_ratio"}
_FEWEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A simulated number and its Monte Carlo standard error."""

    value: float
    mcse: float

    @property
    def text(self) -> str:
        """The number with the digits that its error supports."""
        if not np.isfinite(self.value):
            return "not available"
        if not np.isfinite(self.mcse) or self.mcse <= 0.0:
            return f"{self.value:.3g}"
        decimals = max(0, -int(np.floor(np.log10(self.mcse))))
        return f"{self.value:.{decimals}f} (± {self.mcse:.{decimals}f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristics:
    """How one analysis of one design behaves.

    ``rejected`` is the share of trials with a p value below alpha, failed analyses counted as not below: power, or
    type I error where there is no effect. ``estimate`` and ``width`` are on the log scale for ratios. ``bias`` and
    ``coverage`` are against a truth given by the caller, on the same scale; ``None`` without one.
    """

    analysis: str
    label: str
    scale: str
    n_subjects: int
    n_replicates: int
    n_failed: int
    rejected: Measure
    estimate: Measure
    width: Measure
    bias: Measure | None
    coverage: Measure | None


def simulate_design(
    protocol: Protocol,
    *,
    max_replicates: int,
    mcse: float,
    seed: int,
    alpha: float = 0.05,
    analysis: str | None = None,
    parameters: CourseParameters | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ChunkResult:
    """Trials simulated until the error of the rejection share is small enough, or the most are done.

    Parameters
    ----------
    max_replicates
        Most trials to simulate.
    mcse
        Stop when the Monte Carlo standard error is at most this; never before a hundred trials.
    analysis
        The analysis whose error counts; ``None``: the protocol's first.
    parameters
        Values to use instead of the library's.
    on_progress
        Called with (trials done, most trials).

    Raises
    ------
    SpecError
        A number is out of range, or the protocol has no such analysis.
    """
    check_share("mcse", mcse)
    check_share("alpha", alpha)
    wanted = choose_analysis(protocol, analysis)
    plan = plan_trial(protocol, n_replicates=max_replicates, seed=seed, parameters=parameters)
    done: list[ChunkResult] = []
    count = rejected = 0
    for chunk in plan.chunks:
        done.append(plan.run(chunk))
        count += chunk.count
        # NaN of a failed analysis compares as not below.
        rejected += int((done[-1].estimates[wanted].p_value < alpha).sum())
        if on_progress is not None:
            on_progress(count, max_replicates)
        if count >= _FEWEST and _share(rejected, count).mcse <= mcse:
            break
    return merge_chunks(done)


def characterize(
    protocol: Protocol, result: ChunkResult, *, alpha: float = 0.05, truths: dict[str, float] | None = None
) -> tuple[Characteristics, ...]:
    """Operating characteristics of every analysis of a protocol.

    Parameters
    ----------
    result
        Of ``simulate_design``.
    truths
        True value by analysis, on the scale people read (a ratio as a ratio).
    """
    rows = []
    for analysis in protocol.analyses:
        found = result.estimates[analysis.id]
        is_ratio = analysis.method in _RATIOS
        estimate, low, high = (_scaled(one, is_ratio) for one in (found.estimate, found.low, found.high))
        good = np.isfinite(estimate)
        truth = (truths or {}).get(analysis.id)
        bias = coverage = None
        if truth is not None:
            aim = float(_scaled(np.array([truth]), is_ratio)[0])
            bias = _mean(estimate[good] - aim)
            coverage = _share(int(((low <= aim) & (aim <= high))[good].sum()), int(good.sum()))
        rows.append(
            Characteristics(
                analysis=analysis.id,
                label=analysis.label,
                scale=f"log {analysis.method.replace('_', ' ')}" if is_ratio else analysis.method.replace("_", " "),
                n_subjects=protocol.population.n_subjects,
                n_replicates=good.size,
                n_failed=int(good.size - good.sum()),
                rejected=_rejected(found, alpha),
                estimate=_mean(estimate[good]),
                width=_mean((high - low)[good]),
                bias=bias,
                coverage=coverage,
            )
        )
    return tuple(rows)


def null_protocol(protocol: Protocol, analysis: str | None = None) -> Protocol:
    """The protocol with the treatment of an analysis made the same as its control: no effect, all else kept.

    Raises
    ------
    SpecError
        The contrast is not one of drugs or therapies.
    """
    chosen = choose_analysis(protocol, analysis)
    contrast = next(one for one in protocol.analyses if one.id == chosen).contrast
    changes: dict[str, dict[str, object]] = {"drugs": dict(protocol.drugs), "therapies": dict(protocol.therapies)}
    for kind, treatment in contrast.treatment.items():
        items, control = (
            changes.get({"drug": "drugs", "therapy": "therapies"}.get(kind, "")),
            contrast.control.get(kind),
        )
        if items is None or treatment not in items or control not in items:
            raise SpecError(
                where=f"analysis {chosen}", got=f"a contrast by {kind}", allowed="a contrast of drugs or therapies"
            )
        items[treatment] = items[control]
    return protocol.replace(**changes)


def resize_protocol(protocol: Protocol, n_subjects: int) -> Protocol:
    """The protocol with another number of people.

    Raises
    ------
    SpecError
        The number is not possible.
    """
    return protocol.replace(population=protocol.population.replace(n_subjects=n_subjects))


def choose_analysis(protocol: Protocol, analysis: str | None) -> str:
    """The analysis asked for, or the first.

    Raises
    ------
    SpecError
        The protocol has none, or not this one.
    """
    known = [one.id for one in protocol.analyses]
    if not known:
        raise SpecError(where="analyses", got="none", allowed="a protocol with an analysis", remedy="Add one.")
    if analysis is None:
        return known[0]
    if analysis not in known:
        raise SpecError(where="analysis", got=analysis, allowed=f"one of {', '.join(known)}")
    return analysis


def check_share(where: str, value: float) -> None:
    """Refuse a number that is not between 0 and 1.

    Raises
    ------
    SpecError
        It is not.
    """
    if not 0.0 < value < 1.0:
        raise SpecError(where=where, got=value, allowed="a number between 0 and 1, both excluded")


def _rejected(found: Estimates, alpha: float) -> Measure:
    return _share(int((found.p_value < alpha).sum()), found.p_value.size)


def _share(count: int, n: int) -> Measure:
    """Share and its error; half a trial added to each side, so that none of n is not taken for certain."""
    if n == 0:
        return Measure(value=float("nan"), mcse=float("nan"))
    moved = (count + 0.5) / (n + 1.0)
    return Measure(value=count / n, mcse=float(np.sqrt(moved * (1.0 - moved) / n)))


def _mean(values: Float[np.ndarray, " replicate"]) -> Measure:
    if values.size < 2:
        return Measure(value=float(values[0]) if values.size else float("nan"), mcse=float("nan"))
    return Measure(value=float(values.mean()), mcse=float(values.std(ddof=1) / np.sqrt(values.size)))


def _scaled(values: Float[np.ndarray, " replicate"], is_ratio: bool) -> Float[np.ndarray, " replicate"]:
    return np.log(values) if is_ratio else values


def sizes_of(text: str) -> Sequence[int]:
    """Numbers of people from ``n=60:400`` (five of them, evenly spaced) or ``n=60,120,240``.

    Raises
    ------
    SpecError
        The text says something else, or a number is not above 3.
    """
    name, _, rest = text.partition("=")
    try:
        numbers = [int(part) for part in rest.replace(":", ",").split(",")]
    except ValueError:
        numbers = []
    is_range = ":" in rest
    is_wrong = name.strip() != "n" or not numbers or min(numbers) < 4 or (is_range and len(numbers) != 2)
    if is_wrong or (is_range and numbers[0] >= numbers[1]):
        raise SpecError(
            where=f"--vary {text}", got=rest or "nothing", allowed="n=60:400 or n=60,120,240, each at least 4 people"
        )
    if is_range:
        numbers = [round(float(size)) for size in np.linspace(numbers[0], numbers[1], 5)]
    return sorted(set(numbers))
