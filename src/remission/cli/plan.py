"""``remission plan``: one session of ketamine in simulated people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from remission.planner import Plan
    from remission.report.clinic_sheet import ClinicSheet

__all__ = ["plan_command"]

_Texts = list[str] | None
_PATIENT, _REGIMEN, _ASK, _OUT = "Patient", "Regimen", "Compare and search", "Output"


def plan_command(  # noqa: PLR0917 - options of a command line
    weight: Annotated[str, typer.Option("--weight", help="82, '82 kg' or '180 lb'.")] = "",
    age: Annotated[str, typer.Option("--age", help="In years; adults only.")] = "",
    dose: Annotated[
        _Texts, typer.Option("--dose", help="0.5mg/kg, 35mg or 0.75mg/kg/h; again for a next step.")
    ] = None,
    minutes: Annotated[_Texts, typer.Option("--minutes", help="Length of each infusion.")] = None,
    start: Annotated[_Texts, typer.Option("--start", help="Start of each, min; left out: one after the other.")] = None,
    route: Annotated[
        str, typer.Option("--route", help="iv, im, sc, oral, sublingual, intranasal, rectal; only iv has effects.")
    ] = "",
    assume_ka: Annotated[
        str, typer.Option("--assume-ka", help="Absorption that you assume, as 3/h, where none is sourced.")
    ] = "",
    assume_f: Annotated[
        str, typer.Option("--assume-f", help="Share that you assume to arrive, 0 to 1, where none is sourced.")
    ] = "",
    product: Annotated[
        str, typer.Option("--product", help="A product of the library, where sources disagree; see --list.")
    ] = "",
    preset: Annotated[str, typer.Option("--preset", help="A published regimen, as kare; see --list.")] = "",
    sex: Annotated[str, typer.Option("--sex", help="female or male; left out: unknown.")] = "",
    substance: Annotated[str, typer.Option("--substance", help="alcohol, opioid ...; left out: unknown.")] = "",
    height: Annotated[str, typer.Option("--height", help="178, '178 cm' or '1.78 m'.")] = "",
    systolic: Annotated[str, typer.Option("--systolic", help="Pressure before the session, mmHg.")] = "",
    diastolic: Annotated[str, typer.Option("--diastolic", help="Pressure before the session, mmHg.")] = "",
    pulse: Annotated[str, typer.Option("--pulse", help="Heart rate before the session, per minute.")] = "",
    hypertension: Annotated[bool, typer.Option("--hypertension", help="Known hypertension.")] = False,
    has: Annotated[_Texts, typer.Option("--has", help="A check that is met, as pregnancy; see --list.")] = None,
    takes: Annotated[_Texts, typer.Option("--takes", help="A medicine or gene, as rifampicin; see --list.")] = None,
    sessions: Annotated[str, typer.Option("--sessions", help="Sessions of the course.")] = "",
    spacing: Annotated[str, typer.Option("--spacing", help="Days between sessions.")] = "",
    compare: Annotated[
        _Texts, typer.Option("--compare", help="Another regimen in the same people: kare, 0.8mg/kg/40min.")
    ] = None,
    find: Annotated[str, typer.Option("--find", help="dose or duration, inside limits.")] = "",
    limit: Annotated[_Texts, typer.Option("--limit", help="sbp-rise=20 or dbp-rise=15, mmHg; for --find.")] = None,
    within_plasma: Annotated[
        str, typer.Option("--within-plasma", help="Concentrations of a trial, as kare; for --find.")
    ] = "",
    share: Annotated[
        float | None, typer.Option("--share", help="Share of people inside the limits, 0.9; for --find.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a page that prints on one sheet.")] = None,
    clinician: Annotated[bool, typer.Option("--clinician", help="Add volumes and an empty session log.")] = False,
    vial: Annotated[str, typer.Option("--vial", help="Strength as on the vial, mg/mL; with --clinician.")] = "",
    people: Annotated[str, typer.Option("--people", help="Simulated people.")] = "1000",
    model: Annotated[str, typer.Option("--model", help="Kinetic model of the library.")] = "simons2022",
    seed: Annotated[str, typer.Option("--seed", help="Of the simulated people.")] = "1",
    listing: Annotated[
        bool, typer.Option("--list", help="Print published regimens, checks and plasma ranges.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, curves included.")] = False,
) -> None:
    """A session of ketamine in simulated people of one weight. Research simulation, not for patient care.

    Example: remission plan --weight 82 --age 45 --dose 0.5mg/kg --minutes 40
    """
    from remission.cli import plan_text
    from remission.errors import SpecError
    from remission.planner import compare_regimens, plan_infusion, read_regimen, read_request
    from remission.report.clinic_sheet import clinic_sheet, read_strength
    from remission.report.plan_sheet import check_printable

    if listing:
        plan_text.show_library(as_json=as_json)
        return
    if bool(vial) != clinician:
        raise SpecError(where="vial", got=vial, allowed="a strength with --clinician, and only with it")
    if (limit or within_plasma or share is not None) and not find:
        raise SpecError(
            where="find", got="nothing", allowed="dose or duration, where a limit, a plasma range or a share is given"
        )
    if find and compare:
        raise SpecError(where="compare", got=", ".join(compare), allowed="--compare or --find, not both")
    if (out is not None or clinician) and (find or compare):
        raise SpecError(where="out", got=str(out or "--clinician"), allowed="one plan, without --compare and --find")
    fields = {
        "weight": [weight], "age": [age], "dose": dose or [], "minutes": minutes or [], "start": start or [],
        "route": [route], "assume_ka": [assume_ka], "assume_f": [assume_f], "product": [product],
        "preset": [preset], "sex": [sex], "substance": [substance], "height": [height],
        "systolic": [systolic], "diastolic": [diastolic], "pulse": [pulse], "has": has or [],
        "takes": takes or [],
        "hypertension": ["yes"] if hypertension else [], "sessions": [sessions], "spacing": [spacing],
        "people": [people], "model": [model], "seed": [seed],
    }  # fmt: skip
    if find:
        _search(fields, find, limit or [], within_plasma, 0.9 if share is None else share, as_json=as_json)
        return
    request = read_request(fields)
    if compare:
        found = compare_regimens([request, *(read_regimen(one, beside=request) for one in compare)])
        plan_text.show_comparison(found, as_json=as_json)
        return
    if clinician or out is not None:
        check_printable(request)
    clinic = clinic_sheet(request, strength_mg_per_ml=read_strength(vial)) if clinician else None
    plan = plan_infusion(request)
    if out is not None:
        _write(out, plan, clinic)
    plan_text.show_plan(plan, as_json=as_json)
    if clinic is not None and not as_json:
        plan_text.show_volumes(clinic)
    if out is not None:
        typer.echo(f"Written: {out}", err=True)


def _write(out: Path, plan: "Plan", clinic: "ClinicSheet | None") -> None:
    """The page under its name, whole or not at all; an existing file is never overwritten."""
    from remission.files import write_text
    from remission.provenance import package_version
    from remission.report.plan_page import render_plan

    page = render_plan(plan, version=package_version(), clinic=clinic)
    write_text(out, page, where=f"--out {out}")


def _search(
    fields: dict[str, list[str]], find: str, limits: list[str], plasma: str, share: float, *, as_json: bool
) -> None:
    from remission.cli import plan_text
    from remission.planner import Limit, read_limit, read_search, search_regimen

    wanted = [read_limit(one) for one in limits]
    if plasma:
        wanted.append(Limit(quantity="plasma", plasma=plasma))
    target, request = read_search(fields, find=find)
    plan_text.show_search(search_regimen(request, target=target, limits=wanted, share=share), as_json=as_json)
