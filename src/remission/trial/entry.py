"""What a protocol can say of people and medicines before the days can live it."""

from collections.abc import Iterator

from remission.errors import SpecError
from remission.protocol.record import Protocol

__all__ = ["check_entry"]


def check_entry(protocol: Protocol) -> None:
    """Refuse what is read and shown, and has no days of the model behind it.

    Raises ``SpecError``: people still use when they enter, or a medicine does not run from day 0 to the end.
    """
    SpecError.check(_faults(protocol))


def _faults(protocol: Protocol) -> Iterator[SpecError]:
    if protocol.population.baseline is not None:
        yield SpecError(
            where="population.baseline", got=f"{protocol.population.baseline.days} days",
            allowed="nothing yet in a simulation: the days of people who still use are not simulated",
            remedy="Leave baseline, quit_day and goal out, and say among the assumptions that everybody stops.",
        )  # fmt: skip
    for name, course in protocol.medicines.items():
        for field in ("start_day", "stop_day"):
            value = getattr(course, field)
            if value not in {None, 0}:
                yield SpecError(
                    where=f"medicines.{name}.{field}", got=value,
                    allowed="nothing yet in a simulation: a medicine acts from day 0 to the end of follow-up",
                    remedy="Leave it out, and say so among the assumptions.",
                )  # fmt: skip
