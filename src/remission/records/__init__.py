"""Frozen, validated records: the specifications of a trial and the shape of its results."""

from remission.records.analysis import Analysis, Comparison, Contrast, Imputation, Prior
from remission.records.base import Record
from remission.records.design import Design
from remission.records.dose import Dose
from remission.records.endpoint import Endpoint
from remission.records.estimand import Estimand
from remission.records.intercurrent import Blinding, Incarceration, IntercurrentEvents, Missingness, UseRule
from remission.records.medicine import MedicineCourse
from remission.records.multiplicity import Gate, Multiplicity
from remission.records.population import (
    AgeDistribution,
    DayRange,
    Population,
    Randomization,
    Setting,
    WeightDistribution,
)
from remission.records.recruitment import Recruitment
from remission.records.regimen import Regimen
from remission.records.subject import Subject
from remission.records.substance import Substance
from remission.records.treatment import Arm, DrugCourse, Gap, Infusion, Period, SessionDay, TherapyCourse
from remission.records.visits import BiologicalTest, VisitSchedule

__all__ = [
    "AgeDistribution",
    "Analysis",
    "Arm",
    "BiologicalTest",
    "Blinding",
    "Comparison",
    "Contrast",
    "DayRange",
    "Design",
    "Dose",
    "DrugCourse",
    "Endpoint",
    "Estimand",
    "Gap",
    "Gate",
    "Imputation",
    "Incarceration",
    "Infusion",
    "IntercurrentEvents",
    "MedicineCourse",
    "Missingness",
    "Multiplicity",
    "Period",
    "Population",
    "Prior",
    "Randomization",
    "Record",
    "Recruitment",
    "Regimen",
    "SessionDay",
    "Setting",
    "Subject",
    "Substance",
    "TherapyCourse",
    "UseRule",
    "VisitSchedule",
    "WeightDistribution",
]
