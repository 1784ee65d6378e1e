"""``remission plan``: one session of ketamine in simulated people."""

from typing import Annotated, Literal

import typer

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
    route: Annotated[str, typer.Option("--route", help="iv, im, intranasal, oral, rectal, sublingual.")] = "",
    preset: Annotated[str, typer.Option("--preset", help="A published regimen, as kare; see --list.")] = "",
    sex: Annotated[str, typer.Option("--sex", help="female or male; left out: unknown.")] = "",
    substance: Annotated[str, typer.Option("--substance", help="alcohol, opioid ...; left out: unknown.")] = "",
    height: Annotated[str, typer.Option("--height", help="178, '178 cm' or '1.78 m'.")] = "",
    systolic: Annotated[str, typer.Option("--systolic", help="Pressure before the session, mmHg.")] = "",
    diastolic: Annotated[str, typer.Option("--diastolic", help="Pressure before the session, mmHg.")] = "",
    pulse: Annotated[str, typer.Option("--pulse", help="Heart rate before the session, per minute.")] = "",
    hypertension: Annotated[bool, typer.Option("--hypertension", help="Known hypertension.")] = False,
    has: Annotated[_Texts, typer.Option("--has", help="A check that is met, as pregnancy; see --list.")] = None,
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
    share: Annotated[float, typer.Option("--share", help="Share of people inside the limits; for --find.")] = 0.9,
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
    from remission.planner import compare_regimens, plan_infusion, read_regimen, read_request

    if listing:
        plan_text.show_library(as_json=as_json)
        return
    fields = {
        "weight": [weight], "age": [age], "dose": dose or [], "minutes": minutes or [], "start": start or [],
        "route": [route], "preset": [preset], "sex": [sex], "substance": [substance], "height": [height],
        "systolic": [systolic], "diastolic": [diastolic], "pulse": [pulse], "has": has or [],
        "hypertension": ["yes"] if hypertension else [], "sessions": [sessions], "spacing": [spacing],
        "people": [people], "model": [model], "seed": [seed],
    }  # fmt: skip
    if find:
        _search(fields, find, limit or [], within_plasma, share, as_json=as_json)
        return
    request = read_request(fields)
    if compare:
        others = [read_regimen(one, weight_kg=request.weight_kg) for one in compare]
        requests = [request, *(request.replace(route=way, infusions=doses) for way, doses in others)]
        found = compare_regimens(requests)
        plan_text.show_comparison(found, as_json=as_json)
        return
    plan = plan_infusion(request)
    plan_text.show_plan(plan, as_json=as_json)


def _search(
    fields: dict[str, list[str]], find: str, limits: list[str], plasma: str, share: float, *, as_json: bool
) -> None:
    from remission.cli import plan_text
    from remission.errors import SpecError
    from remission.planner import Limit, read_limit, read_request, search_regimen

    if find not in {"dose", "duration"}:
        raise SpecError(where="find", got=find, allowed="dose or duration")
    target: Literal["dose", "duration"] = "dose" if find == "dose" else "duration"
    wanted = [read_limit(one) for one in limits]
    if plasma:
        wanted.append(Limit(quantity="plasma", plasma=plasma))
    if target == "dose":
        # A dose of the published range stands in for the one that is looked for.
        fields = {**fields, "dose": fields["dose"] or ["0.5 mg/kg"]}
    else:
        fields = {**fields, "minutes": fields["minutes"] or ["40"]}
    found = search_regimen(read_request(fields), target=target, limits=wanted, share=share)
    plan_text.show_search(found, as_json=as_json)
