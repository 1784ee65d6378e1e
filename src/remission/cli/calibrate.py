"""``remission calibrate``: the registered fit, from the prior to the trials left out."""

from pathlib import Path
from typing import Annotated

import typer


def calibrate_command(
    out: Annotated[Path, typer.Option("--out", help="Put points and posterior into this folder.")],
    plan: Annotated[str, typer.Option("--plan", help="The registered plan.")] = "posterior-2026",
    quick: Annotated[
        bool, typer.Option("--quick", help="An eighth of the points and short chains, to try it: nothing is judged.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", help="Share the work among so many processes; default: all cores.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fit the model to published trials, as registered.

    Priors, data and judges are in the plan, which was committed before any fit. Simulated points are kept, so it goes
    on where it was ended. Needs the extra calibrate; half an hour on two cores.

    Example: remission calibrate --out calibration
    """
    from remission.calibration.study import QUICK, calibrate, quick_plan
    from remission.cli.options import named_as_options
    from remission.cli.terminal import print_json
    from remission.library.calibration_plan import load_calibration_plan
    from remission.runs.crew import crew_of

    with named_as_options():
        registered = load_calibration_plan(plan)
        wanted = quick_plan(registered) if quick else registered
        with crew_of(workers) as crew:
            found = calibrate(
                wanted, out, pace=QUICK if quick else None, crew=crew,
                tell=lambda text: typer.echo(text, err=True),
            )  # fmt: skip
    if as_json:
        print_json(found)
        return
    typer.echo(str(found))
    typer.echo(f"Wrote {out / f'{registered.id}.json'}")
