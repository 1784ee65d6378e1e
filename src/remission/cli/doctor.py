"""``remission doctor``: whether this installation works."""

from pathlib import Path
from typing import Annotated

import typer

from remission.cli.options import AsJson
from remission.cli.terminal import print_json

_MARKS = {"ok": "ok  ", "note": "note", "fail": "FAIL"}


def doctor_command(
    out: Annotated[Path, typer.Option("--out", help="Check that runs could be written to this folder.")] = Path("runs"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave the known answers out: look only at what is there.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what fails.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check this installation; exit code 1 on a fault.

    Versions, extras, processor, caches, disk and write rights; then known answers are computed anew.
    Nothing private is printed, so the answer can be sent to who helps you. It takes seconds; the first time, when the
    equations are compiled, a minute.

    Example: remission doctor
    """
    from remission.doctor import Verdict, examine

    checks = examine(out, with_tests=not quick)
    failed = [check for check in checks if check.verdict is Verdict.FAIL]
    if as_json:
        print_json({"is_well": not failed, "checks": checks})
    else:
        for check in failed if quiet else checks:
            typer.echo(f"{_MARKS[check.verdict]}  {check.name}: {check.found}")
            if check.verdict is Verdict.FAIL and check.expected:
                typer.echo(f"      expected {check.expected}")
            if check.remedy:
                typer.echo(f"      {check.remedy}")
        if not quiet:
            seconds = sum(check.elapsed_s for check in checks)
            verdict = f"{len(failed)} of {len(checks)} checks failed" if failed else "This installation works"
            typer.echo(f"{verdict} ({len(checks)} checks, {seconds:.1f} s).")
    if failed:
        raise typer.Exit(1)
