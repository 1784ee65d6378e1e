"""A trial as one frozen record: who, what, when, how measured, how analyzed.

The record is what a protocol file says after it has been read and checked; nothing later adds meaning to it.
"""

from collections.abc import Iterable

from remission.errors import SpecError
from remission.protocol.cautions import cautions_of
from remission.protocol.coherence import coherence_faults
from remission.protocol.explanation import explain_protocol
from remission.protocol.fields import ProtocolFields


class Protocol(ProtocolFields):
    """A whole trial.

    Notes
    -----
    ``format`` names the version of this schema. ``evidence`` is the id of the published trial in the evidence registry,
    absent for a new one. ``assumptions`` says in words what the file adds to its source. A ``confirmatory`` trial must
    state its estimand, with a strategy for every event that can happen.
    """

    def _faults(self) -> Iterable[SpecError]:
        return coherence_faults(self)

    def explain(self) -> str:
        """What will be run, as understood, in plain words."""
        return explain_protocol(self)

    def cautions(self) -> tuple[str, ...]:
        """What a reader of the results must know about this protocol: where it leaves the evidence, what could harm.

        They are data, not warnings: the protocol is valid and runs.
        """
        return cautions_of(self)
