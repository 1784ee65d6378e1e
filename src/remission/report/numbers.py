"""Numbers as people read them: no more digits than the Monte Carlo error supports, published ones with their kind."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from remission.numerics.digits import decimals_of, error_digit, with_interval
from remission.report.words import read_as

if TYPE_CHECKING:
    from remission.trial.summary import SummaryRow

_FIRST_HAND = "abstract or registry"


def verdict_text(better: float, worse: float) -> str:
    """How often one such trial would find a difference, either way."""
    return f"p < .05 in {100.0 * better:.0f}% for, in {100.0 * worse:.0f}% against"


def mean_text(row: "SummaryRow") -> str:
    """The simulated mean."""
    return f"{row.simulated_mean:z.{decimals_of(row.mcse)}f}" if math.isfinite(row.simulated_mean) else "no estimate"


def interval_text(row: "SummaryRow") -> str:
    """2.5th to 97.5th percentile of replicates."""
    if not math.isfinite(row.simulated_low):
        return ""
    digits = decimals_of(row.mcse)
    return f"{row.simulated_low:z.{digits}f} to {row.simulated_high:z.{digits}f}"


def split_text(row: "SummaryRow") -> str:
    """Intervals of chance alone and of what is not known of the values; empty for a run without draws."""
    return spread_words(row.sampling, row.parameters, row.mcse)


def spread_words(
    sampling: Sequence[float] | None, parameters: Sequence[float] | None, mcse: float | None, *, more: str = "; "
) -> str:
    """The same from plain numbers."""
    digits = decimals_of(mcse or 0.0)
    parts = (("chance", sampling), ("values", parameters))
    said = [f"{name} {pair[0]:z.{digits}f} to {pair[1]:z.{digits}f}" for name, pair in parts if pair is not None]
    return more.join(said)


def error_text(row: "SummaryRow") -> str:
    """The Monte Carlo standard error of the mean, to one digit."""
    return error_digit(row.mcse) if math.isfinite(row.mcse) else ""


def simulated_text(row: "SummaryRow") -> str:
    """Mean, interval and error in one line."""
    interval, error = interval_text(row), error_text(row)
    shares = "" if row.verdict is None else f"; {verdict_text(row.share_better or 0.0, row.share_worse or 0.0)}"
    return f"{mean_text(row)}{f' ({interval})' if interval else ''}{f', {error}' if error else ''}{shares}"


def published_text(row: "SummaryRow") -> str:
    """Value, interval and kind of the published number; a dash where there is none."""
    found = row.published
    if row.verdict is not None:
        return f"{row.verdict.says}{_how(row.verdict.source_kind)}"
    if found is None:
        return "\u2013"
    return f"{with_interval(found.value, found.ci_low, found.ci_high)}{_how(found.source_kind)}"


def _how(source_kind: str) -> str:
    return "" if source_kind == _FIRST_HAND else f", {read_as(source_kind)}"


def measure_text(measure: Mapping[str, Any] | None) -> str:
    """A simulated number with its Monte Carlo error, with the digits that the error supports; empty for none."""
    if measure is None:
        return ""
    value, error = measure["value"], measure["mcse"]
    if value is None:
        return "not available"
    if not error:
        return f"{value:.3g}"
    digits = decimals_of(error, most=4)
    return f"{value:.{digits}f} (±\u00a0{error:.{digits}f})"


def share_text(measure: Mapping[str, Any] | None) -> str:
    """A share in percent with its Monte Carlo error."""
    if measure is None or measure["value"] is None:
        return "" if measure is None else "not available"
    error = 100.0 * (measure["mcse"] or 0.0)
    if not error:
        return f"{100.0 * measure['value']:.0f}%"
    digits = decimals_of(error, most=4)
    return f"{100.0 * measure['value']:.{digits}f}% (±\u00a0{error:.{digits}f})"


def drawn_words(found: Mapping[str, Any], text: Callable[[Any], str]) -> str:
    """The assurance of one size, the less favourable answer first; ``text`` writes a number with its error."""
    chain = (
        f"{text(found['models']['chain'])} by the chain, each of {found['n_replicates']} trials with a draw of "
        f"{found['posterior']}"
    )
    if "baseline" not in found["models"]:
        return chain
    other = f"{text(found['models']['baseline'])} by the average effect of the other trials"
    first, second = (chain, other) if found["least"] == "chain" else (other, chain)
    return f"{first}; {second}; stacked {text(found['models']['stacked'])}"


def smallest_words(search: Mapping[str, Any], text: Callable[[Any], str]) -> str:
    """The size that a search found, with its interval; ``text`` writes a number with its error."""
    low, high = search["interval"]
    best = min(search["evaluations"], key=lambda one: abs(one["n_subjects"] - search["n"]))
    return (
        f"Smallest size with power {search['power']:g}: {search['n']} people, 95% Monte Carlo interval {low} to "
        f"{high}; power there {text(search['rejected'])}, from {trials_words(best)} with {best['n_subjects']} people."
    )


def trials_words(evaluation: Mapping[str, Any]) -> str:
    """The trials behind a size that a search tried."""
    sets, again = evaluation["n_replicates"], evaluation["n_randomizations"]
    return f"{sets} trials" if again == 1 else f"{sets} sets of people, each randomized {again} times"
