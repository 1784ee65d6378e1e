"""``remission design``: how often a trial would succeed, at which size, and what it would cost."""

import shlex
from functools import partial
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.options import AsJson, Changes, ProtocolName, named_as_options
from remission.cli.terminal import print_json
from remission.errors import SpecError
from remission.records.seed import DEFAULT_SEED

if TYPE_CHECKING:
    from remission.design.study import DesignStudy
    from remission.protocol.record import Protocol


def design_command(  # noqa: PLR0917 - options of a command line, one part of the answer after the other
    context: typer.Context,
    protocol: ProtocolName,
    vary: Annotated[
        str | None, typer.Option("--vary", help="Vary the people in the trial: a range, n=60:400, or sizes, n=60,120.")
    ] = None,
    power: Annotated[
        float | None,
        typer.Option("--power", help="Search for the smallest size with this power, in the range of --vary."),
    ] = None,
    alpha: Annotated[float, typer.Option("--alpha", help="Test at this two-sided error.")] = 0.05,
    changes: Changes = None,
    analysis: Annotated[
        str | None, typer.Option("--analysis", help="Look at the analysis of this id; default: the first.")
    ] = None,
    replicates: Annotated[
        int, typer.Option("--replicates", "-n", help="Simulate at most so many trials of a design.")
    ] = 400,
    mcse: Annotated[float, typer.Option("--mcse", help="Stop at this Monte Carlo error of power.")] = 0.02,
    null: Annotated[
        bool,
        typer.Option("--type1-error", help="Ask how often a treatment that is its own control succeeds."),
    ] = False,
    truth_people: Annotated[
        int,
        typer.Option(
            "--true-effect",
            help="Find the true effect from so many people; 0: from the same trials with nobody unseen.",
        ),
    ] = 0,
    draws: Annotated[
        int, typer.Option("--assurance", help="Average over so many draws of the model's values; 0: none.")
    ] = 0,
    evidence: Annotated[
        str | None, typer.Option("--evidence", help="Weigh the draws by published trials: kare,dakwar-2019 or none.")
    ] = None,
    without: Annotated[
        str | None, typer.Option("--without", help="Weigh the draws as if these trials did not exist.")
    ] = None,
    effect_model: Annotated[
        str | None,
        typer.Option(
            "--effect-model",
            help="Rest the assurance on the chain, on the baseline (the other trials, no model), or on both stacked by "
            "how well the chain predicted trials left out; default: stacked.",
        ),
    ] = None,
    looks: Annotated[
        str | None, typer.Option("--looks", help="Look at these shares of people with a complete window: 0.5,1.")
    ] = None,
    futility: Annotated[
        list[str] | None,
        typer.Option("--futility", help="Stop at a look when z is below: 0.5:0.0; again, or commas, for more looks."),
    ] = None,
    spending: Annotated[
        str,
        typer.Option(
            "--spending",
            help="Spend alpha so: obrien-fleming, pocock, hwang-shih-decani:-4, or classical- before the first two.",
        ),
    ] = "obrien-fleming",
    detectable: Annotated[
        bool, typer.Option("--detectable", help="Ask which effect has the --power with the people there are.")
    ] = False,
    budget: Annotated[
        float | None, typer.Option("--budget", help="Take the people that so much money pays for.")
    ] = None,
    diaries: Annotated[
        Path | None,
        typer.Option("--diaries", help="Draw people from these diaries, on whose days the protocol states an effect."),
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option("--scenarios", help="Simulate a table of scenarios by designs, a YAML file.")
    ] = None,
    prices: Annotated[
        str | None, typer.Option("--prices", help="Add cost: us or uk for sourced prices, or your own in a YAML file.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", help="Share the work among so many processes; default: one for each core."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a report to hand on into this new folder.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of all chance, 0 to 2**64 - 1.")] = DEFAULT_SEED,
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start a very large plan without asking back.")] = False,
) -> None:
    """Find a trial's power, size, bias and cost by simulation.

    Power stands with bias, coverage, type I errors and width, each with its Monte Carlo error.
    A file that states an effect is answered in closed form, with simulation beside it.

    Example: remission design kare --vary n=60:400 --power 0.8
    """
    from remission.design.effect_file import is_effect_file

    if is_effect_file(protocol):
        from remission.cli.effect import design_effect_file

        design_effect_file(context)
        return
    from remission.cli.design_show import show, tell_first, tell_settled
    from remission.cli.design_work import design_work, engage, keeping
    from remission.cli.effect import changed_protocol, design_stated, read_people
    from remission.cli.progress import is_on_terminal, listener, progress_of
    from remission.cli.run import parameters_of
    from remission.design.study import first_look, plan_design, study_design
    from remission.design.variants import sizes_of
    from remission.records.result import plain

    # Everything is checked before anything is simulated.
    if detectable and scenarios is None and power is None:
        raise SpecError(where="--detectable", got="no --power", allowed="the power that the effect must have",
                        remedy="Add --power 0.8.")  # fmt: skip
    if detectable and looks is not None and _one_protocol(protocol).effect is None:
        raise SpecError(where="--detectable", got="given with --looks", allowed="a test at the end, or a stated effect",
                        remedy="Leave one of them out.")  # fmt: skip
    _check_effect(context)
    _check_report(report)
    if scenarios is not None:
        _tabulate(context, protocol, scenarios)
        return
    with named_as_options(
        max_replicates="--replicates", n_draws="--assurance", parameters="--set", fractions="--looks", **_TRUTH
    ):
        trial, values = changed_protocol(_one_protocol(protocol), changes or [])
        if trial.effect is not None and trial.effect.law != "diary":
            design_stated(context, trial)
            return
        plan = plan_design(
            trial, parameters=parameters_of(trial, values) if values else None, diaries=read_people(diaries),
            n_subjects=sizes_of(vary) if vary else None, power=None if detectable else power, alpha=alpha,
            analysis=analysis, max_replicates=replicates, mcse=mcse, is_null=null, n_truth=truth_people, n_draws=draws,
            evidence=evidence, without=without, effect_model=effect_model, looks=looks, futility=futility or [],
            spending=spending, prices=prices, budget=budget, seed=seed,
        )  # fmt: skip
    if vary is None and plan.is_searched:
        vary = f"n={plan.sizes.sizes[0]}:{plan.sizes.sizes[-1]}"
        typer.echo(f"No --vary was given: the smallest size is searched with --vary {vary}.", err=True)
    crew = engage(plan.person_days, plan.designs[-1], workers, yes=yes)
    heard = listener()
    is_told = heard is None and not as_json and is_on_terminal()
    with design_work(context) as work, crew:
        if heard is not None:
            first_look(plan, partial(heard.share, is_first=True))
        elif is_told:
            first_look(plan, partial(tell_first, plan), over_posterior=True)
        study = study_design(
            plan,
            crew=keeping(crew, work),
            keep=report is not None,
            on_progress=lambda name, weight: progress_of(name, quiet=as_json, weight=weight),
            on_share=None if heard is None else partial(heard.share, is_first=False),
            on_settled=partial(tell_settled, plan) if is_told else None,
        )
        found = _detectable(study, power, alpha) if detectable and power is not None else {}
        content = plain({**study.content, **found, "command": _command(context, vary)})
        if work is not None:
            from remission.cli.design_report import report_design

            report_design(context, study=study, content=content, work=work)
    if as_json:
        print_json(content)
    else:
        for one in content.get("detectable", ()):
            typer.echo(
                f"With {one['people']} people an effect of {one['effect']} ({one['scale']}) has power "
                f"{one['power']:g}, if estimates spread as in these trials, whatever the chain expects."
            )
        show({**study.content, "command": content["command"]}, study.main, null=null,
             power=None if detectable else power)  # fmt: skip


def _detectable(study: "DesignStudy", power: float, alpha: float) -> dict[str, Any]:
    """By size, the effect that has the power: a difference either way, or a ratio and one divided by it."""
    rows = []
    for row in study.main:
        size, is_log = row.detectable(power, alpha), row.scale.startswith("log ")
        words = f"{exp(-size):.3g} or {exp(size):.3g}" if is_log else f"{size:.3g}"
        rows.append(
            {"people": row.n_subjects, "power": power, "scale": row.scale.removeprefix("log "), "effect": words}
        )
    return {"detectable": rows}


def _tabulate(context: typer.Context, name: str, scenarios: Path) -> None:
    """The table of a file of scenarios, with its report."""
    from remission.cli.design_show import tabulate
    from remission.cli.design_work import design_work
    from remission.records.result import plain

    with design_work(context) as work:
        protocol = _one_protocol(name)
        content = plain(tabulate(context, protocol, scenarios, work))
        if work is not None:
            from remission.cli.design_report import report_table

            report_table(context, protocol=protocol, content=content, work=work)
    if context.params["as_json"]:
        print_json(content)


def _check_report(folder: Path | None) -> None:
    if folder is not None:
        from remission.report.design_folder import check_report_folder

        check_report_folder(folder)


def _check_effect(context: typer.Context) -> None:
    """Refuse options that would change nothing: what is typed and not used is taken for used."""
    given = {
        str(one.name): one.opts[0]
        for one in context.command.params
        if str(getattr(context.get_parameter_source(str(one.name)), "name", "")) == "COMMANDLINE"
    }
    if "scenarios" in given:
        unread = [option for name, option in given.items() if name not in _WITH_SCENARIOS]
        if unread:
            raise SpecError(
                where=unread[0], got="given together with --scenarios",
                allowed="nothing here: the file of scenarios and designs says it",
                remedy="Write it into the file, or leave --scenarios out.",
            )  # fmt: skip
    if "spending" in given and context.params["looks"] is None and not context.params["futility"]:
        raise SpecError(
            where="--spending", got="given without looks", allowed="used with --looks or --futility",
            remedy="Add for example --looks 0.5,1.",
        )  # fmt: skip
    if context.params["null"]:
        for name in ("power", "truth_people"):
            if name in given:
                raise SpecError(
                    where=given[name], got="given together with --type1-error",
                    allowed="nothing here: without an effect there is no power, and the true value is known",
                )  # fmt: skip


_TRUTH = {"n_truth": "--true-effect", "n_people": "--true-effect"}
_WITH_SCENARIOS = {"protocol", "scenarios", "changes", "analysis", "seed", "workers", "report", "as_json", "yes"}


def _one_protocol(name: str) -> "Protocol":
    """The protocol of a design; ``cold-turkey`` alone is six of them and a SpecError."""
    from remission.cli.run import find_protocol

    found = find_protocol(name, None)
    if len(found) > 1:
        raise SpecError(
            where="protocol", got=f"{name}, which is {len(found)} protocols", allowed="one protocol",
            remedy=f"Name one of {', '.join(one.id for one in found)}.",
        )  # fmt: skip
    return found[0]


def _command(context: typer.Context, vary: str | None) -> str:
    """The command that gives the same numbers, with what could have another default one day written out."""
    options = {str(one.name): one.opts[0] for one in context.command.params}
    given = {**context.params, "vary": vary, "prices": context.params["prices"] and Path(context.params["prices"]).name}
    if given["looks"] is None and not given["futility"]:
        given["spending"] = None
    given["diaries"] = given["diaries"] and given["diaries"].name
    words = ["remission", "design", Path(given["protocol"]).name]
    for name in _AGAIN:
        value = given[name]
        if value is True:
            words.append(options[name])
        elif value or name == "seed":
            words += [
                part for one in (value if isinstance(value, list) else [value]) for part in (options[name], str(one))
            ]
    return shlex.join(words)


_AGAIN = (
    "changes", "vary", "power", "budget", "alpha", "analysis", "replicates", "mcse", "looks", "futility", "spending",
    "diaries", "seed", "null", "truth_people", "draws", "evidence", "without", "effect_model", "prices", "detectable",
)  # fmt: skip
"""Options of the command that is printed, in this order."""
