"""What ``remission design`` prints: one design, or with ``--scenarios`` a table of scenarios by designs."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import typer

from remission.cli.design_work import DesignWork, engage, keeping
from remission.cli.effect import changed_protocol
from remission.cli.progress import progress_of
from remission.cli.run import parameters_changed
from remission.cli.terminal import print_columns
from remission.design.day_cost import price_text
from remission.design.effect_models import MEANS
from remission.design.looks import Sequential
from remission.design.operating import Characteristics
from remission.design.scenario_file import read_scenarios
from remission.design.study import DesignPlan
from remission.design.table import TableRow, run_table, table_person_days
from remission.design.verdicts import TRUE_VALUE, verdicts
from remission.numerics.tallies import Count, Measure
from remission.patient.standing import standing_of_protocol
from remission.protocol.record import Protocol
from remission.report.numbers import drawn_words, smallest_words, trials_words


def tell_first(plan: DesignPlan, n_subjects: int, rejected: Count) -> None:
    """A wide band at once, on standard error, of what the answer begins with."""
    words = f"First look, {n_subjects} people, {rejected.n} trials: {_told(plan, drawn=plan.drawing is not None)}"
    typer.echo(f"{words} {rejected.measure.text}", err=True)


def tell_settled(plan: DesignPlan, n_subjects: int, share: Measure, values: Literal["fixed", "drawn"]) -> None:
    """What is settled of a design while others go on, on standard error."""
    typer.echo(f"Settled, {n_subjects} people: {_told(plan, drawn=values == 'drawn')} {share.text}", err=True)


def _told(plan: DesignPlan, *, drawn: bool) -> str:
    if drawn:
        return "chance of success over the posterior"
    name = "type I error" if plan.is_null else "power"
    return f"{name} with the same values in every trial" if plan.drawing is not None else name


def show(content: dict[str, Any], main: list[Characteristics], *, null: bool, power: float | None) -> None:
    """Print the characteristics of the analysis that decides, and what else was asked for."""
    name = "type I error" if null else "power"
    for line in content["standing"]["lines"]:
        typer.echo(line)
    typer.echo(
        f"{main[0].label}: {name} at alpha {content['alpha']:g}; (±) is the Monte Carlo standard error, which says "
        "nothing of the model"
    )
    if "changes" in content:
        changes = ", ".join(f"{key}={value:g}" for key, value in content["changes"].items())
        typer.echo(f"Values that are not the library's: {changes}")
    _show_drawn(content.get("over_posterior", ()))
    for row in main:
        _show_row(row, name)
    for found, value in content["truths"].items():
        if not null:
            words = f"True value of {found}, from {content['truth_from']}: {value:.3g}."
            typer.echo(words if "stated" in content else f"{words} {TRUE_VALUE}")
    if power is not None:
        _show_search(content, power)
    if not null:
        _show_nulls(content["nulls"], is_stated="stated" in content)
    _show_procedure(content["characteristics"], name)
    for row in main:
        if row.sequential is not None:
            _show_looks(row.n_subjects, row.sequential, name)
    if "assurance" in content:
        _show_assurance(content["assurance"], main[-1].n_subjects)
    if "cost" in content:
        _show_cost(content["cost"])
    typer.echo(f"Again: {content['command']}")


def _show_drawn(found: Sequence[dict[str, Any]]) -> None:
    """The assurance of each size, and what stands below it."""
    for one in found:
        words = drawn_words(one, lambda measure: Measure(**measure).text)
        typer.echo(f"Assurance, the chance of success, at {one['n_subjects']} people: {words}")
    for line in found[-1]["says"] if found else ():
        typer.echo(f"  {line}")
    if found:
        typer.echo(f"At the mean of {found[0]['posterior']}, the same values in every trial:")


def _show_row(row: Characteristics, name: str) -> None:
    line = f"  {row.n_subjects} people, {row.n_replicates} trials: {name} {row.rejected.text}"
    if row.bias is not None and row.coverage is not None:
        line += f"; bias {row.bias.text}; coverage {row.coverage.text}"
    else:
        line += "; no bias can be told, because missing itself is the outcome"
    line += f"; {row.scale} {row.estimate.text}, which varies between trials by an SD of {row.estimate_sd:.3g}"
    typer.echo(f"{line}; interval width {row.width.text}; failed {row.n_failed}")
    stops = row.sequential is not None and len(row.sequential.looks) > 1
    for words in verdicts(asdict(row), power=row.rejected.value, stops=stops):
        typer.echo(f"    {words}")


def _show_search(content: dict[str, Any], power: float) -> None:
    """The smallest size: from the search of a range, or among the sizes that were listed."""
    found = content.get("search")
    if found is None:
        smallest = content["smallest_n"]
        if smallest is not None:
            typer.echo(f"Smallest of these sizes with power {power:g}: {smallest} people.")
        else:
            typer.echo(f"None of these sizes has power {power:g}.")
        return
    last = found["evaluations"][-1]
    if found["outcome"] == "above":
        share = Measure(**last["rejected"]).text
        typer.echo(
            f"No size from {found['low']} to {found['high']} has power {power:g}: {last['n_subjects']} people have "
            f"{share} ({trials_words(last)}). Search further up, or change the design."
        )
        return
    at = found["at"]
    if found["outcome"] == "below":
        typer.echo(
            f"{found['n']} people, the smallest of the range, have power {power:g} already "
            f"({Measure(**found['rejected']).text}). Fewer may be enough: search further down."
        )
        return
    words = smallest_words(found, lambda measure: Measure(**measure).text)
    typer.echo(
        f"{words} Sizes tried: {len(found['evaluations'])}. In {at['n_replicates']} trials of that size: bias "
        f"{_measure(at['bias'])}, coverage {_measure(at['coverage'])}."
    )
    for words in verdicts(at, power=at["rejected"]["value"]):
        typer.echo(f"    {words}")


def _measure(found: dict[str, Any] | None) -> str:
    return "not told" if found is None else Measure(**found).text


def _show_nulls(nulls: list[dict[str, Any]], *, is_stated: bool) -> None:
    """The share that rejects where the drug does nothing to use, by the name of the null."""
    typer.echo("Rejected where the treatment does nothing to use:" if is_stated else "Rejected where the drug does "
               "nothing to use:")  # fmt: skip
    notes: dict[str, None] = {}
    for n in dict.fromkeys(one["n_subjects"] for one in nulls):
        told = []
        for one in nulls:
            if one["n_subjects"] == n:
                share = "not simulated" if one["rejected"] is None else _measure(one["rejected"])
                away = one.get("bias")
                beside = f" (bias {_measure(away)}, coverage {_measure(one['coverage'])})" if away else ""
                told.append(f"{one['name']} {share}{beside}")
                if one["note"]:
                    notes[f"{one['name']} {one['note']}" if one["rejected"] else one["note"]] = None
        typer.echo(f"  {n} people: {'; '.join(told)}")
    for note in notes:
        typer.echo(f"  {note}.")


def _show_procedure(rows: list[dict[str, Any]], name: str) -> None:
    """Every analysis of the protocol's procedure: rejected by its own p value, and by the adjusted one."""
    gated = [row for row in rows if row["after_procedure"] is not None]
    if not gated:
        return
    typer.echo(
        f"{name.capitalize()} after the procedure of multiplicity, at the end of the trial (by its own p value):"
    )
    for row in gated:
        after, alone = (Measure(**row[key]).text for key in ("after_procedure", "rejected"))
        typer.echo(f"  {row['n_subjects']} people, {row['label']}: {after}, own {alone}")


def _show_looks(n_subjects: int, found: Sequential, name: str) -> None:
    lasts = "" if found.duration_day is None else f"; expected duration {found.duration_day.text} days"
    typer.echo(
        f"With looks, {n_subjects} people at most ({found.boundary}): {name} {found.rejected.text}; "
        f"expected number of people {found.n.text}{lasts}"
    )
    for look in found.looks:
        bound = "no success" if look.z == float("inf") else f"|z| from {look.z:.3f}"
        floor = "" if look.futility_z is None else f", futility below {look.futility_z:g}"
        when = "" if look.day is None else f" on day {look.day.value:.0f}"
        typer.echo(
            f"  look at {look.fraction:g}{when} ({bound}{floor}): stops for success {look.success.text}, for harm "
            f"{look.harm.text}, for futility {look.futility.text}; {look.n_analysed.value:.0f} people analyzed, "
            f"information {look.information.value:.2f}"
        )
    known = "" if found.bias is None or found.coverage is None else (
        f"; bias {found.bias.text}; coverage {found.coverage.text}"
    )  # fmt: skip
    typer.echo(
        f"  estimate when stopped {found.estimate.text}, by {found.shift.text} from that of the same trials carried "
        f"to their end{known}"
    )
    if found.adjusted_bias is not None and found.adjusted_coverage is not None:
        typer.echo(
            "  median-unbiased estimate and stage-wise interval, which may be reported: bias "
            f"{found.adjusted_bias.text}; coverage {found.adjusted_coverage.text}"
        )


def _show_assurance(found: dict[str, Any], n_subjects: int) -> None:
    typer.echo(f"Assurance at {n_subjects} people, effect model {found['effect_model']}: {_under(found)}.")
    for name, one in found["models"].items():
        typer.echo(f"  {name}: {_under(one)}; {MEANS[name]}")
    for words in found["says"]:
        typer.echo(f"  {words}")
    typer.echo(
        f"  The chain: {found['n_draws']} draws of {len(found['ranges'])} values from {found['source']}. Variance of "
        f"one trial's estimate: parameters {found['parameter_variance']:.3g}, between trials "
        f"{found['between_trial_variance']:.3g}, sampling {found['sampling_variance']:.3g}."
    )
    for one in found["given"]:
        name = ", ".join(one["trials"]) or "no trial"
        if one["probability"] is None:
            typer.echo(
                f"  given {name}: not reported, because only {one['n_effective']:.0f} of {found['n_draws']} draws "
                "count; take more"
            )
            continue
        share, error = one["probability"]["value"], one["probability"]["mcse"]
        typer.echo(
            f"  given {name}: {share:.2f} (Monte Carlo error {error:.2f}); {_effect(one['effect'], one['effect_sd'])}; "
            f"effective draws {one['n_effective']:.0f}"
        )
    if any(one["trials"] for one in found["given"]):
        typer.echo("  These trials also tuned the model's defaults: this weighs the priors and is no new evidence.")


def _under(found: Mapping[str, Any]) -> str:
    """Assurance and effect under one model; a number without a Monte Carlo error was computed, not simulated."""
    share, error = found["probability"]["value"], found["probability"]["mcse"]
    words = f"{share:.2f}" if not error else f"{share:.2f} (Monte Carlo error {error:.2f})"
    return f"{words}; {_effect(found['effect'], found['effect_sd'])}"


def _effect(mean: dict[str, Any] | None, spread: float | None) -> str:
    """The mean effect with its Monte Carlo error, and apart from it how uncertain the effect itself is."""
    if mean is None or mean["value"] is None:
        return "no effect can be told"
    words = f"mean effect {mean['value']:.3g}"
    words += f" (Monte Carlo error {mean['mcse']:.2g})" if mean["mcse"] else ""
    return words if spread is None else f"{words}, uncertainty of the effect: SD {spread:.2g}"


def _show_cost(cost: dict[str, Any]) -> None:
    unit = cost["currency"]
    for course in cost["courses"]:
        few, most = (cost.get(name, {}).get(course["arm"]) for name in ("people_for_budget", "most_people_for_budget"))
        bought = "" if few is None else f"; the budget pays for {_between(few, most)} people"
        is_blank = not course["high"] and course["left_out"]
        price = "nothing of it is" if is_blank else f"{_between(course['low'], course['high'])} {unit}"
        typer.echo(f"  {course['label']}: {price} {'priced' if is_blank else 'for a complete course'}{bought}")
    for line in cost["left_out"]:
        typer.echo(f"  left out: {line}")
    if cost["set"] is not None:
        typer.echo(f"  prices of the library ({cost['set']}), read second-hand, what patients were asked to pay")
    if "charity" in cost:
        people = [f"{name} {_between(*pair)}" for name, pair in cost["charity"]["people"].items()]
        typer.echo(f"  budget as a donation in the one model read: sessions for {', '.join(people)} people")
    day = cost.get("abstinent_day")
    if day is None:
        return
    if day["amount"] is None:
        price = "no price for one"
    elif day["high"] is None:
        low = None if day["low"] is None else price_text(day["low"], day)
        floor = "no bound" if low is None else f"95% interval from {low} without an upper end"
        price = f"{price_text(day['amount'], day)} {unit} for each at the means; {floor}, because no gain is possible"
    else:
        low, high = (price_text(day[end], day) for end in ("low", "high"))
        price = f"{price_text(day['amount'], day)} {unit} for each (95% interval {low} to {high})"
    typer.echo(
        f"  {day['days']:.1f} more abstinent days ({day['days_low']:.1f} to {day['days_high']:.1f} in 95% of "
        f"trials), {price}; no gain in {100 * day['share_without_gain']:.0f}% of trials"
    )
    for one in day["net_benefit"]:
        typer.echo(
            f"  at {one['worth_of_day']:g} {unit} a day: net benefit {one['mean']:,.0f} ({one['low']:,.0f} to "
            f"{one['high']:,.0f}), above 0 in {100 * one['acceptable']['value']:.0f}% of trials"
        )


def _between(low: float, high: float | None) -> str:
    return f"{low:,.0f}" if high is None or round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"


_COST = (
    "Cost: of the people expected at the stop, complete courses at the highest prices; what has no price is left out."
)
_COLUMNS = ("scenario", "design", "people", "trials", "power", "bias", "coverage", "type I error", "felt but inert",
            "expectancy only", "width", "expected people", "expected days", "cost", "failed")  # fmt: skip


def tabulate(context: typer.Context, protocol: Protocol, path: Path, work: DesignWork | None) -> dict[str, Any]:
    """Simulate the table of a file, print its rows as they are done, and give what ``--json`` prints.

    What is wrong in the file or too large is a SpecError.
    """
    from remission.door.diaries import all_diaries

    options = context.params
    quiet, seed, analysis = options["as_json"], options["seed"], options["analysis"]
    protocol, rest = changed_protocol(protocol, options["changes"] or [])
    values = parameters_changed(protocol, rest)
    table, cells = read_scenarios(path, protocol, analysis=analysis, changes=values, read_people=all_diaries)
    largest = max((cell.protocol for cell in cells), key=lambda one: one.population.n_subjects * one.follow_up_days)
    standing = standing_of_protocol(protocol)
    rows: list[TableRow] = []
    widths = _widths(cells)
    with engage(table_person_days(table, cells), largest, options["workers"], yes=options["yes"]) as crew:
        if not quiet:
            for line in standing.lines:
                typer.echo(line)
            typer.echo("(\u00b1) is the Monte Carlo standard error, which says nothing of the model; "
                       f"alpha {table.alpha:g}, at most {table.replicates} trials a cell")  # fmt: skip
            print_columns([_COLUMNS], widths=widths)
        with progress_of("cells", quiet=quiet) as on_progress:
            for row in run_table(table, cells, seed=seed, crew=keeping(crew, work)):
                rows.append(row)
                on_progress(len(rows), len(cells))
                if not quiet:
                    print_columns([_cells(row, table.power)], widths=widths)
    words = ["remission", "design", Path(options["protocol"]).name, "--scenarios", path.name, "--seed", str(seed)]
    words += ["--analysis", analysis] if analysis else []
    words += [part for one in options["changes"] or () for part in ("--set", one)]
    command = shlex.join(words)
    if not quiet:
        _notes(rows, table.power, command)
    return {"protocol": protocol.id, "standing": standing.to_dict(), "table": table.to_dict(),
            "rows": [asdict(row) for row in rows], "command": command}  # fmt: skip


def _notes(rows: list[TableRow], power: float | None, command: str) -> None:
    if any(row.cost is not None for row in rows):
        typer.echo(_COST)
    for note in sorted({row.null_note for row in rows if row.null_note}):
        typer.echo(f"No type I error: {note}")
    if any(row.nulls for row in rows):
        typer.echo("type I error: both sides get the same treatment. felt but inert: the drug is felt and believed in "
                   "as before, and does nothing to use.")  # fmt: skip
    equal = sorted({f"{one.name} {one.note}" for row in rows for one in row.nulls if one.note and one.rejected})
    for note in equal:
        typer.echo(f"= {note}.")
    scales = sorted({f"{row.analysis}: {row.scale}" for row in rows})
    typer.echo(f"Bias and width are on the scale of the analysis: {', '.join(scales)}.")
    typer.echo(TRUE_VALUE)
    for row in rows:
        for line in verdicts(asdict(row), power=row.power.value, stops=len(row.sequential.looks) > 1):
            typer.echo(f"{row.scenario}, {row.design}: {line}")
    if power is not None:
        typer.echo(f"* reaches power {power:g}. ! reaches it only by bias.")
    typer.echo(f"Again: {command}")


def _cells(row: TableRow, power: float | None) -> tuple[str, ...]:
    mark = ""
    if power is not None and row.power.value >= power:
        owes = row.is_flattered and row.power_without_bias is not None and row.power_without_bias < power
        mark = "!" if owes else "*"
    nulls = {one.name: _text(one.rejected) + ("=" if one.note and one.rejected else "") for one in row.nulls}
    inert, believed = (nulls.get(name, "-") for name in ("felt but inert", "expectancy only"))
    return (
        row.scenario, row.design, str(row.n_subjects), str(row.n_replicates), row.power.text + mark, _text(row.bias),
        _text(row.coverage), _text(row.type1_error), inert, believed,
        row.width.text, row.n.text, _text(row.duration_day), "-" if row.cost is None else f"{row.cost.value:,.0f}",
        str(row.n_failed),
    )  # fmt: skip


def _text(found: Measure | None) -> str:
    return "-" if found is None else found.text


def _widths(cells: Any) -> list[int]:
    ids = [max(len(cell.scenario.id) for cell in cells), max(len(cell.design.id) for cell in cells)]
    usual = [*ids, 6, 6, 16, 13, 15, 15, 16, 16, 15, 15, 13, 9, 6]
    return [max(len(word), width) for word, width in zip(_COLUMNS, usual, strict=True)]
