"""``remission site``: the pages as plain files, for a static host, a stick, or a machine without a network."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remission.cli.options import AsJson, named_as_options
from remission.cli.progress import ends_soon, progress_of
from remission.cli.terminal import print_json
from remission.errors import SpecError, visible

if TYPE_CHECKING:
    from remission.web.export.check import SiteCheck

_MOST_SHOWN = 20
_LONGEST = 120


def site_command(  # noqa: PLR0917 - options, given by name
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; new or empty.")],
    name: Annotated[str, typer.Option(help="Who offers the pages; it stands at the foot of each.")] = "",
    contact: Annotated[
        str, typer.Option(help="Where readers write of what is wrong: an https address, an e-mail, or words.")
    ] = "",
    country: Annotated[str, typer.Option(help="Whose emergency numbers to show, two letters, for example US.")] = "US",
    clinics: Annotated[
        Path | None, typer.Option(help="File of clinics to show, as remission clinics load reads it.")
    ] = None,
    helplines: Annotated[
        Path | None, typer.Option(help="CSV of your own lines to call and lists of places, with the day of each check.")
    ] = None,
    only: Annotated[
        str, typer.Option(help="Sections with commas, for example journey,clinics; all when left out.")
    ] = "",
    trials: Annotated[
        str, typer.Option(help="Published trials to simulate for the copy, with commas; none: none.")
    ] = "kare,dakwar-2019",
    replicates: Annotated[int, typer.Option(min=1, max=100_000, help="Replicates behind each trial.")] = 1000,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier copy in that folder.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: walk every link of a copy that is there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the pages as plain files that need no server.

    Both languages, the planner's curves and the diary included. They open from any static host in any folder, from a
    stick, or offline, and ask nothing of any other place.

    Example: remission site pages --only journey --trials none
    """
    from remission.extras import need_extra

    need_extra("web", where="remission site")
    from remission.clinics.files import read_clinics
    from remission.clinics.store import ClinicStore
    from remission.evidence.care import contacts_of
    from remission.files import scratch_folder
    from remission.web.export.check import check_site
    from remission.web.export.folder import check_target, write_site
    from remission.web.helplines import read_helplines
    from remission.web.pages.trials import trials_with_page
    from remission.web.settings import WebSettings

    if check:
        report = check_site(out)
        if as_json:
            print_json({"folder": out, "check": report})
        _tell(report, as_json=as_json)
        return
    check_target(out, replace=replace)
    chosen = () if trials.strip().casefold() == "none" else _names(trials)
    for one in chosen:
        if one not in trials_with_page():
            raise SpecError(where="--trials", got=one, allowed=f"one of {', '.join(trials_with_page())}, or none")
    for where, text in (("--name", name), ("--contact", contact)):
        if len(text) > _LONGEST:
            raise SpecError(where=where, got=f"{len(text)} letters", allowed=f"at most {_LONGEST}")
    today = date.today()  # noqa: DTZ011 - the operator's own calendar day
    own = () if helplines is None else read_helplines(helplines, today=today)
    with scratch_folder() as scratch:
        store = None
        if clinics is not None:
            reading = read_clinics(clinics, today=today)
            if reading.errors:
                first = reading.errors[0]
                raise SpecError(
                    where="--clinics", got=f"{len(reading.errors)} wrong rows, the first: {first}",
                    allowed="a file without wrong rows", remedy=f"See them all: remission clinics check {clinics}",
                )  # fmt: skip
            store = scratch / "clinics.sqlite"
            ClinicStore(store).save(reading)
        settings = WebSettings(
            country=contacts_of(country.upper(), own=own).country,
            helplines=own,
            clinics_store=store,
            n_replicates=replicates,
            offered_by=visible(name.strip()),
            contact=visible(contact.strip()),
        )
        stops = ends_soon("Stopped. Nothing was written.")
        with stops, named_as_options(), progress_of("Pages", quiet=as_json, unit="pages") as on_progress:
            contents = write_site(
                out, settings=settings, only=_names(only), trials=chosen, made=today,
                replace=replace, on_progress=on_progress,
            )  # fmt: skip
    report = check_site(out)
    if as_json:
        print_json({"folder": out, "contents": contents, "check": report})
    else:
        typer.echo(f"{contents.n_pages} pages, {contents.n_bytes / 1e6:.1f} MB. Open {out / 'index.html'}")
    _tell(report, as_json=as_json)


def _tell(report: "SiteCheck", *, as_json: bool) -> None:
    """The check in words, faults on standard error; a copy with a fault is failed work."""
    if not as_json:
        typer.echo(
            f"{report.n_files} files and {report.n_links} links walked, {report.n_outside} of them to other places. "
            f"Most a first visit loads: {report.heaviest_bytes / 1000:.0f} kB ({report.heaviest})."
        )
        for fault in report.faults[:_MOST_SHOWN]:
            typer.echo(visible(fault), err=True)
    if report.faults:
        typer.echo(f"{len(report.faults)} faults.", err=True)
        raise typer.Exit(1)


def _names(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())
