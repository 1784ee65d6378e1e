"""``remission plan``: one session of ketamine in simulated people."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from remission.planner import Plan

__all__ = ["plan_command"]

_NAMES = {"ket": "ketamine", "s_ket": "S-ketamine", "sbp_rise": "rise of systolic pressure"}
_SITES = {
    "arterial": "arterial plasma",
    "venous": "venous plasma (provisional link)",
    "effect": "effect site",
}


def plan_command(  # noqa: PLR0917 - options of a command line
    age: Annotated[str, typer.Option("--age", help="With or without unit: 45, '45 years'.")],
    weight: Annotated[str, typer.Option("--weight", help="With or without unit: 82, '82 kg', '180 lb'.")],
    sex: Annotated[str, typer.Option("--sex", help="female or male.")],
    substance: Annotated[str, typer.Option("--substance", help="What the trial is about.")],
    dose: Annotated[str | None, typer.Option("--dose", help="Racemic ketamine with its unit: 0.5mg/kg.")] = None,
    duration_min: Annotated[float | None, typer.Option("--minutes", help="Length of the infusion.")] = None,
    preset: Annotated[str | None, typer.Option("--preset", help="First session of a published trial, as kare.")] = None,
    sbp0_mmhg: Annotated[float | None, typer.Option("--systolic", help="Systolic pressure before, mmHg.")] = None,
    hypertension: Annotated[bool, typer.Option("--hypertension", help="Known hypertension.")] = False,
    people: Annotated[int, typer.Option("--people", help="Simulated people.")] = 1000,
    model: Annotated[str, typer.Option("--model", help="Kinetic model of the library.")] = "simons2022",
    seed: Annotated[int, typer.Option("--seed", help="Of the simulated people.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, curves included.")] = False,
) -> None:
    """Concentrations and blood pressure of one infusion in simulated people. Not for patient care.

    Example: remission plan --weight 82 --age 45 --sex male --substance alcohol --dose 0.5mg/kg --minutes 40
    """
    from remission.errors import LibraryError, SpecError
    from remission.planner import PlanRequest, plan_infusion, preset_infusions

    if (preset is None) == (dose is None):
        raise SpecError(where="--dose", got="both or neither of --dose and --preset", allowed="one of them")
    if (dose is None) != (duration_min is None):
        raise SpecError(
            where="--minutes", got=duration_min, allowed="a number of minutes with --dose, and only with it"
        )
    infusions: Any = (
        preset_infusions(preset) if preset is not None else [{"dose": dose, "duration": f"{duration_min} min"}]
    )
    request = PlanRequest.create(
        age=age if any(sign.isalpha() for sign in age) else f"{age} years",
        weight=weight if any(sign.isalpha() for sign in weight) else f"{weight} kg",
        sex=sex,
        substance=substance,
        hypertension=hypertension,
        sbp0_mmhg=sbp0_mmhg,
        infusions=infusions,
        model=model,
        n_people=people,
        seed=seed,
    )
    try:
        plan = plan_infusion(request)
    except LibraryError as error:
        raise SpecError(where="--model", got=error.got, allowed=error.allowed) from None
    if as_json:
        typer.echo(json.dumps(_as_dict(plan), ensure_ascii=False))
        return
    _show(plan)


def _show(plan: "Plan") -> None:
    request = plan.request
    typer.echo(plan.notice)
    total_min = sum(one.duration_min for one in request.infusions)
    typer.echo(
        f"{plan.total_mg:.1f} mg racemic ketamine in {total_min:g} min, {plan.total_mg / request.weight_kg:.2f} mg/kg, "
        f"{plan.total_mg / total_min:.2f} mg/min; {request.n_people} simulated people of {request.weight_kg:g} kg, "
        f"model {request.model}"
    )
    typer.echo("Highest median over the session, with the quantiles 5 and 95% at that time:")
    for curve in plan.curves:
        at = int(curve.quantiles[2].argmax())
        site = f", {_SITES.get(curve.site, curve.site)}" if curve.site else ""
        low, middle, high = (curve.quantiles[k, at] for k in (0, 2, 4))
        name = f"{_NAMES.get(curve.name, curve.name)}{site}"
        typer.echo(f"  {name:<44} {middle:7.1f} ({low:.1f} to {high:.1f}) {curve.unit} at {plan.t_h[at] * 60:.0f} min")
    for words, chance in (
        ("systolic pressure above 180 mmHg", plan.p_sbp_above_limit),
        ("a rise of more than 30 mmHg", plan.p_sbp_rise_above_limit),
    ):
        if chance is None:
            typer.echo(f"  share of people with {words}: not known without --systolic")
        else:
            typer.echo(
                f"  share of people with {words}: {chance.share:.3f}, Monte Carlo error {chance.standard_error:.3f}"
            )
    typer.echo(
        "Pressure follows an interim law that knows neither age nor treatment; the shares are too sure of themselves."
    )
    for flag in plan.flags:
        typer.echo(f"flag: {flag.where}: {flag.got}; evidence: {flag.evidence}. {flag.consequence}", err=True)


def _as_dict(plan: "Plan") -> dict[str, Any]:
    return {
        "notice": plan.notice,
        "request": plan.request.to_dict(),
        "total_mg": plan.total_mg,
        "t_h": plan.t_h.tolist(),
        "quantiles": [0.05, 0.25, 0.5, 0.75, 0.95],
        "curves": [
            {"name": one.name, "site": one.site, "unit": one.unit, "values": one.quantiles.tolist()}
            for one in plan.curves
        ],
        "share_with_sbp_above_180_mmhg": _chance(plan.p_sbp_above_limit),
        "share_with_sbp_rise_above_30_mmhg": _chance(plan.p_sbp_rise_above_limit),
        "flags": [
            {"where": one.where, "got": one.got, "evidence": one.evidence, "consequence": one.consequence}
            for one in plan.flags
        ],
    }


def _chance(chance: Any) -> dict[str, float] | None:
    return None if chance is None else {"share": chance.share, "standard_error": chance.standard_error}
