"""``remission design``: how often a trial would succeed, at which size, and what it would cost."""

import json
import shlex
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remission.design.crew import Crew
    from remission.design.operating import Characteristics
    from remission.design.size_search import SizeSearch
    from remission.design.stops import StopRule
    from remission.protocol.record import Protocol

__all__ = ["design_command"]

_TRIALS_A_DRAW = 20
"""Trials at each draw of the model's values: enough to tell draws apart, few enough for many draws."""


def design_command(  # noqa: PLR0917, PLR0915 - options of a command line, one part of the answer after the other
    context: typer.Context,
    protocol: Annotated[str, typer.Argument(help="A built-in protocol (see remission list) or a protocol file.")],
    vary: Annotated[
        str | None, typer.Option("--vary", help="People in the trial: a range, n=60:400, or sizes, n=60,120.")
    ] = None,
    power: Annotated[
        float | None,
        typer.Option("--power", help="Search the range of --vary for the smallest size with this power."),
    ] = None,
    alpha: Annotated[float, typer.Option("--alpha", help="Two-sided error of a test.")] = 0.05,
    analysis: Annotated[str | None, typer.Option("--analysis", help="Id of the analysis; default: the first.")] = None,
    replicates: Annotated[int, typer.Option("--replicates", "-n", help="Most trials simulated of a design.")] = 400,
    mcse: Annotated[float, typer.Option("--mcse", help="Stop at this Monte Carlo error of power.")] = 0.02,
    null: Annotated[bool, typer.Option("--null", help="Make treatment and control the same: type I error.")] = False,
    truth_people: Annotated[
        int,
        typer.Option("--truth", help="People for the true value of bias; 0: the same trials with nobody unseen."),
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
        list[str] | None,
        typer.Option("--futility", help="Stop at a look when z is below: 0.5:0.0; again, or commas, for more looks."),
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
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", help="Share the work among so many processes; default: one for each core."),
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="New folder for a report to hand on.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="0 to 2**64 - 1.")] = 20260101,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start a very large plan.")] = False,
) -> None:
    """Find a trial's power, size, bias and cost by simulation.

    Power stands with bias, coverage, type I errors and width, each with its Monte Carlo error.

    Example: remission design kare --vary n=60:400 --power 0.8
    """
    import numpy as np

    from remission.cli.design_cost import cost_content, read_prices
    from remission.cli.design_crew import engage
    from remission.cli.design_evidence import evidence_sets, trials_of
    from remission.cli.design_report import report_design
    from remission.cli.design_show import show
    from remission.cli.design_work import design_work
    from remission.cli.progress import progress_of
    from remission.design.assurance import estimate_assurance
    from remission.design.nulls import simulate_nulls
    from remission.design.operating import characterize, simulate_design
    from remission.design.variants import VariedSizes, choose_analysis, null_protocol, resize_protocol, sizes_of
    from remission.patient.parameters import load_course_parameters
    from remission.patient.standing import standing_of
    from remission.report.design_folder import check_report_folder
    from remission.trial.truth import check_people

    # Everything is checked before anything is simulated.
    _check_numbers(alpha=alpha, mcse=mcse, power=power, replicates=replicates, draws=draws, seed=seed)
    _check_effect(context)
    check_report_folder(report)
    if scenarios is not None:
        _tabulate(context, protocol, scenarios)
        return
    if truth_people:
        check_people(truth_people)
    rule = _rule(looks, futility or [], spending, alpha)
    sets = evidence_sets(evidence, without, draws)
    found = _one_protocol(protocol)
    wanted = choose_analysis(found, analysis)
    used = null_protocol(found, wanted) if null else found
    varied = sizes_of(vary) if vary else VariedSizes(sizes=(), is_range=False)
    designs = [resize_protocol(used, n) for n in varied.sizes] or [used]
    is_searched = power is not None and varied.is_range
    paid = None if prices is None else read_prices(prices, found)
    values = load_course_parameters(found.substance)
    person_days = _person_days(
        designs, wanted, replicates=replicates, truth_people=truth_people, is_searched=is_searched, null=null
    ) + _days_of_draws([designs[-1], *trials_of(sets)], draws)
    crew = engage(person_days, designs[-1], workers, yes=yes)

    with design_work(context) as work, crew:
        crew.keep_in(None if work is None else work.journal)
        truths, errors = _truths(wanted, null=null, protocol=used, n_people=truth_people, seed=seed)
        rows: list[Characteristics] = []
        runs = []
        for design in designs:
            with progress_of(f"{design.population.n_subjects} people", quiet=as_json) as on_progress:
                run = simulate_design(
                    design, max_replicates=replicates, mcse=mcse, seed=seed, alpha=alpha, analysis=wanted,
                    truths=truths, truth_errors=errors, rule=rule, keep=paid is not None or report is not None,
                    is_null=null, crew=crew, on_progress=on_progress,
                )  # fmt: skip
            runs.append(run)
            rows += characterize(design, run, analysis=wanted)
        main = [row for row in rows if row.analysis == wanted]
        content: dict[str, Any] = {
            "protocol": found.id,
            "standing": standing_of(found.substance).to_dict(),
            "analysis": wanted,
            "is_null": null,
            "alpha": alpha,
            "truths": truths or {row.analysis: row.truth for row in main[-1:] if row.truth is not None},
            "truth_from": _truth_words(null=null, n_people=truth_people),
            "characteristics": [asdict(row) for row in rows],
            "command": _command(vars_of=locals()),
        }
        shown = list(zip(main, designs, strict=True))
        if is_searched:
            assert power is not None, "a search has a power to reach"
            with progress_of("search", quiet=as_json) as on_progress:
                search, at = _search(
                    used, varied.sizes, wanted, power=power, replicates=replicates, seed=seed, alpha=alpha, rule=rule,
                    crew=crew, truths=truths, errors=errors, on_progress=on_progress,
                )  # fmt: skip
            content["search"] = {**asdict(search), "at": None if at is None else asdict(at)}
            content["smallest_n"] = search.n
            if at is not None:
                shown.append((at, resize_protocol(used, at.n_subjects)))
        elif power is not None:
            content["smallest_n"] = next((row.n_subjects for row in main if _power(row) >= power), None)
        if not null:
            content["nulls"] = [
                {"n_subjects": row.n_subjects, **asdict(one)}
                for row, design in shown
                for one in simulate_nulls(
                    design, wanted, parameters=values, max_replicates=replicates, mcse=mcse, seed=seed, alpha=alpha,
                    rule=rule, crew=crew,
                )
            ]  # fmt: skip
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
        report_design(context, protocol=found, designs=designs, runs=runs, content=_finite(content), work=work)
    if as_json:
        typer.echo(json.dumps(_finite(content), ensure_ascii=False, allow_nan=False))
        return
    show(content, main, null=null, power=power, is_varied=vary is not None)


def _tabulate(context: typer.Context, protocol: str, scenarios: Path) -> None:
    """The table of a file of scenarios, with its report."""
    from remission.cli.design_report import report_table
    from remission.cli.design_table import tabulate
    from remission.cli.design_work import design_work

    options = context.params
    with design_work(context) as work:
        found = _one_protocol(protocol)
        content = tabulate(
            protocol, scenarios, analysis=options["analysis"], workers=options["workers"], seed=options["seed"],
            quiet=options["as_json"], yes=options["yes"], work=work,
        )  # fmt: skip
        report_table(context, protocol=found, content=_finite(content), work=work)
    if options["as_json"]:
        typer.echo(json.dumps(_finite(content), ensure_ascii=False, allow_nan=False))


def _days_of_draws(protocols: "list[Protocol]", draws: int) -> int:
    """People times days of the trials of an assurance."""
    from remission.design.cost import person_days_of

    return person_days_of(protocols, draws * _TRIALS_A_DRAW)


def _person_days(
    designs: "list[Protocol]", analysis: str, *, replicates: int, truth_people: int, is_searched: bool, null: bool
) -> int:
    """People times days of all that is simulated, if nothing stops early."""
    from remission.design.cost import person_days_of
    from remission.design.nulls import nulls_of
    from remission.design.size_search import TRIALS_NEAR
    from remission.patient.parameters import load_course_parameters

    values = load_course_parameters(designs[0].substance)
    days = person_days_of(designs, replicates)
    if not null:
        trials = [one.protocol for design in designs for one in nulls_of(design, analysis, values)]
        days += person_days_of([one for one in trials if one is not None], replicates)
        days += truth_people * len(designs[0].arms) * designs[0].follow_up_days
    if is_searched:
        middle = designs[len(designs) // 2]
        days += 2 * person_days_of([middle], TRIALS_NEAR * replicates)
    return days


def _search(
    protocol: "Protocol",
    sizes: "Sequence[int]",
    analysis: str,
    *,
    power: float,
    replicates: int,
    seed: int,
    alpha: float,
    rule: "StopRule | None",
    crew: "Crew",
    truths: dict[str, float],
    errors: dict[str, float],
    on_progress: "Callable[[int, int], None]",
) -> "tuple[SizeSearch, Characteristics | None]":
    """The smallest size of a range with a power, and how the design behaves there."""
    from remission.design.operating import characterize, simulate_design
    from remission.design.size_search import TRIALS_NEAR, Evaluation, search_size
    from remission.design.variants import one_analysis, resize_protocol
    from remission.trial.simulate import MAX_REPLICATES

    most = min(TRIALS_NEAR * replicates, MAX_REPLICATES)
    alone = one_analysis(protocol, analysis)
    # The trials of a size are never fewer than this error asks for, unless they are told apart from the power before.
    error = (power * (1.0 - power) / most) ** 0.5
    tried = 0

    def evaluate(n: int) -> Evaluation:
        nonlocal tried
        run = simulate_design(
            resize_protocol(alone, n), max_replicates=most, mcse=error * 1e-3, seed=seed, alpha=alpha,
            analysis=analysis, rule=rule, is_null=True, against=power, crew=crew,
        )  # fmt: skip
        tried += 1
        on_progress(min(tried, _STEPS_EXPECTED - 1), _STEPS_EXPECTED)
        count = run.decided(analysis)
        return Evaluation(n_subjects=n, rejected=count.measure, n_replicates=count.n)

    found = search_size(evaluate, power=power, low=sizes[0], high=sizes[-1], alpha=alpha)
    if found.n is None:
        return found, None
    design = resize_protocol(alone, found.n)
    run = simulate_design(
        design, max_replicates=most, mcse=error * 1e-3, seed=seed, alpha=alpha, analysis=analysis,
        truths={name: value for name, value in truths.items() if name == analysis}, truth_errors=errors, rule=rule,
        crew=crew,
    )  # fmt: skip
    return found, characterize(design, run, analysis=analysis)[0]


_STEPS_EXPECTED = 10


def _check_effect(context: typer.Context) -> None:
    """Refuse options that would change nothing: what is typed and not used is taken for used."""
    from remission.errors import SpecError

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
                    where=given[name], got="given together with --null",
                    allowed="nothing here: without an effect there is no power, and the true value is known",
                )  # fmt: skip


_WITH_SCENARIOS = {"protocol", "scenarios", "analysis", "seed", "workers", "report", "as_json", "yes"}


def _one_protocol(name: str) -> "Protocol":
    """The protocol of a design; ``cold-turkey`` alone is six of them.

    Raises
    ------
    SpecError
        It does not exist, or is several.
    """
    from remission.cli.run import find_protocol
    from remission.errors import SpecError

    found = find_protocol(name, None)
    if len(found) > 1:
        raise SpecError(
            where="protocol", got=f"{name}, which is {len(found)} protocols", allowed="one protocol",
            remedy=f"Name one of {', '.join(one.id for one in found)}.",
        )  # fmt: skip
    return found[0]


def _truth_words(*, null: bool, n_people: int) -> str:
    if null:
        return "no effect"
    return "the same people under every arm" if n_people else "the same trials with nobody unseen"


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


def _rule(looks: str | None, futility: list[str], boundary: str, alpha: float) -> "StopRule | None":
    from remission.design.sequential import BOUNDARIES
    from remission.design.stops import plan_stops
    from remission.errors import SpecError

    if boundary not in BOUNDARIES:
        raise SpecError(where="--spending", got=boundary, allowed=f"one of {', '.join(BOUNDARIES)}")
    if looks is None and not futility:
        return None
    try:
        fractions = [1.0] if looks is None else [float(part) for part in looks.split(",")]
    except ValueError:
        raise SpecError(where="--looks", got=looks, allowed="numbers with commas, for example 0.5,1") from None
    floors: dict[float, float] = {}
    for part in (part for text in futility for part in text.split(",")):
        try:
            fraction, z = (float(word) for word in part.split(":"))
        except ValueError:
            raise SpecError(
                where="--futility", got=part or "nothing", allowed="a fraction, a colon and z, for example 0.5:0.0"
            ) from None
        if fraction in floors:
            raise SpecError(
                where="--futility", got=f"the look at {fraction:g} twice, with {floors[fraction]:g} and {z:g}",
                allowed="each look once", remedy="Keep the one that is meant.",
            )  # fmt: skip
        floors[fraction] = z
    return plan_stops(fractions, futility=floors, boundary=boundary, alpha=alpha)


def _truths(
    wanted: str, *, null: bool, protocol: "Protocol", n_people: int, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """True values and their errors: none without an effect, else from the same people under every arm."""
    from remission.design.table import true_value
    from remission.patient.parameters import load_course_parameters

    if null:
        is_ratio = protocol.analysis(wanted).is_ratio
        return {wanted: 1.0 if is_ratio else 0.0}, {}
    if not n_people:
        return {}, {}
    values = load_course_parameters(protocol.substance)
    truth, error = true_value(protocol, wanted, values, n_people=n_people, seed=seed)
    return {wanted: truth}, {wanted: error}


def _command(vars_of: dict[str, Any]) -> str:
    parts = ["remission", "design", Path(vars_of["protocol"]).name]
    names = {"vary": "--vary", "power": "--power", "alpha": "--alpha", "analysis": "--analysis",
             "replicates": "--replicates", "mcse": "--mcse", "looks": "--looks", "futility": "--futility",
             "spending": "--spending", "seed": "--seed"}  # fmt: skip
    has_looks = vars_of["looks"] is not None or bool(vars_of["futility"])
    for name, option in names.items():
        value = vars_of[name]
        if value is None or (name == "spending" and not has_looks):
            continue
        for one in value if isinstance(value, list) else [value]:
            parts += [option, str(one)]
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
