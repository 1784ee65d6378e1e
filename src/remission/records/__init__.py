"""Frozen, validated records: the specifications of a trial and the shape of its results."""

from remission.records.base import Record
from remission.records.endpoint import Analysis, Comparison, Contrast, Endpoint, Estimand
from remission.records.population import (
    AgeDistribution,
    DayRange,
    Population,
    Randomization,
    Setting,
    WeightDistribution,
)
from remission.records.protocol import Protocol, Substance
from remission.records.regimen import Dose, Regimen
from remission.records.subject import Subject
from remission.records.treatment import Arm, DrugCourse, Gap, Infusion, SessionDay, TherapyCourse
from remission.records.visits import BiologicalTest, VisitSchedule

__all__ = [
    "AgeDistribution",
    "Analysis",
    "Arm",
    "BiologicalTest",
    "Comparison",
    "Contrast",
    "DayRange",
    "Dose",
    "DrugCourse",
    "Endpoint",
    "Estimand",
    "Gap",
    "Infusion",
    "Population",
    "Protocol",
    "Randomization",
    "Record",
    "Regimen",
    "SessionDay",
    "Setting",
    "Subject",
    "Substance",
    "TherapyCourse",
    "VisitSchedule",
    "WeightDistribution",
]
