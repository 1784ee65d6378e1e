"""What people guess about their arm, arm by arm: how far blinding holds."""

from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters, load_course_parameters
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.trial.batch import simulate_batch

__all__ = ["ArmGuesses", "simulate_guesses"]

_MOST_PEOPLE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmGuesses:
    """Guesses in one arm: people, the share who guess the active drug, and its Monte Carlo standard error."""

    n_people: int
    share_active: float
    mcse: float


def simulate_guesses(
    protocol: Protocol,
    *,
    n_people: int = 4000,
    seed: int = 20260101,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
) -> dict[str, ArmGuesses]:
    """Guesses by arm of the people of a trial's first replicates.

    Parameters
    ----------
    n_people
        At least so many people, in whole replicates; 1 to 1,000,000.

    Raises
    ------
    SpecError
        The protocol does not describe blinding, or a number is out of range.
    """
    if protocol.blinding is None:
        raise SpecError(
            where="blinding",
            got="nothing",
            allowed="a description of blinding",
            remedy="Give guess_unfelt and guess_felt under blinding.",
        )
    if isinstance(n_people, bool) or not isinstance(n_people, int) or not 1 <= n_people <= _MOST_PEOPLE:
        raise SpecError(where="n_people", got=n_people, allowed=f"a whole number from 1 to {_MOST_PEOPLE}")
    batch = simulate_batch(
        protocol,
        seed=seed,
        first_replicate=0,
        n_replicates=-(-n_people // protocol.population.n_subjects),
        parameters=parameters or load_course_parameters(protocol.substance, parameter_set=parameter_set),
        pharmacology=pharmacology_of(protocol),
    )
    guess = batch.happenings.guess
    assert guess is not None
    found = {}
    for index, arm in enumerate(protocol.arms):
        mine = guess[batch.arm == index]
        share = float(mine.mean()) if mine.size else float("nan")
        error = float(np.sqrt(share * (1.0 - share) / mine.size)) if mine.size else float("nan")
        found[arm.id] = ArmGuesses(n_people=int(mine.size), share_active=share, mcse=error)
    return found
