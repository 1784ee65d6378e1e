"""``remission blinding``: a trial on the bench of blinding, and the guesses of a finished one."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.options import AsJson, Report, named_as_options
from remission.cli.terminal import print_columns, print_json
from remission.errors import SpecError

if TYPE_CHECKING:
    from remission.blinding.bench import BenchResult

__all__ = ["app"]

app = typer.Typer(help="Try whether a trial survives its own unblinding.", no_args_is_help=True)

_MOST_SHOWN = 10
_Words = Annotated[list[str] | None, typer.Option(help="A word of the file for it. May be repeated.")]


@app.command("bench")
def bench_command(
    trial: Annotated[
        str, typer.Argument(help="A YAML file of a trial and its blinding, or kare, dakwar-2019 or psilocybin.")
    ],
    trials: Annotated[
        int | None, typer.Option("--trials", help="Simulate so many trials of each control in each world.")
    ] = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Try every control arm of a trial in every world: right guesses, power, bias and coverage.

    Example: remission blinding bench psilocybin --trials 200
    """
    from remission.blinding.bench import run_bench
    from remission.cli.progress import progress_of
    from remission.door.arguments import ARGUMENTS
    from remission.report.blinding_words import WORDS, bench_rows, bench_sentences, doubt_rows

    _check_report(report)
    read: Any = ARGUMENTS["trial"].read("TRIAL", trial, {})
    if trials is not None:
        with named_as_options(**{"blindingtrial.trials": "--trials"}):
            read = read.replace(trials=trials)
    with progress_of("cells", quiet=as_json) as on_progress:
        found: BenchResult = run_bench(read, on_progress=on_progress)
    words = ["remission", "blinding", "bench", trial, *(["--trials", str(trials)] if trials is not None else [])]
    if report is not None:
        from remission.files import write_text
        from remission.report.blinding_page import render_bench

        write_text(report, render_bench(found, command=shlex.join(words)))
    if as_json:
        print_json({**_plain(found), "sentences": bench_sentences(found), "command": shlex.join(words)})
        return
    typer.echo(read.title or read.id)
    head, rows = bench_rows(found)
    print_columns([head, *rows], right=range(2, len(head)), indent=2)
    if found.doubts:
        typer.echo(WORDS["page"]["doubts"])
        head, rows = doubt_rows(found)
        print_columns([head, *rows], right=range(1, len(head)), indent=2)
    for line in bench_sentences(found):
        typer.echo(line)
    if report is not None:
        typer.echo(f"Wrote {report}")


@app.command("analyze")
def analyze_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Table with arm and guess of people, or YAML with published groups.")
    ],
    *,
    drug: _Words = None,
    control: _Words = None,
    unsure: _Words = None,
    better: Annotated[str | None, typer.Option(help="Say whether a higher or a lower outcome is better.")] = None,
    share: Annotated[bool, typer.Option("--share", help="Read the outcome as 1 with it, 0 without.")] = False,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="Name a column, such as outcome=madrs. May be repeated.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="Keep rows with this value, such as visit=week-6.")
    ] = None,
    outcome_day: Annotated[float | None, typer.Option(help="Give the day of the outcome.")] = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Analyze the guesses of a finished trial: indices, bounds, the worlds that fit, what would settle it.

    Example: remission blinding analyze guesses.csv --better lower
    """
    from remission.blinding.finished import analyze_finished
    from remission.exchange.guesses import read_guesses
    from remission.report.blinding_words import guesses_rows

    _check_report(report)
    changes = _changes(drug, control, unsure, column, where)
    changes |= {name: value for name, value in (("better", better), ("outcome_day", outcome_day)) if value is not None}
    if share:
        changes["outcome"] = "share"
    with named_as_options(**{"guessfile.outcome_day": "--outcome-day"}):
        read = read_guesses(file, changes)
    found = analyze_finished(read)
    words = ["remission", "blinding", "analyze", str(file)]
    for option, values in (("--drug", drug), ("--control", control), ("--unsure", unsure), ("--column", column),
                           ("--where", where)):  # fmt: skip
        words += [part for one in values or () for part in (option, one)]
    words += ["--better", better] if better else []
    words += ["--share"] if share else []
    words += ["--outcome-day", f"{outcome_day:g}"] if outcome_day is not None else []
    command = shlex.join(words)
    if report is not None:
        from remission.files import write_text
        from remission.report.blinding_page import render_guesses

        write_text(report, render_guesses(found, command=command))
    if as_json:
        print_json({**_plain(found), "command": command})
        return
    typer.echo(found.trial.file.title or found.trial.file.id)
    for title, head, rows in guesses_rows(found):
        typer.echo(title)
        print_columns([head, *rows], indent=2)
    for line in found.verdict:
        typer.echo(line)
    for row, reason in found.trial.not_used[:_MOST_SHOWN]:
        typer.echo(f"not used: row {row}: {reason}", err=True)
    if len(found.trial.not_used) > _MOST_SHOWN:
        typer.echo(f"and {len(found.trial.not_used) - _MOST_SHOWN} more not used; see them with --json", err=True)
    if report is not None:
        typer.echo(f"Wrote {report}")


def _check_report(report: Path | None) -> None:
    from remission.extras import need_extra
    from remission.files import check_ending, check_free

    if report is not None:
        need_extra("plots", where="--report")
        check_ending(report, "--report", (".html", ".htm"))
        check_free(report, "--report")


def _plain(found: Any) -> dict[str, Any]:
    import json

    plain: dict[str, Any] = json.loads(found.to_json())
    return plain


def _changes(
    drug: list[str] | None, control: list[str] | None, unsure: list[str] | None, column: list[str] | None,
    where: list[str] | None,
) -> dict[str, Any]:  # fmt: skip
    """What was typed in the place of the file's own fields."""
    found: dict[str, Any] = {}
    said = {name: words for name, words in (("drug", drug), ("control", control), ("unsure", unsure)) if words}
    if said:
        found["words"] = said
    for option, name, values in (("--column", "columns", column), ("--where", "where", where)):
        for text in values or ():
            key, equals, value = (part.strip() for part in text.partition("="))
            if not key or not equals or not value:
                raise SpecError(where=f"{option} {text}", got=text, allowed="name=value, such as outcome=madrs")
            if key in found.setdefault(name, {}):
                raise SpecError(where=f"{option} {text}", got=f"{key} again", allowed="each name once")
            found[name][key] = value
    return found
