"""Power from people who are randomized again and again, each simulated once in every arm that is compared.

Nobody acts on anybody else, and a person's draws are the same in every arm. So what a trial of the same people would
have found under another randomization is known without a further day of simulation::

    power = mean over sets of people of the share of randomizations that reject

Sets are independent, so the Monte Carlo error is that of their mean. What treatment does to a person varies far less
than people do, and so do these shares: for the same error a tenth of the days is simulated.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from remission.design.operating import Columns
from remission.design.variants import one_analysis
from remission.numerics.tallies import Count, Mean, Measure
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.runs.crew import Crew
from remission.trial.analyze import reads_days, sides_of
from remission.trial.batch import simulate_under_each
from remission.trial.chunk import Chunk, Outcomes, estimates_of_batch, outcomes_of, plan_chunks
from remission.trial.part import some_people, without_days

AGAIN: Final = 64
"""How often a set of people is randomized: from here on the sets vary more than their randomizations."""
_FEWEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    protocol: Protocol
    parameters: CourseParameters
    seed: int
    alpha: float


def can_randomize_again(protocol: Protocol, analysis: str) -> bool:
    """Whether power of an analysis can be found so: it reads one number a person, and arms stand side by side."""
    return not reads_days(protocol.analysis(analysis)) and not any(arm.periods for arm in protocol.arms)


def power_again(
    protocol: Protocol,
    analysis: str,
    *,
    parameters: CourseParameters,
    alpha: float,
    seed: int,
    most: int,
    enough: Callable[[Measure], bool],
    crew: Crew | None = None,
) -> tuple[Measure, int]:
    """The share that rejects, with its Monte Carlo error, and the sets of people behind it.

    ``most``: sets to simulate at most. ``enough``: asked with the share after each piece of work, from 50 sets on;
    where it says so, no more are simulated. No number depends on the crew. Raises ``WorkError``: a worker died.
    """
    task = _Task(protocol=one_analysis(protocol, analysis), parameters=parameters, seed=seed, alpha=alpha)
    shares, rejected = Mean(), Count()
    for piece in (crew or Crew()).in_order(partial(_do, task), plan_chunks(protocol, most)):
        hits = piece.of["rejected"]
        shares.add(hits.mean(axis=0))
        rejected.add(hits > 0.0)
        found = _measure(shares, rejected)
        if shares.n >= _FEWEST and enough(found):
            break
    return _measure(shares, rejected), shares.n


def _measure(shares: Mean, rejected: Count) -> Measure:
    """The mean over sets; shares that are all alike have at least the error of independent trials."""
    spread = shares.measure
    least = rejected.measure.mcse
    return Measure(value=spread.value, mcse=least if not spread.mcse > 0.0 else max(spread.mcse, least))


def _do(task: _Task, chunk: Chunk) -> Columns:
    """Whether each randomization of each set of people rejects."""
    protocol, parameters = task.protocol, task.parameters
    (analysis,) = protocol.analyses
    arms = sorted(index for side in sides_of(protocol, analysis.contrast) for index in side)
    batches, again = simulate_under_each(
        protocol, seed=task.seed, first_replicate=chunk.first, n_replicates=chunk.count, parameters=parameters,
        pharmacology=pharmacology_of(protocol), arms=arms, n_again=AGAIN,
    )  # fmt: skip
    outcomes = [outcomes_of(protocol, chunk, batch, parameters=parameters) for batch in batches]
    n = again.shape[1]
    place = np.zeros(len(protocol.arms), dtype=np.int64)
    place[arms] = np.arange(len(arms))
    # People of arms that are not compared keep any number: no analysis reads it.
    who, under = np.tile(np.arange(n), AGAIN), place[again].ravel()
    chosen = Outcomes(
        values={name: _of_own(outcomes, "values", name, under, who) for name in outcomes[0].values},
        events={name: _of_own(outcomes, "events", name, under, who) for name in outcomes[0].events},
    )
    light = some_people(without_days(batches[0]), who, n_replicates=AGAIN * chunk.count)
    light = replace(light, arm=again.ravel())
    p_value = estimates_of_batch(protocol, light, chosen, parameters=parameters)[analysis.id].p_value
    # NaN of a failed analysis compares as not below.
    return Columns(of={"rejected": (p_value < task.alpha).reshape(AGAIN, chunk.count).astype(np.float64)})


def _of_own(outcomes: list[Outcomes], kind: str, name: str, under: np.ndarray, who: np.ndarray) -> np.ndarray:
    """A number of each person under the arm that a randomization gave."""
    return np.asarray(np.stack([getattr(one, kind)[name] for one in outcomes])[under, who])
