"""What the bench and an analysis of guesses say in rows and sentences, for the terminal, reports and the app."""

from collections.abc import Mapping
from math import fsum, isfinite
from typing import Any

from remission.blinding.bench import BenchCell, BenchResult
from remission.blinding.finished import GuessesResult, estimate_text
from remission.blinding.indices import BlindingIndex
from remission.numerics.tallies import Measure
from remission.records.packaged import packaged_toml

WORDS: dict[str, Any] = packaged_toml("words", "blinding.toml")
Rows = list[tuple[str, ...]]
Titled = tuple[str, tuple[str, ...], Rows]
"""A title, a head and rows."""
_ALIKE = 0.05
"""Arms whose beliefs differ by less than this believe alike."""


def _number(found: Measure) -> str:
    return found.text if isfinite(found.value) else "-"


def _name_of(items: Any, name: str) -> str:
    return next((one.label or one.id for one in items if one.id == name), name)


def bench_rows(found: BenchResult, estimator: str = "naive") -> tuple[tuple[str, ...], Rows]:
    """Head and rows of the table of controls by worlds, of one analysis."""
    head = ("control", "world", "right guesses", "Bang drug", "Bang control", "rejects", "bias", "coverage")
    rows: Rows = []
    for one in found.cells:
        tried = one.estimators[estimator]
        guessed = (f"{100.0 * one.right:.0f}%", f"{one.bang_drug:z.2f}", f"{one.bang_control:z.2f}")
        found_there = (_number(tried.rejects), _number(tried.bias), _number(tried.coverage))
        rows.append((one.control, one.world, *guessed, *found_there))
    return head, rows


def doubt_rows(found: BenchResult) -> tuple[tuple[str, ...], Rows]:
    """Head and rows of how often a felt and inert drug is found to work, were belief worth something."""
    worths = list(dict.fromkeys(one.world for one in found.doubts))
    head = ("control", *(f"belief worth {worth.removesuffix('-sd').replace('-', '.')} SD" for worth in worths))
    rates = {(one.control, one.world): one.estimators["naive"].rejects for one in found.doubts}
    controls = dict.fromkeys(one.control for one in found.doubts)
    return head, [(name, *(_number(rates[name, worth]) for worth in worths)) for name in controls]


def estimator_rows(found: BenchResult) -> tuple[tuple[str, ...], Rows]:
    """Head and rows of every analysis in every cell."""
    head = ("control", "world", "analysis", "rejects", "bias", "coverage", "without an estimate")
    return head, [
        (one.control, one.world, WORDS["estimators"][name], _number(tried.rejects), _number(tried.bias),
         _number(tried.coverage), str(tried.n_failed))
        for one in found.cells
        for name, tried in one.estimators.items()
    ]  # fmt: skip


def bench_sentences(found: BenchResult) -> list[str]:
    """What the bench says, control by control; every number is one of its own."""
    words, trial = WORDS["bench"], found.trial
    said = [words["acts"] if trial.belief.acts else words["idle"]]
    if trial.guess.unfelt is None:
        said.append(words["ideal"])
    by_control: dict[str, dict[str, BenchCell]] = {}
    for one in found.cells:
        by_control.setdefault(one.control, {})[one.world] = one
    # Controls of which the same is to be said are told together.
    told: dict[tuple[str, ...], list[str]] = {}
    for name, cells in by_control.items():
        first = next((cells[world] for world in ("works-felt", "felt-inert") if world in cells), None)
        if first is not None:
            told.setdefault(_of_control(found, cells, first), []).append(_name_of(trial.controls, name))
    said += [f"{'; '.join(labels)}: {' '.join(lines)}" for lines, labels in told.items()]
    notes = {one.note for one in trial.controls if one.note}
    return [*said, *sorted(notes), words["scale"].format(scale=found.scale)]


def _of_control(found: BenchResult, cells: Mapping[str, BenchCell], first: BenchCell) -> tuple[str, ...]:
    """What is to be said of one control, by its worlds; ``first`` is the one where the drug is felt."""
    words, trial = WORDS["bench"], found.trial
    said = [words["guessed"].format(right=f"{100.0 * first.right:.0f}")]
    needed = needed_belief(found, first)
    if needed is not None:
        said.append(words["needed"].format(sd=f"{needed:.2g}"))
    elif first.belief_gap < _ALIKE:
        said.append(words["needed-none"])
    inert = cells.get("felt-inert")
    if inert is not None and trial.belief.acts:
        rejects = inert.estimators["naive"].rejects
        said.append(words["inert"].format(rejects=rejects.text, alpha=f"{trial.alpha:g}"))
    if not first.estimators["within-guess"].n_failed < 0.5 * trial.trials:
        said.append(words["no-strata"])
    return tuple(said)


def needed_belief(found: BenchResult, cell: BenchCell) -> float | None:
    """What believing would have to add to make the stated effect, in standard deviations; ``None``: nothing can."""
    return abs(found.effect_sd) / cell.belief_gap if cell.belief_gap >= _ALIKE and found.effect_sd else None


def guesses_rows(found: GuessesResult) -> list[Titled]:
    """Titles, heads and rows of an analysis of guesses."""
    answers: Rows = [
        (f"{one.day:g}" if isfinite(one.day) else "-", *(
            " / ".join(f"{count:.0f}" for count in row) for row in one.counts
        ), index_text(one.james), index_text(one.bang_drug), index_text(one.bang_control), _certainty(one.certainty))
        for one in found.indices
    ]  # fmt: skip
    head = ("day", "guess drug", "guess control", "do not know", "James", "Bang, drug's arm", "Bang, control arm",
            "mean certainty")  # fmt: skip
    tables: list[Titled] = [("Guesses, drug's arm / control arm", head, answers)]
    estimates: Rows = [
        (WORDS["estimators"][one.name], one.message or estimate_text(one.value, one.low, one.high))
        for one in found.estimates
    ]
    tables.append(("Treatment minus control", ("analysis", "estimate (95% interval)"), estimates))
    if found.worlds:
        rows: Rows = []
        for one in found.worlds:
            fitted = one.fitted
            distance = f"{fitted.chi_squared:.1f} on {fitted.freedom}"
            truth = estimate_text(fitted.truth, fitted.low, fitted.high) if fitted.effect else "0"
            tried = [
                _in_world(one.tried.get(name)) for name in ("naive", "within-guess", "correct-guess-rate-observed")
            ]
            rows.append((WORDS["worlds"][fitted.name], "fits" if fitted.fits else "does not fit", distance,
                         f"{fitted.inside} of {fitted.told}", truth, f"{fitted.report:z.2f}", f"{fitted.better:z.2f}",
                         *tried))  # fmt: skip
        tables.append(("Worlds fitted to the last guesses and the outcome",
                       ("world", "", "distance", "inside", "drug by itself", "belief (SD)", "improvement (log odds)",
                        "naive: bias, coverage", "within guess", "half right"), rows))  # fmt: skip
    return tables


_IN_WORLDS = ("naive", "within-guess", "correct-guess-rate-observed")


def _in_world(tried: Any) -> str:
    if tried is None or not isfinite(tried.bias.value):
        return "-"
    return f"{tried.bias.value:z.2g}, {tried.coverage.value:.2f}"


def _certainty(cells: tuple[tuple[float, ...], ...]) -> str:
    known = [one for row in cells for one in row if isfinite(one)]
    return f"{fsum(known) / len(known):.0f}%" if known else "-"


def index_text(index: BlindingIndex) -> str:
    """An index with its interval, or why there is none."""
    return index.message or estimate_text(index.value, index.low, index.high)


def bench_paragraph(found: BenchResult) -> str:
    """A paragraph for a protocol or a regulator; every number is one of the bench."""
    trial = found.trial
    cells = {(one.control, one.world): one for one in found.cells}
    first = trial.controls[0].id
    parts = []
    for world, key in (("works-felt", "power"), ("felt-inert", "inert")):
        cell = cells.get((first, world))
        if cell is not None:
            tried = cell.estimators["naive"]
            parts.append(WORDS["paragraph"][key].format(
                rejects=f"{100.0 * tried.rejects.value:.1f}", bias=f"{tried.bias.value:.3g}",
                coverage=f"{100.0 * tried.coverage.value:.1f}", right=f"{100.0 * cell.right:.0f}",
            ))  # fmt: skip
    stated = ", ".join(f"{name} {value:g}" for name, value in trial.belief.to_dict().items() if value)
    return WORDS["paragraph"]["bench"].format(
        control=_name_of(trial.controls, first), people=trial.people, trials=trial.trials, scale=found.scale,
        belief=stated or WORDS["paragraph"]["no-belief"], worlds=", ".join(one.id for one in trial.worlds),
        found=" ".join(parts), seed=trial.seed,
    )  # fmt: skip


def guesses_paragraph(found: GuessesResult) -> str:
    """A paragraph for a report of a finished trial."""
    return WORDS["paragraph"]["guesses"].format(verdict=" ".join(found.verdict), seed=found.trial.file.seed)
