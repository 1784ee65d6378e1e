"""What the library's limits of dosing say of the length of a session and of its dose; ``planner`` reads the others."""

from collections.abc import Sequence

from remission.library.loader import load_parameter_set
from remission.records.dose import TOUCHING_H, unbroken
from remission.records.infusions import EvidenceFlag


def flags_of_length(times_h: Sequence[tuple[float, float]], *, where: Sequence[str]) -> tuple[EvidenceFlag, ...]:
    """A flag for each stretch of infusions that is longer than any that was studied.

    ``times_h``: start and end of each infusion, in order of their starts. [h] ``where``: the field of each that holds
    its length.
    """
    longest_h = load_parameter_set("dosing-limits").value("evidence_duration_h")
    return tuple(
        EvidenceFlag(
            where=where[first],
            got=f"{end_h - start_h:g} h without a break",
            evidence=f"{longest_h:g} h",
            consequence="It keeps exposure and loses the psychoactive peak; both are extrapolated.",
        )
        # Infusions end to end are one long infusion: splitting it does not bring it back into the evidence.
        for first, start_h, end_h in unbroken(times_h)
        if end_h - start_h > longest_h + TOUCHING_H
    )
