"""``remission endpoints``: the catalogue, and its endpoints of real and simulated people."""

import json
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remission.cli.options import AsJson, named_as_options
from remission.cli.terminal import print_columns, print_json
from remission.errors import SpecError

if TYPE_CHECKING:
    from remission.library.endpoints import NamedEndpoint

__all__ = ["app", "list_command", "run_command", "show_command"]

app = typer.Typer(help="Compute named endpoints of real or simulated people.", no_args_is_help=True)

_Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="Folder of CTN-0094 tables or of a run, or a Parquet file of remission import."
    ),
]
_Substance = Annotated[str | None, typer.Option("--substance", help="What counts as use; CTN-0094: opioids.")]
_Window = Annotated[str | None, typer.Option("--window", help="Days that count: 1:168, or -28:-1 before day 0.")]
_Baseline = Annotated[
    str | None,
    typer.Option("--baseline", help="Days to compare with: -28:-1. Default: all before day 0 and the window."),
]
_Out = Annotated[Path | None, typer.Option("--out", help="CSV or Parquet file to write; it must not exist yet.")]
_PACK = "weekly"


@app.command("list")
def list_command(
    group: Annotated[
        str | None,
        typer.Option("--group", help="Only diary, test, weekly, visits, sessions, mood, craving or alcohol."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="With the weekly definitions of opioid trials.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the named endpoints; those of one field, such as weekly urine tests, only when asked.

    Example: remission endpoints list --group weekly
    """
    from remission.library.endpoints import list_endpoints

    known = list_endpoints()
    groups = list(dict.fromkeys(one.group for one in known))
    if group not in {None, *groups}:
        raise SpecError(where="--group", got=group, allowed=", ".join(groups))
    found = [one for one in known if one.group == group or (group is None and (everything or one.group != _PACK))]
    if as_json:
        print_json({"endpoints": [_about(one) for one in found]})
        return
    width = max(len(one.id) for one in found)
    for name in dict.fromkeys(one.group for one in found):
        typer.echo(name)
        members = [(one.id, one.label) for one in found if one.group == name]
        print_columns(members, widths=(width, 0), indent=2)
    n_more = sum(one.group == _PACK for one in known)
    if not group and not everything:
        typer.echo(f"{n_more} more of opioid trials, from weekly tests: remission endpoints list --all")


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Id of a named endpoint.")],
    as_json: AsJson = False,
) -> None:
    """Show a definition: what is computed, its rule for what is missing, its source.

    Example: remission endpoints show ctn0094-relapse
    """
    from remission.library.endpoints import load_endpoint
    from remission.library.references import load_reference

    one = load_endpoint(name)
    if as_json:
        print_json({"endpoint": _about(one)})
        return
    typer.echo(f"{one.label} ({one.id})")
    typer.echo(f"  {one.variable}")
    typer.echo(f"  unit: {one.facts.unit}; {'higher' if one.facts.higher_is_better else 'lower'} is better")
    for key, value in one.fields.items():
        typer.echo(f"  {key}: {json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}")
    if one.source_note:
        typer.echo(f"  note: {one.source_note}")
    typer.echo(f"  source ({one.grade}): {load_reference(one.citation).text}")
    if one.ctnote:
        typer.echo(f"  in CTNote: {one.ctnote}")


@app.command("run")
def run_command(  # noqa: PLR0917 - options of a command line
    data: _Data,
    endpoint: Annotated[
        list[str] | None, typer.Option("--endpoint", help="Id; may be given again. Default: all that can be computed.")
    ] = None,
    window: _Window = None,
    baseline: _Baseline = None,
    substance: _Substance = None,
    heavy_amount: Annotated[
        float | None, typer.Option("--heavy-amount", min=0.0, help="A day above it is heavy, in the unit of the data.")
    ] = None,
    sexes: Annotated[
        Path | None, typer.Option("--sexes", help="CSV with the columns person and sex, for levels of drinking risk.")
    ] = None,
    replicate: Annotated[int, typer.Option("--replicate", min=0, help="Which replicate of a run, from 0.")] = 0,
    out: _Out = None,
    as_json: AsJson = False,
) -> None:
    """Compute named endpoints of each person.

    Example: remission endpoints run tables --endpoint ctn0094-relapse --out endpoints.csv
    """
    from remission.door.diaries import compute_endpoints
    from remission.exchange.endpoint_tables import write_endpoint_table

    with named_as_options():
        table = compute_endpoints(
            data,
            endpoint or None,
            window=window,
            baseline=baseline,
            substance=substance,
            heavy_amount=heavy_amount,
            sexes=sexes,
            replicate=replicate,
        )
    people = table.people
    if out is not None:
        write_endpoint_table(table.to_frame(), out)
    content = {
        "data": data,
        "origin": people.origin,
        "substance": people.substance,
        "window": [table.window.first, table.window.last],
        "baseline": None if table.baseline is None else [table.baseline.first, table.baseline.last],
        "n_people": len(people.data),
        "endpoints": table.summary(),
        "left_out": [{"id": name, "reason": reason} for name, reason in table.left_out.items()],
        "out": out,
    }
    if as_json:
        print_json(content)
    else:
        _print(content)


@app.command("words")
def words_command(
    data: _Data,
    window: _Window = None,
    substance: _Substance = None,
    out: _Out = None,
    as_json: AsJson = False,
) -> None:
    """Spell each person's weekly tests: + positive, - negative, * both, o missed, _ none due.

    Example: remission endpoints words tables --out words.csv
    """
    from remission.door.arguments import ARGUMENTS
    from remission.exchange.endpoint_tables import compute_endpoints, read_people, write_endpoint_table

    days = None if window is None else ARGUMENTS["window"].read("--window", window, {})
    people = read_people(data, substance=substance)
    table = compute_endpoints(people, [], window=days)
    frame = table.to_frame()
    if "word" not in frame:
        raise SpecError(where=str(data), got="no test of any person", allowed="data with biological tests")
    if out is not None:
        write_endpoint_table(frame, out)
    if as_json:
        rows = frame.to_dict(orient="records")
        print_json({"people": rows, "out": out})
    elif out is not None:
        typer.echo(f"Wrote {len(frame)} words to {out}")
    else:
        for person, word in zip(frame["person"], frame["word"], strict=True):
            typer.echo(f"{person} {word}")


def _about(one: "NamedEndpoint") -> dict[str, Any]:
    return {
        **one.to_dict(),
        **{name: getattr(one.facts, name) for name in ("unit", "scale", "higher_is_better", "needs")},
    }


def _print(content: dict[str, Any]) -> None:
    """Rows under their unit: no line is wider than 80 characters, whatever it is printed to."""
    first, last = content["window"]
    against = ", against days {} to {}".format(*content["baseline"]) if content["baseline"] else ""
    about = (
        f"{content['n_people']} people, {content['substance']}, days {first} to {last}{against} ({content['origin']})"
    )
    typer.echo(fill(about, 80, break_on_hyphens=False))
    typer.echo("")
    rows: list[tuple[str, ...]] = [("endpoint", "people", "mean", "SD", "with event")]
    for unit in dict.fromkeys(row["unit"] for row in content["endpoints"]):
        rows.append((f"{unit}:", "", "", "", ""))
        for row in content["endpoints"]:
            if row["unit"] == unit:
                values = ("" if row[name] is None else f"{row[name]:.4g}" for name in ("mean", "sd", "event_share"))
                rows.append((f"  {row['id']}", str(row["n_valued"]), *values))
    print_columns(rows, right=(1, 2, 3, 4))
    if content["left_out"]:
        names = ", ".join(item["id"] for item in content["left_out"])
        typer.echo("")
        typer.echo(fill(f"Not computed from these data: {names}.", 80, break_on_hyphens=False))
        typer.echo("Ask for one by name to read why, or use --json.")
    if content["out"] is not None:
        typer.echo(f"Wrote {content['out']}")
