"""``remission run``: simulate a protocol, analyze it, write its folder with the report."""

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remission.cli.options import AsJson, Changes, named_as_options
from remission.cli.terminal import print_json
from remission.errors import SpecError
from remission.records.seed import DEFAULT_SEED

if TYPE_CHECKING:
    from remission.patient.parameters import CourseParameters
    from remission.protocol.record import Protocol
    from remission.trial.simulate import TrialPlan

_COLD_TURKEY = "cold-turkey"
_SHOWN_PERSON_DAYS = 20_000_000
"""From here on a run says what it will cost: some seconds on a laptop."""
_LARGE_PERSON_DAYS = 2_000_000_000
"""Above this it waits for --yes: minutes to hours."""
_SHARED_S = 30.0
"""From this expected time on the work is shared by all cores, unless --workers says otherwise."""


def run_command(  # noqa: PLR0917 - options of a command line
    protocol: Annotated[
        list[str] | None, typer.Argument(help="Built-in protocols (see remission list) or protocol files.")
    ] = None,
    replicates: Annotated[int, typer.Option("--replicates", "-n", help="Simulate the trial so often.")] = 200,
    seed: Annotated[
        int, typer.Option("--seed", help="Seed of all chance: the same one gives the same bytes, 0 to 2**64 - 1.")
    ] = DEFAULT_SEED,
    substance: Annotated[
        str | None, typer.Option("--substance", help="Simulate one substance of cold-turkey instead of all.")
    ] = None,
    all_published: Annotated[
        bool, typer.Option("--all-published", help="Simulate every published trial of the library instead.")
    ] = False,
    changes: Changes = None,
    out: Annotated[Path, typer.Option("--out", help="Put the run into this folder.")] = Path("runs"),
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Share the work on a Dask cluster, for example tcp://10.0.0.5:8786.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            help="Share the work among so many processes; default: two for short runs, all cores for long.",
        ),
    ] = None,
    diaries: Annotated[bool, typer.Option("--diaries", help="Write everybody's days too, to diaries.parquet.")] = False,
    shares: Annotated[
        int | None, typer.Option("--shares", help="Only prepare it, for so many jobs of remission work.")
    ] = None,
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start a very large run without asking back.")] = False,
) -> None:
    """Simulate a trial, or some; published results stand beside.

    A table is printed for each, and a folder with data, figures and report.html is written.

    Example: remission run kare --replicates 1000 --seed 7
    """
    from remission.cli import beside
    from remission.cli.execute import choose_workers, execute
    from remission.streams import check_seed

    with named_as_options():
        check_seed(seed)
    crew = choose_workers(cluster=cluster, workers=workers)
    asked = protocol or []
    if bool(asked) == all_published:
        raise SpecError(
            where="run", got=f"{', '.join(asked)} and --all-published" if asked else "no PROTOCOL",
            allowed="built-in protocols or protocol files, or --all-published alone",
            remedy="See remission run --help, and remission list.",
        )  # fmt: skip
    _check_replicates(replicates)
    is_free = workers is None and cluster is None
    with (beside.taken() if is_free and shares is None else None) or crew as crew:
        protocols, left_out = _published() if all_published else (_asked_for(asked, substance), {})
        prepared = [(found, parameters_changed(found, changes or [])) for _, found in protocols]
        plans = _plans(prepared, out, n_replicates=replicates, seed=seed, with_diaries=diaries, n_shares=shares)
        commands = [_command(name, replicates, seed, changes or [], diaries=diaries) for name, _ in protocols]
        if shares is not None:
            from remission.cli.shares import prepare

            prepare(plans, out, commands, shares=shares, as_json=as_json)
            return
        shared = _announce(plans, out, yes=yes, quiet=as_json, is_shared=cluster is not None)
        if is_long := is_free and shared > 1:
            crew.close()
        with choose_workers(cluster=None, workers=shared) if is_long else crew as all_hands:
            reports = []
            for plan, command in zip(plans, commands, strict=True):
                reports.append(execute(plan, out, command, quiet=as_json, crew=all_hands))
    if as_json:
        print_json({"runs": reports, **({"left_out": left_out} if all_published else {})})
    elif left_out:
        typer.echo("\nNot simulated:\n" + "\n".join(f"  {name}: {reason}" for name, reason in left_out.items()))


def _plans(
    prepared: "list[tuple[Protocol, dict[str, float]]]", out: Path, *, n_replicates: int, seed: int,
    with_diaries: bool, n_shares: int | None,
) -> "list[TrialPlan]":  # fmt: skip
    """The plans of some protocols with their changes, once the folder is one for them."""
    from remission.files import check_folder
    from remission.trial.simulate import plan_trial

    if n_shares is not None:
        from remission.cli.shares import check_shares

        check_shares(n_shares)
    check_folder(out)
    return [
        plan_trial(found, n_replicates=n_replicates, seed=seed, changes=changed, with_diaries=with_diaries)
        for found, changed in prepared
    ]


def _published() -> "tuple[list[tuple[str, Protocol]], dict[str, str]]":
    """The published trials that can be simulated, each with its name; and the others with the reason why not."""
    from remission.library.protocols import list_published, load_protocol, published_left_out
    from remission.trial.simulate import why_not_simulated

    reasons = {name: why_not_simulated(load_protocol(name)) for name in list_published()}
    left_out = {name: reason for name, reason in reasons.items() if reason is not None}
    found = [(name, load_protocol(name)) for name, reason in reasons.items() if reason is None]
    return found, {**left_out, **published_left_out()}


def _asked_for(names: list[str], substance: str | None) -> "list[tuple[str, Protocol]]":
    """Protocols in the order in which they were named, each with the name that a command has for it."""
    found = []
    for name in names:
        is_one = not name.startswith(_COLD_TURKEY)
        found += [(Path(name).name if is_one else one.id, one) for one in find_protocol(name, substance)]
    return found


def find_protocol(name: str, substance: str | None) -> "list[Protocol]":
    """The protocol of the library or of a file; ``cold-turkey`` is one for each substance."""
    from remission.library.protocols import load_protocol
    from remission.records.substance import Substance

    if name == _COLD_TURKEY:
        known = [item.value for item in Substance]
        if substance is not None and substance not in known:
            raise SpecError(where="--substance", got=substance, allowed=f"one of {', '.join(known)}")
        return [load_protocol(f"{_COLD_TURKEY}-{item}") for item in ([substance] if substance else known)]
    if substance is not None:
        raise SpecError(
            where="--substance", got=substance, allowed="used with cold-turkey only", remedy="Leave it out."
        )
    return [read_one_protocol(name)]


def read_one_protocol(name: str) -> "Protocol":
    """The protocol of a file, or of the library."""
    from remission.library.protocols import list_protocols, load_protocol
    from remission.protocol.file import read_protocol

    is_file = name not in list_protocols() and (Path(name).suffix in {".yaml", ".yml", ".toml"} or "/" in name)
    return read_protocol(name) if is_file or Path(name).is_file() else load_protocol(name)


def parameters_of(protocol: "Protocol", changes: list[str]) -> "CourseParameters":
    """The course parameters of a protocol's people, changed as ``--set`` says."""
    from remission.patient.backgrounds import course_parameters_of

    return course_parameters_of(protocol).replace(**parameters_changed(protocol, changes))


def parameters_changed(protocol: "Protocol", changes: list[str]) -> dict[str, float]:
    """The values that ``--set`` names, checked to be those of parameters."""
    from remission.patient.backgrounds import course_parameters_of

    values: dict[str, float] = {}
    for change in changes:
        name, _, text = change.partition("=")
        if name.strip() in values:
            raise SpecError(
                where=f"--set {change}", got=f"{name.strip()} again", allowed="each parameter once",
                remedy="Only one of the two could be used.",
            )  # fmt: skip
        try:
            # Python itself would read 1_0 as ten.
            values[name.strip()] = float(text.replace("_", "?"))
        except ValueError:
            raise SpecError(
                where=f"--set {change}", got=text or "nothing", allowed="name=number, for example use_effect=0"
            ) from None
    course_parameters_of(protocol).replace(**values)
    return values


def _check_replicates(replicates: int) -> None:
    from remission.trial.simulate import MAX_REPLICATES

    if not 1 <= replicates <= MAX_REPLICATES:
        raise SpecError(where="--replicates", got=replicates, allowed=f"a whole number from 1 to {MAX_REPLICATES}")


def _announce(plans: "list[TrialPlan]", out: Path, *, yes: bool, quiet: bool, is_shared: bool) -> int:
    """Say what a large run will cost, or refuse one that is too large; returns how many cores should share it."""
    from remission.numerics.cores import available_cores
    from remission.numerics.digits import duration
    from remission.runs.cost import count_person_days, estimate_cost

    person_days = sum(count_person_days(plan) for plan in plans)
    if person_days < _SHOWN_PERSON_DAYS:
        return 1
    costs = [estimate_cost(plan) for plan in plans]
    expected_s, disk_bytes = sum(cost.expected_s for cost in costs), sum(cost.disk_bytes for cost in costs)
    cores = available_cores() if expected_s > _SHARED_S else 1
    people = sum(cost.n_people for cost in costs)
    words = (
        f"{people:,} people, {person_days:,} person-days; about {duration(expected_s)} on one core"
        + (f", {duration(expected_s / cores)} on {cores}" if cores > 1 and not is_shared else "")
        + f"; up to {disk_bytes / 1e6:,.0f} MB on disk"
    )
    free_bytes = shutil.disk_usage(out).free
    if disk_bytes > free_bytes:
        raise SpecError(
            where="--out", got=f"{free_bytes / 1e6:,.0f} MB free ({words})", allowed="a disk with room for the run",
            remedy="Choose another --out, fewer replicates, or leave out --diaries.",
        )  # fmt: skip
    if person_days > _LARGE_PERSON_DAYS and not yes:
        raise SpecError(
            where="--replicates", got=words, allowed=f"up to {_LARGE_PERSON_DAYS:,} person-days without asking",
            remedy="Start it with --yes, or take fewer replicates.",
        )  # fmt: skip
    if not quiet:
        typer.echo(f"{words}.", err=True)
    return cores


def _command(name: str, replicates: int, seed: int, changes: list[str], *, diaries: bool) -> str:
    parts = ["remission", "run", name, "--replicates", str(replicates), "--seed", str(seed)]
    for change in changes:
        parts += ["--set", change]
    if diaries:
        parts.append("--diaries")
    return shlex.join(parts)
