"""The bench: every control arm in every world, how well people guess there, and what each analysis makes of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from remission.blinding.belief import guess_odds
from remission.blinding.estimators import ESTIMATORS, estimate_all
from remission.blinding.experience import arms_felt
from remission.blinding.indices import bang_shares, james_shares
from remission.blinding.outcome import OutcomeLaw, outcome_of
from remission.blinding.trial import Draws, Situation, simulate_believed
from remission.errors import SpecError
from remission.numerics.tallies import Count, Mean, Measure
from remission.records.belief import World
from remission.records.blinding import BlindingTrial, ControlArm
from remission.records.result import Result

_MOST_PEOPLE = 400_000
"""People in a piece of work."""
_KINDS = {"difference": "mean", "repeated": "mean", "proportions": "share", "hazard": "hazard", "rate": "rate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What an estimator did over the trials of a cell: share that rejects no effect, bias and coverage of the truth.

    ``n_failed``: trials without an estimate, which count as not rejecting and not covering.
    """

    rejects: Measure
    bias: Measure
    coverage: Measure
    estimate: Measure
    n_failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCell:
    """A control in a world.

    ``truth``: what the drug does by itself beyond the control, on the scale of the estimate. ``people``: compared.
    ``right``: share of right guesses among all who were asked at the last asking; who does not know is not right.
    ``bang_drug``, ``bang_control``, ``james``: means over the trials.
    """

    control: str
    world: str
    people: int
    truth: float
    right: float
    bang_drug: float
    bang_control: float
    james: float
    estimators: dict[str, Tried]

    @property
    def belief_gap(self) -> float:
        """How much more the drug's arm believes than the control's; who does not know believes by half. [share]"""
        return 0.5 * (self.bang_drug + self.bang_control)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult(Result):
    """What the bench found.

    trial
        What was asked.
    scale
        Of the estimates.
    cells
        Every control in every world, control by control.
    effect_sd
        The stated effect in standard deviations of the law's own scale.
    frontier
        The same where a control gives a rising share of the drug's experience, from none to all.
    doubts
        Where no belief is stated: each control under a drug that is felt and inert, if believing to have had it were
        worth some standard deviations (the name of the world) in reports.
    """

    trial: BlindingTrial
    scale: str
    cells: tuple[BenchCell, ...]
    effect_sd: float
    frontier: tuple[BenchCell, ...] = field(default=())
    doubts: tuple[BenchCell, ...] = field(default=())

    def cell(self, control: str, world: str) -> BenchCell:
        """The cell of a control in a world.

        Raises SpecError: there is none.
        """
        for one in self.cells:
            if (one.control, one.world) == (control, world):
                return one
        known = ", ".join(dict.fromkeys(f"{one.control} in {one.world}" for one in self.cells))
        raise SpecError(where="cell", got=f"{control} in {world}", allowed=known)

    def columns(self) -> dict[str, Any]:
        """One row for each estimator of each cell; the Monte Carlo error stands beside what was simulated."""
        rows = [(one, name, tried) for one in self.cells for name, tried in one.estimators.items()]
        found: dict[str, Any] = {
            name: [getattr(one, name) for one, _, _ in rows]
            for name in ("control", "world", "people", "truth", "right", "bang_drug", "bang_control", "james")
        }
        found["estimator"] = [name for _, name, _ in rows]
        for name in ("rejects", "bias", "coverage"):
            found[name] = [getattr(tried, name).value for *_, tried in rows]
            found[f"{name}_mcse"] = [getattr(tried, name).mcse for *_, tried in rows]
        found["n_failed"] = [tried.n_failed for *_, tried in rows]
        return found

    def _facts(self) -> list[tuple[str, Any]]:
        return [
            ("trial", self.trial.id),
            *(
                (f"{one.control}, {one.world}",
                 f"right guesses {one.right:.2f}, rejects {one.estimators['naive'].rejects.text}")
                for one in self.cells
            ),
        ]  # fmt: skip


def run_bench(
    trial: BlindingTrial, *, with_frontier: bool = True, on_progress: Callable[[int, int], None] | None = None
) -> BenchResult:
    """Every control of a trial in every world.

    ``with_frontier``: controls that give none to all of the drug's experience are tried as well. ``on_progress``: is
    told how many cells are done, of how many. Raises SpecError: a control needs what the trial does not say.
    """
    outcome = outcome_of(trial.effect)
    steps = [ControlArm(id=f"matches-{100.0 * share:g}", matches=share) for share in _STEPS] if with_frontier else []
    worlds = [one for one in trial.worlds if one.id in _FRONTIER_WORLDS] or list(trial.worlds[:1])
    asked = [(one, world) for one in trial.controls for world in trial.worlds]
    drawn = [(one, world) for one in steps for world in worlds]
    for one in trial.controls:
        _check_control(trial, one)
    # That nothing was stated must not look as if nothing could happen.
    unknown = [] if trial.belief.acts else [(one, worth) for one in trial.controls for worth in DOUBTS]
    total = len(asked) + len(drawn) + len(unknown)
    cells: list[BenchCell] = []

    def tell(cell: BenchCell) -> None:
        cells.append(cell)
        if on_progress is not None:
            on_progress(len(cells), total)

    for control, world in [*asked, *drawn]:
        tell(_cell(trial, outcome, control, world))
    for control, worth in unknown:
        believed = trial.replace(belief=trial.belief.replace(report=worth))
        tell(_cell(believed, outcome, control, World(id=f"{worth:g}-sd".replace(".", "-"), works=0.0)))
    return BenchResult(trial=trial, scale=outcome.scale, cells=tuple(cells[: len(asked)]), effect_sd=outcome.effect,
                       frontier=tuple(cells[len(asked) : len(asked) + len(drawn)]),
                       doubts=tuple(cells[len(asked) + len(drawn) :]))  # fmt: skip


DOUBTS = (0.1, 0.2, 0.5)
"""What believing might be worth where nothing is stated, in standard deviations."""
_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
_FRONTIER_WORLDS = ("works-felt", "felt-inert")


def _check_control(trial: BlindingTrial, control: ControlArm) -> None:
    if (
        control.experience.dose_mg_per_kg is not None
        and trial.drug.dose_mg_per_kg is None
        and control.effect_share is None
    ):
        raise SpecError(
            where=f"controls, {control.id}", got="a dose of ketamine, beside a drug whose experience is stated",
            allowed="the experience of this control in the same terms, with its effect_share",
            remedy=f"Write {{id: {control.id}, experience: {{mean: ..., sd: ...}}, effect_share: ...}}.",
        )  # fmt: skip


def seen_by(trial: BlindingTrial) -> tuple[float, ...]:
    """Of the change of the outcome, the share that has come by each asking; taken as straight in time."""
    return tuple(min(day / trial.outcome_day, 1.0) for day in trial.asked)


def situation_of(trial: BlindingTrial, outcome: OutcomeLaw, control: ControlArm, world: World) -> Situation:
    """A control in a world, as numbers."""
    arms = arms_felt(trial, control)
    odds = trial.prior_log_odds
    if control.compared_share < 1.0:
        # Of three doses one is the highest: people know that it is less likely than not.
        odds += float(np.log(0.5 * control.compared_share / (1.0 - 0.5 * control.compared_share)))
    seen_arms = arms if world.is_felt else type(arms)(
        drug=arms.control, control=arms.control, effect_share=arms.effect_share
    )  # fmt: skip
    return Situation(
        arms=arms, odds=guess_odds(trial.guess, seen_arms, odds), guess=trial.guess, belief=trial.belief,
        outcome=outcome, world=world, seen=seen_by(trial), expectation_below=control.expectation_below,
        leaving=trial.effect.leaving,
    )  # fmt: skip


def _cell(trial: BlindingTrial, outcome: OutcomeLaw, control: ControlArm, world: World) -> BenchCell:
    now = situation_of(trial, outcome, control, world)
    people = max(4, round(trial.people * control.compared_share))
    truth = outcome.truth(world.works, now.arms.effect_share)
    share = trial.allocation.treatment / (trial.allocation.treatment + trial.allocation.control)
    return try_situation(
        now, people=people, treatment_share=share, truth=truth, alpha=trial.alpha, sides=trial.effect.sides,
        n_replicates=trial.trials, seed=trial.seed, names=(control.id, world.id),
    )  # fmt: skip


def treated_of(people: int, treatment_share: float) -> np.ndarray:
    """Who of so many people is in the drug's arm: spread evenly, so that any first ones are allocated as the whole."""
    counts = (np.arange(people + 1) * treatment_share + 0.5).astype(int)
    return np.asarray(np.diff(counts) > 0)


def try_situation(
    now: Situation, *, people: int, treatment_share: float, truth: float, alpha: float, sides: int = 2,
    n_replicates: int, seed: int, names: tuple[str, str] = ("", ""),
) -> BenchCell:  # fmt: skip
    """The trials of a situation, counted.

    ``treatment_share``: of the people, those in the drug's arm. ``truth``: what the estimators are held to, on the
    scale of the estimate. ``sides``: of the test. ``names``: of control and world.
    """
    kind = _KINDS[now.outcome.law.law]
    treated = treated_of(people, treatment_share)
    counts: dict[str, tuple[Count, Mean, Count, Mean]] = {}
    failed = dict.fromkeys(ESTIMATORS, 0)
    right, bang, james = Mean(), (Mean(), Mean()), Mean()
    step = max(1, _MOST_PEOPLE // people)
    for some in _draws(seed, n_replicates, people, step):
        trials = simulate_believed(some, treated, now)
        found, table = estimate_all(trials, kind)
        asked = table.sum(axis=(1, 2))
        right.add((table[:, 0, 0] + table[:, 1, 1]) / asked)
        for one, column in zip(bang, bang_shares(table).T, strict=True):
            one.add(column)
        james.add(james_shares(table))
        for name, estimated in found.items():
            rejected, bias, covered, mean = counts.setdefault(name, (Count(), Mean(), Count(), Mean()))
            good, bound = np.isfinite(estimated.value), estimated.bound(alpha)
            failed[name] += int((~good).sum())
            with np.errstate(invalid="ignore"):
                beyond = estimated.value / estimated.se
                away = now.outcome.sign * beyond if sides == 1 else np.abs(beyond)
                rejected.add(good & (away > (bound if sides == 2 else estimated.bound(2.0 * alpha))))
                covered.add(np.abs(estimated.value - truth) <= bound * estimated.se)
            bias.add(estimated.value - truth)
            mean.add(estimated.value)
    return BenchCell(
        control=names[0], world=names[1], people=people, truth=truth, right=right.center, bang_drug=bang[0].center,
        bang_control=bang[1].center, james=james.center if james.n else float("nan"),
        estimators={
            name: Tried(rejects=one[0].measure, bias=one[1].measure, coverage=one[2].measure,
                        estimate=one[3].measure, n_failed=failed[name])
            for name, one in counts.items()
        },
    )  # fmt: skip


def _draws(seed: int, n_replicates: int, people: int, step: int) -> Iterable[Draws]:
    """Pieces of work; the last ones are kept, because every cell has the same people."""
    for first in range(0, n_replicates, step):
        yield _piece(seed, first, min(step, n_replicates - first), people)


_piece = lru_cache(maxsize=4)(Draws)
