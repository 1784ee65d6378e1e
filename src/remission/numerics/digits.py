"""How a number becomes text: no more digits than its error or the differences between people support."""

from math import isfinite


def decimals_of(error: float, *, most: int = 3) -> int:
    """Decimals that an error supports: its first digit is the last one shown; 1 for an unknown error."""
    if not (isfinite(error) and error > 0.0):
        return 1
    return next((count for count in range(most) if error >= 10.0**-count), most)


def error_digit(error: float) -> str:
    """An error to its first digit, never as a power of ten where a plain number says it: 20, not 2e+01.

    Below a billionth it is what rounding leaves of no error.
    """
    if error < 1e-9:
        return "0"
    return f"{float(f'{error:.0e}'):,.0f}" if error >= 1.0 else f"{error:.1g}"


def digits(value: float) -> str:
    """A number with the digits that people differ by, not more."""
    size = abs(value)
    text = f"{value:.0f}" if size >= 10.0 else f"{value:.1f}" if size >= 1.0 else f"{value:.2f}"
    return "0" if float(text) == 0.0 else text


def signed(value: float) -> str:
    """As :func:`digits`, a difference with its sign."""
    text = digits(value)
    return text if text.startswith("-") or text == "0" else f"+{text}"


def span(low: float, high: float) -> str:
    """Both ends of a range."""
    return f"{digits(low)} to {digits(high)}"


def band(value: float, low: float, high: float) -> str:
    """A median and the range around it."""
    return f"{digits(value)} ({span(low, high)})"


def from_to(low: float, high: float) -> str:
    """Both ends of a range as whole numbers; one where they are the same."""
    return f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"


def with_interval(value: float, low: float | None, high: float | None) -> str:
    """A number as its source prints it, with its interval where there is one."""
    return f"{value:g}" if low is None else f"{value:g} ({low:g} to {high:g})"


def duration(duration_s: float) -> str:
    """A duration in words that a person reads: 42 s, 7 min, 2.5 h."""
    if duration_s < 99.5:
        return f"{max(1, round(duration_s))} s"
    return f"{round(duration_s / 60)} min" if duration_s < 5940 else f"{duration_s / 3600:.1f} h"
