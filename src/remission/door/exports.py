"""Trials in the files of other programs, and their people one by one."""

from pathlib import Path
from typing import TYPE_CHECKING

from remission.door.arguments import opened
from remission.exchange import usdm
from remission.records.diaries import Diaries
from remission.runs import people

if TYPE_CHECKING:
    from remission.exchange.cdisc import CdiscTrial

__all__ = ["export_cdisc", "export_people", "export_usdm", "simulate_people"]

export_usdm = opened(usdm.export_usdm)
simulate_people = opened(people.simulate_people)


@opened
def export_cdisc(data: Path | tuple[Diaries, ...], out: Path, *, replicate: int = 0) -> "CdiscTrial":
    """A trial written as data sets of CDISC, each as Dataset-JSON 1.1 and XPT, with what is said of the columns.

    Parameters
    ----------
    data
        The folder of a run, whose people are made again, a Parquet file of diaries, or diaries.
    out
        Folder to write; it must not exist yet.
    replicate
        Which replicate of a run, from 0.

    Raises
    ------
    SpecError
        No such data or replicate, a name that is taken, or a text that fits into no XPT file.
    RunError
        A run by other code, or a place that cannot be written.
    """
    from remission.door.diaries import all_diaries
    from remission.exchange.cdisc import cdisc_of_diaries, cdisc_of_run, write_cdisc
    from remission.files import check_free
    from remission.runs.folder import MANIFEST

    check_free(out, "out")
    is_run = isinstance(data, Path) and (data / MANIFEST).is_file()
    if isinstance(data, Path):
        trial = cdisc_of_run(data, replicate=replicate) if is_run else cdisc_of_diaries(all_diaries(data))
    else:
        trial = cdisc_of_diaries(data)
    write_cdisc(trial, out)
    return trial


@opened
def export_people(run: Path, out: Path, *, replicate: int | None = None) -> int:
    """The people of a run as a CSV: a row a person with arm, times and outcomes; how many they are.

    Parameters
    ----------
    run
        Folder of a finished run; its people are made again by the code that made it.
    out
        File to write, ``.csv``; it must not exist yet.
    replicate
        One replicate, from 0; all when left out.

    Raises
    ------
    SpecError
        No such replicate, or a name that is taken.
    RunError
        No finished run, or one by other code.
    """
    from remission.exchange import people_file

    return people_file.export_people(run, out, replicate=replicate)
