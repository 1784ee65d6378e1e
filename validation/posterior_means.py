"""The set of values that goes with a posterior: ``python -m validation.posterior_means`` writes it into the library.

A value is the mean over draws on the scale of the plan's box, its range from the 5th to the 95th percentile. Runs draw
from the posterior itself; these are for what needs one set of values.
"""

from pathlib import Path

import numpy as np

from remission.library.calibration_plan import load_calibration_plan
from remission.library.loader import load_parameter_set
from remission.library.posteriors import Posterior, load_posterior
from remission.records.parameter import MODEL_FORM
from remission.records.substance import Substance

FOLDER = Path(__file__).resolve().parent.parent / "src" / "remission" / "library" / "behavior"
_HEAD = """# Written by python -m validation.posterior_means from the draws of the posterior; never by hand.
id = "{name}"
over = "{form}"
title = "Means of the posterior {name}"
note = \"\"\"Where a posterior says nothing the values are those of {form}. Every run draws its values from the posterior itself, one draw for each simulated trial; these means serve what needs one set of values.\"\"\"
attributes = {{ posterior = "{name}" }}
"""  # noqa: E501 - a file, not code
_ROW = """
[[parameters]]
id = "{id}"
symbol = "{symbol}"
value = {value}
unit = "{unit}"
grade = "derived"
source = "remission"
note = "{note}"
low = {low}
high = {high}
"""
_NOTE = "Mean of the posterior{scale}, with the range of 90% of its draws."


def means(posterior: Posterior) -> str:
    """The file's text."""
    usual = load_parameter_set(MODEL_FORM)
    parts = [_HEAD.format(name=posterior.plan, form=MODEL_FORM)]
    for box in load_calibration_plan(posterior.plan).value:
        if box.per_trial:
            continue
        columns = {box.name: posterior.draws["mean" if box.name == "use_effect" else box.name]}
        if box.name == "use_effect":
            columns |= {f"{box.name}.{one.value}": posterior.draws[f"substance.{one.value}"] for one in Substance}
        for name, column in columns.items():
            is_log = box.scale == "log"
            center = float(np.exp(np.log(column).mean()) if is_log else column.mean())
            low, high = np.quantile(column, [0.05, 0.95])
            parts.append(
                _ROW.format(
                    id=name, symbol=usual[box.name].symbol, unit=usual[box.name].unit, value=_digits(center),
                    low=_digits(low), high=_digits(high), note=_NOTE.format(scale=" of its logarithm" * is_log),
                )
            )  # fmt: skip
    return "".join(parts)


def _digits(value: float) -> str:
    return repr(float(f"{value:.4g}"))


if __name__ == "__main__":
    found = load_posterior()
    place = FOLDER / f"{found.plan}.toml"
    place.write_text(means(found), encoding="utf-8")
    print(place)
