"""Who does the work of ``remission design``, and what it would cost."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from remission.design.crew import Crew
    from remission.protocol.record import Protocol

__all__ = ["engage"]

_TIMED_PERSON_DAYS = 40_000_000
"""From here on the pace of this machine is measured before anything is started."""
_LARGE_S = 600.0
"""Above this expected time it waits for --yes. [s]"""
_SHARED_PERSON_DAYS = 20_000_000
"""From here on the work is shared by all cores, unless --workers says otherwise."""


def engage(person_days: int, protocol: "Protocol", workers: int | None, *, yes: bool) -> "Crew":
    """The crew for so many person-days; a plan that is too large says first what it would cost.

    Parameters
    ----------
    protocol
        One of the designs; its pace stands for all.
    workers
        What the user asked for; ``None``: one process for a small plan, one for each core for a larger one.

    Raises
    ------
    SpecError
        The plan is too large to start without being asked twice.
    """
    from remission.cli.progress import span
    from remission.design.cost import expected_s
    from remission.design.crew import Crew
    from remission.errors import SpecError

    crew = Crew(1 if workers is None and person_days < _SHARED_PERSON_DAYS else workers)
    if person_days >= _TIMED_PERSON_DAYS:
        expected = expected_s(protocol, person_days, n_workers=crew.n_workers)
        plan = f"up to {person_days:,} person-days, about {span(expected)} with {crew.n_workers} processes here"
        if expected > _LARGE_S and not yes:
            raise SpecError(
                where="--replicates", got=plan, allowed=f"up to {span(_LARGE_S)} without asking",
                remedy="Start it with --yes, or take fewer replicates, sizes, scenarios or draws.",
            )  # fmt: skip
        typer.echo(f"Simulating {plan}.", err=True)
    return crew
