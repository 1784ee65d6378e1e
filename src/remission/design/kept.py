"""The records that pieces of a design's work are made of, which a journal may hold."""

from remission.design.assurance import Draw
from remission.design.evidence import Evidence
from remission.design.looks import LookSums, LookTally
from remission.design.operating import AnalysisSums, DesignRun
from remission.design.stops import StopRule
from remission.numerics.tallies import Count, Mean

KINDS: tuple[type, ...] = (AnalysisSums, Count, DesignRun, Draw, Evidence, LookSums, LookTally, Mean, StopRule)
