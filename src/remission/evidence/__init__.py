"""The registry of published trials, what their numbers are worth, and what may be pooled."""

from remission.evidence.contrasts import Contrast, ContrastGroup, group_contrasts, outcomes_of
from remission.evidence.pooling import PooledEffect, pool_effects
from remission.evidence.records import CareRecord, StudyArm, StudyOutcome, StudyRecord
from remission.evidence.registry import Conflict, EvidenceRegistry, citation_of, load_evidence, public_record

__all__ = [
    "CareRecord",
    "Conflict",
    "Contrast",
    "ContrastGroup",
    "EvidenceRegistry",
    "PooledEffect",
    "StudyArm",
    "StudyOutcome",
    "StudyRecord",
    "citation_of",
    "group_contrasts",
    "load_evidence",
    "outcomes_of",
    "pool_effects",
    "public_record",
]
