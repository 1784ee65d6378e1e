"""Diaries of people, real or simulated: in, out, described, and the endpoints of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from remission.diaries.statistics import Descriptions, describe_all
from remission.door.arguments import opened
from remission.errors import SpecError
from remission.exchange.canonical import read_diaries as _read_diaries
from remission.exchange.canonical import write_diaries
from remission.exchange.simulated import diaries_of_run
from remission.files import check_ending, check_free
from remission.library import endpoints as _endpoints
from remission.records.diaries import Diaries
from remission.records.population import DayRange
from remission.records.seed import DEFAULT_SEED

if TYPE_CHECKING:
    from remission.exchange.endpoint_tables import EndpointTable
    from remission.exchange.quality import Imported

# Readers and writers of other systems need the extra for tables; what needs none must work without it.
__all__ = [
    "compute_endpoints", "describe_diaries", "export_diaries", "import_diaries", "list_endpoints", "load_endpoint",
    "read_diaries",
]  # fmt: skip

_Data = Path | tuple[Diaries, ...]

list_endpoints = opened(_endpoints.list_endpoints)
load_endpoint = opened(_endpoints.load_endpoint)


@opened
def read_diaries(data: _Data, *, substance: str | None = None, replicate: int = 0) -> tuple[Diaries, ...]:
    """Diaries of the folder of a run or of a Parquet file, one record a substance.

    Parameters
    ----------
    data
        The folder or file.
    substance
        Only this one.
    replicate
        Which replicate of a run, from 0.

    Raises
    ------
    SpecError
        No such data, or none of that substance.
    """
    return _chosen(data, substance, replicate)


@opened
def import_diaries(
    path: Path,
    *,
    layout: str = "tlfb",
    mapping: Path | None = None,
    dictionary: Path | None = None,
    out: Path | None = None,
) -> "Imported":
    """Diaries of another system, with what was kept, what was set aside and why.

    Parameters
    ----------
    path
        A timeline follow-back table, a REDCap export, the folder of the tables of CTN-0094, or a folder of CDISC data
        sets, of which SU gives the days and DM the arms.
    layout
        ``tlfb``, ``redcap`` (with its ``dictionary``), ``ctn0094`` or ``cdisc``.
    mapping
        A YAML file that says which column holds what.
    dictionary
        Data dictionary of a REDCap project.
    out
        A Parquet file for the diaries; it must not exist yet.

    Raises
    ------
    SpecError
        The file cannot be read as such a table, or an argument does not fit the layout.
    RunError
        ``out`` cannot be written.
    """
    from remission.exchange.cdisc_import import import_cdisc
    from remission.exchange.ctn0094 import import_tables
    from remission.exchange.mapping_file import read_mapping
    from remission.exchange.redcap import read_redcap
    from remission.exchange.tlfb import read_tlfb

    if layout not in {"tlfb", "redcap", "ctn0094", "cdisc"}:
        raise SpecError(where="layout", got=layout, allowed="tlfb, redcap, ctn0094 or cdisc")
    if (layout == "redcap") != (dictionary is not None):
        raise SpecError(
            where="dictionary", got=str(dictionary or "nothing"), allowed="a file with redcap, and only there"
        )
    if mapping is not None and layout in {"ctn0094", "cdisc"}:
        raise SpecError(where="mapping", got=str(mapping), allowed="nothing: the columns of these tables are known")
    if out is not None:
        check_free(out, "out")
    columns = None if mapping is None else read_mapping(mapping)
    if layout in {"ctn0094", "cdisc"}:
        found = import_tables(path) if layout == "ctn0094" else import_cdisc(path)
    elif dictionary is not None:
        found = read_redcap(path, dictionary, columns)
    else:
        found = read_tlfb(path, columns)
    if out is not None:
        write_diaries(found.diaries, out)
    return found


@opened
def export_diaries(
    data: _Data, out: Path, *, layout: str = "rows", substance: str | None = None, replicate: int = 0
) -> tuple[Diaries, ...]:
    """Diaries written as a timeline follow-back table, safe to open in a spreadsheet; those that were written.

    Parameters
    ----------
    data
        The folder of a run, a Parquet file of diaries, or diaries.
    out
        File to write, ``.csv`` or ``.parquet``; it must not exist yet.
    layout
        ``rows``: one per person and day. ``calendar``: a column per day, of one substance. ``redcap``: with its data
        dictionary beside it, as ``NAME-dictionary.csv``.
    substance
        Only this one.
    replicate
        Which replicate of a run, from 0.

    Raises
    ------
    SpecError
        No such data, layout or substance, or a name that is taken.
    RunError
        The file cannot be written.
    """
    from remission.exchange.redcap import write_redcap
    from remission.exchange.tlfb import write_calendar, write_tlfb

    if layout not in {"rows", "calendar", "redcap"}:
        raise SpecError(where="layout", got=layout, allowed="rows, calendar or redcap")
    check_ending(out, "out", (".csv", ".parquet"))
    dictionary = out.with_name(f"{out.stem}-dictionary.csv")
    if layout == "redcap":
        check_free(dictionary, "out")
    check_free(out, "out")
    chosen = _chosen(data, substance, replicate)
    if out.suffix == ".parquet":
        write_diaries(chosen, out)
    elif layout == "rows":
        write_tlfb(chosen, out)
    elif layout == "redcap":
        write_redcap(chosen, out, dictionary)
    elif len(chosen) == 1:
        write_calendar(chosen[0], out)
    else:
        names = ", ".join(one.substance for one in chosen)
        raise SpecError(where="substance", got="nothing", allowed=f"one of {names}, since a calendar holds one")
    return chosen


@opened
def describe_diaries(
    data: _Data, *, substance: str | None = None, replicate: int = 0, n_resamples: int = 1000, seed: int = DEFAULT_SEED
) -> Descriptions:
    """What diaries look like: use by week, runs, autocorrelation, weekdays, spread between people, gaps.

    Parameters
    ----------
    data, substance, replicate
        As :func:`export_diaries`.
    n_resamples, seed
        Resamples of people for the intervals, 100 to 100,000, and their seed.

    Raises
    ------
    SpecError
        No such data, or fewer than two people with a day that was asked about.
    """
    return describe_all(_chosen(data, substance, replicate), n_resamples=n_resamples, seed=seed)


@opened
def compute_endpoints(
    data: _Data,
    endpoints: Sequence[str] | None = None,
    *,
    window: DayRange | None = None,
    baseline: DayRange | None = None,
    substance: str | None = None,
    heavy_amount: float | None = None,
    sexes: Path | None = None,
    replicate: int = 0,
) -> "EndpointTable":
    """Named endpoints of each person, real or simulated.

    Parameters
    ----------
    data
        The folder of CTN-0094 tables or of a run, a Parquet file of diaries, or diaries.
    endpoints
        Names from :func:`list_endpoints`; all that can be computed when left out.
    window
        Days that count, such as ``(1, 168)``; the whole planned follow-up when left out.
    baseline
        Days that they are compared with, such as ``(-28, -1)``; the days of the data before day 0 and the window when
        left out.
    substance
        What counts as use; for diaries of one substance it can be left out.
    heavy_amount
        An amount above which a day counts as heavy. [unit of the data]
    sexes
        A table with the columns person and sex, for levels of drinking risk.
    replicate
        Which replicate of a run, from 0.

    Raises
    ------
    SpecError
        No such data, name or window, or an endpoint asked for that these data cannot give.
    """
    from remission.exchange import endpoint_tables

    named = [_endpoints.load_endpoint(name) for name in dict.fromkeys(endpoints or ())]
    if isinstance(data, Path):
        people = endpoint_tables.read_people(data, substance=substance, replicate=replicate, heavy_amount=heavy_amount)
    else:
        people = endpoint_tables.people_of_diaries(data, substance=substance, heavy_amount=heavy_amount)
    if sexes is not None:
        female, known = endpoint_tables.read_sexes(sexes, people.columns["person"])
        people = replace(people, data=replace(people.data, female=female, sex_known=known))
    return endpoint_tables.compute_endpoints(
        people, named or list(_endpoints.list_endpoints()), window=window, baseline=baseline, is_asked=bool(named)
    )


def all_diaries(path: Path) -> tuple[Diaries, ...]:
    """The diaries of a Parquet file, of the folder of a run, or of the folder of the tables of CTN-0094.

    Raises ``SpecError``: it is none of them, or cannot be read.
    """
    if path.is_dir() and (path / "tlfb.csv.gz").is_file():
        from remission.exchange.ctn0094 import read_ctn0094

        return tuple(read_ctn0094(path))
    return _chosen(path, None, 0)


def _chosen(data: _Data, substance: str | None, replicate: int) -> tuple[Diaries, ...]:
    """The diaries of one substance, or of all."""
    if not isinstance(data, Path):
        found = data
    elif data.is_dir():
        found = (diaries_of_run(data, replicate=replicate),)
    else:
        found = _read_diaries(data, substance=substance)
    chosen = tuple(one for one in found if substance in {None, one.substance})
    if not chosen:
        names = ", ".join(one.substance for one in found) or "a substance"
        raise SpecError(where="substance", got=substance or "nothing", allowed=names)
    return chosen
