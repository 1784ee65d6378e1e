"""``remission run``: simulate a protocol, analyse it, write its folder with the report."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from remission.patient.parameters import CourseParameters
    from remission.records.protocol import Protocol

__all__ = ["run_command"]

_COLD_TURKEY = "cold-turkey"
_LARGE_PERSON_DAYS = 2_000_000_000
"""Above this a run says its cost and waits for --yes: a quarter of an hour or more on a laptop."""


def run_command(  # noqa: PLR0917 - options of a command line
    protocol: Annotated[str, typer.Argument(help="Built-in protocol (see remission list) or a protocol file.")],
    replicates: Annotated[int, typer.Option("--replicates", "-n", help="How often the trial is simulated.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="0 to 2**64 - 1; the same seed gives the same bytes.")] = 20260101,
    substance: Annotated[
        str | None, typer.Option("--substance", help="For cold-turkey: one substance instead of all six.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a model parameter, for example --set gamma=0. May be repeated."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of all runs.")] = Path("runs"),
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Address of a Dask scheduler, for example tcp://10.0.0.5:8786.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start a very large run without asking back.")] = False,
) -> None:
    """Simulate a trial: a table with published beside simulated, and a folder with data, figures and report.html.

    Example: remission run kare --replicates 1000 --seed 7
    """
    from remission.cli.execute import execute
    from remission.runs.folder import check_writable
    from remission.streams import check_seed
    from remission.trial.simulate import plan_trial

    check_seed(seed)
    protocols = _find(protocol, substance)
    check_writable(out)
    prepared = [(found, _parameters(found, changes or [])) for found in protocols]
    _check_size(protocols, replicates, yes=yes)
    reports = []
    for found, parameters in prepared:
        command = _command(protocol, found, replicates, seed, changes or [])
        plan = plan_trial(found, n_replicates=replicates, seed=seed, parameters=parameters)
        reports.append(execute(plan, out, command, quiet=as_json, cluster=cluster))
    if as_json:
        typer.echo(json.dumps({"runs": reports}, ensure_ascii=False, allow_nan=False))


def _find(name: str, substance: str | None) -> "list[Protocol]":
    from remission.errors import SpecError
    from remission.library.protocols import list_protocols, load_protocol
    from remission.records.protocol import Substance
    from remission.records.protocol_file import read_protocol

    if name == _COLD_TURKEY:
        known = [item.value for item in Substance]
        if substance is not None and substance not in known:
            raise SpecError(where="--substance", got=substance, allowed=f"one of {', '.join(known)}")
        return [load_protocol(f"{_COLD_TURKEY}-{item}") for item in ([substance] if substance else known)]
    if substance is not None:
        raise SpecError(
            where="--substance", got=substance, allowed="used with cold-turkey only", remedy="Leave it out."
        )
    is_file = name not in list_protocols() and (Path(name).suffix in {".yaml", ".yml", ".toml"} or "/" in name)
    return [read_protocol(name) if is_file or Path(name).is_file() else load_protocol(name)]


def _parameters(protocol: "Protocol", changes: list[str]) -> "CourseParameters":
    from remission.errors import SpecError
    from remission.patient.parameters import load_course_parameters

    values = {}
    for change in changes:
        name, _, text = change.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            raise SpecError(
                where=f"--set {change}", got=text or "nothing", allowed="name=number, for example gamma=0"
            ) from None
    return load_course_parameters(protocol.substance).replace(**values)


def _check_size(protocols: "list[Protocol]", replicates: int, *, yes: bool) -> None:
    from remission.errors import SpecError
    from remission.trial.simulate import MAX_REPLICATES

    if not 1 <= replicates <= MAX_REPLICATES:
        raise SpecError(where="--replicates", got=replicates, allowed=f"a whole number from 1 to {MAX_REPLICATES}")
    person_days = replicates * sum(p.population.n_subjects * p.follow_up_days for p in protocols)
    if person_days > _LARGE_PERSON_DAYS and not yes:
        raise SpecError(
            where="--replicates",
            got=f"{replicates} replicates, {person_days:.2g} person-days",
            allowed=f"up to {_LARGE_PERSON_DAYS:.2g} person-days without asking",
            remedy="Expect about a minute for each 200 million; start it with --yes, or take fewer replicates.",
        )


def _command(asked: str, protocol: "Protocol", replicates: int, seed: int, changes: list[str]) -> str:
    name = protocol.id if asked.startswith(_COLD_TURKEY) else Path(asked).name
    parts = ["remission", "run", name, "--replicates", str(replicates), "--seed", str(seed)]
    for change in changes:
        parts += ["--set", change]
    return shlex.join(parts)
