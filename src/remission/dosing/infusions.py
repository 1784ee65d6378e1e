"""Intravenous infusions as events.

Purpose: turn doses into events a pharmacokinetic model can run, refuse what no session can be, and flag what lies
outside the evidence.

Equation: an event gives ``dose / duration`` at a constant rate from ``start`` to ``start + duration``. Racemic
ketamine is half S and half R by mass. A bolus is a short infusion: give a duration such as 0.1 min.

Events: start [h, >= 0], duration [h, > 0 and at most 24], dose [mg of free base, >= 0], one dose per subject and event.

Assumptions: the pump keeps its rate; vials are labelled as free base. Limits are data in
``library/pharmacology/dosing-limits.toml``.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from remission.errors import SpecError
from remission.library.dosing_limits import flags_of_length
from remission.library.loader import load_parameter_set
from remission.library.molecules import racemate_s_fraction
from remission.numerics.windows import largest_in_window
from remission.records.dose import DrugForm, overlaps
from remission.records.infusions import InfusionEvents
from remission.shapes import Float


class Overlap(StrEnum):
    """What to do with infusions that run at the same time."""

    REFUSE = "refuse"
    """Raise an error: in one vein, one infusion runs."""
    SUPERPOSE = "superpose"
    """Add their rates."""


def infusions_per_weight(
    dose_mg_per_kg: Sequence[float] | Float[np.ndarray, " event"],
    *,
    start_h: Sequence[float] | Float[np.ndarray, " event"],
    duration_h: Sequence[float] | Float[np.ndarray, " event"],
    weight_kg: Float[np.ndarray, " subject"],
    form: DrugForm = DrugForm.RACEMATE,
    overlap: Overlap = Overlap.REFUSE,
) -> InfusionEvents:
    """Infusions of the same dose per body weight for everyone.

    Raises SpecError: as :func:`make_infusions`; also a dose above the limit, or a weight no adult model covers. All
    faults are listed.
    """
    limits = load_parameter_set("dosing-limits")
    most, lightest, heaviest = (limits.value(name) for name in ("max_dose_mg_per_kg", "min_weight_kg", "max_weight_kg"))
    doses = np.asarray(dose_mg_per_kg, dtype=float)
    faults = []
    flat, lengths = np.atleast_1d(doses), np.atleast_1d(np.asarray(duration_h, dtype=float))
    window_h = limits.value("dose_window_h")
    spread = np.maximum(1.0, np.where(np.isfinite(lengths), lengths, 0.0) / window_h)
    for index, dose in enumerate(flat.tolist()):
        longer = float(spread[index]) if index < spread.size else 1.0
        if dose > most * longer * (1.0 + 1e-9):
            faults.append(
                SpecError(
                    where=f"infusions[{index}].dose_mg_per_kg",
                    got=f"{dose!r} mg/kg",
                    allowed=f"at most {most} mg/kg within {window_h:g} h",
                    remedy="A dose in mg is divided by body weight first: 35 mg for 70 kg is 0.5 mg/kg.",
                )
            )
    starts = np.atleast_1d(np.asarray(start_h, dtype=float))
    if not faults and flat.size > 1 and flat.shape == starts.shape == lengths.shape and np.all(np.isfinite(starts)):
        together = largest_in_window(
            flat[np.newaxis], start_h=starts, duration_h=np.maximum(lengths, 0.0), window_h=window_h
        )[0]
        if together > most * (1.0 + 1e-9):
            faults.append(
                SpecError(
                    where="infusions",
                    got=f"{together:g} mg/kg within {window_h:g} h",
                    allowed=f"at most {most} mg/kg within {window_h:g} h",
                    remedy="No adult is given this much at once, in however many parts.",
                )
            )
    weights_ok = (weight_kg >= lightest) & (weight_kg <= heaviest)
    if not np.all(weights_ok):
        first = int(np.argmin(weights_ok))
        faults.append(
            SpecError(
                where=f"weight_kg[{first}]",
                got=f"{weight_kg[first]!s} kg",
                allowed=f"an adult's weight, {lightest} to {heaviest} kg",
            )
        )
    if faults:
        raise SpecError.from_faults(faults)
    return make_infusions(
        doses[np.newaxis, :] * weight_kg[:, np.newaxis],
        start_h=start_h,
        duration_h=duration_h,
        form=form,
        overlap=overlap,
    )


def make_infusions(
    dose_mg: Float[np.ndarray, "subject event"],
    *,
    start_h: Sequence[float] | Float[np.ndarray, " event"],
    duration_h: Sequence[float] | Float[np.ndarray, " event"],
    form: DrugForm = DrugForm.RACEMATE,
    overlap: Overlap = Overlap.REFUSE,
) -> InfusionEvents:
    """Checked infusions, sorted by start.

    ``dose_mg``: free base, one row a person. [mg, >= 0] ``start_h``: begin of each infusion. [h, >= 0] ``duration_h``:
    length of each infusion. [h, > 0, at most 24] Raises SpecError: a dose is negative, a duration is zero, negative or
    over 24 h, a start is negative, something is not finite, numbers of events differ, or infusions overlap without
    ``Overlap.SUPERPOSE``. All faults are listed.
    """
    start, duration = np.asarray(start_h, dtype=float), np.asarray(duration_h, dtype=float)
    if start.ndim != 1 or start.shape != duration.shape or dose_mg.ndim != 2 or dose_mg.shape[1] != start.size:
        raise SpecError(
            where="infusions",
            got=f"{start.shape} starts, {duration.shape} durations, {dose_mg.shape} doses",
            allowed="one start, one duration and one column of doses for each infusion",
        )
    limits = load_parameter_set("dosing-limits")
    faults = _faults(start, duration, dose_mg, longest_h=limits.value("max_duration_h"))
    if faults:
        raise SpecError.from_faults(faults)
    order = np.argsort(start, kind="stable")
    start, duration, dose = start[order], duration[order], dose_mg[:, order].astype(float)
    times = list(zip(start.tolist(), (start + duration).tolist(), strict=True))
    if overlap is Overlap.REFUSE:
        for index, ended in overlaps(times):
            raise SpecError(
                where=f"infusions[{order[index]}].start_h",
                got=f"{start[index]:g} h",
                allowed=f"a start at or after {ended:g} h, when the infusion before ends",
                remedy="Ask for Overlap.SUPERPOSE if both really run at once.",
            )
    flags = flags_of_length(times, where=[f"infusions[{number}].duration_h" for number in order])
    s_fraction = racemate_s_fraction() if form is DrugForm.RACEMATE else 1.0
    return InfusionEvents(
        start_h=start, duration_h=duration, dose_mg=dose, form=form, s_fraction=s_fraction, flags=flags
    )


def _faults(
    start: Float[np.ndarray, " event"],
    duration: Float[np.ndarray, " event"],
    dose: Float[np.ndarray, "subject event"],
    *,
    longest_h: float,
) -> list[SpecError]:
    faults = []
    for index, (begin, length) in enumerate(zip(start.tolist(), duration.tolist(), strict=True)):
        if not (np.isfinite(begin) and begin >= 0.0):
            faults.append(
                SpecError(where=f"infusions[{index}].start_h", got=f"{begin!r} h", allowed="a time of 0 h or later")
            )
        if not (np.isfinite(length) and length > 0.0):
            faults.append(
                SpecError(
                    where=f"infusions[{index}].duration_h",
                    got=f"{length!r} h",
                    allowed="more than 0 h",
                    remedy="For a bolus give a short infusion, such as 0.1 min.",
                )
            )
        elif length > longest_h:
            faults.append(
                SpecError(
                    where=f"infusions[{index}].duration_h",
                    got=f"{length!r} h",
                    allowed=f"at most {longest_h:g} h",
                    remedy="A session lasts minutes to hours.",
                )
            )
        wrong = ~(np.isfinite(dose[:, index]) & (dose[:, index] >= 0.0))
        if np.any(wrong):
            subject = int(np.argmax(wrong))
            faults.append(
                SpecError(
                    where=f"infusions[{index}].dose_mg",
                    got=f"{dose[subject, index]!s} mg (subject {subject})",
                    allowed="a dose of 0 mg or more",
                )
            )
    return faults
