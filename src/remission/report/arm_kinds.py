"""What an arm is in every picture: ketamine with therapy, ketamine, therapy, neither; in this order."""

from remission.protocol.record import Protocol
from remission.records.day_field import GroupKind
from remission.records.treatment import Arm, TherapyCourse

ARM_KINDS: tuple[GroupKind, ...] = ("both", "drug", "therapy", "none")
FULL_THERAPY = 0.5
"""A therapy to which its file gives at least this share of a full skills session is drawn as therapy."""


def is_full_therapy(course: TherapyCourse) -> bool:
    """Whether a course is drawn as therapy, not as education or another contact."""
    if course.quality is None:
        return course.kind not in {"education", "other"}
    return course.quality >= FULL_THERAPY


def arm_kind(arm: Arm, protocol: Protocol) -> int:
    """Place of an arm in ``ARM_KINDS``."""
    has_drug = arm.drug is not None and protocol.drugs[arm.drug].drug == "racemic-ketamine"
    has_therapy = any(is_full_therapy(course) for course in protocol.courses_of(arm))
    return (0 if has_therapy else 1) if has_drug else (2 if has_therapy else 3)
