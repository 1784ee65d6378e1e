"""Blinding: a trial on the bench, and the guesses of a finished one."""

from remission.blinding.bench import BenchResult, run_bench
from remission.blinding.finished import GuessesResult, analyze_finished
from remission.blinding.table import FinishedTrial
from remission.door.arguments import opened
from remission.records.blinding import BlindingTrial

__all__ = ["analyze_guesses", "bench_blinding"]


@opened
def bench_blinding(trial: BlindingTrial, *, with_frontier: bool = True) -> BenchResult:
    """Every control arm of a trial in every world: right guesses, power, bias and coverage of each analysis.

    Parameters
    ----------
    trial
        A trial and its blinding: a file, its YAML text or its fields, or the name of one of the library
        (``kare``, ``dakwar-2019``, ``psilocybin``).
    with_frontier
        Whether controls that give none to all of the drug's experience are tried as well.

    Raises
    ------
    SpecError
        A field is wrong, or a control needs what the trial does not say.
    """
    return run_bench(trial, with_frontier=with_frontier)


@opened
def analyze_guesses(guesses: FinishedTrial) -> GuessesResult:
    """What a finished trial says of its blinding, and what it cannot say.

    Parameters
    ----------
    guesses
        A table of people with arm, guess, and where they are known outcome, certainty, time, person and expectation; a
        YAML file that names one or has the published groups; or the fields of such a file.

    Raises
    ------
    SpecError
        The file is not what it says: every fault with its place.
    """
    return analyze_finished(guesses)
