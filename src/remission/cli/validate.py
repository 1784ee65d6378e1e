"""``remission validate``: the registered facts, computed."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from remission.facts.validate import FactRow, Validation


def validate_command(
    fact: Annotated[
        str | None, typer.Option("--fact", help="Compute this fact, or this one of its measures, only.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the people: wider intervals.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compute what is known and see whether the model says so.

    Each registered fact with its definition, source and tolerance, its value with a Monte Carlo interval, and its
    verdict. Some minutes for all of them.

    Example: remission validate --fact self-quit-smokers --quick
    """
    from remission.cli.options import named_as_options
    from remission.cli.progress import progress_of
    from remission.cli.terminal import print_json
    from remission.door.facts import validate

    with named_as_options(), progress_of("Facts", quiet=as_json) as progress:
        found = validate(fact=fact, quick=quick, on_progress=progress)
    if as_json:
        print_json(found)
        return
    _print(found)


def _print(found: "Validation") -> None:
    from remission.facts.validate import interval_text, tolerance_text
    from remission.library.facts import load_facts

    facts = {one.id: one for one in load_facts().fact}
    typer.echo(f"{found.parameter_set}, held to the facts registered for {found.form}; seed {found.seed}, "
               f"{found.n_people} people a scenario.")  # fmt: skip
    shown = ""
    for row in found.rows:
        if row.fact != shown:
            shown, fact = row.fact, facts[row.fact]
            number = f"{fact.number}. " if fact.number else ""
            typer.echo(f"\n{number}{fact.sentence} {fact.note}".rstrip())
        typer.echo(f"  {row.id}: {_verdict(row)}")
        typer.echo(f"    {row.definition}")
        read = f"read {row.published or 'nothing'} ({row.source}; {row.read_as})"
        typer.echo(f"    {interval_text(row)} {row.unit}; reached if {tolerance_text(row.tolerance)}; {read}")
    if found.reruns:
        typer.echo("\nTrials that no value was tuned on, beside what was published; no verdict.")
    for rerun in found.reruns:
        typer.echo(f"  {rerun.id}: {interval_text(rerun)} {rerun.unit}; published {rerun.published} ({rerun.read_as})")
        typer.echo(f"    {rerun.definition}")
    typer.echo("")
    for role, words in (("check", "named before, never fitted"), ("fit", "shaped the model, or will")):
        counts = ", ".join(f"{number} {verdict}" for verdict, number in found.counts[role].items())
        typer.echo(f"{role} measures that score ({words}): {counts}.")
    left_out = sum(not row.scores for row in found.rows)
    typer.echo(
        f"{left_out} more do not score: press, memory, an assumption, no tolerance, or not to be expressed today."
    )
    typer.echo("The form was chosen with these trials in sight: only forecasts are blind. Research software.")


def _verdict(row: "FactRow") -> str:
    return f"{row.verdict}, {row.role}" + (f" ({row.reason})" if row.reason else "")
