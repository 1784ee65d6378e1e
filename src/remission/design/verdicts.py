"""What a reader of a power must be told beside it, in the same words on a screen, in JSON and in a report."""

from collections.abc import Mapping
from typing import Any, Final

from remission.numerics.tallies import Measure

TRUE_VALUE: Final = (
    "Bias and coverage are against treatment policy: the value with nobody unseen, whatever happened to anybody."
)

EARLY_STOP: Final = (
    "After a stop the plain 95% interval covers less than 95% and the estimate is too large: report neither without "
    "saying so."
)

LARGE_EFFECT: Final = 1.0
"""A difference of means above so many standard deviations of people asks for a second look at the scale."""


def verdicts(row: Mapping[str, Any], *, power: float, stops: bool = False) -> list[str]:
    """Sentences on bias, on a rule that asks another question, on a very large effect, and on looks.

    ``row``: a row of characteristics or of a table, as JSON has it. ``power``: its power, as a number. ``stops``:
    whether the trial can stop before its end.
    """
    found = []
    bias, own, without = row.get("bias"), row.get("own_bias"), row.get("power_without_bias")
    if row.get("is_flattered") and without is not None:
        full = row.get("rejected_complete")
        seen = "" if full is None else f"; {full['value']:.2f} had nobody been unseen"
        found.append(
            f"Part of this power comes from bias: the estimate lies too far from no effect, and without that the power "
            f"would be about {without:.2f} and not {power:.2f}{seen}."
        )
    if own is not None and bias is not None and own["value"] is not None:
        found.append(
            f"The rule for missing data asks another question than treatment policy: against its own value "
            f"({row['own_truth']:.3g}) the bias is {_number(own)}. A rule that changes the question takes no bias away."
        )
    effect = row.get("standardized_effect")
    if effect is not None and effect > LARGE_EFFECT:
        found.append(
            f"The effect is {effect:.1f} standard deviations of people (d above {LARGE_EFFECT:g}): very large. So few "
            "people are enough only if the model's scale of this endpoint is right; check it first."
        )
    if stops:
        found.append(EARLY_STOP)
    return found


def _number(measure: Mapping[str, Any]) -> str:
    return Measure(value=measure["value"], mcse=measure["mcse"] or 0.0).text
