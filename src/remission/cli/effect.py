"""``remission design`` of a stated effect: the closed form at once, simulated trials beside it."""

import shlex
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from remission.cli.options import named_as_options
from remission.cli.terminal import print_json
from remission.design.effect_file import changed_effect, changed_fields, effect_text, read_effect
from remission.design.stated import EffectPlan, answer_effect, plan_effect, simulate_effect
from remission.errors import SpecError
from remission.records.effect import EffectFile, LookPlan

if TYPE_CHECKING:
    from remission.protocol.record import Protocol
    from remission.records.diaries import Diaries

_READ = {
    "protocol", "vary", "power", "alpha", "changes", "replicates", "detectable", "budget", "seed", "as_json", "looks",
    "futility", "spending", "report",
}  # fmt: skip
"""Options of the command that an effect without a protocol can have."""
_TRIALS = 1000


def given_options(context: typer.Context) -> dict[str, str]:
    """Options that were typed, by the names of their parameters."""
    return {
        str(one.name): one.opts[0]
        for one in context.command.params
        if str(getattr(context.get_parameter_source(str(one.name)), "name", "")) == "COMMANDLINE"
    }


def design_effect_file(context: typer.Context) -> None:
    """Answer the command of a context, whose protocol is a file that states an effect."""
    options, given = context.params, given_options(context)
    unread = [option for name, option in given.items() if name not in _READ]
    if unread:
        raise SpecError(
            where=unread[0], got="given with a file that states an effect",
            allowed="a protocol, which has what it asks for",
            remedy="Put the effect: block into a protocol, or leave the option out.",
        )  # fmt: skip
    effect = read_effect(Path(options["protocol"]))
    if options["changes"]:
        effect = changed_effect(effect, options["changes"])
    if given.keys() & {"looks", "futility", "spending"}:
        effect = effect.replace(looks=_looks(context, effect))
    _answer(context, effect, 1.0)


def _answer(context: typer.Context, effect: EffectFile, compared_share: float) -> None:
    options, given = context.params, given_options(context)
    if options["report"] is not None:
        from remission.report.design_folder import check_report_folder

        check_report_folder(options["report"])
    with named_as_options(max_replicates="--replicates", people="--vary"):
        plan = plan_effect(
            effect, sizes=_sizes(options["vary"]), alpha=options["alpha"], power=options["power"],
            n_replicates=options["replicates"] if "replicates" in given else _TRIALS, seed=options["seed"],
            detectable=options["detectable"], budget=options["budget"], compared_share=compared_share,
        )  # fmt: skip
    words = ["remission", "design", Path(options["protocol"]).name]
    content = show_effect(plan, words=[*words, *_again(options, plan)], as_json=options["as_json"])
    if options["report"] is not None:
        _report(plan, content, options)


def _report(plan: EffectPlan, content: dict[str, Any], options: dict[str, Any]) -> None:
    """The report of a stated effect, with the file as understood beside it: changes and looks are in it."""
    from remission.report.effect_report import write_effect_report

    own = {name: value for name, value in options.items() if name not in {"changes", "looks", "futility"}}
    again = _again({**own, "changes": None, "looks": None, "futility": None}, plan)
    command = shlex.join(["remission", "design", "effect.yaml", *again])
    page = write_effect_report(content, effect_text(plan.effect), options["report"], command=command)
    typer.echo(f"Report: {page}", err=True)


def changed_protocol(protocol: "Protocol", changes: list[str]) -> "tuple[Protocol, list[str]]":
    """The protocol with its stated effect changed as ``--set effect.NAME=VALUE`` says, and the changes left over."""
    own = [one.removeprefix("effect.") for one in changes if one.startswith("effect.")]
    rest = [one for one in changes if not one.startswith("effect.")]
    if not own:
        return protocol, rest
    if protocol.effect is None:
        raise SpecError(where=f"--set effect.{own[0]}", got="a protocol without effect:", allowed="one that states an "
                        "effect")  # fmt: skip
    return protocol.replace(effect=changed_fields(protocol.effect, own)), rest


def read_people(path: Path | None) -> "tuple[Diaries, ...] | None":
    """The diaries of a Parquet file, of the folder of a run, or of the tables of CTN-0094."""
    if path is None:
        return None
    from remission.door.diaries import all_diaries

    return all_diaries(path)


def design_stated(context: typer.Context, protocol: "Protocol") -> None:
    """Answer the command of a context, whose protocol states the law of an outcome."""
    from remission.design.stated_protocol import effect_of_protocol

    options, given = context.params, given_options(context)
    unread = [option for name, option in given.items() if name not in _READ | {"analysis"}]
    if unread:
        raise SpecError(
            where=unread[0], got="given with a protocol that states the law of an outcome",
            allowed="nothing here: no people are simulated day by day", remedy="Leave it, or effect:, out.",
        )  # fmt: skip
    effect, compared = effect_of_protocol(protocol, options["analysis"])
    if options["report"] is not None and compared != 1.0:
        raise SpecError(
            where="--report", got="given with a protocol that has arms beside those compared",
            allowed="a stated effect of all people", remedy="Write the effect into a file of its own.",
        )  # fmt: skip
    if given.keys() & {"looks", "futility", "spending"}:
        effect = effect.replace(looks=_looks(context, effect))
    _answer(context, effect, compared)


def _looks(context: typer.Context, effect: EffectFile) -> LookPlan:
    """The plan of the file with what was typed in its place."""
    from remission.design.study import read_looks

    options, before = context.params, effect.looks
    given = given_options(context)
    with named_as_options(fractions="--looks"):
        rule = read_looks(options["looks"] or ("1" if before is None else ",".join(map(str, before.at))),
                          options["futility"] or [], options["spending"])  # fmt: skip
    assert rule is not None, "looks were given"
    only = [at for at, z in zip(rule.fractions, rule.z, strict=True) if z == inf]
    if only:
        raise SpecError(where="--futility", got=f"a look at {only[0]:g}", allowed="one of the looks",
                        remedy="Name it in --looks too.")  # fmt: skip
    fields = {} if before is None else before.to_dict()
    fields["at"] = rule.fractions
    if "spending" in given or before is None:
        fields["spending"] = options["spending"]
    if options["futility"]:
        fields |= {"beta_spending": None, "futility_z": rule.futility_z[:-1]}
    elif len(fields.get("futility_z") or ()) != len(rule.fractions) - 1:
        fields["futility_z"] = None
    return LookPlan.from_dict(fields)


def _sizes(vary: str | None) -> tuple[int, ...]:
    if vary is None:
        return ()
    from remission.design.variants import sizes_of

    return sizes_of(vary).sizes


def _again(options: dict[str, Any], plan: EffectPlan) -> list[str]:
    """The options that give the same numbers."""
    found = [part for change in options["changes"] or () for part in ("--set", change)]
    found += [part for name in ("vary", "power", "budget", "looks") if options[name] is not None
              for part in (f"--{name}", str(options[name]))]  # fmt: skip
    found += [part for one in options["futility"] or () for part in ("--futility", one)]
    found += ["--spending", options["spending"]] if options["looks"] or options["futility"] else []
    found += ["--detectable"] if plan.detectable else []
    return [*found, "--alpha", str(plan.alpha), "--replicates", str(plan.n_replicates), "--seed", str(plan.seed)]


def show_effect(plan: EffectPlan, *, words: list[str], as_json: bool) -> dict[str, Any]:
    """Print the closed form as soon as it is there, then what was simulated; returns all of it."""
    content = answer_effect(plan)
    command = shlex.join(words)
    if not as_json:
        _show_closed(plan, content)
    simulate_effect(plan, content)
    if as_json:
        print_json({**content, "command": command})
        return content
    _show_simulated(plan, content)
    _show_rule(content.get("blinded") or {})
    typer.echo(f"Again: {command}")
    return content


def _show_closed(plan: EffectPlan, content: dict[str, Any]) -> None:
    title = plan.effect.title or plan.effect.id
    typer.echo(f"{title}: a stated effect ({plan.law.law}), {content['test']}. No model of the program is used.")
    for row in content["sizes"]:
        _show_row(row)
    smallest = content.get("smallest")
    if smallest is not None:
        if smallest["people"] is None:
            typer.echo(f"No number of people up to ten million has power {smallest['power']:g}.")
        else:
            typer.echo(f"Smallest trial with power {smallest['power']:g}, in closed form: {smallest['people']} people")
            _show_row(smallest["at"])
    for one in content.get("detectable", ()):
        found = "no effect" if one["effect"] is None else f"an effect of {one['effect']:.4g}"
        typer.echo(f"With {one['people']} people {found} has power {one['power']:g}.")
    _show_beside(content)
    _show_cautions(content)
    if "budget" in content:
        typer.echo(f"{content['budget']['amount']:,.0f} pays for {content['budget']['people']} people.")


def _show_looks(row: dict[str, Any]) -> None:
    looks = row.get("looks")
    if looks is None:
        return
    for k, at in enumerate(looks["at"]):
        floor = "" if looks["floors"][k] is None else f", futility below {looks['floors'][k]:.3f}"
        stops = looks["under"]["stated"]
        chances = ", ".join(f"for {name} {stops[name][k]:.3f}" for name in ("success", "harm", "futility"))
        typer.echo(f"    look at {at:g}: |z| from {looks['z'][k]:.3f}{floor}; stops {chances}")
    expected = {name: one["expected_people"] for name, one in looks["under"].items()}
    typer.echo(f"    people expected at the stop: {expected['stated']:.0f}; without an effect {expected['none']:.0f}")


def _show_beside(content: dict[str, Any]) -> None:
    """What a look has shown, decisions, and the size by blinded numbers."""
    seen = content.get("seen")
    if seen is not None:
        typer.echo(f"At look {seen['look']}, with {seen['information']:.2f} of the planned information: z "
                   f"{seen['z']:.3f}, boundary {seen['boundary']:.3f}: {seen['verdict']}. Repeated interval "
                   f"{seen['repeated_interval'][0]:.4g} to {seen['repeated_interval'][1]:.4g}.")  # fmt: skip
        ahead = seen.get("to_come")
        if ahead is not None:
            typer.echo(f"  Chance of success later: {ahead['as_assumed']:.3f} if the effect is as stated, "
                       f"{ahead['as_seen']:.3f} if as seen, {ahead['without_effect']:.3f} if there is none; "
                       f"predictive {ahead['predictive']:.3f}.")  # fmt: skip
        report = seen.get("report")
        if report is not None:
            typer.echo(f"  If it stops here: stage-wise p {report['p_value']:.4g}, median-unbiased estimate "
                       f"{report['estimate']:.4g}, {100 * report['coverage']:.0f}% interval {report['low']:.4g} to "
                       f"{report['high']:.4g}; the plain estimate is {seen['estimate']:.4g}.")  # fmt: skip
    if "decision" in content:
        rows = content["decision"]["rows"]
        typer.echo(f"Go from an estimate of {rows[0]['go_from']:.4g}, no-go beyond {rows[0]['stop_below']:.4g}:")
        for row in rows:
            chances = f"go {row['go']:.3f}, consider {row['consider']:.3f}, no-go {row['no_go']:.3f}"
            typer.echo(f"  {row['name']} ({row['effect']:g}): {chances}")
    again = content.get("blinded")
    if again is not None:
        needed = "no number of people" if again["people"] is None else f"{again['people']} people"
        planned = f"with {again['planned_people']} as planned the power would be {again['power_as_planned']:.3f}"
        typer.echo(f"By the blinded numbers of {again['seen_people']} people {needed} are needed; {planned}.")


def _show_rule(blinded: dict[str, Any]) -> None:
    """What simulated trials show of the rule by which a size is reckoned again."""
    for row in blinded.get("simulated", ()):
        errors = ", ".join(f"{name} {one['value']:.4f} (± {one['mcse']:.4f})" for name, one in row["nulls"].items())
        typer.echo(
            f"Simulated with this rule, numbers {row['numbers']}: power {row['power']['value']:.4f} "
            f"(± {row['power']['mcse']:.4f}), type I error: {errors}; {row['people']['value']:.0f} people on average, "
            f"{row['people_low']} to {row['people_high']} in 90% of trials, at most {row['most']}."
        )


def _show_cautions(content: dict[str, Any]) -> None:
    """Each caution once, with the people whom it concerns unless it concerns all."""
    rows = [*content["sizes"], *([content["smallest"]["at"]] if (content.get("smallest") or {}).get("at") else [])]
    for words in dict.fromkeys(one for row in rows for one in row["cautions"]):
        whom = [str(row["people"]) for row in rows if words in row["cautions"]]
        typer.echo(f"  {words}" if len(whom) == len(rows) else f"  {', '.join(whom)} people: {words}")


def _show_row(row: dict[str, Any]) -> None:
    power = "no power can be told" if row["power"] is None else f"power {row['power']:.4f} in closed form"
    more = f", {row['events']:.0f} events expected" if "events" in row else ""
    more += f", cost {row['cost']:,.0f}" if "cost" in row else ""
    typer.echo(f"  {row['people']} people ({row['treatment']} and {row['control']}): {power}{more}")
    _show_looks(row)


def _show_simulated(plan: EffectPlan, content: dict[str, Any]) -> None:
    from remission.numerics.tallies import Measure

    smallest = content.get("smallest") or {}
    rows = [row for row in [*content["sizes"], smallest.get("at")] if row is not None and row["simulated"] is not None]
    if not rows:
        return
    typer.echo(f"Simulated, {plan.n_replicates} trials each; (±) is the Monte Carlo standard error:")
    for row in rows:
        found = row["simulated"]
        text = {name: Measure(**found[name]).text for name in ("power", "bias", "coverage")}
        nulls = "; ".join(f"reached {name} {Measure(**one).text}" for name, one in found["nulls"].items())
        scale = " of the logarithm" if plan.law.is_ratio else ""
        stops = "" if "looks" not in row else f"; people at the stop {Measure(**found['expected_people']).text}"
        typer.echo(f"  {row['people']} people: power {text['power']}; {nulls}; bias{scale} {text['bias']}; coverage "
                   f"{text['coverage']}{stops}; failed {found['n_failed']}")  # fmt: skip
    if "worlds" in content:
        typer.echo("  Worlds by name, with belief as the file states it (bias and coverage of the drug by itself):")
        for one in content["worlds"]:
            text = {name: Measure(**one[name]).text for name in ("rejects", "bias", "coverage")}
            typer.echo(f"    {one['world']}, {one['people']} people: {100.0 * one['right_guesses']:.0f}% guess right; "
                       f"rejects {text['rejects']}; bias {text['bias']}; coverage {text['coverage']}")  # fmt: skip
    search = smallest.get("search")
    if search is not None:
        if search["n"] is None or search["outcome"] != "found":
            typer.echo(f"  Simulation finds no smallest size from {search['low']} to {search['high']} people.")
            return
        low, high = search["interval"]
        typer.echo(f"  Smallest trial by simulation: {search['n']} people, 95% Monte Carlo interval {low} to {high}.")
