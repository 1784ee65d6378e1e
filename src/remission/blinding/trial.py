"""Simulated trials of a control in a world: what people felt, answered and reported, many trials at once.

All controls and all worlds have the same people with the same draws, so that they are compared with less noise than
each has, and the draws are made once.
"""

from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np

from remission.blinding.belief import CONTROL, DRUG, UNSURE, GuessOdds, answers_of
from remission.blinding.experience import ArmPair
from remission.blinding.outcome import OutcomeLaw
from remission.numerics.distributions import normal_quantile
from remission.numerics.elementary import log as each_log
from remission.numerics.elementary import logistic
from remission.records.belief import Believing, Guessing, World
from remission.records.effect import Leaving
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_uniforms

_Table = Float[np.ndarray, "replicate subject"]
_N_SESSIONS = 8
"""Sessions of which attendance is a share."""


@dataclass(frozen=True)
class Draws:
    """Uniforms of the people of some replicates, each drawn when it is first asked for."""

    seed: int
    first: int
    n_replicates: int
    n_subjects: int

    @cached_property
    def _people(self) -> People:
        return People.of_replicates(
            seed=self.seed, first=self.first, count=self.n_replicates, n_subjects=self.n_subjects
        )

    def _block(self, index: int) -> tuple[_Table, ...]:
        found = draw_uniforms(self._people, Stream.BELIEF, index)
        return tuple(one.reshape(self.n_replicates, self.n_subjects) for one in found)

    @cached_property
    def first_block(self) -> tuple[_Table, ...]:
        """Uniforms of standing, experience, answer and expectation."""
        return self._block(0)

    @cached_property
    def second_block(self) -> tuple[_Table, ...]:
        """Uniforms of who responds, of side effects, of who leaves, and of entry."""
        return self._block(1)

    @cached_property
    def third_block(self) -> tuple[_Table, ...]:
        """Uniforms of who feels anything, of rater, therapist and attendance."""
        return self._block(2)

    @cached_property
    def standing(self) -> _Table:
        """What the outcome would be beside all that is simulated: standard normal."""
        return normal_quantile(self.first_block[0])

    @cached_property
    def feeling(self) -> _Table:
        """How much people feel of what there is to feel: standard normal."""
        return normal_quantile(self.first_block[1])

    @cached_property
    def noise(self) -> _Table:
        """The logistic number of each person's answers."""
        u = self.first_block[2]
        return each_log(u) - each_log(1.0 - u)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A comparison in a world, as numbers.

    ``seen``: of the change of the outcome, the share that has come by each asking. ``expectation_below``: the share of
    candidates who may take part, those who expect least.
    """

    arms: ArmPair
    odds: GuessOdds
    guess: Guessing
    belief: Believing
    outcome: OutcomeLaw
    world: World
    seen: tuple[float, ...]
    expectation_below: float = 1.0
    leaving: Leaving | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BelievedTrials:
    """What happened in the trials of a situation.

    ``treated``: who is in the drug's arm. ``answers``: at each asking. ``certainty_log_odds``: behind the last answers.
    ``value``, ``exposure``: the outcome, and the days that it was counted in or watched for. ``stays``: who has one.
    ``expectation``: before treatment, in standard deviations of candidates.
    """

    treated: Bool[np.ndarray, " subject"]
    answers: tuple[Int[np.ndarray, "replicate subject"], ...]
    certainty_log_odds: _Table
    value: _Table
    exposure: _Table
    stays: Bool[np.ndarray, "replicate subject"]
    expectation: _Table


def simulate_believed(draws: Draws, treated: Bool[np.ndarray, " subject"], now: Situation) -> BelievedTrials:
    """The trials of a situation, people of ``draws``, of whom ``treated`` are in the drug's arm."""
    guess, world = now.guess, now.world
    believing = _only_reports(now.belief) if world.belief == "report" else now.belief
    drug, control = (now.arms.control if not world.is_felt else now.arms.drug), now.arms.control
    responds_u, side_u, leave_u, entry_u = draws.second_block
    expects = normal_quantile(now.expectation_below * draws.first_block[3])
    own = now.outcome.effect * np.where(treated, 1.0, now.arms.effect_share)
    shift = own * (responds_u < world.works)
    before = draws.standing + shift
    felt_u = draws.third_block[0] if min(drug.share, control.share) < 1.0 or drug.scores or control.scores else None
    felt = np.where(
        treated, *(one.of(draws.feeling, draws.first_block[1] if felt_u is None or one.scores else felt_u) for one in (
            drug, control
        ))
    )  # fmt: skip
    log_odds = now.odds.intercept + now.odds.slope * felt + draws.noise + np.where(treated, *now.odds.told)
    if guess.side_effect:
        log_odds = log_odds + guess.side_effect * (side_u < np.where(treated, drug.side_effect, control.side_effect))
    if guess.expects:
        log_odds = log_odds + guess.expects * expects
    asked = [log_odds + guess.better * seen * before if guess.better else log_odds for seen in now.seen]
    answers = tuple(answers_of(one, guess.unsure) for one in asked)
    first, last = answers[0], answers[-1]
    moved = shift + _moved_by_behavior(first, felt, expects, draws, believing, guess)
    moved = moved + _moved_by_report(last, felt, expects, draws, believing, guess)
    value, exposure = now.outcome.draw(draws.standing, moved, treated=treated, entry=entry_u)
    return BelievedTrials(
        treated=treated, answers=answers, certainty_log_odds=asked[-1], value=value, exposure=exposure,
        stays=_stays(first, treated, leave_u, believing, now.leaving), expectation=expects,
    )  # fmt: skip


def _only_reports(belief: Believing) -> Believing:
    """Nothing but what people believe of their arm, and only on what they report."""
    kept = ("report", "report_disappointed", "hope")
    return Believing.create(**{name: getattr(belief, name) for name in kept})


def _believes(answer: Int[np.ndarray, "replicate subject"]) -> _Table:
    return np.where(answer == DRUG, 1.0, np.where(answer == UNSURE, 0.5, 0.0))


def _moved_by_behavior(
    first: Int[np.ndarray, "replicate subject"], felt: _Table, expects: _Table, draws: Draws, belief: Believing,
    guess: Guessing,
) -> _Table | float:  # fmt: skip
    """How far belief moves the outcome itself, in standard deviations."""
    moved: _Table | float = 0.0
    if belief.expectation:
        moved = moved + belief.expectation * expects
    if belief.behavior:
        moved = moved + belief.behavior * _believes(first)
    if belief.behavior_disappointed:
        moved = moved - belief.behavior_disappointed * (first == CONTROL)
    if belief.worth and belief.attends is not None:
        base = log(belief.attends / (1.0 - belief.attends))
        chance = logistic(base - belief.attendance * (first == CONTROL))
        # The normal law of a count of sessions; what was attended lies between none and all.
        kept = chance + np.sqrt(chance * (1.0 - chance) / _N_SESSIONS) * normal_quantile(draws.third_block[3])
        moved = moved + belief.worth * (np.clip(kept, 0.0, 1.0) - belief.attends)
    if belief.therapist:
        knows = draws.third_block[2] < logistic(guess.therapist_felt * (felt - 0.5))
        moved = moved + belief.therapist * knows
    return moved


def _moved_by_report(
    last: Int[np.ndarray, "replicate subject"], felt: _Table, expects: _Table, draws: Draws, belief: Believing,
    guess: Guessing,
) -> _Table | float:  # fmt: skip
    """How far belief moves what is reported, in standard deviations."""
    moved: _Table | float = 0.0
    if belief.report:
        moved = moved + belief.report * _believes(last)
    if belief.report_disappointed:
        moved = moved - belief.report_disappointed * (last == CONTROL)
    if belief.hope:
        moved = moved + belief.hope * expects * _believes(last)
    if belief.rater:
        moved = moved + belief.rater * (draws.third_block[1] < logistic(guess.rater_felt * (felt - 0.5)))
    return moved


def _stays(
    first: Int[np.ndarray, "replicate subject"], treated: Bool[np.ndarray, " subject"], uniform: _Table,
    belief: Believing, leaving: Leaving | None,
) -> Bool[np.ndarray, "replicate subject"]:  # fmt: skip
    if belief.leaves is not None:
        base = log(belief.leaves / (1.0 - belief.leaves))
        return np.asarray(uniform >= logistic(base + belief.leaving * (first == CONTROL)))
    if leaving is not None:
        return np.asarray(uniform >= np.where(treated, leaving.share.treatment, leaving.share.control))
    return np.ones(first.shape, dtype=np.bool_)
