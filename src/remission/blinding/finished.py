"""A finished trial: how blind it was, what analyses make of its guesses, which worlds fit, what would settle it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil, isfinite, sqrt
from typing import Any, Final

import numpy as np

from remission.blinding.belief import GuessOdds
from remission.blinding.bench import Tried, try_situation
from remission.blinding.estimators import Estimated, cgr_weights, contrast, naive_weights, within_weights
from remission.blinding.experience import ArmPair, Felt
from remission.blinding.fit import FittedWorld, contrast_of, fit_worlds, naive_effect, seen_at, spread_of
from remission.blinding.indices import BlindingIndex, bang_index, error_of_persons, james_index
from remission.blinding.outcome import outcome_of
from remission.blinding.table import FinishedTrial
from remission.blinding.trial import Situation
from remission.numerics.digits import decimals_of
from remission.numerics.distributions import t_cdf
from remission.records.belief import Believing, Guessing, World
from remission.records.effect import Difference, Law, Proportions
from remission.records.packaged import packaged_toml
from remission.records.result import Result

_FEWEST: Final = 5
"""Fewer all guess right by chance in more than 5% of trials."""
_RATES: Final = tuple(k / 20 for k in range(1, 20))
_POWER_Z = 1.959963984540054 + 1.2815515655446004
"""For 90% power at a two-sided error of 5%."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessIndices:
    """The indices of one asking. ``day``: NaN where it is not known. ``counts``: rows by answer, columns by arm.

    ``certainty``: mean of those who said it, likewise. [percent]
    """

    day: float
    counts: tuple[tuple[float, ...], ...]
    certainty: tuple[tuple[float, ...], ...]
    james: BlindingIndex
    bang_drug: BlindingIndex
    bang_control: BlindingIndex
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessEstimate:
    """What an analysis makes of the guesses: difference with its 95% interval; ``message``: why there is none."""

    name: str
    value: float
    low: float
    high: float
    p_value: float
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOfTrial:
    """A fitted world, and what each analysis would do in it: bias and coverage of what the drug does by itself."""

    fitted: FittedWorld
    tried: Mapping[str, Tried]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """A trial that would tell two worlds apart: people in all, with 90% power; ``None`` where none can."""

    name: str
    people: int | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessesResult(Result):
    """What a finished trial says of its blinding, and what it cannot say.

    indices
        Of each asking.
    estimates
        Of the effect, by the last guesses and by the first.
    curve
        The difference at each share of right guesses, by rule: a bound.
    worlds
        By name, fitted, with the analyses tried in those that fit.
    needed, needed_sd
        What believing to have had the drug would have to add to explain the difference away, in the unit of the outcome
        and in standard deviations; infinite where both arms believe alike.
    seen_gap
        The difference between those who believed and those who did not, within arms.
    settling
        Trials that would tell the worlds apart.
    verdict
        Sentences.
    """

    trial: FinishedTrial
    indices: tuple[GuessIndices, ...]
    estimates: tuple[GuessEstimate, ...]
    curve: tuple[tuple[float, float, float], ...]
    worlds: tuple[WorldOfTrial, ...]
    needed: float
    needed_sd: float
    seen_gap: float
    settling: tuple[Settling, ...]
    verdict: tuple[str, ...]

    def columns(self) -> dict[str, Any]:
        """One row an estimate."""
        names = ("name", "value", "low", "high", "p_value", "message")
        return {name: [getattr(one, name) for one in self.estimates] for name in names}

    def _facts(self) -> list[tuple[str, Any]]:
        return [
            ("trial", self.trial.file.id),
            *((one.name, one.message or estimate_text(one.value, one.low, one.high)) for one in self.estimates),
            *((one.fitted.name, "fits" if one.fitted.fits else "does not fit") for one in self.worlds),
        ]  # fmt: skip


def estimate_text(value: float, low: float, high: float) -> str:
    """An estimate with its interval, to the digits that its width supports."""
    count = decimals_of(0.05 * (high - low), most=4) if high > low else 3
    # Rounded to nothing, a number has no sign.
    near, least, most = (f"{round(one, count) + 0.0:.{count}f}" for one in (value, low, high))
    return f"{near} ({least} to {most})"


def analyze_finished(trial: FinishedTrial) -> GuessesResult:
    """Everything that a finished trial says of its blinding."""
    indices = tuple(_indices(trial, place) for place in range(len(trial.tables)))
    estimates = tuple(_estimates(trial))
    worlds = tuple(_tried(trial, one) for one in fit_worlds(trial))
    needed, needed_sd, gap = _needed(trial)
    settling = _settling(trial, worlds)
    found = GuessesResult(
        trial=trial, indices=indices, estimates=estimates, curve=_curve(trial), worlds=worlds, needed=needed,
        needed_sd=needed_sd, seen_gap=gap, settling=settling, verdict=(),
    )  # fmt: skip
    return _with_verdict(found)


def _indices(trial: FinishedTrial, place: int) -> GuessIndices:
    table = trial.tables[place]
    counts, persons = table.counts, None if table.persons is None else table.persons.counts
    return GuessIndices(
        day=table.day, counts=tuple(map(tuple, counts.tolist())), certainty=tuple(map(tuple, table.certainty.tolist())),
        james=james_index(counts, persons), bang_drug=bang_index(counts, 0, persons),
        bang_control=bang_index(counts, 1, persons),
        right=float((counts[0, 0] + counts[1, 1]) / counts.sum()),
    )  # fmt: skip


def _kind(trial: FinishedTrial) -> str:
    return "share" if trial.file.outcome == "share" else "mean"


def _estimates(trial: FinishedTrial) -> list[GuessEstimate]:
    kind, table = _kind(trial), trial.last
    if (table.known.sum(axis=0) < 2.0).any():
        message = _WORDS["status"]["no-outcome"]
        return [GuessEstimate(name="naive", value=np.nan, low=np.nan, high=np.nan, p_value=np.nan, message=message)]
    lacks = _WORDS["status"]["empty-group"]
    found = [_told("naive", contrast_of(table, kind, naive_weights, whole_arms=True), lacks)]
    found.append(_told("within-guess", contrast_of(table, kind, within_weights), lacks))
    if len(trial.tables) > 1 and trial.tables[0].has_outcome:
        found.append(_told("within-early-guess", contrast_of(trial.tables[0], kind, within_weights), lacks))
    for rule in ("observed", "equal", "drug-arm"):
        weigh = partial(cgr_weights, rule=rule)
        found.append(_told(f"correct-guess-rate-{rule}", contrast_of(table, kind, weigh), lacks))
    adjusted = _expectation_adjusted(trial)
    if adjusted is not None:
        found.append(_told("expectation-adjusted", adjusted, lacks))
    return found


def _told(name: str, found: Estimated, message: str) -> GuessEstimate:
    value, se = float(found.value[0]), float(found.se[0])
    if not (isfinite(value) and se > 0.0):
        return GuessEstimate(name=name, value=np.nan, low=np.nan, high=np.nan, p_value=np.nan, message=message)
    freedom = float(min(found.freedom[0], 1e9))
    reach = float(found.bound(0.05)[0]) * se
    p_value = 2.0 * float(t_cdf(freedom, -abs(value) / se))
    return GuessEstimate(name=name, value=value, low=value - reach, high=value + reach, p_value=p_value)


def _expectation_adjusted(trial: FinishedTrial) -> Estimated | None:
    """Least squares on arm and expectation; ``None`` where expectation is not known."""
    x, y = trial.expectation, trial.outcome
    good = np.isfinite(x) & np.isfinite(y)
    if good.sum() < 5 or np.ptp(x[good]) == 0.0 or len(set(trial.arm[good].tolist())) < 2:
        return None
    design = np.column_stack([np.ones(good.sum()), trial.arm[good] == 0, x[good] - x[good].mean()])
    beta, *_ = np.linalg.lstsq(design, y[good], rcond=None)
    freedom = float(good.sum() - 3)
    rest = y[good] - design @ beta
    inverse = np.linalg.inv(design.T @ design)
    variance = float(rest @ rest) / freedom * inverse[1, 1]
    if trial.person is not None:
        names, who = np.unique(trial.person[good], return_inverse=True)
        moved = np.bincount(who, weights=design @ inverse[1] * rest)
        variance, freedom = error_of_persons(moved, np.ones(names.size)) ** 2, names.size - 3.0
    if not (variance > 0.0 and freedom > 0.0):
        return None
    return Estimated(value=beta[1:2], se=np.array([sqrt(variance)]), freedom=np.array([freedom]))


def _curve(trial: FinishedTrial) -> tuple[tuple[float, float, float], ...]:
    """Share of right guesses, and the difference there as observed and split evenly."""
    if not trial.last.has_outcome:
        return ()
    groups = trial.last.statistics(_kind(trial))
    rows = []
    for rate in _RATES:
        found = [contrast(groups, cgr_weights(groups.n, rate=rate, rule=rule)) for rule in ("observed", "equal")]
        observed, equal = (float(one.value[0]) for one in found)
        rows.append((rate, observed, equal))
    return tuple(rows)


def _law_of(trial: FinishedTrial, fitted: FittedWorld) -> Law:
    better = trial.file.better
    sign = 1.0 if better == "higher" else -1.0
    if trial.file.outcome == "mean":
        return Difference(law="difference", difference=sign * fitted.effect * fitted.sd, sd=fitted.sd, better=better)  # type: ignore[arg-type]  # one SD for both sides
    control = float(1.0 / (1.0 + np.exp(-fitted.center)))
    treatment = min(max(control + fitted.truth, 1e-6), 1.0 - 1e-6)
    return Proportions(law="proportions", treatment=treatment, control=control, better=better)


def _tried(trial: FinishedTrial, fitted: FittedWorld) -> WorldOfTrial:
    """The analyses in a fitted world: trials of the same size with the same chances of every answer."""
    if not fitted.fits:
        return WorldOfTrial(fitted=fitted, tried={})
    law = _law_of(trial, fitted)
    outcome = outcome_of(law)
    n = trial.last.counts.sum(axis=0)
    arms = ArmPair(drug=Felt(mean=fitted.gap), control=Felt(), effect_share=0.0)
    now = Situation(
        arms=arms, odds=GuessOdds(intercept=fitted.level, slope=1.0), outcome=outcome,
        guess=Guessing.create(better=min(fitted.better, 50.0), unsure=fitted.unsure),
        belief=Believing.create(report=float(np.clip(fitted.report, -10.0, 10.0))), world=World(id=fitted.name),
        # The first asking of a trial that asks early knows nothing of the outcome.
        seen=(0.0 if len(trial.tables) > 1 else seen_at(trial), seen_at(trial)),
    )  # fmt: skip
    cell = try_situation(
        now, people=int(n.sum()), treatment_share=float(n[0] / n.sum()), truth=fitted.truth, alpha=0.05,
        n_replicates=min(trial.file.trials, max(100, int(4e6 / n.sum()))), seed=trial.file.seed,
        names=("", fitted.name),
    )  # fmt: skip
    kept = {name: one for name, one in cell.estimators.items() if name != "expectation-adjusted"}
    if len(trial.tables) == 1:
        kept.pop("within-early-guess")
    return WorldOfTrial(fitted=fitted, tried=kept)


def _needed(trial: FinishedTrial) -> tuple[float, float, float]:
    """What believing would have to add to explain the difference away, the same in SD, and what was seen of it."""
    if not (trial.last.has_outcome and 0.0 < spread_of(trial) < np.inf):
        return np.nan, np.nan, np.nan
    counts, groups = trial.last.counts, trial.last.statistics(_kind(trial))
    belief = (counts[0] + 0.5 * counts[2]) / counts.sum(axis=0)
    naive, _ = naive_effect(trial)
    apart = float(belief[0] - belief[1])
    needed = naive / apart if abs(apart) > 1e-12 else np.copysign(np.inf, naive)
    gaps = groups.value[0, 0] - groups.value[0, 1]
    seen = float(np.nanmean(gaps)) if np.isfinite(gaps).any() else np.nan
    return float(needed), float(needed / spread_of(trial)), seen


def _settling(trial: FinishedTrial, worlds: tuple[WorldOfTrial, ...]) -> tuple[Settling, ...]:
    """Trials that tell apart the two fitting worlds whose truths lie furthest from each other."""
    fitting = [one.fitted for one in worlds if one.fitted.fits]
    if len(fitting) < 2:
        return ()
    low, high = min(fitting, key=lambda one: one.truth), max(fitting, key=lambda one: one.truth)
    sd, gap = spread_of(trial), high.truth - low.truth
    words, found = _WORDS["settling"], []
    people = _people(4.0 * (_POWER_Z * sd / gap) ** 2) if gap > 0.0 else None
    found.append(_settled("matched-control", people, words, low, high))
    # Early answers know nothing of the outcome, so that what goes with them is belief.
    counts = trial.last.counts
    share = float(counts[0].sum() / max(counts[:2].sum(), 1.0))
    apart = abs(low.report - high.report) * (sd if trial.file.outcome == "mean" else 1.0)
    if trial.file.outcome == "share":
        apart = abs(low.report - high.report) * 0.25 * np.pi / sqrt(3.0)
    spread = share * (1.0 - share)
    asked = _people((_POWER_Z * sd / apart) ** 2 / spread) if apart > 0.0 and spread > 0.0 else None
    found.append(_settled("early-guess", asked, words, low, high))
    return tuple(found)


def _people(number: float) -> int | None:
    # Fewer are too few for the normal law behind the number.
    return max(20, int(2 * ceil(0.5 * number))) if isfinite(number) and number < 1e7 else None


def _settled(name: str, people: int | None, words: Mapping[str, str], low: FittedWorld, high: FittedWorld) -> Settling:
    key = name if people is not None else f"{name}-cannot"
    sentence = words[key].format(
        people=people, low=f"{low.truth:.3g}", high=f"{high.truth:.3g}", first=_called(low), second=_called(high)
    )
    return Settling(name=name, people=people, sentence=sentence)


_WORDS: Final[Mapping[str, Any]] = packaged_toml("words", "blinding.toml")


def _with_verdict(found: GuessesResult) -> GuessesResult:
    from dataclasses import replace

    return replace(found, verdict=tuple(_sentences(found)))


def _sentences(found: GuessesResult) -> list[str]:
    words, last = _WORDS["verdict"], found.indices[-1]
    unit = f" {found.trial.file.unit}" if found.trial.file.unit else ""
    asked, right = int(sum(map(sum, last.counts))), f"{100.0 * last.right:.0f}"
    persons = found.trial.last.persons
    if persons is None:
        said = [words["guessed"].format(right=right, asked=asked)]
        said += [] if found.trial.knows_persons else [words["rows"]]
    else:
        said = [words["guessed-sessions"].format(right=right, asked=asked, people=persons.n)]
    n_drug, n_all = (int(one) for one in (np.array(last.counts)[:, 0].sum(), np.array(last.counts).sum()))
    known = isfinite(last.james.value)
    unblind = (known and last.james.high < 0.5 and n_all >= _FEWEST) or (
        last.bang_drug.one_sided[0] > 0.0 and n_drug >= _FEWEST
    )
    said.append(words["unblinded" if unblind else "not-shown-unblinded"].format(
        james=_index_text(last.james), drug=_index_text(last.bang_drug), control=_index_text(last.bang_control)
    ))  # fmt: skip
    if 0.0 in (last.james.se, last.bang_drug.se, last.bang_control.se):
        said.append(words["alike"])
    if not np.array(last.counts)[:2].any():
        said.append(words["nobody"])
    elif not np.array(last.counts)[:2].any(axis=1).all():
        said.append(words["one-way"])
    naive = found.estimates[0]
    if not found.worlds:
        guessed = np.array(last.counts)[:2].any()
        key = "no-spread" if found.trial.last.has_outcome else "no-outcome"
        return [*said, words[key]] if guessed else said
    said.append(words["naive"].format(value=estimate_text(naive.value, naive.low, naive.high), unit=unit))
    fitting = [one.fitted for one in found.worlds if one.fitted.fits]
    if isfinite(found.needed):
        seen = f"{found.seen_gap:.3g}{unit}" if isfinite(found.seen_gap) else words["unseen"]
        key = "needed" if found.needed * naive.value > 0.0 else "needed-other-way"
        said.append(words[key].format(
            needed=f"{abs(found.needed):.3g}{unit}", sd=f"{abs(found.needed_sd):.2g}", seen=seen
        ))  # fmt: skip
    else:
        said.append(words["needed-none"])
    if not any(one.is_near for one in fitting):
        held = [_called(one) for one in fitting if one.inside == one.told]
        said.append(words["not-together"].format(names=", ".join(held)) if held else words["no-world"])
    if len(fitting) == 1:
        one = fitting[0]
        value = f"{estimate_text(one.truth, one.low, one.high)}{unit}" if one.truth_se else words["nothing"]
        said.append(words["one-world"].format(name=_called(one), value=value))
    else:
        low, high = min(fitting, key=lambda one: one.truth), max(fitting, key=lambda one: one.truth)
        said.append(words["cannot-tell"].format(
            names=", ".join(map(_called, fitting)), first=_called(low), second=_called(high), low=f"{low.truth:.3g}",
            high=f"{high.truth:.3g}", unit=unit,
        ))  # fmt: skip
    return [*said, *(one.sentence for one in found.settling)]


def _called(world: FittedWorld) -> str:
    """A world as the pictures name it; its id is a word of the file."""
    return f"\u201c{_WORDS['worlds'][world.name]}\u201d"


def _index_text(index: BlindingIndex) -> str:
    if index.message:
        return index.message
    return estimate_text(index.value, index.low, index.high)
