"""From a regimen to infusions: who gets how much, when, over how long."""

from remission.dosing.infusions import Overlap, infusions_per_weight, make_infusions
from remission.records.dose import DrugForm
from remission.records.infusions import EvidenceFlag, InfusionEvents

__all__ = ["DrugForm", "EvidenceFlag", "InfusionEvents", "Overlap", "infusions_per_weight", "make_infusions"]
