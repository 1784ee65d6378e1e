"""``remission describe``: what diaries look like, real or simulated."""

import math
import shlex
from pathlib import Path
from typing import Annotated

import typer

from remission.cli.options import AsJson, Replicate, Report, named_as_options
from remission.cli.terminal import print_columns, print_json
from remission.errors import SpecError
from remission.records.seed import DEFAULT_SEED


def describe_command(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Parquet file of remission import, or folder of a run.")],
    report: Report = None,
    substance: Annotated[str | None, typer.Option("--substance", help="Take this substance only.")] = None,
    replicate: Replicate = 0,
    resamples: Annotated[
        int, typer.Option("--resamples", min=100, max=100_000, help="Resample so often for the intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the resampling, 0 to 2**64 - 1.")] = DEFAULT_SEED,
    changes: Annotated[list[str] | None, typer.Option("--set", hidden=True, help="Refused: diaries exist.")] = None,
    as_json: AsJson = False,
) -> None:
    """Describe diaries, real or simulated, in numbers with intervals.

    Use by week, runs, autocorrelation, weekdays, spread between people, gaps.

    Example: remission describe diary.parquet --report diary.html
    """
    from remission.door.diaries import describe_diaries
    from remission.extras import need_extra
    from remission.files import check_ending, check_free, write_text
    from remission.report.describe_page import render_description, standing_of_diaries

    if changes:
        raise SpecError(
            where="--set", got=", ".join(changes), allowed="nothing here: the diaries are written already",
            remedy=f"Simulate others (remission run PROTOCOL --set {changes[0]} --diaries) and describe their folder.",
        )  # fmt: skip
    if report is not None:
        need_extra("plots", where="--report")
        check_ending(report, "--report", (".html", ".htm"))
        check_free(report, "--report")
    with named_as_options(n_resamples="--resamples"):
        found = describe_diaries(
            data, substance=substance, replicate=replicate, n_resamples=resamples, seed=seed
        ).descriptions
    if report is not None:
        from remission import __version__

        words = ["remission", "describe", str(data), "--resamples", str(resamples), "--seed", str(seed)]
        words += ["--substance", substance] if substance else []
        words += ["--replicate", str(replicate)] if data.is_dir() else []
        write_text(report, render_description(found, command=shlex.join(words), version=__version__))
    if as_json:
        standings = [standing_of_diaries(one.diaries) for one in found]
        parts = [
            {
                "substance": one.diaries.substance,
                "origin": one.diaries.origin,
                "source": one.diaries.source,
                "standing": standing.to_dict() if standing else None,
                "people": one.diaries.assessed.any(axis=1).sum(),
                "asked_days": one.diaries.assessed.sum(),
                "statistics": one.everything,
            }
            for one, standing in zip(found, standings, strict=True)
        ]
        print_json({"diaries": parts, "out": report})
        return
    for one in found:
        typer.echo(f"{one.diaries.substance}, {one.diaries.origin}: {one.diaries.source}")
        standing = standing_of_diaries(one.diaries)
        for line in standing.lines if standing else ():
            typer.echo(line)
        rows = []
        for s in (*one.statistics, *one.lags[:1], *one.lags[6:7]):
            value = "not known" if math.isnan(s.value) else f"{s.value:.3f}"
            rows.append((s.label, value, "" if math.isnan(s.low) else f"({s.low:.3f} to {s.high:.3f})", s.unit))
        print_columns(rows, right=(1,), indent=2)
    if report is not None:
        typer.echo(f"Wrote {report}")
