"""What ``remission plan`` prints: words for people, one JSON object for programs."""

import json
from collections.abc import Sequence
from typing import Any

import typer

from remission.library.meanings import names_of
from remission.library.sessions import load_checks, load_plasma_ranges, load_regimens
from remission.planner import Comparison, FoundRegimen, PlacedLevel, Plan, PlanRequest
from remission.planner.request import list_absorbed, list_takes
from remission.records.analyte import Analyte
from remission.report.clinic_sheet import ClinicSheet
from remission.report.plan_compare import comparison_rows
from remission.report.plan_numbers import plan_numbers
from remission.report.plan_search import search_sheet
from remission.report.plan_sheet import (
    BAND,
    LEVELS_NOTE,
    FindingRow,
    LevelRow,
    PlanSheet,
    ShareRow,
    level_rows,
    plan_sheet,
    was_words,
)

__all__ = ["show_comparison", "show_library", "show_plan", "show_search", "show_volumes"]


def show_plan(
    plan: Plan, *, as_json: bool, levels: Sequence[PlacedLevel] = (), planned: PlanRequest | None = None
) -> None:
    """Print one plan; what was planned before it was changed, and measured levels, where there are any."""
    was = "" if planned in {None, plan.request} else was_words(planned)
    rows = level_rows(levels)
    if as_json:
        more = {"levels": [one.to_dict() for one in rows], "levels_note": LEVELS_NOTE} if rows else {}
        typer.echo(json.dumps({**plan_numbers(plan), **more, **({"planned": was} if was else {})}, ensure_ascii=False))
        return
    sheet = plan_sheet(plan)
    typer.echo(sheet.notice)
    typer.echo(f"{sheet.who}. {sheet.regimen}.")
    if was:
        typer.echo(f"As it ran; planned was {was}.")
    for fact in sheet.facts:
        typer.echo(f"  {fact.label:<40} {fact.value:>6} {fact.unit}{f'. {fact.note}' if fact.note else ''}".rstrip())
    _block("CONTRAINDICATION, no plan is printed", sheet.contraindications)
    _block("Flag", sheet.flags)
    typer.echo(f"\nHighest value of each simulated person: median, range of {BAND}, when half have reached it")
    for peak in sheet.peaks:
        typer.echo(f"  {peak.label:<40} {peak.median:>6} ({peak.band}) {peak.unit}, {peak.at}")
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


def _show_shares(rows: Sequence[ShareRow]) -> None:
    for share in rows:
        interval = f" ({share.interval}), error {share.error}" if share.error else ""
        typer.echo(f"  {share.label:<42} {share.share}{interval}")


def _show_between(sheet: PlanSheet) -> None:
    """The spread of people, of published models and of measured values."""
    if not sheet.between:
        return
    typer.echo(
        "\nHighest value in blood: people of this model (90%), published models (typical person), "
        "one measured value (90%)"
    )
    for row in sheet.between:
        models = f"{row.models}, average {row.average}" if row.models else "no second model"
        typer.echo(f"  {row.label:<40} {row.people:>12} | {models} | {row.measured or 'not given'} {row.unit}")
        if row.names:
            typer.echo(f"    {row.names}")
    typer.echo(f"  {sheet.between_note}")


def _show_levels(rows: Sequence[LevelRow]) -> None:
    if not rows:
        return
    typer.echo("\nMeasured levels: value, simulated people at that time (median, 90%), where it falls")
    for row in rows:
        note = f" Line {row.line}: {row.note}" if row.note else ""
        typer.echo(f"  {row.at:>8}  {row.label:<28} {row.value:>7} ng/mL   {row.band}: {row.falls}.{note}")
    typer.echo(f"  {LEVELS_NOTE}")


def show_comparison(comparison: Comparison, *, as_json: bool) -> None:
    """Print regimens side by side, and what stands against each."""
    if as_json:
        typer.echo(json.dumps(_comparison_dict(comparison), ensure_ascii=False))
        return
    first = comparison.plans[0]
    typer.echo(first.notice)
    typer.echo(f"{plan_sheet(first).who}. The same {first.request.n_people} simulated people meet each regimen.")
    for number, beside in enumerate(comparison.differences):
        typer.echo(f"\nFirst: {first.regimen}. Second: {beside.regimen}.")
        typer.echo(f"Highest value of each person: median (range of {BAND}); the difference is person by person.")
        for row in comparison_rows(comparison, number):
            typer.echo(f"  {row.label:<42} {row.first:>20} {row.second:>20}   {row.difference} {row.unit}".rstrip())
    for plan in comparison.plans:
        sheet = plan_sheet(plan)
        typer.echo(f"\n{plan.regimen}")
        _block("CONTRAINDICATION, no plan is printed", sheet.contraindications)
        _block("Flag", sheet.flags)
    sheet = plan_sheet(first)
    for line in (*sheet.established, *sheet.safety, *sheet.limits):
        typer.echo(line)


def show_search(found: FoundRegimen, *, as_json: bool) -> None:
    """Print what a search found."""
    sheet = search_sheet(found)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "notice": sheet.notice, "target": found.target, "unit": found.unit, "value": found.value,
                    "cautious": found.cautious, "lenient": found.lenient, "bound_by": found.bound_by,
                    "share_inside": found.share_inside, "under_models": found.under_models, "standing": found.standing,
                    "standing_share": found.standing_fraction, "unchecked": found.unchecked,
                    "shares": [one.to_dict() for one in sheet.shares],
                    "limits": [one.to_dict() for one in found.limits],
                    "answer": sheet.answer, "reach": sheet.reach,
                    "established": sheet.established, "safety": sheet.safety,
                }
            )
        )  # fmt: skip
        return
    typer.echo(f"{sheet.notice}\n{sheet.who}.\n{sheet.asked}")
    for line in (sheet.answer, sheet.certainty, sheet.under_models, *([sheet.unchecked] if sheet.unchecked else [])):
        typer.echo(line)
    at = "At that value" if found.request else f"At {found.plan.regimen}"
    typer.echo(f"\n{at}, share of simulated people")
    _show_shares(sheet.shares)
    _block("Flag", sheet.flags)
    for line in (
        sheet.reach,
        *sheet.ranges,
        *sheet.established,
        *sheet.safety,
        *sheet.limits,
    ):
        typer.echo(line)


def show_volumes(clinic: ClinicSheet) -> None:
    """Print amounts and volumes."""
    typer.echo(
        f"\nFrom a vial of {clinic.strength}{': ' + clinic.mixture if clinic.mixture else ', before any dilution'}"
    )
    for step in clinic.steps:
        rate = f" {step.ml_per_h:>7} mL/h {step.given}".rstrip() if step.ml_per_h else ""
        typer.echo(f"  {step.label:<40} {step.mg:>6} mg {step.ml:>6} mL{rate}")
    for line in clinic.cautions:
        typer.echo(f"  {line}")


def show_library(*, as_json: bool) -> None:
    """Print what presets, checks and plasma ranges there are."""
    checks = [one for one in load_checks() if one.rule == "asked"]
    if as_json:
        found = {
            "regimens": [one.to_dict() for one in load_regimens()],
            "checks": [one.to_dict() for one in load_checks()],
            "plasma": [one.to_dict() for one in load_plasma_ranges()],
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo("Published regimens, for --preset and --compare:")
    for regimen in load_regimens():
        typer.echo(f"  {regimen.id:<22} {regimen.title}")
    typer.echo("\nChecks, for --has; the first ones block a printed plan:")
    for check in sorted(checks, key=lambda one: one.kind):
        typer.echo(f"  {check.id:<26} {check.kind:<17} {check.label}")
    typer.echo("\nMedicines, drugs and genes, for --takes; generic and brand names of these are read as well:")
    for taken in list_takes():
        named = ", ".join(names_of(taken.id))
        typer.echo(f"  {taken.id:<18} {taken.title}{': ' + named if named else ''}")
    typer.echo("\nRoutes and products of racemic ketamine, for --route and --product:")
    for one in list_absorbed():
        peak = "a rate that you assume" if one.tmax is None else "nothing more: the time of its peak is sourced"
        share = "" if one.bioavailability(Analyte.S_KET) else ", and a share that you assume"
        typer.echo(f"  {one.route.value:<12} {one.id:<22} {one.title}: needs {peak}{share}")
    typer.echo("\nPlasma ranges, for --within-plasma:")
    for found_range in load_plasma_ranges():
        ends = f"{found_range.low_ng_per_ml:g} to {found_range.high_ng_per_ml:g} ng/mL"
        typer.echo(f"  {found_range.id:<14} {ends}. {found_range.title}")


def _comparison_dict(comparison: Comparison) -> dict[str, Any]:
    return {
        "notice": comparison.plans[0].notice,
        "plans": [plan_numbers(one) for one in comparison.plans],
        "differences": [
            {"regimen": one.regimen, "rows": [row.to_dict() for row in comparison_rows(comparison, number)]}
            for number, one in enumerate(comparison.differences)
        ],
    }


def _block(title: str, rows: Sequence[FindingRow]) -> None:
    for row in rows:
        got = f" ({row.got})" if row.got else ""
        source = f" Source: {row.source}" if row.source else ""
        typer.echo(f"{title}: {row.label}{got}. {row.consequence}{source}")
