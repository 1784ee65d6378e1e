"""``remission explain``: what carries the effect of a trial, what would change it, which study would tell more."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remission.cli.options import AsJson, ProtocolName, Workers, named_as_options
from remission.errors import SpecError
from remission.records.seed import DEFAULT_SEED

if TYPE_CHECKING:
    from remission.library.explanations import Explained, Range, StudyShape


def explain_command(  # noqa: PLR0917 - options of a command line
    protocol: ProtocolName,
    analysis: Annotated[
        str | None, typer.Option("--analysis", help="Explain the analysis of this id; default: the first.")
    ] = None,
    study: Annotated[
        list[str] | None,
        typer.Option(
            "--study", help="Ask what this study of the design would tell: times its people, @ sites: 4@10. Repeatable."
        ),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Draw the model's values so many times.")] = 200,
    people: Annotated[int, typer.Option("--people", help="Let so many people live under every arm.")] = 400,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw it into this new SVG file, with a PNG.")
    ] = None,
    workers: Workers = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of all chance, 0 to 2**64 - 1.")] = DEFAULT_SEED,
    as_json: AsJson = False,
) -> None:
    """Explain what carries the effect of a trial in the model.

    Links of the chain are closed one at a time, on the same people, over draws of the posterior. Then what would
    change the conclusion, and which study would halve the doubt.

    Example: remission explain dakwar-2019 --draws 100 --people 100
    """
    from remission.cli.run import find_protocol
    from remission.cli.terminal import print_json
    from remission.foresight.explain import Explanation, explained
    from remission.library.explanations import study_shapes
    from remission.runs.crew import crew_of

    with named_as_options(n_draws="--draws", n_people="--people"):
        found = find_protocol(protocol, None)
        if len(found) > 1:
            raise SpecError(
                where="protocol", got=f"{protocol}, which is {len(found)} protocols", allowed="one protocol"
            )
        shapes = tuple(map(_shape, study)) if study else study_shapes()
        if picture is not None and (picture.exists() or picture.suffix != ".svg"):
            raise SpecError(where="--picture", got=str(picture), allowed="a new file with the ending .svg")
        with crew_of(workers) as crew:
            one = explained(
                found[0], analysis=analysis, n_draws=draws, n_people=people, shapes=shapes, crew=crew, seed=seed
            )  # fmt: skip
    if picture is not None:
        from remission.report.interval_charts import explain_chart
        from remission.report.look import save_figure

        save_figure(explain_chart(one).figure, picture.parent, picture.stem)
    if as_json:
        print_json(Explanation(found=one))
    else:
        _show(one)


def _shape(text: str) -> "StudyShape":
    from remission.library.explanations import StudyShape

    people, _, sites = text.partition("@")
    wants = "how many times the people, at how many sites: 4@10, or 4; 0 people are without limit"
    if not all(part.isascii() and part.isdigit() and len(part) < _DIGITS for part in (people, sites or "1")):
        raise SpecError(where="--study", got=text, allowed=wants)
    if not 1 <= int(sites or 1) <= _MOST_SITES:
        raise SpecError(where="--study", got=text, allowed=f"1 to {_MOST_SITES} sites")
    return StudyShape(people=int(people), sites=int(sites or 1))


_DIGITS, _MOST_SITES = 5, 64


def _show(one: "Explained") -> None:
    typer.echo(f"{one.title}: {one.analysis}, {one.unit}; positive is better for the treatment.")
    typer.echo(
        f"{one.n_draws} draws of {one.posterior}, {one.n_people} people under every arm in each, seed {one.seed}."
    )
    for line in one.says:
        typer.echo(f"  {line}")
    typer.echo(f"Effect {_text(one.effect)}; what runs through each link, mean (90%):")
    for part in one.parts:
        words = part.says if part.through is None else _text(part.through)
        typer.echo(f"  {part.name}: {words}")
    typer.echo("Effect in the lowest and the highest fifth of each value:")
    for mover in one.movers:
        typer.echo(f"  {mover.name}: {_text(mover.low)}, {_text(mover.high)}")
    typer.echo(
        f"Doubt (SD) that a study of this design leaves of {one.sd_mean:.2g} (mean effect), {one.sd_next:.2g} (next):"
    )
    for study in one.studies:
        many = "people without limit" if study.people is None else f"{study.people:,} people"
        typer.echo(f"  {many}, {study.sites} site{'s' if study.sites > 1 else ''}: {study.sd:.2g}, {study.sd_next:.2g}")


def _text(one: "Range") -> str:
    return f"{one.mean:.3g} ({one.low:.3g} to {one.high:.3g})"
