"""Pictures of the bench and of guesses: the frontier of controls, the correct-guess-rate curve, the fitted worlds."""

from matplotlib.figure import Figure

from remission.blinding.bench import BenchCell, BenchResult
from remission.blinding.finished import GuessesResult, estimate_text
from remission.errors import SpecError
from remission.report.blinding_words import WORDS
from remission.report.chart import Chart, Table
from remission.report.look import DASHES, INK, QUIET, RULE, canvas, drawing, finish

_WORKS, _INERT = "#3d35a0", "#2a78b8"


def frontier_chart(found: BenchResult) -> Chart:
    """Right guesses by what the plain analysis finds where the drug works and where it does nothing."""
    kinds = [
        (world, color, dash, mark)
        for world, color, dash, mark in (("works-felt", _WORKS, "-", "o"), ("felt-inert", _INERT, DASHES["long"], "s"))
        if any(one.world == world for one in found.cells)
    ] or [(found.cells[0].world, _WORKS, "-", "o")]
    with drawing():
        figure = Figure(figsize=(9.4, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for world, color, dash, mark in kinds:
            line = sorted((one for one in found.frontier if one.world == world), key=lambda one: one.right)
            for axes, read in ((left, _rejects), (right, _bias)):
                axes.plot([100.0 * one.right for one in line], [read(one) for one in line], color=color, linestyle=dash)
                spots = [one for one in found.cells if one.world == world]
                axes.plot([100.0 * one.right for one in spots], [read(one) for one in spots], color=color, marker=mark,
                          linestyle="none", markersize=5.5, label=WORDS["worlds"].get(world, world))  # fmt: skip
        left.axhline(100.0 * found.trial.alpha, color=RULE, linewidth=1.2, zorder=1)
        right.axhline(0.0, color=RULE, linewidth=1.2, zorder=1)
        left.set_ylim(0.0, 104.0)
        finish(left, x="right guesses, % of people asked", y="trials that find an effect, %")
        finish(right, x="right guesses, % of people asked", y=f"bias, {found.scale}")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    inert = [one for one in found.cells if one.world == "felt-inert"]
    worst = max(inert, key=_rejects) if inert else found.cells[0]
    words = WORDS["charts"]["frontier"]
    rows = [[one.control, one.world, f"{100.0 * one.right:.0f}", f"{_rejects(one):.1f}", f"{_bias(one):.3g}"]
            for one in (*found.cells, *found.frontier)]  # fmt: skip
    return Chart(
        name="frontier", title=words["title"].format(control=worst.control, rejects=f"{_rejects(worst):.0f}"),
        see=words["see"], cannot=words["cannot"], figure=figure,
        table=Table(columns=("control", "world", "right guesses, %", "find an effect, %", "bias"), rows=rows),
    )  # fmt: skip


def _rejects(one: BenchCell) -> float:
    return 100.0 * one.estimators["naive"].rejects.value


def _bias(one: BenchCell) -> float:
    return one.estimators["naive"].bias.value


def curve_chart(found: GuessesResult) -> Chart:
    """The difference at each share of right guesses, by both rules.

    Raises SpecError: no outcome is known, so that there is no difference.
    """
    if not found.curve:
        raise SpecError(where="plot", got="guesses without an outcome", allowed="guesses with the outcome of both arms")
    with canvas(9.4, 3.9) as (figure, axes):
        rates = [100.0 * one[0] for one in found.curve]
        axes.plot(rates, [one[1] for one in found.curve], color=_WORKS, label="split as observed")
        axes.plot(rates, [one[2] for one in found.curve], color=_INERT, linestyle=DASHES["long"], label="split evenly")
        axes.axhline(0.0, color=RULE, linewidth=1.2, zorder=1)
        axes.axvline(50.0, color=QUIET, linewidth=1.0, linestyle=DASHES["mixed"])
        naive = found.estimates[0]
        axes.errorbar([100.0 * found.indices[-1].right], [naive.value], yerr=[[naive.value - naive.low],
                      [naive.high - naive.value]], color=INK, marker="D", capsize=2.5, label="as observed")  # fmt: skip
        unit = f", {found.trial.file.unit}" if found.trial.file.unit else ""
        finish(axes, x="right guesses, %", y=f"treatment minus control{unit}")
        axes.legend()
    words = WORDS["charts"]["curve"]
    half = next(one for one in found.curve if abs(one[0] - 0.5) < 1e-9)
    return Chart(
        name="curve", title=words["title"].format(naive=f"{naive.value:.3g}", half=f"{half[1]:.3g}"), see=words["see"],
        cannot=words["cannot"], figure=figure,
        table=Table(columns=("right guesses, %", "split as observed", "split evenly"),
                    rows=[[f"{100.0 * a:.0f}", f"{b:.3g}", f"{c:.3g}"] for a, b, c in found.curve]),
    )  # fmt: skip


def worlds_chart(found: GuessesResult) -> Chart:
    """What the drug does by itself in each world that fits."""
    fitting = [one.fitted for one in found.worlds if one.fitted.fits]
    with canvas(9.4, 0.55 * len(fitting) + 1.4) as (figure, axes):
        for place, one in enumerate(reversed(fitting)):
            axes.plot([one.low, one.high], [place, place], color=INK, linewidth=1.1)
            axes.plot([one.truth], [place], color=_WORKS, marker="o", markersize=6)
        axes.axvline(0.0, color=RULE, linewidth=1.2, zorder=1)
        axes.set_yticks(range(len(fitting)), [WORDS["worlds"].get(one.name, one.name) for one in reversed(fitting)])
        axes.set_ylim(-0.6, len(fitting) - 0.4)
        unit = f", {found.trial.file.unit}" if found.trial.file.unit else ""
        axes.set_xlabel(f"what the drug does by itself{unit}")
    words = WORDS["charts"]["worlds"]
    low, high = min(one.truth for one in fitting), max(one.truth for one in fitting)
    return Chart(
        name="worlds", title=words["title"].format(count=len(fitting), low=f"{low:.3g}", high=f"{high:.3g}"),
        see=words["see"], cannot=words["cannot"], figure=figure,
        table=Table(columns=("world", "drug by itself (95% interval)"),
                    rows=[[one.name, estimate_text(one.truth, one.low, one.high)] for one in fitting]),
    )  # fmt: skip
