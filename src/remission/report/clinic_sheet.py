"""Volumes and a session log, for clinicians who asked for them; off unless the operator turns it on.

Nothing here is a plan of care: the volume is the arithmetic of a dose and a vial, and the log has no place for a name.
"""

import re

from remission.errors import SpecError
from remission.planner import PlanRequest
from remission.planner.plan import regimen_words
from remission.records.base import Record
from remission.report.plan_sheet import digits

__all__ = ["ClinicSheet", "ClinicStep", "clinic_sheet", "read_strength"]

_STRENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:mg/m[lL])?")
_LOW_MG_PER_ML, _HIGH_MG_PER_ML = 1.0, 100.0
"""Vials of ketamine are sold between these; assumed, to catch a slip."""


class ClinicStep(Record):
    """One step of the session as an amount and a volume."""

    label: str
    mg: str
    ml: str


class ClinicSheet(Record):
    """Volumes, and the empty fields of a session log."""

    strength: str
    total: str
    steps: tuple[ClinicStep, ...]
    substance_fields: tuple[str, ...] = (
        "Lot", "Expiry", "Vial mg", "Drawn mg", "Given mg", "Wasted mg", "Signed", "Witness",
    )  # fmt: skip
    watch_fields: tuple[str, ...] = (
        "Time", "Clock", "Systolic", "Diastolic", "Heart rate", "Oxygen %", "Awake 0-5", "Remarks",
    )  # fmt: skip
    times: tuple[str, ...] = ("before", "start", "10 min", "20 min", "40 min", "end", "+30 min", "+60 min", "+120 min")
    asks: tuple[str, ...] = (
        "Checks before the session asked and none blocks it",
        "Urinary symptoms asked",
        "Nothing taken today: alcohol, opioids, sedatives, stimulants",
        "Escort home; no driving until tomorrow, after sleep",
        "Established treatment goes on; next contact agreed",
    )


def read_strength(text: str) -> float:
    """The strength of a vial. [mg/mL]

    Raises
    ------
    SpecError
        No number, or none that a vial of ketamine has.

    Examples
    --------
    >>> read_strength("50 mg/mL")
    50.0
    """
    found = _STRENGTH.fullmatch(text.strip())
    strength = float(found[1]) if found else 0.0
    if not _LOW_MG_PER_ML <= strength <= _HIGH_MG_PER_ML:
        raise SpecError(
            where="vial",
            got=text,
            allowed=f"a strength from {_LOW_MG_PER_ML:g} to {_HIGH_MG_PER_ML:g} mg/mL, as on the vial",
        )
    return strength


def clinic_sheet(request: PlanRequest, *, strength_mg_per_ml: float) -> ClinicSheet:
    """Volumes of each step and of the whole, and the fields of the log.

    Parameters
    ----------
    strength_mg_per_ml
        Of the vial. [mg/mL]
    """
    steps = []
    for one in request.infusions:
        mg = one.dose_mg_per_kg * request.weight_kg
        label = regimen_words((one.replace(start_h=0.0),), route=request.route)
        steps.append(ClinicStep(label=label, mg=f"{mg:.1f}", ml=f"{mg / strength_mg_per_ml:.2f}"))
    total = request.total_mg
    if len(steps) > 1:
        steps.append(ClinicStep(label="together", mg=f"{total:.1f}", ml=f"{total / strength_mg_per_ml:.2f}"))
    return ClinicSheet(strength=f"{digits(strength_mg_per_ml)} mg/mL", total=f"{total:.1f} mg", steps=tuple(steps))
