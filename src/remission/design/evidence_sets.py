"""Which published trials weigh the draws of an assurance."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remission.protocol.record import Protocol


def evidence_sets(evidence: str | None, without: str | None, draws: int) -> tuple[tuple[str, ...], ...]:
    """The sets to be compared: none, the one asked for, and that one without each of its trials.

    ``evidence``, ``without``: names with commas; ``none`` is the empty set. ``without`` takes from all trials, or from
    ``evidence``. ``draws``: draws of the model's values that were asked for. Raises ``SpecError``: a name is unknown,
    or there are no draws to weigh.
    """
    from remission.design.evidence import check_evidence, evidence_trials
    from remission.errors import SpecError

    if evidence is None and without is None:
        return ()
    if not draws:
        raise SpecError(
            where="--evidence" if without is None else "--without", got="no draws", allowed="draws to weigh",
            remedy="Add --assurance 200.",
        )  # fmt: skip
    used = tuple(evidence_trials()) if evidence is None else _names(evidence)
    used = check_evidence(list(used))
    left_out = check_evidence(list(_names(without or "none")))
    if set(left_out) - set(used):
        raise SpecError(where="--without", got=without, allowed=f"trials of the evidence: {', '.join(used) or 'none'}")
    kept = tuple(name for name in used if name not in left_out)
    sets = [(), used, kept]
    if not left_out and len(used) > 1:
        sets += [tuple(name for name in used if name != one) for one in used]
    return tuple(dict.fromkeys(sets))


def trials_of(sets: tuple[tuple[str, ...], ...]) -> "list[Protocol]":
    """The protocols of all trials of the sets, each once."""
    from remission.design.evidence import evidence_trials

    known = evidence_trials() if sets else {}
    return [one.protocol for name, one in known.items() if any(name in chosen for chosen in sets)]


def _names(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(part.strip() for part in text.split(","))
