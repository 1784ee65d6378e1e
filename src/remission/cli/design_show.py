"""What ``remission design`` prints."""

from typing import TYPE_CHECKING, Any

import typer

from remission.cli.design_cost import show_cost

if TYPE_CHECKING:
    from remission.design.looks import Sequential
    from remission.design.operating import Characteristics

__all__ = ["show"]


def show(content: dict[str, Any], main: "list[Characteristics]", *, null: bool, power: float | None) -> None:
    """Print the characteristics of the analysis that decides, and what else was asked for."""
    name = "type I error" if null else "power"
    for line in content["standing"]["lines"]:
        typer.echo(line)
    typer.echo(f"{main[0].label}: {name} at alpha {content['alpha']:g}; (±) is the Monte Carlo standard error")
    for row in main:
        line = f"  {row.n_subjects} people, {row.n_replicates} trials: {name} {row.rejected.text}; "
        line += f"{row.scale} {row.estimate.text}; interval width {row.width.text}; failed {row.n_failed}"
        if row.bias is not None and row.coverage is not None:
            line += f"; bias {row.bias.text}; coverage {row.coverage.text}"
        typer.echo(line)
    for found, value in content["truths"].items():
        if not null:
            typer.echo(f"True value of {found}, from the same people under every arm: {value:.3g}")
    if power is not None:
        smallest = content["smallest_n"]
        typer.echo(
            f"Smallest of these sizes with power {power:g}: {smallest} people."
            if smallest is not None
            else f"None of these sizes has power {power:g}."
        )
    _show_procedure(content["characteristics"], name)
    for row in main:
        if row.sequential is not None:
            _show_looks(row.n_subjects, row.sequential, name)
    if "assurance" in content:
        _show_assurance(content["assurance"], main[-1].n_subjects)
    if "cost" in content:
        show_cost(content["cost"])
    typer.echo(f"Again: {content['command']}")


def _show_procedure(rows: list[dict[str, Any]], name: str) -> None:
    """Every analysis of the protocol's procedure: rejected by its own p value, and by the adjusted one."""
    from remission.design.measures import Measure

    gated = [row for row in rows if row["after_procedure"] is not None]
    if not gated:
        return
    typer.echo(
        f"{name.capitalize()} after the procedure of multiplicity, at the end of the trial (by its own p value):"
    )
    for row in gated:
        after, alone = (Measure(**row[key]).text for key in ("after_procedure", "rejected"))
        typer.echo(f"  {row['n_subjects']} people, {row['label']}: {after}, own {alone}")


def _show_looks(n_subjects: int, found: "Sequential", name: str) -> None:
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
            f"{look.harm.text}, for futility {look.futility.text}; {look.n_analysed.value:.0f} people analysed, "
            f"information {look.information.value:.2f}"
        )
    known = "" if found.bias is None or found.coverage is None else (
        f"; bias {found.bias.text}; coverage {found.coverage.text}"
    )  # fmt: skip
    typer.echo(
        f"  estimate when stopped {found.estimate.text}, by {found.shift.text} from that of the same trials carried "
        f"to their end{known}"
    )


def _show_assurance(found: dict[str, Any], n_subjects: int) -> None:
    share, error = found["probability"]["value"], found["probability"]["mcse"]
    typer.echo(
        f"Assurance at {n_subjects} people: {share:.2f} (± {error:.2f}) over {found['n_draws']} draws "
        f"from {len(found['priors'])} priors by judgement. Variance: parameters "
        f"{found['parameter_variance']:.3g}, between trials {found['between_trial_variance']:.3g}, "
        f"sampling {found['sampling_variance']:.3g}."
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
        effect = one["effect"]
        size = "" if effect is None else f"; effect {effect['value']:.3g} (± {effect['mcse']:.2g})"
        typer.echo(f"  given {name}: {share:.2f} (± {error:.2f}){size}; effective draws {one['n_effective']:.0f}")
    if any(one["trials"] for one in found["given"]):
        typer.echo("  These trials also tuned the model's defaults: this weighs the priors and is no new evidence.")
