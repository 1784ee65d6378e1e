"""``remission plan``: one session of ketamine in simulated people."""

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.options import AsJson, Report
from remission.errors import SpecError
from remission.records.seed import DEFAULT_SEED
from remission.records.session_fields import SESSION_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remission.planner import PlacedLevel, Plan, PlanRequest
    from remission.report.clinic_sheet import ClinicSheet

_Texts = list[str] | None


def _options() -> list[Parameter]:
    """Options for the fields of a plan, with the help that the page has as well."""
    made = []
    for one in sorted(SESSION_FIELDS.values(), key=lambda one: one.option):
        kind: Any = str
        usual: Any = str(DEFAULT_SEED) if one.name == "seed" else one.default
        if one.is_many:
            kind, usual = _Texts, None
        elif one.kind == "yes":
            kind, usual = bool, False
        option = Annotated[kind, typer.Option(f"--{one.name.replace('_', '-')}", help=one.help)]
        made.append(Parameter(one.name, Parameter.KEYWORD_ONLY, default=usual, annotation=option))
    return made


def plan_command(
    *,
    compare: Annotated[
        _Texts, typer.Option("--compare", help="Compare with a regimen in the same people: kare, 0.8mg/kg/40min.")
    ] = None,
    find: Annotated[str, typer.Option("--find", help="Find a dose or a duration inside limits.")] = "",
    limit: Annotated[_Texts, typer.Option("--limit", help="sbp-rise=20 or dbp-rise=15, mmHg; for --find.")] = None,
    within_plasma: Annotated[
        str, typer.Option("--within-plasma", help="Concentrations of a trial, as kare; for --find.")
    ] = "",
    share: Annotated[
        str, typer.Option("--share", help="Share of people inside the limits, 0.9 or 90%; for --find.")
    ] = "",
    report: Report = None,
    clinician: Annotated[bool, typer.Option("--clinician", help="Add volumes and an empty session log.")] = False,
    change: Annotated[
        _Texts,
        typer.Option("--change", help="As it ran: 'pause 10 min at 20 min', 'stop at 25 min', '50% at 20 min'."),
    ] = None,
    levels: Annotated[
        Path | None, typer.Option("--levels", help="A table of measured levels: time, analyte, site, value, unit.")
    ] = None,
    dilution: Annotated[
        str, typer.Option("--dilution", help="Mixture for a pump, as '100 mg in 100 mL'; with --clinician.")
    ] = "",
    vial: Annotated[str, typer.Option("--vial", help="Strength as on the vial, mg/mL; with --clinician.")] = "",
    listing: Annotated[
        bool, typer.Option("--list", help="Print published regimens, checks and plasma ranges.")
    ] = False,
    as_json: AsJson = False,
    **asked: Any,
) -> None:
    """Simulate a ketamine session in people of one weight.

    Research simulation, not for patient care.

    Example: remission plan --weight 82 --age 45 --dose 0.5mg/kg --minutes 40
    """
    from remission.cli import plan_text
    from remission.planner import change_rates, compare_regimens, plan_infusion, read_change, read_regimen, read_request
    from remission.report.plan_sheet import check_printable

    if listing:
        plan_text.show_library(as_json=as_json)
        return
    _check_options(
        vial=vial, dilution=dilution, clinician=clinician, find=find, compare=compare, report=report,
        limits=bool(limit or within_plasma or share), change=change, levels=levels,
    )  # fmt: skip
    fields = {name: _typed(value) for name, value in asked.items()}
    fields["model"] = [_model_name(asked["model"])]
    if find:
        from remission.door.plan import searched_regimen

        found = searched_regimen(fields, find, limits=limit or [], within_plasma=within_plasma, share=share)
        plan_text.show_search(found, as_json=as_json)
        return
    request = read_request(fields)
    if compare:
        others = [read_regimen(one, beside=request) for one in compare]
        plan_text.show_comparison(compare_regimens([request, *others]), as_json=as_json)
        return
    planned = request
    if change:
        request = change_rates(request, [read_change(one, weight_kg=request.weight_kg) for one in change])
    if clinician or report is not None:
        _check_page(report)
        check_printable(request)
    clinic = _clinic(request, vial, dilution) if clinician else None
    # What was measured is read before anything is computed.
    placed = _placed(request, levels) if levels is not None else ()
    plan = plan_infusion(request)
    if report is not None:
        _write(report, plan, clinic, placed)
    plan_text.show_plan(plan, as_json=as_json, levels=placed, planned=planned)
    if clinic is not None and not as_json:
        plan_text.show_volumes(clinic)
    if report is not None:
        typer.echo(f"Written: {report}", err=True)


def _typed(value: list[str] | str | bool | None) -> list[str]:
    """What stood behind an option, as texts; an option without a value says yes."""
    if isinstance(value, bool):
        return ["yes"] if value else []
    return [value] if isinstance(value, str) else value or []


def _with_fields(command: Callable[..., None]) -> None:
    """Give the command an option for each field of a plan: those of the people stand last, before the output."""
    own = list(signature(command).parameters.values())[:-1]
    fields = _options()
    n_session = next(number for number, one in enumerate(fields) if one.name == "people")
    made = [*fields[:n_session], *own[:-2], *fields[n_session:], *own[-2:]]
    command.__signature__ = Signature(made, return_annotation=None)  # type: ignore[attr-defined]  # read by typer
    command.__annotations__ = {one.name: one.annotation for one in made}


_with_fields(plan_command)


def _model_name(model: str) -> str:
    """The name of a model; a file is read and made known first."""
    from remission.pk import add_pk_model, load_pk_model

    return add_pk_model(load_pk_model(Path(model)), path=model) if model.endswith(".toml") else model


def _check_options(
    *, vial: str, dilution: str, clinician: bool, find: str, compare: _Texts, report: Path | None, limits: bool,
    change: _Texts, levels: Path | None,
) -> None:  # fmt: skip
    """Options that need or exclude each other."""
    if bool(vial) != clinician:
        raise SpecError(where="vial", got=vial, allowed="a strength with --clinician, and only with it")
    if dilution and not clinician:
        raise SpecError(where="dilution", got=dilution, allowed="a mixture with --clinician, and only with it")
    if (find or compare) and (change or levels is not None):
        raise SpecError(
            where="change" if change else "levels", got="--find" if find else "--compare",
            allowed="one plan, without --compare and --find",
        )  # fmt: skip
    if limits and not find:
        raise SpecError(
            where="find", got="nothing", allowed="dose or duration, where a limit, a plasma range or a share is given"
        )
    if find and compare:
        raise SpecError(where="compare", got=", ".join(compare), allowed="--compare or --find, not both")
    if (report is not None or clinician) and (find or compare):
        raise SpecError(
            where="report", got=str(report or "--clinician"), allowed="one plan, without --compare and --find"
        )


def _placed(request: "PlanRequest", levels: Path) -> "Sequence[PlacedLevel]":
    from remission.door.plan import placed_levels

    return placed_levels(request, levels)


def _clinic(request: "PlanRequest", vial: str, dilution: str) -> "ClinicSheet":
    from remission.report.clinic_sheet import clinic_sheet, read_dilution, read_strength

    strength = read_strength(vial)
    mixture = read_dilution(dilution, strength_mg_per_ml=strength) if dilution else None
    return clinic_sheet(request, strength_mg_per_ml=strength, dilution=mixture)


def _check_page(report: Path | None) -> None:
    """Refuse a name that the page cannot have, before any work is done."""
    from remission.extras import need_extra
    from remission.files import check_ending, check_free

    if report is not None:
        need_extra("plots", where="--report")
        check_ending(report, "--report", (".html", ".htm"))
        check_free(report, f"--report {report}")


def _write(report: Path, plan: "Plan", clinic: "ClinicSheet | None", levels: "Sequence[PlacedLevel]") -> None:
    from remission.files import write_text
    from remission.provenance import package_version
    from remission.report.plan_page import render_plan

    page = render_plan(plan, version=package_version(), clinic=clinic, levels=levels)
    write_text(report, page, where=f"--report {report}")
