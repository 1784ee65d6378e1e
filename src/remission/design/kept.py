"""The records that pieces of a design's work are made of, which a journal may hold."""

from remission.design.assurance import Draw
from remission.design.evidence import Evidence
from remission.design.operating import Columns, SizesDone

KINDS: tuple[type, ...] = (Columns, Draw, Evidence, SizesDone)
