"""``remission design``: how often a trial would succeed, at which size, and what it would cost."""

import json
import shlex
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from remission.design.operating import Characteristics
    from remission.design.stops import StopRule
    from remission.records.protocol import Protocol

__all__ = ["design_command"]

_TRIALS_A_DRAW = 20
"""Trials at each draw of the model's values: enough to tell draws apart, few enough for many draws."""


def design_command(  # noqa: PLR0917 - options of a command line
    context: typer.Context,
    protocol: Annotated[str, typer.Argument(help="Built-in protocol (see remission list) or a protocol file.")],
    vary: Annotated[str | None, typer.Option("--vary", help="People in the trial: n=60:400 or n=60,120.")] = None,
    power: Annotated[float | None, typer.Option("--power", help="Name the smallest size with this power.")] = None,
    alpha: Annotated[float, typer.Option("--alpha", help="Two-sided error of a test.")] = 0.05,
    analysis: Annotated[str | None, typer.Option("--analysis", help="Id of the analysis; default: the first.")] = None,
    replicates: Annotated[int, typer.Option("--replicates", "-n", help="Most trials simulated of a design.")] = 400,
    mcse: Annotated[float, typer.Option("--mcse", help="Stop at this Monte Carlo error of power.")] = 0.02,
    null: Annotated[bool, typer.Option("--null", help="Make treatment and control the same: type I error.")] = False,
    truth_people: Annotated[
        int, typer.Option("--truth", help="People for the true value, for bias and coverage; 0: none.")
    ] = 0,
    draws: Annotated[int, typer.Option("--assurance", help="Draws of the model's values; 0: none.")] = 0,
    evidence: Annotated[
        str | None, typer.Option("--evidence", help="Published trials that weigh the draws: kare,dakwar-2019 or none.")
    ] = None,
    without: Annotated[
        str | None, typer.Option("--without", help="As if these trials did not exist; all others weigh the draws.")
    ] = None,
    looks: Annotated[
        str | None, typer.Option("--looks", help="Simulated looks by share of people with a complete window: 0.5,1.")
    ] = None,
    futility: Annotated[
        str | None, typer.Option("--futility", help="Stop at a look when z is below: 0.5:0.0 or 0.5:0.0,0.75:0.5.")
    ] = None,
    spending: Annotated[
        str, typer.Option("--spending", help="obrien-fleming, pocock, classical-obrien-fleming or classical-pocock.")
    ] = "obrien-fleming",
    scenarios: Annotated[
        Path | None, typer.Option("--scenarios", help="A table of scenarios by designs, a YAML file.")
    ] = None,
    prices: Annotated[
        str | None, typer.Option("--prices", help="us or uk for sourced prices, or your own in a YAML file.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes; default: one for each core.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="New folder for a report to hand on.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="0 to 2**64 - 1.")] = 20260101,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start a very large plan.")] = False,
) -> None:
    """Power or type I error, bias, width and cost of a design, each with its Monte Carlo error.

    Example: remission design kare --vary n=60:400 --power 0.9
    """
    import numpy as np

    from remission.cli.design_cost import cost_content, read_prices
    from remission.cli.design_crew import engage
    from remission.cli.design_evidence import evidence_sets, trials_of
    from remission.cli.design_report import report_design, report_table
    from remission.cli.design_show import show
    from remission.cli.design_table import tabulate
    from remission.cli.progress import progress_of
    from remission.cli.run import find_protocol
    from remission.design.assurance import estimate_assurance
    from remission.design.cost import person_days_of
    from remission.design.operating import characterize, simulate_design
    from remission.design.variants import choose_analysis, null_protocol, resize_protocol, sizes_of
    from remission.patient.standing import standing_of
    from remission.report.design_folder import check_report_folder
    from remission.trial.truth import check_people

    # Everything is checked before anything is simulated.
    _check_numbers(alpha=alpha, mcse=mcse, power=power, replicates=replicates, draws=draws, seed=seed)
    check_report_folder(report)
    if scenarios is not None:
        content = tabulate(protocol, scenarios, analysis=analysis, workers=workers, seed=seed, quiet=as_json, yes=yes)
        report_table(context, protocol=find_protocol(protocol, None)[0], content=_finite(content))
        if as_json:
            typer.echo(json.dumps(_finite(content), ensure_ascii=False, allow_nan=False))
        return
    if truth_people:
        check_people(truth_people)
    rule = _rule(looks, futility, spending, alpha)
    sets = evidence_sets(evidence, without, draws)
    found = find_protocol(protocol, None)[0]
    wanted = choose_analysis(found, analysis)
    used = null_protocol(found, wanted) if null else found
    designs = [resize_protocol(used, n) for n in sizes_of(vary)] if vary else [used]
    paid = None if prices is None else read_prices(prices, found)
    weighed = [designs[-1], *trials_of(sets)]
    person_days = person_days_of(designs, replicates) + person_days_of(weighed, draws * _TRIALS_A_DRAW)
    crew = engage(person_days, designs[-1], workers, yes=yes)

    truths = _truths(wanted, null=null, protocol=used, n_people=truth_people, seed=seed)
    rows: list[Characteristics] = []
    runs = []
    with crew:
        for design in designs:
            with progress_of(f"{design.population.n_subjects} people", quiet=as_json) as on_progress:
                run = simulate_design(
                    design, max_replicates=replicates, mcse=mcse, seed=seed, alpha=alpha, analysis=wanted,
                    truths=truths, rule=rule, keep=paid is not None or report is not None, crew=crew,
                    on_progress=on_progress,
                )  # fmt: skip
            runs.append(run)
            rows += characterize(design, run, analysis=wanted)
        main = [row for row in rows if row.analysis == wanted]
        content = {
            "protocol": found.id,
            "standing": standing_of(found.substance).to_dict(),
            "analysis": wanted,
            "is_null": null,
            "alpha": alpha,
            "truths": truths,
            "characteristics": [asdict(row) for row in rows],
            "command": _command(vars_of=locals()),
        }
        if power is not None:
            content["smallest_n"] = next((row.n_subjects for row in main if _power(row) >= power), None)
        if rule is not None:
            content["looks"] = asdict(rule)
        if draws:
            content["assurance"] = asdict(
                estimate_assurance(
                    designs[-1],
                    n_draws=draws,
                    n_replicates=_TRIALS_A_DRAW,
                    seed=seed,
                    alpha=alpha,
                    analysis=wanted,
                    evidence=sets,
                    crew=crew,
                )
            )
    if paid is not None:
        content["cost"] = cost_content(found, *paid, estimates=np.concatenate(runs[-1].kept), analysis=wanted)
    report_design(context, protocol=found, designs=designs, runs=runs, content=_finite(content))
    if as_json:
        typer.echo(json.dumps(_finite(content), ensure_ascii=False, allow_nan=False))
        return
    show(content, main, null=null, power=power)


def _check_numbers(*, alpha: float, mcse: float, power: float | None, replicates: int, draws: int, seed: int) -> None:
    from remission.design.operating import check_share
    from remission.errors import SpecError
    from remission.streams import check_seed
    from remission.trial.simulate import MAX_REPLICATES

    for where, share in (("--alpha", alpha), ("--mcse", mcse), ("--power", power)):
        if share is not None:
            check_share(where, share)
    if not 1 <= replicates <= MAX_REPLICATES:
        raise SpecError(where="--replicates", got=replicates, allowed=f"a whole number from 1 to {MAX_REPLICATES}")
    if draws < 0 or draws == 1:
        raise SpecError(where="--assurance", got=draws, allowed="0 for none, or a whole number from 2")
    check_seed(seed)


def _power(row: "Characteristics") -> float:
    return (row.rejected if row.sequential is None else row.sequential.rejected).value


def _rule(looks: str | None, futility: str | None, boundary: str, alpha: float) -> "StopRule | None":
    from remission.design.sequential import BOUNDARIES
    from remission.design.stops import plan_stops
    from remission.errors import SpecError

    if boundary not in BOUNDARIES:
        raise SpecError(where="--spending", got=boundary, allowed=f"one of {', '.join(BOUNDARIES)}")
    if looks is None and futility is None:
        return None
    try:
        fractions = [1.0] if looks is None else [float(part) for part in looks.split(",")]
    except ValueError:
        raise SpecError(where="--looks", got=looks, allowed="numbers with commas, for example 0.5,1") from None
    try:
        pairs = [part.split(":") for part in futility.split(",")] if futility is not None else []
        floors = {float(fraction): float(z) for fraction, z in pairs}
    except ValueError:
        raise SpecError(
            where="--futility", got=futility, allowed="a fraction, a colon and z, for example 0.5:0.0"
        ) from None
    return plan_stops(fractions, futility=floors, boundary=boundary, alpha=alpha)


def _truths(wanted: str, *, null: bool, protocol: "Protocol", n_people: int, seed: int) -> dict[str, float]:
    """With treatment and control the same, the true difference is 0 and the true ratio 1; else by simulation."""
    from remission.errors import SpecError
    from remission.trial.truth import estimand_truth

    if null:
        is_ratio = next(one.is_ratio for one in protocol.analyses if one.id == wanted)
        return {wanted: 1.0 if is_ratio else 0.0}
    if not n_people:
        return {}
    contrasts = estimand_truth(protocol, n_people=n_people, seed=seed).contrasts
    if wanted not in contrasts:
        raise SpecError(
            where="--truth", got=f"the analysis {wanted}, which is not of the estimand's endpoint",
            allowed=f"one of {', '.join(contrasts)}",
        )  # fmt: skip
    return {wanted: contrasts[wanted].estimate}


def _command(vars_of: dict[str, Any]) -> str:
    parts = ["remission", "design", Path(vars_of["protocol"]).name]
    names = {"vary": "--vary", "power": "--power", "alpha": "--alpha", "analysis": "--analysis",
             "replicates": "--replicates", "mcse": "--mcse", "looks": "--looks", "futility": "--futility",
             "spending": "--spending", "seed": "--seed"}  # fmt: skip
    for name, option in names.items():
        if vars_of[name] is not None:
            parts += [option, str(vars_of[name])]
    if vars_of["null"]:
        parts.append("--null")
    if vars_of["truth_people"]:
        parts += ["--truth", str(vars_of["truth_people"])]
    if vars_of["draws"]:
        parts += ["--assurance", str(vars_of["draws"])]
    for name in ("evidence", "without"):
        if vars_of[name] is not None:
            parts += [f"--{name}", vars_of[name]]
    if vars_of["prices"] is not None:
        parts += ["--prices", Path(vars_of["prices"]).name]
    return shlex.join(parts)


def _finite(content: Any) -> Any:
    """JSON has no NaN: a number that does not exist is null."""
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not isfinite(content) else content
