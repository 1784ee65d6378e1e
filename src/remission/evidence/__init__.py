"""The registry of published trials, what their numbers are worth, and what may be pooled."""

from remission.evidence.contrasts import Contrast, ContrastGroup, group_contrasts, outcomes_of
from remission.evidence.pooling import PooledEffect, pool_effects
from remission.evidence.records import CareRecord, StudyArm, StudyOutcome, StudyRecord
from remission.evidence.registry import (
    TOPICS,
    Conflict,
    EvidenceRegistry,
    citation_of,
    load_evidence,
    public_record,
)
from remission.evidence.verdicts import NO_DIFFERENCE, Verdict, result_of, verdicts, verdicts_of

__all__ = [
    "NO_DIFFERENCE",
    "TOPICS",
    "CareRecord",
    "Conflict",
    "Contrast",
    "ContrastGroup",
    "EvidenceRegistry",
    "PooledEffect",
    "StudyArm",
    "StudyOutcome",
    "StudyRecord",
    "Verdict",
    "citation_of",
    "group_contrasts",
    "load_evidence",
    "outcomes_of",
    "pool_effects",
    "public_record",
    "result_of",
    "verdicts",
    "verdicts_of",
]
