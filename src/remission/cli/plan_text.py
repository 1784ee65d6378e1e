"""What ``remission plan`` prints: words for people, one JSON object for programs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from remission.cli.terminal import print_columns, print_json
from remission.records.analyte import Analyte
from remission.report import plan_sheet as sheets

if TYPE_CHECKING:
    from remission.planner import Comparison, FoundRegimen, PlacedLevel, Plan, PlanRequest
    from remission.planner.checks import Finding
    from remission.report.clinic_sheet import ClinicSheet


def show_plan(
    plan: "Plan", *, as_json: bool, levels: "Sequence[PlacedLevel]" = (), planned: "PlanRequest | None" = None
) -> None:
    """Print one plan; what was planned before it was changed, and measured levels, where there are any."""
    was = "" if planned in {None, plan.request} else sheets.was_words(planned)
    rows = sheets.level_rows(levels)
    if as_json:
        from remission.report.plan_numbers import plan_numbers

        more = {"levels": rows, "levels_note": sheets.LEVELS_NOTE} if rows else {}
        print_json({**plan_numbers(plan), **more, **({"planned": was} if was else {})})
        return
    sheet = sheets.plan_sheet(plan)
    typer.echo(sheet.notice)
    typer.echo(f"{sheet.who}. {sheet.regimen}.")
    if was:
        typer.echo(f"As it ran; planned was {was}.")
    facts = [(one.label, one.value, f"{one.unit}{one.note and f'. {one.note}'}") for one in sheet.facts]
    print_columns(facts, right=(1,), indent=2, gap=1)
    _block("CONTRAINDICATION, no plan is printed", sheet.contraindications)
    _block("Flag", sheet.flags)
    typer.echo(f"\nHighest value of each simulated person: median, range of {sheets.BAND}, when half have reached it")
    peaks = [(one.label, one.median, f"({one.band})", f"{one.unit}, {one.at}") for one in sheet.peaks]
    print_columns(peaks, right=(1,), indent=2, gap=1)
    if sheet.heart_rate:
        typer.echo(f"  {sheet.heart_rate}")
    for line in (*sheet.withheld, sheet.band_note):
        typer.echo(f"  {line}")
    _show_between(sheet)
    _show_levels(rows)
    if sheet.shares:
        typer.echo("\nShare of simulated people, 95% Monte Carlo interval, standard error in points")
    _show_shares(sheet.shares)
    _block("Not given", sheet.unknown)
    typer.echo("\nA course")
    for line in (*(one.text for one in sheet.course), *sheet.established, *sheet.safety):
        typer.echo(f"  {line}")
    typer.echo("\nWhat this cannot tell")
    for line in sheet.limits:
        typer.echo(f"  {line}")
    typer.echo(f"\n{sheet.made}\nThe same again: {sheet.command}")


def _show_shares(rows: Sequence[sheets.ShareRow]) -> None:
    cells = [(one.label, one.share, f"({one.interval}), error {one.error}" if one.error else "") for one in rows]
    print_columns(cells, indent=2)


def _show_between(sheet: sheets.PlanSheet) -> None:
    """The spread of people, of published models and of measured values."""
    if not sheet.between:
        return
    typer.echo(
        "\nHighest value in blood: people of this model (90%), published models (typical person), "
        "one measured value (90%)"
    )
    for row in sheet.between:
        models = f"{row.models}, average {row.average}" if row.models else "no second model"
        cells = [(row.label, row.people, f"| {models}", f"| {row.measured or 'not given'} {row.unit}")]
        print_columns(cells, right=(1,), widths=(38, 12, 0, 0), indent=2)
        if row.names:
            typer.echo(f"    {row.names}")
    typer.echo(f"  {sheet.between_note}")


def _show_levels(rows: Sequence[sheets.LevelRow]) -> None:
    if not rows:
        return
    typer.echo("\nMeasured levels: value, simulated people at that time (median, 90%), where it falls")
    notes = [f" Line {one.line}: {one.note}" if one.note else "" for one in rows]
    cells = [
        (one.at, one.label, one.value, "ng/mL", f"{one.band}: {one.falls}.{note}")
        for one, note in zip(rows, notes, strict=True)
    ]
    print_columns(cells, right=(0, 2), indent=2)
    typer.echo(f"  {sheets.LEVELS_NOTE}")


def show_comparison(comparison: "Comparison", *, as_json: bool) -> None:
    """Print regimens side by side, and what stands against each."""
    from remission.report.plan_compare import comparison_rows

    if as_json:
        from remission.report.plan_numbers import plan_numbers

        numbers = [plan_numbers(one) for one in comparison.plans]
        others = [
            {"regimen": one.regimen, "rows": comparison_rows(comparison, number)}
            for number, one in enumerate(comparison.differences)
        ]
        print_json({"notice": comparison.plans[0].notice, "plans": numbers, "differences": others})
        return
    first = comparison.plans[0]
    typer.echo(first.notice)
    typer.echo(f"{sheets.plan_sheet(first).who}. The same {first.request.n_people} simulated people meet each regimen.")
    for number, beside in enumerate(comparison.differences):
        typer.echo(f"\nFirst: {first.regimen}. Second: {beside.regimen}.")
        typer.echo(
            f"Highest value of each person: median (range of {sheets.BAND}); the difference is person by person."
        )
        rows = comparison_rows(comparison, number)
        cells = [(one.label, one.first, one.second, f"{one.difference} {one.unit}") for one in rows]
        print_columns(cells, right=(1, 2), indent=2)
    for plan in comparison.plans:
        sheet = sheets.plan_sheet(plan)
        typer.echo(f"\n{plan.regimen}")
        _block("CONTRAINDICATION, no plan is printed", sheet.contraindications)
        _block("Flag", sheet.flags)
    sheet = sheets.plan_sheet(first)
    for line in (*sheet.established, *sheet.safety, *sheet.limits):
        typer.echo(line)


def show_search(found: "FoundRegimen", *, as_json: bool) -> None:
    """Print what a search found."""
    from remission.report.plan_search import search_sheet

    sheet = search_sheet(found)
    if as_json:
        names = (
            "target", "unit", "value", "cautious", "lenient", "bound_by", "share_inside", "under_models", "standing",
            "unchecked", "limits",
        )  # fmt: skip
        content = {name: getattr(found, name) for name in names}
        words = {
            name: getattr(sheet, name) for name in ("shares", "answer", "reach", "established", "safety", "notice")
        }
        print_json({**content, **words, "standing_share": found.standing_fraction})
        return
    typer.echo(f"{sheet.notice}\n{sheet.who}.\n{sheet.asked}")
    for line in (sheet.answer, sheet.certainty, sheet.under_models, *([sheet.unchecked] if sheet.unchecked else [])):
        typer.echo(line)
    at = "At that value" if found.request else f"At {found.plan.regimen}"
    typer.echo(f"\n{at}, share of simulated people")
    _show_shares(sheet.shares)
    _block("Flag", sheet.flags)
    for line in (sheet.reach, *sheet.ranges, *sheet.established, *sheet.safety, *sheet.limits):
        typer.echo(line)


def show_volumes(clinic: "ClinicSheet") -> None:
    """Print amounts and volumes."""
    typer.echo(
        f"\nFrom a vial of {clinic.strength}{': ' + clinic.mixture if clinic.mixture else ', before any dilution'}"
    )
    rates = [(one.ml_per_h, f"mL/h {one.given}") if one.ml_per_h else ("", "") for one in clinic.steps]
    cells = [(one.label, one.mg, "mg", one.ml, "mL", *rate) for one, rate in zip(clinic.steps, rates, strict=True)]
    print_columns(cells, right=(1, 3, 5), indent=2, gap=1)
    for line in clinic.cautions:
        typer.echo(f"  {line}")


def show_library(*, as_json: bool) -> None:
    """Print what presets, checks and plasma ranges there are."""
    from remission.library.meanings import names_of
    from remission.library.sessions import load_checks, load_plasma_ranges, load_regimens
    from remission.planner.request import list_absorbed, list_takes

    checks = [one for one in load_checks() if one.rule == "asked"]
    if as_json:
        print_json({"regimens": load_regimens(), "checks": load_checks(), "plasma": load_plasma_ranges()})
        return
    typer.echo("Published regimens, for --preset and --compare:")
    print_columns([(one.id, one.title) for one in load_regimens()], indent=2)
    typer.echo("\nChecks, for --has; the first ones block a printed plan:")
    print_columns([(one.id, one.kind, one.label) for one in sorted(checks, key=lambda one: one.kind)], indent=2)
    typer.echo("\nMedicines, drugs and genes, for --takes; generic and brand names of these are read as well:")
    named = [(one, ", ".join(names_of(one.id))) for one in list_takes()]
    print_columns([(one.id, f"{one.title}{names and f': {names}'}") for one, names in named], indent=2)
    typer.echo("\nRoutes and products of racemic ketamine, for --route and --product:")
    rows = []
    for product in list_absorbed():
        needs = "a rate that you assume" if product.tmax is None else "nothing more: the time of its peak is sourced"
        share = "" if product.bioavailability(Analyte.S_KET) else ", and a share that you assume"
        rows.append((product.route.value, product.id, f"{product.title}: needs {needs}{share}"))
    print_columns(rows, indent=2)
    typer.echo("\nPlasma ranges, for --within-plasma:")
    ranges = [
        (one.id, f"{one.low_ng_per_ml:g} to {one.high_ng_per_ml:g} ng/mL. {one.title}") for one in load_plasma_ranges()
    ]
    print_columns(ranges, indent=2)


def _block(title: str, findings: "Sequence[Finding]") -> None:
    for one in findings:
        typer.echo(f"{title}: {one.text}")
