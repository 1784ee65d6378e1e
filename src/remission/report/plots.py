"""Pictures of results: which chart draws what, so that every result has the same ``plot()``."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from remission.blinding.bench import BenchResult
from remission.blinding.finished import GuessesResult
from remission.diaries.statistics import Description, Descriptions
from remission.errors import SpecError
from remission.pk import Concentrations
from remission.planner import Plan
from remission.report.blinding_charts import curve_chart, frontier_chart
from remission.report.describe_page import description_charts
from remission.report.look import canvas, finish
from remission.report.planner_chart import planner_chart
from remission.report.results_chart import results_chart
from remission.trial.result import TrialResult
from remission.trial.summary import summarize_trial


def draw_result(result: object) -> Figure:
    """The picture of a result.

    Raises SpecError: nothing is drawn of such a result.
    """
    draw = PLOTS.get(type(result))
    if draw is None:
        raise SpecError(
            where="plot", got=type(result).__name__,
            allowed=f"one of {', '.join(sorted(kind.__name__ for kind in PLOTS))}",
            remedy="Take its numbers with to_frame() and draw them as you like.",
        )  # fmt: skip
    return draw(result)


def _concentrations(found: Concentrations) -> Figure:
    """Each series over time: the median of the people and, for several, the middle 90% of them."""
    with canvas(9.4, 4.3) as (figure, axes):
        for index, one in enumerate(found.series):
            low, middle, high = np.quantile(found.conc_ng_per_ml[:, index], [0.05, 0.5, 0.95], axis=0)
            (line,) = axes.plot(found.t_h, middle, label=f"{one.analyte.value}, {one.sampling_site.value}")
            if len(found.conc_ng_per_ml) > 1:
                axes.fill_between(found.t_h, low, high, color=line.get_color(), alpha=0.15, linewidth=0.0)
        finish(axes, x="hours from the start", y=found.units)
        axes.legend()
    return figure


PLOTS: Final[Mapping[type, Callable[[Any], Figure]]] = MappingProxyType(
    {
        BenchResult: lambda found: frontier_chart(found).figure,
        Concentrations: _concentrations,
        Description: lambda found: description_charts(found)[0].figure,
        Descriptions: lambda found: description_charts(found.descriptions[0])[0].figure,
        GuessesResult: lambda found: curve_chart(found).figure,
        Plan: lambda found: planner_chart(found).figure,
        TrialResult: lambda found: results_chart(found, summarize_trial(found)).figure,
    }
)
"""The chart of each kind of result that has one."""
