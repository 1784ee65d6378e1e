"""``remission forecast``: what a trial without a result will find, written down once, and scored later."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remission.cli.options import AsJson, Workers, named_as_options
from remission.errors import SpecError
from remission.records.seed import DEFAULT_SEED

if TYPE_CHECKING:
    from remission.foresight.forecast import Forecast
    from remission.foresight.score import ForecastScores

_SCORE = "score"


def forecast_command(  # noqa: PLR0917 - options of a command line
    protocol: Annotated[
        str, typer.Argument(help="A built-in protocol or a protocol file; or the word score, to score a forecast.")
    ],
    file: Annotated[Path | None, typer.Argument(help="After score: the forecast's file.")] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Write the forecast down: a file that is never written again.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to register; default: PROTOCOL-DATE-forecast.json, here.")
    ] = None,
    result: Annotated[
        list[str] | None,
        typer.Option(
            "--result",
            help="After score: what was published, name=value; estimate, low, high, unit, verdict, n, source.",
        ),
    ] = None,
    effect_model: Annotated[
        str | None,
        typer.Option("--effect-model", help="Tell chain, baseline or stacked first; the file holds all of them."),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option("--condition", help="Say what the record leaves open: a conditional scenario. May be repeated."),
    ] = None,
    analysis: Annotated[
        str | None, typer.Option("--analysis", help="Forecast the analysis of this id; default: the first.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Draw the model's values so many times.")] = 400,
    replicates: Annotated[int, typer.Option("--replicates", "-n", help="Simulate so many trials of each draw.")] = 10,
    workers: Workers = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of all chance, 0 to 2**64 - 1.")] = DEFAULT_SEED,
    as_json: AsJson = False,
) -> None:
    """Say what a trial will find, before anybody knows.

    The effect and the verdict under the chain, the other trials and both stacked, beside no effect, and what would
    count against each. With score and --result the scores of a forecast, once its trial has read out.

    Example: remission forecast kare --draws 20 -n 2
    """
    from remission.cli.terminal import print_json

    if protocol == _SCORE:
        _refuse_unused(register=register, out=out, condition=condition, analysis=analysis)
        if file is None:
            raise SpecError(where="forecast score", got="no FILE", allowed="the file of a forecast")
        from remission.foresight.score import score_forecast

        scores = score_forecast(file, result or [])
        if as_json:
            print_json(scores)
        else:
            _show_scores(scores, effect_model or "stacked")
        return
    if file is not None or result:
        got = str(file) if file is not None else "--result"
        raise SpecError(where="forecast", got=got, allowed=f"that only after {_SCORE}",
                        remedy=f"remission forecast {_SCORE} FILE --result ...")  # fmt: skip
    _make(protocol, register=register, out=out, first=effect_model, conditions=condition or [], analysis=analysis,
          draws=draws, replicates=replicates, workers=workers, seed=seed, as_json=as_json)  # fmt: skip


def _make(
    name: str,
    *,
    register: bool,
    out: Path | None,
    first: str | None,
    conditions: list[str],
    analysis: str | None,
    draws: int,
    replicates: int,
    workers: int | None,
    seed: int,
    as_json: bool,
) -> None:
    from remission.cli.run import find_protocol
    from remission.cli.terminal import print_json
    from remission.design.effect_models import check_effect_model
    from remission.foresight.forecast import forecast_file, make_forecast, register_forecast
    from remission.runs.crew import crew_of

    if out is not None and not register:
        raise SpecError(where="--out", got="given without --register", allowed="a file to register")
    with named_as_options(n_draws="--draws", n_replicates="--replicates"):
        model = check_effect_model(first or "stacked")
        found = find_protocol(name, None)
        if len(found) > 1:
            raise SpecError(where="protocol", got=f"{name}, which is {len(found)} protocols", allowed="one protocol")
        path = out or Path(forecast_file(found[0]))
        if register and path.exists():
            raise SpecError(
                where=str(path), got="a file that is there", allowed="a new file: a forecast is written once"
            )
        with crew_of(workers) as crew:
            made = make_forecast(
                found[0], analysis=analysis, n_draws=draws, n_replicates=replicates, conditions=conditions, crew=crew,
                seed=seed,
            )  # fmt: skip
    if register:
        register_forecast(made, path)
    if as_json:
        print_json(made)
        return
    _show(made, model)
    if register:
        typer.echo(f"Wrote {path}; it is never written again. Commit it before the trial reads out.")


def _refuse_unused(**given: object) -> None:
    for name, value in given.items():
        if value:
            raise SpecError(where=f"--{name}", got=f"given with {_SCORE}", allowed="nothing here: it makes forecasts")


def _show(made: "Forecast", first: str) -> None:
    c = made.content
    typer.echo(f"{c['protocol']['title']}: {c['kind']}, {c['analysis']['label']}, {c['n']} people, seed {c['seed']}.")
    for line in c["conditions"]:
        typer.echo(f"  if {line}")
    for name in (first, *(one for one in made.models if one != first)):
        one = made.models[name]
        ends, said, unit = one["quantiles"], one["verdict"], c["analysis"]["unit"]
        typer.echo(
            f"  {name}: {one['mean']:.3g} {unit}, 90% of trials {ends['5%']:.3g} to {ends['95%']:.3g}; "
            f"helps {said['helps']:.2f}, no difference {said['no difference']:.2f}, harms {said['harms']:.2f}"
        )
    for line in c["says"]:
        typer.echo(f"  {line}")
    typer.echo("What would count against it:")
    for line in c["counts_against_it"]:
        typer.echo(f"  {line}")


def _show_scores(scores: "ForecastScores", first: str) -> None:
    outcome = scores.outcome
    number = "" if outcome.estimate is None else f"{outcome.estimate:g} ({outcome.low:g} to {outcome.high:g}), "
    typer.echo(f"{scores.forecast}: {number}verdict '{outcome.verdict}', from {outcome.source}")
    names = sorted(scores.probability, key=lambda name: name != first)
    for name in names:
        words = f"  {name}: probability of the verdict {scores.probability[name]:.3f}"
        log, crps = scores.log_score[name], scores.crps[name]
        if log is not None and crps is not None:
            words += (
                f"; log score {log:.2f}, CRPS {crps:.3g}, {'in' if scores.is_inside[name] else 'out'}side of its 90%"
            )
        typer.echo(words)
    for line in scores.says:
        typer.echo(f"  {line}")
