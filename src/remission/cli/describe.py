"""``remission describe``: what diaries look like, real or simulated."""

import json
import math
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.records.seed import DEFAULT_SEED

if TYPE_CHECKING:
    from remission.diaries.statistics import Description

__all__ = ["describe_command"]


def describe_command(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Parquet file of remission import, or folder of a run.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write this HTML page; it must not exist yet.")] = None,
    substance: Annotated[str | None, typer.Option("--substance", help="Take this substance only.")] = None,
    replicate: Annotated[int, typer.Option("--replicate", help="Take this replicate of a run, from 0.")] = 0,
    resamples: Annotated[
        int, typer.Option("--resamples", min=100, max=100_000, help="Resample so often for the intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the resampling, 0 to 2**64 - 1.")] = DEFAULT_SEED,
    changes: Annotated[list[str] | None, typer.Option("--set", hidden=True, help="Refused: diaries exist.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Describe diaries, real or simulated, in numbers with intervals.

    Use by week, runs, autocorrelation, weekdays, spread between people, gaps.

    Example: remission describe diary.parquet --out diary.html
    """
    from remission.cli.options import named_as_options
    from remission.door.diaries import describe_diaries
    from remission.errors import SpecError
    from remission.extras import need_extra
    from remission.files import check_ending, check_free, write_text

    if changes:
        raise SpecError(
            where="--set", got=", ".join(changes), allowed="nothing here: the diaries are written already",
            remedy=f"Simulate others (remission run PROTOCOL --set {changes[0]} --diaries) and describe their folder.",
        )  # fmt: skip
    if out is not None:
        need_extra("plots", where="--out")
        check_ending(out, "--out", (".html", ".htm"))
        check_free(out, "--out")
    with named_as_options(n_resamples="--resamples"):
        found = describe_diaries(
            data, substance=substance, replicate=replicate, n_resamples=resamples, seed=seed
        ).descriptions
    if out is not None:
        from remission import __version__
        from remission.report.describe_page import render_description

        words = ["remission", "describe", str(data), "--resamples", str(resamples), "--seed", str(seed)]
        words += ["--substance", substance] if substance else []
        words += ["--replicate", str(replicate)] if data.is_dir() else []
        write_text(out, render_description(found, command=shlex.join(words), version=__version__))
    if as_json:
        # JSON has no NaN: what the diaries cannot tell is null.
        parts = [
            {
                "substance": one.diaries.substance,
                "origin": one.diaries.origin,
                "source": one.diaries.source,
                "standing": _standing(one),
                "people": int(one.diaries.assessed.any(axis=1).sum()),
                "asked_days": int(one.diaries.assessed.sum()),
                "statistics": [
                    {name: None if isinstance(value, float) and math.isnan(value) else value
                     for name, value in asdict(statistic).items()}
                    for statistic in one.everything
                ],
            }
            for one in found
        ]  # fmt: skip
        typer.echo(json.dumps({"diaries": parts, "out": None if out is None else str(out)}, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.diaries.substance}, {one.diaries.origin}: {one.diaries.source}")
        for line in (_standing(one) or {"lines": ()})["lines"]:
            typer.echo(line)
        for s in (*one.statistics, *one.lags[:1], *one.lags[6:7]):
            value = "not known" if math.isnan(s.value) else f"{s.value:.3f}"
            interval = "" if math.isnan(s.low) else f"({s.low:.3f} to {s.high:.3f})"
            typer.echo(f"  {s.label:<54} {value:>9}  {interval:<18} {s.unit}")
    if out is not None:
        typer.echo(f"Wrote {out}")


def _standing(one: "Description") -> dict[str, Any] | None:
    """What the values behind simulated diaries are worth; None for observed ones."""
    from remission.report.describe_page import standing_of_diaries

    found = standing_of_diaries(one.diaries)
    return None if found is None else found.to_dict()
