"""``remission calibrate``: the registered fit, and one more trial or diaries of one's own beside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.errors import SpecError

if TYPE_CHECKING:
    from remission.runs.crew import Crew


def calibrate_command(
    out: Annotated[Path | None, typer.Option("--out", help="Put points and posterior into this folder.")] = None,
    add: Annotated[
        Path | None,
        typer.Option("--add", help="Add this to a posterior: a trial's record (YAML), or diaries (Parquet)."),
    ] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Fit again with the added trial, not by weights.")] = False,
    to: Annotated[
        Path | None, typer.Option("--to", help="Add to the posterior in this file; default: the one the program has.")
    ] = None,
    plan: Annotated[
        str | None, typer.Option("--plan", help="The registered plan; default: that of the posterior runs draw from.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="An eighth of the points and short chains, to try it: nothing is judged.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", help="Share the work among so many processes; default: all cores.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fit the model to published trials, or add one.

    Priors, data and judges are in the plan, which was committed before any fit. Simulated points are kept, so it goes
    on where it was ended. Needs the extra calibrate; half an hour on two cores. With --add the draws there are are
    weighted by the new result in about a minute, without the extra; what the program carries is never changed.

    Example: remission calibrate --out calibration
    """
    from remission.cli.options import named_as_options
    from remission.cli.terminal import print_json
    from remission.records.parameter import DEFAULT_POSTERIOR
    from remission.runs.crew import crew_of

    _check(out, add, refit=refit, to=to)
    name = plan or DEFAULT_POSTERIOR
    with named_as_options(), crew_of(workers) as crew:
        found, path = _fit(name, out, quick=quick, crew=crew) if add is None else _add(
            add, out, to=to, refits=refit, plan=name, quick=quick, crew=crew
        )  # fmt: skip
    if as_json:
        print_json(found)
        return
    typer.echo(str(found))
    if path is not None:
        typer.echo(f"Wrote {path}")


def _check(out: Path | None, add: Path | None, *, refit: bool, to: Path | None) -> None:
    if add is None and (refit or to is not None):
        raise SpecError(where="--refit" if refit else "--to", got="no --add", allowed="a trial to add")
    if out is None and (add is None or refit):
        raise SpecError(where="--out", got="nothing", allowed="a folder for points and posterior")


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _fit(plan: str, out: Path | None, *, quick: bool, crew: "Crew") -> tuple[Any, Path]:
    from remission.calibration.study import QUICK, calibrate, quick_plan
    from remission.library.calibration_plan import load_calibration_plan

    assert out is not None, "asked before"
    registered = load_calibration_plan(plan)
    wanted = quick_plan(registered) if quick else registered
    return calibrate(wanted, out, pace=QUICK if quick else None, crew=crew, tell=_tell), out / f"{plan}.json"


def _add(
    add: Path, out: Path | None, *, to: Path | None, refits: bool, plan: str, quick: bool, crew: "Crew"
) -> tuple[Any, Path | None]:
    from remission.calibration.added import read_trial, reweight
    from remission.calibration.posterior import check_place, write_posterior
    from remission.files import check_free, make_folder
    from remission.library.posteriors import load_posterior, read_posterior

    posterior = load_posterior(plan) if to is None else read_posterior(to)
    if add.suffix.lower() not in {".yaml", ".yml"}:
        return _level(add, posterior.plan, refits=refits), None
    new = read_trial(add)
    path = None if out is None else out / f"{posterior.plan}-with-{new.record.id}.json"
    if path is not None:
        check_place(path)
        make_folder(path.parent)
        check_free(path, "--out")
    if refits:
        from remission.calibration.study import QUICK, refit

        assert out is not None, "asked before"
        found: Any = refit(posterior, new, out, pace=QUICK if quick else None, crew=crew, tell=_tell)
        made = found
    else:
        found = reweight(posterior, new, crew=crew)
        made = found.posterior
    if path is not None:
        write_posterior(made, path)
    return found, path


def _level(add: Path, plan: str, *, refits: bool) -> Any:
    from remission.calibration.people import level_of
    from remission.door.diaries import read_diaries
    from remission.library.calibration_plan import load_calibration_plan

    if refits:
        raise SpecError(
            where="--refit", got=f"diaries, {add}", allowed="the record of a trial, a YAML file",
            remedy="Without a comparison diaries say nothing of the values that a fit finds.",
        )  # fmt: skip
    found = read_diaries(add)
    if len(found) > 1:
        raise SpecError(
            where="--add", got=f"diaries of {', '.join(one.substance for one in found)}", allowed="one substance",
            remedy="Write one file for each: remission export.",
        )  # fmt: skip
    return level_of(load_calibration_plan(plan), found[0])
