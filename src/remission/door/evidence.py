"""Published trials and numbers on established treatments."""

from remission.door.arguments import opened
from remission.evidence import registry

__all__ = ["find_evidence", "load_evidence"]

load_evidence = opened(registry.load_evidence)


@opened
def find_evidence(
    *,
    substance: str | None = None,
    role: str | None = None,
    design: str | None = None,
    source_kind: str | None = None,
    has_interval: bool | None = None,
) -> registry.EvidenceRegistry:
    """The records of the evidence that fit every condition; each argument left out lets all through.

    Parameters
    ----------
    substance, role, design, source_kind, has_interval
        As :meth:`~remission.evidence.registry.EvidenceRegistry.filter`.

    Raises
    ------
    SpecError
        A name that no record has; the message lists those there are.
    """
    return registry.load_evidence().filter(
        substance=substance, role=role, design=design, source_kind=source_kind, has_interval=has_interval
    )
