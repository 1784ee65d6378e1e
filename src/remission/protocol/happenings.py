"""Design, recruitment, events, missing data and blinding of a protocol in plain words."""

from remission.protocol.fields import ProtocolFields
from remission.records.intercurrent import UseRule

__all__ = ["happenings", "layout"]


def happenings(protocol: ProtocolFields) -> list[str]:
    """What can happen beside the treatment, a sentence each; nothing when the protocol names nothing."""
    lines = []
    events, missing, blinding = protocol.events, protocol.missingness, protocol.blinding
    if events is not None and events.relapse is not None:
        lines.append(f"Relapse is {_rule(events.relapse)}.")
    if events is not None and events.rescue_medicine is not None:
        lines.append(f"Rescue medicine is given after {_rule(events.rescue_medicine)}; no effect of it is simulated.")
    if events is not None and events.incarceration is not None:
        custody = events.incarceration
        lines.append(f"Custody of {custody.length_days} days with hazard {custody.hazard_per_day:g} per day.")
    if missing is not None:
        lines.append(
            f"Leaving and missed visits follow use: strength {missing.observed:g} of the week last seen, "
            f"{missing.latent:g} of the unseen week."
        )
    if blinding is not None:
        lines.append(
            f"Guesses of the active drug: {blinding.guess_unfelt:g} when nothing was felt, {blinding.guess_felt:g} "
            f"after a full effect; expectancy {blinding.expectancy_use:g} on the log odds of use, "
            f"{blinding.expectancy_report:g} on reports."
        )
    return lines


def layout(protocol: ProtocolFields) -> list[str]:
    """The design and the recruitment, a sentence each; nothing when the protocol names neither."""
    lines = []
    design, recruitment = protocol.design, protocol.recruitment
    if design is not None:
        washout = f", washout {design.washout_days} days" if design.washout_days else ""
        lines.append(f"Design: {design.kind}{washout}.")
    if recruitment is not None:
        lines.append(
            f"Recruitment: {recruitment.screened_per_day:g} screened per day after a ramp of {recruitment.ramp_days} "
            f"days, of whom {100.0 * recruitment.screening_failure:g}% fail screening."
        )
    return lines


def _rule(rule: UseRule) -> str:
    days = "1 day" if rule.use_days == 1 else f"{rule.use_days} days"
    return f"{days} of use" if rule.within_days == rule.use_days == 1 else f"{days} of use within {rule.within_days}"
