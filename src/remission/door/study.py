"""The analysis of a trial of one's own."""

from pathlib import Path

from remission.door.arguments import opened
from remission.exchange.study_tables import read_study
from remission.records.study_plan import StudyPlan
from remission.study.analyze import analyze_study
from remission.study.result import StudyResult

__all__ = ["analyze"]


@opened
def analyze(path: Path, plan: tuple[StudyPlan, Path]) -> StudyResult:
    """The analyses that a plan states, of a file with the people of a trial.

    The file is never changed; what was not used stands in the result with the reason.

    Parameters
    ----------
    path
        A table (CSV, .xlsx, .xpt, .sav, .dta, Parquet) with a row a person or a row for each visit, a table of diaries
        or Parquet file of them, or the folder of a run.
    plan
        A plan file (``remission new --plan FILE`` writes one to start from), its YAML text or its fields.

    Raises
    ------
    SpecError
        The plan contradicts itself, or the file is not what it says: every fault with its place. Or a method is not
        offered.
    """
    read, folder = plan
    return analyze_study(read, read_study(path, read, folder=folder))
