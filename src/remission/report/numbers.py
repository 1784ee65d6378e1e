"""Numbers as people read them: no more digits than the Monte Carlo error supports, published ones with their kind."""

import math

from remission.trial.summary import SummaryRow

__all__ = ["digits_of", "error_digit", "error_text", "interval_text", "mean_text", "published_text", "simulated_text"]


def digits_of(error: float) -> int:
    """Decimals that an error supports: its first digit is the last one shown; 0 to 3, and 1 for an unknown error."""
    if not (math.isfinite(error) and error > 0.0):
        return 1
    return sum(error < least for least in (1.0, 0.1, 0.01))


def error_digit(error: float) -> str:
    """An error to its first digit, never as a power of ten where a plain number says it: 20, not 2e+01."""
    return f"{float(f'{error:.0e}'):,.0f}" if error >= 1.0 else f"{error:.1g}"


def mean_text(row: SummaryRow) -> str:
    """The simulated mean."""
    return f"{row.simulated_mean:z.{digits_of(row.mcse)}f}" if math.isfinite(row.simulated_mean) else "no estimate"


def interval_text(row: SummaryRow) -> str:
    """2.5th to 97.5th percentile of replicates."""
    if not math.isfinite(row.simulated_low):
        return ""
    digits = digits_of(row.mcse)
    return f"{row.simulated_low:z.{digits}f} to {row.simulated_high:z.{digits}f}"


def error_text(row: SummaryRow) -> str:
    """The Monte Carlo standard error of the mean, to one digit."""
    return error_digit(row.mcse) if math.isfinite(row.mcse) else ""


def simulated_text(row: SummaryRow) -> str:
    """Mean, interval and error in one line."""
    interval, error = interval_text(row), error_text(row)
    return f"{mean_text(row)}{f' ({interval})' if interval else ''}{f', {error}' if error else ''}"


def published_text(row: SummaryRow) -> str:
    """Value, interval and kind of the published number; a dash where there is none."""
    found = row.published
    if found is None:
        return "\u2013"
    interval = f" ({found.ci_low:g} to {found.ci_high:g})" if found.ci_low is not None else ""
    kind = "" if found.source_kind == "abstract or registry" else f", {found.source_kind}"
    return f"{found.value:g}{interval}{kind}"
